// Package gemm holds the single-precision loops under training: the matrix
// product that replaces gonum's inside gorgonia, and the modulated sine layer.
//
// On amd64 with AVX2 and FMA the inner loops are assembly, elsewhere Go. Both
// sum in a fixed order that does not depend on the number of goroutines, so a
// training run can be repeated to the bit on one kind of machine; between
// kinds the last bits differ. Pictures never pass through this package.
package gemm

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Depth is the number of summands that a pass over the result adds: two
// operand blocks of Depth × 64 floats stay in a second-level cache.
const Depth = 256

// BLAS is gonum's implementation with our Sgemm. Give it to gorgonia.Use.
type BLAS struct{ gonum.Implementation }

// Sgemm sets c = alpha·op(a)·op(b) + beta·c, as in BLAS level 3. Alpha 1 with
// beta 0 or 1 takes the fast way, anything else gonum's.
func (g BLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	if alpha != 1 || (beta != 0 && beta != 1) || m == 0 || n == 0 || k == 0 {
		g.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	rs, cs := lda, 1
	if tA != blas.NoTrans {
		rs, cs = 1, lda
	}
	if tB != blas.NoTrans {
		t := make([]float32, k*n)
		for j := range n {
			for p, v := range b[j*ldb : j*ldb+k] {
				t[p*n+j] = v
			}
		}
		b, ldb = t, n
	}
	Product(m, n, k, a, rs, cs, b, ldb, c, ldc, beta == 1)
}

// Product sets c = a·b, or adds to c, for a [m, k] whose element (i, p) lies at
// a[i·rs+p·cs], and row-major b [k, n] and c [m, n] with rows of ldb and ldc. It
// panics when a slice is short: shapes come from the program. It starts no
// goroutines.
func Product(m, n, k int, a []float32, rs, cs int, b []float32, ldb int, c []float32, ldc int, add bool) {
	_, _, _ = a[(m-1)*rs+(k-1)*cs], b[(k-1)*ldb+n-1], c[(m-1)*ldc+n-1]
	wide := n &^ 15
	var side []float32 // the last n mod 16 columns of b, filled up with zeros
	if n != wide && m >= 4 && accelerated {
		side = make([]float32, 16*k)
		for p := range k {
			copy(side[p*16:p*16+16], b[p*ldb+wide:p*ldb+n])
		}
	}
	for p0 := 0; p0 < k; p0 += Depth {
		kb := min(Depth, k-p0)
		ab, bb := a[p0*cs:], b[p0*ldb:]
		more := add || p0 > 0
		i := 0
		for accelerated && i+4 <= m {
			j, rows := 0, 4
			if broad && i+8 <= m && wide >= 32 {
				rows = 8
				for ; j+32 <= wide; j += 32 {
					tile8x32(kb, &ab[i*rs], rs, cs, &bb[j], ldb, &c[i*ldc+j], ldc, more)
				}
			}
			for r := i; r < i+rows; r += 4 {
				for j := j; j < wide; j += 16 {
					tile4x16(kb, &ab[r*rs], rs, cs, &bb[j], ldb, &c[r*ldc+j], ldc, more)
				}
				if side != nil {
					var t [64]float32
					tile4x16(kb, &ab[r*rs], rs, cs, &side[p0*16], 16, &t[0], 16, false)
					for q := range 4 {
						row := c[(r+q)*ldc+wide : (r+q)*ldc+n]
						if !more {
							clear(row)
						}
						for j := range row {
							row[j] += t[q*16+j]
						}
					}
				}
			}
			i += rows
		}
		for ; i < m; i++ {
			row := c[i*ldc : i*ldc+n]
			if !more {
				clear(row)
			}
			j := 0
			for ; accelerated && j+32 <= n; j += 32 {
				row32(kb, &ab[i*rs], cs, &bb[j], ldb, &row[j])
			}
			for p := 0; p < kb && j < n; p++ {
				v := ab[i*rs+p*cs]
				for q, w := range bb[p*ldb+j : p*ldb+n] {
					row[j+q] += v * w
				}
			}
		}
	}
}

// FilmSinCos sets sin and cos to sine and cosine of 2π(pre·scale + shift), for
// rows of pre as long as scale and shift; the phase is in turns. Sin and cos are as
// long as pre.
func FilmSinCos(pre, scale, shift, sin, cos []float32) {
	n := len(scale)
	rows := len(pre) / n
	_, _, _ = shift[:n], sin[:rows*n], cos[:rows*n]
	wide, fast := 0, 0
	if broad && rows > 0 {
		if wide = n &^ 15; wide > 0 {
			filmSinCosRows(rows, wide, n, &pre[0], &scale[0], &shift[0], &sin[0], &cos[0])
		}
	}
	if accelerated {
		fast = n &^ 7
	}
	for i := 0; i < rows*n && wide < n; i += n {
		if fast > wide {
			filmSinCos(fast-wide, &pre[i+wide], &scale[wide], &shift[wide], &sin[i+wide], &cos[i+wide])
		}
		for j := fast; j < n; j++ {
			t := pre[i+j]*scale[j] + shift[j]
			sin[i+j], cos[i+j] = sine(t), sine(t+.25)
		}
	}
}

// FilmBack is the gradient of FilmSinCos for a phase whose scale is in radians:
// with d = cos·dy it sets dpre = d·scale and adds, row after row, d to dshift and
// d·pre to dscale.
func FilmBack(pre, cos, dy, scale, dpre, dshift, dscale []float32) {
	n := len(scale)
	rows := len(pre) / n
	_, _, _, _, _ = cos[:rows*n], dy[:rows*n], dpre[:rows*n], dshift[:n], dscale[:n]
	wide, fast := 0, 0
	if broad && rows > 0 {
		if wide = n &^ 31; wide > 0 {
			filmBackRows(rows, wide, n, &pre[0], &cos[0], &dy[0], &scale[0], &dpre[0], &dshift[0], &dscale[0])
		}
	}
	if accelerated {
		fast = n &^ 7
	}
	for i := 0; i < rows*n && wide < n; i += n {
		if fast > wide {
			filmBack(fast-wide, &pre[i+wide], &cos[i+wide], &dy[i+wide], &scale[wide], &dpre[i+wide], &dshift[wide], &dscale[wide])
		}
		for j := fast; j < n; j++ {
			d := cos[i+j] * dy[i+j]
			dpre[i+j] = d * scale[j]
			dshift[j] += d
			dscale[j] += d * pre[i+j]
		}
	}
}

// sine is sin(2πt) with an error below 10⁻⁶: the turn is folded to a quarter,
// where Taylor's first six terms suffice.
func sine(t float32) float32 {
	t -= (t + 12582912) - 12582912 // 1.5·2²³ rounds to the nearest whole turn
	a := max(t, -t)
	a = min(a, .5-a)
	q := a * a
	s := a * (6.2831853 + q*(-41.341702+q*(81.605249+q*(-76.705860+q*(42.058694+q*-15.094643)))))
	if t < 0 {
		return -s
	}
	return s
}
