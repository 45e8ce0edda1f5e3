package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/ledger.json with what the code gives")

// TestLedgerVectors pins what section 13 says of the ledger: a receipt of the first
// release, a transaction, and proofs of what a state holds and does not hold.
func TestLedgerVectors(t *testing.T) {
	got, err := json.MarshalIndent(ledgerVectors(t), "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	if *rewrite {
		require.NoError(t, os.WriteFile("testdata/ledger.json", got, 0o644))
	}
	want, err := os.ReadFile("testdata/ledger.json")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func first(t *testing.T) fields {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, "release.json"))
	require.NoError(t, err)
	var file struct{ Releases []fields }
	require.NoError(t, json.Unmarshal(b, &file))
	return file.Releases[0]
}

func ledgerVectors(t *testing.T) fields {
	t.Helper()
	r, at := first(t), func(f fields, name string) [32]byte { return [32]byte(f.bytes(name)) }
	container, err := storage.FileCID([]byte("a sealed model"))
	require.NoError(t, err)
	receipt := storage.Receipt{
		Version: storage.ReceiptVersion, Chain: at(r, "chain"), RequestID: at(r, "rid"), RequestHeight: r.number("height"), ExpiryHeight: 60,
		Collector: [32]byte{1}, Prompt: "dusk over water", Body: r.bytes("body"), Model: at(r, "model"), ModelCID: storage.Link{Cid: container},
		KeyEpoch: 1, CommitteeEpoch: 1, Label: at(r, "label"), U: [32]byte(r.bytes("ciphertext")[:32]), Certificate: [48]byte(r.bytes("certificate")),
		SeedSignature: [48]byte(r.bytes("seed_signature")), Seed: at(r, "seed"), GeneratorIndex: r.number("reader"), Generator: [32]byte{2},
		Kernel: "phase-16", Width: 256, Height: 256, PixelRoot: [32]byte{3},
	}
	for _, k := range r.list("readers") {
		receipt.Readers = append(receipt.Readers, storage.Reader{Member: uint32(k.number("member")), Key: at(k, "key")})
		if k.number("member") == r.number("reader") {
			receipt.GeneratorPrekey = at(k, "key")
		}
	}
	encoded, err := receipt.Encode()
	require.NoError(t, err)

	seed := sha256.Sum256([]byte("collector"))
	key := ed25519.NewKeyFromSeed(seed[:])
	tx, err := curation.Sign(key, at(r, "chain"), curation.Body{Nonce: 7, ValidUntil: 1000, Payload: curation.Send{To: curation.Address{2}, Amount: curve.Credits(3)}})
	require.NoError(t, err)
	decoded, err := curation.Decode(tx)
	require.NoError(t, err)

	share := r.list("shares")[0].bytes("hex")
	signature := curation.SignRelease(key, at(r, "context"), seal.Role(r.number("role")), uint32(r.number("reader")), share)
	wrong := slices.Clone(share)
	wrong[161] ^= 1
	evidence := func(e curation.Evidence) string {
		signed, err := curation.Sign(key, at(r, "chain"), curation.Body{Payload: e})
		require.NoError(t, err)
		tx, err := curation.Decode(signed)
		require.NoError(t, err)
		var body []cbor.RawMessage
		require.NoError(t, cbor.Unmarshal(tx.BodyBytes, &body))
		return hex.EncodeToString(body[3])
	}
	contradiction := r.bytes("statement")
	contradiction[254]++
	partial := append([]byte{0, 3}, r.bytes("certificate")...) // of the right form

	names := []string{"artwork", "ceremony", "member"}
	s := state.New(5, names...)
	var changes []state.Change
	for i := range byte(60) {
		changes = append(changes, state.Change{Key: append([]byte("artwork/"), i), Value: []byte{1, i}})
	}
	s.Apply(s.Stage(append(changes, state.Change{Key: []byte("ceremony/log"), Value: []byte("a log")})))
	var proofs []fields
	for _, c := range []struct{ key, value string }{
		{"artwork/\x07", "\x01\x07"}, {"ceremony/log", "a log"}, {"artwork/\x40", ""}, {"member/none", ""},
	} {
		p, err := s.Prove([]byte(c.key)).MarshalBinary()
		require.NoError(t, err)
		proofs = append(proofs, fields{"key": hex.EncodeToString([]byte(c.key)), "value": hex.EncodeToString([]byte(c.value)), "proof": hex.EncodeToString(p)})
	}
	root := s.Hash()
	folder, err := storage.FolderCID([]storage.File{{Name: storage.ReceiptName, Data: encoded}, {Name: storage.ImageName, Data: counting(largePicture)}, {Name: storage.MetadataName, Data: []byte("{}")}})
	require.NoError(t, err)
	return fields{
		"receipt": hex.EncodeToString(encoded),
		"record":  hex.EncodeToString(record(t, receipt, r)),
		"folder": fields{"cid": folder.String(), "files": []fields{{"name": storage.ImageName, "size": largePicture},
			{"name": storage.MetadataName, "hex": hex.EncodeToString([]byte("{}"))}, {"name": storage.ReceiptName, "hex": hex.EncodeToString(encoded)}}},
		"answer": fields{"context": r["context"], "reader": r["reader"], "role": r["role"], "account": hex.EncodeToString(key.Public().(ed25519.PublicKey)),
			"signed": hex.EncodeToString(append(signature[:], share...))},
		"evidence": []fields{
			{"member": 1, "share": hex.EncodeToString(wrong), "payload": evidence(curation.Evidence{Member: 1, Share: &curation.SignedShare{RID: at(r, "rid"), Role: uint8(r.number("role")),
				Reader: uint32(r.number("reader")), Share: wrong, Signature: curation.SignRelease(key, at(r, "context"), seal.Role(r.number("role")), uint32(r.number("reader")), wrong)}})},
			{"member": 3, "approval": hex.EncodeToString(contradiction), "payload": evidence(curation.Evidence{Member: 3, Approval: &curation.SignedStatement{Statement: contradiction, Partial: partial}})},
		},
		"transaction": fields{"chain": r["chain"], "signed": hex.EncodeToString(tx), "id": decoded.ID().String()},
		"state":       fields{"root": hex.EncodeToString(root[:]), "modules": names, "proofs": proofs},
	}
}

