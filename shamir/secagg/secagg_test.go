package secagg_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/secagg"
	"github.com/stretchr/testify/require"
)

func TestHonestMembersLearnTheSum(t *testing.T) {
	for _, n := range []int{3, 4, 7, 10} {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			w := newWorld(t, t.Name(), params(n, 1500)) // more than one chunk of a mask
			w.run()
			w.requireSum(indices(n)...)
			require.Empty(t, w.refused)
			require.Empty(t, w.round.Culprits())
			require.Len(t, w.sums, n)
		})
	}
}

// The masks are the one thing between a file and its input: without them all alike, files
// are noise, and so is a sum without the reader key.
func TestFilesAndSumsWithoutTheKeysAreNoise(t *testing.T) {
	const length = 4096
	w := newWorld(t, t.Name(), params(4, length))
	w.run()
	spread := func(numbers []uint32) float64 { // mean magnitude: 2³⁰ for uniform numbers, 2¹⁴ for inputs
		var sum float64
		for _, x := range numbers {
			sum += math.Abs(float64(int32(x)))
		}
		return sum / float64(len(numbers))
	}
	for i := range uint32(4) {
		file, err := w.fetch(w.round, i+1)
		require.NoError(t, err)
		numbers := make([]uint32, length)
		for k := range numbers {
			at := len(file) - 4*length + 4*k
			numbers[k] = uint32(file[at])<<24 | uint32(file[at+1])<<16 | uint32(file[at+2])<<8 | uint32(file[at+3])
		}
		require.InEpsilon(t, 1<<30, spread(numbers), .1)
	}
	_, err := w.round.Sum(secagg.ReaderKey{1}, func(m uint32) ([]byte, error) { return w.fetch(w.round, m) })
	require.ErrorIs(t, err, secagg.ErrReader)
	require.Less(t, spread(w.sums[1]), float64(1<<17))
}

// A member is away in some phases, and comes back or does not; it crashes before it does
// what it meant to, and what it posts is lost at times. The sum is that of the
// survivors, whom the round names, and if they are too few there is none.
func TestAnyPatternOfDropOuts(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 10
	}
	ended := map[secagg.Phase]int{}
	reasons := map[error]int{}
	for seed := range seeds {
		rng := chance(seed)
		n := 3 + rng.IntN(8)
		name := fmt.Sprintf("drop-outs, seed %d, n=%d", seed, n)
		w := newWorld(t, name, params(n, 1+rng.IntN(40)))
		away := rng.IntN(40) // percent
		crashes, losses := rng.IntN(15), rng.IntN(15)
		w.crash = func() bool { return rng.IntN(100) < crashes }
		w.lose = func() bool { return rng.IntN(100) < losses }
		for _, m := range w.nodes {
			out := map[secagg.Phase]bool{}
			for p := secagg.PhaseAdvertise; p <= secagg.PhaseResult; p++ {
				out[p] = rng.IntN(100) < away/3
			}
			slow := rng.IntN(100) < 20 // looks at every other block only
			m.awake = func(p secagg.Phase) bool { return !out[p] && !(slow && w.height%2 == 0) }
		}
		w.run()
		ended[w.round.Phase()]++
		for member, errs := range w.refused {
			require.Empty(t, errs, "%s: member %d", name, member)
		}
		for _, c := range w.round.Culprits() {
			require.NotEqual(t, secagg.ReasonBadBox, c.Reason, name)
			require.NotEqual(t, secagg.ReasonOtherResult, c.Reason, name)
		}
		if w.round.Phase() == secagg.PhaseAborted {
			_, err := w.round.Outcome()
			for _, why := range []error{secagg.ErrTooFew, secagg.ErrDisagreement} {
				if errors.Is(err, why) {
					reasons[why]++
				}
			}
			continue
		}
		w.requireSum(w.round.Survivors()...)
		require.GreaterOrEqual(t, len(w.round.Survivors()), w.round.Params().Threshold, name)
	}
	require.Positive(t, ended[secagg.PhaseDone])
	require.Positive(t, ended[secagg.PhaseAborted])
	require.Equal(t, ended[secagg.PhaseAborted], reasons[secagg.ErrTooFew]+reasons[secagg.ErrDisagreement], "each abort has its reason")
}

