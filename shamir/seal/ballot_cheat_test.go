package seal

import (
	"io"

	"github.com/atelier-dao/atelier/shamir"
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
	for _, p := range b.proofs {
		b.encoded = append(append(append(b.encoded, shamir.Encode(p.c0)...), shamir.Encode(p.z[0])...), shamir.Encode(p.z[1])...)
	}
	return b, nil
}

// Logarithm is a count's search by itself, with a table for max.
func Logarithm(v int64, max uint64) (uint64, bool) {
	p := group.Point().Mul(group.Scalar().SetInt64(v), nil)
	return newSteps(max).logarithm(p, max)
}
