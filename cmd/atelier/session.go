package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
)

// client speaks to the node that --api names, or to the one that runs in the home.
// It shows the owner's token only to the latter.
func (e *env) client() (*api.Client, error) {
	h := home.Home(e.home)
	own, err := h.ReadAPIAddress()
	if e.api != "" && e.api != own {
		return api.NewClient(e.api, ""), nil
	}
	if err != nil {
		return nil, &unreachableError{fmt.Errorf("%w, or name another node with --api HOST:PORT", err)}
	}
	token, err := h.ReadAPIToken()
	if err != nil { // the home of somebody else: reading is all there is
		token = ""
	}
	return api.NewClient(own, token), nil
}

// asks is what a command runs that asks a node.
func (e *env) asks(do func(ctx context.Context, c *api.Client, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		return do(cmd.Context(), c, args)
	}
}

// signing is a node with the key that signs what is sent to it.
func (e *env) signing() (*api.Client, ed25519.PrivateKey, error) {
	key, err := e.signer()
	if err != nil {
		return nil, nil, err
	}
	c, err := e.client()
	return c, key, err
}

// signer is the key that signs transactions: a collector's own (--key), or the
// member's of the home.
func (e *env) signer() (ed25519.PrivateKey, error) {
	if e.key != "" {
		if err := checkKeyFile(e.key); err != nil {
			return nil, err
		}
		return keys.LoadAccount(e.key, passphrase())
	}
	s, err := keys.Load(e.home, passphrase())
	if errors.Is(err, os.ErrNotExist) {
		return nil, usage("whose key should sign? Give a collector's with --key FILE (`atelier account create --key FILE` makes one), or a member's with --home DIR: %s holds none", e.home)
	}
	return s.Identity, err
}

// keyFileStart is how an age file under a passphrase begins.
const keyFileStart = "age-encryption.org/v1\n-> scrypt "

// checkKeyFile refuses what is no collector's key before a passphrase is asked of it.
// A file that is not there, or cannot be read, is left to who opens it.
func checkKeyFile(path string) error {
	if dir, file := filepath.Split(path); file == "keys.age" && filepath.Base(dir) == keys.Dir {
		return fmt.Errorf("%s is a member's key: sign with it by --home %s instead of --key", path, quoted(filepath.Dir(filepath.Clean(dir))))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	start := make([]byte, len(keyFileStart))
	if _, err := io.ReadFull(f, start); err == nil && string(start) == keyFileStart {
		return nil
	}
	return fmt.Errorf("%s is not a key: a key is an age file under a passphrase, whose first line is %q; make one with `atelier account create --key FILE`", path, "age-encryption.org/v1")
}

// accountOf is the account of the signer.
func accountOf(key ed25519.PrivateKey) curation.Address {
	return curation.AddressOf(key.Public().(ed25519.PublicKey))
}

// submit signs a payload and waits until a block has taken it.
func (e *env) submit(ctx context.Context, c *api.Client, key ed25519.PrivateKey, p curation.Payload) (api.Receipt, error) {
	r, err := c.SubmitPayload(ctx, key, p)
	var problem *api.Problem
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &problem) && problem.Code == api.CodeOpenOutcome {
		return r, &quorumError{err: fmt.Errorf("no block took the transaction in time: %s", online(c))}
	}
	return r, err
}

// online says how many members with a share the node sees, for an error that has just
// happened.
func online(c *api.Client) string {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	n, err := c.Node(ctx)
	if err != nil {
		return "the node does not say how many members are online"
	}
	net, err := c.Network(ctx)
	if err != nil {
		return "the node does not say how many members there are"
	}
	here := map[uint32]bool{n.Member: true}
	for _, p := range n.Peers {
		here[p.Member] = p.Connected
	}
	have := 0
	for _, m := range net.Members {
		if m.Seat != 0 && here[m.Index] {
			have++
		}
	}
	return fmt.Sprintf("%d of %s online, %d needed", have, count(net.Shares.Seats, "member"), net.Shares.Threshold)
}

// names are how tables call members and accounts.
type names map[curation.Address]string

func namesOf(n api.Network) names {
	all := names{}
	for _, m := range n.Members {
		all[m.Account] = m.Name
	}
	return all
}

func (n names) of(a curation.Address) string {
	if name, ok := n[a]; ok {
		return name
	}
	return shortAccount(a)
}

// memberName is a member by its index.
func memberName(n api.Network, index uint32) string {
	for _, m := range n.Members {
		if m.Index == index {
			return m.Name
		}
	}
	return fmt.Sprintf("member %d", index)
}
