package p2p

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Verdict is what a validator makes of a message.
type Verdict int

const (
	// Accept delivers the message and passes it on.
	Accept Verdict = iota
	// Ignore drops the message without blame: it is late, early or of no use
	// here. It stays dropped for GossipConfig.SeenFor, so whatever may become
	// valid later has to be sent again in a new round.
	Ignore
	// Reject drops the message and holds it against the peer that brought it.
	// Only for what every honest member would reject too: provable garbage.
	Reject
)

// String names the verdict.
func (v Verdict) String() string {
	switch v {
	case Accept:
		return "accept"
	case Ignore:
		return "ignore"
	case Reject:
		return "reject"
	}
	return fmt.Sprintf("verdict %d", int(v))
}

// Codec turns values into bytes and back. Decode must fail on anything that
// Encode does not produce; a message whose value encodes to other bytes is
// rejected in any case.
type Codec[T any] struct {
	Encode func(T) ([]byte, error)
	Decode func([]byte) (T, error)
}

// Message is a validated message.
type Message[T any] struct {
	Author peer.ID // who signed it
	Via    peer.ID // who brought it; this host for its own
	Round  uint64  // see WithRounds
	Value  T
}

// Topic is a joined topic whose messages are of type T.
type Topic[T any] struct {
	gossip *Gossip
	topic  *pubsub.Topic
	codec  Codec[T]
	rounds rounds
}

type rounds struct {
	current       func() uint64
	behind, ahead uint64
}

// TopicOption adjusts a topic.
type TopicOption func(*rounds)

// WithRounds puts the current round, such as the ledger's height divided by
// some interval, in front of each message. The same value of the same author
// is delivered once per round: so an author can send it again for those who
// missed it or could not use it yet. Messages more than behind rounds old or
// ahead rounds early are ignored, which ends replays.
func WithRounds(current func() uint64, behind, ahead uint64) TopicOption {
	return func(r *rounds) { *r = rounds{current, behind, ahead} }
}

const roundSize = 8

// within reports whether a round is one to listen to.
func (r rounds) within(round uint64) bool {
	now := r.current()
	if round > now {
		return round-now <= r.ahead
	}
	return now-round <= r.behind
}

// validationTime bounds one validation, so that a stuck one frees its place.
const validationTime = 10 * time.Second

// Join joins a topic. validate sees only messages whose author passed
// GossipConfig.Author and signed them, decoded; from is the author. It runs
// concurrently with itself and decides what reaches subscribers and neighbours,
// for own messages too. A panic in the codec or in validate rejects.
//
// A topic can be joined once per Gossip.
func Join[T any](g *Gossip, name string, codec Codec[T], validate func(ctx context.Context, from peer.ID, value T) Verdict, options ...TopicOption) (*Topic[T], error) {
	if !slices.Contains(g.config.Topics, name) {
		return nil, fmt.Errorf("join %s: %w", name, ErrUndeclaredTopic)
	}
	t := &Topic[T]{gossip: g, codec: codec, rounds: rounds{current: func() uint64 { return 0 }}}
	for _, o := range options {
		o(&t.rounds)
	}
	check := func(ctx context.Context, via peer.ID, m *pubsub.Message) (result pubsub.ValidationResult) {
		author := m.GetFrom()
		defer func() {
			if r := recover(); r != nil {
				g.config.Failed(name, author, fmt.Errorf("validator panicked: %v\n%s", r, debug.Stack()))
				result = pubsub.ValidationReject
			}
		}()
		if !g.config.Author(author) { // may have changed since the message queued
			return pubsub.ValidationIgnore
		}
		round, value, err := t.decode(m.GetData())
		if err != nil {
			g.config.Failed(name, author, err)
			return pubsub.ValidationReject
		}
		if !t.rounds.within(round) {
			return pubsub.ValidationIgnore
		}
		switch validate(ctx, author, value) {
		case Accept:
			m.ValidatorData = Message[T]{Author: author, Via: via, Round: round, Value: value}
			return pubsub.ValidationAccept
		case Ignore:
			return pubsub.ValidationIgnore
		default:
			return pubsub.ValidationReject
		}
	}
	if err := g.pubsub.RegisterTopicValidator(name, check, pubsub.WithValidatorTimeout(validationTime)); err != nil {
		return nil, fmt.Errorf("join %s: %w", name, err)
	}
	joined, err := g.pubsub.Join(name)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("join %s: %w", name, err), g.pubsub.UnregisterTopicValidator(name))
	}
	t.topic = joined
	return t, nil
}

