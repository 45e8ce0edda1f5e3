package health

import (
	"fmt"

	"github.com/atelier-dao/atelier/curation"
)

// lost says whether the network has lost its key, as far as a ledger can know: members
// told of so many of their shares that too few are left, the guardians' recovery is
// pending without the members' objection, or the key was published, which makes it
// everybody's.
func lost(c *curation.Committee, e curation.Estate) bool {
	return c != nil && (c.Held() < c.Threshold || e.Recovery != nil && e.Recovery.Due != 0 || e.Published())
}

// Advice says what a state means and what to do next.
func (s State) Advice(e curation.Estate) string {
	switch s {
	case MakingKeys:
		return "nothing is drawn yet: wait until the ceremony has ended"
	case Healthy:
		if e.Rules.Death() != curation.Mortal && e.Sharing == nil {
			return "pictures are drawn; the guardians hold no share yet, each takes one with `atelier guardian tend`"
		}
		return "pictures are drawn; nothing to do"
	case Degraded:
		return "pictures are drawn, and few more members may be lost: bring back those who are away, or hand over without them"
	case Halted:
		return "too few members are in reach: no pictures are drawn, and no blocks are made, until some are back; restore them from their backups if need be" + haltedAdvice(e)
	case Lost:
		return "the network has lost its key: what was published stays, verifies and can be sold; " + lostAdvice(e)
	}
	return ""
}

// haltedAdvice is what is left when they never come back.
func haltedAdvice(e curation.Estate) string {
	if e.Sharing == nil || e.Published() {
		return ""
	}
	return fmt.Sprintf("; if they are gone for good, %d guardians can hand the artist to a member with `atelier guardian entrust`, for a new network", e.Rules.Threshold)
}

func lostAdvice(e curation.Estate) string {
	switch {
	case e.Published():
		return fmt.Sprintf("the artist is public since height %d, anybody opens it with `atelier model open`", e.Will.Height)
	case e.Recovery != nil && e.Recovery.Due != 0:
		return fmt.Sprintf("the guardians give it back from height %d on, unless members object", e.Recovery.Due)
	case e.Rules.Death() == curation.GuardianPolicy && e.Sharing != nil:
		return fmt.Sprintf("a member's backup may still bring it back, and so do %d guardians with `atelier guardian recover`", e.Rules.Threshold)
	case e.Rules.Death() == curation.WillPolicy && e.Sharing != nil:
		return fmt.Sprintf("a member's backup may still bring it back; after height %d the guardians may publish it with `atelier guardian publish`", e.Silent())
	}
	return "a member's backup may still bring it back; nothing else does, and no more pictures are drawn without it"
}
