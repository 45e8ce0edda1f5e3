package shamir_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tagArgument says where the functions that hash take their tag.
var tagArgument = map[string]int{"Hash": 0, "HashPoint": 0, "HashScalar": 1, "DeriveNonce": 2}

// tags are those that the code hashes with: whole, or as the beginning of what it
// joins a word to.
type tags struct {
	whole, begins, words map[string]bool
}

// TestTheSpecificationListsEveryTag holds the table in section 3 of SPEC.md against
// the code: every tag that is hashed is in it, and every tag in it is hashed.
func TestTheSpecificationListsEveryTag(t *testing.T) {
	used := tags{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	separation := map[string]bool{}
	for _, root := range []string{".", "../curation/statement.go"} { // the labels and names that the ledger gives
		require.NoError(t, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && slices.Contains([]string{"attack", "shamirtest"}, d.Name()) {
				return filepath.SkipDir // they play members' parts with members' tags
			}
			if err == nil && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
				read(t, name, used, separation)
			}
			return err
		}))
	}
	text, err := os.ReadFile("SPEC.md")
	require.NoError(t, err)
	listed := column(t, string(text), "\n## 3. Tags\n")
	require.Greater(t, len(listed), 40)

	for tag := range used.whole {
		require.Contains(t, listed, tag, "SPEC.md, section 3, has no row for a tag that the code hashes with")
	}
	for begin := range used.begins {
		require.True(t, slices.ContainsFunc(listed, func(tag string) bool { return strings.HasPrefix(tag, begin) }), "SPEC.md has no tag that begins with %q", begin)
	}
	for _, tag := range listed {
		joined := false
		for begin := range used.begins {
			rest, is := strings.CutPrefix(tag, begin)
			joined = joined || is && used.words[rest]
		}
		require.True(t, used.whole[tag] || joined, "SPEC.md lists %q, which no code hashes with", tag)
	}
	tagged := regexp.MustCompile("`(ATELIER-V1-[^`]+)`").FindAllStringSubmatch(string(text), -1)
	for _, m := range tagged {
		require.True(t, separation[m[1]], "SPEC.md lists %q, which the code does not have", m[1])
	}
	require.Len(t, tagged, len(separation), "SPEC.md, section 2, lists each domain separation tag once")
}

// column is the first column of the table below a heading, without its backquotes.
func column(t *testing.T, text, heading string) (cells []string) {
	t.Helper()
	_, text, found := strings.Cut(text, heading)
	require.True(t, found, heading)
	text, _, _ = strings.Cut(text, "\n## ")
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` ").FindAllStringSubmatch(text, -1) {
		require.NotContains(t, cells, m[1], "listed twice")
		cells = append(cells, m[1])
	}
	return cells
}

// read collects the tags of one file.
func read(t *testing.T, name string, used tags, separation map[string]bool) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	require.NoError(t, err)
	inside, ranges := "", map[string][]ast.Expr{} // what a loop's variable is, one after the other
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			inside = n.Name.Name
		case *ast.BasicLit:
			if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				used.words[s] = true
				if strings.HasPrefix(s, "ATELIER-") {
					separation[s] = true
				}
			}
		case *ast.RangeStmt:
			list, literal := n.X.(*ast.CompositeLit)
			if v, is := n.Value.(*ast.Ident); is && literal {
				ranges[v.Name] = list.Elts
			}
		case *ast.CallExpr:
			at, hashes := tagArgument[called(n)]
			if !hashes || len(n.Args) <= at || file.Name.Name == "curation" && !qualified(n) {
				break
			}
			prefix := ""
			if called(n) == "DeriveNonce" {
				prefix = "nonce/"
			}
			options := []ast.Expr{n.Args[at]}
			if v, is := n.Args[at].(*ast.Ident); is && ranges[v.Name] != nil {
				options = ranges[v.Name]
			}
			for _, arg := range options {
				joined, is := arg.(*ast.BinaryExpr)
				if is {
					arg = joined.X
				}
				literal, known := arg.(*ast.BasicLit)
				if !known {
					require.True(t, isMethod(n), "%s: the tag in %s is no literal, so the specification cannot be held against it", name, inside)
					break
				}
				tag, err := strconv.Unquote(literal.Value)
				require.NoError(t, err)
				if is {
					used.begins[prefix+tag] = true
				} else {
					used.whole[prefix+tag] = true
				}
			}
		}
		return true
	})
}

func called(n *ast.CallExpr) string {
	switch f := n.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// qualified says whether the call is of package shamir by name.
func qualified(n *ast.CallExpr) bool {
	s, is := n.Fun.(*ast.SelectorExpr)
	if !is {
		return false
	}
	x, is := s.X.(*ast.Ident)
	return is && x.Name == "shamir"
}

// isMethod says whether the call is of a method of the same name, which takes no
// tag: a reader's Hash, or hashing to a curve.
func isMethod(n *ast.CallExpr) bool {
	_, is := n.Fun.(*ast.SelectorExpr)
	return is && !qualified(n)
}
