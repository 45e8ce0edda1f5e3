package seal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type made struct {
	committee *shamir.Committee
	shares    []*shamir.KeyShare
}

var ceremonies sync.Map

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

func h(s string) [32]byte { return shamir.Hash("test", []byte(s)) }

// seeded is a reproducible source of bytes.
func seeded(parts ...any) io.Reader { return rand.NewChaCha8(h(fmt.Sprint(parts...))) }

func encrypt(tb testing.TB, m made, label [32]byte, plaintext string) *seal.Ciphertext {
	tb.Helper()
	ct, err := seal.Encrypt(seeded("encrypt", plaintext), m.committee.X(), label, []byte(plaintext))
	require.NoError(tb, err)
	return ct
}

// request is a model, sealed, and a certified request for it.
type request struct {
	made
	ct      *seal.Ciphertext
	cert    quorum.VerifiedCertificate
	reader  seal.Reader
	secrets map[uint32]seal.ReaderSecret
}

func certify(tb testing.TB, m made, s quorum.Statement) quorum.VerifiedCertificate {
	tb.Helper()
	var ps []quorum.Partial
	for _, k := range m.shares {
		p, err := quorum.SignApproval(k, s)
		require.NoError(tb, err)
		ps = append(ps, p)
	}
	cert, _, err := quorum.RecoverCertificate(m.committee, s, ps)
	require.NoError(tb, err)
	return cert
}

// newRequest asks for the model with a table of two readers, members 1 and 2.
func newRequest(tb testing.TB, m made, ct *seal.Ciphertext, rid string) request {
	tb.Helper()
	r := request{made: m, ct: ct, secrets: map[uint32]seal.ReaderSecret{}}
	for member := uint32(1); member <= 2; member++ {
		secret, key, err := seal.NewReader(seeded("reader", rid, member))
		require.NoError(tb, err)
		r.secrets[member] = secret
		r.reader.Prekeys = append(r.reader.Prekeys, quorum.Prekey{Member: member, Key: key})
	}
	require.NoError(tb, r.reader.Prekeys.Validate())
	r.reader.Member, r.reader.Role = 1, seal.Generator
	r.cert = certify(tb, m, quorum.Statement{
		Chain: h("chain"), Epoch: m.committee.Epoch(), RID: h(rid), Body: h("body"), Model: h("model"),
		KeyEpoch: 1, Label: h("label"), U: ct.U(), Prekeys: r.reader.Prekeys.Digest(), Expiry: 100,
	})
	return r
}

func (r request) release(tb testing.TB) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, k := range r.shares {
		b, err := seal.ReleaseShare(seeded("release", k.Index(), r.reader.Member), k, r.committee, under(r.ct, r.cert), r.cert, r.reader)
		require.NoError(tb, err)
		require.Len(tb, b, seal.ReleaseSize(1))
		out = append(out, b)
	}
	return out
}

// under is a ciphertext without layers, under the label that the certificate names.
func under(ct *seal.Ciphertext, cert quorum.VerifiedCertificate) seal.Layers {
	return seal.NewLayers(cert.Statement().Label, ct)
}

func (r request) combine(shares [][]byte) ([]byte, []int, error) {
	plain, culprits, err := seal.CombineRelease(r.secrets[r.reader.Member], r.committee, under(r.ct, r.cert), r.cert, r.reader, shares)
	if err != nil {
		return nil, culprits, err
	}
	return plain[0], culprits, nil
}

func TestAnyQuorumReleasesToTheReader(t *testing.T) {
	for _, n := range []int{1, 4, 7} {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			m := committee(t, "a", 1, n)
			r := newRequest(t, m, encrypt(t, m, h("label"), "file key"), "request")
			shares := r.release(t)
			for i, s := range shares {
				index, err := seal.VerifyRelease(m.committee, under(r.ct, r.cert), r.cert, r.reader, s)
				require.NoError(t, err)
				require.EqualValues(t, i+1, index)
			}
			rapid.Check(t, func(q *rapid.T) {
				order := rapid.Permutation(shares).Draw(q, "order")[:m.committee.T()]
				plain, culprits, err := r.combine(order)
				require.NoError(q, err)
				require.Empty(q, culprits)
				require.Equal(q, "file key", string(plain))
				_, _, err = r.combine(order[1:])
				require.ErrorIs(q, err, shamir.ErrThreshold)
			})
		})
	}
}

