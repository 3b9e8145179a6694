//go:build unix

package main

import "os"

// modesMatter: permission bits protect a file here.
const modesMatter = true

// openTerminal opens the controlling terminal, whatever the standard streams
// are connected to.
func openTerminal() (in, out *os.File, done func(), err error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, nil, err
	}
	return tty, tty, func() { tty.Close() }, nil
}
