package backup

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/health"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// Standing is what a ledger says about the committee, by which a backup is checked.
type Standing struct {
	Source    string        // where it comes from, for people
	Chain     curation.Hash // of the ledger
	Height    uint64
	Members   []curation.Member // all who are, were or are about to be members
	Seats     curation.Seats    // who holds the shares of the committee
	Log       *dkg.Log          // transcript of the committee's ceremony
	Committee *shamir.Committee // in force; nil before there is one
}

// Epoch is that of the committee in force, 0 before there is one.
func (s Standing) Epoch() uint64 {
	if s.Committee == nil {
		return 0
	}
	return s.Committee.Epoch()
}

// memberOf is the member whose account it is.
func (s Standing) memberOf(a curation.Address) (curation.Member, bool) {
	i := slices.IndexFunc(s.Members, func(m curation.Member) bool { return m.Account == a })
	if i < 0 {
		return curation.Member{}, false
	}
	return s.Members[i], true
}

// voters are how many have a vote.
func (s Standing) voters() (n int) {
	for _, m := range s.Members {
		if m.Seated() {
			n++
		}
	}
	return n
}

// StandingOf reads it from a ledger.
func StandingOf(v curation.View, source string) Standing {
	s := Standing{Source: source, Chain: v.Chain(), Height: v.Height(), Members: v.Members(), Seats: v.CeremonySeats(), Log: v.CeremonyLog()}
	if c, ok := v.Committee(); ok {
		s.Committee, s.Seats = c, v.SeatsAt(c.Epoch())
		s.Log, _ = v.CeremonyLogAt(c.Epoch()) // it is kept as long as the committee is in force
	}
	return s
}

// ReadStanding reads it from the ledger in a home in which no node runs. The error
// wraps fs.ErrNotExist when the home has no ledger yet.
func ReadStanding(h home.Home) (s Standing, err error) {
	document, err := h.ReadGenesis()
	if err != nil {
		return s, err
	}
	m := curation.NewMachine()
	if err := ledger.Inspect(h.Ledger(), document, m); err != nil {
		return s, err
	}
	return s, m.View(func(v curation.View) error {
		s = StandingOf(v, fmt.Sprintf("the ledger in %s", h))
		return nil
	})
}

// Report says what was checked of a backup.
type Report struct {
	Network string         `json:"network"`
	Chain   curation.Hash  `json:"chain"`
	Member  uint32         `json:"member"`
	Name    string         `json:"name"`
	Height  uint64         `json:"height"`
	Epoch   uint64         `json:"epoch"`
	Outcome verify.Outcome `json:"outcome"`
	Claims  []verify.Claim `json:"claims"`
}

// Check holds the keys of a backup against its genesis, or against the application by
// which its member joined, and, when there is one, against what a ledger says. missing is why there is none.
func (b *Backup) Check(s *Standing, missing string) Report {
	r := Report{Network: b.Network, Chain: b.Chain, Member: b.Index, Name: b.Name, Height: b.Height, Epoch: b.Epoch, Outcome: verify.Valid}
	add := func(name, proves string, status verify.Status, detail string) {
		r.Claims = append(r.Claims, verify.Claim{Name: name, Status: status, Proves: proves, Detail: detail})
		switch {
		case status == verify.Fails:
			r.Outcome = verify.Invalid
		case status == verify.Skipped && r.Outcome == verify.Valid:
			r.Outcome = verify.Unchecked
		}
	}
	hold := func(name, proves string, ok bool, detail, wrong string) {
		if ok {
			add(name, proves, verify.Holds, detail)
			return
		}
		add(name, proves, verify.Fails, wrong)
	}
	if s != nil && s.Chain != b.Chain {
		missing, s = s.Source+" is of another network", nil
	}
	by, named := "genesis", b.named
	if b.founder == nil {
		by = "its application"
	}
	votes := by
	if s != nil {
		if m, ok := s.memberOf(b.secrets.Account()); ok {
			votes, named = s.Source, m.Validator
		}
	}
	add("file", "it opens, is whole and of a format that this program reads", verify.Holds, fmt.Sprintf("formats 1 to %d", Format))
	add("account", "the identity is that of the member", verify.Holds, fmt.Sprintf("member %d, %s: %s, by %s", b.Index, b.Name, curation.Address(b.secrets.Account()), by))
	hold("validator", "the validator's key is the one that the member votes with", bytes.Equal(b.validator.Public().(ed25519.PublicKey), named[:]),
		named.String()+", by "+votes, votes+" names another key for this member's votes")
	if _, founding := b.secrets.Seeds()[1]; founding && b.founder != nil {
		hold("deal key", "the ceremony's seed makes the deal key that genesis names", curation.Hash(dkg.DealKey(b.secrets.Ceremony)) == b.founder.DealKey,
			b.founder.DealKey.String(), "genesis names another deal key: shares cannot be derived from this seed")
	}

	const share, current = "the seed and the ledger make this member's share of the committee's keys", "no later committee has taken the keys over"
	switch {
	case s == nil:
		add("share", share, verify.Skipped, missing)
		add("epoch", current, verify.Skipped, missing)
	case s.Committee == nil:
		add("share", share, verify.Skipped, "there is no committee yet: the ceremony has not ended, says "+s.Source)
		add("epoch", current, verify.Holds, fmt.Sprintf("no committee yet at height %d, says %s", s.Height, s.Source))
	default:
		b.checkShare(s, add, share, current)
	}
	return r
}

