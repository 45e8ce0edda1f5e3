package storage

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"
)

func artwork(t testing.TB) (Artwork, Picture) {
	t.Helper()
	p := picture(8, 4)
	b, err := EncodePNG(p)
	require.NoError(t, err)
	return Artwork{
		Title: "Heron № 7", Author: "atelier demo", Description: "A heron at dusk & <tide>.", PNG: b,
		Attributes: []Attribute{{"Artist", "paper-cut"}}, Receipt: receipt(t),
	}, p
}

func TestArtworkFolder(t *testing.T) {
	ctx := context.Background()
	a, p := artwork(t)
	files, err := BuildArtworkFolder(a)
	require.NoError(t, err)
	s := openTest(t, Options{})
	root, err := s.PutFolder(ctx, files)
	require.NoError(t, err)

	raw, err := s.ReadFile(ctx, root, ImageName)
	require.NoError(t, err)
	got, err := DecodePNG(raw, 0)
	require.NoError(t, err)
	require.Equal(t, p, got)
	texts, err := ReadText(raw)
	require.NoError(t, err)
	require.Equal(t, []Text{
		{TextTitle, a.Title}, {TextAuthor, a.Author}, {TextDescription, a.Description},
		{TextRequestID, hex.EncodeToString(a.Receipt.RequestID[:])},
	}, texts)

	raw, err = s.ReadFile(ctx, root, MetadataName)
	require.NoError(t, err)
	var m Metadata
	require.NoError(t, json.Unmarshal(raw, &m))
	require.Equal(t, a.Title, m.Name)
	require.Equal(t, a.Description, m.Description)
	require.Contains(t, string(raw), "& <tide>", "plain for readers")
	require.Equal(t, Attribute{"Artist", "paper-cut"}, m.Attributes[0])
	require.Contains(t, m.Attributes, Attribute{"Prompt", a.Receipt.Prompt})
	// The image is a CID inside the folder, which the store answers for.
	image, err := cid.Decode(strings.TrimPrefix(m.Image, "ipfs://"))
	require.NoError(t, err)
	entries, err := s.List(ctx, root)
	require.NoError(t, err)
	require.Equal(t, image, entries[0].CID)

	raw, err = s.ReadFile(ctx, root, ReceiptName)
	require.NoError(t, err)
	r, err := DecodeReceipt(raw)
	require.NoError(t, err)
	require.Equal(t, a.Receipt, r)
}

func TestArtworkThatContradictsItself(t *testing.T) {
	a, _ := artwork(t)
	a.Receipt.Width++
	_, err := BuildArtworkFolder(a)
	require.ErrorIs(t, err, ErrReceipt)
	a, _ = artwork(t)
	a.Receipt.Prompt = "\xff"
	_, err = BuildArtworkFolder(a)
	require.ErrorIs(t, err, ErrReceipt)
	a, _ = artwork(t)
	a.PNG = a.PNG[1:]
	_, err = BuildArtworkFolder(a)
	require.ErrorIs(t, err, ErrPNG)
	a, _ = artwork(t)
	a.Title = strings.Repeat("x", MaxText+1)
	_, err = BuildArtworkFolder(a)
	require.ErrorIs(t, err, ErrPNG)
}

func TestArtworkWithTextsThatNobodyCanPrint(t *testing.T) {
	a, _ := artwork(t)
	a.Title, a.Description = "a\x00b", "\xff"
	files, err := BuildArtworkFolder(a)
	require.NoError(t, err)
	texts, err := ReadText(files[0].Data)
	require.NoError(t, err)
	require.Equal(t, "a\uFFFDb", texts[0].Text)
	require.Equal(t, "\uFFFD", texts[2].Text)
}

func TestLabelFollowsFromTheReceiptAndTwoNames(t *testing.T) {
	r := receipt(t)
	a := Label("Harbour", "gull", r)
	require.Equal(t, "A heron at dusk, cut from paper", a.Title)
	require.Equal(t, "Harbour", a.Author)
	require.Contains(t, a.Description, `"gull" of Harbour for the prompt "a heron at dusk, cut from paper"`)
	for prompt, want := range map[string]string{" \t": "Untitled", "": "Untitled", "ümlaut": "Ümlaut", "夜": "夜", " a b ": "A b"} {
		r.Prompt = prompt
		require.Equal(t, want, Label("", "", r).Title)
	}
}

func FuzzDecodeMetadata(f *testing.F) {
	a, _ := artwork(f)
	files, err := BuildArtworkFolder(a)
	require.NoError(f, err)
	f.Add(files[1].Data)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"attributes":[{"value":3}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodeMetadata(b)
		if err != nil {
			return
		}
		once, err := m.Encode()
		require.NoError(t, err)
		again, err := DecodeMetadata(once)
		require.NoError(t, err)
		twice, err := again.Encode()
		require.NoError(t, err)
		require.Equal(t, once, twice)
	})
}

func TestAccountText(t *testing.T) {
	// did:key test vector of the did:key specification (W3C CCG, Ed25519).
	key, err := hex.DecodeString("2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6")
	require.NoError(t, err)
	require.Equal(t, "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", account([32]byte(key)))
}
