package shamir

import "go.dedis.ch/kyber/v3"

// A row is a list of public points, such as the coefficients of a commitment. Rows are
// added place by place, which the curves do faster than point by point.

// rowAdder is a group that has a faster way to add rows.
type rowAdder interface {
	addAll(sum, a, b []kyber.Point, minus bool)
	normalize(row []kyber.Point) // so that addAll only reads it, and others may too
}

// addAll sets sum[i] to a[i]+b[i], or with minus to a[i]-b[i]. The rows are of one length.
// sum may be a or b, and the other one of them may be a row that begins with its second
// point: places are filled in their order. Points of b are not those of another place in a.
func addAll(g Group, sum, a, b []kyber.Point, minus bool) {
	if r, ok := g.(rowAdder); ok && len(sum) >= longRow {
		r.addAll(sum, a, b, minus)
		return
	}
	for i := range sum {
		if minus {
			sum[i].Sub(a[i], b[i])
		} else {
			sum[i].Add(a[i], b[i])
		}
	}
}

// settle makes a row that others will read, perhaps at the same time, fast to add.
func settle(g Group, row []kyber.Point) []kyber.Point {
	if r, ok := g.(rowAdder); ok {
		r.normalize(row)
	}
	return row
}

// longRow is from which length on the one inversion is worth it.
const longRow = 12

func identities(g Group, n int) []kyber.Point {
	row := make([]kyber.Point, n)
	for i := range row {
		row[i] = g.Point().Null()
	}
	return row
}

func clone(row []kyber.Point) []kyber.Point {
	out := make([]kyber.Point, len(row))
	for i, p := range row {
		out[i] = p.Clone()
	}
	return out
}

// addRow is addAll on a curve. It adds in affine coordinates, where a sum takes the least
// but for a division, and divides for all places at once (Montgomery's trick). Points that
// are not affine yet become so first. What these formulas do not cover, the identity and
// opposite points, goes the usual way.
func addRow[F comparable, P coordinate[F], C any, CP circlPoint[C]](sum, a, b []kyber.Point, minus bool) {
	var of blsPoint[F, P, C, CP]
	normalizeRow[F, P, C, CP](a, b)
	var acc, one, zero F
	P(&one).SetOne()
	acc = one
	// The slope is rise/run. A run of zero marks what goes the usual way.
	run, before := make([]F, len(sum)), make([]F, len(sum))
	for i := range sum {
		p, q := &of.at(a[i]).v, &of.at(b[i]).v
		if p.affine && q.affine {
			if P(&run[i]).Sub(&q.x, &p.x); run[i] == zero && (p.y == q.y) != minus {
				P(&run[i]).Add(&p.y, &p.y)
			}
		}
		if before[i] = acc; run[i] != zero {
			P(&acc).Mul(&acc, &run[i])
		}
	}
	P(&acc).Inv(&acc)
	for i := len(sum) - 1; i >= 0; i-- {
		if run[i] != zero {
			P(&before[i]).Mul(&before[i], &acc) // 1/run
			P(&acc).Mul(&acc, &run[i])
		}
	}
	var w work[F]
	rise, x, y := P(&w.a), P(&w.b), P(&w.c)
	for i := range sum {
		p, q := &of.at(a[i]).v, &of.at(b[i]).v
		out := of.at(sum[i])
		out.circl = nil
		if run[i] == zero {
			opposite := *q
			if minus {
				opposite.neg()
			}
			out.v.add(&w, p, &opposite)
			continue
		}
		switch {
		case p.x == q.x: // 3x²/2y
			x.Sqr(&p.x)
			rise.Add(&w.b, &w.b)
			rise.Add(&w.a, &w.b)
		case minus:
			rise.Add(&q.y, &p.y)
			rise.Neg()
		default:
			rise.Sub(&q.y, &p.y)
		}
		rise.Mul(&w.a, &before[i])
		x.Sqr(&w.a)
		x.Sub(&w.b, &p.x)
		x.Sub(&w.b, &q.x)
		y.Sub(&p.x, &w.b)
		y.Mul(&w.c, &w.a)
		y.Sub(&w.c, &p.y)
		out.v = jacobian[F, P]{x: w.b, y: w.c, z: one, affine: true}
	}
}

// normalizeRow makes the points of the rows affine, but for the identity.
func normalizeRow[F comparable, P coordinate[F], C any, CP circlPoint[C]](rows ...[]kyber.Point) {
	var of blsPoint[F, P, C, CP]
	var points []*jacobian[F, P]
	for _, row := range rows {
		for _, p := range row {
			if v := &of.at(p).v; !v.affine {
				points = append(points, v)
			}
		}
	}
	normalize(points)
}
