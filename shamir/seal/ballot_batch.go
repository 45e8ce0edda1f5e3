package seal

import (
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// maxBatchPoints bounds the points of one multi-scalar multiplication, at 0.7 KB
// each. The time per point falls with their number, from there on slowly.
const maxBatchPoints = 4096

// Cast is a ballot as it arrives: from whom and for which poll, as the ledger
// knows it and not as the ballot says it.
type Cast struct {
	Poll   Poll
	Voter  [32]byte
	Ballot *Ballot
}

// VerifiedBallot is a ballot whose proof was checked; a Tally takes no other. The
// zero value is refused.
type VerifiedBallot struct {
	poll  [32]byte // Poll.Digest
	voter [32]byte
	votes []pair
}

// Voter is whose ballot it is.
func (v VerifiedBallot) Voter() [32]byte { return v.voter }

// VerifyBallot checks that the ballot is of this voter for this poll and chooses
// at most one option. Its error wraps ErrBallot or ErrPoll.
func VerifyBallot(poll Poll, voter [32]byte, b *Ballot) (VerifiedBallot, error) {
	c := &checking{Cast: Cast{poll, voter, b}}
	if err := c.prepare(); err != nil {
		return VerifiedBallot{}, err
	}
	if !hold([]*checking{c}) {
		return VerifiedBallot{}, fmt.Errorf("proof: %w", ErrBallot)
	}
	return c.verified(), nil
}

// VerifyBallots is VerifyBallot of many, of one poll or of several, at a fraction
// of the cost. culprits are the positions of those that VerifyBallot refuses; the
// rest is verified, each at its position. Whether one is refused depends on
// nothing but that ballot, so all who check agree, in whatever batches. A wrong
// one makes its batch cost up to three times as much, so who sends one should pay.
func VerifyBallots(casts []Cast) (verified []VerifiedBallot, culprits []int) {
	verified = make([]VerifiedBallot, len(casts))
	var batch []*checking
	points := 0
	flush := func() {
		for _, c := range refused(batch) {
			verified[c.position] = VerifiedBallot{}
			culprits = append(culprits, c.position)
		}
		batch, points = nil, 0
	}
	for i, cast := range casts {
		c := &checking{Cast: cast, position: i}
		if err := c.prepare(); err != nil {
			culprits = append(culprits, i)
			continue
		}
		verified[i] = c.verified()
		batch, points = append(batch, c), points+c.points()
		if points >= maxBatchPoints {
			flush()
		}
	}
	flush()
	slices.Sort(culprits)
	return verified, culprits
}

// refused halves a batch that does not hold until it finds who spoils it.
func refused(batch []*checking) []*checking {
	if len(batch) == 0 || hold(batch) {
		return nil
	}
	if len(batch) == 1 {
		return batch
	}
	half := len(batch) / 2
	return append(refused(batch[:half]), refused(batch[half:])...)
}

// checking is a cast ballot with what its check needs once.
type checking struct {
	Cast
	position int
	digest   [32]byte
	x        kyber.Point
	c        kyber.Scalar
}

func (c *checking) prepare() (err error) {
	if c.x, err = c.Poll.key(); err != nil {
		return err
	}
	if c.Ballot == nil || len(c.Ballot.votes) != c.Poll.Options {
		return fmt.Errorf("ballot is not of %d options: %w", c.Poll.Options, ErrBallot)
	}
	c.digest = c.Poll.Digest()
	c.c = c.Ballot.challenge(c.digest, c.Voter)
	return nil
}

func (c *checking) verified() VerifiedBallot {
	return VerifiedBallot{c.digest, c.Voter, c.Ballot.votes}
}

func (c *checking) points() int { return 2*len(c.Ballot.votes) + 4*len(c.Ballot.proofs) }

// hold checks all equations of all ballots at once: their sum, each times a weight
// of 128 bits, is the identity. The weights hash every ballot with its poll and
// voter, so nobody can choose two errors that cancel.
func hold(batch []*checking) bool {
	var fields [][]byte
	for _, c := range batch {
		fields = append(fields, c.digest[:], c.Voter[:], c.Ballot.encoded)
	}
	seed := shamir.Hash("ballot/batch", fields...)
	s := &equations{base: group.Scalar().Zero(), keys: map[[32]byte]int{}}
	for i, c := range batch {
		s.ballot(c, func(k int) (r, t kyber.Scalar) {
			h := shamir.Hash("ballot/weight", seed[:], shamir.Uint64(uint64(i)), shamir.Uint64(uint64(k)))
			return group.Scalar().SetBytes(h[:16]), group.Scalar().SetBytes(h[16:])
		})
	}
	s.term(s.base, group.Point().Base())
	return group.MultiMul(s.scalars, s.points).Equal(group.Point().Null())
}

// equations add up to one sum of scalars times points.
type equations struct {
	scalars []kyber.Scalar
	points  []kyber.Point
	base    kyber.Scalar     // of G
	keys    map[[32]byte]int // where each X stands
}

func (s *equations) term(scalar kyber.Scalar, p kyber.Point) {
	s.scalars, s.points = append(s.scalars, scalar), append(s.points, p)
}

// ballot adds the equations of bitProof, with weights r and t of the two of each
// value:
//
//	r·(commit.a + c·A − z·G) + t·(commit.b + c·(B − v·G) − z·X).
func (s *equations) ballot(c *checking, weights func(k int) (r, t kyber.Scalar)) {
	at, ok := s.keys[c.Poll.X]
	if !ok {
		at = len(s.scalars)
		s.keys[c.Poll.X] = at
		s.term(group.Scalar().Zero(), c.x)
	}
	key := s.scalars[at]
	votes := c.Ballot.votes
	ofA, ofB := make([]kyber.Scalar, len(votes)), make([]kyber.Scalar, len(votes))
	for i, v := range votes {
		ofA[i], ofB[i] = group.Scalar().Zero(), group.Scalar().Zero()
		s.term(ofA[i], v.a)
		s.term(ofB[i], v.b)
	}
	product := group.Scalar()
	for i, p := range c.Ballot.proofs {
		a, b := group.Scalar().Zero(), group.Scalar().Zero()
		for v, cv := range []kyber.Scalar{p.c0, group.Scalar().Sub(c.c, p.c0)} {
			r, t := weights(2*i + v)
			s.term(r, p.commit[v].a)
			s.term(t, p.commit[v].b)
			a.Add(a, product.Mul(r, cv))
			b.Add(b, product.Mul(t, cv))
			if v == 1 {
				s.base.Sub(s.base, product)
			}
			s.base.Sub(s.base, product.Mul(r, p.z[v]))
			key.Sub(key, product.Mul(t, p.z[v]))
		}
		// The last proof of several is about the sum of the votes.
		first, end := i, i+1
		if i == len(votes) {
			first, end = 0, len(votes)
		}
		for j := first; j < end; j++ {
			ofA[j].Add(ofA[j], a)
			ofB[j].Add(ofB[j], b)
		}
	}
}
