package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/tastes"
)

// TasteVersion is a version of the network's taste, as the ledger has it.
type TasteVersion struct {
	Version uint64        `json:"version" doc:"From 0, without gaps."`
	Round   uint64        `json:"round" doc:"The settled round that it learned from last; 0 for version 0."`
	ID      curation.Hash `json:"id" doc:"SHA-256 of its file; zeros while it is not adopted."`
	CID     string        `json:"cid,omitempty" doc:"The same as a CID, under which members give the file."`
	Lexicon curation.Hash `json:"lexicon" doc:"SHA-256 of the file that says what its words mean."`
	Adopted uint64        `json:"adopted,omitempty" doc:"Height."`
	Records []TasteRecord `json:"records" doc:"What members have found it to be."`
	Differs []uint32      `json:"differs" doc:"Members that found something else than was adopted."`
	Held    bool          `json:"held" doc:"The file is on this node."`
}

// TasteRecord is what a member has found a version to be.
type TasteRecord struct {
	Member  uint32        `json:"member"`
	ID      curation.Hash `json:"id"`
	Lexicon curation.Hash `json:"lexicon"`
	Height  uint64        `json:"height"`
}

// Taste is a version with what it knows, and what its round changed.
type Taste struct {
	TasteVersion
	Missing    string        `json:"missing,omitempty" doc:"Why this node cannot tell what follows; absent when it can."`
	Candidates int64         `json:"candidates" doc:"Artworks that it learned from, over all rounds."`
	Published  int64         `json:"published" doc:"Of which were published."`
	Words      []TasteWord   `json:"words" doc:"All words, the most liked first."`
	Parents    []TasteParent `json:"parents" doc:"Published artworks that new pictures descend from, the best first."`
	Changed    []TasteChange `json:"changed" doc:"What its round changed: the largest movement first."`
	Arrived    []TasteParent `json:"arrived" doc:"Parents that its round brought."`
	Departed   []TasteParent `json:"departed" doc:"Parents that others displaced, or that have faded."`
	Next       *TasteVersion `json:"next,omitempty" doc:"The one to come, while members record it; of the version in force only."`
}

// TasteWord is a word and what it adds to the appeal of a picture, beside others of its
// kind.
type TasteWord struct {
	Word   string  `json:"word"`
	Kind   string  `json:"kind" enum:"thing,colour,motif,paper"`
	Appeal float64 `json:"appeal" doc:"Beside others of its kind, whose mean is 0. Of two pictures the one with 1 more is preferred in 73 of 100 cases."`
}

// TasteChange is a word that a version likes more or less than the one before.
type TasteChange struct {
	Word      string          `json:"word"`
	Kind      string          `json:"kind" enum:"thing,colour,motif,paper"`
	Before    float64         `json:"before" doc:"Appeal, beside others of its kind."`
	After     float64         `json:"after" doc:"Appeal."`
	Published []curation.Hash `json:"published" doc:"Artworks of the round that had it and were published."`
	Declined  []curation.Hash `json:"declined" doc:"The same, declined. Without either it moved because it looks like others that did."`
}

// TasteParent is an artwork that new pictures descend from.
type TasteParent struct {
	Artwork curation.Hash `json:"artwork"`
	Words   []string      `json:"words"`
}

// Drawn is what an artwork without a prompt was drawn from.
type Drawn struct {
	Version  uint64          `json:"version" doc:"Of the taste."`
	Words    []string        `json:"words"`
	Explored bool            `json:"explored" doc:"Drawn from everything there is, whatever the taste says."`
	Parents  []curation.Hash `json:"parents" doc:"Artworks that it descends from: none, one or two."`
	Latent   string          `json:"latent" doc:"The same for programs, as the receipt has it."`
}

func (s *server) tasteVersion(p curation.Prior) TasteVersion {
	out := TasteVersion{Version: p.Version, Round: p.Round, ID: p.ID, Lexicon: p.Lexicon, Adopted: p.Height, Differs: list(p.Differs()),
		Records: each(p.Records, func(r curation.PriorRecord) TasteRecord { return TasteRecord{r.Member, r.ID, r.Lexicon, r.Height} })}
	if p.Adopted() {
		root := tastes.CID(p.ID)
		out.CID, out.Held = root.String(), s.backend.Store().Has(root)
	}
	return out
}

