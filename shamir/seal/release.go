package seal

import (
	"errors"
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"go.dedis.ch/kyber/v3"
)

// ReleaseSize is the length of a released share in bytes.
const ReleaseSize = 2 + 5*32

// released is a decryption share x_i·U encrypted to R by ElGamal with a fresh k:
// E1 = kG, E2 = kR + x_i·U, with a proof of one (x_i, k) behind both and behind
// the public share X_i. A hostile R cannot turn it into a share of another
// ciphertext, because kR is uniform to everybody without log R.
type released struct {
	index   uint32
	e1, e2  kyber.Point
	c, z, k kyber.Scalar
}

func (s *released) bytes() []byte {
	w := wire.NewWriter(ReleaseSize)
	w.U16(uint16(s.index))
	for _, v := range []kyber.Marshaling{s.e1, s.e2, s.c, s.z, s.k} {
		w.Raw(shamir.Encode(v))
	}
	return w.Bytes()
}

func parseReleased(b []byte) (*released, error) {
	if len(b) != ReleaseSize {
		return nil, fmt.Errorf("released share of %d bytes, want %d: %w", len(b), ReleaseSize, shamir.ErrEncoding)
	}
	r := wire.NewReader(b)
	s := &released{index: uint32(r.U16())}
	var err error
	for _, p := range []*kyber.Point{&s.e1, &s.e2} {
		if *p, err = shamir.DecodePoint(group, r.Raw(32)); err != nil {
			return nil, fmt.Errorf("released share: %w", err)
		}
	}
	for _, v := range []*kyber.Scalar{&s.c, &s.z, &s.k} {
		if *v, err = shamir.DecodeScalar(group, r.Raw(32)); err != nil {
			return nil, fmt.Errorf("released share: %w", err)
		}
	}
	return s, nil
}

func (s *released) challenge(ctx []byte, u, r, public, a1, a2, a3 kyber.Point) kyber.Scalar {
	fields := [][]byte{ctx, shamir.Uint64(uint64(s.index))}
	for _, p := range []kyber.Point{group.Point().Base(), u, r, public, s.e1, s.e2, a1, a2, a3} {
		fields = append(fields, shamir.Encode(p))
	}
	return shamir.HashScalar(group, "release", fields...)
}

// ReleaseShare answers the reader: the member's decryption share of ct, blinded
// under the reader's prekey, 162 bytes. It refuses, with an error that wraps
// ErrRelease, unless the certificate is verified, of the committee and its epoch, and
// binds ct, its label and the reader's table, and the proof of ct holds; and with
// shamir.ErrForeignShare unless the key share is the committee's. That the request
// stands on this member's ledger, has not expired, was drawn for this reader and
// is in the journal on disk is the caller's duty before the call.
func ReleaseShare(rand io.Reader, key *shamir.KeyShare, c *shamir.Committee, ct *Ciphertext, cert quorum.VerifiedCertificate, reader Reader) ([]byte, error) {
	r, err := covered(c, ct, cert, reader)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	if key.Epoch() != c.Epoch() {
		return nil, fmt.Errorf("release with a share of epoch %d: %w", key.Epoch(), shamir.ErrForeignShare)
	}
	public, err := c.XShare(key.Index())
	if err != nil {
		return nil, fmt.Errorf("release: %w: %w", err, shamir.ErrForeignShare)
	}
	x, _ := key.Secrets(access.Token{})
	if !group.Point().Mul(x, nil).Equal(public) {
		return nil, fmt.Errorf("release: %w", shamir.ErrForeignShare)
	}
	k, err := shamir.RandomScalar(group, rand)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	s := &released{index: key.Index(), e1: group.Point().Mul(k, nil)}
	s.e2 = shamir.MulAdd(k, r, x, ct.u)

	ctx := releaseContext(cert, reader)
	statement := [][]byte{ctx, shamir.Encode(s.e1), shamir.Encode(s.e2)}
	alpha, err := shamir.DeriveNonce(rand, group, "release/x", x, statement...)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	kappa, err := shamir.DeriveNonce(rand, group, "release/k", k, statement...)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	a3 := shamir.MulAdd(kappa, r, alpha, ct.u)
	s.c = s.challenge(ctx, ct.u, r, public, group.Point().Mul(alpha, nil), group.Point().Mul(kappa, nil), a3)
	s.z = group.Scalar().Mul(s.c, x)
	s.z.Add(s.z, alpha)
	s.k = group.Scalar().Mul(s.c, k)
	s.k.Add(s.k, kappa)
	return s.bytes(), nil
}

