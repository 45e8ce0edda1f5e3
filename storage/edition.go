package storage

import (
	"encoding/hex"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Edition is what a receipt says of a picture or film that draws artworks once more: all
// that its pixels follow from, but the artist and the size.
type Edition struct {
	Of      []Work `cbor:"of"`                // one artwork; or two, from which and to which a film leads
	Frames  uint64 `cbor:"frames"`            // of a film; 0 of a picture
	Length  uint64 `cbor:"length"`            // of a film, in milliseconds; 0 of a picture
	Once    bool   `cbor:"once"`              // a film leads there, and not back again
	Changes []byte `cbor:"changes"`           // how the picture is changed, or each of the film; at most MaxChanges bytes
	Colours *Work  `cbor:"colours,omitempty"` // the artwork whose colours it takes; nil for its own
}

// Work is an artwork that an edition is drawn from.
type Work struct {
	RequestID [32]byte `cbor:"request_id"`
	Prompt    string   `cbor:"prompt"` // UTF-8, up to 200 bytes
	Seed      [32]byte `cbor:"seed"`
	Taste     *Taste   `cbor:"taste,omitempty"` // what it was drawn from without a prompt; nil for any other
}

// Bounds of an edition.
const (
	MaxEditionSide = 16_384 // pixels
	MaxFrames      = 2000
	MaxChanges     = 64 // bytes
)

// Film says whether the edition is one.
func (e Edition) Film() bool { return len(e.Of) == 2 }

// Works are the artworks that it is drawn from: those that it is of, and then the one whose
// colours it takes.
func (e Edition) Works() []Work {
	if e.Colours == nil {
		return e.Of
	}
	return append(slices.Clone(e.Of), *e.Colours)
}

func (e Edition) check() error {
	bad := func(what string, value any) error {
		return fmt.Errorf("edition: %s %v is out of range: %w", what, value, ErrReceipt)
	}
	switch {
	case len(e.Of) != 1 && len(e.Of) != 2:
		return bad("number of artworks", len(e.Of))
	case e.Film() && (e.Frames < 2 || e.Frames > MaxFrames) || !e.Film() && e.Frames != 0:
		return bad("number of frames", e.Frames)
	case e.Film() != (e.Length != 0) || e.Length > 1<<40:
		return bad("length", e.Length)
	case e.Once && !e.Film():
		return bad("way of a picture", "there")
	case e.Changes == nil || len(e.Changes) > MaxChanges:
		return bad("changes", fmt.Sprintf("of %d bytes", len(e.Changes)))
	}
	for _, w := range e.Works() {
		if len(w.Prompt) > MaxPrompt || !utf8.ValidString(w.Prompt) {
			return bad("prompt", fmt.Sprintf("of %d bytes", len(w.Prompt)))
		}
		if w.Taste != nil && !w.Taste.fits(w.Prompt) {
			return bad("taste", fmt.Sprintf("of version %d", w.Taste.Version))
		}
	}
	return nil
}

// maxSide is the longest side that the picture may have.
func (r Receipt) maxSide() uint64 {
	if r.Edition != nil && !r.Edition.Film() { // of a film each frame is kept as a whole
		return MaxEditionSide
	}
	return MaxSide
}

// attributes are what people ask of an edition.
func (e Edition) attributes() []Attribute {
	kind, way := "picture", ""
	if e.Film() {
		kind, way = "film", fmt.Sprintf("%d, of %d ms in all", e.Frames, e.Length)
	}
	out := []Attribute{{"Edition", kind}}
	for _, w := range e.Of {
		out = append(out, Attribute{"Edition of", hex.EncodeToString(w.RequestID[:])})
	}
	if e.Film() {
		out[1].Trait, out[2].Trait = "From", "To"
		out = append(out, Attribute{"Frames", way})
	}
	if e.Colours != nil {
		out = append(out, Attribute{"Colours of", hex.EncodeToString(e.Colours.RequestID[:])})
	}
	return out
}

// describe is the title and the description of an edition.
func (e Edition) describe(network, artist string) (string, string) {
	id, name := e.Of[0].RequestID[:6], e.Of[0].Name()
	if e.Film() {
		last, to := e.Of[1].RequestID[:6], e.Of[1].Name()
		return fmt.Sprintf("%s to %s", title(name), title(to)),
			fmt.Sprintf("The way from %q to %q as the artist %q of %s draws it: a film between its artworks %x and %x.", name, to, artist, network, id, last)
	}
	return title(name), fmt.Sprintf("Drawn once more by the artist %q of %s: an edition of its artwork %x, %q.", artist, network, id, name)
}

// Name is what the artwork is called: its prompt or, without one, what it was drawn from;
// "Untitled" where there is neither.
func (w Work) Name() string {
	switch {
	case w.Taste != nil:
		return w.Taste.Words
	case w.Prompt == "":
		return title("")
	}
	return w.Prompt
}
