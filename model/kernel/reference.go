package kernel

import "math"

// batch is the number of samples that a kernel computes at once: one row of a
// tile.
const batch = TileSide

// samples is the input and output of one batch.
type samples struct {
	x, y   [batch]int32 // folded picture coordinates
	logits logits
	best   [batch]int32 // the colour with the greatest logit, the first of equals
	lead   [batch]int32 // its distance to the greatest of the others
}

// logits are those of a batch, colour by colour; rows from Colours on are unspecified.
type logits [MaxColours][batch]int32

// rank sets best and lead. There are no branches but the loops: a processor would
// guess them wrong.
func (s *samples) rank(colours int) {
	for i := range batch {
		best, first, second := 0, s.logits[0][i], int32(math.MinInt32)
		for c := 1; c < colours; c++ {
			v := s.logits[c%MaxColours][i]
			second = max(second, min(first, v))
			if v > first {
				best = c
			}
			first = max(first, v)
		}
		s.best[i], s.lead[i] = int32(best), first-second
	}
}

// network computes logits for batches, and ranks them. It is used by one goroutine at
// a time.
type network interface {
	logits(s *samples)
}

// reference is the network in plain Go, one sample after the other. It defines
// what the other kernels have to compute.
type reference struct {
	p          *Program
	px, py, pc []int32
	bias       [][]int32 // of the layers after the first, a quarter turn early
	a, b       [MaxHidden]int32
}

func newReference(p *Program) network {
	r := &reference{p: p, bias: make([][]int32, len(p.Biases))}
	r.px, r.py, r.pc = p.seen()
	for l, from := range p.Biases {
		r.bias[l] = early(from)
	}
	return r
}

// early is a copy of biases, a quarter turn early.
func early(biases []int32) []int32 {
	e := make([]int32, len(biases))
	for j, b := range biases {
		e[j] = b - quarterNext
	}
	return e
}

func (r *reference) logits(s *samples) {
	h := r.p.Hidden
	for i := range batch {
		in, out := r.a[:h], r.b[:h]
		for j := range in {
			in[j] = sine(r.px[j]*s.x[i] + r.py[j]*s.y[i] + r.pc[j])
		}
		for l, w := range r.p.Weights {
			for j := 0; j < h; j += 4 {
				s0, s1, s2, s3 := dot4(w[j*h:(j+4)*h], in)
				bias := r.bias[l][j : j+4]
				// 2⁻²⁷ turns modulo 32 turns become 2⁻³² turns modulo one.
				out[j] = sine((s0 + bias[0]) << 5)
				out[j+1] = sine((s1 + bias[1]) << 5)
				out[j+2] = sine((s2 + bias[2]) << 5)
				out[j+3] = sine((s3 + bias[3]) << 5)
			}
			in, out = out, in
		}
		for c := range r.p.Colours {
			sum := r.p.HeadBias[c]
			for k, w := range r.p.Head[c*h : (c+1)*h] {
				sum += int32(w) * in[k]
			}
			s.logits[c][i] = sum
		}
	}
	s.rank(r.p.Colours)
}

// dot4 multiplies four rows of weights with one vector; four at once spare
// three quarters of the loads.
func dot4(w []int16, in []int32) (s0, s1, s2, s3 int32) {
	h := len(in)
	w0, w1, w2, w3 := w[:h], w[h:2*h], w[2*h:3*h], w[3*h:4*h]
	for k, v := range in {
		s0 += int32(w0[k]) * v
		s1 += int32(w1[k]) * v
		s2 += int32(w2[k]) * v
		s3 += int32(w3[k]) * v
	}
	return s0, s1, s2, s3
}
