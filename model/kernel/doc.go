// Package kernel renders pictures of the contract "phase-16": a small sine
// network in integers, whose pixels are the same to the bit on every machine.
//
// Weights and activations are int16, sums are int32 modulo 2³², and a sum is
// read as a phase: overflow is the range reduction of the sine. Integer addition
// is associative, so neither the order of a sum nor the width of a vector unit,
// nor the number of threads can change a result. Everything after the sum
// (sine, softmax, colour, antialiasing) is integer arithmetic too. PHASE16.md is
// the specification, testdata/vectors.json its test vectors.
//
// A pixel depends on nothing but the program, the size of the picture and the
// pixel's place, so any 32×32 tile can be rendered alone with [RenderTile] and
// checked against the [PixelRoot] of the whole picture.
//
// Kernels: "reference" is plain Go; "avx2" and "avx512vnni" are Go assembly for
// amd64, "neon" for arm64, written by the generator in folder asm and chosen at run
// time. [Kernels] names those that this machine can run.
package kernel
