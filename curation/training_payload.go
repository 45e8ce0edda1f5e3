package curation

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir/secagg"
)

// Limits on a plan. They are part of the format.
const (
	MaxTrainingSteps   = 10_000   // of each trainer
	MaxTrainingBatch   = 128      // pictures of a step
	MaxTrainingBlocks  = 100_000  // of each of its two spans: a day of one block a second
	MaxTrainingMessage = 16 << 10 // bytes of a body: the shares of 128 members take 15,968
	// MaxClip bounds Plan.Clip: so many of the most members' changes add up to less
	// than 2³¹ in each number.
	MaxClip = 1<<31/256 - 1
)

// Plan is how the members train the network's artist together: what each of them does
// with its own pictures, and how long they have.
type Plan struct {
	_       struct{} `cbor:",toarray"`
	Number  uint64   // of the training: View.NextTraining
	ModelID Hash     // the current artist
	// Length is how many numbers the artist has. Who joins has opened it, and checks.
	// Range 1..secagg.MaxLength.
	Length uint64
	Steps  uint64 // training steps of each trainer. Range 1..MaxTrainingSteps
	Batch  uint64 // pictures of a step. Range 1..MaxTrainingBatch
	// RatePPM is the learning rate in parts per million: 6000 is 0.006. Range 1..1000000.
	RatePPM uint64
	// Clip is the Euclidean norm to which a trainer's change is clipped, in units of
	// 2⁻¹⁶, to which numbers are rounded: 327680 is 5. Rounding alone can make √Length/2 of
	// it, so 4·Clip² is above Length. At most MaxClip.
	Clip uint64
	// JoinBlocks is how long members have to approve the training and to join it, both
	// together, from the block of its opening on. Range 3..MaxTrainingBlocks.
	JoinBlocks uint64
	// TrainBlocks is how long trainers have to train and to give what they learned. Range
	// 1..MaxTrainingBlocks. The committee under which a training was opened serves it to
	// its sealing: one handover may come meanwhile, and the next has to wait.
	TrainBlocks uint64
}

// life is how long a training may take until what came of it is sealed, in blocks: each
// status and each phase of the adding up as long as it may last.
func (p Plan) life(in Params) uint64 {
	return p.JoinBlocks + p.TrainBlocks + 5*in.DKGPhaseBlocks + in.DKGDisputeBlocks + in.RequestBlocks
}

// Validate checks what needs no state.
func (p Plan) Validate() error {
	for _, r := range []struct {
		name            string
		value, min, max uint64
	}{
		{"number of the training", p.Number, 1, 1 << 62},
		{"numbers of the artist", p.Length, 1, secagg.MaxLength},
		{"steps", p.Steps, 1, MaxTrainingSteps},
		{"batch", p.Batch, 1, MaxTrainingBatch},
		{"rate in parts per million", p.RatePPM, 1, 1_000_000},
		{"clip in units of 1/65536", p.Clip, 1, MaxClip},
		{"blocks to join", p.JoinBlocks, 3, MaxTrainingBlocks},
		{"blocks to train", p.TrainBlocks, 1, MaxTrainingBlocks},
	} {
		if r.value < r.min || r.value > r.max {
			return fmt.Errorf("%s: %d, want %d to %d", r.name, r.value, r.min, r.max)
		}
	}
	if 4*p.Clip*p.Clip <= p.Length {
		return fmt.Errorf("a clip of %d/65536 is no more than what rounding %d numbers may change: clip to more", p.Clip, p.Length)
	}
	return nil
}

// Train is the signing member's vote for training the artist by a plan; the first one
// proposes it.
type Train struct {
	_    struct{} `cbor:",toarray"`
	Plan Plan
}

// Join has the signing member take part in a training: it has opened the artist and has
// pictures to train it on.
type Join struct {
	_      struct{} `cbor:",toarray"`
	Number uint64   // of the training
	Reader Hash     // secagg's commitment to the artist's reader key for Training.Session
}

// TrainingMessage is one message of the signing trainer in the adding up of what the
// trainers learned: a secagg.Message.
type TrainingMessage struct {
	_       struct{} `cbor:",toarray"`
	Number  uint64   // of the training
	Message uint8    // secagg.Kind
	Body    []byte   // secagg.Message.Body, at most MaxTrainingMessage
}

func (Train) Kind() Kind           { return KindTrain }
func (Join) Kind() Kind            { return KindJoin }
func (TrainingMessage) Kind() Kind { return KindTraining }

// Validate checks the plan.
func (t Train) Validate() error { return t.Plan.Validate() }

// Validate accepts every number and commitment: only the ledger knows which there are.
func (Join) Validate() error { return nil }

// Validate bounds the message.
func (m TrainingMessage) Validate() error {
	return sized("training message", m.Body, MaxTrainingMessage)
}
