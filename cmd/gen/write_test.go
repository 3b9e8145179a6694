package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rootkiln/pki"
)

var sampleTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// serverPart and offlinePart stand for what bundle makes; the mark tells two
// makings apart.
func serverPart(mark string) pki.Bundle {
	b := pki.Bundle{Time: sampleTime}
	for _, name := range []string{"server-ca", "client-ca", "etcd/peer-ca", "etcd/server-ca"} {
		b.Add("tls/"+name+".crt", pki.KindChain, []byte(name+" certificate "+mark+"\n"))
		b.Add("tls/"+name+".key", pki.KindKey, []byte(name+" key "+mark+"\n"))
	}
	return b
}

func offlinePart(mark string) pki.Bundle {
	b := pki.Bundle{Time: sampleTime}
	b.Add("root-ca.crt", pki.KindChain, []byte("root certificate "+mark+"\n"))
	b.Add("root-ca.key", pki.KindKey, []byte("root key "+mark+"\n"))
	return b
}

func certificate(mark string) pki.Bundle {
	b := pki.Bundle{Time: sampleTime}
	b.Add("server-ca.crt", pki.KindChain, []byte("certificate "+mark+"\n"))
	return b
}

// forms are the ways onto the disk, each with the bundle it is tried with.
var forms = []struct {
	name   string
	bundle func(mark string) pki.Bundle
}{
	{"tls.tar", serverPart},
	{"tls.tar.gz", serverPart},
	{"tls.tgz", serverPart},
	{"tls", serverPart},
	{"server-ca.crt", certificate},
}

// intact reports how what lies at the path differs from the bundle.
func intact(path string, b pki.Bundle) error {
	o := newOutput(path, b)
	if o.form == formTree {
		return intactTree(path, b)
	}
	want, err := o.bytes()
	if err != nil {
		return err
	}
	got, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s: other bytes than the bundle's", path)
	}
	mode := pki.KindChain.Mode()
	if o.secret() {
		mode = pki.KindKey.Mode()
	}
	return hasMode(path, mode)
}

func intactTree(path string, b pki.Bundle) error {
	want := map[string]pki.File{}
	for _, f := range b.Files {
		want[f.Path] = f
	}
	err := filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if !info.ModTime().Equal(b.Time) {
			return fmt.Errorf("%s: changed at %v", p, info.ModTime())
		}
		if e.IsDir() {
			return hasMode(p, fs.ModeDir|pki.DirMode)
		}
		rel, _ := filepath.Rel(path, p)
		f, ok := want[filepath.ToSlash(rel)]
		if !ok {
			return fmt.Errorf("%s: not in the bundle, or twice", p)
		}
		delete(want, f.Path)
		if data, err := os.ReadFile(p); err != nil || !bytes.Equal(data, f.Data) {
			return fmt.Errorf("%s: other bytes than the bundle's (%v)", p, err)
		}
		return hasMode(p, f.Kind.Mode())
	})
	if err == nil && len(want) > 0 {
		err = fmt.Errorf("%s lacks %v", path, slices.Sorted(maps.Keys(want)))
	}
	return err
}

func hasMode(path string, want fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode() != want && runtime.GOOS != "windows" {
		return fmt.Errorf("%s: mode %v, want %v", path, info.Mode(), want)
	}
	return nil
}

// snapshot lists everything below a directory: name, mode, bytes or link.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		all[p] = info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(p)
			all[p] += " " + string(data)
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(p)
			all[p] += " " + to
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func unchanged(t *testing.T, dir string, before map[string]string) {
	t.Helper()
	after := snapshot(t, dir)
	for _, p := range slices.Sorted(maps.Keys(after)) {
		if before[p] != after[p] {
			t.Errorf("%s is now %.80q, was %.80q", p, after[p], before[p])
		}
	}
	for p := range before {
		if _, ok := after[p]; !ok {
			t.Errorf("%s is gone", p)
		}
	}
}

