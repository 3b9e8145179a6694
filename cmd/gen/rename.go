package main

import (
	"errors"
	"io/fs"
	"os"
)

// renameChecked is renameNoReplace without help from the system. A file gets
// its name by a hard link, which replaces nothing. A directory, or a file where
// there are no links, is renamed after a look: of what appears in between, a
// file is replaced by a file and an empty directory by a directory.
func renameChecked(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		err := os.Link(from, to)
		if err == nil {
			if err = os.Remove(from); err != nil {
				os.Remove(to)
			}
			return err
		}
		if errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	_, err = os.Lstat(to)
	if err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// swapAside is swap without help from the system. Where there are links the
// name b never lacks a file; a directory is missing between two renames.
func swapAside(a, b string) error {
	aside := a + ".old"
	restore := func() error { return os.Remove(aside) }
	info, err := os.Lstat(b)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || os.Link(b, aside) != nil {
		restore = func() error { return os.Rename(aside, b) }
		if err := os.Rename(b, aside); err != nil {
			return err
		}
	}
	if err := os.Rename(a, b); err != nil {
		return errors.Join(err, restore())
	}
	return os.Rename(aside, a)
}
