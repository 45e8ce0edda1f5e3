package seal

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

// MaxWeight bounds the weights of one poll together: 2^40, more than the credits
// that can exist. A count below it is found in its logarithm; see CombineTally.
const MaxWeight = 1 << 40

// ErrWeight reports a weight of zero, or one that takes the poll past MaxWeight.
var ErrWeight = errors.New("weight out of range")

// Tally is the running sum of a poll: for each option the sum of weight times
// vote, which nobody can open alone. It depends on the ballots and their weights,
// not on their order. That a voter is added once, with the weight that the ledger
// gives it, is the caller's duty: a Tally does not remember voters. It is not safe
// for concurrent use.
type Tally struct {
	poll    Poll
	digest  [32]byte
	ballots uint64
	weight  uint64
	sums    []pair
}

// NewTally is the sum of no ballots. Its error wraps ErrPoll.
func NewTally(poll Poll) (*Tally, error) {
	if err := poll.Validate(); err != nil {
		return nil, fmt.Errorf("tally: %w", err)
	}
	t := &Tally{poll: poll, digest: poll.Digest(), sums: make([]pair, poll.Options)}
	for i := range t.sums {
		t.sums[i] = pair{group.Point().Null(), group.Point().Null()}
	}
	return t, nil
}

// Poll is what the ballots answer.
func (t *Tally) Poll() Poll { return t.poll }

// Ballots is how many were added.
func (t *Tally) Ballots() uint64 { return t.ballots }

// Weight is that of all ballots together, whatever they chose.
func (t *Tally) Weight() uint64 { return t.weight }

// Add counts the ballot with the weight, from 1. Its error wraps ErrBallot or
// ErrWeight, and the tally is as before.
//
// Weights are public, and so is their sum per option in the end: from weights that
// differ the result can tell who chose what, as 5 + 1 does of weights 5, 3 and 1.
// Where ballots must stay secret let weights be equal, or few and coarse.
func (t *Tally) Add(b VerifiedBallot, weight uint64) error {
	if len(b.votes) != t.poll.Options || b.poll != t.digest {
		return fmt.Errorf("ballot of another poll: %w", ErrBallot)
	}
	if weight < 1 || weight > MaxWeight-t.weight {
		return fmt.Errorf("weight %d onto %d, limit %d: %w", weight, t.weight, int64(MaxWeight), ErrWeight)
	}
	for i, v := range b.votes {
		t.sums[i] = t.sums[i].add(pair{times(weight, v.a), times(weight, v.b)})
	}
	t.ballots, t.weight = t.ballots+1, t.weight+weight
	return nil
}

// times is w·p by doubling, for public values: w has at most 41 bits and is mostly
// small, so this takes a fraction of a general multiplication.
func times(w uint64, p kyber.Point) kyber.Point {
	sum, power := group.Point().Null(), p.Clone()
	for ; w > 0; w >>= 1 {
		if w&1 == 1 {
			sum.Add(sum, power)
		}
		power.Add(power, power)
	}
	return sum
}

const tallyVersion = 1

// TallySize is the length of an encoded tally of so many options in bytes.
func TallySize(options int) int { return 1 + 32 + 8 + 8 + pairSize*options }

// MarshalBinary is the one encoding of the tally, for the ledger to keep: version,
// digest of the poll, ballots, weight, A ‖ B of each option.
func (t *Tally) MarshalBinary() ([]byte, error) {
	w := wire.NewWriter(TallySize(t.poll.Options))
	w.U8(tallyVersion)
	w.Raw(t.digest[:])
	w.U64(t.ballots)
	w.U64(t.weight)
	w.Raw(appendPairs(nil, t.sums...))
	return w.Bytes(), nil
}

// UnmarshalTally reads MarshalBinary's form of a tally of this poll. What it
// cannot see is of which ballots the sums are: it is for what the caller's own
// ledger kept, never for what a peer sent. Its error wraps shamir.ErrEncoding or
// ErrPoll.
func UnmarshalTally(poll Poll, b []byte) (*Tally, error) {
	t, err := NewTally(poll)
	if err != nil {
		return nil, err
	}
	r := wire.NewReader(b)
	if v := r.U8(); r.Err() == nil && v != tallyVersion {
		return nil, fmt.Errorf("tally of version %d: %w", v, shamir.ErrEncoding)
	}
	if d := r.Hash(); r.Err() == nil && d != t.digest {
		return nil, fmt.Errorf("tally of another poll: %w", shamir.ErrEncoding)
	}
	t.ballots, t.weight = r.U64(), r.U64()
	if t.weight > MaxWeight || t.ballots > t.weight || (t.ballots == 0) != (t.weight == 0) {
		return nil, fmt.Errorf("tally of %d ballots with weight %d: %w", t.ballots, t.weight, shamir.ErrEncoding)
	}
	null := group.Point().Null()
	for i := range t.sums {
		for _, p := range []kyber.Point{t.sums[i].a, t.sums[i].b} {
			raw := r.Raw(32)
			if r.Err() != nil {
				break
			}
			if err := p.UnmarshalBinary(raw); err != nil {
				return nil, fmt.Errorf("sum %d: %w: %w", i+1, err, shamir.ErrEncoding)
			}
			if t.ballots == 0 && !p.Equal(null) {
				return nil, fmt.Errorf("sum %d of no ballots: %w", i+1, shamir.ErrEncoding)
			}
		}
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("tally: %w: %w", err, shamir.ErrEncoding)
	}
	return t, nil
}

// Digest is Hash("tally", encoding): what opening shares are about, and what a
// member's journal remembers before it gives one.
func (t *Tally) Digest() [32]byte {
	b, _ := t.MarshalBinary() // which has no way to fail
	return shamir.Hash("tally", b)
}
