package gemm

import "golang.org/x/sys/cpu"

var (
	accelerated = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	broad       = accelerated && cpu.X86.HasAVX512F
)

// tile4x16 sets, or adds to, four rows of sixteen results of a·b. Strides count
// floats. Each result is one chain of fused multiply-adds, as in tile8x32, so
// both give the same bits.
//
//go:noescape
func tile4x16(k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, add bool)

// tile8x32 is tile4x16 for eight rows of thirty-two, with AVX-512.
//
//go:noescape
func tile8x32(k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int, add bool)

// row32 adds to thirty-two results of one row of a·b. Products and sums are rounded
// one by one, as in the loop of Go that it stands for.
//
//go:noescape
func row32(k int, a *float32, cs int, b *float32, ldb int, c *float32)

//go:noescape
func filmSinCos(n int, pre, scale, shift, sin, cos *float32)

//go:noescape
func filmBack(n int, pre, cos, dy, scale, dpre, dshift, dscale *float32)

// filmSinCosRows is filmSinCos for the first n columns of rows that are stride
// long, sixteen columns at a time with AVX-512, to the same bits. N is a multiple
// of 16.
//
//go:noescape
func filmSinCosRows(rows, n, stride int, pre, scale, shift, sin, cos *float32)

// filmBackRows is filmBack for the first n columns of rows that are stride long,
// thirty-two columns at a time with AVX-512, to the same bits. N is a multiple of 32.
//
//go:noescape
func filmBackRows(rows, n, stride int, pre, cos, dy, scale, dpre, dshift, dscale *float32)
