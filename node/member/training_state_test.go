package member

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

func TestWhatIsKeptOfATraining(t *testing.T) {
	part, err := secagg.NewParticipant(3, [32]byte{1}, secagg.ReaderKey{2})
	require.NoError(t, err)
	sum := &Summed{Number: 7, Result: secagg.Result{Hash: [32]byte{4}}, PlainHash: curation.Hash{5}, Forgotten: model.Forgotten{Pictures: 64, Unlike: 17}, Before: 0.25, After: math.Inf(1)}
	for name, kept := range map[string]training{
		"nothing yet":             {},
		"the secrets of the sum":  {part: part},
		"the sum":                 {sum: sum},
		"both, once it is summed": {part: part, sum: sum},
	} {
		t.Run(name, func(t *testing.T) {
			read, err := readTraining(7, kept.state())
			require.NoError(t, err)
			require.Equal(t, []any{uint64(7), kept.part, kept.sum}, []any{read.number, read.part, read.sum})
			require.False(t, read.made, "what was in memory is gone")
		})
	}
	var m Machine
	require.Error(t, m.Resume(7, []byte("damaged")))
	require.Nil(t, m.Found())
	require.NoError(t, m.Resume(7, (&training{sum: sum}).state()))
	require.Equal(t, sum, m.Found())
}

func FuzzReadTraining(f *testing.F) {
	part, err := secagg.NewParticipant(3, [32]byte{1}, secagg.ReaderKey{2})
	require.NoError(f, err)
	f.Add((&training{}).state())
	f.Add((&training{part: part, sum: &Summed{Number: 1, After: 2}}).state())
	f.Fuzz(func(t *testing.T, b []byte) {
		if tr, err := readTraining(1, b); err == nil {
			again, err := readTraining(1, tr.state())
			require.NoError(t, err)
			require.Equal(t, tr.state(), again.state())
		}
	})
}

// Who leaves the network, or ends its part, has no secret of it left in the machine.
func TestWhatWasSecretInATrainingIsWiped(t *testing.T) {
	for name, ends := range map[string]func(*Machine){"it is forgotten": (*Machine).forgetTraining, "the member left": (*Machine).depart} {
		t.Run(name, func(t *testing.T) {
			part, err := secagg.NewParticipant(3, [32]byte{1}, secagg.ReaderKey{2})
			require.NoError(t, err)
			tr := &training{number: 7, part: part, open: &ArtistOpened{Key: secagg.ReaderKey{2}}, input: []uint32{3}}
			m := Machine{training: tr}
			ends(&m)
			require.Nil(t, m.training)
			require.Contains(t, m.effects, ForgetTraining{Number: 7})
			require.Zero(t, part.Index())
			require.Zero(t, tr.open.Key)
			require.Equal(t, []uint32{0}, tr.input)
		})
	}
}