func TestDropOutsPhaseByPhase(t *testing.T) {
	// Of ten members, seven of whom suffice, three leave for good when a phase begins.
	for phase, want := range map[secagg.Phase][]uint32{
		secagg.PhaseAdvertise: indices(7), secagg.PhaseShare: indices(7), secagg.PhaseDispute: indices(7), secagg.PhaseInput: indices(7),
		secagg.PhaseConfirm: indices(10), secagg.PhaseUnmask: indices(10), secagg.PhaseResult: indices(10),
	} {
		for _, gone := range []int{3, 4} {
			t.Run(fmt.Sprintf("%d of 10 leave before phase %s", gone, phase), func(t *testing.T) {
				w := newWorld(t, t.Name(), params(10, 20))
				for _, m := range w.nodes[10-gone:] {
					m.awake = func(p secagg.Phase) bool { return p < phase }
				}
				w.run()
				if gone == 3 {
					w.requireSum(want...)
					return
				}
				require.Equal(t, secagg.PhaseAborted, w.round.Phase())
				_, err := w.round.Outcome()
				require.ErrorIs(t, err, secagg.ErrTooFew)
				require.ErrorContains(t, err, "it takes 7")
			})
		}
	}
}

// Whoever dropped out before its input may come back and help to unmask.
func TestADropOutMayStillHelp(t *testing.T) {
	w := newWorld(t, t.Name(), params(4, 8))
	w.nodes[0].awake = func(p secagg.Phase) bool { return p != secagg.PhaseInput }
	w.nodes[1].awake = func(p secagg.Phase) bool { return p < secagg.PhaseUnmask }
	w.run()
	w.requireSum(2, 3, 4)
	require.True(t, w.round.Spoke(1, secagg.KindUnmask))
	require.False(t, w.round.Spoke(2, secagg.KindUnmask))
}

func TestAMemberSaysNothingTwice(t *testing.T) {
	w := newWorld(t, t.Name(), params(4, 8))
	w.until(secagg.PhaseInput)
	p := w.nodes[0].participant()
	out, err := p.Step(w.height+1, w.round, secagg.Event{})
	require.NoError(t, err)
	require.True(t, out.WantInput)
	require.Empty(t, out.Post)

	one, two := inputOf("one", 1, 8), inputOf("two", 1, 8)
	for _, bad := range [][]uint32{one[:7], append(slices.Clone(one), 1), {1 << 24, 1 << 24, 0, 0, 0, 0, 0, 0}, slices.Repeat([]uint32{1 << 31}, 8)} {
		_, err = p.Step(w.height+1, w.round, secagg.Event{Input: bad})
		require.ErrorIs(t, err, secagg.ErrNorm)
	}
	first, err := p.Step(w.height+1, w.round, secagg.Event{Input: one})
	require.NoError(t, err)
	require.NotNil(t, first.State)
	require.Equal(t, secagg.KindInput, first.Post[0].Kind)

	again, err := secagg.UnmarshalParticipant(first.State) // after a crash
	require.NoError(t, err)
	_, err = again.Step(w.height+1, w.round, secagg.Event{Input: two})
	require.ErrorIs(t, err, secagg.ErrInputFixed)
	same, err := again.Step(w.height+1, w.round, secagg.Event{})
	require.NoError(t, err)
	require.Equal(t, first.Post, same.Post)
	require.Nil(t, same.State)
	same, err = again.Step(w.height+1, w.round, secagg.Event{Input: one})
	require.NoError(t, err)
	require.Equal(t, first.File, same.File, "the same input makes the same file")
}

func TestAMemberAnswersForOneSetOfSurvivors(t *testing.T) {
	// Two ledgers tell one story until files are confirmed, and then two: on the second,
	// member 4 drops out.
	w := newWorld(t, t.Name(), params(4, 8))
	w.until(secagg.PhaseConfirm)
	fork := &world{t: t, name: w.name, round: reread(t, w.round), files: w.files, refused: map[uint32][]error{}, height: w.height, sums: map[uint32][]uint32{}}
	for _, m := range w.nodes {
		other := *m
		other.w = fork
		fork.nodes = append(fork.nodes, &other)
	}
	h, _ := fork.round.Input(4)
	fork.files = map[[32]byte][]byte{}
	for k, v := range w.files {
		if k != h {
			fork.files[k] = v
		}
	}
	w.until(secagg.PhaseUnmask)
	fork.until(secagg.PhaseUnmask)
	require.Equal(t, indices(4), w.round.Survivors())
	require.Equal(t, indices(3), fork.round.Survivors())

	p := w.nodes[0].participant()
	out, err := p.Step(w.height+1, w.round, secagg.Event{})
	require.NoError(t, err)
	require.NotNil(t, out.State)
	again, err := secagg.UnmarshalParticipant(out.State)
	require.NoError(t, err)
	for _, p := range []*secagg.Participant{p, again} {
		_, err = p.Step(fork.height+1, fork.round, secagg.Event{})
		require.ErrorIs(t, err, secagg.ErrSurvivorsFixed)
		same, err := p.Step(w.height+1, w.round, secagg.Event{})
		require.NoError(t, err)
		require.Equal(t, out.Post, same.Post)
	}
}

