package api_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/health"
)

// TestTheDescriptionListsEveryValue holds the values that the OpenAPI description gives
// for a field against the constants of the field's type: a status that the ledger has
// learned and the description has not is found here.
func TestTheDescriptionListsEveryValue(t *testing.T) {
	constants := map[string][]string{}
	for folder, of := range map[string]any{"../../curation": curation.Status(""), "../health": health.State("")} {
		addConstants(t, folder, reflect.TypeOf(of).PkgPath(), constants)
	}
	require.Equal(t, []string{"backing", "opening", "settled", "failed"}, constants[nameOf(reflect.TypeFor[curation.RoundPhase]())])
	seen := map[reflect.Type]bool{}
	checked := 0
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(of.Elem())
		case reflect.Struct:
			if seen[of] {
				return
			}
			seen[of] = true
			for i := range of.NumField() {
				f := of.Field(i)
				if values, listed := constants[nameOf(f.Type)]; listed && f.Tag.Get("enum") != "" {
					require.Equal(t, values, strings.Split(f.Tag.Get("enum"), ","), "%v.%s: as the constants of %v", of, f.Name, f.Type)
					checked++
				}
				walk(f.Type)
			}
		}
	}
	for _, resource := range []any{api.Network{}, api.ArtworkDetail{}, api.Approval{}, api.RoundDetail{}, api.Account{}, api.Node{},
		api.Motion{}, api.Succession{}, api.Training{}, api.Conviction{}} {
		walk(reflect.TypeOf(resource))
	}
	require.Greater(t, checked, 10)
}

func nameOf(of reflect.Type) string { return of.PkgPath() + "." + of.Name() }

// addConstants collects the constants of named types in a folder, in their order.
func addConstants(t *testing.T, folder, pkg string, to map[string][]string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != gotoken.CONST {
				continue
			}
			for _, s := range g.Specs {
				s := s.(*ast.ValueSpec)
				of, named := s.Type.(*ast.Ident)
				if !named {
					continue
				}
				if text, ok := s.Values[0].(*ast.BasicLit); ok && text.Kind == gotoken.STRING {
					value, err := strconv.Unquote(text.Value)
					require.NoError(t, err)
					to[pkg+"."+of.Name] = append(to[pkg+"."+of.Name], value)
				}
			}
		}
	}
}
