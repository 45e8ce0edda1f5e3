package storage

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// filmReceipt is that of a film between two artworks.
func filmReceipt(t *testing.T) Receipt {
	t.Helper()
	r := receipt(t)
	r.Edition = &Edition{
		Of:     []Work{{RequestID: [32]byte{1}, Prompt: "red heart", Seed: [32]byte{2}}, {RequestID: [32]byte{3}, Prompt: "owl", Seed: [32]byte{4}}},
		Frames: 24, Length: 2000, Once: true, Changes: []byte{2, 0, 120},
	}
	return r
}

func TestAReceiptSaysWhatItIsAnEditionOf(t *testing.T) {
	plain, err := receipt(t).Encode()
	require.NoError(t, err)
	require.NotContains(t, string(plain), "edition", "a picture of its own has the receipt that it always had")
	r := filmReceipt(t)
	b, err := r.Encode()
	require.NoError(t, err)
	again, err := DecodeReceipt(b)
	require.NoError(t, err)
	require.Equal(t, r, again)
	picture := r
	picture.Edition = &Edition{Of: r.Edition.Of[:1], Changes: []byte{}}
	picture.Width, picture.Height = MaxEditionSide, MaxEditionSide
	b, err = picture.Encode()
	require.NoError(t, err)
	again, err = DecodeReceipt(b)
	require.NoError(t, err)
	require.Equal(t, picture, again)

	for name, change := range map[string]func(*Receipt){
		"of nothing":                   func(r *Receipt) { r.Edition.Of = nil },
		"of three":                     func(r *Receipt) { r.Edition.Of = append(r.Edition.Of, r.Edition.Of[0]) },
		"a film of one frame":          func(r *Receipt) { r.Edition.Frames = 1 },
		"a film of too many":           func(r *Receipt) { r.Edition.Frames = MaxFrames + 1 },
		"a film without a length":      func(r *Receipt) { r.Edition.Length = 0 },
		"a length that wraps around":   func(r *Receipt) { r.Edition.Length = 1 << 63 },
		"a picture with frames":        func(r *Receipt) { r.Edition.Of = r.Edition.Of[:1] },
		"changes too long":             func(r *Receipt) { r.Edition.Changes = make([]byte, MaxChanges+1) },
		"no changes, in another form":  func(r *Receipt) { r.Edition.Changes = nil },
		"a prompt too long":            func(r *Receipt) { r.Edition.Of[1].Prompt = strings.Repeat("x", MaxPrompt+1) },
		"a prompt that is no text":     func(r *Receipt) { r.Edition.Of[1].Prompt = "\xff" },
		"a film with too large frames": func(r *Receipt) { r.Width = MaxSide + 1 },
	} {
		r := filmReceipt(t)
		change(&r)
		_, err := r.Encode()
		require.ErrorIs(t, err, ErrReceipt, name)
	}
	large := receipt(t)
	large.Width = MaxSide + 1
	_, err = large.Encode()
	require.ErrorIs(t, err, ErrReceipt, "a picture of its own is no larger than before")
}

func TestTheLabelOfAnEditionSaysWhatItIs(t *testing.T) {
	r := filmReceipt(t)
	l := Label("Harbour", "gull", r)
	require.Equal(t, "Red heart to Owl", l.Title)
	require.Equal(t, `The way from "red heart" to "owl" as the artist "gull" of Harbour draws it: a film between its artworks 010000000000 and 030000000000.`, l.Description)
	m, err := l.Metadata(r.ModelCID.Cid).Encode()
	require.NoError(t, err)
	for _, want := range []string{`"Edition"`, `"film"`, `"From"`, `"To"`, `"24, of 2000 ms in all"`} {
		require.Contains(t, string(m), want)
	}
	r.Edition = &Edition{Of: r.Edition.Of[:1], Changes: []byte{}}
	l = Label("Harbour", "gull", r)
	require.Equal(t, "Red heart", l.Title)
	require.Contains(t, l.Description, "an edition of its artwork 010000000000")
	seen := map[string]bool{}
	for _, a := range r.Attributes() {
		require.False(t, seen[a.Trait], "%s is said once", a.Trait)
		seen[a.Trait] = true
	}
	require.True(t, seen["Edition of"])

	r.Edition.Colours = &Work{RequestID: [32]byte{5}, Seed: [32]byte{6}, Taste: drawnTaste()}
	b, err := r.Encode()
	require.NoError(t, err)
	again, err := DecodeReceipt(b)
	require.NoError(t, err)
	require.Equal(t, r, again)
	require.Contains(t, r.Attributes(), Attribute{"Colours of", "05" + strings.Repeat("00", 31)})
	for _, bad := range []Work{{Prompt: strings.Repeat("x", MaxPrompt+1)}, {Prompt: "owl", Taste: drawnTaste()}} {
		r.Edition.Colours = &bad
		_, err := r.Encode()
		require.ErrorIs(t, err, ErrReceipt)
	}

	r.Prompt = ""
	for name, w := range map[string]Work{"blue owl": {Taste: drawnTaste()}, "Untitled": {}} {
		r.Edition = &Edition{Of: []Work{w}, Changes: []byte{}}
		b, err := r.Encode()
		require.NoError(t, err)
		again, err := DecodeReceipt(b)
		require.NoError(t, err)
		require.Equal(t, r, again)
		l = Label("Harbour", "gull", r)
		require.Equal(t, title(name), l.Title)
		require.Equal(t, `Drawn once more by the artist "gull" of Harbour: an edition of its artwork 000000000000, "`+name+`".`, l.Description)
		require.NotContains(t, r.Attributes(), Attribute{"Prompt", ""})
		if w.Taste != nil {
			require.Contains(t, r.Attributes(), Attribute{"Words", name})
		}
	}
	require.True(t, bytes.Contains(m, []byte("ipfs://")))
}
