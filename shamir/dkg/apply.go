package dkg

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// Apply adds a message of member from, whom the ledger has authenticated, in the
// block of that height. In a handover, from is the index in the committee in
// force for commits and bundles, and in the one to be for disputes and
// acknowledgements. An error changes nothing; it wraps ErrPhase,
// ErrDuplicate, ErrMessage, ErrNoDispute or ErrNotMember. Bundles cost most: t
// points of each group are decoded.
func (l *Log) Apply(height uint64, from uint32, m Message) error {
	if n := l.speakers(m.Kind); from < 1 || int64(from) > int64(n) {
		return fmt.Errorf("member %d of %d: %w", from, n, ErrNotMember)
	}
	if !l.takes(m.Kind) || height < l.since {
		return fmt.Errorf("%s in phase %s at height %d: %w", m.Kind, l.phase, height, ErrPhase)
	}
	if len(m.Body) > MaxMessage(l.N(), l.params.Threshold) {
		return fmt.Errorf("%s of %d bytes: %w", m.Kind, len(m.Body), ErrMessage)
	}
	var err error
	switch m.Kind {
	case KindCommit:
		err = l.applyCommit(from, m.Body)
	case KindBundle:
		err = l.applyBundle(from, m.Body)
	case KindDispute:
		err = l.applyDispute(from, m.Body)
	case KindAck:
		err = l.applyAck(from, m.Body)
	}
	if err != nil {
		return fmt.Errorf("%s of member %d: %w", m.Kind, from, err)
	}
	return nil
}

func (l *Log) takes(k Kind) bool {
	switch k {
	case KindCommit:
		return l.phase == PhaseCommit
	case KindBundle:
		return l.phase == PhaseBundle
	case KindDispute:
		return l.phase == PhaseDispute
	case KindAck:
		return l.phase == PhaseAcknowledge || l.phase == PhaseActive
	}
	return false
}

func (l *Log) applyCommit(from uint32, body []byte) error {
	e := &l.dealings[from-1]
	if e.commit != nil {
		return ErrDuplicate
	}
	if len(body) != 32 {
		return fmt.Errorf("%d bytes, want 32: %w", len(body), ErrMessage)
	}
	h := [32]byte(body)
	e.commit = &h
	return nil
}

func (l *Log) applyBundle(from uint32, body []byte) error {
	e := &l.dealings[from-1]
	if e.commit == nil {
		return fmt.Errorf("nothing was committed: %w", ErrPhase)
	}
	if e.body != nil {
		return ErrDuplicate
	}
	b, err := l.checkBundle(from, body)
	if err != nil {
		return err
	}
	e.body, e.bundle = b.body, b
	return nil
}

// checkBundle verifies a bundle against its commitment; it keeps a copy.
func (l *Log) checkBundle(from uint32, body []byte) (*bundle, error) {
	h := commitHash(l.id, from, body)
	if h != *l.dealings[from-1].commit {
		return nil, fmt.Errorf("differs from what was committed: %w", ErrMessage)
	}
	return l.memory.bundle(h, func() (*bundle, error) { return l.verifyBundle(from, body) })
}

func (l *Log) verifyBundle(from uint32, body []byte) (*bundle, error) {
	b, err := parseBundle(l.memory, append([]byte(nil), body...), l.N(), l.params.Threshold)
	if err != nil {
		return nil, err
	}
	if err := b.verify(l.memory, l.id, from, l.N(), l.params.Threshold); err != nil {
		return nil, err
	}
	if err := l.handsOver(from, b); err != nil {
		return nil, err
	}
	return b, nil
}

// handsOver checks that a dealer of a handover deals its share of the keys, and
// no other secret.
func (l *Log) handsOver(dealer uint32, b *bundle) error {
	if l.params.Previous == nil {
		return nil
	}
	x, err := l.params.Previous.XShare(dealer)
	if err != nil {
		return err
	}
	y, err := l.params.Previous.YShare(dealer)
	if err != nil {
		return err
	}
	if !b.x.PublicKey().Equal(x) || !b.y.PublicKey().Equal(y) {
		return fmt.Errorf("bundle deals another secret than the share that is handed over: %w", ErrMessage)
	}
	return nil
}

func (l *Log) applyDispute(from uint32, body []byte) error {
	d, err := parseDispute(body)
	if err != nil {
		return err
	}
	if d.dealer < 1 || int64(d.dealer) > int64(l.Dealers()) || l.self(from, d.dealer) {
		return fmt.Errorf("about member %d: %w", d.dealer, ErrMessage)
	}
	e := &l.dealings[d.dealer-1]
	if e.body == nil {
		return fmt.Errorf("member %d dealt nothing: %w", d.dealer, ErrMessage)
	}
	if e.evidence != nil {
		return fmt.Errorf("member %d is removed: %w", d.dealer, ErrDuplicate)
	}
	if err := l.judge(from, d); err != nil {
		return err
	}
	e.evidence = &evidence{from, d}
	return nil
}

// self says whether a receiver and a dealer are one member by their indices
// alone: in a handover they count differently.
func (l *Log) self(receiver, dealer uint32) bool {
	return l.params.Previous == nil && receiver == dealer
}

