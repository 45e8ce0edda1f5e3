package curve

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

const answerHeader = EvalHeader + ",result,error\n"

func TestEvalCSV(t *testing.T) {
	long := strings.Repeat("9", maxEvalLine)
	for _, c := range []struct{ name, in, out string }{
		{"no rows", "", ""},
		{"one of each", "buy,1000000,1000000,500000,3000000\ncost,1000000,1000000,500000,1000000\nsell,2000000,4000000,500000,1000000\n",
			"buy,1000000,1000000,500000,3000000,1000000,\ncost,1000000,1000000,500000,1000000,3000000,\nsell,2000000,4000000,500000,1000000,3000000,\n"},
		{"a last row without an end", "buy,1,1,1000000,5", "buy,1,1,1000000,5,5,\n"},
		{"line ends of another system", "buy,1,1,1000000,5\r\nbuy,1,1,1000000,6\r\n", "buy,1,1,1000000,5,5,\nbuy,1,1,1000000,6,6,\n"},
		{"blank lines are not rows", "\n\nbuy,1,1,1000000,5\n\r\n\n", "buy,1,1,1000000,5,5,\n"},
		{"quoted fields", `"buy","1",1,1000000,5` + "\n", "buy,1,1,1000000,5,5,\n"},
		{"refused by the market", "sell,1,1,500000,2\n", "sell,1,1,500000,2,,sell 0.000000002 of 0.000000001 tokens: more tokens than the supply\n"},
		{"a result that does not fit", "cost,1,1,10000,3\n", "cost,1,1,10000,3,,amount is not below 2^120\n"},
		{"an unknown operation", "mint,1,1,500000,2\n", "mint,1,1,500000,2,,\"op \"\"mint\"\", want buy, cost or sell\"\n"},
		{"too few columns", "buy,1,1\n", "buy,1,1,,,,\"3 columns, want 5\"\n"},
		{"too many columns", "buy,1,1,500000,2,3\n", "buy,1,1,500000,2,,\"6 columns, want 5\"\n"},
		{"not a number", "buy,x,1,500000,2\n", "buy,x,1,500000,2,,\"supply: \"\"x\"\": not an amount\"\n"},
		{"a negative amount", "buy,1,1,500000,-2\n", "buy,1,1,500000,-2,,\"amount: \"\"-2\"\": not an amount\"\n"},
		{"a missing amount", "buy,1,1,500000,\n", "buy,1,1,500000,,,amount: empty text: not an amount\n"},
		{"an amount out of range", "buy,1,1329227995784915872903807060280344576,500000,2\n",
			"buy,1,1329227995784915872903807060280344576,500000,2,,reserve: 1329227995784915872903807060280344576: amount is not below 2^120\n"},
		{"a ratio out of range", "buy,1,1,9999,2\n", "buy,1,1,9999,2,,\"9999 ppm, want 10000 to 1000000: reserve ratio out of range\"\n"},
		{"a ratio beyond a word", "buy,1,1,99999999999,2\n", "buy,1,1,99999999999,2,,ratio_ppm 99999999999: reserve ratio out of range\n"},
		{"a ratio that is no number", "buy,1,1,half,2\n", "buy,1,1,half,2,,\"ratio_ppm \"\"half\"\": want a whole number\"\n"},
		{"a quote that does not close", "\"buy,1,1\nbuy,1,1,1000000,5\n", "\"\"\"buy,1,1\",,,,,,\"column 9: extraneous or missing \"\" in quoted-field\"\nbuy,1,1,1000000,5,5,\n"},
		{"a line too long, and the one after it", long + "9\nbuy,1,1,1000000,5\n", ",,,,,,line is longer than 4096 bytes\nbuy,1,1,1000000,5,5,\n"},
		{"a line far too long at the end", strings.Repeat(long, 3), ",,,,,,line is longer than 4096 bytes\n"},
		{"the longest line", "b," + long[2:] + "\n", "b," + long[2:] + ",,,,,\"2 columns, want 5\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			require.NoError(t, EvalCSV(strings.NewReader(EvalHeader+"\n"+c.in), &out))
			require.Equal(t, answerHeader+c.out, out.String())
		})
	}
}

