package seal

import (
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// bitProof shows that a pair (A, B) is a vote for 0 or for 1 and not which: that
// A and B, or A and B − G, have one logarithm k to G and X. The prover answers one
// of the two as it likes and the other as it must, since the challenges c₀ and
// c₁ = c − c₀ add up to the hash c (Cramer, Damgård and Schoenmakers). It holds when
// for both values v
//
//	commit[v].a + c_v·A = z_v·G  and  commit[v].b + c_v·(B − vG) = z_v·X.
//
// The commitments travel, rather than the hash, so that many proofs verify as one
// sum. c hashes the poll, the voter, and all votes and commitments of the ballot:
// what a proof leaves out of its hash can be chosen after it.
type bitProof struct {
	commit [2]pair
	c0     kyber.Scalar
	z      [2]kyber.Scalar
}

// NewBallot is the voter's ballot for choice: an option from 1, or 0 for none. It
// does the same operations whatever the choice. Who learns what rand gave learns
// the choice; a voter that keeps it can prove its choice, and so sell it. The
// error wraps ErrPoll or shamir.ErrSize, or is that of rand.
func NewBallot(rand io.Reader, poll Poll, voter [32]byte, choice int) (*Ballot, error) {
	if err := poll.Validate(); err != nil {
		return nil, fmt.Errorf("new ballot: %w", err)
	}
	if choice < 0 || choice > poll.Options {
		return nil, fmt.Errorf("new ballot: choice %d of %d options: %w", choice, poll.Options, shamir.ErrSize)
	}
	values := make([]int64, poll.Options)
	for i := range values {
		if i+1 == choice {
			values[i] = 1
		}
	}
	return newBallot(rand, poll, voter, values)
}

// newBallot encrypts any values; of other than ballots may hold, the proof fails.
func newBallot(rand io.Reader, poll Poll, voter [32]byte, values []int64) (*Ballot, error) {
	x, err := poll.key()
	if err != nil {
		return nil, fmt.Errorf("new ballot: %w", err)
	}
	b := &Ballot{proofs: make([]bitProof, proofCount(len(values)))}
	ks, sum, total := make([]kyber.Scalar, len(values)), group.Scalar().Zero(), int64(0)
	for i, v := range values {
		if ks[i], err = shamir.RandomScalar(group, rand); err != nil {
			return nil, fmt.Errorf("new ballot: %w", err)
		}
		message := group.Point().Mul(group.Scalar().SetInt64(v), nil)
		b.votes = append(b.votes, pair{group.Point().Mul(ks[i], nil), message.Add(message, group.Point().Mul(ks[i], x))})
		sum, total = sum.Add(sum, ks[i]), total+v
	}
	b.encoded = appendPairs(nil, b.votes...)

	ks, values = append(ks, sum), append(values[:len(values):len(values)], total)
	nonces, others := make([]kyber.Scalar, len(b.proofs)), make([]kyber.Scalar, len(b.proofs))
	digest, statements := poll.Digest(), b.statements()
	for i := range b.proofs {
		p, own := &b.proofs[i], bit(values[i])
		var derived [3]kyber.Scalar
		for j, tag := range []string{"ballot/nonce", "ballot/challenge", "ballot/response"} {
			derived[j], err = shamir.DeriveNonce(rand, group, tag, ks[i], digest[:], voter[:], b.encoded[:pairSize*len(b.votes)], shamir.Uint64(uint64(i)))
			if err != nil {
				return nil, fmt.Errorf("new ballot: %w", err)
			}
		}
		nonces[i], others[i], p.z[1-own] = derived[0], derived[1], derived[2]
		p.commit[own] = pair{group.Point().Mul(nonces[i], nil), group.Point().Mul(nonces[i], x)}
		p.commit[1-own] = simulate(statements[i], int64(1-own), others[i], p.z[1-own], x)
		b.encoded = appendPairs(b.encoded, p.commit[0], p.commit[1])
	}
	c := b.challenge(digest, voter)
	for i := range b.proofs {
		p, own := &b.proofs[i], bit(values[i])
		cs := [2]kyber.Scalar{}
		cs[1-own], cs[own] = others[i], group.Scalar().Sub(c, others[i])
		p.c0 = cs[0]
		p.z[own] = group.Scalar().Mul(cs[own], ks[i])
		p.z[own].Add(p.z[own], nonces[i])
		for _, s := range []kyber.Scalar{p.c0, p.z[0], p.z[1]} {
			b.encoded = append(b.encoded, shamir.Encode(s)...)
		}
	}
	return b, nil
}

func bit(v int64) int {
	if v == 1 {
		return 1
	}
	return 0
}

// simulate is the commitment for which challenge c and response z show that s is
// a vote for v, whether it is or not.
func simulate(s pair, v int64, c, z kyber.Scalar, x kyber.Point) pair {
	message := group.Point().Mul(group.Scalar().SetInt64(v), nil)
	b := message.Sub(s.b, message)
	return pair{
		group.Point().Sub(group.Point().Mul(z, nil), group.Point().Mul(c, s.a)),
		group.Point().Sub(group.Point().Mul(z, x), b.Mul(c, b)),
	}
}

// statements are the pairs that the proofs are about.
func (b *Ballot) statements() []pair {
	if len(b.votes) == 1 {
		return b.votes
	}
	sum := b.votes[0]
	for _, v := range b.votes[1:] {
		sum = sum.add(v)
	}
	return append(b.votes[:len(b.votes):len(b.votes)], sum)
}

// challenge hashes the whole statement and all commitments. The length of the
// last field follows from the options, which are in the poll's digest.
func (b *Ballot) challenge(poll, voter [32]byte) kyber.Scalar {
	return shamir.HashScalar(group, "ballot", poll[:], voter[:], b.encoded[:ballotHead(len(b.votes))])
}
