package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// The document says which operations are the owner's; each of them, and none but the one
// that takes signed transactions among those that change something, asks for the token.
func TestEveryOperationOfTheOwnersAsksForTheToken(t *testing.T) {
	s := apitest.New(t, 1, nil)
	h := handler(t, s)
	resp, _ := send(t, h, http.MethodGet, "/openapi.json", "", nil)
	var document struct {
		Paths map[string]map[string]struct {
			ID       string                `json:"operationId"`
			Security []map[string][]string `json:"security"`
			Tags     []string              `json:"tags"`
		} `json:"paths"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&document))

	nobody, err := api.New(s, api.Options{}) // a node without a token is nobody's
	require.NoError(t, err)
	var owned, open []string
	for path, methods := range document.Paths {
		for method, operation := range methods {
			method = strings.ToUpper(method)
			if len(operation.Security) == 0 {
				require.NotContains(t, operation.Tags, "own", operation.ID)
				if method != http.MethodGet {
					open = append(open, operation.ID)
				}
				continue
			}
			owned = append(owned, operation.ID)
			target := strings.NewReplacer("{id}", strings.Repeat("ab", 32)).Replace(path)
			for name, given := range map[string]string{
				"nothing": "", "another token": "Bearer " + token + "x", "the start of it": "Bearer " + token[:4], "no token": "Bearer ",
				"the token alone": token, "another scheme": "Basic " + token, "the token twice": "Bearer " + token + ", Bearer " + token,
			} {
				for _, body := range []string{"", "{}", "{"} {
					header := map[string]string{"Content-Type": "application/json", "Authorization": given}
					resp, p := send(t, h, method, target, body, header)
					require.Equal(t, http.StatusUnauthorized, resp.StatusCode, "%s with %s", operation.ID, name)
					require.Equal(t, api.CodeOwner, p.Code, "%s with %s", operation.ID, name)
					require.Equal(t, `Bearer realm="atelier"`, resp.Header.Get("Www-Authenticate"))
					resp, _ = send(t, nobody, method, target, body, header)
					require.Equal(t, http.StatusUnauthorized, resp.StatusCode, "%s with %s, of nobody's node", operation.ID, name)
				}
			}
			resp, p := send(t, h, method, target, "{}", map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token})
			require.NotEqual(t, http.StatusUnauthorized, resp.StatusCode, "%s with the token: %+v", operation.ID, p)
		}
	}
	slices.Sort(owned)
	require.Equal(t, []string{"fetch", "hand-over", "join-trainings", "leave-trainings", "own-training", "releases", "seal-model"}, owned)
	require.Equal(t, []string{"submit"}, open)
}
