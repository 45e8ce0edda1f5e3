package gallery

import (
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/guardian"
)

// sharingOf says where the guardians' shares stand, and what comes of them now; it is
// empty when the network has no guardians.
func sharingOf(l guardian.Ledger) string {
	e := l.Estate
	switch r := e.Recovery; {
	case e.Rules.Death() == curation.Mortal:
		return ""
	case e.Published():
		return fmt.Sprintf("They published the key at block %d: anybody opens the artist.", e.Will.Height)
	case l.Recovery != nil:
		return "They deal the key to the members anew."
	case r != nil && r.Due != 0:
		return fmt.Sprintf("They voted to deal the key to the members anew, and do so at block %d unless enough members object: %d did.", r.Due, len(r.Objections))
	case r != nil:
		return fmt.Sprintf("They vote on dealing the key to the members anew, until block %d: %d of %d are for it.", r.Until, len(r.Votes), e.Rules.Threshold)
	case e.Will != nil:
		return fmt.Sprintf("They publish the key: %d of %d shares are public.", len(e.Will.Guardians), e.Rules.Threshold)
	case e.Running != nil && l.Running != nil:
		return fmt.Sprintf("The members deal them their shares; this phase, %s, ends at block %d.", l.Running.Phase(), l.Running.Deadline())
	case e.Sharing != nil && e.Silent() != 0:
		return fmt.Sprintf("Their shares count since block %d. They may publish the key after block %d, unless a member gives a sign of life before.", e.Sharing.Height, e.Silent())
	case e.Sharing != nil:
		return fmt.Sprintf("Their shares count since block %d and outlive every handover of the members.", e.Sharing.Height)
	}
	return "They hold no share yet: each takes one with `atelier guardian tend`."
}
