package quorum_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type made struct {
	committee *shamir.Committee
	shares    []*shamir.KeyShare
}

// committee of n members; ceremonies are run once per process.
func committee(tb testing.TB, name string, epoch uint64, n int) made {
	tb.Helper()
	key := fmt.Sprint(name, epoch, n)
	if m, ok := ceremonies.Load(key); ok {
		return m.(made)
	}
	c, shares, err := shamirtest.Run(name, epoch, n)
	require.NoError(tb, err)
	ceremonies.Store(key, made{c, shares})
	return made{c, shares}
}

var ceremonies sync.Map

func h(s string) [32]byte { return shamir.Hash("test", []byte(s)) }

func statement(epoch uint64) quorum.Statement {
	return quorum.Statement{
		Chain: h("chain"), Epoch: epoch, RID: h("request"), Body: h("body"), Model: h("model"),
		KeyEpoch: 3, Label: h("label"), U: h("U"), Prekeys: h("prekeys"), Expiry: 100,
	}
}

func approvals(t testing.TB, m made, s quorum.Statement) []quorum.Partial {
	var out []quorum.Partial
	for _, k := range m.shares {
		p, err := quorum.SignApproval(k, s)
		require.NoError(t, err)
		out = append(out, p)
	}
	return out
}

func TestAnyQuorumMakesTheSameCertificateAndSeed(t *testing.T) {
	m := committee(t, "a", 1, 7)
	s := statement(1)
	all := approvals(t, m, s)
	var seeds []quorum.Partial
	for _, k := range m.shares {
		seeds = append(seeds, quorum.SignSeed(k, s.Chain, s.RID))
	}
	want, culprits, err := quorum.RecoverCertificate(m.committee, s, all)
	require.NoError(t, err)
	require.Empty(t, culprits)
	wantSeed, _, err := quorum.RecoverSeed(m.committee, s.Chain, s.RID, seeds)
	require.NoError(t, err)

	rapid.Check(t, func(r *rapid.T) {
		order := rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6}).Draw(r, "order")[:m.committee.T()]
		var ps, ss []quorum.Partial
		for _, i := range order {
			ps, ss = append(ps, all[i]), append(ss, seeds[i])
		}
		got, _, err := quorum.RecoverCertificate(m.committee, s, ps)
		require.NoError(r, err)
		require.Equal(r, want, got)
		sig, _, err := quorum.RecoverSeed(m.committee, s.Chain, s.RID, ss)
		require.NoError(r, err)
		require.Equal(r, wantSeed, sig)
		_, _, err = quorum.RecoverCertificate(m.committee, s, ps[1:])
		require.ErrorIs(r, err, shamir.ErrThreshold)
	})

	verified, err := quorum.Verify(m.committee, s, want.Signature())
	require.NoError(t, err)
	require.Equal(t, want, verified)
	require.True(t, verified.Valid())
	require.NoError(t, quorum.VerifySeed(m.committee, s.Chain, s.RID, wantSeed))
}

func TestRecoveryNamesTheLiars(t *testing.T) {
	m := committee(t, "a", 1, 7)
	s := statement(1)
	all := approvals(t, m, s)
	want, _, err := quorum.RecoverCertificate(m.committee, s, all)
	require.NoError(t, err)

	lies := slices.Clone(all)
	lies[0].Sig = all[1].Sig             // another member's signature
	lies[4].Sig = quorum.Signature{0xc0} // the point at infinity
	got, culprits, err := quorum.RecoverCertificate(m.committee, s, lies)
	require.NoError(t, err, "five good ones are left")
	require.Equal(t, want, got)
	require.Equal(t, []uint32{1, 5}, culprits)

	lies[6].Sig = quorum.Signature{1, 2, 3} // no point at all
	_, culprits, err = quorum.RecoverCertificate(m.committee, s, lies)
	require.ErrorIs(t, err, shamir.ErrThreshold)
	require.Equal(t, []uint32{1, 5, 7}, culprits)

	twice := []quorum.Partial{all[0], all[0], all[0], all[1], all[2], all[2], {Index: 9, Sig: all[3].Sig}, {Index: 0}}
	_, culprits, err = quorum.RecoverCertificate(m.committee, s, twice)
	require.ErrorIs(t, err, shamir.ErrThreshold, "a partial given twice counts once")
	require.Equal(t, []uint32{0, 9}, culprits)
}

