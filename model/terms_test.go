package model

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestTermsOfThePicturesAreRead(t *testing.T) {
	used := []string{"cat.png", "sub/dog.png", "eel.png", "fox.png"}
	long := "Some Licence\nCopyright 2020 Ada\n" + strings.Repeat("All of it.\n", 500) + "© Bruno\n"
	for name, c := range map[string]struct {
		folder fstest.MapFS
		want   string
	}{
		"nothing is said": {fstest.MapFS{"readme.txt": {Data: []byte("CC0")}, "license.png": {}}, ""},
		"a licence":       {fstest.MapFS{"LICENSE": {Data: []byte("MIT\r\n\x1b[2JCopyright Ada\n")}}, "Terms of the pictures (LICENSE):\n\nMIT\n[2JCopyright Ada"},
		"in other words":  {fstest.MapFS{"Licence.md": {Data: []byte("CC0")}, "copying.txt": {Data: []byte("GPL")}}, "Terms of the pictures (Licence.md):\n\nCC0\n\nTerms of the pictures (copying.txt):\n\nGPL"},
		"a long one":      {fstest.MapFS{"LICENSE": {Data: []byte(long)}}, "Terms of the pictures (LICENSE):\n\nSome Licence\nCopyright 2020 Ada\n© Bruno\n(shortened: the whole text lies beside the pictures)"},
		"a table": {fstest.MapFS{"sources.csv": {Data: []byte("\ufeffSource,File, License ,Author\nhttps://a,cat.png,CC0-1.0,Ada\n,sub/dog.png,CC0-1.0,Bruno\n,./eel.png,CC-BY-4.0,\"Vera, of \x1bHarbour\"\n,gone.png,MIT,\n")}},
			"Terms of the pictures (sources.csv):\n\n- CC-BY-4.0: 1 picture by Vera, of Harbour\n- CC0-1.0: 2 pictures by Ada, Bruno, from https://a\n- not stated: 1 picture"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readTerms(c.folder, used)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for name, c := range map[string]struct{ table, says string }{
		"nothing":             {"", "it is empty: its first line names the columns file,licence,author,source"},
		"no file":             {"licence\nMIT\n", "no column file"},
		"no licence":          {"file\ncat.png\n", "no column licence"},
		"a row too long":      {"file,licence\ncat.png,MIT,x\n", "wrong number of fields"},
		"a file twice":        {"file,licence\ncat.png,MIT\n./cat.png,GPL\n", `line 3 lists "cat.png" a second time`},
		"no text":             {"file,licence\ncat.png,\xff\n", "not UTF-8"},
		"larger than allowed": {strings.Repeat("x", maxTermsFile+1), "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readTerms(fstest.MapFS{"sources.csv": {Data: []byte(c.table)}}, used)
			require.ErrorContains(t, err, "sources.csv: ")
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestManyAuthorsAreSummedUp(t *testing.T) {
	table, used := "file,licence,author\n", []string{}
	for i := range 40 {
		used = append(used, fmt.Sprintf("%d.png", i))
		table += fmt.Sprintf("%d.png,CC0-1.0,author %d\n", i, i)
	}
	got, err := parseSources([]byte(table), used)
	require.NoError(t, err)
	require.Contains(t, got, "40 pictures by author 0, ")
	require.Contains(t, got, "author 11 and others")
}

// The card of an artist never has an empty section, and says what nobody has said.
func TestTheModelCardSaysWhatIsNotKnown(t *testing.T) {
	card := func(o TrainOptions, more fstest.MapFS) string {
		dir := pictureFolder(t)
		for name, f := range more {
			dir[name] = f
		}
		o.Name, o.Steps = "gull", 1
		a, err := Train(t.Context(), dir, o)
		require.NoError(t, err)
		out := t.TempDir()
		require.NoError(t, a.SaveDir(out))
		raw, err := os.ReadFile(filepath.Join(out, cardFile))
		require.NoError(t, err)
		require.NotRegexp(t, `(?m)^## .*\n\n+(##|$)`, string(raw), "an empty section")
		require.Contains(t, string(raw), "# gull\n")
		return string(raw)
	}
	silent := card(TrainOptions{}, nil)
	require.Contains(t, silent, "license_name: \"unknown\"")
	require.Contains(t, silent, "2 pictures: 1 without ground, 1 that fill their frame.")
	require.Contains(t, silent, "Terms of the pictures: not known.")
	require.Contains(t, silent, "Not stated: whoever trained this artist")
	require.Contains(t, silent, "train again with `atelier model train --licence TEXT`")

	said := card(TrainOptions{Data: "two drawings", Licence: "CC0-1.0\nby Ada"}, nil)
	require.Contains(t, said, "license_name: \"CC0-1.0\"\n")
	require.Contains(t, said, "## Data\n\ntwo drawings\n\n## Licence\n\nCC0-1.0\nby Ada\n")
	require.NotContains(t, said, "not known")

	beside := card(TrainOptions{Data: "two drawings"}, fstest.MapFS{"LICENSE": {Data: []byte("MIT, Ada")}})
	require.Contains(t, beside, "two drawings\n\nTerms of the pictures (LICENSE):\n\nMIT, Ada\n")
	require.NotContains(t, beside, "not known")
}

// A fine-tune on one's own pictures does not pass off the base's terms as its own.
func TestAFineTuneSaysWhatItComesFrom(t *testing.T) {
	a, err := FineTune(t.Context(), Embedded(), FineTuneOptions{Steps: 1, Pictures: pictureFolder(t), Name: "gull"})
	require.NoError(t, err)
	d := a.Describe()
	require.Empty(t, d.Licence)
	require.Contains(t, d.Data, "Terms of the pictures: not known.")
	require.Contains(t, d.Data, `Tuned from the artist "paper-cut" (4460f918e22792e3). Its terms: Apache-2.0 for the weights`)
	require.Contains(t, d.Data, "What it learned from: Fluent Emoji Flat")
	a, err = FineTune(t.Context(), Embedded(), FineTuneOptions{Steps: 1, Name: "gull"})
	require.NoError(t, err)
	require.Equal(t, Embedded().Describe().Licence, a.Describe().Licence, "the same pictures, the same terms")
	require.Equal(t, Embedded().Describe().Data, a.Describe().Data)
}

// FuzzSources reads arbitrary tables: a text that prints, or an error.
func FuzzSources(f *testing.F) {
	f.Add([]byte("file,licence,author,source\ncat.png,MIT,Ada,https://a\n"))
	f.Add([]byte("\ufefffile,license\n\"c\nat.png\",\n"))
	f.Add([]byte("\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		text, err := parseSources(raw, []string{"cat.png", "dog.png"})
		if err != nil {
			return
		}
		require.True(t, utf8.ValidString(text))
		require.Equal(t, -1, strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }), "%q", text)
	})
}
