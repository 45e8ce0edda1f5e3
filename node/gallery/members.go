package gallery

import (
	"fmt"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/health"
)

// seat is a member as this node sees it.
type seat struct {
	curation.Member
	Me        bool
	Connected bool
	Proven    bool
	Means     string // of its standing
}

// motion is a vote on who is a member, or on the artist.
type motion struct {
	curation.Motion
	Name      string   // whom it is about
	SealedBy  string   // of an artist
	Container string   // of an artist
	Plan      []string // of a training, in words
	For       []string // who voted
	Have      int      // votes that count
	Need      int
	Left      uint64 // blocks
	Command   string // by which a member votes
}

func motionOf(v curation.View, m curation.Motion) motion {
	out := motion{Motion: m, Left: m.Until - min(v.Height(), m.Until)}
	out.Have, out.Need = health.Votes(v, m)
	for _, i := range m.Votes {
		out.For = append(out.For, memberName(v, i))
	}
	switch a := m.Application; {
	case a != nil:
		out.Name, out.Command = a.Name, "atelier member admit "+m.ID.String()[:12]
	case m.Train != nil:
		artist, _ := v.Model() // a plan is about an artist that there is
		out.Name, out.Plan, out.Command = artist.Name, health.PlanText(*m.Train), "atelier training vote "+m.ID.String()[:12]
	case m.Adopt != 0:
		artist, _ := v.ModelAt(m.Adopt) // a motion is about a model that there is
		out.Name, out.SealedBy, out.Container = artist.Name, memberName(v, artist.Sealer), artist.ContainerCID
		out.Command = fmt.Sprintf("atelier model adopt %d", m.Adopt)
	default:
		out.Name, out.Command = memberName(v, m.Remove), fmt.Sprintf("atelier member remove %d", m.Remove)
	}
	return out
}

// nextOf says who joins and leaves with the next handover; it is empty when nobody does.
func nextOf(v curation.View) string {
	joins, leaves := health.Next(v)
	var parts []string
	for _, side := range []struct {
		who       []uint32
		one, many string
	}{{joins, "gets a share", "get a share each"}, {leaves, "gives its share back", "give their shares back"}} {
		if len(side.who) == 0 {
			continue
		}
		var all []string
		for _, i := range side.who {
			all = append(all, memberName(v, i))
		}
		does := side.one
		if len(all) > 1 {
			does = side.many
		}
		parts = append(parts, strings.Join(all, ", ")+" "+does)
	}
	if len(parts) == 0 {
		return ""
	}
	return "With the next handover " + strings.Join(parts, "; ") + "."
}

// handoverOf says where a handover stands; it is empty without one.
func handoverOf(v curation.View) string {
	c, active := v.Committee()
	if !active {
		return ""
	}
	if h, proposed := v.Handover(); proposed {
		may := 0
		for _, m := range v.Members() {
			if m.Seated() || m.Standing == curation.StandingJoining {
				may++
			}
		}
		return fmt.Sprintf("A handover to epoch %d is proposed: %d of %d members have consented.", h.Epoch, len(h.Keys), may)
	}
	if now := v.Ceremony(); now.Epoch > c.Epoch() {
		return fmt.Sprintf("A handover to epoch %d is under way, in the phase %s. Until it is done, the committee of epoch %d is in force.", now.Epoch, now.Phase, c.Epoch())
	}
	return ""
}
