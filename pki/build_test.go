package pki_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// goTool runs the go command for a platform, without cgo.
func goTool(t *testing.T, goos, goarch string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("GOOS=%s GOARCH=%s %s: %v\n%s", goos, goarch, cmd, err, &stderr)
	}
	return out
}

// watch opens the sources that a go command will read, so that a cached test
// result ends when one of them changes.
func watch(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range append(dirs, "../go.mod") {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") || path == "../go.mod" {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The page carries the core and everything it needs: nothing gets in that is not
// on this list.
func TestDependencies(t *testing.T) {
	watch(t, ".")
	listed := strings.Fields(string(goTool(t, "js", "wasm", "list", "-deps", "-f", "{{.ImportPath}}:{{.Standard}}", "./...")))
	if len(listed) < 50 {
		t.Fatalf("only %d packages", len(listed))
	}
	allowed := func(pkg string) bool {
		for _, prefix := range []string{"rootkiln/pki", "golang.org/x/crypto", "golang.org/x/sync"} {
			if pkg == prefix || strings.HasPrefix(pkg, prefix+"/") {
				return true
			}
		}
		return false
	}
	for _, line := range listed {
		pkg, standard, _ := strings.Cut(line, ":")
		switch {
		case standard == "false" && !allowed(pkg):
			t.Errorf("%s is a dependency", pkg)
		case slices.Contains([]string{"net/http", "crypto/tls", "os/exec", "os/user", "os/signal", "plugin", "log", "testing", "flag", "regexp"}, pkg):
			t.Errorf("%s of the standard library is a dependency", pkg)
		}
	}
}

// The core does not look at the clock, the operating system or the random
// source: time stands in the plan, files are values, and what is random comes
// through a KeySource, of which key.go holds the one for production.
func TestPurity(t *testing.T) {
	forbidden := map[string][]string{ // package: names; none means all
		"os": nil, "os/exec": nil, "syscall": nil, "unsafe": nil, "net/http": nil, "math/rand": nil, "math/rand/v2": nil, "log": nil, "crypto/rand": nil,
		"time": {"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"},
		"net":  {"Dial", "Listen", "Lookup", "LookupHost", "LookupIP", "Interfaces"},
		"fmt":  {"Print", "Println", "Printf"},
	}
	checked := 0
	for path, file := range sources(t, ".") {
		checked++
		imports := map[string]string{} // local name: path
		for _, spec := range file.Imports {
			pkg, _ := strconv.Unquote(spec.Path.Value)
			local := pkg[strings.LastIndex(pkg, "/")+1:]
			if spec.Name != nil {
				local = spec.Name.Name
			}
			imports[local] = pkg
			names, known := forbidden[pkg]
			if known && names == nil && (pkg != "crypto/rand" || path != "key.go") || local == "." {
				t.Errorf("%s imports %s", path, pkg)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok && slices.Contains(forbidden[imports[x.Name]], selector.Sel.Name) {
				t.Errorf("%s uses %s.%s", path, imports[x.Name], selector.Sel.Name)
			}
			return true
		})
		for _, group := range file.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "//go:build") || strings.HasPrefix(c.Text, "//go:linkname") {
					t.Errorf("%s: %s", path, c.Text)
				}
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d files checked", checked)
	}
}

// The core compiles for the browser, and the command line for every system that
// somebody may hold a ceremony on.
func TestBuilds(t *testing.T) {
	watch(t, ".", "../cmd/gen")
	for _, tt := range []struct{ goos, goarch, pkg string }{
		{"js", "wasm", "./..."},
		{"wasip1", "wasm", "../cmd/gen"},
		{"windows", "amd64", "../cmd/gen"},
		{"darwin", "arm64", "../cmd/gen"},
	} {
		t.Run(tt.goos+"/"+tt.goarch, func(t *testing.T) {
			goTool(t, tt.goos, tt.goarch, "build", "-o", os.DevNull, tt.pkg)
		})
	}
}

// Small is a promise: a file over 400 lines or a function over 60 wants a reason.
func TestSize(t *testing.T) {
	set := token.NewFileSet()
	for path := range sources(t, ".") {
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if lines := set.File(file.Pos()).LineCount(); lines > 400 {
			t.Errorf("%s has %d lines", path, lines)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > 60 {
					t.Errorf("%s: %s has %d lines", path, f.Name.Name, lines)
				}
			}
		}
	}
}
