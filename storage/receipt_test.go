package storage

import (
	"bytes"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/ipfs/go-cid"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	mh "github.com/multiformats/go-multihash"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
)

func receipt(t testing.TB) Receipt {
	t.Helper()
	model, err := FileCID([]byte("a sealed model"))
	require.NoError(t, err)
	r := Receipt{
		Version: ReceiptVersion, RequestHeight: 40, ExpiryHeight: 140, Prompt: "a heron at dusk, cut from paper",
		ModelCID: Link{model}, KeyEpoch: 1, CommitteeEpoch: 1, GeneratorIndex: 3, Kernel: "phase-16", Width: 8, Height: 4,
	}
	for i, f := range []*[32]byte{&r.Chain, &r.RequestID, &r.Collector, &r.Model, &r.Label, &r.U, &r.Seed, &r.Generator, &r.GeneratorPrekey, &r.PixelRoot} {
		copy(f[:], bytes.Repeat([]byte{byte(i + 1)}, 32))
	}
	r.Body = []byte("a signed request")
	for i := range uint32(3) {
		key, err := shamir.HashPoint("test reader", []byte{byte(i)}).MarshalBinary()
		require.NoError(t, err)
		r.Readers = append(r.Readers, Reader{Member: i + 1, Key: [32]byte(key)})
	}
	copy(r.Certificate[:], bytes.Repeat([]byte{0xc1}, 48))
	copy(r.SeedSignature[:], bytes.Repeat([]byte{0x5e}, 48))
	return r
}

func TestReceiptComesBackAndIsDagCBOR(t *testing.T) {
	r := receipt(t)
	b, err := r.Encode()
	require.NoError(t, err)
	require.LessOrEqual(t, len(b), MaxReceipt)
	got, err := DecodeReceipt(b)
	require.NoError(t, err)
	require.Equal(t, r, got)

	// The reference codec reads it, finds the link, and writes the same bytes.
	node := basicnode.Prototype.Any.NewBuilder()
	require.NoError(t, dagcbor.Decode(node, bytes.NewReader(b)))
	var again bytes.Buffer
	require.NoError(t, dagcbor.Encode(node.Build(), &again))
	require.Equal(t, b, again.Bytes())
	field, err := node.Build().LookupByString("model_cid")
	require.NoError(t, err)
	link, err := field.AsLink()
	require.NoError(t, err)
	require.Equal(t, r.ModelCID.String(), link.String())
}

// The largest receipts there can be are within the limit of their decoder: nobody must
// store a folder that nobody reads.
func TestLargestReceipt(t *testing.T) {
	full := strings.Repeat("w", MaxLatent)
	drawn := &Taste{Version: math.MaxUint64, Prior: [32]byte{7}, Latent: full, Words: full}
	for _, work := range []Work{{Prompt: strings.Repeat("p", MaxPrompt)}, {Taste: drawn}} {
		largestReceipt(t, work)
	}
}

func largestReceipt(t *testing.T, work Work) {
	t.Helper()
	r := receipt(t)
	r.Body, r.Prompt, r.Kernel = make([]byte, MaxBody), strings.Repeat("p", MaxPrompt), strings.Repeat("k", 32)
	r.RequestHeight, r.ExpiryHeight, r.KeyEpoch, r.CommitteeEpoch = math.MaxUint64-1, math.MaxUint64, math.MaxUint64, math.MaxUint64
	r.GeneratorIndex, r.Width, r.Height = 65535, MaxSide, MaxSide
	r.Edition = &Edition{Of: []Work{work, work}, Frames: MaxFrames, Length: 1 << 40, Once: true, Changes: make([]byte, MaxChanges), Colours: &work}
	r.Readers = nil
	for i := range MaxReaders {
		key, err := shamir.HashPoint("test reader", []byte{byte(i)}).MarshalBinary()
		require.NoError(t, err)
		r.Readers = append(r.Readers, Reader{Member: uint32(math.MaxUint16 - MaxReaders + i + 1), Key: [32]byte(key)})
	}
	b, err := r.Encode()
	require.NoError(t, err)
	got, err := DecodeReceipt(b)
	require.NoError(t, err)
	require.Equal(t, r, got)
}