// largePicture is more than two pieces of a file.
const largePicture = 2<<20 + 77

func counting(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// record is what the ledger holds of the receipt's artwork.
func record(t *testing.T, c storage.Receipt, r fields) []byte {
	t.Helper()
	a := curation.Artwork{
		Opening: curation.Opening{
			RID: c.RequestID, BodyHash: sha256.Sum256(c.Body), ModelID: c.Model, KeyEpoch: c.KeyEpoch, Label: c.Label, U: c.U, Epoch: c.CommitteeEpoch,
			Requested: c.RequestHeight, Position: int(r.number("position")), Expiry: c.ExpiryHeight,
			Approved: 21, Certificate: c.Certificate[:], SeedSignature: c.SeedSignature[:], Seed: c.Seed,
		},
		Status: curation.StatusPublished, Requester: c.Collector, Prompt: c.Prompt, Deposit: curve.Credits(100),
		Registered: 23, Generator: uint32(c.GeneratorIndex), CID: "bafy", PixelRoot: c.PixelRoot, Attested: 26, Auditor: 3, AuditedRoot: c.PixelRoot,
		Round: 1, Settled: 40, Backing: curve.Credits(7), Backers: 2, Score: curve.NewAmount(1), Ended: 40,
	}
	for _, k := range c.Readers {
		a.Prekeys = append(a.Prekeys, curation.ReaderKey{Member: k.Member, R: k.Key})
		a.Order = append(a.Order, k.Member)
	}
	order, err := cbor.CoreDetEncOptions().EncMode()
	require.NoError(t, err)
	encoded, err := order.Marshal(a)
	require.NoError(t, err)
	same, err := curation.DecodeArtwork(encoded)
	require.NoError(t, err)
	require.Equal(t, a, same)
	return encoded
}

// node is a dag-pb node of section 13 with its CID, and the bytes of it and all below.
type node struct {
	name string
	cid  []byte
	sum  int
}

func pb(field byte, b []byte) []byte {
	return append(binary.AppendUvarint([]byte{field}, uint64(len(b))), b...)
}

func leaf(name string, codec byte, b []byte) node {
	sum := sha256.Sum256(b)
	return node{name, append([]byte{1, codec, 0x12, 0x20}, sum[:]...), len(b)}
}

func branch(name string, links []node, data []byte) node {
	var b []byte
	all := 0
	for _, l := range links {
		b = append(b, pb(0x12, slices.Concat(pb(0x0a, l.cid), pb(0x12, []byte(l.name)), binary.AppendUvarint([]byte{0x18}, uint64(l.sum))))...)
		all += l.sum
	}
	n := leaf(name, 0x70, append(b, pb(0x0a, data)...))
	n.sum += all
	return n
}

func fileNode(name string, b []byte) node {
	if len(b) <= 1<<20 {
		return leaf(name, 0x55, b)
	}
	data := binary.AppendUvarint([]byte{8, 2, 0x18}, uint64(len(b)))
	var links []node
	for piece := range slices.Chunk(b, 1<<20) {
		links, data = append(links, leaf("", 0x55, piece)), binary.AppendUvarint(append(data, 0x20), uint64(len(piece)))
	}
	return branch(name, links, data)
}

func TestTheLedgerVectorsFollowFromTheSpecification(t *testing.T) {
	b, err := os.ReadFile("testdata/ledger.json")
	require.NoError(t, err)
	var file fields
	require.NoError(t, json.Unmarshal(b, &file))
	sub := func(name string) fields { m, _ := file[name].(map[string]any); return m }

	t.Run("the statement of a release follows from its receipt", func(t *testing.T) {
		raw := file.bytes("receipt")
		var r map[string]any
		require.NoError(t, cbor.Unmarshal(raw, &r))
		order, err := cbor.CoreDetEncOptions().EncMode()
		require.NoError(t, err)
		again, err := order.Marshal(r)
		require.NoError(t, err)
		require.Equal(t, raw, again)
		field := func(name string) []byte { return r[name].([]byte) }
		number := func(name string) uint64 { return r[name].(uint64) }
		var table []byte
		for _, k := range r["readers"].([]any) {
			reader := k.(map[any]any)
			table = slices.Concat(table, u32(reader["member"].(uint64)), reader["key"].([]byte))
		}
		body := sha256.Sum256(field("body"))
		statement := slices.Concat([]byte("release"), field("chain"), u64(number("committee_epoch")), field("request_id"), body[:], field("model"),
			u64(number("key_epoch")), field("label"), field("u"), hash("prekeys", table), u64(number("expiry_height")))
		require.Equal(t, first(t).bytes("statement"), statement)
		require.Len(t, r, 25)
	})

	t.Run("a folder is named by its files", func(t *testing.T) {
		var links []node
		for _, f := range sub("folder").list("files") {
			b := f.bytes("hex")
			if size := f.number("size"); size > 0 {
				b = counting(int(size))
			}
			links = append(links, fileNode(f.text("name"), b))
		}
		cid := branch("", links, []byte{8, 1}).cid
		require.Equal(t, sub("folder").text("cid"), "b"+strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(cid)))
	})

	t.Run("a record has its fields in their places", func(t *testing.T) {
		var receipt map[string]any
		var a []any
		require.NoError(t, cbor.Unmarshal(file.bytes("receipt"), &receipt))
		require.NoError(t, cbor.Unmarshal(file.bytes("record"), &a))
		require.Len(t, a, 39)
		for place, name := range map[int]string{0: "request_id", 2: "model", 3: "key_epoch", 4: "label", 5: "u", 6: "committee_epoch",
			8: "request_height", 10: "expiry_height", 12: "certificate", 13: "seed_signature", 14: "seed", 17: "collector", 18: "prompt", 22: "generator_index", 24: "pixel_root", 27: "pixel_root"} {
			require.Equal(t, receipt[name], a[place], name)
		}
		body := a[1].([]byte)
		require.Equal(t, a[0], hash("rid", body, u64(a[8].(uint64)), u64(a[9].(uint64))))
		require.Equal(t, new(big.Int).SetInt64(100_000_000_000).Bytes(), a[20])
		require.Equal(t, receipt["readers"].([]any)[0].(map[any]any)["key"], a[7].([]any)[0].([]any)[1])
		require.Equal(t, []any{uint64(21), uint64(23), uint64(26), uint64(3)}, []any{a[11], a[21], a[25], a[26]})
		require.Equal(t, []any{uint64(1), uint64(0), uint64(40), uint64(2), uint64(40), ""}, []any{a[28], a[29], a[30], a[32], a[34], a[35]})
		require.Equal(t, []any{nil, []byte{}, uint64(0)}, a[36:])
	})

	t.Run("a transaction is signed for its chain", func(t *testing.T) {
		f := sub("transaction")
		var envelope []any
		require.NoError(t, cbor.Unmarshal(f.bytes("signed"), &envelope))
		require.Len(t, envelope, 5)
		require.Equal(t, []any{uint64(1), uint64(1)}, []any{envelope[0], envelope[2]})
		body, key, signature := envelope[1].([]byte), envelope[3].([]byte), envelope[4].([]byte)
		sum := sha256.Sum256(body)
		require.True(t, ed25519.Verify(key, slices.Concat([]byte("atelier/tx/v1"), u64(uint64(len(body))), f.bytes("chain"), sum[:]), signature))
		require.Equal(t, f.bytes("id"), ledgerHash("tx", key, body))
	})

	t.Run("an answer is signed for its certificate, reader and role", func(t *testing.T) {
		f := sub("answer")
		signed := f.bytes("signed")
		signature, share := signed[:64], signed[64:]
		require.Len(t, share, 162)
		require.True(t, ed25519.Verify(f.bytes("account"), ledgerHash("release", f.bytes("context"), u64(f.number("reader")), []byte{byte(f.number("role"))}, share), signature))
		require.False(t, ed25519.Verify(f.bytes("account"), ledgerHash("release", f.bytes("context"), u64(f.number("reader")+1), []byte{byte(f.number("role"))}, share), signature))
	})

	t.Run("evidence is one of three things", func(t *testing.T) {
		answer := sub("answer")
		for _, f := range file.list("evidence") {
			var e []any
			require.NoError(t, cbor.Unmarshal(f.bytes("payload"), &e))
			require.Len(t, e, 4)
			require.Equal(t, f.number("member"), e[0])
			require.Empty(t, e[2])
			if e[1] == nil {
				require.Equal(t, f.bytes("approval"), e[3].([]any)[0])
				require.Len(t, e[3].([]any)[1], 50)
				continue
			}
			require.Nil(t, e[3])
			s := e[1].([]any)
			require.Equal(t, []any{first(t).bytes("rid"), answer.number("role"), answer.number("reader"), f.bytes("share")}, s[:4])
			require.True(t, ed25519.Verify(answer.bytes("account"), ledgerHash("release", answer.bytes("context"), u64(s[2].(uint64)), []byte{byte(s[1].(uint64))}, s[3].([]byte)), s[4].([]byte)))
		}
	})

	t.Run("a proof shows what the state holds and does not hold", func(t *testing.T) {
		f := sub("state")
		for _, p := range f.list("proofs") {
			require.Empty(t, attempt(func() { holds(f.bytes("root"), p.bytes("key"), p.bytes("value"), p.bytes("proof")) }))
			require.NotEmpty(t, attempt(func() { holds(f.bytes("root"), p.bytes("key"), []byte("another"), p.bytes("proof")) }))
			wrong := p.bytes("proof")
			wrong[len(wrong)-1] ^= 1
			require.NotEmpty(t, attempt(func() { holds(f.bytes("root"), p.bytes("key"), p.bytes("value"), wrong) }))
		}
	})
}

