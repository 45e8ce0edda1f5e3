package node

import (
	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/verify"
)

// NetworkFile is what a verifier of this network's artworks trusts. It is false
// before the ceremony has ended.
func (n *Node) NetworkFile() (f verify.Network, ok bool, err error) {
	err = n.machine.View(func(v curation.View) (err error) {
		f, ok, err = verify.NetworkOf(v)
		return err
	})
	return f, ok, err
}

// writeNetworkFile keeps it in the home, so that artworks can be verified there
// while no node runs.
func (n *Node) writeNetworkFile() error {
	f, ok, err := n.NetworkFile()
	if err != nil || !ok {
		return err
	}
	return home.Save(n.home.Network(), f)
}

// changesNetworkFile says whether a block brought anything that the file holds.
func changesNetworkFile(b ledger.Committed) bool {
	decides := func(events []curation.Event) bool {
		for _, e := range events {
			switch e.Kind {
			case curation.EventCeremonyActive, curation.EventModelSealed, curation.EventModelCurrent, curation.EventRoundSettled,
				curation.EventArtworkRegistered, curation.EventArtworkAttested, curation.EventArtworkDisputed:
				return true
			}
		}
		return false
	}
	for _, r := range b.Results {
		if decides(r.Events) {
			return true
		}
	}
	return decides(b.Events)
}
