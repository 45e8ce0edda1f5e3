package attack

import (
	"bytes"
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

// A poll is sealed ballots of honest voters with their sums and all members' opening
// shares of them.
type poll struct {
	seal.Poll
	voters   [][32]byte
	choices  []int
	ballots  []*seal.Ballot
	verified []seal.VerifiedBallot
	tally    *seal.Tally
	shares   [][]byte
	counts   []uint64
}

const (
	pollOptions = 2
	pollVoters  = 4
	// Where a ballot of two options holds what.
	ballotScalars = 64*pollOptions + 128*(pollOptions+1)
	ballotBytes   = ballotScalars + 96*(pollOptions+1)
)

// poll is the one of this world.
func (v *vault) poll() *poll {
	if v.closed.ballots == nil {
		v.closed.ballots = v.newPoll(v.chance("poll"))
	}
	return v.closed.ballots
}

func (v *vault) newPoll(c *Chance) *poll {
	p := &poll{Poll: seal.Poll{Chain: v.chain, Purpose: "jury", ID: [32]byte(c.Bytes(32)), X: v.X(), Options: pollOptions, Minimum: seal.MinBallots},
		counts: make([]uint64, pollOptions+1)}
	for range pollVoters {
		voter, choice := [32]byte(c.Bytes(32)), c.IntN(pollOptions+1)
		ballot := must[*seal.Ballot](v.World)(seal.NewBallot(c, p.Poll, voter, choice))
		p.voters, p.choices, p.ballots = append(p.voters, voter), append(p.choices, choice), append(p.ballots, ballot)
		p.verified = append(p.verified, must[seal.VerifiedBallot](v.World)(seal.VerifyBallot(p.Poll, voter, ballot)))
		p.counts[choice]++
	}
	p.tally = v.sum(p, p.verified...)
	for _, key := range v.shares {
		p.shares = append(p.shares, must[[]byte](v.World)(seal.TallyShare(c, key, v.Committee, p.tally)))
	}
	return p
}

// sum counts ballots with a weight of one.
func (v *vault) sum(p *poll, ballots ...seal.VerifiedBallot) *seal.Tally {
	t := must[*seal.Tally](v.World)(seal.NewTally(p.Poll))
	for _, b := range ballots {
		v.must(t.Add(b, 1))
	}
	return t
}

// voting is an attack of a voter on the ledger, which verifies ballots alone and in
// batches. What forge returns must be refused, for the poll and the voter with which it
// comes, and spoils no other ballot.
func voting(name string, role Role, forge func(v *vault, p *poll, c *Chance) (seal.Poll, [32]byte, []byte)) Attack {
	return Attack{name, role, func(w *World, c *Chance) Outcome {
		v := w.vault(c)
		p := v.poll()
		asked, voter, b := forge(v, p, c)
		ballot, err := seal.ParseBallot(asked.Options, b)
		w.hold(err == nil || errors.Is(err, seal.ErrBallot), "an error that says nothing: %v", err)
		if err == nil {
			verified, err := seal.VerifyBallot(asked, voter, ballot)
			w.hold(errors.Is(err, seal.ErrBallot) || errors.Is(err, seal.ErrPoll), "a forged ballot verifies: %v", err)
			w.hold(errors.Is(must[*seal.Tally](w)(seal.NewTally(p.Poll)).Add(verified, 1), seal.ErrBallot), "a tally takes a ballot that was refused")
		}
		at := c.IntN(pollVoters + 1)
		batch := slices.Insert(p.casts(), at, seal.Cast{Poll: asked, Voter: voter, Ballot: ballot})
		_, culprits := seal.VerifyBallots(batch)
		w.hold(slices.Equal(culprits, []int{at}), "refused in a batch are %v, forged is %d", culprits, at)
		return refusedByLedger
	}}
}

// casts are the honest ballots as they arrive.
func (p *poll) casts() (out []seal.Cast) {
	for i, b := range p.ballots {
		out = append(out, seal.Cast{Poll: p.Poll, Voter: p.voters[i], Ballot: b})
	}
	return out
}

// own is a voter's own making of a ballot, from its bytes: for any values, with the
// randomness ks, and with proofs that are right where the values are 0 or 1 and as
// good as can be where they are not.
func (p *poll) own(c *Chance, voter [32]byte, values []int64, ks []kyber.Scalar) []byte {
	g := ristretto
	x, err := shamir.DecodePoint(g, p.X[:])
	if err != nil {
		panic(err) // the committee has made it
	}
	type statement struct {
		value int64
		k     kyber.Scalar
		a, b  kyber.Point
	}
	var all []statement
	var out []byte
	sum := statement{0, g.Scalar().Zero(), g.Point().Null(), g.Point().Null()}
	for i, value := range values {
		s := statement{value, ks[i], g.Point().Mul(ks[i], nil), g.Point().Mul(ks[i], x)}
		s.b.Add(s.b, g.Point().Mul(g.Scalar().SetInt64(value), nil))
		sum.value += value
		sum.k.Add(sum.k, s.k)
		sum.a.Add(sum.a, s.a)
		sum.b.Add(sum.b, s.b)
		all = append(all, s)
		out = append(append(out, shamir.Encode(s.a)...), shamir.Encode(s.b)...)
	}
	all = append(all, sum)
	type proof struct {
		own         int64
		nonce, c, z kyber.Scalar // the last two of the other branch
	}
	var proofs []proof
	for _, s := range all {
		q := proof{0, c.Scalar(g), c.Scalar(g), c.Scalar(g)}
		if s.value == 1 {
			q.own = 1
		}
		other := g.Point().Sub(s.b, g.Point().Mul(g.Scalar().SetInt64(1-q.own), nil))
		commit := [2][]kyber.Point{}
		commit[q.own] = []kyber.Point{g.Point().Mul(q.nonce, nil), g.Point().Mul(q.nonce, x)}
		commit[1-q.own] = []kyber.Point{
			g.Point().Sub(g.Point().Mul(q.z, nil), g.Point().Mul(q.c, s.a)),
			g.Point().Sub(g.Point().Mul(q.z, x), other.Mul(q.c, other)),
		}
		for _, point := range slices.Concat(commit[0], commit[1]) {
			out = append(out, shamir.Encode(point)...)
		}
		proofs = append(proofs, q)
	}
	digest := p.Digest()
	challenge := shamir.HashScalar(g, "ballot", digest[:], voter[:], out)
	for i, q := range proofs {
		cs, zs := [2]kyber.Scalar{}, [2]kyber.Scalar{}
		cs[1-q.own], zs[1-q.own] = q.c, q.z
		cs[q.own] = g.Scalar().Sub(challenge, q.c)
		zs[q.own] = g.Scalar().Add(q.nonce, g.Scalar().Mul(cs[q.own], all[i].k))
		for _, s := range []kyber.Scalar{cs[0], zs[0], zs[1]} {
			out = append(out, shamir.Encode(s)...)
		}
	}
	return out
}

func someScalars(c *Chance, n int) (out []kyber.Scalar) {
	for range n {
		out = append(out, c.Scalar(ristretto))
	}
	return out
}

// addScalar and addPoint shift what stands at a place of b.
func addScalar(b []byte, at int, by kyber.Scalar) {
	addTo(ristretto, b[at:at+32], by)
}

func addPoint(b []byte, at int, by kyber.Point) {
	p, err := shamir.DecodePoint(ristretto, b[at:at+32])
	if err != nil {
		panic(err)
	}
	replace(b, shamir.Encode(p.Add(p, by)), at)
}

// malleated makes another's ballot one's own, so that every equation of its proofs
// would hold still if the challenge stayed as it was.
func malleated(p *poll, c *Chance, b []byte) []byte {
	x, err := shamir.DecodePoint(ristretto, p.X[:])
	if err != nil {
		panic(err)
	}
	switch c.IntN(4) {
	case 0: // blinded anew: the first vote and, with it, the sum
		by := c.Scalar(ristretto)
		addPoint(b, 0, ristretto.Point().Mul(by, nil))
		addPoint(b, 32, ristretto.Point().Mul(by, x))
	case 1: // one more for the first option, at the cost of the second
		addPoint(b, 32, ristretto.Point().Base())
		addPoint(b, 96, ristretto.Point().Neg(ristretto.Point().Base()))
	case 2: // the votes of both options exchanged, with their proofs
		swap := func(one, two, size int) {
			first := bytes.Clone(b[one : one+size])
			replace(replace(b, b[two:two+size], one), first, two)
		}
		swap(0, 64, 64)
		swap(128, 256, 128)
		swap(ballotScalars, ballotScalars+96, 96)
	default: // a commitment and the response to it, shifted alike
		by := c.Scalar(ristretto)
		addPoint(b, 128, ristretto.Point().Mul(by, nil))
		addPoint(b, 160, ristretto.Point().Mul(by, x))
		addScalar(b, ballotScalars+32, by)
	}
	return b
}

func ballots() []Attack {
	mine := func(b func(v *vault, p *poll, c *Chance, voter [32]byte) []byte) func(v *vault, p *poll, c *Chance) (seal.Poll, [32]byte, []byte) {
		return func(v *vault, p *poll, c *Chance) (seal.Poll, [32]byte, []byte) {
			voter := [32]byte(c.Bytes(32))
			return p.Poll, voter, b(v, p, c, voter)
		}
	}
	honest := func(p *poll, c *Chance) (int, []byte) {
		i := c.IntN(pollVoters)
		return i, p.ballots[i].Bytes()
	}
	return []Attack{
		voting("a voter chooses two options, one twice, or minus one, with proofs as good as can be", Voter, mine(func(v *vault, p *poll, c *Chance, voter [32]byte) []byte {
			fair := p.own(c, voter, []int64{0, 1}, someScalars(c, pollOptions))
			b, err := seal.ParseBallot(pollOptions, fair)
			v.must(err)
			_, err = seal.VerifyBallot(p.Poll, voter, b)
			v.hold(err == nil, "the adversary's ballots are wrong for no reason: %v", err)
			return p.own(c, voter, pick(c, [][]int64{{1, 1}, {2, 0}, {0, -1}, {2, -1}, {1, -1}, {1000, 0}}), someScalars(c, pollOptions))
		})),
		voting("a voter proves nothing: random scalars, zeros, both branches simulated", Voter, mine(func(_ *vault, p *poll, c *Chance, voter [32]byte) []byte {
			b := p.own(c, voter, []int64{1, 0}, someScalars(c, pollOptions))
			at := ballotScalars + 96*c.IntN(pollOptions+1)
			switch c.IntN(3) {
			case 0:
				for i := range 3 {
					replace(b, shamir.Encode(c.Scalar(ristretto)), at+32*i)
				}
			case 1:
				clear(b[at : at+96])
			default: // a challenge of its own choice on both sides, which the hash is not
				addScalar(b, at, c.Scalar(ristretto))
				addScalar(b, at+32, c.Scalar(ristretto))
			}
			return b
		})),
		voting("a voter casts a copy of another's ballot as its own", Voter, mine(func(_ *vault, p *poll, c *Chance, _ [32]byte) []byte {
			_, b := honest(p, c)
			return b
		})),
		voting("a relay replays a voter's ballot in another poll: of another chain, purpose, id, key or minimum", Relay, func(_ *vault, p *poll, c *Chance) (seal.Poll, [32]byte, []byte) {
			i, b := honest(p, c)
			other := p.Poll
			switch c.IntN(5) {
			case 0:
				other.Chain[c.IntN(32)] ^= 1
			case 1:
				other.Purpose = "election"
			case 2:
				other.ID[c.IntN(32)] ^= 1
			case 3:
				other.X = [32]byte(shamir.Encode(c.Point(ristretto)))
			default:
				other.Minimum += uint64(1 + c.IntN(100))
			}
			return other, p.voters[i], b
		}),
		voting("a voter makes another's ballot its own: blinds it, moves a vote, exchanges options, shifts a proof", Voter, mine(func(_ *vault, p *poll, c *Chance, _ [32]byte) []byte {
			_, b := honest(p, c)
			return malleated(p, c, b)
		})),
		voting("a relay makes something else of a voter's ballot, in the voter's name", Relay, func(_ *vault, p *poll, c *Chance) (seal.Poll, [32]byte, []byte) {
			i, b := honest(p, c)
			return p.Poll, p.voters[i], malleated(p, c, b)
		}),
		voting("a ballot with a point that is not canonical or the identity, or a scalar that is not reduced, in any position", Voter, mine(func(_ *vault, p *poll, c *Chance, voter [32]byte) []byte {
			b := p.own(c, voter, []int64{0, 0}, someScalars(c, pollOptions))
			at := 32 * c.IntN(ballotBytes/32)
			if at < ballotScalars {
				return replace(b, badRistretto(c, b[at:at+32]), at)
			}
			return replace(b, badScalar(ristretto, b[at:at+32]), at)
		})),
		voting("a ballot in wrong shapes: nothing, a byte short, a byte more, of other options, a mebibyte", Voter, mine(func(_ *vault, p *poll, c *Chance, voter [32]byte) []byte {
			_, b := honest(p, c)
			return pick(c, [][]byte{nil, {}, b[:len(b)-1], append(b, 0), b[:seal.BallotSize(1)], make([]byte, 1<<20)})
		})),
		voting("a relay changes some bits of a ballot", Relay, func(_ *vault, p *poll, c *Chance) (seal.Poll, [32]byte, []byte) {
			i, b := honest(p, c)
			for {
				if changed := mangled(c, b); !bytes.Equal(changed, b) {
					return p.Poll, p.voters[i], changed
				}
			}
		}),
		{"two voters cast ballots whose errors cancel in a batch", Voter, func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			p := v.poll()
			by, at := c.Scalar(ristretto), ballotScalars+32*(1+c.IntN(2))
			casts, two := p.casts(), c.Some(2, pollVoters)
			for i, shift := range []kyber.Scalar{by, ristretto.Scalar().Neg(by)} {
				b := p.ballots[two[i]].Bytes()
				addScalar(b, at, shift)
				casts[two[i]].Ballot = must[*seal.Ballot](w)(seal.ParseBallot(pollOptions, b))
			}
			_, culprits := seal.VerifyBallots(casts)
			w.hold(slices.Equal(culprits, two), "refused are %v, wrong are %v", culprits, two)
			return refusedByLedger
		}},
		{"a ballot that nobody verified, of another poll, without weight or with all there is, is put into a tally", Aggregator, func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			p := v.poll()
			later := p.Poll
			later.ID = [32]byte(c.Bytes(32))
			other := must[*seal.Tally](w)(seal.NewTally(later))
			w.hold(errors.Is(other.Add(p.verified[0], 1), seal.ErrBallot), "a tally takes a ballot of another poll")
			sums := v.sum(p, p.verified...)
			before := sums.Digest()
			w.hold(errors.Is(sums.Add(seal.VerifiedBallot{}, 1), seal.ErrBallot), "a tally takes a ballot that nobody verified")
			for _, weight := range []uint64{0, seal.MaxWeight - pollVoters + 1, seal.MaxWeight, 1<<64 - pollVoters} {
				w.hold(errors.Is(sums.Add(p.verified[1], weight), seal.ErrWeight), "a tally takes the weight %d", weight)
			}
			w.hold(sums.Digest() == before, "what a tally refuses changes it")
			return refusedByLedger
		}},
	}
}
