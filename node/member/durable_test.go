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
	everyWriteFails(t, 15, func(t *testing.T) *world { return newWorld(t, 3, 61, calm) }, (*world).life)
}

// Every durable write of two rotations fails once: a layer is made or fetched anew, or
// found again, and the artist opens all the same.
func TestEveryDurableWriteOfARotationFailsOnce(t *testing.T) {
	everyWriteFails(t, 12, func(t *testing.T) *world { return shortKeyEpochs(t, 3, 62, calm, 10, 200) }, func(w *world) {
		w.found()
		w.load(4)
		w.untilModel(400, "two rotations", proven(3))
		require.True(w.t, w.run(100, w.keepsWhatIsNeeded), "%v", w.models())
		require.Zero(w.t, len(w.artworks(curation.StatusExpired, curation.StatusDisputed)), "%v", summary(w))
		require.Empty(w.t, w.failed)
	})
}

// everyWriteFails leads a life once for each of its durable writes, at least so many.
func everyWriteFails(t *testing.T, least int, world func(t *testing.T) *world, life func(w *world)) {
	t.Helper()
	calm := world(t)
	life(calm)
	require.Greater(t, calm.writes, least)
	for k := 1; k <= calm.writes; k++ {
		for _, written := range []bool{false, true} {
			if !*everyWrite && written != (k%2 == 0) {
				continue
			}
			t.Run(fmt.Sprintf("%d of %d, written %v", k, calm.writes, written), func(t *testing.T) {
				t.Parallel()
				w := world(t)
				w.crashAt, w.written = k, written
				life(w)
				require.GreaterOrEqual(t, w.writes, k)
			})
		}
	}
}
