package p2p

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	mocknet "github.com/libp2p/go-libp2p/p2p/net/mock"
	"github.com/stretchr/testify/require"
)

var echo = Protocol{ID: "/test/echo/1", MaxRequest: 1 << 20, MaxResponse: 1 << 20, Timeout: patience}

func answerEcho(_ context.Context, _ peer.ID, r []byte) ([]byte, error) { return r, nil }

// pair is two connected hosts.
func pair(t testing.TB, transport func(*Config)) (client, server *Host) {
	t.Helper()
	client, server = testHost(t, 1, transport), testHost(t, 2, transport)
	connect(t, client, server)
	return client, server
}

// handle serves until the test ends.
func handle(t testing.TB, h host.Host, p Protocol, answer Handler) *Service {
	t.Helper()
	s := Handle(h, p, answer, nil)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestARequestIsAnswered(t *testing.T) {
	for name, transport := range map[string]func(*Config){"TCP": onlyTCP, "QUIC": onlyQUIC} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, transport)
			handle(t, server, echo, func(_ context.Context, from peer.ID, r []byte) ([]byte, error) {
				require.Equal(t, client.ID(), from)
				return r, nil
			})
			for _, size := range []int{0, 1, firstBuffer, firstBuffer + 1, 1 << 20} {
				request := bytes.Repeat([]byte{7}, size)
				got, err := Call(within(t), client, server.ID(), echo, request)
				require.NoError(t, err)
				require.True(t, bytes.Equal(request, got), "%d bytes", size)
			}
			conn := client.Network().ConnsToPeer(server.ID())[0]
			got, err := CallConn(within(t), conn, echo, []byte("over this one"))
			require.NoError(t, err)
			require.Equal(t, "over this one", string(got))
		})
	}
}

func TestWhatARequestCanMeet(t *testing.T) {
	client, server := pair(t, onlyQUIC)
	small := Protocol{ID: "/test/what/1", MaxRequest: 100, MaxResponse: 100, Timeout: patience}
	generous := Protocol{ID: small.ID, MaxRequest: 1 << 20, MaxResponse: 1 << 20, Timeout: patience}
	secret := errors.New("the key is 42")
	handle(t, server, small, func(_ context.Context, _ peer.ID, r []byte) ([]byte, error) {
		switch string(r) {
		case "refuse":
			return nil, Refuse(CodeNotFound, "no work named %q \x1b[31m\u202e", "dusk")
		case "long":
			return nil, Refuse(CodeProtocol+7, "%s", strings.Repeat("é", 1000))
		case "internal":
			return nil, secret
		case "panic":
			panic("boom")
		case "large":
			return make([]byte, 101), nil
		case "relayed":
			return nil, &RemoteError{Peer: "somebody else", Code: CodeRefused, Message: "their words"}
		}
		return r, nil
	})
	call := func(p Protocol, request string) (*RemoteError, error) {
		_, err := Call(within(t), client, server.ID(), p, []byte(request))
		var refusal *RemoteError
		errors.As(err, &refusal)
		return refusal, err
	}

	t.Run("a refusal arrives with its code and a printable message", func(t *testing.T) {
		refusal, err := call(small, "refuse")
		require.Equal(t, &RemoteError{Peer: server.ID(), Code: CodeNotFound, Message: "no work named \"dusk\" \uFFFD[31m\uFFFD"}, refusal)
		require.ErrorContains(t, err, "not found: no work named")
		require.Equal(t, CodeNotFound, CodeOf(err))
	})
	t.Run("a long message is cut at a character", func(t *testing.T) {
		refusal, _ := call(small, "long")
		require.Equal(t, strings.Repeat("é", MaxErrorMessage/2), refusal.Message)
		require.Equal(t, CodeProtocol+7, refusal.Code)
	})
	t.Run("an internal error stays with the peer", func(t *testing.T) {
		refusal, err := call(small, "internal")
		require.Equal(t, CodeInternal, refusal.Code)
		require.NotContains(t, err.Error(), "42")
	})
	t.Run("a panic is an internal error", func(t *testing.T) {
		refusal, err := call(small, "panic")
		require.Equal(t, CodeInternal, refusal.Code)
		require.NotContains(t, err.Error(), "boom")
	})
	t.Run("another peer's refusal is not passed on", func(t *testing.T) {
		refusal, _ := call(small, "relayed")
		require.Equal(t, &RemoteError{Peer: server.ID(), Code: CodeInternal}, refusal)
	})
	t.Run("a request over the limit is not sent", func(t *testing.T) {
		refusal, err := call(small, strings.Repeat("x", 101))
		require.Nil(t, refusal)
		require.ErrorIs(t, err, ErrTooLarge)
	})
	t.Run("a request over the server's limit is refused", func(t *testing.T) {
		refusal, err := call(generous, strings.Repeat("x", 1<<20))
		require.NotNil(t, refusal, "%v", err)
		require.Equal(t, CodeTooLarge, refusal.Code)
	})
	t.Run("an answer over the server's limit is refused", func(t *testing.T) {
		refusal, _ := call(small, "large")
		require.Equal(t, CodeTooLarge, refusal.Code)
	})
	t.Run("a protocol that is not spoken", func(t *testing.T) {
		_, err := call(Protocol{ID: "/test/nothing/1", Timeout: patience}, "")
		require.ErrorIs(t, err, ErrUnsupported)
		_, err = CallConn(within(t), client.Network().ConnsToPeer(server.ID())[0], Protocol{ID: "/test/nothing/1", Timeout: patience}, nil)
		require.ErrorIs(t, err, ErrUnsupported)
	})
	t.Run("a peer without an address", func(t *testing.T) {
		_, err := Call(within(t), client, testID(t, 9), small, nil)
		require.ErrorIs(t, err, ErrUnreachable)
	})
	t.Run("after all that the service still answers", func(t *testing.T) {
		got, err := Call(within(t), client, server.ID(), small, []byte("hello"))
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
	})
}