// decode takes a message apart and checks that it is the one encoding of its
// value.
func (t *Topic[T]) decode(data []byte) (round uint64, value T, err error) {
	if len(data) < roundSize || len(data)-roundSize > t.gossip.config.MaxMessage {
		return 0, value, fmt.Errorf("message of %d bytes: %w", len(data), ErrMalformed)
	}
	round, payload := binary.BigEndian.Uint64(data), data[roundSize:]
	if value, err = t.codec.Decode(payload); err != nil {
		return 0, value, fmt.Errorf("decode: %w", err)
	}
	again, err := t.codec.Encode(value)
	if err != nil {
		return 0, value, fmt.Errorf("encode again: %w", err)
	}
	if !bytes.Equal(again, payload) {
		return 0, value, fmt.Errorf("not the canonical encoding: %w", ErrMalformed)
	}
	return round, value, nil
}

// Publish validates and sends a value to the members, and to this node's own
// subscribers. Publishing the same value again in the same round sends nothing
// and succeeds. With no peer connected it succeeds too: gossip has no
// acknowledgement. The error is ErrRejected when the topic's own validator does
// not accept the value, and ErrTooLarge past GossipConfig.MaxMessage.
func (t *Topic[T]) Publish(ctx context.Context, value T) error {
	payload, err := t.codec.Encode(value)
	if err != nil {
		return fmt.Errorf("publish on %s: %w", t.Name(), err)
	}
	if limit := t.gossip.config.MaxMessage; len(payload) > limit {
		return fmt.Errorf("publish on %s: %d bytes, limit %d: %w", t.Name(), len(payload), limit, ErrTooLarge)
	}
	if err := t.gossip.ctx.Err(); err != nil {
		return fmt.Errorf("publish on %s: %w", t.Name(), ErrClosed)
	}
	data := binary.BigEndian.AppendUint64(make([]byte, 0, roundSize+len(payload)), t.rounds.current())
	err = t.topic.Publish(ctx, append(data, payload...))
	var invalid pubsub.ValidationError
	if errors.As(err, &invalid) {
		err = fmt.Errorf("%w: %s", ErrRejected, invalid.Reason)
	}
	if err != nil {
		return fmt.Errorf("publish on %s: %w", t.Name(), err)
	}
	return nil
}

// Name returns the topic's name.
func (t *Topic[T]) Name() string { return t.topic.String() }

// Peers returns the connected peers that are on the topic too, in order of
// their identifiers.
func (t *Topic[T]) Peers() []peer.ID {
	ids := t.topic.ListPeers()
	slices.Sort(ids)
	return ids
}

// Close leaves the topic. It fails while subscriptions are open.
func (t *Topic[T]) Close() error {
	if t.gossip.ctx.Err() != nil {
		return nil // left with the gossip itself
	}
	if err := t.topic.Close(); err != nil {
		return fmt.Errorf("leave %s: %w", t.Name(), err)
	}
	if err := t.gossip.pubsub.UnregisterTopicValidator(t.Name()); err != nil {
		return fmt.Errorf("leave %s: %w", t.Name(), err)
	}
	return nil
}

// Subscription delivers the messages of a topic.
type Subscription[T any] struct {
	gossip *Gossip
	sub    *pubsub.Subscription
}

// Subscribe starts delivery of the messages that are accepted from now on, own
// ones included. What nobody takes in time is dropped once GossipConfig.Queue
// messages wait. Members who join late ask for history by request.
func (t *Topic[T]) Subscribe() (*Subscription[T], error) {
	sub, err := t.topic.Subscribe(pubsub.WithBufferSize(t.gossip.config.Queue))
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", t.Name(), err)
	}
	return &Subscription[T]{t.gossip, sub}, nil
}

// Next waits for the next message. The error is ErrClosed after Close of the
// subscription or of the gossip, or the context's.
func (s *Subscription[T]) Next(ctx context.Context) (Message[T], error) {
	// A subscription does not end with its pubsub by itself.
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.gossip.ctx, cancel)()
	m, err := s.sub.Next(waiting)
	if err != nil {
		if ctx.Err() == nil {
			err = ErrClosed
		}
		return Message[T]{}, fmt.Errorf("next on %s: %w", s.sub.Topic(), err)
	}
	return m.ValidatorData.(Message[T]), nil // set by the validator of every accepted message
}

// Close ends the subscription.
func (s *Subscription[T]) Close() { s.sub.Cancel() }
