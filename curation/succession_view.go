package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/shamir/dkg"
)

// Estate is how a network is prepared for the loss of its key, and what has come of
// it: all that a guardian, or somebody who looks, has to know.
type Estate struct {
	Rules    Succession
	Accepted []uint32 // guardians that have accepted the next sharing
	Next     uint64   // number of the next sharing
	// Sharing counts now, Running is under way; nil without one.
	Sharing, Running *Sharing
	Aborted          *AbortedSharing // the last one, unless one went well since
	Recovery         *Recovery       // that is voted on, pending or under way
	Life             uint64          // height of the last sign of life; only of a will
	Will             *Will           // once a guardian has published its share
}

// Silent is the height after which guardians may publish the key; 0 when the policy is
// another.
func (e Estate) Silent() uint64 {
	if e.Rules.Policy != WillPolicy || e.Life == 0 {
		return 0
	}
	return e.Life + e.Rules.SilentBlocks
}

// Published says whether the opening key is public.
func (e Estate) Published() bool { return e.Will != nil && e.Will.Height != 0 }

// Estate is how the network is prepared for the loss of its key, and what has come of it.
func (v View) Estate() Estate {
	r, s := v.m.store, guardians(v.m.store)
	e := Estate{Rules: v.m.genesis.Succession, Accepted: s.Accepted, Next: s.Sharings + 1, Life: count(r, keyLife)}
	if sharing, ok := load[Sharing](r, keySharing(s.InForce)); ok {
		e.Sharing = &sharing
	}
	if sharing, ok := load[Sharing](r, keySharing(s.Sharings)); ok && s.Running {
		e.Running = &sharing
	}
	if a, ok := load[AbortedSharing](r, keyAbortedSharing); ok {
		e.Aborted = &a
	}
	if recovery, ok := load[Recovery](r, keyRecovery); ok {
		e.Recovery = &recovery
	}
	if w, ok := load[Will](r, keyWill); ok {
		e.Will = &w
	}
	return e
}

// SharingLog is a copy of the transcript of a sharing: of the one that counts, and of
// one that is under way.
func (v View) SharingLog(number uint64) (*dkg.Log, bool) {
	return v.m.transcripts.read(v.m.store, keyGuardianLog(number))
}

// SaysLost says whether the member told that it lost its share of the committee in
// force.
func (v View) SaysLost(member uint32) bool {
	c, ok := committeeInForce(v.m.store)
	return ok && slices.Contains(c.Lost, member)
}

// RecoveryDue says whether a handover that opens with the next block is a recovery.
func (v View) RecoveryDue() bool { return recoveryDue(v.m.store, v.m.height+1) }
