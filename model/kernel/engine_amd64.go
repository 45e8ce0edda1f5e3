package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:generate go run -C asm . -out ../lanes_amd64.s -stubs ../lanes_amd64.go -pkg kernel -neon ../lanes_arm64.s

// lanes is an instruction set's assembly, written by folder asm. See there for
// the layout of the operands.
type lanes struct {
	name  string
	block int // neurons computed at once
	first func(slopes, x, y, out *int32, pairs int)
	dense func(weights, biases, in, out *int32, pairs, blocks int)
	head  func(weights, biases, in, out *int32, pairs, blocks int)
	rank  func(logits, best, lead *int32, colours int)
}

var (
	avx2       = lanes{"avx2", 4, firstAVX2, denseAVX2, headAVX2, rankAVX2}
	avx512vnni = lanes{"avx512vnni", 8, firstAVX512, denseAVX512, headAVX512, rankAVX512}
)

func vectorEngines() (found []engine) {
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VNNI {
		found = append(found, avx512vnni.engine())
	}
	if x.HasAVX2 {
		found = append(found, avx2.engine())
	}
	return found
}

func (a *lanes) engine() engine {
	return engine{a.name, func(p *Program) network { return newVector(a, p) }}
}

// vector is the network with its weights packed for one instruction set.
type vector struct {
	*lanes
	hidden  int
	colours int
	slopes  []int32 // px, py, pc for each neuron
	weights [][]int32
	biases  [][]int32
	head    []int32
	offsets []int32 // of the head
	in, out []int32 // activations, hidden/2 rows of batch pairs
}

func newVector(a *lanes, p *Program) *vector {
	v := &vector{lanes: a, hidden: p.Hidden, colours: p.Colours}
	px, py, pc := p.seen()
	for j := range px {
		v.slopes = append(v.slopes, px[j], py[j], pc[j])
	}
	for l := range p.Weights {
		v.weights = append(v.weights, packed(p.Weights[l], p.Hidden, a.block))
		v.biases = append(v.biases, early(p.Biases[l]))
	}
	// The head is padded with zero rows, so that it is whole blocks.
	head, offsets := make([]int16, MaxColours*p.Hidden), make([]int32, MaxColours)
	copy(head, p.Head)
	copy(offsets, p.HeadBias)
	v.head, v.offsets = packed(head, p.Hidden, a.block), offsets
	v.in, v.out = aligned(p.Hidden/2*batch), aligned(p.Hidden/2*batch)
	return v
}

// packed reorders a matrix of rows of h weights: blocks of rows, in each the
// pairs of inputs, for each a pair of weights per row.
func packed(w []int16, h, block int) []int32 {
	out := aligned(len(w) / 2)[:0]
	for j := 0; j < len(w)/h; j += block {
		for k := 0; k < h; k += 2 {
			for r := j; r < j+block; r++ {
				out = append(out, int32(uint16(w[r*h+k]))|int32(w[r*h+k+1])<<16)
			}
		}
	}
	return out
}

// aligned is n zeros that begin at a multiple of 64 bytes, so that no vector
// straddles two lines of the cache.
func aligned(n int) []int32 {
	s := make([]int32, n+15)
	skip := -int(uintptr(unsafe.Pointer(&s[0]))/4) & 15
	return s[skip : skip+n : skip+n]
}

func (v *vector) logits(s *samples) {
	pairs := v.hidden / 2
	in, out := &v.in[0], &v.out[0]
	v.first(&v.slopes[0], &s.x[0], &s.y[0], in, pairs)
	for l, w := range v.weights {
		v.dense(&w[0], &v.biases[l][0], in, out, pairs, v.hidden/v.block)
		in, out = out, in
	}
	v.lanes.head(&v.head[0], &v.offsets[0], in, &s.logits[0][0], pairs, MaxColours/v.block)
	v.rank(&s.logits[0][0], &s.best[0], &s.lead[0], v.colours)
}
