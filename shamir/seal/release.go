package seal

import (
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"go.dedis.ch/kyber/v3"
)

// ReleaseSize is the length in bytes of a released share of a model of that many
// layers: 162 for one.
func ReleaseSize(layers int) int { return 2 + 64*layers + 3*32 }

// MaxRelease is the length of the longest released share in bytes.
const MaxRelease = 2 + 64*MaxLayers + 3*32

// released is, for each layer, the decryption share x_i·U encrypted to R by ElGamal
// with a fresh k: E1 = kG, E2 = kR + x_i·U. A hostile R cannot turn it into a share of
// another ciphertext, because kR is uniform to everybody without log R. One proof
// shows that x_i, behind the public share X_i, stands in all of them.
type released struct {
	index   uint32
	e1, e2  []kyber.Point
	c, z, k kyber.Scalar
}

func (s *released) bytes() []byte {
	w := wire.NewWriter(ReleaseSize(len(s.e1)))
	w.U16(uint16(s.index))
	for i := range s.e1 {
		w.Raw(shamir.Encode(s.e1[i]))
		w.Raw(shamir.Encode(s.e2[i]))
	}
	for _, v := range []kyber.Marshaling{s.c, s.z, s.k} {
		w.Raw(shamir.Encode(v))
	}
	return w.Bytes()
}

func parseReleased(b []byte, layers int) (*released, error) {
	if want := ReleaseSize(layers); len(b) != want {
		return nil, fmt.Errorf("released share of %d bytes, want %d: %w", len(b), want, shamir.ErrEncoding)
	}
	r := wire.NewReader(b)
	s := &released{index: uint32(r.U16()), e1: make([]kyber.Point, layers), e2: make([]kyber.Point, layers)}
	var err error
	for i := range layers {
		for _, p := range []*kyber.Point{&s.e1[i], &s.e2[i]} {
			if *p, err = shamir.DecodePoint(group, r.Raw(32)); err != nil {
				return nil, fmt.Errorf("released share: %w", err)
			}
		}
	}
	for _, v := range []*kyber.Scalar{&s.c, &s.z, &s.k} {
		if *v, err = shamir.DecodeScalar(group, r.Raw(32)); err != nil {
			return nil, fmt.Errorf("released share: %w", err)
		}
	}
	return s, nil
}

// proved is what the proof of a released share is about: one ciphertext's U with E1 and
// E2, and the context of the challenge.
type proved struct {
	ctx       []byte
	u, e1, e2 kyber.Point
	weights   []kyber.Scalar // of the layers; nil for one, which is proved as it is
}

// fold turns the layers of a share into what one proof is about: their sums by weights
// w that hash everything. Were E2 − log E1·R − x_i·U anything but zero in one layer,
// the weighted sum of these would be zero with a chance of 2^-252 for each hash that
// the adversary computes, because all of them are fixed before w is. And the proof of
// the sums shows that theirs is zero. It does not show that the member knows the k of
// each layer, which nobody relies on.
func (s *released) fold(ctx []byte, public, r kyber.Point, of Layers) proved {
	if of.Len() == 1 {
		return proved{ctx: ctx, u: of.all[0].ct.u, e1: s.e1[0], e2: s.e2[0]}
	}
	fields := [][]byte{ctx, shamir.Uint64(uint64(s.index)), shamir.Encode(public), shamir.Encode(r)}
	us := make([]kyber.Point, of.Len())
	for i, at := range of.all {
		us[i] = at.ct.u
		fields = append(fields, shamir.Encode(us[i]), shamir.Encode(s.e1[i]), shamir.Encode(s.e2[i]))
	}
	seed := shamir.Hash("release/fold", fields...)
	w := make([]kyber.Scalar, of.Len())
	for i := range w {
		w[i] = shamir.HashScalar(group, "release/weight", seed[:], shamir.Uint64(uint64(i)))
	}
	return proved{ctx: seed[:], u: group.MultiMul(w, us), e1: group.MultiMul(w, s.e1), e2: group.MultiMul(w, s.e2), weights: w}
}

func (s *released) challenge(p proved, r, public, a1, a2, a3 kyber.Point) kyber.Scalar {
	fields := [][]byte{p.ctx, shamir.Uint64(uint64(s.index))}
	for _, v := range []kyber.Point{group.Point().Base(), p.u, r, public, p.e1, p.e2, a1, a2, a3} {
		fields = append(fields, shamir.Encode(v))
	}
	return shamir.HashScalar(group, "release", fields...)
}

