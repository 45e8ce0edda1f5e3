package storage

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// patience bounds every wait for something that must happen; nothing is timed by it.
const patience = 3 * time.Minute

// newHost listens on loopback with the limits that a node has.
func newHost(t testing.TB) host.Host {
	t.Helper()
	limits := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&limits)
	AddLimits(&limits)
	return newLimitedHost(t, limits)
}

func newLimitedHost(t testing.TB, limits rcmgr.ScalingLimitConfig) host.Host {
	t.Helper()
	rm, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits.Scale(256<<20, 1024)))
	require.NoError(t, err)
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.ResourceManager(rm), libp2p.DisableRelay())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

// connect dials again where a machine that stood still was taken for one out of reach.
func connect(t testing.TB, a, b host.Host) {
	t.Helper()
	require.Eventually(t, func() bool {
		return a.Connect(context.Background(), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}) == nil
	}, patience, time.Millisecond)
}

// member is a host with a store and an exchange.
type member struct {
	host.Host
	*Store
	*Exchange
}

func newMember(t testing.TB, o ExchangeOptions) member {
	t.Helper()
	return newMemberOn(t, newHost(t), o)
}

// newMemberOn is as patient as the tests are, unless o says otherwise.
func newMemberOn(t testing.TB, h host.Host, o ExchangeOptions) member {
	t.Helper()
	o.Patience = cmp.Or(o.Patience, patience)
	m := member{Host: h, Store: openTest(t, Options{})}
	m.Exchange = NewExchange(m.Host, m.Store, o)
	t.Cleanup(func() { require.NoError(t, m.Exchange.Close()) })
	return m
}

func TestFetchByBothMethods(t *testing.T) {
	ctx := context.Background()
	for _, method := range []Method{ViaCAR, ViaBitswap} {
		t.Run(string(method), func(t *testing.T) {
			a, b := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{})
			connect(t, b.Host, a.Host)
			files := folder(1, 1<<20+500)
			root, err := a.PutFolder(ctx, files)
			require.NoError(t, err)

			for range 2 { // the second time everything is transferred again
				r, err := b.FetchVia(ctx, root, a.ID(), method)
				require.NoError(t, err)
				require.Equal(t, method, r.Via)
				require.Equal(t, a.ID(), r.Peer)
				require.Equal(t, 6, r.Blocks)
				require.Greater(t, r.Bytes, int64(1<<20))
				require.Positive(t, r.Duration)
			}
			size, err := b.Verify(ctx, root)
			require.NoError(t, err)
			require.Equal(t, 6, size.Blocks)
			got, err := b.ReadFile(ctx, root, "image.png")
			require.NoError(t, err)
			require.True(t, bytes.Equal(files[0].Data, got))
			require.Equal(t, a.Usage().Bytes, b.Usage().Bytes)

			r, err := b.Fetch(ctx, root, []peer.ID{a.ID()})
			require.NoError(t, err)
			require.Equal(t, ViaLocal, r.Via)
		})
	}
}

// 2,000 blocks from one peer is where bitswap with its own defaults loses
// blocks and waits for a minute; see AddLimits and maxWants.
func TestManyBlocksFromOnePeer(t *testing.T) {
	ctx := context.Background()
	files := make([]File, 2000)
	for i := range files {
		files[i] = File{Name: fmt.Sprintf("f%04d", i), Data: noise(uint64(i), 3000)}
	}
	stock := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&stock)
	for name, host := range map[string]func() host.Host{
		"limits of a node":      func() host.Host { return newHost(t) },
		"limits of the library": func() host.Host { return newLimitedHost(t, stock) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newMemberOn(t, host(), ExchangeOptions{}), newMemberOn(t, host(), ExchangeOptions{})
			connect(t, b.Host, a.Host)
			root, err := a.PutFolder(ctx, files)
			require.NoError(t, err)
			for _, method := range []Method{ViaBitswap, ViaCAR} {
				r, err := b.FetchVia(ctx, root, a.ID(), method)
				require.NoError(t, err)
				require.Equal(t, 2001, r.Blocks)
				require.Less(t, r.Duration, patience, "%s stalled again and again: once for long is ErrSilent", method)
				t.Logf("%s: %d blocks, %d bytes in %s", method, r.Blocks, r.Bytes, r.Duration)
			}
			_, err = b.Verify(ctx, root)
			require.NoError(t, err)
		})
	}
}

