package kernel

// The assembly of lanes_arm64.s, written by folder asm. See there for the layout of the
// operands. Every arm64 processor has NEON.

//go:noescape
func firstNEON(slopes, x, y *int32, out *int16, blocks int)

//go:noescape
func denseNEON(weights *int16, biases *int32, in *int16, out *int16, inputs, blocks int)

//go:noescape
func headNEON(weights *int16, biases *int32, in *int16, out *int32, inputs, blocks int)

func vectorEngines() []engine { return []engine{{"neon", newVector}} }

// neonBlock is the number of neurons computed at once.
const neonBlock = 8

// vector is the network with its weights packed for NEON.
type vector struct {
	hidden  int
	colours int
	slopes  []int32 // px, py, pc, 0 for each neuron
	weights [][]int16
	biases  [][]int32
	head    []int16
	offsets []int32 // of the head
	in, out []int16 // activations, a row of batch for each neuron
}

func newVector(p *Program) network {
	v := &vector{hidden: p.Hidden, colours: p.Colours, in: make([]int16, p.Hidden*batch), out: make([]int16, p.Hidden*batch)}
	px, py, pc := p.seen()
	for j := range px {
		v.slopes = append(v.slopes, px[j], py[j], pc[j], 0)
	}
	for l := range p.Weights {
		v.weights = append(v.weights, packed(p.Weights[l], p.Hidden))
		v.biases = append(v.biases, early(p.Biases[l]))
	}
	// The head is padded with zero rows to one whole block.
	head, offsets := make([]int16, MaxColours*p.Hidden), make([]int32, MaxColours)
	copy(head, p.Head)
	copy(offsets, p.HeadBias)
	v.head, v.offsets = packed(head, p.Hidden), offsets
	return v
}

// packed reorders a matrix of rows of h weights: blocks of rows, in each the inputs,
// for each a weight per row.
func packed(w []int16, h int) []int16 {
	out := make([]int16, 0, len(w))
	for j := 0; j < len(w)/h; j += neonBlock {
		for k := range h {
			for r := j; r < j+neonBlock; r++ {
				out = append(out, w[r*h+k])
			}
		}
	}
	return out
}

func (v *vector) logits(s *samples) {
	blocks := v.hidden / neonBlock
	in, out := &v.in[0], &v.out[0]
	firstNEON(&v.slopes[0], &s.x[0], &s.y[0], in, blocks)
	for l, w := range v.weights {
		denseNEON(&w[0], &v.biases[l][0], in, out, v.hidden, blocks)
		in, out = out, in
	}
	headNEON(&v.head[0], &v.offsets[0], in, &s.logits[0][0], v.hidden, MaxColours/neonBlock)
	s.rank(v.colours)
}
