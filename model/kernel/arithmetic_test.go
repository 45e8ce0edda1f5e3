package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSineIsWithinItsStatedError(t *testing.T) {
	worst, square, n := 0.0, 0.0, 0
	for i := int64(0); i < 1<<32; i += 9973 {
		phase := uint32(i)
		e := float64(sine(int32(phase)-quarterFirst))/ActivationOne - math.Sin(2*math.Pi*float64(phase)/float64(FirstBiasOne))
		worst, square, n = max(worst, math.Abs(e)), square+e*e, n+1
	}
	require.Less(t, worst, 1.0e-4)
	require.Less(t, math.Sqrt(square/float64(n)), 3.0e-5)
}

func TestTheSineIsBoundedAndMirrorsAtAQuarterTurn(t *testing.T) {
	for v := int32(math.MinInt16); v <= math.MaxInt16; v++ {
		s := sine(v << 16)
		// v and -1-v are equally far from a quarter turn.
		if s > ActivationOne || s < -ActivationOne || s != sine((-1-v)<<16) {
			t.Fatalf("sine of cell %d is %d, of its mirror %d", v, s, sine((-1-v)<<16))
		}
	}
}

func TestTheTurnSineIsWithinItsStatedError(t *testing.T) {
	for i := int64(0); i < 1<<32; i += 99991 {
		e := float64(turnSine(uint32(i)))/(1<<30) - math.Sin(2*math.Pi*float64(i)/float64(FirstBiasOne))
		require.Less(t, math.Abs(e), math.Ldexp(1, -27), "phase %d", i)
	}
	require.Zero(t, turnSine(0))
}

func TestTablesAreTheirFunctions(t *testing.T) {
	tab := sharedTables()
	for i, v := range tab.halves {
		require.Equal(t, math.Round(65536*math.Exp2(-float64(i)/octave)), float64(v), "2^(-%d/%d)", i, octave)
	}
	for i, v := range tab.srgb {
		c := float64(i) / linearOne
		if c <= 0.0031308 {
			c *= 12.92
		} else {
			c = 1.055*math.Pow(c, 1/2.4) - 0.055
		}
		require.InDelta(t, c*255, float64(v), 0.501, "linear %d", i)
	}
}

// The expectation is the float formula of Ottosson 2020.
func TestColoursAreOKLab(t *testing.T) {
	s := &stream{seed: "colours"}
	for range 20000 {
		lab := Lab{L: int32(s.u32() % (LabOne + 1)), A: int32(s.spread(LabOne / 2)), B: int32(s.spread(LabOne / 2))}
		l, a, b := float64(lab.L)/LabOne, float64(lab.A)/LabOne, float64(lab.B)/LabOne
		x := math.Pow(l+.3963377774*a+.2158037573*b, 3)
		y := math.Pow(l-.1055613458*a-.0638541728*b, 3)
		z := math.Pow(l-.0894841775*a-1.2914855480*b, 3)
		got := lightOf(int64(lab.L), int64(lab.A), int64(lab.B))
		for k, want := range []float64{
			4.0767416621*x - 3.3077115913*y + .2309699292*z,
			-1.2684380046*x + 2.6097574011*y - .3413193965*z,
			-.0041960863*x - .7034186147*y + 1.7076147010*z,
		} {
			require.InDelta(t, min(max(want*linearOne, 0), linearOne-1), float64(got[k]), 20, "%v channel %d", lab, k)
		}
	}
	white := lightOf(LabOne, 0, 0)
	for _, c := range white {
		require.Equal(t, uint8(255), sharedTables().srgb[c])
	}
	require.Equal(t, light{}, lightOf(0, 0, 0))
}

func TestPlacesAreExactAndSymmetric(t *testing.T) {
	require.Equal(t, int32(-CoordinateOne), place(0, 512, 512))
	require.Equal(t, int32(CoordinateOne), place(8*512, 512, 512))
	require.Equal(t, int32(0), place(4*512, 512, 512))
	require.Equal(t, int32(2*CoordinateOne), place(8*512, 512, 256), "the longer side reaches further")
	require.Equal(t, int32(-CoordinateOne+64), place(4, 1024, 1024), "the first centre of 1024")
	for _, n := range []int{1, 7, 1000, 8191, MaxSide} {
		for u := -8; u < 8*n; u += 1 + n/50 {
			require.InDelta(t, float64(u-4*n)/float64(4*n)*CoordinateOne, float64(place(u, n, n)), 0.5)
		}
	}
}

func TestAViewMovesTheNetworkNotThePixels(t *testing.T) {
	// A turn by a quarter: the picture's right edge shows what was below.
	p := drawn("view", 32, 2, 3)
	quarter, err := Turned(1<<14, ViewOne)
	require.NoError(t, err)
	require.Equal(t, View{XX: 0, XY: ViewOne, YX: -ViewOne, YY: 0}, quarter)
	turned := *p
	turned.View = quarter
	a, b := new(samples), new(samples)
	for i := range batch {
		a.x[i], a.y[i] = int32(i*1000-7000), int32(5000-i*300)
		b.x[i], b.y[i] = -a.y[i], a.x[i]
	}
	newReference(p).logits(a)
	newReference(&turned).logits(b)
	require.Equal(t, a.logits, b.logits)

	_, err = Turned(0, ViewOne/16-1)
	require.ErrorIs(t, err, ErrProgram)
	_, err = Turned(0, 16*ViewOne+1)
	require.ErrorIs(t, err, ErrProgram)
	for turns := 0; turns < 1<<16; turns += 997 {
		v, err := Turned(uint16(turns), ViewOne/16)
		require.NoError(t, err)
		require.NoError(t, v.validate())
		v, err = Turned(uint16(turns), 16*ViewOne)
		require.NoError(t, err)
		require.NoError(t, v.validate())
	}
}

func TestExponentsDoNotOverflow(t *testing.T) {
	s := &shader{t: sharedTables(), colours: 2, sharpness: MaxSharpness, width: -far}
	require.Positive(t, s.natural(2*MaxLogit))
	of := &samples{logits: logits{{MaxLogit}, {-MaxLogit}}, lead: [batch]int32{2 * MaxLogit}}
	for _, slope := range []int64{0, 1, 4 * MaxLogit} {
		for _, span := range []int64{spanOne, spanEach} {
			got := s.light(of, 0, slope, span)
			require.Equal(t, light{}, got)
		}
	}
}

func TestAMeanIsTheQuotientRoundedDown(t *testing.T) {
	s := &stream{seed: "means"}
	for _, sum := range []int64{1 << 16, 1<<16 + 1, 3 << 16, 1<<19 - 1, 1 << 19} {
		inverse := 1<<60/uint64(sum) + 1
		check := func(v int64) {
			v = min(max(v, -sum<<16), sum<<16)
			require.Equal(t, floorDiv(v, sum), mean(v, sum, inverse), "%d/%d", v, sum)
		}
		for range 2000 {
			whole := s.spread(1<<16) * sum
			for d := int64(-1); d <= 1; d++ {
				check(whole + d)
			}
			check(whole + int64(s.u32())%sum)
		}
	}
}
