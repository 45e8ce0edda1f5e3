package secagg_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/atelier-dao/atelier/shamir/secagg"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the files of testdata with what the code gives")

type (
	participant = secagg.Participant
	message     = secagg.Message
)

// on changes what a member posts of one kind.
func (n *node) on(kind secagg.Kind, f func(p *participant, r *secagg.Round, m message) []message) {
	n.message = func(p *participant, m message) []message {
		if m.Kind != kind {
			return []message{m}
		}
		return f(p, n.w.round, m)
	}
}

// bodies posts these bodies in place of one.
func bodies(kind secagg.Kind, bodies ...[]byte) (out []message) {
	for _, b := range bodies {
		out = append(out, message{kind, b})
	}
	return out
}

// tampers changes the bundle of a member.
func tampers(n *node, f func(b *secagg.Tampering)) {
	n.on(secagg.KindShares, func(p *participant, r *secagg.Round, m message) []message {
		b := secagg.Tamper(p, r, m.Body)
		f(b)
		return bodies(m.Kind, b.Body)
	})
}

// offers has a member name a file of its making, and offer it.
func offers(n *node, make func(p *participant, r *secagg.Round) ([]byte, [32]byte)) {
	n.on(secagg.KindInput, func(p *participant, r *secagg.Round, m message) []message {
		file, hash := make(p, r)
		if file != nil {
			n.w.files[hash] = file
		}
		return bodies(m.Kind, secagg.InputBytes(r, hash))
	})
}

func unmasks(n *node, f func(of uint32, survives bool, pair, self kyber.Scalar) kyber.Scalar) {
	n.on(secagg.KindUnmask, func(p *participant, r *secagg.Round, m message) []message {
		return bodies(m.Kind, secagg.Unmasking(p, r, f))
	})
}

func gone(from secagg.Phase) func(secagg.Phase) bool {
	return func(p secagg.Phase) bool { return p < from }
}

