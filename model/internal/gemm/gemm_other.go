//go:build !amd64

package gemm

var accelerated, broad = false, false

func tile4x16(int, *float32, int, int, *float32, int, *float32, int, bool)               {}
func tile8x32(int, *float32, int, int, *float32, int, *float32, int, bool)               {}
func row32(int, *float32, int, *float32, int, *float32)                                  {}
func filmSinCos(int, *float32, *float32, *float32, *float32, *float32)                   {}
func filmBack(int, *float32, *float32, *float32, *float32, *float32, *float32, *float32) {}
func filmSinCosRows(int, int, int, *float32, *float32, *float32, *float32, *float32)     {}
func filmBackRows(int, int, int, *float32, *float32, *float32, *float32, *float32, *float32, *float32) {
}
