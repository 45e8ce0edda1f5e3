package shamir_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/vectors.json with what the code gives")

// vector is one known answer: a sentence and bytes in hex.
type vector struct {
	Name string `json:"name"`
	Hex  string `json:"hex"`
}

// TestVectors pins every form that a network stores or signs, from fixed seeds.
// A change here means that nodes of two versions do not understand each other.
// The BLS values (approval, certificate, seed signature, public shares) were checked
// once against blst v0.3.16, which makes and verifies the same bytes.
func TestVectors(t *testing.T) {
	const path = "testdata/vectors.json"
	got := vectors(t)
	if *rewrite {
		b, err := json.MarshalIndent(got, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(b, '\n'), 0o644))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var want []vector
	require.NoError(t, json.Unmarshal(text, &want))
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
}

func vectors(t *testing.T) (out []vector) {
	add := func(name string, b []byte) { out = append(out, vector{name, hex.EncodeToString(b)}) }
	hash := func(name string, h [32]byte) { add(name, h[:]) }
	// A stream that other implementations can make: SHA-256("…" ‖ counter).
	stream := func(name string) *hashStream { return &hashStream{name: name} }

	hash(`Hash("a", "x")`, shamir.Hash("a", []byte("x")))
	add(`HashScalar(Ristretto255, "a", "x")`, shamir.Encode(shamir.HashScalar(shamir.Ristretto255, "a", []byte("x"))))
	add(`HashScalar(G2, "a", "x")`, shamir.Encode(shamir.HashScalar(shamir.G2, "a", []byte("x"))))
	add("the second generator", shamir.Encode(shamir.HashPoint("gbar")))

	chain := shamir.Hash("vector", []byte("chain"))
	params := dkg.Params{
		Epoch: 1, Session: dkg.Session(chain, 1, [32]byte{}, 0), Threshold: shamir.Threshold(4),
		Deadlines: dkg.Deadlines{Commit: 10, Bundle: 10, Dispute: 2, Acknowledge: 10},
	}
	var parties []*dkg.Party
	for i := uint32(1); i <= 4; i++ {
		p, err := dkg.NewParty(i, shamirtest.Seed("vector", 1, i))
		require.NoError(t, err)
		parties = append(parties, p)
		params.DealKeys = append(params.DealKeys, p.DealKey())
	}
	hash("session of epoch 1", params.Session)
	hash("deal key of member 1", params.DealKeys[0])
	l, err := dkg.NewLog(params, 1)
	require.NoError(t, err)
	hash("ceremony id", l.ID())
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		for _, p := range parties {
			messages, err := p.Step(height, l)
			require.NoError(t, err)
			for _, m := range messages {
				if p.Index() == 1 {
					add(fmt.Sprintf("%s of member 1", m.Kind), m.Body)
				}
				require.NoError(t, l.Apply(height, p.Index(), m))
			}
		}
		l.EndBlock(height)
	}
	log, err := l.MarshalBinary()
	require.NoError(t, err)
	hash("SHA-256 of the log", sha(log))
	c, err := l.Committee()
	require.NoError(t, err)
	b, err := c.MarshalBinary()
	require.NoError(t, err)
	add("committee", b)
	hash("committee digest", c.Digest())
	var shares []*shamir.KeyShare
	for _, p := range parties {
		s, err := p.KeyShare(l)
		require.NoError(t, err)
		shares = append(shares, s)
	}
	b, err = shares[0].MarshalBinary()
	require.NoError(t, err)
	add("key share of member 1", b)

	label := shamir.Hash("vector", []byte("label"))
	ct, err := seal.Encrypt(stream("encrypt"), c.X(), label, []byte("sixteen byte key"))
	require.NoError(t, err)
	add("ciphertext", ct.Bytes())
	secret, key := seal.DeriveReader(shamirtest.Seed("vector", 1, 2), 1)
	prekeys := quorum.Prekeys{{Member: 2, Key: key}}
	hash("prekeys digest", prekeys.Digest())
	s := quorum.Statement{
		Chain: chain, Epoch: 1, RID: shamir.Hash("vector", []byte("rid")), Body: shamir.Hash("vector", []byte("body")),
		Model: shamir.Hash("vector", []byte("model")), KeyEpoch: 1, Label: label, U: ct.U(), Prekeys: prekeys.Digest(), Expiry: 99,
	}
	add("statement", s.Bytes())
	hash("statement digest", s.Digest())
	var approve, seeds []quorum.Partial
	for _, k := range shares {
		a, err := quorum.Approve(k, s)
		require.NoError(t, err)
		if a.Member == 1 {
			add("approval of member 1", a.Bytes())
		}
		approve = append(approve, quorum.Partial{Index: a.Member, Sig: a.Approve})
		seeds = append(seeds, quorum.Partial{Index: a.Member, Sig: a.Seed})
	}
	cert, _, err := quorum.RecoverCertificate(c, s, approve)
	require.NoError(t, err)
	sig := cert.Signature()
	add("certificate", sig[:])
	hash("certificate context", cert.Context())
	seedSig, _, err := quorum.RecoverSeed(c, chain, s.RID, seeds)
	require.NoError(t, err)
	add("seed signature", seedSig[:])
	seed, err := quorum.Seed(seedSig, s.RID)
	require.NoError(t, err)
	hash("seed", seed)

	reader := seal.Reader{Member: 2, Role: seal.Generator, Prekeys: prekeys}
	var released [][]byte
	for _, k := range shares {
		b, err := seal.ReleaseShare(stream(fmt.Sprint("release", k.Index())), k, c, ct, cert, reader)
		require.NoError(t, err)
		released = append(released, b)
	}
	add("released share of member 1", released[0])
	plain, _, err := seal.CombineRelease(secret, c, ct, cert, reader, released)
	require.NoError(t, err)
	require.Equal(t, "sixteen byte key", string(plain))

	public := seal.PublicLabel{Chain: chain, Purpose: "order", ID: 1}
	hash("public label", public.Hash())
	order, err := seal.Encrypt(stream("order"), c.X(), public.Hash(), []byte("an order"))
	require.NoError(t, err)
	b, err = seal.OpenShare(nil, shares[0], c, public, order)
	require.NoError(t, err)
	add("opening share of member 1", b)
	return out
}

