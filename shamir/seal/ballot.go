package seal

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

const (
	// MaxOptions bounds the options of one poll: a ballot of 32 has 9,440 bytes.
	MaxOptions = 32
	// MinBallots is the least minimum of a poll. The sum of one ballot is that
	// ballot, and from the sum of two each voter knows the other's.
	MinBallots = 3
)

var (
	// ErrPoll reports a poll outside the limits.
	ErrPoll = errors.New("poll out of limits")
	// ErrBallot reports a ballot that is malformed, or whose proof does not hold
	// for this poll and voter.
	ErrBallot = errors.New("ballot refused")
)

// Poll is one question to voters. All of it is in the proof of every ballot, so a
// ballot counts in this poll or nowhere. The epoch is not in it: a handover keeps
// X, and whichever committee holds X when the poll ends opens the sums.
type Poll struct {
	Chain   [32]byte // genesis hash
	Purpose string   // for example "jury"
	ID      [32]byte // for example the hash of round, artwork and instance
	X       [32]byte // the committee's key
	// Options are 1 to MaxOptions. A ballot chooses one of them or none; whether
	// none abstains or is an answer of its own, the rules of the purpose say.
	Options int
	// Minimum is the number of ballots below which the sums stay closed, at least
	// MinBallots.
	Minimum uint64
}

// Validate checks the limits and the key. Its error wraps ErrPoll.
func (p Poll) Validate() error {
	_, err := p.key()
	return err
}

// key is X decoded, of a poll within the limits.
func (p Poll) key() (kyber.Point, error) {
	if p.Options < 1 || p.Options > MaxOptions {
		return nil, fmt.Errorf("poll of %d options, limit %d: %w", p.Options, MaxOptions, ErrPoll)
	}
	if p.Minimum < MinBallots {
		return nil, fmt.Errorf("poll that %d ballots open, least %d: %w", p.Minimum, MinBallots, ErrPoll)
	}
	x, err := shamir.DecodePoint(group, p.X[:])
	if err != nil {
		return nil, fmt.Errorf("key of the poll: %w: %w", err, ErrPoll)
	}
	return x, nil
}

// Digest names the poll: Hash("poll", chain, purpose, id, X, options, minimum).
func (p Poll) Digest() [32]byte {
	return shamir.Hash("poll", p.Chain[:], []byte(p.Purpose), p.ID[:], p.X[:],
		shamir.Uint64(uint64(p.Options)), shamir.Uint64(p.Minimum))
}

// pair is two points, one on the side of G and one on the side of X. A vote for v
// is the pair kG, kX + vG (exponential ElGamal): votes add up as their v do.
type pair struct{ a, b kyber.Point }

const pairSize = 2 * 32

func (p pair) add(q pair) pair {
	return pair{group.Point().Add(p.a, q.a), group.Point().Add(p.b, q.b)}
}

func appendPairs(b []byte, pairs ...pair) []byte {
	for _, p := range pairs {
		b = append(append(b, shamir.Encode(p.a)...), shamir.Encode(p.b)...)
	}
	return b
}

// Ballot is a vote for each option, each 0 or 1 and together 0 or 1, with the
// proof of that, which holds for one poll and one voter and shows that the voter
// made the votes: nobody can copy, blind or negate those of another. It is
// immutable.
type Ballot struct {
	votes   []pair
	proofs  []bitProof // of each vote, then of their sum
	encoded []byte
}

// proofCount is one for each option and one for their sum, which a single option
// is itself.
func proofCount(options int) int {
	if options == 1 {
		return 1
	}
	return options + 1
}

// ballotHead is the length of what the challenge hashes: votes and commitments.
func ballotHead(options int) int { return pairSize*options + 2*pairSize*proofCount(options) }

// BallotSize is the length of a ballot for so many options in bytes: 288 for one;
// for more, 288 for each and 224 for their sum.
func BallotSize(options int) int { return ballotHead(options) + 3*32*proofCount(options) }

// Bytes is the wire form: A ‖ B of each option, the four commitments of each
// proof, then c₀ ‖ z₀ ‖ z₁ of each proof.
func (b *Ballot) Bytes() []byte { return append([]byte(nil), b.encoded...) }

// ParseBallot reads Bytes' form of a ballot for so many options. Its error wraps
// ErrBallot. The proof is VerifyBallot's to check.
func ParseBallot(options int, encoded []byte) (*Ballot, error) {
	if options < 1 || options > MaxOptions {
		return nil, fmt.Errorf("ballot of %d options, limit %d: %w", options, MaxOptions, ErrBallot)
	}
	if len(encoded) != BallotSize(options) {
		return nil, fmt.Errorf("%d bytes for %d options, want %d: %w", len(encoded), options, BallotSize(options), ErrBallot)
	}
	b := &Ballot{
		votes: make([]pair, options), proofs: make([]bitProof, proofCount(options)),
		encoded: append([]byte(nil), encoded...),
	}
	var pairs []*pair
	for i := range b.votes {
		pairs = append(pairs, &b.votes[i])
	}
	for i := range b.proofs {
		pairs = append(pairs, &b.proofs[i].commit[0], &b.proofs[i].commit[1])
	}
	r := wire.NewReader(b.encoded)
	var err error
	for i, p := range pairs {
		for _, point := range []*kyber.Point{&p.a, &p.b} {
			if *point, err = shamir.DecodePoint(group, r.Raw(32)); err != nil {
				return nil, fmt.Errorf("pair %d: %w: %w", i, err, ErrBallot)
			}
		}
	}
	for i := range b.proofs {
		p := &b.proofs[i]
		for _, scalar := range []*kyber.Scalar{&p.c0, &p.z[0], &p.z[1]} {
			if *scalar, err = shamir.DecodeScalar(group, r.Raw(32)); err != nil {
				return nil, fmt.Errorf("proof %d: %w: %w", i, err, ErrBallot)
			}
		}
	}
	return b, nil
}
