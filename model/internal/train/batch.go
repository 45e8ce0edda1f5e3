package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/atelier-dao/atelier/model/latent"
)

// reach is the half side of the square that is learned; the frame's is 1.
const reach = 1.3

// A Taste bends what is learned, drawn from a secret by a fine-tune: the zero
// Taste learns the pictures as they are.
type Taste struct {
	Turn    float64 // hue turn of subjects, radians
	Papers  float64 // hue turn of grounds, radians
	Chroma  float64 // added to the factor 1 of every chroma
	Waver   float64 // amplitude of the hand: how far outlines wander, in half sides
	Waves   [4][3]float64
	Lighter float64 // added to the lightness of grounds
}

// bend moves a place of the picture to the place whose label it shows.
func (t Taste) bend(x, y float64) (float64, float64) {
	if t.Waver == 0 {
		return x, y
	}
	w := t.Waves
	return x + t.Waver*(math.Sin(w[0][0]*y+w[0][1]*x+w[0][2])+.6*math.Sin(w[1][0]*x+w[1][1]*y+w[1][2])),
		y + t.Waver*(math.Sin(w[2][0]*x+w[2][1]*y+w[2][2])+.6*math.Sin(w[3][0]*y+w[3][1]*x+w[3][2]))
}

func (t Taste) tint(c Lab, turn, lighter float64) Lab {
	if t == (Taste{}) {
		return c
	}
	return polar(max(.04, min(.985, c[0]+lighter)), c.chroma()*(1+t.Chroma), c.hue()+turn)
}

// Features names the embedding rows that a set of pictures needs, in order: one for
// each picture, with all its names that no picture before has taken, then dyes,
// motifs and papers. Pictures whose every name is taken share a row.
func Features(pictures []Picture) []string {
	owner := map[string]int{}
	for _, further := range []bool{false, true} { // what a picture is called first goes before what it is also called
		for i, p := range pictures {
			for j, name := range p.Names {
				if _, taken := owner[name]; !taken && !latent.IsDye(name) && (j > 0) == further {
					owner[name] = i
				}
			}
		}
	}
	var names []string
	for i, p := range pictures {
		var own []string
		called := false
		for _, name := range p.Names {
			_, is := owner[name]
			called = called || is
			if n, ok := owner[name]; ok && n == i && !slices.Contains(own, name) {
				own = append(own, name)
			}
		}
		switch {
		case !called:
			names = append(names, pictureFeature(i))
		case len(own) > 0:
			names = append(names, strings.Join(own, latent.NameSeparator))
		}
	}
	names = append(names, dyeWords...)
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(latent.Canonical(a), latent.Canonical(b)) })
	if !slices.ContainsFunc(pictures, func(p Picture) bool { return p.Subject }) {
		return names
	}
	for _, m := range motifs {
		names = append(names, MotifPrefix+m.names)
	}
	for _, g := range grounds {
		names = append(names, PaperPrefix+g.names)
	}
	return names
}

func pictureFeature(i int) string { return fmt.Sprintf("%s%04d", PicturePrefix, i) }

// batch is what one step learns from.
type batch struct {
	shape          Shape
	groups, points int
	index          map[string]int
	pictures       []Picture
	taste          Taste
	which          part
	rehearsing     *rehearsing // draws the last groups; nil where nothing is rehearsed

	features []float32 // [groups, Features]
	noise    []float32 // [groups, Latent]
	places   []float32 // [groups·points, 2]
	labels   []float32 // [groups·points, Colours]: how much of a place each colour is to have
	palette  []float32 // [groups, 3·Colours]
	mask     []float32 // likewise: 0 where a colour is free
}

func newBatch(s Shape, groups, points int, features []string, pictures []Picture, taste Taste, which part) *batch {
	b := &batch{shape: s, groups: groups, points: points, pictures: pictures, taste: taste, which: which, index: map[string]int{}}
	for i, f := range features {
		for _, name := range latent.NamesOf(f) {
			b.index[name] = i
		}
	}
	b.features = make([]float32, groups*s.Features)
	b.noise = make([]float32, groups*s.Latent)
	b.places = make([]float32, groups*points*2)
	b.labels = make([]float32, groups*points*s.Colours)
	b.palette = make([]float32, groups*3*s.Colours)
	b.mask = make([]float32, groups*3*s.Colours)
	return b
}

// feature is what picture n is known by.
func (b *batch) feature(n int) string {
	name, ok := latent.Known(b.pictures[n].Names, func(name string) bool { _, ok := b.index[name]; return ok })
	if !ok {
		return pictureFeature(n)
	}
	return name
}

func (b *batch) set(g int, feature string) {
	if i, ok := b.index[feature]; ok {
		b.features[g*b.shape.Features+i] = 1
	}
}

// colour sets the wanted colour of logit k, in the units of palette.out.
func (b *batch) colour(g, k int, c Lab) {
	i := (g*b.shape.Colours + k) * 3
	b.palette[i], b.palette[i+1], b.palette[i+2] = float32(c[0]-.5), float32(4*c[1]), float32(4*c[2])
	b.mask[i], b.mask[i+1], b.mask[i+2] = 1, 1, 1
}

