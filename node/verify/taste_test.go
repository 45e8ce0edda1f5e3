package verify

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/tastes"
)

// learned is an artwork drawn from the version that followed on a round, with the facts of
// that round.
func learned(t *testing.T) (work, []taste.RoundFacts) {
	t.Helper()
	w, _ := untold(t)
	x, err := model.Lexicon()
	require.NoError(t, err)
	rounds := []taste.RoundFacts{{Number: 3,
		Published: []taste.Facts{{Artwork: taste.ID{1}, Prompt: "purple fox on navy", Seed: taste.ID{1}}, {Artwork: taste.ID{2}, Seed: taste.ID{2}, Prior: taste.ID(w.prior)}},
		Declined:  []taste.Facts{{Artwork: taste.ID{3}, Prompt: "grey goat", Seed: taste.ID{3}}},
	}}
	var last *taste.Prior
	for p, err := range x.Replay(t.Context(), rounds) {
		require.NoError(t, err)
		last = p
	}
	prior := curation.Prior{Version: 1, ID: curation.Hash(last.ID()), Lexicon: curation.Hash(x.ID())}
	w.network.Priors, w.prior = append(w.network.Priors, Prior{Version: 1, ID: prior.ID, Lexicon: prior.Lexicon}), prior.ID
	l, _ := x.Draw(last, w.receipt.Seed)
	w.receipt.Taste, err = tastes.Receipt(prior, l)
	require.NoError(t, err)
	w.publish(t)
	return w, rounds
}

func TestAWholeLedgerTellsWhatTheTasteGaveWithoutAFile(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, w *work, l *Ledger)
		status Status
		says   string
	}{
		"what its rounds give": {func(*testing.T, *work, *Ledger) {}, Holds, "by version 1"},
		"what somebody chose": {func(t *testing.T, w *work, _ *Ledger) {
			l, err := tastes.Latent(w.receipt.Taste)
			require.NoError(t, err)
			l.Things = []latent.Part{{Word: "owl", Weight: latent.Whole}}
			w.receipt.Taste, err = tastes.Receipt(curation.Prior{Version: 1, ID: w.prior}, l)
			require.NoError(t, err)
		}, Fails, "version 1 gives"},
		"words that no artist has": {func(t *testing.T, w *work, _ *Ledger) {
			drawn := *w.receipt.Taste
			unknownWords(t, &drawn)
			drawn.Version = 1
			w.receipt.Taste = &drawn
		}, Fails, "version 1 gives"},
		"another number": {func(_ *testing.T, w *work, _ *Ledger) {
			drawn := *w.receipt.Taste
			drawn.Version = 2
			w.receipt.Taste = &drawn
		}, Fails, "the ledger has no version 2"},
		"a version that its rounds do not give": {func(_ *testing.T, _ *work, l *Ledger) { l.rounds[0].Declined = nil }, Fails, "the rounds of the ledger give"},
		"a round that it has not settled":       {func(_ *testing.T, _ *work, l *Ledger) { l.rounds = nil }, Fails, "has not settled"},
		"another program's lexicon": {func(_ *testing.T, w *work, _ *Ledger) {
			w.network.Priors[1].Lexicon[0]++
		}, Skipped, "the network's lexicon is"},
	} {
		t.Run(name, func(t *testing.T) {
			w, rounds := learned(t)
			l := w.ledger()
			l.rounds = rounds
			c.spoil(t, &w, l)
			files := w.publish(t)
			l.records = w.ledger().records
			r, err := Artwork(t.Context(), files, Options{Ledger: l})
			require.NoError(t, err)
			require.Equal(t, c.status, statusOf(r, "taste"), "%+v", r.Claims)
			require.Equal(t, map[Status]Outcome{Holds: Valid, Fails: Invalid, Skipped: Unchecked}[c.status], r.Outcome, "%+v", r.Claims)
			for _, k := range r.Claims {
				if k.Name == "taste" {
					require.Contains(t, k.Detail, c.says)
				}
			}
		})
	}

	w, rounds := learned(t)
	l := w.ledger()
	l.rounds = rounds
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Artwork(ctx, w.publish(t), Options{Ledger: l})
	require.ErrorIs(t, err, context.Canceled)
}

// An artwork is newer than the ledger that somebody has: that is no fault of it.
func TestALedgerThatEndsBeforeTheVersionTellsNothing(t *testing.T) {
	for name, edition := range map[string]bool{"a picture": false, "an edition": true} {
		t.Run(name, func(t *testing.T) {
			w, _ := learned(t)
			if edition {
				w, _, _ = tasteful(t, true)
			}
			files := w.publish(t)
			l := w.ledger()
			w.network.Priors, w.network.Artworks, l.records = nil, nil, nil
			r, err := Artwork(t.Context(), files, Options{Ledger: l})
			require.NoError(t, err)
			require.Equal(t, Unchecked, r.Outcome, "%+v", r.Claims)
			require.Equal(t, Skipped, statusOf(r, "taste"))
			require.Equal(t, []string{"a newer export of the ledger"}, r.Missing)
		})
	}
}
