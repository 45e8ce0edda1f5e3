package atelier_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/atelier-dao/atelier/"

// row says how high a package stands in the house (doc.go). Imports point down;
// packages of one row do not import each other unless one lies inside the other's
// folder.
func row(pkg string) int {
	switch {
	case has(pkg, "shamir"), has(pkg, "curation/curve"), has(pkg, "curation/state"), has(pkg, "model/kernel"), has(pkg, "storage/chunk"), has(pkg, "storage/strictjson"):
		return 0
	case has(pkg, "p2p"), has(pkg, "curation"), has(pkg, "model"), has(pkg, "storage"):
		return 1
	case has(pkg, "node"):
		return 2
	default: // cmd, examples
		return 3
	}
}

func has(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// pure packages hold what several peers compute alike: no socket, clock, disk,
// log or chance of their own.
var pure = []string{"shamir", "curation", "model/kernel", "model/latent", "model/taste", "model/internal/chance", "node/member", "storage/chunk", "storage/strictjson"}

var forbiddenInPure = []string{"net", "net/http", "os", "os/exec", "log", "log/slog", "math/rand", "math/rand/v2", "syscall"}

// unsafeBetweenPeers are the parts of kyber v3 that no distrusting peers should
// meet through; SECURITY.md says why.
var unsafeBetweenPeers = []string{
	"go.dedis.ch/kyber/v3/share/dkg", "go.dedis.ch/kyber/v3/share/vss", "go.dedis.ch/kyber/v3/share/pvss",
	"go.dedis.ch/kyber/v3/proof/dleq", "go.dedis.ch/kyber/v3/encrypt/ecies", "go.dedis.ch/kyber/v3/pairing/bn256",
}

// TestTheHouseStandsOnItsRows reads the import statements of every file.
func TestTheHouseStandsOnItsRows(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "asm") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg, test := path.Dir(filepath.ToSlash(name)), strings.HasSuffix(name, "_test.go")
		for _, spec := range f.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			checkImport(t, name, pkg, target, test)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, files, 100, "the walk met the house")
}

func checkImport(t *testing.T, file, pkg, target string, test bool) {
	for _, bad := range unsafeBetweenPeers {
		if has(target, bad) && !test {
			t.Errorf("%s imports %s, which is unsafe between distrusting peers", file, target)
		}
	}
	for _, p := range pure {
		if has(pkg, p) && !test {
			for _, bad := range forbiddenInPure {
				// A secret redacts itself in log/slog by implementing LogValuer.
				if target == bad && !(bad == "log/slog" && has(pkg, "shamir")) {
					t.Errorf("%s: %s is pure and must not import %s", file, p, target)
				}
			}
		}
	}
	inner, ours := strings.CutPrefix(target, module)
	if !ours || pkg == "." {
		return
	}
	from, to := row(pkg), row(inner)
	top := func(s string) string { return strings.SplitN(s, "/", 2)[0] }
	switch {
	case to > from:
		t.Errorf("%s (row %d) imports %s (row %d): imports point down", file, from, inner, to)
	case to == from && from < 2 && top(pkg) != top(inner) && !test:
		t.Errorf("%s imports %s: folders of one row do not import each other", file, inner)
	case has(pkg, "node") && pkg != "node" && pkg != "node/demo" && inner == "node": // the demo drives whole nodes
		t.Errorf("%s imports node: the parts of a node do not know the whole", file)
	}
}
