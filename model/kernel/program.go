package kernel

import (
	"errors"
	"fmt"
)

// Limits of a [Program]. They bound memory and time: the largest program holds
// about 230 kB of weights and costs about 0.12 million multiply-adds a sample.
const (
	MaxHidden  = 128 // widest hidden layer
	MaxLayers  = 8   // hidden layers, the first included
	MaxColours = 8   // logits, and so palette entries
	// MaxSide is the number of pixels along one side of a picture. At 16384² an
	// eighth of a pixel is one unit of coordinate; larger pictures would repeat
	// samples. It bounds what a person asks of the own machine: what a peer can
	// make another one render is bounded by the ledger's picture_size.
	MaxSide = 16384
)

// Fixed-point units of a [Program]. A float v is stored as round(v · unit).
const (
	// CoordinateOne is 1.0 in picture coordinates. The shorter side of a
	// picture spans -1..+1 between its outer edges, x to the right, y down.
	CoordinateOne = 1 << 16
	// SlopeOne is one turn per unit of coordinate in PhaseX and PhaseY.
	// A weight w of sin(w·x) in radians is w/(2π) turns.
	SlopeOne = 1 << 16
	// WeightOne is one turn in Weights: pre-activation turns per unit of activation.
	WeightOne = 1 << 13
	// ActivationOne is 1.0 in activations, which stay within ±1.
	ActivationOne = 1 << 14
	// BiasOne is one turn in Biases. The accumulator wraps every 32 turns,
	// which a phase cannot notice.
	BiasOne = WeightOne * ActivationOne // 2²⁷
	// HeadOne is one logit per unit of activation in Head.
	HeadOne = 1 << 11
	// LogitOne is one logit (natural logarithm units) in HeadBias, in the
	// logits themselves and in Shadow.Width.
	LogitOne = HeadOne * ActivationOne // 2²⁵
	// SharpnessOne is an inverse temperature of 1.
	SharpnessOne = 1 << 8
	// LabOne is 1.0 in OKLab coordinates.
	LabOne = 1 << 16
	// ViewOne is 1.0 in the matrix of View.
	ViewOne = 1 << 16
)

// FirstBiasOne is one turn in PhaseC, the biases of the first layer. One turn
// is the whole range of uint32, so it needs 33 bits: convert through int64,
// int32(uint32(int64(math.Round(turns * FirstBiasOne)))).
const FirstBiasOne int64 = 1 << 32

// Program is one picture's network after prompt and seed were folded into
// biases and palette: a sine network from picture coordinates to K logits, whose
// softmax mixes K colours. It is plain data. Rendering never changes it; do not
// change it while it renders.
//
// With turns as the unit of phase, sample (x, y) is computed as
//
//	a₀[j]   = sin(PhaseX[j]·x + PhaseY[j]·y + PhaseC[j])
//	aₗ[j]   = sin(Σₖ Weights[l-1][j·H+k]·aₗ₋₁[k] + Biases[l-1][j])   l = 1..L-1
//	logit c = Σₖ Head[c·H+k]·a_{L-1}[k] + HeadBias[c]
//	colour  = Σ_c softmax(Sharpness·logits)[c] · Palette[c]            in OKLab
//
// PHASE16.md gives the exact integer arithmetic.
type Program struct {
	Hidden  int // H: width of each hidden layer, a multiple of 16 in 16..MaxHidden
	Layers  int // L: hidden layers in 1..MaxLayers
	Colours int // K: logits in 2..MaxColours

	PhaseX []int32 // H slopes along x, turns per unit × SlopeOne, |.| ≤ MaxSlope
	PhaseY []int32 // H slopes along y, likewise
	PhaseC []int32 // H phases of the first layer, turns × 2³², wrapping

	Weights [][]int16 // L-1 matrices of H×H, row j holds the inputs of neuron j; turns × WeightOne
	Biases  [][]int32 // L-1 vectors of H; turns × BiasOne, taken modulo 32 turns

	Head     []int16 // K×H, row c holds the inputs of logit c; × HeadOne
	HeadBias []int32 // K; × LogitOne

	// Sharpness multiplies the logits before softmax (inverse temperature), in
	// units of SharpnessOne, 1..MaxSharpness. Small is soft, large is cut
	// paper; edges are antialiased at any value, because the renderer limits
	// the slope of a transition to about one pixel.
	Sharpness int32
	// Palette has K colours. Its order is also the stacking order of the
	// paper: a higher index lies above a lower one and throws Shadow on it.
	Palette []Lab
	Shadow  Shadow
	View    View
}

// MaxSlope bounds first-layer slopes: 256 turns per unit of coordinate.
const MaxSlope = 256 * SlopeOne

// MaxSharpness bounds Program.Sharpness: an inverse temperature of 4096.
const MaxSharpness = 4096 * SharpnessOne

// Lab is a colour in OKLab in units of LabOne: L in 0..1, A and B in -0.5..+0.5.
// Colours outside sRGB are clipped per channel after conversion to linear light.
// Source: Björn Ottosson, "A perceptual color space for image processing", 2020.
type Lab struct{ L, A, B int32 }

// Shadow darkens a colour where one of a higher index is about to cover it.
// The zero value is no shadow.
type Shadow struct {
	// Depth is the lightness lost at the edge, × LabOne, in 0..LabOne/2.
	Depth int32
	// Width is the margin of logits over which the shadow fades, × LogitOne,
	// in 1..16·LogitOne where Depth is not 0.
	Width int32
}

