package train

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"sort"
	"strings"

	"github.com/atelier-dao/atelier/model/latent"
)

// Limits of training pictures. They bound memory: a picture keeps side² bytes.
const (
	maxSide     = 96
	maxPictures = 4096
)

const ground = 255 // label of a transparent pixel

// papers is the number of palette entries for the ground, the first ones; what
// is left belongs to the subject, its largest part first.
const papers = latent.Papers

// A Picture is a training picture cut into few colours. A subject has
// transparent pixels and lies on any ground; a picture without fills its frame.
type Picture struct {
	Names   []string // what it is called, each some words with spaces between
	Subject bool
	side    int
	labels  []uint8   // side², an index into colours or ground
	colours []Lab     // largest area first
	edges   []int32   // pixels with a neighbour of another label
	parts   [][]int32 // pixels of each label
}

// ErrPicture reports a picture that cannot be trained on.
var ErrPicture = errors.New("unusable picture")

// Cut names a picture after name, where commas separate names that mean the
// same ("water wave, sea"), and reduces img to at most `colours` flat colours, or three fewer for a subject.
func Cut(name string, img image.Image, colours int) (Picture, error) {
	bounds := img.Bounds()
	if bounds.Dx() < 8 || bounds.Dy() < 8 {
		return Picture{}, fmt.Errorf("%w: it has %d×%d pixels, at least 8×8 are needed", ErrPicture, bounds.Dx(), bounds.Dy())
	}
	p := Picture{side: min(maxSide, bounds.Dx(), bounds.Dy())}
	for _, n := range strings.Split(name, ",") {
		if words := latent.Words(n); len(words) > 0 {
			p.Names = append(p.Names, strings.Join(words, " "))
		}
	}
	n := p.side * p.side
	var tones []tone
	index := map[[3]uint8]int32{}
	key := make([]int32, n)
	inside := 0
	for i := range n {
		x := bounds.Min.X + (i%p.side*2+1)*bounds.Dx()/(2*p.side)
		y := bounds.Min.Y + (i/p.side*2+1)*bounds.Dy()/(2*p.side)
		r, g, b, a := img.At(x, y).RGBA()
		if a < 0x8000 {
			p.Subject = true
			key[i] = -1
			continue
		}
		inside++
		rgb := [3]uint8{uint8(r * 0xff / a), uint8(g * 0xff / a), uint8(b * 0xff / a)}
		t, ok := index[rgb]
		if !ok {
			t = int32(len(tones))
			index[rgb] = t
			tones = append(tones, tone{lab: FromRGB(rgb[0], rgb[1], rgb[2])})
		}
		tones[t].pixels++
		key[i] = t
	}
	if inside*50 < n {
		return Picture{}, fmt.Errorf("%w: it is almost wholly transparent", ErrPicture)
	}
	if p.Subject {
		colours -= papers
	}
	p.labels, p.colours = flatten(tones, key, colours)
	p.parts = make([][]int32, len(p.colours))
	for i, l := range p.labels {
		x, y := i%p.side, i/p.side
		if l != ground {
			p.parts[l] = append(p.parts[l], int32(i))
		}
		if (x > 0 && p.labels[i-1] != l) || (y > 0 && p.labels[i-p.side] != l) ||
			(x+1 < p.side && p.labels[i+1] != l) || (y+1 < p.side && p.labels[i+p.side] != l) {
			p.edges = append(p.edges, int32(i))
		}
	}
	return p, nil
}

// A tone is a colour of a picture and the number of pixels that have it.
type tone struct {
	lab    Lab
	pixels float64
	label  uint8
}

// flatten finds at most k colours by k-means with farthest-point starts and
// labels the pixels with them; key[i] is the index of pixel i's tone, -1 for a
// transparent one. Colours come largest area first, those of less than 0.6 %
// of the picture merge into others.
func flatten(tones []tone, key []int32, k int) ([]uint8, []Lab) {
	centres := []Lab{mean(tones, func(tone) bool { return true })}
	for {
		for range 8 {
			assign(tones, centres)
			for j := range centres {
				centres[j] = mean(tones, func(t tone) bool { return int(t.label) == j })
			}
		}
		assign(tones, centres)
		if len(centres) == k {
			break
		}
		// The next centre is the coarse cell of colours that lies farthest in
		// sum over its pixels: a single odd pixel does not win.
		cells := map[[3]int]float64{}
		total := 0.
		for _, t := range tones {
			cells[cell(t.lab)] += t.pixels * distance(t.lab, centres[t.label])
			total += t.pixels
		}
		var far [3]int
		most := 0.
		for c, w := range cells {
			if w > most || (w == most && less(c, far)) {
				most, far = w, c
			}
		}
		if most/total < 1e-4 {
			break
		}
		centres = append(centres, mean(tones, func(t tone) bool { return cell(t.lab) == far }))
	}
	area, total := make([]float64, len(centres)), 0.
	for _, t := range tones {
		area[t.label] += t.pixels
		total += t.pixels
	}
	order := make([]int, 0, len(centres))
	for j := range centres {
		if area[j]*160 >= total {
			order = append(order, j)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return area[order[a]] > area[order[b]] })
	kept := make([]Lab, len(order))
	for i, j := range order {
		kept[i] = centres[j]
	}
	assign(tones, kept)
	labels := make([]uint8, len(key))
	for i, t := range key {
		if labels[i] = ground; t >= 0 {
			labels[i] = tones[t].label
		}
	}
	return labels, kept
}

// assign labels each tone with its nearest centre.
func assign(tones []tone, centres []Lab) {
	for i := range tones {
		best := math.Inf(1)
		for j, c := range centres {
			if d := distance(tones[i].lab, c); d < best {
				best, tones[i].label = d, uint8(j)
			}
		}
	}
}

// mean is the mean colour of the tones that belong; black if none does.
func mean(tones []tone, belongs func(tone) bool) (sum Lab) {
	pixels := 0.
	for _, t := range tones {
		if belongs(t) {
			for q := range sum {
				sum[q] += t.lab[q] * t.pixels
			}
			pixels += t.pixels
		}
	}
	for q := range sum {
		sum[q] /= max(1, pixels)
	}
	return sum
}

func cell(c Lab) [3]int {
	return [3]int{int(math.Floor(c[0] * 12)), int(math.Floor(c[1] * 24)), int(math.Floor(c[2] * 24))}
}

func less(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// Image is the picture in its flat colours, enlarged or shrunk to side pixels.
func (p Picture) Image(side int) *image.Paletted {
	palette := color.Palette{color.NRGBA{}}
	for _, c := range p.colours {
		r, g, b := c.RGB()
		palette = append(palette, color.NRGBA{r, g, b, 255})
	}
	img := image.NewPaletted(image.Rect(0, 0, side, side), palette)
	for i := range img.Pix {
		x, y := (i%side*2+1)*p.side/(2*side), (i/side*2+1)*p.side/(2*side)
		if l := p.labels[y*p.side+x]; l != ground {
			img.Pix[i] = 1 + l
		}
	}
	return img
}
