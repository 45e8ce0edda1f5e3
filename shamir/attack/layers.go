package attack

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"go.dedis.ch/kyber/v3"
)

// nest is the vault's model in two layers, as two rotations leave it, with a certified
// request for it; and what rotations left lying about that came to nothing.
type nest struct {
	*vault
	of    seal.Layers
	cts   []*seal.Ciphertext // the model's own first
	owns  [][32]byte         // what each layer is for; [0] is the model's label
	us    []kyber.Point
	keys  [][]byte
	rs    [2]kyber.Scalar  // of the layers' U: whoever puts a layer around knows it
	older *seal.Ciphertext // a layer around the model, of another rotation
	twin  *seal.Ciphertext // another one under the label of the inner layer
	cert  quorum.VerifiedCertificate
	// answer is every member's to the reader, once per world; the adversary's as well.
	answer [][]byte
}

// made are the layers, of which a world has one set.
func (w *World) nest(c *Chance) *nest {
	v := w.vault(c)
	if w.nested == nil {
		once := w.chance("layers")
		n := &nest{vault: v, cts: []*seal.Ciphertext{v.ct}, owns: [][32]byte{v.labels[0]}, keys: [][]byte{v.keys[0]}, of: seal.NewLayers(v.labels[0], v.ct)}
		n.older = n.around(once, n.of, [32]byte(once.Bytes(32)), once.Bytes(16))
		for i := range 2 {
			own, key := [32]byte(once.Bytes(32)), once.Bytes(16)
			if i == 0 {
				n.twin = n.around(once, n.of, own, once.Bytes(16))
			}
			n.rs[i] = once.Scalar(ristretto)
			label := seal.LayerLabel(own, n.of.Label(), n.of.U())
			ct := n.sealed(once, n.rs[i], label, n.box(n.rs[i], label, key))
			n.of = n.of.Around(own, ct)
			n.cts, n.owns, n.keys = append(n.cts, ct), append(n.owns, own), append(n.keys, key)
		}
		for _, ct := range n.cts {
			n.us = append(n.us, v.u(ct))
		}
		s := n.requestFor(n.of, once)
		n.cert = v.certify(s, v.shares)
		for _, key := range v.shares {
			n.answer = append(n.answer, must[[]byte](w)(n.through(once, key, n.of, n.cert)))
		}
		w.nested = n
	}
	n := *w.nested
	n.vault = v
	v.ledger[n.cert.Statement().RID] = n.cert.Statement()
	return &n
}

// around makes a ciphertext for a layer around others.
func (n *nest) around(c *Chance, of seal.Layers, own [32]byte, key []byte) *seal.Ciphertext {
	return must[*seal.Ciphertext](n.World)(seal.Encrypt(c, n.X(), seal.LayerLabel(own, of.Label(), of.U()), key))
}

// requestFor puts a request for layers on the ledger.
func (n *nest) requestFor(of seal.Layers, c *Chance) quorum.Statement {
	s := n.request(n.ct, of.Label(), n.reader.Prekeys, c)
	s.U = of.U()
	n.ledger[s.RID] = s
	return s
}

// through asks an honest member for its share of layers. One for a label or U that the
// ledger's request does not name breaks the run.
func (n *nest) through(c *Chance, key *shamir.KeyShare, of seal.Layers, cert quorum.VerifiedCertificate) ([]byte, error) {
	share, err := seal.ReleaseShare(c, key, n.Committee, of, cert, n.reader)
	if err != nil {
		n.hold(share == nil, "a member that refuses says something")
		return nil, err
	}
	s := cert.Statement()
	n.hold(n.ledger[s.RID] == s, "a share left member %d for a request that the ledger does not hold", key.Index())
	n.hold(s.Label == of.Label() && s.U == of.U(), "a share left member %d for other layers", key.Index())
	return share, nil
}

// nesting is an attack on a model in layers; after it the honest rest opens it.
func nesting(name string, role Role, run func(n *nest, c *Chance) Outcome) Attack {
	return Attack{name, role, func(w *World, c *Chance) Outcome {
		n := w.nest(c)
		outcome := run(n, c)
		n.opensAll(rest(n.vault, n.answer))
		return outcome
	}}
}

