package p2p

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
)

// FoundingService runs a Founding on a host.
type FoundingService struct {
	services []*Service
	notify   func(FoundingEffect)

	mu       sync.Mutex // guards founding, and orders notify
	founding *Founding
}

// ServeFounding answers newcomers until it is closed. notify hears of each
// MemberRegistered, before the newcomer does, and of SeatsTaken, one at a time;
// it must not call the service back. failed is as for Handle.
func ServeFounding(h host.Host, f *Founding, notify func(FoundingEffect), failed func(peer.ID, error)) *FoundingService {
	s := &FoundingService{founding: f, notify: notify}
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
		default:
			s.notify(f)
		}
	}
	return answer, err
}

// Issue makes one more token valid.
func (s *FoundingService) Issue(t Token) { s.step(TokenIssued{t}) }

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
	founder := c.Invitation.Founder
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
