package report

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
	"sync"
	"testing"

	"rootkiln/pki"
)

// What the code says about findings: the arguments that pki/finding.go promises
// for each code, and those that each place which raises it really gives.

const moduleRoot = "../.."

// raise is one place where a finding is made.
type raise struct {
	position string
	subject  bool // false where the subject is the empty string
	args     []string
}

// source is every Go file of the module that is not a test.
type source struct {
	set   *token.FileSet
	files map[string]*ast.File // by path
}

var load = sync.OnceValues(func() (source, error) {
	s := source{token.NewFileSet(), map[string]*ast.File{}}
	err := filepath.WalkDir(moduleRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if path != moduleRoot && (nested == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		s.files[path], err = parser.ParseFile(s.set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		return err
	})
	return s, err
})

func sources(t *testing.T) source {
	t.Helper()
	s, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var firstWord = regexp.MustCompile(`^\s*([a-z][A-Za-z]*)`)

// declaredArgs reads the comments of the table of codes: the first words of a
// list with commas.
func declaredArgs(t *testing.T) map[pki.Code][]string {
	t.Helper()
	s := sources(t)
	file := s.files[filepath.Join(moduleRoot, "pki", "finding.go")]
	comments := map[int]string{}
	for _, group := range file.Comments {
		comments[s.set.Position(group.Pos()).Line] = group.Text()
	}
	args := map[pki.Code][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		if code, ok := literal(pair.Key); ok {
			args[pki.Code(code)] = nil
			for _, part := range strings.Split(comments[s.set.Position(pair.Pos()).Line], ",") {
				if m := firstWord.FindStringSubmatch(part); m != nil {
					args[pki.Code(code)] = append(args[pki.Code(code)], m[1])
				}
			}
		}
		return true
	})
	if len(args) != len(pki.Codes()) {
		t.Fatalf("pki/finding.go: read %d codes of %d; is the table still a map literal?", len(args), len(pki.Codes()))
	}
	return args
}

// shape is where a function that makes findings takes its parts from. One that
// takes no arguments behind the code makes its findings in another way.
type shape struct{ code, subject, args int } // subject -1: it has one of its own

// calls visits every call with a literal code and the shape of what is called.
func calls(t *testing.T, visit func(at token.Position, call *ast.CallExpr, s shape)) {
	t.Helper()
	src := sources(t)
	known := map[string]bool{}
	for _, code := range pki.Codes() {
		known[string(code)] = true
	}
	for path, file := range src.files {
		for _, decl := range file.Decls {
			function, _ := decl.(*ast.FuncDecl)
			ast.Inspect(decl, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				s, ok := src.shapeOf(call.Fun, function, filepath.Dir(path))
				if !ok || s.code >= len(call.Args) {
					return true
				}
				if code, ok := literal(call.Args[s.code]); ok && known[code] {
					visit(src.set.Position(call.Pos()), call, s)
				}
				return true
			})
		}
	}
}

// raises lists the places where each code is raised: calls of pki.New and of
// every function, method or closure that takes a Code and then arguments.
func raises(t *testing.T) map[pki.Code][]raise {
	t.Helper()
	out := map[pki.Code][]raise{}
	calls(t, func(at token.Position, call *ast.CallExpr, s shape) {
		code, _ := literal(call.Args[s.code])
		r := raise{position: at.String(), subject: true}
		if s.subject >= 0 {
			text, fixed := literal(call.Args[s.subject])
			r.subject = !fixed || text != ""
		}
		for i := s.args; i < len(call.Args); i += 2 {
			name, ok := literal(call.Args[i])
			if !ok {
				return // passed on from elsewhere
			}
			r.args = append(r.args, name)
		}
		out[pki.Code(code)] = append(out[pki.Code(code)], r)
	})
	if len(out) < len(pki.Codes())/2 {
		t.Fatalf("found only %d codes that are raised: does the search still know how?", len(out))
	}
	return out
}

// argumentLiterals collects the string literals that stand in values of
// arguments, by argument.
func argumentLiterals(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	calls(t, func(_ token.Position, call *ast.CallExpr, s shape) {
		for i := s.args; i+1 < len(call.Args); i += 2 {
			name, _ := literal(call.Args[i])
			ast.Inspect(call.Args[i+1], func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					if text, ok := literal(e); ok {
						out[name] = append(out[name], text)
					}
				}
				return true
			})
		}
	})
	return out
}

// shapeOf looks the called function up: closures of the function around the
// call, then the package, and package pki for pki.F.
func (s source) shapeOf(called ast.Expr, around *ast.FuncDecl, dir string) (shape, bool) {
	var name string
	method := false
	switch f := called.(type) {
	case *ast.Ident:
		name = f.Name
		if around != nil {
			if found := closure(around, name); found != nil {
				return shapeOfType(found)
			}
		}
	case *ast.SelectorExpr:
		name, method = f.Sel.Name, true
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "pki" {
			dir, method = filepath.Join(moduleRoot, "pki"), false
		}
	}
	for path, file := range s.files {
		if filepath.Dir(path) != dir {
			continue
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Name.Name == name && (f.Recv != nil) == method {
				if found, ok := shapeOfType(f.Type); ok {
					return found, true
				}
			}
		}
	}
	return shape{}, false
}

func closure(around *ast.FuncDecl, name string) (found *ast.FuncType) {
	ast.Inspect(around, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok {
			for i, left := range a.Lhs {
				if id, ok := left.(*ast.Ident); ok && id.Name == name && i < len(a.Rhs) {
					if f, ok := a.Rhs[i].(*ast.FuncLit); ok {
						found = f.Type
					}
				}
			}
		}
		return true
	})
	return found
}

func shapeOfType(f *ast.FuncType) (shape, bool) {
	out, at := shape{code: -1, subject: -1}, 0
	for _, field := range f.Params.List {
		for range max(1, len(field.Names)) {
			_, variadic := field.Type.(*ast.Ellipsis)
			switch {
			case isCode(field.Type):
				out.code = at
			case out.code >= 0 && variadic:
				out.args = at
			case out.code >= 0 && out.subject < 0:
				out.subject = at
			}
			at++
		}
	}
	return out, out.code >= 0 && out.args > 0
}

func isCode(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "Code"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Code"
	}
	return false
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// stringLiterals returns every string literal below a directory of the module.
func stringLiterals(t *testing.T, below string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for path, file := range sources(t).files {
		if strings.HasPrefix(path, filepath.Join(moduleRoot, below)+string(filepath.Separator)) {
			ast.Inspect(file, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					if s, ok := literal(e); ok {
						out[s] = true
					}
				}
				return true
			})
		}
	}
	if len(out) == 0 {
		t.Fatalf("no string below %s: was it moved?", below)
	}
	return out
}

func commonArgs(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}