// The encoding is a promise to whoever verifies years from now.
func TestReceiptGolden(t *testing.T) {
	b, err := receipt(t).Encode()
	require.NoError(t, err)
	d := sum(b)
	require.Equal(t, "511ed549b47af24d51a96901caa1ef7088c528739279935f88beda4a8ec74420", hex.EncodeToString(d[:]), "%x", b)
}

func drawnTaste() *Taste {
	return &Taste{Version: 3, Prior: [32]byte{7}, Latent: `{"things":[{"word":"owl","weight":256}],"noise":"AAA"}`, Words: "blue owl"}
}

func TestAPictureWithoutAPromptSaysWhatItWasDrawnFrom(t *testing.T) {
	r := receipt(t)
	r.Prompt = ""
	plain, err := r.Encode()
	require.NoError(t, err)
	read, err := DecodeReceipt(plain)
	require.NoError(t, err)
	require.Equal(t, r, read)
	label := Label("Atelier", "dusk", r)
	require.Equal(t, "Untitled", label.Title)
	require.Equal(t, `Made by the artist "dusk" of Atelier without a prompt; the seed is the members' own signature.`, label.Description)
	require.Equal(t, "Seed", r.Attributes()[0].Trait, "there is no prompt to show")

	r.Taste = drawnTaste()
	b, err := r.Encode()
	require.NoError(t, err)
	read, err = DecodeReceipt(b)
	require.NoError(t, err)
	require.Equal(t, r, read)
	label = Label("Atelier", "dusk", r)
	require.Equal(t, "Blue owl", label.Title)
	require.Equal(t, `Made by the artist "dusk" of Atelier without a prompt, from version 3 of what its collectors like; the seed is the members' own signature.`, label.Description)
	require.Equal(t, []Attribute{{"Words", "blue owl"}, {"Taste", "version 3"}, {"Prior", "07" + strings.Repeat("00", 31)}}, r.Attributes()[:3])

}

