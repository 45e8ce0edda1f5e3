package model

import (
	"fmt"
	"math"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
)

// Fold turns prompt and seed into the network of one picture. It computes with
// integers only, so every machine gets the same program. It takes about a
// millisecond. Errors wrap [ErrPrompt].
func (a *Artist) Fold(prompt string, seed [32]byte) (*kernel.Program, error) {
	z, view, err := a.latent(prompt, seed)
	if err != nil {
		return nil, err
	}
	return a.drawn(z, view)
}

// drawn is the network of a point of the latent space, seen by a view.
func (a *Artist) drawn(z []int64, view kernel.View) (*kernel.Program, error) {
	p := a.program(z)
	p.View = view
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("fold: %w", err)
	}
	return p, nil
}

// latent is what prompt and seed say: a point of the latent space, and the view.
func (a *Artist) latent(prompt string, seed [32]byte) ([]int64, kernel.View, error) {
	c := latent.Chance(prompt, seed)
	r, err := a.read(prompt, c)
	if err != nil {
		return nil, kernel.View{}, err
	}
	z := r.z
	for j := range z {
		z[j] += shift(c.Normal()*int64(a.config.Noise), 28, 12)
	}
	if motifs := a.vocabulary.Motifs(); r.motif < 0 && len(motifs) > 0 {
		r.motif = motifs[c.Below(len(motifs))]
	}
	return a.finish(z, r.motif, r.paper, c)
}

// FoldLatent turns a latent into the network of one picture, as Fold does with a
// prompt. The seed decides the view and, where the latent leaves it open, the paper.
// Errors wrap [latent.ErrLatent].
func (a *Artist) FoldLatent(l latent.Latent, seed [32]byte) (*kernel.Program, error) {
	z, view, err := a.point(l, seed)
	if err != nil {
		return nil, err
	}
	return a.drawn(z, view)
}

// point is what latent and seed say: a point of the latent space, and the view.
func (a *Artist) point(l latent.Latent, seed [32]byte) ([]int64, kernel.View, error) {
	if err := a.vocabulary.Check(l); err != nil {
		return nil, kernel.View{}, err
	}
	z := make([]int64, a.config.Latent)
	for _, parts := range [][]latent.Part{l.Things, l.Dyes} {
		for _, p := range parts {
			row, _ := a.vocabulary.Row(p.Word)
			a.add(z, row, int64(p.Weight))
		}
	}
	for j, v := range l.Noise {
		z[j] += shift(int64(v)*int64(a.config.Noise), 16, 12) // NoiseOne is 2⁴
	}
	row := func(feature string) int {
		if i, ok := a.vocabulary.Row(feature); ok {
			return i
		}
		return -1
	}
	return a.finish(z, row(latent.MotifPrefix+l.Motif), row(latent.PaperPrefix+l.Paper), chance.New("latent", seed[:]))
}

// finish adds the ground, where one is named, and draws paper and view.
func (a *Artist) finish(z []int64, motif, paper int, c *chance.Stream) ([]int64, kernel.View, error) {
	if motif >= 0 {
		a.add(z, motif, 256)
	}
	z = a.choosePaper(z, paper, c)
	view, err := chooseView(c)
	if err != nil {
		return nil, kernel.View{}, fmt.Errorf("fold: %w", err)
	}
	return z, view, nil
}

// choosePaper adds the named paper to z or, where none is named, that of four
// drawn by the seed from which the subject stands out best.
func (a *Artist) choosePaper(z []int64, named int, c *chance.Stream) []int64 {
	with := func(row int) []int64 {
		sum := append([]int64(nil), z...)
		a.add(sum, row, 256)
		return sum
	}
	if named >= 0 {
		return with(named)
	}
	papers := a.vocabulary.Papers()
	if len(papers) == 0 {
		return z
	}
	best, most := z, int64(-1)
	for range 4 {
		candidate := with(papers[c.Below(len(papers))])
		p := a.colours(candidate)
		// The least difference of the main part from either paper counts full,
		// that of the two papers a quarter.
		main := p[latent.Papers]
		d := 4*min(difference(p[0], main), difference(p[1], main)) + difference(p[0], p[1])
		if d > most {
			best, most = candidate, d
		}
	}
	return best
}

// difference is the square of the distance of two colours, hue weighed double.
func difference(a, b kernel.Lab) int64 {
	l, p, q := int64(a.L-b.L), int64(a.A-b.A), int64(a.B-b.B)
	return l*l + 4*(p*p+q*q)
}

// chooseView turns by up to 6°, zooms by up to an eighth, moves by up to 1/20
// and flips every second picture: no further than the ground was learned.
func chooseView(c *chance.Stream) (kernel.View, error) {
	turns := uint16(c.Between(-1092, 1092))
	v, err := kernel.Turned(turns, c.Between(kernel.ViewOne*9/10, kernel.ViewOne*9/8))
	if err != nil {
		return v, err
	}
	if c.Uint16()&1 == 1 {
		v.XX, v.XY = -v.XX, -v.XY
	}
	v.X0, v.Y0 = c.Between(-kernel.CoordinateOne/20, kernel.CoordinateOne/20), c.Between(-kernel.CoordinateOne/20, kernel.CoordinateOne/20)
	return v, nil
}