func TestCombiningNamesTheLiars(t *testing.T) {
	m := committee(t, "a", 1, 4)
	r := newRequest(t, m, encrypt(t, m, h("label"), "file key"), "request")
	shares := r.release(t)
	for i := range shares[0] {
		changed := slices.Clone(shares[0])
		changed[i] ^= 1
		_, err := seal.VerifyRelease(m.committee, under(r.ct, r.cert), r.cert, r.reader, changed)
		require.Error(t, err, "byte %d", i)
	}
	bad := slices.Clone(shares[2])
	bad[100] ^= 1
	plain, culprits, err := r.combine([][]byte{shares[0], bad, shares[1], shares[3]})
	require.NoError(t, err)
	require.Equal(t, []int{1}, culprits)
	require.Equal(t, "file key", string(plain))

	_, culprits, err = r.combine([][]byte{shares[0], bad, shares[0], nil, shares[3]})
	require.ErrorIs(t, err, shamir.ErrThreshold, "a share given twice counts once")
	require.Equal(t, []int{1, 3}, culprits)
}

// The refusals of a member that is asked for its share, by name.
func TestReleaseIsForOneRequestAndReaderOnly(t *testing.T) {
	m := committee(t, "a", 1, 4)
	ct := encrypt(t, m, h("label"), "file key")
	r := newRequest(t, m, ct, "request")
	shares := r.release(t)
	ask := func(key *shamir.KeyShare, c *shamir.Committee, ct *seal.Ciphertext, cert quorum.VerifiedCertificate, reader seal.Reader) error {
		b, err := seal.ReleaseShare(seeded("ask"), key, c, under(ct, cert), cert, reader)
		if err != nil {
			require.Nil(t, b, "a refused member says nothing")
		}
		return err
	}

	t.Run("a request without a certificate", func(t *testing.T) {
		require.ErrorIs(t, ask(m.shares[0], m.committee, ct, quorum.VerifiedCertificate{}, r.reader), seal.ErrRelease)
	})
	t.Run("a node which is not approved", func(t *testing.T) {
		outsider := r.reader
		outsider.Member = 3
		require.ErrorIs(t, ask(m.shares[0], m.committee, ct, r.cert, outsider), seal.ErrRelease, "not in the table")
		_, key, err := seal.NewReader(seeded("outsider"))
		require.NoError(t, err)
		outsider.Prekeys = append(slices.Clone(r.reader.Prekeys), quorum.Prekey{Member: 3, Key: key})
		require.ErrorIs(t, ask(m.shares[0], m.committee, ct, r.cert, outsider), seal.ErrRelease, "in a table of its own")
		swapped := seal.Reader{Member: 1, Role: seal.Generator, Prekeys: slices.Clone(r.reader.Prekeys)}
		swapped.Prekeys[0].Key = key
		require.ErrorIs(t, ask(m.shares[0], m.committee, ct, r.cert, swapped), seal.ErrRelease, "with a key of its own")
	})
	t.Run("a role that does not exist", func(t *testing.T) {
		for _, role := range []seal.Role{0, seal.Trainer + 1, 255} {
			odd := r.reader
			odd.Role = role
			require.ErrorIs(t, ask(m.shares[0], m.committee, ct, r.cert, odd), seal.ErrRelease, role)
		}
	})
	t.Run("a certificate for another request", func(t *testing.T) {
		other := newRequest(t, m, ct, "another request")
		require.ErrorIs(t, ask(m.shares[0], m.committee, ct, other.cert, r.reader), seal.ErrRelease, "its readers are others")
		same := r.cert.Statement()
		same.RID = h("another request")
		cert := certify(t, m, same)
		_, err := seal.VerifyRelease(m.committee, under(ct, cert), cert, r.reader, shares[0])
		require.ErrorIs(t, err, shamir.ErrProof, "a share made for the first request")
	})
	t.Run("a certificate for another ciphertext", func(t *testing.T) {
		other := encrypt(t, m, h("label"), "another key")
		require.ErrorIs(t, ask(m.shares[0], m.committee, other, r.cert, r.reader), seal.ErrRelease)
	})
	t.Run("a ciphertext under another label", func(t *testing.T) {
		s := r.cert.Statement()
		s.Label = h("another label")
		require.ErrorIs(t, ask(m.shares[0], m.committee, ct, certify(t, m, s), r.reader), seal.ErrRelease)
	})
	t.Run("a replay on another chain", func(t *testing.T) {
		s := r.cert.Statement()
		s.Chain = h("another chain")
		_, err := quorum.Verify(m.committee, s, r.cert.Signature())
		require.ErrorIs(t, err, quorum.ErrCertificate, "the same members would not accept it there")
		elsewhere := certify(t, m, s)
		_, err = seal.VerifyRelease(m.committee, under(ct, elsewhere), elsewhere, r.reader, shares[0])
		require.ErrorIs(t, err, shamir.ErrProof, "nor does a share carry over")
	})
	t.Run("a share from another epoch", func(t *testing.T) {
		next := committee(t, "a", 2, 4)
		require.ErrorIs(t, ask(next.shares[0], m.committee, ct, r.cert, r.reader), shamir.ErrForeignShare)
		require.ErrorIs(t, ask(next.shares[0], next.committee, ct, r.cert, r.reader), seal.ErrRelease)
		_, err := seal.VerifyRelease(next.committee, under(ct, r.cert), r.cert, r.reader, shares[0])
		require.ErrorIs(t, err, seal.ErrRelease)
	})
	t.Run("a share of another committee of the same epoch", func(t *testing.T) {
		other := committee(t, "another chain", 1, 4)
		require.ErrorIs(t, ask(other.shares[0], m.committee, ct, r.cert, r.reader), shamir.ErrForeignShare)
	})
	t.Run("a share for another reader", func(t *testing.T) {
		second := r.reader
		second.Member = 2
		_, err := seal.VerifyRelease(m.committee, under(ct, r.cert), r.cert, second, shares[0])
		require.ErrorIs(t, err, shamir.ErrProof)
		for _, role := range []seal.Role{seal.Auditor, seal.Trainer} {
			other := r.reader
			other.Role = role
			_, err = seal.VerifyRelease(m.committee, under(ct, r.cert), r.cert, other, shares[0])
			require.ErrorIs(t, err, shamir.ErrProof, role)
		}
	})
	t.Run("a certificate of another network's committee", func(t *testing.T) {
		other := committee(t, "another chain", 1, 4)
		cert := certify(t, other, r.cert.Statement())
		require.True(t, cert.By(other.committee))
		require.False(t, cert.By(m.committee))
		require.ErrorIs(t, ask(m.shares[0], m.committee, ct, cert, r.reader), seal.ErrRelease)
	})
	t.Run("another reader's secret", func(t *testing.T) {
		_, _, err := seal.CombineRelease(r.secrets[2], m.committee, under(ct, r.cert), r.cert, r.reader, shares)
		require.ErrorIs(t, err, seal.ErrRelease)
		_, _, err = seal.CombineRelease(seal.ReaderSecret{}, m.committee, under(ct, r.cert), r.cert, r.reader, shares)
		require.ErrorIs(t, err, seal.ErrRelease)
	})
	t.Run("another member's name on a share", func(t *testing.T) {
		renamed := slices.Clone(shares[0])
		renamed[1] = 2
		_, err := seal.VerifyRelease(m.committee, under(ct, r.cert), r.cert, r.reader, renamed)
		require.ErrorIs(t, err, shamir.ErrProof)
		renamed[1] = 9
		_, err = seal.VerifyRelease(m.committee, under(ct, r.cert), r.cert, r.reader, renamed)
		require.ErrorIs(t, err, shamir.ErrSize)
	})
}

