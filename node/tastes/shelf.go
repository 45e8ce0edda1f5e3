// Package tastes is the network's taste as a node has it: the files of its versions,
// which lie in the node's store under their hashes, what the ledger tells a version to
// learn from, and what artworks are drawn from one.
//
// The rule is that of package model/taste; which versions there are, the ledger says.
package tastes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
)

// MaxFile bounds the file of a version or a lexicon, in bytes: so much makes one block,
// whose CID follows from the hash on the ledger.
const MaxFile = 1 << 20

// ErrMissing reports a file that this node does not have.
var ErrMissing = errors.New("the file is not on this node")

// CID names the file with a hash.
func CID(file curation.Hash) cid.Cid {
	sum, err := multihash.Encode(file[:], multihash.SHA2_256)
	if err != nil {
		panic(err) // the code is known and the length right
	}
	return cid.NewCidV1(cid.Raw, sum)
}

// Files is where the files lie: a storage.Store.
type Files interface {
	Has(cid.Cid) bool
	ReadFile(ctx context.Context, c cid.Cid, path string) ([]byte, error)
}

// maxRead is how many versions a shelf remembers decoded: those that a page of a gallery
// needs.
const maxRead = 16

// A Shelf reads versions and lexicons. It is safe for concurrent use.
type Shelf struct {
	files Files

	mu       sync.Mutex
	lexicons map[curation.Hash]*taste.Lexicon // a network has one
	priors   map[curation.Hash]*taste.Prior
	order    []curation.Hash         // of priors, as they came
	drawn    map[curation.Hash]Drawn // what artworks were drawn from, by their ids
}

// NewShelf returns a shelf of files.
func NewShelf(files Files) *Shelf {
	return &Shelf{files: files, lexicons: map[curation.Hash]*taste.Lexicon{}, priors: map[curation.Hash]*taste.Prior{}, drawn: map[curation.Hash]Drawn{}}
}

// Lexicon is the lexicon whose file has a hash. That of this program's own artist is
// always here. The error wraps ErrMissing, or tells what is wrong with the file.
func (s *Shelf) Lexicon(ctx context.Context, file curation.Hash) (*taste.Lexicon, error) {
	own, err := model.Lexicon()
	if err != nil || curation.Hash(own.ID()) == file {
		return own, err
	}
	s.mu.Lock()
	x, known := s.lexicons[file]
	s.mu.Unlock()
	if known {
		return x, nil
	}
	raw, err := s.read(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("lexicon %v: %w", file, err)
	}
	if x, err = taste.UnmarshalLexicon(raw); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lexicons) == 0 { // more than the network's are somebody's mistake, and stay on the disk
		s.lexicons[file] = x
	}
	return x, nil
}

// Prior is the version of a lexicon whose file has a hash. The error wraps ErrMissing, or
// tells what is wrong with the file.
func (s *Shelf) Prior(ctx context.Context, x *taste.Lexicon, file curation.Hash) (*taste.Prior, error) {
	s.mu.Lock()
	p, known := s.priors[file]
	s.mu.Unlock()
	if known && p.Lexicon == x.ID() {
		return p, nil
	}
	raw, err := s.read(ctx, file)
	if err != nil {
		return nil, fmt.Errorf("version %v of the taste: %w", file, err)
	}
	if p, err = x.UnmarshalPrior(raw); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) == maxRead {
		delete(s.priors, s.order[0])
		s.order = s.order[1:]
	}
	s.priors[file], s.order = p, append(s.order, file)
	return p, nil
}

// read is a file of the store, which holds nothing under a hash that is not its own.
func (s *Shelf) read(ctx context.Context, file curation.Hash) ([]byte, error) {
	root := CID(file)
	if !s.files.Has(root) {
		return nil, ErrMissing
	}
	return s.files.ReadFile(ctx, root, "")
}

// Facts are what the ledger shows of a settled round: what a version learns from. It is
// false for any other round.
func Facts(v curation.View, number uint64) (facts taste.RoundFacts, ok bool) {
	round, known := v.Round(number)
	if !known || round.Phase != curation.RoundSettled {
		return facts, false
	}
	facts.Number = number
	chosen := map[curation.Hash]bool{}
	add := func(list *[]taste.Facts, rid curation.Hash) {
		if a, ok := v.Artwork(rid); ok {
			*list = append(*list, taste.Facts{Artwork: taste.ID(rid), Prompt: a.Prompt, Seed: taste.ID(a.Seed), Prior: taste.ID(a.Prior)})
		}
	}
	for _, rid := range round.Published {
		chosen[rid] = true
		add(&facts.Published, rid)
	}
	for _, rid := range round.Candidates {
		if !chosen[rid] {
			add(&facts.Declined, rid)
		}
	}
	return facts, true
}

// Rounds are what all versions up to the given one learn from, the oldest first: whoever
// replays them with taste.Lexicon.Replay gets its file. It is false when there is no such
// version.
func Rounds(v curation.View, version uint64) (rounds []taste.RoundFacts, ok bool) {
	for n := uint64(1); n <= version; n++ {
		number, _ := v.PriorRound(n)
		facts, ok := Facts(v, number)
		if !ok {
			return nil, false
		}
		rounds = append(rounds, facts)
	}
	return rounds, true
}

// Named are the versions that the artworks of a round were drawn from, each once.
func Named(facts taste.RoundFacts) (files []curation.Hash) {
	seen := map[taste.ID]bool{{}: true}
	for _, list := range [][]taste.Facts{facts.Published, facts.Declined} {
		for _, f := range list {
			if !seen[f.Prior] {
				seen[f.Prior] = true
				files = append(files, curation.Hash(f.Prior))
			}
		}
	}
	return files
}

// Learn is the version that follows on one from a round. versions finds the files that
// Named lists.
func Learn(x *taste.Lexicon, before *taste.Prior, facts taste.RoundFacts, versions func(taste.ID) (*taste.Prior, bool)) (*taste.Prior, error) {
	round, err := x.Read(facts, versions)
	if err != nil {
		return nil, err
	}
	return x.Update(before, round)
}

// learned is the round that a version learned from, as latents.
func (s *Shelf) learned(ctx context.Context, x *taste.Lexicon, facts taste.RoundFacts) (taste.Round, error) {
	var missing error
	round, err := x.Read(facts, func(id taste.ID) (*taste.Prior, bool) {
		p, err := s.Prior(ctx, x, curation.Hash(id))
		if err != nil {
			missing = err
		}
		return p, err == nil
	})
	if missing != nil {
		err = missing
	}
	return round, err
}

// Words are a latent in words: the title of a picture without a prompt.
func Words(l latent.Latent) string { return strings.Join(latent.Explain(l), " ") }
