package curation

import (
	"encoding/hex"
	"sort"
	"strconv"

	"github.com/atelier-dao/atelier/curation/curve"
)

// The kinds of events. EventAttributes tells what each carries.
const (
	EventCeremonyPhase     = "ceremony.phase"
	EventCeremonyMessage   = "ceremony.message"
	EventCeremonyActive    = "ceremony.active"
	EventCeremonyAborted   = "ceremony.aborted"
	EventHandoverProposed  = "handover.proposed"
	EventHandoverConsent   = "handover.consent"
	EventHandoverLapsed    = "handover.lapsed"
	EventMemberPrekeys     = "member.prekeys"
	EventMemberNominated   = "member.nominated"
	EventMemberAdmitted    = "member.admitted"
	EventMemberSeated      = "member.seated"
	EventMemberLeaving     = "member.leaving"
	EventMemberUnseated    = "member.unseated"
	EventMemberLeft        = "member.left"
	EventMemberMissed      = "member.missed"
	EventMemberConvicted   = "member.convicted"
	EventMotionVote        = "motion.vote"
	EventMotionLapsed      = "motion.lapsed"
	EventMotionSettled     = "motion.settled"
	EventModelSealed       = "model.sealed"
	EventModelNominated    = "model.nominated"
	EventModelAdopted      = "model.adopted"
	EventModelRotated      = "model.rotated"
	EventModelStored       = "model.stored"
	EventModelCurrent      = "model.current"
	EventModelProven       = "model.proven"
	EventModelDiscarded    = "model.discarded"
	EventRotationDue       = "rotation.due"
	EventTasteRecorded     = "taste.recorded"
	EventTasteAdopted      = "taste.adopted"
	EventTrainingProposed  = "training.proposed"
	EventTrainingOpened    = "training.opened"
	EventTrainingJoined    = "training.joined"
	EventTrainingPhase     = "training.phase"
	EventTrainingMessage   = "training.message"
	EventTrainingMissed    = "training.missed"
	EventTrainingSummed    = "training.summed"
	EventTrainingSealed    = "training.sealed"
	EventTrainingEnded     = "training.ended"
	EventArtworkRequested  = "artwork.requested"
	EventApprovalCertified = "approval.certified"
	EventArtworkRegistered = "artwork.registered"
	EventArtworkAttested   = "artwork.attested"
	EventArtworkDisputed   = "artwork.disputed"
	EventArtworkExpired    = "artwork.expired"
	EventEditionRequested  = "edition.requested"
	EventEditionDelivered  = "edition.delivered"
	EventRoundOpened       = "round.opened"
	EventRoundOpening      = "round.opening"
	EventRoundSettled      = "round.settled"
	EventRoundFailed       = "round.failed"
	EventOrderSealed       = "order.sealed"
	EventOrderShares       = "order.shares"
	EventOrderOpened       = "order.opened"
	EventOrderFilled       = "order.filled"
	EventOrderRefunded     = "order.refunded"
	EventArtworkPublished  = "artwork.published"
	EventArtworkDeclined   = "artwork.declined"
	EventMarketSold        = "market.sold"
	EventAccountSent       = "account.sent"
	EventShareLost         = "member.share_lost"
	EventShareFound        = "member.share_found"
	EventGuardianAccepted  = "guardian.accepted"
	EventGuardianPhase     = "guardian.phase"
	EventGuardianMessage   = "guardian.message"
	EventGuardianActive    = "guardian.active"
	EventGuardianAborted   = "guardian.aborted"
	EventRecoveryVote      = "recovery.vote"
	EventRecoveryPending   = "recovery.pending"
	EventRecoveryObjection = "recovery.objection"
	EventRecoveryMessage   = "recovery.message"
	EventRecoveryEnded     = "recovery.ended"
	EventWillShare         = "will.share"
	EventWillPublished     = "will.published"
)