func TestAnAnswerOverTheCallersLimitIsNotRead(t *testing.T) {
	client, server := pair(t, onlyTCP)
	handle(t, server, Protocol{ID: "/test/large/1", MaxResponse: 1 << 20, Timeout: patience}, func(context.Context, peer.ID, []byte) ([]byte, error) {
		return make([]byte, 1<<20), nil
	})
	_, err := Call(within(t), client, server.ID(), Protocol{ID: "/test/large/1", MaxResponse: 1000, Timeout: patience}, nil)
	require.ErrorIs(t, err, ErrTooLarge)
}

// allocated measures the heap that f allocates in bytes, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestALyingLengthHeaderCostsNoMemory(t *testing.T) {
	client, server := pair(t, onlyQUIC)
	// 60 streams, 300 bytes in all, announce 60 times 64 MiB.
	const n = 60
	p := Protocol{ID: "/test/attack/1", MaxRequest: 64 << 20, PerPeer: n, Timeout: patience}
	handle(t, server, p, answerEcho)
	var streams []network.Stream
	used := allocated(func() {
		for range n {
			s, err := client.NewStream(within(t), server.ID(), p.ID)
			require.NoError(t, err)
			_, err = s.Write([]byte{4, 0, 0, 0, 'x'})
			require.NoError(t, err)
			streams = append(streams, s)
		}
		eventually(t, func() bool {
			var stat network.ScopeStat
			server.Network().ResourceManager().ViewProtocol(p.ID, func(s network.ProtocolScope) error { stat = s.Stat(); return nil })
			return stat.NumStreamsInbound == n && stat.Memory == n*firstBuffer
		}, "the streams are not all being read, or their memory is not accounted for")
	})
	require.Less(t, used, uint64(32<<20), "bytes allocated for 300 bytes received")

	// One more is refused unread, whatever it announces.
	s, err := client.NewStream(within(t), server.ID(), p.ID)
	require.NoError(t, err)
	_, err = s.Write([]byte{255, 255, 255, 255})
	require.NoError(t, err)
	_, err = readResponse(s, 0, func(int) error { return nil })
	require.Equal(t, CodeBusy, CodeOf(err))
	for _, s := range streams {
		s.Reset()
	}
}

