package p2p

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// GossipConfig says what a node gossips about, and with whom. Zero values take
// the default beside them.
type GossipConfig struct {
	// Topics are the names of all topics that will ever be joined, such as
	// "/atelier/CHAIN/approval/1". Subscriptions of others to anything else are
	// ignored. Required.
	Topics []string

	// Author reports whether a peer may publish: the members. Messages of
	// others are dropped before their signature is looked at. It is called
	// often and concurrently, and may change its mind. Nil lets everybody.
	Author func(peer.ID) bool

	// MaxMessage is the length of an encoded message in bytes, default 64 KiB.
	MaxMessage int

	// Queue is how many messages may wait for validation, for each subscriber,
	// and for each peer to be sent; beyond it they are dropped. Default 1024,
	// at least 256.
	Queue int

	// SeenFor is how long a message is remembered and not delivered again,
	// default 2 min. See WithRounds for sending something again sooner.
	SeenFor time.Duration

	// Heartbeat is the pace of mesh upkeep, default 1 s.
	Heartbeat time.Duration

	// Failed, if not nil, hears of each message that did not decode, and of
	// each panic in a codec or validator, for the log.
	Failed func(topic string, author peer.ID, err error)
}

// envelopeRoom is what a message needs beside its payload: round, author,
// sequence number, topic and signature.
const envelopeRoom = 4 << 10

const minQueue = 256

func (c GossipConfig) withDefaults() (GossipConfig, error) {
	if len(c.Topics) == 0 {
		return c, errors.New("gossip: no topics declared")
	}
	for _, name := range c.Topics {
		if name == "" || len(name) > 256 {
			return c, fmt.Errorf("gossip: topic %q: want 1 to 256 bytes", name)
		}
	}
	if c.Author == nil {
		c.Author = func(peer.ID) bool { return true }
	}
	if c.MaxMessage <= 0 {
		c.MaxMessage = 64 << 10
	}
	if c.Queue <= 0 {
		c.Queue = 1024
	}
	c.Queue = max(c.Queue, minQueue)
	if c.SeenFor <= 0 {
		c.SeenFor = 2 * time.Minute
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = time.Second
	}
	if c.Failed == nil {
		c.Failed = func(string, peer.ID, error) {}
	}
	return c, nil
}

// Gossip is one node's part in the gossip of the network. Safe for concurrent
// use.
type Gossip struct {
	config    GossipConfig
	host      host.Host
	pubsub    *pubsub.PubSub
	ctx       context.Context
	cancel    context.CancelFunc
	strangers strangerCount

	mu     sync.Mutex // guards what follows
	scores []PeerScore
}

// NewGossip starts gossiping on a host. Peers that are connected already are
// taken in.
func NewGossip(h host.Host, c GossipConfig) (*Gossip, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	g := &Gossip{config: c, host: h, ctx: ctx, cancel: cancel, strangers: strangerCount{seen: map[peer.ID]strangers{}}}

	mesh := pubsub.DefaultGossipSubParams()
	mesh.D, mesh.Dlo, mesh.Dhi, mesh.Dlazy, mesh.Dscore, mesh.Dout = 8, 6, 12, 12, 6, 3 // lotus
	mesh.HeartbeatInterval = c.Heartbeat
	score, thresholds := scoreParams(c.Topics, c.SeenFor, g.strangers.score)
	g.pubsub, err = pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubParams(mesh),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictSign),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(c.MaxMessage+envelopeRoom),
		pubsub.WithSeenMessagesTTL(c.SeenFor),
		pubsub.WithValidateQueueSize(c.Queue),
		pubsub.WithPeerOutboundQueueSize(c.Queue),
		pubsub.WithFloodPublish(true),
		pubsub.WithAppSpecificRpcInspector(g.inspect),
		pubsub.WithSubscriptionFilter(pubsub.WrapLimitSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(c.Topics...), 100)),
		pubsub.WithPeerScore(score, thresholds),
		pubsub.WithPeerScoreInspect(pubsub.ExtendedPeerScoreInspectFn(g.keepScores), c.Heartbeat),
	)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("gossip: %w", err)
	}
	return g, nil
}

// Close stops gossiping. Topics and subscriptions end with it.
func (g *Gossip) Close() error {
	g.cancel()
	return nil
}

// inspect drops messages of strangers and oversized ones before anything
// costly, the signature included, is done with them. What else came in the same
// packet is kept.
func (g *Gossip) inspect(from peer.ID, rpc *pubsub.RPC) error {
	rpc.Publish = slices.DeleteFunc(rpc.Publish, func(m *pb.Message) bool {
		stranger := !g.config.Author(peer.ID(m.GetFrom()))
		if stranger {
			g.strangers.add(from)
		}
		return stranger || len(m.GetData()) > roundSize+g.config.MaxMessage
	})
	return nil
}

// messageID makes two messages one when author, topic and data, with the round
// in front, are the same.
func messageID(m *pb.Message) string {
	h := sha256.New()
	for _, field := range [][]byte{[]byte("atelier/gossip/v1"), m.GetFrom(), []byte(m.GetTopic()), m.GetData()} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(field))))
		h.Write(field)
	}
	return string(h.Sum(nil)[:20])
}
