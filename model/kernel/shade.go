package kernel

import "math/bits"

const (
	log2e = 94548   // 2⁸·octave·log₂e
	far   = 1 << 40 // more than two logits can differ
)

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
	width     int64 // of the shadow; without one, less than any margin
	// gentle is a slope for each step of the span: up to it the span bounds nothing.
	gentle int64
	flat   [MaxColours]light // the palette, unshaded
}

func newShader(p *Program) *shader {
	s := &shader{
		t:         sharedTables(),
		colours:   p.Colours,
		sharpness: int64(p.Sharpness),
		depth:     int64(p.Shadow.Depth),
		width:     int64(p.Shadow.Width),
	}
	s.gentle = 1 << 41 / (s.sharpness * log2e)
	if s.depth == 0 {
		s.width = -far
	}
	copy(s.palette[:], p.Palette)
	for c := range p.Colours {
		s.flat[c] = lightOf(int64(p.Palette[c].L), int64(p.Palette[c].A), int64(p.Palette[c].B))
	}
	return s
}

// signedLead is how far colour c leads the others in sample i; negative where it is
// behind.
func (s *shader) signedLead(l *logits, i, c int) int64 {
	other := int32(-1 << 31)
	for d := range s.colours {
		if d != c {
			other = max(other, l[d%MaxColours][i])
		}
	}
	return int64(l[c][i]) - int64(other)
}

// natural is the base-2 exponent, in steps, of the softmax weight of a colour
// that is behind by the given logits (× LogitOne, less than 2³¹).
func (s *shader) natural(behind int64) int64 {
	return (behind * s.sharpness >> 16) * log2e >> 25
}

// light mixes the colours of sample i. slope is the change of the lead over one
// pixel, span the exponent that such a change is worth at most: it keeps a
// transition from being narrower than the samples can show.
func (s *shader) light(of *samples, i int, slope, span int64) light {
	l, best, lead := &of.logits, int(of.best[i]), int64(of.lead[i])
	// The exponent grows with the distance, so where the next colour vanishes
	// they all do.
	if s.natural(lead) >= vanish && lead*span >= vanish*slope && (lead >= s.width || s.margin(l, i, best) >= s.width) {
		return s.flat[best]
	}
	var weights [MaxColours]int64
	s.weigh(&weights, l, i, best, slope, span)
	var sum, sl, sa, sb int64
	for c, w := range weights[:s.colours] {
		k := &s.palette[c]
		sum += w
		sl += w * int64(k.L)
		sa += w * int64(k.A)
		sb += w * int64(k.B)
	}
	if s.depth > 0 {
		above := int64(l[s.colours-1][i])
		for c := s.colours - 2; c >= 0; c-- {
			v := int64(l[c][i])
			if weights[c] > 0 && v-above < s.width {
				sl -= weights[c] * s.shade(v-above)
			}
			above = max(above, v)
		}
	}
	inverse := 1<<60/uint64(sum) + 1
	return lightOf(mean(sl, sum, inverse), mean(sa, sum, inverse), mean(sb, sum, inverse))
}

// weigh sets the weights of the colours of sample i in its mix; the foremost has 2¹⁶.
func (s *shader) weigh(weights *[MaxColours]int64, l *logits, i, best int, slope, span int64) {
	front, steep := int64(l[best][i]), slope > span*s.gentle
	for c := range weights[:s.colours] {
		behind := front - int64(l[c][i])
		e := s.natural(behind)
		if steep && behind*span < e*slope {
			e = behind * span / slope
		}
		w := s.t.halves[uint64(e)%octave] >> (uint64(e) / octave % 32)
		if e >= vanish {
			w = 0
		}
		weights[c] = int64(w)
	}
}

// mean is v/sum, rounded down, for |v| ≤ 2¹⁶·sum and sum ≤ 2¹⁹; inverse is
// ⌊2⁶⁰/sum⌋ + 1. One division so serves three means: the product is too large by
// 2¹⁷·sum/2⁶⁰ at most, less than the 1/sum that a quotient can lack of a whole number.
func mean(v, sum int64, inverse uint64) int64 {
	hi, lo := bits.Mul64(uint64(v+sum<<16), inverse)
	return int64(hi<<4|lo>>60) - 1<<16
}

// margin is how far colour c of sample i leads the colours above it.
func (s *shader) margin(l *logits, i, c int) int64 {
	above := int64(-far)
	for d := c + 1; d < s.colours; d++ {
		above = max(above, int64(l[d%MaxColours][i]))
	}
	return int64(l[c][i]) - above
}

// shade is the lightness that a colour loses to the shadow of the colours above it,
// which it leads by margin.
func (s *shader) shade(margin int64) int64 {
	q := (s.width - max(margin, 0)) << 15 / s.width
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
