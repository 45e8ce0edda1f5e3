package main

import "golang.org/x/sys/cpu"

//go:noescape
func vnniLoop(n int)

//go:noescape
func fma512Loop(n int)

//go:noescape
func fma256Loop(n int)

//go:noescape
func pairsLoop(n int)

// peaks are loops that touch registers only: what a core can do at most.
// Operations count multiplications and additions: vpdpwssd has 64 in 512 bits,
// vpmaddwd with vpaddd 32 in 256 bits, a fused multiply-add two a lane.
func peaks() []peak {
	var all []peak
	if cpu.X86.HasAVX512VNNI {
		all = append(all, peak{"vnni", "int16, AVX-512 VNNI", vnniLoop, 16 * 64})
	}
	if cpu.X86.HasAVX2 {
		all = append(all, peak{"pairs", "int16, AVX2", pairsLoop, 12 * 32})
	}
	if cpu.X86.HasAVX512F {
		all = append(all, peak{"float", "float32, AVX-512", fma512Loop, 16 * 32})
	} else if cpu.X86.HasFMA {
		all = append(all, peak{"float", "float32, AVX2", fma256Loop, 12 * 16})
	}
	return all
}