func refused(t *testing.T, err error, kind targetKind) {
	t.Helper()
	if err := isKind(err, kind); err != nil {
		t.Error(err)
	}
}

func isKind(err error, kind targetKind) error {
	var e *targetError
	if !errors.As(err, &e) || e.kind != kind {
		return fmt.Errorf("error %v, want one of kind %q", err, kind)
	}
	return nil
}

func put(t *testing.T, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// sealWith is a cipher that anyone can read; during runs while it encrypts,
// which is after the check and before the first rename.
func sealWith(during func()) func(io.Writer) (io.WriteCloser, error) {
	return func(w io.Writer) (io.WriteCloser, error) {
		if during != nil {
			during()
		}
		_, err := io.WriteString(w, "sealed ")
		return nopCloser{w}, err
	}
}

func TestFormByName(t *testing.T) {
	for _, tt := range []struct {
		path   string
		bundle pki.Bundle
		want   form
	}{
		{"a.tar", serverPart(""), formTar},
		{"a.tar.gz", serverPart(""), formTarGz},
		{"a.tgz", serverPart(""), formTarGz},
		{"a.tar.gz.age", serverPart(""), formTarGz},
		{"a.tar", certificate(""), formTar},
		{"a", serverPart(""), formTree},
		{"a.tar.d", serverPart(""), formTree},
		{"a", pki.Bundle{}, formTree},
		{"-", serverPart(""), formTarGz},
		{"-", certificate(""), formFile},
		{"ca.crt", certificate(""), formFile},
	} {
		if got := newOutput(tt.path, tt.bundle).form; got != tt.want {
			t.Errorf("%s with %d files: form %d, want %d", tt.path, len(tt.bundle.Files), got, tt.want)
		}
	}
}

func TestCommit(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			dir := t.TempDir()
			offline := filepath.Join(dir, "offline")
			path := filepath.Join(dir, f.name)
			d := delivery{outputs: []*output{newOutput(offline, offlinePart("a")), newOutput(path, f.bundle("a"))}}
			if err := d.precheck(); err != nil {
				t.Fatal(err)
			}
			unchanged(t, dir, map[string]string{dir: snapshot(t, dir)[dir]})
			if err := d.commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(intact(offline, offlinePart("a")), intact(path, f.bundle("a"))); err != nil {
				t.Error(err)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 2 {
				t.Errorf("%v, want the two outputs only", entries)
			}
			refused(t, d.commit(t.Context()), targetExists)
		})
	}
}

func TestSealed(t *testing.T) {
	t.Chdir(t.TempDir())
	o := newOutput("tls.tar", serverPart("a"))
	o.seal = sealWith(nil)
	if err := (delivery{outputs: []*output{o}}).commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if err := pki.WriteTar(&plain, o.bundle); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("tls.tar.age")
	if err != nil || string(got) != "sealed "+plain.String() {
		t.Errorf("%d bytes, %v; want the archive through the cipher", len(got), err)
	}
}

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
		{"more than ours", func(t *testing.T) { os.MkdirAll("d/tls", 0o755); put(t, "d/thesis.txt", "old") }, []string{"d"}, false, true, "", targetForeign},
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

// TestSecondRenameFails lets somebody take the last name after the check and
// before the first rename, so that the first output has to be taken back.
func TestSecondRenameFails(t *testing.T) {
	for _, f := range forms {
		for _, force := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s force=%v", f.name, force), func(t *testing.T) {
				dir := t.TempDir()
				t.Chdir(dir)
				offline := newOutput("offline", offlinePart("new"))
				first := newOutput("first.tar", offlinePart("new"))
				last := newOutput(f.name, f.bundle("new"))
				if force {
					d := delivery{outputs: []*output{newOutput("offline", offlinePart("old")), newOutput(f.name, f.bundle("old"))}}
					if err := d.commit(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				var before map[string]string
				first.seal = sealWith(func() {
					os.RemoveAll(f.name)
					if last.form == formTree {
						os.Mkdir(f.name, 0o755)
						put(t, f.name+"/theirs", "theirs")
					} else {
						put(t, f.name, "theirs")
					}
					before = snapshot(t, dir)
					maps.DeleteFunc(before, func(p, _ string) bool { return strings.Contains(p, stagingPrefix) })
				})
				d := delivery{outputs: []*output{offline, first, last}, force: force}
				refused(t, d.commit(t.Context()), targetExists)
				unchanged(t, dir, before)
			})
		}
	}
}

