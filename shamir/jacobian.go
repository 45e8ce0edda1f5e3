package shamir

// field is what the formulas of a short Weierstrass curve ask of its coordinates.
// The zero value of F is zero.
type field[F comparable] interface {
	*F
	Add(x, y *F)
	Sub(x, y *F)
	Mul(x, y *F)
	Sqr(x *F)
	Neg()
	Inv(x *F)
	SetOne()
}

// jacobian is a point (x/z², y/z³) of a curve y² = x³ + b; z = 0 is the identity. Its
// arithmetic is for public values: time and branches depend on them. It takes half as
// long as circl's, which is complete and of constant time. The zero value is the
// identity.
//
// Formulas: Bernstein and Lange, Explicit-Formulas Database, jacobian-0: dbl-2009-l,
// madd-2007-bl, add-2007-bl.
type jacobian[F comparable, P field[F]] struct {
	x, y, z F
	affine  bool // z = 1 is known
}

// work is what add and double put their intermediate values in: on the stack they would
// escape, because the compiler does not see through the methods of P.
type work[F any] struct{ a, b, c, d, e, f, g, h, i, j, k, l F }

func (p *jacobian[F, P]) setIdentity() { *p = jacobian[F, P]{} }

func (p *jacobian[F, P]) isIdentity() bool {
	var zero F
	return p.z == zero
}

func (p *jacobian[F, P]) neg() { P(&p.y).Neg() }

func (p *jacobian[F, P]) setAffine(x, y *F) {
	p.x, p.y, p.affine = *x, *y, true
	P(&p.z).SetOne()
}

// double sets p = 2p.
func (p *jacobian[F, P]) double(w *work[F]) {
	xx, yy, yyyy, s, m := P(&w.a), P(&w.b), P(&w.c), P(&w.d), P(&w.e)
	xx.Sqr(&p.x)
	yy.Sqr(&p.y)
	yyyy.Sqr(&w.b)
	s.Add(&p.x, &w.b)
	s.Sqr(&w.d)
	s.Sub(&w.d, &w.a)
	s.Sub(&w.d, &w.c)
	s.Add(&w.d, &w.d) // 4xy²
	m.Add(&w.a, &w.a)
	m.Add(&w.e, &w.a) // 3x²
	if p.affine {
		P(&p.z).Add(&p.y, &p.y)
	} else {
		P(&p.z).Mul(&p.y, &p.z)
		P(&p.z).Add(&p.z, &p.z)
	}
	P(&p.x).Sqr(&w.e)
	P(&p.x).Sub(&p.x, &w.d)
	P(&p.x).Sub(&p.x, &w.d)
	s.Sub(&w.d, &p.x)
	P(&p.y).Mul(&w.e, &w.d)
	for range 3 {
		yyyy.Add(&w.c, &w.c)
	}
	P(&p.y).Sub(&p.y, &w.c)
	p.affine = false
}

