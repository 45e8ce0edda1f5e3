package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
)

// committee is section 5: at 0 the keys of the group, at i those of member i.
type committee struct {
	epoch   uint64
	session []byte
	n, t    int
	x, y    []point
	digest  []byte
}

func parseCommittee(b []byte) (c committee) {
	in := input(b)
	need(in.number(1) == 1, "encoding")
	c = committee{epoch: in.number(8), session: in.take(32), n: int(in.number(2)), t: int(in.number(2)), digest: hash("committee", b)}
	need(1 <= c.t && c.t <= c.n && c.n <= 256 && len(in) == 128*(c.n+1), "encoding")
	for range c.n + 1 {
		c.x, c.y = append(c.x, ristretto.point(in.take(32))), append(c.y, g2.point(in.take(96)))
	}
	return c
}

// consistent: the first t shares interpolate the key and all further shares.
func (c committee) consistent() {
	var first []uint64
	for i := range c.t {
		first = append(first, uint64(i+1))
	}
	for at := 0; at <= c.n; at++ {
		if at == 0 || at > c.t {
			need(equal(c.x[at], ristretto.sum(ristretto.lagrange(int64(at), first), c.x[1:c.t+1])), "shares of X")
			need(equal(c.y[at], g2.sum(g2.lagrange(int64(at), first), c.y[1:c.t+1])), "shares of Y")
		}
	}
}

// releaseChecks are those of section 14, in their order.
func releaseChecks(r fields) []check {
	var (
		g            = ristretto
		c            committee
		table, label []byte
		layers       []layer // the model's own ciphertext and those around it
		keyEpoch     = r.number("key_epoch")
		key          point
		good         []*share
		members      []uint64
		keys         = map[uint64][]byte{}
		bodyHash     = sha256.Sum256(r.bytes("body"))
	)
	modelLabel := func(keyEpoch uint64) []byte {
		return hash("label", r.bytes("chain"), r.bytes("model"), u64(keyEpoch), r.bytes("policy_hash"), c.x[0].bytes())
	}
	same := func(name string, want []byte) string {
		need(bytes.Equal(r.bytes(name), want), "another "+refusal(name))
		return fmt.Sprintf("%x…", want[:6])
	}
	return []check{
		{"committee", func() string {
			c = parseCommittee(r.bytes("committee"))
			c.consistent()
			return fmt.Sprintf("%d of %d, epoch %d", c.t, c.n, c.epoch)
		}},
		{"readers", func() string {
			seen := map[string]bool{}
			for _, k := range r.list("readers") {
				m, key := k.number("member"), k.bytes("key")
				need(1 <= m && (len(members) == 0 || m > slices.Max(members)), "order")
				need(!seen[string(key)], "two keys alike")
				g.point(key)
				members, keys[m], seen[string(key)] = append(members, m), key, true
				table = slices.Concat(table, u32(m), key)
			}
			return fmt.Sprint(members)
		}},
		{"request", func() string {
			return same("rid", hash("rid", bodyHash[:], u64(r.number("height")), u64(r.number("position"))))
		}},
		{"model", func() string { return same("model", ledgerHash("model", r.bytes("plain_hash"))) }},
		{"label", func() string {
			label = modelLabel(keyEpoch)
			return same("label", label)
		}},
		{"ciphertext", func() string {
			layers = []layer{parseLayer(r.bytes("ciphertext"), label, c.x[0], r.bytes("plaintext"))}
			return fmt.Sprintf("%d bytes in the box", len(layers[0].box)-16)
		}},
		{"layers", func() string {
			around := r.list("layers")
			need(len(around) <= 7, "too many")
			for _, f := range around {
				need(f.number("key_epoch") > keyEpoch, "order")
				keyEpoch = f.number("key_epoch")
				label = hash("layer", modelLabel(keyEpoch), label, layers[len(layers)-1].u.bytes())
				need(bytes.Equal(f.bytes("label"), label), "another label")
				layers = append(layers, parseLayer(f.bytes("ciphertext"), label, c.x[0], f.bytes("plaintext")))
			}
			return fmt.Sprint(len(around))
		}},
		{"statement", func() string {
			want := slices.Concat([]byte("release"), r.bytes("chain"), u64(c.epoch), r.bytes("rid"), bodyHash[:], r.bytes("model"),
				u64(keyEpoch), label, layers[len(layers)-1].u.bytes(), hash("prekeys", table))
			in := input(r.bytes("statement"))
			need(bytes.Equal(in.take(len(want)), want), "says something else")
			expiry := in.number(8)
			in.end()
			return fmt.Sprintf("until height %d", expiry)
		}},
		{"certificate", func() string {
			signature("ATELIER-V1-QC-BLS12381G1_XMD:SHA-256_SSWU_RO_", r.bytes("statement"), c.y[0], r.bytes("certificate"))
			return same("context", hash("cert", r.bytes("certificate"), r.bytes("statement")))
		}},
		{"seed", func() string {
			signature("ATELIER-V1-SEED-BLS12381G1_XMD:SHA-256_SSWU_RO_", slices.Concat(r.bytes("chain"), r.bytes("rid")), c.y[0], r.bytes("seed_signature"))
			return same("seed", hash("seed", r.bytes("seed_signature"), r.bytes("rid")))
		}},
		{"draw", func() string {
			order, role, turn := draw(r.bytes("seed"), members), r.number("role"), r.number("turn")
			need(slices.Equal(order, r.numbers("order")), "another order")
			may := order
			switch kind := r.bytes("body"); {
			case bytes.HasPrefix(kind, []byte("\x84\x6fartwork.request")):
				need(role == 1 || role == 2, "no such role")
				may = order[role-1:] // whoever generated does not audit
			case bytes.HasPrefix(kind, []byte("\x84\x6dtraining.vote")):
				need(role == 3, "no such role")
			default:
				need(false, "nothing that opens a model")
			}
			need(turn < uint64(len(may)) && may[turn] == r.number("reader"), "not the reader's turn")
			key = g.point(keys[r.number("reader")])
			return fmt.Sprintf("%v, member %d reads", order, may[turn])
		}},
		{"shares", func() string {
			ctx := hash("release context", r.bytes("context"), u64(r.number("reader")), []byte{byte(r.number("role"))})
			all := r.list("shares")
			for _, f := range all {
				s := &share{}
				if f["found"] = string(attempt(func() { s.judge(f.bytes("hex"), c, ctx, layers, key) })); f["found"] != "" {
					continue
				}
				f["found"] = "good"
				if !slices.ContainsFunc(good, func(o *share) bool { return o.index == s.index }) {
					good = append(good, s)
				}
			}
			need(len(good) >= c.t, "too few are good")
			return fmt.Sprintf("%d good of %d", len(good), len(all))
		}},
		{"opening", func() string {
			rho := g.decodeScalar(r.bytes("secret"))
			need(equal(g.base.mul(rho), key), "secret of another reader")
			var indices []uint64
			for _, s := range good[:c.t] {
				indices = append(indices, s.index)
			}
			weights := g.lagrange(0, indices)
			var opened [][]byte
			for i, l := range layers {
				var e1, e2 []point
				for _, s := range good[:c.t] {
					e1, e2 = append(e1, s.e1[i]), append(e2, s.e2[i])
				}
				shared := g.commitment(big.NewInt(1), g.sum(weights, e2), rho, g.sum(weights, e1))
				plain, err := unseal(shared.bytes(), nil, hash("box", l.label, l.u.bytes()), l.box, l.label)
				need(err == nil, "a box does not open")
				need(bytes.Equal(plain, l.plaintext), "another plaintext")
				opened = append(opened, plain)
			}
			return fmt.Sprintf("%q, with the shares of %v", opened, indices)
		}},
	}
}

