package taste

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Bounds of a prior. They keep its file below MaxPrior.
const (
	MaxPrior   = 64 << 10 // bytes of a file
	MaxWords   = 192      // words that a prior remembers a weight of
	MaxParents = 32       // published latents that a prior breeds from
	MaxKin     = 2        // of which show the same thing first
)

const priorFormat = "atelier-taste/1"

// AppealOne is an appeal of 1: of two latents the one whose appeal is larger by that is
// preferred in 73 of 100 cases.
const AppealOne = weightOne

const (
	weightOne   = 1 << 12       // 1.0 of a weight or an appeal
	maxWeight   = 8 * weightOne // a weight's bound in either direction
	standingOne = 1 << 12       // standing of the best of a round
	maxCount    = 1 << 53       // of versions and artworks
)

// ErrPrior reports bytes that are no prior of the lexicon.
var ErrPrior = errors.New("not a prior")

// ID is a SHA-256: of a file, or the ledger's name of an artwork. As text it is hex.
type ID [32]byte

// IDOf is the ID of a file.
func IDOf(file []byte) ID { return sha256.Sum256(file) }

// String is the ID in hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes hex.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads lower-case hex.
func (id *ID) UnmarshalText(text []byte) error {
	if n, err := hex.Decode(id[:], text[:min(len(text), 64)]); err != nil || n != 32 || len(text) != 64 {
		return errors.New("an id has 64 hex digits")
	}
	return nil
}

// A Prior is what a network has learned of its collectors' taste: one version of
// the file that all members compute alike.
type Prior struct {
	Format     string   `json:"format"`
	Version    int64    `json:"version"`    // 0 knows nothing
	Before     ID       `json:"before"`     // the version before; zero for version 0
	Lexicon    ID       `json:"lexicon"`    // what its words mean
	Round      uint64   `json:"round"`      // the last round that it learned from; 0 for version 0
	Candidates int64    `json:"candidates"` // artworks that it learned from, over all rounds
	Published  int64    `json:"published"`  // of which were published
	Looks      []int64  `json:"looks"`      // weights of how a latent looks, in units of 2⁻¹²
	Words      []Word   `json:"words"`      // by name, those of which there is something to say
	Parents    []Parent `json:"parents"`    // what it breeds from, the best first
}

// A Word is what a prior remembers of a word.
type Word struct {
	Word   string `json:"word"`   // feature of the vocabulary, with the prefix of its kind
	Weight int64  `json:"weight"` // what it adds to the appeal of a latent, in units of 2⁻¹²
	Shown  int64  `json:"shown"`  // the share of late artworks that showed it first, in units of 2⁻¹²
}

// A Parent is a published artwork that draws descend from.
type Parent struct {
	Artwork  ID            `json:"artwork"`
	Round    uint64        `json:"round"`
	Standing int           `json:"standing"` // 1 to 2¹², less with age
	Latent   latent.Latent `json:"latent"`
}

// First is version 0: it knows nothing, and every draw is of the base distribution.
func (x *Lexicon) First() *Prior {
	return &Prior{Format: priorFormat, Lexicon: x.id, Looks: make([]int64, looks), Words: []Word{}, Parents: []Parent{}}
}

// MarshalBinary returns the prior's file: JSON in one canonical form.
func (p *Prior) MarshalBinary() ([]byte, error) { return encode(p) }

// ID is the SHA-256 of the prior's file: the name of the version.
func (p *Prior) ID() ID {
	raw, err := encode(p)
	if err != nil {
		panic(err) // its fields are strings and numbers
	}
	return sha256.Sum256(raw)
}

// UnmarshalPrior reads what [Prior.MarshalBinary] wrote of a prior of this lexicon,
// and nothing else. It says nothing about whether the rule was followed: compute
// the version again for that. Errors wrap [ErrPrior].
func (x *Lexicon) UnmarshalPrior(raw []byte) (*Prior, error) {
	wrong := func(format string, args ...any) (*Prior, error) {
		return nil, fmt.Errorf("%w: %s", ErrPrior, fmt.Sprintf(format, args...))
	}
	if len(raw) > MaxPrior {
		return wrong("%d bytes, limit %d", len(raw), MaxPrior)
	}
	p := &Prior{}
	if err := strictjson.Unmarshal(raw, p); err != nil {
		return wrong("%v", err)
	}
	switch {
	case p.Format != priorFormat:
		return wrong("format %q, want %q", p.Format, priorFormat)
	case p.Lexicon != x.id:
		return wrong("it is of lexicon %v, not of %v", p.Lexicon, x.id)
	case p.Version < 0 || p.Version > maxCount || p.Candidates < 0 || p.Candidates > maxCount || p.Published < 0 || p.Published > p.Candidates:
		return wrong("version %d with %d of %d artworks published", p.Version, p.Published, p.Candidates)
	case (p.Version == 0) != (p.Before == ID{}) || (p.Version == 0) != (p.Round == 0) || p.Round < uint64(p.Version):
		return wrong("version %d of round %d after %v", p.Version, p.Round, p.Before)
	case len(p.Looks) != looks:
		return wrong("%d weights of looks, want %d", len(p.Looks), looks)
	case len(p.Words) > MaxWords || len(p.Parents) > MaxParents:
		return wrong("%d words and %d parents, allowed are up to %d and %d", len(p.Words), len(p.Parents), MaxWords, MaxParents)
	}
	for _, w := range p.Looks {
		if w < -maxWeight || w > maxWeight {
			return wrong("a weight of %d, allowed is up to %d", w, maxWeight)
		}
	}
	for i, w := range p.Words {
		if _, ok := x.vocabulary.Row(w.Word); !ok || w.Weight == 0 && w.Shown == 0 || w.Weight < -maxWeight || w.Weight > maxWeight || w.Shown < 0 || w.Shown > weightOne {
			return wrong("the word %q with weight %d, shown by %d", w.Word, w.Weight, w.Shown)
		}
		if i > 0 && p.Words[i-1].Word >= w.Word {
			return wrong("the word %q is out of order", w.Word)
		}
	}
	for i, q := range p.Parents {
		if q.Standing < 1 || q.Standing > standingOne || q.Round < 1 || q.Round > p.Round {
			return wrong("a parent of round %d with standing %d", q.Round, q.Standing)
		}
		if i > 0 && byStanding(p.Parents[i-1], q) >= 0 {
			return wrong("parent %v is out of order", q.Artwork)
		}
		if err := x.vocabulary.Check(q.Latent); err != nil {
			return wrong("parent %v: %v", q.Artwork, err)
		}
	}
	again, err := encode(p)
	if first, _ := encode(x.First()); p.Version == 0 && !bytes.Equal(raw, first) {
		return wrong("version 0 knows something")
	}
	if p.Words == nil || p.Parents == nil || err != nil || !bytes.Equal(again, raw) {
		return wrong("the file is not in canonical form")
	}
	return p, nil
}

// byStanding orders parents: the best first, then the latest, then by artwork.
func byStanding(a, b Parent) int {
	return cmp.Or(cmp.Compare(b.Standing, a.Standing), cmp.Compare(b.Round, a.Round), slices.Compare(a.Artwork[:], b.Artwork[:]))
}
