// Command atelier runs, uses and studies a peer-to-peer network that co-owns a
// generative artist. This folder holds flags, exit codes and drawing; what happens
// stands in the packages that it calls.
//
// Exit codes: 0 done, 1 failed, 2 usage, 3 refused by the quorum, 4 refused by the
// ledger or its market, 5 a node or peer could not be reached, 130 interrupted.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot(in, out, errOut)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	code, hint := classify(ctx, err)
	if code == codeInterrupted {
		fmt.Fprintln(errOut, "interrupted")
		return code
	}
	fmt.Fprintf(errOut, "atelier: %v\n", err)
	if hint != "" {
		fmt.Fprintf(errOut, "  %s\n", hint)
	}
	return code
}

// env is what every command gets: streams and global flags.
type env struct {
	in       io.Reader
	out, err io.Writer
	home     string
	api      string // host:port of a node; empty means the one that runs in home
	key      string // file of a collector's key; empty means the member's of home
	json     bool
}

func newRoot(in io.Reader, out, errOut io.Writer) *cobra.Command {
	e := &env{in: in, out: out, err: errOut}
	root := &cobra.Command{
		Use:   "atelier",
		Short: "A peer-to-peer network that co-owns a generative artist",
		Long: strings.TrimSpace(`
atelier is a peer-to-peer network that co-owns a generative artist. Members share
the key of the model so that none of them can use it alone; it comes together for
one approved picture at a time, and collectors decide which pictures are published.

Begin with the whole thing on your own machine:

  atelier demo

Then run a member of a real network (atelier network create, atelier member join,
atelier node start), or collect with any node's interface (atelier artwork list,
atelier market back).`),
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
	}
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w (see `%s --help`)", err, cmd.CommandPath())}
	})
	home := os.Getenv("ATELIER_HOME")
	if home == "" {
		home = defaultHome()
	}
	root.PersistentFlags().StringVar(&e.home, "home", home, "`DIR` of a member's node (ATELIER_HOME)")
	root.PersistentFlags().StringVar(&e.api, "api", os.Getenv("ATELIER_API"), "ask the node at `HOST:PORT`, not the home's (ATELIER_API)")
	root.PersistentFlags().StringVar(&e.key, "key", os.Getenv("ATELIER_KEY"), "sign with the key in `FILE`, not the home's (ATELIER_KEY)")
	root.PersistentFlags().BoolVar(&e.json, "json", false, "print JSON: stable, for programs")
	cobra.EnableCommandSorting = false // ours is the order in which people meet them
	for _, command := range commands {
		root.AddCommand(command(e))
	}
	strictNouns(root)
	root.SetUsageTemplate(usage)
	return root
}

// usage is how help and usage look: a noun shows its verbs, a verb its flags.
const usage = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}{{end}}
{{- if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}
{{- if .HasAvailableSubCommands}}

More: {{.CommandPath}} COMMAND --help{{end}}
`

// noun makes a command that only groups verbs.
func noun(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2}
	c.AddCommand(verbs...)
	return c
}

// strictNouns makes an unknown verb an error with a suggestion instead of help.
func strictNouns(c *cobra.Command) {
	for _, sub := range c.Commands() {
		strictNouns(sub)
	}
	if c.RunE == nil && c.Run == nil && c.HasSubCommands() {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			msg := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
			if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
				msg += fmt.Sprintf("; did you mean %q?", s[0])
			}
			return &usageError{fmt.Errorf("%s (see `%s --help`)", msg, cmd.CommandPath())}
		}
	}
}

func defaultHome() string {
	if dir, err := os.UserHomeDir(); err == nil {
		return dir + "/.atelier"
	}
	return ".atelier"
}
