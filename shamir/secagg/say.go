package secagg

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/onetime"
	"go.dedis.ch/kyber/v3"
)

// secret derives one scalar of this round.
func (p *Participant) secret(id [32]byte, what string, k int) kyber.Scalar {
	return shamir.HashScalar(group, "secagg/secret", p.seed[:], id[:], shamir.Uint64(uint64(p.index)), []byte(what), shamir.Uint64(uint64(k)))
}

const (
	secretBox  = "box"
	secretEph  = "e"
	secretPair = "pair"
	secretSelf = "self"
)

func (p *Participant) boxKey(id [32]byte) [32]byte {
	return [32]byte(shamir.Encode(group.Point().Mul(p.secret(id, secretBox, 0), nil)))
}

func (p *Participant) polynomial(r *Round, what string) (*shamir.Polynomial, error) {
	coefficients := make([]kyber.Scalar, r.params.Threshold)
	for k := range coefficients {
		coefficients[k] = p.secret(r.id, what, k)
	}
	return shamir.NewPolynomial(group, coefficients)
}

func (p *Participant) advertise(r *Round) (Effects, error) {
	if r.Spoke(p.index, KindKey) {
		return Effects{}, nil
	}
	proof, err := shamir.ProvePossession(nil, group, advertContext(r.id, p.index), p.secret(r.id, secretBox, 0))
	if err != nil {
		return Effects{}, err
	}
	out := Effects{Post: []Message{{KindKey, advert{p.boxKey(r.id), proof}.bytes()}}}
	if p.round == [32]byte{} {
		p.round = r.id
		out.State, err = p.MarshalBinary()
	}
	return out, err
}

func (p *Participant) share(r *Round) (Effects, error) {
	if e := &r.entries[p.index-1]; e.advert == nil || e.body != nil {
		return Effects{}, nil
	}
	body, err := p.bundle(r)
	if err != nil {
		return Effects{}, err
	}
	return Effects{Post: []Message{{KindShares, body}}}, nil
}

func (p *Participant) bundle(r *Round) ([]byte, error) {
	pair, err := p.polynomial(r, secretPair)
	if err != nil {
		return nil, err
	}
	self, err := p.polynomial(r, secretSelf)
	if err != nil {
		return nil, err
	}
	e := p.secret(r.id, secretEph, 0)
	eph := shamir.Encode(group.Point().Mul(e, nil))
	statement := slices.Concat(pair.Commit().Bytes(), self.Commit().Bytes(), eph)
	var boxes []byte
	for _, to := range r.advertised().indices() {
		key, err := r.boxKey(to)
		if err != nil {
			return nil, err
		}
		plain := append(shamir.Encode(pair.Share(to).Value()), shamir.Encode(self.Share(to).Value())...)
		advertised := r.entries[to-1].advert.key
		boxes = boxCipher(r.id, p.index, to, group.Point().Mul(e, key), eph, advertised[:]).Seal(boxes, onetime.Nonce, plain, nil)
		clear(plain)
	}
	ctxPair, ctxSelf, ctxEph := proofContexts(r.keys(), p.index, statement, boxes)
	body := statement
	for _, q := range []struct {
		ctx    []byte
		secret kyber.Scalar
	}{{ctxPair, pair.Secret()}, {ctxSelf, self.Secret()}, {ctxEph, e}} {
		proof, err := shamir.ProvePossession(nil, group, q.ctx, q.secret)
		if err != nil {
			return nil, err
		}
		body = append(body, proof[:]...)
	}
	return append(body, boxes...), nil
}

// opened is what the dealer shared with this member.
func (p *Participant) opened(r *Round, dealer uint32) (parts, error) {
	if dealer == p.index {
		pair, err := p.polynomial(r, secretPair)
		if err != nil {
			return parts{}, err
		}
		self, err := p.polynomial(r, secretSelf)
		if err != nil {
			return parts{}, err
		}
		return parts{pair.Share(p.index).Value(), self.Share(p.index).Value()}, nil
	}
	b, err := r.shared(dealer)
	if err != nil {
		return parts{}, err
	}
	return b.open(r.id, dealer, p.index, r.place(p.index), r.params.Threshold, p.boxKey(r.id), p.boxShared(r, b))
}

// boxShared is the Diffie-Hellman key r_j·E of a dealer's box to this member.
func (p *Participant) boxShared(r *Round, b *bundle) kyber.Point {
	return group.Point().Mul(p.secret(r.id, secretBox, 0), b.eph)
}

