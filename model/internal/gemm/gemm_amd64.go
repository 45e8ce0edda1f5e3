package gemm

import "golang.org/x/sys/cpu"

var accelerated = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// tile4x16 adds a·b to four rows of sixteen results. Strides count floats.
//
//go:noescape
func tile4x16(k int, a *float32, rs, cs int, b *float32, ldb int, c *float32, ldc int)

//go:noescape
func filmSinCos(n int, pre, scale, shift, sin, cos *float32)

//go:noescape
func filmBack(n int, pre, cos, dy, scale, dpre, dshift, dscale *float32)
