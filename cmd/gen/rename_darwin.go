package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncsDirs says that a directory can be flushed by fsync.
const syncsDirs = true

// renameNoReplace gives from the name to and fails when anything has it, a
// dangling link included: renamex_np(2) with RENAME_EXCL, one step.
func renameNoReplace(from, to string) error {
	err := renamex(from, to, unix.RENAME_EXCL)
	if lacksFlag(err) {
		return renameChecked(from, to)
	}
	return err
}

// swap exchanges two names in one step.
func swap(a, b string) error {
	err := renamex(a, b, unix.RENAME_SWAP)
	if lacksFlag(err) {
		return swapAside(a, b)
	}
	return err
}

func renamex(from, to string, flags uint32) error {
	if err := unix.RenamexNp(from, to, flags); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// lacksFlag reports that the volume does not know the flag (ENOTSUP, see
// VOL_CAP_INT_RENAME_EXCL in getattrlist(2)); HFS+ and APFS do.
func lacksFlag(err error) bool {
	return errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL)
}

// lockDir locks a directory until it is closed or the process ends, however it
// ends, and reports whether another process has it. Where directories cannot
// be locked (NFS), nobody ever has it.
func lockDir(dir *os.File) (busy bool) {
	return unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK
}
