package gallery

import (
	"context"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
)

// mostEditions bounds how many editions an artwork's page lists.
const mostEditions = 24

// editions are what an artwork's page says of editions: those of it, or what it is itself.
type editions struct {
	List []card
	Of   []card // what it is an edition of; empty for any other artwork
	What string // of an edition: what it is
	Ask  bool   // anybody may ask for one now
}

func (g *gallery) editionsOf(ctx context.Context, v curation.View, a curation.Artwork) (e editions) {
	for _, d := range v.Editions(a.RID, mostEditions) {
		e.List = append(e.List, g.cardOf(ctx, v, d))
	}
	if a.Edition != nil {
		e.What = editionText(*a.Edition)
		for _, rid := range a.Edition.Of {
			if of, ok := v.Artwork(rid); ok {
				e.Of = append(e.Of, g.cardOf(ctx, v, of))
			}
		}
		return e
	}
	m, ok := v.Model()
	public := v.Estate().Published()
	e.Ask = ok && m.ID == a.ModelID && a.Status == curation.StatusPublished && v.Params().MaxEditionPixels > 0 && !public
	return e
}

// editionText says what an edition is.
func editionText(e curation.Edition) string {
	text := fmt.Sprintf("%d × %d pixels", e.Size, e.Size)
	if e.Film() {
		text = fmt.Sprintf("a film of %d frames of %d × %d pixels", e.Frames, e.Size, e.Size)
	}
	if len(e.Changes) > 0 {
		text += ", changed"
	}
	if e.Colours != nil {
		text += fmt.Sprintf(", in the colours of %x", e.Colours[:6])
	}
	return text
}

// smallEnough is the longest edge of an edition that is shown among others, in pixels;
// for a larger one its artwork stands.
const smallEnough = 1024

// shownAs is the artwork whose picture stands for another one on the wall.
func (g *gallery) shownAs(v curation.View, a curation.Artwork) curation.Artwork {
	if a.Edition == nil || a.Edition.Size <= smallEnough || !g.held(a.CID) {
		return a
	}
	if of, ok := v.Artwork(a.Edition.Of[0]); ok && g.held(of.CID) {
		return of
	}
	return a
}
