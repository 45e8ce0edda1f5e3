package guardian

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// dealt is a network of four members whose key a dealer made, and its three guardians.
type dealt struct {
	t       *testing.T
	chain   curation.Hash
	members *shamir.Committee
	shares  []*shamir.KeyShare
}

func network(t *testing.T, name string) dealt {
	c, shares, err := shamirtest.Dealt(name, 1, 4)
	require.NoError(t, err)
	return dealt{t, curation.Hash{9}, c, shares}
}

func seed(sharing, guardian byte) [32]byte { return [32]byte{sharing, guardian} }

func dealerSeed(i int) [32]byte { return [32]byte{9, byte(i)} }

// shared is a sharing among the guardians up to a phase.
func (n dealt) shared(number uint64, until dkg.Phase) *dkg.Log { return n.run(number, until, nil) }

// run is shared, but member 1 says what is given here.
func (n dealt) run(number uint64, until dkg.Phase, first map[dkg.Kind][]byte) *dkg.Log {
	p := dkg.Params{Epoch: 1, Threshold: 2, Previous: n.members, Deadlines: dkg.Deadlines{Commit: 4, Bundle: 4, Dispute: 2, Acknowledge: 4},
		Session: dkg.Session(curation.GuardianChain(n.chain), 1, n.members.Digest(), number)}
	var parties []*dkg.Party
	for i, s := range n.shares {
		d, err := dkg.NewHandoverParty(s, 0, dealerSeed(i))
		require.NoError(n.t, err)
		parties = append(parties, d)
	}
	for g := uint32(1); g <= 3; g++ {
		s := seed(byte(number), byte(g))
		d, err := dkg.NewHandoverParty(nil, g, s)
		require.NoError(n.t, err)
		parties, p.DealKeys = append(parties, d), append(p.DealKeys, dkg.DealKey(s))
	}
	l, err := dkg.NewLog(p, 1)
	require.NoError(n.t, err)
	for height := uint64(1); l.Phase() < until; height++ {
		for _, d := range parties {
			messages, err := d.Step(height, l)
			if first != nil && d == parties[0] {
				kind := dkg.KindCommit
				if l.Phase() == dkg.PhaseBundle {
					kind = dkg.KindBundle
				}
				messages, err = []dkg.Message{{Kind: kind, Body: first[kind]}}, nil
			}
			require.NoError(n.t, err)
			for _, m := range messages {
				require.NoError(n.t, l.Apply(height, d.Speaks(m.Kind), m))
			}
		}
		l.EndBlock(height)
	}
	require.Equal(n.t, until, l.Phase())
	return l
}

// recovery is one to four members whose deal keys somebody makes up.
func (n dealt) recovery(sharing *dkg.Log, attempt uint64, receivers byte) *Recovery {
	c, err := sharing.Committee()
	require.NoError(n.t, err)
	p := dkg.Params{Epoch: 2, Threshold: 3, Previous: c, Deadlines: dkg.Deadlines{Commit: 4, Bundle: 4, Dispute: 2, Acknowledge: 4},
		Session: dkg.Session(n.chain, 2, c.Digest(), attempt)}
	for i := range byte(4) {
		p.DealKeys = append(p.DealKeys, dkg.DealKey([32]byte{receivers, i}))
	}
	l, err := dkg.NewLog(p, 90)
	require.NoError(n.t, err)
	return &Recovery{Epoch: 2, Attempt: attempt, Guardians: curation.Seats{1, 2, 3}, Log: l}
}

// tells is a ledger of this network at height 99.
func (n dealt) tells(change func(l *Ledger)) Ledger {
	l := ledgerOf(func(e *curation.Estate) {
		e.Next = 3
		e.Rules.Guardians = append(e.Rules.Guardians, curation.Guardian{Name: "Ilse", Account: curation.Address{3}})
	})
	l.Network, l.Height = n.known(), 99
	if change != nil {
		change(&l)
	}
	return l
}

func (n dealt) known() Network {
	return Network{Chain: n.chain, X: n.members.X(), Y: n.members.Y()}
}

func counts(number uint64, log *dkg.Log) func(l *Ledger) {
	return func(l *Ledger) {
		l.Sharing, l.Estate.Sharing = log, &curation.Sharing{Number: number, Epoch: 1, Seats: curation.Seats{1, 2, 3}, Threshold: 2}
	}
}

func runs(number uint64, log *dkg.Log) func(l *Ledger) {
	return func(l *Ledger) {
		l.Running, l.Estate.Running = log, &curation.Sharing{Number: number, Epoch: 1, Seats: curation.Seats{1, 2, 3}, Threshold: 2}
	}
}

