//go:build !unix

package main

import (
	"errors"
	"os"

	"golang.org/x/term"
)

// modesMatter: permission bits mean nothing here.
const modesMatter = false

// openTerminal takes the standard streams if a person sits there.
func openTerminal() (in, out *os.File, done func(), err error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil, nil, nil, errors.New("no terminal")
	}
	return os.Stdin, os.Stderr, func() {}, nil
}
