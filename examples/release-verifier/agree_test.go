package main

import (
	"crypto/sha256"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// TestTheCasesAreWhatTheLedgerWouldHold computes with package curation what the
// cases say of requests, models and labels: shamir's own tests cannot import it.
func TestTheCasesAreWhatTheLedgerWouldHold(t *testing.T) {
	b, err := os.ReadFile(vectors + "/release.json")
	require.NoError(t, err)
	var file struct{ Releases []fields }
	require.NoError(t, json.Unmarshal(b, &file))
	require.Len(t, file.Releases, 5)
	for _, r := range file.Releases {
		at := func(name string) curation.Hash { return curation.Hash(r.bytes(name)) }
		chain, x := at("chain"), [32]byte(r.bytes("committee")[45:77])
		hashed := sha256.Sum256(r.bytes("body"))
		body, err := curation.DecodeBody(r.bytes("body"))
		require.NoError(t, err)
		if r.number("role") == 3 {
			require.Equal(t, curation.Train{Plan: curation.Plan{Number: 1, ModelID: at("model"), Length: 1000, Steps: 10, Batch: 8, RatePPM: 6000, Clip: 5 << 16, JoinBlocks: 100, TrainBlocks: 100}}, body.Payload)
		} else {
			require.Equal(t, curation.Request{Prompt: "dusk over water", ModelID: at("model")}, body.Payload)
		}
		require.Equal(t, at("rid"), curation.RequestID(hashed, r.number("height"), int(r.number("position"))))
		require.Equal(t, at("model"), curation.ModelID(at("plain_hash")))
		policy := curation.PolicyHash(curation.Charter{Name: "Vector", Text: "We release what the charter says."})
		require.Equal(t, at("policy_hash"), policy)
		require.Equal(t, at("label"), curation.ModelLabel(chain, at("model"), r.number("key_epoch"), policy, x))

		keyEpoch, label, u := r.number("key_epoch"), at("label"), curation.Hash(r.bytes("ciphertext")[:32])
		for _, l := range r.list("layers") {
			keyEpoch = l.number("key_epoch")
			label = seal.LayerLabel(curation.ModelLabel(chain, at("model"), keyEpoch, policy, x), label, u)
			require.Equal(t, curation.Hash(l.bytes("label")), label)
			u = curation.Hash(l.bytes("ciphertext")[:32])
		}
		s, err := quorum.ParseStatement(r.bytes("statement"))
		require.NoError(t, err)
		a := curation.Opening{
			RID: at("rid"), BodyHash: hashed, ModelID: at("model"), KeyEpoch: keyEpoch, Label: label,
			U: u, Epoch: s.Epoch, Expiry: s.Expiry,
		}
		var members, order []uint32
		for i, k := range r.list("readers") {
			a.Prekeys = append(a.Prekeys, curation.ReaderKey{Member: uint32(k.number("member")), R: curation.Hash(k.bytes("key"))})
			members, order = append(members, a.Prekeys[i].Member), append(order, uint32(r.numbers("order")[i]))
		}
		require.Equal(t, curation.StatementFor(chain, a), s)
		require.Equal(t, order, curation.Draw(at("seed"), members))
	}
}

// TestTheDrawIsThatOfTheLedger tries the draw at sizes that the cases do not have.
func TestTheDrawIsThatOfTheLedger(t *testing.T) {
	for n := range 40 {
		seed := curation.Hash(sha256.Sum256([]byte{byte(n)}))
		var members []uint32
		var same []uint64
		for m := range n {
			members, same = append(members, uint32(m+1)), append(same, uint64(m+1))
		}
		var order []uint64
		for _, m := range curation.Draw(seed, members) {
			order = append(order, uint64(m))
		}
		require.Equal(t, order, draw(seed[:], same))
	}
}
