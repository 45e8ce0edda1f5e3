//go:build !amd64

package gemm

const accelerated = false

func tile4x16(int, *float32, int, int, *float32, int, *float32, int)                     {}
func filmSinCos(int, *float32, *float32, *float32, *float32, *float32)                   {}
func filmBack(int, *float32, *float32, *float32, *float32, *float32, *float32, *float32) {}
