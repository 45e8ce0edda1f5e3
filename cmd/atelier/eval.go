package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

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
floor, for cost the ceiling, of the real number, proven for each row.

--json writes lines instead, one object for each row, as soon as the row is there:
the same seven columns by their names, all of them text, because a row may hold
anything. ` + "`jq -s .`" + ` makes one list of them.`,
		Example: "  printf 'op,supply,reserve,ratio_ppm,amount\\nbuy,100000000000,100000000000,500000,1000000000\\n' | atelier market eval\n" +
			"  atelier market eval --json < trades.csv | jq -r .result",
		Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			if f, ok := e.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				fmt.Fprintf(e.err, "reading standard input; the first line is %s, Ctrl-D ends it\n", curve.EvalHeader)
			}
			in := bufio.NewReader(e.in)
			if _, err := in.Peek(1); err == io.EOF {
				return usage("standard input is empty: its first line has to be %s", curve.EvalHeader)
			}
			if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
				_, _ = in.Discard(len(byteOrderMark)) // they are buffered
			}
			err := e.eval(in)
			if errors.Is(err, curve.ErrHeader) {
				return &usageError{err}
			}
			return err
		},
	}
}

// byteOrderMark is what spreadsheets put before UTF-8.
const byteOrderMark = "\ufeff"

func (e *env) eval(in io.Reader) error {
	if !e.json {
		return curve.EvalCSV(in, e.out)
	}
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(curve.EvalCSV(in, w)) }()
	err := jsonLines(r, e.out)
	return errors.Join(err, r.CloseWithError(err))
}

// jsonLines turns what EvalCSV writes into an object a line, names in the order of
// the columns.
func jsonLines(r io.Reader, w io.Writer) error {
	rows := csv.NewReader(r)
	header, err := rows.Read()
	for err == nil {
		var row []string
		if row, err = rows.Read(); err != nil {
			break
		}
		line := []byte{'{'}
		for i, name := range header {
			if i > 0 {
				line = append(line, ',')
			}
			value, err := json.Marshal(row[i])
			if err != nil {
				return err
			}
			line = fmt.Appendf(line, "%q:%s", name, value)
		}
		_, err = w.Write(append(line, "}\n"...))
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
