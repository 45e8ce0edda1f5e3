// Package config is what a person can set about a node: one strict TOML file
// in the home, over documented defaults, under ATELIER_* variables and flags.
//
// An unknown key is an error that shows the line, because a misspelt limit that
// silently keeps its default is how funds and pictures are lost.
package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	ma "github.com/multiformats/go-multiaddr"
)

// File is the name of the configuration file inside a home.
const File = "config.toml"

// Duration is a time.Duration that reads and writes as text, "250ms" or "10s".
type Duration time.Duration

// UnmarshalText reads a duration in Go's notation.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("not a duration such as 500ms or 10s: %q", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration in Go's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Config is everything that a node reads at start.
type Config struct {
	Network Network `toml:"network" json:"network"`
	API     API     `toml:"api" json:"api"`
	Ledger  Ledger  `toml:"ledger" json:"ledger"`
	Storage Storage `toml:"storage" json:"storage"`
	Artist  Artist  `toml:"artist" json:"artist"`
	Log     Log     `toml:"log" json:"log"`
}

// Network is the node's libp2p host.
type Network struct {
	// Listen holds the multiaddrs to listen on. Port 0 lets the system choose at
	// the first start; the choice is kept in the home for the next one.
	Listen []string `toml:"listen" json:"listen"`
	// Announce holds the multiaddrs under which others reach this node, when they
	// are not those it listens on: behind a router, or on a machine with many.
	Announce []string `toml:"announce" json:"announce"`
	// MDNS finds members on the local network by multicast.
	MDNS bool `toml:"mdns" json:"mdns"`
}

// API is the HTTP interface with the gallery.
type API struct {
	// Listen is host:port; port 0 lets the system choose (see api.addr in the home).
	Listen string `toml:"listen" json:"listen"`
	// Hosts are the names under which the gallery answers, besides loopback ones.
	// Others are refused, so that a web page cannot reach a node by rebinding its name.
	Hosts []string `toml:"hosts" json:"hosts"`
}

// Ledger is the consensus engine.
type Ledger struct {
	// Profile is solo, lan or wan, or auto: solo for a network of one, else lan.
	Profile string `toml:"profile" json:"profile"`
	// BlockInterval is the least time between two blocks: spans of the ledger are
	// counted in blocks, so this keeps a busy network from rushing through them.
	BlockInterval Duration `toml:"block_interval" json:"block_interval"`
	// EmptyBlockInterval is how long an idle ledger waits before it makes an empty
	// block. Deadlines are heights, so this is also the clock of an idle round.
	EmptyBlockInterval Duration `toml:"empty_block_interval" json:"empty_block_interval"`
}

// Storage is the local IPFS store.
type Storage struct {
	// QuotaMiB bounds the store; adding more is refused with an error.
	QuotaMiB int64 `toml:"quota_mib" json:"quota_mib"`
}

// Artist is how this node renders when the seed chooses it.
type Artist struct {
	// Workers is the number of goroutines that render, up to 1024; 0 means one for
	// each core.
	Workers int `toml:"workers" json:"workers"`
}

// Log is the node's log on standard error.
type Log struct {
	Level  string `toml:"level" json:"level"`   // debug, info, warn, error
	Format string `toml:"format" json:"format"` // text or json
}

// Default returns the configuration of a node at home: everything on loopback.
func Default() Config {
	return Config{
		Network: Network{Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}},
		API:     API{Listen: "127.0.0.1:0"},
		Ledger:  Ledger{Profile: "auto", BlockInterval: Duration(500 * time.Millisecond), EmptyBlockInterval: Duration(2 * time.Second)},
		Storage: Storage{QuotaMiB: 2048},
		Artist:  Artist{Workers: 0},
		Log:     Log{Level: "warn", Format: "text"},
	}
}

