package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/tastes"
)

// LedgerOptions say how to check a ledger.
type LedgerOptions struct {
	// Chain is the genesis hash that the ledger must have; nil when it is not known.
	// It is all that the check trusts.
	Chain *curation.Hash
	// Progress hears the height of each block that holds. It may be nil.
	Progress func(height uint64)
}

// Ledger is a network's ledger as its export proves it, from the founding on.
type Ledger struct {
	Chain   curation.Hash `json:"chain"` // genesis hash
	ID      string        `json:"chain_id"`
	Name    string        `json:"network"`
	Height  uint64        `json:"height"`     // of the last block that holds
	Hash    curation.Hash `json:"block_hash"` // of its header
	AppHash curation.Hash `json:"app_hash"`   // of the state after it
	Time    time.Time     `json:"time"`       // of its header
	Txs     uint64        `json:"transactions"`
	// Alone counts the blocks that one validator decided by itself.
	Alone       uint64                  `json:"decided_by_one"`
	Handovers   []Handover              `json:"handovers"`
	Convictions []Conviction            `json:"convictions"`
	Artworks    map[curation.Status]int `json:"artworks"`
	Findings

	compared  bool     // with a genesis hash that was given
	network   *Network // nil before the ceremony has ended, and when the ledger does not hold
	records   map[curation.Hash]curation.Artwork
	rounds    []taste.RoundFacts // what the versions of the taste after the first learned from, the oldest first
	least     signed
	keysFound keysClaim
}

// signed is by how much of the votes a block was signed.
type signed struct {
	height     uint64
	have, want int64
}

// Handover is a committee that holds the keys since a block, and how it came to.
type Handover struct {
	Epoch     uint64   `json:"epoch"`
	Height    uint64   `json:"height"` // since when it is in force
	Threshold int      `json:"threshold"`
	Members   []string `json:"members"` // by seats
	Joined    []string `json:"joined"`  // who had no share before
	Left      []string `json:"left"`    // who has none any more
	Dealt     []string `json:"dealt"`   // whose shares of before made the new ones; of the first, who made the key
	Guardians bool     `json:"by_guardians"`
}

// Conviction is a member that broke the protocol, as the rules judged it.
type Conviction struct {
	Member  string           `json:"member"`
	Offence curation.Offence `json:"offence"`
	Height  uint64           `json:"height"`
}

// CheckLedger replays the export that r holds and makes the claims about it. An error
// means that reading failed, that r holds no export at all, which wraps
// ledger.ErrExport, or that ctx ended; whatever is wrong with an export is in the
// findings, at its height.
func CheckLedger(ctx context.Context, r io.Reader, o LedgerOptions) (*Ledger, error) {
	l := &Ledger{compared: o.Chain != nil, Handovers: []Handover{}, Convictions: []Conviction{}, Artworks: map[curation.Status]int{}, records: map[curation.Hash]curation.Artwork{}}
	machine := curation.NewMachine()
	err := ledger.CheckExport(ctx, r, machine, func(doc []byte, _ []curation.Validator) error {
		g, err := curation.ParseGenesis(doc)
		if err != nil {
			return err
		}
		l.Chain, l.ID, l.Name = curation.GenesisHash(doc), ledger.ChainID(doc), printable(g.Charter.Name)
		if o.Chain != nil && *o.Chain != l.Chain {
			return errForeign // who trusts another network need not hear more of this one
		}
		return nil
	}, func(c ledger.Checked) error {
		l.add(c)
		if o.Progress != nil {
			o.Progress(c.Height)
		}
		return nil
	})
	var wrong *ledger.CheckError
	if err != nil && !errors.As(err, &wrong) && !errors.Is(err, errForeign) {
		return nil, err
	}
	if l.ID == "" {
		return nil, fmt.Errorf("it is no export of a ledger, which a member writes with `atelier network export --ledger FILE`: %w", err)
	}
	if !errors.Is(err, errForeign) {
		if err := machine.View(l.read); err != nil {
			return nil, err
		}
	}
	l.judge(o, err)
	if !l.Valid {
		l.network = nil
	}
	return l, nil
}

var errForeign = errors.New("another network")

// add counts a block that holds.
func (l *Ledger) add(c ledger.Checked) {
	l.Height, l.Hash, l.AppHash, l.Time = c.Height, c.Hash, c.AppHash, c.Time
	l.Txs += uint64(len(c.Txs))
	if c.Of == 1 {
		l.Alone++
	}
	if l.least.height == 0 || c.Signed*l.least.want < l.least.have*c.Power {
		l.least = signed{c.Height, c.Signed, c.Power}
	}
}

// read takes out of the replayed state what is told of it.
func (l *Ledger) read(v curation.View) error {
	l.Artworks = v.Counts()
	n, ok, err := NetworkOf(v)
	if err != nil {
		return err
	}
	if ok {
		l.network = &n
	}
	for _, a := range v.Artworks(curation.Filter{}) {
		l.records[a.RID] = a
	}
	if next := v.NextPrior(); next > 0 {
		l.rounds, _ = tastes.Rounds(v, next-1)
	}
	name := func(number uint32) string {
		if m, ok := v.Member(number); ok {
			return m.Name
		}
		return fmt.Sprintf("member %d", number)
	}
	guardian := func(number uint32) string {
		if all := v.Genesis().Succession.Guardians; number >= 1 && int(number) <= len(all) {
			return all[number-1].Name
		}
		return fmt.Sprintf("guardian %d", number)
	}
	names := func(numbers []uint32, name func(uint32) string) []string {
		out := make([]string, len(numbers))
		for i, number := range numbers {
			out[i] = printable(name(number))
		}
		return out
	}
	without := func(all, some []uint32) []uint32 {
		return slices.DeleteFunc(slices.Clone(all), func(m uint32) bool { return slices.Contains(some, m) })
	}
	var before curation.Seats
	for _, c := range v.Committees() {
		h := Handover{Epoch: c.Epoch, Height: c.Height, Threshold: c.Threshold, Members: names(c.Seats, name),
			Joined: names(without(c.Seats, before), name), Left: names(without(before, c.Seats), name), Dealt: names(c.Qualified, name)}
		if len(c.Guardians) > 0 {
			h.Guardians, h.Dealt = true, names(c.Qualified, guardian)
		}
		l.Handovers, before = append(l.Handovers, h), c.Seats
	}
	for _, c := range v.Convictions() {
		l.Convictions = append(l.Convictions, Conviction{Member: printable(name(c.Member)), Offence: c.Offence, Height: c.Height})
	}
	l.keys(v)
	return nil
}

