package kernel

import (
	"context"
	"testing"
)

// The size that matters: the default artist's shape at 1024².
func BenchmarkRender(b *testing.B) {
	p := drawn("bench", 64, 4, 6)
	for _, name := range Kernels() {
		b.Run("1024x1024-H64-L4-K6/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Render(context.Background(), p, 1024, 1024, Options{Workers: 1, Kernel: name}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNetwork is the network alone, without colour: GOP/s counts a
// multiplication and an addition as two operations and leaves the sines out.
func BenchmarkNetwork(b *testing.B) {
	for _, shape := range [][2]int{{64, 4}, {128, 6}} { // the default artist; the larger option
		h, l := shape[0], shape[1]
		p := drawn("bench", h, l, 6)
		for _, e := range engines {
			b.Run(e.name+map[int]string{64: "/H64-L4", 128: "/H128-L6"}[h], func(b *testing.B) {
				n, s := e.make(p), new(samples)
				for i := range batch {
					s.x[i], s.y[i] = int32(i)<<11, -int32(i)<<10
				}
				for b.Loop() {
					n.logits(s)
				}
				ops := float64(batch) * 2 * float64(2*h+(l-1)*h*h+6*h)
				b.ReportMetric(ops*float64(b.N)/1e9/b.Elapsed().Seconds(), "GOP/s")
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*(1<<20)/batch*1e3, "ms/1024²")
			})
		}
	}
}

// BenchmarkPixelRoot is the hashing of a 1024² picture.
func BenchmarkPixelRoot(b *testing.B) {
	rgb := make([]byte, 3<<20)
	b.SetBytes(3 << 20)
	for b.Loop() {
		if _, err := PixelRoot(1024, 1024, rgb); err != nil {
			b.Fatal(err)
		}
	}
}
