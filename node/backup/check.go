package backup

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
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

// StandingOf reads it from a ledger.
func StandingOf(v curation.View, source string) Standing {
	s := Standing{Source: source, Chain: v.Chain(), Height: v.Height(), Log: v.CeremonyLog()}
	if c, ok := v.Committee(); ok {
		s.Committee = c
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

// Check holds the keys of a backup against its genesis and, when there is one, against
// what a ledger says. missing is why there is none.
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
	m := b.genesis.Members[b.Index-1]
	add("file", "it opens, is whole and of a format that this program reads", verify.Holds, fmt.Sprintf("format %d", Format))
	add("account", "the identity is that of a member in genesis", verify.Holds, fmt.Sprintf("member %d, %s: %s", m.Index, m.Name, m.Account))
	hold("validator", "the validator's key is the one that genesis names", bytes.Equal(b.validator.Public().(ed25519.PublicKey), m.Validator[:]),
		m.Validator.String(), "genesis names another key for this member's votes")
	if _, founding := b.secrets.Seeds()[1]; founding {
		hold("deal key", "the ceremony's seed makes the deal key that genesis names", curation.Hash(dkg.DealKey(b.secrets.Ceremony)) == m.DealKey,
			m.DealKey.String(), "genesis names another deal key: shares cannot be derived from this seed")
	}

	const share, current = "the seed and the ledger make this member's share of the committee's keys", "no later committee has taken the keys over"
	switch {
	case s == nil:
		add("share", share, verify.Skipped, missing)
		add("epoch", current, verify.Skipped, missing)
	case s.Chain != b.Chain:
		add("share", share, verify.Skipped, s.Source+" is of another network")
		add("epoch", current, verify.Skipped, s.Source+" is of another network")
	case s.Committee == nil:
		add("share", share, verify.Skipped, "there is no committee yet: the ceremony has not ended, says "+s.Source)
		add("epoch", current, verify.Holds, fmt.Sprintf("no committee yet at height %d, says %s", s.Height, s.Source))
	case s.Epoch() > max(b.Epoch, 1) && b.share(s) != nil:
		stale := fmt.Sprintf("it was made in epoch %d, and epoch %d is in force, says %s: make a new backup", b.Epoch, s.Epoch(), s.Source)
		add("share", share, verify.Skipped, "the share of epoch "+fmt.Sprint(b.Epoch)+" opens nothing any more")
		add("epoch", current, verify.Fails, stale)
	default:
		err := b.share(s)
		hold("share", share, err == nil, fmt.Sprintf("share %d of %d, epoch %d, says %s", b.Index, s.Committee.N(), s.Epoch(), s.Source), fmt.Sprint(err))
		add("epoch", current, verify.Holds, fmt.Sprintf("epoch %d at height %d, says %s", s.Epoch(), s.Height, s.Source))
	}
	return r
}

// share derives this member's share of the committee in force and verifies it.
func (b *Backup) share(s *Standing) error {
	if s.Log == nil || s.Log.N() < int(b.Index) {
		return errors.New("the ceremony has no place for this member")
	}
	var party *dkg.Party
	err := errors.New("it holds no seed for the deal key of this member in that ceremony")
	for _, seed := range b.secrets.Seeds() {
		switch {
		case dkg.DealKey(seed) != s.Log.Params().DealKeys[b.Index-1]:
			continue
		case s.Log.Params().Previous == nil:
			party, err = dkg.NewParty(b.Index, seed)
		default:
			party, err = dkg.NewHandoverParty(nil, b.Index, seed)
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
