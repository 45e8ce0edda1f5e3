package model

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// contractPath is all code between prompt, latent, recipe, seed and weights and the last
// pixel, and that of the prior from which latents are drawn.
var contractPath = []string{"fold.go", "prompt.go", "recipe_program.go", "internal/chance/*.go", "latent/*.go", "taste/*.go", "kernel/*.go"}

// What differs between machines, runs or releases of Go has no place there: floats
// (fused or not), the order of a map, chance of the process, and Unicode's tables.
func TestNothingBetweenPromptAndPixelsCanDiffer(t *testing.T) {
	for _, pattern := range contractPath {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files, "%s is gone: name here where its code went", pattern)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, file, nil, 0)
			require.NoError(t, err)
			for _, i := range parsed.Imports {
				require.NotContains(t, []string{`"math/rand"`, `"math/rand/v2"`, `"unicode"`, `"time"`, `"maps"`}, i.Path.Value, file)
			}
			refuseWhatDiffers(t, fset, parsed)
		}
	}
}

func TestWhatDiffersIsFound(t *testing.T) {
	for source, want := range map[string]string{
		"var x = 1.5":                              "a float",
		"func f(x float64) {}":                     "a float",
		"var x = math.Sqrt(2)":                     "math.Sqrt",
		"func f() { for range g() {} }":            "",
		"func f(m map[int]int) { for range m {} }": "the order of m",
		"type t struct { m map[int]int; n []int }; func f(v t) { for range v.m {}; for range v.n {} }": "the order of m",
		"var m = map[int]int{}; func f() { for k := range m { _ = k } }":                               "the order of m",
		"var x = math.MaxInt16": "",
	} {
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, "", "package p\n"+source, 0)
		require.NoError(t, err)
		require.Equal(t, want, strings.Join(whatDiffers(parsed), ", "), source)
	}
}

func refuseWhatDiffers(t *testing.T, fset *token.FileSet, n ast.Node) {
	t.Helper()
	require.Empty(t, whatDiffers(n), "%v", fset.Position(n.Pos()))
}

// whatDiffers names what may not be in n. Maps are known by the names that n declares
// with such a type.
func whatDiffers(n ast.Node) (found []string) {
	maps := map[string]bool{}
	isMap := func(e ast.Expr) bool {
		if lit, ok := e.(*ast.CompositeLit); ok {
			e = lit.Type
		}
		_, ok := e.(*ast.MapType)
		return ok
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				maps[name.Name] = maps[name.Name] || isMap(n.Type)
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				maps[name.Name] = maps[name.Name] || isMap(n.Type) || i < len(n.Values) && isMap(n.Values[i])
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if name, ok := to.(*ast.Ident); ok && len(n.Lhs) == len(n.Rhs) && isMap(n.Rhs[i]) {
					maps[name.Name] = true
				}
			}
		}
		return true
	})
	// The artist's, declared elsewhere.
	for _, name := range []string{"index", "tensors", "Exponents"} {
		maps[name] = true
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if n.Kind == token.FLOAT || n.Kind == token.IMAG {
				found = append(found, "a float")
			}
		case *ast.Ident:
			if slices.Contains([]string{"float32", "float64", "complex64", "complex128"}, n.Name) {
				found = append(found, "a float")
			}
		case *ast.SelectorExpr:
			if p, ok := n.X.(*ast.Ident); ok && p.Name == "math" && !strings.Contains(n.Sel.Name, "Int") {
				found = append(found, "math."+n.Sel.Name)
			}
		case *ast.RangeStmt:
			over := n.X
			if s, ok := over.(*ast.SelectorExpr); ok {
				over = s.Sel
			}
			if name, ok := over.(*ast.Ident); ok && maps[name.Name] {
				found = append(found, "the order of "+name.Name)
			}
		}
		return true
	})
	return found
}
