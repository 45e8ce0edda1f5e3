package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// The network's taste on this node: its versions are computed here, and their files lie
// in the store, where the other members fetch them by the hashes on the ledger.

// learnTaste performs a member.LearnTaste.
func (a *actor) learnTaste(ctx context.Context, f member.LearnTaste) {
	done := member.TasteLearned{Version: f.Version}
	done.Prior, done.Lexicon, done.Err = a.n.learnTaste(ctx, f)
	if ctx.Err() == nil {
		a.send(ctx, done)
	}
}

// keepPrior performs a member.KeepPrior.
func (a *actor) keepPrior(ctx context.Context, f member.KeepPrior) {
	if err := a.n.fetchPrior(ctx, f.File, peersOf(f.From)); err != nil {
		if ctx.Err() == nil {
			a.log.WarnContext(ctx, "file of the taste not fetched yet", "version", f.Version, "file", f.File, "err", err)
		}
		return
	}
	a.send(ctx, member.PriorKept{File: f.File})
}

func peersOf(accounts []curation.Address) (ids []peer.ID) {
	for _, account := range accounts {
		if id, err := peerOf(account); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// learn computes a version and keeps its file and the lexicon's.
func (n *Node) learnTaste(ctx context.Context, f member.LearnTaste) (prior, lexicon curation.Hash, err error) {
	x, err := model.Lexicon()
	if f.Version > 0 {
		x, err = n.lexicon(ctx, f.Lexicon, peersOf(f.From))
	}
	if err != nil {
		return prior, lexicon, err
	}
	p := x.First()
	if f.Version > 0 {
		if p, err = n.after(ctx, x, f); err != nil {
			return prior, lexicon, err
		}
	}
	if lexicon, err = n.putTaste(ctx, x); err != nil {
		return prior, lexicon, err
	}
	prior, err = n.putTaste(ctx, p)
	return prior, lexicon, err
}

// after is the version that follows on an earlier one.
func (n *Node) after(ctx context.Context, x *taste.Lexicon, f member.LearnTaste) (*taste.Prior, error) {
	var facts taste.RoundFacts
	if err := n.machine.View(func(v curation.View) error {
		var ok bool
		if facts, ok = tastes.Facts(v, f.Round); !ok {
			return fmt.Errorf("round %d is not settled", f.Round)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	versions := map[taste.ID]*taste.Prior{}
	for _, file := range append(tastes.Named(facts), f.Before) {
		p, err := n.prior(ctx, x, file, peersOf(f.From))
		if err != nil {
			return nil, err
		}
		versions[taste.ID(file)] = p
	}
	return tastes.Learn(x, versions[taste.ID(f.Before)], facts, func(id taste.ID) (*taste.Prior, bool) { p, ok := versions[id]; return p, ok })
}

// putTaste stores and pins the file of a version or a lexicon, and returns its hash.
func (n *Node) putTaste(ctx context.Context, file interface {
	MarshalBinary() ([]byte, error)
	ID() taste.ID
}) (curation.Hash, error) {
	raw, err := file.MarshalBinary()
	id := curation.Hash(file.ID())
	switch {
	case err != nil:
		return id, err
	case len(raw) > tastes.MaxFile:
		return id, fmt.Errorf("a file of the taste has %d bytes, allowed are %d: this program's artist has too many words", len(raw), tastes.MaxFile)
	}
	root := tastes.CID(id)
	if err := n.pin(root, tastePin(id)); err != nil {
		return id, err
	}
	if n.store.Has(root) {
		return id, nil
	}
	have, err := n.store.PutFile(ctx, bytes.NewReader(raw))
	if err == nil && !have.Equals(root) {
		err = fmt.Errorf("the file %v was stored as %v", root, have)
	}
	return id, err
}

// lexicon is the network's, which is fetched if it is neither here nor this program's own.
func (n *Node) lexicon(ctx context.Context, file curation.Hash, from []peer.ID) (*taste.Lexicon, error) {
	x, err := n.shelf.Lexicon(ctx, file)
	if errors.Is(err, tastes.ErrMissing) {
		if err = n.fetchPrior(ctx, file, from); err == nil {
			x, err = n.shelf.Lexicon(ctx, file)
		}
	}
	return x, err
}

// prior is a version, which is fetched if it is not here.
func (n *Node) prior(ctx context.Context, x *taste.Lexicon, file curation.Hash, from []peer.ID) (*taste.Prior, error) {
	p, err := n.shelf.Prior(ctx, x, file)
	if errors.Is(err, tastes.ErrMissing) {
		if err = n.fetchPrior(ctx, file, from); err == nil {
			p, err = n.shelf.Prior(ctx, x, file)
		}
	}
	return p, err
}

// fetchPrior brings a file of the taste here and pins it: from another member or, when
// none gives it, computed again. What comes has the hash.
func (n *Node) fetchPrior(ctx context.Context, file curation.Hash, from []peer.ID) error {
	root := tastes.CID(file)
	// Pinned first: an artwork's end may collect what is not.
	if err := n.pin(root, tastePin(file)); err != nil || n.store.Has(root) {
		return err
	}
	if own, err := model.Lexicon(); err == nil && curation.Hash(own.ID()) == file {
		_, err := n.putTaste(ctx, own)
		return err
	}
	fetching, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	_, err := n.exchange.Fetch(fetching, root, from)
	if err != nil && n.recompute(ctx, file) == nil {
		return nil
	}
	return err
}

// recompute makes the file of a version from nothing but the ledger, where no member has
// it any more: all rounds up to its own are learned from again.
func (n *Node) recompute(ctx context.Context, file curation.Hash) error {
	var lexicon curation.Hash
	var rounds []taste.RoundFacts
	if err := n.machine.View(func(v curation.View) error {
		p, ok := v.PriorNamed(file)
		if !ok {
			return fmt.Errorf("the ledger has no version %v of the taste", file)
		}
		lexicon = p.Lexicon
		if rounds, ok = tastes.Rounds(v, p.Version); !ok {
			return fmt.Errorf("version %d of the taste is of rounds that are not settled", p.Version)
		}
		return nil
	}); err != nil {
		return err
	}
	x, err := n.shelf.Lexicon(ctx, lexicon)
	if err != nil {
		return err
	}
	var last *taste.Prior
	for p, err := range x.Replay(ctx, rounds) {
		if err != nil {
			return err
		}
		last = p
	}
	if curation.Hash(last.ID()) != file {
		return fmt.Errorf("the rounds give %v, the ledger has %v", last.ID(), file)
	}
	_, err = n.putTaste(ctx, last)
	return err
}

// drawing is how an artwork is drawn: by its prompt, or by what the taste gives for its
// seed, which the receipt names then.
func (n *Node) drawing(ctx context.Context, artist *model.Artist, a curation.Artwork) (*kernel.Program, *storage.Taste, error) {
	if a.Prior == (curation.Hash{}) {
		program, err := artist.Fold(a.Prompt, a.Seed)
		return program, nil, err
	}
	var version curation.Prior
	if err := n.machine.View(func(v curation.View) error {
		var ok bool
		if version, ok = v.PriorNamed(a.Prior); !ok {
			return fmt.Errorf("the ledger has no version %v of the taste", a.Prior)
		}
		return nil
	}); err != nil {
		return nil, nil, err
	}
	x, err := n.lexicon(ctx, version.Lexicon, n.others(curation.Address{}))
	if err != nil {
		return nil, nil, err
	}
	p, err := n.prior(ctx, x, a.Prior, n.others(curation.Address{}))
	if err != nil {
		return nil, nil, err
	}
	return drawnBy(artist, x, p, version, a.Seed)
}

// drawnBy is what an artist draws of what a version gives for a seed.
func drawnBy(artist *model.Artist, x *taste.Lexicon, p *taste.Prior, version curation.Prior, seed curation.Hash) (*kernel.Program, *storage.Taste, error) {
	l, _ := x.Draw(p, seed)
	program, err := tastes.Program(artist, l, seed)
	if err != nil {
		return nil, nil, err
	}
	drawn, err := tastes.Receipt(version, l)
	return program, drawn, err
}