func TestRefusedPeersGetNothingByEitherMethod(t *testing.T) {
	ctx := context.Background()
	var mu sync.Mutex
	asked := map[cid.Cid]bool{}
	open := cid.Undef
	a := newMember(t, ExchangeOptions{Allow: func(_ peer.ID, root cid.Cid) bool {
		mu.Lock()
		defer mu.Unlock()
		asked[root] = true
		return root == open
	}})
	b, hasty := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{Patience: time.Second})
	connect(t, b.Host, a.Host)
	connect(t, hasty.Host, a.Host)
	shared := File{Name: "shared", Data: noise(40, 500)}
	secret, err := a.PutFolder(ctx, append(folder(1, 1000), shared))
	require.NoError(t, err)
	o, err := a.PutFolder(ctx, append(folder(2, 1000), shared))
	require.NoError(t, err)
	mu.Lock()
	open = o
	mu.Unlock()

	_, err = b.FetchVia(ctx, secret, a.ID(), ViaCAR)
	require.ErrorIs(t, err, ErrRefused)
	_, err = b.Fetch(ctx, secret, []peer.ID{a.ID()})
	require.ErrorIs(t, err, ErrRefused)
	_, err = hasty.FetchVia(ctx, secret, a.ID(), ViaBitswap)
	require.ErrorIs(t, err, ErrSilent)
	picture, err := FileCID(noise(1, 1000))
	require.NoError(t, err)
	_, err = b.FetchVia(ctx, picture, a.ID(), ViaCAR)
	require.ErrorIs(t, err, ErrRefused, "nor a part of it")
	require.False(t, b.Has(secret))
	require.False(t, b.Has(picture))
	requireEmpty(t, b.Store)
	requireEmpty(t, hasty.Store)

	for _, method := range []Method{ViaCAR, ViaBitswap} {
		_, err = b.FetchVia(ctx, open, a.ID(), method)
		require.NoError(t, err, "what is shared with something allowed is allowed")
	}
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, asked, 2, "only roots are asked about")
}

func TestFetchGoesOnToThePeerThatHasIt(t *testing.T) {
	ctx := context.Background()
	empty, refusing, full := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{Allow: func(peer.ID, cid.Cid) bool { return false }}), newMember(t, ExchangeOptions{})
	b := newMember(t, ExchangeOptions{})
	for _, m := range []member{empty, refusing, full} {
		connect(t, b.Host, m.Host)
	}
	files := folder(1, 5000)
	_, err := refusing.PutFolder(ctx, files)
	require.NoError(t, err)
	root, err := full.PutFolder(ctx, files)
	require.NoError(t, err)
	r, err := b.Fetch(ctx, root, []peer.ID{b.ID(), empty.ID(), refusing.ID(), full.ID()})
	require.NoError(t, err)
	require.Equal(t, ViaCAR, r.Via)
	require.Equal(t, full.ID(), r.Peer)
}

func TestPeerThatOnlyKnowsBitswap(t *testing.T) {
	ctx := context.Background()
	a, b := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{})
	a.RemoveStreamHandler(ProtocolCAR)
	connect(t, b.Host, a.Host)
	root, err := a.PutFolder(ctx, folder(1, 5000))
	require.NoError(t, err)
	r, err := b.Fetch(ctx, root, []peer.ID{a.ID()})
	require.NoError(t, err)
	require.Equal(t, ViaBitswap, r.Via)
	require.Equal(t, a.ID(), r.Peer)
}

func TestNobodyHasIt(t *testing.T) {
	ctx := context.Background()
	a, b := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{})
	root, err := FolderCID(folder(1, 10))
	require.NoError(t, err)
	_, err = b.Fetch(ctx, root, nil)
	require.ErrorIs(t, err, ErrNotFound, "alone")
	_, err = b.Fetch(ctx, root, []peer.ID{b.ID()})
	require.ErrorIs(t, err, ErrNotFound, "only oneself")
	connect(t, b.Host, a.Host)
	_, err = b.Fetch(ctx, root, []peer.ID{a.ID()})
	require.ErrorIs(t, err, ErrNotFound)
	_, err = b.Fetch(ctx, cid.Undef, []peer.ID{a.ID()})
	require.ErrorIs(t, err, ErrInvalid)
	_, err = b.FetchVia(ctx, root, a.ID(), "pigeon")
	require.ErrorIs(t, err, errors.ErrUnsupported)
}

