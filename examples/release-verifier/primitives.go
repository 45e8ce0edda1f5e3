package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"math/big"
	"slices"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/gtank/ristretto255"
)

// refusal is why something does not hold. Checks panic with it, and attempt turns
// it into a value: so the formulas below read like those of the specification.
type refusal string

func need(ok bool, why refusal) {
	if !ok {
		panic(why)
	}
}

// attempt runs a check; the result is empty when it holds.
func attempt(check func()) (why refusal) {
	defer func() {
		if r := recover(); r != nil {
			var is bool
			if why, is = r.(refusal); !is {
				panic(r)
			}
		}
	}()
	check()
	return ""
}

// Section 1: numbers and hashes.

func u16(v uint64) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func u32(v uint64) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func transcript(tag string, fields ...[]byte) (b []byte) {
	for _, f := range append([][]byte{[]byte(tag)}, fields...) {
		b = append(append(b, u64(uint64(len(f)))...), f...)
	}
	return b
}

func hash(tag string, fields ...[]byte) []byte {
	sum := sha256.Sum256(transcript("atelier/custody/v1/"+tag, fields...))
	return sum[:]
}

func ledgerHash(tag string, fields ...[]byte) []byte {
	sum := sha256.Sum256(transcript("atelier/ledger/v1/"+tag, fields...))
	return sum[:]
}

func (g *group) hashScalar(tag string, fields ...[]byte) *big.Int {
	sum := sha512.Sum512(transcript("atelier/custody/v1/"+tag, fields...))
	return new(big.Int).Mod(g.integer(sum[:]), g.order)
}

// input is taken from the front; what is short is refused, and end refuses a rest.
type input []byte

func (in *input) take(n int) []byte {
	need(n <= len(*in), "encoding")
	b := (*in)[:n:n]
	*in = (*in)[n:]
	return b
}

func (in *input) number(size int) uint64 { return new(big.Int).SetBytes(in.take(size)).Uint64() }
func (in *input) end()                   { need(len(*in) == 0, "encoding") }
func (in *input) bool() bool {
	v := in.number(1)
	need(v <= 1, "encoding")
	return v == 1
}

// Section 2: groups. Scalars are integers here, since all of them are public but ρ;
// the libraries see them only in their encoded form.

type point interface {
	add(point) point
	mul(*big.Int) point
	bytes() []byte
}

type group struct {
	name   string
	order  *big.Int
	little bool // scalars and hashes are little endian
	base   point
	zero   point
	decode func([]byte) (point, error)
}

type ristrettoPoint struct{ e *ristretto255.Element }

func (p ristrettoPoint) add(q point) point {
	return ristrettoPoint{new(ristretto255.Element).Add(p.e, q.(ristrettoPoint).e)}
}
func (p ristrettoPoint) bytes() []byte { return p.e.Bytes() }
func (p ristrettoPoint) mul(s *big.Int) point {
	k, err := ristretto255.NewScalar().SetCanonicalBytes(ristretto.scalar(s))
	need(err == nil, "scalar")
	return ristrettoPoint{new(ristretto255.Element).ScalarMult(k, p.e)}
}

type g2Point struct{ e bls.G2 }

func (p g2Point) add(q point) point { r := q.(g2Point); r.e.Add(&p.e, &r.e); return r }
func (p g2Point) bytes() []byte     { return p.e.BytesCompressed() }
func (p g2Point) mul(s *big.Int) point {
	var k bls.Scalar
	need(k.UnmarshalBinary(g2.scalar(s)) == nil, "scalar")
	var r g2Point
	r.e.ScalarMult(&k, &p.e)
	return r
}

var (
	ristretto, g2 *group
	gBar          point // Ḡ
)

func init() {
	l, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	l.Add(l, new(big.Int).Lsh(big.NewInt(1), 252))
	ristretto = &group{"ristretto255", l, true, ristrettoPoint{ristretto255.NewGeneratorElement()}, ristrettoPoint{ristretto255.NewIdentityElement()}, func(b []byte) (point, error) {
		e, err := new(ristretto255.Element).SetCanonicalBytes(b)
		return ristrettoPoint{e}, err
	}}
	var identity g2Point
	identity.e.SetIdentity()
	g2 = &group{"bls12381-g2", new(big.Int).SetBytes(bls.Order()), false, g2Point{*bls.G2Generator()}, identity, func(b []byte) (point, error) {
		return decodeG2(b, len(b) == 96 && b[0]&0x80 != 0)
	}}
	wide := sha512.Sum512(transcript("atelier/custody/v1/gbar"))
	e, err := new(ristretto255.Element).SetUniformBytes(wide[:])
	need(err == nil, "64 bytes make a point")
	gBar = ristrettoPoint{e}
}

func decodeG2(b []byte, form bool) (p g2Point, err error) {
	if !form {
		return p, errors.New("another form")
	}
	err = p.e.SetBytes(b)
	return p, err
}

// wide reads the uncompressed form of commitments.
func wide(b []byte) point {
	p, err := decodeG2(b, len(b) == 192 && b[0]&0x80 == 0)
	need(err == nil, "encoding")
	need(!p.e.IsIdentity(), "identity")
	return p
}

