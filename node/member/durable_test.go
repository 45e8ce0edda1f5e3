package member_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// life takes a network of three through all that its members write down: releases, a
// handover, a fourth who comes, and one who goes.
func (w *world) life() {
	w.t.Helper()
	w.found()
	w.ask("before")
	w.handOver(0)
	q, application := w.newcomer()
	w.admit(application, 0, 1, 2)
	w.becomes(q, curation.StandingActive)
	w.ask("with four")
	w.submit(w.members[1].key, curation.Leave{})
	w.becomes(w.members[1], curation.StandingLeft)
	w.finished(2)
	require.Empty(w.t, w.convictions(), "all are honest")
}

var everyWrite = flag.Bool("every-write", false, "let every durable write fail both before and after it is done, not one way each")

// Every durable write of a network's life fails once: its member crashes before it or
// right after it, and comes back a few blocks later on what it has kept.
func TestEveryDurableWriteFailsOnce(t *testing.T) {
	world := func(t *testing.T) *world { return newWorld(t, 3, 61, calm) }
	calm := world(t)
	calm.life()
	require.Greater(t, calm.writes, 15)
	for k := 1; k <= calm.writes; k++ {
		for _, written := range []bool{false, true} {
			if !*everyWrite && written != (k%2 == 0) {
				continue
			}
			t.Run(fmt.Sprintf("%d of %d, written %v", k, calm.writes, written), func(t *testing.T) {
				t.Parallel()
				w := world(t)
				w.crashAt, w.written = k, written
				w.life()
				require.GreaterOrEqual(t, w.writes, k)
			})
		}
	}
}
