package ledger

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"
)

// patience bounds every wait of the tests. It tells what never comes from what
// comes late, on however slow a machine; nothing is timed by it.
const patience = 3 * time.Minute

var founded = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// seedKey is the key of a test's actor.
func seedKey(role byte, i int) ed25519.PrivateKey {
	seed := make([]byte, 32)
	seed[0], seed[1] = role, byte(i)
	return ed25519.NewKeyFromSeed(seed)
}

func newHost(t testing.TB, i int, listen string) host.Host {
	t.Helper()
	k, err := crypto.UnmarshalEd25519PrivateKey(seedKey('h', i))
	require.NoError(t, err)
	h, err := libp2p.New(libp2p.Identity(k), libp2p.ListenAddrStrings(listen))
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// dial connects, and again where a machine that stood still was taken for one out of
// reach: a handshake has a few seconds.
func dial(t testing.TB, h host.Host, to peer.AddrInfo) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.Eventually(t, func() bool { return h.Connect(ctx, to) == nil }, patience, time.Millisecond)
}

const anyPort = "/ip4/127.0.0.1/udp/0/quic-v1"

// testNet is a network of engines in this process.
type testNet struct {
	t       testing.TB
	dir     string
	genesis []byte
	hosts   []host.Host
	nodes   []*testNode
	members sync.Map // peer.ID
	profile Profile
	empty   time.Duration
	unsafe  bool
	log     *slog.Logger
	paid    atomic.Uint64 // height of the payer's last payment
}

type testNode struct {
	*Engine
	net  *testNet
	app  *bank
	stop func() // ends Run and waits for it
}

// payer is the account that all tests pay from.
var payer = seedKey('p', 0)

func foundNet(t testing.TB, n int) *testNet {
	t.Helper()
	net := &testNet{t: t, dir: t.TempDir(), nodes: make([]*testNode, n), profile: ProfileLAN, empty: 500 * time.Millisecond}
	if os.Getenv("ATELIER_TEST_LOG") != "" {
		net.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	net.genesis = genesisFor(t, net.home, n)
	for i := range n {
		h := newHost(t, i, anyPort)
		net.hosts = append(net.hosts, h)
		net.admit(h.ID())
	}
	return net
}

func genesisFor(t testing.TB, home func(int) string, n int) []byte {
	t.Helper()
	g := bankGenesis{Balances: map[string]uint64{hex.EncodeToString(payer.Public().(ed25519.PublicKey)): 1 << 40}}
	for i := range 256 {
		g.Balances[hex.EncodeToString(seedKey('c', i).Public().(ed25519.PublicKey))] = 1 << 30
	}
	for i := range n {
		k, err := ValidatorKey(home(i))
		require.NoError(t, err)
		g.Validators = append(g.Validators, hex.EncodeToString(k))
	}
	doc, err := json.Marshal(g)
	require.NoError(t, err)
	return doc
}

func (net *testNet) home(i int) string { return filepath.Join(net.dir, string(rune('a'+i))) }

func (net *testNet) config(i int, app Application) Config {
	c := Config{
		Home:               net.home(i),
		Genesis:            net.genesis,
		Host:               net.hosts[i],
		App:                app,
		Profile:            net.profile,
		EmptyBlockInterval: net.empty,
		Allow:              net.allows,
		SignUnrecorded:     net.unsafe,
	}
	if net.log != nil {
		c.Logger = net.log.With("node", i)
	}
	return c
}

func (net *testNet) admit(p peer.ID) { net.members.Store(p, true) }

func (net *testNet) allows(p peer.ID) bool {
	_, ok := net.members.Load(p)
	return ok
}

func (net *testNet) peers() []peer.AddrInfo {
	var out []peer.AddrInfo
	for _, h := range net.hosts {
		out = append(out, peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()})
	}
	return out
}

// start runs node i until the test ends or stop is called.
func (net *testNet) start(i int) *testNode { return net.startWith(i, newBank()) }

func (net *testNet) startWith(i int, app Application) *testNode {
	t := net.t
	t.Helper()
	e, err := New(net.config(i, app))
	require.NoError(t, err)
	e.SetPeers(net.peers())
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- e.Run(ctx) }()
	n := &testNode{Engine: e, net: net}
	n.app, _ = app.(*bank)
	n.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ran:
			if err != nil {
				t.Errorf("node %d: run: %v", i, err)
			}
		case <-time.After(patience):
			t.Errorf("node %d does not stop", i)
		}
	})
	t.Cleanup(n.stop)
	net.nodes[i] = n
	return n
}

func (net *testNet) startAll() {
	net.t.Helper()
	for i := range net.nodes {
		net.start(i)
	}
	for _, n := range net.nodes {
		n.awaitConsensus(net.t)
	}
}

func (net *testNet) stopAll() {
	var wg sync.WaitGroup
	for _, n := range net.nodes {
		if n != nil {
			wg.Go(n.stop)
		}
	}
	wg.Wait()
}

func (n *testNode) awaitConsensus(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool { return !n.Status().CatchingUp }, patience, time.Millisecond)
}

// pay has the payer pay through n and returns what the block recorded. First n has
// to have the payment before: a node that is a block behind refuses the nonce.
func (n *testNode) pay(t testing.TB, nonce uint64, to []byte, amount uint64) Receipt {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, n.WaitHeight(ctx, n.net.paid.Load()))
	r, err := n.Submit(ctx, transfer(payer, nonce, to, amount))
	require.NoError(t, err)
	n.net.paid.Store(max(r.Height, n.net.paid.Load()))
	return r
}

// awaitAll waits until every node has committed height, and requires that they
// agree on its hash.
func (net *testNet) awaitAll(height uint64) {
	t := net.t
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var want [32]byte
	for i, n := range net.nodes {
		require.NoError(t, n.WaitHeight(ctx, height))
		for c, err := range n.Blocks(height, height) {
			require.NoError(t, err)
			if i == 0 {
				want = c.AppHash
			}
			require.Equal(t, want, c.AppHash, "node %d at height %d", i, height)
		}
	}
}

func recipient(i int) []byte { return seedKey('r', i).Public().(ed25519.PublicKey) }