func (g *group) point(b []byte) point {
	p, err := g.decode(b)
	need(err == nil, "encoding")
	need(!equal(p, g.zero), "identity")
	return p
}

func equal(p, q point) bool { return bytes.Equal(p.bytes(), q.bytes()) }

func (g *group) integer(b []byte) *big.Int {
	if g.little {
		b = slices.Clone(b)
		slices.Reverse(b)
	}
	return new(big.Int).SetBytes(b)
}

func (g *group) decodeScalar(b []byte) *big.Int {
	s := g.integer(b)
	need(len(b) == 32 && s.Cmp(g.order) < 0, "encoding")
	return s
}

// scalar is the encoding of an integer modulo the order.
func (g *group) scalar(s *big.Int) []byte {
	b := new(big.Int).Mod(s, g.order).FillBytes(make([]byte, 32))
	if g.little {
		slices.Reverse(b)
	}
	return b
}

// sum is Σ sᵢ·pᵢ.
func (g *group) sum(s []*big.Int, p []point) point {
	sum := g.zero
	for i := range s {
		sum = sum.add(p[i].mul(s[i]))
	}
	return sum
}

// lagrange returns the weights that turn values at the indices into that at x.
func (g *group) lagrange(x int64, indices []uint64) (weights []*big.Int) {
	for _, i := range indices {
		num, den := big.NewInt(1), big.NewInt(1)
		for _, j := range indices {
			if j != i {
				num.Mul(num, big.NewInt(x-int64(j)))
				den.Mul(den, big.NewInt(int64(i)-int64(j)))
			}
		}
		den.ModInverse(den.Mod(den, g.order), g.order)
		weights = append(weights, num.Mod(num.Mul(num, den), g.order))
	}
	return weights
}

// value is Σ jᵏ·Cₖ, by Horner's rule; j is small, so doubling and adding is quick.
func (g *group) value(coefficients []point, j uint64) point {
	v := g.zero
	for _, c := range slices.Backward(coefficients) {
		times := g.zero
		for bit := 8; bit >= 0; bit-- {
			if times = times.add(times); j>>bit&1 == 1 {
				times = times.add(v)
			}
		}
		v = times.add(c)
	}
	return v
}

// Section 4: proofs.

// commitment is z·a - c·p.
func (g *group) commitment(z *big.Int, a point, c *big.Int, p point) point {
	return a.mul(z).add(p.mul(new(big.Int).Neg(c)))
}

func (g *group) possession(ctx []byte, p point, proof []byte) {
	c, z := g.decodeScalar(proof[:32]), g.decodeScalar(proof[32:])
	a := g.commitment(z, g.base, c, p)
	need(c.Cmp(g.hashScalar("pop", []byte(g.name), ctx, p.bytes(), a.bytes())) == 0, "proof")
}

func (g *group) equalLogs(ctx []byte, a, b, p, q point, proof []byte) {
	c, z := g.decodeScalar(proof[:32]), g.decodeScalar(proof[32:])
	w, v := g.commitment(z, a, c, p), g.commitment(z, b, c, q)
	need(c.Cmp(g.hashScalar("dleq", []byte(g.name), ctx, a.bytes(), b.bytes(), p.bytes(), q.bytes(), w.bytes(), v.bytes())) == 0, "proof")
}

// readers are by the names of refused.json.
var readers = map[string]func([]byte){
	"ristretto255 point":              func(b []byte) { ristretto.point(b) },
	"ristretto255 scalar":             func(b []byte) { ristretto.decodeScalar(b) },
	"bls12381 scalar":                 func(b []byte) { g2.decodeScalar(b) },
	"bls12381-g1 point":               func(b []byte) { decodeG1(b) },
	"bls12381-g2 point":               func(b []byte) { g2.point(b) },
	"bls12381-g2 point, uncompressed": func(b []byte) { wide(b) },
}

func decodeG1(b []byte) *bls.G1 {
	p := &bls.G1{}
	need(len(b) == 48 && b[0]&0x80 != 0 && p.SetBytes(b) == nil, "encoding")
	need(!p.IsIdentity(), "identity")
	return p
}

// signature checks e(sig, G₂) = e(HashToG1(dst, message), Y).
func signature(dst string, message []byte, y point, sig []byte) {
	s, m, key := decodeG1(sig), &bls.G1{}, y.(g2Point).e
	m.Hash(message, []byte(dst))
	need(bls.ProdPairFrac([]*bls.G1{m, s}, []*bls.G2{&key, bls.G2Generator()}, []int{1, -1}).IsIdentity(), "signature")
}

// unseal opens AES-256-GCM under a key that HKDF derives and that is used once.
func unseal(secret, salt, info, box, data []byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, secret, salt, string(info), 32)
	need(err == nil, "key")
	block, err := aes.NewCipher(key)
	need(err == nil, "key")
	aead, err := cipher.NewGCM(block)
	need(err == nil, "key")
	return aead.Open(nil, make([]byte, 12), box, data)
}
