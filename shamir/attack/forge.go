package attack

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"go.dedis.ch/kyber/v3"
)

// The adversary's own writing of the ceremony's messages, from their bytes.

// forgery is a dealer's bundle in the making. What is not changed is in order.
type forgery struct {
	p      *ceremony
	id     [32]byte
	dealer uint32
	keys   [][32]byte     // the receivers' deal keys
	fx, fy []kyber.Scalar // coefficients that are committed to, secret first
	e      kyber.Scalar
	// Changes, in the order in which they come to bear. Nil is none.
	statement func(b []byte) []byte            // commitments and ephemeral key, before the proofs
	plain     func(to uint32, b []byte) []byte // a receiver's two shares
	nonce     func(to uint32) []byte
	box       func(to uint32, b []byte) []byte
	boxes     func(b []byte) []byte // all of them, before the proofs that cover them
	prove     func(b []byte) []byte // the three proofs
	body      func(b []byte) []byte
	sealed    []byte // the boxes, once they are made
	// The dealer and the ceremony that proofs and boxes are made for.
	proofDealer uint32
	proofID     [32]byte
}

// begin makes a bundle of coefficients that the world decides; in a handover the
// secrets are those of the member's share.
func (p *ceremony) begin(dealer uint32) *forgery {
	params := p.log.Params()
	once := p.chance(fmt.Sprintf("dealer %d of epoch %d", dealer, params.Epoch))
	f := &forgery{p: p, id: p.log.ID(), dealer: dealer, keys: params.DealKeys, e: once.Scalar(ristretto)}
	for range params.Threshold {
		f.fx, f.fy = append(f.fx, once.Scalar(ristretto)), append(f.fy, once.Scalar(shamir.G2))
	}
	if p.stage.before != nil {
		f.fx[0], f.fy[0] = p.stage.before.shares[f.dealer-1].Secrets(access.Token{})
	}
	f.proofDealer, f.proofID = f.dealer, f.id
	return f
}

func polynomial(g shamir.Group, coefficients []kyber.Scalar) *shamir.Polynomial {
	f, err := shamir.NewPolynomial(g, coefficients)
	if err != nil {
		panic(err) // the number of coefficients is ours
	}
	return f
}

// multiple is a scalar times the generator of G2, in both its forms. The adversary
// computes those of its own scalars once.
type multiple struct{ expanded, compressed []byte }

func (w *World) g2(s kyber.Scalar) multiple {
	key := string(shamir.Encode(s))
	m, ok := w.multiples[key]
	if !ok {
		c := polynomial(shamir.G2, []kyber.Scalar{s}).Commit()
		m = multiple{c.Bytes(), shamir.Encode(c.PublicKey())}
		w.multiples[key] = m
	}
	return m
}

// base is a scalar of the adversary's own times the generator of ristretto255.
func (w *World) base(s kyber.Scalar) []byte {
	key := [32]byte(shamir.Encode(s))
	if w.bases[key] == nil {
		w.bases[key] = shamir.Encode(ristretto.Point().Mul(s, nil))
	}
	return w.bases[key]
}

// said is the statement without changes.
func (f *forgery) said() (said []byte) {
	for _, s := range f.fx {
		said = append(said, f.p.base(s)...)
	}
	for _, s := range f.fy {
		said = append(said, f.p.g2(s).expanded...)
	}
	return append(said, f.p.base(f.e)...)
}

// bytes is the bundle's body.
func (f *forgery) bytes() []byte {
	fx, fy, said := polynomial(ristretto, f.fx), polynomial(shamir.G2, f.fy), f.said()
	if f.statement != nil {
		said = f.statement(said)
	}
	eph := said[len(said)-32:]
	f.sealed = nil
	for i, key := range f.keys {
		to := uint32(i + 1)
		plain := append(shamir.Encode(fx.Share(to).Value()), shamir.Encode(fy.Share(to).Value())...)
		if f.plain != nil {
			plain = f.plain(to, plain)
		}
		nonce := make([]byte, 12)
		if f.nonce != nil {
			nonce = f.nonce(to)
		}
		box := boxCipher(f.proofID, f.proofDealer, to, f.shared(key), eph, key).Seal(nil, nonce, plain, nil)
		if f.box != nil {
			box = f.box(to, box)
		}
		f.sealed = append(f.sealed, box...)
	}
	if f.boxes != nil {
		f.sealed = f.boxes(f.sealed)
	}
	proofs := f.proofs(said)
	if f.prove != nil {
		proofs = f.prove(proofs)
	}
	body := slices.Concat(said, proofs, f.sealed)
	if f.body != nil {
		body = f.body(body)
	}
	return body
}

// shared is e times a deal key.
func (f *forgery) shared(key [32]byte) []byte {
	at := [2][32]byte{[32]byte(shamir.Encode(f.e)), key}
	if f.p.exchanged[at] == nil {
		d, err := shamir.DecodePoint(ristretto, key[:])
		if err != nil {
			panic(err) // the log has decoded it
		}
		f.p.exchanged[at] = shamir.Encode(d.Mul(f.e, d))
	}
	return f.p.exchanged[at]
}

// proofs are of both secrets and of the ephemeral key, as good as the dealer knows.
func (f *forgery) proofs(said []byte) (out []byte) {
	ctx := func(what string, parts ...[]byte) []byte {
		h := shamir.Hash("bundle/"+what, append([][]byte{f.proofID[:], shamir.Uint64(uint64(f.proofDealer))}, parts...)...)
		return h[:]
	}
	return slices.Concat(f.p.possession(ristretto, ctx("x", said), f.fx[0]), f.p.possession(shamir.G2, ctx("y", said), f.fy[0]), f.p.possession(ristretto, ctx("e", said, f.sealed), f.e))
}

