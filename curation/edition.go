package curation

import (
	"bytes"
	"fmt"
)

// Bounds of an edition, whatever the network's own are.
const (
	MaxEditionSide = 16_384 // pixels along an edge of a picture
	MaxFilmSide    = 4096   // and of a film
	MaxFrames      = 2000
	MinPause       = 20     // milliseconds of a frame, on average
	MaxPause       = 10_000 // and the most
	MaxChanges     = 64     // bytes
)

// Edition asks the network for a picture that is there already, drawn once more by its
// sealed artist: at another size, changed, or on its way to another one, as a film. It
// costs the fee of its kind, locks Params.RequestDeposit, which comes back in every
// case, and Price, which is the generator's once it is audited.
//
// Approval, draw, generation and audit are those of a request for a new picture. But
// nothing about it is for a round to decide: it ends as delivered, and members keep it
// for Params.EditionBlocks. What is in Changes the ledger does not read. Members do
// before they approve.
type Edition struct {
	_       struct{} `cbor:",toarray"`
	ModelID Hash     // the current model, which drew what is named
	Of      []Hash   // one artwork; or two, from which and to which a film leads
	Size    uint64   // pixels along an edge
	Frames  uint64   // of a film, 2 to MaxFrames; 0 of a picture
	Length  uint64   // of a film, until it begins anew, in milliseconds; 0 of a picture
	Once    bool     // a film leads there, and not back again
	Changes []byte   // how the picture is changed, or each of the film: model.Recipe.Changes, at most MaxChanges bytes
}

// Kind is KindEdition.
func (Edition) Kind() Kind { return KindEdition }

// Film says whether it is a film between two artworks, and not a picture of one.
func (e Edition) Film() bool { return len(e.Of) == 2 }

// Pixels are those of all its frames.
func (e Edition) Pixels() uint64 { return e.Size * e.Size * max(1, e.Frames) }

// Validate checks all that needs no state.
func (e Edition) Validate() error {
	if len(e.Changes) > MaxChanges {
		return fmt.Errorf("changes have %d bytes, want at most %d", len(e.Changes), MaxChanges)
	}
	side := uint64(MaxEditionSide)
	switch len(e.Of) {
	case 1:
		if e.Frames != 0 || e.Length != 0 || e.Once {
			return fmt.Errorf("a picture has neither frames nor a length: name a second artwork for a film")
		}
	case 2:
		side = MaxFilmSide
		switch {
		case e.Of[0] == e.Of[1]:
			return fmt.Errorf("a film from an artwork to itself: name another one")
		case e.Frames < 2 || e.Frames > MaxFrames:
			return fmt.Errorf("%d frames, want 2 to %d", e.Frames, MaxFrames)
		case e.Length < MinPause*e.Frames || e.Length > MaxPause*e.Frames:
			return fmt.Errorf("%d ms for %d frames, want %d to %d for each", e.Length, e.Frames, MinPause, MaxPause)
		}
	default:
		return fmt.Errorf("names %d artworks, want one, or two for a film", len(e.Of))
	}
	if e.Size < 1 || e.Size > side {
		return fmt.Errorf("%d pixels along an edge, want 1 to %d", e.Size, side)
	}
	return nil
}

// mega is what Fees.Edition is the price of, in pixels.
const mega = 1_000_000

// Price is what an edition costs beside fee and deposit: Fees.Edition for each million
// pixels that is begun. Pixels are at most those of MaxEditionPixels.
func (p Params) Price(e Edition) Amount { return p.Fees.Edition.Mul((e.Pixels() + mega - 1) / mega) }

// digest tells editions apart by what they look like.
func (e Edition) digest() Hash { return hash("edition", encode(e)) }

func (x *execution) edition(signer Address, e Edition) error {
	model, err := x.askable(signer, e.ModelID)
	if err != nil {
		return err
	}
	first, err := x.mayRedraw(signer, model, e)
	if err != nil {
		return err
	}
	a := Artwork{Requester: signer, Prompt: first.Prompt, Edition: &e, Price: x.params().Price(e)}
	if a, err = x.ask(a, model); err != nil {
		return err
	}
	x.st.Set(indexSame(e), bytes.Clone(a.RID[:]))
	for _, of := range e.Of {
		x.st.Set(indexEdition(of, place(a)...), bytes.Clone(a.RID[:]))
	}
	x.emit(EventEditionRequested, a.RID, e.Of, e.Size, e.Frames, a.Price)
	return nil
}

