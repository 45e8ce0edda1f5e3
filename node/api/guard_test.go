package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// send makes a request by hand and returns the answer with its problem, if it is one.
func send(t testing.TB, h http.Handler, method, target, body string, header map[string]string) (*http.Response, api.Problem) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:1"
	for k, v := range header {
		if k == "Host" {
			r.Host = v
			continue
		}
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p api.Problem
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p), w.Body.String())
		require.Equal(t, w.Code, p.Status)
		require.NotEmpty(t, p.Code)
	}
	return w.Result(), p
}

func handler(t testing.TB, s api.Backend, hosts ...string) http.Handler {
	t.Helper()
	h, err := api.New(s, api.Options{Token: token, Hosts: hosts})
	require.NoError(t, err)
	return h
}

func TestANodeAnswersUnderItsOwnNamesOnly(t *testing.T) {
	h := handler(t, apitest.New(t, 1, nil), "Gallery.example")
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "127.0.0.1:8080": 200, "127.9.9.9": 200, "[::1]:8080": 200, "[::1]": 200,
		"ada.localhost:1": 200, "LOCALHOST.": 200, "gallery.example": 200, "GALLERY.example:443": 200, "gallery.example.": 200,
		"evil.example": 421, "localhost.evil.example": 421, "evil.example:8080": 421, "10.0.0.1": 421, "": 421, "127.0.0.1.evil.example": 421,
		"gallery.example.evil": 421, "[::1": 200, "::ffff:127.0.0.1": 200, "[::ffff:10.0.0.1]:1": 421,
	} {
		resp, p := send(t, h, "GET", "/v1/network", "", map[string]string{"Host": host})
		require.Equal(t, want, resp.StatusCode, "Host %q: %s", host, p.Detail)
		for _, path := range []string{"/", "/ipfs/bafy"} {
			resp, _ = send(t, h, "GET", path, "", map[string]string{"Host": host})
			require.Equal(t, want == 421, resp.StatusCode == 421, "%s under Host %q", path, host)
		}
	}
}