// attacks are what members 6 and 7 of seven, five of whom suffice, do. Where lies about
// the input are counted in the sum, or nothing is to be learned from it, free says so.
var attacks = []struct {
	name string
	free bool
	play func(w *world, six, seven *node)
}{
	{"it gives another's key as its own", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindKey, func(_ *participant, r *secagg.Round, m message) []message { return bodies(m.Kind, secagg.KeyOf(r, 1)) })
	}},
	{"it gives a key that is no point", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindKey, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, slices.Concat(bytes.Repeat([]byte{0xff}, 32), m.Body[32:]))
		})
	}},
	{"it gives the identity as its key", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindKey, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, slices.Concat(make([]byte, 32), m.Body[32:]))
		})
	}},
	{"it gives a key that it proved for another round", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindKey, func(p *participant, r *secagg.Round, m message) []message {
			other, _ := secagg.NewRound(r.Params(), 2)
			return bodies(m.Kind, secagg.KeyFor(p, other))
		})
	}},
	{"it gives its key and then a second one", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindKey, func(_ *participant, r *secagg.Round, m message) []message {
			p, _ := secagg.NewParticipant(7, [32]byte{7}, reader)
			return bodies(m.Kind, m.Body, secagg.KeyFor(p, r), m.Body)
		})
	}},
	{"it speaks before its phase, and of kinds that there are not", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindKey, func(_ *participant, _ *secagg.Round, m message) []message {
			return []message{{secagg.KindInput, make([]byte, 32)}, {secagg.KindUnmask, nil}, {0, nil}, {200, nil}, m}
		})
	}},
	{"it posts a mebibyte", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindKey, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, make([]byte, 1<<20), m.Body)
		})
	}},

	{"it puts noise into one box", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) { b.Box(2)[9] ^= 1; b.Prove() })
	}},
	{"it puts noise into all boxes and leaves", false, func(w *world, _, liar *node) {
		liar.awake = gone(secagg.PhaseInput)
		tampers(liar, func(b *secagg.Tampering) {
			for to := range uint32(6) {
				b.Box(to + 1)[9] ^= 1
			}
			b.Prove()
		})
	}},
	{"it gives one member a wrong share of its pairwise secret", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) { b.WrongShares(3, 1, 0).Prove() })
	}},
	{"it gives one member a wrong share of its self-mask", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) { b.WrongShares(3, 0, -1).Prove() })
	}},
	{"it gives one member numbers that are not reduced", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) { b.Encrypt(3, bytes.Repeat([]byte{0xff}, 64)).Prove() })
	}},
	{"two give each other wrong shares and keep silent", false, func(w *world, six, seven *node) {
		tampers(six, func(b *secagg.Tampering) { b.WrongShares(7, 1, 1).Prove() })
		tampers(seven, func(b *secagg.Tampering) { b.WrongShares(6, 1, 1).Prove() })
		for _, n := range []*node{six, seven} {
			n.awake = func(p secagg.Phase) bool { return p != secagg.PhaseDispute }
		}
	}},
	{"it spoils a box after it proved", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) { b.Box(2)[9] ^= 1 })
	}},
	{"it gives another's commitments as its own", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) {
			copy(b.Statement(), secagg.BodyOf(w.round, 1)[:len(b.Statement())-32])
			b.Prove()
		})
	}},
	{"it gives another's whole bundle as its own", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) { b.Body = secagg.BodyOf(w.round, 1) })
	}},
	{"it proves its secrets for another round", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) { b.ProveIn([32]byte{1}) })
	}},
	{"it uses another's ephemeral key, to have its box opened in a dispute", false, func(w *world, _, liar *node) {
		tampers(liar, func(b *secagg.Tampering) {
			s, other := b.Statement(), secagg.BodyOf(w.round, 1)
			copy(s[len(s)-32:], other[len(s)-32:])
			copy(b.Box(2), other[len(b.Body)-7*80+80:])
			b.Prove()
		})
	}},
	{"it commits to the identity, or to what is no point", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindShares, func(p *participant, r *secagg.Round, m message) (out []message) {
			for _, at := range []int{0, 32, 5 * 32, 10 * 32} {
				for _, fill := range []byte{0, 0xff} {
					b := secagg.Tamper(p, r, m.Body)
					copy(b.Statement()[at:at+32], bytes.Repeat([]byte{fill}, 32))
					out = append(out, message{m.Kind, b.Prove().Body})
				}
			}
			return out
		})
	}},
	{"its bundle is a byte short, or long, or empty", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindShares, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, m.Body[1:], m.Body[:len(m.Body)-1], append(slices.Clone(m.Body), 0), nil)
		})
	}},
	{"it shares, and then shares other secrets", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindShares, func(p *participant, r *secagg.Round, m message) []message {
			return bodies(m.Kind, m.Body, secagg.Tamper(p, r, m.Body).WrongShares(2, 1, 1).Prove().Body)
		})
	}},
	{"it gives a key and shares nothing, and goes on", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindShares, func(*participant, *secagg.Round, message) []message { return nil })
	}},

	{"it disputes a box that is in order, and reveals its key", false, func(w *world, _, liar *node) {
		w.inject(secagg.PhaseDispute, liar, func(p *participant, r *secagg.Round) []message { return []message{secagg.Dispute(p, r, 1, nil)} })
	}},
	{"it disputes a box with another key than its own", false, func(w *world, _, liar *node) {
		w.inject(secagg.PhaseDispute, liar, func(p *participant, r *secagg.Round) []message {
			return []message{secagg.Dispute(p, r, 1, func(key kyber.Point) { key.Add(key, key.Clone().Base()) })}
		})
	}},
	{"it disputes its own box, and those of members that there are not", false, func(w *world, _, liar *node) {
		w.inject(secagg.PhaseDispute, liar, func(p *participant, r *secagg.Round) (out []message) {
			for _, dealer := range []byte{7, 0, 8} {
				m := secagg.Dispute(p, r, 1, nil)
				m.Body[1] = dealer
				out = append(out, m)
			}
			return append(out, message{secagg.KindDispute, nil})
		})
	}},

	{"it names a file and keeps it back", false, func(w *world, _, liar *node) { liar.store = func([]byte) []byte { return nil } }},
	{"its file is a number short, or long", false, func(w *world, six, seven *node) {
		offers(six, func(p *participant, r *secagg.Round) ([]byte, [32]byte) {
			return secagg.FileOf(p, r, make([]uint32, 11), nil, nil)
		})
		offers(seven, func(p *participant, r *secagg.Round) ([]byte, [32]byte) {
			return secagg.FileOf(p, r, make([]uint32, 13), nil, nil)
		})
	}},
	{"it names another's file", false, func(w *world, _, liar *node) {
		offers(liar, func(_ *participant, r *secagg.Round) ([]byte, [32]byte) { h, _ := r.Input(1); return nil, h })
	}},
	{"it offers its file of another round", false, func(w *world, _, liar *node) {
		before := params(7, 12)
		before.Session = secagg.Session(chain, 0, [32]byte{1})
		other := newWorld(w.t, w.name+", before", before)
		other.run()
		h, _ := other.round.Input(7)
		offers(liar, func(*participant, *secagg.Round) ([]byte, [32]byte) { return other.files[h], h })
	}},
	{"it names one file and then another", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindInput, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, m.Body, make([]byte, 32), m.Body[1:])
		})
	}},
	{"it gives an input beyond what the norms allow", true, func(w *world, _, liar *node) {
		offers(liar, func(p *participant, r *secagg.Round) ([]byte, [32]byte) {
			return secagg.FileOf(p, r, slices.Repeat([]uint32{1 << 30}, 12), nil, nil)
		})
	}},
	{"it gives an input of three times its norm", true, func(w *world, _, liar *node) {
		offers(liar, func(p *participant, r *secagg.Round) ([]byte, [32]byte) {
			big := make([]uint32, 12)
			big[4] = 3 << 24
			return secagg.FileOf(p, r, big, nil, nil)
		})
	}},
	{"it masks with other secrets than it shared", true, func(w *world, _, liar *node) {
		offers(liar, func(p *participant, r *secagg.Round) ([]byte, [32]byte) {
			return secagg.FileOf(p, r, make([]uint32, 12), &[32]byte{9}, nil)
		})
	}},
	{"it masks with another reader key", true, func(w *world, _, liar *node) {
		offers(liar, func(p *participant, r *secagg.Round) ([]byte, [32]byte) {
			return secagg.FileOf(p, r, make([]uint32, 12), nil, &secagg.ReaderKey{9})
		})
	}},

	{"it confirms everybody's file and has none", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindConfirm, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, secagg.Bits(7, indices(7)...))
		})
	}},
	{"it confirms nobody's file", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindConfirm, func(_ *participant, _ *secagg.Round, m message) []message { return bodies(m.Kind, secagg.Bits(7)) })
	}},
	{"two confirm a file that they keep from the others", false, func(w *world, six, seven *node) {
		seven.store = func([]byte) []byte { return nil }
		for _, n := range []*node{six, seven} {
			n.on(secagg.KindConfirm, func(_ *participant, _ *secagg.Round, m message) []message {
				return bodies(m.Kind, secagg.Bits(7, indices(7)...))
			})
		}
	}},
	{"it confirms a file that was not given, and members that there are not", false, func(w *world, six, liar *node) {
		six.awake = gone(secagg.PhaseInput)
		liar.on(secagg.KindConfirm, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, secagg.Bits(7, 6), []byte{1}, []byte{0, 0}, nil)
		})
	}},

	{"it gives shares of the survivors' pairwise secrets", false, func(w *world, _, liar *node) {
		unmasks(liar, func(_ uint32, _ bool, pair, _ kyber.Scalar) kyber.Scalar { return pair })
	}},
	{"it gives shares of the drop-out's self-mask", false, func(w *world, six, liar *node) {
		six.awake = gone(secagg.PhaseInput)
		unmasks(liar, func(_ uint32, _ bool, _, self kyber.Scalar) kyber.Scalar { return self })
	}},
	{"it gives wrong shares", false, func(w *world, _, liar *node) {
		unmasks(liar, func(_ uint32, _ bool, pair, self kyber.Scalar) kyber.Scalar { return self.Add(self, pair) })
	}},
	{"it gives one wrong share among right ones", false, func(w *world, _, liar *node) {
		unmasks(liar, func(of uint32, _ bool, pair, self kyber.Scalar) kyber.Scalar {
			if of == 4 {
				return pair
			}
			return self
		})
	}},
	{"it gives no shares", false, func(w *world, _, liar *node) {
		unmasks(liar, func(uint32, bool, kyber.Scalar, kyber.Scalar) kyber.Scalar { return nil })
	}},
	{"it gives numbers that are not reduced, and half a message", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindUnmask, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, bytes.Repeat([]byte{1, 0xff}, len(m.Body)/2), m.Body[:len(m.Body)/2], bytes.Repeat([]byte{2}, 7))
		})
	}},
	{"it left before its input and posts one after all are unmasked", false, func(w *world, _, liar *node) {
		liar.awake = func(p secagg.Phase) bool { return p < secagg.PhaseInput }
		w.inject(secagg.PhaseUnmask, liar, func(*participant, *secagg.Round) []message { return bodies(secagg.KindInput, make([]byte, 32)) })
	}},

	{"it finds another sum", false, func(w *world, _, liar *node) {
		liar.result = func(f secagg.Result) secagg.Result { f.Hash[0] ^= 1; return f }
	}},
	{"it says that a good sum is spoilt", false, func(w *world, _, liar *node) {
		liar.result = func(f secagg.Result) secagg.Result { f.Spoilt = true; return f }
	}},
	{"two find another sum", false, func(w *world, six, seven *node) {
		for _, n := range []*node{six, seven} {
			n.result = func(secagg.Result) secagg.Result { return secagg.Result{Hash: [32]byte{1}} }
		}
	}},
	{"it says two results, and one that is none", false, func(w *world, _, liar *node) {
		liar.on(secagg.KindResult, func(_ *participant, _ *secagg.Round, m message) []message {
			return bodies(m.Kind, m.Body, secagg.ResultBytes(secagg.Result{}), nil, bytes.Repeat([]byte{2}, 33))
		})
	}},
}

