package shamir_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What kyber v3.1.0 offers here is unsafe between distrusting peers: proofs that
// check nothing, remote panics, a ceremony that splits on one lost message.
var unsafeImports = []string{
	"go.dedis.ch/kyber/v3/share/dkg", "go.dedis.ch/kyber/v3/share/vss", "go.dedis.ch/kyber/v3/share/pvss",
	"go.dedis.ch/kyber/v3/proof/dleq", "go.dedis.ch/kyber/v3/encrypt/ecies", "go.dedis.ch/kyber/v3/pairing/bn256",
	"go.dedis.ch/kyber/v3/sign/tbls",
}

// The mathematics has no clock, goroutine, file, socket, log or chance of its own.
var impureImports = []string{"os", "net", "time", "log", "sync", "math/rand", "math/rand/v2", "crypto/rand", "context"}

func TestImports(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path == "oracle" {
			return filepath.SkipDir // a module of its own, where kyber's meet only themselves
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files++
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			for _, u := range unsafeImports {
				require.False(t, name == u || strings.HasPrefix(name, u+"/"), "%s imports %s", path, name)
			}
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			require.NotContains(t, impureImports, name, path)
			if rest, ours := strings.CutPrefix(name, "github.com/atelier-dao/atelier/"); ours {
				require.True(t, rest == "shamir" || strings.HasPrefix(rest, "shamir/"), "%s imports %s", path, name)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, files, 20, "the walk found the package")
}

// circl before v1.6.5 accepts the point at infinity as a signature on anything.
func TestCirclIsRequiredAtASafeVersion(t *testing.T) {
	b, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	var version string
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "github.com/cloudflare/circl" {
			version = f[1]
		}
	}
	require.Regexp(t, `^v1\.(6\.([5-9]|\d\d+)|([7-9]|\d\d+)\.\d+)$`, version, "required directly, at v1.6.5 or later")
}
