package attack

import (
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"go.dedis.ch/kyber/v3"
)

// World is what a seed and a size decide: members, their secrets, a committee in
// force, its models and orders. It is made as far as attacks ask for it, once, and
// no attack changes what the next one finds; so the order of attacks does not
// matter. It is not safe for concurrent use.
type World struct {
	n, t   int
	seed   uint64
	name   string
	broken []string // by the attack that runs

	first  *stage
	second *stage
	force  *committee
	later  *committee // the same keys, an epoch on
	other  *committee // of another network
	closed *vault
	nested *nest
	// What need not be said or checked twice, since it is the same to the last byte.
	acks     map[said][]dkg.Message
	derived  map[said]*shamir.KeyShare
	works    map[[32]byte]bool // committees whose members were seen to have their shares
	combines bool              // certificates that were combined were seen to verify
	memory   *dkg.Memory       // of what all logs took
	outside  []byte            // see low
	// Of the adversary's own scalars.
	bases     map[[32]byte][]byte
	multiples map[string]multiple
	exchanged map[[2][32]byte][]byte // ephemeral secret times deal key
}

// said is a party and the committee that it acknowledges.
type said struct {
	by *dkg.Party
	to [32]byte
}

// NewWorld has a committee of n members, from 4: with fewer nobody can be spared.
func NewWorld(n int, seed uint64) *World {
	return &World{n: n, t: shamir.Threshold(n), seed: seed, name: fmt.Sprintf("attack %d %d", n, seed),
		acks: map[said][]dkg.Message{}, derived: map[said]*shamir.KeyShare{}, works: map[[32]byte]bool{}, memory: dkg.NewMemory(), bases: map[[32]byte][]byte{}, multiples: map[string]multiple{},
		exchanged: map[[2][32]byte][]byte{}}
}

// chance decides something of the world, which all attacks find alike.
func (w *World) chance(what string) *Chance { return NewChance("world/"+what, uint64(w.n), w.seed) }

