package secagg

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

var (
	// ErrForeignMessage reports a round that holds something of this member which its seed
	// does not make: its store is not the one with which it began.
	ErrForeignMessage = errors.New("round holds another message of this member")
	// ErrInputFixed reports a second input. A mask serves once: two inputs under one mask
	// would tell their difference.
	ErrInputFixed = errors.New("another input was masked for this round already")
	// ErrSharersFixed reports other members to mask with than those with whom the input was
	// masked. The ledger has shown two histories; in the other one, what the masks rest on
	// may be given away.
	ErrSharersFixed = errors.New("the input was masked with other members already")
	// ErrSurvivorsFixed reports a second set of survivors. To answer for two of them would
	// give away both secrets of a member.
	ErrSurvivorsFixed = errors.New("shares were given for another set of survivors already")
)

// Participant is a member's secret side of one round. What it says follows from its seed
// and the round, but for the input; what must not be said twice in two ways it remembers,
// so its form (MarshalBinary) has to be kept before its messages go out. It redacts
// itself, and is not safe for concurrent use.
type Participant struct {
	index     uint32
	seed      [32]byte
	reader    ReaderKey
	round     [32]byte // the id; zero before the first step
	input     [32]byte // SHA-256 of the file; zero before there is one
	sharers   [32]byte // digest of those with whom it is masked; zero before
	survivors [32]byte // digest of the set that it answered for; zero before
}

// NewParticipant makes the member's side of one round. seed is 32 secret bytes, fresh for
// the round; whoever has them can read this member's input once the round is over, so they
// are erased then: the caller's copy, what MarshalBinary gave, and with Wipe this one.
// reader is the key of the sum.
func NewParticipant(index uint32, seed [32]byte, reader ReaderKey) (*Participant, error) {
	if index < 1 || index > shamir.MaxMembers {
		return nil, fmt.Errorf("member %d: %w", index, ErrNotMember)
	}
	return &Participant{index: index, seed: seed, reader: reader}, nil
}

// Index is the member's.
func (p *Participant) Index() uint32 { return p.index }

const (
	participantVersion = 1
	// ParticipantSize is the length of an encoded participant in bytes.
	ParticipantSize = 1 + 2 + 6*32
)

// MarshalBinary returns the secrets in clear, for an encrypted store only.
func (p *Participant) MarshalBinary() ([]byte, error) {
	w := wire.NewWriter(ParticipantSize)
	w.U8(participantVersion)
	w.U16(uint16(p.index))
	for _, h := range p.fields() {
		w.Raw(h[:])
	}
	return w.Bytes(), nil
}

// fields are those of 32 bytes in the order of the encoding, in their one place: what is
// copied cannot be wiped.
func (p *Participant) fields() []*[32]byte {
	return []*[32]byte{&p.seed, (*[32]byte)(&p.reader), &p.round, &p.input, &p.sharers, &p.survivors}
}

// Wipe overwrites the secrets, after which the participant has no part in any round. What
// was computed from them is left to the garbage collector.
func (p *Participant) Wipe() { *p = Participant{} }

// UnmarshalParticipant reads MarshalBinary's form.
func UnmarshalParticipant(b []byte) (*Participant, error) {
	r := wire.NewReader(b)
	version := r.U8()
	p := &Participant{index: uint32(r.U16())}
	for _, h := range p.fields() {
		r.Copy(h[:])
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("participant: %w: %w", err, shamir.ErrEncoding)
	}
	if version != participantVersion || p.index < 1 || p.index > shamir.MaxMembers {
		return nil, fmt.Errorf("participant %d of version %d: %w", p.index, version, shamir.ErrEncoding)
	}
	return p, nil
}

func (p *Participant) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "participant(%d, redacted)", p.index)
}
func (p *Participant) LogValue() slog.Value { return slog.GroupValue(slog.Any("index", p.index)) }
func (p *Participant) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"index":%d}`, p.index), nil
}

// Event is what the participant is told besides the round. The zero Event tells nothing.
type Event struct {
	// Input is the member's own, of the round's length and within its norm, in answer to
	// Effects.WantInput; numbers are int32 in two's complement. Making it may begin as soon
	// as the round is open.
	Input []uint32
	// Held are the members whose input files were fetched and passed Round.CheckFile, or
	// nil; the own one belongs to it.
	Held []uint32
	// Sum is Round.Judge of Round.Sum, in answer to Effects.WantSum.
	Sum *Result
}

// Effects are what the member should do now: keep State, durably and before all else,
// where it is not nil, together with File; then the rest, in any order.
type Effects struct {
	State     []byte    // MarshalBinary
	File      []byte    // the own input file, to be offered to all members; given once
	Post      []Message // to the ledger, again after a while until the round shows them
	WantInput bool      // the own input is due
	WantFiles []uint32  // the input files of these members are to be fetched and checked
	WantSum   bool      // the sum is to be computed and judged
}

// Step is idempotent: the same effects come again until the round shows that they were
// carried out. A message posted in vain is refused by the round and harmless. Errors wrap
// ErrNotMember, ErrReader, ErrForeignMessage, ErrInputFixed, ErrSharersFixed,
// ErrSurvivorsFixed or ErrNorm;
// they change nothing. It keeps decoded messages in r, so it may not share r with another
// goroutine.
func (p *Participant) Step(height uint64, r *Round, e Event) (Effects, error) {
	if err := p.attend(r); err != nil {
		return Effects{}, fmt.Errorf("participant %d: %w", p.index, err)
	}
	if height < r.since || r.last != 0 || r.Spoke(p.index, KindResult) {
		return Effects{}, nil
	}
	var out Effects
	var err error
	switch r.phase {
	case PhaseAdvertise:
		out, err = p.advertise(r)
	case PhaseShare:
		out, err = p.share(r)
	case PhaseDispute:
		out, err = p.disputes(r)
	default:
		if !r.sharers()[p.index-1] {
			return Effects{}, nil // it shared nothing, so it has no part any more
		}
		switch r.phase {
		case PhaseInput:
			out, err = p.give(r, e)
		case PhaseConfirm:
			out = p.confirm(height, r, e)
		case PhaseUnmask:
			out, err = p.unmask(r)
		case PhaseResult:
			if out.WantSum = e.Sum == nil; e.Sum != nil {
				out.Post = []Message{{KindResult, e.Sum.bytes()}}
			}
		}
	}
	if err != nil {
		return Effects{}, fmt.Errorf("participant %d: %w", p.index, err)
	}
	return out, nil
}

// attend checks that the round is the one of before, and that what it holds of this
// member is what this member says.
func (p *Participant) attend(r *Round) error {
	switch {
	case p.index == 0: // wiped
		return ErrNotMember
	case int64(p.index) > int64(len(r.entries)):
		return ErrNotMember
	case p.round != [32]byte{} && p.round != r.id:
		return fmt.Errorf("its secrets are of another round: %w", ErrNotMember)
	case p.reader.Commitment() != r.params.Reader:
		return ErrReader
	}
	e := &r.entries[p.index-1]
	if e.advert != nil && e.advert.key != p.boxKey(r.id) || e.input != nil && *e.input != p.input {
		return ErrForeignMessage
	}
	if p.sharers != [32]byte{} && r.passed(PhaseDispute) && p.sharers != r.sharersDigest() {
		return ErrSharersFixed
	}
	return nil
}