// A node that shows a ledger of its own making gets nothing done, least of all the
// erasing of the seed that the guardian's share follows from.
func TestAGuardianDoubtsALedgerThatIsNotItsNetworks(t *testing.T) {
	n, liars := network(t, "members"), network(t, "liars")
	real, acknowledging, disputing := n.shared(1, dkg.PhaseActive), n.shared(2, dkg.PhaseAcknowledge), n.shared(2, dkg.PhaseDispute)
	fake := liars.shared(2, dkg.PhaseActive)
	abroad := n
	abroad.chain = curation.Hash{8}
	for says, ledger := range map[string]Ledger{
		"it tells of the key":               liars.tells(counts(2, fake)),
		"of network":                        abroad.tells(nil),
		"is of another key":                 n.tells(counts(2, fake)),
		"sharing 7: its transcript is of":   n.tells(counts(7, real)),
		"sharing 2 is said to count":        n.tells(counts(2, acknowledging)),
		"and it has ended":                  n.tells(runs(1, real)),
		"sharing 3: its transcript is of":   n.tells(runs(3, disputing)),
		"its transcript is missing":         n.tells(counts(1, nil)),
		"sharing 2 is of another key":       n.tells(runs(2, liars.shared(2, dkg.PhaseDispute))),
		"not one to epoch 3":                n.tells(func(l *Ledger) { l.Recovery = n.recovery(real, 0, 1); l.Recovery.Epoch = 3 }),
		"attempt 5: its transcript is of":   n.tells(func(l *Ledger) { l.Recovery = n.recovery(real, 0, 1); l.Recovery.Attempt = 5 }),
		"attempt 0: its transcript is of":   n.tells(func(l *Ledger) { l.Recovery = abroad.recovery(real, 0, 1) }),
		"before the members have made the ": n.tells(func(l *Ledger) { l.Network = Network{Chain: n.chain} }),
	} {
		known := n.known()
		g := Guardian{Account: me, Known: &known, Seeds: map[uint64][32]byte{1: seed(1, 1), 2: seed(2, 1)}}
		effects, err := g.Step(ledger, true, rand.Reader)
		require.ErrorIs(t, err, ErrDoubt, says)
		if says != "before the members have made the " {
			require.ErrorContains(t, err, says)
		}
		require.Empty(t, effects, says)
		require.Len(t, g.Seeds, 2, says)
		_, err = g.Publication(ledger)
		require.ErrorIs(t, err, ErrDoubt, says)
	}
	known := n.known()
	g := Guardian{Account: me, Known: &known, Seeds: map[uint64][32]byte{1: seed(1, 1)}}
	for name, change := range map[string]func(*Ledger){"counts": counts(1, real), "is disputed": runs(2, disputing)} {
		require.NoError(t, g.Check(n.tells(change)), "a sharing that %s", name)
	}
}

// What was the seed of the share in force may look replaced, by a sharing of the same
// key: so other nodes are asked, and until they agree the seed stays.
func TestASeedGoesWhenOtherNodesTellOfTheNewerSharingToo(t *testing.T) {
	n := network(t, "members")
	first, second := n.shared(1, dkg.PhaseActive), n.shared(2, dkg.PhaseActive)
	g := Guardian{Account: me, Seeds: map[uint64][32]byte{1: seed(1, 1), 2: seed(2, 1)}}
	told := n.tells(counts(2, second))
	effects, err := g.Step(told, false, rand.Reader)
	require.NoError(t, err)
	require.Equal(t, []Effect{KeepNetwork{n.known()}, EraseSeed{1}}, effects)
	require.Len(t, g.Seeds, 2, "nothing is destroyed by asking")
	require.NoError(t, told.Agrees(n.tells(counts(2, second)), effects[1]))
	require.ErrorContains(t, told.Agrees(n.tells(counts(1, first)), effects[1]), "it tells of sharing 1")
	require.ErrorContains(t, told.Agrees(n.tells(nil), effects[1]), "it tells of no sharing that counts")
	for _, f := range effects {
		g.Done(f)
	}
	require.Equal(t, map[uint64][32]byte{2: seed(2, 1)}, g.Seeds)
	require.Equal(t, n.known(), *g.Known)

	g = Guardian{Account: me, Seeds: map[uint64][32]byte{1: seed(1, 1), 2: seed(2, 2)}}
	effects, err = g.Step(n.tells(counts(2, second)), false, rand.Reader)
	require.NoError(t, err)
	require.NotContains(t, effects, Effect(EraseSeed{1}), "the newer one has given this guardian nothing")
}

