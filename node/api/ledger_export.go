package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atelier-dao/atelier/node/ledger"
)

// heightHeader says how far an export of the ledger goes.
const heightHeader = "Atelier-Height"

type ledgerExportInput struct {
	From uint64 `query:"from" minimum:"1" default:"1" doc:"Height of the first block. 1 gives the whole file, a later one what continues a file that ends before it."`
}

// registerLedgerExport serves the file that `atelier verify --ledger` takes.
func (s *server) registerLedgerExport(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "ledger-export", Method: http.MethodGet, Path: "/v1/ledger/export", Tags: []string{"read"},
		Summary: "The whole ledger with its validators' signatures, for anybody to check from the founding document on",
		Description: "The file is described in node/ledger/EXPORT.md of the source. It comes as it is read; the header " + heightHeader +
			" says how far it goes, and the file ends with the signatures under that block.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The export, up to the last block of now.",
			Headers:     map[string]*huma.Param{heightHeader: {Description: "Height of the last block.", Schema: &huma.Schema{Type: huma.TypeInteger}}},
			Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}},
	}, func(_ context.Context, in *ledgerExportInput) (*huma.StreamResponse, error) {
		exporter, ok := s.backend.Ledger().(ledger.Exporter)
		if !ok {
			return nil, problem(http.StatusConflict, CodeNotReady, "the blocks of this node's ledger are not signed: ask another member's node")
		}
		x, err := exporter.Export(in.From)
		switch {
		case errors.Is(err, ledger.ErrHeight):
			return nil, problem(http.StatusNotFound, CodeNotFound, "there is nothing from block %d on, the ledger here ends at block %d: ask again later, or another node", in.From, s.backend.Ledger().Status().Height)
		case err != nil:
			return nil, problem(http.StatusServiceUnavailable, CodeNotReady, "the ledger cannot be exported now: %v", err)
		}
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			r, w := humago.Unwrap(ctx)
			defer x.Close()
			head := func() {
				w.Header().Set("Content-Type", "application/octet-stream")
				w.Header().Set("Content-Disposition", `attachment; filename="network.ledger"`)
				w.Header().Set(heightHeader, strconv.FormatUint(x.To, 10))
			}
			if r.Method == http.MethodHead { // the blocks would be read, and go nowhere
				head()
				return
			}
			select {
			case s.streams <- struct{}{}:
				defer func() { <-s.streams }()
			default:
				w.Header().Set("Retry-After", "5")
				writeProblem(w, problem(http.StatusServiceUnavailable, CodeBusy, "%d streams are open already: close one, or try again in a few seconds", maxStreams))
				return
			}
			head()
			out := bufio.NewWriterSize(&patient{w, http.NewResponseController(w)}, 64<<10)
			err := x.Write(r.Context(), out)
			if err == nil {
				err = out.Flush()
			}
			if err != nil {
				if r.Context().Err() == nil {
					s.log.DebugContext(r.Context(), "an export of the ledger broke off", "err", err)
				}
				panic(http.ErrAbortHandler) // so that the client does not take it for whole
			}
		}}, nil
	})
}

// patient gives a client writeTimeout for each piece, however many there are.
type patient struct {
	w  io.Writer
	rc *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return p.w.Write(b)
}

// ExportLedger is the node's ledger from the block of a height on, as
// ledger.CopyExport reads it, with the height at which it ends.
func (c *Client) ExportLedger(ctx context.Context, from uint64) (body io.ReadCloser, to uint64, err error) {
	resp, err := c.do(ctx, http.MethodGet, "/v1/ledger/export?from="+strconv.FormatUint(from, 10), nil)
	if err != nil {
		return nil, 0, err
	}
	if to, err = strconv.ParseUint(resp.Header.Get(heightHeader), 10, 64); err != nil {
		_ = resp.Body.Close()
		return nil, 0, fmt.Errorf("%s does not answer as a node of atelier: %w", c.base, ErrUnreachable)
	}
	return &download{resp.Body, ctx, c}, to, nil
}

// download is a body whose breaking off is the node's, and not an end.
type download struct {
	io.ReadCloser
	ctx context.Context
	c   *Client
}

func (d *download) Read(b []byte) (int, error) {
	n, err := d.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = d.c.broken(d.ctx, errors.New("the node broke off"))
	}
	return n, err
}
