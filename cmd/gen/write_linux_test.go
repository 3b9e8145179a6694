package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rootkiln/pki"
)

// childEnv names what a process of its own does before, or instead of, the
// tests: what happens to a process cannot be undone in this one.
const childEnv = "ROOTKILN_TEST_CHILD"

// children run instead of the tests; what they return is the failure.
var children = map[string]func() error{
	"read-only":   onReadOnly,
	"full":        onFull,
	"no-inodes":   onNoInodes,
	"denied":      whenDenied,
	"closed-pipe": intoClosedPipe,
	"no-modes":    onNoModes,
}

// denials let the tests run, on a system that lacks some calls.
var denials = map[string]map[int]unix.Errno{
	"no-flags": {unix.SYS_RENAMEAT2: unix.EINVAL},                              // NFS
	"no-links": {unix.SYS_RENAMEAT2: unix.ENOSYS, unix.SYS_LINKAT: unix.EPERM}, // FAT, old kernel
}

func init() {
	name := os.Getenv(childEnv)
	if denied := denials[name]; denied != nil {
		if err := deny(denied); err != nil {
			panic(err)
		}
	} else if name != "" {
		if err := children[name](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// child prepares this program as another process in the directory.
func child(t *testing.T, name, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	return cmd
}

func succeed(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		t.Fatalf("%v: this test needs a mount namespace: run it as root, in a container with --privileged, "+
			"or allow them with sysctl kernel.unprivileged_userns_clone=1", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// withMounts gives the child a mount namespace, and without root a user
// namespace, so that it may mount what it likes.
func withMounts(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

// mountTmpfs puts a small file system over the current directory.
func mountTmpfs(flags uintptr, options string) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		return fmt.Errorf("mount a tmpfs: %w", err)
	}
	return os.Chdir(dir)
}

func TestReadOnlyFileSystem(t *testing.T) {
	succeed(t, withMounts(child(t, "read-only", t.TempDir())))
}

func onReadOnly() error {
	if err := mountTmpfs(unix.MS_RDONLY, ""); err != nil {
		return err
	}
	d := delivery{outputs: []*output{newOutput("tls", serverPart("a"))}}
	return errors.Join(isKind(d.precheck(), targetReadOnly), isKind(d.commit(context.Background()), targetReadOnly), isEmpty("."))
}

func TestFullDisk(t *testing.T) {
	succeed(t, withMounts(child(t, "full", t.TempDir())))
}

func onFull() error {
	if err := mountTmpfs(0, "size=128k"); err != nil {
		return err
	}
	large := serverPart("a")
	large.Add("tls/large.crt", pki.KindChain, make([]byte, 256<<10))
	var errs []error
	for _, last := range []string{"tls", "tls.tar"} {
		d := delivery{outputs: []*output{newOutput("offline", offlinePart("a")), newOutput(last, large)}}
		errs = append(errs, d.precheck(), isKind(d.commit(context.Background()), targetNoSpace), isEmpty("."))
	}
	// What fits is written: the space of what failed came back.
	d := delivery{outputs: []*output{newOutput("tls", serverPart("a"))}}
	return errors.Join(append(errs, d.commit(context.Background()), intact("tls", serverPart("a")))...)
}

// TestNoInodes is a disk that is full for names alone; precheck sees it.
func TestNoInodes(t *testing.T) {
	succeed(t, withMounts(child(t, "no-inodes", t.TempDir())))
}

func onNoInodes() error {
	if err := mountTmpfs(0, "nr_inodes=1"); err != nil {
		return err
	}
	d := delivery{outputs: []*output{newOutput("tls", serverPart("a"))}}
	return errors.Join(isKind(d.precheck(), targetNoSpace), isKind(d.commit(context.Background()), targetNoSpace), isEmpty("."))
}

// TestDenied takes a directory without the right to write and one without the
// right to look; root gives up its rights for that, since they pass both.
func TestDenied(t *testing.T) {
	dir, err := os.MkdirTemp("", "rootkiln-denied") // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer os.Chmod(filepath.Join(dir, "closed"), 0o700)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]fs.FileMode{"readable": 0o555, "closed": 0o000} {
		if err := errors.Join(os.Mkdir(filepath.Join(dir, name), mode), os.Chmod(filepath.Join(dir, name), mode)); err != nil {
			t.Fatal(err)
		}
	}
	succeed(t, child(t, "denied", dir))
}

func whenDenied() error {
	if os.Getuid() == 0 {
		const nobody = 65534
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			return err
		}
	}
	var errs []error
	for _, path := range []string{"readable/tls", "closed/tls.tar"} {
		d := delivery{outputs: []*output{newOutput(path, serverPart("a"))}}
		errs = append(errs, isKind(d.precheck(), targetDenied), isKind(d.commit(context.Background()), targetDenied))
	}
	return errors.Join(append(errs, isEmpty("readable"))...)
}

// TestClosedPipe sends an archive to a reader that has gone: the offline part
// is taken back, where SIGPIPE would have ended the run before that.
func TestClosedPipe(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := child(t, "closed-pipe", dir)
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if err := isEmpty(dir); err != nil {
		t.Error(err)
	}
}

func intoClosedPipe() error {
	d := delivery{outputs: []*output{newOutput("offline", offlinePart("a")), newOutput("-", serverPart("a"))}, stdout: os.Stdout}
	if err := d.commit(context.Background()); !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("error %w, want that of the pipe", err)
	}
	return nil
}

// TestNoModes is a file system that refuses chmod, as FAT does: a certificate
// and what is encrypted may go to a stick, a key may not.
func TestNoModes(t *testing.T) {
	succeed(t, child(t, "no-modes", t.TempDir()))
}

func onNoModes() error {
	err := deny(map[int]unix.Errno{
		unix.SYS_FCHMOD: unix.EPERM, unix.SYS_FCHMODAT: unix.EPERM, unix.SYS_FCHMODAT2: unix.EPERM,
	})
	if err != nil {
		return err
	}
	syscall.Umask(0)
	var errs []error
	for _, o := range []*output{newOutput("tls", serverPart("a")), newOutput("tls.tar", serverPart("a"))} {
		errs = append(errs, isKind(delivery{outputs: []*output{o}}.commit(context.Background()), targetNoModes), isEmpty("."))
	}
	sealed := newOutput("tls.tar", serverPart("a"))
	sealed.seal = sealWith(nil)
	d := delivery{outputs: []*output{newOutput("ca.crt", certificate("a")), sealed}}
	return errors.Join(append(errs, d.precheck(), d.commit(context.Background()))...)
}

// TestStandIns runs the laws of this package again where the calls they rest
// on are missing.
func TestStandIns(t *testing.T) {
	for name, laws := range map[string]string{
		"no-flags": "Commit|Refused|SecondRenameFails|Force|Interrupted|StandardOutput",
		"no-links": "Commit|Refused|SecondRenameFails|Force|Interrupted|StandardOutput",
	} {
		cmd := child(t, name, "", "-test.v", "-test.run=^Test("+laws+")$")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if n := strings.Count(string(out), "\n--- PASS: "); n != strings.Count(laws, "|")+1 {
			t.Errorf("%s: %d laws were run of %s", name, n, laws)
		}
	}
}

// deny makes calls of the system fail in all threads of this process, by a
// seccomp filter.
func deny(errnos map[int]unix.Errno) error {
	// LD W ABS 0 is the number of the call in struct seccomp_data.
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}}
	for call, errno := range errnos {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(call), Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})))
	if errno != 0 {
		return fmt.Errorf("install a seccomp filter: %w", errno)
	}
	return nil
}

