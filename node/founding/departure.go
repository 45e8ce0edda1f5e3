package founding

import "github.com/atelier-dao/atelier/node/home"

// Departure is what a home keeps once enough members have told it that its member has
// left the network while it was away: its own ledger ends before that, and no peer
// continues it. A new application of the home ends it.
type Departure struct {
	Height  uint64   `json:"height"`  // the lowest at which one of them said so
	Members []uint32 `json:"members"` // who said so, by their numbers, ascending
}

// Depart keeps it, for the next start.
func Depart(h home.Home, d Departure) error {
	p, err := Read(h)
	if err != nil {
		return err
	}
	p.Departed = &d
	return p.save(h)
}
