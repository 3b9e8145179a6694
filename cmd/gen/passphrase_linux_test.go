package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPassphraseIsNotEchoed types at the prompts as a person does, after each
// has appeared: what was typed is nowhere on the screen. (In a script the input
// lies in the terminal before the program turns the echo off.)
func TestPassphraseIsNotEchoed(t *testing.T) {
	p := ask(t)
	const secret = "correct-horse"
	for _, prompt := range []string{"Passphrase for the offline part: ", "Once more: "} {
		p.read(prompt)
		fmt.Fprintln(p.control, secret)
	}
	if code := p.end(); code != exitOK {
		t.Fatalf("exit code %d; on the screen: %q", code, p.screen.String())
	}
	for _, part := range []string{secret, "horse"} {
		if strings.Contains(p.screen.String(), part) {
			t.Errorf("the passphrase is on the screen: %q", p.screen.String())
		}
	}
	if _, err := os.Stat(p.dir + "/tls-offline.tar.age"); err != nil {
		t.Error(err)
	}
}

// TestPromptInterrupted: Ctrl-C at a prompt ends the program at once.
func TestPromptInterrupted(t *testing.T) {
	p := ask(t)
	p.read("Passphrase for the offline part: ")
	time.Sleep(50 * time.Millisecond) // until then it may be a character of the passphrase
	fmt.Fprint(p.control, "\x03")
	if code := p.end(); code != exitInterrupted {
		t.Errorf("exit code %d; on the screen: %q", code, p.screen.String())
	}
	if err := isEmpty(p.dir); err != nil {
		t.Error(err)
	}
}

// person sits at a terminal on which the program asks for a passphrase.
type person struct {
	*testing.T
	cmd     *exec.Cmd
	dir     string
	control *os.File
	screen  bytes.Buffer
}

func ask(t *testing.T) *person {
	t.Helper()
	control, terminal := pseudoTerminal(t)
	defer terminal.Close()
	p := &person{T: t, dir: t.TempDir(), control: control}
	p.cmd = exec.Command("rootkiln", "bundle", "--service-alg", "p256", "--passphrase", "--out", "tls.tar")
	p.cmd.Dir, p.cmd.Env = p.dir, append(os.Environ(), "LC_ALL=C.UTF-8", "NO_COLOR=1")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = terminal, terminal, terminal
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// read waits until something is on the screen; "" is the end.
func (p *person) read(until string) {
	p.Helper()
	if err := p.control.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		p.Fatal(err)
	}
	for buf := make([]byte, 4096); until == "" || !strings.Contains(p.screen.String(), until); {
		n, err := p.control.Read(buf)
		p.screen.Write(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) || err != nil && until != "" {
			p.Fatalf("%v; on the screen: %q", err, p.screen.String())
		}
		if err != nil { // the other side is closed
			return
		}
	}
}

// end waits for the program and returns its exit code.
func (p *person) end() int {
	p.Helper()
	p.read("")
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// pseudoTerminal opens a terminal with nobody at it.
func pseudoTerminal(t *testing.T) (control, terminal *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { control.Close() })
	conn, err := control.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	var failure error
	if err := conn.Control(func(fd uintptr) {
		if failure = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failure == nil {
			number, failure = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || failure != nil {
		t.Fatal(err, failure)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return control, terminal
}
