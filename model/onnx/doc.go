// Package onnx writes pictures and artists of the contract phase-16 as ONNX
// files, and checks ONNX files before anything runs them.
//
// ONNX is the open exchange format for networks (https://onnx.ai); files here
// have operator set 13 and use only what every runtime knows. A graph draws by
// this convention, which other people's networks may follow too:
//
//	places  [n, 2]  input: x to the right and y down; the shorter side of a
//	                picture spans -1..+1 between its outer edges
//	colour  [n, 3]  output: sRGB red, green and blue in 0..1
//	words   [1, f]  optional input: how much of each word of the vocabulary
//	noise   [1, z]  optional input: what the seed adds to the latent
//	view    [3, 2]  optional input: places are (x, y, 1)·view to the network
//	palette [k, 3]  optional output: the colours in OKLab
//
// All of them are float32. A graph without words and noise is one picture; with
// them it is an artist, whose vocabulary stands in the file's metadata.
//
// The graph is the float twin of the integers: weights in turns become radians,
// the softmax has the program's sharpness, and each place is one sample. So its
// pictures are like those of package kernel (40 dB and more where both take the
// same samples), but not the same to the bit, and two runtimes differ too.
package onnx
