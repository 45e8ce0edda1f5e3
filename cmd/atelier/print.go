package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
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

// table writes rows in columns, or v as JSON when that was asked for.
func (e *env) table(v any, header string, rows [][]string) error {
	if e.json {
		return e.print(v)
	}
	w := tabwriter.NewWriter(e.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(header, " ", "\t"))
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	return w.Flush()
}
