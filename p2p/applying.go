package p2p

import (
	"context"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// The two requests by which a newcomer applies to a network that runs, through the
// member that invited it, and learns how it stands. Messages are encoded like those
// of a founding; what an application is, is not this package's matter. Refusals are
// those of a founding too.
//
// The rates are far above what newcomers ask that want to come in, who ask about every
// second, even if as many came as a network has seats for. Whoever asks more often is
// refused until it has waited, and the others are served.
var (
	ApplyProtocol = Protocol{ID: "/atelier/member/apply/1", MaxRequest: 2 * MaxRecord, MaxResponse: MaxWelcome, Timeout: 60 * time.Second, PerPeer: 2, Total: 16,
		PeerRate: Rate{Burst: 16, Every: time.Second}, TotalRate: Rate{Burst: 256, Every: 20 * time.Millisecond}}
	StandingProtocol = Protocol{ID: "/atelier/member/standing/1", MaxRequest: 64, MaxResponse: 1 << 10, Timeout: 10 * time.Second, PerPeer: 2, Total: 32,
		PeerRate: Rate{Burst: 16, Every: 500 * time.Millisecond}, TotalRate: Rate{Burst: 256, Every: 5 * time.Millisecond}}
)

// MaxWelcome is the most bytes of the answer to an application: the founding document
// and where the members are reached.
const MaxWelcome = MaxGenesis + 1<<20

// ApplyRequest hands over an application. The newcomer's identity is that of the
// connection. The answer is what the inviter has to tell it, opaque here.
type ApplyRequest struct {
	_           struct{} `cbor:",toarray"`
	Token       Token
	Genesis     [32]byte // of the network that the newcomer wants to join
	Application []byte   // 1 to MaxRecord bytes
}

// StandingRequest asks how the asking identity stands.
type StandingRequest struct {
	_       struct{} `cbor:",toarray"`
	Genesis [32]byte
}

// StandingResponse tells it.
type StandingResponse struct {
	_      struct{} `cbor:",toarray"`
	Height uint64   // of the ledger that says so
	Member uint64   // its number; 0 for somebody who never was one, or applies
	Left   bool     // it was a member, and does not apply again
	Votes  uint64   // for its application, as long as Until is not past
	Needed uint64   // votes that admit it
	Until  uint64   // last height for votes; 0 when none are taken
}

// Encode returns the request in its one encoding.
func (r ApplyRequest) Encode() []byte { return encodeWire(r) }

// DecodeApply reads an ApplyRequest in its one encoding.
func DecodeApply(raw []byte) (r ApplyRequest, err error) {
	if err := decodeWire(raw, &r); err != nil {
		return ApplyRequest{}, err
	}
	if n := len(r.Application); n < 1 || n > MaxRecord {
		return ApplyRequest{}, fmt.Errorf("%w: application of %d bytes, want 1 to %d", ErrMalformed, n, MaxRecord)
	}
	return r, nil
}

// Apply sends an application to the member that made an invitation.
func Apply(ctx context.Context, h host.Host, to peer.ID, r ApplyRequest) ([]byte, error) {
	raw, err := callAgain(ctx, h, to, ApplyProtocol, r.Encode())
	return raw, refusal(err)
}

// AskStanding asks a member how this host stands.
func AskStanding(ctx context.Context, h host.Host, to peer.ID, genesis [32]byte) (r StandingResponse, err error) {
	raw, err := callAgain(ctx, h, to, StandingProtocol, encodeWire(StandingRequest{Genesis: genesis}))
	if err == nil {
		err = decodeWire(raw, &r)
	}
	return r, refusal(err)
}

// refusal puts the reason before a final refusal.
func refusal(err error) error {
	if reason, final := foundingErrors[CodeOf(err)]; final {
		return fmt.Errorf("%w: %w", reason, err)
	}
	return err
}

// HandleStanding answers AskStanding. of tells how a peer stands.
func HandleStanding(h host.Host, genesis [32]byte, of func(peer.ID) (StandingResponse, error), failed func(peer.ID, error)) *Service {
	return Handle(h, StandingProtocol, func(_ context.Context, from peer.ID, raw []byte) ([]byte, error) {
		var r StandingRequest
		if err := decodeWire(raw, &r); err != nil {
			return nil, Refuse(CodeMalformed, "%v", err)
		}
		if r.Genesis != genesis {
			return nil, Refuse(CodeWrongCharter, "this is another network")
		}
		s, err := of(from)
		if err != nil {
			return nil, err
		}
		return encodeWire(s), nil
	}, failed)
}
