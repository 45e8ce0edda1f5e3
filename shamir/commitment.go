package shamir

import (
	"fmt"
	"slices"

	"go.dedis.ch/kyber/v3"
)

// Commitment is a Feldman commitment: coefficient k of the polynomial times the
// generator, for k from 0 to t-1. It reveals the public key and lets anybody
// check a share. It is immutable and safe for concurrent use.
//
// Over G2 the coefficients but the constant one may be any points of the curve: each
// stands for the one point of the group from which it differs by a point of small
// order, one whose order divides the curve's cofactor. A dealer may so write one
// commitment in many ways, as it may choose its polynomial, and gains nothing: points of
// small order are a group of their own, so sums and integer multiples of what stands for
// P and Q stand for the same sums and multiples of P and Q, shares are compared up to
// small order, and every point that leaves a Commitment is the one in the group. In
// return nobody tests t points of every dealer, which took two thirds of a ceremony.
type Commitment struct {
	group  Group
	points []kyber.Point
}

// NewCommitment takes over points of the group, constant term first.
func NewCommitment(g Group, points []kyber.Point) (*Commitment, error) {
	if len(points) < 1 || len(points) > MaxMembers {
		return nil, fmt.Errorf("commitment to %d coefficients: %w", len(points), ErrSize)
	}
	return &Commitment{g, settle(g, points)}, nil
}

// curved is a group in a larger one, the curve. Its commitments are written in a longer
// form that decodes faster: without the square root, and without the test that a point of
// the curve lies in the group.
type curved interface {
	expandedLen() int
	expand(kyber.Point) []byte
	decodeExpanded([]byte) (kyber.Point, error) // a point of the curve
	contains(kyber.Point) bool
	project(kyber.Point) kyber.Point // the point of the group that differs by small order
}

// CommitmentSize is the length of an encoded commitment to t coefficients in
// bytes: 32 each over Ristretto255, 48 over G1, 192 (uncompressed) over G2.
func CommitmentSize(g Group, t int) int {
	if e, ok := g.(curved); ok {
		return t * e.expandedLen()
	}
	return t * g.PointLen()
}

// DecodeCommitment reads t points and refuses any other length, the identity
// and what is not canonical. Over G2 the constant term has to be in the group, the
// others on its curve.
func DecodeCommitment(g Group, t int, b []byte) (*Commitment, error) {
	if t < 1 || t > MaxMembers || len(b) != CommitmentSize(g, t) {
		return nil, fmt.Errorf("commitment of %d bytes to %d coefficients: %w", len(b), t, ErrEncoding)
	}
	decode := func(b []byte) (kyber.Point, error) { return DecodePoint(g, b) }
	curve, ok := g.(curved)
	if ok {
		decode = curve.decodeExpanded
	}
	points, size := make([]kyber.Point, t), len(b)/t
	for k := range points {
		p, err := decode(b[k*size : (k+1)*size])
		if err != nil {
			return nil, fmt.Errorf("coefficient %d: %w", k, err)
		}
		points[k] = p
	}
	if ok && !curve.contains(points[0]) {
		return nil, fmt.Errorf("coefficient 0: %s point: %w: %w", g, errCoordinates, ErrEncoding)
	}
	return &Commitment{g, points}, nil
}

// Bytes is the form that DecodeCommitment reads, constant term first.
func (c *Commitment) Bytes() []byte {
	b := make([]byte, 0, CommitmentSize(c.group, len(c.points)))
	e, wide := c.group.(curved)
	for _, p := range c.points {
		if wide {
			b = append(b, e.expand(p)...)
		} else {
			b = append(b, Encode(p)...)
		}
	}
	return b
}

// Threshold is the number of shares that recover the secret.
func (c *Commitment) Threshold() int { return len(c.points) }

// PublicKey is the secret times the generator.
func (c *Commitment) PublicKey() kyber.Point { return c.points[0].Clone() }

// Eval is the public key share of the member: its share times the generator. Public
// values only.
func (c *Commitment) Eval(index uint32) kyber.Point {
	v := c.horner(index)
	if curve, ok := c.group.(curved); ok {
		return curve.project(v)
	}
	return v
}

// horner is Eval up to small order. Horner's rule with an index of at most nine bits
// costs at most thirteen additions and doublings per coefficient, a thirtieth of
// general multiplications.
func (c *Commitment) horner(index uint32) kyber.Point {
	if index == 0 {
		return c.PublicKey()
	}
	v, by := c.points[len(c.points)-1].Clone(), newMultiplier(c.group, index)
	for _, p := range slices.Backward(c.points[:len(c.points)-1]) {
		by.mul(v)
		v.Add(v, p)
	}
	return v
}

// multiplier multiplies public points by one small integer.
type multiplier struct {
	digits      []int8 // -1, 0 and 1, from the top, of which no two in a row are not zero
	plus, minus kyber.Point
}

func newMultiplier(g Group, by uint32) *multiplier {
	m := &multiplier{plus: g.Point(), minus: g.Point()}
	for x := uint64(by); x > 0; x >>= 1 {
		switch x & 3 {
		case 1:
			m.digits = append(m.digits, 1)
		case 3:
			m.digits = append(m.digits, -1)
			x++
		default:
			m.digits = append(m.digits, 0)
		}
	}
	slices.Reverse(m.digits)
	return m
}

func (m *multiplier) mul(v kyber.Point) {
	m.plus.Set(v)
	m.minus.Neg(v)
	for _, d := range m.digits[1:] {
		v.Add(v, v)
		switch d {
		case 1:
			v.Add(v, m.plus)
		case -1:
			v.Add(v, m.minus)
		}
	}
}

