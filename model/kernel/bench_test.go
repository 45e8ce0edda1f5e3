package kernel

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkRender is a whole picture in the size that matters: the default
// artist's shape at 1024². cpu-ms counts the time computed, so it holds on a busy
// machine.
func BenchmarkRender(b *testing.B) {
	plain := drawn("bench", 64, 4, 6)
	shaded := drawn("bench", 64, 4, 6)
	shaded.Sharpness, shaded.Shadow = 100*SharpnessOne, Shadow{Depth: LabOne / 10, Width: LogitOne / 2}
	for _, c := range []struct {
		name string
		p    *Program
	}{{"soft", plain}, {"cut-with-shadow", shaded}} {
		for _, name := range Kernels() {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				start := cpuTime()
				for b.Loop() {
					if _, err := Render(context.Background(), c.p, 1024, 1024, Options{Workers: 1, Kernel: name}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric((cpuTime()-start).Seconds()/float64(b.N)*1e3, "cpu-ms/op")
			})
		}
	}
}

// BenchmarkNetwork is the network alone, without colour: GOP/s counts a
// multiplication and an addition as two operations, leaves the sines out, and
// divides by the time computed.
func BenchmarkNetwork(b *testing.B) {
	for _, shape := range [][2]int{{64, 4}, {128, 6}} { // the default artist; the larger option
		h, l := shape[0], shape[1]
		p := drawn("bench", h, l, 6)
		for _, e := range engines {
			b.Run(fmt.Sprintf("H%d-L%d/%s", h, l, e.name), func(b *testing.B) {
				n, s := e.make(p), new(samples)
				for i := range batch {
					s.x[i], s.y[i] = int32(i)<<11, -int32(i)<<10
				}
				start := cpuTime()
				for b.Loop() {
					n.logits(s)
				}
				cpu := (cpuTime() - start).Seconds() / float64(b.N)
				ops := float64(batch * 2 * (2*h + (l-1)*h*h + 6*h))
				b.ReportMetric(ops/cpu/1e9, "GOP/s")
				b.ReportMetric(cpu*(1<<20)/batch*1e3, "cpu-ms/Mpixel")
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
