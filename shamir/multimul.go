package shamir

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"go.dedis.ch/kyber/v3"
)

// limbs is the size of an integer, little endian, with room to look ahead.
type limbs [5]uint64

// integer is a scalar of any group as the integer nearest to zero. Weights of Lagrange
// are short that way when the first t members take part: they are binomial coefficients.
type integer struct {
	limbs
	negative bool
}

// integers are the scalars as integers, and the length of the longest in bits.
func integers(g Group, scalars []kyber.Scalar) (out []integer, length int) {
	out = make([]integer, len(scalars))
	minus := g.Scalar()
	for i, s := range scalars {
		below, above := toLimbs(g, s), toLimbs(g, minus.Neg(s))
		if out[i] = (integer{below, false}); above.length() < below.length() {
			out[i] = integer{above, true}
		}
		length = max(length, out[i].length())
	}
	return out, length
}

func toLimbs(g Group, s kyber.Scalar) (l limbs) {
	b := Encode(s)
	if g != Ristretto255 { // whose scalars are little endian
		slices.Reverse(b)
	}
	for k := range 4 {
		l[k] = binary.LittleEndian.Uint64(b[8*k:])
	}
	return l
}

func (l *limbs) length() int {
	for k := 3; k >= 0; k-- {
		if l[k] != 0 {
			return 64*k + bits.Len64(l[k])
		}
	}
	return 0
}

// window is the bits from at on, at most 16 of them.
func (l *limbs) window(at, width int) uint64 {
	v := l[at/64] >> (at % 64)
	if at%64 > 64-width {
		v |= l[at/64+1] << (64 - at%64)
	}
	return v & (1<<width - 1)
}

// digits writes the integer, of at most length bits, as Σ d_k·2^(width·k) with digits from
// -2^(width-1) to 2^(width-1).
func (l *integer) digits(length, width int) []int16 {
	d := make([]int16, (length+width)/width) // one bit more, for the carry
	carry := uint64(0)
	for k := range d {
		v := l.window(width*k, width) + carry
		carry = 0
		if v > 1<<(width-1) {
			carry = 1
		}
		d[k] = int16(v) - int16(carry<<width)
		if l.negative {
			d[k] = -d[k]
		}
	}
	return d
}

// nonAdjacent writes the integer, of at most length bits, as Σ d_k·2^k with digits that are zero
// or odd between -15 and 15, of which one in five consecutive is not zero.
func (l *integer) nonAdjacent(length int) []int8 {
	d := make([]int8, length+1)
	carry := uint64(0)
	for k := 0; k < len(d); {
		window := carry + l.window(k, 5)
		if window&1 == 0 {
			k++
			continue
		}
		carry = window >> 4 & 1 // 16 and more become negative
		if d[k] = int8(window) - int8(carry<<5); l.negative {
			d[k] = -d[k]
		}
		k += 5
	}
	return d
}

// bucketWidth is the window with which sorting n scalars of length bits into buckets
// takes the fewest additions, or 0 where tables of multiples take fewer. Measured in all
// groups: an addition into a bucket costs a fifth more than one from a table.
func bucketWidth(n, length int) int {
	width, least := 0, n*(8+length/6)*5/6
	for w := 2; w <= 13; w++ {
		if additions := (length + w) / w * (n + 1<<w); additions < least {
			width, least = w, additions
		}
	}
	return width
}

// rowsMul is MultiMul in every column of the rows: the sum of scalars[i]·rows[i].
func rowsMul(g Group, scalars []kyber.Scalar, rows [][]kyber.Point) []kyber.Point {
	ints, length := integers(g, scalars)
	if width := bucketWidth(len(rows), length); width > 0 {
		return settle(g, bucketMul(g, ints, length, width, rows))
	}
	sum, column := make([]kyber.Point, len(rows[0])), make([]kyber.Point, len(rows))
	for k := range sum {
		for i := range rows {
			column[i] = rows[i][k]
		}
		sum[k] = g.MultiMul(scalars, column)
	}
	return settle(g, sum)
}

// rowsOfOne are points as rows.
func rowsOfOne(points []kyber.Point) [][]kyber.Point {
	rows := make([][]kyber.Point, len(points))
	for i := range points {
		rows[i] = points[i : i+1]
	}
	return rows
}

