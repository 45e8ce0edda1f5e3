package attack

import (
	"bytes"
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

// counted opens the sums of the poll and checks that they are what was cast.
func (p *poll) counted(v *vault, shares [][]byte) (named []int) {
	counts, named, err := seal.CombineTally(v.Committee, p.tally, shares)
	v.hold(err == nil, "the honest rest cannot count: %v", err)
	v.hold(slices.Equal(counts, p.counts), "counted are %v, cast were %v", counts, p.counts)
	return named
}

// tallying is an attack of members who publish what forge makes of a correct opening
// share of the sums: index, a point per option, a proof of 64 bytes. Theirs come first.
func tallying(name string, role Role, forge func(v *vault, p *poll, c *Chance, place int, good []byte) []byte) Attack {
	return Attack{name, role, func(w *World, c *Chance) Outcome {
		v := w.vault(c)
		p := v.poll()
		return v.forged(p.shares, func(place int, good []byte) []byte { return forge(v, p, c, place, good) },
			func(share []byte) (uint32, error) { return seal.VerifyTallyShare(v.Committee, p.tally, share) },
			func(shares [][]byte) []int { return p.counted(v, shares) })
	}}
}

// closing asks honest members to open sums that must stay closed.
func closing(name string, role Role, of func(v *vault, p *poll, c *Chance) *seal.Tally) Attack {
	return Attack{name, role, func(w *World, c *Chance) Outcome {
		v := w.vault(c)
		p := v.poll()
		sums := of(v, p, c)
		for _, key := range rest(v, v.shares) {
			share, err := seal.TallyShare(c, key, v.Committee, sums)
			w.hold(errors.Is(err, seal.ErrClosed) && share == nil, "member %d opens what must stay closed: %v", key.Index(), err)
		}
		_, _, err := seal.CombineTally(v.Committee, sums, p.shares)
		w.hold(errors.Is(err, seal.ErrClosed), "what must stay closed is counted: %v", err)
		return RefusedBy("the members")
	}}
}

func tallyings() []Attack {
	const proofAt = 2 + 32*pollOptions
	return []Attack{
		tallying("a member opens one option of a poll wrongly", Holder, func(v *vault, _ *poll, c *Chance, _ int, good []byte) []byte {
			return v.shift(good, 2+32*c.IntN(pollOptions), pick(c, []kyber.Point{ristretto.Point().Base(), c.Point(ristretto)}))
		}),
		tallying("a member moves a vote from one option of a poll to the other, so that the errors cancel", Holder, func(v *vault, _ *poll, _ *Chance, _ int, good []byte) []byte {
			base := ristretto.Point().Base()
			return v.shift(v.shift(good, 2, base), 34, ristretto.Point().Neg(base))
		}),
		tallying("a member opens a poll with another secret, or without the proof of its own", Holder, func(v *vault, p *poll, c *Chance, place int, good []byte) []byte {
			b := must[[]byte](v.World)(p.tally.MarshalBinary())
			x := c.Scalar(ristretto)
			for k := range pollOptions {
				at := len(b) - 64*(pollOptions-k)
				a := must[kyber.Point](v.World)(shamir.DecodePoint(ristretto, b[at:at+32]))
				replace(good, shamir.Encode(a.Mul(x, a)), 2+32*k)
			}
			if c.Percent(50) {
				replace(good, make([]byte, 64), proofAt)
			}
			return good
		}),
		tallying("a member opens the sums of some of the ballots only", Holder, func(v *vault, p *poll, c *Chance, place int, _ []byte) []byte {
			some := v.sum(p, p.verified[:pollVoters-1]...)
			return must[[]byte](v.World)(seal.TallyShare(c, v.shares[place], v.Committee, some))
		}),
		tallying("a member opens the sums with a ballot counted twice, or with other weights", Holder, func(v *vault, p *poll, c *Chance, place int, _ []byte) []byte {
			more := v.sum(p, p.verified...)
			v.must(more.Add(pick(c, p.verified), uint64(1+c.IntN(3))))
			return must[[]byte](v.World)(seal.TallyShare(c, v.shares[place], v.Committee, more))
		}),
		tallying("a member opens the same sums in the name of another poll", Holder, func(v *vault, p *poll, c *Chance, place int, _ []byte) []byte {
			later := p.Poll
			later.ID = [32]byte(c.Bytes(32))
			digest, b := later.Digest(), must[[]byte](v.World)(p.tally.MarshalBinary())
			renamed := must[*seal.Tally](v.World)(seal.UnmarshalTally(later, replace(b, digest[:], 1)))
			return must[[]byte](v.World)(seal.TallyShare(c, v.shares[place], v.Committee, renamed))
		}),
		tallying("a member opens a poll with its share of another epoch", Holder, func(v *vault, p *poll, c *Chance, place int, _ []byte) []byte {
			next := v.refreshed()
			_, err := seal.TallyShare(c, next.shares[place], v.Committee, p.tally)
			v.hold(errors.Is(err, shamir.ErrForeignShare), "an honest program opens with a share of another epoch: %v", err)
			return must[[]byte](v.World)(seal.TallyShare(c, next.shares[place], next.Committee, p.tally))
		}),
		tallying("a member copies another's opening of a poll, under its own index", Holder, func(v *vault, p *poll, c *Chance, place int, _ []byte) []byte {
			return replace(bytes.Clone(pick(c, rest(v, p.shares))), []byte{byte((place + 1) >> 8), byte(place + 1)}, 0)
		}),
		tallying("a member opens a poll under a wrong index: another's, none's, zero", Holder, func(v *vault, _ *poll, c *Chance, place int, good []byte) []byte {
			i := pick(c, []int{(place+1)%v.N() + 1, 0, v.N() + 1, 1 << 15})
			return replace(good, []byte{byte(i >> 8), byte(i)}, 0)
		}),
		tallying("a member opens a poll with a point that is none, or a scalar that is not reduced", Holder, func(_ *vault, _ *poll, c *Chance, _ int, good []byte) []byte {
			at := 2 + 32*c.IntN(pollOptions+2)
			if at < proofAt {
				return replace(good, badRistretto(c, good[at:at+32]), at)
			}
			return replace(good, badScalar(ristretto, good[at:at+32]), at)
		}),
		tallying("a member publishes of a poll nothing, a byte less, a byte more, or a mebibyte", Holder, func(_ *vault, _ *poll, c *Chance, _ int, good []byte) []byte {
			return pick(c, [][]byte{nil, {}, good[:len(good)-1], append(good, 0), make([]byte, 1<<20)})
		}),
		tallying("a relay changes some bits of an opening of a poll", Relay, func(_ *vault, _ *poll, c *Chance, _ int, good []byte) []byte { return mangled(c, good) }),
		closing("an aggregator has the members open fewer ballots than the poll's minimum", Aggregator, func(v *vault, p *poll, c *Chance) *seal.Tally {
			some := slices.Clone(p.verified)
			shuffle(c, some)
			return v.sum(p, some[:c.IntN(seal.MinBallots)]...)
		}),
		closing("a poll is opened under a key of the adversary, or of another network", Aggregator, func(v *vault, p *poll, c *Chance) *seal.Tally {
			other := p.Poll
			other.X = [32]byte(shamir.Encode(c.Point(ristretto)))
			if c.Percent(50) {
				other.X = v.elsewhere().X()
			}
			sums := must[*seal.Tally](v.World)(seal.NewTally(other))
			for i := range seal.MinBallots {
				ballot := must[*seal.Ballot](v.World)(seal.NewBallot(c, other, p.voters[i], 1))
				v.must(sums.Add(must[seal.VerifiedBallot](v.World)(seal.VerifyBallot(other, p.voters[i], ballot)), 1))
			}
			return sums
		}),
		closing("voters who act as one make ballots whose randomness cancels", Voter, func(v *vault, p *poll, c *Chance) *seal.Tally {
			sums := must[*seal.Tally](v.World)(seal.NewTally(p.Poll))
			left := ristretto.Scalar().Zero()
			for i := range seal.MinBallots {
				ks := someScalars(c, pollOptions)
				if i == seal.MinBallots-1 {
					ks[0] = left
				}
				left = ristretto.Scalar().Sub(left, ks[0])
				b := must[*seal.Ballot](v.World)(seal.ParseBallot(pollOptions, p.own(c, p.voters[i], []int64{0, 1}, ks)))
				v.must(sums.Add(must[seal.VerifiedBallot](v.World)(seal.VerifyBallot(p.Poll, p.voters[i], b)), 1))
			}
			return sums
		}),
		{"an aggregator claims other counts than were cast", Aggregator, func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			p := v.poll()
			shares := rest(v, p.shares)
			claimed := slices.Clone(p.counts)
			for slices.Equal(claimed, p.counts) {
				from, to := c.IntN(len(claimed)), c.IntN(len(claimed))
				claimed[from], claimed[to] = claimed[from]-1, claimed[to]+1 // which may come round
				if c.Percent(25) {
					claimed = claimed[:len(claimed)-1]
				}
				if len(claimed) == 0 {
					break
				}
			}
			w.hold(errors.Is(seal.VerifyCounts(v.Committee, p.tally, shares, claimed), seal.ErrCounts), "counts of %v pass for %v", claimed, p.counts)
			w.must(seal.VerifyCounts(v.Committee, p.tally, shares, p.counts))
			return refusedByLedger
		}},
		{"members withhold their openings of a poll, and any quorum of the rest counts the same", Holder, func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			p := v.poll()
			honest := rest(v, p.shares)
			for range 2 {
				shuffle(c, honest)
				p.counted(v, honest)
			}
			few := append(slices.Clone(honest[:v.T()-1]), honest[:v.T()-1]...)
			_, _, err := seal.CombineTally(v.Committee, p.tally, few)
			w.hold(errors.Is(err, shamir.ErrThreshold), "t-1 members count: %v", err)
			return NoEffect
		}},
		{"t-1 members open one voter's ballot, with the public openings of the sums", Holder, openBallot},
		{"an aggregator opens a part of the ballots with the members' openings of all", Aggregator, func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			p := v.poll()
			part := v.sum(p, p.verified[:pollVoters-1]...)
			var shares [][]byte
			for _, key := range v.colluders(c) {
				shares = append(shares, must[[]byte](w)(seal.TallyShare(c, key, v.Committee, part)))
			}
			_, named, err := seal.CombineTally(v.Committee, part, append(shares, rest(v, p.shares)...))
			w.hold(errors.Is(err, shamir.ErrThreshold), "a part of the ballots is counted: %v", err)
			w.hold(len(named) == len(rest(v, p.shares)), "openings of all pass for openings of a part")
			return RefusedBy("the members")
		}},
	}
}

