package api_test

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

var update = flag.Bool("update", false, "write the golden files anew")

const token = "secret of the home"

// patience bounds every wait for what must happen.
const patience = 3 * time.Minute

// serve puts a studio behind HTTP.
func serve(t testing.TB, s *apitest.Studio, hosts ...string) (*httptest.Server, *api.Client) {
	t.Helper()
	h, err := api.New(s, api.Options{Token: token, Hosts: hosts})
	require.NoError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c := api.NewClient(server.Listener.Addr().String(), token)
	t.Cleanup(c.Close)
	return server, c
}

func TestTheOpenAPIDocumentIsTheAgreedOne(t *testing.T) {
	server, _ := serve(t, apitest.New(t, 1, nil))
	resp, err := http.Get(server.URL + "/openapi.json")
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var doc any
	require.NoError(t, json.Unmarshal(raw, &doc))
	pretty, err := json.MarshalIndent(doc, "", "  ")
	require.NoError(t, err)
	pretty = append(pretty, '\n')
	const golden = "testdata/openapi.json"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, pretty, 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.True(t, string(want) == string(pretty), "the interface has changed: look at the difference, then `go test ./node/api -update`")
	require.Equal(t, 0, strings.Count(string(pretty), "://"), "the document points nowhere else")
}
