package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/ledger"
)

func nodeStart(e *env) *cobra.Command {
	var level string
	var unsafe bool
	c := &cobra.Command{
		Use:   "start",
		Short: "Run this home's member until Ctrl-C",
		Long: `start runs the member of the home: it founds the network with the others, or joins
the one it was invited to, if that has not happened, and then takes part in
consensus, ceremony, approvals, generation and storage. It prints where its gallery
is, and logs on standard error.

The same address serves programs: JSON below /v1, described by /openapi.json; see
` + "`atelier help api`" + `. The node reads config.toml of the home and variables; see
` + "`atelier config show`" + ` and ` + "`atelier help environment`" + `.

A member that was restored from its backup votes only after it has watched the
ledger for a while; see ` + "`atelier member restore --help`" + `. With
--unsafe-sign-now it votes at once. That is for a network that makes no blocks
without it, when you are sure that the lost node runs nowhere: it may contradict a
vote that it cast before it was lost, which is evidence against it, and several
such members can split the ledger.`,
		Example: "  atelier node start\n  atelier node start --home ./ada --log-level info",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(e.home, os.LookupEnv)
			if err != nil {
				return err
			}
			if level != "" {
				cfg.Log.Level = level
			}
			if restored, err := ledger.Restored(home.Home(e.home).Ledger()); err != nil {
				return err
			} else if unsafe && !restored {
				return fmt.Errorf("--unsafe-sign-now is for a member that was restored and observes; %s has a record of its votes: start it without", e.home)
			}
			log, err := newLogger(e, cfg.Log)
			if err != nil {
				return err
			}
			n, err := node.Open(home.Home(e.home), cfg, node.Options{Passphrase: passphrase(), Logger: log, Founding: e.foundingLog(), SignUnrecorded: unsafe})
			if err != nil {
				return err
			}
			go func() {
				select {
				case <-n.Ready():
					who := "admitted" // its own ledger does not know it yet
					if i := n.Info().Member; i != 0 {
						who = fmt.Sprintf("member %d", i)
					}
					fmt.Fprintf(e.out, "%s, account %v\ngallery  http://%s/\n", who, n.Account(), n.APIAddress())
					if gone := n.Gone(); gone != "" {
						fmt.Fprintf(e.err, "%s\nnext: stop the node, and delete %s or come back with an invitation of a member: `%s`\n", gone, e.home, e.again("member join INVITATION"))
					}
				case <-cmd.Context().Done():
				}
			}()
			return n.Run(cmd.Context())
		},
	}
	c.Flags().BoolVar(&unsafe, "unsafe-sign-now", false, "let a restored member vote without observing first; it may contradict what it voted before it was lost")
	option(c, &level, "log-level", "", logLevel, "`LEVEL` of the log: debug, info, warn, error (default: log.level of config.toml)")
	return c
}

// foundingLog tells how a founding goes, each line once.
func (e *env) foundingLog() func(founding.Progress) {
	last := ""
	return func(p founding.Progress) {
		line := ""
		what := map[bool]string{false: "founding", true: "joining"}[p.Joining]
		switch {
		case p.Waiting != "":
			line = "waiting: " + p.Waiting
		case p.Joining:
			line = fmt.Sprintf("%d of %s to admit this member", p.Have, count(p.Want, "vote"))
		case p.Want > 1: // one is a founding of nobody else
			line = fmt.Sprintf("%d of %s here", p.Have, count(p.Want, "member"))
		}
		if line != last && line != "" {
			fmt.Fprintf(e.err, "%s: %s\n", what, line)
			last = line
		}
	}
}

func newLogger(e *env, c config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, err
	}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(e.err, &slog.HandlerOptions{Level: level})), nil
	}
	f, isFile := e.err.(*os.File)
	return slog.New(tint.NewHandler(e.err, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !isFile || !term.IsTerminal(int(f.Fd()))})), nil
}

func nodeStop(e *env) *cobra.Command {
	var wait time.Duration
	c := &cobra.Command{
		Use: "stop", Short: "Stop the node that runs in this home, and wait until it has",
		Long: `stop asks the process of the home's node to end, as Ctrl-C would, and returns when
it has: its ledger and store are closed then. It ends with 5 when none runs there.`,
		Example: "  atelier node stop\n  atelier node stop --home ./ada --wait 10m",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h := home.Home(e.home)
			b, err := os.ReadFile(h.PID())
			if errors.Is(err, os.ErrNotExist) {
				return &unreachableError{fmt.Errorf("no node runs in %s", h)}
			} else if err != nil {
				return err
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
			if err != nil {
				return fmt.Errorf("%s holds no process id: %w", h.PID(), err)
			}
			unlock, err := h.Lock()
			if err == nil { // nobody holds the home: the node crashed
				h.RemoveRuntime()
				return errors.Join(unlock(), &unreachableError{fmt.Errorf("no node runs in %s (the last one did not stop cleanly)", h)})
			} else if !errors.Is(err, home.ErrLocked) {
				return err
			}
			p, err := os.FindProcess(pid)
			if err != nil {
				return err
			}
			if err := p.Signal(syscall.SIGTERM); err != nil {
				return fmt.Errorf("stop process %d: %w", pid, err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), wait)
			defer cancel()
			fmt.Fprintf(e.err, "asked process %d to stop\n", pid)
			for {
				if unlock, err := h.Lock(); err == nil {
					fmt.Fprintln(e.err, "stopped")
					return unlock()
				}
				select {
				case <-ctx.Done():
					return fmt.Errorf("process %d has not stopped within %v, and its log says what it does: wait on with `%s`", pid, wait, e.again("node stop --wait 10m"))
				case <-time.After(50 * time.Millisecond):
				}
			}
		},
	}
	option(c, &wait, "wait", "3m", span, "how long to wait: `TIME` such as 90s or 10m")
	return c
}