// openBallot is t-1 members' raw shares of one ballot, to which the aggregator adds
// what is public: a member's opening of the sums, and what can be made of it. Whether
// the vote comes out is seen at once, since it is 0 or G.
func openBallot(w *World, c *Chance) Outcome {
	v, g := w.vault(c), ristretto
	p := v.poll()
	i := c.IntN(pollVoters)
	b := p.ballots[i].Bytes()
	point := must[kyber.Point](w)
	option := c.IntN(pollOptions)
	one, two := point(shamir.DecodePoint(g, b[64*option:64*option+32])), point(shamir.DecodePoint(g, b[64*option+32:64*option+64]))
	parts := map[uint32]kyber.Point{}
	for _, key := range v.colluders(c) {
		parts[key.Index()] = g.Point().Mul(v.secret(int(key.Index())-1), one)
	}
	vote := int64(0)
	if p.choices[i] == option+1 {
		vote = 1
	}
	truth := g.Point().Sub(two, g.Point().Mul(g.Scalar().SetInt64(vote), nil)) // xA
	w.hold(g.Point().Mul(v.x, one).Equal(truth), "the ballot is not what was cast")
	for place, share := range p.shares {
		index := uint32(place + 1)
		if parts[index] != nil {
			continue
		}
		opened := point(shamir.DecodePoint(g, share[2+32*option:34+32*option]))
		public := point(v.XShare(index))
		for what, q := range map[string]kyber.Point{"an opening of the sums": opened, "a public share": public, "their sum": g.Point().Add(opened, public),
			"a fourth of an opening": g.Point().Mul(g.Scalar().Inv(g.Scalar().SetInt64(pollVoters)), opened)} {
			at := map[uint32]kyber.Point{index: q}
			for k, s := range parts {
				at[k] = s
			}
			w.hold(!v.interpolate(at).Equal(truth), "t-1 shares and %s open ballot %d", what, i)
		}
		break // one is like the others
	}
	w.hold(!v.interpolate(parts).Equal(truth), "t-1 shares open a ballot")
	return NoEffect
}