// mayRedraw returns the first artwork that an edition names, and refuses what the asker
// may not have drawn once more, and what nobody can draw.
func (x *execution) mayRedraw(asker Address, model Model, e Edition) (first Artwork, err error) {
	switch most := x.params().MaxEditionPixels; {
	case most == 0:
		return first, refuse(CodeLimit, "this network makes no editions: whoever has the opened artist draws at home")
	case e.Pixels() > most:
		return first, refuse(CodeLimit, "the edition has %d pixels in all, the most is %d: ask for a smaller size or fewer frames", e.Pixels(), most)
	}
	for i, rid := range e.Of {
		a, ok := load[Artwork](x.st, keyArtwork(rid))
		switch mine := a.Requester == asker && (a.Status == StatusCandidate || a.Status == StatusBacking); {
		case !ok:
			return first, refuse(CodeUnknown, "there is no artwork %v", rid)
		case a.Edition != nil:
			return first, refuse(CodeWrongPhase, "%v is an edition itself: name the artwork that it is of, %v", rid, a.Edition.Of[0])
		case a.Status != StatusPublished && !mine:
			return first, refuse(CodeWrongPhase, "artwork %v is %s: an edition is of what is published, or of what you asked for yourself while it is a candidate", rid, a.Status)
		case a.ModelID != model.ID:
			was := must2(load[Model](x.st, keyModel(a.KeyEpoch)))
			return first, refuse(CodeWrongPhase, "artwork %v was drawn by the artist %q of key epoch %d, of which the members keep nothing since they have %q: only who has that artist draws it once more",
				rid, was.Name, a.KeyEpoch, model.Name)
		case i == 0:
			first = a
		}
	}
	if rid, there := x.st.Get(indexSame(e)); there {
		a := must2(load[Artwork](x.st, keyArtwork(Hash(rid))))
		if a.Status == StatusDelivered {
			return first, refuse(CodeDuplicate, "this edition is there as %v, and kept until height %d: fetch it", a.RID, a.Kept)
		}
		return first, refuse(CodeDuplicate, "this edition is asked for already, as %v: wait for it", a.RID)
	}
	return first, nil
}

// delivered ends the life of an edition that was audited: its price is the generator's.
func (x *execution) delivered(a *Artwork) {
	maker := must2(load[Member](x.st, keyMember(a.Generator)))
	a.Status, a.Ended, a.Kept = StatusDelivered, x.height, x.height+x.params().EditionBlocks
	x.unlock(a.Requester, a.locked(), a.Deposit)
	x.credit(maker.Account, a.Price)
	x.st.Set(indexKept(*a), present)
	x.emit(EventEditionDelivered, a.RID, a.CID, maker.Account, a.Price, a.Deposit, a.Kept)
}

// locked is what the request for an artwork has locked.
func (a Artwork) locked() Amount { return a.Deposit.Add(a.Price) }

// failed forgets an edition that came to nothing: it may be asked for again.
func (x *execution) failed(a Artwork) {
	if a.Edition != nil {
		x.st.Delete(indexSame(*a.Edition))
	}
}

// forgetEditions ends the time for which members keep editions.
func (x *execution) forgetEditions() {
	for k := range x.block.Ascend([]byte("index/kept/")) {
		kept := k[len("index/kept/"):]
		if bytes.Compare(kept[:8], number(x.height)) > 0 {
			return
		}
		a := must2(load[Artwork](x.block, keyArtwork(Hash(kept[8:]))))
		x.st.Delete(k)
		x.st.Delete(indexSame(*a.Edition))
	}
}

func indexSame(e Edition) []byte {
	digest := e.digest()
	return key("index/same/", digest[:]) // → rid of the one that is asked for, or kept
}

func indexEdition(of Hash, place ...byte) []byte {
	return key("index/edition/", of[:], place) // → rid; without place, all of that artwork
}

func indexKept(a Artwork) []byte { return key("index/kept/", number(a.Kept), a.RID[:]) }

// Kept lists the editions that members keep, by the height until which they do.
func (v View) Kept() []Artwork { return v.indexed("index/kept/") }

// Editions are the last editions of an artwork, and films that begin or end with it,
// the newest first: at most limit of them.
func (v View) Editions(of Hash, limit int) (found []Artwork) {
	table := indexEdition(of)
	for k, rid, ok := v.m.store.Before(table, nil); ok && len(found) < limit; k, rid, ok = v.m.store.Before(table, k) {
		found = append(found, must2(v.Artwork(Hash(rid))))
	}
	return found
}
