package seal

import (
	"errors"
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

var (
	// ErrClosed reports a tally that does not open: of fewer ballots than its
	// poll's minimum, of another key, or of voters who all act as one.
	ErrClosed = errors.New("tally stays closed")
	// ErrCounts reports counts that are not those of the tally.
	ErrCounts = errors.New("counts are not those of the ballots")
)

// TallyShareSize is the length of an opening share of a tally in bytes.
func TallyShareSize(options int) int { return OpeningSize(options) }

// openable is what every member checks before it touches a sum, and everybody
// else before a share is worth anything.
func (t *Tally) openable(c *shamir.Committee) error {
	if c.X() != t.poll.X {
		return fmt.Errorf("poll under another key than the committee's: %w", ErrClosed)
	}
	if t.ballots < t.poll.Minimum {
		return fmt.Errorf("%d ballots of at least %d: %w", t.ballots, t.poll.Minimum, ErrClosed)
	}
	for i, s := range t.sums {
		// One honest ballot makes A uniform: only all voters together cancel it.
		if s.a.Equal(group.Point().Null()) {
			return fmt.Errorf("the ballots for option %d cancel out: %w", i+1, ErrClosed)
		}
	}
	return nil
}

// openingPoints are the A of the sums, which are opened as sealed orders are.
func (t *Tally) openingPoints() []kyber.Point {
	as := make([]kyber.Point, len(t.sums))
	for i, s := range t.sums {
		as[i] = s.a
	}
	return as
}

func (t *Tally) openingContext(c *shamir.Committee) []byte {
	committee, tally := c.Digest(), t.Digest()
	h := shamir.Hash("tally/open", committee[:], tally[:])
	return h[:]
}

// TallyShare is the member's public share of the sums, with one proof for all.
// It refuses, with an error that wraps ErrClosed, a tally below the minimum of its
// poll, and with shamir.ErrForeignShare a key share that is not the committee's.
//
// What this keeps: while fewer than t members do otherwise, nobody learns more of
// the ballots of a poll than its counts. The caller's duties are that the tally
// is its own ledger's, of admitted ballots, one for each voter; that the poll has
// ended, for good; and that its journal holds the tally's digest, on disk, and no
// other tally of this poll. Two openings of one poll, before and after a ballot,
// would open that ballot; the minimum, which all ballots are bound to, keeps a poll
// of one from being opened, but not a poll of one and of its enemies: who may vote
// is the ledger's to decide. A unanimous result tells what everybody chose.
func TallyShare(rand io.Reader, key *shamir.KeyShare, c *shamir.Committee, t *Tally) ([]byte, error) {
	if err := t.openable(c); err != nil {
		return nil, fmt.Errorf("open tally: %w", err)
	}
	share, err := openingShare(rand, key, c, t.openingContext(c), t.openingPoints())
	if err != nil {
		return nil, fmt.Errorf("open tally: %w", err)
	}
	return share, nil
}

// VerifyTallyShare checks a share of exactly this tally; the result is the
// member's index. The error wraps ErrClosed, shamir.ErrEncoding or
// shamir.ErrProof; of the latter two it is evidence against whoever signed the
// delivery.
func VerifyTallyShare(c *shamir.Committee, t *Tally, share []byte) (uint32, error) {
	if err := t.openable(c); err != nil {
		return 0, fmt.Errorf("verify tally share: %w", err)
	}
	o, err := parseOpening(share, len(t.sums))
	if err != nil {
		return 0, err
	}
	return o.index, o.verify(c, t.openingContext(c), t.openingPoints())
}

// CombineTally opens the tally with the first t valid shares of distinct members.
// counts[k] is the weight that chose option k, counts[0] the weight that chose
// none; together they are the tally's Weight. The result is the same for every set
// of t valid shares. culprits are the positions in shares of those that are not
// valid among the ones looked at. With too few the error wraps
// shamir.ErrThreshold.
//
// A count is a logarithm, found by baby steps and giant steps: time and memory
// grow with √Weight, from nothing for a jury to a second for 2^32, and to half a
// minute and 16 MB for MaxWeight. So one node looks for the counts, outside of any
// block, and the others check them with VerifyCounts.
func CombineTally(c *shamir.Committee, t *Tally, shares [][]byte) (counts []uint64, culprits []int, err error) {
	sums, culprits, err := t.combine(c, shares)
	if err != nil {
		return nil, culprits, err
	}
	counts = make([]uint64, 1, len(sums)+1)
	steps, left := newSteps(t.weight), t.weight
	for i, p := range sums {
		v, ok := steps.logarithm(p, left)
		if !ok {
			return nil, culprits, fmt.Errorf("option %d has more than the %d of %d left: %w", i+1, left, t.weight, ErrCounts)
		}
		counts, left = append(counts, v), left-v
	}
	counts[0] = left
	return counts, culprits, nil
}

// VerifyCounts checks counts that CombineTally found, at the cost of its shares.
// Its error wraps ErrCounts, ErrClosed or shamir.ErrThreshold.
func VerifyCounts(c *shamir.Committee, t *Tally, shares [][]byte, counts []uint64) error {
	if len(counts) != len(t.sums)+1 {
		return fmt.Errorf("%d counts of %d options and none: %w", len(counts), len(t.sums), ErrCounts)
	}
	left := t.weight
	for _, v := range counts {
		if v > left {
			return fmt.Errorf("counts beyond the weight %d: %w", t.weight, ErrCounts)
		}
		left -= v
	}
	if left != 0 {
		return fmt.Errorf("counts fall short of the weight %d by %d: %w", t.weight, left, ErrCounts)
	}
	sums, _, err := t.combine(c, shares)
	if err != nil {
		return err
	}
	for i, p := range sums {
		if !times(counts[i+1], group.Point().Base()).Equal(p) {
			return fmt.Errorf("option %d: %w", i+1, ErrCounts)
		}
	}
	return nil
}

// combine is B − xA of each sum: the count times G.
func (t *Tally) combine(c *shamir.Committee, shares [][]byte) (sums []kyber.Point, culprits []int, err error) {
	if err := t.openable(c); err != nil {
		return nil, nil, fmt.Errorf("combine tally: %w", err)
	}
	valid, weights, culprits, err := collectOpenings(c, t.openingContext(c), t.openingPoints(), shares)
	if err != nil {
		return nil, culprits, err
	}
	points := make([]kyber.Point, len(valid))
	for k, s := range t.sums {
		for i, o := range valid {
			points[i] = o.points[k]
		}
		sums = append(sums, group.Point().Sub(s.b, group.MultiMul(weights, points)))
	}
	return sums, culprits, nil
}
