package curation

import (
	"errors"
	"fmt"
	"slices"
)

// DeathPolicy is what the founders chose for the day on which fewer shares of the key
// are left than open it.
type DeathPolicy string

// The policies.
const (
	// Mortal is the default: the artist is lost; gallery, ledger and markets live on.
	Mortal DeathPolicy = "mortal"
	// GuardianPolicy lets guardians deal the key to the members anew, after a vote and
	// a delay in which the members can object.
	GuardianPolicy DeathPolicy = "guardian"
	// WillPolicy lets guardians publish the opening key after a long silence, so that
	// the artist is everybody's.
	WillPolicy DeathPolicy = "will"
)

// MaxGuardians is the most guardians of a network.
const MaxGuardians = 32

// Succession is a death policy with what it needs. Its zero value is Mortal. Guardians
// are outsiders who run no node; they hold a second sharing of the members' keys, of
// which Threshold shares are the keys: as many guardians can read everything that the
// members can, at any time and without the ledger.
type Succession struct {
	Policy    DeathPolicy `json:"policy"` // guardian or will
	Guardians []Guardian  `json:"guardians"`
	// Threshold is how many guardians act for all: more than half.
	Threshold int `json:"threshold"`
	// AnswerBlocks is how long guardians, who are people and not machines, have for
	// each of their answers. Range 1..10000000.
	AnswerBlocks uint64 `json:"answer_blocks"`
	// DelayBlocks is how long members may object before guardians recover the key. Only
	// for guardian. Range 1..10000000.
	DelayBlocks uint64 `json:"delay_blocks,omitempty"`
	// SilentBlocks is after how many blocks without a sign of life guardians may
	// publish the key. Only for will. Range 2..1000000000.
	SilentBlocks uint64 `json:"silent_blocks,omitempty"`
}

// Guardian is an outsider who keeps a share of the key. Guardians are numbered from 1,
// in the order of the genesis.
type Guardian struct {
	Name    string  `json:"name"` // 1 to MaxName bytes
	Account Address `json:"account"`
}

// Death is the network's death policy. Rules that name none are Mortal.
func (s Succession) Death() DeathPolicy {
	if s.Policy == "" {
		return Mortal
	}
	return s.Policy
}

// Number is the guardian's whose account it is, from 1; 0 for anybody else.
func (s Succession) Number(a Address) uint32 {
	return uint32(slices.IndexFunc(s.Guardians, func(g Guardian) bool { return g.Account == a }) + 1)
}

// Tells is the policy in words, for who is about to join.
func (s Succession) Tells() string {
	switch s.Death() {
	case GuardianPolicy:
		return fmt.Sprintf("guardian: any %d of %s hold the key too; when members have lost it, they deal it to them anew, %d blocks after their vote unless members object",
			s.Threshold, plural(len(s.Guardians), "guardian"), s.DelayBlocks)
	case WillPolicy:
		return fmt.Sprintf("will: any %d of %s hold the key too; after %d blocks without a sign of life they may publish it, and the artist is everybody's",
			s.Threshold, plural(len(s.Guardians), "guardian"), s.SilentBlocks)
	}
	return "mortal: when too few shares of the key are left, the artist is lost; gallery and markets live on"
}

// validate checks the section of a genesis with those members.
func (s Succession) validate(members []GenesisMember) error {
	if s.Policy == "" {
		if s.Guardians != nil || s.Threshold != 0 || s.AnswerBlocks != 0 || s.DelayBlocks != 0 || s.SilentBlocks != 0 {
			return errors.New("the policy is missing: want guardian or will")
		}
		return nil
	}
	delay, silence := uint64(0), uint64(0) // the most of each
	switch s.Policy {
	case GuardianPolicy:
		delay = 10_000_000
	case WillPolicy:
		silence = 1_000_000_000
	case Mortal:
		return errors.New("a mortal network has no such section: leave it out")
	default:
		return fmt.Errorf("policy is %q, want guardian or will", s.Policy)
	}
	n := len(s.Guardians)
	if n < 1 || n > MaxGuardians {
		return fmt.Errorf("%s, want 1 to %d", plural(n, "guardian"), MaxGuardians)
	}
	if s.Threshold > n || 2*s.Threshold <= n {
		return fmt.Errorf("threshold is %d of %s, want more than half and at most all", s.Threshold, plural(n, "guardian"))
	}
	for _, r := range []struct {
		name             string
		value, min, most uint64
	}{
		{"answer_blocks", s.AnswerBlocks, 1, 10_000_000},
		{"delay_blocks", s.DelayBlocks, min(1, delay), delay},
		{"silent_blocks", s.SilentBlocks, min(2, silence), silence},
	} {
		if r.value < r.min || r.value > r.most {
			return fmt.Errorf("%s is %d, a network with a %s wants %d to %d", r.name, r.value, s.Policy, r.min, r.most)
		}
	}
	seen := map[Address]bool{}
	for _, m := range members {
		for _, key := range []Address{m.Account, Address(m.Validator), Address(m.DealKey)} {
			seen[key] = true
		}
	}
	for i, g := range s.Guardians {
		if err := ValidateName(g.Name); err != nil {
			return fmt.Errorf("guardian %d: %w", i+1, err)
		}
		if seen[g.Account] {
			return fmt.Errorf("guardian %d (%s): the account is a member's or another guardian's", i+1, g.Name)
		}
		seen[g.Account] = true
	}
	return nil
}

func (x *execution) succession() *Succession { return &x.machine.genesis.Succession }

// guardian is the signer's number as a guardian, 0 for anybody else.
func (x *execution) guardian(signer Address) uint32 { return x.succession().Number(signer) }

// named is the signer's number as a guardian under one of those policies.
func (x *execution) named(signer Address, policies ...DeathPolicy) (uint32, error) {
	g := x.guardian(signer)
	switch {
	case g == 0:
		return 0, refuse(CodeNotMember, "account %v is not a guardian: only guardians may do this", signer)
	case !slices.Contains(policies, x.succession().Policy):
		return 0, refuse(CodeWrongPhase, "the network's policy is %s: this is not for its guardians to do", x.succession().Policy)
	case x.committee == nil:
		return 0, refuse(CodeWrongPhase, "no committee is in force yet: wait for the end of the ceremony")
	}
	return g, nil
}

// holder is named for a guardian with a share, and its seat.
func (x *execution) holder(signer Address, policy DeathPolicy) (g, seat uint32, s Sharing, err error) {
	if g, err = x.named(signer, policy); err != nil {
		return 0, 0, s, err
	}
	s, ok := load[Sharing](x.st, keySharing(guardians(x.st).InForce))
	switch {
	case !ok:
		return 0, 0, s, refuse(CodeWrongPhase, "the guardians have no shares yet")
	case s.Seats.Of(g) == 0:
		return 0, 0, s, refuse(CodeNotMember, "guardian %d has no share: it has not accepted one yet", g)
	}
	return g, s.Seats.Of(g), s, nil
}
