// Package api is a node's HTTP interface: JSON for programs and the CLI.
package api

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/atelier-dao/atelier/curation"
)

// Options of the interface.
type Options struct {
	Hosts  []string // further names under which it answers
	Token  string   // opens what only the owner of the home may do
	Logger *slog.Logger
}

// New makes the handler.
func New(b Backend, o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/network", func(w http.ResponseWriter, r *http.Request) {
		var n curation.Network
		if err := b.View(func(v curation.View) error { n = v.Network(); return nil }); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(n)
	})
	return mux, nil
}