// program evaluates the latent network for z and writes its scales and shifts
// into the weights of a picture.
func (a *Artist) program(z []int64) *kernel.Program {
	c := a.config
	h := c.Hidden
	p := &kernel.Program{
		Hidden: h, Layers: c.Layers, Colours: c.Colours,
		Sharpness: c.Sharpness, Palette: a.colours(z),
		Shadow: kernel.Shadow{Depth: c.ShadowDepth, Width: c.ShadowWidth}, View: kernel.Identity(),
	}
	u := a.squash(z, "mapping.w", "mapping.b", c.Mapping)
	for l := range c.Layers {
		name := fmt.Sprintf("layer.%d.", l)
		w, ew := a.tensors[name+"w"], c.Exponents[name+"w"]
		b, eb := a.tensors[name+"b"], c.Exponents[name+"b"]
		scales, es := a.multiply(u, name+"scale", h)
		shifts, eh := a.multiply(u, name+"shift", h)
		// A weight times its scale keeps the layer's unit ew + 14.
		scaled := func(k, j int) int64 { return int64(w[k*h+j]) * (1<<14 + shift(scales[j], es, 14)) }
		phase := func(j, unit int) int64 { return shift(shifts[j], eh, unit) + shift(int64(b[j]), eb, unit) }
		if l == 0 {
			p.PhaseX, p.PhaseY, p.PhaseC = make([]int32, h), make([]int32, h), make([]int32, h)
			for j := range h {
				p.PhaseX[j] = clamp32(shift(scaled(0, j), ew+14, 16), kernel.MaxSlope)
				p.PhaseY[j] = clamp32(shift(scaled(1, j), ew+14, 16), kernel.MaxSlope)
				p.PhaseC[j] = int32(uint32(phase(j, 32)))
			}
			continue
		}
		weights, biases := make([]int16, h*h), make([]int32, h)
		for j := range h {
			for k := range h {
				weights[j*h+k] = int16(clamp32(shift(scaled(k, j), ew+14, 13), math.MaxInt16))
			}
			biases[j] = int32(uint32(phase(j, 27)))
		}
		p.Weights, p.Biases = append(p.Weights, weights), append(p.Biases, biases)
	}
	a.head(p, u)
	return p
}

// head writes the logits' weights. Where a logit could pass the kernel's bound
// all are halved, with the shadow's width, and the sharpness doubled until none can.
func (a *Artist) head(p *kernel.Program, u []int64) {
	c := a.config
	h, k := c.Hidden, c.Colours
	w, ew := a.tensors["head.w"], c.Exponents["head.w"]
	b, eb := a.tensors["head.b"], c.Exponents["head.b"]
	shifts, eh := a.multiply(u, "head.shift", k)
	p.Head, p.HeadBias = make([]int16, h*k), make([]int32, k)
	for halved := 0; ; halved++ {
		most := int64(0)
		for j := range k {
			bias := shift(shifts[j], eh, 25-halved) + shift(int64(b[j]), eb, 25-halved)
			p.HeadBias[j] = clamp32(bias, math.MaxInt32)
			sum := max(bias, -bias)
			for i := range h {
				v := clamp32(shift(int64(w[i*k+j]), ew, 11-halved), math.MaxInt16)
				p.Head[j*h+i] = int16(v)
				sum += int64(max(v, -v)) * kernel.ActivationOne
			}
			most = max(most, sum)
		}
		if most <= kernel.MaxLogit {
			p.Sharpness = int32(min(int64(c.Sharpness)<<halved, kernel.MaxSharpness))
			p.Shadow.Width = max(1, p.Shadow.Width>>halved)
			return
		}
	}
}

// colours evaluates the palette for z.
func (a *Artist) colours(z []int64) []kernel.Lab {
	u := a.squash(z, "palette.in.w", "palette.in.b", a.config.Palette)
	v, e := a.multiply(u, "palette.out.w", 3*a.config.Colours)
	b, eb := a.tensors["palette.out.b"], a.config.Exponents["palette.out.b"]
	at := func(i, unit int) int64 { return shift(v[i], e, unit) + shift(int64(b[i]), eb, unit) }
	out := make([]kernel.Lab, a.config.Colours)
	for k := range out {
		out[k] = kernel.Lab{
			L: int32(max(0, min(kernel.LabOne, at(3*k, 16)+kernel.LabOne/2))),
			A: clamp32(at(3*k+1, 14), kernel.LabOne/2),
			B: clamp32(at(3*k+2, 14), kernel.LabOne/2),
		}
	}
	return out
}

// squash is softsign(z·w + b) in units of 2⁻¹⁴; x/(1+|x|) is exact up to one
// truncated division.
func (a *Artist) squash(z []int64, w, b string, n int) []int64 {
	sums, e := make([]int64, n), 12+a.config.Exponents[w]
	for i, v := range z {
		for j, x := range a.tensors[w][i*n : (i+1)*n] {
			sums[j] += v * int64(x)
		}
	}
	for j := range sums {
		x := shift(sums[j], e, 16) + shift(int64(a.tensors[b][j]), a.config.Exponents[b], 16)
		x = max(-1<<40, min(1<<40, x)) // only a hostile file comes near
		sums[j] = x << 14 / (1<<16 + max(x, -x))
	}
	return sums
}

// multiply is u·w for u in units of 2⁻¹⁴, and the unit's exponent.
func (a *Artist) multiply(u []int64, w string, n int) ([]int64, int) {
	sums := make([]int64, n)
	for i, v := range u {
		for j, x := range a.tensors[w][i*n : (i+1)*n] {
			sums[j] += v * int64(x)
		}
	}
	return sums, 14 + a.config.Exponents[w]
}

// shift converts v from units of 2⁻ᶠʳᵒᵐ to 2⁻ᵗᵒ, rounding half up.
func shift(v int64, from, to int) int64 {
	if to >= from {
		return v << (to - from)
	}
	d := from - to
	return (v + 1<<(d-1)) >> d
}

func clamp32(v int64, limit int64) int32 { return int32(max(-limit, min(limit, v))) }
