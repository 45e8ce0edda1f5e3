// Package api is a node's HTTP interface: JSON for programs and the CLI, a stream
// of what happens, the gallery and the IPFS gateway, all under one address.
//
// Reads come from the committed state and cost the ledger nothing. Nothing changes
// by GET. What changes the ledger is a transaction that its account has signed, so
// anyone who reaches the interface may send one; what uses the node itself (sealing
// a model, fetching) needs the token that lies in the node's home. Requests under a
// name that is not the node's, and requests that a browser makes for another site,
// are refused before anything reads them.
//
// Errors are problems of RFC 9457 with a code for programs. The OpenAPI document is
// served at /openapi.json and kept in testdata/openapi.json. Client is the same
// interface as Go methods.
//
// Sources: RFC 9457; RFC 6750; WHATWG HTML, server-sent events; Fetch metadata.
package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/atelier-dao/atelier/node/gallery"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// Options of the interface.
type Options struct {
	// Hosts are further names under which it answers, besides those of the
	// loopback: without port, such as "gallery.example".
	Hosts []string
	// Token opens what only the owner of the home may do. Empty opens it to nobody.
	Token  string
	Logger *slog.Logger
}

// Limits of the interface.
const (
	maxStreams    = 64               // event streams at a time
	maxBody       = 96 << 10         // bytes of a request: the largest transaction in base64, and its braces
	maxList       = 1000             // records of one list
	mostEditions  = 100              // that are told of with an artwork
	commitTimeout = 60 * time.Second // how long a transaction may wait for its block
	fetchTimeout  = 2 * time.Minute  // for one folder from other members
	heartbeat     = 15 * time.Second // between comments on an idle stream
	writeTimeout  = 30 * time.Second // for a client to take one message of a stream
	bodyTimeout   = time.Minute      // for a client to send its body
	// answerTimeout is from a request to the end of its answer, but for streams.
	answerTimeout   = fetchTimeout + commitTimeout
	downloadTimeout = 15 * time.Minute // the same for files
)

// server answers the requests.
type server struct {
	backend Backend
	token   [32]byte // SHA-256 of the owner's
	open    bool     // there is a token
	log     *slog.Logger
	shelf   *tastes.Shelf // of the backend's store
	streams chan struct{} // one element per open stream
	sealing chan struct{} // one element while a model is made
	beat    time.Duration

	bodyTime time.Duration
}

// New makes the handler of everything: /v1, /openapi.json, /ipfs and the gallery at
// the root.
func New(b Backend, o Options) (http.Handler, error) {
	s := newServer(b, o)
	s.shelf = tastes.NewShelf(b.Store())
	mux := http.NewServeMux()
	s.register(humago.New(mux, describe()))
	mux.Handle("/ipfs/", storage.NewGateway(b.Store()))
	pages, err := gallery.New(b, gallery.Options{Self: s.self, Logger: s.log})
	if err != nil {
		return nil, err
	}
	mux.HandleFunc("/v1/", unknownPath(mux))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(w, problem(http.StatusMethodNotAllowed, CodeMethod, "pages are read only: ask with GET; what changes something stands under /v1/"))
			return
		}
		pages.ServeHTTP(w, r)
	})
	return s.guard(o.Hosts, mux), nil
}

func newServer(b Backend, o Options) *server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &server{backend: b, token: sha256.Sum256([]byte(o.Token)), open: o.Token != "", log: o.Logger,
		streams: make(chan struct{}, maxStreams), sealing: make(chan struct{}, 1), beat: heartbeat, bodyTime: bodyTimeout}
}

// describe is the head of the OpenAPI document. The library's pages that load
// scripts from elsewhere stay off.
func describe() huma.Config {
	c := huma.DefaultConfig("atelier node", "1")
	c.Info.Description = "What a node of an atelier network tells and takes. Amounts are decimal strings of base units (1 credit or token = 10^9), " +
		"hashes lower-case hex, accounts z6Mk…, heights numbers where 0 or absence means not yet."
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.RejectUnknownQueryParameters = true
	describeTypes(c.Components.Schemas)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"owner": {Type: "http", Scheme: "bearer", Description: "The text of api.token in the node's home."},
	}
	return c
}

// self is the node as the gallery shows it.
func (s *server) self() gallery.Self {
	info, status := s.backend.Info(), s.backend.Ledger().Status()
	self := gallery.Self{Member: info.Member, HasShare: info.HasShare, Connected: map[uint32]bool{}, Proves: map[uint32]bool{}, CatchingUp: status.CatchingUp,
		BlockAge: status.LatestBlockAge, Version: info.Version}
	for _, p := range info.Peers {
		self.Connected[p.Member], self.Proves[p.Member] = p.Connected, p.Proves
	}
	return self
}

// unknownPath answers what no route under /v1/ takes: 405 where another method
// would do.
func unknownPath(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			other := r.Clone(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); pattern != "/v1/" {
				w.Header().Set("Allow", method)
				writeProblem(w, problem(http.StatusMethodNotAllowed, CodeMethod, "%s does not take %s: use %s", clip(r.URL.Path), r.Method, method))
				return
			}
		}
		writeProblem(w, problem(http.StatusNotFound, CodeNotFound, "there is nothing at %s: /openapi.json tells what there is", clip(r.URL.Path)))
	}
}

// owned is an operation for the owner alone, who shows the token.
func (s *server) owned(op huma.Operation) huma.Operation {
	op.Tags, op.Security, op.BodyReadTimeout = []string{"own"}, []map[string][]string{{"owner": {}}}, s.bodyTime
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		if s.isOwner(ctx.Header("Authorization")) {
			next(ctx)
			return
		}
		_ = ctx.SetReadDeadline(time.Now().Add(s.bodyTime)) // the server reads a body to its end before it answers
		_, w := humago.Unwrap(ctx)
		w.Header().Set("Www-Authenticate", `Bearer realm="atelier"`)
		writeProblem(w, problem(http.StatusUnauthorized, CodeOwner, "only the node's owner may do this: send the text of api.token in its home as a bearer token"))
	}}
	return op
}

func (s *server) isOwner(authorization string) bool {
	given, bearer := strings.CutPrefix(authorization, "Bearer ")
	sum := sha256.Sum256([]byte(given))
	return s.open && bearer && subtle.ConstantTimeCompare(sum[:], s.token[:]) == 1
}