// EventAttributes is the table of events: for each kind its attributes, in their
// fixed order. Numbers are decimal, amounts decimal base units, rids, roots and
// seeds lower-case hex, accounts and CIDs their text forms, lists of members and
// rids joined by commas. A test holds every emitted event against it.
var EventAttributes = map[string][]string{
	EventCeremonyPhase:     {"epoch", "attempt", "phase", "deadline"},
	EventCeremonyMessage:   {"epoch", "attempt", "member", "message"},
	EventCeremonyActive:    {"epoch", "x", "y", "threshold", "qualified"},
	EventCeremonyAborted:   {"epoch", "attempt", "culprits", "retry"},
	EventHandoverProposed:  {"epoch", "member", "until"},
	EventHandoverConsent:   {"epoch", "member", "consents"},
	EventHandoverLapsed:    {"epoch", "consents", "threshold"},
	EventMemberPrekeys:     {"member", "added", "waiting"},
	EventMemberNominated:   {"motion", "name", "account", "until"},
	EventMemberAdmitted:    {"member", "name", "account"},
	EventMemberSeated:      {"member", "seat", "epoch"},
	EventMemberLeaving:     {"member", "votes"},
	EventMemberUnseated:    {"member", "epoch"},
	EventMemberLeft:        {"member"},
	EventMemberMissed:      {"member", "epoch", "times", "limit", "again"},
	EventMemberConvicted:   {"member", "offence", "reporter", "evidence", "slashed"},
	EventMotionVote:        {"motion", "member", "votes", "threshold"},
	EventMotionLapsed:      {"motion", "votes", "threshold"},
	EventMotionSettled:     {"motion", "votes", "member"},
	EventModelSealed:       {"model", "name", "key_epoch", "container", "plain_hash", "member"},
	EventModelNominated:    {"motion", "model", "name", "key_epoch", "container", "plain_hash", "member", "until"},
	EventModelAdopted:      {"key_epoch", "model", "votes", "until"},
	EventModelRotated:      {"key_epoch", "base", "layers", "container", "member", "until"},
	EventModelStored:       {"key_epoch", "member", "stored", "needed"},
	EventModelCurrent:      {"key_epoch", "model", "layers", "before"},
	EventModelProven:       {"key_epoch", "openers"},
	EventModelDiscarded:    {"key_epoch", "member", "reason", "current"},
	EventRotationDue:       {"key_epoch", "layers", "order"},
	EventTasteRecorded:     {"version", "round", "member", "prior", "lexicon", "agreed", "needed"},
	EventTasteAdopted:      {"version", "round", "prior", "lexicon"},
	EventTrainingProposed:  {"motion", "training", "model", "until"},
	EventTrainingOpened:    {"training", "rid", "model", "votes", "until", "readers"},
	EventTrainingJoined:    {"training", "member", "reader", "joined", "readers"},
	EventTrainingPhase:     {"training", "phase", "trainers", "deadline"},
	EventTrainingMessage:   {"training", "member", "message"},
	EventTrainingMissed:    {"training", "member", "reason"},
	EventTrainingSummed:    {"training", "sum", "counted", "order", "until"},
	EventTrainingSealed:    {"training", "key_epoch", "plain_hash", "member"},
	EventTrainingEnded:     {"training", "status", "key_epoch", "reason"},
	EventArtworkRequested:  {"rid", "account", "prompt", "model", "expiry", "readers"},
	EventApprovalCertified: {"rid", "certificate", "seed", "order"},
	EventArtworkRegistered: {"rid", "cid", "pixel_root", "generator"},
	EventArtworkAttested:   {"rid", "cid", "pixel_root", "auditor"},
	EventArtworkDisputed:   {"rid", "cid", "pixel_root", "audited_root", "generator", "auditor", "refund"},
	EventArtworkExpired:    {"rid", "status", "reason", "refund"},
	EventEditionRequested:  {"rid", "of", "size", "frames", "price"},
	EventEditionDelivered:  {"rid", "cid", "maker", "price", "refund", "until"},
	EventRoundOpened:       {"round", "candidates", "back_until", "open_until"},
	EventRoundOpening:      {"round", "orders", "escrow"},
	EventRoundSettled:      {"round", "published", "backing", "treasury_tribute", "maker_tribute"},
	EventRoundFailed:       {"round", "orders", "openers", "reason"},
	EventOrderSealed:       {"round", "order", "account", "escrow"},
	EventOrderShares:       {"round", "member", "orders"},
	EventOrderOpened:       {"round", "order", "account", "rid", "deposit", "min_out"},
	EventOrderFilled:       {"round", "order", "account", "rid", "cost", "tribute", "tokens", "refund"},
	EventOrderRefunded:     {"round", "order", "account", "rid", "tribute", "refund", "reason"},
	EventArtworkPublished:  {"rid", "cid", "round", "rank", "score", "backing", "backers", "supply", "reserve", "maker", "maker_pay"},
	EventArtworkDeclined:   {"rid", "cid", "round", "rank", "score", "backing", "refund", "reason"},
	EventMarketSold:        {"rid", "account", "tokens", "payout", "tribute", "supply", "reserve"},
	EventAccountSent:       {"from", "to", "amount"},
	EventShareLost:         {"member", "epoch", "held", "threshold"},
	EventShareFound:        {"member", "epoch", "held", "threshold"},
	EventGuardianAccepted:  {"guardian", "sharing", "accepted"},
	EventGuardianPhase:     {"sharing", "phase", "deadline"},
	EventGuardianMessage:   {"sharing", "member", "guardian", "message"},
	EventGuardianActive:    {"sharing", "epoch", "guardians", "threshold"},
	EventGuardianAborted:   {"sharing", "members", "guardians", "retry"},
	EventRecoveryVote:      {"guardian", "votes", "threshold", "until"},
	EventRecoveryPending:   {"guardians", "due"},
	EventRecoveryObjection: {"member", "objections", "threshold"},
	EventRecoveryMessage:   {"epoch", "attempt", "guardian", "message"},
	EventRecoveryEnded:     {"reason", "epoch"},
	EventWillShare:         {"guardian", "shares", "threshold"},
	EventWillPublished:     {"secret", "guardians"},
}