func TestReceiptFieldsOutOfRange(t *testing.T) {
	sha512, err := cid.Prefix{Version: 1, Codec: cid.Raw, MhType: mh.SHA2_512, MhLength: 64}.Sum(nil)
	require.NoError(t, err)
	for name, change := range map[string]func(*Receipt){
		"another version":          func(r *Receipt) { r.Version = 2 },
		"no height":                func(r *Receipt) { r.RequestHeight = 0 },
		"expired when asked":       func(r *Receipt) { r.ExpiryHeight = r.RequestHeight },
		"a taste beside a prompt":  func(r *Receipt) { r.Taste = drawnTaste() },
		"a taste of no version":    func(r *Receipt) { r.Prompt, r.Taste = "", drawnTaste(); r.Taste.Prior = [32]byte{} },
		"a taste without a latent": func(r *Receipt) { r.Prompt, r.Taste = "", drawnTaste(); r.Taste.Latent = "" },
		"a taste without words":    func(r *Receipt) { r.Prompt, r.Taste = "", drawnTaste(); r.Taste.Words = "" },
		"a latent past the limit": func(r *Receipt) {
			r.Prompt, r.Taste = "", drawnTaste()
			r.Taste.Latent = strings.Repeat("x", MaxLatent+1)
		},
		"words that are not UTF-8":    func(r *Receipt) { r.Prompt, r.Taste = "", drawnTaste(); r.Taste.Words = "\xff" },
		"a prompt of 201 bytes":       func(r *Receipt) { r.Prompt = strings.Repeat("x", MaxPrompt+1) },
		"a prompt that is not UTF-8":  func(r *Receipt) { r.Prompt = "\xff" },
		"no signed request":           func(r *Receipt) { r.Body = nil },
		"a signed request too long":   func(r *Receipt) { r.Body = make([]byte, MaxBody+1) },
		"no readers":                  func(r *Receipt) { r.Readers = nil },
		"too many readers":            func(r *Receipt) { r.Readers = make([]Reader, MaxReaders+1) },
		"readers in another order":    func(r *Receipt) { slices.Reverse(r.Readers) },
		"two readers with one key":    func(r *Receipt) { r.Readers[0].Key = r.Readers[1].Key },
		"a key that is no point":      func(r *Receipt) { r.Readers[0].Key = [32]byte{0xff} },
		"a reader without a number":   func(r *Receipt) { r.Readers[0].Member = 0 },
		"no kernel":                   func(r *Receipt) { r.Kernel = "" },
		"a kernel of 33 bytes":        func(r *Receipt) { r.Kernel = strings.Repeat("k", 33) },
		"no generator":                func(r *Receipt) { r.GeneratorIndex = 0 },
		"generator 65536":             func(r *Receipt) { r.GeneratorIndex = 65536 },
		"no width":                    func(r *Receipt) { r.Width = 0 },
		"a width past the limit":      func(r *Receipt) { r.Width = MaxSide + 1 },
		"a height past the limit":     func(r *Receipt) { r.Height = MaxSide + 1 },
		"no model":                    func(r *Receipt) { r.ModelCID = Link{} },
		"a model under another hash":  func(r *Receipt) { r.ModelCID = Link{sha512} },
		"a model under an old CID v0": func(r *Receipt) { r.ModelCID = Link{cid.NewCidV0(r.ModelCID.Hash())} },
	} {
		t.Run(name, func(t *testing.T) {
			r := receipt(t)
			change(&r)
			_, err := r.Encode()
			require.ErrorIs(t, err, ErrReceipt)
			if r.ModelCID.Defined() {
				b, err := receiptEncoding.Marshal(r)
				if err == nil {
					_, err = DecodeReceipt(b)
				}
				require.Error(t, err)
			}
		})
	}
}

