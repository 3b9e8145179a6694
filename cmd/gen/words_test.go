package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sources are the parsed files of the package, tests aside.
func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return set, files
}

// message is a text of the source, with the name of its variable if it has one.
type message struct{ en, zh, at string }

// texts finds every text of the package: its literals, by their type or, in a
// map or struct of texts, by their place.
func texts(t *testing.T) (all []message, named map[string]message) {
	t.Helper()
	set, files := sources(t)
	named = map[string]message{}
	literal := func(e ast.Expr) (string, bool) {
		l, ok := e.(*ast.BasicLit)
		if !ok || l.Kind != token.STRING {
			return "", false
		}
		s, err := strconv.Unquote(l.Value)
		return s, err == nil
	}
	read := func(c *ast.CompositeLit) (message, bool) {
		if len(c.Elts) != 2 {
			return message{}, false
		}
		en, ok := literal(c.Elts[0])
		zh, also := literal(c.Elts[1])
		return message{en, zh, set.Position(c.Pos()).String()}, ok && also
	}
	isText := func(e ast.Expr) bool {
		id, ok := e.(*ast.Ident)
		return ok && id.Name == "text"
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, v := range n.Values {
					if c, ok := v.(*ast.CompositeLit); ok && isText(c.Type) {
						named[n.Names[i].Name], _ = read(c)
					}
				}
			case *ast.CompositeLit:
				m, isMap := n.Type.(*ast.MapType)
				switch {
				case isText(n.Type):
					found, ok := read(n)
					if !ok {
						t.Errorf("%s: a text without two plain strings", set.Position(n.Pos()))
					}
					all = append(all, found)
				case isMap && isText(m.Value):
					for _, e := range n.Elts {
						if c, ok := e.(*ast.KeyValueExpr).Value.(*ast.CompositeLit); ok {
							found, _ := read(c)
							all = append(all, found)
						}
					}
				}
			}
			return true
		})
	}
	if len(all) < 150 || len(named) < 100 {
		t.Fatalf("only %d texts, %d named", len(all), len(named))
	}
	return all, named
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[0-9]*(?:\.[0-9]+)?([a-zA-Z%])`)

// verbs lists the arguments that a format takes, as number and verb.
func verbs(format string) map[string]bool {
	args, next := map[string]bool{}, 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		args[fmt.Sprint(next, m[2])] = true
		next++
	}
	return args
}

// TestTextsAgree: both languages of a message take the same arguments in the
// same order, and the Chinese is Chinese.
func TestTextsAgree(t *testing.T) {
	all, _ := texts(t)
	for _, m := range all {
		if en, zh := verbs(m.en), verbs(m.zh); !maps.Equal(en, zh) {
			t.Errorf("%s: %v in English, %v in Chinese", m.at, slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(zh)))
		}
		words := verb.ReplaceAllString(m.en, "")
		if strings.ContainsFunc(words, func(r rune) bool { return r >= 'a' && r <= 'z' }) && !strings.Contains(m.en, "$1") && (m.zh == m.en || !hasHan(m.zh)) {
			t.Errorf("%s: %q is not Chinese", m.at, m.zh)
		}
		if hasHan(m.en) || m.en == "" {
			t.Errorf("%s: %q is not English", m.at, m.en)
		}
		en, zh := strings.TrimSpace(m.en), strings.TrimSpace(m.zh)
		if ends := strings.HasSuffix(en, ".") && !strings.HasSuffix(en, "..."); ends != strings.HasSuffix(zh, "。") || strings.HasSuffix(en, ":") != strings.HasSuffix(zh, "：") {
			t.Errorf("%s: %q and %q end differently", m.at, m.en, m.zh)
		}
		for _, command := range regexp.MustCompile("`[^`]+`").FindAllString(m.en, -1) {
			if !strings.Contains(m.zh, command) {
				t.Errorf("%s: the Chinese lacks %s", m.at, command)
			}
		}
		for _, flag := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(m.en, -1) {
			if !strings.Contains(m.zh, flag) {
				t.Errorf("%s: the Chinese lacks %s", m.at, flag)
			}
		}
	}
}

// TestMessageArguments: every call that fills a message gives it as many
// arguments as it takes; go vet does not look behind a struct.
func TestMessageArguments(t *testing.T) {
	_, named := texts(t)
	set, files := sources(t)
	calls := 0
	used := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Obj == nil {
				used[id.Name] = true
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || call.Ellipsis.IsValid() {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			id, ok := call.Args[0].(*ast.Ident)
			if !ok || !slices.Contains([]string{"t", "say", "usage", "failed"}, name) {
				return true
			}
			m, known := named[id.Name]
			if !known {
				return true
			}
			calls++
			highest := 0
			for v := range verbs(m.en) {
				n, _ := strconv.Atoi(strings.TrimRight(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
				highest = max(highest, n)
			}
			if highest != len(call.Args)-1 {
				t.Errorf("%s: %s takes %d arguments, it gets %d", set.Position(call.Pos()), id.Name, highest, len(call.Args)-1)
			}
			return true
		})
	}
	if calls < 100 {
		t.Fatalf("only %d calls were found", calls)
	}
	for name := range named {
		if !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
}
