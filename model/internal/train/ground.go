package train

import (
	"math"

	"github.com/atelier-dao/atelier/model/latent"
)

// A motif divides the ground into two papers, at places far outside the frame
// too, because a view may turn and shrink the picture.
type motif struct {
	word  string
	above func(x, y float64) bool // whether the second paper lies here
}

var motifs = []motif{
	{"plain", func(x, y float64) bool { return false }},
	{"horizon", func(x, y float64) bool { return y > .38 }},
	{"halo", func(x, y float64) bool { return x*x+y*y < .86*.86 }},
	{"diagonal", func(x, y float64) bool { return y > .25-.7*x }},
	{"arch", func(x, y float64) bool {
		return math.Abs(x) < .74 && y > -.05 || x*x+(y+.05)*(y+.05) < .74*.74
	}},
	{"hills", func(x, y float64) bool { return y > .34+.13*math.Sin(3.4*x+.6) }},
	{"moon", func(x, y float64) bool { return (x-.56)*(x-.56)+(y+.56)*(y+.56) < .36*.36 }},
	{"stripes", func(x, y float64) bool { return math.Sin(2.5*math.Pi*x) > 0 }},
	{"rosette", func(x, y float64) bool {
		return math.Hypot(x, y) < .84+.13*math.Cos(7*math.Atan2(y, x))
	}},
	{"quarters", func(x, y float64) bool { return x*y > 0 }},
	{"wave", func(x, y float64) bool { return x > .42*math.Sin(2.6*y) }},
	{"leaf", func(x, y float64) bool {
		u, v := (x-y)*.7071, (x+y)*.7071
		return math.Abs(v) < .62*math.Cos(.92*u) && math.Abs(u) < 1.7
	}},
}

// A paper is a pair of colours for the ground.
type paper struct {
	word          string
	first, second Lab
}

var grounds = []paper{
	{"cream", FromRGB(0xf3, 0xe7, 0xd0), FromRGB(0xe0, 0xa7, 0x45)},
	{"navy", FromRGB(0x1f, 0x2c, 0x56), FromRGB(0x34, 0x5a, 0xa8)},
	{"cobalt", FromRGB(0x2f, 0x5c, 0xbf), FromRGB(0xa6, 0xc9, 0xe6)},
	{"sage", FromRGB(0xab, 0xba, 0x96), FromRGB(0x64, 0x79, 0x4d)},
	{"blush", FromRGB(0xef, 0xb9, 0xb2), FromRGB(0xc9, 0x5a, 0x43)},
	{"terracotta", FromRGB(0xc6, 0x60, 0x40), FromRGB(0xf2, 0xe1, 0xc6)},
	{"teal", FromRGB(0x23, 0x7a, 0x78), FromRGB(0xb9, 0xdc, 0xca)},
	{"lilac", FromRGB(0xc6, 0xb6, 0xdd), FromRGB(0x64, 0x43, 0x78)},
	{"mustard", FromRGB(0xdc, 0xa6, 0x2b), FromRGB(0x38, 0x35, 0x33)},
	{"charcoal", FromRGB(0x2f, 0x2d, 0x33), FromRGB(0xa6, 0x4d, 0x31)},
	{"dawn", FromRGB(0xa9, 0xd0, 0xe5), FromRGB(0xf6, 0xf2, 0xea)},
	{"coral", FromRGB(0xf0, 0x7c, 0x60), FromRGB(0xf9, 0xd8, 0xc6)},
	{"forest", FromRGB(0x21, 0x4d, 0x3b), FromRGB(0x8d, 0x9c, 0x42)},
	{"aqua", FromRGB(0x74, 0xc1, 0xb8), FromRGB(0xf4, 0xdb, 0x66)},
	{"burgundy", FromRGB(0x6d, 0x22, 0x38), FromRGB(0xeb, 0xa3, 0xb2)},
	{"sand", FromRGB(0xdd, 0xc9, 0xa5), FromRGB(0x5c, 0x6c, 0x7c)},
}

// Prefixes of the features that are not words of a name.
const (
	MotifPrefix   = latent.MotifPrefix
	PaperPrefix   = latent.PaperPrefix
	PicturePrefix = latent.PicturePrefix
)
