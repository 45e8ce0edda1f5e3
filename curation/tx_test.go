package curation

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

const testCID = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"

func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func addressOf(name string) Address {
	return AddressOf(testKey(name).Public().(ed25519.PublicKey))
}

func sampleApplication() Application {
	a, err := Apply(Hash{1}, Hash{}, "Eve", []string{"/ip4/203.0.113.7/udp/4001/quic-v1"}, testKey("eve"), testKey("eve's validator"))
	if err != nil {
		panic(err)
	}
	return a
}

func sampleEvidence() Evidence {
	raw, err := Sign(testKey("eve"), [32]byte{1}, Body{Payload: CeremonyMessage{Epoch: 1, Message: 1, Data: []byte("commit")}})
	if err != nil {
		panic(err)
	}
	return Evidence{Member: 3, Message: raw}
}

func samplePlan() Plan {
	return Plan{Number: 1, ModelID: Hash{4}, Length: 100, Steps: 10, Batch: 8, RatePPM: 6000, Clip: 5 << 16, JoinBlocks: 9, TrainBlocks: 9}
}

// samples has one payload of each kind.
func samples() []Payload {
	return []Payload{
		Send{To: addressOf("bob"), Amount: curve.Credits(3)},
		Prekeys{Points: [][32]byte{{1}, {2}}},
		CeremonyMessage{Epoch: 1, Message: 2, Data: []byte("bundle")},
		HandOver{Epoch: 2, DealKey: Hash{9}, Proof: [64]byte{10}},
		Admit{Application: sampleApplication()},
		Remove{Member: 3},
		Leave{},
		sampleEvidence(),
		Seal{Name: "dusk", KeyEpoch: 1, PlainHash: Hash{1}, PolicyHash: Hash{2}, ContainerHash: Hash{3}, ContainerCID: testCID, ContainerSize: 9, Ciphertext: []byte("box")},
		Adopt{KeyEpoch: 2},
		Rotate{Base: 1, KeyEpoch: 2, ContainerCID: testCID, ContainerHash: Hash{3}, ContainerSize: 9, Ciphertext: []byte("box")},
		Stored{KeyEpoch: 2},
		RecordPrior{Version: 1, Round: 1, Prior: Hash{5}, Lexicon: Hash{6}},
		Train{Plan: samplePlan()},
		Join{Number: 1, Reader: Hash{3}},
		TrainingMessage{Number: 1, Message: 2, Body: []byte("shares")},
		Request{Prompt: "a lighthouse in fog", ModelID: Hash{4}},
		Edition{ModelID: Hash{4}, Of: []Hash{{5}, {6}}, Size: 512, Frames: 48, Length: 4000, Once: true, Changes: []byte{2, 0, 120}, Colours: &Hash{7}},
		Certify{RID: Hash{5}, Certificate: [48]byte{6}, SeedSignature: [48]byte{7}},
		Register{RID: Hash{5}, CID: testCID, PixelRoot: Hash{8}},
		Attest{RID: Hash{5}, PixelRoot: Hash{8}},
		SealedOrder{Round: 1, Escrow: curve.Credits(10), Box: []byte("sealed")},
		OrderShares{Round: 1, Share: []byte{1, 2}},
		Sell{RID: Hash{5}, Tokens: curve.NewAmount(7), MinOut: curve.NewAmount(1)},
		ShareReport{Epoch: 1, Proof: bytes.Repeat([]byte{1}, 64)},
		Accept{Sharing: 1, DealKey: Hash{9}, Proof: [64]byte{10}},
		GuardianMessage{Sharing: 1, Message: 2, Data: []byte("bundle")},
		Recover{},
		Object{},
		Publish{Share: Hash{11}},
	}
}

func TestEveryKindSurvivesTheWireAndVerifiesOnItsOwnChainOnly(t *testing.T) {
	home, away := [32]byte{1}, [32]byte{2}
	require.Len(t, samples(), len(payloads), "a sample for each kind")
	for _, payload := range samples() {
		t.Run(string(payload.Kind()), func(t *testing.T) {
			raw, err := Sign(testKey("alice"), home, Body{Nonce: 3, ValidUntil: 99, Payload: payload})
			require.NoError(t, err)
			tx, err := Decode(raw)
			require.NoError(t, err)
			require.Equal(t, payload, tx.Payload)
			require.Equal(t, addressOf("alice"), tx.Signer)
			require.Equal(t, uint64(3), tx.Nonce)
			require.Equal(t, uint64(99), tx.ValidUntil)
			require.True(t, tx.Verify(home))
			require.False(t, tx.Verify(away), "a replay on another chain")
			id, err := TxID(raw)
			require.NoError(t, err)
			require.Equal(t, tx.ID(), id)
		})
	}
}

func TestAnyChangedByteIsRefusedOrBreaksTheSignature(t *testing.T) {
	chain := [32]byte{1}
	for _, payload := range samples() {
		raw, err := Sign(testKey("alice"), chain, Body{Payload: payload})
		require.NoError(t, err)
		for i := range raw {
			bad := bytes.Clone(raw)
			bad[i] ^= 1
			tx, err := Decode(bad)
			require.True(t, err != nil || !tx.Verify(chain), "%s: byte %d", payload.Kind(), i)
		}
		_, err = Decode(append(bytes.Clone(raw), 0))
		require.ErrorIs(t, err, ErrTx, "trailing byte")
	}
}

