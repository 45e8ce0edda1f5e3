package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/keys"
)

// painters are the requests that a load keeps under way.
const painters = 2

// burdenKey is where a script keeps its burden.
const burdenKey = "burden"

// burden is what a script's load does.
type burden struct {
	work    sync.WaitGroup
	stopped atomic.Bool

	mu    sync.Mutex // guards what follows
	ended map[string]int
	err   error
}

// load asks for pictures the whole time, one as soon as another is done: load start
// HOME KEY. load stop LEAST lets those under way end, and fails unless at least so
// many were asked for and every one of them is a candidate.
func load(ts *testscript.TestScript, neg bool, args []string) {
	b := ts.Value(burdenKey).(*burden)
	switch {
	case !neg && len(args) == 3 && args[0] == "start":
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		ts.Defer(func() { cancel(); b.work.Wait() })
		key, err := keys.LoadAccount(ts.MkAbs(args[2]), "")
		ts.Check(err)
		c := api.NewClient(strings.TrimSpace(ts.ReadFile(args[1]+"/api.addr")), "")
		m, err := c.Model(ctx)
		ts.Check(err)
		b.ended = map[string]int{}
		for painter := range painters {
			b.work.Go(func() {
				for i := 0; !b.stopped.Load(); i++ {
					status, err := paint(ctx, c, func() (api.Receipt, error) {
						return c.SubmitPayload(ctx, key, curation.Request{Prompt: fmt.Sprintf("picture %d of painter %d", i, painter), ModelID: m.ID})
					})
					b.mu.Lock()
					if b.ended[status]++; err != nil {
						b.err = err
						b.stopped.Store(true)
					}
					b.mu.Unlock()
				}
			})
		}
	case !neg && len(args) == 2 && args[0] == "stop":
		least, err := strconv.Atoi(args[1])
		ts.Check(err)
		b.stopped.Store(true)
		b.work.Wait()
		ts.Logf("requests by how they ended: %v", b.ended)
		ts.Check(b.err)
		if len(b.ended) != 1 || b.ended["candidate"] < least {
			ts.Fatalf("requests ended as %v, want %d candidates or more and nothing else", b.ended, least)
		}
	default:
		ts.Fatalf("usage: load start HOME KEY, or load stop LEAST")
	}
}

// paint makes a request and follows it to its end.
func paint(ctx context.Context, c *api.Client, request func() (api.Receipt, error)) (status string, err error) {
	r, err := request()
	if err != nil {
		return "refused", err
	}
	rid := ""
	for _, e := range r.Events {
		if e.Kind == curation.EventArtworkRequested {
			rid = e.Attributes["rid"]
		}
	}
	for h, err := range c.Events(ctx, r.Height) {
		if err != nil {
			return "lost sight of", err
		}
		if h.Event == nil || h.Event.Attributes["rid"] != rid {
			continue
		}
		a, err := c.Artwork(ctx, rid)
		if err != nil {
			return "lost sight of", err
		}
		switch a.Status {
		case "requested", "approved", "registered":
		case "candidate", "backing", "published", "declined": // of a round: it was made and audited
			return "candidate", nil
		default:
			return string(a.Status), nil
		}
	}
	return "lost sight of", ctx.Err()
}
