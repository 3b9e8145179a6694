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

// What the test binary tells itself when it runs itself again in namespaces: the
// names of those it came from, and the run's directory.
const (
	outsideVariable = "ROOTKILN_E2E_OUTSIDE"
	baseVariable    = "ROOTKILN_E2E_BASE"
)

// base is the run's directory, which everything else is below.
var base string

// Main runs the tests of a package in a network and a mount namespace of their
// own: fixed ports (etcd's 2379 to 2382, 10257 of the controller-manager) meet
// nobody else's, nothing reaches a network, and /etc is a copy that k3s may
// write to. tools are the commands that the tests run, first looked for in the
// directories ROOTKILN_E2E_BIN, where `make e2e` puts what it builds; a missing
// one fails the whole run. m is a *testing.M, or what runs one and has a last
// word. Main returns the exit status.
func Main(m interface{ Run() int }, tools ...string) int {
	code, err := run(m, tools)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return code
}

func run(m interface{ Run() int }, tools []string) (int, error) {
	if err := prepare(tools); err != nil {
		return 0, err
	}
	if os.Getenv(outsideVariable) == "" {
		return unshare()
	}
	if err := furnish(); err != nil {
		return 0, err
	}
	code := m.Run()
	notes.Lock()
	defer notes.Unlock()
	for _, line := range notes.lines {
		fmt.Println("e2e:", line)
	}
	return code, nil
}

// prepare looks for everything the tests need, so that what is missing is one
// clear sentence and never a skipped test.
func prepare(tools []string) error {
	var errs []error
	if bin := os.Getenv("ROOTKILN_E2E_BIN"); bin != "" {
		if err := os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
			return err
		}
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

// unshare runs this very test binary again, in namespaces, and sees to what it
// leaves behind. Somebody who is not root gets a user namespace as well, in which
// he is.
func unshare() (int, error) {
	own, err := namespaces()
	if err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "rootkiln-e2e-")
	if err != nil {
		return 0, err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if id := os.Getuid(); id != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: id, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	cmd.Env = append(os.Environ(), outsideVariable+"="+strings.Join(own, " "), baseVariable+"="+dir)
	// Caught, so that this process outlives the tests and can say what they left.
	// Never ignored: that would be inherited.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP)
	if err := cmd.Start(); err != nil {
		return 0, errors.Join(fmt.Errorf("own namespaces: %w", err), os.Remove(dir))
	}
	go func() {
		for s := range signals {
			cmd.Process.Signal(s)
		}
	}()
	if err := cmd.Wait(); err == nil {
		return 0, os.RemoveAll(dir)
	}
	if os.Remove(dir) != nil { // not empty
		fmt.Fprintln(os.Stderr, "e2e: kept:", dir)
	}
	return max(cmd.ProcessState.ExitCode(), 1), nil // -1: by a signal
}

// namespaces names the mount, network and user namespace of this process.
func namespaces() ([]string, error) {
	var names []string
	for _, kind := range []string{"mnt", "net", "user"} {
		name, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// furnish sets up the namespaces it runs in. What it is told by the environment
// is for this process alone, not for the servers.
func furnish() error {
	outside := strings.Fields(os.Getenv(outsideVariable))
	base = os.Getenv(baseVariable)
	own, err := namespaces()
	if err != nil {
		return err
	}
	if len(outside) != len(own) || outside[0] == own[0] || outside[1] == own[1] || base == "" {
		return fmt.Errorf("%s=%q, but this is no mount and network namespace of the tests' own, whose /etc they may mount over: unset it",
			outsideVariable, os.Getenv(outsideVariable))
	}
	if err := errors.Join(os.Unsetenv(outsideVariable), os.Unsetenv(baseVariable)); err != nil {
		return err
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	return errors.Join(copyEtc(outside[2] != own[2]), command("ip", "link", "set", "lo", "up"),
		command("ip", "address", "add", Address+"/32", "dev", "lo"), command("ip", "route", "add", "default", "dev", "lo"))
}

// copyEtc puts a copy over /etc that lives in memory and goes with the
// namespace. Not every user may read all of it; what k3s writes to is there.
func copyEtc(partly bool) error {
	etc := filepath.Join(base, "etc")
	if err := os.Mkdir(etc, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", etc, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("memory for a copy of /etc: %w", err)
	}
	if err := command("cp", "-a", "/etc/.", etc); err != nil && !partly {
		return err
	}
	if err := syscall.Mount(etc, "/etc", "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("put the copy over /etc: %w", err)
	}
	if err := syscall.Unmount(etc, syscall.MNT_DETACH); err != nil {
		return err
	}
	return os.Remove(etc)
}

func command(words ...string) error {
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, out)
	}
	return nil
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
	dir, err := os.MkdirTemp(base, "")
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
