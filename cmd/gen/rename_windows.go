package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// syncsDirs is false: FlushFileBuffers does not take a directory; NTFS keeps
// names in its journal.
const syncsDirs = false

func init() {
	errnoKinds[windows.ERROR_DISK_FULL] = targetNoSpace
	errnoKinds[windows.ERROR_HANDLE_DISK_FULL] = targetNoSpace
	errnoKinds[windows.ERROR_DISK_QUOTA_EXCEEDED] = targetNoSpace
	errnoKinds[windows.ERROR_WRITE_PROTECT] = targetReadOnly
}

// renameNoReplace gives from the name to and fails when anything has it:
// MoveFileEx without MOVEFILE_REPLACE_EXISTING, one step.
func renameNoReplace(from, to string) error {
	err := moveFile(from, to)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func moveFile(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(old, name, windows.MOVEFILE_WRITE_THROUGH)
}

// swap exchanges two names; Windows has no call that does it in one step.
func swap(a, b string) error { return swapAside(a, b) }

// lockDir does nothing: a directory cannot be locked here.
func lockDir(*os.File) (busy bool) { return false }
