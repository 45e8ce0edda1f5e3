package shamir_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// releaseCase is one release of one model to one reader.
type releaseCase struct {
	Name          string       `json:"name"`
	Chain         hexBytes     `json:"chain"`
	Committee     hexBytes     `json:"committee"`
	PlainHash     hexBytes     `json:"plain_hash"`
	PolicyHash    hexBytes     `json:"policy_hash"`
	KeyEpoch      uint64       `json:"key_epoch"`
	Model         hexBytes     `json:"model"`
	Label         hexBytes     `json:"label"`
	Ciphertext    hexBytes     `json:"ciphertext"`
	Body          hexBytes     `json:"body"`
	Height        uint64       `json:"height"`
	Position      uint64       `json:"position"`
	RID           hexBytes     `json:"rid"`
	Readers       []readerCase `json:"readers"`
	Statement     hexBytes     `json:"statement"`
	Certificate   hexBytes     `json:"certificate"`
	Context       hexBytes     `json:"context"`
	SeedSignature hexBytes     `json:"seed_signature"`
	Seed          hexBytes     `json:"seed"`
	Order         []uint32     `json:"order"`
	Role          uint8        `json:"role"`
	Turn          int          `json:"turn"`
	Reader        uint32       `json:"reader"`
	Secret        hexBytes     `json:"secret"`
	Shares        []shareCase  `json:"shares"`
	Plaintext     hexBytes     `json:"plaintext"`
	Layers        []layerCase  `json:"layers,omitempty"`
}

// layerCase is a layer around what comes before it.
type layerCase struct {
	KeyEpoch   uint64   `json:"key_epoch"`
	Label      hexBytes `json:"label"`
	Ciphertext hexBytes `json:"ciphertext"`
	Plaintext  hexBytes `json:"plaintext"`
}

type readerCase struct {
	Member uint32   `json:"member"`
	Key    hexBytes `json:"key"`
}

// shareCase is a released share and what becomes of it: "good", or what is wrong.
type shareCase struct {
	Name    string   `json:"name"`
	Hex     hexBytes `json:"hex"`
	Verdict string   `json:"verdict"`
}

// changedCase is a release with some fields put in place of its own, which fails
// at the check that it names and passes those before.
type changedCase struct {
	Name  string         `json:"name"`
	Of    string         `json:"of"`
	Set   map[string]any `json:"set"`
	Fails string         `json:"fails"`
}

// ledgerHash and draw repeat package curation, which these tests cannot import;
// the tests of examples/release-verifier hold the cases against it.
func ledgerHash(tag string, fields ...[]byte) [32]byte {
	b := append(shamir.Uint64(uint64(len("atelier/ledger/v1/"+tag))), "atelier/ledger/v1/"+tag...)
	for _, f := range fields {
		b = append(append(b, shamir.Uint64(uint64(len(f)))...), f...)
	}
	return sha256.Sum256(b)
}

func draw(seed [32]byte, members []uint32) []uint32 {
	order, counter := slices.Clone(members), uint64(0)
	for i := len(order) - 1; i > 0; i-- {
		h := ledgerHash("draw", seed[:], shamir.Uint64(counter))
		counter++ // that a number is drawn again has a chance of 2^-61 here
		j := binary.BigEndian.Uint64(h[:8]) % uint64(i+1)
		order[i], order[j] = order[j], order[i]
	}
	return order
}

// requestBody is the deterministic CBOR of an artwork.request, with nonce 0, for a
// prompt of less than 24 bytes.
func requestBody(prompt string, model [32]byte) []byte {
	b := append([]byte{0x84, 0x6f}, "artwork.request"...)
	b = append(b, 0x00, 0x18, 100, 0x82, 0x60+byte(len(prompt)))
	return append(append(append(b, prompt...), 0x58, 0x20), model[:]...)
}

