package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// keep is how long programs stay in the cache that no run has asked for: other
// checkouts and branches have other versions.
const keep = 14 * 24 * time.Hour

// folder holds the programs of one forge. Who builds in it, or removes it, has
// it alone; runs on what is in it have it together. The lock lies beside it and
// stays when it is removed: a lock that goes with the folder could be held twice.
type folder struct {
	path string
	lock *os.File
}

func openFolder(path string) (folder, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return folder{}, err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	return folder{path, lock}, err
}

func (f folder) unlock() { f.lock.Close() }

// have waits for the lock, which replaces the one that f has.
func (f folder) have(how int) error {
	err := flock(f.lock, how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		fmt.Printf("waiting for another run that uses %s\n", f.path)
		err = flock(f.lock, how)
	}
	return err
}

func flock(file *os.File, how int) error {
	for {
		if err := syscall.Flock(int(file.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}

// filled returns the folder with everything in it, and locked, so that it stays
// as it is. fill gets an empty directory beside what is there.
func filled(path string, missing func(dir string) bool, fill func(dir, scratch string) error) (folder, error) {
	f, err := openFolder(path)
	if err != nil {
		return f, err
	}
	if err = f.have(syscall.LOCK_SH); err == nil && missing(path) {
		err = f.fill(fill)
	}
	if now := time.Now(); err == nil {
		err = os.Chtimes(path, now, now)
	}
	if err == nil {
		err = sweep(filepath.Dir(path), time.Now().Add(-keep))
	}
	if err != nil {
		f.unlock()
	}
	return f, err
}

func (f folder) fill(fill func(dir, scratch string) error) error {
	if err := f.have(syscall.LOCK_EX); err != nil {
		return err
	}
	// Of a run that was killed, if it is there. Its go build may live on and must
	// not write where this one does.
	if left, err := filepath.Glob(filepath.Join(f.path, scratchPattern)); err == nil {
		for _, dir := range left {
			os.RemoveAll(dir)
		}
	}
	if err := os.MkdirAll(f.path, 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(f.path, scratchPattern)
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := fill(f.path, scratch); err != nil {
		return err
	}
	return f.have(syscall.LOCK_SH)
}

const scratchPattern = ".building-*"

// sweep removes the folders of programs that were last asked for before the
// time, but not one that somebody has.
func sweep(cache string, before time.Time) error {
	paths, err := filepath.Glob(filepath.Join(cache, "*-"+strings.Repeat("[0-9a-f]", keyLength)))
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		errs = append(errs, sweepOne(path, before))
	}
	return errors.Join(errs...)
}

func sweepOne(path string, before time.Time) error {
	f, err := openFolder(path)
	if err != nil {
		return err
	}
	defer f.unlock()
	if err := flock(f.lock, syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil
	} else if err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || !info.ModTime().Before(before) {
		return nil // another run was first
	}
	return os.RemoveAll(path)
}

// cacheDir holds what is built, outside the checkout: E2E_CACHE, or a folder
// below the user's cache.
func cacheDir() (string, error) {
	if dir := os.Getenv("E2E_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "rootkiln", "e2e"), err
}
