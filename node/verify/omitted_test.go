package verify

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// untold makes an artwork that nobody gave a prompt for, drawn from the first version of
// the taste, with that version's file.
func untold(t *testing.T) (w work, version []byte) {
	t.Helper()
	w = genuine(t)
	w.asks(t, curation.Request{ModelID: w.receipt.Model})
	x, err := model.Lexicon()
	require.NoError(t, err)
	first := x.First()
	version, err = first.MarshalBinary()
	require.NoError(t, err)
	prior := curation.Prior{ID: curation.Hash(first.ID()), Lexicon: curation.Hash(x.ID())}
	w.network.Priors, w.prior = []Prior{{ID: prior.ID, Lexicon: prior.Lexicon}}, prior.ID
	l, _ := x.Draw(first, w.receipt.Seed)
	w.receipt.Prompt = ""
	w.receipt.Taste, err = tastes.Receipt(prior, l)
	require.NoError(t, err)
	w.publish(t)
	return w, version
}

// publish draws what the receipt says, and registers and returns its folder, as a
// generator does that is in league with its auditor.
func (w *work) publish(t *testing.T) []storage.File {
	t.Helper()
	if w.receipt.Edition != nil {
		return w.edition(t, *w.receipt.Edition)
	}
	r := &w.receipt
	recipe, err := tastes.Recipe(model.Embedded().ID(), model.Embedded().Words(), r.Prompt, r.Taste, r.Seed)
	require.NoError(t, err)
	program, err := recipe.Program(model.Embedded())
	require.NoError(t, err)
	w.picture, err = model.Draw(t.Context(), program, side, side, model.RenderOptions{})
	require.NoError(t, err)
	r.PixelRoot = w.picture.PixelRoot
	files := w.files(t)
	w.register(t, files, curation.StatusPublished, w.order()[1])
	return files
}

func TestAGenuineArtworkWithoutAPromptIsValid(t *testing.T) {
	w, version := untold(t)
	for _, o := range []Options{{Network: &w.network}, {Ledger: w.ledger()}} {
		o.Artist, o.Priors = model.Embedded(), [][]byte{version}
		r, err := Artwork(t.Context(), w.publish(t), o)
		require.NoError(t, err)
		require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
		require.Equal(t, Holds, statusOf(r, "taste"))
	}

	// From before there was a version there is nothing to tell.
	w.network.Priors, w.prior, w.receipt.Taste = nil, curation.Hash{}, nil
	files := w.publish(t)
	for _, o := range []Options{{Network: &w.network}, {Ledger: w.ledger()}} {
		o.Artist = model.Embedded()
		r, err := Artwork(t.Context(), files, o)
		require.NoError(t, err)
		require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
	}
}

// What a receipt may lack, it lacks only where the ledger lacks it too: here everything is
// drawn, written and registered as the receipt says, and an auditor vouches for it.
func TestAReceiptThatLeavesSomethingOutIsInvalid(t *testing.T) {
	plain := func(t *testing.T) work { return genuine(t) }
	tasted := func(t *testing.T) work { w, _ := untold(t); return w }
	edition := func(film bool) func(*testing.T) work {
		return func(t *testing.T) work { w, _ := editionOf(t, film); return w }
	}
	tastedEdition := func(film bool) func(*testing.T) work {
		return func(t *testing.T) work { w, _, _ := tasteful(t, film); return w }
	}
	coloured := func(t *testing.T) work {
		w, _, _ := tasteful(t, true)
		e, colours := *w.receipt.Edition, curation.Hash(w.receipt.Edition.Of[1].RequestID)
		e = storage.Edition{Of: e.Of[:1:1], Changes: []byte{}, Colours: &e.Of[1]}
		w.asks(t, curation.Edition{ModelID: w.receipt.Model, Of: []curation.Hash{e.Of[0].RequestID}, Size: side, Colours: &colours})
		w.receipt.Edition = &e
		r, err := Artwork(t.Context(), w.publish(t), Options{Network: &w.network, Artist: model.Embedded()})
		require.NoError(t, err)
		require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
		require.Equal(t, Holds, statusOf(r, "rendering"))
		return w
	}
	for what, c := range map[string]struct {
		of    func(*testing.T) work
		leave func(*storage.Receipt)
		fails string
	}{
		"what a picture without a prompt was drawn from":  {tasted, func(r *storage.Receipt) { r.Taste = nil }, "registered"},
		"what an edition's artwork was drawn from":        {tastedEdition(false), func(r *storage.Receipt) { r.Edition.Of[0].Taste = nil }, "edition"},
		"what the first artwork of a film was drawn from": {tastedEdition(true), func(r *storage.Receipt) { r.Edition.Of[0].Taste = nil }, "edition"},
		"what the last artwork of a film was drawn from":  {tastedEdition(true), func(r *storage.Receipt) { r.Edition.Of[1].Taste = nil }, "edition"},
		"the prompt": {plain, func(r *storage.Receipt) { r.Prompt = "" }, "request"},
		"one of the readers": {plain, func(r *storage.Receipt) {
			r.Readers = slices.DeleteFunc(slices.Clone(r.Readers), func(k storage.Reader) bool { return uint64(k.Member) == r.GeneratorIndex%4+1 })
		}, "certificate"},
		"that it is an edition":                                    {edition(false), func(r *storage.Receipt) { r.Edition = nil }, "request"},
		"that it is a film":                                        {edition(true), func(r *storage.Receipt) { r.Edition = nil }, "request"},
		"the changes of an edition":                                {edition(false), func(r *storage.Receipt) { r.Edition.Changes = []byte{} }, "request"},
		"whose colours an edition takes":                           {coloured, func(r *storage.Receipt) { r.Edition.Colours = nil }, "request"},
		"what the artwork of its colours was drawn from":           {coloured, func(r *storage.Receipt) { of := *r.Edition.Colours; of.Taste = nil; r.Edition.Colours = &of }, "edition"},
		"the prompt of an edition":                                 {edition(false), func(r *storage.Receipt) { r.Prompt = "" }, "edition"},
		"the prompt of an edition's artwork":                       {edition(false), func(r *storage.Receipt) { r.Prompt, r.Edition.Of[0].Prompt = "", "" }, "edition"},
		"where a film leads":                                       {edition(true), func(r *storage.Receipt) { e := r.Edition; e.Of, e.Frames, e.Length, e.Once = e.Of[:1], 0, 0, false }, "request"},
		"that a film does not come back":                           {edition(true), func(r *storage.Receipt) { r.Edition.Once = false }, "request"},
		"what it was drawn from, for a prompt that nobody gave it": {tasted, func(r *storage.Receipt) { r.Taste, r.Prompt = nil, "red heart" }, "request"},
	} {
		t.Run(what, func(t *testing.T) {
			w := c.of(t)
			// What the network certified and has of other artworks stays; the folder is another.
			c.leave(&w.receipt)
			files := w.publish(t)
			for trusted, o := range map[string]Options{"network file": {Network: &w.network}, "ledger": {Ledger: w.ledger()}} {
				r, err := Artwork(t.Context(), files, o)
				require.NoError(t, err)
				require.Equal(t, Invalid, r.Outcome, "%s: %+v", trusted, r.Claims)
				require.Contains(t, r.Failed, c.fails, trusted)
				require.Equal(t, Holds, statusOf(r, "pixels"), trusted)
				require.Equal(t, Holds, statusOf(r, "label"), trusted)
			}
		})
	}
}
