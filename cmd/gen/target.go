package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// target is an output with its place: an absolute path whose parent holds no
// links, so that what was checked is what is written.
type target struct {
	*output
	path string
	old  fs.FileInfo // what has the name and will be replaced; nil: nothing has it
}

func locate(o *output) (target, error) {
	if o.path == standardOutput {
		return target{output: o, path: standardOutput}, nil
	}
	if o.path == "" {
		return target{}, errors.New("the name of an output is empty")
	}
	abs, err := filepath.Abs(o.name())
	if err != nil {
		return target{}, err
	}
	dir := filepath.Dir(abs)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return target{output: o, path: filepath.Join(dir, filepath.Base(abs))}, nil
}

// check finds the place of every output and refuses what cannot or must not be
// written.
func (d delivery) check() ([]target, error) {
	var targets []target
	for _, o := range d.outputs {
		if err := d.checkForm(o); err != nil {
			return nil, err
		}
		t, err := locate(o)
		if err != nil {
			return nil, err
		}
		for _, other := range targets {
			if within(t.path, other.path) || within(other.path, t.path) {
				return nil, &targetError{kind: targetNested, path: o.name(), other: other.name()}
			}
		}
		targets = append(targets, t)
	}
	for i := range targets {
		if targets[i].path == standardOutput {
			continue
		}
		if err := d.checkPlace(&targets[i]); err != nil {
			return nil, err
		}
		for _, other := range targets[:i] {
			// Two names of one file: a file system that ignores case.
			if targets[i].old != nil && other.old != nil && os.SameFile(targets[i].old, other.old) {
				return nil, &targetError{kind: targetNested, path: targets[i].name(), other: other.name()}
			}
		}
	}
	return targets, nil
}

func (d delivery) checkForm(o *output) error {
	if o.seal == nil && strings.HasSuffix(o.path, sealedSuffix) {
		return &targetError{kind: targetUnsealed, path: o.path}
	}
	if o.seal != nil && o.form == formTree {
		return &targetError{kind: targetSealedTree, path: o.path}
	}
	if o.path != standardOutput {
		return nil
	}
	if o.form == formTree {
		return errors.New("a directory cannot go to standard output")
	}
	if (o.form != formFile || o.seal != nil) && isTerminal(d.stdout) {
		return &targetError{kind: targetTerminal, path: o.path}
	}
	return nil
}

// checkPlace looks at what is where the output shall be, and fills in t.old
// when it may be replaced.
func (d delivery) checkPlace(t *target) error {
	parent, err := os.Stat(filepath.Dir(t.path))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), err == nil && !parent.IsDir():
		return &targetError{kind: targetNoParent, path: filepath.Dir(t.name()), err: err}
	case err != nil:
		return placed(t.name(), err)
	}
	old, err := identity(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return placed(t.name(), err)
	}
	t.old = old
	input, around := d.inputAt(old), d.inputAround(t.path)
	switch {
	case old.Mode()&fs.ModeSymlink != 0:
		return &targetError{kind: targetSymlink, path: t.name()}
	case input != "":
		return &targetError{kind: targetInput, path: t.name(), other: input}
	case around != "":
		return &targetError{kind: targetInside, path: t.name(), other: around}
	case !d.force:
		return &targetError{kind: targetExists, path: t.name()}
	case old.IsDir() != (t.form == formTree), !old.IsDir() && !old.Mode().IsRegular():
		return &targetError{kind: targetOtherForm, path: t.name()}
	case old.IsDir():
		return t.checkOurs()
	}
	return nil
}

// checkOurs refuses to replace a directory in which anything is that the new
// bundle has not at the same path: "--force --out ~" must not empty a home
// directory, nor take the notes that somebody keeps beside a certificate. It
// goes by the bundle: while that is still to be made, it is enough that the
// directory can be read.
func (t *target) checkOurs() error {
	if len(t.bundle.Files) == 0 {
		_, err := os.ReadDir(t.path)
		return placed(t.name(), err)
	}
	dirs := append(t.bundle.Dirs(), ".")
	err := fs.WalkDir(os.DirFS(t.path), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // another forced run is replacing it
			return &targetError{kind: targetExists, path: t.name()}
		case err != nil:
			return err
		case e.IsDir() && slices.Contains(dirs, name), e.Type().IsRegular() && t.bundle.File(name) != nil:
			return nil
		}
		return &targetError{kind: targetForeign, path: t.name(), other: name}
	})
	return placed(t.name(), err)
}

