package model

import (
	"bytes"
	"context"
	"fmt"

	"github.com/atelier-dao/atelier/model/kernel"
)

// A Morph is the way from one recipe's picture to another's of the same artist. It is
// immutable and safe for concurrent use.
//
// What is shown goes through the latent space, as in [Between]: so on its way each
// picture is one that the artist could draw. Colours, frame, sharpness and shadow that
// the recipes change go straight. Where one picture is the mirror image of the other's
// kind, no such way leads there: around the middle, where neither is itself, one
// dissolves into the other.
type Morph struct {
	artist   *Artist
	ends     [2]Recipe
	programs [2]*kernel.Program
	z        [2][]int64
	views    [2]kernel.View
}

// NewMorph prepares the way between two recipes. Errors are those of [Recipe.Program].
func NewMorph(a *Artist, from, to Recipe) (*Morph, error) {
	m := &Morph{artist: a, ends: [2]Recipe{from, to}}
	for i, r := range m.ends {
		p, err := r.Program(a)
		if err != nil {
			return nil, err
		}
		if m.z[i], m.views[i], err = a.between(r.Subjects); err != nil {
			return nil, err
		}
		m.programs[i] = p
	}
	return m, nil
}

// Eased is where a morph of some frames is at frame i, 0..WholeWeight: it begins and
// ends slowly. There and back, it is a loop: the frame after the last is the first.
func Eased(i, frames int, back bool) uint32 {
	u := uint64(0)
	switch {
	case back && 2*i <= frames:
		u = uint64(2*i) * WholeWeight / uint64(frames)
	case back:
		u = uint64(2*(frames-i)) * WholeWeight / uint64(frames)
	case frames > 1:
		u = uint64(i) * WholeWeight / uint64(frames-1)
	}
	return uint32(u * u * (3*WholeWeight - 2*u) >> 32)
}

// Dissolving begins and ends here, of WholeWeight.
const (
	dissolveFrom = WholeWeight * 3 / 8
	dissolveTo   = WholeWeight * 5 / 8
)

// Frame draws the picture at some part of the way, 0..WholeWeight, size×size pixels.
// At both ends it is the recipe's own picture to the bit. Errors are those of [Draw].
func (m *Morph) Frame(ctx context.Context, at uint32, size int, o RenderOptions) (*Picture, error) {
	programs, second, err := m.at(at)
	if err != nil {
		return nil, err
	}
	p, err := Draw(ctx, programs[0], size, size, o)
	if err != nil || len(programs) == 1 {
		return p, err
	}
	q, err := Draw(ctx, programs[1], size, size, o)
	if err != nil {
		return nil, err
	}
	for i, v := range q.RGB {
		p.RGB[i] = byte((uint32(p.RGB[i])*(WholeWeight-second) + uint32(v)*second + WholeWeight/2) / WholeWeight)
	}
	p.PixelRoot, err = kernel.PixelRoot(p.W, p.H, p.RGB)
	return p, err
}

// Check is [Check] of a frame: it tells which of the tiles are others in rgb. Errors are
// those of Check.
func (m *Morph) Check(ctx context.Context, at uint32, size int, rgb []byte, tiles []int, o RenderOptions) (differ []int, err error) {
	programs, _, err := m.at(at)
	if err != nil {
		return nil, err
	}
	if len(programs) == 1 {
		return Check(ctx, programs[0], size, size, rgb, tiles, o)
	}
	if len(rgb) != 3*size*size {
		return nil, fmt.Errorf("%w: %d bytes are no picture of %d×%d pixels", kernel.ErrSize, len(rgb), size, size)
	}
	frame, err := m.Frame(ctx, at, size, o)
	if err != nil {
		return nil, err
	}
	for _, i := range tiles {
		if i < 0 || i >= Tiles(size, size) {
			return nil, fmt.Errorf("%w: a tile that the picture of %d×%d pixels does not have", kernel.ErrSize, size, size)
		}
		r := TileAt(size, size, i)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			from, to := 3*(y*size+r.Min.X), 3*(y*size+r.Max.X)
			if !bytes.Equal(frame.RGB[from:to], rgb[from:to]) {
				differ = append(differ, i)
				break
			}
		}
	}
	return differ, nil
}

// at is the program at some part of the way, or two with the weight of the second.
func (m *Morph) at(at uint32) ([]*kernel.Program, uint32, error) {
	if at == 0 {
		return m.programs[:1], 0, nil
	}
	if at >= WholeWeight {
		return m.programs[1:], 0, nil
	}
	var blend mixture
	blend.add(m.z[0], m.views[0], WholeWeight-at)
	blend.add(m.z[1], m.views[1], at)
	z := blend.latent()
	var p [2]*kernel.Program
	for i, r := range m.ends {
		p[i] = m.artist.program(z)
		p[i].View = m.views[i]
		if err := r.change(m.artist, p[i]); err != nil {
			return nil, 0, err
		}
	}
	mean := func(a, b int32) int32 {
		return int32(shift(int64(a)*int64(WholeWeight-at)+int64(b)*int64(at), 16, 0))
	}
	for c, l := range p[0].Palette {
		k := p[1].Palette[c]
		l = kernel.Lab{L: mean(l.L, k.L), A: mean(l.A, k.A), B: mean(l.B, k.B)}
		p[0].Palette[c], p[1].Palette[c] = l, l
	}
	sharpness, depth := mean(p[0].Sharpness, p[1].Sharpness), mean(p[0].Shadow.Depth, p[1].Shadow.Depth)
	for _, q := range p {
		q.Sharpness, q.Shadow.Depth = sharpness, depth
	}
	v, w := p[0].View, p[1].View
	if v.MirrorX == w.MirrorX && v.MirrorY == w.MirrorY && mirrored(v) == mirrored(w) {
		blend.views = []kernel.View{v, w}
		p[0].View = blend.view()
		return p[:1], 0, p[0].Validate()
	}
	switch {
	case at <= dissolveFrom:
		return p[:1], 0, p[0].Validate()
	case at >= dissolveTo:
		return p[1:], 0, p[1].Validate()
	}
	return p[:], (at - dissolveFrom) * WholeWeight / (dissolveTo - dissolveFrom), nil
}
