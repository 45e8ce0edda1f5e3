package p2p

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	mocknet "github.com/libp2p/go-libp2p/p2p/net/mock"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/stretchr/testify/require"
)

const testTopic = "/atelier/test/word/1"

// words carries lower case text; "PANIC" makes its decoder panic, and upper
// case decodes but is not how it encodes.
var words = Codec[string]{
	Encode: func(s string) ([]byte, error) { return []byte(strings.ToLower(s)), nil },
	Decode: func(b []byte) (string, error) {
		switch s := string(b); {
		case s == "PANIC":
			panic("decoder")
		case strings.HasPrefix(s, "garbage"):
			return "", errors.New("not a word")
		default:
			return s, nil
		}
	},
}

// judge gives the verdict that a word begins with.
func judge(_ context.Context, _ peer.ID, word string) Verdict {
	switch {
	case strings.HasPrefix(word, "reject"):
		return Reject
	case strings.HasPrefix(word, "ignore"):
		return Ignore
	case strings.HasPrefix(word, "panic"):
		panic("validator")
	}
	return Accept
}

// gossiper is one peer of a simulated network.
type gossiper struct {
	host.Host
	gossip *Gossip
	topic  *Topic[string]

	mu    sync.Mutex // guards heard
	heard []Message[string]
}

// words returns what a gossiper heard from others, in order.
func (g *gossiper) words() (all []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.heard {
		if m.Author != g.ID() {
			all = append(all, m.Value)
		}
	}
	return all
}

const testLatency = 20 * time.Millisecond

// simulation is a network of peers on links of 20 ms, inside a bubble.
type simulation struct {
	mocknet.Mocknet
	peers []*gossiper
}

// join adds a host with the n-th identity, linked to and connected with some.
func (s *simulation) join(t *testing.T, n int, to ...peer.ID) host.Host {
	h, err := s.AddPeer(testKey(t, uint64(n)), ma.StringCast(fmt.Sprintf("/ip4/10.0.0.%d/tcp/4001", n)))
	require.NoError(t, err)
	for _, id := range to {
		_, err := s.LinkPeers(h.ID(), id)
		require.NoError(t, err)
		_, err = s.ConnectPeers(h.ID(), id)
		require.NoError(t, err)
	}
	return h
}

