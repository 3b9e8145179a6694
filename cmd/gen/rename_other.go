//go:build !linux && !darwin && !windows

package main

import "os"

// syncsDirs is false: WASI hosts refuse to flush a directory.
const syncsDirs = false

// renameNoReplace gives from the name to and fails when anything has it, as
// well as that can be done without a call of the system for it.
func renameNoReplace(from, to string) error { return renameChecked(from, to) }

// swap exchanges two names.
func swap(a, b string) error { return swapAside(a, b) }

// lockDir does nothing: WASI has no locks.
func lockDir(*os.File) (busy bool) { return false }
