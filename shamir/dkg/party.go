package dkg

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/internal/onetime"
	"go.dedis.ch/kyber/v3"
)

// Party is a member's secret side of the ceremonies of one epoch. All it says
// follows from its seed, the share it hands over and the log, so it may be made
// anew at any time and says the same. It redacts itself, and is not safe for
// concurrent use.
type Party struct {
	index   uint32    // of the receiver, 0 for one who leaves
	dealer  uint32    // 0 for one who joins
	share   *KeyShare // to hand over; nil for new keys
	seed    [32]byte
	dealSec kyber.Scalar
	dealPub [32]byte

	// Caches for the ceremony id: the own bundle, and the verdicts on others'.
	id       [32]byte
	own      []byte
	verdicts map[[32]byte]verdict // by the hash that the dealer committed to
}

// verdict is what the party found in one dealer's bundle.
type verdict struct {
	deal deal
	err  error
}

// NewParty derives the member's side of a ceremony that makes new keys from a
// seed of 32 secret bytes, fresh for each epoch and kept in the key store until
// the next handover is final.
func NewParty(index uint32, seed [32]byte) (*Party, error) {
	if index < 1 || index > shamir.MaxMembers {
		return nil, fmt.Errorf("party %d: %w", index, ErrNotMember)
	}
	p := newParty(seed)
	p.index, p.dealer = index, index
	return p, nil
}

// NewHandoverParty derives the member's side of a handover. share is what it
// holds of the keys, nil for a member that joins; index is its place in the
// committee to be, 0 for a member that leaves; at least one of them is given.
// The seed is as for NewParty; one who leaves gives that of its last epoch.
func NewHandoverParty(share *KeyShare, index uint32, seed [32]byte) (*Party, error) {
	if index > shamir.MaxMembers || (index == 0 && share == nil) {
		return nil, fmt.Errorf("party %d: %w", index, ErrNotMember)
	}
	p := newParty(seed)
	p.index, p.share = index, share
	if share != nil {
		p.dealer = share.Index()
	}
	return p, nil
}

func newParty(seed [32]byte) *Party {
	sec := dealSecret(seed)
	return &Party{seed: seed, dealSec: sec, dealPub: publicDealKey(sec)}
}

// DealKey is the public deal key that belongs to a seed.
func DealKey(seed [32]byte) [32]byte { return publicDealKey(dealSecret(seed)) }

func dealSecret(seed [32]byte) kyber.Scalar {
	return shamir.HashScalar(shamir.Ristretto255, "deal key", seed[:])
}

func publicDealKey(sec kyber.Scalar) [32]byte {
	return [32]byte(shamir.Encode(shamir.Ristretto255.Point().Mul(sec, nil)))
}

// Index is the member's in the committee to be; 0 when it leaves.
func (p *Party) Index() uint32 { return p.index }

// Speaks is the index under which the member posts messages of the kind, 0 when
// it posts none.
func (p *Party) Speaks(k Kind) uint32 {
	if k == KindCommit || k == KindBundle {
		return p.dealer
	}
	return p.index
}

// DealKey is the party's public deal key.
func (p *Party) DealKey() [32]byte { return p.dealPub }