// report says that an invariant is broken.
func (w *World) report(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// hold reports unless ok.
func (w *World) hold(ok bool, format string, args ...any) {
	if !ok {
		w.report(format, args...)
	}
}

// must ends the run when what needs no adversary fails.
func (w *World) must(err error) {
	if err != nil {
		w.report("the honest part failed: %v", err)
		panic(halt{})
	}
}

func must[T any](w *World) func(T, error) T {
	return func(v T, err error) T {
		w.must(err)
		return v
	}
}

// spare is how many members may be bad while the rest goes on.
func (w *World) spare() int { return w.n - w.t }

// few is how many members the adversary holds in most attacks: the smaller of two
// numbers from 1 to spare.
func (w *World) few() int {
	c := w.chance("few")
	return 1 + min(c.IntN(w.spare()), c.IntN(w.spare()))
}

// pair is few, but two where so many can be spared.
func (w *World) pair() int { return max(w.few(), min(2, w.spare())) }

// held are the places, ascending, of k members that the adversary holds. Which they
// are the world decides, so that what the honest say is the same in most attacks.
func (w *World) held(k int) []int {
	var all []int
	for place := range w.n {
		all = append(all, place)
	}
	return slices.Sorted(slices.Values(w.inTurn(all)[:k]))
}

// inTurn orders places as they turn bad.
func (w *World) inTurn(places []int) []int {
	shuffle(w.chance("held"), places)
	return places
}

// dealers are the places of those who deal, in the order in which they are bad.
func (w *World) dealers(s *stage) (out []int) {
	for place, party := range s.parties {
		if party.Speaks(dkg.KindBundle) != 0 {
			out = append(out, place)
		}
	}
	return w.inTurn(out)
}

// stage is a ceremony before its first message, with the members' secret sides.
// They keep what they computed, so that the same ceremony costs less the next time.
type stage struct {
	log     *dkg.Log
	parties []*dkg.Party
	before  *committee // who hands over; nil for new keys
	stay    int        // how many of those are members 1..stay of the next
	serves  bool       // a committee that came of it was seen to certify and release
	again   func(place int) *dkg.Party
}

const phaseBlocks, disputeBlocks = 9, 3

// patient is the ceremony with phases long enough for what relays do.
func (w *World) patient(l *dkg.Log) *dkg.Log {
	p := l.Params()
	p.Deadlines = dkg.Deadlines{Commit: phaseBlocks, Bundle: phaseBlocks, Dispute: disputeBlocks, Acknowledge: phaseBlocks}
	patient := must[*dkg.Log](w)(dkg.NewLog(p, 3))
	patient.Remember(w.memory)
	return patient
}

// fresh is the ceremony that makes new keys.
func (w *World) fresh() *stage {
	if w.first == nil {
		l, parties, err := shamirtest.Open(w.name, 1, w.n, w.t)
		w.must(err)
		w.first = &stage{log: w.patient(l), parties: parties, again: func(place int) *dkg.Party {
			index := uint32(place + 1)
			return must[*dkg.Party](w)(dkg.NewParty(index, shamirtest.Seed(w.name, 1, index)))
		}}
	}
	return w.first
}

// handover is the ceremony in which the committee in force hands over to up to two
// members more or fewer, of whom any number were members before.
func (w *World) handover() *stage {
	if w.second == nil {
		c, from := w.chance("handover"), w.inForce()
		n := max(3, w.n-2+c.IntN(5))
		stay := c.IntN(min(w.n, n) + 1)
		l, parties, err := shamirtest.OpenHandover(w.name, from.Committee, from.shares, n, stay)
		w.must(err)
		w.second = &stage{log: w.patient(l), parties: parties, before: from, stay: stay, again: func(place int) *dkg.Party {
			return must[*dkg.Party](w)(shamirtest.HandoverParty(w.name, from.Committee, from.shares, n, stay, place))
		}}
	}
	return w.second
}

// committee is a committee with what no one person has: all its secrets.
type committee struct {
	*shamir.Committee
	shares []*shamir.KeyShare
	x, y   kyber.Scalar
}

// deal makes a committee with a dealer, where the ceremony is not what is attacked.
func (w *World) deal(c *Chance, epoch uint64, n int, x, y kyber.Scalar) *committee {
	t := shamir.Threshold(n)
	fx, cx, err := shamir.Split(c, shamir.Ristretto255, x, t, n)
	w.must(err)
	fy, cy, err := shamir.Split(c, shamir.G2, y, t, n)
	w.must(err)
	made := &committee{x: x, y: y}
	made.Committee, err = shamir.NewCommittee(epoch, [32]byte(c.Bytes(32)), n, cx, cy)
	w.must(err)
	for i := range fx {
		made.shares = append(made.shares, must[*shamir.KeyShare](w)(shamir.NewKeyShare(fx[i].Index, epoch, fx[i].Value(), fy[i].Value())))
	}
	return made
}

// inForce is the committee of epoch 1.
func (w *World) inForce() *committee {
	if w.force == nil {
		c := w.chance("committee")
		w.force = w.deal(c, 1, w.n, c.Scalar(shamir.Ristretto255), c.Scalar(shamir.G2))
	}
	return w.force
}

// refreshed is the same keys in the hands of the same members, an epoch later.
func (w *World) refreshed() *committee {
	if w.later == nil {
		from := w.inForce()
		w.later = w.deal(w.chance("refreshed"), 2, w.n, from.x, from.y)
	}
	return w.later
}

// elsewhere is the committee of another network.
func (w *World) elsewhere() *committee {
	if w.other == nil {
		c := w.chance("elsewhere")
		w.other = w.deal(c, 1, w.n, c.Scalar(shamir.Ristretto255), c.Scalar(shamir.G2))
	}
	return w.other
}
