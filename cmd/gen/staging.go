package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"rootkiln/pki"
)

// stagingPrefix begins the name of every directory in which outputs are
// prepared. It lies beside the output: a rename does not cross file systems.
const stagingPrefix = ".rootkiln-"

// keepsModes is false where the system has no permission bits; there the access
// list of the parent decides (Windows), or the host (WASI).
const keepsModes = runtime.GOOS != "windows" && runtime.GOOS != "wasip1"

// staging is an output on its way: complete in a directory nobody else reads,
// then under its name.
type staging struct {
	target
	dir    string
	strict bool // no file system that cannot keep a mode

	root *os.Root // dir
	lock *os.File // dir, marked as in use

	published bool
	own       fs.FileInfo // what was published; nil: it could not be looked at
	keep      bool        // dir holds what could not be put back
}

// newStaging makes the directory. On an error it may still return what has to
// be removed.
func newStaging(t target) (*staging, error) {
	s := &staging{
		target: t,
		strict: keepsModes && t.secret() && t.seal == nil,
		dir:    filepath.Join(filepath.Dir(t.path), stagingPrefix+rand.Text()),
	}
	if err := os.Mkdir(s.dir, pki.DirMode); err != nil {
		return nil, err
	}
	// The umask may have taken bits, a default ACL may have added some.
	if err := os.Chmod(s.dir, pki.DirMode); err != nil && s.strict {
		return s, &targetError{kind: targetNoModes, path: t.name(), err: err}
	}
	var err error
	if s.root, err = os.OpenRoot(s.dir); err != nil {
		return s, err
	}
	if s.lock, err = os.Open(s.dir); err != nil {
		return s, err
	}
	lockDir(s.lock) // busy: leftovers is looking at it
	return s, nil
}

// staged is where the output is complete.
func (s *staging) staged() string { return filepath.Join(s.dir, filepath.Base(s.path)) }

// fill writes the output into the staging directory and flushes it.
func (s *staging) fill() error {
	base := filepath.Base(s.path)
	var err error
	if s.form == formTree {
		err = s.fillTree(base)
	} else {
		err = s.fillFile(base)
	}
	if err != nil {
		return err
	}
	return syncDir(s.root, ".")
}

func (s *staging) fillFile(base string) error {
	data, err := s.bytes()
	if err != nil {
		return err
	}
	f := pki.File{Kind: pki.KindPublic, Data: data}
	if s.secret() {
		f.Kind = pki.KindSecret
	}
	var modified time.Time
	if s.form == formFile {
		modified = s.bundle.ModTime(s.bundle.Files[0])
	}
	return s.writeFile(base, f, modified)
}

// fillTree leaves it to os.Root to refuse a path that leads out of the bundle.
func (s *staging) fillTree(base string) error {
	dirs := []string{base}
	for _, dir := range s.bundle.Dirs() {
		dirs = append(dirs, path.Join(base, dir))
	}
	for _, dir := range dirs {
		if err := s.root.Mkdir(dir, pki.DirMode); err != nil {
			return err
		}
		if err := s.root.Chmod(dir, pki.DirMode); err != nil && s.strict {
			return &targetError{kind: targetNoModes, path: s.name(), err: err}
		}
	}
	for _, f := range s.bundle.Files {
		if err := s.writeFile(path.Join(base, f.Path), f, s.bundle.ModTime(f)); err != nil {
			return err
		}
	}
	for _, dir := range slices.Backward(dirs) {
		if err := setTime(s.root, dir, s.bundle.Time); err != nil {
			return err
		}
		if err := syncDir(s.root, dir); err != nil {
			return err
		}
	}
	return nil
}

// writeFile makes one new file with its mode and time. A second handle, which
// writes nothing and so leaves the time alone, reads it back and flushes it.
func (s *staging) writeFile(name string, f pki.File, modified time.Time) error {
	mode := f.Kind.Mode()
	w, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = w.Write(f.Data)
	if chmod := w.Chmod(mode); chmod != nil && s.strict && mode&0o077 == 0 {
		err = errors.Join(err, &targetError{kind: targetNoModes, path: s.name(), err: chmod})
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return err
	}
	if err := setTime(s.root, name, modified); err != nil {
		return err
	}
	r, err := s.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := s.compare(r, f); err != nil {
		return err
	}
	return r.Sync()
}

// compare reads a file back. FAT keeps no modes: a certificate or something
// encrypted may lie there, a key may not.
func (s *staging) compare(r *os.File, f pki.File) error {
	got, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, f.Data) {
		return fmt.Errorf("%s holds other bytes than were written", r.Name())
	}
	info, err := r.Stat()
	if err != nil {
		return err
	}
	if mode := f.Kind.Mode(); s.strict && mode&0o077 == 0 && info.Mode().Perm() != mode {
		return &targetError{kind: targetNoModes, path: s.name()}
	}
	return nil
}

