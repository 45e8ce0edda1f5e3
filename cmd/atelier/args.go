package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// takes accepts exactly the named arguments, and says what is missing by name. One
// that is called ID names an artwork.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return argsBetween(cmd, args, len(names), names) }
}

// mayTake accepts at most the named arguments.
func mayTake(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return argsBetween(cmd, args, 0, names) }
}

// takesBetween accepts the named arguments, of which only the first few must be there.
func takesBetween(least int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error { return argsBetween(cmd, args, least, names) }
}

func argsBetween(cmd *cobra.Command, args []string, least int, names []string) error {
	path := cmd.CommandPath()
	switch {
	case len(args) < least:
		return usage("%s is missing: `%s %s` (see `%s --help`)", names[len(args)], path, strings.Join(names, " "), path)
	case len(args) > len(names) && len(names) == 0:
		return usage("`%s` takes no arguments, have %q (see `%s --help`)", path, args[0], path)
	case len(args) > len(names):
		return usage("%q is too much: `%s %s` (see `%s --help`)", args[len(names)], path, strings.Join(names, " "), path)
	}
	for i, arg := range args {
		if names[i] == "ID" {
			if _, err := read("ID", arg, artworkID); err != nil {
				return err
			}
		}
	}
	return nil
}