// inputAt returns the input that would go with what is there: the same file, or
// one inside the directory.
func (d delivery) inputAt(there fs.FileInfo) string {
	for _, input := range d.inputs {
		abs, err := filepath.Abs(input)
		if err != nil || input == standardOutput {
			continue
		}
		real, err := filepath.EvalSymlinks(abs)
		if err != nil {
			real = abs
		}
		// The name counts and so does what it leads to.
		for _, p := range []string{abs, real} {
			for last := ""; p != last; last, p = p, filepath.Dir(p) {
				if info, err := os.Lstat(p); err == nil && os.SameFile(info, there) {
					return input
				}
			}
		}
	}
	return ""
}

// inputAround returns the input directory in which a path lies: what is there
// was read with it, or may be the next time. The parents of the path are real.
func (d delivery) inputAround(path string) string {
	for _, input := range d.inputs {
		dir, err := os.Stat(input)
		if err != nil || input == standardOutput || !dir.IsDir() {
			continue
		}
		for last, p := path, filepath.Dir(path); p != last; last, p = p, filepath.Dir(p) {
			if info, err := os.Stat(p); err == nil && os.SameFile(info, dir) {
				return input
			}
		}
	}
	return ""
}

func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// targetKind names what is wrong with a place; the message catalogue has a
// sentence for each.
type targetKind string

const (
	targetExists     targetKind = "exists"         // something has the name
	targetSymlink    targetKind = "symlink"        // a link has the name; refused with force as well
	targetInput      targetKind = "input"          // other: the input it would replace
	targetInside     targetKind = "inside-input"   // other: the input directory in which it lies
	targetOtherForm  targetKind = "other-form"     // with force: a directory for a file or the reverse, or neither
	targetForeign    targetKind = "foreign"        // with force: the directory holds other, which is not ours
	targetNested     targetKind = "nested"         // other: the output at, above or below the same path
	targetNoParent   targetKind = "parent-missing" // path: the directory that is not there
	targetDenied     targetKind = "denied"
	targetReadOnly   targetKind = "read-only"
	targetNoSpace    targetKind = "no-space"
	targetNoModes    targetKind = "no-modes" // a file system that cannot keep a key private
	targetTerminal   targetKind = "terminal"
	targetSealedTree targetKind = "sealed-tree" // a directory cannot be encrypted, an archive can
	targetUnsealed   targetKind = "unsealed"    // named .age without anyone to encrypt to
	targetLeft       targetKind = "left-behind" // path: what could not be removed or put back
)

// targetError says which output cannot be written, and why.
type targetError struct {
	kind  targetKind
	path  string // as it was given
	other string
	err   error
}

// sentences are what a targetError says to a developer; users read the
// catalogue's.
var sentences = map[targetKind]string{
	targetExists:     "exists",
	targetSymlink:    "is a symbolic link",
	targetInput:      "would replace the input",
	targetInside:     "lies inside the input",
	targetOtherForm:  "is something else than what would replace it",
	targetForeign:    "also holds",
	targetNested:     "overlaps",
	targetNoParent:   "is not a directory",
	targetDenied:     "permission denied",
	targetReadOnly:   "read-only file system",
	targetNoSpace:    "no space left",
	targetNoModes:    "the file system cannot keep a private key private",
	targetTerminal:   "standard output is a terminal",
	targetSealedTree: "a directory cannot be encrypted",
	targetUnsealed:   "nothing to encrypt to",
	targetLeft:       "left behind",
}

func (e *targetError) Error() string {
	msg := e.path + ": " + sentences[e.kind]
	if e.other != "" {
		msg += " " + e.other
	}
	if e.err != nil {
		msg += ": " + e.err.Error()
	}
	return msg
}

func (e *targetError) Unwrap() error { return e.err }

// errnoKinds translates what the system answers.
var errnoKinds = map[syscall.Errno]targetKind{
	syscall.ENOSPC: targetNoSpace,
	syscall.EDQUOT: targetNoSpace,
	syscall.EROFS:  targetReadOnly,
}

// placed adds to an error of the system which output it is about.
func placed(name string, err error) error {
	var known *targetError
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	var errno syscall.Errno
	if errors.As(err, &errno) && errnoKinds[errno] != "" {
		return &targetError{kind: errnoKinds[errno], path: name, err: err}
	}
	if errors.Is(err, fs.ErrPermission) {
		return &targetError{kind: targetDenied, path: name, err: err}
	}
	return fmt.Errorf("write %s: %w", name, err)
}