func TestAParticipantOfAnotherRoundSeedOrKeyTakesNoPart(t *testing.T) {
	w := newWorld(t, t.Name(), params(4, 8))
	w.until(secagg.PhaseShare)
	step := func(p *secagg.Participant, r *secagg.Round) error {
		_, err := p.Step(w.height+1, r, secagg.Event{})
		return err
	}
	own := w.nodes[0].participant()
	require.NoError(t, step(own, w.round))

	p := params(4, 8)
	p.Session = secagg.Session(chain, 2, [32]byte{1})
	other, err := secagg.NewRound(p, 1)
	require.NoError(t, err)
	require.ErrorIs(t, step(own, other), secagg.ErrNotMember)

	stranger, err := secagg.NewParticipant(1, seedOf("another seed", 1), reader)
	require.NoError(t, err)
	require.ErrorIs(t, step(stranger, w.round), secagg.ErrForeignMessage)
	fifth, err := secagg.NewParticipant(5, seedOf(w.name, 5), reader)
	require.NoError(t, err)
	require.ErrorIs(t, step(fifth, w.round), secagg.ErrNotMember)
	blind, err := secagg.NewParticipant(1, seedOf(w.name, 1), secagg.ReaderKey{})
	require.NoError(t, err)
	require.ErrorIs(t, step(blind, w.round), secagg.ErrReader)
	_, err = secagg.NewParticipant(0, [32]byte{}, reader)
	require.ErrorIs(t, err, secagg.ErrNotMember)
}

func TestParamsOutOfRangeAreRefused(t *testing.T) {
	for name, change := range map[string]func(*secagg.Params){
		"two members hide nothing from each other": func(p *secagg.Params) { p.Members, p.Threshold = 2, 2 },
		"more members than a committee has":        func(p *secagg.Params) { p.Members = 257 },
		"half of the members are no threshold":     func(p *secagg.Params) { p.Members, p.Threshold = 8, 4 },
		"more shares than members":                 func(p *secagg.Params) { p.Threshold = 5 },
		"no numbers":                               func(p *secagg.Params) { p.Length = 0 },
		"too many numbers":                         func(p *secagg.Params) { p.Length = secagg.MaxLength + 1 },
		"no norm":                                  func(p *secagg.Params) { p.Norm = 0 },
		"a norm whose sum can overflow":            func(p *secagg.Params) { p.Norm = 1 << 29 },
		"a phase without a block":                  func(p *secagg.Params) { p.Deadlines.Confirm = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			p := params(4, 8)
			change(&p)
			_, err := secagg.NewRound(p, 1)
			require.ErrorIs(t, err, shamir.ErrSize)
		})
	}
	_, err := secagg.NewRound(params(4, 8), math.MaxUint64)
	require.ErrorIs(t, err, shamir.ErrSize)
}

func TestSecretsDoNotPrint(t *testing.T) {
	p, err := secagg.NewParticipant(3, [32]byte(bytes.Repeat([]byte{0xab}, 32)), secagg.ReaderKey(bytes.Repeat([]byte{0xcd}, 32)))
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "participant", p, "key", reader)
	j, err := json.Marshal(map[string]any{"p": p, "k": secagg.ReaderKey(bytes.Repeat([]byte{0xcd}, 32))})
	require.NoError(t, err)
	said := log.String() + string(j) + fmt.Sprintf("%v %+v %#v %s %x", p, p, p, p, secagg.ReaderKey(bytes.Repeat([]byte{0xcd}, 32)))
	require.NotContains(t, said, "abab")
	require.NotContains(t, said, "cdcd")
	require.NotContains(t, said, "171, 171")
	require.Contains(t, said, "participant(3, redacted)")
}

// What is wiped holds nothing of before, and has no part in any round.
func TestAWipedParticipantKnowsNothing(t *testing.T) {
	w := newWorld(t, t.Name(), params(3, 2))
	p := w.nodes[0].participant()
	_, err := p.Step(1, w.round.Clone(), secagg.Event{})
	require.NoError(t, err)
	p.Wipe()
	b, err := p.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, make([]byte, len(b)-1), b[1:])
	_, err = p.Step(1, w.round.Clone(), secagg.Event{})
	require.ErrorIs(t, err, secagg.ErrNotMember)
}