func TestALengthOverTheLimitIsRefusedBeforeTheBody(t *testing.T) {
	client, server := pair(t, onlyQUIC)
	handle(t, server, echo, answerEcho)
	s, err := client.NewStream(within(t), server.ID(), echo.ID)
	require.NoError(t, err)
	defer s.Reset()
	_, err = s.Write(binary.BigEndian.AppendUint32(nil, uint32(echo.MaxRequest)+1))
	require.NoError(t, err)
	_, err = readResponse(s, 0, func(int) error { return nil })
	require.Equal(t, CodeTooLarge, CodeOf(err))
}

func TestSlowSendersLoseTheirPlaceAtTheDeadline(t *testing.T) {
	for name, transport := range map[string]func(*Config){"TCP": onlyTCP, "QUIC": onlyQUIC} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, transport)
			p := Protocol{ID: "/test/slow/1", PerPeer: 2, Timeout: 400 * time.Millisecond}
			failures := make(chan error, 1000)
			service := Handle(server, p, answerEcho, func(_ peer.ID, err error) { failures <- err })
			defer service.Close()
			var wait sync.WaitGroup
			for range p.PerPeer {
				s, err := client.NewStream(within(t), server.ID(), p.ID)
				require.NoError(t, err)
				_, err = s.Write([]byte{0, 0, 0xff, 0})
				require.NoError(t, err)
				wait.Go(func() { // one byte now and then, until the other side has enough
					defer s.Reset()
					drip := time.NewTicker(20 * time.Millisecond)
					defer drip.Stop()
					for range drip.C {
						if _, err := s.Write([]byte{1}); err != nil {
							return
						}
					}
				})
			}
			for range p.PerPeer {
				require.ErrorContains(t, <-failures, "read request")
			}
			wait.Wait()
			require.Eventually(t, func() bool {
				_, err := Call(within(t), client, server.ID(), p, nil)
				return err == nil
			}, patience, 5*time.Millisecond, "their places did not come free")
		})
	}
}

func TestAPeerHasItsShareOfPlacesAndNoMore(t *testing.T) {
	p := Protocol{ID: "/test/places/1", PerPeer: 3, Total: 4, Timeout: patience}
	server := testHost(t, 9, onlyQUIC)
	release := make(chan struct{})
	running := make(chan peer.ID, 16)
	handle(t, server, p, func(_ context.Context, from peer.ID, _ []byte) ([]byte, error) {
		running <- from
		<-release
		return nil, nil
	})
	greedy, modest, late := testHost(t, 1, onlyQUIC), testHost(t, 2, onlyQUIC), testHost(t, 3, onlyQUIC)
	results := make(chan error, 16)
	ask := func(from *Host) {
		go func() {
			_, err := Call(within(t), from, server.ID(), p, nil)
			results <- err
		}()
	}
	for _, h := range []*Host{greedy, modest, late} {
		connect(t, h, server)
	}
	for range 5 {
		ask(greedy)
	}
	for range 3 {
		require.Equal(t, greedy.ID(), <-running)
	}
	for range 2 {
		require.Equal(t, CodeBusy, CodeOf(<-results))
	}
	ask(modest)
	require.Equal(t, modest.ID(), <-running, "others are served meanwhile")
	ask(late)
	require.Equal(t, CodeBusy, CodeOf(<-results), "until all places are taken")
	close(release)
	for range 4 {
		require.NoError(t, <-results)
	}
	_, err := Call(within(t), late, server.ID(), p, nil)
	require.NoError(t, err)
}

func TestAHandlerLearnsThatNobodyWaits(t *testing.T) {
	for name, transport := range map[string]func(*Config){"TCP": onlyTCP, "QUIC": onlyQUIC} {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, transport)
			started, ended := make(chan struct{}), make(chan error, 1)
			p := Protocol{ID: "/test/wait/1", Timeout: patience}
			s := Handle(server, p, func(ctx context.Context, _ peer.ID, _ []byte) ([]byte, error) {
				started <- struct{}{}
				<-ctx.Done()
				ended <- ctx.Err()
				return nil, ctx.Err()
			}, nil)

			ctx, giveUp := context.WithCancel(within(t))
			returned := make(chan error, 1)
			go func() {
				_, err := Call(ctx, client, server.ID(), p, nil)
				returned <- err
			}()
			<-started
			giveUp()
			require.ErrorIs(t, <-returned, context.Canceled)
			require.ErrorIs(t, <-ended, context.Canceled)

			go func() {
				_, err := Call(within(t), client, server.ID(), p, nil)
				returned <- err
			}()
			<-started
			require.NoError(t, s.Close(), "returns only when the handler has")
			require.ErrorIs(t, <-ended, context.Canceled)
			require.Error(t, <-returned)
			_, err := Call(within(t), client, server.ID(), p, nil)
			require.Error(t, err)
		})
	}
}

