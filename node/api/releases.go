package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/member"
)

// Release is a share that this node's member released, or was about to.
type Release struct {
	Height  uint64        `json:"height" doc:"Of the member's ledger then."`
	RID     curation.Hash `json:"rid"`
	Role    string        `json:"role" enum:"generator,auditor,trainer"`
	Reader  uint32        `json:"reader" doc:"The member that it was released to; the node's own, when it reads itself."`
	Key     curation.Hash `json:"key" doc:"The reader's one-time key under which the share is blinded."`
	Context curation.Hash `json:"context" doc:"Of the certificate: hash of its signature and its statement. It is on the ledger for good."`
}

// Conviction is what the ledger holds of a member that broke the protocol.
type Conviction struct {
	Member   uint32            `json:"member"`
	Name     string            `json:"name"`
	Offence  curation.Offence  `json:"offence" enum:"wrong_share,second_message,conflicting_approval"`
	Height   uint64            `json:"height"`
	Reporter uint32            `json:"reporter" doc:"The member that brought the evidence; 0 when it stood in the block."`
	Evidence curation.Hash     `json:"evidence" doc:"Hash of the evidence."`
	Slashed  curve.Amount      `json:"slashed" doc:"What it paid to the treasury."`
	Standing curation.Standing `json:"standing" doc:"Of the member now."`
}

// pathReleases is a read that is the owner's alone.
const pathReleases = "/v1/releases"

type releasesInput struct {
	RID   string `query:"rid" maxLength:"128" doc:"Only of this request: its id, the first 8 or more digits of it, or the CID of the folder."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The most that are listed."`
}

func (s *server) registerReleases(api huma.API) {
	huma.Register(api, s.owned(huma.Operation{OperationID: "releases", Method: http.MethodGet, Path: pathReleases,
		Summary:     "The shares that this node's member released, newest first",
		Description: "From its journal, where each stands before it leaves: to whom, in which role, under which key, for which certificate."}),
		func(_ context.Context, in *releasesInput) (*body[[]Release], error) {
			var only *curation.Hash
			if in.RID != "" {
				if err := s.view(func(v curation.View) error {
					rid, err := s.ridOf(v, in.RID)
					only = &rid
					return err
				}); err != nil {
					return nil, err
				}
			}
			entries, err := s.backend.Releases(only, in.Limit)
			if err != nil {
				return nil, explain(err)
			}
			return &body[[]Release]{each(entries, releaseOf)}, nil
		})
	get(s, api, "evidence", "/v1/evidence", "Who was convicted of breaking the protocol, by member",
		func(v curation.View, _ *none) ([]Conviction, error) {
			return each(v.Convictions(), func(c curation.Conviction) Conviction {
				m, _ := v.Member(c.Member)
				return Conviction{Member: c.Member, Name: m.Name, Offence: c.Offence, Height: c.Height, Reporter: c.Reporter,
					Evidence: c.Evidence, Slashed: c.Slashed, Standing: m.Standing}
			}), nil
		})
}

func releaseOf(e member.Entry) Release {
	return Release{Height: e.Height, RID: e.RID, Role: e.Role.String(), Reader: e.Member, Key: e.R, Context: e.Context}
}

// Releases are the last shares that the node's member released, of one request or,
// with an empty id, of all, newest first. It needs the owner's token.
func (c *Client) Releases(ctx context.Context, id string, limit int) ([]Release, error) {
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if id != "" {
		q.Set("rid", id)
	}
	return ask[[]Release](ctx, c, pathReleases, q)
}

// Convictions are those of members that broke the protocol.
func (c *Client) Convictions(ctx context.Context) ([]Conviction, error) {
	return ask[[]Conviction](ctx, c, "/v1/evidence", nil)
}