// inject has a member post more in the first block of a phase.
func (w *world) inject(phase secagg.Phase, n *node, f func(p *participant, r *secagg.Round) []message) {
	w.injections = append(w.injections, func() {
		if w.round.Phase() == phase {
			for _, m := range f(n.participant(), w.round) {
				if err := w.round.Apply(w.height, n.index, m); err != nil {
					w.refused[n.index] = append(w.refused[n.index], err)
				}
			}
		}
	})
}

// outcome says what became of an attack: what was refused and why, who is named, and how
// the round ended.
func (w *world) outcome() string {
	var parts []string
	seen := map[string]bool{}
	for _, i := range indices(len(w.nodes)) {
		for _, err := range w.refused[i] {
			for _, sentinel := range []error{secagg.ErrPhase, secagg.ErrDuplicate, secagg.ErrEquivocation, secagg.ErrMessage, secagg.ErrNoDispute, secagg.ErrNotMember} {
				if says := fmt.Sprintf("%d refused: %v", i, sentinel); errors.Is(err, sentinel) && !seen[says] {
					seen[says] = true
					parts = append(parts, says)
				}
			}
		}
	}
	for _, c := range w.round.Culprits() {
		parts = append(parts, fmt.Sprintf("%d %s", c.Index, c.Reason))
	}
	if _, err := w.round.Outcome(); err != nil {
		return strings.Join(append(parts, fmt.Sprintf("aborted: %v", err)), "; ")
	}
	return strings.Join(append(parts, fmt.Sprintf("sum of %v", w.round.Survivors())), "; ")
}

