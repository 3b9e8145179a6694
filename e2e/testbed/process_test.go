package testbed

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"
)

// report is a test of whose end and errors this one wants to know.
type report struct {
	testing.TB
	cleanups []func()
	errors   int
}

func (r *report) Cleanup(f func())      { r.cleanups = append(r.cleanups, f) }
func (r *report) Errorf(string, ...any) { r.errors++ }
func (r *report) Failed() bool          { return false }

// A server that has crashed looks well stopped to whoever only sees it gone.
func TestEndOfProcess(t *testing.T) {
	for _, c := range []struct {
		name, script string
		during       func(*report, *Process)
		errors       int
	}{
		{"stopped", "exec sleep 60", func(r *report, p *Process) { p.Stop(r) }, 0},
		{"stopped by the end of the test", "exec sleep 60", func(*report, *Process) {}, 0},
		{"stopped twice", "exec sleep 60", func(r *report, p *Process) { p.Stop(r); p.Stop(r) }, 0},
		{"crashed before Stop", "exit 1", func(r *report, p *Process) { <-p.exited; p.Stop(r) }, 1},
		{"crashed before the end of the test", "exit 1", func(_ *report, p *Process) { <-p.exited }, 1},
		{"ended well, but of itself", "exit 0", func(_ *report, p *Process) { <-p.exited }, 1},
		{"crashed as expected", "exit 1", func(_ *report, p *Process) { p.MayExit(); <-p.exited }, 0},
		{"crashed while awaited", "exit 1", func(_ *report, p *Process) {
			if p.TryAwait(time.Minute, func() error { return errors.New("not ready") }) == nil {
				t.Error("a server that has ended is ready")
			}
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &report{TB: t}
			p := Start(r, t.TempDir(), "server", nil, "sh", "-c", c.script)
			c.during(r, p)
			for _, end := range r.cleanups {
				end()
			}
			if r.errors != c.errors {
				t.Errorf("%d errors, want %d", r.errors, c.errors)
			}
		})
	}
}

// A command that hangs, or leaves a child behind with its outputs open, must not
// hang the tests.
func TestOutputsEnd(t *testing.T) {
	for _, c := range []struct {
		script string
		limit  time.Duration
		out    string
		err    error
	}{
		{"echo said", time.Minute, "said\n", nil},
		{"echo said; exec sleep 60", time.Second, "said\n", context.DeadlineExceeded},
		{"sleep 60 & echo said", time.Minute, "said\n", exec.ErrWaitDelay},
	} {
		t.Run(c.script, func(t *testing.T) {
			start := time.Now()
			out, _, err := outputs(c.limit, "", nil, "sh", "-c", c.script)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if out != c.out || !errors.Is(err, c.err) {
				t.Errorf("wrote %q, error %v; want %q, %v", out, err, c.out, c.err)
			}
		})
	}
}
