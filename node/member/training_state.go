package member

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/atelier-dao/atelier/shamir/secagg"
)

// keptTraining is what outlives a crash of a member's part in a training: KeepTraining.State.
type keptTraining struct {
	_    struct{} `cbor:",toarray"`
	Part []byte   // a secagg.Participant; empty before the sum begins
	Sum  *Summed  // nil before it is known
}

// state is the form of what is kept. It is secret.
func (t *training) state() []byte {
	var kept keptTraining
	var err error
	if t.part != nil {
		if kept.Part, err = t.part.MarshalBinary(); err != nil {
			panic(err) // it has fields of fixed lengths
		}
		defer clear(kept.Part)
	}
	kept.Sum = t.sum
	b, err := cbor.Marshal(kept)
	if err != nil {
		panic(err) // likewise
	}
	return b
}

// Resume tells the machine what an earlier run has kept of a training.
func (m *Machine) Resume(number uint64, state []byte) error {
	tr, err := readTraining(number, state)
	if err != nil {
		return fmt.Errorf("training %d: %w", number, err)
	}
	m.training = tr
	return nil
}

func readTraining(number uint64, state []byte) (*training, error) {
	var kept keptTraining
	if err := cbor.Unmarshal(state, &kept); err != nil {
		return nil, err
	}
	defer clear(kept.Part)
	tr := &training{number: number, sum: kept.Sum, held: map[uint32]bool{}}
	if len(kept.Part) > 0 {
		var err error
		if tr.part, err = secagg.UnmarshalParticipant(kept.Part); err != nil {
			return nil, err
		}
	}
	return tr, nil
}