// opensAll checks that the shares give the reader every key, and returns the positions
// that are named.
func (n *nest) opensAll(shares [][]byte) []int {
	plain, named, err := seal.CombineRelease(n.secrets[n.reader.Member], n.Committee, n.of, n.cert, n.reader, shares)
	n.hold(err == nil, "the honest rest cannot release: %v", err)
	n.hold(err != nil || slices.EqualFunc(plain, n.keys, bytes.Equal), "the shares open other keys")
	return named
}

// nestling is an attack of a reader that presents other layers than are certified: each
// honest member must refuse, also if t members could be brought to certify them. A chain
// that is in order in itself is the ledger's to refuse, and no worse than a model.
func nestling(name string, present func(n *nest, c *Chance) seal.Layers) Attack {
	return nesting(name, Reader, func(n *nest, c *Chance) Outcome {
		of := present(n, c)
		for _, key := range rest(n.vault, n.shares) {
			_, err := n.through(c, key, of, n.cert)
			n.hold(errors.Is(err, seal.ErrRelease), "member %d answers for other layers: %v", key.Index(), err)
		}
		_, _, err := seal.CombineRelease(n.secrets[n.reader.Member], n.Committee, of, n.cert, n.reader, n.answer)
		n.hold(errors.Is(err, seal.ErrRelease), "answers open other layers: %v", err)
		return RefusedBy("the members")
	})
}

// certifiedNest is nestling with a ledger that took the layers without looking at the
// proofs of their ciphertexts.
func certifiedNest(name string, present func(n *nest, c *Chance) seal.Layers) Attack {
	return nesting(name, Rotator, func(n *nest, c *Chance) Outcome {
		of := present(n, c)
		cert := n.certify(n.requestFor(of, c), n.shares[:n.T()])
		for _, key := range rest(n.vault, n.shares) {
			_, err := n.through(c, key, of, cert)
			n.hold(errors.Is(err, seal.ErrRelease), "member %d answers for a layer that was not made for this: %v", key.Index(), err)
		}
		return RefusedBy("the members")
	})
}

// part is what a share holds for one layer, and proof what it holds for all.
func part(share []byte, layer int) []byte { return share[2+64*layer : 2+64*(layer+1)] }
func proof(share []byte) []byte           { return share[len(share)-96:] }

func joined(index []byte, proof []byte, parts ...[]byte) []byte {
	return slices.Concat(index[:2], slices.Concat(parts...), proof)
}

// answeringAll is answering for a model in layers.
func answeringAll(name string, role Role, forge func(n *nest, c *Chance, place int, good []byte) []byte, want ...Outcome) Attack {
	return nesting(name, role, func(n *nest, c *Chance) Outcome {
		var bad [][]byte
		for _, place := range n.bad {
			bad = append(bad, forge(n, c, place, bytes.Clone(n.answer[place])))
		}
		var guilty []int
		for i, b := range bad {
			index, err := seal.VerifyRelease(n.Committee, n.of, n.cert, n.reader, b)
			if err != nil {
				guilty = append(guilty, i)
			} else {
				n.hold(slices.Contains(n.bad, int(index)-1), "a share in the name of honest member %d verifies", index)
			}
		}
		named := n.opensAll(append(bad, rest(n.vault, n.answer)...))
		n.hold(slices.Equal(named, guilty), "named are %v, guilty %v", named, guilty)
		n.guessAll(c, n.readerKey(), rest(n.vault, n.answer))
		if len(want) == 0 {
			want = []Outcome{LeftOut}
		}
		if len(guilty) > 0 {
			return n.expects(LeftOut, want...)
		}
		return n.expects(NoEffect, want...)
	})
}

// lies are what a member puts into a share of its own making, in place of what belongs
// there; nil leaves a layer as it should be.
type lies struct {
	x, u, r []any // by layer: a kyber.Scalar in x, kyber.Points in u and r
	plain   bool  // the proof is of the plain sums
}

