package secagg

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

const roundVersion = 2

// Part is what a round holds of one member of one kind of message. A ledger keeps the round
// as its Head and its parts: a message changes one part, and the end of a phase the head.
type Part struct {
	Member uint32 // who sent it; of a dispute the dealer whom it convicts, if there is one
	Kind   Kind
	Body   []byte // never empty
}

// Head is the form of what is not of one member: parameters and phase.
func (r *Round) Head() []byte {
	w := wire.NewWriter(headSize)
	w.U8(roundVersion)
	r.params.write(w)
	w.U64(r.start)
	w.U8(uint8(r.phase))
	w.U8(uint8(r.last))
	w.U64(r.since)
	return w.Bytes()
}

const headSize = 1 + paramsSize + 8 + 1 + 1 + 8

// Changed is the part that a message changed which Apply has just taken.
func (r *Round) Changed(from uint32, m Message) Part {
	if m.Kind == KindDispute && !bytes.Equal(m.Body, content) {
		d, _ := parseDispute(m.Body) // or it would not have been taken
		from = d.dealer
	}
	return Part{from, m.Kind, r.part(from, m.Kind)}
}

// Parts are all parts, by member and kind.
func (r *Round) Parts() iter.Seq[Part] {
	return func(yield func(Part) bool) {
		for i := range r.entries {
			for k := KindKey; k <= KindResult; k++ {
				if b := r.part(uint32(i+1), k); b != nil && !yield(Part{uint32(i + 1), k, b}) {
					return
				}
			}
		}
	}
}

// part is nil where the round holds nothing.
func (r *Round) part(member uint32, kind Kind) []byte {
	e := &r.entries[member-1]
	switch {
	case kind == KindKey && e.advert != nil:
		return e.advert.bytes()
	case kind == KindShares:
		return e.body
	case kind == KindDispute && (e.content || e.evidence != nil):
		return e.disputeBytes()
	case kind == KindInput && e.input != nil:
		return e.input[:]
	case kind == KindConfirm && e.confirmed != nil:
		return e.confirmed.bytes()
	case kind == KindUnmask && e.unmasking != nil:
		return e.unmasking.bytes(r.sharers())
	case kind == KindResult && e.result != nil:
		return e.result.bytes()
	}
	return nil
}

// disputeBytes is what disputes left of a member: whether it is content, and the evidence
// against it, if there is any.
func (e *entry) disputeBytes() []byte {
	w := wire.NewWriter(1 + 2 + disputeSize)
	w.Bool(e.content)
	if e.evidence != nil {
		w.U16(uint16(e.evidence.accuser))
		w.Raw(e.evidence.dispute.bytes())
	}
	return w.Bytes()
}

// ReadRound reads a round from its head and its parts, which come in any order. It checks
// their form, not the proofs: the bytes are the ledger's own. Audit checks those too. It
// keeps the bodies.
func ReadRound(head []byte, parts iter.Seq[Part]) (*Round, error) {
	r, err := readHead(head)
	if err == nil {
		err = r.readParts(parts)
	}
	if err == nil {
		err = r.consistent()
	}
	if err != nil {
		return nil, fmt.Errorf("round: %w: %w", err, shamir.ErrEncoding)
	}
	return r, nil
}

func readHead(b []byte) (*Round, error) {
	in := wire.NewReader(b)
	version, params, start := in.U8(), readParams(in), in.U64()
	phase, last, since := Phase(in.U8()), Phase(in.U8()), in.U64()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if version != roundVersion {
		return nil, fmt.Errorf("version %d, want %d", version, roundVersion)
	}
	r, err := NewRound(params, start)
	if err != nil {
		return nil, err
	}
	r.phase, r.last, r.since = phase, last, since
	return r, nil
}