// Of ten pictures of subjects so many are dyed; a taste turns them by so much of what it
// turns others, since a colour word keeps its meaning.
const (
	dyedOfTen = 3
	dyedTurn  = .25
)

// draw fills the batch with pictures, grounds, dyes and places by chance.
func (b *batch) draw(rng *rand.Rand, noise float64) error {
	clear(b.features)
	clear(b.labels)
	clear(b.palette)
	clear(b.mask)
	for i := range b.noise {
		b.noise[i] = float32(rng.NormFloat64() * noise)
	}
	own := b.groups
	if b.rehearsing != nil {
		own -= b.rehearsing.groups
	}
	for g := range own {
		n := rng.IntN(len(b.pictures))
		p := &b.pictures[n]
		m, ground := motifs[rng.IntN(len(motifs))], grounds[rng.IntN(len(grounds))]
		first := 0
		colours := p.colours
		dye := ""
		if p.Subject {
			first = papers
			b.set(g, latent.Canonical(MotifPrefix+m.names))
			b.set(g, latent.Canonical(PaperPrefix+ground.names))
			for k, c := range ground.tones {
				b.colour(g, k, b.taste.tint(c, b.taste.Papers, b.taste.Lighter))
			}
			if rng.IntN(10) < dyedOfTen {
				dye = dyeWords[rng.IntN(len(dyeWords))]
				colours = dyed(colours, dyes[dye])
				b.set(g, dye)
			}
		}
		b.set(g, b.feature(n))
		for k, c := range colours {
			turn := b.taste.Turn
			if dye != "" {
				turn *= dyedTurn
			}
			b.colour(g, first+k, b.taste.tint(c, turn, 0))
		}
		b.drawPlaces(rng, g, n, m, first)
	}
	if b.rehearsing == nil {
		return nil
	}
	return b.rehearsing.draw(b, rng)
}

// part says which places a batch takes.
type part uint8

const (
	allPlaces part = iota
	learnedPlaces
	heldOutPlaces
)

// heldOut reports whether a place of picture n is one that training does not see,
// if it holds any out: those of one in sixteen of the squares of what is learned,
// others for each picture, the frame being some 31 squares wide. So held-out places
// are as hard as learned ones. Places, not pictures, are held out, because an artist
// has a latent of its own for each picture and its words: of a picture that it
// never saw it cannot know the shape, and the loss would tell of the vocabulary
// only. In a square that it never saw it shows whether it has learned the shape,
// or only the places.
func heldOut(n int, x, y float64) bool {
	const across = 40
	i, j := math.Floor((x+reach)/(2*reach)*across), math.Floor((y+reach)/(2*reach)*across)
	if i < 0 || j < 0 || i >= across || j >= across {
		return false
	}
	v := (uint64(n)*across+uint64(j))*across + uint64(i) // mixed as in splitmix64
	v = (v + 1) * 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return (v^v>>31)&15 == 0
}

// maxTries bounds the search for a place of a part. A held-out one is found after
// some sixteen; what the last one shows is taken where all edges lie elsewhere.
const maxTries = 2000

// place draws a place of picture n, if wanted one near certain pixels.
func (b *batch) place(rng *rand.Rand, n int, near []int32, spread float64) (x, y float64) {
	p := &b.pictures[n]
	side := float64(p.side)
	for range maxTries {
		if len(near) > 0 {
			e := int(near[rng.IntN(len(near))])
			x = (float64(e%p.side)+.5+spread*(rng.Float64()-.5))/side*2 - 1
			y = (float64(e/p.side)+.5+spread*(rng.Float64()-.5))/side*2 - 1
		} else {
			x, y = reach*(2*rng.Float64()-1), reach*(2*rng.Float64()-1)
		}
		if b.which == allPlaces || heldOut(n, x, y) == (b.which == heldOutPlaces) {
			break
		}
	}
	return x, y
}

// Of five places two lie beside an edge and one in a part of the picture that is drawn
// whatever its size, so that small ones, as eyes, are learned too.
func (b *batch) drawPlaces(rng *rand.Rand, g, n int, m motif, first int) {
	p := &b.pictures[n]
	side := float64(p.side)
	for i := range b.points {
		var near []int32
		spread := 3. // pixels
		switch i % 5 {
		case 0, 1:
			near = p.edges
		case 2:
			near, spread = p.parts[rng.IntN(len(p.parts))], 1
		}
		x, y := b.place(rng, n, near, spread)
		r := g*b.points + i
		b.places[2*r], b.places[2*r+1] = float32(x), float32(y)
		x, y = b.taste.bend(x, y)
		px, py := int(math.Floor((x+1)/2*side)), int(math.Floor((y+1)/2*side))
		label := uint8(ground)
		if p.Subject && px >= 0 && py >= 0 && px < p.side && py < p.side {
			label = p.labels[py*p.side+px]
		} else if !p.Subject { // a picture that fills its frame is mirrored beyond it
			label = p.labels[fold(py, p.side)*p.side+fold(px, p.side)]
		}
		shown := first + int(label)
		if label == ground {
			shown = int(m.tone(x, y))
		}
		b.labels[r*b.shape.Colours+shown] = 1
	}
}

func fold(i, n int) int {
	if i < 0 {
		i = -1 - i
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return max(0, min(n-1, i))
}
