package testbed

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// Rootkiln runs the binary under test and returns its standard output.
func Rootkiln(args ...string) (string, error) {
	return Run("", []string{"LC_ALL=C"}, append([]string{os.Getenv("ROOTKILN")}, args...)...)
}

// Bundle is what `rootkiln bundle` made.
type Bundle struct {
	Dir     string // the server's data directory: tls, with the eleven files, is below it
	Offline string // the part that stays in the safe: the keys of roots and intermediates
}

// NewBundle runs `rootkiln bundle` with more flags than where to write. Both
// parts are written below dir, which must not hold them yet.
func NewBundle(t testing.TB, dir string, flags ...string) Bundle {
	t.Helper()
	b := Bundle{Dir: filepath.Join(dir, "server"), Offline: filepath.Join(dir, "offline")}
	if _, err := Rootkiln(append([]string{"bundle", "--out", b.Dir, "--offline-out", b.Offline}, flags...)...); err != nil {
		t.Fatal(err)
	}
	return b
}

// TLS is the path of a file of the server's part, such as "etcd/peer-ca.crt".
func (b Bundle) TLS(name string) string { return filepath.Join(b.Dir, "tls", filepath.FromSlash(name)) }

// Copy makes a second one of the server's part, in dir/server: where a server
// with the data directory dir looks for it, or where it can be broken.
func (b Bundle) Copy(t testing.TB, dir string) Bundle {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "server")
	if _, err := Run("", nil, "cp", "-a", b.Dir, to); err != nil {
		t.Fatal(err)
	}
	return Bundle{Dir: to, Offline: b.Offline}
}

// Finding is one finding of `rootkiln verify`.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Subject  string `json:"subject"`
}

// Verify is the findings of `rootkiln verify` on a directory or archive. Its
// exit status must agree with them: 3 is the verdict that something is wrong.
func Verify(t testing.TB, path string, flags ...string) []Finding {
	t.Helper()
	out, err := Rootkiln(append([]string{"verify", "--output", "json", path}, flags...)...)
	var report struct {
		Findings []Finding `json:"findings"`
	}
	if bad := json.Unmarshal([]byte(out), &report); bad != nil {
		t.Fatalf("rootkiln verify: %v, %v\n%s", bad, err, out)
	}
	want := 0
	if len(Codes(report.Findings, "error")) > 0 {
		want = 3
	}
	if status := exitStatus(err); status != want {
		t.Fatalf("rootkiln verify: exit status %d, want %d with the findings %v (%v)", status, want, report.Findings, err)
	}
	return report.Findings
}

// exitStatus is that of a command which ended with the error; -1 if it did not
// run.
func exitStatus(err error) int {
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// Codes are the codes of the findings with one of the severities, sorted, each
// once.
func Codes(findings []Finding, severities ...string) []string {
	var codes []string
	for _, f := range findings {
		if slices.Contains(severities, f.Severity) {
			codes = append(codes, f.Code)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// CAFiles are the five authorities of a server: the role as rootkiln names it,
// and the path below tls without its ending.
var CAFiles = map[string]string{
	"server-ca": "server-ca", "client-ca": "client-ca", "request-header-ca": "request-header-ca",
	"etcd-peer-ca": "etcd/peer-ca", "etcd-server-ca": "etcd/server-ca",
}

// Openings are the doors between the authorities that `rootkiln verify` sees
// open: role whose key is held, role at whose door its certificates are taken.
func Openings(t testing.TB, path string) [][2]string {
	t.Helper()
	out, err := Rootkiln("verify", "--output", "json", path)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Openings []struct {
			From string   `json:"from"`
			To   []string `json:"to"`
		} `json:"openings"`
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("rootkiln verify: %v\n%s", err, out)
	}
	var pairs [][2]string
	for _, opening := range report.Openings {
		for _, to := range opening.To {
			pairs = append(pairs, [2]string{opening.From, to})
		}
	}
	return pairs
}
