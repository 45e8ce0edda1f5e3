package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node"
)

func versionCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			return e.say(struct {
				Version string `json:"version"`
				Go      string `json:"go"`
			}{node.Version(), runtime.Version()}, "atelier %s (%s %s/%s)\n", node.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