// What a certificate binds, field by field: a certificate for anything else is
// refused.
func TestCertificateIsForOneStatementOnly(t *testing.T) {
	m := committee(t, "a", 1, 4)
	s := statement(1)
	cert, _, err := quorum.RecoverCertificate(m.committee, s, approvals(t, m, s))
	require.NoError(t, err)

	for name, change := range map[string]func(*quorum.Statement){
		"a replay on another chain":            func(s *quorum.Statement) { s.Chain = h("another") },
		"a certificate for another request":    func(s *quorum.Statement) { s.RID = h("another") },
		"a certificate for another prompt":     func(s *quorum.Statement) { s.Body = h("another") },
		"a certificate for another model":      func(s *quorum.Statement) { s.Model = h("another") },
		"a certificate for another key epoch":  func(s *quorum.Statement) { s.KeyEpoch++ },
		"a certificate for another label":      func(s *quorum.Statement) { s.Label = h("another") },
		"a certificate for another ciphertext": func(s *quorum.Statement) { s.U = h("another") },
		"a certificate for other readers":      func(s *quorum.Statement) { s.Prekeys = h("another") },
		"a certificate that lapses later":      func(s *quorum.Statement) { s.Expiry++ },
	} {
		t.Run(name, func(t *testing.T) {
			other := s
			change(&other)
			require.NotEqual(t, s.Digest(), other.Digest())
			v, err := quorum.Verify(m.committee, other, cert.Signature())
			require.ErrorIs(t, err, quorum.ErrCertificate)
			require.False(t, v.Valid())
		})
	}
	t.Run("a share from another epoch", func(t *testing.T) {
		next := committee(t, "a", 2, 4)
		_, err := quorum.SignApproval(next.shares[0], s)
		require.ErrorIs(t, err, quorum.ErrEpoch)
		_, err = quorum.Verify(next.committee, s, cert.Signature())
		require.ErrorIs(t, err, quorum.ErrEpoch)
		require.ErrorIs(t, quorum.VerifyApproval(next.committee, s, quorum.Partial{Index: 1}), quorum.ErrEpoch)
		_, _, err = quorum.RecoverCertificate(next.committee, s, nil)
		require.ErrorIs(t, err, quorum.ErrEpoch)
		moved := s
		moved.Epoch = 2
		_, err = quorum.Verify(next.committee, moved, cert.Signature())
		require.ErrorIs(t, err, quorum.ErrCertificate)
	})
	t.Run("a committee of another chain", func(t *testing.T) {
		other := committee(t, "another chain", 1, 4)
		_, err := quorum.Verify(other.committee, s, cert.Signature())
		require.ErrorIs(t, err, quorum.ErrCertificate)
		p, err := quorum.SignApproval(other.shares[0], s)
		require.NoError(t, err)
		require.ErrorIs(t, quorum.VerifyApproval(m.committee, s, p), quorum.ErrCertificate)
	})
	t.Run("the point at infinity", func(t *testing.T) {
		_, err := quorum.Verify(m.committee, s, quorum.Signature{0xc0})
		require.ErrorIs(t, err, quorum.ErrCertificate)
		require.ErrorIs(t, quorum.VerifySeed(m.committee, s.Chain, s.RID, quorum.Signature{0xc0}), quorum.ErrCertificate)
	})
	t.Run("any changed bit", func(t *testing.T) {
		for i := range 8 * quorum.SignatureSize {
			sig := cert.Signature()
			sig[i/8] ^= 1 << (i % 8)
			if i%16 == 0 { // pairings are slow: a sample
				_, err := quorum.Verify(m.committee, s, sig)
				require.ErrorIs(t, err, quorum.ErrCertificate, "bit %d", i)
			}
		}
	})
	t.Run("nothing else makes a certificate", func(t *testing.T) {
		require.False(t, quorum.VerifiedCertificate{}.Valid())
	})
}

