package shamir_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the files of testdata with what the code gives")

// vector is one known answer: a sentence, bytes in hex, and what they are made
// from: numbers, texts under "tag" and the like (SPEC.md names them), all else hex.
type vector struct {
	Name string         `json:"name"`
	Hex  string         `json:"hex"`
	From map[string]any `json:"from,omitempty"`
}

// TestVectors pins every form that a network stores or signs, from fixed seeds.
// A change here means that nodes of two versions do not understand each other.
// The BLS values (approval, certificate, seed signature, public shares) were checked
// once against blst v0.3.16, which makes and verifies the same bytes.
func TestVectors(t *testing.T) {
	golden(t, "testdata/vectors.json", vectors(t))
}

func vectors(t *testing.T) (out []vector) {
	// from alternates names and values of what a vector is made from.
	add := func(name string, b []byte, from ...any) {
		v := vector{Name: name, Hex: hex.EncodeToString(b)}
		for i := 0; i < len(from); i += 2 {
			if v.From == nil {
				v.From = map[string]any{}
			}
			if b, raw := from[i+1].([]byte); raw {
				from[i+1] = hexBytes(b)
			}
			v.From[from[i].(string)] = from[i+1]
		}
		out = append(out, v)
	}
	hash := func(name string, h [32]byte, from ...any) { add(name, h[:], from...) }
	// A stream that other implementations can make: SHA-256("…" ‖ counter).
	stream := func(name string) *hashStream { return &hashStream{name: name} }

	hash(`Hash("a", "x")`, shamir.Hash("a", []byte("x")), "tag", "a", "fields", []hexBytes{hexBytes("x")})
	add(`HashScalar(Ristretto255, "a", "x")`, shamir.Encode(shamir.HashScalar(shamir.Ristretto255, "a", []byte("x"))), "tag", "a", "fields", []hexBytes{hexBytes("x")})
	add(`HashScalar(G2, "a", "x")`, shamir.Encode(shamir.HashScalar(shamir.G2, "a", []byte("x"))), "tag", "a", "fields", []hexBytes{hexBytes("x")})
	add("the second generator", shamir.Encode(shamir.HashPoint("gbar")), "tag", "gbar", "fields", []hexBytes{})
	primitives(t, add)

	hash("chain", chain, "tag", "vector", "fields", []hexBytes{hexBytes("chain")})
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
	hash("session of epoch 1", params.Session, "chain", chain[:], "epoch", 1, "previous", make([]byte, 32), "attempt", 0)
	for i, p := range params.DealKeys {
		hash(fmt.Sprintf("deal key of member %d", i+1), p, "seed", in32(shamirtest.Seed("vector", 1, uint32(i+1))))
	}
	l, err := dkg.NewLog(params, 1)
	require.NoError(t, err)
	hash("ceremony id", l.ID(), "params", "of epoch 1: session, threshold 3, the four deal keys, deadlines 10 10 2 10", "start", 1)
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		for _, p := range parties {
			messages, err := p.Step(height, l)
			require.NoError(t, err)
			for _, m := range messages {
				if p.Index() == 1 {
					add(fmt.Sprintf("%s of member 1", m.Kind), m.Body, "seed", in32(shamirtest.Seed("vector", 1, 1)), "log", "ceremony.json: four members make new keys")
				}
				require.NoError(t, l.Apply(height, p.Index(), m))
			}
		}
		l.EndBlock(height)
	}
	log, err := l.MarshalBinary()
	require.NoError(t, err)
	hash("SHA-256 of the log", sha(log), "log", "ceremony.json: four members make new keys")
	c, err := l.Committee()
	require.NoError(t, err)
	b, err := c.MarshalBinary()
	require.NoError(t, err)
	add("committee", b, "log", "ceremony.json: four members make new keys")
	hash("committee digest", c.Digest(), "committee", b)
	var shares []*shamir.KeyShare
	for _, p := range parties {
		s, err := p.KeyShare(l)
		require.NoError(t, err)
		shares = append(shares, s)
	}
	for i, s := range shares {
		b, err = s.MarshalBinary()
		require.NoError(t, err)
		add(fmt.Sprintf("key share of member %d", i+1), b, "seed", in32(shamirtest.Seed("vector", 1, uint32(i+1))), "log", "ceremony.json: four members make new keys")
	}

	label := shamir.Hash("vector", []byte("label"))
	ct, err := seal.Encrypt(stream("encrypt"), c.X(), label, []byte("sixteen byte key"))
	require.NoError(t, err)
	x := c.X()
	hash("label", label, "tag", "vector", "fields", []hexBytes{hexBytes("label")})
	add("ciphertext", ct.Bytes(), "x", x[:], "label", label[:], "plaintext", []byte("sixteen byte key"), "stream", "encrypt")
	hash("ciphertext digest", ct.Digest(), "ciphertext", ct.Bytes())
	secret, key := seal.DeriveReader(shamirtest.Seed("vector", 1, 2), 1)
	prekeys := quorum.Prekeys{{Member: 2, Key: key}}
	hash("reader key", key, "seed", in32(shamirtest.Seed("vector", 1, 2)), "counter", 1)
	hash("prekeys digest", prekeys.Digest(), "readers", []readerCase{{2, key[:]}})
	s := quorum.Statement{
		Chain: chain, Epoch: 1, RID: shamir.Hash("vector", []byte("rid")), Body: shamir.Hash("vector", []byte("body")),
		Model: shamir.Hash("vector", []byte("model")), KeyEpoch: 1, Label: label, U: ct.U(), Prekeys: prekeys.Digest(), Expiry: 99,
	}
	add("statement", s.Bytes(), "chain", chain[:], "epoch", 1, "rid", s.RID[:], "body", s.Body[:], "model", s.Model[:], "key_epoch", 1,
		"label", label[:], "u", s.U[:], "prekeys", s.Prekeys[:], "expiry", 99)
	hash("statement digest", s.Digest(), "statement", s.Bytes())
	var approve, seeds []quorum.Partial
	for _, k := range shares {
		a, err := quorum.Approve(k, s)
		require.NoError(t, err)
		if a.Member == 1 {
			add("approval of member 1", a.Bytes(), "key share", "of member 1", "statement", s.Bytes())
		}
		approve = append(approve, quorum.Partial{Index: a.Member, Sig: a.Approve})
		seeds = append(seeds, quorum.Partial{Index: a.Member, Sig: a.Seed})
	}
	cert, _, err := quorum.RecoverCertificate(c, s, approve)
	require.NoError(t, err)
	sig := cert.Signature()
	add("certificate", sig[:], "key shares", "any three", "statement", s.Bytes(), "dst", quorum.CertificateDST)
	hash("certificate context", cert.Context(), "certificate", sig[:], "statement", s.Bytes())
	seedSig, _, err := quorum.RecoverSeed(c, chain, s.RID, seeds)
	require.NoError(t, err)
	add("seed signature", seedSig[:], "key shares", "any three", "chain", chain[:], "rid", s.RID[:], "dst", quorum.SeedDST)
	seed, err := quorum.Seed(seedSig, s.RID)
	require.NoError(t, err)
	hash("seed", seed, "seed signature", seedSig[:], "rid", s.RID[:])

	q := quorum.Question{Chain: chain, Asker: shamir.Hash("vector", []byte("asker")), Nonce: shamir.Hash("vector", []byte("nonce"))}
	beat, err := quorum.Heartbeat(shares[0], c, q)
	require.NoError(t, err)
	require.NoError(t, quorum.VerifyHeartbeat(c, 1, q, beat))
	add("heartbeat of member 1", beat[:], "key share", "of member 1", "chain", chain[:], "asker", q.Asker[:], "nonce", q.Nonce[:])

	reader := seal.Reader{Member: 2, Role: seal.Generator, Prekeys: prekeys}
	var released [][]byte
	for _, k := range shares {
		b, err := seal.ReleaseShare(stream(fmt.Sprint("release", k.Index())), k, c, seal.NewLayers(label, ct), cert, reader)
		require.NoError(t, err)
		released = append(released, b)
	}
	add("released share of member 1", released[0], "key share", "of member 1", "ciphertext", ct.Bytes(), "certificate", sig[:],
		"statement", s.Bytes(), "reader", 2, "role", 1, "r", key[:], "stream", "release1")
	plain, _, err := seal.CombineRelease(secret, c, seal.NewLayers(label, ct), cert, reader, released)
	require.NoError(t, err)
	require.Equal(t, "sixteen byte key", string(plain[0]))

	own := shamir.Hash("vector", []byte("own"))
	layerLabel := seal.LayerLabel(own, label, ct.U())
	u := ct.U()
	hash("label of a layer", layerLabel, "own", own[:], "label", label[:], "u", u[:])
	around, err := seal.Encrypt(stream("around"), c.X(), layerLabel, []byte("key of the layer"))
	require.NoError(t, err)
	layers := seal.NewLayers(label, ct).Around(own, around)
	s2 := s
	s2.KeyEpoch, s2.Label, s2.U = 2, layers.Label(), layers.U()
	var approveLayers []quorum.Partial
	for _, k := range shares {
		p, err := quorum.SignApproval(k, s2)
		require.NoError(t, err)
		approveLayers = append(approveLayers, p)
	}
	layersCert, _, err := quorum.RecoverCertificate(c, s2, approveLayers)
	require.NoError(t, err)
	layersSig := layersCert.Signature()
	through, err := seal.ReleaseShare(stream("through"), shares[0], c, layers, layersCert, reader)
	require.NoError(t, err)
	add("released share of member 1 through two layers", through, "key share", "of member 1", "ciphertexts", []hexBytes{ct.Bytes(), around.Bytes()},
		"certificate", layersSig[:], "statement", s2.Bytes(), "reader", 2, "role", 1, "r", key[:], "stream", "through")

	public := seal.PublicLabel{Chain: chain, Purpose: "order", ID: 1}
	hash("public label", public.Hash(), "chain", chain[:], "purpose", "order", "id", 1)
	publicLabel := public.Hash()
	order, err := seal.Encrypt(stream("order"), c.X(), public.Hash(), []byte("an order"))
	require.NoError(t, err)
	add("order", order.Bytes(), "x", x[:], "label", publicLabel[:], "plaintext", []byte("an order"), "stream", "order")
	b, err = seal.OpenShare(nil, shares[0], c, public, order)
	require.NoError(t, err)
	add("opening share of member 1", b, "key share", "of member 1", "ciphertexts", []hexBytes{order.Bytes()}, "chain", chain[:], "purpose", "order", "id", 1)

	poll := seal.Poll{Chain: chain, Purpose: "jury", ID: shamir.Hash("vector", []byte("poll")), X: x, Options: 2, Minimum: 3}
	digest := poll.Digest()
	hash("poll digest", digest, "chain", chain[:], "purpose", "jury", "id", poll.ID[:], "x", x[:], "options", 2, "minimum", 3)
	sums, err := seal.NewTally(poll)
	require.NoError(t, err)
	var cast, voters []hexBytes
	for i, choice := range []int{1, 2, 0} {
		who, name := shamir.Hash("vector", fmt.Appendf(nil, "voter %d", i+1)), fmt.Sprintf("ballot %d", i+1)
		ballot, err := seal.NewBallot(stream(name), poll, who, choice)
		require.NoError(t, err)
		add(name, ballot.Bytes(), "poll", digest[:], "x", x[:], "voter", who[:], "options", 2, "choice", choice, "stream", name)
		verified, err := seal.VerifyBallot(poll, who, ballot)
		require.NoError(t, err)
		require.NoError(t, sums.Add(verified, uint64(i+1)))
		cast, voters = append(cast, ballot.Bytes()), append(voters, who[:])
	}
	tally, err := sums.MarshalBinary()
	require.NoError(t, err)
	add("tally", tally, "poll", digest[:], "ballots", cast, "voters", voters, "weights", []int{1, 2, 3})
	tallyDigest := sums.Digest()
	hash("tally digest", tallyDigest, "tally", tally)
	var opened [][]byte
	var opening []hexBytes
	for _, k := range shares[:c.T()] {
		b, err := seal.TallyShare(nil, k, c, sums)
		require.NoError(t, err)
		opened, opening = append(opened, b), append(opening, b)
	}
	add("tally share of member 1", opened[0], "key share", "of member 1", "tally", tally)
	counts, _, err := seal.CombineTally(c, sums, opened)
	require.NoError(t, err)
	var numbers []byte
	for _, v := range counts {
		numbers = append(numbers, shamir.Uint64(v)...)
	}
	add("counts of none and of each option, eight bytes each", numbers, "tally", tally, "shares", opening)
	require.Equal(t, []uint64{3, 1, 2}, counts)
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