// write is a member's own making of a share, in the bytes of the specification.
func (n *nest) write(c *Chance, place int, l lies) []byte {
	g, r, x := ristretto, n.readerKey(), n.secret(place)
	out := []byte{byte((place + 1) >> 8), byte(place + 1)}
	public := must[kyber.Point](n.World)(n.XShare(uint32(place + 1)))
	fields := [][]byte{context(n.cert, n.reader.Member, n.reader.Role), shamir.Uint64(uint64(place + 1)), shamir.Encode(public), shamir.Encode(r)}
	var ks []kyber.Scalar
	var e1s, e2s []kyber.Point
	for i, u := range n.us {
		k, by, of, to := c.Scalar(g), x, u, r
		if l.x != nil && l.x[i] != nil {
			by = l.x[i].(kyber.Scalar)
		}
		if l.u != nil && l.u[i] != nil {
			of = l.u[i].(kyber.Point)
		}
		if l.r != nil && l.r[i] != nil {
			to = l.r[i].(kyber.Point)
		}
		e1, e2 := g.Point().Mul(k, nil), g.Point().Add(g.Point().Mul(k, to), g.Point().Mul(by, of))
		ks, e1s, e2s = append(ks, k), append(e1s, e1), append(e2s, e2)
		out = append(append(out, shamir.Encode(e1)...), shamir.Encode(e2)...)
		fields = append(fields, shamir.Encode(u), shamir.Encode(e1), shamir.Encode(e2))
	}
	seed := shamir.Hash("release/fold", fields...)
	k, weights := g.Scalar().Zero(), make([]kyber.Scalar, len(ks))
	for i := range ks {
		weights[i] = shamir.HashScalar(g, "release/weight", seed[:], shamir.Uint64(uint64(i)))
		if l.plain {
			weights[i] = g.Scalar().One()
		}
		k.Add(k, g.Scalar().Mul(weights[i], ks[i]))
	}
	u, alpha, kappa := g.MultiMul(weights, n.us), c.Scalar(g), c.Scalar(g)
	a3 := g.Point().Add(g.Point().Mul(kappa, r), g.Point().Mul(alpha, u))
	hashed := [][]byte{seed[:], shamir.Uint64(uint64(place + 1))}
	for _, p := range []kyber.Point{g.Point().Base(), u, r, public, g.MultiMul(weights, e1s), g.MultiMul(weights, e2s), g.Point().Mul(alpha, nil), g.Point().Mul(kappa, nil), a3} {
		hashed = append(hashed, shamir.Encode(p))
	}
	h := shamir.HashScalar(g, "release", hashed...)
	out = append(out, shamir.Encode(h)...)
	out = append(out, shamir.Encode(alpha.Add(alpha, g.Scalar().Mul(h, x)))...)
	return append(out, shamir.Encode(kappa.Add(kappa, g.Scalar().Mul(h, k)))...)
}

// guessAll holds what t-1 colluders can make of answers to somebody whose secret they
// lack against the keys of every layer: one layer's answer added to, or taken from,
// another's among it.
func (n *nest) guessAll(c *Chance, r kyber.Point, answers [][]byte) {
	g := ristretto
	var wanted []kyber.Point
	for _, u := range append(slices.Clone(n.us), n.u(n.older), n.u(n.wanted)) {
		wanted = append(wanted, g.Point().Mul(n.x, u))
	}
	try := func(what string, p kyber.Point) {
		for _, key := range wanted {
			n.hold(!p.Equal(key), "%s opens a layer", what)
		}
	}
	if len(answers) < n.T() {
		return
	}
	sums := make([][2]kyber.Point, len(n.us))
	for i := range n.us {
		var points [2]map[uint32]kyber.Point
		points[0], points[1] = map[uint32]kyber.Point{}, map[uint32]kyber.Point{}
		for _, b := range answers[:n.T()] {
			index, e1, e2 := n.blinded(slices.Concat(b[:2], part(b, i)))
			points[0][index], points[1][index] = e1, e2
		}
		sums[i] = [2]kyber.Point{n.interpolate(points[0]), n.interpolate(points[1])}
	}
	for i := range sums {
		for j := range sums {
			e2 := sums[i][1]
			try("an answer less a blinding", g.Point().Sub(e2, sums[j][0]))
			if i != j {
				try("the difference of two layers' answers", g.Point().Sub(e2, sums[j][1]))
				try("the sum of two layers' answers", g.Point().Add(e2, sums[j][1]))
				try("that difference and a reader key", g.Point().Add(g.Point().Sub(e2, sums[j][1]), r))
			}
		}
		try("an answer", sums[i][1])
		try("an answer less the reader key", g.Point().Sub(sums[i][1], r))
	}
	stolen := n.colluders(c)
	for i, u := range n.us {
		parts := map[uint32]kyber.Point{}
		for _, s := range stolen {
			x, _ := s.Secrets(access.Token{})
			parts[s.Index()] = g.Point().Mul(x, u)
		}
		try("what t-1 members have", n.interpolate(parts))
		for _, b := range answers {
			index, e1, e2 := n.blinded(slices.Concat(b[:2], part(b, i)))
			if parts[index] != nil {
				continue
			}
			sum, weight := n.completing(parts, index)
			for _, p := range []kyber.Point{e1, e2, g.Point().Sub(e2, e1)} {
				try("what t-1 members have, and a blinded share", g.Point().Add(sum, g.Point().Mul(weight, p)))
			}
			break // one is like the others
		}
	}
}