// EvalAll is Eval of members 1..n, by Newton's forward differences: from one index to the
// next all but the last of the t differences take one addition each.
func (c *Commitment) EvalAll(n int) []kyber.Point {
	d := c.differences()
	below := d[:len(d)-1]
	out := make([]kyber.Point, n)
	for i := range out {
		addAll(c.group, below, below, d[1:], false)
		out[i] = d[0].Clone()
	}
	return out
}

// differences are the forward differences at 0 of the committed polynomial, with no part
// of small order. By Horner's rule the polynomials p = a_j + a_(j+1)·x + … follow from
// each other, and the differences of x·p from those of p:
// Δᵏ(x·p)(0) = k·(Δᵏp(0) + Δᵏ⁻¹p(0)).
func (c *Commitment) differences() []kyber.Point {
	points := c.points
	if curve, ok := c.group.(curved); ok {
		points = make([]kyber.Point, len(c.points))
		for k, p := range c.points {
			points[k] = curve.project(p)
		}
	}
	t := len(points)
	d, next := identities(c.group, t), identities(c.group, t)
	by := make([]*multiplier, t)
	for k := 1; k < t; k++ {
		by[k] = newMultiplier(c.group, uint32(k))
	}
	for j, a := range slices.Backward(points) {
		top := t - 1 - j // the degree of x·p
		addAll(c.group, next[1:top+1], d[1:top+1], d[:top], false)
		for k := 1; k <= top; k++ {
			by[k].mul(next[k])
		}
		next[0].Set(a)
		d, next = next, d
	}
	return d
}

// Verify checks a share against the commitment. Its error is a *ShareError.
func (c *Commitment) Verify(s Share) error {
	if s.Index < 1 || s.Index > MaxMembers || s.value == nil {
		return &ShareError{s.Index, ErrSize}
	}
	return compare(c.group, s.Index, s.value, c.horner(s.Index))
}

// compare holds a value times the generator against a public point, up to small order.
func compare(g Group, index uint32, value kyber.Scalar, want kyber.Point) error {
	got := g.Point().Mul(value, nil)
	if got.Equal(want) {
		return nil
	}
	if curve, ok := g.(curved); !ok || !got.Equal(curve.project(want)) {
		return &ShareError{index, ErrProof}
	}
	return nil
}

// VerifyTogether checks shares of one member, each against the commitment in its place,
// at a fraction of what Verify of each takes: it compares the sums of both, weighted.
// Wrong shares pass with a chance of one in 2³² if their dealers cannot know the
// weights, and surely if they can. An error says that some share is wrong; Verify tells
// which. Commitments have one group. Values are weighed, not coefficients: an index has few
// bits, so with 16 members this takes a quarter, and with 256 about the same.
func VerifyTogether(weights []uint32, commitments []*Commitment, shares []Share) error {
	if len(shares) == 0 || len(weights) != len(shares) || len(commitments) != len(shares) {
		return fmt.Errorf("%d shares with %d weights and %d commitments: %w", len(shares), len(weights), len(commitments), ErrSize)
	}
	g, index := commitments[0].group, shares[0].Index
	scalars, publics, sum := make([]kyber.Scalar, len(weights)), make([]kyber.Point, len(weights)), g.Scalar().Zero()
	for i, s := range shares {
		if s.Index != index || s.Index < 1 || s.Index > MaxMembers || s.value == nil || commitments[i].group != g {
			return &ShareError{s.Index, ErrSize}
		}
		scalars[i] = g.Scalar().SetInt64(int64(weights[i]) + 1) // none is zero
		publics[i] = commitments[i].horner(index)
		sum.Add(sum, g.Scalar().Mul(scalars[i], s.value))
	}
	return compare(g, index, sum, g.MultiMul(scalars, publics))
}

// Sum commits to the sum of the polynomials behind the commitments, which have
// the same group and threshold.
func Sum(commitments ...*Commitment) (*Commitment, error) {
	rows, err := rowsOf(commitments)
	if err != nil {
		return nil, err
	}
	g := commitments[0].group
	sum := clone(rows[0])
	for _, r := range rows[1:] {
		addAll(g, sum, sum, r, false)
	}
	return &Commitment{g, settle(g, sum)}, nil
}

// WeightedSum commits to the sum of weight times polynomial. The commitments, as
// many as weights, have the same group and threshold. Public values only.
func WeightedSum(weights []kyber.Scalar, commitments []*Commitment) (*Commitment, error) {
	rows, err := rowsOf(commitments)
	if err != nil {
		return nil, err
	}
	if len(weights) != len(rows) {
		return nil, fmt.Errorf("sum of %d commitments with %d weights: %w", len(rows), len(weights), ErrSize)
	}
	g := commitments[0].group
	return &Commitment{g, rowsMul(g, weights, rows)}, nil
}

func rowsOf(commitments []*Commitment) ([][]kyber.Point, error) {
	if len(commitments) == 0 {
		return nil, fmt.Errorf("sum of no commitments: %w", ErrSize)
	}
	rows, first := make([][]kyber.Point, len(commitments)), commitments[0]
	for i, c := range commitments {
		if len(c.points) != len(first.points) || c.group != first.group {
			return nil, fmt.Errorf("sum of commitments of different shape: %w", ErrSize)
		}
		rows[i] = c.points
	}
	return rows, nil
}