// keysClaim is what keys found, before it is its turn.
type keysClaim struct {
	detail string
	err    error
}

// keys holds every committee against the first one and the one before it.
func (l *Ledger) keys(v curation.View) {
	all := v.Committees()
	if len(all) == 0 {
		l.keysFound = keysClaim{err: passes("the founders have not made the keys yet")}
		return
	}
	guardians := v.Genesis().Succession
	for i, c := range all {
		switch {
		case !bytes.Equal(c.X, all[0].X) || !bytes.Equal(c.Y, all[0].Y):
			l.keysFound = keysClaim{err: fmt.Errorf("the committee of epoch %d, since height %d, has other keys than the first", c.Epoch, c.Height)}
			return
		case i == 0:
		case len(c.Guardians) > 0:
			if len(c.Qualified) < guardians.Threshold {
				l.keysFound = keysClaim{err: fmt.Errorf("%d guardians dealt the keys of epoch %d, %d had to", len(c.Qualified), c.Epoch, guardians.Threshold)}
				return
			}
		default:
			dealers := 0
			for _, m := range c.Qualified {
				if all[i-1].Seats.Of(m) != 0 {
					dealers++
				}
			}
			if dealers != len(c.Qualified) || dealers < all[i-1].Threshold {
				l.keysFound = keysClaim{err: fmt.Errorf("%d of the committee before dealt the keys of epoch %d, %d had to", dealers, c.Epoch, all[i-1].Threshold)}
				return
			}
		}
	}
	l.keysFound = keysClaim{detail: fmt.Sprintf("%s; X %x…, Y %x…", plural(len(all), "committee"), all[0].X[:8], all[0].Y[:8])}
}

// judge makes the claims. The check of an export ends with the first thing that is
// wrong; the claims that it does not concern hold up to there, which proves nothing of
// the rest, so they are passed over.
func (l *Ledger) judge(o LedgerOptions, wrong error) {
	l.claim("founding", "the ledger is of the network that you trust: it begins with its founding document", func() (string, error) {
		switch {
		case errors.Is(wrong, errForeign):
			return "", fmt.Errorf("its genesis is %v, you trust %v", l.Chain, *o.Chain)
		case o.Chain == nil:
			return "", passes(fmt.Sprintf("genesis %v of %q; nothing was given to compare it with", l.Chain, l.Name))
		}
		return fmt.Sprintf("%q, genesis %v", l.Name, l.Chain), nil
	})
	step := func(name, proves string, class error, detail func() string) {
		l.claim(name, proves, func() (string, error) {
			switch {
			case wrong == nil:
				return detail(), nil
			case errors.Is(wrong, class):
				return "", wrong
			case errors.Is(wrong, errForeign):
				return "", passes("not checked: it is another network's")
			case l.Height == 0:
				return "", passes("not checked: not one block holds")
			}
			return "", passes(fmt.Sprintf("as far as block %d, and not checked beyond", l.Height))
		})
	}
	step("file", "the export is whole, and each block is what its header names", ledger.ErrExport, func() string {
		return fmt.Sprintf("heights 1 to %d, %s", l.Height, plural(int(l.Txs), "transaction"))
	})
	step("signatures", "validators with more than two thirds of the votes in force signed every block", ledger.ErrUnsigned, l.signatures)
	step("blocks", "every block continues the very bytes of the one before it", ledger.ErrBlock, func() string {
		return fmt.Sprintf("the last one is %v", l.Hash)
	})
	step("state", "running the network's rules again gives the states, results and validators that were signed", ledger.ErrReplay, func() string {
		return fmt.Sprintf("state %v after block %d; a block signs the state before it, so that of block %d was signed last", l.AppHash, l.Height, l.Height-1)
	})
	l.claim("keys", "every committee has the keys of the first, and enough of those before it dealt its shares", func() (string, error) {
		if wrong != nil {
			return "", passes("told by a ledger that does not hold")
		}
		return l.keysFound.detail, l.keysFound.err
	})
	l.conclude("state")
}

// signatures says by how much the blocks were signed. Where one validator decides, its
// signature shows that it wrote this, and not that it wrote nothing else.
func (l *Ledger) signatures() string {
	var parts []string
	if l.Alone < l.Height {
		parts = append(parts, fmt.Sprintf("at least %d of %s, at height %d", l.least.have, plural(int(l.least.want), "vote"), l.least.height))
	}
	if l.Alone > 0 {
		parts = append(parts, fmt.Sprintf("%s had one validator: nobody but it says that there was no other history", plural(int(l.Alone), "block")))
	}
	return strings.Join(parts, "; ")
}

// Fault is why the first claim fails that does; empty when all hold.
func (l *Ledger) Fault() string {
	for _, c := range l.Claims {
		if c.Status == Fails {
			return c.Detail
		}
	}
	return ""
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