// layers are the attacks on models with layers around them.
func layers() []Attack {
	base := func(n *nest) seal.Layers { return seal.NewLayers(n.owns[0], n.cts[0]) }
	return slices.Concat([]Attack{
		nestling("a reader leaves the outermost layer out", func(n *nest, _ *Chance) seal.Layers { return base(n).Around(n.owns[1], n.cts[1]) }),
		nestling("a reader leaves the inner layer out", func(n *nest, _ *Chance) seal.Layers { return base(n).Around(n.owns[2], n.cts[2]) }),
		nestling("a reader leaves all layers out", func(n *nest, _ *Chance) seal.Layers { return base(n) }),
		nestling("a reader presents no ciphertext at all", func(*nest, *Chance) seal.Layers { return seal.Layers{} }),
		nestling("a reader presents the inner layer as a model of its own", func(n *nest, _ *Chance) seal.Layers {
			inner := base(n).Around(n.owns[1], n.cts[1])
			return seal.NewLayers(inner.Label(), n.cts[1]).Around(n.owns[1], n.cts[2])
		}),
		nestling("a reader swaps two layers", func(n *nest, _ *Chance) seal.Layers {
			return base(n).Around(n.owns[2], n.cts[2]).Around(n.owns[1], n.cts[1])
		}),
		nestling("a reader presents a layer twice, or one more around", func(n *nest, c *Chance) seal.Layers {
			i := c.IntN(3)
			return n.of.Around(n.owns[i], n.cts[i])
		}),
		nestling("a reader presents more layers than there may be", func(n *nest, c *Chance) seal.Layers {
			of := n.of
			for of.Len() <= seal.MaxLayers {
				of = of.Around(n.owns[1], n.cts[1])
			}
			return of
		}),
		nestling("a reader puts the certified layers around another model", func(n *nest, _ *Chance) seal.Layers {
			return seal.NewLayers(n.labels[1], n.wanted).Around(n.owns[1], n.cts[1]).Around(n.owns[2], n.cts[2])
		}),
		nestling("a reader presents a layer of an older chain in the place of the inner one", func(n *nest, _ *Chance) seal.Layers {
			return base(n).Around(n.owns[1], n.older).Around(n.owns[2], n.cts[2])
		}),
		nestling("a reader presents another ciphertext of the same label in the place of the inner layer", func(n *nest, _ *Chance) seal.Layers {
			return base(n).Around(n.owns[1], n.twin).Around(n.owns[2], n.cts[2])
		}),
		nestling("a rotator makes a second ciphertext with the U of its layer, around another model", func(n *nest, c *Chance) seal.Layers {
			other := seal.NewLayers(n.labels[1], n.wanted)
			inner := n.again(c, 1, other)
			if c.Percent(50) { // and the certified layer around both
				return other.Around(n.owns[1], inner).Around(n.owns[2], n.cts[2])
			}
			outer := other.Around(n.owns[1], inner)
			return outer.Around(n.owns[2], n.again(c, 2, outer))
		}),
		nestling("a reader presents layers for other key epochs", func(n *nest, c *Chance) seal.Layers {
			owns := slices.Clone(n.owns)
			owns[1+c.IntN(2)] = [32]byte(c.Bytes(32))
			return base(n).Around(owns[1], n.cts[1]).Around(owns[2], n.cts[2])
		}),
		nestling("a reader presents the model under another label", func(n *nest, c *Chance) seal.Layers {
			return seal.NewLayers([32]byte(c.Bytes(32)), n.cts[0]).Around(n.owns[1], n.cts[1]).Around(n.owns[2], n.cts[2])
		}),
		nesting("a reader shows the certificate and answers of before a rotation for what came after", Reader, func(n *nest, c *Chance) Outcome {
			for _, key := range rest(n.vault, n.shares) {
				_, err := n.through(c, key, n.of, n.vault.cert)
				n.hold(errors.Is(err, seal.ErrRelease), "member %d answers to a certificate of before: %v", key.Index(), err)
			}
			for _, cert := range []quorum.VerifiedCertificate{n.vault.cert, n.cert} {
				plain, _, err := seal.CombineRelease(n.secrets[n.reader.Member], n.Committee, n.of, cert, n.reader, n.vault.answer)
				n.hold(err != nil && plain == nil, "what was released before a rotation opens what came after")
			}
			return RefusedBy("the members")
		}),
		nesting("a reader of a certificate of after a rotation asks for what was before alone", Reader, func(n *nest, c *Chance) Outcome {
			for _, key := range rest(n.vault, n.shares) {
				_, err := n.through(c, key, base(n), n.cert)
				n.hold(errors.Is(err, seal.ErrRelease), "member %d answers for a part of the layers: %v", key.Index(), err)
			}
			return RefusedBy("the members")
		}),
		nesting("a reader uses the answers to another reader through layers", Reader, func(n *nest, c *Chance) Outcome {
			n.guessAll(c, n.readerKey(), n.answer)
			thief := n.reader
			thief.Member = n.reader.Prekeys[1].Member
			plain, named, err := seal.CombineRelease(n.secrets[thief.Member], n.Committee, n.of, n.cert, thief, n.answer)
			n.hold(err != nil && plain == nil && len(named) == n.N(), "answers to one reader serve another")
			return RefusedBy("the reader")
		}),
		nesting("a reader key of the difference of two layers' U", Reader, func(n *nest, c *Chance) Outcome {
			i, j := c.IntN(3), c.IntN(2)
			if j >= i {
				j++
			}
			r := ristretto.Point().Sub(n.us[j], n.us[i])
			n.hold(n.calypso(n.us[i], r).Equal(ristretto.Point().Mul(n.x, n.us[j])), "the attack no longer breaks the formula that it is known to break")
			aimed := *n
			inner := *n.vault
			aimed.vault = &inner
			aimed.reader.Prekeys = slices.Clone(n.reader.Prekeys)
			aimed.reader.Prekeys[0].Key = [32]byte(shamir.Encode(r))
			cert := aimed.certify(aimed.requestFor(n.of, c), n.shares[:n.T()])
			var answers [][]byte
			for _, key := range n.shares {
				answers = append(answers, must[[]byte](n.World)(aimed.through(c, key, n.of, cert)))
			}
			aimed.guessAll(c, r, answers)
			return NoEffect
		}),
	}, rotators(), layerHolders())
}