func TestASeedAndACertificateAreNeverMistaken(t *testing.T) {
	m := committee(t, "a", 1, 4)
	s := statement(1)
	cert, _, err := quorum.RecoverCertificate(m.committee, s, approvals(t, m, s))
	require.NoError(t, err)
	require.ErrorIs(t, quorum.VerifySeed(m.committee, s.Chain, s.RID, cert.Signature()), quorum.ErrCertificate)
	p := quorum.SignSeed(m.shares[0], s.Chain, s.RID)
	require.NoError(t, quorum.VerifySeedPartial(m.committee, s.Chain, s.RID, p))
	require.Error(t, quorum.VerifyApproval(m.committee, s, p))
	require.Error(t, quorum.VerifySeedPartial(m.committee, h("another chain"), s.RID, p), "a replay on another chain")
	require.Error(t, quorum.VerifySeedPartial(m.committee, s.Chain, h("another"), p))
}

// The seed of a request outlives its expiry: approving again draws nothing new.
func TestApprovingAgainGivesTheSameSeed(t *testing.T) {
	m := committee(t, "a", 1, 4)
	seed := func(s quorum.Statement) [32]byte {
		var ps []quorum.Partial
		for _, k := range m.shares {
			a, err := quorum.Approve(k, s)
			require.NoError(t, err)
			ps = append(ps, quorum.Partial{Index: a.Member, Sig: a.Seed})
		}
		sig, _, err := quorum.RecoverSeed(m.committee, s.Chain, s.RID, ps)
		require.NoError(t, err)
		out, err := quorum.Seed(sig, s.RID)
		require.NoError(t, err)
		return out
	}
	s := statement(1)
	again := s
	again.Expiry, again.Prekeys = 1000, h("other readers")
	require.Equal(t, seed(s), seed(again))
	other := s
	other.RID = h("another request")
	require.NotEqual(t, seed(s), seed(other))
	_, err := quorum.Seed(quorum.Signature{0xc0}, s.RID)
	require.ErrorIs(t, err, shamir.ErrIdentity)
}

func TestPrekeysAreCanonical(t *testing.T) {
	key := func(i int64) [32]byte {
		g := shamir.Ristretto255
		return [32]byte(shamir.Encode(g.Point().Mul(g.Scalar().SetInt64(i), nil)))
	}
	good := quorum.Prekeys{{1, key(5)}, {3, key(6)}, {4, key(7)}}
	require.NoError(t, good.Validate())
	require.NoError(t, quorum.Prekeys{}.Validate())
	k, ok := good.Lookup(3)
	require.True(t, ok)
	require.Equal(t, key(6), k)
	_, ok = good.Lookup(2)
	require.False(t, ok)
	for name, p := range map[string]quorum.Prekeys{
		"a member twice": {{1, key(5)}, {1, key(6)}},
		"descending":     {{3, key(5)}, {1, key(6)}},
		"member 0":       {{0, key(5)}},
		"a key twice":    {{1, key(5)}, {2, key(5)}},
		"the identity":   {{1, [32]byte{}}},
		"not a point":    {{1, [32]byte{1}}},
		"no member":      {{0, key(5)}},
	} {
		require.ErrorIs(t, p.Validate(), quorum.ErrPrekeys, name)
		require.NotEqual(t, good.Digest(), p.Digest())
	}
}

func TestStatementBytes(t *testing.T) {
	s := statement(1)
	b := s.Bytes()
	require.Len(t, b, quorum.StatementSize)
	require.Equal(t, 255, quorum.StatementSize)
	again, err := quorum.ParseStatement(b)
	require.NoError(t, err)
	require.Equal(t, s, again)
	for _, bad := range [][]byte{nil, b[:254], append(slices.Clone(b), 0), append([]byte("RELEASE"), b[7:]...)} {
		_, err := quorum.ParseStatement(bad)
		require.ErrorIs(t, err, shamir.ErrEncoding)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(quorum.Partial{Index: 1}.Bytes())
	f.Add(quorum.Approval{Member: 1}.Bytes())
	f.Add(statement(1).Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := quorum.ParsePartial(b); err == nil {
			require.Equal(t, b, p.Bytes())
		}
		if a, err := quorum.ParseApproval(b); err == nil {
			require.Equal(t, b, a.Bytes())
		}
		if s, err := quorum.ParseStatement(b); err == nil {
			require.Equal(t, b, s.Bytes())
		}
	})
}

