package model

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a folder of pictures says about their terms: files whose names begin with
// license, licence, copying or notice, and a table sources.csv with the columns
// file and licence and, if wanted, author and source.
const (
	sourcesFile   = "sources.csv"
	maxTermsFile  = 1 << 20
	maxTermsFiles = 4
	maxTermsText  = 1500 // bytes of a licence's text that are kept whole
	maxNamed      = 12   // authors and sources that are named for one licence
)

// readTerms says in words what the folder says about the pictures used; "" when it
// says nothing. A table that cannot be read is an error: somebody meant it.
func readTerms(dir fs.FS, used []string) (string, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return "", err
	}
	var parts []string
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		if !e.Type().IsRegular() || len(parts) == maxTermsFiles || !isTerms(name) {
			continue
		}
		raw, err := readUpTo(dir, e.Name(), maxTermsFile)
		if err != nil {
			return "", fmt.Errorf("%s: %w", e.Name(), err)
		}
		if text := shortened(legible(string(raw))); text != "" {
			parts = append(parts, fmt.Sprintf("Terms of the pictures (%s):\n\n%s", legible(e.Name()), text))
		}
	}
	raw, err := readUpTo(dir, sourcesFile, maxTermsFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", fmt.Errorf("%s: %w", sourcesFile, err)
	default:
		said, err := parseSources(raw, used)
		if err != nil {
			return "", fmt.Errorf("%s: %w", sourcesFile, err)
		}
		parts = append(parts, said)
	}
	return strings.Join(parts, "\n\n"), nil
}

func isTerms(name string) bool {
	switch path.Ext(name) {
	case "", ".txt", ".md":
	default:
		return false
	}
	return slices.ContainsFunc([]string{"license", "licence", "copying", "notice"}, func(p string) bool { return strings.HasPrefix(name, p) })
}

// parseSources sums up the table for the pictures used.
func parseSources(raw []byte, used []string) (string, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) {
		return "", errors.New("it is not UTF-8 text")
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", errors.New("it is empty: its first line names the columns file,licence,author,source")
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "license" {
			name = "licence"
		}
		column[name] = i
	}
	if _, ok := column["file"]; !ok {
		return "", errors.New("it has no column file: its first line names the columns file,licence,author,source")
	}
	if _, ok := column["licence"]; !ok {
		return "", errors.New("it has no column licence: its first line names the columns file,licence,author,source")
	}
	cell := func(row []string, name string) string {
		i, ok := column[name]
		if !ok {
			return ""
		}
		return strings.Join(strings.Fields(legible(row[i])), " ")
	}
	listed := map[string][]string{}
	for i, row := range rows[1:] {
		name := path.Clean(strings.TrimSpace(row[column["file"]]))
		if _, twice := listed[name]; twice {
			return "", fmt.Errorf("line %d lists %q a second time", i+2, name)
		}
		listed[name] = row
	}
	groups := map[string]*group{}
	unlisted := 0
	for _, name := range used {
		row, ok := listed[name]
		if !ok || cell(row, "licence") == "" {
			unlisted++
			continue
		}
		g := groups[cell(row, "licence")]
		if g == nil {
			g = &group{}
			groups[cell(row, "licence")] = g
		}
		g.pictures++
		g.by, g.from = named(g.by, cell(row, "author")), named(g.from, cell(row, "source"))
	}
	var licences, out []string
	for l := range groups {
		licences = append(licences, l)
	}
	sort.Strings(licences)
	for _, l := range licences {
		g := groups[l]
		out = append(out, fmt.Sprintf("- %s: %s%s%s", l, pictures(g.pictures), list(" by ", g.by), list(", from ", g.from)))
	}
	if unlisted > 0 {
		out = append(out, fmt.Sprintf("- not stated: %s", pictures(unlisted)))
	}
	return fmt.Sprintf("Terms of the pictures (%s):\n\n%s", sourcesFile, strings.Join(out, "\n")), nil
}

// group are the pictures of one licence.
type group struct {
	pictures int
	by, from []string
}

func named(names []string, name string) []string {
	if name == "" || slices.Contains(names, name) || len(names) > maxNamed {
		return names
	}
	return append(names, name)
}

func list(before string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	if len(names) > maxNamed {
		return before + strings.Join(names[:maxNamed], ", ") + " and others"
	}
	return before + strings.Join(names, ", ")
}

func pictures(n int) string {
	if n == 1 {
		return "1 picture"
	}
	return fmt.Sprintf("%d pictures", n)
}

// shortened keeps a short text whole, and of a long one its first line and those
// that say who holds the rights.
func shortened(text string) string {
	if len(text) <= maxTermsText {
		return text
	}
	var kept []string
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && (len(kept) == 0 || strings.HasPrefix(line, "Copyright") || strings.HasPrefix(line, "©") || strings.HasPrefix(line, "(c)")) && len(kept) < 8 {
			kept = append(kept, truncate(line, 200))
		}
	}
	return strings.Join(kept, "\n") + "\n(shortened: the whole text lies beside the pictures)"
}

// legible is UTF-8 text of lines, without what does not print.
func legible(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		if r == '\t' {
			return ' '
		}
		return -1
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.TrimSpace(text)
}

// truncate cuts a text to at most n bytes, between characters.
func truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}
