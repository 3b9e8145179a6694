package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Private keys do not scroll over a screen unless somebody insists; what holds
// none is shown.
func TestExportToTerminal(t *testing.T) {
	path, _ := exportSample(t)
	terminal := exportTerminal(t)
	dir := filepath.Join(t.TempDir(), "tasks")
	for _, c := range []struct {
		args []string
		ok   bool
	}{
		{[]string{"cloud-init", path}, false},
		{[]string{"secret", path}, false},
		{[]string{"secret", path, "--out", "-"}, true},
		{[]string{"config", path}, true},
		{[]string{"ansible", path, "--out", dir}, true},
		{[]string{"ansible", path, "--out", "-"}, false}, // an archive
	} {
		err := exportInto(terminal, c.args...)
		if c.ok && err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
		if !c.ok {
			refused(t, err, targetTerminal)
		}
	}
	var pipe bytes.Buffer
	if err := exportInto(&pipe, "secret", path); err != nil || pipe.Len() == 0 {
		t.Errorf("into a pipe: %d bytes, %v", pipe.Len(), err)
	}
}

// exportTerminal is a pseudo-terminal that takes whatever is written to it.
func exportTerminal(t *testing.T) *os.File {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err = errors.Join(err, unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0)); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, screen)
	t.Cleanup(func() { terminal.Close(); screen.Close() })
	return terminal
}