func (p *Party) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "party(%d, redacted)", p.index) }
func (p *Party) LogValue() slog.Value       { return slog.GroupValue(slog.Any("index", p.index)) }
func (p *Party) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"index":%d}`, p.index), nil
}

// Step returns the messages that the member should post now. It is idempotent:
// the caller posts them, again after a while, until the log shows them. A message
// posted in vain (the phase ended, another dispute came first) is refused by the
// log and harmless. Besides ErrNotMember it reports ErrForeignCommit and
// ErrShareLost, after which the member takes no part until the next ceremony. It
// keeps decoded bundles in l, so it may not share l with another goroutine.
func (p *Party) Step(height uint64, l *Log) ([]Message, error) {
	if err := p.attend(l); err != nil {
		return nil, err
	}
	if height < l.since {
		return nil, nil
	}
	switch l.phase {
	case PhaseCommit:
		if p.dealer != 0 && l.dealings[p.dealer-1].commit == nil {
			h, err := p.commitment(l)
			if err != nil {
				return nil, err
			}
			return []Message{{KindCommit, h[:]}}, nil
		}
	case PhaseBundle:
		if p.dealer == 0 {
			return nil, nil
		}
		if e := &l.dealings[p.dealer-1]; e.commit != nil && e.body == nil {
			h, err := p.commitment(l)
			if err != nil {
				return nil, err
			}
			if h != *e.commit {
				return nil, fmt.Errorf("party %d: %w", p.index, ErrForeignCommit)
			}
			return []Message{{KindBundle, append([]byte(nil), p.own...)}}, nil
		}
	case PhaseDispute:
		if p.index != 0 {
			return p.disputes(l)
		}
	case PhaseAcknowledge, PhaseActive:
		if p.index != 0 && l.acks[p.index-1] == nil {
			return p.acknowledge(l)
		}
	}
	return nil, nil
}

// attend checks that the ceremony lists this party and drops other caches.
func (p *Party) attend(l *Log) error {
	if p.index != 0 && (int64(p.index) > int64(l.N()) || l.params.DealKeys[p.index-1] != p.dealPub) {
		return fmt.Errorf("party %d: deal key is not in the ceremony: %w", p.index, ErrNotMember)
	}
	switch previous := l.params.Previous; {
	case previous == nil && (p.share != nil || p.dealer == 0):
		return fmt.Errorf("party %d: the ceremony hands nothing over: %w", p.index, ErrNotMember)
	case previous != nil && p.share == nil && p.dealer != 0:
		return fmt.Errorf("party %d: the ceremony hands keys over: %w", p.index, ErrNotMember)
	case previous != nil && p.share != nil && (p.share.Epoch() != previous.Epoch() || int64(p.dealer) > int64(previous.N())):
		return fmt.Errorf("party %d: share is not of the committee that hands over: %w", p.index, ErrNotMember)
	}
	if p.id != l.id || p.verdicts == nil {
		p.id, p.own, p.verdicts = l.id, nil, make(map[[32]byte]verdict)
	}
	return nil
}

func (p *Party) commitment(l *Log) ([32]byte, error) {
	if p.own == nil {
		body, err := p.makeBundle(l)
		if err != nil {
			return [32]byte{}, fmt.Errorf("party %d: %w", p.index, err)
		}
		p.own = body
	}
	return commitHash(l.id, p.dealer, p.own), nil
}

// secret derives one scalar of this ceremony.
func (p *Party) secret(g shamir.Group, what string, k int) kyber.Scalar {
	return shamir.HashScalar(g, "dealer/"+what, p.seed[:], p.id[:], shamir.Uint64(uint64(p.dealer)), shamir.Uint64(uint64(k)))
}

func (p *Party) polynomial(g shamir.Group, what string, t int) (*shamir.Polynomial, error) {
	coefficients := make([]kyber.Scalar, t)
	for k := range coefficients {
		coefficients[k] = p.secret(g, what, k)
	}
	if p.share != nil { // the secret to deal is what it holds
		x, y := p.share.Secrets(access.Token{})
		if coefficients[0] = x; g == shamir.G2 {
			coefficients[0] = y
		}
	}
	return shamir.NewPolynomial(g, coefficients)
}

func (p *Party) makeBundle(l *Log) ([]byte, error) {
	if p.share != nil {
		if err := p.share.VerifyAgainst(l.params.Previous); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrShareLost, err)
		}
	}
	return p.deal(l)
}

func (p *Party) deal(l *Log) ([]byte, error) {
	n, t := l.N(), l.params.Threshold
	fx, err := p.polynomial(shamir.Ristretto255, "x", t)
	if err != nil {
		return nil, err
	}
	fy, err := p.polynomial(shamir.G2, "y", t)
	if err != nil {
		return nil, err
	}
	e := p.secret(shamir.Ristretto255, "e", 0)
	eph := shamir.Encode(shamir.Ristretto255.Point().Mul(e, nil))

	body := make([]byte, 0, bundleSize(n, t))
	body = append(body, fx.Commit().Bytes()...)
	body = append(body, fy.Commit().Bytes()...)
	body = append(body, eph...)
	boxes := make([]byte, 0, n*boxSize)
	for j := uint32(1); j <= uint32(n); j++ {
		shared := shamir.Encode(shamir.Ristretto255.Point().Mul(e, l.dealKeys[j-1]))
		plain := append(shamir.Encode(fx.Share(j).Value()), shamir.Encode(fy.Share(j).Value())...)
		dealKey := l.params.DealKeys[j-1]
		boxes = dealCipher(l.id, p.dealer, j, shared, eph, dealKey[:]).Seal(boxes, onetime.Nonce, plain, nil)
		clear(plain)
	}
	ctxX, ctxY, ctxE := proofContexts(l.id, p.dealer, body, boxes)
	for _, q := range []struct {
		g      shamir.Group
		ctx    []byte
		secret kyber.Scalar
	}{
		{shamir.Ristretto255, ctxX, fx.Secret()},
		{shamir.G2, ctxY, fy.Secret()},
		{shamir.Ristretto255, ctxE, e},
	} {
		proof, err := shamir.ProvePossession(nil, q.g, q.ctx, q.secret)
		if err != nil {
			return nil, err
		}
		body = append(body, proof[:]...)
	}
	return append(body, boxes...), nil
}

// shared is d_j·E of a dealer's bundle.
func (p *Party) shared(b *bundle) kyber.Point {
	return shamir.Ristretto255.Point().Mul(p.dealSec, b.eph)
}

// disputes reveals keys, each of the one deal that is wrong: it has no use for anybody,
// if it is the dealer's. So the dealer's proofs come first, though a ledger has checked
// them: a log that was read from bytes may be anybody's.
func (p *Party) disputes(l *Log) ([]Message, error) {
	var out []Message
	dealers := l.undisputed()
	verdicts, err := p.inspect(l, dealers)
	if err != nil {
		return nil, err
	}
	for i, dealer := range dealers {
		if verdicts[i].err == nil || dealer == p.dealer {
			continue
		}
		b, err := l.checkBundle(dealer, l.dealings[dealer-1].body)
		if err != nil {
			return nil, fmt.Errorf("party %d: nothing is revealed about dealer %d: %w", p.index, dealer, err)
		}
		g, key := shamir.Ristretto255, p.shared(b)
		proof, err := shamir.ProveEqual(nil, g, l.disputeContext(p.index, dealer), g.Point().Base(), b.eph, l.dealKeys[p.index-1], key, p.dealSec)
		if err != nil {
			return nil, err
		}
		d := dispute{dealer, [32]byte(shamir.Encode(key)), proof}
		out = append(out, Message{KindDispute, d.bytes()})
	}
	return out, nil
}

func (p *Party) acknowledge(l *Log) ([]Message, error) {
	x, y, err := p.sum(l)
	if err != nil {
		return nil, err
	}
	ctx := ackContext(l.id, l.committee, p.index)
	var a ack
	if a.x, err = shamir.ProvePossession(nil, shamir.Ristretto255, ctx, x); err != nil {
		return nil, err
	}
	if a.y, err = shamir.ProvePossession(nil, shamir.G2, ctx, y); err != nil {
		return nil, err
	}
	return []Message{{KindAck, a.bytes()}}, nil
}

// KeyShare derives the member's share once the dispute phase is over. It works
// at any later time, for a member that was away too. The error wraps ErrNotReady
// before that, ErrShareLost when a dealer that nobody disputed wronged this
// member.
func (p *Party) KeyShare(l *Log) (*KeyShare, error) {
	if err := p.attend(l); err != nil {
		return nil, err
	}
	if p.index == 0 {
		return nil, fmt.Errorf("one who leaves gets no share: %w", ErrNotMember)
	}
	x, y, err := p.sum(l)
	if err != nil {
		return nil, err
	}
	return shamir.NewKeyShare(p.index, l.params.Epoch, x, y)
}

func (p *Party) sum(l *Log) (x, y kyber.Scalar, err error) {
	if l.committee == nil {
		return nil, nil, fmt.Errorf("key share in phase %s: %w", l.phase, ErrNotReady)
	}
	dealers := l.qualify()
	wx, wy, err := l.weights(dealers)
	if err != nil {
		return nil, nil, err
	}
	verdicts, err := p.inspect(l, dealers)
	if err != nil {
		return nil, nil, err
	}
	x, y = shamir.Ristretto255.Scalar().Zero(), shamir.G2.Scalar().Zero()
	var lost error
	for i, v := range verdicts {
		if v.err != nil {
			lost = errors.Join(lost, v.err)
			continue
		}
		if wx == nil {
			x.Add(x, v.deal.x)
			y.Add(y, v.deal.y)
			continue
		}
		x.Add(x, wx[i].Mul(wx[i], v.deal.x))
		y.Add(y, wy[i].Mul(wy[i], v.deal.y))
	}
	if lost == nil {
		lost = p.listed(l.committee, x, y)
	}
	if lost != nil {
		return nil, nil, fmt.Errorf("party %d: %w: %w", p.index, ErrShareLost, lost)
	}
	return x, y, nil
}

// listed checks the share against the committee's list: the last word on deals that
// were checked together.
func (p *Party) listed(c *Committee, x, y kyber.Scalar) error {
	share, err := shamir.NewKeyShare(p.index, c.Epoch(), x, y)
	if err != nil {
		return err
	}
	return share.VerifyAgainst(c)
}