func TestALateHandlerTimesOutOnBothSides(t *testing.T) {
	client, server := pair(t, onlyQUIC)
	p := Protocol{ID: "/test/late/1", Timeout: 300 * time.Millisecond}
	handle(t, server, p, func(ctx context.Context, _ peer.ID, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	patient := p
	patient.Timeout = patience
	var err error
	require.Eventually(t, func() bool { // a tenth of its time is left to say so: on a slow machine that may pass too
		_, err = Call(within(t), client, server.ID(), patient, nil)
		return CodeOf(err) == CodeTimeout
	}, patience, time.Millisecond)

	silent := Protocol{ID: "/test/silent/1", Timeout: 200 * time.Millisecond}
	server.SetStreamHandler(silent.ID, func(s network.Stream) { io.Copy(io.Discard, s); s.Reset() })
	_, err = Call(within(t), client, server.ID(), silent, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestFailuresAreReportedToTheServersLog(t *testing.T) {
	client, server := pair(t, onlyQUIC)
	heard := make(chan error, 1)
	s := Handle(server, echo, func(context.Context, peer.ID, []byte) ([]byte, error) { panic("boom") }, func(from peer.ID, err error) {
		require.Equal(t, client.ID(), from)
		heard <- err
	})
	defer s.Close()
	_, err := Call(within(t), client, server.ID(), echo, nil)
	require.Equal(t, CodeInternal, CodeOf(err))
	got := <-heard
	require.ErrorContains(t, got, "boom")
	require.ErrorContains(t, got, "request_test.go", "the stack is there")
}

func TestRequestsOnASimulatedNetworkKeepVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &simulation{Mocknet: mocknet.New()}
		net.SetLinkDefaults(mocknet.LinkOptions{Latency: testLatency})
		server := net.join(t, 1)
		client := net.join(t, 2, server.ID())
		p := Protocol{ID: "/test/virtual/1", PerPeer: 1, Timeout: 10 * time.Second}
		failures := make(chan error, 10)
		service := Handle(server, p, func(ctx context.Context, _ peer.ID, r []byte) ([]byte, error) {
			if string(r) == "wait" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return r, nil
		}, func(_ peer.ID, err error) { failures <- err })
		pass(time.Second)

		start := time.Now()
		got, err := Call(t.Context(), client, server.ID(), p, []byte("hello"))
		require.NoError(t, err)
		require.Equal(t, "hello", string(got))
		require.Less(t, time.Since(start), 10*testLatency)

		patient := p
		patient.Timeout = time.Minute
		start = time.Now()
		_, err = Call(t.Context(), client, server.ID(), patient, []byte("wait"))
		require.Equal(t, CodeTimeout, CodeOf(err))
		require.InDelta(t, 9*time.Second, time.Since(start), float64(10*testLatency))
		require.ErrorIs(t, <-failures, context.DeadlineExceeded)

		// A sender that never finishes keeps its place for the timeout only.
		s, err := client.NewStream(t.Context(), server.ID(), p.ID)
		require.NoError(t, err)
		_, err = s.Write([]byte{0, 0, 0, 9, 'x'})
		require.NoError(t, err)
		pass(time.Second)
		_, err = Call(t.Context(), client, server.ID(), p, nil)
		require.Equal(t, CodeBusy, CodeOf(err))
		require.Equal(t, CodeBusy, CodeOf(<-failures))
		pass(10 * time.Second)
		require.ErrorContains(t, <-failures, "read request")
		_, err = Call(t.Context(), client, server.ID(), p, nil)
		require.NoError(t, err)
		s.Reset()

		require.NoError(t, service.Close())
		require.NoError(t, net.Close())
		pass(time.Minute)
	})
}