func (r *Round) readParts(parts iter.Seq[Part]) error {
	byKind := make([][]Part, KindResult+1)
	for p := range parts {
		if p.Member < 1 || int64(p.Member) > int64(len(r.entries)) || p.Kind < KindKey || p.Kind > KindResult {
			return fmt.Errorf("%s of member %d of %d: %w", p.Kind, p.Member, len(r.entries), wire.ErrMalformed)
		}
		byKind[p.Kind] = append(byKind[p.Kind], p)
	}
	for _, all := range byKind { // shares are read by who gave a key, and what follows by who shared
		receivers, sharers := r.advertised().count(), r.sharers()
		for _, p := range all {
			if r.part(p.Member, p.Kind) != nil {
				return fmt.Errorf("%s of member %d twice: %w", p.Kind, p.Member, wire.ErrMalformed)
			}
			if err := r.entries[p.Member-1].read(p, receivers, r.params.Threshold, sharers); err != nil {
				return fmt.Errorf("%s of member %d: %w", p.Kind, p.Member, err)
			}
		}
	}
	return nil
}

func (e *entry) read(p Part, receivers, t int, sharers members) (err error) {
	switch p.Kind {
	case KindKey:
		var a advert
		a, err = parseAdvert(p.Body)
		e.advert = &a
	case KindShares:
		if len(p.Body) != bundleSize(receivers, t) {
			return fmt.Errorf("%d bytes, want %d: %w", len(p.Body), bundleSize(receivers, t), wire.ErrMalformed)
		}
		e.body = p.Body
	case KindDispute:
		err = e.readDispute(p.Body)
	case KindInput:
		if len(p.Body) != sha256.Size {
			return fmt.Errorf("%d bytes, want %d: %w", len(p.Body), sha256.Size, wire.ErrMalformed)
		}
		h := [32]byte(p.Body)
		e.input = &h
	case KindConfirm:
		e.confirmed, err = parseMembers(p.Body, len(sharers))
	case KindUnmask:
		e.unmasking, err = parseUnmasking(p.Body, sharers)
	case KindResult:
		var found Result
		found, err = parseResult(p.Body)
		e.result = &found
	}
	return err
}

func (e *entry) readDispute(b []byte) (err error) {
	r := wire.NewReader(b)
	if e.content = r.Bool(); r.Len() > 0 || !e.content {
		e.evidence = &evidence{accuser: uint32(r.U16())}
		if e.evidence.dispute, err = parseDispute(r.Raw(disputeSize)); err != nil {
			r.Fail(err)
		}
	}
	return r.Done()
}

// MarshalBinary is the one encoding of a whole round: its head, and each part as member,
// kind and body. That is at most (64t + 113n + 500) bytes for each member, together 11 KiB
// for 4 members, 51 KiB for 16, 2.7 MiB for 128.
func (r *Round) MarshalBinary() ([]byte, error) {
	n := len(r.entries)
	w := wire.NewWriter(headSize + n*(MaxMessage(n, r.params.Threshold)+33*n+512))
	w.Raw(r.Head())
	for p := range r.Parts() {
		w.U16(uint16(p.Member))
		w.U8(uint8(p.Kind))
		w.Block(p.Body)
	}
	return w.Bytes(), nil
}

// UnmarshalRound reads MarshalBinary's form and nothing else, as ReadRound does.
func UnmarshalRound(b []byte) (*Round, error) {
	if len(b) < headSize {
		return nil, fmt.Errorf("round of %d bytes: %w", len(b), shamir.ErrEncoding)
	}
	in := wire.NewReader(b[headSize:])
	var parts []Part
	for before := uint32(0); in.Err() == nil && in.Len() > 0; {
		p := Part{uint32(in.U16()), Kind(in.U8()), bytes.Clone(in.Block(len(b)))}
		place := p.Member<<8 | uint32(p.Kind)
		if place <= before {
			in.Fail(fmt.Errorf("%s of member %d out of order: %w", p.Kind, p.Member, wire.ErrMalformed))
		}
		before = place
		parts = append(parts, p)
	}
	if err := in.Done(); err != nil {
		return nil, fmt.Errorf("round: %w: %w", err, shamir.ErrEncoding)
	}
	return ReadRound(b[:headSize], slices.Values(parts))
}