// bucketMul sums integers times rows, window by window from the top: each row goes
// into the bucket of its digit, and the buckets add up weighted by partial sums
// (Pippenger). Variable time.
func bucketMul(g Group, scalars []integer, length, width int, rows [][]kyber.Point) []kyber.Point {
	digits := make([][]int16, len(scalars))
	for i := range scalars {
		digits[i] = scalars[i].digits(length, width)
	}
	buckets := make([][]kyber.Point, 1<<(width-1)) // of digit d at d-1; nil is empty
	sum := identities(g, len(rows[0]))
	for k := (length+width)/width - 1; k >= 0; k-- {
		for range width {
			addAll(g, sum, sum, sum, false)
		}
		clear(buckets)
		for i, row := range rows {
			d := digits[i][k]
			if d == 0 {
				continue
			}
			b := &buckets[max(d, -d)-1]
			if *b != nil {
				addAll(g, *b, *b, row, d < 0)
				continue
			}
			if *b = clone(row); d < 0 {
				for _, p := range *b {
					p.Neg(p)
				}
			}
		}
		var running []kyber.Point
		for _, b := range slices.Backward(buckets) {
			switch {
			case running == nil:
				running = b // owned: nobody looks at the bucket again
			case b != nil:
				addAll(g, running, running, b, false)
			}
			if running != nil {
				addAll(g, sum, sum, running, false)
			}
		}
	}
	return sum
}

// multiMul is MultiMul of G1 and G2.
func multiMul[F comparable, P coordinate[F], C any, CP circlPoint[C]](g Group, scalars []kyber.Scalar, points []kyber.Point) kyber.Point {
	ints, length := integers(g, scalars)
	if width := bucketWidth(len(points), length); width > 0 {
		return bucketMul(g, ints, length, width, rowsOfOne(points))[0]
	}
	out := &blsPoint[F, P, C, CP]{}
	table := make([]jacobian[F, P], 0, odds*len(points))
	for _, p := range points {
		table = appendOdds(table, &out.at(p).v)
	}
	normalizeAll(table)
	if table, ok := any(table).([]jacobian[fp2, *fp2]); ok && length > 64 && len(points) <= fewPoints {
		sum := interleaved(quarters(ints), 64, images(table))
		return new(g2Point).set(&sum)
	}
	sum := interleaved(ints, length, table)
	return out.set(&sum)
}

// fewPoints is up to where doublings are so much of the work that images pay for
// themselves.
const fewPoints = 8

// odds is how many odd multiples of a point a table has: 1, 3, …, 15 times it.
const odds = 8

func appendOdds[F comparable, P field[F]](table []jacobian[F, P], p *jacobian[F, P]) []jacobian[F, P] {
	var w work[F]
	odd, twice := *p, *p
	twice.double(&w)
	for range odds {
		table = append(table, odd)
		odd.add(&w, &odd, &twice)
	}
	return table
}

// interleaved sums integers times points with one chain of doublings for all of them,
// the integers in signed digits (width-5 NAF), from a table of the points' multiples:
// one addition per six bits (Straus). Variable time.
func interleaved[F comparable, P field[F]](scalars []integer, length int, table []jacobian[F, P]) (sum jacobian[F, P]) {
	digits := make([][]int8, len(scalars))
	for i := range scalars {
		digits[i] = scalars[i].nonAdjacent(length)
	}
	var w work[F]
	for bit := length; bit >= 0; bit-- {
		sum.double(&w)
		for i := range digits {
			switch d := digits[i][bit]; {
			case d > 0:
				sum.add(&w, &sum, &table[odds*i+int(d)/2])
			case d < 0:
				minus := table[odds*i+int(-d)/2]
				minus.neg()
				sum.add(&w, &sum, &minus)
			}
		}
	}
	return sum
}

// quarters writes each integer k as k₀ + k₁·|u| + k₂·|u|² + k₃·|u|³, all the k₀ first.
// The order of the groups is below |u|⁴. Source: Galbraith and Scott, Pairing 2008.
func quarters(ints []integer) []integer {
	out := make([]integer, 4*len(ints))
	for i, k := range ints {
		for part := range 4 {
			rest := uint64(0)
			for limb := 3; limb >= 0; limb-- {
				k.limbs[limb], rest = bits.Div64(rest, k.limbs[limb], blsU)
			}
			out[part*len(ints)+i] = integer{limbs{rest}, k.negative}
		}
	}
	return out
}

// images is the table of points of G2 and of |u|, |u|² and |u|³ times them, which the
// endomorphism gives: ψ(P) = u·P, and u is negative.
func images(table []jacobian[fp2, *fp2]) []jacobian[fp2, *fp2] {
	out := append(make([]jacobian[fp2, *fp2], 0, 4*len(table)), table...)
	for range 3 {
		for _, p := range out[len(out)-len(table):] {
			if !p.isIdentity() {
				x, y := psi(&p.x, &p.y)
				p.setAffine(&x, &y)
				p.neg()
			}
			out = append(out, p)
		}
	}
	return out
}