// holds is the state proof of section 13; no value means that there is none.
func holds(root, key, value, proof []byte) {
	in, zero := input(proof), make([]byte, 32)
	need(in.number(1) == 1, "version")
	bits, module, modules, set, pairs := in.number(1), in.number(1), in.number(1), in.number(4), in.number(1)
	need(4 <= bits && bits <= 24 && set>>bits == 0 && module < modules && modules <= 32, "numbers")
	name, _, found := bytes.Cut(key, []byte("/"))
	need(found, "a key of no module")
	k, v := sha256.Sum256(key), sha256.Sum256(value)
	bucket := func(h []byte) uint64 { from := input(h); return from.number(4) >> (32 - bits) }
	there, h, last := false, zero, []byte(nil)
	hashed := []byte{0}
	for range pairs {
		pk, pv := in.take(32), in.take(32)
		need(last == nil || bytes.Compare(last, pk) < 0, "order")
		need(bucket(pk) == bucket(k[:]), "bucket")
		if last = pk; bytes.Equal(pk, k[:]) {
			there = true
			need(len(value) > 0 && bytes.Equal(pv, v[:]), "another value")
		}
		hashed = slices.Concat(hashed, pk, pv)
	}
	need(there == (len(value) > 0), "no value")
	if pairs > 0 {
		sum := sha256.Sum256(hashed)
		h = sum[:]
	}
	up := func(place uint64, sibling []byte) {
		left, right := h, sibling
		if place&1 == 1 {
			left, right = sibling, h
		}
		if bytes.Equal(left, zero) && bytes.Equal(right, zero) {
			h = zero
			return
		}
		sum := sha256.Sum256(slices.Concat([]byte{1}, left, right))
		h = sum[:]
	}
	for l := range bits {
		sibling := zero
		if set>>l&1 == 1 {
			sibling = in.take(32)
			need(!bytes.Equal(sibling, zero), "zeros written out")
		}
		up(bucket(k[:])>>l, sibling)
	}
	h = ledgerHash("module", name, h)
	for l := uint64(0); 1<<l < modules; l++ {
		up(module>>l, in.take(32))
	}
	in.end()
	need(bytes.Equal(root, ledgerHash("state", u64(bits), u64(modules), h)), "another state")
}
