package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/verify"
)

// genesisHash reads the hash that names a network.
func genesisHash(text string) (*curation.Hash, error) {
	h, err := curation.ParseHash(text)
	if err != nil {
		return nil, errors.New("want the 64 hex digits of a network's genesis, as `atelier network show` prints them")
	}
	return &h, nil
}

// checkLedger replays the ledger in a file. chain is what it is compared with, and
// from who says so; without one it is the genesis of a home that was named.
func (e *env) checkLedger(cmd *cobra.Command, path string, chain *curation.Hash) (l *verify.Ledger, trusted string, took time.Duration, err error) {
	from := "as --chain says"
	if typed := cmd.Flag("home").Changed; chain == nil && (typed || os.Getenv("ATELIER_HOME") != "") {
		doc, err := home.Home(e.home).ReadGenesis()
		switch {
		case err == nil:
			hash := curation.GenesisHash(doc)
			chain, from = &hash, "as "+e.home+" has it"
		case typed || !errors.Is(err, home.ErrNoGenesis):
			return nil, "", 0, err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "", 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", 0, err
	}
	if info.IsDir() {
		return nil, "", 0, fmt.Errorf("%s is a folder: give a file that `atelier network export --ledger FILE` wrote", path)
	}
	in := &counted{r: f}
	bar := newProgress(e, "KiB of "+path)
	began := time.Now()
	l, err = verify.CheckLedger(cmd.Context(), in, verify.LedgerOptions{Chain: chain, Progress: func(uint64) { bar.move(int(in.n>>10), int(info.Size()>>10)) }})
	bar.end()
	if err != nil {
		return nil, "", 0, fmt.Errorf("%s: %w", path, err)
	}
	trusted = fmt.Sprintf("nothing but genesis %v: compare it with what a member tells you (atelier network show), or give it with --chain", l.Chain)
	if chain != nil {
		trusted = fmt.Sprintf("nothing but genesis %v, %s", chain, from)
	}
	return l, trusted, time.Since(began), nil
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// verifyLedger tells what a ledger proves by itself.
func (e *env) verifyLedger(cmd *cobra.Command, path string, chain *curation.Hash) error {
	l, trusted, took, err := e.checkLedger(cmd, path, chain)
	if err != nil {
		return err
	}
	if e.json {
		if err := e.print(struct {
			*verify.Ledger
			Trusted string `json:"trusted"`
		}{l, trusted}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.out, "%q  %s\n", l.Name, l.ID)
		e.showClaims(l.Claims)
		if err := e.showHistory(l, took); err != nil {
			return err
		}
		fmt.Fprintf(e.out, "trusted: %s\n", trusted)
	}
	if !l.Valid {
		return &invalidError{fmt.Sprintf("the ledger in %s does not hold: %s", path, l.Fault())}
	}
	if !e.json {
		fmt.Fprintln(e.out, "valid")
	}
	return nil
}

// showHistory prints what the blocks that hold tell.
func (e *env) showHistory(l *verify.Ledger, took time.Duration) error {
	if l.Height == 0 {
		return nil
	}
	s := &sheet{}
	s.add("heights", "1 to %d, the last of %s", l.Height, l.Time.Format("2006-01-02 15:04:05 UTC"))
	s.add("", "%s, replayed in %.1f s: %.0f blocks a second", count(int(l.Txs), "transaction"), took.Seconds(), float64(l.Height)/max(took.Seconds(), 1e-3))
	for _, h := range l.Handovers {
		by := "made by"
		if h.Epoch > 1 {
			by = "handed over by"
		}
		if h.Guardians {
			by = "given back by the guardians"
		}
		s.add(fmt.Sprintf("epoch %d", h.Epoch), "since height %d: %s; %d of them act for all", h.Height, strings.Join(h.Members, ", "), h.Threshold)
		s.add("", "%s %s%s%s", by, strings.Join(h.Dealt, ", "), change("; joined: ", h.Joined, h.Epoch > 1), change("; left: ", h.Left, true))
	}
	if len(l.Handovers) == 0 {
		s.add("keys", "none yet")
	}
	s.add("artworks", "%s", artworksText(l.Artworks))
	for _, c := range l.Convictions {
		s.add("convicted", "%s, at height %d: %s", c.Member, c.Height, offences[c.Offence])
	}
	return e.columns(s.rows)
}

func change(what string, names []string, tell bool) string {
	if !tell || len(names) == 0 {
		return ""
	}
	return what + strings.Join(names, ", ")
}
