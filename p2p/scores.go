package p2p

import (
	"math"
	"slices"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Below these scores a peer gets no gossip, no messages, no hearing. The
// constants are lotus's. One rejected message costs invalidWeight × topicWeight
// = 100, two 400, three 900, and six nobody's ear for hours.
const (
	gossipThreshold   = -500
	publishThreshold  = -1000
	graylistThreshold = -2500

	topicWeight   = 0.1
	invalidWeight = -1000
	deliveryCap   = 100

	// Per message of a stranger that a peer passes on, while it is remembered.
	strangerWeight = 5
)

// scoreParams weighs what peers do. Rewards are capped far below the price of
// a single rejected message, so that nobody can buy a right to misbehave. Mesh
// delivery penalties are off: in a network of tens they punish the honest. So
// are penalties for a shared address: members are known by their keys.
func scoreParams(topics []string, seenFor time.Duration, app func(peer.ID) float64) (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	p := &pubsub.PeerScoreParams{
		Topics:            map[string]*pubsub.TopicScoreParams{},
		TopicScoreCap:     50,
		AppSpecificScore:  app,
		AppSpecificWeight: strangerWeight,

		BehaviourPenaltyThreshold: 6,
		BehaviourPenaltyWeight:    -10,
		BehaviourPenaltyDecay:     pubsub.ScoreParameterDecay(time.Hour),

		DecayInterval: pubsub.DefaultDecayInterval,
		DecayToZero:   pubsub.DefaultDecayToZero,
		RetainScore:   6 * time.Hour,
		SeenMsgTTL:    seenFor,
	}
	for _, name := range topics {
		p.Topics[name] = &pubsub.TopicScoreParams{
			TopicWeight:       topicWeight,
			TimeInMeshWeight:  1.0 / 3600, // 1 after an hour
			TimeInMeshQuantum: time.Second,
			TimeInMeshCap:     3600,

			FirstMessageDeliveriesWeight: 0.5,
			FirstMessageDeliveriesDecay:  pubsub.ScoreParameterDecay(10 * time.Minute),
			FirstMessageDeliveriesCap:    deliveryCap,

			InvalidMessageDeliveriesWeight: invalidWeight,
			InvalidMessageDeliveriesDecay:  pubsub.ScoreParameterDecay(time.Hour),
		}
	}
	return p, &pubsub.PeerScoreThresholds{
		GossipThreshold:             gossipThreshold,
		PublishThreshold:            publishThreshold,
		GraylistThreshold:           graylistThreshold,
		AcceptPXThreshold:           1000,
		OpportunisticGraftThreshold: 3.5,
	}
}

// PeerScore is how gossip rates a peer and why. Counters decay with time.
type PeerScore struct {
	Peer      peer.ID
	Score     float64 // below -2500 the peer is not heard any more
	Delivered float64 // messages it was the first to bring, all topics
	Rejected  float64 // messages that were rejected, all topics
	Behaviour float64 // breaches of the gossip protocol
	Strangers float64 // messages of strangers it passed on
}

// Muted reports whether the peer is not heard any more.
func (s PeerScore) Muted() bool { return s.Score < graylistThreshold }

// Scores returns how the known peers stand, in order of their identifiers, as
// of the last heartbeat.
func (g *Gossip) Scores() []PeerScore {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.scores)
}

func (g *Gossip) keepScores(all map[peer.ID]*pubsub.PeerScoreSnapshot) {
	scores := make([]PeerScore, 0, len(all))
	for id, s := range all {
		score := PeerScore{Peer: id, Score: s.Score, Behaviour: s.BehaviourPenalty, Strangers: -s.AppSpecificScore}
		for _, t := range s.Topics {
			score.Delivered += t.FirstMessageDeliveries
			score.Rejected += t.InvalidMessageDeliveries
		}
		scores = append(scores, score)
	}
	slices.SortFunc(scores, func(a, b PeerScore) int { return cmpID(a.Peer, b.Peer) })
	g.mu.Lock()
	defer g.mu.Unlock()
	g.scores = scores
}

// strangerCount counts, per forwarding peer, messages whose author is no
// member; half of them are forgotten every ten minutes. A peer that learns of
// a new member a moment before us passes on a few; a flood of hundreds mutes
// its source.
type strangerCount struct {
	mu   sync.Mutex // guards seen
	seen map[peer.ID]strangers
}

type strangers struct {
	count float64
	at    time.Time
}

const strangersHalfLife = 10 * time.Minute

func (s strangers) after(now time.Time) float64 {
	return s.count * math.Exp2(-float64(now.Sub(s.at))/float64(strangersHalfLife))
}

func (c *strangerCount) add(from peer.ID) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) > 1024 { // forget those long quiet before remembering more
		for id, s := range c.seen {
			if s.after(now) < 1 {
				delete(c.seen, id)
			}
		}
	}
	c.seen[from] = strangers{count: c.seen[from].after(now) + 1, at: now}
}

func (c *strangerCount) score(id peer.ID) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return -c.seen[id].after(time.Now())
}
