package model

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// LossEntry is a line of a training's log, training.jsonl.
type LossEntry struct {
	Step            int      `json:"step"`
	Loss            float64  `json:"loss"`               // running mean, in nats for a place
	HeldOut         *float64 `json:"held_out,omitempty"` // likewise on held-out places, where it was measured
	PlacesPerSecond float64  `json:"places_per_second"`  // learned since the entry before, by the clock on the wall
}

// Size and margins of a curve, in pixels.
const (
	curveWidth, curveHeight = 720, 400
	curveLeft, curveRight   = 56, 16
	curveTop, curveBottom   = 28, 32
)

var (
	inkColour     = color.NRGBA{0x2f, 0x2d, 0x33, 255}
	gridColour    = color.NRGBA{0xe4, 0xdf, 0xd8, 255}
	lossColour    = color.NRGBA{0x2f, 0x5c, 0xbf, 255}
	heldOutColour = color.NRGBA{0xc9, 0x5a, 0x43, 255}
)

// LossCurve draws losses over steps, the loss on a logarithmic axis.
func LossCurve(entries []LossEntry) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, curveWidth, curveHeight))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	low, high, last := math.Inf(1), math.Inf(-1), 1
	var loss, heldOut [][2]float64
	add := func(to *[][2]float64, step int, v float64) {
		if v > 1e-30 && v < 1e30 { // what can be told apart on the axis, with room above and below
			low, high, last = min(low, v), max(high, v), max(last, step)
			*to = append(*to, [2]float64{float64(step), v})
		}
	}
	for _, e := range entries {
		add(&loss, e.Step, e.Loss)
		if e.HeldOut != nil {
			add(&heldOut, e.Step, *e.HeldOut)
		}
	}
	if low > high {
		low, high = .5, 2
	}
	low, high = low/1.05, high*1.05
	at := func(step, v float64) (x, y float64) {
		return curveLeft + (curveWidth-curveLeft-curveRight)*step/float64(last),
			curveTop + (curveHeight-curveTop-curveBottom)*math.Log(high/v)/math.Log(high/low)
	}
	for _, v := range lossTicks(low, high) {
		_, y := at(0, v)
		line(img, curveLeft, y, curveWidth-curveRight, y, gridColour)
		write(img, 8, int(y)+4, strconv.FormatFloat(v, 'g', 3, 64), inkColour)
	}
	for n := range 5 {
		step := float64(last) * float64(n) / 4
		x, _ := at(step, low)
		line(img, x, curveTop, x, curveHeight-curveBottom, gridColour)
		text := strconv.Itoa(int(step))
		write(img, min(int(x)-7*len(text)/2, curveWidth-7*len(text)-2), curveHeight-12, text, inkColour)
	}
	write(img, curveLeft, 18, "loss while learning", lossColour)
	if heldOut != nil {
		write(img, curveLeft+180, 18, "loss on held-out places", heldOutColour)
	}
	path := func(points [][2]float64, c color.NRGBA) {
		for i, p := range points {
			from := points[max(0, i-1)]
			x0, y0 := at(from[0], from[1])
			x1, y1 := at(p[0], p[1])
			line(img, x0, y0, x1, y1, c)
			line(img, x0, y0+1, x1, y1+1, c)
		}
	}
	path(loss, lossColour)
	path(heldOut, heldOutColour)
	return img
}

// lossTicks are round losses between two, three or more of them.
func lossTicks(low, high float64) (ticks []float64) {
	for _, steps := range [][]float64{{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}, {1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9}} {
		ticks = nil
		for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
			for _, s := range steps {
				if v := s * math.Pow(10, e); v >= low && v <= high {
					ticks = append(ticks, v)
				}
			}
		}
		if len(ticks) >= 3 {
			break
		}
	}
	return ticks
}

func line(img *image.NRGBA, x0, y0, x1, y1 float64, c color.NRGBA) {
	n := int(math.Ceil(max(math.Abs(x1-x0), math.Abs(y1-y0), 1)))
	for i := range n + 1 {
		f := float64(i) / float64(n)
		img.SetNRGBA(int(x0+(x1-x0)*f), int(y0+(y1-y0)*f), c)
	}
}

func write(img *image.NRGBA, x, y int, text string, c color.NRGBA) {
	(&font.Drawer{Dst: img, Src: image.NewUniform(c), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}).DrawString(text)
}