// EventKinds lists the table's kinds in alphabetical order.
func EventKinds() []string {
	kinds := make([]string, 0, len(EventAttributes))
	for kind := range EventAttributes {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	return kinds
}

// event builds an event of the table from its values in order. A wrong number of
// values is a bug of this package.
func event(kind string, values ...any) Event {
	keys := EventAttributes[kind]
	if len(keys) != len(values) {
		panic("curation: event " + kind + " has " + strconv.Itoa(len(values)) + " values")
	}
	e := Event{Kind: kind, Attributes: make([]Attribute, len(keys))}
	for i, key := range keys {
		e.Attributes[i] = Attribute{Key: key, Value: eventText(values[i])}
	}
	return e
}

func eventText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Status:
		return string(v)
	case CeremonyPhase:
		return string(v)
	case int:
		return strconv.Itoa(v)
	case uint64:
		return strconv.FormatUint(v, 10)
	case curve.Amount:
		return v.String()
	case Hash:
		return v.String()
	case Address:
		return v.String()
	case []byte:
		return hex.EncodeToString(v)
	case uint32:
		return strconv.FormatUint(uint64(v), 10)
	case []uint32:
		return list(v, func(i uint32) string { return strconv.FormatUint(uint64(i), 10) })
	case []Hash:
		return list(v, Hash.String)
	case []ReaderKey:
		return list(v, func(k ReaderKey) string { return strconv.FormatUint(uint64(k.Member), 10) })
	}
	panic("curation: event value of a type without a text form")
}

func list[T any](items []T, text func(T) string) string {
	var b []byte
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, text(item)...)
	}
	return string(b)
}
