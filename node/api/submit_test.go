package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// A node that catches up, or a machine that stands still, may be further than a
// transaction is valid when it comes.
func TestATransactionWhoseTimeIsOverIsSignedAgain(t *testing.T) {
	s := apitest.New(t, 1, nil)
	h := handler(t, s)
	late := 2
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && late > 0 {
			late--
			s.Blocks(200)
		}
		h.ServeHTTP(w, r)
		if r.Method == http.MethodPost {
			s.Blocks(1) // the client waits for a block before it signs again
		}
	}))
	t.Cleanup(server.Close)
	c := api.NewClient(server.Listener.Addr().String(), "")
	t.Cleanup(c.Close)
	r, err := c.SubmitPayload(t.Context(), apitest.Key("Vera"), curation.Send{To: apitest.Address("Walid"), Amount: curve.NewAmount(5)})
	require.NoError(t, err)
	require.Equal(t, "ok", r.Code)
	require.Zero(t, late)
	a, err := c.Account(t.Context(), apitest.Address("Vera"))
	require.NoError(t, err)
	require.EqualValues(t, 1, a.Nonce, "only one of them had an effect")
}
