package onnx

import (
	"fmt"
	"math"
)

// finish is what turns logits into colours, beside the palette.
type finish struct {
	sharpness    float64
	depth, width float64 // of the shadow: lightness, logits; no shadow at depth 0
}

// shade adds the way from logits [n, k] and a palette [k, 3] in OKLab to the
// output colour: softmax, shadow, OKLab to linear light, clipped, to sRGB. It is
// section 4 of PHASE16.md in floats.
func (b *builder) shade(logits, palette string, k int, f finish) {
	shares := b.along(-1, "shares", "Softmax", b.op("sharpened", "Mul", logits, b.row("sharpness", float32(f.sharpness))))
	lab := b.op("mixed", "MatMul", shares, palette)
	if f.depth > 0 {
		lab = b.op("shaded", "Sub", lab, b.shadow(logits, shares, k, f))
	}
	// Lightness alone must not be negative.
	below := b.op("below", "Relu", b.op("dark", "Mul", lab, b.row("dark.of", -1, 0, 0)))
	lab = b.op("lab", "Add", lab, below)
	// Ottosson 2020: OKLab to cone responses, their cubes to linear sRGB.
	root := b.op("cones.root", "MatMul", lab, b.constant("lab.to.cones", 3, 3, []float32{
		1, 1, 1,
		.3963377774, -.1055613458, -.0894841775,
		.2158037573, -.0638541728, -1.2914855480,
	}))
	cones := b.op("cones", "Mul", root, b.op("cones.square", "Mul", root, root))
	light := b.op("light.wide", "MatMul", cones, b.constant("cones.to.light", 3, 3, []float32{
		4.0767416621, -1.2684380046, -.0041960863,
		-3.3077115913, 2.6097574011, -.7034186147,
		.2309699292, -.3413193965, 1.7076147010,
	}))
	b.transfer(b.within("light", light, b.row("black", 0), b.row("white", 1)))
}

// shadow is what the colours above take from a place's OKLab, [n, 3]: depth·q²
// of the lightness of each colour but the last, with q falling from 1 to 0 as
// the colour leads those above it by 0 to width.
func (b *builder) shadow(logits, shares string, k int, f finish) string {
	// above[c] is the greatest logit after c: of 1 of them, then 2, 4 and 8.
	above := b.later("above.1", logits, k, 1)
	for d := 1; d < k-1; d *= 2 {
		name := fmt.Sprintf("above.%d", 2*d)
		above = b.greater(name, above, b.later(name+".later", above, k, d))
	}
	margin := b.op("margin", "Relu", b.op("lead", "Sub", logits, above))
	near := b.op("near", "Relu", b.op("near.from", "Sub", b.row("near.one", 1), b.op("margins", "Mul", margin, b.row("per.width", float32(1/f.width)))))
	taken := b.op("taken", "Mul", shares, b.op("near.square", "Mul", near, near))
	depth := make([]float32, 3*k)
	for c := range k - 1 {
		depth[3*c] = float32(f.depth)
	}
	return b.op("shadow", "MatMul", taken, b.constant("depth", k, 3, depth))
}

// later is the matrix whose column c is column c+d, or the last one, of x.
func (b *builder) later(output, x string, k, d int) string {
	pick := make([]float32, k*k)
	for c := range k {
		pick[min(c+d, k-1)*k+c] = 1
	}
	return b.op(output, "MatMul", x, b.constant(output+".of", k, k, pick))
}

// transfer adds the curve of IEC 61966-2-1 from linear light in 0..1. Small
// runtimes have no power, so x^(1/2.4) is the exponential of the logarithm,
// written as e^t = cosh t + sinh t and ln x = 2·artanh((x-1)/(x+1)).
func (b *builder) transfer(light string) {
	const knee = .0031308 // below it the curve is a line
	start := 1.055*math.Pow(knee, 1/2.4) - .055
	upper := b.op("upper", "Relu", b.op("upper.from", "Sub", light, b.row("knee", knee)))
	line := b.op("line", "Mul", b.op("lower.light", "Sub", light, upper), b.row("line.slope", float32(start/knee)))
	x := b.op("power.of", "Add", upper, b.row("knee.again", knee))
	ratio := b.op("power.ratio", "Div", b.op("power.less", "Sub", x, b.row("power.one", 1)), b.op("power.more", "Add", x, b.row("power.too", 1)))
	t := b.op("power.log", "Mul", b.op("power.artanh", "Atanh", ratio), b.row("power.exponent", 2/2.4))
	power := b.op("power", "Add", b.op("power.cosh", "Cosh", t), b.op("power.sinh", "Sinh", t))
	curve := b.op("curve", "Mul", power, b.row("curve.scale", 1.055))
	both := b.op("colour.from", "Add", line, curve)
	b.op(Colour, "Sub", both, b.row("colour.less", float32(.055+start)))
}
