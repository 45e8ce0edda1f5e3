package attack

import (
	"bytes"
	"math/big"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/cloudflare/circl/ecc/bls12381/ff"
)

// Encodings that no decoder may take: of points and scalars of each group.

// The field of ristretto255 and the orders of both groups, and the field of
// BLS12-381.
var (
	field25519 = integer("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed")
	orderL     = integer("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed")
	orderR     = integer("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001")
	fieldBLS   = integer("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab")
)

func integer(hex string) *big.Int {
	v, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		panic("attack: a constant is not a number")
	}
	return v
}

func reversed(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[len(b)-1-i] = b[i]
	}
	return out
}

// little is v in 32 little-endian bytes.
func little(v *big.Int) []byte { return reversed(v.FillBytes(make([]byte, 32))) }

// badRistretto is 32 bytes that are no canonical point other than the identity,
// near to the valid ones if there is a near one.
func badRistretto(c *Chance, valid []byte) []byte {
	b := bytes.Clone(valid)
	switch c.IntN(6) {
	case 0:
		return make([]byte, 32) // the identity
	case 1: // the identity again, as p+0; or another small value that is p too high
		return little(new(big.Int).Add(field25519, big.NewInt(int64(2*c.IntN(9)))))
	case 2: // the negative representative
		v := new(big.Int).Sub(field25519, new(big.Int).SetBytes(reversed(b)))
		return little(v)
	case 3: // the bit that is not part of the field element
		b[31] |= 0x80
		return b
	case 4:
		return bytes.Repeat([]byte{0xff}, 32)
	default: // an odd field element is never canonical
		b = c.Bytes(32)
		b[0] |= 1
		return b
	}
}

// badScalar is a scalar that is not reduced: the valid one plus the group's order,
// so whoever reduces silently sees nothing wrong.
func badScalar(g shamir.Group, valid []byte) []byte {
	if g == shamir.Ristretto255 {
		return little(new(big.Int).Add(new(big.Int).SetBytes(reversed(valid)), orderL))
	}
	return new(big.Int).Add(new(big.Int).SetBytes(valid), orderR).FillBytes(make([]byte, 32))
}

// badG2 is 192 bytes that are no uncompressed point of G2 other than the identity.
func badG2(c *Chance, valid []byte) []byte {
	b := bytes.Clone(valid)
	switch c.IntN(6) {
	case 0: // the identity
		clear(b)
		b[0] = 0x40
	case 1: // the flag of the compressed form
		b[0] |= 0x80
	case 2: // off the curve
		b[191] ^= 1
	case 3:
		copy(b, overflow(b[:48]))
	case 4: // the identity's flag on another point
		b[0] |= 0x40
	default:
		return outsideG2(c)
	}
	return b
}

// badCompressedG2 is 96 bytes that are no compressed point of G2 other than the
// identity.
func badCompressedG2(c *Chance, valid []byte) []byte {
	b := bytes.Clone(valid)
	switch c.IntN(5) {
	case 0: // the identity
		clear(b)
		b[0] = 0xc0
	case 1: // the identity's flag on another point
		b[0] |= 0x40
	case 2: // the flag of the uncompressed form
		b[0] &= 0x7f
	case 3:
		flags := b[0] & 0xe0
		b[0] &= 0x1f
		copy(b, overflow(b[:48]))
		b[0] |= flags
	default:
		copy(b, outsideG2(c)[:96])
		b[0] |= 0x80
	}
	return b
}

// overflow adds the field's modulus to a coordinate; where that has no room, it is
// the modulus itself.
func overflow(coordinate []byte) []byte {
	v := new(big.Int).Add(new(big.Int).SetBytes(coordinate), fieldBLS)
	if v.BitLen() > 381 {
		v = fieldBLS
	}
	return v.FillBytes(make([]byte, 48))
}

func fp(c *Chance) (v ff.Fp) {
	b := new(big.Int).Mod(new(big.Int).SetBytes(c.Bytes(64)), fieldBLS).FillBytes(make([]byte, 48))
	if err := v.UnmarshalBinary(b); err != nil {
		panic(err) // it is below the modulus
	}
	return v
}