// rotators are attacks of who puts layers around.
func rotators() []Attack {
	base := func(n *nest) seal.Layers { return seal.NewLayers(n.owns[0], n.cts[0]) }
	return []Attack{
		certifiedNest("a rotator takes another model's ciphertext for its layer", func(n *nest, c *Chance) seal.Layers {
			return base(n).Around([32]byte(c.Bytes(32)), n.wanted)
		}),
		certifiedNest("a rotator takes the ciphertext beneath for its layer", func(n *nest, c *Chance) seal.Layers {
			return base(n).Around(n.owns[1], n.cts[c.IntN(2)*2])
		}),
		certifiedNest("a rotator takes an older layer's ciphertext for its layer", func(n *nest, c *Chance) seal.Layers {
			return n.of.Around(n.owns[1], n.older)
		}),
		certifiedNest("a rotator puts another model's U and proof before a box of its own", func(n *nest, c *Chance) seal.Layers {
			own := [32]byte(c.Bytes(32))
			mine := n.around(c, n.of, own, c.Bytes(16))
			stolen := must[*seal.Ciphertext](n.World)(seal.ParseCiphertext(append(n.wanted.Bytes()[:128], mine.Bytes()[128:]...)))
			return n.of.Around(own, stolen)
		}),
		certifiedNest("a rotator seals its layer for other layers than are beneath", func(n *nest, c *Chance) seal.Layers {
			own := [32]byte(c.Bytes(32))
			elsewhere := pick(c, []seal.Layers{base(n), seal.NewLayers(n.labels[1], n.wanted), base(n).Around(n.owns[1], n.cts[1])})
			return n.of.Around(own, n.around(c, elsewhere, own, c.Bytes(16)))
		}),
		certifiedNest("a rotator seals its layer under a key of its own in the place of X", func(n *nest, c *Chance) seal.Layers {
			own, x := [32]byte(c.Bytes(32)), [32]byte(shamir.Encode(c.Point(ristretto)))
			ct := must[*seal.Ciphertext](n.World)(seal.Encrypt(c, x, seal.LayerLabel(own, n.of.Label(), n.of.U()), c.Bytes(16)))
			return n.of.Around(own, ct)
		}),
		certifiedNest("a rotator puts one layer too many around", func(n *nest, c *Chance) seal.Layers {
			of := n.of
			for of.Len() <= seal.MaxLayers {
				own := [32]byte(c.Bytes(32))
				of = of.Around(own, n.around(c, of, own, c.Bytes(16)))
			}
			return of
		}),
		nesting("a rotator seals a key in a box that opens with none", Rotator, func(n *nest, c *Chance) Outcome {
			own := [32]byte(c.Bytes(32))
			label := seal.LayerLabel(own, n.of.Label(), n.of.U())
			ct := n.sealed(c, c.Scalar(ristretto), label, c.Bytes(32))
			of := n.of.Around(own, ct)
			n.must(of.Verify(n.X()))
			cert := n.certify(n.requestFor(of, c), n.shares[:n.T()])
			var answers [][]byte
			for _, key := range n.shares {
				answers = append(answers, must[[]byte](n.World)(n.through(c, key, of, cert)))
			}
			plain, named, err := seal.CombineRelease(n.secrets[n.reader.Member], n.Committee, of, cert, n.reader, answers)
			var layer *seal.LayerError
			n.hold(plain == nil && len(named) == 0 && errors.As(err, &layer) && layer.Layer == 3, "the layer that does not open is not named: %v", err)
			return LeftOut
		}),
		nesting("a rotator knows the key of its layer and both containers", Rotator, func(n *nest, c *Chance) Outcome {
			// It has made U of its layer, so it has its key; every other takes a release.
			n.guessAll(c, n.readerKey(), n.answer)
			n.guess(c, n.us[2], nil)
			return NoEffect
		}),
	}
}