// ReleaseShare answers the reader: the member's decryption share of every layer,
// blinded under the reader's prekey, ReleaseSize bytes. It refuses, with an error that
// wraps ErrRelease, unless the certificate is verified, of the committee and its epoch,
// and binds the layers and the reader's table, and the proofs of the layers hold; and with
// shamir.ErrForeignShare unless the key share is the committee's. That the request
// stands on this member's ledger, has not expired, was drawn for this reader and
// is in the journal on disk is the caller's duty before the call.
func ReleaseShare(rand io.Reader, key *shamir.KeyShare, c *shamir.Committee, of Layers, cert quorum.VerifiedCertificate, reader Reader) ([]byte, error) {
	r, err := covered(c, of, cert, reader)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	x, public, err := secretOf(key, c)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	s, ks := &released{index: key.Index()}, make([]kyber.Scalar, of.Len())
	for i, at := range of.all {
		if ks[i], err = shamir.RandomScalar(group, rand); err != nil {
			return nil, fmt.Errorf("release: %w", err)
		}
		s.e1 = append(s.e1, group.Point().Mul(ks[i], nil))
		s.e2 = append(s.e2, shamir.MulAdd(ks[i], r, x, at.ct.u))
	}
	p := s.fold(releaseContext(cert, reader), public, r, of)
	k := ks[0]
	if p.weights != nil {
		k = group.Scalar().Zero()
		for i, w := range p.weights {
			k.Add(k, group.Scalar().Mul(w, ks[i]))
		}
	}
	statement := [][]byte{p.ctx, shamir.Encode(p.e1), shamir.Encode(p.e2)}
	alpha, err := shamir.DeriveNonce(rand, group, "release/x", x, statement...)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	kappa, err := shamir.DeriveNonce(rand, group, "release/k", k, statement...)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	a3 := shamir.MulAdd(kappa, r, alpha, p.u)
	s.c = s.challenge(p, r, public, group.Point().Mul(alpha, nil), group.Point().Mul(kappa, nil), a3)
	s.z = group.Scalar().Mul(s.c, x)
	s.z.Add(s.z, alpha)
	s.k = group.Scalar().Mul(s.c, k)
	s.k.Add(s.k, kappa)
	return s.bytes(), nil
}

// verify checks the proof under R and the member's public share.
func (s *released) verify(c *shamir.Committee, ctx []byte, of Layers, r kyber.Point) error {
	public, err := c.XShare(s.index)
	if err != nil {
		return &shamir.ShareError{Index: s.index, Err: err}
	}
	p := s.fold(ctx, public, r, of)
	minus, base := group.Scalar().Neg(s.c), group.Point().Base()
	a1 := group.MultiMul([]kyber.Scalar{s.z, minus}, []kyber.Point{base, public})
	a2 := group.MultiMul([]kyber.Scalar{s.k, minus}, []kyber.Point{base, p.e1})
	a3 := group.MultiMul([]kyber.Scalar{s.k, s.z, minus}, []kyber.Point{r, p.u, p.e2})
	if !s.challenge(p, r, public, a1, a2, a3).Equal(s.c) {
		return &shamir.ShareError{Index: s.index, Err: shamir.ErrProof}
	}
	return nil
}

// VerifyRelease checks a released share for exactly these layers, this certificate and
// reader; the result is the member's index. A share that was refused is evidence
// against the member that signed its delivery. Anybody can check, not only the reader.
// The error wraps ErrRelease, shamir.ErrEncoding or shamir.ErrProof.
func VerifyRelease(c *shamir.Committee, of Layers, cert quorum.VerifiedCertificate, reader Reader, share []byte) (uint32, error) {
	r, err := covered(c, of, cert, reader)
	if err != nil {
		return 0, fmt.Errorf("verify release: %w", err)
	}
	s, err := parseReleased(share, of.Len())
	if err != nil {
		return 0, err
	}
	return s.index, s.verify(c, releaseContext(cert, reader), of, r)
}

// CombineRelease opens every layer with the reader's secret and the first t valid
// shares of distinct members; the plaintexts come in the order of the layers. culprits
// are the positions in shares of those that are not valid among the ones looked at. The
// error wraps ErrRelease or shamir.ErrThreshold (ask for more shares), or is a
// *LayerError that names the outermost layer that does not open.
func CombineRelease(secret ReaderSecret, c *shamir.Committee, of Layers, cert quorum.VerifiedCertificate, reader Reader, shares [][]byte) (plaintexts [][]byte, culprits []int, err error) {
	r, err := covered(c, of, cert, reader)
	if err != nil {
		return nil, nil, fmt.Errorf("combine release: %w", err)
	}
	if secret.rho == nil || !group.Point().Mul(secret.rho, nil).Equal(r) {
		return nil, nil, fmt.Errorf("combine release: secret is not of member %d's prekey: %w", reader.Member, ErrRelease)
	}
	ctx := releaseContext(cert, reader)
	valid, weights, culprits, err := collect(c, shares, func(b []byte) (*released, uint32, error) {
		s, err := parseReleased(b, of.Len())
		if err != nil {
			return nil, 0, err
		}
		return s, s.index, s.verify(c, ctx, of, r)
	})
	if err != nil {
		return nil, culprits, err
	}
	plaintexts = make([][]byte, of.Len())
	for i := of.Len() - 1; i >= 0; i-- {
		if plaintexts[i], err = of.all[i].combine(secret, weights, valid, i); err != nil {
			for _, opened := range plaintexts {
				clear(opened)
			}
			return nil, culprits, &LayerError{i}
		}
	}
	return plaintexts, culprits, nil
}

// combine opens the layer at a place with the shares that belong to the weights.
func (l layer) combine(secret ReaderSecret, weights []kyber.Scalar, valid []*released, place int) ([]byte, error) {
	e1, e2 := make([]kyber.Point, len(valid)), make([]kyber.Point, len(valid))
	for i, s := range valid {
		e1[i], e2[i] = s.e1[place], s.e2[place]
	}
	blind := group.Point().Mul(secret.rho, group.MultiMul(weights, e1))
	return l.ct.open(group.Point().Sub(group.MultiMul(weights, e2), blind), l.label)
}