// consistent refuses combinations that no run of Apply and EndBlock leaves.
func (r *Round) consistent() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf(format+": %w", append(args, wire.ErrMalformed)...)
	}
	switch {
	case r.phase < PhaseAdvertise || r.phase > PhaseAborted, r.since < r.start, r.since > maxHeight<<1:
		return bad("%s since height %d", r.phase, r.since)
	case r.phase < PhaseDone && r.last != 0,
		r.phase == PhaseDone && r.last != PhaseResult,
		r.phase == PhaseAborted && (r.last < PhaseAdvertise || r.last > PhaseResult):
		return bad("%s after %s", r.phase, r.last)
	}
	sharers, givers := r.sharers(), r.givers()
	for i := range r.entries {
		e := &r.entries[i]
		shares := sharers[i]
		switch {
		case e.body != nil && (e.advert == nil || !r.passed(PhaseAdvertise)),
			(e.evidence != nil || e.content) && (e.body == nil || !r.passed(PhaseShare)),
			e.input != nil && !(shares && r.passed(PhaseDispute)),
			e.confirmed != nil && !(shares && r.passed(PhaseInput)),
			e.unmasking != nil && !(shares && r.passed(PhaseConfirm)),
			e.result != nil && !(shares && r.passed(PhaseUnmask)):
			return bad("entry of member %d in phase %s", i+1, r.phase)
		}
		for j, in := range e.confirmed {
			if in && !givers[j] {
				return bad("member %d confirms what member %d did not give", i+1, j+1)
			}
		}
		if ev := e.evidence; ev != nil && (ev.accuser < 1 || int64(ev.accuser) > int64(len(r.entries)) ||
			r.entries[ev.accuser-1].advert == nil || ev.dispute.dealer != uint32(i+1) || ev.accuser == uint32(i+1)) {
			return bad("evidence against member %d", i+1)
		}
	}
	// What a phase takes to end well, all later phases have.
	if over, t := r.ended(), r.params.Threshold; over > PhaseAdvertise && r.advertised().count() < t ||
		over > PhaseDispute && sharers.count() < t || over > PhaseInput && givers.count() < t ||
		over > PhaseConfirm && r.confirmed().count() < t || over > PhaseUnmask && r.unmasked() < t {
		return bad("too few members for phase %s", over)
	}
	if found, agreed := r.agreed(); r.phase == PhaseDone && (!agreed || found.Spoilt) {
		return bad("phase %s without a sum", r.phase)
	}
	return nil
}

// ended is the phase that the round is in, or in which it ended.
func (r *Round) ended() Phase {
	if r.last != 0 {
		return r.last
	}
	return r.phase
}

// Audit checks every proof, conviction and share of the round: what an outsider does with
// an exported one.
func (r *Round) Audit() error {
	for i := range r.entries {
		e, member := &r.entries[i], uint32(i+1)
		if e.advert != nil {
			if _, err := e.advert.verify(r.id, member); err != nil {
				return fmt.Errorf("audit: member %d: %w", member, err)
			}
		}
		if e.body != nil {
			b, err := r.shared(member)
			if err == nil {
				err = b.verify(r.keys(), member, r.params.Threshold)
			}
			if err != nil {
				return fmt.Errorf("audit: shares of member %d: %w", member, err)
			}
		}
	}
	for i := range r.entries {
		e, member := &r.entries[i], uint32(i+1)
		if e.evidence != nil {
			if err := r.judge(e.evidence.accuser, e.evidence.dispute); err != nil {
				return fmt.Errorf("audit: dispute with member %d: %w", member, err)
			}
		}
		if e.unmasking != nil {
			if err := r.checkUnmasking(member, e.unmasking); err != nil {
				return fmt.Errorf("audit: member %d: %w", member, err)
			}
		}
	}
	return nil
}
