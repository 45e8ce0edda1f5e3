// Package curve prices artworks: a constant-ratio bonding curve whose every
// result is the exact floor or ceiling of the real number that the formula
// names.
//
// For supply S, reserve R and reserve ratio w:
//
//	buy a deposit d   mints  ⌊S·((1 + d/R)^w − 1)⌋
//	cost of m tokens  is     ⌈R·((1 + m/S)^(1/w) − 1)⌉
//	sell t tokens     pays   ⌊R·(1 − (1 − t/S)^(1/w))⌋,  and R for t = S
//
// A result is specified as a number, not as an algorithm, so a second program
// in any language can check every trade. All rounding favours the reserve: with
// c = R/S^(1/w), which the unrounded formulas keep, floor on tokens, ceiling on
// cost and floor on payout can only raise c, so no sequence of trades takes out
// more than it put in.
//
// Amounts are integers of base units below 2^120. Nothing here uses floating
// point, a clock, a random number or a goroutine; values go in and values come
// out, and everything is safe for concurrent use. What comes from outside can
// only give errors.
//
// How exactness is proven, per call. The power is evaluated as 2^(w·log2 x) in
// fixed point with 192 fractional bits and an error bound that is part of the
// code (see kernel.go). When the whole interval of the bound has one floor, that
// floor is proven. Otherwise the interval holds a single integer, and exact.go
// decides on which side the real number lies: by comparing integer powers when
// the exponents are small, by exact roots when the value is rational, and else
// by evaluating with more and more bits, which ends because the value is then
// irrational (Ziv's strategy).
//
// Sources: E. Hertzog, G. Benartzi, G. Benartzi, "Bancor Protocol", 2017 (the
// formula); A. Ziv, "Fast evaluation of elementary mathematical functions with
// correctly rounded last bit", ACM TOMS 17(3), 1991; J.-M. Muller, "Elementary
// Functions", ch. 4 and 11 (table reduction by short multipliers).
package curve
