package p2p

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
)

// FoundingService runs a Founding on a host.
type FoundingService struct {
	services []*Service
	store    func(Registration) error
	taken    chan struct{} // closed when all seats are

	mu       sync.Mutex // guards what follows
	founding *Founding
	unstored []Registration
	full     bool // and all stored: taken is closed
}

// ServeFounding answers newcomers until it is closed. store, called with one
// registration at a time and before the newcomer hears of it, makes it last; if
// it fails the newcomer is told to ask again. failed is as for Handle.
func ServeFounding(h host.Host, f *Founding, store func(Registration) error, failed func(peer.ID, error)) *FoundingService {
	s := &FoundingService{founding: f, store: store, taken: make(chan struct{})}
	if f.Full() {
		s.full = true
		close(s.taken)
	}
	s.services = []*Service{
		Handle(h, JoinProtocol, func(_ context.Context, from peer.ID, raw []byte) ([]byte, error) {
			var r JoinRequest
			if err := decodeWire(raw, &r); err != nil {
				return nil, Refuse(CodeMalformed, "%v", err)
			}
			return s.step(JoinAsked{From: from, Request: r})
		}, failed),
		Handle(h, GenesisProtocol, func(_ context.Context, from peer.ID, raw []byte) ([]byte, error) {
			var r GenesisRequest
			if err := decodeWire(raw, &r); err != nil {
				return nil, Refuse(CodeMalformed, "%v", err)
			}
			return s.step(GenesisAsked{From: from, Charter: r.Charter})
		}, failed),
	}
	return s
}

// step performs an event and returns the answer among its effects, if any.
func (s *FoundingService) step(e FoundingEvent) (answer []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, effect := range s.founding.Step(e) {
		switch f := effect.(type) {
		case AnswerJoin:
			if err = f.Err; err == nil {
				answer = encodeWire(f.Response)
			}
		case AnswerGenesis:
			answer, err = f.Document, f.Err
		case MemberRegistered:
			s.unstored = append(s.unstored, f.Registration)
		}
	}
	for len(s.unstored) > 0 {
		if err := s.store(s.unstored[0]); err != nil {
			return nil, fmt.Errorf("store registration of seat %d: %w", s.unstored[0].Seat, err)
		}
		s.unstored = s.unstored[1:]
	}
	if s.founding.Full() && !s.full {
		s.full = true
		close(s.taken)
	}
	return answer, err
}

// Issue makes one more token valid.
func (s *FoundingService) Issue(t Token) { s.step(TokenIssued{t}) }

// Taken waits until all seats are taken and returns who sits there, in order.
func (s *FoundingService) Taken(ctx context.Context) ([]Registration, error) {
	select {
	case <-s.taken:
		return s.Registrations(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Registrations returns the seats taken so far, in order.
func (s *FoundingService) Registrations() []Registration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.founding.Registrations()
}

// Publish hands out the genesis document from now on.
func (s *FoundingService) Publish(document []byte) { s.step(GenesisReady{document}) }

// Close stops answering.
func (s *FoundingService) Close() error {
	var errs []error
	for _, one := range s.services {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// JoinNetwork registers with the founder of an invitation and returns the seat
// and the genesis document once all seats are taken. It tries until the context
// ends or the founder refuses, and reports on the way if progress is not nil.
func JoinNetwork(ctx context.Context, h host.Host, c JoiningConfig, progress func(Waiting)) (Joined, error) {
	founder := c.Invitation.Inviter
	h.Peerstore().AddAddrs(founder.ID, founder.Addrs, peerstore.PermanentAddrTTL)
	var (
		joining = NewJoining(c)
		start   = time.Now()
		events  = []JoiningEvent{Tick{}}
		wake    = time.NewTimer(0)
	)
	defer wake.Stop()
	for {
		for len(events) > 0 {
			next := events[0]
			events = events[1:]
			for _, effect := range joining.Step(time.Since(start), next) {
				switch f := effect.(type) {
				case AskJoin:
					var answer JoinAnswered
					raw, err := callAgain(ctx, h, founder.ID, JoinProtocol, encodeWire(f.Request))
					if answer.Err = err; err == nil {
						answer.Err = decodeWire(raw, &answer.Response)
					}
					events = append(events, answer)
				case AskGenesis:
					raw, err := callAgain(ctx, h, founder.ID, GenesisProtocol, encodeWire(f.Request))
					events = append(events, GenesisAnswered{Document: raw, Err: err})
				case WakeAt:
					wake.Reset(f.At - time.Since(start))
				case Waiting:
					if progress != nil {
						progress(f)
					}
				case Joined:
					return f, nil
				case JoinFailed:
					return Joined{}, f.Err
				}
			}
		}
		select {
		case <-ctx.Done():
			return Joined{}, ctx.Err()
		case <-wake.C:
			events = append(events, Tick{})
		}
	}
}

// callAgain is Call without the swarm's own back-off after failed dials: the
// caller keeps one.
func callAgain(ctx context.Context, h host.Host, to peer.ID, p Protocol, request []byte) ([]byte, error) {
	clearBackoff(h, to)
	return Call(ctx, h, to, p, request)
}
