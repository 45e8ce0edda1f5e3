// Package guardian is what a guardian does, as a pure step over what any member's node
// tells: it accepts a share of the network's keys with a fresh deal key, disputes and
// acknowledges what it receives, and deals the key to the members anew when a recovery
// is under way. Voting for a recovery, publishing a share and entrusting it to somebody
// are a person's decisions; Publication and Entrust make the latter two.
//
// A guardian runs no node. It holds an account's key, one seed for each sharing that it
// has accepted, and what it wrote down of its network. It may run at any time: Step looks
// at where the ledger stands and asks for what is due, and says nothing twice that the
// ledger holds already. Answers have AnswerBlocks; Next tells when to come again.
//
// What a node tells of the ledger may be a lie. The guardian checks what can be checked
// (Check): proofs in the transcripts, that they are of this network and of its key, that
// a sharing has the number that is told. What is left, and would cost it its share or its
// one answer, it does only if other nodes tell the same (Agrees): see Submit and
// EraseSeed.
package guardian

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// ErrNoShare reports a guardian that holds no share, or not the seed of it.
var ErrNoShare = errors.New("no share of the key is held here")

// ErrAlive refuses to make a publication before the network's silence is over: the
// ledger would not take it, and the share would be out.
var ErrAlive = errors.New("the network gives signs of life")

// Network is what a guardian writes down before it accepts its first share, and believes
// from then on: the network's name in every signature and the key that it has a share of,
// which stays for ever.
type Network struct {
	Chain curation.Hash
	X     [shamir.XSize]byte
	Y     [shamir.YSize]byte // both zero before the members have made the key
}

// Ledger is what a guardian has to know of one.
type Ledger struct {
	Network
	Height   uint64
	Estate   curation.Estate
	Sharing  *dkg.Log // transcript of the sharing that counts; nil without one
	Running  *dkg.Log // of the one that is under way
	Recovery *Recovery
}

// Recovery is a ceremony in which guardians deal to the members.
type Recovery struct {
	Epoch, Attempt uint64
	Guardians      curation.Seats
	Log            *dkg.Log
}

// Read is the ledger as a view of it tells.
func Read(v curation.View) Ledger {
	l := Ledger{Network: Network{Chain: v.Chain()}, Height: v.Height(), Estate: v.Estate()}
	if c, ok := v.Committee(); ok {
		l.X, l.Y = c.X(), c.Y()
	}
	if s := l.Estate.Sharing; s != nil {
		l.Sharing, _ = v.SharingLog(s.Number)
	}
	if s := l.Estate.Running; s != nil {
		l.Running, _ = v.SharingLog(s.Number)
	}
	c := v.Ceremony()
	if len(c.Guardians) > 0 && c.Phase != curation.CeremonyActive && c.Phase != curation.CeremonyAborted {
		l.Recovery = &Recovery{Epoch: c.Epoch, Attempt: c.Attempt, Guardians: c.Guardians, Log: v.CeremonyLog()}
	}
	return l
}

// Standing is where one of the network's guardians stands.
type Standing struct {
	curation.Guardian
	Number   uint32
	Seat     uint32 // index of its share in the sharing that counts; 0 without one
	Proven   bool   // it has proved that share
	Accepted bool   // it has accepted the next sharing
}

// Standings are those of all guardians, by number.
func (l Ledger) Standings() []Standing {
	var all []Standing
	for i, g := range l.Estate.Rules.Guardians {
		s := Standing{Guardian: g, Number: uint32(i + 1)}
		s.Accepted = slices.Contains(l.Estate.Accepted, s.Number)
		if l.Estate.Sharing != nil && l.Sharing != nil {
			s.Seat = l.Estate.Sharing.Seats.Of(s.Number)
			s.Proven = s.Seat != 0 && l.Sharing.Spoke(s.Seat, dkg.KindAck)
		}
		all = append(all, s)
	}
	return all
}

// Guardian is one guardian with its secrets.
type Guardian struct {
	Account curation.Address
	Known   *Network            // nil before it has one
	Seeds   map[uint64][32]byte // by the sharing that was accepted with them
}

// Effect is what Step asks its caller to do, in order: a seed is durable before its
// deal key leaves.
type Effect interface{ effect() }

// KeepNetwork makes durable which network and key the guardian believes in.
type KeepNetwork struct{ Network Network }

// KeepSeed makes a seed durable before the effects behind it happen.
type KeepSeed struct {
	Sharing uint64
	Seed    [32]byte
}

// EraseSeed destroys a seed that is of no more use to the guardian, and of some to a
// thief. A sharing of the same key may have come to nothing on the ledger, and be shown
// as if it counted: several nodes should have told the same, or the seed stays.
type EraseSeed struct{ Sharing uint64 }

// Submit sends a transaction of the guardian's account.
type Submit struct {
	Payload curation.Payload
	What    string // it did, in words
	// Gives says that the transaction gives something away that cannot be had back: the
	// guardian's share, to the members whose deal keys the ledger tells; its one
	// commitment to that; or, in a dispute, the key of the one deal that is wrong. Whoever
	// made that ledger up would have it, so several nodes should have told the same.
	Gives bool
}

