package shamir_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
	"go.dedis.ch/kyber/v3/share"
	"go.dedis.ch/kyber/v3/util/random"
)

var groups = []shamir.Group{shamir.Ristretto255, shamir.G1, shamir.G2}

// seeded is a reproducible source of bytes.
func seeded(parts ...any) io.Reader {
	h := shamir.Hash("test randomness", []byte(fmt.Sprint(parts...)))
	return rand.NewChaCha8(h)
}

func scalar(t *testing.T, g shamir.Group, parts ...any) kyber.Scalar {
	t.Helper()
	s, err := shamir.RandomScalar(g, seeded(parts...))
	require.NoError(t, err)
	return s
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestGroupsObeyTheLaws(t *testing.T) {
	for _, g := range groups {
		t.Run(g.String(), func(t *testing.T) {
			a, b, c := scalar(t, g, "a"), scalar(t, g, "b"), scalar(t, g, "c")
			aG, bG := g.Point().Mul(a, nil), g.Point().Mul(b, nil)
			null, zero, one := g.Point().Null(), g.Scalar().Zero(), g.Scalar().One()

			require.True(t, g.Scalar().Mul(a, g.Scalar().Inv(a)).Equal(one))
			require.True(t, g.Scalar().Div(a, b).Equal(g.Scalar().Mul(a, g.Scalar().Inv(b))))
			require.True(t, g.Scalar().Sub(a, b).Equal(g.Scalar().Add(a, g.Scalar().Neg(b))))
			require.True(t, g.Scalar().Add(a, g.Scalar().Neg(a)).Equal(zero))
			require.True(t, g.Scalar().SetInt64(-7).Equal(g.Scalar().Neg(g.Scalar().SetInt64(7))))
			require.True(t, g.Scalar().SetInt64(-1<<63).Equal(g.Scalar().Neg(g.Scalar().Mul(g.Scalar().SetInt64(1<<62), g.Scalar().SetInt64(2)))))
			require.True(t, g.Scalar().Mul(a, g.Scalar().Add(b, c)).Equal(g.Scalar().Add(g.Scalar().Mul(a, b), g.Scalar().Mul(a, c))))

			require.True(t, g.Point().Mul(g.Scalar().Add(a, b), nil).Equal(g.Point().Add(aG, bG)))
			require.True(t, g.Point().Mul(g.Scalar().Mul(a, b), nil).Equal(g.Point().Mul(a, bG)))
			require.True(t, g.Point().Sub(aG, bG).Equal(g.Point().Add(aG, g.Point().Neg(bG))))
			require.True(t, g.Point().Sub(aG, aG).Equal(null))
			require.True(t, g.Point().Add(aG, aG).Equal(g.Point().Mul(g.Scalar().SetInt64(2), aG)))
			require.True(t, g.Point().Add(aG, aG.Clone()).Equal(g.Point().Add(aG, aG)), "doubling and adding an equal point")
			require.True(t, g.Point().Mul(zero, aG).Equal(null))
			require.True(t, g.Point().Base().Equal(g.Point().Mul(one, nil)))

			q := aG.Clone()
			require.True(t, q.Mul(b, q).Equal(g.Point().Mul(b, aG)), "multiplication in place")
			require.False(t, q.Equal(aG), "a clone is independent")
		})
	}
}

func TestReductionIsTheIntegerModuloTheOrder(t *testing.T) {
	for _, g := range groups {
		var b [64]byte
		b[63], b[0] = 1, 1 // 1 + 2^504, whichever end counts
		want := g.Scalar().One()
		for range 504 {
			want.Add(want, want)
		}
		want.Add(want, g.Scalar().One())
		require.True(t, g.ReduceScalar(b).Equal(want), g.String())
	}
}

func TestMultiMulIsTheSumOfProducts(t *testing.T) {
	for _, g := range groups {
		for _, n := range []int{0, 1, 2, 3, 5, 17, 70} {
			scalars, points := make([]kyber.Scalar, n), make([]kyber.Point, n)
			want := g.Point().Null()
			for i := range scalars {
				switch i % 5 {
				case 3:
					scalars[i] = g.Scalar().SetInt64(int64(i % 2))
				case 4:
					scalars[i] = g.Scalar().SetInt64(-1)
				default:
					scalars[i] = scalar(t, g, "scalar", i)
				}
				points[i] = g.Point().Mul(scalar(t, g, "point", i/2), nil)
				want.Add(want, g.Point().Mul(scalars[i], points[i]))
			}
			require.True(t, g.MultiMul(scalars, points).Equal(want), "%s n=%d", g, n)
		}
	}
}

func TestMulAddIsTheSumOfTwoProducts(t *testing.T) {
	g := shamir.Ristretto255
	scalars := []kyber.Scalar{g.Scalar().Zero(), g.Scalar().One(), g.Scalar().SetInt64(-1), scalar(t, g, "a"), scalar(t, g, "b")}
	points := []kyber.Point{g.Point().Null(), g.Point().Base(), g.Point().Mul(scalars[3], nil), g.Point().Neg(g.Point().Mul(scalars[3], nil))}
	for _, a := range scalars {
		for _, b := range scalars {
			for _, p := range points {
				for _, q := range points {
					want := g.Point().Add(g.Point().Mul(a, p), g.Point().Mul(b, q))
					require.True(t, shamir.MulAdd(a, p, b, q).Equal(want))
				}
			}
		}
	}
}

// The polynomials of kyber run unchanged on these groups, and its recovery is an
// oracle for ours.
func TestKyberRecoversWhatWeShare(t *testing.T) {
	for _, g := range groups {
		secret := scalar(t, g, "secret")
		shares, commitment, err := shamir.Split(seeded("split"), g, secret, 3, 5)
		require.NoError(t, err)
		var pri []*share.PriShare
		var pub []*share.PubShare
		for _, s := range shares[1:4] {
			pri = append(pri, &share.PriShare{I: int(s.Index) - 1, V: s.Value()})
			pub = append(pub, &share.PubShare{I: int(s.Index) - 1, V: commitment.Eval(s.Index)})
		}
		got, err := share.RecoverSecret(g, pri, 3, 5)
		require.NoError(t, err)
		require.True(t, got.Equal(secret), g.String())
		public, err := share.RecoverCommit(g, pub, 3, 5)
		require.NoError(t, err)
		require.True(t, public.Equal(commitment.PublicKey()), g.String())
	}
}

func TestKnownAnswers(t *testing.T) {
	// RFC 9496, appendix A.1: the first multiples of the generator.
	for k, want := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
		"6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
	} {
		p := shamir.Ristretto255.Point().Mul(shamir.Ristretto255.Scalar().SetInt64(int64(k)), nil)
		require.Equal(t, want, hex.EncodeToString(shamir.Encode(p)))
	}
	// RFC 9380, appendix J.9.1: hashing the empty message to G1.
	p := shamir.HashToG1("QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_", nil)
	x := unhex(t, "052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1")
	got := shamir.Encode(p)
	got[0] &= 0x1f // the flags: compressed, sign
	require.Equal(t, x, got)
}

