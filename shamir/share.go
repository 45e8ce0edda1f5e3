package shamir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"go.dedis.ch/kyber/v3"
	"go.dedis.ch/kyber/v3/share"
)

// ShareError names the member whose share was refused.
type ShareError struct {
	Index uint32 // of the member, from 1
	Err   error  // why: wraps ErrProof, ErrEncoding, ErrSize or ErrIdentity
}

func (e *ShareError) Error() string { return fmt.Sprintf("share of member %d: %v", e.Index, e.Err) }
func (e *ShareError) Unwrap() error { return e.Err }

// Share is one member's value of a secret polynomial. It redacts itself when
// printed, logged or turned into JSON.
type Share struct {
	Index uint32 // from 1
	value kyber.Scalar
}

// NewShare pairs an index with a value.
func NewShare(index uint32, value kyber.Scalar) Share { return Share{index, value} }

// Value is the secret itself.
func (s Share) Value() kyber.Scalar { return s.value }

func (s Share) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "share(%d, redacted)", s.Index) }
func (s Share) LogValue() slog.Value       { return slog.GroupValue(slog.Any("index", s.Index)) }
func (s Share) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]uint32{"index": s.Index})
}

// Commitment is a Feldman commitment: coefficient k of the polynomial times the
// generator, for k from 0 to t-1. It reveals the public key and lets anybody
// check a share. It is immutable and safe for concurrent use.
type Commitment struct {
	group  Group
	points []kyber.Point
}

// NewCommitment takes over points, constant term first.
func NewCommitment(g Group, points []kyber.Point) (*Commitment, error) {
	if len(points) < 1 || len(points) > MaxMembers {
		return nil, fmt.Errorf("commitment to %d coefficients: %w", len(points), ErrSize)
	}
	return &Commitment{g, points}, nil
}

// expander is a group whose points have a longer form that decodes faster:
// without the square root, which is most of the work for G2. Commitments use it.
type expander interface {
	expandedLen() int
	expand(kyber.Point) []byte
	decodeExpanded([]byte) (kyber.Point, error)
}

// CommitmentSize is the length of an encoded commitment to t coefficients in
// bytes: 32 each over Ristretto255, 48 over G1, 192 (uncompressed) over G2.
func CommitmentSize(g Group, t int) int {
	if e, ok := g.(expander); ok {
		return t * e.expandedLen()
	}
	return t * g.PointLen()
}

// DecodeCommitment reads t points and refuses any other length, the identity
// and what is not canonical.
func DecodeCommitment(g Group, t int, b []byte) (*Commitment, error) {
	if t < 1 || t > MaxMembers || len(b) != CommitmentSize(g, t) {
		return nil, fmt.Errorf("commitment of %d bytes to %d coefficients: %w", len(b), t, ErrEncoding)
	}
	decode, size := func(b []byte) (kyber.Point, error) { return DecodePoint(g, b) }, g.PointLen()
	if e, ok := g.(expander); ok {
		decode, size = e.decodeExpanded, e.expandedLen()
	}
	points := make([]kyber.Point, t)
	for k := range points {
		p, err := decode(b[k*size : (k+1)*size])
		if err != nil {
			return nil, fmt.Errorf("coefficient %d: %w", k, err)
		}
		points[k] = p
	}
	return &Commitment{g, points}, nil
}