// liars answer the stream protocol in ways that must cost the fetcher nothing
// but an error.
func TestLyingPeers(t *testing.T) {
	root, raw := sample(t, 3000)
	head := func(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{statusOK}, n) }
	full := uint64(len(raw))
	for _, c := range []struct {
		name   string
		answer []byte
		want   error
	}{
		{"says nothing", nil, io.EOF},
		{"unknown status", []byte{99}, ErrInvalid},
		{"is busy", []byte{statusBusy}, ErrBusy},
		{"did not understand", []byte{statusMalformed}, ErrInvalid},
		{"stops in the length", head(full)[:5], io.ErrUnexpectedEOF},
		{"announces more than allowed", head(1 << 40), ErrTooLarge},
		{"announces more than there is", head(1 << 63), ErrInvalid},
		{"stops in the CAR", append(head(full), raw[:100]...), io.ErrUnexpectedEOF},
		{"announces more than it sends", append(head(full+1), raw...), io.ErrUnexpectedEOF},
		{"announces less than the CAR", append(head(full-1), raw...), ErrInvalid},
		{"flips a bit", append(head(full), flip(raw, 2000)...), ErrInvalid},
		{"sends another DAG", func() []byte { _, other := sampleOf(t, 12); return append(head(uint64(len(other))), other...) }(), ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			liar := newHost(t)
			liar.SetStreamHandler(ProtocolCAR, func(st network.Stream) {
				if _, err := readRequest(st); err == nil {
					_, _ = st.Write(c.answer)
				}
				st.Close()
			})
			b := newMember(t, ExchangeOptions{})
			connect(t, b.Host, liar)
			_, err := b.FetchVia(context.Background(), root, liar.ID(), ViaCAR)
			require.ErrorIs(t, err, c.want)
			requireEmpty(t, b.Store)
		})
	}
}

func sampleOf(t testing.TB, seed uint64) (cid.Cid, []byte) {
	s := openTest(t, Options{})
	root, err := s.PutFolder(context.Background(), folder(seed, 100))
	require.NoError(t, err)
	var out bytes.Buffer
	_, err = s.ExportCAR(context.Background(), root, &out)
	require.NoError(t, err)
	return root, out.Bytes()
}

// A peer that announces much and sends a byte now and then holds its place no longer
// than one that sends nothing.
func TestATricklingPeerIsGivenUp(t *testing.T) {
	const given = time.Second
	trickle := newHost(t)
	stopped := make(chan struct{}, 64)
	trickle.SetStreamHandler(ProtocolCAR, func(st network.Stream) {
		defer func() { stopped <- struct{}{} }()
		root, err := readRequest(st)
		if err != nil {
			return
		}
		announced := append([]byte{statusOK}, binary.BigEndian.AppendUint64(nil, 1<<29)...)
		block := sectionHeader(root, 1<<20) // and the block a byte at a time
		if _, err := st.Write(slices.Concat(announced, carHeader(root), block)); err != nil {
			return
		}
		pace := time.NewTicker(given / 20)
		defer pace.Stop()
		for range pace.C {
			if _, err := st.Write([]byte{0}); err != nil {
				return // given up
			}
		}
	})
	b := newMember(t, ExchangeOptions{Patience: given})
	connect(t, b.Host, trickle)
	root, err := FolderCID(folder(9, 1000))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for trickled := false; !trickled; { // a slow machine may be given up before it is reached
		_, err = b.FetchVia(ctx, root, trickle.ID(), ViaCAR)
		require.Error(t, err)
		require.NoError(t, ctx.Err(), "given up long before the caller does")
		select {
		case <-stopped:
			trickled = true
		case <-time.After(given):
		}
	}
}

func TestSilentPeerIsGivenUp(t *testing.T) {
	root, _ := sample(t, 100)
	silent := newHost(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	silent.SetStreamHandler(ProtocolCAR, func(st network.Stream) {
		<-release
		st.Reset()
	})
	b := newMember(t, ExchangeOptions{Patience: 100 * time.Millisecond})
	connect(t, b.Host, silent)
	_, err := b.FetchVia(context.Background(), root, silent.ID(), ViaCAR)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrNotFound)
	requireEmpty(t, b.Store)

	patient := newMember(t, ExchangeOptions{})
	connect(t, patient.Host, silent)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err = patient.FetchVia(ctx, root, silent.ID(), ViaCAR)
	require.ErrorIs(t, err, context.Canceled)
}