// bad lists encodings that must not decode, per group.
func bad(t *testing.T, g shamir.Group) map[string][]byte {
	good := shamir.Encode(g.Point().Mul(scalar(t, g, "good"), nil))
	flip := func(i int, mask byte) []byte { b := bytes.Clone(good); b[i] ^= mask; return b }
	identity := shamir.Encode(g.Point().Null())
	out := map[string][]byte{
		"empty":              {},
		"one byte short":     good[:len(good)-1],
		"one byte more":      append(bytes.Clone(good), 0),
		"the identity":       identity,
		"the identity twice": append(bytes.Clone(identity), identity...),
		"all ones":           bytes.Repeat([]byte{0xff}, len(good)),
	}
	if g == shamir.Ristretto255 {
		// RFC 9496, appendix A.3: non-canonical, negative, not a square, y = 0.
		for i, s := range []string{
			"00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			"f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
			"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
			"0100000000000000000000000000000000000000000000000000000000000000",
			"26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
			"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		} {
			out[fmt.Sprintf("RFC 9496 bad encoding %d", i)] = unhex(t, s)
		}
		return out
	}
	out["without the compression flag"] = flip(0, 0x80)
	out["with the infinity flag"] = flip(0, 0x40)
	infinityWithSign := bytes.Clone(identity)
	infinityWithSign[0] |= 0x20
	out["infinity with a sign"] = infinityWithSign
	infinityWithData := bytes.Clone(identity)
	infinityWithData[len(identity)-1] = 1
	out["infinity with data"] = infinityWithData
	// p itself instead of 0, and a coordinate on the curve outside the subgroup.
	p := unhex(t, "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab")
	modulus := append(p, make([]byte, len(good)-48)...)
	modulus[0] |= 0x80
	out["the coordinate p"] = modulus
	small := make([]byte, len(good))
	small[0] = 0x80
	if g == shamir.G1 {
		small[47] = 4 // x = 4 is on the curve, and not in the subgroup
	} else {
		small[95] = 2
	}
	out["a point outside the subgroup, or off the curve"] = small
	return out
}

