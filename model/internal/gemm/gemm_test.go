package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

func floats(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
	}
	return s
}

func TestSgemmAgreesWithGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][3]int{{1, 1, 1}, {4, 16, 3}, {5, 17, 9}, {64, 64, 300}, {64, 6, 1000}, {2, 64, 257}, {130, 64, 2}, {7, 33, 64}, {8, 32, 5}, {21, 70, 600}} {
		for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			for _, tB := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				for _, beta := range []float32{0, 1, .5} {
					t.Run(fmt.Sprintf("%v %c%c beta %g", shape, tA, tB, beta), func(t *testing.T) {
						m, n, k := shape[0], shape[1], shape[2]
						lda, ldb, ldc := k+1, n+2, n+3
						rowsA, rowsB := m, k
						if tA == blas.Trans {
							lda, rowsA = m+1, k
						}
						if tB == blas.Trans {
							ldb, rowsB = k+2, n
						}
						a, b, c := floats(r, rowsA*lda), floats(r, rowsB*ldb), floats(r, m*ldc)
						want := append([]float32(nil), c...)
						gonum.Implementation{}.Sgemm(tA, tB, m, n, k, 1, a, lda, b, ldb, beta, want, ldc)
						BLAS{}.Sgemm(tA, tB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
						for i := range want {
							require.InDelta(t, want[i], c[i], 2e-4, "element %d", i)
						}
					})
				}
			}
		}
	}
}

func TestSineLayerAgreesWithMath(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 7, 8, 16, 48, 64, 67, 88} {
		for _, rows := range []int{0, 1, 5} {
			pre, scale, shift := floats(r, rows*n), floats(r, n), floats(r, n)
			sin, cos := make([]float32, rows*n), make([]float32, rows*n)
			FilmSinCos(pre, scale, shift, sin, cos)
			dy, dpre := floats(r, rows*n), make([]float32, rows*n)
			dshift, dscale := floats(r, n), floats(r, n)
			wantShift, wantScale := slices.Clone(dshift), slices.Clone(dscale)
			FilmBack(pre, cos, dy, scale, dpre, dshift, dscale)
			for i := range rows * n {
				j := i % n
				phase := 2 * math.Pi * (float64(pre[i])*float64(scale[j]) + float64(shift[j]))
				require.InDelta(t, math.Sin(phase), sin[i], 1e-5)
				require.InDelta(t, math.Cos(phase), cos[i], 1e-5)
				d := cos[i] * dy[i]
				require.InDelta(t, d*scale[j], dpre[i], 1e-5)
				wantShift[j] += d
				wantScale[j] += d * pre[i]
			}
			for j := range n {
				require.InDelta(t, wantShift[j], dshift[j], 1e-4)
				require.InDelta(t, wantScale[j], dscale[j], 1e-4)
			}
		}
	}
}

func TestBothSineLayersGiveTheSameBits(t *testing.T) {
	if !broad {
		t.Skip("this machine has no AVX-512")
	}
	defer func() { broad = true }()
	for _, n := range []int{8, 16, 32, 56, 64, 112} {
		const rows = 9
		run := func(wide bool) (all [][]float32) {
			broad = wide
			r := rand.New(rand.NewPCG(9, uint64(n)))
			pre, scale, shift := floats(r, rows*n), floats(r, n), floats(r, n)
			pre[0], pre[3], pre[5] = 1e8, -1e-30, float32(math.Inf(1))
			sin, cos := floats(r, rows*n+1), floats(r, rows*n+1) // a number more is left alone
			FilmSinCos(pre, scale, shift, sin, cos)
			dy, dpre, dshift, dscale := floats(r, rows*n), floats(r, rows*n+1), floats(r, n+1), floats(r, n+1)
			FilmBack(pre, cos, dy, scale, dpre, dshift, dscale)
			return [][]float32{sin, cos, dpre, dshift, dscale}
		}
		for i, want := range run(false) {
			for j, v := range run(true)[i] {
				require.Equal(t, math.Float32bits(want[j]), math.Float32bits(v), "n %d, slice %d, element %d", n, i, j)
			}
		}
	}
}

func TestBothTilesGiveTheSameBits(t *testing.T) {
	if !broad {
		t.Skip("this machine has no AVX-512")
	}
	defer func() { broad = true }()
	r := rand.New(rand.NewPCG(7, 8))
	const m, n, k = 24, 96, 700
	a, b := floats(r, m*k), floats(r, k*n)
	one, two := floats(r, m*n), make([]float32, m*n)
	copy(two, one)
	Product(m, n, k, a, k, 1, b, n, one, n, true)
	broad = false
	Product(m, n, k, a, k, 1, b, n, two, n, true)
	require.Equal(t, one, two)
}

func TestRowsOfAssemblyGiveTheBitsOfGo(t *testing.T) {
	var x, y, z float32 = 1 + 1./4096, 1 + 1./4096, -1
	if !accelerated || x*y+z != float32(x*y)+z {
		t.Skip("here there is no assembly, or the compiler fuses multiply-adds")
	}
	defer func() { accelerated = true }()
	r := rand.New(rand.NewPCG(17, 18))
	const m, n, k = 3, 75, 300
	a, b := floats(r, k*m), floats(r, k*n)
	one, two := floats(r, m*n), make([]float32, m*n)
	copy(two, one)
	Product(m, n, k, a, 1, m, b, n, one, n, true)
	accelerated = false
	Product(m, n, k, a, 1, m, b, n, two, n, true)
	require.Equal(t, two, one)
}

// One layer of the artist over a batch of 16,384 points.
func BenchmarkProduct(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	const m, h = 16384, 64
	x, w, y, g := floats(r, m*h), floats(r, h*h), make([]float32, m*h), make([]float32, h*h)
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			Product(m, h, h, x, h, 1, w, h, y, h, false)
		}
		b.ReportMetric(2*m*h*h*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
	b.Run("weight gradient", func(b *testing.B) {
		for b.Loop() {
			Product(h, h, m, x, 1, h, y, h, g, h, false)
		}
		b.ReportMetric(2*m*h*h*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
	b.Run("sine", func(b *testing.B) {
		s, c := make([]float32, m*h), make([]float32, m*h)
		for b.Loop() {
			FilmSinCos(x, w[:h], w[h:2*h], s, c)
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/m/h, "ns/sine+cosine")
	})
}