func FuzzTally(f *testing.F) {
	m := committee(f, "fuzz", 1, 1)
	s := statement(1)
	good, err := quorum.Approve(m.shares[0], s)
	require.NoError(f, err)
	f.Add(good.Bytes())
	f.Add(quorum.Approval{Member: 1, Statement: s}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := quorum.ParseApproval(b)
		if err != nil {
			return
		}
		tally := quorum.NewTally(m.committee, 2)
		tally.Step(1, quorum.Open{Statement: s})
		for _, e := range tally.Step(1, quorum.Received{Approval: a}) {
			if _, ok := e.(quorum.Certified); ok {
				require.Equal(t, good, a, "certified by something else than the approval")
			}
		}
	})
}

func BenchmarkRecoverCertificate(b *testing.B) {
	for _, n := range []int{4, 16, 64} { // the demo, the default network, the largest tried
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			m := committee(b, "bench", 1, n)
			s := statement(1)
			ps := approvals(b, m, s)
			for b.Loop() {
				if _, _, err := quorum.RecoverCertificate(m.committee, s, ps); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkApprove(b *testing.B) {
	m := committee(b, "bench", 1, 4)
	for b.Loop() {
		if _, err := quorum.Approve(m.shares[0], statement(1)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	m := committee(b, "bench", 1, 4)
	s := statement(1)
	cert, _, err := quorum.RecoverCertificate(m.committee, s, approvals(b, m, s))
	require.NoError(b, err)
	for b.Loop() {
		if _, err := quorum.Verify(m.committee, s, cert.Signature()); err != nil {
			b.Fatal(err)
		}
	}
}

// Handovers keep Y: what a committee certified is checked under the keys of any later
// one, and the epoch that it names is part of what was signed.
func TestACertificateOfAnyEpochIsCheckedUnderY(t *testing.T) {
	before, shares, err := shamirtest.Run(t.Name(), 1, 4)
	require.NoError(t, err)
	l, parties, err := shamirtest.OpenHandover(t.Name(), before, shares, 4, 4)
	require.NoError(t, err)
	require.NoError(t, shamirtest.Finish(l, parties))
	after, err := l.Committee()
	require.NoError(t, err)

	s := quorum.Statement{Epoch: 1, RID: [32]byte{1}}
	var partials []quorum.Partial
	for _, share := range shares[:3] {
		p, err := quorum.SignApproval(share, s)
		require.NoError(t, err)
		partials = append(partials, p)
	}
	cert, _, err := quorum.RecoverCertificate(before, s, partials)
	require.NoError(t, err)
	require.NoError(t, quorum.VerifyAnyEpoch(before, s, cert.Signature()))
	require.NoError(t, quorum.VerifyAnyEpoch(after, s, cert.Signature()))
	_, err = quorum.Verify(after, s, cert.Signature())
	require.ErrorIs(t, err, quorum.ErrEpoch, "it opens nothing under the next one")

	for name, change := range map[string]func(*quorum.Statement){
		"another epoch":   func(s *quorum.Statement) { s.Epoch = 2 },
		"another request": func(s *quorum.Statement) { s.RID[0]++ },
	} {
		other := s
		change(&other)
		require.ErrorIs(t, quorum.VerifyAnyEpoch(after, other, cert.Signature()), quorum.ErrCertificate, name)
	}
	strangers, _, err := shamirtest.Run("another network", 1, 4)
	require.NoError(t, err)
	require.ErrorIs(t, quorum.VerifyAnyEpoch(strangers, s, cert.Signature()), quorum.ErrCertificate)
}
