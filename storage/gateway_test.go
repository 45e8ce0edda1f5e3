package storage

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"
)

func TestGateway(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, Options{})
	a, _ := artwork(t)
	files, err := BuildArtworkFolder(a)
	require.NoError(t, err)
	files = append(files, File{"large.bin", noise(5, 2<<20)}, File{"page.html", []byte("<script>alert(1)</script>")})
	root, err := s.PutFolder(ctx, files)
	require.NoError(t, err)
	absent, err := FileCID([]byte("absent"))
	require.NoError(t, err)
	var car bytes.Buffer
	_, err = s.ExportCAR(ctx, root, &car)
	require.NoError(t, err)
	block, err := s.get(root)
	require.NoError(t, err)

	srv := httptest.NewServer(NewGateway(s))
	defer srv.Close()
	do := func(method, path string, header ...string) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, srv.URL+path, nil)
		require.NoError(t, err)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		r, err := client.Do(req)
		require.NoError(t, err)
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return r, body
	}
	base := "/ipfs/" + root.String()

	t.Run("a file with its type, tag and cross-origin headers", func(t *testing.T) {
		r, body := do("GET", base+"/image.png")
		require.Equal(t, 200, r.StatusCode)
		require.True(t, bytes.Equal(files[0].Data, body))
		require.Equal(t, "image/png", r.Header.Get("Content-Type"))
		require.Equal(t, "*", r.Header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, r.Header.Get("Cache-Control"), "immutable")
		require.NotEmpty(t, r.Header.Get("Etag"))
		again, body := do("GET", base+"/image.png", "If-None-Match", r.Header.Get("Etag"))
		require.Equal(t, 304, again.StatusCode)
		require.Empty(t, body)
		head, body := do("HEAD", base+"/image.png")
		require.Equal(t, 200, head.StatusCode)
		require.Empty(t, body)
	})
	t.Run("a range over two chunks", func(t *testing.T) {
		r, body := do("GET", base+"/large.bin", "Range", "bytes=1048570-1048590")
		require.Equal(t, 206, r.StatusCode)
		require.Equal(t, noise(5, 2<<20)[1048570:1048591], body)
	})
	t.Run("a folder as a page", func(t *testing.T) {
		r, body := do("GET", base+"/")
		require.Equal(t, 200, r.StatusCode)
		require.Contains(t, string(body), "receipt.cbor")
		require.Contains(t, r.Header.Get("Content-Type"), "text/html")
	})
	t.Run("the trustless forms", func(t *testing.T) {
		r, body := do("GET", base+"?format=car&dag-scope=all")
		require.Equal(t, 200, r.StatusCode)
		require.True(t, bytes.Equal(car.Bytes(), body), "the bytes of ExportCAR")
		other := openTest(t, Options{})
		_, err := other.ImportCAR(ctx, root, bytes.NewReader(body), 8<<20)
		require.NoError(t, err)
		r, body = do("GET", base, "Accept", "application/vnd.ipld.raw")
		require.Equal(t, 200, r.StatusCode)
		require.True(t, bytes.Equal(block, body))
	})
	t.Run("pages run no scripts", func(t *testing.T) {
		r, _ := do("GET", base+"/page.html")
		require.Equal(t, 200, r.StatusCode)
		require.Contains(t, r.Header.Get("Content-Security-Policy"), "sandbox")
		require.Equal(t, "nosniff", r.Header.Get("X-Content-Type-Options"))
	})
	t.Run("a preflight request", func(t *testing.T) {
		r, _ := do("OPTIONS", base+"/image.png", "Origin", "https://example.com", "Access-Control-Request-Method", "GET")
		require.Less(t, r.StatusCode, 300)
		require.Contains(t, r.Header.Values("Access-Control-Allow-Methods"), "GET")
	})
	t.Run("what is not here is not found, at once", func(t *testing.T) {
		r, _ := do("GET", "/ipfs/"+absent.String())
		require.Equal(t, 404, r.StatusCode)
		r, _ = do("GET", base+"/absent.png")
		require.Equal(t, 404, r.StatusCode)
	})
	t.Run("bad requests", func(t *testing.T) {
		for path, want := range map[string]int{"/ipfs/nonsense": 400, "/ipns/example.com": 404, "/": 404, "/api/v0/id": 404} {
			r, _ := do("GET", path)
			require.Equal(t, want, r.StatusCode, path)
		}
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			r, _ := do(method, base+"/image.png")
			require.GreaterOrEqual(t, r.StatusCode, 400, method)
		}
	})
	require.Equal(t, []cid.Cid{root}, s.Roots(), "the gateway only reads")
}