// sealed is a ciphertext whose maker knows r, with a good proof for any label and box.
func (n *nest) sealed(c *Chance, r kyber.Scalar, label [32]byte, box []byte) *seal.Ciphertext {
	g, x, s := ristretto, n.X(), c.Scalar(ristretto)
	gBar := shamir.HashPoint("gbar")
	u, uBar := g.Point().Mul(r, nil), g.Point().Mul(r, gBar)
	e := shamir.HashScalar(g, "tdh2", label[:], box, x[:], shamir.Encode(gBar), shamir.Encode(u), shamir.Encode(uBar),
		shamir.Encode(g.Point().Mul(s, nil)), shamir.Encode(g.Point().Mul(s, gBar)))
	f := g.Scalar().Add(s, g.Scalar().Mul(e, r))
	return must[*seal.Ciphertext](n.World)(seal.ParseCiphertext(slices.Concat(shamir.Encode(u), shamir.Encode(uBar), shamir.Encode(e), shamir.Encode(f), box)))
}

// box is what opens under the label with r·X.
func (n *nest) box(r kyber.Scalar, label [32]byte, key []byte) []byte {
	shared := shamir.Encode(ristretto.Point().Mul(r, n.XPoint()))
	info := shamir.Hash("box", label[:], shamir.Encode(ristretto.Point().Mul(r, nil)))
	derived := must[[]byte](n.World)(hkdf.Key(sha256.New, shared, nil, string(info[:]), 32))
	block := must[cipher.Block](n.World)(aes.NewCipher(derived))
	return must[cipher.AEAD](n.World)(cipher.NewGCM(block)).Seal(nil, make([]byte, 12), key, label[:])
}

// again is a second ciphertext with the U of a layer, around other layers.
func (n *nest) again(c *Chance, layer int, of seal.Layers) *seal.Ciphertext {
	label := seal.LayerLabel(n.owns[layer], of.Label(), of.U())
	return n.sealed(c, n.rs[layer-1], label, n.box(n.rs[layer-1], label, c.Bytes(16)))
}

