package pki_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rootkiln/pki"
)

func TestFinding(t *testing.T) {
	f := pki.New("expired", "root-ca.pem", "end", "2026-01-01T00:00:00Z", "at", "2026-11-22T20:00:00Z")
	if got, want := f.String(), `error: expired (root-ca.pem) at="2026-11-22T20:00:00Z" end="2026-01-01T00:00:00Z"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	data, err := json.Marshal(f)
	if want := `{"code":"expired","severity":"error","subject":"root-ca.pem","args":{"at":"2026-11-22T20:00:00Z","end":"2026-01-01T00:00:00Z"}}`; err != nil || string(data) != want {
		t.Errorf("%s, want %s", data, want)
	}
	if data, _ := json.Marshal(pki.New("bundle-none", "")); string(data) != `{"code":"bundle-none","severity":"error"}` {
		t.Errorf("%s", data)
	}
	defer func() {
		if recover() == nil {
			t.Error("a code that nobody knows was taken")
		}
	}()
	pki.New("no-such-code", "")
}

// Only errors refuse, and a refusal holds them all in their order.
func TestRefuse(t *testing.T) {
	notice, warning := pki.New("pem-normalised", "a"), pki.New("ski-missing", "b")
	if err := pki.Refuse([]pki.Finding{notice, warning}); err != nil {
		t.Error(err)
	}
	if err := pki.Refuse(nil); err != nil {
		t.Error(err)
	}
	err := fmt.Errorf("reading: %w", pki.Refuse([]pki.Finding{pki.New("not-ca", "b"), notice, pki.New("expired", "a"), warning}))
	wantRefusal(t, err, "not-ca", "expired")
	if got := err.Error(); got != "reading: error: not-ca (b); error: expired (a)" {
		t.Error(got)
	}
	if refusal := (*pki.Refusal)(nil); errors.As(errors.New("x"), &refusal) {
		t.Error("every error is a refusal")
	}
}

func TestCodes(t *testing.T) {
	list := pki.Codes()
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Error("not sorted, or twice the same")
	}
	for _, code := range list {
		if s := pki.SeverityOf(code); s != pki.Error && s != pki.Warning && s != pki.Notice {
			t.Errorf("%s has severity %q", code, s)
		}
		if s := string(code); strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%s is not a plain word", code)
		}
	}
	if pki.SeverityOf("no-such-code") != "" {
		t.Error("an unknown code has a severity")
	}
}

// New panics on a code that is not in the list: every code that stands in the
// sources is.
func TestCodesInTheSources(t *testing.T) {
	checked := 0
	for path, file := range sources(t, ".", "../cmd/gen") {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			function := ""
			switch f := call.Fun.(type) {
			case *ast.Ident:
				function = f.Name
			case *ast.SelectorExpr:
				function = f.Sel.Name
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING || !slices.Contains([]string{"New", "refuse", "add"}, function) {
				return true
			}
			code, _ := strconv.Unquote(literal.Value)
			if strings.ContainsAny(code, " :") { // errors.New, or another add
				return true
			}
			checked++
			if pki.SeverityOf(pki.Code(code)) == "" {
				t.Errorf("%s: %s(%q) would panic", path, function, code)
			}
			return true
		})
	}
	if checked < 80 {
		t.Errorf("only %d codes found in the sources", checked)
	}
}

// sources parses the Go files under the directories, tests left out.
func sources(t *testing.T, dirs ...string) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			files[path] = file
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