func TestCloseEndsAFetch(t *testing.T) {
	root, _ := sample(t, 100)
	silent := newHost(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	silent.SetStreamHandler(ProtocolCAR, func(st network.Stream) {
		close(arrived)
		<-release
		st.Reset()
	})
	b := newMember(t, ExchangeOptions{})
	connect(t, b.Host, silent)
	got := make(chan error, 1)
	go func() {
		_, err := b.FetchVia(context.Background(), root, silent.ID(), ViaCAR)
		got <- err
	}()
	<-arrived
	require.NoError(t, b.Exchange.Close())
	require.ErrorIs(t, <-got, ErrClosed)
}

// A peer may hold only a few streams; the others are told that we are busy.
func TestBusyServerSaysSo(t *testing.T) {
	ctx := context.Background()
	a, b := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{})
	connect(t, b.Host, a.Host)
	root, err := a.PutFolder(ctx, folder(1, 1000))
	require.NoError(t, err)
	var held []network.Stream
	for range maxServingPeer { // open, and do not ask yet
		st, err := b.NewStream(ctx, a.ID(), ProtocolCAR)
		require.NoError(t, err)
		_, err = st.Write([]byte{byte(root.ByteLen())})
		require.NoError(t, err)
		held = append(held, st)
	}
	servingB := func(n int) func() bool {
		return func() bool {
			a.Exchange.mu.Lock()
			defer a.Exchange.mu.Unlock()
			return a.Exchange.serving[b.ID()] == n
		}
	}
	require.Eventually(t, servingB(maxServingPeer), patience, time.Millisecond)
	_, err = b.FetchVia(ctx, root, a.ID(), ViaCAR)
	require.ErrorIs(t, err, ErrBusy)
	for _, st := range held {
		require.NoError(t, st.Reset())
	}
	require.Eventually(t, servingB(0), patience, time.Millisecond)
	_, err = b.FetchVia(ctx, root, a.ID(), ViaCAR)
	require.NoError(t, err)
}

func TestFetchRespectsQuotaAndLimit(t *testing.T) {
	ctx := context.Background()
	a := newMember(t, ExchangeOptions{})
	root, err := a.PutFolder(ctx, folder(1, 100_000))
	require.NoError(t, err)
	for _, method := range []Method{ViaCAR, ViaBitswap} {
		small := member{Host: newHost(t), Store: openTest(t, Options{Quota: 5000})}
		small.Exchange = NewExchange(small.Host, small.Store, ExchangeOptions{Patience: patience})
		connect(t, small.Host, a.Host)
		_, err = small.FetchVia(ctx, root, a.ID(), method)
		require.ErrorIs(t, err, ErrQuota, method)
		requireEmpty(t, small.Store)
		require.NoError(t, small.Exchange.Close())

		modest := newMember(t, ExchangeOptions{MaxBytes: 5000})
		connect(t, modest.Host, a.Host)
		_, err = modest.FetchVia(ctx, root, a.ID(), method)
		require.ErrorIs(t, err, ErrTooLarge, method)
		requireEmpty(t, modest.Store)
	}
}

func TestConcurrentFetches(t *testing.T) {
	ctx := context.Background()
	a, b := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{})
	connect(t, b.Host, a.Host)
	var wg sync.WaitGroup
	for i := range 24 { // more than a peer serves at once: they wait here
		root, err := a.PutFolder(ctx, folder(uint64(i/2), 50_000))
		require.NoError(t, err)
		wg.Go(func() {
			method := []Method{ViaCAR, ViaBitswap}[i%2]
			_, err := b.FetchVia(ctx, root, a.ID(), method)
			require.NoError(t, err)
			_, err = b.Fetch(ctx, root, []peer.ID{a.ID()})
			require.NoError(t, err)
		})
	}
	wg.Wait()
	require.Equal(t, 12, b.Usage().Segments)
}

func FuzzRequest(f *testing.F) {
	c, err := FileCID([]byte("x"))
	require.NoError(f, err)
	f.Add(append([]byte{byte(c.ByteLen())}, c.Bytes()...))
	f.Add([]byte{0})
	f.Add([]byte{255, 1})
	f.Add(append([]byte{36}, make([]byte, 36)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readRequest(bytes.NewReader(b))
		if err != nil {
			return
		}
		_, err = parse(got)
		require.NoError(t, err)
		require.EqualValues(t, 1, got.Version())
	})
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte{statusOK, 0, 0, 0, 0, 0, 0, 0, 9})
	f.Add([]byte{statusOK, 255, 0, 0, 0, 0, 0, 0, 9})
	f.Add([]byte{statusBusy})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := readResponse(bytes.NewReader(b))
		if err == nil {
			require.GreaterOrEqual(t, n, int64(0))
			require.Equal(t, byte(statusOK), b[0])
		}
	})
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { // runs last
		left := goleak.Find(before)
		for end := time.Now().Add(patience); left != nil && time.Now().Before(end); {
			left = goleak.Find(before) // which itself tries for a while
		}
		require.NoError(t, left)
	})
	ctx := context.Background()
	a, b := newMember(t, ExchangeOptions{}), newMember(t, ExchangeOptions{})
	connect(t, b.Host, a.Host)
	root, err := a.PutFolder(ctx, folder(1, 50_000))
	require.NoError(t, err)
	for _, method := range []Method{ViaCAR, ViaBitswap} {
		_, err := b.FetchVia(ctx, root, a.ID(), method)
		require.NoError(t, err)
	}
}
