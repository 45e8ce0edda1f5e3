package dkg

import (
	"bytes"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

const logVersion = 1

// What an entry holds, as bits.
const (
	hasCommit = 1 << iota
	hasBundle
	hasEvidence
	hasAck
)

// MarshalBinary is the one encoding of the log: about n·(224t + 80n) bytes once
// all bundles are in, 6 KiB for 4 members, 67 KiB for 16, 4 MiB for 128.
func (l *Log) MarshalBinary() ([]byte, error) {
	w := wire.NewWriter(512 + l.N()*(bundleSize(l.N(), l.params.Threshold)+512))
	w.U8(logVersion)
	l.params.write(w)
	w.U64(l.start)
	w.U8(uint8(l.phase))
	w.U8(uint8(l.last))
	w.U64(l.since)
	for i := range l.entries {
		l.entries[i].write(w)
	}
	w.Bool(l.committee != nil)
	if l.committee != nil {
		b, err := l.committee.MarshalBinary()
		if err != nil {
			return nil, err
		}
		w.Block(b)
	}
	return w.Bytes(), nil
}

func (e *entry) write(w *wire.Writer) {
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
	if e.ack != nil {
		flags |= hasAck
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
	if e.ack != nil {
		w.Raw(e.ack.bytes())
	}
}

// UnmarshalLog reads MarshalBinary's form and nothing else. It checks the form,
// not the proofs: the bytes are the ledger's own. Audit checks those too.
func UnmarshalLog(b []byte) (*Log, error) {
	r := wire.NewReader(b)
	if v := r.U8(); r.Err() == nil && v != logVersion {
		return nil, fmt.Errorf("ceremony log of version %d: %w", v, shamir.ErrEncoding)
	}
	params, start := readParams(r), r.U64()
	phase, last, since := Phase(r.U8()), Phase(r.U8()), r.U64()
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	l, err := NewLog(params, start)
	if err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	l.phase, l.last, l.since = phase, last, since
	for i := range l.entries {
		l.entries[i].read(r, l.N(), params.Threshold)
	}
	if r.Bool() {
		// n and t bound the block, so a hostile length cannot allocate more.
		c, err := shamir.UnmarshalCommittee(r.Block(64 + (l.N()+1)*(shamir.XSize+shamir.YSize)))
		if err != nil {
			r.Fail(err)
		}
		l.committee = c
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	if err := l.consistent(); err != nil {
		return nil, fmt.Errorf("ceremony log: %w: %w", err, shamir.ErrEncoding)
	}
	return l, nil
}

func (e *entry) read(r *wire.Reader, n, t int) {
	flags := r.U8()
	if flags >= hasAck<<1 {
		r.Fail(fmt.Errorf("entry flags %#x: %w", flags, wire.ErrMalformed))
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
	if flags&hasAck != 0 {
		a, err := parseAck(r.Raw(ackSize))
		if err != nil {
			r.Fail(err)
		}
		e.ack = &a
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
	for i := range l.entries {
		e := &l.entries[i]
		switch {
		case e.body != nil && (e.commit == nil || !l.passed(PhaseCommit)),
			e.evidence != nil && (e.body == nil || !l.passed(PhaseBundle)),
			e.ack != nil && !derived:
			return bad("entry of member %d in phase %s", i+1, l.phase)
		}
		if ev := e.evidence; ev != nil && (ev.accuser < 1 || int64(ev.accuser) > int64(l.N()) || ev.dispute.dealer != uint32(i+1) || ev.accuser == uint32(i+1)) {
			return bad("evidence against member %d", i+1)
		}
	}
	return nil
}

// Audit checks every commitment, proof and conviction of the log and derives the
// committee again: what an outsider does with an exported log.
func (l *Log) Audit() error {
	c := l.Clone()
	for i := range c.entries {
		e, index := &c.entries[i], uint32(i+1)
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
	recorded := c.committee.Digest()
	if err := c.derive(); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if c.committee.Digest() != recorded {
		return fmt.Errorf("audit: bundles make another committee: %w", ErrMessage)
	}
	for i := range c.entries {
		if a := c.entries[i].ack; a != nil {
			if err := c.checkAck(uint32(i+1), *a); err != nil {
				return fmt.Errorf("audit: acknowledgement of member %d: %w", i+1, err)
			}
		}
	}
	return nil
}