func TestPointsDecodeFromOneFormOnly(t *testing.T) {
	for _, g := range groups {
		p := g.Point().Mul(scalar(t, g, "good"), nil)
		got, err := shamir.DecodePoint(g, shamir.Encode(p))
		require.NoError(t, err)
		require.True(t, got.Equal(p))
		for name, b := range bad(t, g) {
			_, err := shamir.DecodePoint(g, b)
			require.Error(t, err, "%s: %s", g, name)
		}
	}
}

func TestCommitmentsDecodeFromOneFormOnly(t *testing.T) {
	for _, g := range groups {
		_, c, err := shamir.Split(seeded("split"), g, scalar(t, g, "s"), 2, 2)
		require.NoError(t, err)
		b := c.Bytes()
		require.Len(t, b, shamir.CommitmentSize(g, 2))
		again, err := shamir.DecodeCommitment(g, 2, b)
		require.NoError(t, err)
		require.Equal(t, b, again.Bytes())
		size := len(b) / 2
		for _, flag := range []byte{0x80, 0x40} { // compressed, infinity
			changed := bytes.Clone(b)
			changed[size] ^= flag
			if _, err := shamir.DecodeCommitment(g, 2, changed); g != shamir.Ristretto255 {
				require.ErrorIs(t, err, shamir.ErrEncoding, "%s flag %#x", g, flag)
			}
		}
		if g == shamir.G2 { // both coordinates are given: no other point is near
			for i := range len(b) {
				changed := bytes.Clone(b)
				changed[i] ^= 1
				_, err := shamir.DecodeCommitment(g, 2, changed)
				require.ErrorIs(t, err, shamir.ErrEncoding, "byte %d", i)
			}
		}
		for name, bad := range map[string][]byte{
			"short": b[:len(b)-1], "long": append(bytes.Clone(b), 0), "one point": b[:size],
			"zeros": make([]byte, len(b)), "ones": bytes.Repeat([]byte{0xff}, len(b)),
		} {
			_, err := shamir.DecodeCommitment(g, 2, bad)
			require.Error(t, err, "%s %s", g, name)
		}
	}
	// The identity in the uncompressed form of G2, and the compressed form there.
	identity := append([]byte{0x40}, make([]byte, 191)...)
	_, err := shamir.DecodeCommitment(shamir.G2, 1, identity)
	require.ErrorIs(t, err, shamir.ErrIdentity)
	compressed := append(shamir.Encode(shamir.G2.Point().Base()), make([]byte, 96)...)
	_, err = shamir.DecodeCommitment(shamir.G2, 1, compressed)
	require.ErrorIs(t, err, shamir.ErrEncoding)
}

func TestScalarsDecodeFromOneFormOnly(t *testing.T) {
	orders := map[shamir.Group]string{ // as encoded: little endian, big endian
		shamir.Ristretto255: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
		shamir.G1:           "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001",
		shamir.G2:           "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001",
	}
	for g, order := range orders {
		s := scalar(t, g, "good")
		got, err := shamir.DecodeScalar(g, shamir.Encode(s))
		require.NoError(t, err)
		require.True(t, got.Equal(s))
		for name, b := range map[string][]byte{
			"the order": unhex(t, order),
			"all ones":  bytes.Repeat([]byte{0xff}, 32),
			"short":     make([]byte, 31),
			"long":      make([]byte, 33),
		} {
			_, err := shamir.DecodeScalar(g, b)
			require.ErrorIs(t, err, shamir.ErrEncoding, "%s: %s", g, name)
		}
	}
}

