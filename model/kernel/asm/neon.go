package main

import (
	"bytes"
	"fmt"
	"os"
)

// The arm64 assembly is written line by line: the generator of the others knows amd64
// only. Go's assembler lacks some of the instructions; these are written as WORD, with
// the instruction as comment. Encodings: Arm Architecture Reference Manual, C7.2.
//
// NEON multiplies words with one word of another register, so a lane holds one neuron
// at one sample: activations are rows of 32 words, one row for each neuron. Weights
// are packed by blocks of 8 neurons: for each input 8 words, one for each neuron. The
// block's sums at 8 samples fill V16..V31, two registers for each neuron.
const (
	neonBlock = 8
	neonRow   = 2 * batch // bytes of a row of activations
)

// Registers with the constants of the sine. V0..V7 change.
const (
	limit = 8 + iota
	c7
	c5
	c3
	c1
)

type neon struct{ bytes.Buffer }

func (n *neon) line(format string, args ...any) { fmt.Fprintf(n, "\t"+format+"\n", args...) }

func (n *neon) word(code int, format string, args ...any) {
	n.line("WORD $0x%08x // "+format, append([]any{uint32(code)}, args...)...)
}

// smlal adds the products of the lower (upper) four words of x and word i of w to acc.
func (n *neon) smlal(acc, x, w, i int, upper bool) {
	code := 0x0f402000 | i>>2<<11 | i>>1&1<<21 | i&1<<20 | w<<16 | x<<5 | acc
	if upper {
		n.word(code|1<<30, "smlal2 v%d.4s, v%d.8h, v%d.h[%d]", acc, x, w, i)
	} else {
		n.word(code, "smlal v%d.4s, v%d.4h, v%d.h[%d]", acc, x, w, i)
	}
}

// mla adds the products of x and double word i of w to acc.
func (n *neon) mla(acc, x, w, i int) {
	n.word(0x6f800000|i>>1<<11|i&1<<21|w<<16|x<<5|acc, "mla v%d.4s, v%d.4s, v%d.s[%d]", acc, x, w, i)
}

// narrow makes dst the words of two registers of phases from bit shift up.
func (n *neon) narrow(dst, low, high, shift int) {
	code := 0x0f008400 | (32-shift)<<16
	n.word(code|low<<5|dst, "shrn v%d.4h, v%d.4s, #%d", dst, low, shift)
	n.word(code|1<<30|high<<5|dst, "shrn2 v%d.8h, v%d.4s, #%d", dst, high, shift)
}

// round is the rounded product of PHASE16.md.
func (n *neon) round(dst, a, b int) {
	n.word(0x6e60b400|b<<16|a<<5|dst, "sqrdmulh v%d.8h, v%d.8h, v%d.8h", dst, a, b)
}

func (n *neon) signs(dst, a int) {
	n.word(0x4f110400|a<<5|dst, "sshr v%d.8h, v%d.8h, #15", dst, a)
}

func (n *neon) add(dst, a, b int) { n.line("VADD V%d.H8, V%d.H8, V%d.H8", a, b, dst) }
func (n *neon) xor(dst, a, b int) { n.line("VEOR V%d.B16, V%d.B16, V%d.B16", a, b, dst) }

// function begins a function and loads its parameters.
func (n *neon) function(name, doc string, params ...string) {
	fmt.Fprintf(n, "\n// %s\n", doc)
	fmt.Fprintf(n, "TEXT ·%s(SB), NOSPLIT|NOFRAME, $0-%d\n", name, 8*len(params))
	for i, p := range params {
		n.line("MOVD %s+%d(FP), R%d", p, 8*i, i)
	}
}

func (n *neon) constants() {
	for _, c := range []struct{ register, value int }{{limit, 32767}, {c7, sine7}, {c5, sine5}, {c3, sine3}, {c1, sine1}} {
		n.line("MOVD $%d, R15", c.value)
		n.line("VDUP R15, V%d.H8", c.register)
	}
}

// sines turns the phases of 8 neurons, in V16..V31, into activations in V0..V7. The
// steps of all neurons alternate, so that their latencies overlap.
func (n *neon) sines(shift int) {
	each := func(f func(v, q, s int)) {
		for r := range neonBlock {
			f(r, 16+2*r, 17+2*r)
		}
	}
	each(func(v, q, s int) { n.narrow(v, q, s, shift) })
	each(func(v, q, s int) { n.signs(q, v) })
	each(func(v, q, s int) { n.xor(v, v, q) })
	each(func(v, q, s int) { n.add(v, v, v) })
	each(func(v, q, s int) { n.xor(v, v, limit) })
	each(func(v, q, s int) { n.round(q, v, v) })
	each(func(v, q, s int) { n.round(s, q, c7) })
	for _, c := range []int{c5, c3} {
		each(func(v, q, s int) { n.add(s, s, c) })
		each(func(v, q, s int) { n.round(s, s, q) })
	}
	each(func(v, q, s int) { n.add(s, s, c1) })
	each(func(v, q, s int) { n.round(v, v, s) })
}

