// Package gallery shows a network to people: the wall of artworks, a page for each,
// the network with its members, the rounds, and the taste that they teach.
//
// Pages are rendered here, from the committed state of one height, and work without
// JavaScript; a small script only loads them again when something has happened.
// Nothing on them comes from elsewhere: styles, script and icon are embedded, fonts
// are the reader's own, and pictures come from the same node's store under /ipfs.
// Prompts and names are other people's words and are escaped wherever they stand.
//
// The package reads and never changes anything.
package gallery

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// Source is the node whose gallery this is. Its methods may be called at the same
// time.
type Source interface {
	// View reads the committed state. read must be quick.
	View(read func(curation.View) error) error
	Store() *storage.Store
}

// Self is what a node says about itself.
type Self struct {
	Member     uint32          // index of its member
	HasShare   bool            // of the committee in force
	Connected  map[uint32]bool // the other members, by number
	Proves     map[uint32]bool // those whose last heartbeat proved their share, by number
	CatchingUp bool            // fetching blocks that others agreed on
	BlockAge   time.Duration   // since the last block; 0 before there is one
	Version    string
}

// Options of a gallery.
type Options struct {
	Self   func() Self
	Logger *slog.Logger
}

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// policy lets a page use what this node serves and nothing else, not even styles
// or scripts inside itself.
const policy = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// gallery answers the requests.
type gallery struct {
	source Source
	shelf  *tastes.Shelf // of the source's store
	self   func() Self
	log    *slog.Logger
	pages  map[string]*template.Template
	assets map[string]asset
}

type asset struct {
	body []byte
	kind string
	tag  string // of its content
}

// absent is a page about something that is not there, in a sentence for its reader.
type absent string

func (a absent) Error() string { return string(a) }

// New makes the handler of the gallery. It answers GET and HEAD for every path, with
// a page that says so where there is nothing.
func New(source Source, o Options) (http.Handler, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Self == nil {
		o.Self = func() Self { return Self{} }
	}
	g := &gallery{source: source, shelf: tastes.NewShelf(source.Store()), self: o.Self, log: o.Logger, pages: map[string]*template.Template{}, assets: map[string]asset{}}
	if err := g.load(); err != nil {
		return nil, fmt.Errorf("gallery: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", g.page("wall", g.wall))
	mux.HandleFunc("GET /artworks/{id}", g.page("artwork", g.artwork))
	mux.HandleFunc("GET /network", g.page("network", g.network))
	mux.HandleFunc("GET /taste", g.page("taste", g.taste))
	mux.HandleFunc("GET /taste/{version}", g.page("taste", g.taste))
	mux.HandleFunc("GET /rounds/{number}", g.page("round", g.round))
	mux.HandleFunc("GET /assets/{name}", g.asset)
	mux.HandleFunc("GET /", g.page("missing", func(*http.Request, curation.View) (any, error) { return nil, absent("There is nothing here.") }))
	return mux, nil
}

// load reads the embedded files once.
func (g *gallery) load() error {
	names, err := fs.Glob(assetFiles, "assets/*")
	if err != nil {
		return err
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for _, name := range names {
		body, err := assetFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		g.assets[path.Base(name)] = asset{body, kinds[path.Ext(name)], hex.EncodeToString(sum[:8])}
	}
	layout, err := template.New("layout.html").Funcs(g.functions()).ParseFS(pageFiles, "pages/layout.html", "pages/parts.html")
	if err != nil {
		return err
	}
	for _, name := range []string{"wall", "artwork", "network", "round", "taste", "missing"} {
		t, err := layout.Clone()
		if err != nil {
			return err
		}
		if g.pages[name], err = t.ParseFS(pageFiles, "pages/"+name+".html"); err != nil {
			return err
		}
	}
	return nil
}

// frame is what stands around every page.
type frame struct {
	Title   string
	Path    string
	Network string
	Charter string
	Chain   curation.Hash
	Height  uint64
	Shares  shares
	Self    Self
	Me      string // name of the node's member
	Page    any
}

// titled is a page with a title of its own.
type titled interface{ title() string }

// page renders what make reads from one height of the state.
func (g *gallery) page(name string, make func(*http.Request, curation.View) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := frame{Path: r.URL.Path, Self: g.self()}
		status, t := http.StatusOK, g.pages[name]
		err := g.source.View(func(v curation.View) (err error) {
			genesis := v.Genesis()
			f.Network, f.Charter, f.Chain, f.Height = genesis.Charter.Name, genesis.Charter.Text, v.Chain(), v.Height()
			f.Shares = sharesOf(v, f.Self)
			if m, ok := v.Member(f.Self.Member); ok {
				f.Me = m.Name
			}
			f.Page, err = make(r, v)
			return err
		})
		var nothing absent
		switch {
		case errors.As(err, &nothing):
			status, t, f.Page = http.StatusNotFound, g.pages["missing"], missing{string(nothing)}
		case err != nil:
			status, t, f.Page = http.StatusServiceUnavailable, g.pages["missing"], missing{"The ledger of this node has no state yet. Try again in a moment."}
		}
		if p, ok := f.Page.(titled); ok {
			f.Title = p.title()
		}
		g.write(w, r, status, t, f)
	}
}

func (g *gallery) write(w http.ResponseWriter, r *http.Request, status int, t *template.Template, f frame) {
	var b bytes.Buffer
	if err := t.Execute(&b, f); err != nil {
		g.log.ErrorContext(r.Context(), "a page did not render", "path", r.URL.Path, "err", err)
		http.Error(w, "This page met a defect; the node's log tells more.", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(b.Bytes())
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache") // ask again, and be told that nothing changed
	h.Set("ETag", tag)
	if status == http.StatusOK && r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the reader has gone
}

func (g *gallery) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := g.assets[r.PathValue("name")]
	if !ok {
		g.page("missing", func(*http.Request, curation.View) (any, error) { return nil, absent("There is nothing here.") })(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", `"`+a.tag+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.tag { // pages ask by content
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

// assetPath is where pages find an asset, named by its content.
func (g *gallery) assetPath(name string) (string, error) {
	a, ok := g.assets[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return "/assets/" + name + "?v=" + a.tag, nil
}

// held tells whether this node can show a folder's picture.
func (g *gallery) held(text string) bool {
	c, err := cid.Decode(text)
	return err == nil && g.source.Store().Has(c)
}

type missing struct{ What string }

func (missing) title() string { return "Not here" }