// verify checks the proof under R and the member's public share.
func (s *released) verify(c *shamir.Committee, ctx []byte, u, r kyber.Point) error {
	public, err := c.XShare(s.index)
	if err != nil {
		return &shamir.ShareError{Index: s.index, Err: err}
	}
	minus, base := group.Scalar().Neg(s.c), group.Point().Base()
	a1 := group.MultiMul([]kyber.Scalar{s.z, minus}, []kyber.Point{base, public})
	a2 := group.MultiMul([]kyber.Scalar{s.k, minus}, []kyber.Point{base, s.e1})
	a3 := group.MultiMul([]kyber.Scalar{s.k, s.z, minus}, []kyber.Point{r, u, s.e2})
	if !s.challenge(ctx, u, r, public, a1, a2, a3).Equal(s.c) {
		return &shamir.ShareError{Index: s.index, Err: shamir.ErrProof}
	}
	return nil
}

// VerifyRelease checks a released share for exactly this certificate and reader;
// the result is the member's index. A share that was refused is evidence against
// the member that signed its delivery. Anybody can check, not only the reader.
// The error wraps ErrRelease, shamir.ErrEncoding or shamir.ErrProof.
func VerifyRelease(c *shamir.Committee, ct *Ciphertext, cert quorum.VerifiedCertificate, reader Reader, share []byte) (uint32, error) {
	r, err := covered(c, ct, cert, reader)
	if err != nil {
		return 0, fmt.Errorf("verify release: %w", err)
	}
	s, err := parseReleased(share)
	if err != nil {
		return 0, err
	}
	return s.index, s.verify(c, releaseContext(cert, reader), ct.u, r)
}

// CombineRelease opens ct with the reader's secret and the first t valid shares
// of distinct members. culprits are the positions in shares of those that are not
// valid among the ones looked at. The error wraps ErrRelease, shamir.ErrThreshold
// (ask for more shares) or ErrUnreadable.
func CombineRelease(secret ReaderSecret, c *shamir.Committee, ct *Ciphertext, cert quorum.VerifiedCertificate, reader Reader, shares [][]byte) (plaintext []byte, culprits []int, err error) {
	r, err := covered(c, ct, cert, reader)
	if err != nil {
		return nil, nil, fmt.Errorf("combine release: %w", err)
	}
	if secret.rho == nil || !group.Point().Mul(secret.rho, nil).Equal(r) {
		return nil, nil, fmt.Errorf("combine release: secret is not of member %d's prekey: %w", reader.Member, ErrRelease)
	}
	ctx := releaseContext(cert, reader)
	indices, e1, e2 := make([]uint32, 0, c.T()), make([]kyber.Point, 0, c.T()), make([]kyber.Point, 0, c.T())
	seen := make(map[uint32]bool, c.T())
	var faults error
	for i, b := range shares {
		if len(indices) == c.T() {
			break
		}
		s, err := parseReleased(b)
		if err == nil {
			err = s.verify(c, ctx, ct.u, r)
		}
		if err != nil {
			culprits, faults = append(culprits, i), errors.Join(faults, fmt.Errorf("share %d: %w", i, err))
			continue
		}
		if !seen[s.index] {
			seen[s.index] = true
			indices, e1, e2 = append(indices, s.index), append(e1, s.e1), append(e2, s.e2)
		}
	}
	if len(indices) < c.T() {
		err := fmt.Errorf("%d valid shares of %d: %w", len(indices), c.T(), shamir.ErrThreshold)
		return nil, culprits, errors.Join(err, faults)
	}
	weights, err := shamir.Lagrange(group, indices)
	if err != nil {
		return nil, culprits, err
	}
	blind := group.Point().Mul(secret.rho, group.MultiMul(weights, e1))
	plaintext, err = ct.open(group.Point().Sub(group.MultiMul(weights, e2), blind), cert.Statement().Label)
	return plaintext, culprits, err
}
