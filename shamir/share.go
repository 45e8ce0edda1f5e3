package shamir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

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