// disputes reveals the keys of boxes that are wrong, and says that no box is when none is.
// The dealer's proofs come first, though a ledger has checked them: a round that was read
// from bytes may be anybody's.
func (p *Participant) disputes(r *Round) (out Effects, err error) {
	own := &r.entries[p.index-1]
	if own.advert == nil || own.content {
		return out, nil
	}
	key, err := r.boxKey(p.index)
	if err != nil {
		return out, err
	}
	for _, dealer := range r.sharers().indices() {
		if dealer == p.index {
			continue
		}
		b, err := r.shared(dealer)
		if err != nil || b.verify(r.keys(), dealer, r.params.Threshold) != nil {
			continue
		}
		if _, err := p.opened(r, dealer); err == nil {
			continue
		}
		shared := p.boxShared(r, b)
		proof, err := shamir.ProveEqual(nil, group, r.disputeContext(p.index, dealer), group.Point().Base(), b.eph, key, shared, p.secret(r.id, secretBox, 0))
		if err != nil {
			return Effects{}, err
		}
		out.Post = append(out.Post, Message{KindDispute, dispute{dealer, [32]byte(shamir.Encode(shared)), proof}.bytes()})
	}
	if len(out.Post) == 0 && own.body != nil && own.evidence == nil {
		out.Post = []Message{{KindDispute, bytes.Clone(content)}}
	}
	return out, nil
}

// give masks the input once, and names the same file ever after.
func (p *Participant) give(r *Round, e Event) (out Effects, err error) {
	if e.Input != nil {
		file, err := p.mask(r, e.Input)
		if err != nil {
			return Effects{}, err
		}
		hash := sha256.Sum256(file)
		switch p.input {
		case [32]byte{}:
			p.input, p.sharers = hash, r.sharersDigest()
			out.File = file
			if out.State, err = p.MarshalBinary(); err != nil {
				return Effects{}, err
			}
		case hash:
			out.File = file
		default:
			return Effects{}, ErrInputFixed
		}
	}
	switch {
	case p.input == [32]byte{}:
		out.WantInput = true
	case !r.Spoke(p.index, KindInput):
		out.Post = []Message{{KindInput, inputBytes(r.sharers(), p.input)}}
	}
	return out, nil
}

// mask is the input file: the input, the self-mask, a mask for each other participant,
// added by the one of the lower index and subtracted by the other, and the readers' mask.
func (p *Participant) mask(r *Round, input []uint32) ([]byte, error) {
	if len(input) != r.params.Length || !withinNorm(input, uint64(r.params.Norm)) {
		return nil, fmt.Errorf("%d numbers for a round of %d numbers with norm %d: %w", len(input), r.params.Length, r.params.Norm, ErrNorm)
	}
	return p.maskAny(r, input)
}

// maskAny is mask of what the norm was checked of.
func (p *Participant) maskAny(r *Round, input []uint32) ([]byte, error) {
	masked := slices.Clone(input)
	stream(selfKey(r.id, p.index, p.secret(r.id, secretSelf, 0)), masked, false)
	secret := p.secret(r.id, secretPair, 0)
	for _, other := range r.sharers().indices() {
		if other == p.index {
			continue
		}
		b, err := r.shared(other)
		if err != nil {
			return nil, err
		}
		stream(pairKey(r.id, p.index, secret, other, b.pair.PublicKey()), masked, p.index > other)
	}
	stream(readerMask(r.id, p.index, p.reader), masked, false)
	return writeFile(r.id, p.index, masked), nil
}

// confirm waits for all files until half of the phase is over, and then says which it has,
// and again when there are more.
func (p *Participant) confirm(height uint64, r *Round, e Event) (out Effects) {
	before := r.entries[p.index-1].confirmed
	held, news := make(members, len(r.entries)), false
	given := r.givers()
	for _, i := range e.Held {
		if i >= 1 && int64(i) <= int64(len(held)) && given[i-1] {
			held[i-1] = true
			news = news || before == nil || !before[i-1]
		}
	}
	for _, i := range given.indices() {
		if !held[i-1] && (before == nil || !before[i-1]) {
			out.WantFiles = append(out.WantFiles, i)
		}
	}
	halfway := r.since + r.params.Deadlines.of(PhaseConfirm)/2
	if news && (len(out.WantFiles) == 0 || height >= halfway) {
		out.Post = []Message{{KindConfirm, held.bytes()}}
	}
	return out
}

// unmask gives a share of each participant's self-mask if it survived, and else of its
// pairwise secret: for each one of the two, and for one set of survivors only, which has
// at least a threshold of members. What it cannot open it leaves out.
func (p *Participant) unmask(r *Round) (out Effects, err error) {
	if r.Spoke(p.index, KindUnmask) {
		return out, nil
	}
	survivors := r.confirmed()
	if survivors.count() < r.params.Threshold {
		return out, fmt.Errorf("%d survivors: %w", survivors.count(), ErrTooFew)
	}
	switch digest := shamir.Hash("secagg/survivors", r.id[:], r.sharers().bytes(), survivors.bytes()); p.survivors {
	case digest:
	case [32]byte{}:
		p.survivors = digest
		if out.State, err = p.MarshalBinary(); err != nil {
			return Effects{}, err
		}
	default:
		return out, ErrSurvivorsFixed
	}
	shares := make(unmasking, len(r.entries))
	for _, of := range r.sharers().indices() {
		got, err := p.opened(r, of)
		if err != nil {
			continue
		}
		if shares[of-1] = got.pair; survivors[of-1] {
			shares[of-1] = got.self
		}
	}
	out.Post = []Message{{KindUnmask, shares.bytes(r.sharers())}}
	return out, nil
}
