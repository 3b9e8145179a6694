package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"rootkiln/pki"
)

// TestRefused holds what both precheck and commit refuse; the directory stays
// byte for byte what it was. cli.md, "Manners".
func TestRefused(t *testing.T) {
	tls, off := serverPart("new"), offlinePart("new")
	for _, tt := range []struct {
		name  string
		make  func(t *testing.T)
		paths []string
		seal  bool
		force bool
		input string
		want  targetKind
	}{
		{"file", func(t *testing.T) { put(t, "tls.tar", "old") }, []string{"off", "tls.tar"}, false, false, "", targetExists},
		{"directory", func(t *testing.T) { os.Mkdir("d", 0o755); put(t, "d/x", "old") }, []string{"d"}, false, false, "", targetExists},
		{"empty directory", func(t *testing.T) { os.Mkdir("d", 0o755) }, []string{"d"}, false, false, "", targetExists},
		{"archive for directory", func(t *testing.T) { os.Mkdir("a.tar", 0o755) }, []string{"a.tar"}, false, true, "", targetOtherForm},
		{"directory for file", func(t *testing.T) { put(t, "d", "old") }, []string{"d"}, false, true, "", targetOtherForm},
		{"link", func(t *testing.T) { put(t, "x", "old"); os.Symlink("x", "a.tar") }, []string{"a.tar"}, false, false, "", targetSymlink},
		{"link with force", func(t *testing.T) { put(t, "x", "old"); os.Symlink("x", "a.tar") }, []string{"a.tar"}, false, true, "", targetSymlink},
		{"link to directory with force", func(t *testing.T) { os.Mkdir("x", 0o755); os.Symlink("x", "d") }, []string{"d"}, false, true, "", targetSymlink},
		{"dangling link", func(t *testing.T) { os.Symlink("nowhere", "a.tar") }, []string{"a.tar"}, false, false, "", targetSymlink},
		{"no parent", nil, []string{"no/such/a.tar"}, false, false, "", targetNoParent},
		{"file as parent", func(t *testing.T) { put(t, "x", "old") }, []string{"x/a.tar"}, false, true, "", targetNoParent},
		{"same", nil, []string{"a.tar", "./a.tar"}, false, false, "", targetNested},
		{"same by a link", func(t *testing.T) { os.Mkdir("x", 0o755); os.Symlink("x", "y") }, []string{"x/a.tar", "y/a.tar"}, false, false, "", targetNested},
		{"one in the other", nil, []string{"d/off", "d"}, false, false, "", targetNested},
		{"other in the one", nil, []string{"d", "d/off"}, false, false, "", targetNested},
		{"twice standard output", nil, []string{"-", "-"}, false, false, "", targetNested},
		{"input", func(t *testing.T) { put(t, "root.tar", "old") }, []string{"root.tar"}, false, true, "root.tar", targetInput},
		{"input without force", func(t *testing.T) { put(t, "root.tar", "old") }, []string{"root.tar"}, false, false, "root.tar", targetInput},
		{"input by another way", func(t *testing.T) { put(t, "root.tar", "old"); os.Symlink("root.tar", "in") }, []string{"root.tar"}, false, true, "in", targetInput},
		{"input inside", func(t *testing.T) { os.MkdirAll("d/tls", 0o755); put(t, "d/tls/ca.key", "old") }, []string{"d"}, false, true, "d/tls/ca.key", targetInput},
		{"input is a link inside", func(t *testing.T) { os.MkdirAll("d/tls", 0o755); put(t, "k", "old"); os.Symlink("../../k", "d/tls/k") }, []string{"d"}, false, true, "d/tls/k", targetInput},
		{"inside an input", func(t *testing.T) { os.MkdirAll("d/tls", 0o755); put(t, "d/tls/ca.tar", "old") }, []string{"d/tls/ca.tar"}, false, true, "d", targetInside},
		{"a directory inside an input", func(t *testing.T) { os.MkdirAll("d/tls", 0o755) }, []string{"d/tls"}, false, true, "d", targetInside},
		{"inside an input by another way", func(t *testing.T) {
			os.MkdirAll("d/tls", 0o755)
			put(t, "d/tls/ca.tar", "old")
			os.Symlink("d", "in")
		}, []string{"in/tls/ca.tar"}, false, true, "d", targetInside},
		{"inside an input that is a link", func(t *testing.T) { os.Mkdir("d", 0o755); put(t, "d/ca.tar", "old"); os.Symlink("d", "in") }, []string{"d/ca.tar"}, false, true, "in", targetInside},
		{"more than ours", func(t *testing.T) { os.MkdirAll("d/tls", 0o755); put(t, "d/thesis.txt", "old") }, []string{"d"}, false, true, "", targetForeign},
		{"more than ours below", func(t *testing.T) { os.MkdirAll("d/tls", 0o755); put(t, "d/tls/notes.txt", "old") }, []string{"d"}, false, true, "", targetForeign},
		{"directory that is not ours", func(t *testing.T) { os.MkdirAll("d/tls/photos", 0o755) }, []string{"d"}, false, true, "", targetForeign},
		{"directory named like a file of ours", func(t *testing.T) { os.MkdirAll("d/tls/server-ca.key", 0o755) }, []string{"d"}, false, true, "", targetForeign},
		{"file named like a directory of ours", func(t *testing.T) { os.Mkdir("d", 0o755); put(t, "d/tls", "old") }, []string{"d"}, false, true, "", targetForeign},
		{"link named like a file of ours", func(t *testing.T) {
			os.MkdirAll("d/tls", 0o755)
			put(t, "k", "old")
			os.Symlink("../../k", "d/tls/server-ca.key")
		}, []string{"d"}, false, true, "", targetForeign},
		{"encrypted directory", nil, []string{"d"}, true, false, "", targetSealedTree},
		{"nobody to encrypt to", nil, []string{"a.tar.age"}, false, false, "", targetUnsealed},
		{"encrypted and there", func(t *testing.T) { put(t, "a.tar.age", "old") }, []string{"a.tar"}, true, false, "", targetExists},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			if tt.make != nil {
				tt.make(t)
			}
			d := delivery{force: tt.force, stdout: io.Discard}
			if tt.input != "" {
				d.inputs = []string{"-", "missing", tt.input}
			}
			for i, path := range tt.paths {
				b := tls
				if i < len(tt.paths)-1 {
					b = off
				}
				o := newOutput(path, b)
				if tt.seal {
					o.seal = sealWith(nil)
				}
				d.outputs = append(d.outputs, o)
			}
			before := snapshot(t, dir)
			refused(t, d.precheck(), tt.want)
			refused(t, d.commit(t.Context()), tt.want)
			unchanged(t, dir, before)
		})
	}
}

