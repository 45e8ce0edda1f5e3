package p2p

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// patience bounds every wait for something that must happen; nothing is timed by it.
const patience = 3 * time.Minute

// TestMain requires that no goroutine is left, once those that end have had their time.
func TestMain(m *testing.M) {
	LogTo(slog.DiscardHandler)
	for _, p := range []*Protocol{&JoinProtocol, &GenesisProtocol, &ApplyProtocol, &StandingProtocol} {
		p.Timeout = patience
	}
	code := m.Run()
	left := goleak.Find()
	for end := time.Now().Add(patience); left != nil && time.Now().Before(end); {
		left = goleak.Find()
	}
	if left != nil && code == 0 {
		fmt.Fprintln(os.Stderr, left)
		code = 1
	}
	os.Exit(code)
}

// testKey is the n-th identity of the tests.
func testKey(t testing.TB, n uint64) crypto.PrivKey {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint64(seed, n)
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed))
	require.NoError(t, err)
	return key
}

func testID(t testing.TB, n uint64) peer.ID {
	t.Helper()
	id, err := peer.IDFromPrivateKey(testKey(t, n))
	require.NoError(t, err)
	return id
}

// testHost starts a real host on loopback with the n-th identity.
func testHost(t testing.TB, n uint64, change ...func(*Config)) *Host {
	t.Helper()
	c := Default()
	c.Key = testKey(t, n)
	for _, f := range change {
		f(&c)
	}
	h, err := New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

// onlyTCP and onlyQUIC pick one transport.
func onlyTCP(c *Config)  { c.Listen = []string{"/ip4/127.0.0.1/tcp/0"} }
func onlyQUIC(c *Config) { c.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1"} }

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connect dials again where a machine that stood still was taken for one out of reach:
// a handshake has a few seconds.
func connect(t testing.TB, a, b host.Host) {
	t.Helper()
	eventually(t, func() bool {
		return a.Connect(within(t), peer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}) == nil
	}, "not connected")
}

func isConnected(a host.Host, b peer.ID) bool {
	return a.Network().Connectedness(b) == network.Connected
}

// eventually waits for a condition.
func eventually(t testing.TB, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, patience, 5*time.Millisecond, what)
}
