package member

import (
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation"
)

// The network's taste. After each settled round a member computes the next version from
// what the ledger shows and the version before, as the ledger has that, and records the
// hash of its file: of the version that is to come, and late, once, of the one in force,
// so that a member whose result differs shows. The files of all versions stay with every
// member, since each draws the pictures that were asked for under it.

// version is what this member has found a version to be.
type version struct {
	prior, lexicon curation.Hash
	told           bool // that it differs from what was adopted
}

// taste asks for what is missing of the taste.
func (m *Machine) taste(l curation.View) {
	m.keepTaste(l)
	if _, active := l.Committee(); active && m.me.Seated() {
		m.recordTaste(l)
	}
}

func (m *Machine) recordTaste(l curation.View) {
	next := l.NextPrior()
	for number := range m.learned {
		if number+1 < next {
			delete(m.learned, number)
		}
	}
	for number := next - min(1, next); number <= next; number++ {
		round, settled := l.PriorRound(number)
		if !settled {
			return
		}
		p, _ := l.PriorAt(number)
		said, spoken := p.Of(m.me.Index)
		mine := m.learned[number]
		switch {
		case p.Adopted() && spoken:
		case mine == nil:
			m.learnTaste(l, number, round)
		case !spoken || said.ID != mine.prior || said.Lexicon != mine.lexicon:
			m.submit(l.Height(), fmt.Sprintf("taste/%d", number), curation.RecordPrior{Version: number, Round: round, Prior: mine.prior, Lexicon: mine.lexicon})
		}
		if mine != nil && p.Adopted() && !mine.told && (p.ID != mine.prior || p.Lexicon != mine.lexicon) {
			mine.told = true
			m.do(Note{Text: "our version of the taste is not the network's", Err: fmt.Errorf("version %d is %v, ours is %v: both are kept", number, p.ID, mine.prior)})
		}
	}
}

// learnTaste asks for the computation of a version.
func (m *Machine) learnTaste(l curation.View, number, round uint64) {
	f := LearnTaste{Version: number, Round: round, From: m.others(l)}
	if number > 0 {
		first, _ := l.PriorAt(0)
		before, ok := l.PriorAt(number - 1)
		if !ok {
			return
		}
		f.Before, f.Lexicon = before.ID, first.Lexicon
	}
	if m.again(fmt.Sprintf("learn/%d", number), l.Height()) {
		m.do(f)
	}
}

// learnt takes the result of a Learn.
func (m *Machine) learnt(l curation.View, e TasteLearned) {
	if e.Err != nil {
		m.do(Note{Text: "version of the taste not computed yet", Err: fmt.Errorf("version %d: %w", e.Version, e.Err)})
		return
	}
	m.files[e.Prior], m.files[e.Lexicon] = true, true
	if e.Version+1 < l.NextPrior() {
		return
	}
	m.learned[e.Version] = &version{prior: e.Prior, lexicon: e.Lexicon}
	if m.me.Seated() {
		m.recordTaste(l)
	}
}

// maxFetch is how many files of the taste are asked for at a time.
const maxFetch = 8

// keepTaste goes through the versions, oldest first, and stays with the first whose file
// is not here.
func (m *Machine) keepTaste(l curation.View) {
	asked := 0
	for number := m.versions; number < l.NextPrior() && asked < maxFetch; number++ {
		p, _ := l.PriorAt(number)
		here := true
		for _, file := range []curation.Hash{p.Lexicon, p.ID} {
			if m.files[file] {
				continue
			}
			here = false
			if asked++; m.again("prior/"+file.String(), l.Height()) {
				m.do(KeepPrior{Version: number, File: file, From: m.holding(l, p)})
			}
		}
		if here && number == m.versions {
			m.versions++
			delete(m.files, p.ID)
		}
	}
}

// HoldsPrior tells the machine that a file of the taste is here and pinned.
func (m *Machine) HoldsPrior(file curation.Hash) { m.files[file] = true }

// holding lists the accounts that should have a version's file, those first that have
// recorded it.
func (m *Machine) holding(l curation.View, p curation.Prior) (accounts []curation.Address) {
	for _, r := range p.Records {
		if a, ok := l.Member(r.Member); ok && r.Member != m.me.Index && r.ID == p.ID {
			accounts = append(accounts, a.Account)
		}
	}
	for _, a := range m.others(l) {
		if !slices.Contains(accounts, a) {
			accounts = append(accounts, a)
		}
	}
	return accounts
}

// others are the accounts of the other members, in order.
func (m *Machine) others(l curation.View) (accounts []curation.Address) {
	for _, p := range l.Members() {
		if p.Index != m.me.Index && p.Standing != curation.StandingLeft {
			accounts = append(accounts, p.Account)
		}
	}
	return accounts
}
