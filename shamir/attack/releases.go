package attack

import (
	"bytes"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

// answering is an attack of members who answer the reader of a certified request
// with what forge makes of a correct share, 162 bytes: index, E1, E2, challenge and
// two responses. Their answers come first. The reader names each that does not
// verify, and no other, and opens with the rest.
func answering(name string, role Role, forge func(v *vault, c *Chance, place int, good []byte) []byte, want ...Outcome) Attack {
	return Attack{name, role, func(w *World, c *Chance) Outcome {
		v := w.vault(c)
		var bad [][]byte
		for _, place := range v.bad {
			bad = append(bad, forge(v, c, place, bytes.Clone(v.answer[place])))
		}
		var guilty []int
		for i, b := range bad {
			index, err := seal.VerifyRelease(v.Committee, under(v.ct, v.cert), v.cert, v.reader, b)
			if err != nil {
				guilty = append(guilty, i)
			} else {
				w.hold(slices.Contains(v.bad, int(index)-1), "a share in the name of honest member %d verifies", index)
			}
		}
		named := v.opens(v.cert, append(bad, rest(v, v.answer)...))
		w.hold(slices.Equal(named, guilty), "named are %v, guilty %v", named, guilty)
		v.guess(c, v.readerKey(), rest(v, v.answer))
		if len(want) == 0 {
			want = []Outcome{LeftOut}
		}
		if len(guilty) > 0 {
			return w.expects(LeftOut, want...)
		}
		return w.expects(NoEffect, want...)
	}}
}

// readerKey is R of the request's reader.
func (v *vault) readerKey() kyber.Point {
	key, _ := v.reader.Prekeys.Lookup(v.reader.Member)
	return must[kyber.Point](v.World)(shamir.DecodePoint(ristretto, key[:]))
}

// share is a member's own making of a released share: with any secret, for any
// ciphertext, reader key and context.
func (v *vault) share(c *Chance, index uint32, x kyber.Scalar, u, r kyber.Point, ctx []byte) []byte {
	g := ristretto
	k, alpha, kappa := c.Scalar(g), c.Scalar(g), c.Scalar(g)
	e1, e2 := g.Point().Mul(k, nil), g.Point().Add(g.Point().Mul(k, r), g.Point().Mul(x, u))
	public := must[kyber.Point](v.World)(v.XShare(index))
	a3 := g.Point().Add(g.Point().Mul(kappa, r), g.Point().Mul(alpha, u))
	fields := [][]byte{ctx, shamir.Uint64(uint64(index))}
	for _, p := range []kyber.Point{g.Point().Base(), u, r, public, e1, e2, g.Point().Mul(alpha, nil), g.Point().Mul(kappa, nil), a3} {
		fields = append(fields, shamir.Encode(p))
	}
	h := shamir.HashScalar(g, "release", fields...)
	out := []byte{byte(index >> 8), byte(index)}
	out = append(append(out, shamir.Encode(e1)...), shamir.Encode(e2)...)
	out = append(out, shamir.Encode(h)...)
	out = append(out, shamir.Encode(alpha.Add(alpha, g.Scalar().Mul(h, x)))...)
	return append(out, shamir.Encode(kappa.Add(kappa, g.Scalar().Mul(h, k)))...)
}

// context is what proofs of a release are bound to.
func context(cert quorum.VerifiedCertificate, member uint32, role seal.Role) []byte {
	ctx := cert.Context()
	h := shamir.Hash("release context", ctx[:], shamir.Uint64(uint64(member)), []byte{byte(role)})
	return h[:]
}

func (v *vault) u(ct *seal.Ciphertext) kyber.Point {
	b := ct.U()
	return must[kyber.Point](v.World)(shamir.DecodePoint(ristretto, b[:]))
}

func (v *vault) secret(place int) kyber.Scalar {
	x, _ := v.shares[place].Secrets(access.Token{})
	return x
}

func releases() []Attack {
	return []Attack{
		answering("a member that writes its share itself, correctly", Holder, func(v *vault, c *Chance, place int, _ []byte) []byte {
			b := v.share(c, uint32(place+1), v.secret(place), v.u(v.ct), v.readerKey(), context(v.cert, v.reader.Member, v.reader.Role))
			_, err := seal.VerifyRelease(v.Committee, under(v.ct, v.cert), v.cert, v.reader, b)
			v.hold(err == nil, "the adversary's shares are wrong for no reason: %v", err)
			return b
		}, NoEffect),
		answering("a member releases a share of another secret than its own", Holder, func(v *vault, c *Chance, place int, _ []byte) []byte {
			return v.share(c, uint32(place+1), c.Scalar(ristretto), v.u(v.ct), v.readerKey(), context(v.cert, v.reader.Member, v.reader.Role))
		}),
		answering("a member releases a share of another model's U", Holder, func(v *vault, c *Chance, place int, _ []byte) []byte {
			return v.share(c, uint32(place+1), v.secret(place), v.u(v.wanted), v.readerKey(), context(v.cert, v.reader.Member, v.reader.Role))
		}),
		answering("a member blinds its share for another reader key", Holder, func(v *vault, c *Chance, place int, _ []byte) []byte {
			return v.share(c, uint32(place+1), v.secret(place), v.u(v.ct), c.Point(ristretto), context(v.cert, v.reader.Member, v.reader.Role))
		}),
		answering("a member sends its share of another request, reader or role", Holder, func(v *vault, c *Chance, place int, _ []byte) []byte {
			other := v.reader
			switch c.IntN(3) {
			case 0:
				other.Role = seal.Auditor
			case 1:
				other.Member = v.reader.Prekeys[1].Member
			default:
				other.Role, other.Member = seal.Auditor, v.reader.Prekeys[2].Member
			}
			return must[[]byte](v.World)(v.ask(c, v.shares[place], v.ct, v.cert, other))
		}),
		answering("a member sends its share of the epoch before or after", Holder, func(v *vault, c *Chance, place int, _ []byte) []byte {
			next := v.refreshed()
			x, _ := next.shares[place].Secrets(access.Token{})
			return v.share(c, uint32(place+1), x, v.u(v.ct), v.readerKey(), context(v.cert, v.reader.Member, v.reader.Role))
		}),
		answering("a member sends another member's share, under its own index or that one's", Relay, func(v *vault, c *Chance, place int, _ []byte) []byte {
			other := pick(c, rest(v, v.answer))
			b := bytes.Clone(other)
			return replace(b, []byte{byte((place + 1) >> 8), byte(place + 1)}, 0)
		}),
		answering("a member sends its share under a wrong index: another's, none's, zero", Holder, func(v *vault, c *Chance, place int, good []byte) []byte {
			i := pick(c, []int{(place+1)%v.N() + 1, 0, v.N() + 1, 1 << 15})
			return replace(good, []byte{byte(i >> 8), byte(i)}, 0)
		}),
		answering("a member sends a share with a point that is not canonical or the identity", Holder, func(v *vault, c *Chance, _ int, good []byte) []byte {
			at := 2 + 32*c.IntN(2)
			return replace(good, badRistretto(c, good[at:at+32]), at)
		}),
		answering("a member sends a share with a scalar that is not reduced", Holder, func(v *vault, c *Chance, _ int, good []byte) []byte {
			at := 66 + 32*c.IntN(3)
			return replace(good, badScalar(ristretto, good[at:at+32]), at)
		}),
		answering("a member sends nothing, a byte less, a byte more, or a mebibyte", Holder, func(v *vault, c *Chance, _ int, good []byte) []byte {
			return pick(c, [][]byte{nil, {}, good[:len(good)-1], append(good, 0), make([]byte, 1<<20), good[:2]})
		}),
		answering("a member negates its share, or shifts it by what it knows", Holder, func(v *vault, c *Chance, _ int, good []byte) []byte {
			_, _, e2 := v.blinded(good)
			if c.Percent(50) {
				return replace(good, shamir.Encode(e2.Neg(e2)), 34)
			}
			return replace(good, shamir.Encode(e2.Add(e2, c.Point(ristretto))), 34)
		}),
		answering("a relay changes some bits of a share on its way", Relay, func(v *vault, c *Chance, _ int, good []byte) []byte { return mangled(c, good) }),
		guarding("a relay doubles, reorders and replays shares", Relay, func(v *vault, c *Chance) Outcome {
			honest := rest(v, v.answer)
			shares := append(slices.Clone(honest[:len(honest)-1]), honest[:len(honest)-1]...)
			shuffle(c, shares)
			v.opens(v.cert, append(shares, honest[len(honest)-1]))
			return NoEffect
		}),
		guarding("two members release shares whose errors cancel", Holder, func(v *vault, c *Chance) Outcome {
			weights := must[[]kyber.Scalar](v.World)(shamir.Lagrange(ristretto, []uint32{1, 2}))
			d := c.Point(ristretto)
			shares := slices.Clone(v.answer)
			for i, sign := range []int64{1, -1} {
				_, _, e2 := v.blinded(shares[i])
				by := ristretto.Scalar().Div(ristretto.Scalar().SetInt64(sign), weights[i])
				shares[i] = replace(bytes.Clone(shares[i]), shamir.Encode(e2.Add(e2, ristretto.Point().Mul(by, d))), 34)
				_, err := seal.VerifyRelease(v.Committee, under(v.ct, v.cert), v.cert, v.reader, shares[i])
				v.hold(err != nil, "a shifted share verifies")
			}
			return LeftOut
		}),
		guarding("an aggregator mixes the shares of two requests", Aggregator, func(v *vault, c *Chance) Outcome {
			s := v.request(v.ct, v.labels[0], v.reader.Prekeys, c)
			cert := v.certify(s, v.shares[:v.T()])
			other := v.released(cert, v.shares)
			mixed := append(slices.Clone(other[:v.N()/2]), v.answer[v.N()/2:]...)
			_, culprits, err := seal.CombineRelease(v.secrets[v.reader.Member], v.Committee, under(v.ct, v.cert), v.cert, v.reader, mixed)
			v.hold(err != nil, "shares of two requests open")
			for _, at := range culprits {
				v.hold(at < v.N()/2, "a share of the right request is refused")
			}
			return RefusedBy("the reader")
		}),
		guarding("an aggregator gives the reader t-1 shares, some twice", Aggregator, func(v *vault, c *Chance) Outcome {
			shares := append(slices.Clone(v.answer[:v.T()-1]), v.answer[:v.T()-1]...)
			plain, _, err := seal.CombineRelease(v.secrets[v.reader.Member], v.Committee, under(v.ct, v.cert), v.cert, v.reader, shares)
			v.hold(err != nil && plain == nil, "t-1 shares open")
			return RefusedBy("the reader")
		}),
	}
}
