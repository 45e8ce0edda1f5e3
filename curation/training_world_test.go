package curation

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/secagg"
)

// classroom is a world whose members train their artist together: with real masks and
// shares, and with a few numbers in the place of what a machine learns.
type classroom struct {
	*world
	states  map[string][]byte // of trainers, as they keep them: by training and member
	files   map[[32]byte][]byte
	gone    map[uint32]secagg.Phase // the phase from which on a member is silent
	sums    map[Hash][]uint32       // that were found, by hash
	added   map[uint64][]uint32     // the same, by training
	blocks  uint64                  // that trainers have to train
	joining uint64                  // blocks that members have to join
}

func classroomOf(w *world) *classroom {
	return &classroom{world: w, states: map[string][]byte{}, files: map[[32]byte][]byte{}, gone: map[uint32]secagg.Phase{}, sums: map[Hash][]uint32{}, added: map[uint64][]uint32{}, blocks: 6, joining: 20}
}

const artistLength = 6 // numbers

func (c *classroom) plan() Plan {
	return Plan{Number: view(c.world, View.NextTraining), ModelID: c.modelID(), Length: artistLength, Steps: 10, Batch: 8, RatePPM: 6000, Clip: 5 << 16, JoinBlocks: c.joining, TrainBlocks: c.blocks}
}

func (c *classroom) training() Training {
	c.t.Helper()
	last := view(c.world, func(v View) []Training { return v.Trainings(1) })
	require.Len(c.t, last, 1)
	return last[0]
}

func (c *classroom) sum() *secagg.Round {
	round, ok := view2(c.world, func(v View) (*secagg.Round, bool) { return v.TrainingRound(c.training().Plan.Number) })
	require.True(c.t, ok)
	return round
}

// readerKey is what those have who opened the artist.
func (c *classroom) readerKey(t Training) secagg.ReaderKey {
	session := t.Session(c.chain)
	return sha256.Sum256(slices.Concat([]byte("reader key"), t.ModelID[:], session[:]))
}

func (c *classroom) joins(t Training) Join {
	return Join{Number: t.Plan.Number, Reader: c.readerKey(t).Commitment()}
}

// learned is a member's change.
func learned(number uint64, member uint32) []uint32 {
	change := make([]uint32, artistLength)
	for i := range change {
		change[i] = uint32(int32(member*100+uint32(number)) * int32(1-2*(i%2)))
	}
	return change
}

// trains carries the motion to train.
func (c *classroom) trains() Training {
	c.t.Helper()
	p := c.plan()
	for i := range uint32(c.committee().T()) {
		c.must(memberName(i+1), Train{Plan: p})
	}
	require.Equal(c.t, TrainingApproving, c.training().Status)
	return c.training()
}

// approved brings a training to its certificate.
func (c *classroom) approvedTraining() Training {
	c.t.Helper()
	t := c.trains()
	c.must("m2", c.certificateFor(t.RID, 1, 2, 3))
	require.Equal(c.t, TrainingJoining, c.training().Status)
	return c.training()
}

// begun has members join, until joining closes.
func (c *classroom) begun(members ...uint32) Training {
	c.t.Helper()
	t := c.approvedTraining()
	for _, i := range members {
		c.must(memberName(i), c.joins(t))
	}
	for c.training().Status == TrainingJoining {
		c.block()
	}
	return c.training()
}

