package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/ledger"
)

func TestTheLedgerIsExportedAndContinued(t *testing.T) {
	s := apitest.Open(t, 3, nil)
	_, c := serve(t, s)
	fetch := func(from uint64) ([]byte, uint64) {
		body, to, err := c.ExportLedger(t.Context(), from)
		require.NoError(t, err)
		b, err := io.ReadAll(body)
		require.NoError(t, err)
		require.NoError(t, body.Close())
		return b, to
	}
	early, to := fetch(1)
	require.Equal(t, s.Export(), early)
	require.Equal(t, s.Ledger().Status().Height, to)
	count := 0
	require.NoError(t, ledger.CheckExport(t.Context(), bytes.NewReader(early), curation.NewMachine(),
		func(doc []byte, _ []curation.Validator) error { require.Equal(t, s.Genesis(), doc); return nil },
		func(ledger.Checked) error { count++; return nil }))
	require.EqualValues(t, to, count)

	s.Blocks(3)
	end, err := ledger.EndOfExport(bytes.NewReader(early))
	require.NoError(t, err)
	rest, later := fetch(end.Height + 1)
	require.Equal(t, to+3, later)
	whole := bytes.NewBuffer(bytes.Clone(early[:end.Offset]))
	_, err = ledger.CopyExport(t.Context(), whole, bytes.NewReader(rest), end, nil)
	require.NoError(t, err)
	require.Equal(t, s.Export(), whole.Bytes())

	_, _, err = c.ExportLedger(t.Context(), later+2)
	var p *api.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, api.CodeNotFound, p.Code)
	require.Equal(t, http.StatusNotFound, p.Status)
	_, _, err = c.ExportLedger(t.Context(), 0)
	require.ErrorAs(t, err, &p)
	require.Equal(t, api.CodeInput, p.Code)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = c.ExportLedger(gone, 1)
	require.ErrorIs(t, err, context.Canceled)
}

// unread is an answer of which nothing but the head is wanted.
type unread struct {
	*httptest.ResponseRecorder
	written int // bytes of the body
}

func (u *unread) Write(b []byte) (int, error)      { u.written += len(b); return len(b), nil }
func (*unread) SetWriteDeadline(_ time.Time) error { return nil }

func TestTheHeadOfAnExportIsToldWithoutReadingTheLedger(t *testing.T) {
	s := apitest.Open(t, 3, nil)
	h := handler(t, s)
	answer := func(method, from string) *unread {
		w := &unread{ResponseRecorder: httptest.NewRecorder()}
		r := httptest.NewRequest(method, "/v1/ledger/export?from="+from, nil)
		r.Host = "localhost"
		h.ServeHTTP(w, r)
		return w
	}
	head, whole := answer(http.MethodHead, "1"), answer(http.MethodGet, "1")
	require.Equal(t, http.StatusOK, head.Code)
	require.Zero(t, head.written)
	require.Equal(t, len(s.Export()), whole.written)
	require.Equal(t, whole.Header(), head.Header())
	require.Equal(t, fmt.Sprint(s.Ledger().Status().Height), head.Header().Get("Atelier-Height"))
	require.Equal(t, http.StatusNotFound, answer(http.MethodHead, fmt.Sprint(s.Ledger().Status().Height+2)).Code)
}