// With shares x·(U+R) a reader who sends R = V-U, for the V of a model it is not
// approved for, would be handed that model's key by public arithmetic. Here what
// the public arithmetic gives is blinded by a fresh k, and unlocks nothing.
func TestAReaderKeyThatAimsAtAnotherCiphertext(t *testing.T) {
	m := committee(t, "a", 1, 4)
	g := shamir.Ristretto255
	approved, wanted := encrypt(t, m, h("label"), "approved"), encrypt(t, m, h("label"), "wanted")
	point := func(b [32]byte) []byte { return b[:] }
	u, err := shamir.DecodePoint(g, point(approved.U()))
	require.NoError(t, err)
	v, err := shamir.DecodePoint(g, point(wanted.U()))
	require.NoError(t, err)

	r := request{made: m, ct: approved}
	aimed := [32]byte(shamir.Encode(g.Point().Sub(v, u)))
	r.reader = seal.Reader{Member: 1, Role: seal.Generator, Prekeys: quorum.Prekeys{{Member: 1, Key: aimed}}}
	s := quorum.Statement{Epoch: 1, Label: h("label"), U: approved.U(), Prekeys: r.reader.Prekeys.Digest()}
	r.cert = certify(t, m, s)

	var indices []uint32
	sum := g.Point().Null()
	shares := r.release(t)[:m.committee.T()]
	for i := range shares {
		indices = append(indices, uint32(i+1))
	}
	weights, err := shamir.Lagrange(g, indices)
	require.NoError(t, err)
	for i, b := range shares {
		e2, err := shamir.DecodePoint(g, b[34:66])
		require.NoError(t, err)
		sum.Add(sum, g.Point().Mul(weights[i], e2))
	}
	// The key of the wanted model is x·V.
	x := recoverX(t, m)
	require.False(t, sum.Equal(g.Point().Mul(x, v)))
	require.False(t, sum.Equal(g.Point().Mul(x, u)))
	// Nor do two releases for one R differ by anything known.
	again, err := seal.ReleaseShare(seeded("other nonce"), m.shares[0], m.committee, under(r.ct, r.cert), r.cert, r.reader)
	require.NoError(t, err)
	require.NotEqual(t, shares[0][2:66], again[2:66])
}

