package kernel

// The sine of phase-16 works on 16-bit phases in 16-bit arithmetic, so a vector
// unit does 32 of them at once and every CPU does them alike.
//
// A phase enters a quarter turn early (quarterFirst and quarterNext are folded
// into the biases), which turns the sine into a cosine, an even function. With
// v the upper 16 bits of that phase, in 2⁻¹⁶ turns, the cell v..v+1 has distance
// m+½ from zero for m = v ≥ 0 ? v : -1-v, and the sine is that of
// g = 32767 - 2m in units of 2⁻¹⁵ quarter turns. Then
//
//	sin(π/2·g) ≈ g·(c1 + g²·(c3 + g²·(c5 + g²·c7)))
//
// with rounded products of 16 bits. The error against the sine of the full
// phase is at most 1.0e-4, 3.0e-5 in the root mean square; rounding an exact
// sine to activations has 1.8e-5. Four terms suffice after folding to a quarter
// turn; coefficients are the minimax fit (1.3e-6), rounded to 2⁻¹⁴ and then
// moved by a unit or two to the least error of the integer form.
const (
	sine1 = 25736
	sine3 = -10584
	sine5 = 1305
	sine7 = -73

	quarterFirst int32 = 1 << 30 // a quarter turn in 2⁻³² turns
	quarterNext  int32 = 1 << 25 // a quarter turn in 2⁻²⁷ turns
)

// roundedProduct is (a·b + 2¹⁴) >> 15, the pmulhrsw of x86 and sqrdmulh of
// ARM. The operands here are never both -2¹⁵, where those two differ.
func roundedProduct(a, b int32) int32 { return (a*b + 1<<14) >> 15 }

// sine takes a phase in 2⁻³² turns, a quarter turn early, and returns the
// activation in ±ActivationOne.
func sine(early int32) int32 {
	v := early >> 16
	g := 32767 - 2*(v^(v>>31))
	q := roundedProduct(g, g)
	s := roundedProduct(q, sine7) + sine5
	s = roundedProduct(s, q) + sine3
	s = roundedProduct(s, q) + sine1
	return roundedProduct(g, s)
}
