package kernel

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVectorKernelsEqualTheReferenceOnEverySample(t *testing.T) {
	shapes := [][3]int{{16, 1, 2}, {16, 2, 3}, {32, 3, 4}, {48, 2, 5}, {64, 4, 6}, {80, 2, 8}, {96, 4, 7}, {112, 3, 2}, {128, 8, 8}}
	for _, e := range engines[:len(engines)-1] {
		for _, shape := range shapes {
			for _, extreme := range []bool{false, true} {
				compare(t, e, randomly("kernels", shape[0], shape[1], shape[2], extreme), "kernels")
			}
		}
	}
}

// FuzzVectorKernels draws a program and coordinates from a seed.
func FuzzVectorKernels(f *testing.F) {
	f.Add("dusk", uint8(4), uint8(3), uint8(6), false)
	f.Add("dawn", uint8(8), uint8(8), uint8(8), true)
	f.Add("noon", uint8(1), uint8(1), uint8(2), true)
	f.Fuzz(func(t *testing.T, seed string, h, l, k uint8, extreme bool) {
		p := randomly(seed, 16*(1+int(h)%8), 1+int(l)%MaxLayers, 2+int(k)%(MaxColours-1), extreme)
		for _, e := range engines[:len(engines)-1] {
			compare(t, e, p, seed)
		}
	})
}

// randomly is a program over the whole range of every field, and where extreme
// is set, mostly on the ends of the ranges. Its logits may wrap: kernels must
// agree on that too.
func randomly(seed string, h, l, k int, extreme bool) *Program {
	s := &stream{seed: seed}
	word := func() int32 {
		if extreme {
			return []int32{math.MinInt32, math.MaxInt32, math.MinInt16, math.MaxInt16, -1, 0, 1, 1 << 26}[s.u32()%8]
		}
		return int32(s.u32())
	}
	short := func() int16 {
		if extreme {
			return []int16{math.MinInt16, math.MaxInt16, -1, 0}[s.u32()%4]
		}
		return int16(s.u32())
	}
	p := drawn(seed, h, l, k)
	for j := range h {
		p.PhaseX[j], p.PhaseY[j], p.PhaseC[j] = word()%(MaxSlope+1), word()%(MaxSlope+1), word()
	}
	for l := range p.Weights {
		for i := range p.Weights[l] {
			p.Weights[l][i] = short()
		}
		for j := range p.Biases[l] {
			p.Biases[l][j] = word()
		}
	}
	for i := range p.Head {
		p.Head[i] = short()
	}
	for c := range p.HeadBias {
		p.HeadBias[c] = word()
	}
	return p
}

// compare runs one batch through a vector kernel and the reference. Guards
// around everything the assembly writes must survive.
func compare(t *testing.T, e engine, p *Program, seed string) {
	t.Helper()
	s := &stream{seed: seed + "/samples"}
	var want samples
	for i := range batch {
		want.x[i], want.y[i] = int32(s.u32())>>(i%16), int32(s.u32())>>(i%13)
	}
	want.x[0], want.y[0] = math.MinInt32, math.MaxInt32
	var got struct {
		samples
		after [batch]int32 // stays zero
	}
	got.samples = want

	newReference(p).logits(&want)
	net := e.make(p)
	whole := guard(net)
	net.logits(&got.samples)
	require.True(t, whole(), "%s wrote outside its buffers, seed %q", e.name, seed)
	require.Zero(t, got.after, "%s wrote behind the samples, seed %q", e.name, seed)
	require.Equal(t, want.x, got.x)
	require.Equal(t, want.y, got.y)
	require.Equal(t, want.best, got.best, "%s, K=%d, seed %q", e.name, p.Colours, seed)
	require.Equal(t, want.lead, got.lead, "%s, K=%d, seed %q", e.name, p.Colours, seed)
	for c := range p.Colours {
		require.Equal(t, want.logits[c], got.logits[c], "%s, logit %d, H=%d L=%d K=%d, seed %q", e.name, c, p.Hidden, p.Layers, p.Colours, seed)
	}
}

// guarded is a buffer of n numbers, at a multiple of 64 bytes from the start of a slice,
// between others that must not change; whole reports whether they have not.
func guarded[T int16 | int32](wide []T, n int) (buffer []T, whole func() bool) {
	const margin, value = 64, -0x5a5b
	for i := range wide {
		wide[i] = value
	}
	changed := func(v T) bool { return v != value }
	return wide[margin : margin+n : margin+n], func() bool {
		return !slices.ContainsFunc(wide[:margin], changed) && !slices.ContainsFunc(wide[margin+n:], changed)
	}
}
