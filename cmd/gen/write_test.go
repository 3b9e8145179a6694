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
	if info.Mode() != want && keepsModes {
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

func TestInterrupted(t *testing.T) {
	for _, last := range []string{"tls", "tls.tar.gz"} {
		dir := t.TempDir()
		t.Chdir(dir)
		ctx, cancel := context.WithCancel(t.Context())
		first := newOutput("off.tar", offlinePart("a"))
		first.seal = sealWith(cancel)
		unused := newOutput("unused.tar", offlinePart("a"))
		unused.seal = sealWith(func() { t.Error("the run went on after it was interrupted") })
		before := snapshot(t, dir)
		d := delivery{outputs: []*output{first, unused, newOutput(last, serverPart("a"))}}
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
	full := writeFunc(func([]byte) (int, error) { return 0, io.ErrShortWrite })
	before := snapshot(t, dir)
	if err := (delivery{outputs: outputs, stdout: full}).commit(t.Context()); !errors.Is(err, io.ErrShortWrite) {
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

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

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
