package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/engine"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/config"
)

const passphraseVariable = "ATELIER_PASSPHRASE"

// passphrase opens key files; empty means the one that is kept beside them.
func passphrase() string { return os.Getenv(passphraseVariable) }

// variables are what the program itself reads from the environment; a node's
// settings are in config.Variables.
var variables = []struct {
	name, doc string
	take      func(e *env, text string) error // nil for what is read where it is needed
}{
	{"ATELIER_HOME", "home of the node, as --home", func(e *env, v string) error { e.home = v; return nil }},
	{"ATELIER_API", "node to ask, as --api; a typed --home goes before", func(e *env, v string) (err error) {
		e.api, err = read("ATELIER_API", v, nodeAddress)
		return err
	}},
	{"ATELIER_KEY", "key that signs, as --key", func(e *env, v string) error { e.key = v; return nil }},
	{passphraseVariable, "passphrase of key files", nil},
	{backupVariable, "passphrase of member backups", nil},
	{model.KernelVariable, "kernel to use: reference, neon, avx2 or avx512vnni", func(_ *env, v string) error {
		_, err := read(model.KernelVariable, v, oneOf(kernel.Kernels()...))
		return err
	}},
	{engine.LibraryVariable, "ONNX Runtime's library, as --library of model render", nil},
}

// environment takes what the variables say where no flag has said it: a home on the
// line also means its node, whatever ATELIER_API names. It refuses
// one that looks like a misspelt one of ours: a passphrase that silently is not
// taken is how keys are lost. Any other of our prefix may be somebody else's, so it
// is only told.
func (e *env) environment(cmd *cobra.Command, environ []string) error {
	known := &cobra.Command{SuggestionsMinimumDistance: 2}
	add := func(name string) { known.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}}) }
	for _, v := range variables {
		add(v.name)
		if text := os.Getenv(v.name); text != "" && v.take != nil && !typedFor(cmd, v.name) {
			if err := v.take(e, text); err != nil {
				return err
			}
		}
	}
	for _, v := range config.Variables {
		add(v.Name)
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if value == "" || !strings.HasPrefix(name, "ATELIER_") || strings.HasPrefix(name, "ATELIER_TEST_") ||
			slices.ContainsFunc(known.Commands(), func(c *cobra.Command) bool { return c.Name() == name }) {
			continue
		}
		if near := known.SuggestionsFor(name); len(near) > 0 {
			return usage("there is no variable %s: did you mean %s? (see `atelier help environment`)", name, near[0])
		}
		fmt.Fprintf(e.err, "note: there is no variable %s, so it says nothing (see `atelier help environment`)\n", name)
	}
	return nil
}

// typedFor says whether the line says what a variable would.
func typedFor(cmd *cobra.Command, variable string) bool {
	typed := func(name string) bool { f := cmd.Flag(name); return f != nil && f.Changed }
	return typed(strings.ToLower(strings.TrimPrefix(variable, "ATELIER_"))) || variable == "ATELIER_API" && typed("home")
}

// environmentTopic is a page of the help.
func environmentTopic(*env) *cobra.Command {
	var text strings.Builder
	text.WriteString("A flag goes before a variable, a variable before config.toml in the home. An empty\nvariable says nothing. What a node would run with shows `atelier config show`.\n\n")
	line := func(name, doc string) { fmt.Fprintf(&text, "  %-28s  %s\n", name, doc) }
	for _, v := range variables {
		line(v.name, v.doc)
	}
	text.WriteString("\nSettings of a node, which config.toml holds too:\n\n")
	for _, v := range config.Variables {
		line(v.Name, v.Doc)
	}
	text.WriteString(`
Passphrases: a key is an age file (age-encryption.org) under a passphrase. Made
without ATELIER_PASSPHRASE, it gets a random one that is kept beside it: for a
collector in FILE.passphrase, which goes before the variable; for a member in
keys/passphrase of the home, which the variable goes before. A wrong one changes
nothing, ends with status 1, and says

  the passphrase does not open the key file

NO_COLOR, when set, keeps progress free of colours and bars.`)
	return &cobra.Command{Use: "environment", Short: "Variables that commands and nodes read, and passphrases", Long: text.String()}
}

// apiTopic is a page of the help.
func apiTopic(*env) *cobra.Command {
	return &cobra.Command{
		Use: "api", Short: "The HTTP interface of a node, for programs",
		Long: `Each node serves HTTP on loopback, at the address that it prints and keeps as
api.addr in its home: a gallery for people at /, JSON for programs below /v1, IPFS
folders below /ipfs, and what describes all of it (OpenAPI 3.1) at /openapi.json:

  curl http://$(cat ~/.atelier/api.addr)/openapi.json
  curl http://$(cat ~/.atelier/api.addr)/v1/network
  curl http://$(cat ~/.atelier/api.addr)/v1/ledger/export > network.ledger
  curl -N http://$(cat ~/.atelier/api.addr)/v1/events

The ledger is the file that ` + "`atelier verify --ledger`" + ` checks. The last one is a
stream of server-sent events: blocks, and what happens in them.
Amounts are decimal strings of base units (1 credit or token = 10^9); errors are
application/problem+json (RFC 9457) with a stable code. Only the node's owner may
seal the artist, hand the keys over, fetch from other members, join trainings and
read which shares were released: such a request shows what api.token in the home
holds, as "Authorization: Bearer TOKEN". The commands of this program print the same
objects with --json.

A node has 1024 connections at a time, and more wait: put a proxy that allows each
visitor a few before a gallery that is for everybody. The head of a request may take
a minute, and so may its body. But for streams, an answer ends within 3 minutes, a
file within 15.`,
	}
}