func (KeepNetwork) effect() {}
func (KeepSeed) effect()    {}
func (EraseSeed) effect()   {}
func (Submit) effect()      {}

// Done records an effect that has happened: Step itself changes nothing.
func (g *Guardian) Done(f Effect) {
	switch f := f.(type) {
	case KeepNetwork:
		g.Known = &f.Network
	case KeepSeed:
		if g.Seeds == nil {
			g.Seeds = map[uint64][32]byte{}
		}
		g.Seeds[f.Sharing] = f.Seed
	case EraseSeed:
		delete(g.Seeds, f.Sharing)
	}
}

// Step returns what the guardian should do now. It reads 32 bytes of rand for a fresh
// seed. Again has it accept a share although it holds one: that makes the shares of all
// guardians anew.
func (g *Guardian) Step(l Ledger, again bool, rand io.Reader) ([]Effect, error) {
	number := l.Estate.Rules.Number(g.Account)
	if number == 0 {
		return nil, fmt.Errorf("account %v is not among the guardians of this network", g.Account)
	}
	if err := g.Check(l); err != nil {
		return nil, err
	}
	var effects []Effect
	if g.Known == nil && l.X != (Network{}).X {
		effects = append(effects, KeepNetwork{l.Network})
	}
	due, err := g.due(l, number, again, rand)
	if err != nil {
		return nil, err
	}
	return append(effects, due...), nil
}

// due is Step for a ledger that is not in doubt.
func (g *Guardian) due(l Ledger, number uint32, again bool, rand io.Reader) (effects []Effect, err error) {
	if r := l.Running; r != nil {
		return g.receive(*l.Estate.Running, r, number, l.Height)
	}
	if s := l.Estate.Sharing; s != nil {
		late, err := g.receive(*s, l.Sharing, number, l.Height)
		if err != nil && !errors.Is(err, ErrNoShare) {
			return nil, err
		}
		effects = append(late, g.erase(l)...)
	}
	if l.Recovery != nil {
		dealt, err := g.recover(l)
		return append(effects, dealt...), err
	}
	if _, err := g.Share(l); err == nil && !again || slices.Contains(l.Estate.Accepted, number) || l.Estate.Published() {
		return effects, nil
	}
	accepted, err := g.accept(l, number, rand)
	return append(effects, accepted...), err
}

// accept brings a deal key for the next sharing.
func (g *Guardian) accept(l Ledger, number uint32, rand io.Reader) (effects []Effect, err error) {
	seed, kept := g.Seeds[l.Estate.Next]
	if !kept {
		if _, err := io.ReadFull(rand, seed[:]); err != nil {
			return nil, err
		}
		effects = append(effects, KeepSeed{Sharing: l.Estate.Next, Seed: seed})
	}
	proof, err := dkg.ProveDealKey(seed, curation.GuardianChain(l.Chain), l.Estate.Next, number)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("accepted a share of the key %x… of network %v", l.X[:6], l.Chain)
	return append(effects, Submit{curation.Accept{Sharing: l.Estate.Next, DealKey: dkg.DealKey(seed), Proof: proof}, what, false}), nil
}

// receive disputes and acknowledges in a sharing.
func (g *Guardian) receive(s curation.Sharing, log *dkg.Log, number uint32, height uint64) (effects []Effect, err error) {
	party, err := g.party(s, log, number)
	if err != nil || party == nil {
		return nil, err
	}
	messages, err := party.Step(height+1, log)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		what := "proved its share of the key"
		if m.Kind == dkg.KindDispute {
			what = "disputed a member's deal"
		}
		effects = append(effects, Submit{curation.GuardianMessage{Sharing: s.Number, Message: uint8(m.Kind), Data: m.Body}, what, m.Kind == dkg.KindDispute})
	}
	return effects, nil
}

// party is the guardian's side of a sharing; nil when it has no seat in it.
func (g *Guardian) party(s curation.Sharing, log *dkg.Log, number uint32) (*dkg.Party, error) {
	seat := s.Seats.Of(number)
	if seat == 0 || log == nil {
		return nil, nil
	}
	for _, seed := range g.Seeds {
		if dkg.DealKey(seed) == log.Params().DealKeys[seat-1] {
			return dkg.NewHandoverParty(nil, seat, seed)
		}
	}
	return nil, fmt.Errorf("%w: the seed of its deal key in sharing %d is not beside the key file", ErrNoShare, s.Number)
}

// Share is the guardian's share in the sharing that counts. Its error wraps ErrNoShare.
func (g *Guardian) Share(l Ledger) (*shamir.KeyShare, error) {
	number := l.Estate.Rules.Number(g.Account)
	if l.Estate.Sharing == nil {
		return nil, fmt.Errorf("%w: the members have not dealt one yet", ErrNoShare)
	}
	party, err := g.party(*l.Estate.Sharing, l.Sharing, number)
	switch {
	case err != nil:
		return nil, err
	case party == nil:
		return nil, fmt.Errorf("%w: the guardian has not accepted one", ErrNoShare)
	}
	share, err := party.KeyShare(l.Sharing)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoShare, err)
	}
	return share, nil
}

