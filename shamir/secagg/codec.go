package secagg

import (
	"bytes"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

const roundVersion = 1

// What an entry holds, as bits, in the order of writeHead's list.
const (
	hasKey = 1 << iota
	hasShares
	hasEvidence
	hasInput
	hasConfirmed
	hasUnmasking
	hasResult
)

// MarshalBinary is the one encoding of the round: at most (64t + 113n + 700) bytes for
// each member, together 11 KiB for 4 members, 51 KiB for 16.
func (r *Round) MarshalBinary() ([]byte, error) {
	n := len(r.entries)
	w := wire.NewWriter(256 + n*(MaxMessage(n, r.params.Threshold)+33*n+512))
	w.U8(roundVersion)
	r.params.write(w)
	w.U64(r.start)
	w.U8(uint8(r.phase))
	w.U8(uint8(r.last))
	w.U64(r.since)
	sharers := r.sharers()
	for i := range r.entries {
		r.entries[i].writeHead(w)
	}
	for i := range r.entries {
		r.entries[i].writeTail(w, sharers)
	}
	return w.Bytes(), nil
}

// writeHead writes what decides who takes part, which the rest is read by.
func (e *entry) writeHead(w *wire.Writer) {
	var flags uint8
	for i, has := range []bool{
		e.advert != nil, e.body != nil, e.evidence != nil, e.input != nil, e.confirmed != nil, e.unmasking != nil, e.result != nil,
	} {
		if has {
			flags |= 1 << i
		}
	}
	w.U8(flags)
	if e.advert != nil {
		w.Raw(e.advert.bytes())
	}
}

func (e *entry) writeTail(w *wire.Writer, sharers members) {
	w.Raw(e.body)
	if e.evidence != nil {
		w.U16(uint16(e.evidence.accuser))
		w.Raw(e.evidence.dispute.bytes())
	}
	if e.input != nil {
		w.Raw(e.input[:])
	}
	if e.confirmed != nil {
		w.Raw(e.confirmed.bytes())
	}
	if e.unmasking != nil {
		w.Block(e.unmasking.bytes(sharers))
	}
	if e.result != nil {
		w.Raw(e.result.bytes())
	}
}

// UnmarshalRound reads MarshalBinary's form and nothing else. It checks the form, not the
// proofs: the bytes are the ledger's own. Audit checks those too.
func UnmarshalRound(b []byte) (*Round, error) {
	in := wire.NewReader(b)
	if v := in.U8(); in.Err() == nil && v != roundVersion {
		return nil, fmt.Errorf("round of version %d: %w", v, shamir.ErrEncoding)
	}
	params, start := readParams(in), in.U64()
	phase, last, since := Phase(in.U8()), Phase(in.U8()), in.U64()
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("round: %w: %w", err, shamir.ErrEncoding)
	}
	r, err := NewRound(params, start)
	if err != nil {
		return nil, fmt.Errorf("round: %w: %w", err, shamir.ErrEncoding)
	}
	r.phase, r.last, r.since = phase, last, since
	r.readEntries(in)
	if err := in.Done(); err != nil {
		return nil, fmt.Errorf("round: %w: %w", err, shamir.ErrEncoding)
	}
	if err := r.consistent(); err != nil {
		return nil, fmt.Errorf("round: %w: %w", err, shamir.ErrEncoding)
	}
	return r, nil
}

func (r *Round) readEntries(in *wire.Reader) {
	flags := make([]uint8, len(r.entries))
	sharers := make(members, len(r.entries))
	for i := range r.entries {
		flags[i] = in.U8()
		if flags[i] >= hasResult<<1 {
			in.Fail(fmt.Errorf("flags %#x: %w", flags[i], wire.ErrMalformed))
		}
		sharers[i] = flags[i]&hasShares != 0 && flags[i]&hasEvidence == 0
		if flags[i]&hasKey != 0 {
			a, err := parseAdvert(in.Raw(advertSize))
			if err != nil {
				in.Fail(err)
			}
			r.entries[i].advert = &a
		}
	}
	receivers := r.advertised().count()
	for i := range r.entries {
		if in.Err() != nil {
			return
		}
		r.entries[i].readTail(in, flags[i], receivers, r.params.Threshold, sharers)
	}
}

func (e *entry) readTail(in *wire.Reader, flags uint8, receivers, t int, sharers members) {
	var err error
	if flags&hasShares != 0 {
		e.body = bytes.Clone(in.Raw(bundleSize(receivers, t)))
	}
	if flags&hasEvidence != 0 {
		e.evidence = &evidence{accuser: uint32(in.U16())}
		if e.evidence.dispute, err = parseDispute(in.Raw(disputeSize)); err != nil {
			in.Fail(err)
		}
	}
	if flags&hasInput != 0 {
		h := in.Hash()
		e.input = &h
	}
	if flags&hasConfirmed != 0 {
		if e.confirmed, err = parseMembers(in.Raw(membersSize(len(sharers))), len(sharers)); err != nil {
			in.Fail(err)
		}
	}
	if flags&hasUnmasking != 0 {
		if e.unmasking, err = parseUnmasking(in.Block(33*len(sharers)), sharers); err != nil {
			in.Fail(err)
		}
	}
	if flags&hasResult != 0 {
		found, err := parseResult(in.Raw(resultSize))
		if err != nil {
			in.Fail(err)
		}
		e.result = &found
	}
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
			e.evidence != nil && (e.body == nil || !r.passed(PhaseShare)),
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
