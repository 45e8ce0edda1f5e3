package secagg

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
)

// Apply adds a message of member from, whom the ledger has authenticated, in the block of
// that height. An error changes nothing; it wraps ErrPhase, ErrDuplicate,
// ErrEquivocation, ErrMessage, ErrNoDispute or ErrNotMember. Shares cost most: 2t points
// are decoded; and an unmasking n evaluations of commitments to t coefficients, about a
// millisecond for 16 members and 10 for 64.
func (r *Round) Apply(height uint64, from uint32, m Message) error {
	if from < 1 || int64(from) > int64(len(r.entries)) {
		return fmt.Errorf("member %d of %d: %w", from, len(r.entries), ErrNotMember)
	}
	if m.Kind < KindKey || m.Kind > KindResult || r.phase != Phase(m.Kind) || height < r.since {
		return fmt.Errorf("%s in phase %s at height %d: %w", m.Kind, r.phase, height, ErrPhase)
	}
	if len(m.Body) > MaxMessage(len(r.entries), r.params.Threshold) {
		return fmt.Errorf("%s of %d bytes: %w", m.Kind, len(m.Body), ErrMessage)
	}
	e := &r.entries[from-1]
	if m.Kind > KindDispute && (e.body == nil || e.evidence != nil) {
		return fmt.Errorf("%s of member %d, which shared no secrets: %w", m.Kind, from, ErrNotMember)
	}
	var err error
	switch m.Kind {
	case KindKey:
		err = r.applyKey(from, m.Body)
	case KindShares:
		err = r.applyShares(from, m.Body)
	case KindDispute:
		err = r.applyDispute(from, m.Body)
	case KindInput:
		err = r.applyInput(e, m.Body)
	case KindConfirm:
		err = r.applyConfirm(e, m.Body)
	case KindUnmask:
		err = r.applyUnmask(from, m.Body)
	case KindResult:
		err = r.applyResult(e, m.Body)
	}
	if err != nil {
		return fmt.Errorf("%s of member %d: %w", m.Kind, from, err)
	}
	return nil
}

// again is the error of a second message, which says the same or something else.
func again(before, now []byte) error {
	if bytes.Equal(before, now) {
		return ErrDuplicate
	}
	return ErrEquivocation
}

func (r *Round) applyKey(from uint32, body []byte) error {
	e := &r.entries[from-1]
	if e.advert != nil {
		return again(e.advert.bytes(), body)
	}
	a, err := parseAdvert(body)
	if err != nil {
		return err
	}
	key, err := a.verify(r.id, from)
	if err != nil {
		return err
	}
	e.advert, e.key = &a, key
	return nil
}

func (r *Round) applyShares(from uint32, body []byte) error {
	e := &r.entries[from-1]
	switch {
	case e.advert == nil:
		return fmt.Errorf("it gave no key: %w", ErrNotMember)
	case e.body != nil:
		return again(e.body, body)
	}
	b, err := parseBundle(bytes.Clone(body), r.advertised().count(), r.params.Threshold)
	if err != nil {
		return err
	}
	if err := b.verify(r.keys(), from, r.params.Threshold); err != nil {
		return err
	}
	e.body, e.bundle = b.body, b
	return nil
}

func (r *Round) applyDispute(from uint32, body []byte) error {
	if bytes.Equal(body, content) {
		return r.applyContent(from)
	}
	d, err := parseDispute(body)
	if err != nil {
		return err
	}
	if r.entries[from-1].advert == nil {
		return fmt.Errorf("it gave no key: %w", ErrNotMember)
	}
	if d.dealer < 1 || int64(d.dealer) > int64(len(r.entries)) || d.dealer == from || r.entries[d.dealer-1].body == nil {
		return fmt.Errorf("about member %d: %w", d.dealer, ErrMessage)
	}
	e := &r.entries[d.dealer-1]
	if e.evidence != nil {
		return fmt.Errorf("member %d is removed: %w", d.dealer, ErrDuplicate)
	}
	if err := r.judge(from, d); err != nil {
		return err
	}
	e.evidence = &evidence{from, d}
	return nil
}

func (r *Round) applyContent(from uint32) error {
	e := &r.entries[from-1]
	switch {
	case e.body == nil || e.evidence != nil:
		return fmt.Errorf("it shared no secrets: %w", ErrNotMember)
	case e.content:
		return ErrDuplicate
	}
	e.content = true
	return nil
}

// judge returns nil when the dispute is justified.
func (r *Round) judge(accuser uint32, d dispute) error {
	b, err := r.shared(d.dealer)
	if err != nil {
		return err
	}
	boxKey, err := r.boxKey(accuser)
	if err != nil {
		return err
	}
	key, err := shamir.DecodePoint(group, d.key[:])
	if err != nil {
		return fmt.Errorf("revealed key: %w: %w", err, ErrMessage)
	}
	ctx := r.disputeContext(accuser, d.dealer)
	if err := shamir.VerifyEqual(group, ctx, group.Point().Base(), b.eph, boxKey, key, d.proof); err != nil {
		return fmt.Errorf("revealed key: %w: %w", err, ErrMessage)
	}
	if _, err := b.open(r.id, d.dealer, accuser, r.place(accuser), r.params.Threshold, r.entries[accuser-1].advert.key, key); err == nil {
		return fmt.Errorf("box of member %d: %w", d.dealer, ErrNoDispute)
	}
	return nil
}

