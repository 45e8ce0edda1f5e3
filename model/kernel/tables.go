package kernel

import (
	"math/big"
	"sync"
)

const (
	octave       = 256         // steps of an exponent per factor of two
	vanish       = 16 * octave // an exponent whose weight is zero
	linearOne    = 1 << 16     // 1.0 in linear light
	linearLevels = linearOne   // entries of the transfer table
)

// tables hold the two functions that are not polynomials. They are computed
// with whole numbers of any size, so no library and no rounding mode enters.
type tables struct {
	// halves[i] is 2¹⁶·2^(-i/octave), rounded to nearest.
	halves [octave]uint32
	// srgb[v] is the sRGB level of linear light v/2¹⁶, rounded to nearest.
	srgb [linearLevels]uint8
}

var sharedTables = sync.OnceValue(func() *tables {
	t := new(tables)
	t.fillHalves()
	t.fillTransfer()
	return t
})

// fillHalves takes the 256th root of one half by eight square roots with 192
// bits, then multiplies.
func (t *tables) fillHalves() {
	const bits = 192
	root := new(big.Int).Lsh(big.NewInt(1), bits-1)
	for range 8 { // 2⁸ = octave
		root.Sqrt(root.Lsh(root, bits))
	}
	v := new(big.Int).Lsh(big.NewInt(1), bits)
	half := new(big.Int).Lsh(big.NewInt(1), bits-17)
	for i := range t.halves {
		r := new(big.Int).Add(v, half)
		t.halves[i] = uint32(r.Rsh(r, bits-16).Uint64())
		v.Rsh(v.Mul(v, root), bits)
	}
}

// fillTransfer finds, for each level, the least linear light that rounds to it:
// IEC 61966-2-1 turns the level's lower end c = (level-½)/255 into c/12.92 up
// to 0.04045 and ((c+0.055)/1.055)^2.4 above, compared here as fifth powers.
func (t *tables) fillTransfer() {
	power := func(v int64, n int64) *big.Int { return new(big.Int).Exp(big.NewInt(v), big.NewInt(n), nil) }
	light := int64(0)
	for level := int64(1); level <= 255; level++ {
		c := 2*level - 1 // over 510
		start := light
		if c*100000 <= 4045*510 {
			den := int64(510 * 1292)
			light = (c*100*linearOne + den - 1) / den
		} else {
			// light⁵·den¹² ≥ 2⁸⁰·num¹²
			want := power(c*1000+510*55, 12)
			want.Lsh(want, 80)
			den := power(510*1055, 12)
			lo, hi := light, int64(linearOne)
			for lo < hi {
				mid := (lo + hi) / 2
				if m := power(mid, 5); m.Mul(m, den).Cmp(want) >= 0 {
					hi = mid
				} else {
					lo = mid + 1
				}
			}
			light = lo
		}
		for v := start; v < light; v++ {
			t.srgb[v] = uint8(level - 1)
		}
	}
	for v := light; v < linearLevels; v++ {
		t.srgb[v] = 255
	}
}