// Validate reports the first setting that no node could run with.
func (c Config) Validate() error {
	switch c.Ledger.Profile {
	case "auto", "solo", "lan", "wan":
	default:
		return fmt.Errorf("ledger.profile is %q: choose auto, solo, lan or wan", c.Ledger.Profile)
	}
	if d := time.Duration(c.Ledger.EmptyBlockInterval); d < 50*time.Millisecond || d > time.Minute {
		return fmt.Errorf("ledger.empty_block_interval is %v: choose 50ms to 1m", d)
	}
	if d := time.Duration(c.Ledger.BlockInterval); d < 0 || d > time.Minute {
		return fmt.Errorf("ledger.block_interval is %v: choose 0s to 1m", d)
	}
	if c.Storage.QuotaMiB < 16 {
		return fmt.Errorf("storage.quota_mib is %d: a model and a few artworks need at least 16", c.Storage.QuotaMiB)
	}
	if c.Artist.Workers < 0 || c.Artist.Workers > 1024 {
		return fmt.Errorf("artist.workers is %d: choose 0 (all cores) to 1024", c.Artist.Workers)
	}
	if len(c.Network.Listen) == 0 {
		return errors.New("network.listen is empty: a member must be reachable by the others")
	}
	for i, list := range [][]string{c.Network.Listen, c.Network.Announce} {
		for _, a := range list {
			if err := CheckAddress(a); err != nil {
				return fmt.Errorf("network.%s %q: %w", [...]string{"listen", "announce"}[i], a, err)
			}
		}
	}
	if err := checkHostPort(c.API.Listen); err != nil {
		return fmt.Errorf("api.listen: %w", err)
	}
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return fmt.Errorf("log.level is %q: choose debug, info, warn or error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		return fmt.Errorf("log.format is %q: choose text or json", c.Log.Format)
	}
	return nil
}

// CheckAddress reports what no member can listen on or be reached at: text that is
// not a multiaddr of TCP or QUIC.
func CheckAddress(text string) error {
	if a, err := ma.NewMultiaddr(text); err == nil {
		for _, c := range a {
			if code := c.Protocol().Code; code == ma.P_TCP || code == ma.P_QUIC_V1 {
				return nil
			}
		}
	}
	return errors.New("want an address such as /ip4/127.0.0.1/tcp/4001 or /ip4/0.0.0.0/udp/4001/quic-v1")
}

func checkHostPort(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is not an address such as 127.0.0.1:8080", text)
	}
	return nil
}

// Load reads the configuration of a home: defaults, then config.toml where there
// is one, then the environment as given by lookup (os.LookupEnv in a program).
func Load(home string, lookup func(string) (string, bool)) (Config, error) {
	c := Default()
	path := filepath.Join(home, File)
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return c, fmt.Errorf("read configuration: %w", err)
	default:
		if err := c.decode(b); err != nil {
			return c, fmt.Errorf("%s: %w", path, err)
		}
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, c.environment(lookup)
}

func (c *Config) decode(b []byte) error {
	md, err := toml.Decode(string(b), c)
	if err != nil {
		var p toml.ParseError
		if errors.As(err, &p) {
			return fmt.Errorf("line %d: %s", p.Position.Line, p.Message)
		}
		return err
	}
	if un := md.Undecoded(); len(un) > 0 {
		return fmt.Errorf("line %d: unknown key %q", lineOf(string(b), un[0]), un[0].String())
	}
	return nil
}

// lineOf finds the line on which a key stands, for a person to look at; 0 when
// the key is written in a form that a plain search does not meet.
func lineOf(text string, key toml.Key) int {
	table, last := "", key[len(key)-1]
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			table = strings.Trim(line, "[] ")
			if table == key.String() {
				return i + 1
			}
			continue
		}
		name, _, found := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); found && (table+"."+name == key.String() || table == "" && name == key.String() || name == last && len(key) == 1) {
			return i + 1
		}
	}
	return 0
}

// Write saves c as the configuration file of home, with a first comment line.
func (c Config) Write(home string) error {
	var b strings.Builder
	b.WriteString("# atelier node configuration; what is left out keeps its default\n\n")
	if err := toml.NewEncoder(&b).Encode(c); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(home, File), []byte(b.String()), 0o600)
}
