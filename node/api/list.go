package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
)

// page is a list of which there may be more. Who follows the links reads each record
// once, also while the ledger goes on, and each page costs as much as it holds.
type page[T any] struct {
	Link string `header:"Link" doc:"The next page, as in RFC 8288: <path>; rel=\"next\". Absent from the last one."`
	Body []T
}

type artworksInput struct {
	Status    []string `query:"status" maxItems:"10" enum:"requested,approved,registered,candidate,backing,published,declined,disputed,expired,delivered" doc:"Any of these; all when absent."`
	Requester string   `query:"requester" maxLength:"64" doc:"Account that asked."`
	Round     uint64   `query:"round" doc:"The round it was in last."`
	Newest    bool     `query:"newest" doc:"Newest request first; else the oldest."`
	After     string   `query:"after" maxLength:"64" doc:"Request id, whole: only what comes after it in this order. The last one of a page leads to the next."`
	Limit     int      `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The most on one page."`
}

type approvalsInput struct {
	State []string `query:"state" maxItems:"3" enum:"waiting,approved,expired" doc:"Any of these; all when absent."`
	After string   `query:"after" maxLength:"64" doc:"Request id, whole: only requests before it."`
	Limit int      `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The most on one page."`
}

func (s *server) registerLists(api huma.API) {
	pages(s, api, "artworks", "/v1/artworks", "Requests and artworks, by the time of the requests", s.artworks)
	pages(s, api, "approvals", "/v1/approvals", "Requests and their approvals, newest first", s.approvals)
}

// pages registers a read of the committed state that answers by pages.
func pages[I, O any](s *server, api huma.API, id, path, summary string, read func(context.Context, curation.View, *I) (page[O], error)) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"read"}},
		func(ctx context.Context, in *I) (*page[O], error) {
			var out page[O]
			err := s.view(func(v curation.View) (err error) {
				out, err = read(ctx, v, in)
				return err
			})
			if err != nil {
				return nil, err
			}
			return &out, nil
		})
}

// next links to the page of a list behind an artwork.
func next(path string, q url.Values, last curation.Hash, limit int) string {
	q.Set("after", last.String())
	q.Set("limit", strconv.Itoa(limit))
	return "<" + path + "?" + q.Encode() + `>; rel="next"`
}

// behind is the artwork that a page begins after; zero when text is empty.
func behind(v curation.View, text string) (rid curation.Hash, err error) {
	if text == "" {
		return rid, nil
	}
	if rid, err = curation.ParseHash(text); err != nil {
		return rid, problem(http.StatusBadRequest, CodeInput, "after is %q: give the whole request id, 64 hex digits, of the last artwork that you have", clip(text))
	}
	if _, known := v.Artwork(rid); !known {
		return rid, problem(http.StatusNotFound, CodeNotFound, "the ledger holds no artwork %s to go on after: list again without after", rid)
	}
	return rid, nil
}

func (s *server) artworks(ctx context.Context, v curation.View, in *artworksInput) (page[Artwork], error) {
	f, q := curation.Filter{Round: in.Round, Newest: in.Newest, Limit: in.Limit + 1}, url.Values{}
	for _, status := range in.Status {
		f.Status = append(f.Status, curation.Status(status))
	}
	if len(in.Status) > 0 {
		q.Set("status", strings.Join(in.Status, ","))
	}
	if in.Requester != "" {
		a, err := curation.ParseAddress(in.Requester)
		if err != nil {
			return page[Artwork]{}, problem(http.StatusBadRequest, CodeInput, "requester: %v", err)
		}
		f.Requester = &a
		q.Set("requester", in.Requester)
	}
	if in.Round != 0 {
		q.Set("round", strconv.FormatUint(in.Round, 10))
	}
	if in.Newest {
		q.Set("newest", "true")
	}
	var err error
	if f.After, err = behind(v, in.After); err != nil {
		return page[Artwork]{}, err
	}
	found := v.Artworks(f)
	var out page[Artwork]
	if len(found) > in.Limit {
		found = found[:in.Limit]
		out.Link = next("/v1/artworks", q, found[in.Limit-1].RID, in.Limit)
	}
	out.Body = each(found, func(a curation.Artwork) Artwork { return s.artwork(ctx, v, a) })
	return out, nil
}

// mostRead bounds what one page of approvals looks at. Some of the requests that have
// expired were approved before, and only reading them tells.
const mostRead = 5 * maxList

func (s *server) approvals(ctx context.Context, v curation.View, in *approvalsInput) (page[Approval], error) {
	f, q := curation.Filter{Newest: true, Limit: in.Limit + 1}, url.Values{}
	if len(in.State) > 0 {
		q.Set("state", strings.Join(in.State, ","))
		for _, s := range curation.Statuses {
			waiting, expired := s == curation.StatusRequested, s == curation.StatusExpired
			if slices.Contains(in.State, "waiting") && waiting || slices.Contains(in.State, "expired") && expired ||
				slices.Contains(in.State, "approved") && !waiting {
				f.Status = append(f.Status, s)
			}
		}
	}
	out := page[Approval]{Body: []Approval{}}
	var err error
	if f.After, err = behind(v, in.After); err != nil {
		return out, err
	}
	for read := 0; ; {
		found := v.Artworks(f)
		for _, a := range found {
			if read == mostRead || len(out.Body) == in.Limit {
				out.Link = next("/v1/approvals", q, f.After, in.Limit)
				return out, nil
			}
			if p := s.approval(ctx, v, a); len(in.State) == 0 || slices.Contains(in.State, p.State) {
				out.Body = append(out.Body, p)
			}
			read, f.After = read+1, a.RID
		}
		if len(found) < f.Limit {
			return out, nil
		}
	}
}
