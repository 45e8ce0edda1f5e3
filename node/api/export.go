package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/verify"
)

// registerExport serves the file that `atelier verify --network` takes.
func (s *server) registerExport(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "network-export", Method: http.MethodGet, Path: "/v1/network/export",
		Summary: "What a verifier of the network's artworks needs besides an artwork", Tags: []string{"read"},
		Responses: map[string]*huma.Response{"200": {Description: "Keys, members, sealed models and decisions.", Content: anyObject}}},
		func(context.Context, *none) (*raw, error) {
			var doc []byte
			err := s.view(func(v curation.View) error {
				n, ok, err := verify.NetworkOf(v)
				if err == nil && !ok {
					err = problem(http.StatusConflict, CodeNotReady, "the network has no keys yet, its ceremony is in phase %s: wait until it is active", v.Ceremony().Phase)
				}
				if err != nil {
					return err
				}
				doc, err = json.MarshalIndent(n, "", "  ")
				return err
			})
			return &raw{"application/json", doc}, err
		})
}