func setTime(root *os.Root, name string, modified time.Time) error {
	if modified.IsZero() {
		return nil
	}
	modified = holdable(modified)
	return root.Chtimes(name, modified, modified)
}

// holdable is the nearest time that the system calls take, nanoseconds since 1970
// in 64 bits: what lies outside would wrap around, from the year 9999 to 1901.
func holdable(t time.Time) time.Time {
	first, last := time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)
	switch {
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}

// publish gives the output its name and makes that durable.
func (s *staging) publish() error {
	var err error
	if s.old == nil {
		err = renameNoReplace(s.staged(), s.path)
	} else {
		err = s.exchange()
	}
	if errors.Is(err, fs.ErrExist) {
		return &targetError{kind: targetExists, path: s.name(), err: err}
	}
	if err != nil {
		return err
	}
	s.published = true
	if s.own, err = identity(s.path); err != nil {
		return err
	}
	return syncParent(s.path)
}

// exchange puts the output in the place of what was there when that was
// checked, and of nothing that came since.
func (s *staging) exchange() error {
	if !isStill(s.path, s.old) {
		return &targetError{kind: targetExists, path: s.name()}
	}
	if err := swap(s.staged(), s.path); err != nil {
		s.keep = !isAt(s.path, s.old)
		return err
	}
	if isAt(s.staged(), s.old) {
		return nil
	}
	if err := swap(s.staged(), s.path); err != nil {
		s.keep = true
		return err
	}
	return &targetError{kind: targetExists, path: s.name()}
}

// errUnidentified is why an output with a name is not taken back.
var errUnidentified = errors.New("renamed, and not seen since")

// takeBack undoes the renames that were done, the last one first.
func takeBack(all []*staging) error {
	var errs []error
	for _, s := range slices.Backward(all) {
		if !s.published {
			continue
		}
		var err error
		switch {
		case s.own == nil: // published, and then not found: whose it is now, nobody knows
			s.keep = s.old != nil
			err = errUnidentified
		case !isStill(s.path, s.own): // somebody has taken the name since
			s.keep = s.old != nil
		case s.old == nil:
			err = renameNoReplace(s.path, s.staged())
		default:
			err = swap(s.staged(), s.path)
			s.keep = err != nil
		}
		if err != nil {
			errs = append(errs, &targetError{kind: targetLeft, path: s.name(), err: err})
			continue
		}
		errs = append(errs, syncParent(s.path))
	}
	return errors.Join(errs...)
}

// discard removes the staging directories with what is in them: what was not
// published, or what was replaced.
func discard(all []*staging) error {
	var errs []error
	for _, s := range all {
		if s.root != nil {
			s.root.Close()
		}
		var err error
		if !s.keep {
			err = os.RemoveAll(s.dir)
		}
		if s.lock != nil {
			s.lock.Close()
		}
		if s.keep || err != nil {
			errs = append(errs, &targetError{kind: targetLeft, path: s.dir, err: err})
		}
	}
	return errors.Join(errs...)
}

// leftovers returns the staging directories that killed runs left beside
// outputs. They may hold private keys, or what a forced run was replacing, so
// nothing removes them but their owner. Where directories cannot be locked, a
// run that is still at work shows up as well.
func leftovers(parent string) []string {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return nil // precheck says so
	}
	var left []string
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), stagingPrefix) {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		if f, err := os.Open(dir); err == nil {
			busy := lockDir(f)
			f.Close()
			if busy {
				continue
			}
		}
		left = append(left, dir)
	}
	return left
}

// identity is Lstat for os.SameFile after a rename: Windows reads the identity
// on first use, by the name the file then no longer has.
func identity(name string) (fs.FileInfo, error) {
	info, err := os.Lstat(name)
	if err == nil {
		os.SameFile(info, info)
	}
	return info, err
}

// isAt reports whether the name is that of the file.
func isAt(name string, file fs.FileInfo) bool {
	info, err := os.Lstat(name)
	return err == nil && os.SameFile(info, file)
}

// isStill is isAt after some time: an inode number is soon used again.
func isStill(name string, file fs.FileInfo) bool {
	info, err := os.Lstat(name)
	return err == nil && os.SameFile(info, file) && info.ModTime().Equal(file.ModTime())
}

func syncDir(root *os.Root, name string) error {
	if !syncsDirs {
		return nil
	}
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return flush(dir)
}

func syncParent(name string) error {
	if !syncsDirs {
		return nil
	}
	dir, err := os.Open(filepath.Dir(name))
	if errors.Is(err, fs.ErrPermission) {
		return nil // writable and not readable: cannot be opened, so not flushed
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return flush(dir)
}

// flush is fsync of a directory; some network file systems answer EINVAL.
func flush(dir *os.File) error {
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
