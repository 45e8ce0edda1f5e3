package p2p

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Why a founder, or a member that invites, refuses a newcomer. At the newcomer
// these wrap the other's *RemoteError.
var (
	ErrWrongCharter  = errors.New("the invitation is to another network")
	ErrWrongToken    = errors.New("whoever made the invitation does not know it, or no longer")
	ErrTokenUsed     = errors.New("the invitation was used by somebody else")
	ErrFoundingFull  = errors.New("all seats are taken")
	ErrRegistered    = errors.New("this identity has registered with another token or record")
	ErrBadRecord     = errors.New("the member record is refused")
	ErrNotRegistered = errors.New("this identity has not registered")
)

// Codes of the founding protocol.
const (
	CodeWrongCharter Code = CodeProtocol + iota
	CodeWrongToken
	CodeTokenUsed
	CodeFull
	CodeRegistered
	CodeBadRecord
	CodeNotRegistered
)

var foundingErrors = map[Code]error{
	CodeWrongCharter: ErrWrongCharter, CodeWrongToken: ErrWrongToken, CodeTokenUsed: ErrTokenUsed, CodeFull: ErrFoundingFull,
	CodeRegistered: ErrRegistered, CodeBadRecord: ErrBadRecord, CodeNotRegistered: ErrNotRegistered,
}

// MaxSeats is the largest number of founding members.
const MaxSeats = 255

// FoundingConfig says which network is founded. All fields are required except
// Registered and Check.
type FoundingConfig struct {
	Charter [32]byte // hash of the charter
	Seats   int      // members to gather, the founder included, 1 to MaxSeats
	Founder peer.ID
	Record  []byte // the founder's own member record, for seat 1

	// Tokens are the invitations already given out. See TokenIssued for more.
	Tokens []Token

	// Registered resumes a founding: what MemberRegistered told before, in order
	// of seats, without the founder.
	Registered []Registration

	// Check, if not nil, refuses a member record with a reason that the
	// newcomer is told.
	Check func(from peer.ID, record []byte) error
}

// Registration is a member's seat. Record means nothing to this package.
type Registration struct {
	Seat   int // from 1, the founder's
	Peer   peer.ID
	Record []byte
	Token  Token // zero for the founder
}

// FoundingEvent is what happens to a founder: one of TokenIssued, JoinAsked,
// GenesisAsked and GenesisReady.
type FoundingEvent interface{ foundingEvent() }

type (
	// TokenIssued adds an invitation.
	TokenIssued struct{ Token Token }
	// JoinAsked is a newcomer's request. From is proved by the connection.
	JoinAsked struct {
		From    peer.ID
		Request JoinRequest
	}
	// GenesisAsked is a member's request for the genesis document.
	GenesisAsked struct {
		From    peer.ID
		Charter [32]byte
	}
	// GenesisReady hands over the genesis document made from all records.
	GenesisReady struct{ Document []byte }
)

func (TokenIssued) foundingEvent()  {}
func (JoinAsked) foundingEvent()    {}
func (GenesisAsked) foundingEvent() {}
func (GenesisReady) foundingEvent() {}

// FoundingEffect is what a founder does: one of AnswerJoin, AnswerGenesis,
// MemberRegistered and SeatsTaken.
type FoundingEffect interface{ foundingEffect() }

type (
	// AnswerJoin answers a JoinAsked. A non-nil Err is a *RemoteError.
	AnswerJoin struct {
		To       peer.ID
		Response JoinResponse
		Err      error
	}
	// AnswerGenesis answers a GenesisAsked. A non-nil Err is a *RemoteError, with
	// CodeNotYet while seats are empty.
	AnswerGenesis struct {
		To       peer.ID
		Document []byte
		Err      error
	}
	// MemberRegistered reports a seat newly taken. It comes before the answer to
	// the newcomer: store it, so that the founder keeps its word after a crash.
	MemberRegistered struct{ Registration Registration }
	// SeatsTaken reports, once, that all seats are taken: make the genesis
	// document of these, in order of seats, and hand it over by GenesisReady.
	SeatsTaken struct{ Registrations []Registration }
)

func (AnswerJoin) foundingEffect()       {}
func (AnswerGenesis) foundingEffect()    {}
func (MemberRegistered) foundingEffect() {}
func (SeatsTaken) foundingEffect()       {}

// Founding is the founder's side: it gathers the records of those who show a
// token, one seat for each, and hands out the genesis document made of them.
// Asking again with the same token and record gives the same seat. It is pure
// and must be called from one goroutine at a time.
type Founding struct {
	config  FoundingConfig
	tokens  map[[32]byte]peer.ID // hash of a token → who used it, "" when nobody
	members []Registration       // in order of seats
	genesis []byte
}