// TestForeignBelow holds the moment at which a directory is judged: precheck
// comes before the bundle, so it is commit that refuses, by the whole path.
func TestForeignBelow(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := (delivery{outputs: []*output{newOutput("d", serverPart("old"))}}).commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, "d/tls/notes.txt", "mine")
	before := snapshot(t, dir)
	d := delivery{outputs: []*output{newOutput("d", pki.Bundle{})}, force: true}
	if err := d.precheck(); err != nil {
		t.Fatal(err)
	}
	d.outputs[0].bundle = serverPart("new")
	err := d.commit(t.Context())
	var e *targetError
	if !errors.As(err, &e) || e.kind != targetForeign || e.other != "tls/notes.txt" {
		t.Errorf("error %v, want tls/notes.txt named as foreign", err)
	}
	unchanged(t, dir, before)
}

func TestUnsafePaths(t *testing.T) {
	for _, path := range []string{"../escape", "/etc/escape", "a//b", ".", "tls/../../escape"} {
		dir := t.TempDir()
		b := serverPart("")
		b.Add(path, pki.KindPublic, nil)
		before := snapshot(t, dir)
		if err := (delivery{outputs: []*output{newOutput(filepath.Join(dir, "d"), b)}}).commit(t.Context()); err == nil {
			t.Errorf("%q was written", path)
		}
		unchanged(t, dir, before)
	}
}