// layerHolders are attacks of members who answer for layers.
func layerHolders() []Attack {
	at := func(layer int, v any) []any { s := make([]any, 3); s[layer] = v; return s }
	other := func(c *Chance, layer int) int { return (layer + 1 + c.IntN(2)) % 3 }
	return []Attack{
		answeringAll("a member that writes its share of layers itself, correctly", Holder, func(n *nest, c *Chance, place int, _ []byte) []byte {
			b := n.write(c, place, lies{})
			_, err := seal.VerifyRelease(n.Committee, n.of, n.cert, n.reader, b)
			n.hold(err == nil, "the adversary's shares are wrong for no reason: %v", err)
			return b
		}, NoEffect),
		answeringAll("a member answers for one layer with another secret than its own", Holder, func(n *nest, c *Chance, place int, _ []byte) []byte {
			return n.write(c, place, lies{x: at(c.IntN(3), c.Scalar(ristretto))})
		}),
		answeringAll("a member answers for one layer with another's U, or another model's", Holder, func(n *nest, c *Chance, place int, _ []byte) []byte {
			i := c.IntN(3)
			u := n.us[other(c, i)]
			if c.Percent(30) {
				u = n.u(n.wanted)
			}
			return n.write(c, place, lies{u: at(i, u)})
		}),
		answeringAll("a member blinds one layer for another reader key", Holder, func(n *nest, c *Chance, place int, _ []byte) []byte {
			return n.write(c, place, lies{r: at(c.IntN(3), c.Point(ristretto))})
		}),
		answeringAll("a member proves the plain sum of the layers, in which two errors cancel", Holder, func(n *nest, c *Chance, place int, _ []byte) []byte {
			i, d := c.IntN(3), c.Point(ristretto)
			j := other(c, i)
			// Both secrets are its own times U plus or minus d, as other U's.
			x := ristretto.Scalar().Inv(n.secret(place))
			shift := ristretto.Point().Mul(x, d)
			u := make([]any, 3)
			u[i], u[j] = ristretto.Point().Add(n.us[i], shift), ristretto.Point().Sub(n.us[j], shift)
			return n.write(c, place, lies{u: u, plain: c.Percent(50)})
		}),
		answeringAll("a member proves the plain sum of the layers in the place of the weighted one", Holder, func(n *nest, c *Chance, place int, _ []byte) []byte {
			return n.write(c, place, lies{plain: true})
		}),
		answeringAll("a member lets errors cancel under the weights of its correct share", Holder, func(n *nest, c *Chance, place int, good []byte) []byte {
			w := n.weights(good)
			d := c.Point(ristretto)
			for i, sign := range []int64{1, -1} {
				at := 2 + 64*i + 32
				e2 := must[kyber.Point](n.World)(shamir.DecodePoint(ristretto, bytes.Clone(good[at:at+32])))
				by := ristretto.Scalar().Div(ristretto.Scalar().SetInt64(sign), w[i])
				replace(good, shamir.Encode(e2.Add(e2, ristretto.Point().Mul(by, d))), at)
			}
			return good
		}),
		answeringAll("a member uses its share of one layer for another", Holder, func(n *nest, c *Chance, place int, good []byte) []byte {
			i := c.IntN(3)
			parts := [][]byte{part(good, 0), part(good, 1), part(good, 2)}
			parts[i] = parts[other(c, i)]
			return joined(good, proof(good), parts...)
		}),
		answeringAll("a member swaps its shares of two layers", Holder, func(n *nest, c *Chance, place int, good []byte) []byte {
			parts := [][]byte{part(good, 0), part(good, 1), part(good, 2)}
			i := c.IntN(3)
			j := other(c, i)
			parts[i], parts[j] = parts[j], parts[i]
			return joined(good, proof(good), parts...)
		}),
		answeringAll("a member answers for too few layers, or too many", Holder, func(n *nest, c *Chance, place int, good []byte) []byte {
			parts := [][]byte{part(good, 0), part(good, 1), part(good, 2)}
			switch c.IntN(4) {
			case 0:
				return joined(good, proof(good), parts[:1+c.IntN(2)]...)
			case 1:
				return joined(good, proof(good))
			case 2:
				return joined(good, proof(good), append(parts, part(good, c.IntN(3)))...)
			}
			for len(parts) <= seal.MaxLayers {
				parts = append(parts, parts...)
			}
			return joined(good, proof(good), parts...)
		}),
		answeringAll("a member sends its share of the model without layers", Holder, func(n *nest, c *Chance, place int, _ []byte) []byte {
			return n.vault.answer[place]
		}),
		answeringAll("a member mixes two of its answers, layer by layer", Holder, func(n *nest, c *Chance, place int, good []byte) []byte {
			again := must[[]byte](n.World)(n.through(c, n.shares[place], n.of, n.cert))
			parts := [][]byte{part(good, 0), part(good, 1), part(good, 2)}
			i := c.IntN(3)
			parts[i] = part(again, i)
			return joined(good, pick(c, [][]byte{proof(good), proof(again)}), parts...)
		}),
		answeringAll("a member mixes answers to two requests, layer by layer", Holder, func(n *nest, c *Chance, place int, good []byte) []byte {
			cert := n.certify(n.requestFor(n.of, c), n.shares[:n.T()])
			again := must[[]byte](n.World)(n.through(c, n.shares[place], n.of, cert))
			parts := [][]byte{part(again, 0), part(again, 1), part(again, 2)}
			if c.Percent(50) {
				parts[c.IntN(3)] = part(good, c.IntN(3))
			}
			return joined(good, pick(c, [][]byte{proof(good), proof(again)}), parts...)
		}),
		answeringAll("a relay puts another member's share of one layer into an answer", Relay, func(n *nest, c *Chance, place int, good []byte) []byte {
			i := c.IntN(3)
			parts := [][]byte{part(good, 0), part(good, 1), part(good, 2)}
			parts[i] = part(n.answer[(place+1)%n.N()], i)
			return joined(good, proof(good), parts...)
		}),
		answeringAll("a member answers for one layer with a point that is not canonical or the identity", Holder, func(n *nest, c *Chance, _ int, good []byte) []byte {
			at := 2 + 32*c.IntN(6)
			return replace(good, badRistretto(c, good[at:at+32]), at)
		}),
		answeringAll("a relay changes some bits of a share of layers on its way", Relay, func(n *nest, c *Chance, _ int, good []byte) []byte { return mangled(c, good) }),
		nesting("an aggregator repeats shares of layers of t-1 members", Aggregator, func(n *nest, c *Chance) Outcome {
			shares := append(slices.Clone(n.answer[:n.T()-1]), n.answer[:n.T()-1]...)
			shuffle(c, shares)
			plain, _, err := seal.CombineRelease(n.secrets[n.reader.Member], n.Committee, n.of, n.cert, n.reader, shares)
			n.hold(errors.Is(err, shamir.ErrThreshold) && plain == nil, "t-1 shares open: %v", err)
			return RefusedBy("the reader")
		}),
		nesting("an aggregator takes each layer's shares from other members", Aggregator, func(n *nest, c *Chance) Outcome {
			var shares [][]byte // every one has parts of three members
			for i := range n.N() {
				a := n.answer[i]
				shares = append(shares, joined(a, proof(a), part(a, 0), part(n.answer[(i+1)%n.N()], 1), part(n.answer[(i+2)%n.N()], 2)))
			}
			plain, named, err := seal.CombineRelease(n.secrets[n.reader.Member], n.Committee, n.of, n.cert, n.reader, shares)
			n.hold(err != nil && plain == nil && len(named) == n.N(), "mixed shares open: %v", err)
			return RefusedBy("the reader")
		}),
	}
}

// weights are those that fold a share's layers.
func (n *nest) weights(share []byte) (w []kyber.Scalar) {
	index := uint32(share[0])<<8 | uint32(share[1])
	public := must[kyber.Point](n.World)(n.XShare(index))
	fields := [][]byte{context(n.cert, n.reader.Member, n.reader.Role), shamir.Uint64(uint64(index)), shamir.Encode(public), shamir.Encode(n.readerKey())}
	for i, u := range n.us {
		p := part(share, i)
		fields = append(fields, shamir.Encode(u), p[:32], p[32:])
	}
	seed := shamir.Hash("release/fold", fields...)
	for i := range n.us {
		w = append(w, shamir.HashScalar(ristretto, "release/weight", seed[:], shamir.Uint64(uint64(i))))
	}
	return w
}
