// Command asm writes the assembly of package kernel: lanes_amd64.s with its
// declarations, and lanes_arm64.s (neon.go). It is a module of its own, so that the
// repository does not depend on the generator. Run it by go generate in the parent
// folder.
//
// The instruction sets of amd64 share one data layout. A batch is 32 samples. Activations
// are 16 bits, two neurons in one 32-bit lane (the even one low), as rows of 32
// lanes: row k holds neurons 2k and 2k+1. Weights are packed alike: for each
// block of neurons, for each k, one pair of weights per neuron of the block.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	batch = 32
	row   = 4 * batch // bytes of one row of lanes

	// See sine.go.
	sine1 = 25736
	sine3 = -10584
	sine5 = 1305
	sine7 = -73

	bitsNext  = 5 // 2⁻²⁷ turns become 2⁻³² turns
	bitsFirst = 0
)

// isa is what differs between the instruction sets.
type isa struct {
	suffix string
	vec    func() reg.VecVirtual
	width  int // bytes of a vector
	block  int // neurons at once
	vecs   int // vectors of samples at once
	unroll int

	// dot adds the products of the pairs in x and w to acc.
	dot func(acc, x, w reg.VecVirtual)
	// splat makes all lanes of v the 32 bits at m.
	splat func(m Mem, v reg.VecVirtual)
	load  func(m Mem, v reg.VecVirtual)
	store func(v reg.VecVirtual, m Mem)
	xor   func(a, b, dst reg.VecVirtual)
	// weave keeps the low words of low and the high words of high in low.
	weave func(high, low reg.VecVirtual)
	// pick makes best c where v is greater than first. It may change t.
	pick func(v, first, c, best, t reg.VecVirtual)
	// ready loads what the function needs besides the constants.
	ready func()
}

func main() {
	arm := flag.String("neon", "", "write the assembly for arm64 to `FILE`")
	flag.Parse()
	if err := writeNEON(*arm); err != nil {
		log.Fatal(err)
	}

	ConstraintExpr("amd64")

	var mask reg.OpmaskVirtual
	emit(isa{
		suffix: "AVX512", vec: ZMM, width: 64, block: 8, vecs: 2, unroll: 4,
		dot:   func(acc, x, w reg.VecVirtual) { VPDPWSSD(x, w, acc) },
		splat: func(m Mem, v reg.VecVirtual) { VPBROADCASTD(m, v) },
		load:  func(m Mem, v reg.VecVirtual) { VMOVDQU32(m, v) },
		store: func(v reg.VecVirtual, m Mem) { VMOVDQU32(v, m) },
		xor:   func(a, b, dst reg.VecVirtual) { VPXORD(a, b, dst) },
		weave: func(high, low reg.VecVirtual) { VPBLENDMW(high, low, mask, low) },
		pick: func(v, first, c, best, t reg.VecVirtual) {
			greater := K()
			VPCMPGTD(first, v, greater)
			VMOVDQA32(c, greater, best)
		},
		ready: func() {
			mask = K()
			bits := GP32()
			MOVL(U32(0xaaaaaaaa), bits)
			KMOVD(bits, mask)
		},
	})
	var product reg.VecVirtual
	emit(isa{
		suffix: "AVX2", vec: YMM, width: 32, block: 4, vecs: 2, unroll: 2,
		dot: func(acc, x, w reg.VecVirtual) {
			VPMADDWD(x, w, product)
			VPADDD(product, acc, acc)
		},
		splat: func(m Mem, v reg.VecVirtual) { VPBROADCASTD(m, v) },
		load:  func(m Mem, v reg.VecVirtual) { VMOVDQU(m, v) },
		store: func(v reg.VecVirtual, m Mem) { VMOVDQU(v, m) },
		xor:   func(a, b, dst reg.VecVirtual) { VPXOR(a, b, dst) },
		weave: func(high, low reg.VecVirtual) { VPBLENDW(U8(0xaa), high, low, low) },
		pick: func(v, first, c, best, t reg.VecVirtual) {
			VPCMPGTD(first, v, t)
			VPBLENDVB(t, c, best, best)
		},
		ready: func() { product = YMM() },
	})
	Generate()
}

func emit(s isa) {
	constants := s.constants()
	s.first(constants)
	s.dense("dense"+s.suffix, constants)
	s.dense("head"+s.suffix, nil)
	s.rank()
}

// constants are whole vectors of words.
func (s isa) constants() *Mem {
	m := GLOBL("constants"+s.suffix, RODATA|NOPTR)
	for i, c := range []int{32767, sine7, sine5, sine3, sine1} {
		word := uint64(uint16(c))
		for o := 0; o < s.width; o += 8 {
			DATA(i*s.width+o, U64(word|word<<16|word<<32|word<<48))
		}
	}
	return &m
}

