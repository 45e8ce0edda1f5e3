package storage

import (
	"fmt"
	"net/http"

	"github.com/ipfs/boxo/gateway"
)

// NewGateway serves the store under /ipfs/ as a path and trustless gateway
// (specs.ipfs.tech/http-gateways) with CORS headers. It never fetches: what is
// not in the store is not found. It serves reads only, to anyone who can reach
// it; where to listen is the caller's decision.
//
// Files of strangers would share one origin with whatever else is served there,
// so pages run in a sandbox without scripts.
func NewGateway(s *Store) http.Handler {
	backend, err := gateway.NewBlocksBackend(offlineBlocks(s))
	if err != nil {
		panic(fmt.Errorf("gateway: %w", err)) // only for options, and there are none
	}
	handler := gateway.NewHandler(gateway.Config{
		DeserializedResponses: true,
		NoDNSLink:             true,
		MaxConcurrentRequests: 64,
	}, backend)
	headers := gateway.NewHeaders(map[string][]string{
		"Content-Security-Policy": {"sandbox; default-src 'self' data:; style-src 'unsafe-inline'; script-src 'none'"},
		"X-Content-Type-Options":  {"nosniff"},
	}).ApplyCors()
	mux := http.NewServeMux()
	mux.Handle("/ipfs/", headers.Wrap(handler))
	return mux
}
