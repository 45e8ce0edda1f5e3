package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node/config"
)

func configShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Print the settings in effect, and where each comes from",
		Long: `show prints what the node of this home would run with: defaults, then config.toml
in the home, then ATELIER_* variables (` + "`atelier help environment`" + ` lists them).
--json prints the values alone.`,
		Example: "  atelier config show --home ./ada\n  ATELIER_LOG_LEVEL=debug atelier config show | grep log",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			cfg, settings, err := config.Explain(e.home, os.LookupEnv)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, s := range settings {
				rows = append(rows, []string{s.Key, s.Value, s.Source})
			}
			return e.table(cfg, "SETTING VALUE FROM", rows, "")
		},
	}
}
