package main

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
)

const side = 32 // pixels of a picture that the public looks at

// A glance is what can be measured in a picture, and its pixels in OKLab.
type glance struct {
	measures [8]float64 // see look
	pixels   []float64  // 8×8 places, three numbers each
}

// look draws a latent with the artist and measures the picture: lightness, warmth,
// colourfulness, contrast, detail, how the middle differs from the rim, how the top
// differs from the bottom, and how alike left and right are.
func look(ctx context.Context, artist *model.Artist, l latent.Latent, seed [32]byte) (glance, error) {
	program, err := artist.FoldLatent(l, seed)
	if err != nil {
		return glance{}, err
	}
	p, err := kernel.Render(ctx, program, side, side, kernel.Options{Workers: 1})
	if err != nil {
		return glance{}, err
	}
	var lab [side][side][3]float64
	for i := range side * side {
		lab[i/side][i%side] = oklab(p.RGB[3*i], p.RGB[3*i+1], p.RGB[3*i+2])
	}
	var g glance
	m := &g.measures
	var middle, rim, top, bottom [3]float64
	mean := 0.
	for y := range side {
		for x := range side {
			c := lab[y][x]
			mean += c[0] / side / side
			m[1] += c[1] + c[2]
			m[2] += math.Hypot(c[1], c[2])
			if x > 0 && y > 0 {
				m[4] += apart(c, lab[y][x-1]) + apart(c, lab[y-1][x])
			}
			m[7] -= apart(c, lab[y][side-1-x])
			for k := range c {
				if inside := x >= side/4 && x < side*3/4 && y >= side/4 && y < side*3/4; inside {
					middle[k] += c[k] * 4 / side / side
				} else {
					rim[k] += c[k] * 4 / 3 / side / side
				}
				if y < side/2 {
					top[k] += c[k] * 2 / side / side
				} else {
					bottom[k] += c[k] * 2 / side / side
				}
			}
		}
	}
	m[0], m[5], m[6] = mean, apart(middle, rim), apart(top, bottom)
	for y := range side {
		for x := range side {
			m[3] += (lab[y][x][0] - mean) * (lab[y][x][0] - mean)
		}
	}
	m[3] = math.Sqrt(m[3])
	for y := range 8 {
		for x := range 8 {
			var sum [3]float64
			for dy := range side / 8 {
				for dx := range side / 8 {
					for k, v := range lab[y*side/8+dy][x*side/8+dx] {
						sum[k] += v * 64 / side / side
					}
				}
			}
			g.pixels = append(g.pixels, sum[:]...)
		}
	}
	return g, nil
}

// far is how unlike two pictures are: the mean distance of their places.
func (g glance) far(h glance) float64 {
	sum := 0.
	for k, v := range g.pixels {
		sum += (v - h.pixels[k]) * (v - h.pixels[k])
	}
	return math.Sqrt(sum * 3 / float64(len(g.pixels)))
}

func apart(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

// oklab converts 8-bit sRGB. Source: Björn Ottosson, 2020.
func oklab(r, g, b byte) [3]float64 {
	linear := func(v byte) float64 {
		x := float64(v) / 255
		if x <= .04045 {
			return x / 12.92
		}
		return math.Pow((x+.055)/1.055, 2.4)
	}
	x, y, z := linear(r), linear(g), linear(b)
	l := math.Cbrt(.4122214708*x + .5363325363*y + .0514459929*z)
	m := math.Cbrt(.2119034982*x + .6806995451*y + .1073969566*z)
	s := math.Cbrt(.0883024619*x + .2817188376*y + .6299787005*z)
	return [3]float64{
		.2104542553*l + .7936177850*m - .0040720468*s,
		1.9779984951*l - 2.4285922050*m + .4505937099*s,
		.0259040371*l + .7827717662*m - .8086757660*s,
	}
}

// families are subjects that one public or another is fond of.
var families = [][]string{
	{"bird", "owl", "parrot", "eagle", "swan", "duck", "penguin", "rooster", "peacock", "flamingo", "dove", "robin", "raven", "goose", "turkey", "chick"},
	{"fish", "whale", "dolphin", "octopus", "crab", "lobster", "shell", "seashell", "shark", "squid", "shrimp", "coral", "turtle", "seal", "blowfish"},
	{"flower", "rose", "tulip", "sunflower", "lotus", "hibiscus", "blossom", "daisy", "lily", "lavender", "bouquet", "hyacinth", "leaf", "herb", "maple"},
	{"moon", "star", "sun", "comet", "planet", "saturn", "rocket", "galaxy", "night", "stars", "eclipse", "universe", "earth", "ufo", "sparkle"},
	{"apple", "pear", "lemon", "banana", "cherries", "strawberry", "grapes", "peach", "melon", "mango", "kiwi", "pineapple", "watermelon", "tomato", "orange"},
	{"mountain", "volcano", "island", "desert", "house", "castle", "church", "temple", "hut", "sunset", "sunrise", "tent", "rainbow", "cottage", "bridge"},
}

// standsOut is the measure of how the middle differs from the rim, which every
// public likes.
const standsOut = 5

// A public is a hidden taste: what it measures, squares and products of it, and a
// family of subjects that it is fond of.
type public struct {
	measures     [8]float64 // what it likes more of
	middling     int        // a measure of which too much and too little are disliked
	both         [2]int     // two that it likes together or not at all
	family       []string
	mean, spread [8]float64 // of the base distribution
	zero, unit   float64    // of its liking for the base distribution
}

func newPublic(seed uint64) *public {
	rng := rand.New(rand.NewPCG(seed, 0x7461737465))
	p := &public{family: families[seed%uint64(len(families))]}
	p.measures[standsOut] = .8
	order := slices.DeleteFunc(rng.Perm(8), func(k int) bool { return k == standsOut })
	for i, k := range order[:3] {
		p.measures[k] = []float64{1, .8, .6}[i] * []float64{1, -1}[rng.IntN(2)]
	}
	p.middling, p.both = order[3], [2]int{order[4], order[5]}
	return p
}

// used makes the public used to the pictures that are drawn without any taste: it
// judges in their standard deviations.
func (p *public) used(latents []latent.Latent, seen []glance) {
	n := float64(len(seen))
	for k := range p.mean {
		for _, g := range seen {
			p.mean[k] += g.measures[k] / n
		}
		for _, g := range seen {
			p.spread[k] += (g.measures[k] - p.mean[k]) * (g.measures[k] - p.mean[k]) / n
		}
		p.spread[k] = math.Sqrt(p.spread[k])
	}
	p.unit = 1
	var likes []float64
	for i, g := range seen {
		likes = append(likes, p.likes(latents[i], g))
	}
	zero, unit := 0., 0.
	for _, v := range likes {
		zero += v / n
	}
	for _, v := range likes {
		unit += (v - zero) * (v - zero) / n
	}
	p.zero, p.unit = zero, math.Sqrt(unit)
}

// likes is how much the public likes a picture, in standard deviations of pictures
// drawn without any taste.
func (p *public) likes(l latent.Latent, g glance) float64 {
	var f [8]float64
	for k := range f {
		f[k] = max(-3, min(3, (g.measures[k]-p.mean[k])/p.spread[k]))
	}
	sum := .5*f[p.both[0]]*f[p.both[1]] - .4*f[p.middling]*f[p.middling]
	for k, c := range p.measures {
		sum += c * f[k]
	}
	if slices.Contains(p.family, l.Things[0].Word) {
		sum += 2
	}
	return (sum - p.zero) / p.unit
}
