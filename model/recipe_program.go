package model

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/atelier-dao/atelier/model/kernel"
)

// ErrOtherArtist reports a recipe of another artist than the one at hand.
var ErrOtherArtist = errors.New("the recipe is another artist's")

// Program turns the recipe into the network of its picture, with integers only, as
// [Artist.Fold] does for a plain one. Errors wrap [ErrRecipe], [ErrPrompt] or
// [ErrOtherArtist].
func (r Recipe) Program(a *Artist) (*kernel.Program, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if r.Artist != a.ID() {
		return nil, fmt.Errorf("%w: it is of artist %x…, these weights are of %x…: give the weights of that one", ErrOtherArtist, r.Artist[:8], a.id[:8])
	}
	z, view, err := a.between(r.Subjects)
	if err != nil {
		return nil, err
	}
	p := a.program(z)
	p.View = view
	if err := r.change(a, p); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecipe, err)
	}
	return p, nil
}

// between is the latent and the view between some subjects, by their weights. The
// latent is as long as theirs are on average: a mere mean would lie nearer to the
// middle of the latent space than anything that the artist learned, and look washed
// out. The view is that of the heaviest where it is the mirror image of another's.
func (a *Artist) between(subjects []Subject) ([]int64, kernel.View, error) {
	var blend mixture
	for i, s := range subjects {
		z, view, err := a.subject(s)
		if err != nil {
			return nil, view, err
		}
		if len(subjects) == 1 {
			return z, view, nil
		}
		if i > 0 && mirrored(view) != mirrored(blend.views[0]) {
			view = blend.views[0]
		}
		blend.add(z, view, s.Weight)
	}
	return blend.latent(), blend.view(), nil
}

// subject is the latent and the view of one subject.
func (a *Artist) subject(s Subject) ([]int64, kernel.View, error) {
	if s.Latent == "" {
		return a.latent(s.Prompt, s.Seed)
	}
	l, err := a.vocabulary.Decode(s.Latent)
	if err != nil {
		return nil, kernel.View{}, noRecipe("a subject's latent is of another vocabulary than the artist's")
	}
	return a.point(l, s.Seed)
}

// mixture gathers latents and views with weights, of WholeWeight in all.
type mixture struct {
	sums    []int64
	length  uint64 // mean of the latents' lengths × WholeWeight
	views   []kernel.View
	weights []int64
}

// latentLimit keeps what a hostile artist's latents add up to far from overflow.
const latentLimit = 1 << 26

func (m *mixture) add(z []int64, view kernel.View, weight uint32) {
	if m.sums == nil {
		m.sums = make([]int64, len(z))
	}
	limited := make([]int64, len(z))
	for j, v := range z {
		limited[j] = max(-latentLimit, min(latentLimit, v))
		m.sums[j] += limited[j] * int64(weight)
	}
	m.length += length(limited) * uint64(weight)
	m.views, m.weights = append(m.views, view), append(m.weights, int64(weight))
}

// latent is the weighed mean, made as long as the latents are; where they cancel each
// other, it is at most doubled.
func (m *mixture) latent() []int64 {
	z := make([]int64, len(m.sums))
	for j, s := range m.sums {
		z[j] = shift(s, 16, 0)
	}
	have, want := length(z), m.length>>16
	if have == 0 {
		return z
	}
	want = min(want, 2*have)
	for j, v := range z {
		z[j] = v * int64(want) / int64(have)
	}
	return z
}

func (m *mixture) view() kernel.View {
	mean := func(of func(kernel.View) int32) int32 {
		sum := int64(0)
		for i, v := range m.views {
			sum += int64(of(v)) * m.weights[i]
		}
		return int32(shift(sum, 16, 0))
	}
	v := m.views[0]
	v.XX, v.XY = mean(func(v kernel.View) int32 { return v.XX }), mean(func(v kernel.View) int32 { return v.XY })
	v.YX, v.YY = mean(func(v kernel.View) int32 { return v.YX }), mean(func(v kernel.View) int32 { return v.YY })
	v.X0, v.Y0 = mean(func(v kernel.View) int32 { return v.X0 }), mean(func(v kernel.View) int32 { return v.Y0 })
	return v
}

