package attack

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

// batch is the sealed orders of a round with all members' opening shares.
type batch struct {
	label  seal.PublicLabel
	orders []*seal.Ciphertext
	shares [][]byte
}

const batchSize = 3

func (v *vault) batch() *batch {
	if v.closed.round == nil {
		v.closed.round = v.newBatch(v.chance("round"))
	}
	b := *v.closed.round
	b.orders, b.shares = slices.Clone(b.orders), slices.Clone(b.shares)
	return &b
}

func (v *vault) newBatch(c *Chance) *batch {
	b := &batch{label: seal.PublicLabel{Chain: v.chain, Purpose: "order", ID: 7}}
	for i := range batchSize {
		b.orders = append(b.orders, must[*seal.Ciphertext](v.World)(seal.Encrypt(c, v.X(), b.label.Hash(), fmt.Appendf(nil, "order %d", i))))
	}
	for _, key := range v.shares {
		b.shares = append(b.shares, must[[]byte](v.World)(seal.OpenShare(c, key, v.Committee, b.label, b.orders...)))
	}
	return b
}

// opened combines and checks that every order says what was sealed.
func (b *batch) opened(v *vault, shares [][]byte) (named []int) {
	got, named, err := seal.CombineOpen(v.Committee, b.label, b.orders, shares)
	v.hold(err == nil, "the honest rest cannot open: %v", err)
	for i, o := range got {
		v.hold(o.Err == nil && string(o.Plaintext) == fmt.Sprintf("order %d", i), "order %d opens to %q, %v", i, o.Plaintext, o.Err)
	}
	return named
}

// forged has the bad members publish what forge makes of their correct shares, before the
// others publish theirs: combine names those, and only those, that verify refuses.
func (v *vault) forged(shares [][]byte, forge func(place int, good []byte) []byte, verify func([]byte) (uint32, error), combine func([][]byte) (named []int)) Outcome {
	var bad [][]byte
	var guilty []int
	for i, place := range v.bad {
		bad = append(bad, forge(place, bytes.Clone(shares[place])))
		if index, err := verify(bad[i]); err != nil {
			guilty = append(guilty, i)
		} else {
			v.hold(slices.Contains(v.bad, int(index)-1), "a share in the name of honest member %d verifies", index)
		}
	}
	named := combine(append(bad, rest(v, shares)...))
	v.hold(slices.Equal(named, guilty), "named are %v, guilty %v", named, guilty)
	if len(guilty) > 0 {
		return LeftOut
	}
	return v.expects(NoEffect, LeftOut)
}

// opening is an attack of members who publish what forge makes of a correct opening
// share: index, a point per order, a proof of 64 bytes. Theirs come first.
func opening(name string, role Role, forge func(v *vault, b *batch, c *Chance, place int, good []byte) []byte) Attack {
	return Attack{name, role, func(w *World, c *Chance) Outcome {
		v := w.vault(c)
		b := v.batch()
		return v.forged(b.shares, func(place int, good []byte) []byte { return forge(v, b, c, place, good) },
			func(share []byte) (uint32, error) { return seal.VerifyOpen(v.Committee, b.label, b.orders, share) },
			func(shares [][]byte) []int { return b.opened(v, shares) })
	}}
}

// smuggling asks honest members to open what is no order of the round.
func smuggling(name string, order func(v *vault, b *batch, c *Chance) (seal.PublicLabel, *seal.Ciphertext)) Attack {
	return Attack{name, Relay, func(w *World, c *Chance) Outcome {
		v := w.vault(c)
		b := v.batch()
		label, ct := order(v, b, c)
		orders := slices.Insert(slices.Clone(b.orders), c.IntN(batchSize+1), ct)
		for _, key := range rest(v, v.shares) {
			share, err := seal.OpenShare(c, key, v.Committee, label, orders...)
			w.hold(errors.Is(err, seal.ErrCiphertext) && share == nil, "member %d opens what is no order: %v", key.Index(), err)
		}
		if c.IntN(8) == 0 { // the orders open as ever
			b.opened(v, rest(v, b.shares))
		}
		return RefusedBy("the members")
	}}
}

