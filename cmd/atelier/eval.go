package main

import (
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation/curve"
)

func marketEval(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "eval",
		Short: "Compute trades on bonding curves exactly, from CSV on standard input",
		Long: `eval needs no network. It reads CSV with the header

  op,supply,reserve,ratio_ppm,amount

where op is buy (amount: deposit), cost (amount: tokens wanted) or sell (amount:
tokens), all amounts in base units (1 credit = 10^9), and writes the same columns
with result, the exact integer (empty when refused), and error. Results are the
floor, for cost the ceiling, of the real number, proven for each row.`,
		Example: "  printf 'op,supply,reserve,ratio_ppm,amount\\nbuy,100000000000,100000000000,500000,1000000000\\n' | atelier market eval",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			if err := curve.EvalCSV(e.in, e.out); err != nil {
				return &usageError{err}
			}
			return nil
		},
	}
}