// circl before v1.6.5 took the point at infinity for a signature on anything.
func TestIdentityIsNoSignature(t *testing.T) {
	y := scalar(t, shamir.G2, "y")
	public := shamir.G2.Point().Mul(y, nil)
	h := shamir.HashToG1("TEST", []byte("any message"))
	sig := shamir.G1.Point().Mul(y, h)
	require.NoError(t, shamir.VerifyPairing(public, h, sig))

	g1, g2 := shamir.G1.Point().Null(), shamir.G2.Point().Null()
	require.ErrorIs(t, shamir.VerifyPairing(public, h, g1), shamir.ErrIdentity)
	require.ErrorIs(t, shamir.VerifyPairing(g2, h, sig), shamir.ErrIdentity)
	require.ErrorIs(t, shamir.VerifyPairing(g2, h, g1), shamir.ErrIdentity, "e(h, 0) = e(0, G2) holds for everything")
	require.ErrorIs(t, shamir.VerifyPairing(public, g1, g1), shamir.ErrIdentity)
	require.ErrorIs(t, shamir.VerifyPairing(public, h, h), shamir.ErrProof)
	require.ErrorIs(t, shamir.VerifyPairing(public, h, shamir.G1.Point().Neg(sig)), shamir.ErrProof)

	infinity := append([]byte{0xc0}, make([]byte, 47)...)
	_, err := shamir.DecodePoint(shamir.G1, infinity)
	require.ErrorIs(t, err, shamir.ErrIdentity)
}

func TestHashSeparatesTagsAndFields(t *testing.T) {
	seen := map[[32]byte]string{}
	for name, h := range map[string][32]byte{
		"no field":            shamir.Hash("a"),
		"an empty field":      shamir.Hash("a", nil),
		"two empty fields":    shamir.Hash("a", nil, nil),
		"ab":                  shamir.Hash("a", []byte("ab")),
		"a, b":                shamir.Hash("a", []byte("a"), []byte("b")),
		"another tag":         shamir.Hash("b", []byte("ab")),
		"tag takes the field": shamir.Hash("aab"),
	} {
		require.Empty(t, seen[h], name)
		seen[h] = name
	}
	// SHA-256 of 0x14 in eight bytes, "atelier/custody/v1/a", 0x1 in eight bytes, "x".
	want := unhex(t, "0000000000000014"+hex.EncodeToString([]byte("atelier/custody/v1/a"))+"0000000000000001"+"78")
	require.Equal(t, sha(want), shamir.Hash("a", []byte("x")))
}

func FuzzDecodePoint(f *testing.F) {
	for i, g := range groups {
		f.Add(uint8(i), shamir.Encode(g.Point().Base()))
		f.Add(uint8(i), shamir.Encode(g.Point().Null()))
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		g := groups[int(which)%len(groups)]
		if p, err := shamir.DecodePoint(g, b); err == nil {
			require.Equal(t, b, shamir.Encode(p), "decoded from a second form")
			require.False(t, p.Equal(g.Point().Null()))
		}
		if s, err := shamir.DecodeScalar(g, b); err == nil {
			require.Equal(t, b, shamir.Encode(s), "decoded from a second form")
		}
	})
}

// kyber's interfaces ask for more than the protocols use; a stranger may use it.
func TestTheRestOfKybersInterfaces(t *testing.T) {
	for _, g := range groups {
		stream := random.New(seeded("stream"))
		s := g.Scalar().Pick(stream)
		p := g.Point().Pick(stream)
		for _, v := range []struct{ from, to kyber.Marshaling }{{s, g.Scalar()}, {p, g.Point()}} {
			var b bytes.Buffer
			n, err := v.from.MarshalTo(&b)
			require.NoError(t, err)
			require.Equal(t, v.from.MarshalSize(), n)
			n, err = v.to.UnmarshalFrom(&b)
			require.NoError(t, err)
			require.Equal(t, v.from.MarshalSize(), n)
			require.Equal(t, shamir.Encode(v.from), shamir.Encode(v.to))
			_, err = v.to.UnmarshalFrom(&b)
			require.Error(t, err, "nothing left")
		}
		_, err := shamir.DecodePoint(g, shamir.Encode(p))
		require.NoError(t, err, "a picked point is in the group")
		require.Equal(t, hex.EncodeToString(shamir.Encode(p)), p.String())
		require.True(t, g.Scalar().Set(s).Equal(s))
		require.True(t, g.Point().Set(p).Equal(p))

		// SetBytes reads the group's own byte order and reduces.
		require.True(t, g.Scalar().SetBytes(shamir.Encode(s)).Equal(s))
		require.False(t, g.Scalar().SetBytes(bytes.Repeat([]byte{0xff}, 80)).Equal(g.Scalar().Zero()))

		require.Zero(t, p.EmbedLen())
		_, err = p.Data()
		require.Error(t, err)
		_, err = shamir.DecodePoint(g, shamir.Encode(g.Point().Embed(nil, stream)))
		require.NoError(t, err)
	}
}
