package main

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const vectors = "../../shamir/testdata"

func TestEveryCaseComesToTheVerdictThatTheFilesName(t *testing.T) {
	var said bytes.Buffer
	right, err := verify(&said, os.DirFS(vectors))
	require.NoError(t, err)
	require.True(t, right, "%s", &said)
	require.Greater(t, strings.Count(said.String(), "✓"), 150)
	require.NotContains(t, said.String(), "✗")
}

// TestNothingOfThisModuleIsImported keeps the program independent.
func TestNothingOfThisModuleIsImported(t *testing.T) {
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			library := strings.HasPrefix(path, "github.com/cloudflare/circl/") || path == "github.com/gtank/ristretto255"
			require.True(t, library || !strings.Contains(strings.SplitN(path, "/", 2)[0], "."), "%s imports %s", name, path)
		}
	}
}

// TestAWrongVerdictShows changes what the files expect, or what they hold, and asks
// for the mark that says so.
func TestAWrongVerdictShows(t *testing.T) {
	for _, c := range []struct{ name, file, old, new string }{
		{"a good share is called wrong", "release.json", `"verdict": "good"`, `"verdict": "proof"`},
		{"a wrong share is called good", "release.json", `"verdict": "index"`, `"verdict": "good"`},
		{"a release fails elsewhere", "release.json", `"fails": "seed"`, `"fails": "draw"`},
		{"another plaintext is expected", "release.json", `"plaintext": "73`, `"plaintext": "74`},
		{"another order is expected", "release.json", `"turn": 0`, `"turn": 1`},
		{"a ceremony fails elsewhere", "ceremony.json", `"fails": "disputes"`, `"fails": "dealers"`},
		{"a ceremony is said to have ended otherwise", "ceremony.json", `"outcome": "active"`, `"outcome": "aborted"`},
		{"another culprit is expected", "ceremony.json", `"reason": "dealt a wrong share"`, `"reason": "did not acknowledge"`},
		{"another committee is expected", "ceremony.json", `"committee": "0100`, `"committee": "0200`},
		{"a form is one that readers take", "refused.json", `"hex": "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"`, `"hex": "147dc836c5a36242d9323161b707240a54d919fce409b7ccb0ed0228b8f5445c"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(vectors, c.file))
			require.NoError(t, err)
			text := string(b)
			at := strings.LastIndex(text, c.old) // the cases that hold come last
			require.Positive(t, at)
			files := fstest.MapFS{
				"release.json": {Data: []byte("{}")}, "ceremony.json": {Data: []byte("{}")}, "refused.json": {Data: []byte("[]")},
				c.file: {Data: []byte(text[:at] + c.new + text[at+len(c.old):])},
			}
			var said bytes.Buffer
			right, err := verify(&said, files)
			require.NoError(t, err)
			require.False(t, right)
			require.Contains(t, said.String(), "✗")
		})
	}
}

// FuzzLog: bytes of a stranger are refused and never more than that.
func FuzzLog(f *testing.F) {
	b, err := os.ReadFile(filepath.Join(vectors, "ceremony.json"))
	require.NoError(f, err)
	var file struct{ Ceremonies []fields }
	require.NoError(f, json.Unmarshal(b, &file))
	for _, c := range file.Ceremonies {
		f.Add(c.bytes("log"))
		f.Add(c.bytes("committee"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		attempt(func() { parseLog(b) })
		attempt(func() { parseCommittee(b) })
	})
}
