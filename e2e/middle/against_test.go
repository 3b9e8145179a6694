package middle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// prediction is what `rootkiln verify --against` says of an offer.
type prediction struct {
	Against struct {
		Ruling *struct {
			Saved bool
			Log   string
			Files []struct {
				Field, Path, Refused, Log string
				Offered                   bool
			}
		}
		ForceHides []string
	}
	Findings []testbed.Finding
}

// foretell asks rootkiln about an offer before the server does. Old is what lies
// on the disk of the server at this moment.
func (s *server) foretell(t testing.TB, dir string) prediction {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "tls"), 0o700); err != nil { // of an offer of nothing
		t.Fatal(err)
	}
	out, err := testbed.Rootkiln("verify", dir, "--against", filepath.Join(s.data, "server"), "--output", "json")
	var p prediction
	if bad := json.Unmarshal([]byte(out), &p); bad != nil {
		t.Fatalf("rootkiln verify --against: %v, %v\n%s", bad, err, out)
	}
	return p
}

// foretold compares the prediction with the answer of this very run: whether the
// offer is saved, what is said of each file, and for which files the server's own
// stand in.
func (s *server) foretold(t *testing.T, p prediction, got answer) {
	t.Helper()
	tally.foretold.Add(1)
	said := s.reasons(got.since)
	ruling := p.Against.Ruling
	if ruling == nil {
		t.Errorf("no ruling of an offer of which k3s says %q", said)
		return
	}
	if saved := said == ""; ruling.Saved != saved || (len(p.Against.ForceHides) > 0) == saved {
		t.Errorf("k3s saves it without force: %t; rootkiln says %t, and that force hides %q", saved, ruling.Saved, p.Against.ForceHides)
	}
	if ours := strings.TrimPrefix(now.ReplaceAllString(ruling.Log, ""), refusal); ours != said {
		t.Errorf("k3s's log and rootkiln's differ:\n%s\n%s", said, ours)
	}
	var ours, standIns []string
	for _, f := range ruling.Files {
		if members[f.Field] != f.Path {
			t.Errorf("%s is not k3s's %s", f.Path, f.Field)
		}
		if (f.Refused != "") != (f.Log != "") {
			t.Errorf("%s: refused by %q, and the log is %q", f.Path, f.Refused, f.Log)
		}
		if f.Log != "" {
			ours = append(ours, now.ReplaceAllString(f.Log, ""))
		}
		if !f.Offered {
			standIns = append(standIns, f.Field)
		}
	}
	if theirs := entries(said); !slices.Equal(theirs, ours) {
		t.Errorf("file by file k3s refuses\n%s\nand rootkiln\n%s", strings.Join(theirs, "\n"), strings.Join(ours, "\n"))
	}
	if theirs := ownFiles(got.since); !slices.Equal(theirs, standIns) {
		t.Errorf("k3s uses its own %q, rootkiln says %q", theirs, standIns)
	}
}

// What begins k3s's line about an offer, without force and with it.
const (
	refusal = "failed to validate new CA certificates and keys: "
	forced  = "Save of CA certificates and keys forced, ignoring validation errors: "
)

var (
	message  = regexp.MustCompile(`(?m)\bmsg=("(?:[^"\\]|\\.)*")`)
	fallback = regexp.MustCompile(`^Using current data for (\w+): `)
	staging  = regexp.MustCompile(`\.rotate-ca-tmp-\d+/`)
	now      = regexp.MustCompile(`current time \S+ `)
)

// messages are the lines of a log as k3s wrote them, unquoted.
func messages(log string) []string {
	var lines []string
	for _, quoted := range message.FindAllStringSubmatch(log, -1) {
		if line, err := strconv.Unquote(quoted[1]); err == nil {
			lines = append(lines, line)
		}
	}
	return lines
}

// reasons are what the server has against an offer, without its directories and
// the time of day; empty if nothing.
func (s *server) reasons(log string) string {
	for _, line := range messages(log) {
		for _, prefix := range []string{refusal, forced} {
			if _, said, ok := strings.Cut(line, prefix); ok {
				said = strings.ReplaceAll(said, filepath.Join(s.data, "server")+"/", "")
				return now.ReplaceAllString(staging.ReplaceAllString(said, ""), "")
			}
		}
	}
	return ""
}

// entry begins what is said of one file.
var entry = func() *regexp.Regexp {
	var fields []string
	for field := range members {
		fields = append(fields, field)
	}
	return regexp.MustCompile(`(?:^|, )(?:` + strings.Join(fields, "|") + `): `)
}()

// entries takes the reasons apart.
func entries(reasons string) []string {
	var parts []string
	starts := entry.FindAllStringIndex(reasons, -1)
	for i, at := range starts {
		end := len(reasons)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		parts = append(parts, strings.TrimPrefix(reasons[at[0]:end], ", "))
	}
	return parts
}

// ownFiles are the rotated files for which the server takes its own.
func ownFiles(log string) []string {
	var fields []string
	for _, line := range messages(log) {
		if match := fallback.FindStringSubmatch(line); match != nil && strings.HasPrefix(members[match[1]], "tls/") {
			fields = append(fields, match[1])
		}
	}
	return fields
}

// TestEntries guards the reading of the log.
func TestEntries(t *testing.T) {
	got := entries("ServerCA: a, b: c, ClientCAKey: d")
	if want := []string{"ServerCA: a, b: c", "ClientCAKey: d"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	log := `time="x" level=info msg="Using current data for ClientCA: /d/tls/client-ca.crt"` + "\n" +
		`time="x" level=error msg="certificate error ID 00042: ` + refusal + `ServerCA: \"quoted\""` + "\n"
	s := &server{data: "/d"}
	if got := s.reasons(log); got != `ServerCA: "quoted"` {
		t.Errorf("reasons %q", got)
	}
	if got := ownFiles(log); !slices.Equal(got, []string{"ClientCA"}) {
		t.Errorf("own files %q", got)
	}
}