// add sets p = a + b. Any of them may be the same.
func (p *jacobian[F, P]) add(w *work[F], a, b *jacobian[F, P]) {
	switch {
	case a.isIdentity():
		*p = *b
		return
	case b.isIdentity():
		*p = *a
		return
	case a.affine && !b.affine:
		a, b = b, a
	}
	var zero F
	z1z1, u2, s2 := P(&w.a), P(&w.b), P(&w.c)
	z1z1.Sqr(&a.z)
	u2.Mul(&b.x, &w.a)
	s2.Mul(&b.y, &a.z)
	s2.Mul(&w.c, &w.a)
	z2z2, u1, s1 := P(&w.d), P(&w.e), P(&w.f)
	if b.affine {
		w.e, w.f = a.x, a.y
	} else {
		z2z2.Sqr(&b.z)
		u1.Mul(&a.x, &w.d)
		s1.Mul(&a.y, &b.z)
		s1.Mul(&w.f, &w.d)
	}
	h, r := P(&w.g), P(&w.h)
	h.Sub(&w.b, &w.e)
	r.Sub(&w.c, &w.f)
	if w.g == zero {
		if w.h != zero {
			p.setIdentity()
			return
		}
		*p = *a
		p.double(w)
		return
	}
	r.Add(&w.h, &w.h)
	i, jj, v := P(&w.i), P(&w.j), P(&w.k)
	z := P(&w.l)
	i.Sqr(&w.g)
	if b.affine { // (z₁+h)² - z₁² - h² = 2·z₁·h
		z.Add(&a.z, &w.g)
		z.Sqr(&w.l)
		z.Sub(&w.l, &w.a)
		z.Sub(&w.l, &w.i)
	} else { // ((z₁+z₂)² - z₁² - z₂²)·h
		z.Add(&a.z, &b.z)
		z.Sqr(&w.l)
		z.Sub(&w.l, &w.a)
		z.Sub(&w.l, &w.d)
		z.Mul(&w.l, &w.g)
	}
	for range 2 {
		i.Add(&w.i, &w.i) // 4h²
	}
	jj.Mul(&w.g, &w.i)
	v.Mul(&w.e, &w.i)
	s1.Mul(&w.f, &w.j)
	P(&p.x).Sqr(&w.h)
	P(&p.x).Sub(&p.x, &w.j)
	P(&p.x).Sub(&p.x, &w.k)
	P(&p.x).Sub(&p.x, &w.k)
	v.Sub(&w.k, &p.x)
	P(&p.y).Mul(&w.h, &w.k)
	s1.Add(&w.f, &w.f)
	P(&p.y).Sub(&p.y, &w.f)
	p.z, p.affine = w.l, false
}

// equal compares the points, not their coordinates.
func (p *jacobian[F, P]) equal(q *jacobian[F, P]) bool {
	if p.isIdentity() || q.isIdentity() {
		return p.isIdentity() == q.isIdentity()
	}
	var a, b, left, right F
	P(&a).Sqr(&p.z)
	P(&b).Sqr(&q.z)
	P(&left).Mul(&p.x, &b)
	P(&right).Mul(&q.x, &a)
	if left != right {
		return false
	}
	P(&a).Mul(&a, &p.z)
	P(&b).Mul(&b, &q.z)
	P(&left).Mul(&p.y, &b)
	P(&right).Mul(&q.y, &a)
	return left == right
}

// mulShort sets p = k·q for a public k, by doubling and adding.
func (p *jacobian[F, P]) mulShort(k uint64, q *jacobian[F, P]) {
	p.mulBits(64, func(bit int) bool { return k>>bit&1 == 1 }, q)
}

// mulBits is mulShort for an integer of the length in bits.
func (p *jacobian[F, P]) mulBits(length int, set func(bit int) bool, q *jacobian[F, P]) {
	var sum jacobian[F, P]
	var w work[F]
	for bit := length - 1; bit >= 0; bit-- {
		sum.double(&w)
		if set(bit) {
			sum.add(&w, &sum, q)
		}
	}
	*p = sum
}

// normalize sets z to 1 in all points but the identity, with one inversion for all. A
// point may be given twice.
func normalize[F comparable, P field[F]](points []*jacobian[F, P]) {
	var one, acc F
	P(&one).SetOne()
	acc = one
	rest, before := make([]*jacobian[F, P], 0, len(points)), make([]F, 0, len(points))
	for _, p := range points {
		if !p.affine && !p.isIdentity() {
			p.affine = true // soon
			rest, before = append(rest, p), append(before, acc)
			P(&acc).Mul(&acc, &p.z)
		}
	}
	if len(rest) == 0 {
		return
	}
	P(&acc).Inv(&acc)
	for i := len(rest) - 1; i >= 0; i-- {
		p := rest[i]
		var inv, square F
		P(&inv).Mul(&acc, &before[i])
		P(&acc).Mul(&acc, &p.z)
		P(&square).Sqr(&inv)
		P(&p.x).Mul(&p.x, &square)
		P(&square).Mul(&square, &inv)
		P(&p.y).Mul(&p.y, &square)
		p.z = one
	}
}

func normalizeAll[F comparable, P field[F]](points []jacobian[F, P]) {
	all := make([]*jacobian[F, P], len(points))
	for i := range points {
		all[i] = &points[i]
	}
	normalize(all)
}
