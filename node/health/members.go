package health

import (
	"slices"

	"github.com/atelier-dao/atelier/curation"
)

// Means says in words what a member of that standing has, and what comes next for it.
func Means(s curation.Standing) string {
	switch s {
	case curation.StandingJoining:
		return "admitted: gets a share and a vote with the next handover"
	case curation.StandingActive:
		return "holds a share and a vote"
	case curation.StandingLeaving:
		return "gives its share and vote back with the next handover; its node runs until it has left"
	case curation.StandingDraining:
		return "has no vote any more; its node runs on until what its last committee began has ended"
	case curation.StandingLeft:
		return "was a member; keeps its account with all that is in it"
	}
	return "no member yet: as many as open the artist have to vote for it"
}

// Next says who gets a share with the next handover, or with the one whose ceremony is
// under way, and who gives its share back.
func Next(v curation.View) (joins, leaves []uint32) {
	c, made := v.Committee()
	if !made {
		return nil, nil
	}
	now, next := v.SeatsAt(c.Epoch()), v.CeremonySeats()
	if v.CeremonyEpoch() == c.Epoch() {
		next = nil
		for _, m := range v.Members() {
			if m.Standing == curation.StandingActive || m.Standing == curation.StandingJoining {
				next = append(next, m.Index)
			}
		}
	}
	without := func(all, some curation.Seats) []uint32 {
		return slices.DeleteFunc(slices.Clone(all), func(member uint32) bool { return some.Of(member) != 0 })
	}
	return without(next, now), without(now, next)
}

// Votes says how many votes a motion has that count, and how many it needs: only of
// those who hold a share now, and as many as open the artist.
func Votes(v curation.View, m curation.Motion) (have, need int) {
	for _, member := range m.Votes {
		if voter, ok := v.Member(member); ok && voter.Seated() {
			have++
		}
	}
	if c, ok := v.Committee(); ok { // there are no motions before
		need = c.T()
	}
	return have, need
}
