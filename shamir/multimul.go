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
// or odd between -2^(width-1) and 2^(width-1), of which one in width consecutive is not zero.
func (l *integer) nonAdjacent(length, width int) []int8 {
	d := make([]int8, length+1)
	carry := uint64(0)
	for k := 0; k < len(d); {
		window := carry + l.window(k, width)
		if window&1 == 0 {
			k++
			continue
		}
		carry = window >> (width - 1) & 1 // half the range and more become negative
		if d[k] = int8(int(window) - int(carry)<<width); l.negative {
			d[k] = -d[k]
		}
		k += width
	}
	return d
}

// bucketWidth is the window with which sorting n scalars of length bits into buckets
// takes the fewest additions, or 0 where tables of multiples take fewer. Measured in all
// groups: an addition into a bucket costs a fifth more than one from a table.
func bucketWidth(g Group, n, length int) int {
	return bucketWidthBelow(n*tableAdditions(g, length)*5/6, n, length)
}

func bucketWidthBelow(least, n, length int) (width int) {
	for w := 2; w <= 13; w++ {
		if additions := (length + w) / w * (n + 1<<w); additions < least {
			width, least = w, additions
		}
	}
	return width
}

// rowsMul is MultiMul in every column of the rows: the sum of scalars[i]·rows[i].
func rowsMul(g Group, scalars []kyber.Scalar, rows [][]kyber.Point) []kyber.Point {
	scalars, rows = alike(g, scalars, rows)
	ints, length := integers(g, scalars)
	width := bucketWidth(g, len(rows), length)
	if _, ok := g.(rowAdder); ok && len(rows[0]) >= longRow { // an addition takes half as long
		width = bucketWidthBelow(2*len(rows)*tableAdditions(g, length), len(rows), length)
	}
	if width > 0 {
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

// alike adds up rows whose scalars differ by their sign at most, as the weights of Lagrange
// do in pairs when the first t members take part: binomial coefficients again.
func alike(g Group, scalars []kyber.Scalar, rows [][]kyber.Point) (merged []kyber.Scalar, sums [][]kyber.Point) {
	type place struct {
		at       int
		negative bool
	}
	ints, _ := integers(g, scalars)
	places := make(map[limbs]place, len(ints))
	owned := make(map[int]bool) // which sums are not rows of the caller's
	for i, k := range ints {
		p, ok := places[k.limbs]
		if !ok {
			places[k.limbs] = place{len(sums), k.negative}
			merged, sums = append(merged, scalars[i]), append(sums, rows[i])
			continue
		}
		if !owned[p.at] {
			owned[p.at], sums[p.at] = true, clone(sums[p.at])
		}
		addAll(g, sums[p.at], sums[p.at], rows[i], k.negative != p.negative)
	}
	return merged, sums
}

// rowsOfOne are points as rows.
func rowsOfOne(points []kyber.Point) [][]kyber.Point {
	rows := make([][]kyber.Point, len(points))
	for i := range points {
		rows[i] = points[i : i+1]
	}
	return rows
}

// tableAdditions is what one point takes with a table. That of ristretto255's library is
// always of the same size.
func tableAdditions(g Group, length int) int {
	width := tableWidth(length)
	if g == Ristretto255 {
		width = 5
	}
	return 1<<(width-2) + length/(width+1)
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
	if width := bucketWidth(g, len(points), length); width > 0 {
		return bucketMul(g, ints, length, width, rowsOfOne(points))[0]
	}
	out := &blsPoint[F, P, C, CP]{}
	if g == G2 && length > 64 && len(points) <= fewPoints {
		sum := interleaved(quarters(ints), 64, fewTables(points))
		return any(out).(*g2Point).set(&sum)
	}
	vs := make([]*jacobian[F, P], len(points))
	for i, p := range points {
		vs[i] = &out.at(p).v
	}
	sum := interleaved(ints, length, oddMultiples(vs, tableWidth(length)))
	return out.set(&sum)
}

// tableWidth is the width of digits for which to make tables, of 2^(width-2) multiples
// each: short scalars have few digits.
func tableWidth(length int) int {
	switch {
	case length < 20:
		return 2
	case length < 64:
		return 3
	case length < 128:
		return 4
	}
	return 5
}

// oddMultiples are a table of 1, 3, 5, … times each point, affine.
func oddMultiples[F comparable, P field[F]](points []*jacobian[F, P], width int) [][]jacobian[F, P] {
	var w work[F]
	size := 1 << (width - 2)
	all, tables := make([]jacobian[F, P], 0, size*len(points)), make([][]jacobian[F, P], len(points))
	for i, p := range points {
		odd, twice := *p, *p
		if size > 1 {
			twice.double(&w)
		}
		for k := range size {
			if k > 0 {
				odd.add(&w, &odd, &twice)
			}
			all = append(all, odd)
		}
		tables[i] = all[len(all)-size:]
	}
	normalizeAll(all)
	return tables
}

// interleaved sums integers times points with one chain of doublings for all of them,
// the integers in signed digits (non-adjacent form), from tables of the points' odd
// multiples (Straus). Variable time.
func interleaved[F comparable, P field[F]](scalars []integer, length int, tables [][]jacobian[F, P]) (sum jacobian[F, P]) {
	digits := make([][]int8, len(scalars))
	for i := range scalars {
		digits[i] = scalars[i].nonAdjacent(length, bits.Len(uint(len(tables[i])))+1)
	}
	var w work[F]
	for bit := length; bit >= 0; bit-- {
		sum.double(&w)
		for i := range digits {
			switch d := digits[i][bit]; {
			case d > 0:
				sum.add(&w, &sum, &tables[i][d/2])
			case d < 0:
				minus := tables[i][-d/2]
				minus.neg()
				sum.add(&w, &sum, &minus)
			}
		}
	}
	return sum
}

// fewPoints is up to where doublings are so much of the work that images pay for
// themselves.
const fewPoints = 8

// fewTables are tables of points of G2 for quarters of scalars. Those of the generator, in
// every proof, are larger and at hand.
func fewTables(points []kyber.Point) [][]jacobian[fp2, *fp2] {
	var others []*jacobian[fp2, *fp2]
	tables := make([][]jacobian[fp2, *fp2], 4*len(points))
	for _, p := range points {
		if v := &p.(*g2Point).v; *v != g2Generator.v {
			others = append(others, v)
		}
	}
	made := oddMultiples(others, 5)
	for i, p := range points {
		of := &generatorTables
		if p.(*g2Point).v != g2Generator.v {
			all := images(made[0])
			of, made = &all, made[1:]
		}
		for part := range of {
			tables[part*len(points)+i] = of[part]
		}
	}
	return tables
}

var generatorTables = images(oddMultiples([]*jacobian[fp2, *fp2]{&g2Generator.v}, 8)[0])

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

// images are a table of multiples of a point of G2 and those of |u|, |u|² and |u|³ times it,
// which the endomorphism gives: ψ(P) = u·P, and u is negative. On all of the curve they are
// that up to small order.
func images(table []jacobian[fp2, *fp2]) (out [4][]jacobian[fp2, *fp2]) {
	out[0] = table
	for part := 1; part < 4; part++ {
		out[part] = make([]jacobian[fp2, *fp2], len(table))
		for i := range table {
			if p := &out[part-1][i]; !p.isIdentity() {
				x, y := psi(&p.x, &p.y)
				out[part][i].setAffine(&x, &y)
				out[part][i].neg()
			}
		}
	}
	return out
}