// TestWhatBecomesOfAttacks plays all attacks and keeps the table of what became of them.
func TestWhatBecomesOfAttacks(t *testing.T) {
	table := "# Members 6 and 7 of seven lie, five suffice. What they do, and what becomes of it.\n# Made by go test ./shamir/secagg -run Attacks -rewrite\n"
	for _, a := range attacks {
		w := newWorld(t, a.name, params(7, 12))
		a.play(w, w.nodes[5], w.nodes[6])
		w.run()
		for _, c := range w.round.Culprits() {
			require.Greater(t, c.Index, uint32(5), "%s: an honest member is named: %v", a.name, c)
		}
		for i := range uint32(5) {
			for _, err := range w.refused[i+1] { // two honest members may convict one liar
				require.ErrorIs(t, err, secagg.ErrDuplicate, a.name)
			}
		}
		if !a.free {
			w.requireSum(w.round.Survivors()...)
			require.Subset(t, w.round.Survivors(), indices(5), "%s: the honest are in the sum", a.name)
		}
		for _, of := range indices(5) { // four colluders of seven have no more than they may
			pair, self := secagg.Known(w.round, of, []*participant{w.nodes[5].participant(), w.nodes[6].participant()})
			require.Less(t, min(pair, self), 5, a.name)
		}
		table += fmt.Sprintf("%s\n\t%s\n", a.name, w.outcome())
	}
	const file = "testdata/adversaries.txt"
	if *rewrite {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(table), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), table, "if that is right, run with -rewrite and read the difference")
}

// One colluder less than the threshold holds too few shares of whichever secret of a
// member is not given away, survivor or drop-out.
func TestColludersBelowTheThresholdLackOneSecretOfEach(t *testing.T) {
	for _, n := range []int{4, 7, 10} {
		w := newWorld(t, fmt.Sprintf("colluders, n=%d", n), params(n, 4))
		w.nodes[0].awake = func(p secagg.Phase) bool { return p != secagg.PhaseInput }
		w.run()
		threshold := w.round.Params().Threshold
		var colluders []*participant
		for _, m := range w.nodes[n-(threshold-1):] {
			colluders = append(colluders, m.participant())
		}
		for _, of := range indices(n - len(colluders)) {
			pair, self := secagg.Known(w.round, of, colluders)
			require.Less(t, min(pair, self), threshold)
			require.GreaterOrEqual(t, max(pair, self), threshold, "the other one was recovered")
			require.Equal(t, of == 1, pair > self, "of a drop-out the pairwise secret")
		}
	}
}
