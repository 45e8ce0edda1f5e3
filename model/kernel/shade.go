package kernel

// light is a colour in linear sRGB, each channel in 0..linearOne-1.
type light [3]int32

// shader turns logits into colours for one program. It is read-only after
// newShader and safe for concurrent use.
type shader struct {
	t         *tables
	colours   int
	sharpness int64
	palette   [MaxColours]Lab
	depth     int64 // of the shadow
	width     int64
	flat      [MaxColours]light // the palette, unshaded
}

func newShader(p *Program) *shader {
	s := &shader{
		t:         sharedTables(),
		colours:   p.Colours,
		sharpness: int64(p.Sharpness),
		depth:     int64(p.Shadow.Depth),
		width:     int64(p.Shadow.Width),
	}
	copy(s.palette[:], p.Palette)
	for c := range p.Colours {
		s.flat[c] = lightOf(int64(p.Palette[c].L), int64(p.Palette[c].A), int64(p.Palette[c].B))
	}
	return s
}

// summit is the highest logit of a sample and its lead over the next.
func (s *shader) summit(l *[MaxColours]int32) (best int, lead int32) {
	first, second := l[0], int32(-1<<31)
	for c := 1; c < s.colours; c++ {
		switch v := l[c]; {
		case v > first:
			best, first, second = c, v, first
		case v > second:
			second = v
		}
	}
	return best, first - second
}

// signedLead is how far colour c leads the others; negative where it is behind.
func (s *shader) signedLead(l *[MaxColours]int32, c int) int64 {
	other := int32(-1 << 31)
	for d := range s.colours {
		if d != c && l[d] > other {
			other = l[d]
		}
	}
	return int64(l[c]) - int64(other)
}

// natural is the base-2 exponent, in steps, of the softmax weight of a colour
// that is behind by the given logits (× LogitOne, less than 2³¹).
func (s *shader) natural(behind int64) int64 {
	const log2e = 94548 // 2⁸·octave·log₂e
	return (behind * s.sharpness >> 16) * log2e >> 25
}

// light mixes the colours of a sample. best is the colour in front and lead its
// lead, slope the change of the lead over one pixel, span the exponent that such
// a change is worth at most: it keeps a transition from being narrower than the
// samples can show.
func (s *shader) light(l *[MaxColours]int32, best int, lead, slope, span int64) light {
	// The exponent grows with the distance, so where the next colour vanishes
	// they all do.
	if s.natural(lead) >= vanish && lead*span >= vanish*slope && s.shade(l, best) == 0 {
		return s.flat[best]
	}
	var sum, sl, sa, sb int64
	for c := range s.colours {
		behind := int64(l[best]) - int64(l[c])
		e := s.natural(behind)
		if behind*span < e*slope {
			e = behind * span / slope
		}
		if e >= vanish {
			continue
		}
		w := int64(s.t.halves[e%octave] >> (e / octave))
		k, dark := &s.palette[c], s.shade(l, c)
		sum += w
		sl += w * (int64(k.L) - dark)
		sa += w * int64(k.A)
		sb += w * int64(k.B)
	}
	return lightOf(floorDiv(sl, sum), floorDiv(sa, sum), floorDiv(sb, sum))
}

// shade is the lightness that colour c loses to the shadow of the colours above.
func (s *shader) shade(l *[MaxColours]int32, c int) int64 {
	if s.depth == 0 || c == s.colours-1 {
		return 0
	}
	above := l[c+1]
	for _, v := range l[c+2 : s.colours] {
		above = max(above, v)
	}
	margin := max(int64(l[c])-int64(above), 0)
	if margin >= s.width {
		return 0
	}
	q := (s.width - margin) << 15 / s.width
	return s.depth * q * q >> 30
}

// lightOf converts OKLab (× LabOne) to linear sRGB, clipping each channel.
// Matrices: Ottosson 2020, rounded to 2⁻²⁴ and 2⁻¹⁶.
func lightOf(l, a, b int64) light {
	const half = 1 << 23
	l = max(l, 0)
	x := cube(l + (6649445*a+3620586*b+half)>>24)
	y := cube(l - (1771025*a+1071295*b+half)>>24)
	z := cube(l - (1501295*a+21667532*b+half)>>24)
	return light{
		channel(267173*x - 216774*y + 15137*z),
		channel(-83128*x + 171033*y - 22369*z),
		channel(-275*x - 46099*y + 111910*z),
	}
}

// cube is v³ with 20 fractional bits, for v with 16.
func cube(v int64) int64 { return v * v * v >> 28 }

func channel(v int64) int32 { return int32(min(max((v+1<<19)>>20, 0), linearOne-1)) }
