package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Process is a server that runs for a test.
type Process struct {
	Name string
	Log  string // file with its standard output and error

	cmd      *exec.Cmd
	exited   chan struct{}
	err      error       // of Wait; read it after exited is closed
	stopping atomic.Bool // by our signal, or its own end has been told
	mayExit  atomic.Bool
}

// grace is what a server gets between SIGTERM and SIGKILL. A kube-apiserver
// waits up to a minute for those who watch it (its --request-timeout).
const grace = 90 * time.Second

// Start runs the command as a server called name, its log in dir. It is
// stopped, at the latest, when the test ends. env is added to the environment.
func Start(t testing.TB, dir, name string, env []string, command ...string) *Process {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the process has its own descriptor
	p := &Process{Name: name, Log: log.Name(), cmd: exec.Command(command[0], command[1:]...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = log, log, dir
	p.cmd.Env = append(os.Environ(), append([]string{"HOME=" + dir}, env...)...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		if t.Failed() {
			t.Logf("end of %s:\n%s", p.Log, p.Tail(25))
		}
	})
	return p
}

// Await calls ready until it returns nil. It fails the test when the process
// ends before or the time is over, with the last error of ready.
func (p *Process) Await(t testing.TB, within time.Duration, what string, ready func() error) {
	t.Helper()
	if err := p.TryAwait(within, ready); err != nil {
		t.Fatalf("%s: %s: %v", p.Name, what, err)
	}
}

// TryAwait is Await for a server that may well not come up: if it ends, the
// error says so, and nobody else will.
func (p *Process) TryAwait(within time.Duration, ready func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			p.MayExit()
			return fmt.Errorf("it ended: %w", errors.Join(p.err, err))
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s: %w", within, err)
		}
	}
}

// MayExit says that the test expects the process to end by itself, or has seen
// it. Otherwise that fails the test, at its end if not before: nobody notices a
// server's crash after the last question to it.
func (p *Process) MayExit() { p.mayExit.Store(true) }

// Stop ends the process as a service manager does, and waits for its end.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if err := p.stop(); err != nil {
		t.Errorf("%s: %v", p.Name, err)
	}
}

func (p *Process) stop() error {
	if p.stopping.Swap(true) {
		<-p.exited
		return nil
	}
	select {
	case <-p.exited:
		return p.byItself()
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		<-p.exited
		return p.byItself()
	} else if err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(grace):
	}
	p.cmd.Process.Kill()
	<-p.exited
	return fmt.Errorf("did not end within %s of SIGTERM", grace)
}

// byItself is what is wrong with a process that ended before it was told to.
func (p *Process) byItself() error {
	if p.mayExit.Load() {
		return nil
	}
	return fmt.Errorf("ended by itself: %v", p.cmd.ProcessState)
}

// Exited tells whether the process has ended, and how.
func (p *Process) Exited() (bool, error) {
	select {
	case <-p.exited:
		return true, p.err
	default:
		return false, nil
	}
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Mark is the present length of the log, for LogSince.
func (p *Process) Mark() int64 {
	info, err := os.Stat(p.Log)
	if err != nil {
		return 0
	}
	return info.Size()
}

// LogSince is what the process has written after a mark. k3s tells why it
// refused a request nowhere else.
func (p *Process) LogSince(mark int64) string {
	data, err := os.ReadFile(p.Log)
	if err != nil || int64(len(data)) < mark {
		return ""
	}
	return string(data[mark:])
}

// Tail is the last lines of the log.
func (p *Process) Tail(lines int) string {
	data, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(data)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// runLimit is what a command gets to its end. Twelve RSA-4096 keys on a busy
// machine take more than a minute.
const runLimit = 5 * time.Minute

// Run runs a command to its end, within runLimit, and returns what it wrote to
// standard output, and to standard error as part of the error.
func Run(dir string, env []string, command ...string) (string, error) {
	stdout, _, err := Outputs(dir, env, command...)
	return stdout, err
}

// Outputs is Run for a command that has something to say on standard error even
// when all is well.
func Outputs(dir string, env []string, command ...string) (stdout, stderr string, err error) {
	return outputs(runLimit, dir, env, command...)
}

func outputs(limit time.Duration, dir string, env []string, command ...string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &errs, dir
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second // for a child of its own that keeps our pipes open
	if err = cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("not within %s: %w", limit, ctx.Err())
		}
		err = fmt.Errorf("%s: %w\n%s", filepath.Base(command[0]), err, strings.TrimSpace(errs.String()))
	}
	return out.String(), errs.String(), err
}

// Curl asks by curl, which knows the server by the certificates of the file root
// alone: Debian's would look into /etc/ssl/certs as well, and a .curlrc could
// name more. A status of 400 and above is an error.
func Curl(t testing.TB, root string, args ...string) (string, error) {
	t.Helper()
	alone := []string{"curl", "-q", "-sSf", "--max-time", "30", "--cacert", root, "--capath", t.TempDir()}
	return Run("", nil, append(alone, args...)...)
}
