package health

import (
	"fmt"
	"slices"
	"strings"

	"github.com/atelier-dao/atelier/curation"
)

// Artist says where the network's artist and its key epochs stand.
type Artist struct {
	Model    curation.Model     // the current one
	Proposed *curation.Model    // that members store; nil without one
	Stored   int                // members with a share that have its container
	Needed   int                // members that must have it
	Due      uint64             // height from which on the key epoch may end; 0 for never, or not yet known
	Rotation *curation.Rotation // once it ends
	Turns    []uint32           // members that may make the next one, in order
	Rotator  uint32             // whose turn the next block is; 0 while it is nobody's
	Last     bool               // and the last one's

	names  map[uint32]string
	height uint64
	never  bool // key epochs last forever
}

// ArtistOf reads them from a ledger; false before an artist is sealed.
func ArtistOf(v curation.View) (a Artist, ok bool) {
	if a.Model, ok = v.Model(); !ok {
		return a, false
	}
	a.names, a.height, a.never, a.Due = map[uint32]string{}, v.Height(), v.Params().KeyEpochBlocks == 0, v.RotationDue()
	for _, m := range v.Members() {
		a.names[m.Index] = m.Name
	}
	if p, proposed := v.Proposed(); proposed {
		a.Proposed = &p
		a.Stored, a.Needed = v.Copies(p)
	}
	r, due := v.Rotation()
	if !due {
		return a, true
	}
	c, _ := v.Committee()
	seats := v.SeatsAt(c.Epoch())
	a.Rotation = &r
	if r.KeyEpoch == 0 {
		a.Turns = r.Turns(seats)
		if a.Proposed == nil {
			a.Rotator, _ = r.RotatorAt(v.Params(), seats, a.height+1)
		}
		a.Last = a.Rotator != 0 && a.Rotator == a.Turns[len(a.Turns)-1]
	}
	return a, true
}

// Advice says what the state of the artist means, and what to do next if it is anybody's
// to do.
func (a Artist) Advice() string {
	m := a.Model
	switch {
	case a.Proposed != nil:
		return fmt.Sprintf("key epoch %d is proposed and has %d of %s that it needs until height %d; members' nodes store it by themselves, so keep them running",
			a.Proposed.KeyEpoch, a.Stored, plural(a.Needed, "copy", "copies"), a.Proposed.Until)
	case m.Standing == curation.ModelTrial && m.Before == 0:
		return "nobody has shown yet that the artist opens: ask for a picture"
	case m.Standing == curation.ModelTrial:
		return fmt.Sprintf("key epoch %d is on trial until pictures show that it opens, and gives way to key epoch %d if nobody makes one: ask for a picture", m.KeyEpoch, m.Before)
	case a.Rotation != nil && a.Rotation.Fresh && len(a.Turns) == 0:
		return fmt.Sprintf("the artist has %d layers, the most there may be, and nobody with a share has opened it to seal it from scratch: ask for a picture, whose maker can", m.Layers)
	case a.Rotation != nil && a.Rotation.Fresh:
		return fmt.Sprintf("the artist has %d layers, the most there may be: %s", m.Layers, a.waits("seal it from scratch"))
	case a.Rotation != nil:
		return fmt.Sprintf("key epoch %d ends: %s", m.KeyEpoch, a.waits("wrap the artist in one more layer"))
	case a.never:
		return "key epochs of this network last forever: a key that a reader keeps opens the artist for good"
	case m.Approved == 0:
		return fmt.Sprintf("nothing was released in key epoch %d yet; it lasts until height %d at least", m.KeyEpoch, a.Due)
	}
	return fmt.Sprintf("key epoch %d ends at height %d, in %s: a member's node then wraps the artist in one more layer by itself", m.KeyEpoch, a.Due, plural(int(a.Due-min(a.height, a.Due)), "block", "blocks"))
}

// waits says who is to do something, or that everybody's turn has come.
func (a Artist) waits(what string) string {
	if a.Last && len(a.Turns) > 1 {
		var names []string
		for _, i := range a.Turns {
			names = append(names, a.names[i])
		}
		slices.Sort(names)
		return fmt.Sprintf("everybody's turn to %s has come, and nobody did; see that the nodes of %s run", what, strings.Join(names, ", "))
	}
	turn := fmt.Sprintf("it is the turn of %s to %s; the node does it by itself", a.names[a.Rotator], what)
	if a.Last {
		return turn
	}
	return turn + ", and after some blocks the next one may"
}

// Became says in words what became of a key epoch, or where it stands.
func Became(v curation.View, m curation.Model) string {
	switch m.Standing {
	case curation.ModelNominated:
		return fmt.Sprintf("members vote until height %d", m.Until)
	case curation.ModelProposed:
		return fmt.Sprintf("members store it until height %d", m.Until)
	case curation.ModelTrial:
		return fmt.Sprintf("current since height %d; not yet shown to open", m.Since)
	case curation.ModelProven:
		if now, _ := v.Model(); now.KeyEpoch != m.KeyEpoch {
			return fmt.Sprintf("kept since height %d, until key epoch %d is proven", now.Since, now.KeyEpoch)
		}
		return fmt.Sprintf("in use since height %d", m.Since)
	case curation.ModelRetired:
		return fmt.Sprintf("in use from height %d to %d", m.Since, m.Ended)
	}
	return fmt.Sprintf("discarded at height %d: %s", m.Ended, m.Reason)
}

// Origin says in words what a key epoch is made of.
func Origin(m curation.Model) string {
	if m.Base != 0 {
		return fmt.Sprintf("a layer around key epoch %d", m.Base)
	}
	if m.Training != 0 {
		return fmt.Sprintf("trained by members, training %d", m.Training)
	}
	return "sealed from scratch"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
