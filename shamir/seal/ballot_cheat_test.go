package seal

import (
	"io"
	"math/big"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// CastValues makes a ballot of any values, with proofs as good as they get: what a
// voter can do that changes its program.
func CastValues(rand io.Reader, poll Poll, voter [32]byte, values ...int64) (*Ballot, error) {
	return newBallot(rand, poll, voter, values)
}

// CopyBallot is somebody's votes under proofs that the copier makes without
// knowing what is in them: it answers both values as it likes and takes the
// challenge of other as its own.
func CopyBallot(rand io.Reader, poll Poll, voter [32]byte, of *Ballot) (*Ballot, error) {
	x, err := poll.key()
	if err != nil {
		return nil, err
	}
	b := &Ballot{votes: of.votes, proofs: make([]bitProof, len(of.proofs))}
	b.encoded = appendPairs(nil, b.votes...)
	for i, s := range b.statements() {
		p := &b.proofs[i]
		c1, err := shamir.RandomScalar(group, rand)
		if err != nil {
			return nil, err
		}
		p.c0 = shamir.HashScalar(group, "chosen")
		p.z = of.proofs[i].z
		p.commit = [2]pair{simulate(s, 0, p.c0, p.z[0], x), simulate(s, 1, c1, p.z[1], x)}
		b.encoded = appendPairs(b.encoded, p.commit[:]...)
	}
	b.appendAnswers()
	return b, nil
}

func (b *Ballot) appendAnswers() {
	for _, p := range b.proofs {
		for _, s := range []kyber.Scalar{p.c0, p.z[0], p.z[1]} {
			b.encoded = append(b.encoded, shamir.Encode(s)...)
		}
	}
}

// LateCommitments is a ballot of any value whose commitments are made to fit a
// challenge that hashes the votes alone.
func LateCommitments(rand io.Reader, poll Poll, voter [32]byte, value int64) (*Ballot, error) {
	b, err := newBallot(rand, poll, voter, []int64{value})
	if err != nil {
		return nil, err
	}
	x, digest := poll.mustKey(), poll.Digest()
	b.encoded = appendPairs(nil, b.votes...)
	c := shamir.HashScalar(group, "ballot", digest[:], voter[:], b.encoded)
	p := &b.proofs[0]
	p.commit = [2]pair{
		simulate(b.votes[0], 0, p.c0, p.z[0], x),
		simulate(b.votes[0], 1, group.Scalar().Sub(c, p.c0), p.z[1], x),
	}
	b.encoded = appendPairs(b.encoded, p.commit[:]...)
	b.appendAnswers()
	return b, nil
}

// LateVotes is a ballot whose votes are made to fit a challenge that hashes the
// commitments alone (Bernhard, Pereira and Warinschi 2012, section 4): with
// commitments αG, αX + δG for both values, c₀ a root of
// c₀² + (δ₀ + δ₁ − c)·c₀ − δ₀·c, and the z that follow, the proof holds for a vote
// of −δ₀/c₀: some number that no tally can be opened with.
func LateVotes(rand io.Reader, poll Poll, voter [32]byte) (*Ballot, error) {
	x, digest, four := poll.mustKey(), poll.Digest(), group.Scalar().SetInt64(4)
	for {
		var r [5]kyber.Scalar
		for i := range r {
			var err error
			if r[i], err = shamir.RandomScalar(group, rand); err != nil {
				return nil, err
			}
		}
		alpha, delta, z0 := r[:2], r[2:4], r[4]
		p := bitProof{}
		for v := range 2 {
			p.commit[v].a = group.Point().Mul(alpha[v], nil)
			p.commit[v].b = group.Point().Add(group.Point().Mul(alpha[v], x), group.Point().Mul(delta[v], nil))
		}
		commitments := appendPairs(nil, p.commit[:]...)
		c := shamir.HashScalar(group, "ballot", digest[:], voter[:], commitments)
		half := group.Scalar().Sub(c, group.Scalar().Add(delta[0], delta[1]))
		square := group.Scalar().Mul(half, half)
		square.Add(square, group.Scalar().Mul(four, group.Scalar().Mul(delta[0], c)))
		root, ok := squareRoot(square)
		if !ok {
			continue
		}
		p.c0 = group.Scalar().Div(group.Scalar().Add(half, root), group.Scalar().SetInt64(2))
		c1 := group.Scalar().Sub(c, p.c0)
		k := group.Scalar().Div(group.Scalar().Sub(z0, alpha[0]), p.c0)
		p.z = [2]kyber.Scalar{z0, group.Scalar().Add(alpha[1], group.Scalar().Mul(c1, k))}
		v := group.Scalar().Neg(group.Scalar().Div(delta[0], p.c0))
		b := &Ballot{proofs: []bitProof{p}, votes: []pair{{
			group.Point().Mul(k, nil), group.Point().Add(group.Point().Mul(k, x), group.Point().Mul(v, nil)),
		}}}
		b.encoded = append(appendPairs(nil, b.votes...), commitments...)
		b.appendAnswers()
		return b, nil
	}
}

func (p Poll) mustKey() kyber.Point {
	x, err := p.key()
	if err != nil {
		panic(err)
	}
	return x
}

// squareRoot modulo the order of the group, 2^252 + 2774…8493.
func squareRoot(s kyber.Scalar) (kyber.Scalar, bool) {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	b := shamir.Encode(s)
	slices.Reverse(b)
	root := new(big.Int).ModSqrt(new(big.Int).SetBytes(b), order)
	if root == nil {
		return nil, false
	}
	b = root.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return group.Scalar().SetBytes(b), true
}

// Logarithm is a count's search by itself, with a table for max.
func Logarithm(v int64, max uint64) (uint64, bool) {
	p := group.Point().Mul(group.Scalar().SetInt64(v), nil)
	return newSteps(max).logarithm(p, max)
}
