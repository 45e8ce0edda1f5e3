package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Handler answers one request. from is proved by the secured connection. The
// context ends with the protocol's timeout, when the caller gives up, and with
// the service. An error made by Refuse travels to the caller as it is; of any
// other error the caller learns only that there was one. A panic becomes such
// an error.
type Handler func(ctx context.Context, from peer.ID, request []byte) ([]byte, error)

// Service answers the requests of one protocol on one host.
type Service struct {
	host   host.Host
	proto  Protocol
	answer Handler
	failed func(peer.ID, error)
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	total  int
	peers  map[peer.ID]int
	pace   pace
}

// Handle serves a protocol on a host until the service is closed. failed, if
// not nil, hears of each request that ended in an error, for the log.
func Handle(h host.Host, p Protocol, answer Handler, failed func(from peer.ID, err error)) *Service {
	if failed == nil {
		failed = func(peer.ID, error) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Service{
		host: h, proto: p.withDefaults(), answer: answer, failed: failed,
		ctx: ctx, cancel: cancel, peers: map[peer.ID]int{}, pace: pace{each: p.PeerRate, total: p.TotalRate},
	}
	h.SetStreamHandler(p.ID, s.serve)
	return s
}

// Close stops accepting requests, cancels those in progress and returns when
// the last handler has returned.
func (s *Service) Close() error {
	s.mu.Lock()
	already := s.closed
	s.closed = true
	s.mu.Unlock()
	if !already {
		s.host.RemoveStreamHandler(s.proto.ID)
		s.cancel()
	}
	s.wait.Wait()
	return nil
}

// enter takes a place for one request of a peer.
func (s *Service) enter(from peer.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.peers[from] >= s.proto.PerPeer:
		return Refuse(CodeBusy, "%d requests of yours are in progress", s.peers[from])
	case s.total >= s.proto.Total:
		return Refuse(CodeBusy, "%d requests are in progress", s.total)
	}
	if err := s.pace.pass(from, time.Now()); err != nil {
		return err
	}
	s.total++
	s.peers[from]++
	s.wait.Add(1)
	return nil
}

func (s *Service) leave(from peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if s.peers[from]--; s.peers[from] == 0 {
		delete(s.peers, from)
	}
	s.wait.Done()
}

func (s *Service) serve(stream network.Stream) {
	from := stream.Conn().RemotePeer()
	// One deadline for the whole exchange: trickling bytes does not move it.
	if err := stream.SetDeadline(time.Now().Add(s.proto.Timeout)); err != nil {
		stream.Reset()
		return
	}
	if err := s.enter(from); err != nil {
		s.refuse(stream, from, err)
		return
	}
	defer s.leave(from)
	reserve, release := reserving(stream)
	defer release()

	// The reset stands in for the deadline where streams have none, and ends
	// the exchange with the service.
	whole, cancelWhole := context.WithTimeout(s.ctx, s.proto.Timeout)
	defer cancelWhole()
	stop := context.AfterFunc(whole, func() { stream.Reset() })
	defer stop()
	ctx, cancel := context.WithTimeout(whole, s.proto.Timeout/10*9) // leaves time to say so
	defer cancel()
	request, err := readFrame(stream, s.proto.MaxRequest, reserve)
	if err != nil {
		switch {
		case errors.Is(err, ErrTooLarge):
			err = Refuse(CodeTooLarge, "%v", err)
		case errors.Is(err, network.ErrResourceLimitExceeded):
			err = Refuse(CodeBusy, "out of memory for requests of yours")
		default: // late or broken: no answer, and no way to send on
			s.failed(from, fmt.Errorf("%s: read request: %w", s.proto.ID, err))
			stream.Reset()
			return
		}
		s.refuse(stream, from, err)
		return
	}

	// The caller sends nothing more; while we work, a reset means that it has
	// stopped waiting.
	var watch sync.WaitGroup
	watch.Go(func() {
		if n, err := stream.Read(make([]byte, 1)); n > 0 || err != nil && !errors.Is(err, io.EOF) {
			cancel()
		}
	})
	answer, err := s.run(ctx, from, request)
	stream.CloseRead()
	watch.Wait()
	if err == nil && len(answer) > s.proto.MaxResponse {
		err = fmt.Errorf("answer of %d bytes, limit %d: %w", len(answer), s.proto.MaxResponse, ErrTooLarge)
	}
	if err != nil {
		s.refuse(stream, from, err)
		return
	}
	out := make([]byte, 0, 1+lengthSize+len(answer))
	if _, err := stream.Write(appendFrame(append(out, statusAnswer), answer)); err != nil {
		s.failed(from, fmt.Errorf("%s: write answer: %w", s.proto.ID, err))
		stream.Reset()
		return
	}
	stream.Close()
}

// run calls the handler and turns a panic into an error.
func (s *Service) run(ctx context.Context, from peer.ID, request []byte) (answer []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			answer, err = nil, fmt.Errorf("handler panicked: %v\n%s", r, debug.Stack())
		}
	}()
	return s.answer(ctx, from, request)
}

// refuse tells the caller what it may know of err and ends the stream.
func (s *Service) refuse(stream network.Stream, from peer.ID, err error) {
	s.failed(from, fmt.Errorf("%s: %w", s.proto.ID, err))
	var refusal *RemoteError
	switch {
	case errors.Is(err, ErrClosed):
		stream.Reset()
		return
	case errors.As(err, &refusal):
	case errors.Is(err, context.DeadlineExceeded):
		refusal = &RemoteError{Code: CodeTimeout}
	case errors.Is(err, ErrTooLarge):
		refusal = &RemoteError{Code: CodeTooLarge}
	default:
		refusal = &RemoteError{Code: CodeInternal}
	}
	if refusal.Peer != "" { // another peer's words are not ours to pass on
		refusal = &RemoteError{Code: CodeInternal}
	}
	if _, err := stream.Write(appendRefusal(nil, refusal)); err != nil {
		stream.Reset()
		return
	}
	stream.CloseRead()
	stream.Close()
}