func fpBytes(v ff.Fp) []byte {
	b, err := v.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return b
}

// outsideG2 is a point of the curve of G2 that is not in its subgroup of prime
// order: the cofactor has 507 bits, so a random point of the curve is none.
func outsideG2(c *Chance) []byte {
	for {
		x := ff.Fp2{fp(c), fp(c)}
		var y, right ff.Fp2
		right.Sqr(&x)
		right.Mul(&right, &x)
		var four ff.Fp
		four.SetUint64(4)
		right.Add(&right, &ff.Fp2{four, four})
		if y.Sqrt(&right) == 0 {
			continue
		}
		var out []byte // x then y, the imaginary part first
		for _, v := range []ff.Fp{x[1], x[0], y[1], y[0]} {
			out = append(out, fpBytes(v)...)
		}
		return out
	}
}

// g1 is an affine point of the curve of G1, in its prime-order subgroup or not.
type g1 struct{ x, y ff.Fp }

func (p g1) compressed() []byte {
	b := fpBytes(p.x)
	b[0] |= 0x80
	if p.y.IsNegative() == 1 {
		b[0] |= 0x20
	}
	return b
}

// root finds y for x, if there is one.
func root(x ff.Fp) (y ff.Fp, ok bool) {
	var right, four ff.Fp
	right.Sqr(&x)
	right.Mul(&right, &x)
	four.SetUint64(4)
	right.Add(&right, &four)
	return y, y.Sqrt(&right) == 1
}

// outsideG1 is a point of the curve of G1 outside the subgroup: the cofactor has
// 126 bits.
func outsideG1(c *Chance) []byte {
	for {
		p := g1{x: fp(c)}
		if y, ok := root(p.x); ok {
			p.y = y
			return p.compressed()
		}
	}
}

// plusTorsion adds the point (0, ±2), which has order 3, to a compressed point of
// G1. The pairing does not see the difference: without the check of the subgroup a
// signature would have three forms.
func plusTorsion(c *Chance, sig []byte) []byte {
	b := bytes.Clone(sig)
	negative := b[0]&0x20 != 0
	b[0] &= 0x1f
	var p, q g1
	if err := p.x.UnmarshalBinary(b); err != nil {
		panic(err) // it was canonical
	}
	p.y, _ = root(p.x)
	if (p.y.IsNegative() == 1) != negative {
		p.y.Neg()
	}
	q.y.SetUint64(2)
	if c.Percent(50) {
		q.y.Neg()
	}
	var slope, run, sum g1
	slope.y.Sub(&q.y, &p.y)
	run.x.Sub(&q.x, &p.x)
	run.x.Inv(&run.x)
	slope.y.Mul(&slope.y, &run.x)
	sum.x.Sqr(&slope.y)
	sum.x.Sub(&sum.x, &p.x)
	sum.x.Sub(&sum.x, &q.x)
	sum.y.Sub(&p.x, &sum.x)
	sum.y.Mul(&sum.y, &slope.y)
	sum.y.Sub(&sum.y, &p.y)
	return sum.compressed()
}

// badG1 is 48 bytes made from a valid signature that must not pass for one.
func badG1(c *Chance, valid []byte) []byte {
	b := bytes.Clone(valid)
	switch c.IntN(9) {
	case 0: // the identity, which solves the pairing equation of circl before v1.6.5
		clear(b)
		b[0] = 0xc0
	case 1: // the identity with a sign
		clear(b)
		b[0] = 0xe0
	case 2: // the identity's flag and other bits
		b[0] |= 0x40
	case 3:
		clear(b)
	case 4: // the other root: minus the signature
		b[0] ^= 0x20
	case 5: // the flag of the uncompressed form
		b[0] &= 0x7f
	case 6:
		flags := b[0] & 0xe0
		b[0] &= 0x1f
		b = overflow(b)
		b[0] |= flags
	case 7:
		return outsideG1(c)
	default:
		return plusTorsion(c, b)
	}
	return b
}