func TestForce(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			put(t, "root.pem", "input")
			for _, mark := range []string{"old", "new"} {
				d := delivery{
					outputs: []*output{newOutput("offline", offlinePart(mark)), newOutput(f.name, f.bundle(mark))},
					inputs:  []string{"root.pem"},
					force:   true,
				}
				if err := errors.Join(d.precheck(), d.commit(t.Context())); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(intact("offline", offlinePart(mark)), intact(f.name, f.bundle(mark))); err != nil {
					t.Error(err)
				}
				if entries, _ := os.ReadDir("."); len(entries) != 3 {
					t.Errorf("%v, want the two outputs and the input", entries)
				}
			}
			if got, _ := os.ReadFile("root.pem"); string(got) != "input" {
				t.Errorf("the input is now %q", got)
			}
		})
	}
}

// TestConcurrent starts several runs towards the same names. Without force
// exactly one wins; with it several may, one after the other. Both names are
// of one run.
func TestConcurrent(t *testing.T) {
	for _, f := range forms {
		for _, force := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s force=%v", f.name, force), func(t *testing.T) {
				for range 5 {
					concurrent(t, f.name, f.bundle, force)
				}
			})
		}
	}
}

func concurrent(t *testing.T, name string, bundle func(string) pki.Bundle, force bool) {
	dir := t.TempDir()
	offline, path := filepath.Join(dir, "off.tar"), filepath.Join(dir, name)
	run := func(mark string) delivery {
		return delivery{force: force, outputs: []*output{newOutput(offline, offlinePart(mark)), newOutput(path, bundle(mark))}}
	}
	if force {
		if err := run("first").commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	errs := make([]error, 8)
	start := make(chan struct{})
	var done sync.WaitGroup
	for i := range errs {
		d := run(fmt.Sprint(i))
		if err := d.precheck(); err != nil {
			t.Fatal(err)
		}
		done.Go(func() {
			<-start
			errs[i] = d.commit(context.Background())
		})
	}
	close(start)
	done.Wait()
	won, whole := 0, ""
	for i, err := range errs {
		if err != nil {
			refused(t, err, targetExists)
			continue
		}
		won++
		if mark := fmt.Sprint(i); intact(offline, offlinePart(mark)) == nil && intact(path, bundle(mark)) == nil {
			whole = mark
		}
	}
	if whole == "" || won != 1 && !force {
		t.Errorf("%d runs won, and the files are all of %q", won, whole)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%v, want the winner's outputs only", entries)
	}
}

func TestInterrupted(t *testing.T) {
	for _, last := range []string{"tls", "tls.tar.gz"} {
		dir := t.TempDir()
		t.Chdir(dir)
		ctx, cancel := context.WithCancel(t.Context())
		first := newOutput("off.tar", offlinePart("a"))
		first.seal = sealWith(cancel)
		before := snapshot(t, dir)
		d := delivery{outputs: []*output{first, newOutput(last, serverPart("a"))}}
		if err := d.commit(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the context", err)
		}
		unchanged(t, dir, before)
	}
}

func TestStandardOutput(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	outputs := []*output{newOutput("off", offlinePart("a")), newOutput("-", serverPart("a"))}
	before := snapshot(t, dir)
	if err := (delivery{outputs: outputs, stdout: fullPipe{}}).commit(t.Context()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v, want that of the writer", err)
	}
	unchanged(t, dir, before)

	var got, want bytes.Buffer
	if err := (delivery{outputs: outputs, stdout: &got}).commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := pki.WriteTarGz(&want, serverPart("a")); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d bytes on standard output, want the archive of %d (%v)", got.Len(), want.Len(), err)
	}
	if err := intact("off", offlinePart("a")); err != nil {
		t.Error(err)
	}
}

