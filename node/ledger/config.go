package ledger

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Profile fits the engine's timing to the network it runs in.
type Profile string

// The profiles. The zero value means ProfileLAN.
const (
	ProfileSolo Profile = "solo" // one validator: blocks at once
	ProfileLAN  Profile = "lan"  // up to 10 validators close by: blocks at once, 0.5 s for a proposal
	ProfileWAN  Profile = "wan"  // far apart: a second between blocks, 3 s for a proposal
)

// DefaultEmptyBlockInterval is the longest time without a block.
const DefaultEmptyBlockInterval = 10 * time.Second

// Config describes one Engine. Home, Genesis, Host and App are needed.
type Config struct {
	// Home is the folder that the engine owns: keys in config, stores in data.
	// It is created with mode 0700. One process at a time uses it.
	Home string
	// Genesis is the genesis document; all members hold the same bytes.
	Genesis []byte
	// Host is the node's libp2p host. The engine adds protocols to it and takes
	// them away when it stops; it never closes it. Each message of consensus is
	// a stream, and one that the host's resource manager resets is lost, so it
	// has to admit as many per peer and protocol as QUIC does: 256.
	Host host.Host
	// App is a fresh state machine; the engine gives it its state.
	App Application
	// Profile fits timing to the network. The empty string means lan.
	Profile Profile
	// BlockInterval is the least time between a block and the next one. Deadlines
	// are heights, so this bounds how fast somebody who keeps sending can make them
	// pass; the first transaction after a pause does not wait for it. 0 makes blocks
	// as fast as the validators agree, except under ProfileWAN (1 s).
	BlockInterval time.Duration
	// EmptyBlockInterval is the longest time without a block: heights are the
	// ledger's clock. 0 means 10 s.
	EmptyBlockInterval time.Duration
	// DoubleSignCheckHeight makes the engine refuse to start when its own vote
	// is found in one of that many latest blocks: for machines restored from a
	// backup. 0 turns it off; 1 checks nothing, so at least 2.
	DoubleSignCheckHeight int64
	// SignUnrecorded has a restored validator sign without observing first: for a
	// network that cannot make blocks without it. It may then sign twice what it
	// signed before it was lost, and nothing may run with its key elsewhere.
	SignUnrecorded bool
	// Allow tells members from strangers. Nobody else may open a stream of
	// consensus. nil allows nobody: right for a network of one.
	Allow func(peer.ID) bool
	// Logger receives what the engine has to say. nil discards it.
	Logger *slog.Logger
}

func (c *Config) validate() error {
	switch {
	case c.Home == "":
		return errors.New("ledger: home is empty")
	case len(c.Genesis) == 0:
		return errors.New("ledger: genesis is empty")
	case c.Host == nil:
		return errors.New("ledger: host is nil")
	case c.App == nil:
		return errors.New("ledger: application is nil")
	case c.BlockInterval < 0 || c.BlockInterval > time.Minute:
		return fmt.Errorf("ledger: block interval %v, want 0 to 1m", c.BlockInterval)
	case c.EmptyBlockInterval < 0:
		return fmt.Errorf("ledger: empty block interval %v is negative", c.EmptyBlockInterval)
	case c.DoubleSignCheckHeight < 0 || c.DoubleSignCheckHeight == 1:
		return fmt.Errorf("ledger: double sign check height %d, want 0 or at least 2", c.DoubleSignCheckHeight)
	}
	switch c.Profile {
	case "", ProfileSolo, ProfileLAN, ProfileWAN:
		return nil
	}
	return fmt.Errorf("ledger: profile %q, want solo, lan or wan", c.Profile)
}