// sines turns pairs of phases (even neuron, odd neuron) into one vector of
// activations each, left in the even one. The steps of all pairs alternate, so
// that their latencies overlap.
func (s isa) sines(constants *Mem, bits int, even, odd, t []reg.VecVirtual) {
	constant := func(i int) Mem { return constants.Offset(i * s.width) }
	each := func(f func(i int)) {
		for i := range even {
			f(i)
		}
	}
	each(func(i int) { VPSRLD(U8(uint8(16-bits)), even[i], even[i]) })
	if bits > 0 {
		each(func(i int) { VPSLLD(U8(uint8(bits)), odd[i], odd[i]) })
	}
	each(func(i int) { s.weave(odd[i], even[i]) })
	// g = 32767 - 2·(v ≥ 0 ? v : -1-v)
	each(func(i int) { VPSRAW(U8(15), even[i], odd[i]) })
	each(func(i int) { s.xor(even[i], odd[i], even[i]) })
	each(func(i int) { VPADDW(even[i], even[i], even[i]) })
	limit := s.vec()
	s.load(constant(0), limit)
	each(func(i int) { s.xor(limit, even[i], even[i]) })
	// q = g², s = ((c7·q + c5)·q + c3)·q + c1
	each(func(i int) { VPMULHRSW(even[i], even[i], odd[i]) })
	each(func(i int) { VPMULHRSW(constant(1), odd[i], t[i]) })
	for c := 2; c <= 4; c++ {
		each(func(i int) { VPADDW(constant(c), t[i], t[i]) })
		if c < 4 {
			each(func(i int) { VPMULHRSW(odd[i], t[i], t[i]) })
		}
	}
	each(func(i int) { VPMULHRSW(t[i], even[i], even[i]) })
}

// first writes the activations of the first layer.
func (s isa) first(constants *Mem) {
	TEXT("first"+s.suffix, NOSPLIT, "func(slopes, x, y, out *int32, pairs int)")
	Pragma("noescape")
	Doc("first"+s.suffix+" sets out to the activations of pairs·2 neurons at the 32 samples (x, y).",
		"slopes holds px, py, pc of the even neuron and then of the odd one, for each pair.")
	slopes, x, y := Load(Param("slopes"), GP64()), Load(Param("x"), GP64()), Load(Param("y"), GP64())
	out, pairs := Load(Param("out"), GP64()), Load(Param("pairs"), GP64())
	s.ready()

	n := row / s.width // vectors in a row
	var xs, ys []reg.VecVirtual
	for range s.vecs {
		xs, ys = append(xs, s.vec()), append(ys, s.vec())
	}
	for at := 0; at < n; at += s.vecs {
		label := "pair" + string(rune('a'+at/s.vecs))
		for v := range s.vecs {
			s.load(Mem{Base: x, Disp: (at + v) * s.width}, xs[v])
			s.load(Mem{Base: y, Disp: (at + v) * s.width}, ys[v])
		}
		from, to, left := GP64(), GP64(), GP64()
		MOVQ(slopes, from)
		MOVQ(out, to)
		MOVQ(pairs, left)
		Label(label)
		phases := [2][]reg.VecVirtual{}
		w, p := s.vec(), s.vec()
		for o := range 2 {
			for v := range s.vecs {
				a := s.vec()
				s.splat(Mem{Base: from, Disp: 12*o + 8}, a)
				phases[o] = append(phases[o], a)
				s.splat(Mem{Base: from, Disp: 12 * o}, w)
				VPMULLD(xs[v], w, p)
				VPADDD(p, a, a)
				s.splat(Mem{Base: from, Disp: 12*o + 4}, w)
				VPMULLD(ys[v], w, p)
				VPADDD(p, a, a)
			}
		}
		var t []reg.VecVirtual
		for range s.vecs {
			t = append(t, s.vec())
		}
		s.sines(constants, bitsFirst, phases[0], phases[1], t)
		for v := range s.vecs {
			s.store(phases[0][v], Mem{Base: to, Disp: (at + v) * s.width})
		}
		ADDQ(Imm(24), from)
		ADDQ(Imm(row), to)
		DECQ(left)
		JNZ(LabelRef(label))
	}
	VZEROUPPER()
	RET()
}

