package verify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
)

func TestAnArtworkOfALedgerThatHolds(t *testing.T) {
	w := genuine(t)
	r, err := Artwork(t.Context(), w.files(t), Options{Ledger: w.ledger(), Artist: model.Embedded()})
	require.NoError(t, err)
	require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
	require.Equal(t, Holds, statusOf(r, "ledger"))
	require.Equal(t, Holds, statusOf(r, "history"))
	last := r.Claims[len(r.Claims)-1]
	require.Equal(t, "history", last.Name)
	require.Equal(t, "requested at height 40, approved at 42, registered at 45, audited at 49", last.Detail)
}

// Anybody can found a network and write a ledger that holds by itself.
func TestAnArtworkIsUncheckedWhenNobodySaysWhichNetworkIsTrusted(t *testing.T) {
	w := genuine(t)
	l := w.ledger()
	l.compared = false
	r, err := Artwork(t.Context(), w.files(t), Options{Ledger: l, Artist: model.Embedded()})
	require.NoError(t, err)
	require.Equal(t, Unchecked, r.Outcome)
	require.False(t, r.Valid)
	require.Empty(t, r.Failed)
	require.Len(t, r.Missing, 1)
	require.Contains(t, r.Missing[0], "--chain HASH")
	require.Equal(t, Skipped, statusOf(r, "network"))

	l.network.Chain[0]++
	r, err = Artwork(t.Context(), w.files(t), Options{Ledger: l})
	require.NoError(t, err)
	require.Equal(t, Invalid, r.Outcome, "the artwork is not even of the network whose ledger it is")
	require.Equal(t, []string{"network"}, r.Failed)
}

// The receipt says what the ledger recorded, at every step, or it is not the one of
// this artwork.
func TestAReceiptThatTheLedgerContradicts(t *testing.T) {
	for what, change := range map[string]func(a *curation.Artwork){
		"its request":                func(a *curation.Artwork) { a.Prompt = "blue bird" },
		"the heights of its request": func(a *curation.Artwork) { a.Expiry++ },
		"its model":                  func(a *curation.Artwork) { a.U[0]++ },
		"its committee":              func(a *curation.Artwork) { a.Epoch++ },
		"the members that may read":  func(a *curation.Artwork) { a.Prekeys = a.Prekeys[1:] },
		"its certificate":            func(a *curation.Artwork) { a.Certificate = make([]byte, 48) },
		"its certificate otherwise":  func(a *curation.Artwork) { a.Approved = 0 },
		"its seed":                   func(a *curation.Artwork) { a.Seed[0]++ },
		"its draw":                   func(a *curation.Artwork) { a.Order = append(a.Order[1:len(a.Order):len(a.Order)], a.Order[0]) },
		"its registration":           func(a *curation.Artwork) { a.PixelRoot[0]++ },
		"its audit":                  func(a *curation.Artwork) { a.AuditedRoot[0]++ },
		"its request otherwise":      func(a *curation.Artwork) { a.Position++ },
		"its registration otherwise": func(a *curation.Artwork) { a.Registered = a.Approved - 1 },
		"the heights of its request and i": func(a *curation.Artwork) {
			a.Requested++
			a.RID = curation.RequestID(a.BodyHash, a.Requested, a.Position)
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := genuine(t)
			l := w.ledger()
			a := w.steps
			change(&a)
			l.records[w.steps.RID] = a
			r, err := Artwork(t.Context(), w.files(t), Options{Ledger: l})
			require.NoError(t, err)
			require.Equal(t, Invalid, r.Outcome)
			require.Equal(t, []string{"history"}, r.Failed)
		})
	}
}

func TestWhatALedgerDoesNotTellYet(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(w *work, l *Ledger)
		outcome Outcome
		claim   string
		says    string
	}{
		{"a ledger that does not hold proves nothing", func(w *work, l *Ledger) {
			l.Findings = Findings{Outcome: Invalid}
			l.claim("state", "", func() (string, error) { return "", errForeign })
		}, Invalid, "ledger", "another network"},
		{"one that ends before the keys were made", func(w *work, l *Ledger) { l.network = nil }, Unchecked, "network", "before the members had made their keys"},
		{"one that ends before the registration", func(w *work, l *Ledger) { w.network.Artworks = nil; l.network = &w.network }, Unchecked, "registered", "the ledger lists no picture for this request"},
		{"one in which the request ended without a picture", func(w *work, l *Ledger) {
			a := w.steps
			a.Status, a.Ended, a.CID, a.Reason = curation.StatusExpired, 60, "", "its file is larger than members keep"
			w.network.Artworks, l.network, l.records[a.RID] = nil, &w.network, a
		}, Invalid, "registered", "the ledger ended this request without a picture: its file is larger than members keep"},
		{"one of another network", func(w *work, l *Ledger) { w.network.Chain = curation.Hash{8}; l.network = &w.network }, Invalid, "network", "it is of the network with genesis 07"},
		{"one that has the artwork without an audit", func(w *work, l *Ledger) {
			k := w.network.Artworks[w.receipt.RequestID]
			k.Auditor = 0
			w.network.Artworks[w.receipt.RequestID], l.network = k, &w.network
		}, Unchecked, "audit", "when the ledger was written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := genuine(t)
			l := w.ledger()
			c.change(&w, l)
			r, err := Artwork(t.Context(), w.files(t), Options{Ledger: l})
			require.NoError(t, err)
			require.Equal(t, c.outcome, r.Outcome, "%+v", r.Claims)
			for _, claim := range r.Claims {
				if claim.Name == c.claim {
					require.NotEqual(t, Holds, claim.Status)
					require.Contains(t, claim.Detail, c.says)
				}
			}
			require.NotEmpty(t, statusOf(r, c.claim))
			if c.outcome == Unchecked {
				require.Contains(t, r.Missing[0], "a newer export of the ledger")
			}
		})
	}
}