// says is what a trainer's machine would send now.
func (c *classroom) says(member uint32) (all []Payload) {
	t, running := view2(c.world, View.RunningTraining)
	if !running || t.Status != TrainingSumming || t.Index(member) == 0 {
		return nil
	}
	round := c.sum()
	if gone, is := c.gone[member]; is && round.Phase() >= gone {
		return nil
	}
	name := fmt.Sprintf("%d/%d", t.Plan.Number, member)
	if c.states[name] == nil {
		p, err := secagg.NewParticipant(t.Index(member), sha256.Sum256([]byte("masks of "+name)), c.readerKey(t))
		require.NoError(c.t, err)
		c.states[name] = must(p.MarshalBinary())
	}
	p, err := secagg.UnmarshalParticipant(c.states[name])
	require.NoError(c.t, err)
	var event secagg.Event
	for range 2 { // once more with the answer to what it wants
		out, err := p.Step(c.height+1, round, event)
		require.NoError(c.t, err)
		if out.State != nil {
			c.states[name] = out.State
		}
		if out.File != nil {
			c.files[sha256.Sum256(out.File)] = out.File
		}
		for _, m := range out.Post {
			all = append(all, TrainingMessage{Number: t.Plan.Number, Message: uint8(m.Kind), Body: m.Body})
		}
		event = secagg.Event{}
		switch {
		case out.WantInput:
			event.Input = learned(t.Plan.Number, member)
		case out.WantFiles != nil:
			for _, of := range out.WantFiles {
				if h, _ := round.Input(of); round.CheckFile(of, c.files[h]) == nil {
					event.Held = append(event.Held, of)
				}
			}
		case out.WantSum:
			sum, added := c.added[t.Plan.Number]
			if !added { // once for all: it is the same for everybody
				sum, err = round.Sum(c.readerKey(t), func(of uint32) ([]byte, error) { h, _ := round.Input(of); return c.files[h], nil })
				require.NoError(c.t, err)
				c.added[t.Plan.Number] = sum
			}
			found := round.Judge(c.readerKey(t), sum)
			c.sums[found.Hash], event.Sum = sum, &found
		default:
			return all
		}
	}
	return all
}

// speak has all trainers send what they have to, in one block.
func (c *classroom) speak() {
	c.t.Helper()
	var txs [][]byte
	for _, i := range c.training().Trainers {
		for k, p := range c.says(i) {
			txs = append(txs, c.sign(memberName(i), c.nonce(memberName(i))+uint64(k), p))
		}
	}
	for _, r := range c.block(txs...).Results {
		require.Equal(c.t, CodeOK, r.Code, r.Log)
	}
}

// until has them go on until the adding up is in a phase, or has ended.
func (c *classroom) until(phase secagg.Phase) Training {
	c.t.Helper()
	for range 80 {
		if c.training().Status != TrainingSumming || c.sum().Phase() >= phase {
			return c.training()
		}
		c.speak()
	}
	require.Fail(c.t, "the adding up does not end")
	return Training{}
}

// summed goes all the way to the sum.
func (c *classroom) summed(members ...uint32) Training {
	c.t.Helper()
	c.begun(members...)
	return c.until(secagg.PhaseDone)
}

// result is the seal of what came of a training, of which name tells versions apart.
func (c *classroom) result(t Training, name string) Seal {
	p := c.sealFor(view(c.world, View.NextKeyEpoch), name)
	p.Training, p.Name = t.Plan.Number, TrainedName(c.modelAt(t.KeyEpoch).Name, t.Plan.Number)
	p.PolicyHash = PolicyHash(c.replicas[0].genesis.Charter)
	return p
}

// sealer is whose turn to seal comes k-th, from 0, for which it waits.
func (c *classroom) sealer(t Training, k int) uint32 {
	c.t.Helper()
	member := t.Sealers()[k]
	for !t.MaySeal(c.replicas[0].genesis.Params, member, c.height+1) {
		require.Less(c.t, c.height, t.Expiry)
		c.block()
	}
	return member
}

// adopts has members vote for a key epoch, and store it.
func (c *classroom) adopts(keyEpoch uint64) {
	c.t.Helper()
	sealer := c.modelAt(keyEpoch).Sealer
	for _, i := range []uint32{1, 2, 3, 4} {
		if i != sealer && c.modelAt(keyEpoch).Standing == ModelNominated {
			c.must(memberName(i), Adopt{KeyEpoch: keyEpoch})
		}
	}
	c.store()
}

// ended are how the trainings ended.
func (c *classroom) endings() (all []string) {
	for _, e := range c.passed(EventTrainingEnded) {
		all = append(all, e.Get("status")+": "+e.Get("reason"))
	}
	return all
}
