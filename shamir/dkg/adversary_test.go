package dkg

import (
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/internal/onetime"
	"go.dedis.ch/kyber/v3"
)

// Liar is a party that deals what it likes. Tamper gets the honest bundle.
type Liar struct {
	*Party
	Tamper func(t *Tampering)
}

// Tampering is a bundle on its way to the log.
type Tampering struct {
	party *Party
	log   *Log
	body  []byte
}

// Step is the honest Step over the tampered bundle.
func (l Liar) Step(height uint64, log *Log) ([]Message, error) {
	if err := l.attend(log); err != nil {
		return nil, err
	}
	if l.own == nil {
		if _, err := l.commitment(log); err != nil {
			return nil, err
		}
		t := &Tampering{l.Party, log, l.own}
		l.Tamper(t)
		l.own = t.body
	}
	return l.Party.Step(height, log)
}

// Garble overwrites the box of the member.
func (t *Tampering) Garble(member uint32) {
	b := t.box(member)
	for i := range b {
		b[i] ^= 0x55
	}
	t.prove()
}

// Flip changes a bit of the member's box after everything was proved.
func (t *Tampering) Flip(member uint32) { t.box(member)[0] ^= 1 }

// WrongShare encrypts to the member shares that are off by dx and dy.
func (t *Tampering) WrongShare(member uint32, dx, dy int64) {
	n, threshold := t.log.N(), t.log.params.Threshold
	fx, _ := t.party.polynomial(shamir.Ristretto255, "x", threshold)
	fy, _ := t.party.polynomial(shamir.G2, "y", threshold)
	x := fx.Share(member).Value()
	y := fy.Share(member).Value()
	x.Add(x, shamir.Ristretto255.Scalar().SetInt64(dx))
	y.Add(y, shamir.G2.Scalar().SetInt64(dy))
	t.encrypt(member, n, append(shamir.Encode(x), shamir.Encode(y)...))
}

// NonCanonicalShare encrypts scalars beyond the group orders.
func (t *Tampering) NonCanonicalShare(member uint32) {
	plain := make([]byte, dealSize)
	for i := range plain {
		plain[i] = 0xff
	}
	t.encrypt(member, t.log.N(), plain)
}

func (t *Tampering) encrypt(member uint32, n int, plain []byte) {
	e := t.party.secret(shamir.Ristretto255, "e", 0)
	shared := shamir.Encode(shamir.Ristretto255.Point().Mul(e, t.log.dealKeys[member-1]))
	eph := shamir.Encode(shamir.Ristretto255.Point().Mul(e, nil))
	key := t.log.params.DealKeys[member-1]
	copy(t.box(member), dealCipher(t.log.id, t.party.dealer, member, shared, eph, key[:]).Seal(nil, onetime.Nonce, plain, nil))
	t.prove()
}

func (t *Tampering) box(member uint32) []byte {
	return boxes(t.body, t.log.N())[int(member-1)*boxSize : int(member)*boxSize]
}

// Ephemeral replaces E by another point.
func (t *Tampering) Ephemeral(p []byte) {
	s := statement(t.body, t.log.params.Threshold)
	copy(s[len(s)-32:], p)
}

// EphemeralOf is the E that another party will deal with.
func (t *Tampering) EphemeralOf(p *Party) []byte {
	l := t.log
	_ = p.attend(l)
	return shamir.Encode(shamir.Ristretto255.Point().Mul(p.secret(shamir.Ristretto255, "e", 0), nil))
}

// Cancel replaces C₀ of key X by a multiple of G less the keys of the others: the
// rogue key that would make X the dealer's own.
func (t *Tampering) Cancel(others []*Party) {
	g := shamir.Ristretto255
	c := g.Point().Base()
	for _, p := range others {
		_ = p.attend(t.log)
		f, _ := p.polynomial(g, "x", t.log.params.Threshold)
		c.Sub(c, g.Point().Mul(f.Secret(), nil))
	}
	copy(t.body, shamir.Encode(c))
}

// Y changes commitments to coefficients of y, of 192 bytes each, and proves the secrets
// for what is said then.
func (t *Tampering) Y(change func(point []byte) []byte, places ...int) {
	threshold := t.log.params.Threshold
	x, y := commitSizes(threshold)
	for _, k := range places {
		at := t.body[x+k*y/threshold : x+(k+1)*y/threshold]
		copy(at, change(at))
	}
	t.prove()
}

// prove makes the three proofs again, for what is said now.
func (t *Tampering) prove() {
	threshold := t.log.params.Threshold
	s := statement(t.body, threshold)
	ctxX, ctxY, ctxE := proofContexts(t.log.id, t.party.dealer, s, boxes(t.body, t.log.N()))
	fx, _ := t.party.polynomial(shamir.Ristretto255, "x", threshold)
	fy, _ := t.party.polynomial(shamir.G2, "y", threshold)
	px, _ := shamir.ProvePossession(nil, shamir.Ristretto255, ctxX, fx.Secret())
	py, _ := shamir.ProvePossession(nil, shamir.G2, ctxY, fy.Secret())
	pe, _ := shamir.ProvePossession(nil, shamir.Ristretto255, ctxE, t.party.secret(shamir.Ristretto255, "e", 0))
	copy(t.body[len(s):], slices.Concat(px[:], py[:], pe[:]))
}

// OtherSecret deals, consistently and with proofs, secrets that are off by dx
// and dy from the share that is handed over.
func (t *Tampering) OtherSecret(dx, dy int64) {
	p := *t.party
	x, y := p.share.Secrets(access.Token{})
	x = shamir.Ristretto255.Scalar().Add(x, shamir.Ristretto255.Scalar().SetInt64(dx))
	y = shamir.G2.Scalar().Add(y, shamir.G2.Scalar().SetInt64(dy))
	other, err := shamir.NewKeyShare(p.share.Index(), p.share.Epoch(), x, y)
	if err != nil {
		panic(err)
	}
	p.share = other
	if t.body, err = p.deal(t.log); err != nil {
		panic(err)
	}
}

// Truncate drops the last n bytes.
func (t *Tampering) Truncate(n int) { t.body = t.body[:len(t.body)-n] }

// Append adds a byte.
func (t *Tampering) Append() { t.body = append(t.body, 0) }

// Dispute is what the member would post about a dealer, justified or not, with
// the revealed key changed by f.
func Dispute(p *Party, l *Log, dealer uint32, f func(key kyber.Point)) Message {
	_ = p.attend(l)
	b, _ := l.dealt(dealer)
	g, key := shamir.Ristretto255, p.shared(b)
	if f != nil {
		f(key)
	}
	proof, _ := shamir.ProveEqual(nil, g, l.disputeContext(p.index, dealer), g.Point().Base(), b.eph, l.dealKeys[p.index-1], key, p.dealSec)
	return Message{KindDispute, dispute{dealer, [32]byte(shamir.Encode(key)), proof}.bytes()}
}
