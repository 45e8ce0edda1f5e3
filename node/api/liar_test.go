package api_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// A node that knows the transcript of the guardians' sharing, as everybody does, tells of
// the same sharing with the guardian's deals spoiled: who disputed those would reveal the
// keys of the real ones, which are its share.
func TestANodeThatSpoilsDealsLearnsNoShare(t *testing.T) {
	const guardians, threshold = 3, 2
	chain := curation.Hash{9}
	c, shares, err := shamirtest.Dealt("members", 1, 4)
	require.NoError(t, err)
	p := dkg.Params{Epoch: 1, Threshold: threshold, Previous: c, Session: dkg.Session(curation.GuardianChain(chain), 1, c.Digest(), 1),
		Deadlines: dkg.Deadlines{Commit: 4, Bundle: 4, Dispute: 2, Acknowledge: 4}}
	seed := func(g uint32) [32]byte { return [32]byte{1, byte(g)} }
	var parties []*dkg.Party
	for i, s := range shares {
		d, err := dkg.NewHandoverParty(s, 0, [32]byte{9, byte(i)})
		require.NoError(t, err)
		parties = append(parties, d)
	}
	for g := uint32(1); g <= guardians; g++ {
		d, err := dkg.NewHandoverParty(nil, g, seed(g))
		require.NoError(t, err)
		parties, p.DealKeys = append(parties, d), append(p.DealKeys, dkg.DealKey(seed(g)))
	}
	log, err := dkg.NewLog(p, 1)
	require.NoError(t, err)
	require.NoError(t, shamirtest.Finish(log, parties))
	raw, err := log.MarshalBinary()
	require.NoError(t, err)
	id := log.ID()

	gerda := apitest.Address("Gerda")
	x, y := c.X(), c.Y()
	told := api.Succession{Chain: chain, Height: 20, X: x[:], Y: y[:], Policy: "guardian", Threshold: threshold, AnswerBlocks: 5, DelayBlocks: 5, Next: 2,
		Guardians: []api.Guardian{{Number: 1, Name: "Gerda", Account: gerda}, {Number: 2, Name: "Hakan"}, {Number: 3, Name: "Ilse"}}}
	at := bytes.Index(raw, must(t)(c.MarshalBinary())) + 45 + 128*5 + 8
	again := func(spoil byte) []byte { // the log as it stood when disputes began
		out := append(bytes.Clone(raw[:at]), byte(dkg.PhaseDispute), 0)
		out = binary.BigEndian.AppendUint64(out, 9)
		for dealer := uint32(1); dealer <= 4; dealer++ {
			body := log.Said(dealer, dkg.KindBundle)
			body[len(body)-80*guardians] ^= spoil
			commit := shamir.Hash("bundle commitment", id[:], shamir.Uint64(uint64(dealer)), body)
			out = append(append(append(out, 3), commit[:]...), body...)
		}
		return append(out, make([]byte, guardians+1)...)
	}
	g := guardian.Guardian{Account: gerda, Seeds: map[uint64][32]byte{1: seed(1)}}
	told.Running = &api.Sharing{Number: 1, Epoch: 1, Seats: []uint32{1, 2, 3}, Transcript: again(0)}
	l, err := told.Ledger()
	require.NoError(t, err, "so far it is the truth")
	effects, err := g.Step(l, false, rand.Reader)
	require.NoError(t, err)
	require.Equal(t, []guardian.Effect{guardian.KeepNetwork{Network: l.Network}}, effects, "the deals are in order")

	told.Running.Transcript = again(1)
	_, err = told.Ledger()
	require.ErrorContains(t, err, "a ceremony that does not hold")
	l.Running, err = dkg.UnmarshalLog(again(1)) // and if nobody had audited it
	require.NoError(t, err)
	effects, err = g.Step(l, false, rand.Reader)
	require.ErrorContains(t, err, "nothing is revealed")
	require.Empty(t, effects)

	// What was at stake: the key that a dispute of Gerda's would have revealed opens her
	// real deal.
	bundle := log.Said(1, dkg.KindBundle)
	eph := bundle[224*threshold : 224*threshold+32]
	e, err := shamir.DecodePoint(shamir.Ristretto255, eph)
	require.NoError(t, err)
	s := seed(1)
	revealed := shamir.Encode(e.Mul(shamir.HashScalar(shamir.Ristretto255, "deal key", s[:]), e))
	info := shamir.Hash("deal", shamir.Uint64(1), shamir.Uint64(1), eph, p.DealKeys[0][:])
	key, err := hkdf.Key(sha256.New, revealed, id[:], string(info[:]), 32)
	require.NoError(t, err)
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	aead, err := cipher.NewGCM(block)
	require.NoError(t, err)
	_, err = aead.Open(nil, make([]byte, 12), bundle[len(bundle)-80*guardians:][:80], nil)
	require.NoError(t, err)
}

func must(t *testing.T) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		require.NoError(t, err)
		return b
	}
}
