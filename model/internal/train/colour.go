package train

import (
	"math"

	"github.com/atelier-dao/atelier/model/latent"
)

// Lab is a colour in OKLab: lightness 0..1 and two opponent axes.
// Source: Björn Ottosson, "A perceptual color space for image processing", 2020.
type Lab [3]float64

// FromRGB converts 8-bit sRGB.
func FromRGB(r, g, b uint8) Lab {
	lr, lg, lb := linear(r), linear(g), linear(b)
	l := math.Cbrt(.4122214708*lr + .5363325363*lg + .0514459929*lb)
	m := math.Cbrt(.2119034982*lr + .6806995451*lg + .1073969566*lb)
	s := math.Cbrt(.0883024619*lr + .2817188376*lg + .6299787005*lb)
	return Lab{
		.2104542553*l + .7936177850*m - .0040720468*s,
		1.9779984951*l - 2.4285922050*m + .4505937099*s,
		.0259040371*l + .7827717662*m - .8086757660*s,
	}
}

// RGB converts to 8-bit sRGB and clips what lies outside.
func (c Lab) RGB() (r, g, b uint8) {
	l := c[0] + .3963377774*c[1] + .2158037573*c[2]
	m := c[0] - .1055613458*c[1] - .0638541728*c[2]
	s := c[0] - .0894841775*c[1] - 1.2914855480*c[2]
	l, m, s = l*l*l, m*m*m, s*s*s
	return gamma(4.0767416621*l - 3.3077115913*m + .2309699292*s),
		gamma(-1.2684380046*l + 2.6097574011*m - .3413193965*s),
		gamma(-.0041960863*l - .7034186147*m + 1.7076147010*s)
}

func linear(v uint8) float64 {
	c := float64(v) / 255
	if c <= .04045 {
		return c / 12.92
	}
	return math.Pow((c+.055)/1.055, 2.4)
}

func gamma(c float64) uint8 {
	c = max(0, min(1, c))
	if c <= .0031308 {
		c *= 12.92
	} else {
		c = 1.055*math.Pow(c, 1/2.4) - .055
	}
	return uint8(c*255 + .5)
}

// distance is the square of how far two colours are, hue weighed twice.
func distance(a, b Lab) float64 {
	l, p, q := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return l*l + 2*(p*p+q*q)
}

// chroma and hue are a colour's polar coordinates in the plane of a and b.
func (c Lab) chroma() float64 { return math.Hypot(c[1], c[2]) }
func (c Lab) hue() float64    { return math.Atan2(c[2], c[1]) }

func polar(l, chroma, hue float64) Lab {
	return Lab{l, chroma * math.Cos(hue), chroma * math.Sin(hue)}
}

// A dye is what a colour word does to a subject: the colour of its main part.
var dyes = map[string]Lab{
	"red": FromRGB(222, 52, 44), "orange": FromRGB(240, 128, 40), "yellow": FromRGB(247, 203, 60), "golden": FromRGB(222, 168, 48),
	"green": FromRGB(56, 158, 84), "blue": FromRGB(42, 104, 206), "purple": FromRGB(128, 80, 178), "pink": FromRGB(243, 140, 172),
	"brown": FromRGB(122, 76, 52), "black": FromRGB(38, 36, 42), "white": FromRGB(246, 243, 236), "grey": FromRGB(140, 140, 146),
	"turquoise": FromRGB(48, 178, 172), "silver": FromRGB(190, 194, 202),
}

// dyeWords lists the keys of dyes in a fixed order.
var dyeWords = latent.Dyes()

// dyed gives the subject's colours after its main colour, colours[0], became the dye.
// Those of a like hue go with it and keep their distance in lightness; others, a beak
// or an eye, stay, so that the subject is still known by them.
func dyed(colours []Lab, dye Lab) []Lab {
	main := colours[0]
	turn, lift := dye.hue()-main.hue(), dye[0]-main[0]
	out := make([]Lab, len(colours))
	for i, c := range colours {
		l := max(.08, min(.98, c[0]+lift*.75))
		switch {
		case i == 0:
			out[i] = dye
		case (c.chroma() < neutral) != (main.chroma() < neutral), c.chroma() >= neutral && math.Cos(c.hue()-main.hue()) < .5:
			out[i] = c
		case dye.chroma() < neutral:
			out[i] = polar(l, min(c.chroma(), .02), dye.hue())
		case main.chroma() < neutral:
			out[i] = polar(l, dye.chroma()*.8, dye.hue())
		default:
			out[i] = polar(l, .5*c.chroma()+.5*dye.chroma(), c.hue()+turn)
		}
	}
	return out
}

// neutral is the chroma below which a colour counts as a grey.
const neutral = .04