// TestUmask compares every mode, from the widest mask to one that takes all.
func TestUmask(t *testing.T) {
	for _, mask := range []int{0o000, 0o022, 0o077, 0o777} {
		dir := t.TempDir() // made with the usual mask
		old := syscall.Umask(mask)
		s, err := newStaging(target{output: newOutput("x", serverPart("a")), path: filepath.Join(dir, "x")})
		if err = errors.Join(err, hasMode(s.dir, fs.ModeDir|0o700), discard([]*staging{s})); err != nil {
			t.Errorf("umask %03o: %v", mask, err)
		}
		for _, f := range forms {
			path := filepath.Join(dir, f.name)
			err := delivery{outputs: []*output{newOutput(path, f.bundle("a"))}}.commit(t.Context())
			if err = errors.Join(err, intact(path, f.bundle("a"))); err != nil {
				t.Errorf("umask %03o: %v", mask, err)
			}
		}
		syscall.Umask(old)
	}
}

// TestWaits holds that a run does not rename while another one does.
func TestWaits(t *testing.T) {
	dir := t.TempDir()
	other, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	lockDir(other)
	var d delivery
	for _, name := range []string{"off.tar", "tls"} { // two outputs in one directory
		d.outputs = append(d.outputs, newOutput(filepath.Join(dir, name), serverPart("a")))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := d.commit(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v while another run renames, want that of the context", err)
	}
	if err := isEmpty(dir); err != nil {
		t.Error(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.commit(t.Context()) }()
	time.Sleep(50 * time.Millisecond)
	other.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestSetgid holds that a directory does not inherit from its parent.
func TestSetgid(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o775|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tls")
	if err := (delivery{outputs: []*output{newOutput(path, serverPart("a"))}}).commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := intact(path, serverPart("a")); err != nil {
		t.Error(err)
	}
}

func TestTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	archive, text := newOutput("-", serverPart("a")), newOutput("-", certificate("a"))
	refused(t, delivery{outputs: []*output{archive}, stdout: terminal}.precheck(), targetTerminal)
	if err := (delivery{outputs: []*output{text}, stdout: terminal}).precheck(); err != nil {
		t.Errorf("a certificate for the terminal: %v", err)
	}
	if err := (delivery{outputs: []*output{archive}, stdout: null}).precheck(); err != nil {
		t.Errorf("an archive for a device that is no terminal: %v", err)
	}
}

func isEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s holds %v", dir, entries)
	}
	return err
}
