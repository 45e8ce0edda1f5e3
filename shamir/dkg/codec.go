package dkg

import (
	"bytes"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

const logVersion = 2

// What a dealing holds, as bits.
const (
	hasCommit = 1 << iota
	hasBundle
	hasEvidence
)

// MarshalBinary is the one encoding of the log: about (224t + 80n) bytes per
// dealer once all bundles are in, together 6 KiB for 4 members, 67 KiB for 16,
// 4 MiB for 128.
func (l *Log) MarshalBinary() ([]byte, error) {
	w := wire.NewWriter(512 + l.Dealers()*(bundleSize(l.N(), l.params.Threshold)+512))
	w.U8(logVersion)
	l.params.write(w)
	l.params.writePrevious(w)
	w.U64(l.start)
	w.U8(uint8(l.phase))
	w.U8(uint8(l.last))
	w.U64(l.since)
	for i := range l.dealings {
		l.dealings[i].write(w)
	}
	for _, a := range l.acks {
		w.Bool(a != nil)
		if a != nil {
			w.Raw(a.bytes())
		}
	}
	w.Bool(l.committee != nil)
	if l.committee != nil {
		writeCommittee(w, l.committee)
	}
	return w.Bytes(), nil
}

func (e *dealing) write(w *wire.Writer) {
	var flags uint8
	if e.commit != nil {
		flags |= hasCommit
	}
	if e.body != nil {
		flags |= hasBundle
	}
	if e.evidence != nil {
		flags |= hasEvidence
	}
	w.U8(flags)
	if e.commit != nil {
		w.Raw(e.commit[:])
	}
	if e.body != nil {
		w.Raw(e.body)
	}
	if e.evidence != nil {
		w.U16(uint16(e.evidence.accuser))
		w.Raw(e.evidence.dispute.bytes())
	}
}

// UnmarshalLog reads MarshalBinary's form and nothing else. It checks the form,
// not the proofs: the bytes are the ledger's own. Audit checks those too.
func UnmarshalLog(b []byte) (*Log, error) {
	r := wire.NewReader(b)
	if v := r.U8(); r.Err() == nil && v != logVersion {
		return nil, fmt.Errorf("ceremony log of version %d: %w", v, shamir.ErrEncoding)
	}
	params := readParams(r)
	if r.Bool() {
		params.Previous = readCommittee(r, shamir.MaxMembers)
	}
	start := r.U64()
	phase, last, since := Phase(r.U8()), Phase(r.U8()), r.U64()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	l, err := NewLog(params, start)
	if err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	l.phase, l.last, l.since = phase, last, since
	for i := range l.dealings {
		l.dealings[i].read(r, l.N(), params.Threshold)
	}
	for j := range l.acks {
		if !r.Bool() {
			continue
		}
		a, err := parseAck(r.Raw(ackSize))
		if err != nil {
			r.Fail(err)
		}
		l.acks[j] = &a
	}
	if r.Bool() {
		l.committee = readCommittee(r, l.N())
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	if err := l.consistent(); err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	return l, nil
}

func (e *dealing) read(r *wire.Reader, n, t int) {
	flags := r.U8()
	if flags >= hasEvidence<<1 {
		r.Fail(fmt.Errorf("flags %#x: %w", flags, wire.ErrMalformed))
		return
	}
	if flags&hasCommit != 0 {
		h := r.Hash()
		e.commit = &h
	}
	if flags&hasBundle != 0 {
		e.body = bytes.Clone(r.Raw(bundleSize(n, t)))
	}
	if flags&hasEvidence != 0 {
		accuser := uint32(r.U16())
		d, err := parseDispute(r.Raw(disputeSize))
		if err != nil {
			r.Fail(err)
		}
		e.evidence = &evidence{accuser, d}
	}
}

// consistent refuses combinations that no run of Apply and EndBlock leaves.
func (l *Log) consistent() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf(format+": %w", append(args, wire.ErrMalformed)...)
	}
	switch {
	case l.phase < PhaseCommit || l.phase > PhaseAborted, l.since < l.start, l.since > maxHeight<<1:
		return bad("%s since height %d", l.phase, l.since)
	case l.phase < PhaseActive && l.last != 0,
		l.phase == PhaseActive && l.last != PhaseAcknowledge,
		l.phase == PhaseAborted && (l.last < PhaseCommit || l.last > PhaseAcknowledge):
		return bad("%s after %s", l.phase, l.last)
	}
	derived := l.phase == PhaseAcknowledge || l.last == PhaseAcknowledge
	if derived != (l.committee != nil) {
		return bad("committee in phase %s", l.phase)
	}
	if c := l.committee; c != nil && (c.N() != l.N() || c.T() != l.params.Threshold || c.Epoch() != l.params.Epoch || c.Session() != l.params.Session) {
		return bad("committee of another ceremony")
	}
	switch {
	case !derived && l.Acknowledged() > 0:
		return bad("acknowledgements in phase %s", l.phase)
	case l.phase == PhaseActive && l.Acknowledged() < MinAcknowledgements(l.N(), l.params.Threshold):
		return bad("%d acknowledgements in phase %s", l.Acknowledged(), l.phase)
	}
	for i := range l.dealings {
		e := &l.dealings[i]
		switch {
		case e.body != nil && (e.commit == nil || !l.passed(PhaseCommit)),
			e.evidence != nil && (e.body == nil || !l.passed(PhaseBundle)):
			return bad("dealing of member %d in phase %s", i+1, l.phase)
		}
		if ev := e.evidence; ev != nil && (ev.accuser < 1 || int64(ev.accuser) > int64(l.N()) || ev.dispute.dealer != uint32(i+1) || l.self(ev.accuser, uint32(i+1))) {
			return bad("evidence against member %d", i+1)
		}
	}
	return nil
}

// Audit checks every commitment, proof and conviction of the log and derives the
// committee again: what an outsider does with an exported log.
func (l *Log) Audit() error {
	c := l.Clone()
	for i := range c.dealings {
		e, index := &c.dealings[i], uint32(i+1)
		if e.body != nil {
			if _, err := c.checkBundle(index, e.body); err != nil {
				return fmt.Errorf("audit: bundle of member %d: %w", index, err)
			}
		}
		if e.evidence != nil {
			if err := c.judge(e.evidence.accuser, e.evidence.dispute); err != nil {
				return fmt.Errorf("audit: dispute with member %d: %w", index, err)
			}
		}
	}
	if c.committee == nil {
		return nil
	}
	if _, need := c.params.dealers(); len(c.undisputed()) < need {
		return fmt.Errorf("audit: %d dealers made the committee, it takes %d: %w", len(c.undisputed()), need, ErrMessage)
	}
	recorded := c.committee.Digest()
	if err := c.derive(); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if c.committee.Digest() != recorded {
		return fmt.Errorf("audit: bundles make another committee: %w", ErrMessage)
	}
	for i, a := range c.acks {
		if a != nil {
			if err := c.checkAck(uint32(i+1), *a); err != nil {
				return fmt.Errorf("audit: acknowledgement of member %d: %w", i+1, err)
			}
		}
	}
	return nil
}