// dense writes the activations of a further layer, or with no constants the
// plain sums of the head.
func (s isa) dense(name string, constants *Mem) {
	TEXT(name, NOSPLIT, "func(weights, biases, in, out *int32, pairs, blocks int)")
	Pragma("noescape")
	if constants != nil {
		Doc(name + " sets out to the activations of blocks·" + digit(s.block) + " neurons over pairs·2 inputs.")
	} else {
		Doc(name + " sets out to the sums of blocks·" + digit(s.block) + " rows over pairs·2 inputs, 32 bits each.")
	}
	weights, biases := Load(Param("weights"), GP64()), Load(Param("biases"), GP64())
	in, out := Load(Param("in"), GP64()), Load(Param("out"), GP64())
	pairs, blocks := Load(Param("pairs"), GP64()), Load(Param("blocks"), GP64())
	s.ready()

	groups := row / s.width / s.vecs // passes over the samples
	acc := make([][]reg.VecVirtual, s.block)
	for r := range acc {
		for range s.vecs {
			acc[r] = append(acc[r], s.vec())
		}
	}
	var xs []reg.VecVirtual
	for range s.vecs {
		xs = append(xs, s.vec())
	}
	w := s.vec()
	from, w0, left := GP64(), GP64(), GP64()

	Label("block")
	for g := range groups {
		label := "sum" + string(rune('a'+g))
		for r := range acc {
			for v := range acc[r] {
				s.splat(Mem{Base: biases, Disp: 4 * r}, acc[r][v])
			}
		}
		MOVQ(in, from)
		MOVQ(weights, w0)
		MOVQ(pairs, left)
		Label(label)
		for u := range s.unroll {
			for v := range xs {
				s.load(Mem{Base: from, Disp: u*row + (g*s.vecs+v)*s.width}, xs[v])
			}
			for r := range acc {
				s.splat(Mem{Base: w0, Disp: 4 * (u*s.block + r)}, w)
				for v := range xs {
					s.dot(acc[r][v], xs[v], w)
				}
			}
		}
		ADDQ(U32(uint32(s.unroll*row)), from)
		ADDQ(U32(uint32(s.unroll*4*s.block)), w0)
		SUBQ(Imm(uint64(s.unroll)), left)
		JNZ(LabelRef(label))

		if constants == nil {
			for r := range acc {
				for v := range xs {
					s.store(acc[r][v], Mem{Base: out, Disp: r*row + (g*s.vecs+v)*s.width})
				}
			}
			continue
		}
		for r := 0; r < s.block; r += 2 {
			s.sines(constants, bitsNext, acc[r], acc[r+1], xs)
			for v := range xs {
				s.store(acc[r][v], Mem{Base: out, Disp: r/2*row + (g*s.vecs+v)*s.width})
			}
		}
	}
	MOVQ(w0, weights)
	ADDQ(Imm(uint64(4*s.block)), biases)
	rows := s.block
	if constants != nil {
		rows /= 2
	}
	ADDQ(U32(uint32(rows*row)), out)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// rank writes the index of the first of the greatest of some rows, and its distance
// to the greatest of the others.
func (s isa) rank() {
	numbers := GLOBL("numbers"+s.suffix, RODATA|NOPTR)
	DATA(0, U32(1))
	DATA(4, U32(1<<31)) // the least

	TEXT("rank"+s.suffix, NOSPLIT, "func(logits, best, lead *int32, colours int)")
	Pragma("noescape")
	Doc("rank"+s.suffix+" sets best to the first row with the greatest logit, at each of the 32 samples,",
		"and lead to its distance to the greatest of the other rows.")
	logits, best, lead := Load(Param("logits"), GP64()), Load(Param("best"), GP64()), Load(Param("lead"), GP64())
	colours := Load(Param("colours"), GP64())
	one, c := s.vec(), s.vec()
	s.splat(numbers, one)
	from, left := GP64(), GP64()
	var v, t, first, second, front []reg.VecVirtual
	for range s.vecs {
		v, t = append(v, s.vec()), append(t, s.vec())
		first, second, front = append(first, s.vec()), append(second, s.vec()), append(front, s.vec())
	}
	for g := range row / s.width / s.vecs {
		label := "colour" + string(rune('a'+g))
		at := func(base reg.Register, i int) Mem { return Mem{Base: base, Disp: (g*s.vecs + i) * s.width} }
		for i := range v {
			s.load(at(logits, i), first[i])
			s.splat(numbers.Offset(4), second[i])
			s.xor(front[i], front[i], front[i])
		}
		s.xor(c, c, c)
		MOVQ(logits, from)
		LEAQ(Mem{Base: colours, Disp: -1}, left)
		Label(label)
		ADDQ(U32(row), from)
		VPADDD(one, c, c)
		for i := range v {
			s.load(at(from, i), v[i])
			s.pick(v[i], first[i], c, front[i], t[i])
			VPMINSD(v[i], first[i], t[i])
			VPMAXSD(t[i], second[i], second[i])
			VPMAXSD(v[i], first[i], first[i])
		}
		DECQ(left)
		JNZ(LabelRef(label))
		for i := range v {
			VPSUBD(second[i], first[i], first[i])
			s.store(front[i], at(best, i))
			s.store(first[i], at(lead, i))
		}
	}
	VZEROUPPER()
	RET()
}

func digit(n int) string { return string(rune('0' + n)) }
