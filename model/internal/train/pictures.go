package train

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"sort"
	"strings"
)

// Limits of training pictures. They bound memory: a picture keeps side² bytes.
const (
	maxSide     = 96
	maxPictures = 4096
)

const ground = 255 // label of a transparent pixel

// papers is the number of palette entries for the ground, the first ones; what
// is left belongs to the subject, its largest part first.
const papers = 2

// A Picture is a training picture cut into few colours. A subject has
// transparent pixels and lies on any ground; a picture without fills its frame.
type Picture struct {
	Names   [][]string // each a list of words; training takes one by chance
	Subject bool
	side    int
	labels  []uint8 // side², an index into colours or ground
	colours []Lab   // largest area first
	edges   []int32 // pixels with a neighbour of another label
}

// ErrPicture reports a picture that cannot be trained on.
var ErrPicture = errors.New("train: unusable picture")

// Cut names a picture after name, where commas separate names that mean the
// same ("water wave, sea"), and reduces img to at most `colours` flat colours, or two fewer for a subject.
func Cut(name string, img image.Image, colours int) (Picture, error) {
	bounds := img.Bounds()
	if bounds.Dx() < 8 || bounds.Dy() < 8 {
		return Picture{}, fmt.Errorf("%w: %s is %d×%d pixels, want at least 8×8", ErrPicture, name, bounds.Dx(), bounds.Dy())
	}
	p := Picture{side: min(maxSide, bounds.Dx(), bounds.Dy())}
	for _, n := range strings.Split(name, ",") {
		if words := Words(n); len(words) > 0 {
			p.Names = append(p.Names, words)
		}
	}
	n := p.side * p.side
	lab, solid := make([]Lab, n), make([]bool, n)
	inside := 0
	for i := range n {
		x := bounds.Min.X + (i%p.side*2+1)*bounds.Dx()/(2*p.side)
		y := bounds.Min.Y + (i/p.side*2+1)*bounds.Dy()/(2*p.side)
		r, g, b, a := img.At(x, y).RGBA()
		if a < 0x8000 {
			p.Subject = true
			continue
		}
		solid[i] = true
		inside++
		lab[i] = FromRGB(uint8(r*0xff/a), uint8(g*0xff/a), uint8(b*0xff/a))
	}
	if inside*50 < n {
		return Picture{}, fmt.Errorf("%w: %s is almost wholly transparent", ErrPicture, name)
	}
	if p.Subject {
		colours -= papers
	}
	p.labels, p.colours = flatten(lab, solid, colours)
	for i, l := range p.labels {
		x, y := i%p.side, i/p.side
		if (x > 0 && p.labels[i-1] != l) || (y > 0 && p.labels[i-p.side] != l) ||
			(x+1 < p.side && p.labels[i+1] != l) || (y+1 < p.side && p.labels[i+p.side] != l) {
			p.edges = append(p.edges, int32(i))
		}
	}
	return p, nil
}

// flatten is k-means with farthest-point starts. Clusters too alike or too
// small merge into their neighbour.
func flatten(lab []Lab, solid []bool, k int) ([]uint8, []Lab) {
	var mean Lab
	count := 0.
	for i, c := range lab {
		if solid[i] {
			for q := range mean {
				mean[q] += c[q]
			}
			count++
		}
	}
	for q := range mean {
		mean[q] /= count
	}
	centres := []Lab{mean}
	for {
		labels := make([]uint8, len(lab))
		for range 8 {
			sums, sizes := make([]Lab, len(centres)), make([]float64, len(centres))
			for i, c := range lab {
				if !solid[i] {
					labels[i] = ground
					continue
				}
				best := math.Inf(1)
				for j, m := range centres {
					if d := distance(c, m); d < best {
						best, labels[i] = d, uint8(j)
					}
				}
				j := labels[i]
				for q := range c {
					sums[j][q] += c[q]
				}
				sizes[j]++
			}
			for j := range centres {
				if sizes[j] > 0 {
					for q := range mean {
						centres[j][q] = sums[j][q] / sizes[j]
					}
				}
			}
		}
		if len(centres) == k {
			return tidy(lab, solid, labels, centres)
		}
		// The next centre is the colour whose pixels lie farthest in sum: a
		// histogram of coarse cells keeps a single odd pixel from winning.
		weight := map[[3]int]float64{}
		sum := map[[3]int]Lab{}
		size := map[[3]int]float64{}
		for i, c := range lab {
			if solid[i] {
				cell := [3]int{int(math.Floor(c[0] * 12)), int(math.Floor(c[1] * 24)), int(math.Floor(c[2] * 24))}
				weight[cell] += distance(c, centres[labels[i]])
				s := sum[cell]
				for q := range c {
					s[q] += c[q]
				}
				sum[cell] = s
				size[cell]++
			}
		}
		var far [3]int
		most := 0.
		for cell, w := range weight {
			if w > most || (w == most && less(cell, far)) {
				most, far = w, cell
			}
		}
		if most/count < 1e-4 {
			return tidy(lab, solid, labels, centres)
		}
		c := sum[far]
		for q := range c {
			c[q] /= size[far]
		}
		centres = append(centres, c)
	}
}

func less(a, b [3]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// tidy orders the clusters by area, drops those below 0.6 % and relabels.
func tidy(lab []Lab, solid []bool, labels []uint8, centres []Lab) ([]uint8, []Lab) {
	area := make([]int, len(centres))
	total := 0
	for i, l := range labels {
		if solid[i] {
			area[l]++
			total++
		}
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
	for i := range labels {
		if !solid[i] {
			continue
		}
		best := math.Inf(1)
		for j, m := range kept {
			if d := distance(lab[i], m); d < best {
				best, labels[i] = d, uint8(j)
			}
		}
	}
	return labels, kept
}

// Words splits a name or prompt into its lower-case words. Digits and marks
// separate; "of", "the" and their like are left out.
func Words(name string) []string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !letter(r) }) {
		if !filler[w] {
			words = append(words, w)
		}
	}
	return words
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r > 127 }

var filler = map[string]bool{"a": true, "an": true, "and": true, "at": true, "by": true, "for": true, "from": true, "in": true, "into": true, "is": true, "it": true,
	"its": true, "of": true, "on": true, "or": true, "over": true, "the": true, "to": true, "under": true, "with": true, "without": true, "that": true, "my": true, "me": true}

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