// trainingBody is the signed body of a vote for training the model.
func trainingBody(model [32]byte) []byte {
	b := append([]byte{0x84, 0x6d}, "training.vote"...)
	b = append(append(b, 0x00, 0x18, 100, 0x81, 0x89, 0x01, 0x58, 0x20), model[:]...)
	return append(b, 0x19, 0x03, 0xe8, 0x0a, 0x08, 0x19, 0x17, 0x70, 0x1a, 0, 5, 0, 0, 0x18, 100, 0x18, 100)
}

// release plays one release from beginning to end. ct is for the second one to be of
// the same ciphertext; keyEpochs are those of layers around it.
func release(t *testing.T, name string, n network, ct *seal.Ciphertext, role seal.Role, keyEpochs ...uint64) (releaseCase, quorum.Statement, *seal.Ciphertext) {
	t.Helper()
	r := releaseCase{Name: name, Chain: chain[:], PlainHash: in32(sha256.Sum256([]byte("weights"))), KeyEpoch: 1, Height: 40, Position: 2, Role: uint8(role)}
	var err error
	r.Committee, err = n.c.MarshalBinary()
	require.NoError(t, err)
	x, policy := n.c.X(), ledgerHash("policy", []byte("Vector"), []byte("We release what the charter says."))
	model := ledgerHash("model", r.PlainHash)
	modelLabel := func(keyEpoch uint64) [32]byte {
		return shamir.Hash("label", chain[:], model[:], shamir.Uint64(keyEpoch), policy[:], x[:])
	}
	label := modelLabel(1)
	r.PolicyHash, r.Model, r.Label, r.Plaintext = policy[:], model[:], label[:], hexBytes("sixteen byte key")
	if ct == nil {
		ct, err = seal.Encrypt(&hashStream{name: "model"}, x, label, r.Plaintext)
		require.NoError(t, err)
	}
	r.Ciphertext = ct.Bytes()
	layers, keyEpoch, plaintexts := seal.NewLayers(label, ct), uint64(1), [][]byte{r.Plaintext}
	for i, e := range keyEpochs {
		l := layerCase{KeyEpoch: e, Plaintext: fmt.Appendf(nil, "key of layer  %2d", i+1)}
		outer := seal.LayerLabel(modelLabel(e), layers.Label(), layers.U())
		around, err := seal.Encrypt(&hashStream{name: fmt.Sprint("layer ", i+1)}, x, outer, l.Plaintext)
		require.NoError(t, err)
		l.Label, l.Ciphertext = outer[:], around.Bytes()
		layers, keyEpoch = layers.Around(modelLabel(e), around), e
		require.Equal(t, outer, layers.Label())
		r.Layers, plaintexts = append(r.Layers, l), append(plaintexts, l.Plaintext)
	}

	r.Body = requestBody("dusk over water", model)
	if role == seal.Trainer {
		r.Body = trainingBody(model)
	}
	body := sha256.Sum256(r.Body)
	rid := shamir.Hash("rid", body[:], shamir.Uint64(r.Height), shamir.Uint64(r.Position))
	r.RID = rid[:]
	secrets, table := map[uint32]seal.ReaderSecret{}, quorum.Prekeys{}
	for m := uint32(1); m <= uint32(n.c.N()); m++ {
		secret, key := seal.DeriveReader(shamirtest.Seed("vector", n.c.Epoch(), m), 7)
		secrets[m], table = secret, append(table, quorum.Prekey{Member: m, Key: key})
		r.Readers = append(r.Readers, readerCase{m, key[:]})
	}
	s := quorum.Statement{
		Chain: chain, Epoch: n.c.Epoch(), RID: rid, Body: body, Model: model, KeyEpoch: keyEpoch, Label: layers.Label(),
		U: layers.U(), Prekeys: table.Digest(), Expiry: r.Height + 20,
	}
	r.Statement = s.Bytes()
	cert, seedSig := certify(t, n, s)
	sig := cert.Signature()
	r.Certificate, r.Context, r.SeedSignature = sig[:], in32(cert.Context()), seedSig[:]
	seed, err := quorum.Seed(seedSig, rid)
	require.NoError(t, err)
	r.Seed = seed[:]
	var members []uint32
	for _, k := range table {
		members = append(members, k.Member)
	}
	r.Order = draw(seed, members)
	r.Reader = r.Order[0]
	if role == seal.Auditor { // the first of those who did not generate
		r.Reader = r.Order[1]
	}
	r.Secret = shamir.Encode(shamir.HashScalar(shamir.Ristretto255, "reader", in32(shamirtest.Seed("vector", n.c.Epoch(), r.Reader)), shamir.Uint64(7)))

	reader := seal.Reader{Member: r.Reader, Role: role, Prekeys: table}
	var shares [][]byte
	for _, k := range n.shares {
		b, err := seal.ReleaseShare(&hashStream{name: fmt.Sprint("release ", name, k.Index())}, k, n.c, layers, cert, reader)
		require.NoError(t, err)
		index, err := seal.VerifyRelease(n.c, layers, cert, reader, b)
		require.NoError(t, err)
		require.Equal(t, k.Index(), index)
		shares = append(shares, b)
		r.Shares = append(r.Shares, shareCase{fmt.Sprintf("of member %d", index), b, "good"})
	}
	r.Shares = append(r.Shares, badShares(shares[0], len(plaintexts))...)
	slices.Reverse(r.Shares) // the bad ones first
	for _, b := range r.Shares {
		_, err := seal.VerifyRelease(n.c, layers, cert, reader, b.Hex)
		switch b.Verdict {
		case "good":
			require.NoError(t, err, b.Name)
		case "proof":
			require.ErrorIs(t, err, shamir.ErrProof, b.Name)
		case "identity":
			require.ErrorIs(t, err, shamir.ErrIdentity, b.Name)
		case "index":
			require.ErrorIs(t, err, shamir.ErrSize, b.Name)
		case "encoding":
			require.ErrorIs(t, err, shamir.ErrEncoding, b.Name)
		default:
			t.Fatalf("%s: verdict %q", b.Name, b.Verdict)
		}
	}
	plain, _, err := seal.CombineRelease(secrets[r.Reader], n.c, layers, cert, reader, shares)
	require.NoError(t, err)
	require.Equal(t, plaintexts, plain)
	return r, s, ct
}