func TestCiphertextIsBoundToKeyAndLabel(t *testing.T) {
	m, other := committee(t, "a", 1, 4), committee(t, "another chain", 1, 4)
	ct := encrypt(t, m, h("label"), "file key")
	require.NoError(t, ct.Verify(m.committee.X(), h("label")))
	require.ErrorIs(t, ct.Verify(m.committee.X(), h("another")), seal.ErrCiphertext)
	require.ErrorIs(t, ct.Verify(other.committee.X(), h("label")), seal.ErrCiphertext)
	b := ct.Bytes()
	for i := range b {
		changed := slices.Clone(b)
		changed[i] ^= 1
		if c, err := seal.ParseCiphertext(changed); err == nil {
			require.ErrorIs(t, c.Verify(m.committee.X(), h("label")), seal.ErrCiphertext, "byte %d", i)
		}
	}
	_, err := seal.Encrypt(seeded("x"), m.committee.X(), h("label"), make([]byte, seal.MaxPlaintext+1))
	require.ErrorIs(t, err, shamir.ErrSize)
	full, err := seal.Encrypt(seeded("x"), m.committee.X(), h("label"), make([]byte, seal.MaxPlaintext))
	require.NoError(t, err)
	require.Len(t, full.Bytes(), seal.MaxCiphertext)
	_, err = seal.ParseCiphertext(append(full.Bytes(), 0))
	require.ErrorIs(t, err, seal.ErrCiphertext)
	_, err = seal.Encrypt(seeded("x"), [32]byte{}, h("label"), nil)
	require.ErrorIs(t, err, shamir.ErrIdentity)
	_, err = seal.Encrypt(strings.NewReader("too little"), m.committee.X(), h("label"), nil)
	require.Error(t, err)
}

func TestReaderKeysAreFoundAgain(t *testing.T) {
	a, keyA := seal.DeriveReader(h("seed"), 7)
	_, again := seal.DeriveReader(h("seed"), 7)
	_, next := seal.DeriveReader(h("seed"), 8)
	require.Equal(t, keyA, again)
	require.Equal(t, keyA, a.Key())
	require.NotEqual(t, keyA, next)
	require.Equal(t, [32]byte{}, seal.ReaderSecret{}.Key())

	j, err := json.Marshal(a)
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "secret", a)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %x %s", a, a, a, a, a), string(j), log.String()} {
		require.Contains(t, text, "redacted")
		require.NotContains(t, text, "rho")
	}
}

func FuzzParseCiphertext(f *testing.F) {
	m := committee(f, "fuzz", 1, 1)
	f.Add(encrypt(f, m, h("label"), "file key").Bytes())
	f.Add(make([]byte, 200))
	x := m.committee.X()
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := seal.ParseCiphertext(b)
		if err != nil {
			return
		}
		require.Equal(t, b, c.Bytes())
		_ = c.Verify(x, h("label"))
	})
}

func FuzzShares(f *testing.F) {
	m := committee(f, "fuzz", 1, 4)
	r := newRequest(f, m, encrypt(f, m, h("label"), "file key"), "request")
	good := r.release(f)
	label, cts := orders(f, m, 2)
	opening, err := seal.OpenShare(seeded("open"), m.shares[0], m.committee, label, cts...)
	require.NoError(f, err)
	f.Add(good[0])
	f.Add(opening)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if index, err := seal.VerifyRelease(m.committee, under(r.ct, r.cert), r.cert, r.reader, b); err == nil {
			require.Equal(t, good[index-1], b, "a second share that verifies")
		}
		if _, err := seal.VerifyOpen(m.committee, label, cts, b); err == nil {
			require.Equal(t, opening, b, "a second share that verifies")
		}
		_, _, _ = r.combine([][]byte{b})
		_, _, _ = seal.CombineOpen(m.committee, label, cts, [][]byte{b})
	})
}

func BenchmarkRelease(b *testing.B) {
	m := committee(b, "bench", 1, 4)
	r := newRequest(b, m, encrypt(b, m, h("label"), "file key"), "request")
	rand := seeded("bench")
	for b.Loop() {
		if _, err := seal.ReleaseShare(rand, m.shares[0], m.committee, under(r.ct, r.cert), r.cert, r.reader); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCombineRelease(b *testing.B) {
	for _, n := range []int{4, 16, 64} { // the demo, the default network, the largest tried
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			m := committee(b, "bench", 1, n)
			r := newRequest(b, m, encrypt(b, m, h("label"), "file key"), "request")
			shares := r.release(b)
			for b.Loop() {
				if _, _, err := r.combine(shares); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
