package kernel

// Turned is the view that turns the picture by turns/2¹⁶ of a full turn
// (clockwise on screen) and magnifies it by zoom/ViewOne, in 1/16..16. The
// error wraps [ErrProgram].
func Turned(turns uint16, zoom int32) (View, error) {
	if zoom < ViewOne/16 || zoom > 16*ViewOne {
		return View{}, invalid("zoom %d, want %d..%d", zoom, ViewOne/16, 16*ViewOne)
	}
	// Entries are rounded to 2⁻¹⁶; cosine and sine come with 30 bits.
	s, c := turnSine(uint32(turns)<<16), turnSine(uint32(turns)<<16+1<<30)
	scale := func(v int64) int32 { return int32(floorDiv(v*ViewOne*ViewOne/int64(zoom)+1<<29, 1<<30)) }
	return View{XX: scale(c), XY: scale(s), YX: scale(-s), YY: scale(c)}, nil
}

// turnSine is the sine of a phase in 2⁻³² turns, times 2³⁰, by its Taylor
// series to the 15th power over a quarter turn, within 2⁻²⁷.
func turnSine(phase uint32) int64 {
	v := int64(int32(phase - 1<<30))
	if v < 0 {
		v = -v
	}
	// Radians times 2³⁰: π/2 of the signed distance from a quarter turn.
	const halfPi = 1686629713 // π/2 · 2³⁰
	x := (1<<30 - v) * (halfPi >> 2) >> 28
	sum, term := x, x
	for n := int64(3); n <= 15; n += 2 {
		term = -(term * x >> 30) * x >> 30 / ((n - 1) * n)
		sum += term
	}
	return sum
}

// place is the coordinate of eighth-pixel u along a side of n pixels, where the
// shorter side has m: (u - 4n)/(4m) units, rounded half up.
func place(u, n, m int) int32 {
	return int32(floorDiv(int64(u-4*n)*CoordinateOne+2*int64(m), 4*int64(m)))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// seen is the first layer behind the view: slopes and phases that take folded
// picture coordinates, a quarter turn early.
func (p *Program) seen() (px, py, pc []int32) {
	px, py, pc = make([]int32, p.Hidden), make([]int32, p.Hidden), make([]int32, p.Hidden)
	v := p.View
	for j := range px {
		a, b := int64(p.PhaseX[j]), int64(p.PhaseY[j])
		px[j] = int32((a*int64(v.XX) + b*int64(v.YX) + ViewOne/2) >> 16)
		py[j] = int32((a*int64(v.XY) + b*int64(v.YY) + ViewOne/2) >> 16)
		pc[j] = p.PhaseC[j] + int32(a*int64(v.X0)+b*int64(v.Y0)) - quarterFirst
	}
	return px, py, pc
}
