// Package testbed is the ground on which real servers run against bundles: a
// network and a mount namespace for each test binary, processes that end by
// their pid and leave their log when a test fails, the rootkiln binary under
// test, and the few certificates that a test signs itself.
//
// It stands in a module of its own, with the standard library alone, because
// the modules that link k3s and Kubernetes pin hundreds of versions and must
// not see each other's.
package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// Address is the node's own address inside the namespace. etcd and k3s want
// one that is not 127.0.0.1.
const Address = "10.99.0.1"

// inside tells the test binary that it runs in its namespaces, and whether one
// of them is a user namespace.
const inside = "ROOTKILN_E2E_INSIDE"

// Main runs the tests of a package in a network and a mount namespace of their
// own: fixed ports (etcd's 2379 to 2382, 10257 of the controller-manager) meet
// nobody else's, nothing reaches a network, and /etc is a copy that k3s may
// write to. tools are the commands that the tests run, first looked for in the
// directory ROOTKILN_E2E_BIN, where `make e2e` puts what it builds; a missing
// one fails the whole run. It returns the exit status.
func Main(m *testing.M, tools ...string) int {
	if err := prepare(tools); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	if os.Getenv(inside) == "" {
		return unshare()
	}
	if err := furnish(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := m.Run()
	notes.Lock()
	defer notes.Unlock()
	for _, line := range notes.lines {
		fmt.Println("e2e:", line)
	}
	return code
}

// prepare looks for everything the tests need, so that what is missing is one
// clear sentence and never a skipped test.
func prepare(tools []string) error {
	var errs []error
	if err := os.Setenv("PATH", os.Getenv("ROOTKILN_E2E_BIN")+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		return err
	}
	if binary := os.Getenv("ROOTKILN"); !filepath.IsAbs(binary) {
		errs = append(errs, fmt.Errorf("ROOTKILN must name the binary to be judged by its absolute path, it is %q: run `make e2e`", binary))
	}
	for _, tool := range append([]string{"ip", "cp"}, tools...) {
		if _, err := exec.LookPath(tool); err != nil {
			errs = append(errs, fmt.Errorf("%w: `make e2e` builds or installs it", err))
		}
	}
	return errors.Join(errs...)
}

// unshare runs this very test binary again, in namespaces. Somebody who is not
// root gets a user namespace as well, in which he is.
func unshare() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	who := "root"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if id := os.Getuid(); id != 0 {
		who = "user"
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: id, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	cmd.Env = append(os.Environ(), inside+"="+who)
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // the child gets them too and cleans up
	err := cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e: own namespaces:", err)
		return 1
	}
	return 0
}

// furnish sets up the namespaces it runs in.
func furnish() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	etc, err := os.MkdirTemp("", "rootkiln-e2e-etc-")
	if err != nil {
		return err
	}
	// The copy lives in memory and goes with the namespace.
	if err := syscall.Mount("tmpfs", etc, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("memory for a copy of /etc: %w", err)
	}
	commands := [][]string{
		{"cp", "-a", "/etc/.", etc},
		{"ip", "link", "set", "lo", "up"},
		{"ip", "address", "add", Address + "/32", "dev", "lo"},
		{"ip", "route", "add", "default", "dev", "lo"},
	}
	for _, c := range commands {
		// Not everybody may read all of /etc; what k3s writes to is there.
		partly := c[0] == "cp" && os.Getenv(inside) == "user"
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil && !partly {
			return fmt.Errorf("%s: %w\n%s", strings.Join(c, " "), err, out)
		}
	}
	if err := syscall.Mount(etc, "/etc", "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("put the copy over /etc: %w", err)
	}
	if err := syscall.Unmount(etc, syscall.MNT_DETACH); err != nil {
		return err
	}
	return os.Remove(etc)
}

var notes struct {
	sync.Mutex
	lines []string
}

// Note adds a line to what the run says of itself when it ends: which software
// judged what, and how often.
func Note(format string, args ...any) {
	notes.Lock()
	defer notes.Unlock()
	notes.lines = append(notes.lines, fmt.Sprintf(format, args...))
}

// Dir is a directory for one test. It stays, and is named, when the test fails.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rootkiln-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("kept: %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}