// checkShare holds a backup against the committee in force.
func (b *Backup) checkShare(s *Standing, add func(name, proves string, status verify.Status, detail string), share, current string) {
	m, known := s.memberOf(b.secrets.Account())
	err := b.share(s)
	switch now := fmt.Sprintf("epoch %d at height %d, says %s", s.Epoch(), s.Height, s.Source); {
	case !known || m.Index != b.Index:
		add("share", share, verify.Skipped, "no member of this number and account is known to "+s.Source)
		add("epoch", current, verify.Skipped, "it is not known whether "+s.Source+" is behind this backup")
	case m.Standing == curation.StandingJoining && s.Seats.Of(m.Index) == 0:
		add("share", share, verify.Skipped, "it gets its first share with the next handover, says "+s.Source+": make a new backup then")
		add("epoch", current, verify.Holds, now)
	case s.Seats.Of(m.Index) == 0:
		add("share", share, verify.Skipped, "it has no share any more, says "+s.Source)
		add("epoch", current, verify.Fails, fmt.Sprintf("the member is %s: %s, says %s", m.Standing, health.Means(m.Standing), s.Source))
	case err != nil && s.Epoch() > max(b.Epoch, 1):
		add("share", share, verify.Skipped, fmt.Sprintf("the share of epoch %d opens nothing any more", b.Epoch))
		add("epoch", current, verify.Fails, fmt.Sprintf("it was made in epoch %d, and epoch %d is in force, says %s: make a new backup", b.Epoch, s.Epoch(), s.Source))
	case err != nil:
		add("share", share, verify.Fails, err.Error())
		add("epoch", current, verify.Holds, now)
	default:
		add("share", share, verify.Holds, fmt.Sprintf("share %d of %d, epoch %d, says %s", s.Seats.Of(m.Index), s.Committee.N(), s.Epoch(), s.Source))
		add("epoch", current, verify.Holds, now)
	}
}

// share derives this member's share of the committee in force and verifies it.
func (b *Backup) share(s *Standing) error {
	m, _ := s.memberOf(b.secrets.Account())
	seat := s.Seats.Of(m.Index)
	if seat == 0 || s.Log == nil || s.Log.N() < int(seat) {
		return errors.New("the committee has no place for this member")
	}
	var party *dkg.Party
	err := errors.New("it holds no seed for the deal key of this member in that ceremony")
	for _, seed := range b.secrets.Seeds() {
		switch {
		case dkg.DealKey(seed) != s.Log.Params().DealKeys[seat-1]:
			continue
		case s.Log.Params().Previous == nil:
			party, err = dkg.NewParty(seat, seed)
		default:
			party, err = dkg.NewHandoverParty(nil, seat, seed)
		}
	}
	if err != nil {
		return err
	}
	key, err := party.KeyShare(s.Log)
	if err != nil {
		return fmt.Errorf("no share follows from seed and ledger: %w", err)
	}
	if err := key.VerifyAgainst(s.Committee); err != nil {
		return fmt.Errorf("the share is not one of the committee in force: %w", err)
	}
	return nil
}