// simulate starts n gossiping peers with identities 1 to n, each connected to
// the one before, or to all.
func simulate(t *testing.T, n int, line bool, config GossipConfig, options ...TopicOption) *simulation {
	s := &simulation{Mocknet: mocknet.New()}
	s.SetLinkDefaults(mocknet.LinkOptions{Latency: testLatency})
	var readers sync.WaitGroup
	config.Topics = []string{testTopic}
	for i := range n {
		var to []peer.ID
		for j := range i {
			if !line || j == i-1 {
				to = append(to, testID(t, uint64(j+1)))
			}
		}
		p := &gossiper{Host: s.join(t, i+1, to...)}
		s.peers = append(s.peers, p)
		var err error
		p.gossip, err = NewGossip(p, config)
		require.NoError(t, err)
		p.topic, err = Join(p.gossip, testTopic, words, judge, options...)
		require.NoError(t, err)
		sub, err := p.topic.Subscribe()
		require.NoError(t, err)
		readers.Go(func() {
			for {
				m, err := sub.Next(context.Background())
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
				p.mu.Lock()
				p.heard = append(p.heard, m)
				p.mu.Unlock()
			}
		})
	}
	t.Cleanup(func() {
		for _, p := range s.peers {
			require.NoError(t, p.gossip.Close())
		}
		readers.Wait()
		require.NoError(t, s.Close())
		pass(time.Minute) // for what libp2p ends by timers of its own
	})
	pass(5 * time.Second)
	return s
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// hostile is a member, or not, that gossips by rules of its own.
type hostile struct {
	host.Host
	topic *pubsub.Topic
}

// joinHostile adds identity 99, connected to everybody.
func (s *simulation) joinHostile(t *testing.T) hostile {
	var all []peer.ID
	for _, p := range s.peers {
		all = append(all, p.ID())
	}
	h := s.join(t, 99, all...)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	ps, err := pubsub.NewGossipSub(ctx, h, pubsub.WithMessageIdFn(messageID), pubsub.WithFloodPublish(true), pubsub.WithPeerOutboundQueueSize(4096))
	require.NoError(t, err)
	topic, err := ps.Join(testTopic)
	require.NoError(t, err)
	_, err = topic.Subscribe()
	require.NoError(t, err)
	for i := range 200 { // topics nobody asked for
		spam, err := ps.Join(fmt.Sprintf("/spam/%d", i))
		require.NoError(t, err)
		_, err = spam.Subscribe()
		require.NoError(t, err)
	}
	pass(5 * time.Second)
	return hostile{h, topic}
}

func (h hostile) shout(t *testing.T, round uint64, payload string) {
	h.send(t, string(binary.BigEndian.AppendUint64(nil, round))+payload)
}

func (h hostile) send(t *testing.T, data string) {
	require.NoError(t, h.topic.Publish(context.Background(), []byte(data)))
}

func TestAMessageReachesEveryMemberAlongALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peers := simulate(t, 4, true, GossipConfig{}).peers
		require.NoError(t, peers[0].topic.Publish(t.Context(), "dusk"))
		pass(3 * testLatency)
		for _, p := range peers[1:] {
			require.Equal(t, []string{"dusk"}, p.words())
			require.Equal(t, peers[0].ID(), p.heard[0].Author)
		}
		require.Equal(t, peers[2].ID(), peers[3].heard[0].Via)
		require.Equal(t, peers[0].ID(), peers[0].heard[0].Via, "own messages come back")
		require.Equal(t, []peer.ID{peers[1].ID()}, peers[0].topic.Peers())
	})
}

func TestVerdictsDecideWhatTravelsAndWhoIsBlamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peers := simulate(t, 3, true, GossipConfig{}).peers
		for _, word := range []string{"reject this", "ignore this", "panic", "garbage", "PANIC"} {
			err := peers[0].topic.Publish(t.Context(), word)
			if word == "PANIC" { // encodes as "panic"
				word = "panic"
			}
			require.ErrorIs(t, err, ErrRejected, word)
		}
		require.NoError(t, peers[0].topic.Publish(t.Context(), "accept"))
		pass(time.Second)
		require.Equal(t, []string{"accept"}, peers[2].words())
		for _, s := range peers[1].gossip.Scores() {
			require.Zero(t, s.Rejected)
			require.GreaterOrEqual(t, s.Score, 0.0)
		}
	})
}

func TestAHostileMemberIsNotHeardForLong(t *testing.T) {
	for name, payloads := range map[string]func(i int) string{
		"the validator rejects":    func(i int) string { return fmt.Sprintf("reject %d", i) },
		"the validator panics":     func(i int) string { return fmt.Sprintf("panic %d", i) },
		"the decoder fails":        func(i int) string { return fmt.Sprintf("garbage %d", i) },
		"the encoding is not ours": func(i int) string { return fmt.Sprintf("UPPER %d", i) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var failures atomic.Int32
				s := simulate(t, 2, false, GossipConfig{Failed: func(string, peer.ID, error) { failures.Add(1) }})
				net, bad := s.peers, s.joinHostile(t)
				bad.shout(t, 0, "accept me")
				pass(time.Second)
				require.Equal(t, []string{"accept me"}, net[0].words(), "at first it is heard")

				for i := range 6 {
					bad.shout(t, 0, payloads(i))
					pass(2 * time.Second)
				}
				bad.shout(t, 0, "accept me again")
				pass(time.Second)
				require.Equal(t, []string{"accept me"}, net[0].words())
				score := scoreOf(t, net[0].gossip, testID(t, 99))
				require.True(t, score.Muted(), "%+v", score)
				require.InDelta(t, 6, score.Rejected, 0.1)
				if name != "the validator rejects" {
					require.GreaterOrEqual(t, int(failures.Load()), 6)
				}
				require.NoError(t, net[0].topic.Publish(t.Context(), "we go on"))
				pass(time.Second)
				require.Contains(t, net[1].words(), "we go on")
			})
		})
	}
}

func TestStrangersCostLittleAndMuteThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		members := NewRoster(testID(t, 1), testID(t, 2), testID(t, 3))
		s := simulate(t, 3, false, GossipConfig{Author: members.Has})
		stranger := s.joinHostile(t)
		const waves = 9
		for i := range waves {
			for j := range 100 {
				stranger.shout(t, 0, fmt.Sprintf("accept %d %d", i, j))
			}
			require.NoError(t, s.peers[i%3].topic.Publish(t.Context(), fmt.Sprintf("honest %d", i)))
			pass(100 * time.Millisecond)
		}
		pass(time.Second)
		for i, p := range s.peers {
			for j := range waves {
				if j%3 != i {
					require.Contains(t, p.words(), fmt.Sprintf("honest %d", j))
				}
			}
			require.Len(t, p.heard, waves)
		}
		pass(time.Minute) // until the rest of the flood is through the links
		for _, p := range s.peers {
			score := scoreOf(t, p.gossip, stranger.ID())
			require.True(t, score.Muted(), "%+v", score)
			require.InDelta(t, 100*waves, score.Strangers, 10*waves)
			require.Zero(t, score.Rejected)
		}

		// What it did is forgotten after some hours, and who becomes a member is heard.
		members.Add(stranger.ID())
		pass(3 * time.Hour)
		stranger.shout(t, 0, "accept me now")
		pass(time.Second)
		for _, p := range s.peers {
			require.Contains(t, p.words(), "accept me now")
		}
	})
}

func TestStrangersAndOversizedMessagesAreDroppedBeforeTheirSignatureIsLookedAt(t *testing.T) {
	members := NewRoster(testID(t, 1))
	g := &Gossip{config: GossipConfig{Author: members.Has, MaxMessage: 10}, strangers: strangerCount{seen: map[peer.ID]strangers{}}}
	message := func(author uint64, size int) *pb.Message {
		return &pb.Message{From: []byte(testID(t, author)), Data: make([]byte, size)}
	}
	good := message(1, roundSize+10)
	packet := &pubsub.RPC{RPC: pb.RPC{Publish: []*pb.Message{message(2, 10), good, message(1, roundSize+11), {}}}}
	require.NoError(t, g.inspect(testID(t, 3), packet))
	require.Equal(t, []*pb.Message{good}, packet.Publish)
	require.InDelta(t, -2, g.strangers.score(testID(t, 3)), 0.01)
}

func TestTheSameWordIsHeardOncePerRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var height atomic.Uint64
		height.Store(100)
		s := simulate(t, 2, false, GossipConfig{}, WithRounds(height.Load, 2, 1))
		bad := s.joinHostile(t)
		speaker, listener := s.peers[0], s.peers[1]
		for range 3 {
			require.NoError(t, speaker.topic.Publish(t.Context(), "dusk"))
			pass(time.Second)
		}
		require.Equal(t, []string{"dusk"}, listener.words())
		height.Store(101)
		require.NoError(t, speaker.topic.Publish(t.Context(), "dusk"))
		pass(time.Second)
		require.Equal(t, []string{"dusk", "dusk"}, listener.words())
		require.Equal(t, uint64(101), listener.heard[1].Round)

		for round, heard := range map[uint64]bool{98: false, 99: true, 101: true, 102: true, 103: false, 1<<64 - 1: false, 0: false} {
			word := fmt.Sprintf("round %d", round)
			bad.shout(t, round, word)
			pass(time.Second)
			require.Equal(t, heard, slices.Contains(listener.words(), word), word)
		}
		require.Zero(t, scoreOf(t, listener.gossip, bad.ID()).Rejected, "late and early are nobody's fault")
	})
}