func TestNoOtherSiteMakesABrowserAct(t *testing.T) {
	h := handler(t, apitest.New(t, 1, nil))
	for name, c := range map[string]struct {
		header map[string]string
		want   int
	}{
		"a program":                     {nil, 400},
		"our own page":                  {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:1"}, 400},
		"an old browser on our page":    {map[string]string{"Origin": "http://127.0.0.1:1"}, 400},
		"another site":                  {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"another port of this machine":  {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"an old browser, another site":  {map[string]string{"Origin": "http://evil.example"}, 403},
		"an old browser, no origin":     {map[string]string{"Origin": "null"}, 403},
		"another site with a bearer":    {map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer " + token}, 403},
		"another site, posted as plain": {map[string]string{"Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}, 403},
	} {
		resp, p := send(t, h, "POST", "/v1/transactions", `{"tx":"AA=="}`, c.header)
		require.Equal(t, c.want, resp.StatusCode, "%s: %s", name, p.Detail)
		require.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"), name)
	}
}

func TestWhatCannotBeUnderstoodIsSaidSo(t *testing.T) {
	h := handler(t, apitest.Open(t, 1, nil))
	json := map[string]string{"Content-Type": "application/json"}
	owner := map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token}
	rid := strings.Repeat("ab", 32)
	var said []string
	for name, c := range map[string]struct {
		method, target, body string
		header               map[string]string
		status               int
		code                 string
	}{
		"an unknown path":                 {"GET", "/v1/nothing", "", nil, 404, api.CodeNotFound},
		"a path of two words":             {"GET", "/v1/artworks/x/y", "", nil, 404, api.CodeNotFound},
		"a method too many":               {"POST", "/v1/network", "", nil, 405, api.CodeMethod},
		"a read of an action":             {"GET", "/v1/transactions", "", nil, 405, api.CodeMethod},
		"a deletion":                      {"DELETE", "/v1/artworks/" + rid, "", nil, 405, api.CodeMethod},
		"an unknown query":                {"GET", "/v1/artworks?colour=red", "", nil, 400, api.CodeInput},
		"a limit that is no number":       {"GET", "/v1/artworks?limit=all", "", nil, 400, api.CodeInput},
		"a limit of nothing":              {"GET", "/v1/artworks?limit=0", "", nil, 400, api.CodeInput},
		"a limit of too much":             {"GET", "/v1/artworks?limit=100000", "", nil, 400, api.CodeInput},
		"an unknown status":               {"GET", "/v1/artworks?status=lovely", "", nil, 400, api.CodeInput},
		"a requester that is none":        {"GET", "/v1/artworks?requester=z6Mk", "", nil, 400, api.CodeInput},
		"an id that is none":              {"GET", "/v1/artworks/hello", "", nil, 400, api.CodeInput},
		"an id that is too short":         {"GET", "/v1/artworks/abcdef0", "", nil, 400, api.CodeInput},
		"an id that is too long":          {"GET", "/v1/artworks/" + rid + rid + "ab", "", nil, 400, api.CodeInput},
		"an id that climbs":               {"GET", "/v1/artworks/..%2f..%2fetc", "", nil, 400, api.CodeInput},
		"an id that nobody has":           {"GET", "/v1/artworks/" + rid, "", nil, 404, api.CodeNotFound},
		"a prefix that nobody has":        {"GET", "/v1/artworks/" + rid[:8], "", nil, 404, api.CodeNotFound},
		"a CID that nobody has":           {"GET", "/v1/artworks/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "", nil, 404, api.CodeNotFound},
		"a round that was not":            {"GET", "/v1/rounds/7", "", nil, 404, api.CodeNotFound},
		"a round before the first":        {"GET", "/v1/rounds/0", "", nil, 400, api.CodeInput},
		"a round that is no number":       {"GET", "/v1/rounds/one", "", nil, 400, api.CodeInput},
		"an account that is none":         {"GET", "/v1/accounts/vera", "", nil, 400, api.CodeInput},
		"a market that is not":            {"GET", "/v1/markets/" + rid, "", nil, 404, api.CodeNotFound},
		"a quote without an amount":       {"GET", "/v1/markets/" + rid + "/quote?op=buy", "", nil, 400, api.CodeInput},
		"a quote of less than nothing":    {"GET", "/v1/markets/" + rid + "/quote?op=buy&amount=-1", "", nil, 400, api.CodeInput},
		"a quote of a fraction":           {"GET", "/v1/markets/" + rid + "/quote?op=buy&amount=1.5", "", nil, 400, api.CodeInput},
		"a quote of another kind":         {"GET", "/v1/markets/" + rid + "/quote?op=rent&amount=1", "", nil, 400, api.CodeInput},
		"a place in the past of nothing":  {"GET", "/v1/events", "", map[string]string{"Last-Event-ID": "yesterday"}, 400, api.CodeInput},
		"a place before the beginning":    {"GET", "/v1/events?from=-1", "", nil, 400, api.CodeInput},
		"no body":                         {"POST", "/v1/transactions", "", json, 400, api.CodeInput},
		"a body that is no JSON":          {"POST", "/v1/transactions", "{", json, 400, api.CodeInput},
		"a body of another kind":          {"POST", "/v1/transactions", "tx=AA", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415, api.CodeInput},
		"a field that is missing":         {"POST", "/v1/transactions", "{}", json, 400, api.CodeInput},
		"a field too many":                {"POST", "/v1/transactions", `{"tx":"AA==","fee":1}`, json, 400, api.CodeInput},
		"bytes that are no base64":        {"POST", "/v1/transactions", `{"tx":"???"}`, json, 400, api.CodeInput},
		"bytes that are no transaction":   {"POST", "/v1/transactions", `{"tx":"AAAA"}`, json, 400, "malformed"},
		"bytes that are too many":         {"POST", "/v1/transactions", `{"tx":"` + strings.Repeat("A", 100_000) + `"}`, json, 413, api.CodeInput},
		"a sealing by nobody":             {"POST", "/v1/models", "{}", json, 401, api.CodeOwner},
		"a sealing of less than nothing":  {"POST", "/v1/models", `{"steps":-1}`, owner, 400, api.CodeInput},
		"a sealing under a hidden name":   {"POST", "/v1/models", `{"name":"a\u202eb"}`, owner, 400, api.CodeInput},
		"a fetch by another way":          {"POST", "/v1/artworks/" + rid + "/fetch", `{"method":"ftp"}`, owner, 400, api.CodeInput},
		"a fetch of nothing":              {"POST", "/v1/artworks/" + rid + "/fetch", `{}`, owner, 404, api.CodeNotFound},
		"a picture that is not here":      {"GET", "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "", nil, 404, ""},
		"a picture under no name of ours": {"POST", "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "", nil, 405, ""},
	} {
		resp, p := send(t, h, c.method, c.target, c.body, c.header)
		require.Equal(t, c.status, resp.StatusCode, "%s: %+v", name, p)
		require.Equal(t, c.code, p.Code, "%s: %+v", name, p)
		if c.code == "" { // the gateway's
			continue
		}
		require.NotRegexp(t, `%!|0x|context |\*|nil|\bGo\b|\b1 (bytes|characters|credits|tokens|digits)\b`, p.Error(), name)
		said = append(said, fmt.Sprintf("%s\n    %d %s: %s\n", name, p.Status, p.Code, p.Error()))
	}
	slices.Sort(said)
	const golden = "testdata/problems.txt"
	text := strings.Join(said, "")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), text, "does each still say what to do next? Then `go test ./node/api -update`")
}

func TestAnArtworkIsNamedByItsIDOrTheStartOfIt(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	h := handler(t, s)
	a, b := s.Request("Vera", "one"), s.Request("Walid", "two")
	for _, rid := range []curation.Hash{a, b} {
		for _, id := range []string{rid.String(), rid.String()[:8], strings.ToUpper(rid.String()[:20])} {
			resp, p := send(t, h, "GET", "/v1/artworks/"+id, "", nil)
			require.Equal(t, 200, resp.StatusCode, "%s: %s", id, p.Detail)
		}
	}
}

func TestEveryAnswerKeepsToItself(t *testing.T) {
	h := handler(t, apitest.New(t, 1, nil))
	for _, target := range []string{"/v1/network", "/v1/nothing", "/openapi.json", "/", "/network"} {
		resp, _ := send(t, h, "GET", target, "", nil)
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), target)
		require.Equal(t, "DENY", resp.Header.Get("X-Frame-Options"), target)
		require.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"), target)
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'none'", target)
		require.NotContains(t, resp.Header.Get("Content-Security-Policy"), "unsafe", target)
		require.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"), target)
	}
}

// brokenBackend panics when it is asked about itself.
type brokenBackend struct{ *apitest.Studio }

func (brokenBackend) Info() api.Info { panic("secret detail") }

func TestADefectIsAProblemAndTheNodeGoesOn(t *testing.T) {
	var log strings.Builder
	h, err := api.New(brokenBackend{apitest.New(t, 1, nil)}, api.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	resp, p := send(t, h, "GET", "/v1/node", "", nil)
	require.Equal(t, 500, resp.StatusCode)
	require.Equal(t, api.CodeInternal, p.Code)
	require.NotContains(t, p.Detail, "secret")
	require.Contains(t, log.String(), "secret detail", "the log tells")
	resp, _ = send(t, h, "GET", "/v1/members", "", nil)
	require.Equal(t, 200, resp.StatusCode)
}

func TestEventsAreReplayedAndFollowed(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	_, c := serve(t, s)
	var height uint64
	s.Read(func(v curation.View) { height = v.Height() })

	// From the beginning: every block once, in order, its events before it.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kinds := map[string]int{}
	next := uint64(1)
	for h, err := range c.Events(ctx, 1) {
		require.NoError(t, err)
		if h.Event != nil {
			require.Equal(t, next, h.Event.Height)
			kinds[h.Event.Kind]++
			continue
		}
		require.Equal(t, next, h.Block.Height)
		if next++; next > height {
			break
		}
	}
	require.Equal(t, 1, kinds["ceremony.active"])
	require.Equal(t, 1, kinds["model.sealed"])

	// As it happens: what is sent now arrives.
	got := make(chan api.Event, 1)
	go func() {
		for h, err := range c.Events(ctx, height+1) {
			if err != nil {
				return
			}
			if h.Event != nil && h.Event.Kind == "account.sent" {
				got <- *h.Event
				return
			}
		}
	}()
	r, err := c.SubmitPayload(ctx, apitest.Key("Vera"), curation.Send{To: apitest.Address("Walid"), Amount: curve.NewAmount(5)})
	require.NoError(t, err)
	select {
	case e := <-got:
		require.Equal(t, r.Height, e.Height)
		require.Equal(t, 0, *e.Tx)
		require.Equal(t, map[string]string{"from": apitest.Address("Vera").String(), "to": apitest.Address("Walid").String(), "amount": "5"}, e.Attributes)
	case <-time.After(patience):
		require.FailNow(t, "no event")
	}
}

func TestABrowserGoesOnAfterTheLastBlockItHas(t *testing.T) {
	s := apitest.New(t, 1, nil)
	s.Blocks(9)
	server, _ := serve(t, s)
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/v1/events?from=1", nil)
	require.NoError(t, err)
	req.Header.Set("Last-Event-ID", "6")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, "text/event-stream; charset=utf-8", resp.Header.Get("Content-Type"))
	lines := bufio.NewScanner(resp.Body)
	var ids []string
	for lines.Scan() && len(ids) < 3 {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			ids = append(ids, id)
		}
	}
	require.Equal(t, []string{"7", "8", "9"}, ids)
}

func TestStreamsAreCountedAndGivenBack(t *testing.T) {
	s := apitest.New(t, 1, nil)
	server, c := serve(t, s)
	var open []net.Conn
	for range 64 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
		line, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "200")
		open = append(open, conn)
	}
	for _, err := range c.Events(t.Context(), 0) {
		problemOf(t, err, api.CodeBusy)
	}
	s.Blocks(1)
	_, _, err := c.ExportLedger(t.Context(), 1)
	problemOf(t, err, api.CodeBusy)
	head, err := http.Head(server.URL + "/v1/ledger/export")
	require.NoError(t, err)
	require.NoError(t, head.Body.Close())
	require.Equal(t, http.StatusOK, head.StatusCode, "it takes none")
	for _, conn := range open {
		require.NoError(t, conn.Close())
	}
	s.Blocks(1)
	require.Eventually(t, func() bool { // the server notices in its own time
		for h, err := range c.Events(t.Context(), 1) {
			return err == nil && h != (api.Happening{})
		}
		return false
	}, patience, 20*time.Millisecond)
}

func TestAStreamEndsWithTheNode(t *testing.T) {
	s := apitest.New(t, 1, nil)
	h := handler(t, s)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	r := httptest.NewRequest("GET", "/v1/events?from=1", nil).WithContext(ctx)
	r.Host = "localhost"
	pr, pw := io.Pipe()
	go func() {
		defer close(done)
		h.ServeHTTP(&pipeWriter{header: http.Header{}, w: pw}, r)
	}()
	s.Blocks(1)
	_, err := bufio.NewReader(pr).ReadString('\n')
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, pr) }()
	stop()
	select {
	case <-done:
	case <-time.After(patience):
		require.FailNow(t, "the stream goes on without its node")
	}
}

// pipeWriter is a response that a test reads as it is written.
type pipeWriter struct {
	header http.Header
	w      *io.PipeWriter
}

func (p *pipeWriter) Header() http.Header              { return p.header }
func (p *pipeWriter) WriteHeader(int)                  {}
func (p *pipeWriter) Write(b []byte) (int, error)      { return p.w.Write(b) }
func (p *pipeWriter) Flush()                           {}
func (p *pipeWriter) SetWriteDeadline(time.Time) error { return nil }