// first: slopes in R0 are px, py, pc, 0 for each neuron; x, y in R1, R2.
func (n *neon) first() {
	n.function("firstNEON", "func firstNEON(slopes, x, y *int32, out *int16, blocks int)", "slopes", "x", "y", "out", "blocks")
	n.constants()
	n.line("MOVD $%d, R5 // groups of 8 samples", batch/8)
	fmt.Fprintln(n, "group:")
	n.line("VLD1.P 32(R1), [V13.S4, V14.S4]")
	n.line("VLD1.P 32(R2), [V6.S4, V7.S4]")
	n.line("MOVD R0, R6")
	n.line("MOVD R3, R7")
	n.line("MOVD R4, R8")
	fmt.Fprintln(n, "block:")
	for r := range neonBlock {
		w := r % 4
		n.line("VLD1.P 16(R6), [V%d.S4]", w)
		for half := range 2 {
			acc := 16 + 2*r + half
			n.line("VDUP V%d.S[2], V%d.S4", w, acc)
			n.mla(acc, 13+half, w, 0)
			n.mla(acc, 6+half, w, 1)
		}
	}
	// y makes room for the sines and comes back.
	n.sines(16 - bitsFirst)
	for r := range neonBlock {
		n.line("VST1 [V%d.H8], (R7)", r)
		n.line("ADD $%d, R7", neonRow)
	}
	n.line("SUB $32, R2")
	n.line("VLD1.P 32(R2), [V6.S4, V7.S4]")
	n.line("SUBS $1, R8")
	n.line("BNE block")
	n.line("ADD $16, R3")
	n.line("SUBS $1, R5")
	n.line("BNE group")
	n.line("RET")
}

// dense: weights R0, biases R1, in R2, out R3, inputs R4, blocks R5. Without sines it
// writes the sums, 32 bits each.
func (n *neon) dense(name, out string, sines bool) {
	n.function(name, fmt.Sprintf("func %s(weights *int16, biases *int32, in *int16, out %s, inputs, blocks int)", name, out),
		"weights", "biases", "in", "out", "inputs", "blocks")
	size := 4
	if sines {
		n.constants()
		size = 2
	}
	fmt.Fprintln(n, "block:")
	n.line("VLD1 (R1), [V13.S4, V14.S4]")
	n.line("ADD $%d, R1", 4*neonBlock)
	n.line("MOVD R2, R7")
	n.line("MOVD R3, R8")
	n.line("MOVD $%d, R6 // groups of 8 samples", batch/8)
	fmt.Fprintln(n, "group:")
	for r := range neonBlock {
		n.line("VDUP V%d.S[%d], V%d.S4", 13+r/4, r%4, 16+2*r)
		n.line("VDUP V%d.S[%d], V%d.S4", 13+r/4, r%4, 17+2*r)
	}
	n.line("MOVD R0, R9")
	n.line("MOVD R7, R10")
	n.line("MOVD R4, R11")
	fmt.Fprintln(n, "sum:")
	const unroll = 2
	n.line("VLD1.P 32(R9), [V0.H8, V1.H8]")
	for u := range unroll {
		n.line("VLD1 (R10), [V%d.H8]", 2+u)
		n.line("ADD $%d, R10", neonRow)
	}
	for u := range unroll {
		for r := range neonBlock {
			n.smlal(16+2*r, 2+u, u, r, false)
			n.smlal(17+2*r, 2+u, u, r, true)
		}
	}
	n.line("SUBS $%d, R11", unroll)
	n.line("BNE sum")
	n.line("MOVD R8, R12")
	if sines {
		n.sines(16 - bitsNext)
	}
	for r := range neonBlock {
		if sines {
			n.line("VST1 [V%d.H8], (R12)", r)
		} else {
			n.line("VST1 [V%d.S4, V%d.S4], (R12)", 16+2*r, 17+2*r)
		}
		n.line("ADD $%d, R12", size*batch)
	}
	n.line("ADD $16, R7")
	n.line("ADD $%d, R8", 8*size)
	n.line("SUBS $1, R6")
	n.line("BNE group")
	n.line("MOVD R9, R0")
	n.line("ADD $%d, R3", neonBlock*size*batch)
	n.line("SUBS $1, R5")
	n.line("BNE block")
	n.line("RET")
}

// writeNEON writes the assembly for arm64.
func writeNEON(path string) error {
	n := new(neon)
	fmt.Fprint(n, "// Code generated by the program in folder asm. DO NOT EDIT.\n\n#include \"textflag.h\"\n")
	n.first()
	n.dense("denseNEON", "*int16", true)
	n.dense("headNEON", "*int32", false)
	return os.WriteFile(path, n.Bytes(), 0o644)
}