func (v *vault) shift(b []byte, at int, by kyber.Point) []byte {
	p := must[kyber.Point](v.World)(shamir.DecodePoint(ristretto, b[at:at+32]))
	return replace(b, shamir.Encode(p.Add(p, by)), at)
}

func openings() []Attack {
	return []Attack{
		opening("a member opens one order wrongly", Holder, func(v *vault, _ *batch, c *Chance, _ int, good []byte) []byte {
			return v.shift(good, 2+32*c.IntN(batchSize), c.Point(ristretto))
		}),
		opening("a member opens two orders wrongly, so that the errors cancel in their sum", Holder, func(v *vault, _ *batch, c *Chance, _ int, good []byte) []byte {
			p := c.Point(ristretto)
			return v.shift(v.shift(good, 2, p), 34, ristretto.Point().Neg(p))
		}),
		opening("a member opens all orders with another secret, and proves that", Holder, func(v *vault, b *batch, c *Chance, place int, good []byte) []byte {
			x := c.Scalar(ristretto)
			for k, ct := range b.orders {
				replace(good, shamir.Encode(ristretto.Point().Mul(x, v.u(ct))), 2+32*k)
			}
			return good
		}),
		opening("a member swaps two orders", Holder, func(_ *vault, _ *batch, _ *Chance, _ int, good []byte) []byte {
			first := bytes.Clone(good[2:34])
			return replace(replace(good, good[34:66], 2), first, 34)
		}),
		opening("a member opens another round, chain, or fewer orders", Holder, func(v *vault, b *batch, c *Chance, place int, _ []byte) []byte {
			label, orders := b.label, b.orders
			switch c.IntN(3) {
			case 0:
				orders = orders[:batchSize-1]
			case 1:
				orders = []*seal.Ciphertext{orders[1], orders[0], orders[2]}
			default:
				label.ID++
				orders = nil
				for range batchSize {
					orders = append(orders, must[*seal.Ciphertext](v.World)(seal.Encrypt(c, v.X(), label.Hash(), nil)))
				}
			}
			return must[[]byte](v.World)(seal.OpenShare(c, v.shares[place], v.Committee, label, orders...))
		}),
		opening("a member copies another's opening, under its own index", Holder, func(v *vault, b *batch, c *Chance, place int, _ []byte) []byte {
			return replace(bytes.Clone(pick(c, rest(v, b.shares))), []byte{byte((place + 1) >> 8), byte(place + 1)}, 0)
		}),
		opening("a member opens under a wrong index: another's, none's, zero", Holder, func(v *vault, _ *batch, c *Chance, place int, good []byte) []byte {
			i := pick(c, []int{(place+1)%v.N() + 1, 0, v.N() + 1, 1 << 15})
			return replace(good, []byte{byte(i >> 8), byte(i)}, 0)
		}),
		opening("a member opens with a point that is not canonical or the identity, in any position", Holder, func(_ *vault, _ *batch, c *Chance, _ int, good []byte) []byte {
			at := 2 + 32*c.IntN(batchSize)
			return replace(good, badRistretto(c, good[at:at+32]), at)
		}),
		opening("a member opens with a proof that is not reduced, random, or zero", Holder, func(_ *vault, _ *batch, c *Chance, _ int, good []byte) []byte {
			at := 2 + 32*batchSize + 32*c.IntN(2)
			return replace(good, pick(c, [][]byte{badScalar(ristretto, good[at:at+32]), shamir.Encode(c.Scalar(ristretto)), make([]byte, 32)}), at)
		}),
		opening("a member publishes nothing, a byte less, a byte more, or a mebibyte", Holder, func(_ *vault, _ *batch, c *Chance, _ int, good []byte) []byte {
			return pick(c, [][]byte{nil, {}, good[:len(good)-1], append(good, 0), make([]byte, 1<<20)})
		}),
		opening("a relay changes some bits of an opening", Relay, func(_ *vault, _ *batch, c *Chance, _ int, good []byte) []byte { return mangled(c, good) }),
		{"members withhold their openings, and any quorum of the rest opens the same", Holder, func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			b := v.batch()
			honest := rest(v, b.shares)
			for range 2 {
				shuffle(c, honest)
				b.opened(v, honest)
			}
			few := append(slices.Clone(honest[:v.T()-1]), honest[:v.T()-1]...)
			_, _, err := seal.CombineOpen(v.Committee, b.label, b.orders, few)
			w.hold(errors.Is(err, shamir.ErrThreshold), "t-1 members open a round: %v", err)
			return NoEffect
		}},
		smuggling("a model's ciphertext is put among the orders", func(v *vault, b *batch, _ *Chance) (seal.PublicLabel, *seal.Ciphertext) {
			return b.label, v.ct
		}),
		smuggling("a model's U and proof are put before an order's box", func(v *vault, b *batch, _ *Chance) (seal.PublicLabel, *seal.Ciphertext) {
			return b.label, must[*seal.Ciphertext](v.World)(seal.ParseCiphertext(append(v.ct.Bytes()[:128], b.orders[0].Bytes()[128:]...)))
		}),
		smuggling("an order of another round, purpose or chain", func(v *vault, b *batch, c *Chance) (seal.PublicLabel, *seal.Ciphertext) {
			other := b.label
			switch c.IntN(3) {
			case 0:
				other.ID--
			case 1:
				other.Purpose = "ballot"
			default:
				other.Chain[0] ^= 1
			}
			return b.label, must[*seal.Ciphertext](v.World)(seal.Encrypt(c, v.X(), other.Hash(), []byte("order")))
		}),
		smuggling("an order with a changed box, proof, U or Ū", func(v *vault, b *batch, c *Chance) (seal.PublicLabel, *seal.Ciphertext) {
			for {
				if ct, err := seal.ParseCiphertext(mangled(c, b.orders[0].Bytes())); err == nil && !bytes.Equal(ct.Bytes(), b.orders[0].Bytes()) {
					return b.label, ct
				}
			}
		}),
		{"a sealer makes an order whose box opens for nobody", Reader, func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			b := v.batch()
			b.orders[1] = v.garbage(c, b.label.Hash())
			var shares [][]byte
			for _, key := range rest(v, v.shares) {
				shares = append(shares, must[[]byte](w)(seal.OpenShare(c, key, v.Committee, b.label, b.orders...)))
			}
			for range 2 {
				shuffle(c, shares)
				got, named, err := seal.CombineOpen(v.Committee, b.label, b.orders, shares)
				w.must(err)
				w.hold(len(named) == 0 && got[0].Err == nil && errors.Is(got[1].Err, seal.ErrUnreadable) && got[2].Err == nil, "garbage spoils other orders")
			}
			return NoEffect
		}},
	}
}

// garbage is a ciphertext with a correct proof around a box of random bytes.
func (v *vault) garbage(c *Chance, label [32]byte) *seal.Ciphertext {
	g, bar := ristretto, shamir.HashPoint("gbar")
	r, s, box, x := c.Scalar(g), c.Scalar(g), c.Bytes(40), v.X()
	u, uBar := g.Point().Mul(r, nil), g.Point().Mul(r, bar)
	e := shamir.HashScalar(g, "tdh2", label[:], box, x[:], shamir.Encode(bar), shamir.Encode(u), shamir.Encode(uBar),
		shamir.Encode(g.Point().Mul(s, nil)), shamir.Encode(g.Point().Mul(s, bar)))
	f := g.Scalar().Add(s, g.Scalar().Mul(e, r))
	var b []byte
	for _, part := range []kyber.Marshaling{u, uBar, e, f} {
		b = append(b, shamir.Encode(part)...)
	}
	return must[*seal.Ciphertext](v.World)(seal.ParseCiphertext(append(b, box...)))
}