func TestPayloadsOutsideTheirLimitsAreRefused(t *testing.T) {
	for name, payload := range map[string]Payload{
		"a transfer of nothing":          Send{},
		"no prekeys":                     Prekeys{},
		"a batch of 65 prekeys":          Prekeys{Points: make([][32]byte, MaxPrekeyBatch+1)},
		"an empty ceremony message":      CeremonyMessage{},
		"a seal without name":            Seal{ContainerCID: testCID, Ciphertext: []byte{1}},
		"a seal without CID":             Seal{Name: "a", Ciphertext: []byte{1}},
		"a seal without ciphertext":      Seal{Name: "a", ContainerCID: testCID},
		"a version without a hash":       RecordPrior{Lexicon: Hash{1}},
		"a version without a lexicon":    RecordPrior{Prior: Hash{1}},
		"a blank prompt":                 Request{Prompt: "  "},
		"a prompt of 201 bytes":          Request{Prompt: strings.Repeat("a", 201)},
		"a prompt with a line break":     Request{Prompt: "a\nb"},
		"a prompt with a direction mark": Request{Prompt: "a\u202eb"},
		"a prompt that is not UTF-8":     Request{Prompt: "a\xff"},
		"a CID without a pixel root":     Register{CID: testCID},
		"a pixel root without a CID":     Register{PixelRoot: Hash{8}},
		"a version 0 CID":                Register{CID: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", PixelRoot: Hash{8}},
		"a CID in another base":          Register{CID: "zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA", PixelRoot: Hash{8}},
		"an order that locks nothing":    SealedOrder{Round: 1, Box: []byte{1}},
		"an order without box":           SealedOrder{Round: 1, Escrow: curve.NewAmount(1)},
		"a sealed order of 5 KiB":        SealedOrder{Round: 1, Escrow: curve.NewAmount(1), Box: make([]byte, 5<<10)},
		"an empty opening":               OrderShares{Round: 1},
		"a sale of nothing":              Sell{},
		"a ceremony message over 60 KiB": CeremonyMessage{Data: make([]byte, MaxCeremonyData+1)},
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, payload.Validate())
			_, err := Sign(testKey("alice"), [32]byte{}, Body{Payload: payload})
			require.Error(t, err)
		})
	}
}

func TestAddressesHaveOneSpelling(t *testing.T) {
	a := addressOf("alice")
	require.True(t, strings.HasPrefix(a.String(), "z6Mk"))
	back, err := ParseAddress(a.String())
	require.NoError(t, err)
	require.Equal(t, a, back)
	require.Len(t, Address{}.String(), addressText)
	var full Address
	for i := range full {
		full[i] = 0xff
	}
	require.Len(t, full.String(), addressText)
	for name, text := range map[string]string{
		"nothing":          "",
		"a capital Z":      "Z" + a.String()[1:],
		"one digit less":   a.String()[:47],
		"one digit more":   a.String() + "1",
		"a foreign letter": a.String()[:47] + "0",
		"another key type": "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc",
	} {
		_, err := ParseAddress(text)
		require.ErrorIs(t, err, ErrAddress, name)
	}
}

func TestOpenOrdersHaveOneLength(t *testing.T) {
	small := OpenOrder{Account: addressOf("alice"), RID: Hash{1}, Deposit: curve.NewAmount(1)}
	large := OpenOrder{RID: Hash{2}, Deposit: curve.MaxAmount, MinOut: curve.MaxAmount}
	require.Len(t, small.Bytes(), 103)
	require.Len(t, large.Bytes(), 103)
	for _, o := range []OpenOrder{small, large} {
		back, err := ParseOpenOrder(o.Bytes())
		require.NoError(t, err)
		require.Equal(t, o, back)
	}
	_, err := ParseOpenOrder(OpenOrder{RID: Hash{1}}.Bytes())
	require.Error(t, err, "a deposit of nothing")
	_, err = ParseOpenOrder(encode(wireOrder{Deposit: [16]byte{1}}))
	require.Error(t, err, "a deposit above the range of amounts")
}

func FuzzDecode(f *testing.F) {
	for _, payload := range samples() {
		raw, err := Sign(testKey("alice"), [32]byte{1}, Body{Payload: payload})
		require.NoError(f, err)
		f.Add(raw)
		f.Add(raw[:len(raw)/2])
	}
	f.Add([]byte{0x9f, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := Decode(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrTx)
			return
		}
		again := encode(envelope{Version: 1, Body: tx.Body.Bytes(), KeyType: 1, PublicKey: tx.Signer, Signature: tx.Signature})
		require.Equal(t, raw, again)
		tx.Verify([32]byte{1})
	})
}

func FuzzOpenOrder(f *testing.F) {
	f.Add(OpenOrder{RID: Hash{1}, Deposit: curve.Credits(1)}.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, err := ParseOpenOrder(data); err == nil {
			require.Equal(t, data, o.Bytes())
		}
	})
}
