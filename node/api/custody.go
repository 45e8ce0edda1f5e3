package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/health"
)

// Custody says who holds the network's keys, and who has held them.
type Custody struct {
	Committees []Committee `json:"committees" doc:"By epoch; the last one is in force. Empty before the first ceremony has ended."`
	Ceremony   Ceremony    `json:"ceremony" doc:"The current or last one."`
	Handover   *Handover   `json:"handover,omitempty" doc:"The one that is proposed; absent without one."`
	Aborted    *Aborted    `json:"aborted,omitempty" doc:"The last handover that came to nothing; absent before the first."`
	Joins      []uint32    `json:"joins" doc:"Members that get a share with the next handover, or with the one under way."`
	Leaves     []uint32    `json:"leaves" doc:"Members that give their share back with it."`
	OldestWork uint64      `json:"oldest_work" doc:"The oldest epoch whose committee serves something yet."`
	NotNow     string      `json:"not_now,omitempty" doc:"Why no handover can be proposed now; absent when one can."`
}

// Handover is a proposal to hand the keys over to a new committee.
type Handover struct {
	Epoch     uint64   `json:"epoch" doc:"Of the committee to be."`
	Opened    uint64   `json:"opened" doc:"Height."`
	Until     uint64   `json:"until" doc:"Last height for consents."`
	Consented []uint32 `json:"consented" doc:"Members, in the order of their consents."`
}

// Aborted is a handover that came to nothing; the committee of before stayed.
type Aborted struct {
	Epoch    uint64    `json:"epoch"`
	Attempt  uint64    `json:"attempt"`
	Height   uint64    `json:"height"`
	Culprits []Culprit `json:"culprits" doc:"Who failed in its ceremony; empty when too few consented."`
	// Of a recovery.
	Guardians []Culprit `json:"guardians,omitempty" doc:"Guardians that failed to deal, by their numbers."`
	Objected  bool      `json:"objected,omitempty" doc:"The members ended the recovery."`
}

func (s *server) registerCustody(api huma.API) {
	get(s, api, "committees", "/v1/committees", "Who holds the keys, who held them, and how a handover stands",
		func(v curation.View, _ *none) (Custody, error) { return custodyOf(v), nil })

	huma.Register(api, s.owned(huma.Operation{
		OperationID: "hand-over", Method: http.MethodPost, Path: "/v1/committees",
		Summary:     "Propose that the keys be handed over to a new committee: those who join get a share, those who leave give it back",
		Description: "Answers once this member's consent stands on the ledger; the members do the rest by themselves. A handover that is under way already is no error.",
	}), func(ctx context.Context, _ *none) (*body[Custody], error) {
		ctx, cancel := context.WithTimeout(ctx, commitTimeout)
		defer cancel()
		if err := s.backend.HandOver(ctx); err != nil {
			return nil, explain(err)
		}
		var out body[Custody]
		return &out, s.view(func(v curation.View) error {
			out.Body = custodyOf(v)
			return nil
		})
	})
}

func custodyOf(v curation.View) Custody {
	out := Custody{Committees: each(v.Committees(), committeeOf), Ceremony: ceremonyOf(v.Ceremony()), OldestWork: v.OldestWork()}
	joins, leaves := health.Next(v)
	out.Joins, out.Leaves = list(joins), list(leaves)
	if h, ok := v.Handover(); ok {
		out.Handover = &Handover{Epoch: h.Epoch, Opened: h.Opened, Until: h.Until,
			Consented: each(h.Keys, func(k curation.DealKey) uint32 { return k.Member })}
	}
	if a, ok := v.LastAborted(); ok {
		out.Aborted = &Aborted{Epoch: a.Epoch, Attempt: a.Attempt, Height: a.Height, Culprits: each(a.Culprits, culpritOf), Guardians: each(a.Guardians, culpritOf), Objected: a.Objected}
	}
	if err := v.MayHandOver(0); err != nil {
		out.NotNow = err.Error()
	}
	return out
}

func committeeOf(c curation.Committee) Committee {
	return Committee{Epoch: c.Epoch, Attempt: c.Attempt, Members: len(c.Seats), Seats: list(c.Seats), Threshold: c.Threshold,
		Proven: c.Proven, Margin: c.Margin(),
		X: Hex(c.X), Y: Hex(c.Y), Qualified: list(c.Qualified), Guardians: c.Guardians, Lost: c.Lost, Height: c.Height, Encoded: Hex(c.Encoded)}
}

func culpritOf(c curation.Culprit) Culprit { return Culprit{c.Member, c.Reason} }

// Committees says who holds the keys, and who held them.
func (c *Client) Committees(ctx context.Context) (Custody, error) {
	return ask[Custody](ctx, c, "/v1/committees", nil)
}

// HandOver has the node's member propose a handover, or consent to the one that is
// proposed. It needs the owner's token.
func (c *Client) HandOver(ctx context.Context) (Custody, error) {
	var out Custody
	err := c.post(ctx, "/v1/committees", none{}, &out)
	return out, err
}
