package train

import (
	"math"

	"github.com/atelier-dao/atelier/model/latent"
)

// A motif divides the ground into up to three papers, at places far outside the
// frame too, because a view may turn and shrink the picture. A later paper lies on
// the earlier ones.
type motif struct {
	names string // as a vocabulary has them
	tone  func(x, y float64) uint8
}

// two is a motif of two papers.
func two(names string, above func(x, y float64) bool) motif {
	return motif{names, func(x, y float64) uint8 {
		if above(x, y) {
			return 1
		}
		return 0
	}}
}

// three is a motif of three papers.
func three(names string, second, third func(x, y float64) bool) motif {
	return motif{names, func(x, y float64) uint8 {
		switch {
		case third(x, y):
			return 2
		case second(x, y):
			return 1
		}
		return 0
	}}
}

func circle(cx, cy, r float64) func(x, y float64) bool {
	return func(x, y float64) bool { return (x-cx)*(x-cx)+(y-cy)*(y-cy) < r*r }
}

// below is what lies below a wavy line.
func below(level, height, waves, phase float64) func(x, y float64) bool {
	return func(x, y float64) bool { return y > level+height*math.Sin(waves*x+phase) }
}

// peaks is what lies below a row of triangles.
func peaks(level, height, width, phase float64) func(x, y float64) bool {
	return func(x, y float64) bool {
		u := x/width + phase
		return y > level-height*(1-2*math.Abs(u-math.Floor(u)-.5))
	}
}

// anyOf is where one of some places is.
func anyOf(of ...func(x, y float64) bool) func(x, y float64) bool {
	return func(x, y float64) bool {
		for _, f := range of {
			if f(x, y) {
				return true
			}
		}
		return false
	}
}

// crescent is a moon.
func crescent(x, y float64) bool {
	return circle(.56, -.56, .36)(x, y) && !circle(.72, -.66, .31)(x, y)
}

var stars = anyOf(circle(-.76, -.74, .085), circle(-.16, -.9, .07), circle(-.94, -.12, .07), circle(.92, .12, .08))

// Motifs that share their first name with a paper are scenes.
var motifs = []motif{
	{"plain", func(x, y float64) uint8 { return 0 }},
	two("horizon", func(x, y float64) bool { return y > .42 }),
	three("halo", circle(0, 0, .96), circle(0, 0, .72)),
	three("diagonal", func(x, y float64) bool { return y > .05-.7*x }, func(x, y float64) bool { return y > .8-.7*x }),
	two("arch", func(x, y float64) bool { return math.Abs(x) < .78 && y > -.1 || circle(0, -.1, .78)(x, y) }),
	three("hills, hill, valley, meadow, field", below(.36, .12, 3.1, .6), below(.68, .09, 2.3, 2.4)),
	three("moon", circle(.56, -.56, .34), below(.66, .07, 2.2, 1)),
	two("stripes", func(x, y float64) bool { return math.Sin(2.5*math.Pi*x) > 0 }),
	two("rosette", func(x, y float64) bool { return math.Hypot(x, y) < .88+.12*math.Cos(7*math.Atan2(y, x)) }),
	two("quarters", func(x, y float64) bool { return x*y > 0 }),
	three("wave", func(x, y float64) bool { return x > -.2+.35*math.Sin(2.6*y) }, func(x, y float64) bool { return x > .62+.3*math.Sin(2.6*y+.5) }),
	two("leaf", func(x, y float64) bool {
		u, v := (x-y)*.7071, (x+y)*.7071
		return math.Abs(v) < .72*math.Cos(.92*u) && math.Abs(u) < 1.7
	}),
	three("night, midnight, stars, moonlight", anyOf(crescent, stars), below(.66, .08, 2.6, 1)),
	three("sunset, evening, dusk, twilight", circle(.46, .3, .42), func(x, y float64) bool { return y > .44 }),
	three("sunrise, dawn, morning, sun", circle(-.5, -.46, .36), below(.5, .12, 2.4, .3)),
	three("winter, snow, ice, frost, christmas", func(x, y float64) bool { return below(.3, .1, 2.2, 3)(x, y) }, below(.58, .09, 2.9, .4)),
	three("sea, ocean, water, river, lake", below(.3, .05, 8, 0), below(.62, .06, 6.5, 1.3)),
	three("forest, woods, jungle, trees", peaks(.42, .62, .46, .2), peaks(.95, .44, .36, .55)),
	three("mountains, alps, cliffs", peaks(.5, .85, 1.1, .35), below(.62, .05, 2.4, 2)),
	three("desert, dunes, sahara, beach, summer, holiday", circle(.5, -.5, .28), below(.5, .16, 1.9, 2.2)),
	three("rain, storm, thunder", func(x, y float64) bool {
		u := (x + .35*y) / .4
		return math.Abs(u-math.Floor(u)-.5) < .1
	}, func(x, y float64) bool { return y > .78 }),
	three("sky, clouds, heaven", anyOf(circle(-.72, -.5, .25), circle(-.42, -.6, .3), circle(-.15, -.46, .2)), anyOf(circle(.5, .76, .3), circle(.86, .7, .32), circle(.2, .86, .22))),
	three("city, town, street", func(x, y float64) bool {
		u := math.Floor((x + 2) / .34)
		return y > .12-.5*math.Abs(math.Sin(u*2.4))
	}, func(x, y float64) bool { return y > .74 }),
	three("space, universe, cosmos, galaxy", anyOf(circle(.62, -.6, .24), circle(-.78, -.66, .09), circle(-.9, .2, .07), circle(.02, -.9, .07), circle(.92, .4, .08)), circle(-.35, 1.5, .95)),
}

