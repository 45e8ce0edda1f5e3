package tastes_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// put stores a file and requires that it lies under its hash.
func put(t testing.TB, s *storage.Store, file interface{ MarshalBinary() ([]byte, error) }) curation.Hash {
	t.Helper()
	raw, err := file.MarshalBinary()
	require.NoError(t, err)
	require.LessOrEqual(t, len(raw), tastes.MaxFile)
	root, err := s.PutFile(t.Context(), bytes.NewReader(raw))
	require.NoError(t, err)
	id := curation.Hash(taste.IDOf(raw))
	require.Equal(t, tastes.CID(id), root, "a file of one block has its hash for a name")
	return id
}

func TestAShelfReadsWhatLiesUnderItsHashAndNothingElse(t *testing.T) {
	store, err := storage.Open(t.TempDir(), storage.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	shelf, ctx := tastes.NewShelf(store), t.Context()
	own, err := model.Lexicon()
	require.NoError(t, err)
	x, err := shelf.Lexicon(ctx, curation.Hash(own.ID()))
	require.NoError(t, err, "that of this program is always here")
	require.Equal(t, own.ID(), x.ID())

	first := x.First()
	_, err = shelf.Prior(ctx, x, curation.Hash(first.ID()))
	require.ErrorIs(t, err, tastes.ErrMissing)
	_, err = shelf.Lexicon(ctx, curation.Hash{1})
	require.ErrorIs(t, err, tastes.ErrMissing)
	id := put(t, store, first)
	for range 2 { // the second time from memory
		p, err := shelf.Prior(ctx, x, id)
		require.NoError(t, err)
		require.Equal(t, first, p)
	}
	lexicon := put(t, store, own)
	_, err = shelf.Prior(ctx, x, lexicon)
	require.ErrorIs(t, err, taste.ErrPrior, "a file that is something else")

	v, err := latent.NewVocabulary([]string{"zyzzyva"}, 1)
	require.NoError(t, err)
	foreign, err := taste.NewLexicon(v, make([]taste.Look, 1))
	require.NoError(t, err)
	other := put(t, store, foreign)
	for range 2 {
		y, err := shelf.Lexicon(ctx, other)
		require.NoError(t, err, "one that another release brought")
		require.Equal(t, foreign.ID(), y.ID())
		_, err = shelf.Prior(ctx, y, id)
		require.ErrorIs(t, err, taste.ErrPrior, "a version is of one lexicon")
	}
	_, err = shelf.Lexicon(ctx, id)
	require.ErrorIs(t, err, taste.ErrLexicon)

	p := first
	for i := range 20 { // more than it remembers
		p, err = x.Update(p, taste.Round{Number: uint64(i + 1), Declined: []taste.Candidate{{Artwork: taste.ID{byte(i + 1)}, Latent: drawn(t, x, byte(i))}}})
		require.NoError(t, err)
		again, err := shelf.Prior(ctx, x, put(t, store, p))
		require.NoError(t, err)
		require.Equal(t, p, again)
	}
	_, err = shelf.Prior(ctx, x, id)
	require.NoError(t, err)
}

func drawn(t testing.TB, x *taste.Lexicon, seed byte) latent.Latent {
	l, _ := x.Draw(x.First(), [32]byte{seed})
	require.NoError(t, x.Vocabulary().Check(l))
	return l
}

func TestALatentIsReadInTheOneFormThatReceiptsHave(t *testing.T) {
	x, err := model.Lexicon()
	require.NoError(t, err)
	l := drawn(t, x, 3)
	r, err := tastes.Receipt(curation.Prior{Version: 2, ID: curation.Hash{9}}, l)
	require.NoError(t, err)
	require.Equal(t, storage.Taste{Version: 2, Prior: [32]byte{9}, Latent: r.Latent, Words: tastes.Words(l)}, *r)
	again, err := tastes.Latent(r)
	require.NoError(t, err)
	require.Equal(t, l, again)
	for name, text := range map[string]string{
		"nothing": "", "no object": "7", "another field": `{"things":[],"noise":"","more":1}`, "spaces": " " + r.Latent,
		"something after it": r.Latent + "{}", "noise that is no base64": `{"things":[],"noise":"!"}`, "another order": `{"noise":"AAA","things":[{"word":"owl","weight":1}]}`,
	} {
		_, err := tastes.Latent(&storage.Taste{Latent: text, Words: tastes.Words(l)})
		require.ErrorIs(t, err, tastes.ErrReceipt, name)
	}
	lie := *r
	lie.Words = "something else"
	_, err = tastes.Latent(&lie)
	require.ErrorIs(t, err, tastes.ErrReceipt)
}

func FuzzParseLatent(f *testing.F) {
	f.Add(`{"things":[{"word":"owl","weight":256}],"noise":"AAA"}`)
	f.Add(`{"things":null,"noise":""}`)
	f.Add("{")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := tastes.ParseLatent(text)
		if err != nil {
			require.ErrorIs(t, err, tastes.ErrReceipt)
			return
		}
		_ = tastes.Words(l)
	})
}
