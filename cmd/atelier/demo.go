package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/demo"
)

func demoCommand(e *env) *cobra.Command {
	var exit bool
	var members int
	var prompts []string
	var level string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Found a network of four members in this process and publish its first artworks",
		Long: `demo runs everything once, for real, in one process on loopback: it founds a
network of four members, makes the network's keys without a dealer, seals the
network's own artist under them, creates six artworks that the quorum approves,
lets collectors back them in a sealed batch, and publishes the best.

It stays up afterwards, with a gallery page for each member, until Ctrl-C. The
homes are temporary unless --home names a directory to keep them in.`,
		Example: "  atelier demo\n  atelier demo --exit --json | jq .artworks\n  atelier demo --home ./demo --prompt \"red heart\" --prompt \"blue bird\"",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var keep string
			if cmd.Flags().Changed("home") {
				keep = e.home
			}
			dir, temporary, err := demoHome(keep)
			if err != nil {
				return err
			}
			if temporary {
				defer os.RemoveAll(dir)
			}
			log, err := newLogger(e, config.Log{Level: level, Format: "text"})
			if err != nil {
				return err
			}
			out := e.out
			if e.json {
				out = e.err
			}
			scr := newScreen(out)
			o := demo.Options{Home: dir, Members: members, Prompts: prompts, Logger: log}
			if !exit {
				o.Stay = func(ctx context.Context, r demo.Report, _ []*node.Node) error { return stay(ctx, scr, r, temporary) }
			}
			start := time.Now()
			report, err := demo.Run(cmd.Context(), o, scr)
			scr.end()
			if err != nil && !(cmd.Context().Err() != nil && errors.Is(err, context.Canceled)) {
				return err
			}
			if e.json {
				enc := json.NewEncoder(e.out)
				enc.SetIndent("", "  ")
				return enc.Encode(report)
			}
			fmt.Fprintf(out, "\nDone in %.1f s, peak memory %d MiB.\n", time.Since(start).Seconds(), report.PeakMemory>>20)
			return nil
		},
	}
	c.Flags().BoolVar(&exit, "exit", false, "end after the round instead of staying up")
	option(c, &members, "members", "4", between(1, 16), "`N` members of the network, 1 to 16")
	options(c, &prompts, "prompt", "", wish, "`TEXT` to ask for, instead of the six prompts (repeatable)")
	option(c, &level, "log-level", "error", logLevel, "`LEVEL` of what the nodes log on standard error: debug, info, warn, error")
	return c
}

func demoHome(keep string) (dir string, temporary bool, err error) {
	if keep == "" {
		dir, err = os.MkdirTemp("", "atelier-demo-*")
		return dir, true, err
	}
	if entries, err := os.ReadDir(keep); err == nil && len(entries) > 0 {
		return "", false, usage("%s is not empty: the demo founds a new network, choose another directory", keep)
	}
	return keep, false, os.MkdirAll(keep, 0o700)
}

// stay tells where to look and waits for Ctrl-C.
func stay(ctx context.Context, s *screen, r demo.Report, temporary bool) error {
	s.Step(7, "Look around", "the network lives until you press Ctrl-C")
	for i, url := range r.Gallery {
		s.Fact("gallery of member %d  %s", i+1, url)
	}
	for _, p := range r.Artworks {
		if p.Published {
			s.Fact("ipfs %s  %q", p.CID, p.Title)
		}
	}
	for _, p := range r.Artworks {
		if p.Published {
			s.Fact("check one offline:  atelier verify %s --home %s/member-1", p.CID, r.Home)
			break
		}
	}
	if temporary {
		s.Fact("(the homes are temporary; keep them with --home DIR)")
	}
	<-ctx.Done()
	return nil
}
