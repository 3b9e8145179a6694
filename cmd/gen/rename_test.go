package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rootkiln/pki"
)

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

// TestNameTakenAfterwards lets somebody replace the output after its rename and
// before the run fails: theirs stays, and what a forced run had replaced is
// kept and named.
func TestNameTakenAfterwards(t *testing.T) {
	for _, f := range forms {
		for _, force := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s force=%v", f.name, force), func(t *testing.T) {
				t.Chdir(t.TempDir())
				if force {
					if err := (delivery{outputs: []*output{newOutput(f.name, f.bundle("old"))}}).commit(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				var theirs map[string]string
				d := delivery{
					outputs: []*output{newOutput(f.name, f.bundle("new")), newOutput("-", serverPart("new"))},
					force:   force,
					stdout: writeFunc(func([]byte) (int, error) {
						os.RemoveAll(f.name)
						put(t, f.name, "theirs")
						theirs = snapshot(t, f.name)
						return 0, io.ErrShortWrite
					}),
				}
				err := d.commit(t.Context())
				if !errors.Is(err, io.ErrShortWrite) {
					t.Errorf("error %v, want that of the writer", err)
				}
				unchanged(t, f.name, theirs)
				left := leftovers(".")
				if !force {
					if len(left) > 0 {
						t.Errorf("%v was left behind", left)
					}
					return
				}
				var e *targetError
				if len(left) != 1 || !errors.As(err, &e) || e.kind != targetLeft || filepath.Base(e.path) != left[0] {
					t.Fatalf("error %v, %v was left behind, want it named", err, left)
				}
				if err := intact(filepath.Join(left[0], f.name), f.bundle("old")); err != nil {
					t.Errorf("what was replaced is lost: %v", err)
				}
			})
		}
	}
}

// TestPublishedWithoutIdentity takes back an output of which nobody knows any
// more whether it is ours: it stays, and is named, as is what it replaced.
func TestPublishedWithoutIdentity(t *testing.T) {
	for _, f := range forms {
		for _, force := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s force=%v", f.name, force), func(t *testing.T) {
				t.Chdir(t.TempDir())
				if force {
					if err := (delivery{outputs: []*output{newOutput(f.name, f.bundle("old"))}}).commit(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				targets, err := delivery{outputs: []*output{newOutput(f.name, f.bundle("new"))}, force: force}.check()
				if err != nil {
					t.Fatal(err)
				}
				s, err := newStaging(targets[0])
				if err := errors.Join(err, s.fill(), s.publish()); err != nil {
					t.Fatal(err)
				}
				s.own = nil // Lstat after the rename failed
				all := []*staging{s}
				var e *targetError
				if err := takeBack(all); !errors.As(err, &e) || e.kind != targetLeft || e.path != f.name {
					t.Errorf("error %v, want %s named as left behind", err, f.name)
				}
				if err := intact(f.name, f.bundle("new")); err != nil {
					t.Error(err)
				}
				err = discard(all)
				if !force {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if !errors.As(err, &e) || e.kind != targetLeft || e.path != s.dir {
					t.Errorf("error %v, want %s named as left behind", err, s.dir)
				}
				if err := intact(s.staged(), f.bundle("old")); err != nil {
					t.Errorf("what was replaced is lost: %v", err)
				}
			})
		}
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
				if err := swap("b", "a"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("error %v with b alone, want %v", err, fs.ErrNotExist)
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