// recover deals the key to the members anew.
func (g *Guardian) recover(l Ledger) (effects []Effect, err error) {
	if l.Recovery.Guardians.Of(l.Estate.Rules.Number(g.Account)) == 0 {
		return nil, nil
	}
	share, err := g.Share(l)
	if err != nil {
		return nil, err
	}
	c, err := l.Sharing.Committee()
	if err != nil {
		return nil, err
	}
	if before := l.Recovery.Log.Params().Previous; before == nil || before.Digest() != c.Digest() {
		return nil, fmt.Errorf("%w: the recovery under way is of another sharing than the one that counts", ErrNoShare)
	}
	seed, err := g.seedOf(l)
	if err != nil {
		return nil, err
	}
	party, err := dkg.NewHandoverParty(share, 0, seed)
	if err != nil {
		return nil, err
	}
	messages, err := party.Step(l.Height+1, l.Recovery.Log)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		what := "dealt the key to the members"
		if m.Kind == dkg.KindCommit {
			what = "committed to what it deals to the members"
		}
		effects = append(effects, Submit{curation.CeremonyMessage{Epoch: l.Recovery.Epoch, Attempt: l.Recovery.Attempt, Message: uint8(m.Kind), Data: m.Body}, what, true})
	}
	return effects, nil
}

// seedOf is the seed of the share that counts: what we deal follows from it, the same
// again at any time.
func (g *Guardian) seedOf(l Ledger) ([32]byte, error) {
	seat := l.Estate.Sharing.Seats.Of(l.Estate.Rules.Number(g.Account))
	for _, seed := range g.Seeds {
		if seat != 0 && dkg.DealKey(seed) == l.Sharing.Params().DealKeys[seat-1] {
			return seed, nil
		}
	}
	return [32]byte{}, ErrNoShare
}

// erase destroys the seeds of sharings that a newer one has replaced, if it has given
// the guardian its share.
func (g *Guardian) erase(l Ledger) (effects []Effect) {
	if _, err := g.Share(l); err != nil {
		return nil
	}
	needed, err := g.seedOf(l)
	if err != nil {
		return nil
	}
	for _, n := range slices.Sorted(maps.Keys(g.Seeds)) {
		if n <= l.Estate.Sharing.Number && g.Seeds[n] != needed {
			effects = append(effects, EraseSeed{Sharing: n})
		}
	}
	return effects
}

// Publication is the guardian's share in clear, for the execution of a will. Whoever
// submits it gives the share away for good.
// Its error wraps ErrAlive or ErrNoShare.
func (g *Guardian) Publication(l Ledger) (curation.Publish, error) {
	if err := g.Check(l); err != nil {
		return curation.Publish{}, err
	}
	switch silent := l.Estate.Silent(); {
	case l.Estate.Rules.Death() != curation.WillPolicy:
		return curation.Publish{}, fmt.Errorf("%w: its policy is %s, and a share may only be published to execute a will", ErrAlive, l.Estate.Rules.Death())
	case silent == 0 || l.Height <= silent:
		return curation.Publish{}, fmt.Errorf("%w: shares may be published after height %d, now %d", ErrAlive, silent, l.Height)
	}
	share, err := g.Share(l)
	if err != nil {
		return curation.Publish{}, err
	}
	c, err := l.Sharing.Committee()
	if err != nil {
		return curation.Publish{}, err
	}
	x, err := seal.PublishShare(share, c)
	return curation.Publish{Share: x}, err
}

// Next is what the guardian waits for, in words.
func (l Ledger) Next(account curation.Address) string {
	e := l.Estate
	number := e.Rules.Number(account)
	switch {
	case e.Published():
		return "nothing: the key is public"
	case l.Recovery != nil:
		return fmt.Sprintf("a recovery is under way (phase %v): come again before height %d", l.Recovery.Log.Phase(), l.Recovery.Log.Deadline())
	case l.Running != nil:
		return fmt.Sprintf("sharing %d is under way (phase %v): come again after height %d", e.Running.Number, l.Running.Phase(), l.Running.Deadline())
	case slices.Contains(e.Accepted, number):
		return fmt.Sprintf("%d of %d guardians have accepted: the members deal when all have, or some time after most have", len(e.Accepted), len(e.Rules.Guardians))
	case e.Recovery != nil && e.Recovery.Due != 0:
		return fmt.Sprintf("the recovery is due at height %d: come again then, the members take their shares from the guardians", e.Recovery.Due)
	case e.Recovery != nil:
		return fmt.Sprintf("%d of %d guardians have voted for a recovery, until height %d", len(e.Recovery.Votes), e.Rules.Threshold, e.Recovery.Until)
	case e.Sharing == nil || e.Sharing.Seats.Of(number) == 0:
		return "accept a share of the key"
	}
	return "nothing: keep the key file and what lies beside it"
}