func TestEvalCSVNamesTheHeaderItExpects(t *testing.T) {
	for _, in := range []string{"", "\n", "op,supply\n", "buy,1,1,500000,2\n", EvalHeader + ",result\n", " " + EvalHeader, "\ufeff" + EvalHeader + "\n", strings.Repeat("x", 1<<20)} {
		var out strings.Builder
		err := EvalCSV(strings.NewReader(in), &out)
		require.ErrorIs(t, err, ErrHeader)
		require.ErrorContains(t, err, EvalHeader)
		require.Less(t, len(err.Error()), 400)
		require.Empty(t, out.String())
	}
}

// lockstep answers each read with one more row, but only once the answer to the
// row before has been written.
type lockstep struct {
	t    *testing.T
	rows []string
	next int
	out  strings.Builder
}

func (l *lockstep) Read(p []byte) (int, error) {
	require.Equal(l.t, l.next, strings.Count(l.out.String(), "\n"), "an answer is held back")
	if l.next == len(l.rows) {
		return 0, io.EOF
	}
	l.next++
	return copy(p, l.rows[l.next-1]), nil
}

func TestEvalCSVAnswersWithoutWaitingForMore(t *testing.T) {
	l := &lockstep{t: t, rows: []string{EvalHeader + "\n", "buy,1,1,1000000,5\n", "buy,1,1,1000000,6\n"}}
	require.NoError(t, EvalCSV(l, &l.out))
	require.Equal(t, answerHeader+"buy,1,1,1000000,5,5,\nbuy,1,1,1000000,6,6,\n", l.out.String())
}

func TestEvalCSVReportsBrokenStreams(t *testing.T) {
	broken := errors.New("broken")
	var out strings.Builder
	err := EvalCSV(io.MultiReader(strings.NewReader(EvalHeader+"\nbuy,1,1,1000000,5\n"), iotest.ErrReader(broken)), &out)
	require.ErrorIs(t, err, broken)
	require.Equal(t, answerHeader+"buy,1,1,1000000,5,5,\n", out.String())
	require.ErrorIs(t, EvalCSV(iotest.ErrReader(broken), &out), broken)

	r, w := io.Pipe()
	r.CloseWithError(broken)
	require.ErrorIs(t, EvalCSV(strings.NewReader(EvalHeader+"\nbuy,1,1,1000000,5\n"), w), broken)
}

func TestEvalCSVRepeatsTheVectors(t *testing.T) {
	vectors := readVectors(t)
	var in, want strings.Builder
	in.WriteString(EvalHeader + "\n")
	want.WriteString(answerHeader)
	for _, row := range vectors {
		in.WriteString(strings.Join(row[:5], ",") + "\n")
		reason := ""
		if row[5] == "" {
			reason = ErrOverflow.Error()
		}
		want.WriteString(strings.Join(append(row[:6:6], reason), ",") + "\n")
	}
	var out strings.Builder
	require.NoError(t, EvalCSV(strings.NewReader(in.String()), &out))
	require.Equal(t, want.String(), out.String())
}

// FuzzEvalCSV feeds any bytes: no panic, and whatever is accepted answers each
// row with seven columns.
func FuzzEvalCSV(f *testing.F) {
	f.Add("buy,1000000,1000000,500000,3000000\nsell,1,1,500000,2")
	f.Add("\"buy,1,1\n,,,,\n\n\"\"\nx")
	f.Add("cost,1,1329227995784915872903807060280344575,10000,1\r\n")
	f.Add("buy,1,1,1000000,5\rbuy,1,1,1000000,5\n")
	f.Fuzz(func(t *testing.T, rows string) {
		var out strings.Builder
		require.NoError(t, EvalCSV(strings.NewReader(EvalHeader+"\n"+rows), &out))
		got, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		require.NoError(t, err)
		lines := 0
		for line := range strings.SplitSeq(rows, "\n") {
			if strings.TrimSuffix(line, "\r") != "" {
				lines++
			}
		}
		require.Len(t, got, lines+1)
		for _, row := range got[1:] {
			require.Len(t, row, 7)
			require.NotEqual(t, row[5] == "", row[6] == "", "either a result or an error: %q", row)
		}
	})
}