// A paper is three colours for the ground.
type paper struct {
	names string
	tones [papers]Lab
}

func tones(names string, rgb ...uint32) paper {
	p := paper{names: names}
	for k, c := range rgb {
		p.tones[k] = FromRGB(uint8(c>>16), uint8(c>>8), uint8(c))
	}
	return p
}

var grounds = []paper{
	tones("cream", 0xf3e7d0, 0xe0a745, 0xc9785a),
	tones("navy", 0x1f2c56, 0x345aa8, 0x6d8fc9),
	tones("cobalt", 0x2f5cbf, 0xa6c9e6, 0x1d3a85),
	tones("sage", 0xc3cdb0, 0x8fa377, 0x5d7348),
	tones("blush", 0xf3cbc4, 0xe39a8c, 0xc05a48),
	tones("terracotta", 0xd27a55, 0xf2e1c6, 0x9c4630),
	tones("teal", 0x1f6d6d, 0xb9dcca, 0x3f9a8f),
	tones("lilac", 0xd4c7e6, 0x9a7fbd, 0x5f4478),
	tones("mustard", 0xe0b040, 0xf5e3b0, 0x5a4630),
	tones("charcoal", 0x2f2d33, 0xa64d31, 0x57525e),
	tones("coral", 0xf28a70, 0xf9d8c6, 0xc9503f),
	tones("aqua", 0x8fd0c6, 0xf4db66, 0x3f9ca0),
	tones("burgundy", 0x6d2238, 0xeba3b2, 0xa33d55),
	tones("sand", 0xe6d5b5, 0xc4a77c, 0x6c7a88),
	tones("night, midnight, moonlight, moon, stars", 0x1b2450, 0xf7e6a8, 0x36437c),
	tones("sunset, evening, dusk, twilight", 0xf6a35f, 0xfde68a, 0x6f3c72),
	tones("sunrise, dawn, morning, sun", 0xf8cfc4, 0xf9b83f, 0x7fa88c),
	tones("winter, snow, ice, frost, christmas", 0xa9c9e2, 0xdfeaf2, 0xfbfcfa),
	tones("sea, ocean, water, river, lake", 0xd9eef0, 0x3f93b8, 0x1c5a8c),
	tones("forest, woods, jungle, trees", 0xd5e0b4, 0x5d9160, 0x23523d),
	tones("mountains, alps, cliffs", 0xdde6ea, 0x8297ad, 0x4d6a55),
	tones("desert, dunes, sahara", 0xf7e0b0, 0xf08a4b, 0xd9a05a),
	tones("rain, storm, thunder", 0x5b6f86, 0x8fa7bb, 0x38475a),
	tones("sky, clouds, heaven", 0x8cc4ec, 0xfafafa, 0xe3eff8),
	tones("city, town, street", 0xe9c9b8, 0x7a7290, 0x3d3a52),
	tones("space, universe, cosmos, galaxy", 0x17142e, 0xf3d9a0, 0x5b3c8c),
	tones("spring, garden, meadow, field", 0xe9f2d0, 0xa8d08d, 0x6aaa64),
	tones("summer, beach, holiday", 0x9ad9ea, 0xfbe08a, 0xf2c879),
	tones("autumn, harvest", 0xf4dcae, 0xdf8a3a, 0x9c4a2a),
}

// Prefixes of the features that are not names of pictures.
const (
	MotifPrefix   = latent.MotifPrefix
	PaperPrefix   = latent.PaperPrefix
	PicturePrefix = latent.PicturePrefix
)