// A dispute, a commitment and a deal cannot be had back: nodes have to tell of the same.
func TestWhatCannotBeHadBackRestsOnMoreThanOneNode(t *testing.T) {
	n := network(t, "members")
	sharing, known := n.shared(1, dkg.PhaseActive), n.known()
	g := Guardian{Account: me, Known: &known, Seeds: map[uint64][32]byte{1: seed(1, 1)}}
	recovers := func(attempt uint64, receivers byte) Ledger {
		return n.tells(func(l *Ledger) { counts(1, sharing)(l); l.Recovery = n.recovery(sharing, attempt, receivers) })
	}
	madeUp := recovers(0, 66)
	effects, err := g.Step(madeUp, false, rand.Reader)
	require.NoError(t, err)
	require.Len(t, effects, 1)
	commit := effects[0].(Submit)
	require.True(t, commit.Gives, "a commitment counts once: one for other receivers burns it")
	require.ErrorContains(t, madeUp.Agrees(recovers(0, 1), commit), "it tells of the recovery")
	require.ErrorContains(t, madeUp.Agrees(recovers(1, 66), commit), "attempt 1")
	require.ErrorContains(t, madeUp.Agrees(n.tells(counts(1, sharing)), commit), "no such recovery")
	require.NoError(t, madeUp.Agrees(recovers(0, 66), commit))

	// A dealer wrongs the guardian: what it reveals concerns this deal, and these bundles.
	wronged := n.wronged(2)
	g.Seeds[2] = seed(2, 1)
	told := n.tells(runs(2, wronged))
	effects, err = g.Step(told, false, rand.Reader)
	require.NoError(t, err)
	require.Len(t, effects, 1)
	dispute := effects[0].(Submit)
	require.Equal(t, "disputed a member's deal", dispute.What)
	require.True(t, dispute.Gives)
	require.NoError(t, told.Agrees(n.tells(runs(2, wronged)), dispute))
	require.ErrorContains(t, told.Agrees(n.tells(runs(2, n.shared(2, dkg.PhaseDispute))), dispute), "with the deals")
	require.ErrorContains(t, told.Agrees(n.tells(counts(1, sharing)), dispute), "it tells of sharing 1")
}

// wronged is a sharing in its dispute phase in which member 1 dealt the first guardian a
// box that does not open, and proved it.
func (n dealt) wronged(number uint64) *dkg.Log {
	honest := n.shared(number, dkg.PhaseDispute)
	id, bundle, dealer := honest.ID(), honest.Said(1, dkg.KindBundle), shamir.Uint64(1)
	deals := len(bundle) - 80*honest.N()
	bundle[deals] ^= 1
	seed := dealerSeed(0)
	e := shamir.HashScalar(shamir.Ristretto255, "dealer/e", seed[:], id[:], dealer, shamir.Uint64(0))
	ctx := shamir.Hash("bundle/e", id[:], dealer, bundle[:deals-3*shamir.ProofSize], bundle[deals:])
	proof, err := shamir.ProvePossession(nil, shamir.Ristretto255, ctx[:], e)
	require.NoError(n.t, err)
	copy(bundle[deals-shamir.ProofSize:], proof[:])
	commit := shamir.Hash("bundle commitment", id[:], dealer, bundle)
	return n.run(number, dkg.PhaseDispute, map[dkg.Kind][]byte{dkg.KindCommit: commit[:], dkg.KindBundle: bundle})
}

func FuzzParseNetwork(f *testing.F) {
	c, _, err := shamirtest.Dealt("fuzz", 1, 1)
	require.NoError(f, err)
	f.Add(Network{curation.Hash{1}, c.X(), c.Y()}.Bytes())
	f.Add([]byte(`{"version":1,"chain":"00"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ParseNetwork(b)
		if err != nil {
			return
		}
		again, err := ParseNetwork(n.Bytes())
		require.NoError(t, err)
		require.Equal(t, n, again)
	})
}

func TestWhatAGuardianWroteDownIsReadAgain(t *testing.T) {
	n := network(t, "members").known()
	again, err := ParseNetwork(n.Bytes())
	require.NoError(t, err)
	require.Equal(t, n, again)
	for says, text := range map[string]string{
		"not what a guardian writes down": "",
		"version 2":                       `{"version":2}`,
		"chain of the guardian's network": `{"version":1,"chain":"zz"}`,
		"x of the guardian's network":     string(Network{Chain: n.Chain, Y: n.Y}.Bytes()),
		"y of the guardian's network":     string(Network{Chain: n.Chain, X: n.X}.Bytes()),
	} {
		_, err := ParseNetwork([]byte(text))
		require.ErrorContains(t, err, says)
	}
}