// DecodeReceipt takes one encoding and no other that means the same.
func TestReceiptHasOneEncoding(t *testing.T) {
	r := receipt(t)
	good, err := r.Encode()
	require.NoError(t, err)
	var fields map[string]cbor.RawMessage
	require.NoError(t, cbor.Unmarshal(good, &fields))
	with := func(change func(map[string]cbor.RawMessage)) []byte {
		m := map[string]cbor.RawMessage{}
		for k, v := range fields {
			m[k] = v
		}
		change(m)
		b, err := receiptEncoding.Marshal(m)
		require.NoError(t, err)
		return b
	}
	require.Equal(t, good, with(func(map[string]cbor.RawMessage) {}))
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"null":                 {0xf6},
		"an array":             {0x80},
		"cut off":              good[:len(good)-1],
		"a byte more":          append(bytes.Clone(good), 0),
		"a field missing":      with(func(m map[string]cbor.RawMessage) { delete(m, "seed") }),
		"a field more":         with(func(m map[string]cbor.RawMessage) { m["price"] = []byte{1} }),
		"a hash one byte long": with(func(m map[string]cbor.RawMessage) { m["seed"] = []byte{0x41, 0} }),
		"a hash one byte too long": with(func(m map[string]cbor.RawMessage) {
			m["seed"] = append([]byte{0x58, 33}, make([]byte, 33)...)
		}),
		"a hash as an array":         with(func(m map[string]cbor.RawMessage) { m["seed"] = append([]byte{0x98, 32}, make([]byte, 32)...) }),
		"a height with a leading 0":  with(func(m map[string]cbor.RawMessage) { m["request_height"] = []byte{0x19, 0, 40} }),
		"a height as a float":        with(func(m map[string]cbor.RawMessage) { m["request_height"] = []byte{0xfb, 0x40, 0x44, 0, 0, 0, 0, 0, 0} }),
		"a negative height":          with(func(m map[string]cbor.RawMessage) { m["request_height"] = []byte{0x20} }),
		"a height as a bignum":       with(func(m map[string]cbor.RawMessage) { m["request_height"] = []byte{0xc2, 0x41, 40} }),
		"a prompt as bytes":          with(func(m map[string]cbor.RawMessage) { m["prompt"] = []byte{0x41, 'x'} }),
		"a prompt of unknown length": bytes.Replace(good, fields["prompt"], append(append([]byte{0x7f}, fields["prompt"]...), 0xff), 1),
		"a link without its tag":     with(func(m map[string]cbor.RawMessage) { m["model_cid"] = m["model_cid"][2:] }),
		"a link with another prefix": with(func(m map[string]cbor.RawMessage) { m["model_cid"] = flip(m["model_cid"], 4) }),
		"a tag around the prompt":    with(func(m map[string]cbor.RawMessage) { m["prompt"] = append([]byte{0xc0}, m["prompt"]...) }),
		"a map of unknown length":    append(append([]byte{0xbf}, good[2:]...), 0xff),
		"a map with a longer length": append([]byte{0xb9, 0, good[1]}, good[2:]...),
		"keys in another order": func() []byte {
			return reorderFirstTwo(t, good)
		}(),
		"a reader with a field more": bytes.Replace(good, []byte("\xa2\x63key"), []byte("\xa3\x61a\x00\x63key"), 1),
		"a reader as an array":       bytes.Replace(good, append([]byte("\xa2\x63key\x58\x20"), r.Readers[0].Key[:]...), []byte{0x81}, 1),
		"deeply nested":              with(func(m map[string]cbor.RawMessage) { m["seed"] = append(bytes.Repeat([]byte{0x81}, 1000), 0) }),
		"past the limit":             append(bytes.Clone(good), make([]byte, MaxReceipt)...),
		"a key that twice":           append([]byte{0xb8, good[1] + 1}, append(bytes.Clone(good[2:]), good[2:2+firstPair(t, good)]...)...),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeReceipt(b)
			require.ErrorIs(t, err, ErrReceipt)
		})
	}
}

// firstPair is the length of the first key and value behind the map's two bytes.
func firstPair(t *testing.T, b []byte) int {
	t.Helper()
	require.Equal(t, byte(0xb8), b[0])
	rest, err := cbor.UnmarshalFirst(b[2:], new(string))
	require.NoError(t, err)
	var v cbor.RawMessage
	rest, err = cbor.UnmarshalFirst(rest, &v)
	require.NoError(t, err)
	return len(b) - 2 - len(rest)
}

func reorderFirstTwo(t *testing.T, good []byte) []byte {
	one := firstPair(t, good)
	two := firstPair(t, append(bytes.Clone(good[:2]), good[2+one:]...))
	out := append(bytes.Clone(good[:2]), good[2+one:2+one+two]...)
	out = append(out, good[2:2+one]...)
	return append(out, good[2+one+two:]...)
}

func FuzzDecodeReceipt(f *testing.F) {
	b, err := receipt(f).Encode()
	require.NoError(f, err)
	f.Add(b)
	f.Add(b[:100])
	drawn := receipt(f)
	drawn.Prompt, drawn.Taste = "", drawnTaste()
	b, err = drawn.Encode()
	require.NoError(f, err)
	f.Add(b)
	coloured := receipt(f)
	coloured.Edition = &Edition{Of: []Work{{Prompt: coloured.Prompt}}, Changes: []byte{}, Colours: &Work{RequestID: [32]byte{1}, Taste: drawnTaste()}}
	b, err = coloured.Encode()
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte{0xb8, 25})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeReceipt(b)
		if err != nil {
			require.ErrorIs(t, err, ErrReceipt)
			return
		}
		again, err := r.Encode()
		require.NoError(t, err)
		require.Equal(t, b, again)
	})
}