// layer is a ciphertext, section 7, with its label.
type layer struct {
	label, box []byte
	u          point
	plaintext  []byte // what the case says that it opens to
}

// parseLayer reads a ciphertext and checks its proof.
func parseLayer(b, label []byte, x point, plaintext []byte) layer {
	g, in := ristretto, input(b)
	need(144 <= len(in) && len(in) <= 4240, "encoding")
	u := g.point(in.take(32))
	uBar, e, f := g.point(in.take(32)), g.decodeScalar(in.take(32)), g.decodeScalar(in.take(32))
	w, wBar := g.commitment(f, g.base, e, u), g.commitment(f, gBar, e, uBar)
	need(e.Cmp(g.hashScalar("tdh2", label, in, x.bytes(), gBar.bytes(), u.bytes(), uBar.bytes(), w.bytes(), wBar.bytes())) == 0, "proof")
	return layer{label, in, u, plaintext}
}

// share is a released one, section 10.
type share struct {
	index  uint64
	e1, e2 []point // of each layer
}

func (s *share) judge(b []byte, c committee, ctx []byte, of []layer, key point) {
	g, in := ristretto, input(b)
	need(len(b) == 98+64*len(of), "encoding")
	s.index = in.number(2)
	for range of {
		s.e1, s.e2 = append(s.e1, g.point(in.take(32))), append(s.e2, g.point(in.take(32)))
	}
	ch, z, w := g.decodeScalar(in.take(32)), g.decodeScalar(in.take(32)), g.decodeScalar(in.take(32))
	need(1 <= s.index && s.index <= uint64(c.n), "index")
	public := c.x[s.index]
	u, e1, e2 := of[0].u, s.e1[0], s.e2[0]
	if len(of) > 1 {
		all, us := [][]byte{ctx, u64(s.index), public.bytes(), key.bytes()}, []point{}
		for i, l := range of {
			all, us = append(all, l.u.bytes(), s.e1[i].bytes(), s.e2[i].bytes()), append(us, l.u)
		}
		ctx = hash("release/fold", all...)
		var weights []*big.Int
		for i := range of {
			weights = append(weights, g.hashScalar("release/weight", ctx, u64(uint64(i))))
		}
		u, e1, e2 = g.sum(weights, us), g.sum(weights, s.e1), g.sum(weights, s.e2)
	}
	a1, a2, a3 := g.commitment(z, g.base, ch, public), g.commitment(w, g.base, ch, e1), g.commitment(w, key, ch, e2).add(u.mul(z))
	hashed := [][]byte{ctx, u64(s.index)}
	for _, p := range []point{g.base, u, key, public, e1, e2, a1, a2, a3} {
		hashed = append(hashed, p.bytes())
	}
	need(ch.Cmp(g.hashScalar("release", hashed...)) == 0, "proof")
}

// draw is that of section 13.
func draw(seed []byte, members []uint64) []uint64 {
	order, counter := slices.Clone(members), uint64(0)
	for i := len(order) - 1; i > 0; i-- {
		b := uint64(i + 1)
		for {
			h := input(ledgerHash("draw", seed, u64(counter)))
			v := h.number(8)
			counter++
			if rest := -b % b; v <= ^uint64(0)-rest { // rest is 2⁶⁴ modulo b
				order[i], order[v%b] = order[v%b], order[i]
				break
			}
		}
	}
	return order
}
