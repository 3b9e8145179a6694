package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncsDirs says that a directory can be flushed by fsync.
const syncsDirs = true

// renameNoReplace gives from the name to and fails when anything has it, a
// dangling link included: renameat2(2) with RENAME_NOREPLACE, one step.
func renameNoReplace(from, to string) error {
	err := renameat2(from, to, unix.RENAME_NOREPLACE)
	if lacksFlag(err) {
		return renameChecked(from, to)
	}
	return err
}

// swap exchanges two names in one step.
func swap(a, b string) error {
	err := renameat2(a, b, unix.RENAME_EXCHANGE)
	if lacksFlag(err) {
		return swapAside(a, b)
	}
	return err
}

func renameat2(from, to string, flags uint) error {
	if err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// lacksFlag reports that the file system does not know the flag: NFS and most
// FUSE file systems answer EINVAL, kernels before 3.15 ENOSYS.
func lacksFlag(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP)
}

// lockDir locks a directory until it is closed or the process ends, however it
// ends, and reports whether another process has it. Where directories cannot
// be locked (NFS), nobody ever has it.
func lockDir(dir *os.File) (busy bool) {
	return unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK
}