// hashStream is SHA-256(name ‖ 0), SHA-256(name ‖ 1), …, the counter one byte.
type hashStream struct {
	name    string
	counter byte
	rest    []byte
}

func (s *hashStream) Read(b []byte) (int, error) {
	for n := 0; n < len(b); {
		if len(s.rest) == 0 {
			h := sha(append([]byte(s.name), s.counter))
			s.rest = h[:]
			s.counter++
		}
		k := copy(b[n:], s.rest)
		s.rest = s.rest[k:]
		n += k
	}
	return len(b), nil
}

func TestCommitteeAndKeyShareForms(t *testing.T) {
	c, shares, err := shamirtest.Run("forms", 1, 4)
	require.NoError(t, err)
	b, err := c.MarshalBinary()
	require.NoError(t, err)
	again, err := shamir.UnmarshalCommittee(b)
	require.NoError(t, err)
	require.Equal(t, c.Digest(), again.Digest())
	require.Equal(t, c.X(), again.X())
	require.Equal(t, c.Y(), again.Y())
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range shares {
		require.NoError(t, k.VerifyAgainst(again))
		raw, err := k.MarshalBinary()
		require.NoError(t, err)
		require.Len(t, raw, shamir.KeyShareSize)
		same, err := shamir.UnmarshalKeyShare(raw)
		require.NoError(t, err)
		require.NoError(t, same.VerifyAgainst(c))
		for range 20 {
			changed := append([]byte(nil), raw...)
			changed[rng.IntN(len(raw))] ^= 1 << rng.IntN(8)
			if k, err := shamir.UnmarshalKeyShare(changed); err == nil {
				require.ErrorIs(t, k.VerifyAgainst(c), shamir.ErrForeignShare)
			}
		}
	}
	other, _, err := shamirtest.Run("forms", 2, 4)
	require.NoError(t, err)
	require.ErrorIs(t, shares[0].VerifyAgainst(other), shamir.ErrForeignShare)
	small, _, err := shamirtest.Run("forms", 1, 1)
	require.NoError(t, err)
	require.ErrorIs(t, shares[3].VerifyAgainst(small), shamir.ErrForeignShare)
	_, err = c.XShare(0)
	require.ErrorIs(t, err, shamir.ErrSize)
	_, err = c.YShare(5)
	require.ErrorIs(t, err, shamir.ErrSize)
	p, err := c.XShare(1)
	require.NoError(t, err)
	p.Null()
	require.NoError(t, shares[0].VerifyAgainst(c), "what a committee hands out is a copy")
}

func FuzzUnmarshalCommittee(f *testing.F) {
	c, shares, err := shamirtest.Run("fuzz", 1, 2)
	require.NoError(f, err)
	b, err := c.MarshalBinary()
	require.NoError(f, err)
	f.Add(b)
	k, err := shares[0].MarshalBinary()
	require.NoError(f, err)
	f.Add(k)
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := shamir.UnmarshalCommittee(b); err == nil {
			again, err := c.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, b, again)
		}
		if k, err := shamir.UnmarshalKeyShare(b); err == nil {
			again, err := k.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, b, again)
		}
		_, _ = shamir.DecodeCommitment(shamir.Ristretto255, len(b)/32, b)
	})
}
