// Package home is the directory of one node: where each thing lies, and the lock
// that keeps a second process out.
//
//	config.toml     settings (node/config)
//	keys/           secrets at rest (node/keys) and the validator's key
//	founding.json   how this home came to its network: founder or joiner
//	invited.json    how many invitations a founder has printed
//	invitations/    those to the network since it runs, one file each
//	genesis.json    the network's founding document, once all members are there
//	network.json    keys and names by which artworks are verified offline (node/verify)
//	ledger/         blocks and state of the consensus engine
//	store/          artworks and the sealed model, content-addressed
//	journal         which blinded share went to whom, one line each, before it went
//	evidence/       against other members, one file each, until the ledger has judged it
//	training/       whether this member trains on its pictures, and what it keeps of that
//	api.addr        host:port of the HTTP interface while the node runs
//	api.token       secret for the requests that only the home's owner may make
//	node.pid        process id while the node runs
package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/gofrs/flock"

	"github.com/atelier-dao/atelier/node/keys"
)

// ErrLocked reports a home that another process works in.
var ErrLocked = errors.New("home is locked by another process")

// ErrNoGenesis reports a home whose network has not been founded yet.
var ErrNoGenesis = errors.New("the network of this home is not founded yet")

// Home is the path of a node's directory.
type Home string

// Paths inside a home.
func (h Home) Config() string      { return filepath.Join(string(h), "config.toml") }
func (h Home) Founding() string    { return filepath.Join(string(h), "founding.json") }
func (h Home) Invited() string     { return filepath.Join(string(h), "invited.json") }
func (h Home) Invitations() string { return filepath.Join(string(h), "invitations") }
func (h Home) Genesis() string     { return filepath.Join(string(h), "genesis.json") }
func (h Home) Network() string     { return filepath.Join(string(h), "network.json") }
func (h Home) Ledger() string      { return filepath.Join(string(h), "ledger") }
func (h Home) Store() string       { return filepath.Join(string(h), "store") }
func (h Home) Journal() string     { return filepath.Join(string(h), "journal") }
func (h Home) Evidence() string    { return filepath.Join(string(h), "evidence") }
func (h Home) Training() string    { return filepath.Join(string(h), "training") }
func (h Home) APIAddress() string  { return filepath.Join(string(h), "api.addr") }
func (h Home) APIToken() string    { return filepath.Join(string(h), "api.token") }
func (h Home) PID() string         { return filepath.Join(string(h), "node.pid") }

// Make creates the directory, readable by its owner alone.
func (h Home) Make() error {
	if err := os.MkdirAll(string(h), 0o700); err != nil {
		return fmt.Errorf("make home: %w", err)
	}
	return nil
}

// Lock keeps every other process out of the home until the returned function is
// called or the process ends.
func (h Home) Lock() (unlock func() error, err error) {
	l := flock.New(filepath.Join(string(h), "lock"))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock home: %w", err)
	}
	if !ok {
		who := "another process"
		if b, err := os.ReadFile(h.PID()); err == nil {
			who = "process " + strings.TrimSpace(string(b))
		}
		return nil, fmt.Errorf("%s is in use by %s: stop it with `atelier node stop --home %s`, or choose another --home: %w", h, who, h, ErrLocked)
	}
	if err := keys.WriteFile(h.PID(), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, errors.Join(err, l.Unlock())
	}
	return func() error {
		_ = os.Remove(h.PID())
		return l.Unlock()
	}, nil
}

// WriteRuntime tells other programs of this machine where the node answers, and
// those that may read the home with which token they may change it.
func (h Home) WriteRuntime(apiAddress, token string) error {
	return errors.Join(
		keys.WriteFile(h.APIToken(), []byte(token+"\n"), 0o600),
		keys.WriteFile(h.APIAddress(), []byte(apiAddress+"\n"), 0o600))
}

// RemoveRuntime takes the runtime files away at a clean stop.
func (h Home) RemoveRuntime() {
	_ = os.Remove(h.APIAddress())
	_ = os.Remove(h.APIToken())
}

// ErrOutside reports a node that runs and is in no network yet.
var ErrOutside = errors.New("its network is still being founded, or has yet to admit it")

// ReadAPIAddress is the host:port of the node that runs in this home. The error wraps
// ErrOutside when one runs that answers later.
func (h Home) ReadAPIAddress() (string, error) {
	b, err := os.ReadFile(h.APIAddress())
	if err != nil {
		if h.alive() {
			return "", fmt.Errorf("the node in %s runs, but %w: where it was started it says for whom it waits; ask again then", h, ErrOutside)
		}
		return "", fmt.Errorf("no node runs in %s: start it with `atelier node start --home %s`", h, h)
	}
	return strings.TrimSpace(string(b)), nil
}

// alive says whether the process that took the home last still runs. It does not try
// the lock, which would be in the way of a node that is just starting.
func (h Home) alive() bool {
	b, err := os.ReadFile(h.PID())
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 {
		return false
	}
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

// ReadAPIToken is the secret of the node that runs in this home.
func (h Home) ReadAPIToken() (string, error) {
	b, err := os.ReadFile(h.APIToken())
	if err != nil {
		return "", fmt.Errorf("no node runs in %s: start it with `atelier node start --home %s`", h, h)
	}
	return strings.TrimSpace(string(b)), nil
}

// ReadGenesis returns the founding document as it was signed and hashed.
func (h Home) ReadGenesis() ([]byte, error) {
	b, err := os.ReadFile(h.Genesis())
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNoGenesis
	}
	return b, err
}

// Save writes v as indented JSON, whole or not at all.
func Save(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return keys.WriteFile(path, append(b, '\n'), 0o600)
}
