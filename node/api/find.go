package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/atelier-dao/atelier/curation"
)

// minPrefix is the shortest start of a rid that names an artwork, in hex digits.
const minPrefix = 8

// name is how an artwork was named: by its whole rid, by the start of it, or by a
// CID. Exactly one field is set.
type name struct {
	rid    curation.Hash
	whole  bool
	prefix string
	cid    string
}

// parseName reads how a person names an artwork.
func parseName(text string) (name, error) {
	digits := strings.ToLower(text)
	if len(digits) <= 2*len(curation.Hash{}) && strings.Trim(digits, "0123456789abcdef") == "" {
		if len(digits) < minPrefix {
			return name{}, fmt.Errorf("%q is too short: a request id is named by its first %d to 64 hex digits", text, minPrefix)
		}
		rid, err := curation.ParseHash(digits)
		if err != nil {
			return name{prefix: digits}, nil
		}
		return name{rid: rid, whole: true}, nil
	}
	if err := curation.ValidateCID(text); err != nil {
		return name{}, fmt.Errorf("%q is neither a request id in hex nor a CID: copy one from the list of artworks", clip(text))
	}
	return name{cid: text}, nil
}

// clip keeps an error to one readable line.
func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}

// find returns the one artwork that text names.
func find(v curation.View, text string) (curation.Artwork, error) {
	n, err := parseName(text)
	if err != nil {
		return curation.Artwork{}, problem(http.StatusBadRequest, CodeInput, "%v", err)
	}
	var a curation.Artwork
	ok := false
	switch {
	case n.whole:
		a, ok = v.Artwork(n.rid)
	case n.cid != "":
		a, ok = v.ArtworkByCID(n.cid)
	default:
		named := v.ArtworksNamed(n.prefix, 2)
		if len(named) > 1 {
			return a, problem(http.StatusConflict, CodeAmbiguous, "%q names several artworks: give more digits", text)
		}
		if ok = len(named) == 1; ok {
			a = named[0]
		}
	}
	if !ok {
		return a, problem(http.StatusNotFound, CodeNotFound, "the ledger holds no artwork %q: `atelier artwork list` and /v1/artworks list what there is", clip(text))
	}
	return a, nil
}
