package node

import (
	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// view is the committed state as package member reads it.
type view struct{ v curation.View }

func (w view) Height() uint64             { return w.v.Height() }
func (w view) Params() curation.Params    { return w.v.Params() }
func (w view) Members() []curation.Member { return w.v.Members() }
func (w view) Ceremony() *dkg.Log         { return w.v.CeremonyLog() }
func (w view) Attempt() uint64            { return w.v.Ceremony().Attempt }

func (w view) Committee() *shamir.Committee {
	c, _ := w.v.Committee()
	return c
}

func (w view) Model(keyEpoch uint64) (curation.Model, bool) { return w.v.ModelAt(keyEpoch) }

func (w view) Open() []curation.Artwork {
	return w.v.Artworks(curation.Filter{Status: []curation.Status{curation.StatusRequested, curation.StatusApproved, curation.StatusRegistered}})
}

func (w view) Artwork(rid curation.Hash) (curation.Artwork, bool) { return w.v.Artwork(rid) }

func (w view) Kept() []curation.Artwork {
	return w.v.Artworks(curation.Filter{Status: []curation.Status{curation.StatusRegistered, curation.StatusCandidate, curation.StatusBacking, curation.StatusPublished}})
}

func (w view) Round() (curation.Round, bool) { return w.v.RunningRound() }

func (w view) SealedOrders(round uint64) ([]*seal.Ciphertext, error) { return w.v.SealedOrders(round) }