func TestAnIgnoredMessageIsHeardInALaterRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Identity 2 does not know the request yet when the approval arrives.
		var known atomic.Bool
		var height atomic.Uint64
		s := &simulation{Mocknet: mocknet.New()}
		s.SetLinkDefaults(mocknet.LinkOptions{Latency: testLatency})
		a, b := s.join(t, 1), host.Host(nil)
		b = s.join(t, 2, a.ID())
		var topics []*Topic[string]
		for _, h := range []host.Host{a, b} {
			g, err := NewGossip(h, GossipConfig{Topics: []string{testTopic}})
			require.NoError(t, err)
			defer pass(time.Minute)
			defer g.Close()
			topic, err := Join(g, testTopic, words, func(context.Context, peer.ID, string) Verdict {
				if h == b && !known.Load() {
					return Ignore
				}
				return Accept
			}, WithRounds(height.Load, 9, 9))
			require.NoError(t, err)
			topics = append(topics, topic)
		}
		defer s.Close()
		sub, err := topics[1].Subscribe()
		require.NoError(t, err)
		pass(5 * time.Second)

		require.NoError(t, topics[0].Publish(t.Context(), "approve"))
		pass(time.Second)
		known.Store(true)
		require.NoError(t, topics[0].Publish(t.Context(), "approve"))
		pass(time.Second)
		height.Store(1)
		require.NoError(t, topics[0].Publish(t.Context(), "approve"))
		m, err := sub.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, uint64(1), m.Round, "the first round is over for this message")
	})
}

func TestOversizedMessagesAreRefusedAtBothEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, 2, false, GossipConfig{MaxMessage: 1000})
		bad := s.joinHostile(t)
		fits, tooLong := strings.Repeat("a", 1000), strings.Repeat("b", 1001)
		require.NoError(t, s.peers[0].topic.Publish(t.Context(), fits))
		require.ErrorIs(t, s.peers[0].topic.Publish(t.Context(), tooLong), ErrTooLarge)
		bad.shout(t, 0, tooLong)
		bad.send(t, "short")
		bad.send(t, "")
		bad.shout(t, 0, "accept")
		pass(time.Second)
		require.True(t, slices.Equal([]string{fits, "accept"}, s.peers[1].words()))
		bad.send(t, strings.Repeat("c", 100_000)) // past what a packet may be
		pass(time.Second)
		require.NoError(t, s.peers[0].topic.Publish(t.Context(), "dusk"))
		pass(time.Second)
		require.True(t, slices.Equal([]string{fits, "accept", "dusk"}, s.peers[1].words()))
	})
}

func TestABurstArrivesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, 4, false, GossipConfig{})
		const burst = 300
		for i := range burst {
			require.NoError(t, s.peers[i%4].topic.Publish(t.Context(), fmt.Sprintf("word %d", i)))
		}
		pass(2 * time.Second)
		for _, p := range s.peers {
			require.Len(t, p.heard, burst)
		}
	})
}

func TestUndeclaredTopicsStayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, 2, false, GossipConfig{})
		s.joinHostile(t)
		g := s.peers[0].gossip
		require.Empty(t, g.pubsub.ListPeers("/spam/1"), "their subscriptions are not even remembered")
		_, err := Join(g, "/atelier/other/1", words, judge)
		require.ErrorIs(t, err, ErrUndeclaredTopic)
		_, err = Join(g, testTopic, words, judge)
		require.ErrorContains(t, err, testTopic, "joined already")
	})
}

func TestATopicCanBeLeftAndJoinedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &simulation{Mocknet: mocknet.New()}
		h := s.join(t, 1)
		g, err := NewGossip(h, GossipConfig{Topics: []string{testTopic}})
		require.NoError(t, err)
		defer func() {
			g.Close()
			s.Close()
			pass(time.Minute)
		}()
		for _, word := range []string{"once", "again"} {
			topic, err := Join(g, testTopic, words, judge)
			require.NoError(t, err)
			sub, err := topic.Subscribe()
			require.NoError(t, err)
			require.NoError(t, topic.Publish(t.Context(), word))
			m, err := sub.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, Message[string]{Author: h.ID(), Via: h.ID(), Value: word}, m)
			canceled, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = sub.Next(canceled)
			require.ErrorIs(t, err, context.Canceled)
			sub.Close()
			_, err = sub.Next(t.Context())
			require.ErrorIs(t, err, ErrClosed)
			synctest.Wait()
			require.NoError(t, topic.Close())
		}
		topic, err := Join(g, testTopic, words, judge)
		require.NoError(t, err)
		require.NoError(t, g.Close())
		require.ErrorIs(t, topic.Publish(t.Context(), "nobody"), ErrClosed)
		require.NoError(t, topic.Close())
	})
}

func TestMessageIdentityDependsOnEveryField(t *testing.T) {
	base := func() *pb.Message {
		topic := testTopic
		return &pb.Message{From: []byte("author"), Topic: &topic, Data: []byte("data"), Seqno: []byte{1}}
	}
	id := messageID(base())
	other := base()
	other.Seqno = []byte{2}
	require.Equal(t, id, messageID(other), "a new sequence number is not a new message")
	for _, change := range []func(*pb.Message){
		func(m *pb.Message) { m.From = []byte("authora") },
		func(m *pb.Message) { m.Data = []byte("dat"); m.From = []byte("authora") },
		func(m *pb.Message) { *m.Topic += "d"; m.Data = []byte("ata") },
		func(m *pb.Message) { m.Data = nil },
	} {
		m := base()
		change(m)
		require.NotEqual(t, id, messageID(m))
	}
}

func TestNoRewardOutweighsOneRejectedMessage(t *testing.T) {
	params, thresholds := scoreParams([]string{"a", "b", "c", "d", "e", "f", "g", "h"}, time.Minute, func(peer.ID) float64 { return 0 })
	reward := 0.0
	for _, p := range params.Topics {
		reward += p.TopicWeight * (p.TimeInMeshWeight*p.TimeInMeshCap + p.FirstMessageDeliveriesWeight*p.FirstMessageDeliveriesCap)
		require.Zero(t, p.MeshMessageDeliveriesWeight)
	}
	reward = min(reward, params.TopicScoreCap)
	penalty := func(rejected float64) float64 { return -topicWeight * invalidWeight * rejected * rejected }
	require.Less(t, reward, penalty(1))
	require.Less(t, reward-penalty(6), thresholds.GraylistThreshold, "six mute the best of peers")
	require.Greater(t, -penalty(2), thresholds.GossipThreshold, "two do not silence a peer with nothing to show")
}

func scoreOf(t *testing.T, g *Gossip, id peer.ID) PeerScore {
	for _, s := range g.Scores() {
		if s.Peer == id {
			return s
		}
	}
	t.Fatalf("no score of %s", id)
	return PeerScore{}
}

func FuzzGossipMessage(f *testing.F) {
	f.Add(append(make([]byte, roundSize), "dusk"...))
	f.Add([]byte("short"))
	f.Add(append(make([]byte, roundSize), "UPPER"...))
	f.Add(append(make([]byte, roundSize), "garbage"...))
	topic := &Topic[string]{gossip: &Gossip{config: GossipConfig{MaxMessage: 100}}, codec: words}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasSuffix(data, []byte("PANIC")) {
			return
		}
		round, value, err := topic.decode(data)
		if err != nil {
			return
		}
		payload, err := words.Encode(value)
		require.NoError(t, err)
		require.LessOrEqual(t, len(payload), 100)
		require.Equal(t, data, append(binary.BigEndian.AppendUint64(nil, round), payload...))
	})
}