// Bytes is the form that DecodeCommitment reads, constant term first.
func (c *Commitment) Bytes() []byte {
	b := make([]byte, 0, CommitmentSize(c.group, len(c.points)))
	e, wide := c.group.(expander)
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

// Eval is the public key share of the member: its share times the generator.
// Horner's rule with an index of at most nine bits costs at most thirteen additions and
// doublings per coefficient, a thirtieth of general multiplications. Public values only.
func (c *Commitment) Eval(index uint32) kyber.Point {
	if index == 0 {
		return c.PublicKey()
	}
	top := len(c.points) - 1
	v, t, minus := c.points[top].Clone(), c.group.Point(), c.group.Point()
	digits := signedDigits(index)
	for k := top - 1; k >= 0; k-- {
		t.Set(v)
		minus.Neg(v)
		for _, d := range digits[1:] {
			v.Add(v, v)
			switch d {
			case 1:
				v.Add(v, t)
			case -1:
				v.Add(v, minus)
			}
		}
		v.Add(v, c.points[k])
	}
	return v
}

// signedDigits writes the index as Σ d·2^k with digits -1, 0 and 1, from the top, of which no
// two in a row are not zero.
func signedDigits(index uint32) (d []int8) {
	for x := uint64(index); x > 0; x >>= 1 {
		switch x & 3 {
		case 1:
			d = append(d, 1)
		case 3:
			d = append(d, -1)
			x++
		default:
			d = append(d, 0)
		}
	}
	slices.Reverse(d)
	return d
}

// EvalAll is Eval of members 1..n. Beyond the threshold it goes on by Newton's
// differences: a polynomial of degree t-1 is known from t values, and each
// further one costs t additions.
func (c *Commitment) EvalAll(n int) []kyber.Point {
	t := len(c.points)
	known := []kyber.Point{c.points[0].Clone()} // at 0
	for i := 1; i <= n && i < t; i++ {
		known = append(known, c.Eval(uint32(i)))
	}
	if n < t {
		return known[1:]
	}
	// diagonal[k] is the k-th backward difference at the last known index.
	row, diagonal := make([]kyber.Point, t), make([]kyber.Point, t)
	for i, p := range known {
		row[i] = p.Clone()
	}
	for k := range diagonal {
		last := t - 1 - k
		diagonal[k] = row[last].Clone()
		for i := range last {
			row[i].Sub(row[i+1], row[i])
		}
	}
	for len(known) <= n {
		for k := t - 2; k >= 0; k-- {
			diagonal[k].Add(diagonal[k], diagonal[k+1])
		}
		known = append(known, diagonal[0].Clone())
	}
	return known[1:]
}

// Verify checks a share against the commitment. Its error is a *ShareError.
func (c *Commitment) Verify(s Share) error {
	if s.Index < 1 || s.Index > MaxMembers || s.value == nil {
		return &ShareError{s.Index, ErrSize}
	}
	if !c.group.Point().Mul(s.value, nil).Equal(c.Eval(s.Index)) {
		return &ShareError{s.Index, ErrProof}
	}
	return nil
}

// VerifyTogether checks shares of one member, each against the commitment in its place,
// at a fraction of what Verify of each takes: it compares the sums of both, weighted.
// Wrong shares pass with a chance of one in 2³² if their dealers cannot know the
// weights, and surely if they can. An error says that some share is wrong; Verify tells
// which. Commitments have one group and threshold.
func VerifyTogether(weights []uint32, commitments []*Commitment, shares []Share) error {
	if len(shares) == 0 || len(weights) != len(shares) || len(commitments) != len(shares) {
		return fmt.Errorf("%d shares with %d weights and %d commitments: %w", len(shares), len(weights), len(commitments), ErrSize)
	}
	g := commitments[0].group
	scalars, sum := make([]kyber.Scalar, len(weights)), g.Scalar().Zero()
	for i, s := range shares {
		if s.Index != shares[0].Index || s.value == nil {
			return &ShareError{s.Index, ErrSize}
		}
		scalars[i] = g.Scalar().SetInt64(int64(weights[i]) + 1) // none is zero
		sum.Add(sum, g.Scalar().Mul(scalars[i], s.value))
	}
	c, err := WeightedSum(scalars, commitments)
	if err != nil {
		return err
	}
	return c.Verify(Share{shares[0].Index, sum})
}

// Sum commits to the sum of the polynomials behind the commitments, which have
// the same group and threshold.
func Sum(commitments ...*Commitment) (*Commitment, error) {
	if len(commitments) == 0 {
		return nil, fmt.Errorf("sum of no commitments: %w", ErrSize)
	}
	first := commitments[0]
	points := make([]kyber.Point, len(first.points))
	for k := range points {
		points[k] = first.points[k].Clone()
	}
	for _, c := range commitments[1:] {
		if len(c.points) != len(points) || c.group != first.group {
			return nil, fmt.Errorf("sum of commitments of different shape: %w", ErrSize)
		}
		for k := range points {
			points[k].Add(points[k], c.points[k])
		}
	}
	return &Commitment{first.group, points}, nil
}

// WeightedSum commits to the sum of weight times polynomial. The commitments, as
// many as weights, have the same group and threshold. Public values only.
func WeightedSum(weights []kyber.Scalar, commitments []*Commitment) (*Commitment, error) {
	if len(commitments) == 0 || len(weights) != len(commitments) {
		return nil, fmt.Errorf("sum of %d commitments with %d weights: %w", len(commitments), len(weights), ErrSize)
	}
	first := commitments[0]
	points, column := make([]kyber.Point, len(first.points)), make([]kyber.Point, len(commitments))
	for k := range points {
		for i, c := range commitments {
			if len(c.points) != len(points) || c.group != first.group {
				return nil, fmt.Errorf("sum of commitments of different shape: %w", ErrSize)
			}
			column[i] = c.points[k]
		}
		points[k] = first.group.MultiMul(weights, column)
	}
	return &Commitment{first.group, points}, nil
}

// Polynomial is a dealer's secret polynomial. It redacts itself.
type Polynomial struct {
	group Group
	poly  *share.PriPoly
}

// NewPolynomial takes the coefficients, secret first; their number is the
// threshold.
func NewPolynomial(g Group, coefficients []kyber.Scalar) (*Polynomial, error) {
	if len(coefficients) < 1 || len(coefficients) > MaxMembers {
		return nil, fmt.Errorf("polynomial of %d coefficients: %w", len(coefficients), ErrSize)
	}
	return &Polynomial{g, share.CoefficientsToPriPoly(g, coefficients)}, nil
}

// Split shares secret among members 1..n with threshold t, with coefficients
// from rand.
func Split(rand io.Reader, g Group, secret kyber.Scalar, t, n int) ([]Share, *Commitment, error) {
	if t < 1 || t > n || n > MaxMembers {
		return nil, nil, fmt.Errorf("threshold %d of %d members: %w", t, n, ErrSize)
	}
	coefficients := []kyber.Scalar{secret.Clone()}
	for len(coefficients) < t {
		a, err := RandomScalar(g, rand)
		if err != nil {
			return nil, nil, err
		}
		coefficients = append(coefficients, a)
	}
	p, err := NewPolynomial(g, coefficients)
	if err != nil {
		return nil, nil, err
	}
	shares := make([]Share, n)
	for i := range shares {
		shares[i] = p.Share(uint32(i + 1))
	}
	return shares, p.Commit(), nil
}

// Share is the member's value of the polynomial.
func (p *Polynomial) Share(index uint32) Share {
	return Share{index, p.poly.Eval(int(index) - 1).V} // kyber counts from 0
}

// Commit is the Feldman commitment of the polynomial.
func (p *Polynomial) Commit() *Commitment {
	_, points := p.poly.Commit(nil).Info()
	return &Commitment{p.group, points}
}

// Secret is the value at 0.
func (p *Polynomial) Secret() kyber.Scalar { return p.poly.Secret().Clone() }

func (p *Polynomial) Format(f fmt.State, _ rune)   { io.WriteString(f, "polynomial(redacted)") }
func (p *Polynomial) LogValue() slog.Value         { return slog.StringValue("polynomial(redacted)") }
func (p *Polynomial) MarshalJSON() ([]byte, error) { return []byte(`"polynomial(redacted)"`), nil }

// Recover returns the secret behind c from any t of the shares that verify. A
// share that fails, and one more under an index already seen, is left out and
// named: with too few left the error wraps ErrThreshold and joins one
// *ShareError per culprit. When the secret was recovered all the same, the
// second result still names the culprits.
func Recover(c *Commitment, shares []Share) (kyber.Scalar, []*ShareError, error) {
	var culprits []*ShareError
	seen := make(map[uint32]bool, len(shares))
	var indices []uint32
	var values []kyber.Scalar
	for _, s := range shares {
		var bad *ShareError
		if err := c.Verify(s); errors.As(err, &bad) {
			culprits = append(culprits, bad)
			continue
		}
		if seen[s.Index] || len(indices) == c.Threshold() {
			continue
		}
		seen[s.Index] = true
		indices, values = append(indices, s.Index), append(values, s.value)
	}
	if len(indices) < c.Threshold() {
		err := fmt.Errorf("recover from %d of %d shares: %w", len(indices), c.Threshold(), ErrThreshold)
		for _, bad := range culprits {
			err = errors.Join(err, bad)
		}
		return nil, culprits, err
	}
	weights, err := Lagrange(c.group, indices)
	if err != nil {
		return nil, culprits, err
	}
	secret := c.group.Scalar().Zero()
	for i, w := range weights {
		secret.Add(secret, w.Mul(w, values[i]))
	}
	return secret, culprits, nil
}

// Lagrange returns the weights that turn values at the indices into the value at
// 0. The indices are distinct and from 1 to MaxMembers. One inversion serves
// all of them.
func Lagrange(g Group, indices []uint32) ([]kyber.Scalar, error) {
	n := len(indices)
	if n == 0 {
		return nil, fmt.Errorf("interpolate at no index: %w", ErrSize)
	}
	seen := make(map[uint32]bool, n)
	xs := make([]kyber.Scalar, n)
	for i, x := range indices {
		if x < 1 || x > MaxMembers || seen[x] {
			return nil, &ShareError{x, ErrSize}
		}
		seen[x] = true
		xs[i] = g.Scalar().SetInt64(int64(x))
	}
	// weight i = Π_{j≠i} x_j / (x_j - x_i) = (Π_j x_j) / (x_i · Π_{j≠i} (x_j - x_i)).
	all := g.Scalar().One()
	den, before := make([]kyber.Scalar, n), make([]kyber.Scalar, n)
	acc, diff := g.Scalar().One(), g.Scalar()
	for i := range xs {
		all.Mul(all, xs[i])
		den[i] = xs[i].Clone()
		for j := range xs {
			if j != i {
				den[i].Mul(den[i], diff.Sub(xs[j], xs[i]))
			}
		}
		before[i] = acc.Clone()
		acc.Mul(acc, den[i])
	}
	inv := g.Scalar().Inv(acc)
	weights := make([]kyber.Scalar, n)
	for i := n - 1; i >= 0; i-- {
		weights[i] = g.Scalar().Mul(inv, before[i])
		weights[i].Mul(weights[i], all)
		inv.Mul(inv, den[i])
	}
	return weights, nil
}

// Interpolate returns the value at 0 of points at the indices, which are as for
// Lagrange. Public values only.
func Interpolate(g Group, indices []uint32, points []kyber.Point) (kyber.Point, error) {
	if len(indices) != len(points) {
		return nil, fmt.Errorf("interpolate %d points at %d indices: %w", len(points), len(indices), ErrSize)
	}
	weights, err := Lagrange(g, indices)
	if err != nil {
		return nil, err
	}
	return g.MultiMul(weights, points), nil
}