func certify(t *testing.T, n network, s quorum.Statement) (quorum.VerifiedCertificate, quorum.Signature) {
	t.Helper()
	var approve, seeds []quorum.Partial
	for _, k := range n.shares {
		a, err := quorum.Approve(k, s)
		require.NoError(t, err)
		approve = append(approve, quorum.Partial{Index: a.Member, Sig: a.Approve})
		seeds = append(seeds, quorum.Partial{Index: a.Member, Sig: a.Seed})
	}
	cert, _, err := quorum.RecoverCertificate(n.c, s, approve)
	require.NoError(t, err)
	sig, _, err := quorum.RecoverSeed(n.c, s.Chain, s.RID, seeds)
	require.NoError(t, err)
	return cert, sig
}

// badShares are made of a good one through so many layers.
func badShares(good []byte, layers int) (out []shareCase) {
	with := func(name, verdict string, change func(b []byte) []byte) {
		out = append(out, shareCase{name, change(slices.Clone(good)), verdict})
	}
	put := func(at int, v ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	order := shamir.Encode(shamir.Ristretto255.Scalar().SetInt64(-1)) // order-1
	order[0]++                                                        // the order itself, which is zero written otherwise
	with("one byte longer", "encoding", func(b []byte) []byte { return append(b, 0) })
	with("one byte shorter", "encoding", func(b []byte) []byte { return b[:len(b)-1] })
	with("E1 is the identity", "identity", put(2, make([]byte, 32)...))
	with("E2 is the identity", "identity", put(34, make([]byte, 32)...))
	with("E1 is no canonical point", "encoding", put(2, 1))
	c := len(good) - 96
	with("the challenge is the order of the group", "encoding", put(c, order...))
	with("said to be member 0's", "index", put(0, 0, 0))
	with("said to be of a member beyond the last", "index", put(0, 0, 200))
	with("said to be member 2's", "proof", put(0, 0, 2))
	with("E1 and E2 change places", "proof", func(b []byte) []byte {
		return slices.Concat(b[:2], b[34:66], b[2:34], b[66:])
	})
	with("the responses change places", "proof", func(b []byte) []byte {
		return slices.Concat(b[:c+32], b[c+64:], b[c+32:c+64])
	})
	with("all of the proof is zero", "proof", put(c, make([]byte, 96)...))
	if layers > 1 {
		with("the part of the outermost layer is missing", "encoding", func(b []byte) []byte { return slices.Concat(b[:c-64], b[c:]) })
		with("the part of the outermost layer stands twice", "encoding", func(b []byte) []byte { return slices.Concat(b[:c], b[c-64:]) })
		with("the parts of two layers change places", "proof", func(b []byte) []byte { return slices.Concat(b[:2], b[66:130], b[2:66], b[130:]) })
		with("one part stands for two layers", "proof", func(b []byte) []byte { return slices.Concat(b[:66], b[2:66], b[130:]) })
		with("E1 of the outermost layer is the identity", "identity", put(c-64, make([]byte, 32)...))
	}
	return out
}

func TestReleaseCases(t *testing.T) {
	n := founded(t)
	first, s, ct := release(t, "to the generator", n, nil, seal.Generator)
	audit, _, _ := release(t, "to the auditor", n, ct, seal.Auditor)
	next := heir(t, n)
	later, _, _ := release(t, "after a handover to five members", next, ct, seal.Generator)
	training, _, _ := release(t, "to a trainer", n, ct, seal.Trainer)
	layered, _, _ := release(t, "through two layers", n, ct, seal.Generator, 2, 5)
	require.Equal(t, first.SeedSignature, later.SeedSignature, "a request has one seed for good")

	var changed []changedCase
	fails := func(check, name string, set map[string]any) {
		changed = append(changed, changedCase{name, first.Name, set, check})
	}
	flip := func(b hexBytes, at int) hexBytes { c := slices.Clone(b); c[at] ^= 1; return c }
	one := func(field string, v any) map[string]any { return map[string]any{field: v} }
	other := in32(shamir.Hash("vector", []byte("other")))

	fails("committee", "the committee has a byte more", one("committee", append(slices.Clone(first.Committee), 0)))
	fails("committee", "the committee is of version 2", one("committee", append(hexBytes{2}, first.Committee[1:]...)))
	fails("committee", "members 1 and 2 change places in the committee", one("committee",
		slices.Concat(first.Committee[:173], first.Committee[301:429], first.Committee[173:301], first.Committee[429:])))
	fails("readers", "the table names a member twice", one("readers", []readerCase{first.Readers[0], first.Readers[0]}))
	fails("readers", "the table is not in order", one("readers", []readerCase{first.Readers[1], first.Readers[0]}))
	fails("readers", "two readers have one key", one("readers", []readerCase{first.Readers[0], {2, first.Readers[0].Key}}))
	fails("readers", "a reader's key is the identity", one("readers", []readerCase{{1, make(hexBytes, 32)}}))
	fails("request", "the request stands at another place in its block", one("position", 3))
	fails("request", "the request says something else", one("body", flip(first.Body, 30)))
	fails("model", "the plain file is another", one("plain_hash", other))
	fails("label", "the policy is another", one("policy_hash", other))
	fails("label", "the model's key epoch is another", one("key_epoch", 2))

	cheat := slices.Clone(first.Ciphertext)
	cheat[len(cheat)-1] ^= 1
	fails("ciphertext", "one bit of the box is another", one("ciphertext", hexBytes(cheat)))
	fails("ciphertext", "U is the identity", one("ciphertext", append(make(hexBytes, 32), first.Ciphertext[32:]...)))
	fails("ciphertext", "the ciphertext is too short to hold a box", one("ciphertext", first.Ciphertext[:143]))
	again, err := seal.Encrypt(&hashStream{name: "again"}, n.c.X(), [32]byte(first.Label), first.Plaintext)
	require.NoError(t, err)
	fails("statement", "the ciphertext is another under the same label", one("ciphertext", hexBytes(again.Bytes())))
	fails("label", "the chain is another", one("chain", other))
	fails("statement", "the table lacks the last reader", one("readers", first.Readers[:3]))
	fails("statement", "the statement has a byte more", one("statement", append(slices.Clone(first.Statement), 0)))
	fails("statement", "statement and certificate are of another epoch under the same key", map[string]any{
		"statement": later.Statement, "certificate": later.Certificate, "readers": later.Readers})

	s2 := s
	s2.Expiry++
	lapsed, _ := certify(t, n, s2)
	sig := lapsed.Signature()
	fails("certificate", "the certificate is of a statement that expires later", one("certificate", hexBytes(sig[:])))
	fails("certificate", "the statement expires later than the certified one", one("statement", hexBytes(s2.Bytes())))
	fails("certificate", "the certificate is the identity", one("certificate", append(hexBytes{0xc0}, make(hexBytes, 47)...)))
	fails("certificate", "the seed's signature stands for the certificate", one("certificate", first.SeedSignature))
	fails("certificate", "the certificate is the negative of the right one", one("certificate", append(hexBytes{first.Certificate[0] ^ 0x20}, first.Certificate[1:]...)))
	fails("certificate", "the certificate has a byte more", one("certificate", append(slices.Clone(first.Certificate), 0)))
	fails("seed", "the certificate stands for the seed's signature", one("seed_signature", first.Certificate))
	fails("seed", "the seed is another", one("seed", other))
	fails("draw", "the order is another", one("order", []uint32{1, 2, 3, 4}))
	fails("draw", "the reader is not the one whose turn it is", one("turn", 1))
	fails("draw", "a role that there is not", one("role", 4))
	fails("draw", "a trainer in a request", one("role", 3))
	changed = append(changed, changedCase{"a generator in a training", training.Name, one("role", 1), "draw"})
	fails("shares", "too few shares are good", one("shares", first.Shares[:14]))
	fails("shares", "one good share three times", one("shares", []shareCase{first.Shares[12], first.Shares[12], first.Shares[12]}))
	fails("shares", "the shares were released to the auditor", one("shares", audit.Shares))
	fails("opening", "the secret is another reader's", one("secret", later.Secret))
	of := func(check, name string, change func(l []layerCase) []layerCase) {
		changed = append(changed, changedCase{name, layered.Name, one("layers", change(slices.Clone(layered.Layers))), check})
	}
	of("statement", "the outermost layer is left out", func(l []layerCase) []layerCase { return l[:1] })
	of("layers", "the inner layer is left out", func(l []layerCase) []layerCase { return l[1:] })
	of("layers", "two layers change places", func(l []layerCase) []layerCase { return []layerCase{l[1], l[0]} })
	of("layers", "a layer stands twice", func(l []layerCase) []layerCase { return append(l, l[1]) })
	of("layers", "the key epoch of a layer is another", func(l []layerCase) []layerCase { l[0].KeyEpoch = 3; return l })
	of("layers", "the ciphertext of a layer is the model's own", func(l []layerCase) []layerCase { l[0].Ciphertext = layered.Ciphertext; return l })
	of("layers", "eight layers around a model", func(l []layerCase) []layerCase { return slices.Concat(l, l, l, l) })
	fails("statement", "the release is through a layer that nobody certified", one("layers", layered.Layers[:1]))
	fails("shares", "the shares were released through two layers", one("shares", layered.Shares))
	for _, c := range changed {
		for _, field := range []string{"rid", "context"} {
			require.NotContains(t, c.Set, field) // they follow from others
		}
	}
	golden(t, "testdata/release.json", map[string]any{"releases": []releaseCase{first, audit, later, training, layered}, "refused": changed})
}
