package engine

import (
	"context"
	"fmt"
	"math"

	"github.com/atelier-dao/atelier/model/kernel"
)

// contrast is the difference of neighbours, in levels of sRGB, from which a
// pixel takes four samples.
const contrast = 6. / 255

// rotated is where the four samples of a pixel lie, in eighths of a pixel from
// its centre: where phase-16 has them.
var rotated = [4][2]float32{{-1, -3}, {3, -1}, {-3, 1}, {1, 3}}

// tile draws one tile by colours of places, batch at a time.
func tile(ctx context.Context, w, h, tx, ty int, colours func(ctx context.Context, places []float32) ([]float32, error)) ([]byte, error) {
	const side = kernel.TileSide
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide || tx < 0 || ty < 0 || tx*side >= w || ty*side >= h {
		return nil, fmt.Errorf("%w: tile (%d, %d) of a picture of %d×%d", kernel.ErrSize, tx, ty, w, h)
	}
	place := func(u float32, n int) float32 { return (u - 4*float32(n)) / (4 * float32(min(w, h))) }
	places := make([]float32, 2*batch)
	sample := func() ([]float32, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out, err := colours(ctx, places)
		if err != nil {
			return nil, err
		}
		if len(out) != 3*batch {
			return nil, fmt.Errorf("the network returned %d numbers for %d places", len(out), batch)
		}
		return out, nil
	}
	for i := range batch {
		x, y := tx*side+i%side, ty*side+i/side
		places[2*i], places[2*i+1] = place(float32(8*x+4), w), place(float32(8*y+4), h)
	}
	centres, err := sample()
	if err != nil {
		return nil, err
	}
	centres = append([]float32(nil), centres...)
	wide, high := min(side, w-tx*side), min(side, h-ty*side)
	dst := make([]byte, 3*wide*high)
	var waiting []int // pixels that need more samples
	for i := range wide * high {
		x, y := i%wide, i/wide
		if edge(centres, x, y) {
			waiting = append(waiting, i)
			continue
		}
		for k, v := range centres[3*(y*side+x):][:3] {
			dst[3*i+k] = level(v)
		}
	}
	for len(waiting) > 0 {
		n := min(len(waiting), batch/len(rotated))
		for j, i := range waiting[:n] {
			x, y := float32(8*(tx*side+i%wide)+4), float32(8*(ty*side+i/wide)+4)
			for s, d := range rotated {
				at := 2 * (j*len(rotated) + s)
				places[at], places[at+1] = place(x+d[0], w), place(y+d[1], h)
			}
		}
		out, err := sample()
		if err != nil {
			return nil, err
		}
		for j, i := range waiting[:n] {
			for k := range 3 {
				sum := 0.
				for s := range rotated {
					sum += light(out[3*(j*len(rotated)+s)+k])
				}
				dst[3*i+k] = level(curve(sum / float64(len(rotated))))
			}
		}
		waiting = waiting[n:]
	}
	return dst, nil
}

// edge reports a pixel that differs from one left, right, above or below.
func edge(centres []float32, x, y int) bool {
	const side = kernel.TileSide
	at := func(x, y, k int) float32 { return centres[3*(y*side+x)+k] }
	for _, d := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		nx, ny := x+d[0], y+d[1]
		if nx < 0 || ny < 0 || nx >= side || ny >= side {
			continue
		}
		for k := range 3 {
			if d := at(x, y, k) - at(nx, ny, k); d > contrast || d < -contrast {
				return true
			}
		}
	}
	return false
}

// level is the byte of a channel in 0..1; what is no number is 0.
func level(v float32) byte {
	if !(v > 0) {
		return 0
	}
	return byte(min(v, 1)*255 + .5)
}

// light is sRGB to linear light, curve its inverse (IEC 61966-2-1).
func light(v float32) float64 {
	switch c := float64(v); {
	case !(c > 0):
		return 0
	case c <= .04045:
		return c / 12.92
	default:
		return math.Pow((min(c, 1)+.055)/1.055, 2.4)
	}
}

func curve(v float64) float32 {
	if v <= .0031308 {
		return float32(12.92 * v)
	}
	return float32(1.055*math.Pow(v, 1/2.4) - .055)
}