// mirrored says whether a view shows the mirror image. No way leads from one that does
// to one that does not but through a view that is flat.
func mirrored(v kernel.View) bool {
	return int64(v.XX)*int64(v.YY)-int64(v.XY)*int64(v.YX) < 0
}

// length is the root of the sum of squares, rounded down.
func length(z []int64) uint64 {
	sum := uint64(0)
	for _, v := range z {
		sum += uint64(v * v)
	}
	root := uint64(0)
	for bit := uint64(1) << (bits.Len64(sum) / 2); bit > 0; bit >>= 1 {
		if next := root + bit; next*next <= sum {
			root = next
		}
	}
	return root
}

// change applies what the recipe says beyond its subjects to their program.
func (r Recipe) change(a *Artist, p *kernel.Program) error {
	if of := r.Colours.Of; of != nil {
		z, _, err := a.subject(*of)
		if err != nil {
			return err
		}
		p.Palette = a.colours(z)
	}
	if err := r.Colours.dye(p.Palette); err != nil {
		return err
	}
	frame, err := r.Frame.view()
	if err != nil {
		return err
	}
	p.View = through(frame, p.View)
	p.Sharpness = int32(max(1, min(kernel.MaxSharpness, int64(p.Sharpness)*int64(r.Sharpness)/Unchanged)))
	p.Shadow.Depth = int32(min(kernel.LabOne/2, int64(p.Shadow.Depth)*int64(r.Shadow)/Unchanged))
	return nil
}

// leastChroma is what a colour that is given a hue has of it at least, so that greys
// take part: paper that was tinted, × kernel.LabOne.
const leastChroma = kernel.LabOne / 40

// dye turns hues, or replaces them.
func (c Colours) dye(palette []kernel.Lab) error {
	if c.Turned == 0 && len(c.Hues) == 0 {
		return nil
	}
	for i, l := range palette {
		if len(c.Hues) == 0 {
			cos, sin, err := direction(c.Turned)
			if err != nil {
				return err
			}
			a, b := int64(l.A), int64(l.B)
			palette[i].A, palette[i].B = chroma(a*cos-b*sin), chroma(a*sin+b*cos)
			continue
		}
		cos, sin, err := direction(c.Hues[i%len(c.Hues)])
		if err != nil {
			return err
		}
		strength := max(int64(length([]int64{int64(l.A), int64(l.B)})), leastChroma)
		palette[i].A, palette[i].B = chroma(strength*cos), chroma(strength*sin)
	}
	return nil
}

// chroma rounds a coordinate in units of 2⁻³² to a palette's.
func chroma(v int64) int32 { return clamp32(shift(v, 32, 16), kernel.LabOne/2) }

// direction is the cosine and sine of an angle in degrees, × 2¹⁶.
func direction(degrees uint16) (cos, sin int64, err error) {
	v, err := kernel.Turned(uint16((uint32(degrees)<<16+FullTurn/2)/FullTurn), kernel.ViewOne)
	return int64(v.XX), int64(v.XY), err
}

// view is the frame as a view of the artist's picture.
func (f Frame) view() (kernel.View, error) {
	v, err := kernel.Turned(f.Turn, int32(f.Zoom)*(kernel.ViewOne/ZoomOne))
	if err != nil {
		return v, err
	}
	v.MirrorX, v.MirrorY = f.MirrorX, f.MirrorY
	v.X0, v.Y0 = int32(f.X)*(kernel.CoordinateOne/CentreOne), int32(f.Y)*(kernel.CoordinateOne/CentreOne)
	return v, nil
}

// through is the view of what lies behind another view: first outer, then inner, which
// mirrors nothing.
func through(outer, inner kernel.View) kernel.View {
	row := func(x, y int32, at int32) (int32, int32, int32) {
		dot := func(a, b int32) int32 { return int32(shift(int64(x)*int64(a)+int64(y)*int64(b), 32, 16)) }
		return dot(outer.XX, outer.YX), dot(outer.XY, outer.YY), dot(outer.X0, outer.Y0) + at
	}
	v := kernel.View{MirrorX: outer.MirrorX, MirrorY: outer.MirrorY}
	v.XX, v.XY, v.X0 = row(inner.XX, inner.XY, inner.X0)
	v.YX, v.YY, v.Y0 = row(inner.YX, inner.YY, inner.Y0)
	return v
}