type fullPipe struct{}

func (fullPipe) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	dead := filepath.Join(dir, stagingPrefix+"DEAD")
	if err := os.MkdirAll(filepath.Join(dead, "tls"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, stagingPrefix+"file"), "")
	if got := leftovers(dir); !slices.Equal(got, []string{dead}) {
		t.Errorf("%v, want %s", got, dead)
	}
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" {
		alive, err := newStaging(target{output: newOutput("tls", pki.Bundle{}), path: filepath.Join(dir, "tls")})
		if err != nil {
			t.Fatal(err)
		}
		if got := leftovers(dir); !slices.Equal(got, []string{dead}) {
			t.Errorf("%v, want %s and not the run at work", got, dead)
		}
		if err := discard([]*staging{alive}); err != nil {
			t.Error(err)
		}
	}
	if got := leftovers(filepath.Join(dir, "missing")); got != nil {
		t.Errorf("%v in a directory that is not there", got)
	}
}

// TestRename holds the laws of the two renames, for the calls of this system
// and for what stands in where there are none.
func TestRename(t *testing.T) {
	make := map[string]func(t *testing.T, name string){
		"file":      func(t *testing.T, name string) { put(t, name, name) },
		"directory": func(t *testing.T, name string) { os.Mkdir(name, 0o755); put(t, name+"/x", name) },
		"link":      func(t *testing.T, name string) { os.Symlink("nowhere", name) },
	}
	for name, rename := range map[string]func(from, to string) error{"system": renameNoReplace, "stand-in": renameChecked} {
		for _, from := range []string{"file", "directory"} {
			for _, to := range []string{"", "file", "directory", "link"} {
				t.Run(fmt.Sprintf("%s/%s to %q", name, from, to), func(t *testing.T) {
					dir := t.TempDir()
					t.Chdir(dir)
					make[from](t, "a")
					if to != "" {
						make[to](t, "b")
					}
					before := snapshot(t, dir)
					err := rename("a", "b")
					if to != "" {
						if !errors.Is(err, fs.ErrExist) {
							t.Errorf("error %v, want %v", err, fs.ErrExist)
						}
						unchanged(t, dir, before)
						return
					}
					_, gone := os.Lstat("a")
					if _, there := os.Lstat("b"); err != nil || there != nil || gone == nil {
						t.Errorf("error %v, a %v, b %v", err, gone, there)
					}
				})
			}
		}
	}
	for name, swap := range map[string]func(a, b string) error{"system": swap, "stand-in": swapAside} {
		for _, kind := range []string{"file", "directory"} {
			t.Run(name+"/swap "+kind, func(t *testing.T) {
				dir := t.TempDir()
				t.Chdir(dir)
				make[kind](t, "a")
				before := snapshot(t, dir)
				if err := swap("a", "b"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("error %v without b, want %v", err, fs.ErrNotExist)
				}
				unchanged(t, dir, before)
				make[kind](t, "b")
				a, b := mustIdentify(t, "a"), mustIdentify(t, "b")
				if err := swap("a", "b"); err != nil {
					t.Fatal(err)
				}
				if entries, _ := os.ReadDir("."); !isAt("a", b) || !isAt("b", a) || len(entries) != 2 {
					t.Errorf("not exchanged: %v", entries)
				}
			})
		}
	}
}

func mustIdentify(t *testing.T, name string) fs.FileInfo {
	t.Helper()
	info, err := identity(name)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
