package testbed

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func (r *report) Fatalf(string, ...any) {
	r.errors++
	runtime.Goexit()
}

// Scripts go by the exit status, so it is part of the verdict.
func TestVerifyStatus(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "rootkiln")
	t.Setenv("ROOTKILN", binary)
	for _, c := range []struct {
		severity, status string
		errors           int
	}{
		{"error", "3", 0}, {"warning", "0", 0}, {"notice", "0", 0},
		{"error", "0", 1}, {"error", "1", 1}, {"warning", "3", 1}, {"notice", "1", 1},
	} {
		script := "#!/bin/sh\necho '{\"findings\": [{\"code\": \"x\", \"severity\": \"" + c.severity + "\"}]}'\nexit " + c.status + "\n"
		if err := os.WriteFile(binary, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		r, done := &report{TB: t}, make(chan struct{})
		go func() {
			defer close(done)
			Verify(r, "bundle")
		}()
		if <-done; r.errors != c.errors {
			t.Errorf("%s and exit status %s: %d errors, want %d", c.severity, c.status, r.errors, c.errors)
		}
	}
}
