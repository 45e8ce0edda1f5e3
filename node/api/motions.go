package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/health"
)

// Motion is a vote under way on who is a member, who is the artist, or how it is trained. What was decided,
// or lapsed, is none any more: the members and the models tell what came of it.
type Motion struct {
	ID        curation.Hash `json:"id"`
	Kind      string        `json:"kind" enum:"admit,remove,adopt,train"`
	Applicant *Applicant    `json:"applicant,omitempty" doc:"Whom to admit."`
	Member    uint32        `json:"member,omitempty" doc:"Whom to remove; or the number that the applicant had when it was a member before."`
	Artist    *Model        `json:"artist,omitempty" doc:"Whom to adopt."`
	Plan      *Plan         `json:"plan,omitempty" doc:"By which to train the artist."`
	Name      string        `json:"name" doc:"Of the applicant, member or artist."`
	Votes     []uint32      `json:"votes" doc:"Members that are for it, in the order of their votes; the first proposed it."`
	Counted   int           `json:"counted" doc:"Votes of those who hold a share now."`
	Threshold int           `json:"threshold" doc:"Votes that carry it."`
	Opened    uint64        `json:"opened" doc:"Height."`
	Until     uint64        `json:"until" doc:"Last height for votes."`
}

// Applicant is what somebody who wants to become a member has signed of itself.
type Applicant struct {
	Name               string           `json:"name"`
	Account            curation.Address `json:"account"`
	Validator          curation.Hash    `json:"validator" doc:"ed25519 key for consensus."`
	Addresses          []string         `json:"addresses" doc:"Where it is reached."`
	Nonce              curation.Hash    `json:"nonce" doc:"Random: an application admits once."`
	AccountSignature   Hex              `json:"account_signature" doc:"64 bytes, ed25519."`
	ValidatorSignature Hex              `json:"validator_signature" doc:"64 bytes, ed25519."`
}

// Application is the applicant's own, for a vote.
func (a Applicant) Application() (curation.Application, error) {
	out := curation.Application{Name: a.Name, Account: a.Account, Validator: a.Validator, Addresses: a.Addresses, Nonce: a.Nonce}
	if len(a.AccountSignature) != len(out.AccountSignature) || len(a.ValidatorSignature) != len(out.ValidatorSignature) {
		return out, problem(http.StatusBadGateway, CodeInternal, "the node tells of an applicant whose signatures have %d and %d bytes, want 64: ask another node",
			len(a.AccountSignature), len(a.ValidatorSignature))
	}
	out.AccountSignature, out.ValidatorSignature = [64]byte(a.AccountSignature), [64]byte(a.ValidatorSignature)
	return out, nil
}

func motionOf(v curation.View, m curation.Motion) Motion {
	out := Motion{ID: m.ID, Kind: "remove", Member: m.Remove, Votes: list(m.Votes), Opened: m.Opened, Until: m.Until}
	out.Counted, out.Threshold = health.Votes(v, m)
	if a := m.Application; a != nil {
		out.Kind, out.Name = "admit", a.Name
		out.Applicant = &Applicant{Name: a.Name, Account: a.Account, Validator: a.Validator, Addresses: list(a.Addresses), Nonce: a.Nonce,
			AccountSignature: a.AccountSignature[:], ValidatorSignature: a.ValidatorSignature[:]}
		if before, again := v.MemberOf(a.Account); again {
			out.Member = before.Index
		}
		return out
	}
	if p := m.Train; p != nil {
		plan := planOf(*p)
		artist, _ := v.Model() // a plan is about an artist that there is
		out.Kind, out.Name, out.Plan = "train", artist.Name, &plan
		return out
	}
	if m.Adopt != 0 {
		sealed, _ := v.ModelAt(m.Adopt) // a motion is about a model that there is
		artist := modelOf(v, sealed)
		out.Kind, out.Name, out.Artist = "adopt", sealed.Name, &artist
		return out
	}
	target, _ := v.Member(m.Remove) // a motion is about a member that there is
	out.Name = target.Name
	return out
}

func motionsOf(v curation.View) []Motion {
	return each(v.Motions(), func(m curation.Motion) Motion { return motionOf(v, m) })
}

func (s *server) registerMotions(api huma.API) {
	get(s, api, "motions", "/v1/motions", "The votes under way on who is a member, on the artist, and on its training",
		func(v curation.View, _ *none) ([]Motion, error) { return motionsOf(v), nil })
	type motionInput struct {
		ID string `path:"id" maxLength:"64" doc:"Of the motion in hex, or the first 8 or more digits of it."`
	}
	get(s, api, "motion", "/v1/motions/{id}", "One vote on who is a member, or on the artist",
		func(v curation.View, in *motionInput) (Motion, error) { return findMotion(v, in.ID) })
}

// findMotion returns the one motion whose id begins so.
func findMotion(v curation.View, text string) (found Motion, err error) {
	digits := strings.ToLower(text)
	if len(digits) < minPrefix || strings.Trim(digits, "0123456789abcdef") != "" {
		return found, problem(http.StatusBadRequest, CodeInput, "%q is no motion: give its first %d to 64 hex digits", clip(text), minPrefix)
	}
	several := 0
	for _, m := range v.Motions() {
		if strings.HasPrefix(m.ID.String(), digits) {
			found, several = motionOf(v, m), several+1
		}
	}
	switch several {
	case 0:
		return found, problem(http.StatusNotFound, CodeNotFound, "no motion %q takes votes: `atelier member votes` and /v1/motions list those that do; /v1/members and /v1/models tell what became of others", clip(text))
	case 1:
		return found, nil
	}
	return Motion{}, problem(http.StatusConflict, CodeAmbiguous, "%q names several motions: give more digits", text)
}

// Motions are the votes under way on who is a member, and on the artist.
func (c *Client) Motions(ctx context.Context) ([]Motion, error) {
	return ask[[]Motion](ctx, c, "/v1/motions", nil)
}

// Motion is one of them, named by its id or the first 8 or more digits of it.
func (c *Client) Motion(ctx context.Context, id string) (Motion, error) {
	return ask[Motion](ctx, c, "/v1/motions/"+url.PathEscape(id), nil)
}