// tasteOf is a version by its number, or by the word current.
func (s *server) tasteOf(ctx context.Context, v curation.View, text string) (Taste, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	next := v.NextPrior()
	switch {
	case text != "current" && err != nil:
		return Taste{}, problem(http.StatusBadRequest, CodeInput, "%q is no version: give its number, or the word current", clip(text))
	case next == 0:
		return Taste{}, problem(http.StatusNotFound, CodeNotFound, "the network has no taste yet: its members make version 0 once they have made its keys")
	case text == "current":
		number = next - 1
	case number >= next:
		return Taste{}, problem(http.StatusNotFound, CodeNotFound, "there is no version %d of the taste: the last is %d", number, next-1)
	}
	told, err := s.shelf.Tell(ctx, v, number)
	out := Taste{TasteVersion: s.tasteVersion(told.Prior), Words: []TasteWord{}, Parents: []TasteParent{}, Changed: []TasteChange{}, Arrived: []TasteParent{}, Departed: []TasteParent{}}
	if p, coming := v.PriorAt(next); coming && number+1 == next {
		n := s.tasteVersion(p)
		out.Next = &n
	}
	if err != nil {
		out.Missing = err.Error()
		return out, nil
	}
	out.Candidates, out.Published = told.Now.Candidates, told.Now.Published
	out.Words = each(told.Words, func(w taste.WordAppeal) TasteWord { return TasteWord{w.Word, w.Kind, appeal(w.Appeal)} })
	out.Parents = each(told.Now.Parents, func(p taste.Parent) TasteParent {
		return TasteParent{curation.Hash(p.Artwork), latent.Explain(p.Latent)}
	})
	if c := told.Change; c != nil {
		parents := func(of []taste.ParentChange) []TasteParent {
			return each(of, func(p taste.ParentChange) TasteParent { return TasteParent{curation.Hash(p.Artwork), p.Words} })
		}
		out.Arrived, out.Departed = parents(c.Arrived), parents(c.Departed)
		out.Changed = each(c.Words, func(w taste.WordChange) TasteChange {
			return TasteChange{w.Word, w.Kind, appeal(w.Before), appeal(w.After), hashes(w.Published), hashes(w.Declined)}
		})
	}
	return out, nil
}

// appeal is an appeal in units of 1.
func appeal(a int64) float64 { return float64(a) / taste.AppealOne }

func hashes(ids []taste.ID) []curation.Hash {
	return each(ids, func(id taste.ID) curation.Hash { return curation.Hash(id) })
}

// drawn is what an artwork was drawn from; nil when it has a prompt, no seed yet, or when
// this node lacks the version's file.
func (s *server) drawn(ctx context.Context, v curation.View, a curation.Artwork) *Drawn {
	d, ok, err := s.shelf.Drawn(ctx, v, a)
	if !ok || err != nil {
		return nil
	}
	r, err := tastes.Receipt(d.Prior, d.Latent)
	if err != nil {
		return nil
	}
	return &Drawn{Version: d.Prior.Version, Words: latent.Explain(d.Latent), Explored: d.Explored, Parents: hashes(d.Parents), Latent: r.Latent}
}

type tastesInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Most versions to list."`
}

func (s *server) registerTastes(api huma.API) {
	get(s, api, "tastes", "/v1/tastes", "The versions of the network's taste, newest first: what pictures without a prompt are drawn from",
		func(v curation.View, in *tastesInput) ([]TasteVersion, error) {
			return each(v.Priors(in.Limit), s.tasteVersion), nil
		})
	type versionInput struct {
		Version string `path:"version" maxLength:"20" doc:"Its number, or the word current."`
	}
	getWith(s, api, "taste", "/v1/tastes/{version}", "One version of the taste: what it likes, and what its round changed",
		func(ctx context.Context, v curation.View, in *versionInput) (Taste, error) {
			return s.tasteOf(ctx, v, in.Version)
		})
}

// Tastes are the last versions of the network's taste, newest first.
func (c *Client) Tastes(ctx context.Context, limit int) ([]TasteVersion, error) {
	return ask[[]TasteVersion](ctx, c, "/v1/tastes", url.Values{"limit": {strconv.Itoa(limit)}})
}

// Taste is a version, named by its number or by the word current; a *Problem with
// CodeNotFound when there is none.
func (c *Client) Taste(ctx context.Context, version string) (Taste, error) {
	return ask[Taste](ctx, c, "/v1/tastes/"+url.PathEscape(version), nil)
}
