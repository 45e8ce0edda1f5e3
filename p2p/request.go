package p2p

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	mss "github.com/multiformats/go-multistream"
)

// Protocol names a request/response protocol and its limits. Declare it once
// and give it to both Handle and Call: each side keeps the limits that concern
// it. A zero limit takes the default beside it.
type Protocol struct {
	ID          protocol.ID   // such as "/atelier/release/1"
	MaxRequest  int           // bytes of one request, default 64 KiB, at most 64 MiB
	MaxResponse int           // bytes of one answer, default 1 MiB, at most 64 MiB
	Timeout     time.Duration // for the whole exchange, on either side, default 10 s
	PerPeer     int           // requests of one peer served at a time, default 8
	Total       int           // requests served at a time in all, default 16 × PerPeer
	PeerRate    Rate          // at which one peer's requests are served, default without bound
	TotalRate   Rate          // the same for all together
}

func (p Protocol) withDefaults() Protocol {
	orElse := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orElse(&p.MaxRequest, 64<<10)
	orElse(&p.MaxResponse, 1<<20)
	orElse(&p.PerPeer, 8)
	orElse(&p.Total, 16*p.PerPeer)
	p.MaxRequest = min(p.MaxRequest, maxFrame)
	p.MaxResponse = min(p.MaxResponse, maxFrame)
	if p.Timeout <= 0 {
		p.Timeout = 10 * time.Second
	}
	return p
}

// Call sends one request and waits for the answer, at most until the
// protocol's timeout or the context ends. It uses an open connection, or dials
// the addresses in the peerstore. A refusal by the peer is a *RemoteError;
// without a connection the error is ErrUnreachable or ErrUnsupported.
func Call(ctx context.Context, h host.Host, to peer.ID, p Protocol, request []byte) ([]byte, error) {
	p = p.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	s, err := h.NewStream(ctx, to, p.ID)
	if err != nil {
		return nil, fmt.Errorf("call %s at %s: %w", p.ID, to, streamError(err))
	}
	return exchange(ctx, s, p, request)
}

// CallConn is Call over one given connection, and no other. It serves to ask a
// peer about the very connection at hand, for example whether the peer has
// restarted since another one was made.
func CallConn(ctx context.Context, c network.Conn, p Protocol, request []byte) ([]byte, error) {
	p = p.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	to := c.RemotePeer()
	s, err := c.NewStream(ctx)
	if err != nil {
		return nil, fmt.Errorf("call %s at %s: %w", p.ID, to, streamError(err))
	}
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	if err := mss.SelectProtoOrFail(p.ID, s); err != nil {
		s.Reset()
		return nil, fmt.Errorf("call %s at %s: %w", p.ID, to, streamError(err))
	}
	if err := s.SetProtocol(p.ID); err != nil {
		s.Reset()
		return nil, fmt.Errorf("call %s at %s: %w", p.ID, to, err)
	}
	return exchange(ctx, s, p, request)
}

// streamError classes a failure to open a stream.
func streamError(err error) error {
	var unsupported mss.ErrNotSupported[protocol.ID]
	if errors.As(err, &unsupported) {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// exchange writes the request and reads the response. Our side of the stream
// stays open until then: its reset tells the peer that nobody waits any more.
func exchange(ctx context.Context, s network.Stream, p Protocol, request []byte) ([]byte, error) {
	to := s.Conn().RemotePeer()
	if len(request) > p.MaxRequest {
		s.Reset()
		return nil, fmt.Errorf("call %s at %s: request of %d bytes, limit %d: %w", p.ID, to, len(request), p.MaxRequest, ErrTooLarge)
	}
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	reserve, release := reserving(s)
	defer release()

	// A peer that refuses early may stop reading; its reason still counts for
	// more than our failure to write.
	_, writeErr := s.Write(appendFrame(make([]byte, 0, lengthSize+len(request)), request))
	answer, err := readResponse(s, p.MaxResponse, reserve)
	var refusal *RemoteError
	switch {
	case err == nil:
		s.Close()
		return answer, nil
	case errors.As(err, &refusal):
		s.Close()
		refusal.Peer = to
		return nil, fmt.Errorf("call %s: %w", p.ID, refusal)
	}
	s.Reset()
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if writeErr != nil {
		err = streamError(writeErr)
	}
	return nil, fmt.Errorf("call %s at %s: %w", p.ID, to, err)
}

// reserving accounts for a stream's buffers in the resource manager, so that a
// peer's memory limit covers them. release gives everything back.
func reserving(s network.Stream) (reserve reserveFunc, release func()) {
	held := 0
	reserve = func(n int) error {
		if err := s.Scope().ReserveMemory(n, network.ReservationPriorityMedium); err != nil {
			return err
		}
		held += n
		return nil
	}
	return reserve, func() { s.Scope().ReleaseMemory(held) }
}
