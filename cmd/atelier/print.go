package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
)

// print writes v as indented JSON.
func (e *env) print(v any) error {
	enc := json.NewEncoder(e.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// say writes v as JSON when that was asked for, else the text.
func (e *env) say(v any, format string, args ...any) error {
	if e.json {
		return e.print(v)
	}
	_, err := fmt.Fprintf(e.out, format, args...)
	return err
}

// table writes rows in columns under a header of words, or v as JSON when that was
// asked for. Without rows it says what there is none of.
func (e *env) table(v any, header string, rows [][]string, none string) error {
	if e.json {
		return e.print(v)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(e.out, none)
		return err
	}
	return e.columns(append([][]string{strings.Split(header, " ")}, rows...))
}

func (e *env) columns(rows [][]string) error {
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(r, "\t"), "\t"))
	}
	return w.Flush()
}

// sheet is a list of facts, one a line, with their names in a column.
type sheet struct{ rows [][]string }

func (s *sheet) add(name, format string, args ...any) {
	s.rows = append(s.rows, []string{"  " + name, fmt.Sprintf(format, args...)})
}

// addAll is add for a fact of several lines.
func (s *sheet) addAll(name string, lines []string) {
	for _, line := range lines {
		s.rows = append(s.rows, []string{"  " + name, line})
		name = ""
	}
}

// credits is an amount for people: at most four places, never 0 for what is more.
func credits(a curve.Amount) string { return a.CreditsTo(4) }

// short is the start of a hash, long enough to name an artwork in a command.
func short(h curation.Hash) string { return h.String()[:12] }

// shortAccount is an account's two ends, for people to tell accounts apart.
func shortAccount(a curation.Address) string {
	text := a.String()
	return text[:8] + "…" + text[len(text)-4:]
}

// clip cuts text to a number of characters.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
