package curve

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// EvalHeader is the first line that EvalCSV expects.
const EvalHeader = "op,supply,reserve,ratio_ppm,amount"

// maxEvalLine bounds a line of EvalCSV, in bytes. The longest sensible one has
// 130.
const maxEvalLine = 4096

const evalColumns = 5

var (
	// ErrHeader reports CSV whose first line is not EvalHeader.
	ErrHeader = errors.New("unexpected header")
	// errLine is the error of a row that is too long to be kept.
	errLine = fmt.Errorf("line is longer than %d bytes", maxEvalLine)
)

// EvalCSV evaluates trades from CSV. The first line of r is EvalHeader; each
// further row names an operation (buy, cost or sell), a curve, and an amount, all
// in base units. For each it writes the same five columns, then result, the exact
// integer, empty when the trade is refused, and error, why it was refused.
//
// Rows come out in the order in which they come in, one for one, as soon as r has
// nothing more at hand. A malformed row becomes a row with an error: columns that
// are missing stay empty, columns beyond the fifth and lines beyond 4096 bytes are
// left out. Blank lines are not rows. A row ends with its line, so a quoted field
// cannot hold a line break. EvalCSV fails with ErrHeader, and with the errors of r
// and w.
func EvalCSV(r io.Reader, w io.Writer) error {
	in := bufio.NewReaderSize(r, maxEvalLine+2) // room for the line and its end
	header, long, err := readLine(in)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read header: %w", err)
	}
	if long || header != EvalHeader {
		return fmt.Errorf("%w %q, want %q", ErrHeader, clip(header), EvalHeader)
	}
	out := csv.NewWriter(w)
	row := append(strings.Split(EvalHeader, ","), "result", "error")
	for {
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write row: %w", err)
		}
		if in.Buffered() == 0 { // whoever feeds us waits for answers
			out.Flush()
		}
		line, long, err := "", false, error(nil)
		for line == "" && !long && err == nil {
			line, long, err = readLine(in)
		}
		if err != nil && err != io.EOF {
			out.Flush()
			return fmt.Errorf("read row: %w", err)
		}
		if line == "" && !long {
			out.Flush()
			return out.Error()
		}
		row = evalLine(row[:0], line, long)
	}
}

// readLine returns the next line without its end. When the line is too long, it
// is skipped and long is set. The error is io.EOF for the last, possibly empty,
// line without an end.
func readLine(in *bufio.Reader) (line string, long bool, err error) {
	b, err := in.ReadSlice('\n')
	line = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if err != bufio.ErrBufferFull {
		return line, len(line) > maxEvalLine, err
	}
	for err == bufio.ErrBufferFull {
		_, err = in.ReadSlice('\n')
	}
	return "", true, err
}

// evalLine appends the seven columns that answer a line.
func evalLine(row []string, line string, long bool) []string {
	if long {
		return append(row, "", "", "", "", "", "", errLine.Error())
	}
	columns, err := splitLine(line)
	if err == nil && len(columns) != evalColumns {
		err = fmt.Errorf("%d columns, want %d", len(columns), evalColumns)
	}
	row = append(row, columns[:min(len(columns), evalColumns)]...)
	for len(row) < evalColumns {
		row = append(row, "")
	}
	if err == nil {
		var result Amount
		if result, err = evalRow(row); err == nil {
			return append(row, result.String(), "")
		}
	}
	return append(row, "", err.Error())
}

// splitLine returns the fields of a line; when its quotes are wrong, the line is
// the first field.
func splitLine(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	c := csv.NewReader(strings.NewReader(line))
	columns, err := c.Read()
	if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
		return []string{line}, fmt.Errorf("column %d: %w", parse.Column, parse.Err)
	}
	return columns, err
}

// evalRow returns the result of op, supply, reserve, ratio_ppm, amount.
func evalRow(row []string) (Amount, error) {
	var s State
	var trade func(Amount) (Amount, error)
	switch row[0] {
	case "buy":
		trade = func(a Amount) (Amount, error) { return s.Buy(a) }
	case "cost":
		trade = func(a Amount) (Amount, error) { return s.Cost(a) }
	case "sell":
		trade = func(a Amount) (Amount, error) { return s.Sell(a) }
	default:
		return Amount{}, fmt.Errorf("op %q, want buy, cost or sell", clip(row[0]))
	}
	var amount Amount
	for _, column := range []struct {
		name string
		text string
		to   *Amount
	}{{"supply", row[1], &s.Supply}, {"reserve", row[2], &s.Reserve}, {"amount", row[4], &amount}} {
		v, err := ParseAmount(column.text)
		if err != nil {
			return Amount{}, fmt.Errorf("%s: %w", column.name, err)
		}
		*column.to = v
	}
	ratio, err := parseRatio(row[3])
	if err != nil {
		return Amount{}, err
	}
	s.Ratio = ratio
	return trade(amount)
}

// parseRatio reads parts per million as ParseAmount reads amounts.
func parseRatio(text string) (Ratio, error) {
	if _, err := ParseAmount(text); err != nil && !errors.Is(err, ErrOverflow) {
		return 0, fmt.Errorf("ratio_ppm %q: want a whole number", clip(text))
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("ratio_ppm %s: %w", clip(text), ErrRatio)
	}
	return Ratio(n), nil
}
