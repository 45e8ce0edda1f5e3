package seal

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/onetime"
	"go.dedis.ch/kyber/v3"
)

// MaxPlaintext bounds what one ciphertext holds, in bytes: keys and orders.
const MaxPlaintext = 4096

const (
	tagSize  = 16
	headSize = 4 * 32

	// MaxCiphertext is the length of the longest ciphertext in bytes.
	MaxCiphertext = headSize + tagSize + MaxPlaintext
)

var (
	// ErrCiphertext reports a ciphertext that is malformed, or whose proof does
	// not hold for key and label.
	ErrCiphertext = errors.New("ciphertext refused")
	// ErrUnreadable reports a ciphertext whose box does not open with the key
	// that was sealed for it: whoever sealed it cheated.
	ErrUnreadable = errors.New("sealed box does not open")
)

var (
	group = shamir.Ristretto255
	// gBar is Ḡ, a second generator.
	gBar = shamir.HashPoint("gbar")
)

// Ciphertext is a labelled TDH2 ciphertext: U = rG, Ū = rḠ, a proof (e, f) that
// the sealer knows r, bound to the label, and a box under a key derived from rX.
// It is immutable.
type Ciphertext struct {
	u, uBar kyber.Point
	e, f    kyber.Scalar
	box     []byte
	encoded []byte
}

// Encrypt seals plaintext, at most MaxPlaintext bytes, to the key x under label.
// Its error wraps shamir.ErrEncoding, shamir.ErrIdentity or shamir.ErrSize, or is
// that of rand.
func Encrypt(rand io.Reader, x, label [32]byte, plaintext []byte) (*Ciphertext, error) {
	if len(plaintext) > MaxPlaintext {
		return nil, fmt.Errorf("encrypt %d bytes, limit %d: %w", len(plaintext), MaxPlaintext, shamir.ErrSize)
	}
	key, err := shamir.DecodePoint(group, x[:])
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	r, err := shamir.RandomScalar(group, rand)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	c := &Ciphertext{u: group.Point().Mul(r, nil), uBar: group.Point().Mul(r, gBar)}
	c.box = boxCipher(group.Point().Mul(r, key), c.u, label).Seal(nil, onetime.Nonce, plaintext, label[:])

	s, err := shamir.DeriveNonce(rand, group, "tdh2", r, label[:], c.box, x[:])
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	c.e = c.challenge(x, label, group.Point().Mul(s, nil), group.Point().Mul(s, gBar))
	c.f = group.Scalar().Mul(c.e, r)
	c.f.Add(c.f, s)
	c.encoded = append(c.head(), c.box...)
	return c, nil
}

func (c *Ciphertext) head() []byte {
	b := make([]byte, 0, headSize+len(c.box))
	for _, v := range []kyber.Marshaling{c.u, c.uBar, c.e, c.f} {
		b = append(b, shamir.Encode(v)...)
	}
	return b
}

// ParseCiphertext reads Bytes' form. Its error wraps ErrCiphertext. The proof is
// Verify's to check.
func ParseCiphertext(b []byte) (*Ciphertext, error) {
	if len(b) < headSize+tagSize || len(b) > MaxCiphertext {
		return nil, fmt.Errorf("%d bytes: %w", len(b), ErrCiphertext)
	}
	c := &Ciphertext{encoded: append([]byte(nil), b...)}
	c.box = c.encoded[headSize:]
	var err error
	if c.u, err = shamir.DecodePoint(group, b[:32]); err != nil {
		return nil, fmt.Errorf("U: %w: %w", err, ErrCiphertext)
	}
	if c.uBar, err = shamir.DecodePoint(group, b[32:64]); err != nil {
		return nil, fmt.Errorf("second component: %w: %w", err, ErrCiphertext)
	}
	if c.e, err = shamir.DecodeScalar(group, b[64:96]); err != nil {
		return nil, fmt.Errorf("challenge: %w: %w", err, ErrCiphertext)
	}
	if c.f, err = shamir.DecodeScalar(group, b[96:128]); err != nil {
		return nil, fmt.Errorf("response: %w: %w", err, ErrCiphertext)
	}
	return c, nil
}

// Bytes is the wire form, U ‖ Ū ‖ e ‖ f ‖ box: 144 bytes more than the plaintext.
func (c *Ciphertext) Bytes() []byte { return append([]byte(nil), c.encoded...) }

// U is the encoded first component: what a quorum.Statement binds.
func (c *Ciphertext) U() [32]byte { return [32]byte(c.encoded[:32]) }

// Digest names the ciphertext: Hash("ciphertext", Bytes).
func (c *Ciphertext) Digest() [32]byte { return shamir.Hash("ciphertext", c.encoded) }

// Verify checks the proof that whoever made the ciphertext knew what it sealed,
// for this key and label; nobody can change label or box of another's. Its error
// wraps ErrCiphertext. Members check it before they touch U.
func (c *Ciphertext) Verify(x, label [32]byte) error {
	minusE := group.Scalar().Neg(c.e)
	w := group.MultiMul([]kyber.Scalar{c.f, minusE}, []kyber.Point{group.Point().Base(), c.u})
	wBar := group.MultiMul([]kyber.Scalar{c.f, minusE}, []kyber.Point{gBar, c.uBar})
	if !c.challenge(x, label, w, wBar).Equal(c.e) {
		return fmt.Errorf("proof: %w", ErrCiphertext)
	}
	return nil
}

func (c *Ciphertext) challenge(x, label [32]byte, w, wBar kyber.Point) kyber.Scalar {
	return shamir.HashScalar(group, "tdh2", label[:], c.box, x[:], shamir.Encode(gBar),
		shamir.Encode(c.u), shamir.Encode(c.uBar), shamir.Encode(w), shamir.Encode(wBar))
}

// open decrypts the box with rX.
func (c *Ciphertext) open(shared kyber.Point, label [32]byte) ([]byte, error) {
	plain, err := boxCipher(shared, c.u, label).Open(nil, onetime.Nonce, c.box, label[:])
	if err != nil {
		return nil, ErrUnreadable
	}
	return plain, nil
}

func boxCipher(shared, u kyber.Point, label [32]byte) cipher.AEAD {
	info := shamir.Hash("box", label[:], shamir.Encode(u))
	return onetime.AEAD(shamir.Encode(shared), nil, info)
}
