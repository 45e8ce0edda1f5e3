package secagg

import (
	"crypto/sha256"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/onetime"
	"go.dedis.ch/kyber/v3"
)

// Tampering is a member's bundle on its way to the round.
type Tampering struct {
	p    *Participant
	r    *Round
	Body []byte
}

// Tamper takes the honest bundle.
func Tamper(p *Participant, r *Round, body []byte) *Tampering {
	return &Tampering{p, r, slices.Clone(body)}
}

// Box is the member's, to be changed in place.
func (t *Tampering) Box(to uint32) []byte {
	at := statementSize(t.r.params.Threshold) + proofs + t.r.place(to)*boxSize
	return t.Body[at : at+boxSize]
}

// Encrypt puts two numbers of 32 bytes each into the member's box.
func (t *Tampering) Encrypt(to uint32, plain []byte) *Tampering {
	key, _ := t.r.boxKey(to)
	e := t.p.secret(t.r.id, secretEph, 0)
	eph := shamir.Encode(group.Point().Mul(e, nil))
	advertised := t.r.entries[to-1].advert.key
	copy(t.Box(to), boxCipher(t.r.id, t.p.index, to, group.Point().Mul(e, key), eph, advertised[:]).Seal(nil, onetime.Nonce, plain, nil))
	return t
}

// WrongShares puts shares into the member's box that are off by so much.
func (t *Tampering) WrongShares(to uint32, pair, self int64) *Tampering {
	off := func(what string, by int64) []byte {
		f, _ := t.p.polynomial(t.r, what)
		return shamir.Encode(group.Scalar().Add(f.Share(to).Value(), group.Scalar().SetInt64(by)))
	}
	return t.Encrypt(to, append(off(secretPair, pair), off(secretSelf, self)...))
}

// Statement is the part before the proofs: two commitments and the ephemeral key.
func (t *Tampering) Statement() []byte { return t.Body[:statementSize(t.r.params.Threshold)] }

// Prove makes the proofs again for what is said now.
func (t *Tampering) Prove() *Tampering { return t.ProveIn(t.r.keys()) }

// ProveIn makes the proofs for other keys, or another round.
func (t *Tampering) ProveIn(keys [32]byte) *Tampering {
	size := statementSize(t.r.params.Threshold)
	ctxPair, ctxSelf, ctxEph := proofContexts(keys, t.p.index, t.Body[:size], t.Body[size+proofs:])
	for i, q := range []struct {
		ctx    []byte
		secret kyber.Scalar
	}{{ctxPair, t.p.secret(t.r.id, secretPair, 0)}, {ctxSelf, t.p.secret(t.r.id, secretSelf, 0)}, {ctxEph, t.p.secret(t.r.id, secretEph, 0)}} {
		proof, _ := shamir.ProvePossession(nil, group, q.ctx, q.secret)
		copy(t.Body[size+i*shamir.ProofSize:], proof[:])
	}
	return t
}

// InputBytes is what a member says of its input file.
func InputBytes(r *Round, hash [32]byte) []byte { return inputBytes(r.sharers(), hash) }

// BodyOf is the member's bundle.
func BodyOf(r *Round, member uint32) []byte { return slices.Clone(r.entries[member-1].body) }

// KeyOf is the member's advertised key with its proof.
func KeyOf(r *Round, member uint32) []byte { return r.entries[member-1].advert.bytes() }

// KeyFor is what the participant would advertise in another round.
func KeyFor(p *Participant, other *Round) []byte {
	c := *p
	c.round = [32]byte{}
	out, _ := c.advertise(other)
	return out.Post[0].Body
}

// Dispute is what the member would post about a dealer, justified or not, with the
// revealed key changed by f.
func Dispute(p *Participant, r *Round, dealer uint32, f func(key kyber.Point)) Message {
	b, _ := r.shared(dealer)
	key := p.boxShared(r, b)
	if f != nil {
		f(key)
	}
	own, _ := r.boxKey(p.index)
	proof, _ := shamir.ProveEqual(nil, group, r.disputeContext(p.index, dealer), group.Point().Base(), b.eph, own, key, p.secret(r.id, secretBox, 0))
	return Message{KindDispute, dispute{dealer, [32]byte(shamir.Encode(key)), proof}.bytes()}
}

// FileOf masks any input, whatever its norm, with the secrets of a seed and a reader key:
// the participant's own, where they are nil.
func FileOf(p *Participant, r *Round, input []uint32, seed *[32]byte, reader *ReaderKey) (file []byte, hash [32]byte) {
	c := *p
	if seed != nil {
		c.seed = *seed
	}
	if reader != nil {
		c.reader = *reader
	}
	file, _ = c.maskAny(r, input)
	return file, sha256.Sum256(file)
}

// Unmasking is the participant's, with each share changed by f.
func Unmasking(p *Participant, r *Round, f func(of uint32, survives bool, pair, self kyber.Scalar) kyber.Scalar) []byte {
	u := make(unmasking, len(r.entries))
	survivors := r.confirmed()
	for _, of := range r.sharers().indices() {
		got, _ := p.opened(r, of)
		u[of-1] = f(of, survivors[of-1], got.pair, got.self)
	}
	return u.bytes(r.sharers())
}

// Bits is a set of members in its form.
func Bits(n int, in ...uint32) []byte {
	m := make(members, n)
	for _, i := range in {
		m[i-1] = true
	}
	return m.bytes()
}

// ResultBytes is the form of a result.
func ResultBytes(r Result) []byte { return r.bytes() }

// Known counts the shares of each of a member's secrets that colluders have: their own and
// what was given to everybody.
func Known(r *Round, of uint32, colluders []*Participant) (pair, self int) {
	survives := r.confirmed()[of-1]
	holders := map[string]map[uint32]bool{secretPair: {}, secretSelf: {}}
	for _, p := range colluders {
		if !r.advertised()[p.index-1] {
			continue
		}
		if _, err := p.opened(r, of); err == nil {
			holders[secretPair][p.index], holders[secretSelf][p.index] = true, true
		}
	}
	for i := range r.entries {
		if u := r.entries[i].unmasking; u != nil && u[of-1] != nil {
			kind := secretPair
			if survives {
				kind = secretSelf
			}
			holders[kind][uint32(i+1)] = true
		}
	}
	return len(holders[secretPair]), len(holders[secretSelf])
}

// Adopt has a liar stand by what the round holds of it, so it may go on.
func Adopt(p *Participant, r *Round) *Participant {
	if h, given := r.Input(p.index); given {
		p.input = h
	}
	return p
}