func (r *Round) disputeContext(accuser, dealer uint32) []byte {
	h := shamir.Hash("secagg/dispute", r.id[:], shamir.Uint64(uint64(accuser)), shamir.Uint64(uint64(dealer)), r.entries[dealer-1].body)
	return h[:]
}

// applyInput takes an input that is masked with those who shared their secrets here: what
// was masked with fewer, or others, may have no mask left that hides it.
func (r *Round) applyInput(e *entry, body []byte) error {
	sharers := r.sharers()
	if e.input != nil {
		return again(inputBytes(sharers, *e.input), body)
	}
	with, h, err := parseInput(body, len(r.entries))
	if err != nil {
		return err
	}
	if !slices.Equal(with, sharers) {
		return fmt.Errorf("it is masked with other members: %w", ErrMessage)
	}
	e.input = &h
	return nil
}

// applyConfirm adds to what the member confirmed before: files arrive one by one.
func (r *Round) applyConfirm(e *entry, body []byte) error {
	m, err := parseMembers(body, len(r.entries))
	if err != nil {
		return err
	}
	given := r.givers()
	union, more := make(members, len(m)), e.confirmed == nil
	for i := range m {
		if m[i] && !given[i] {
			return fmt.Errorf("member %d gave no input: %w", i+1, ErrMessage)
		}
		had := e.confirmed != nil && e.confirmed[i]
		union[i] = had || m[i]
		more = more || m[i] && !had
	}
	if !more {
		return ErrDuplicate
	}
	e.confirmed = union
	return nil
}

// applyUnmask takes shares that fit the commitments, each of the one kind that its member
// gives away: a share of the other kind fits no better than any other number.
func (r *Round) applyUnmask(from uint32, body []byte) error {
	e, sharers := &r.entries[from-1], r.sharers()
	if e.unmasking != nil {
		return again(e.unmasking.bytes(sharers), body)
	}
	u, err := parseUnmasking(body, sharers)
	if err != nil {
		return err
	}
	if err := r.checkUnmasking(from, u); err != nil {
		return err
	}
	e.unmasking = u
	return nil
}

func (r *Round) checkUnmasking(from uint32, u unmasking) error {
	survivors := r.confirmed()
	for i, value := range u {
		if value == nil {
			continue
		}
		c, err := r.committed(uint32(i+1), survivors[i])
		if err != nil {
			return err
		}
		if err := c.Verify(shamir.NewShare(from, value)); err != nil {
			return fmt.Errorf("secret of member %d: %w: %w", i+1, err, ErrMessage)
		}
	}
	return nil
}

func (r *Round) applyResult(e *entry, body []byte) error {
	if e.result != nil {
		return again(e.result.bytes(), body)
	}
	found, err := parseResult(body)
	if err != nil {
		return err
	}
	e.result = &found
	return nil
}

// EndBlock advances the phases after the last message of the block; it reports whether
// the phase changed.
func (r *Round) EndBlock(height uint64) (changed bool) {
	if r.last != 0 || height < r.since {
		return false
	}
	if height < r.Deadline() && !r.complete() {
		return false
	}
	found, agreed := r.agreed()
	enough := map[Phase]bool{
		PhaseAdvertise: r.advertised().count() >= r.params.Threshold,
		PhaseShare:     r.sharers().count() >= r.params.Threshold,
		PhaseDispute:   r.sharers().count() >= r.params.Threshold,
		PhaseInput:     r.givers().count() >= r.params.Threshold,
		PhaseConfirm:   r.confirmed().count() >= r.params.Threshold,
		PhaseUnmask:    r.unmasked() >= r.params.Threshold,
		PhaseResult:    agreed && !found.Spoilt,
	}[r.phase]
	next := r.phase + 1
	if !enough {
		next = PhaseAborted
	}
	if next >= PhaseDone {
		r.last = r.phase
	}
	r.phase, r.since = next, height+1
	return true
}

// complete says whether nothing more can come in this phase, or need come.
func (r *Round) complete() bool {
	switch r.phase {
	case PhaseAdvertise:
		return r.advertised().count() == len(r.entries)
	case PhaseShare:
		return r.which(func(e *entry) bool { return e.body != nil }).count() == r.advertised().count()
	case PhaseDispute:
		return r.all(func(e *entry) bool { return e.content })
	case PhaseInput:
		return slices.Equal(r.givers(), r.sharers())
	case PhaseConfirm:
		return slices.Equal(r.confirmed(), r.givers())
	case PhaseUnmask:
		return r.unmasked() >= r.params.Threshold || r.all(func(e *entry) bool { return e.unmasking != nil })
	case PhaseResult:
		_, agreed := r.agreed()
		return agreed || r.all(func(e *entry) bool { return e.result != nil })
	}
	return false
}

// all says whether something holds of all who share: nobody else has a say any more.
func (r *Round) all(has func(*entry) bool) bool {
	sharers := r.sharers()
	for i := range r.entries {
		if sharers[i] && !has(&r.entries[i]) {
			return false
		}
	}
	return true
}