// judge returns nil when the dispute is justified.
func (l *Log) judge(accuser uint32, d dispute) error {
	b, err := l.dealt(d.dealer)
	if err != nil {
		return err
	}
	key, err := shamir.DecodePoint(shamir.Ristretto255, d.key[:])
	if err != nil {
		return fmt.Errorf("revealed key: %w: %w", err, ErrMessage)
	}
	g := shamir.Ristretto255
	ctx := l.disputeContext(accuser, d.dealer)
	if err := shamir.VerifyEqual(g, ctx, g.Point().Base(), b.eph, l.dealKeys[accuser-1], key, d.proof); err != nil {
		return fmt.Errorf("revealed key: %w: %w", err, ErrMessage)
	}
	if _, err := b.open(l.id, d.dealer, accuser, l.N(), l.params.DealKeys[accuser-1], key); err == nil {
		return fmt.Errorf("deal of member %d: %w", d.dealer, ErrNoDispute)
	}
	return nil
}

func (l *Log) disputeContext(accuser, dealer uint32) []byte {
	h := shamir.Hash("dispute", l.id[:], shamir.Uint64(uint64(accuser)), shamir.Uint64(uint64(dealer)), l.dealings[dealer-1].commit[:])
	return h[:]
}

func (l *Log) applyAck(from uint32, body []byte) error {
	if l.acks[from-1] != nil {
		return ErrDuplicate
	}
	a, err := parseAck(body)
	if err != nil {
		return err
	}
	if err := l.checkAck(from, a); err != nil {
		return err
	}
	l.acks[from-1] = &a
	return nil
}

func (l *Log) checkAck(from uint32, a ack) error {
	x, err := l.committee.XShare(from)
	if err != nil {
		return err
	}
	y, err := l.committee.YShare(from)
	if err != nil {
		return err
	}
	ctx := ackContext(l.id, l.committee, from)
	return l.memory.ack(ctx, a, func() error {
		if err := shamir.VerifyPossession(shamir.Ristretto255, ctx, x, a.x); err != nil {
			return fmt.Errorf("share of X: %w: %w", err, ErrMessage)
		}
		if err := shamir.VerifyPossession(shamir.G2, ctx, y, a.y); err != nil {
			return fmt.Errorf("share of Y: %w: %w", err, ErrMessage)
		}
		return nil
	})
}

func ackContext(id [32]byte, c *Committee, index uint32) []byte {
	digest := c.Digest()
	h := shamir.Hash("ack", id[:], digest[:], shamir.Uint64(uint64(index)))
	return h[:]
}

// EndBlock advances the phases after the last message of the block; it reports
// whether the phase changed. The block that ends the dispute phase derives the
// committee, which costs n evaluations of each commitment.
func (l *Log) EndBlock(height uint64) (changed bool) {
	if l.last != 0 || height < l.since {
		return false
	}
	if height < l.Deadline() && !l.everybodySpoke() {
		return false
	}
	_, need := l.params.dealers()
	switch l.phase {
	case PhaseCommit:
		l.advance(height, PhaseBundle, l.count(func(d *dealing) bool { return d.commit != nil }) >= need)
	case PhaseBundle:
		l.advance(height, PhaseDispute, len(l.undisputed()) >= need)
	case PhaseDispute:
		l.advance(height, PhaseAcknowledge, len(l.undisputed()) >= need && l.derive() == nil)
	case PhaseAcknowledge:
		l.advance(height, PhaseActive, l.Acknowledged() >= MinAcknowledgements(l.N(), l.params.Threshold))
	}
	return true
}

func (l *Log) advance(height uint64, next Phase, ok bool) {
	if !ok || next == PhaseActive {
		l.last = l.phase
	}
	if !ok {
		next = PhaseAborted
	}
	l.phase, l.since = next, height+1
}

func (l *Log) everybodySpoke() bool {
	switch l.phase {
	case PhaseCommit:
		return l.count(func(d *dealing) bool { return d.commit == nil }) == 0
	case PhaseBundle:
		return l.count(func(d *dealing) bool { return d.commit != nil && d.body == nil }) == 0
	case PhaseAcknowledge:
		return l.Acknowledged() == l.N()
	}
	return false
}

// derive combines the qualified commitments: their sum, or in a handover the
// commitment to the polynomial whose shares are new and whose value at 0 is the
// secret of before. It fails when a sum is the identity, which honest dealers
// reach with probability 2^-252.
func (l *Log) derive() (err error) {
	dealers := l.qualify()
	l.committee, err = l.memory.committee(l, dealers, func() (*Committee, error) { return l.combine(dealers) })
	return err
}

func (l *Log) combine(dealers []uint32) (*Committee, error) {
	var xs, ys []*shamir.Commitment
	for _, dealer := range dealers {
		b, err := l.dealt(dealer)
		if err != nil {
			return nil, err
		}
		xs, ys = append(xs, b.x), append(ys, b.y)
	}
	wx, wy, err := l.weights(dealers)
	if err != nil {
		return nil, err
	}
	combine := shamir.WeightedSum
	if wx == nil {
		combine = func(_ []kyber.Scalar, of []*shamir.Commitment) (*shamir.Commitment, error) { return shamir.Sum(of...) }
	}
	x, err := combine(wx, xs)
	if err != nil {
		return nil, err
	}
	y, err := combine(wy, ys)
	if err != nil {
		return nil, err
	}
	return shamir.NewCommittee(l.params.Epoch, l.params.Session, l.N(), x, y)
}

// weights are what the dealers' polynomials count: what interpolates the secret
// of before at 0. They are nil for new keys, where each counts one.
func (l *Log) weights(dealers []uint32) (x, y []kyber.Scalar, err error) {
	if l.params.Previous == nil {
		return nil, nil, nil
	}
	if x, err = shamir.Lagrange(shamir.Ristretto255, dealers); err != nil {
		return nil, nil, err
	}
	y, err = shamir.Lagrange(shamir.G2, dealers)
	return x, y, err
}
