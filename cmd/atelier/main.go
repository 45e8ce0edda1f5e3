// Command atelier runs, uses and studies a peer-to-peer network that co-owns a
// generative artist. This folder holds flags, exit codes and drawing; what happens
// stands in the packages that it calls.
//
// Exit codes: 0 done, 1 failed, 2 usage: something typed that would be wrong whatever
// the machine and the network hold, 3 refused by the quorum, 4 refused by the ledger
// or its market, 5 a node or peer could not be reached, 6 a picture could not be
// checked, or drawn again, with what was given, 130 interrupted.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C finds nobody who asks it to wait
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
	fmt.Fprintf(errOut, "atelier: %s\n", sentence(err))
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
	given    string // the flags of these that the line gave, to give them again in advice
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
atelier market back).

Exit status: 0 done, 1 failed, 2 typed wrongly, 3 not approved by the members in
time, 4 refused by the ledger or its market, 5 a node or member does not answer,
6 a picture cannot be checked or drawn again with what is given, 130 interrupted.`),
		SilenceErrors: true, SilenceUsage: true, Version: versionText(),
		Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return e.begin(cmd) },
	}
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetVersionTemplate("{{.Version}}")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand(root))
	root.Flags().Bool("version", false, "print the version")
	fl := root.PersistentFlags()
	fl.StringVar(&e.home, "home", defaultHome(), "`DIR` of a member's node (ATELIER_HOME)")
	fl.Var(&typed[string]{name: "api", parse: nodeAddress, take: func(v string) { e.api = v }}, "api", "ask the node at `HOST:PORT`, not the home's (ATELIER_API)")
	fl.StringVar(&e.key, "key", "", "sign with the key in `FILE`, not the home's (ATELIER_KEY)")
	fl.BoolVar(&e.json, "json", false, "print JSON: stable, for programs")
	cobra.EnableCommandSorting = false // ours is the order in which people meet them
	for _, command := range commands {
		root.AddCommand(command(e))
	}
	strictNouns(root)
	root.SetUsageTemplate(usageTemplate)
	return root
}

// begin completes env for a command that is about to run.
func (e *env) begin(cmd *cobra.Command) error {
	for _, name := range []string{"home", "api", "key"} {
		if f := cmd.Flag(name); f != nil && f.Changed {
			e.given += " --" + name + " " + quoted(f.Value.String())
		}
	}
	return e.environment(cmd, os.Environ())
}

// again is a line to type next, with the flags that this one had.
func (e *env) again(format string, args ...any) string {
	return "atelier " + fmt.Sprintf(format, args...) + e.given
}

// quoted is text as a shell takes it for one word.
func quoted(text string) string {
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-:=@%+,~", r)
	}) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// usageTemplate is how help looks: a noun shows its verbs, a verb its flags.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else if .Runnable}}{{.UseLine}}{{else}}atelier help {{.Name}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}{{end}}
{{- if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}
{{- if .HasHelpSubCommands}}

Topics:{{range .Commands}}{{if .IsAdditionalHelpTopicCommand}}
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
	c := &cobra.Command{Use: use, Short: short, Long: longs[use], Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2}
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
			return unknown(cmd, args[0])
		}
	}
}

// unknown is a word that no command of c has.
func unknown(c *cobra.Command, word string) error {
	near := ""
	if s := c.SuggestionsFor(word); len(s) > 0 {
		near = fmt.Sprintf("; did you mean %q?", s[0])
	}
	return usage("unknown command %q for %q%s (see `%s --help`)", word, c.CommandPath(), near, c.CommandPath())
}

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help for a command or a topic",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknown(c, rest[0])
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		},
	}
}

func defaultHome() string {
	if dir, err := os.UserHomeDir(); err == nil {
		return dir + "/.atelier"
	}
	return ".atelier"
}