// NewFounding opens a founding with the founder on seat 1. One that is full
// from the start, see Full, reports no SeatsTaken.
func NewFounding(c FoundingConfig) (*Founding, error) {
	if c.Seats < 1 || c.Seats > MaxSeats {
		return nil, fmt.Errorf("founding: %d seats, want 1 to %d", c.Seats, MaxSeats)
	}
	if err := c.Founder.Validate(); err != nil {
		return nil, fmt.Errorf("founding: founder: %w", err)
	}
	f := &Founding{config: c, tokens: map[[32]byte]peer.ID{}}
	for _, t := range c.Tokens {
		f.tokens[sha256.Sum256(t[:])] = ""
	}
	if err := f.checkRecord(c.Founder, c.Record); err != nil {
		return nil, fmt.Errorf("founding: founder's record: %w", err)
	}
	f.seat(c.Founder, c.Record, Token{})
	for i, r := range c.Registered {
		switch {
		case len(f.members) == c.Seats:
			return nil, fmt.Errorf("founding: %d registrations for %d seats", 1+len(c.Registered), c.Seats)
		case r.Seat != i+2:
			return nil, fmt.Errorf("founding: registration %d has seat %d, want %d", i, r.Seat, i+2)
		case f.member(r.Peer) != nil:
			return nil, fmt.Errorf("founding: %s is registered twice", r.Peer)
		}
		f.tokens[sha256.Sum256(r.Token[:])] = r.Peer
		f.seat(r.Peer, r.Record, r.Token)
	}
	return f, nil
}

// Step takes in an event and returns what to do, in order. The answer, if any,
// comes after MemberRegistered.
func (f *Founding) Step(event FoundingEvent) []FoundingEffect {
	switch e := event.(type) {
	case TokenIssued:
		if hash := sha256.Sum256(e.Token[:]); f.tokens[hash] == "" {
			f.tokens[hash] = ""
		}
	case JoinAsked:
		return f.join(e.From, e.Request)
	case GenesisAsked:
		return []FoundingEffect{f.answerGenesis(e)}
	case GenesisReady:
		if f.genesis == nil && f.Full() {
			f.genesis = bytes.Clone(e.Document)
		}
	}
	return nil
}

func (f *Founding) join(from peer.ID, r JoinRequest) []FoundingEffect {
	refuse := func(code Code, format string, args ...any) []FoundingEffect {
		return []FoundingEffect{AnswerJoin{To: from, Err: Refuse(code, format, args...)}}
	}
	if r.Charter != f.config.Charter {
		return refuse(CodeWrongCharter, "this network's charter has another hash")
	}
	hash := sha256.Sum256(r.Token[:])
	if m := f.member(from); m != nil {
		if m.Peer == f.config.Founder || sha256.Sum256(m.Token[:]) != hash || !bytes.Equal(m.Record, r.Record) {
			return refuse(CodeRegistered, "this identity holds seat %d, by another token or record", m.Seat)
		}
		return []FoundingEffect{f.answerJoin(*m)}
	}
	usedBy, known := f.tokens[hash]
	switch {
	case !known:
		return refuse(CodeWrongToken, "unknown token")
	case usedBy != "":
		return refuse(CodeTokenUsed, "another member joined with this invitation")
	case f.Full():
		return refuse(CodeFull, "all %d seats are taken", f.config.Seats)
	}
	if err := f.checkRecord(from, r.Record); err != nil {
		return refuse(CodeBadRecord, "%v", err)
	}
	f.tokens[hash] = from
	m := f.seat(from, bytes.Clone(r.Record), r.Token)
	effects := []FoundingEffect{MemberRegistered{m}, f.answerJoin(m)}
	if f.Full() {
		effects = append(effects, SeatsTaken{f.Registrations()})
	}
	return effects
}

func (f *Founding) checkRecord(from peer.ID, record []byte) error {
	if len(record) == 0 || len(record) > MaxRecord {
		return fmt.Errorf("member record of %d bytes, want 1 to %d", len(record), MaxRecord)
	}
	if f.config.Check == nil {
		return nil
	}
	return f.config.Check(from, record)
}

func (f *Founding) seat(id peer.ID, record []byte, t Token) Registration {
	m := Registration{Seat: len(f.members) + 1, Peer: id, Record: record, Token: t}
	f.members = append(f.members, m)
	return m
}

func (f *Founding) answerJoin(m Registration) FoundingEffect {
	return AnswerJoin{To: m.Peer, Response: JoinResponse{Seat: uint64(m.Seat), Have: uint64(len(f.members)), Want: uint64(f.config.Seats)}}
}

func (f *Founding) answerGenesis(e GenesisAsked) FoundingEffect {
	a := AnswerGenesis{To: e.From}
	switch {
	case e.Charter != f.config.Charter:
		a.Err = Refuse(CodeWrongCharter, "this network's charter has another hash")
	case f.member(e.From) == nil:
		a.Err = Refuse(CodeNotRegistered, "join first")
	case f.genesis == nil:
		a.Err = Refuse(CodeNotYet, "%d of %d members have joined", len(f.members), f.config.Seats)
	default:
		a.Document = f.genesis
	}
	return a
}

// member finds the registration of a peer.
func (f *Founding) member(id peer.ID) *Registration {
	for i := range f.members {
		if f.members[i].Peer == id {
			return &f.members[i]
		}
	}
	return nil
}

// Full reports whether all seats are taken.
func (f *Founding) Full() bool { return len(f.members) == f.config.Seats }

// Registrations returns the seats taken so far, in order.
func (f *Founding) Registrations() []Registration { return slices.Clone(f.members) }
