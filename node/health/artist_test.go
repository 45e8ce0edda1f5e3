package health

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

func TestTheAdviceOnTheArtistSaysWhoseTurnItIs(t *testing.T) {
	names := map[uint32]string{1: "Ada", 2: "Bruno", 3: "Carla"}
	proven := curation.Model{KeyEpoch: 4, Layers: 3, Standing: curation.ModelProven, Approved: 2}
	full := proven
	full.Layers = curation.MaxLayers
	due := &curation.Rotation{Base: 4}
	fresh := &curation.Rotation{Base: 4, Fresh: true}
	for name, c := range map[string]struct {
		artist Artist
		want   string
	}{
		"a key epoch that lasts": {Artist{Model: proven, Due: 120, height: 100},
			"key epoch 4 ends at height 120, in 20 blocks: a member's node then wraps the artist in one more layer by itself"},
		"one under which nothing was released": {Artist{Model: curation.Model{KeyEpoch: 4, Standing: curation.ModelProven}, Due: 120, height: 200},
			"nothing was released in key epoch 4 yet; it lasts until height 120 at least"},
		"key epochs that never end": {Artist{Model: proven, never: true},
			"key epochs of this network last forever: a key that a reader keeps opens the artist for good"},
		"the first artist": {Artist{Model: curation.Model{KeyEpoch: 1, Standing: curation.ModelTrial}},
			"nobody has shown yet that the artist opens: ask for a picture"},
		"a layer on trial": {Artist{Model: curation.Model{KeyEpoch: 5, Before: 4, Standing: curation.ModelTrial}},
			"key epoch 5 is on trial until pictures show that it opens, and gives way to key epoch 4 if nobody makes one: ask for a picture"},
		"somebody's turn": {Artist{Model: proven, Rotation: due, Turns: []uint32{2, 1}, Rotator: 2},
			"key epoch 4 ends: it is the turn of Bruno to wrap the artist in one more layer; the node does it by itself, and after some blocks the next one may"},
		"the turn of the only one": {Artist{Model: proven, Rotation: due, Turns: []uint32{2}, Rotator: 2, Last: true},
			"key epoch 4 ends: it is the turn of Bruno to wrap the artist in one more layer; the node does it by itself"},
		"everybody's turn": {Artist{Model: proven, Rotation: due, Turns: []uint32{3, 1}, Rotator: 1, Last: true},
			"key epoch 4 ends: everybody's turn to wrap the artist in one more layer has come, and nobody did; see that the nodes of Ada, Carla run"},
		"the most layers": {Artist{Model: full, Rotation: fresh, Turns: []uint32{3, 1}, Rotator: 3},
			"the artist has 8 layers, the most there may be: it is the turn of Carla to seal it from scratch; the node does it by itself, and after some blocks the next one may"},
		"the most layers, and nobody who has opened them": {Artist{Model: full, Rotation: fresh},
			"the artist has 8 layers, the most there may be, and nobody with a share has opened it to seal it from scratch: ask for a picture, whose maker can"},
		"a proposal": {Artist{Model: proven, Rotation: due, Proposed: &curation.Model{KeyEpoch: 5, Until: 90}, Stored: 1, Needed: 3},
			"key epoch 5 is proposed and has 1 of 3 copies that it needs until height 90; members' nodes store it by themselves, so keep them running"},
		"a proposal in a network of one or two": {Artist{Model: proven, Proposed: &curation.Model{KeyEpoch: 5, Until: 90}, Needed: 1},
			"key epoch 5 is proposed and has 0 of 1 copy that it needs until height 90; members' nodes store it by themselves, so keep them running"},
	} {
		c.artist.names = names
		require.Equal(t, c.want, c.artist.Advice(), name)
	}
}