// possession proves knowledge of the adversary's own scalar. With one nonce for all its
// proofs it gives its secrets away and saves multiplications.
func (w *World) possession(g shamir.Group, ctx []byte, secret kyber.Scalar) []byte {
	nonce := w.chance("nonce").Scalar(g)
	of := w.base
	if g == shamir.G2 {
		of = func(s kyber.Scalar) []byte { return w.g2(s).compressed }
	}
	c := shamir.HashScalar(g, "pop", []byte(g.String()), ctx, of(secret), of(nonce))
	z := g.Scalar().Mul(c, secret)
	return append(shamir.Encode(c), shamir.Encode(z.Add(z, nonce))...)
}

func boxCipher(id [32]byte, dealer, to uint32, shared, eph []byte, key [32]byte) cipher.AEAD {
	info := shamir.Hash("deal", shamir.Uint64(uint64(dealer)), shamir.Uint64(uint64(to)), eph, key[:])
	k, err := hkdf.Key(sha256.New, shared, id[:], string(info[:]), 32)
	if err != nil {
		panic(err) // 32 bytes can be had
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

// boxLen is the length of the encrypted deal to one receiver.
const boxLen = 80

// xAt, yAt and ephAt are where a statement of threshold t holds coefficient k.
func xAt(k int) (from, to int)              { return 32 * k, 32*k + 32 }
func yAt(t, k int) (from, to int)           { return 32*t + 192*k, 32*t + 192*k + 192 }
func ephAt(t int) (from, to int)            { return 224 * t, 224*t + 32 }
func replace(b, with []byte, at int) []byte { copy(b[at:], with); return b }

// commitTo is the message that commits to a body.
func commitTo(id [32]byte, dealer uint32, body []byte) dkg.Message {
	h := shamir.Hash("bundle commitment", id[:], shamir.Uint64(uint64(dealer)), body)
	return dkg.Message{Kind: dkg.KindCommit, Body: h[:]}
}

// lie lets the adversary's dealers deal as forge has it; in all else they keep
// to the protocol.
func lie(forge func(f *forgery)) script {
	return func(p *ceremony, honest []post) []post {
		own := p.follow(dkg.KindDispute, dkg.KindAck)
		for _, name := range p.names(dkg.KindBundle) {
			own = append(own, p.dealt(name, forge)...)
		}
		return p.among(honest, own)
	}
}

// dealt is what a lying dealer posts in this block: what it committed to, always.
func (p *ceremony) dealt(name uint32, forge func(f *forgery)) []post {
	if p.log.Phase() > dkg.PhaseBundle {
		return nil
	}
	body := p.lies[name]
	if body == nil {
		f := p.begin(name)
		forge(f)
		body = f.bytes()
		p.lies[name] = body
	}
	switch {
	case p.log.Phase() == dkg.PhaseCommit && !p.log.Spoke(name, dkg.KindCommit):
		return []post{{name, commitTo(p.log.ID(), name, body), true}}
	case p.log.Phase() == dkg.PhaseBundle && !p.log.Spoke(name, dkg.KindBundle):
		return []post{{name, dkg.Message{Kind: dkg.KindBundle, Body: body}, true}}
	}
	return nil
}

// dealSecret is the secret deal key of a member that the adversary holds.
func (p *ceremony) dealSecret(place int) kyber.Scalar {
	epoch := uint64(1)
	if p.stage.before != nil {
		epoch = 2
	}
	seed := shamirtest.Seed(p.name, epoch, p.parties[place].Index())
	return shamir.HashScalar(ristretto, "deal key", seed[:])
}

// accusation is a dispute in the making. What is not changed is correct, whether
// or not it is justified.
type accusation struct {
	p       *ceremony
	id      [32]byte
	accuser uint32 // for whom the proof is made
	dealer  uint32
	commit  []byte      // the dealer's
	base    kyber.Point // its ephemeral key
	key     kyber.Point // the revealed key
	secret  kyber.Scalar
}

// accuse prepares the dispute of one of the adversary's members with a dealer.
func (p *ceremony) accuse(place int, dealer uint32) *accusation {
	from, to := ephAt(p.log.Params().Threshold)
	base := must[kyber.Point](p.World)(shamir.DecodePoint(ristretto, p.bundles[dealer][from:to]))
	d := p.dealSecret(place)
	return &accusation{p, p.log.ID(), p.parties[place].Index(), dealer, p.commits[dealer], base, ristretto.Point().Mul(d, base), d}
}

func (a *accusation) bytes() []byte {
	ctx := shamir.Hash("dispute", a.id[:], shamir.Uint64(uint64(a.accuser)), shamir.Uint64(uint64(a.dealer)), a.commit)
	g := ristretto
	proof, err := shamir.ProveEqual(nil, g, ctx[:], g.Point().Base(), a.base, g.Point().Mul(a.secret, nil), a.key, a.secret)
	if err != nil {
		panic(err) // without a reader of chance it cannot fail
	}
	return disputeBytes(a.dealer, shamir.Encode(a.key), proof)
}

func disputeBytes(dealer uint32, key []byte, proof shamir.Proof) []byte {
	return append(append([]byte{byte(dealer >> 8), byte(dealer)}, key...), proof[:]...)
}
