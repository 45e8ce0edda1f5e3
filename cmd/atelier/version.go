package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node"
)

func versionText() string {
	return fmt.Sprintf("atelier %s (%s %s/%s)\n", node.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func versionCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version",
		Long:    "version prints which atelier this is and with what it was built, as --version does.",
		Example: "  atelier version\n  atelier version --json | jq -r .version",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			return e.say(struct {
				Version string `json:"version"`
				Go      string `json:"go"`
			}{node.Version(), runtime.Version()}, "%s", versionText())
		},
	}
}