// View maps picture coordinates to the network's: first the mirror folds
// (x ← |x|, y ← |y|), then
//
//	x' = XX·x + XY·y + X0      y' = YX·x + YY·y + Y0
//
// with the matrix in units of ViewOne, each entry in ±16·ViewOne, and the
// offset in units of CoordinateOne, each in ±64·CoordinateOne. The zero value
// is invalid; start from [Identity] or [Turned].
type View struct {
	MirrorX, MirrorY bool
	XX, XY, YX, YY   int32
	X0, Y0           int32
}

// Identity is the view that changes nothing.
func Identity() View { return View{XX: ViewOne, YY: ViewOne} }

// ErrProgram reports a program that breaks a documented bound.
var ErrProgram = errors.New("not the network of a picture")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProgram, fmt.Sprintf(format, args...))
}

// Validate checks every length and bound of p, so that rendering it can
// neither panic nor overflow. It reads each weight once. Errors wrap
// [ErrProgram].
func (p *Program) Validate() error {
	if p == nil {
		return invalid("no program")
	}
	if err := p.validateShape(); err != nil {
		return err
	}
	for j := range p.Hidden {
		if !within(p.PhaseX[j], MaxSlope) || !within(p.PhaseY[j], MaxSlope) {
			return invalid("first-layer slope of neuron %d is (%d, %d), limit ±%d", j, p.PhaseX[j], p.PhaseY[j], int32(MaxSlope))
		}
	}
	for c := range p.Colours {
		// The logits, unlike the phases, must not wrap.
		sum := magnitude(p.HeadBias[c])
		for _, w := range p.Head[c*p.Hidden : (c+1)*p.Hidden] {
			sum += magnitude(int32(w)) * ActivationOne
		}
		if sum > MaxLogit {
			return invalid("logit %d can reach %d, limit %d", c, sum, int64(MaxLogit))
		}
		l := p.Palette[c]
		if l.L < 0 || l.L > LabOne || !within(l.A, LabOne/2) || !within(l.B, LabOne/2) {
			return invalid("colour %d is (%d, %d, %d), outside L 0..%d, a and b ±%d", c, l.L, l.A, l.B, LabOne, LabOne/2)
		}
	}
	if p.Sharpness < 1 || p.Sharpness > MaxSharpness {
		return invalid("sharpness %d, allowed is 1 to %d", p.Sharpness, MaxSharpness)
	}
	if s := p.Shadow; s.Depth < 0 || s.Depth > LabOne/2 || s.Width < 0 || s.Width > 16*LogitOne || (s.Depth > 0 && s.Width == 0) {
		return invalid("shadow depth %d and width %d", s.Depth, s.Width)
	}
	return p.View.validate()
}

// MaxLogit bounds Σ|Head|·ActivationOne + |HeadBias| of each logit: 31 in
// units of LogitOne, so that the difference of two logits fits an int32. A head
// that exceeds it is scaled down and Sharpness raised by the same factor.
const MaxLogit = 31 * LogitOne

func (p *Program) validateShape() error {
	switch {
	case p.Hidden < 16 || p.Hidden > MaxHidden || p.Hidden%16 != 0:
		return invalid("hidden width %d, allowed are multiples of 16 from 16 to %d", p.Hidden, MaxHidden)
	case p.Layers < 1 || p.Layers > MaxLayers:
		return invalid("%d layers, allowed are 1 to %d", p.Layers, MaxLayers)
	case p.Colours < 2 || p.Colours > MaxColours:
		return invalid("%d colours, allowed are 2 to %d", p.Colours, MaxColours)
	}
	for _, v := range []struct {
		name      string
		got, want int
	}{
		{"slopes along x", len(p.PhaseX), p.Hidden},
		{"slopes along y", len(p.PhaseY), p.Hidden},
		{"phases", len(p.PhaseC), p.Hidden},
		{"matrices of weights", len(p.Weights), p.Layers - 1},
		{"lists of biases", len(p.Biases), p.Layers - 1},
		{"weights of the colours", len(p.Head), p.Colours * p.Hidden},
		{"biases of the colours", len(p.HeadBias), p.Colours},
		{"colours of the palette", len(p.Palette), p.Colours},
	} {
		if v.got != v.want {
			return invalid("%d %s, want %d", v.got, v.name, v.want)
		}
	}
	for l := range p.Layers - 1 {
		if len(p.Weights[l]) != p.Hidden*p.Hidden || len(p.Biases[l]) != p.Hidden {
			return invalid("layer %d has %d weights and %d biases, want %d and %d",
				l+1, len(p.Weights[l]), len(p.Biases[l]), p.Hidden*p.Hidden, p.Hidden)
		}
	}
	return nil
}

func (v View) validate() error {
	for _, m := range []int32{v.XX, v.XY, v.YX, v.YY} {
		if !within(m, 16*ViewOne) {
			return invalid("view matrix entry %d, limit ±%d", m, 16*ViewOne)
		}
	}
	if !within(v.X0, 64*CoordinateOne) || !within(v.Y0, 64*CoordinateOne) {
		return invalid("view offset (%d, %d), limit ±%d", v.X0, v.Y0, 64*CoordinateOne)
	}
	if int64(v.XX)*int64(v.YY) == int64(v.XY)*int64(v.YX) {
		return invalid("view matrix is singular")
	}
	return nil
}

func within(v, limit int32) bool { return -limit <= v && v <= limit }

func magnitude(v int32) int64 {
	if v < 0 {
		return -int64(v)
	}
	return int64(v)
}
