package e2e

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/k3s-io/k3s/pkg/daemons/config"
	"github.com/rancher/dynamiclistener/storage/file"

	"rootkiln/e2e/testbed"
)

// expiryReport is what `rootkiln check` says.
type expiryReport struct {
	Alarm        bool
	Certificates []expiryRow
	Findings     []testbed.Finding
	Remedies     []struct {
		Code     string
		For      []string
		Commands []string
	}
}

type expiryRow struct {
	Path, Kind, Status, Restart, Fingerprint string
	ExpiryTime                               time.Time
	StaleSigner, First                       bool
}

// expiries runs `rootkiln check` for a time and returns its exit status too.
func (b bundle) expiries(t testing.TB, at time.Time, within string) (r expiryReport, status int) {
	t.Helper()
	out, err := testbed.Rootkiln("check", b.dir, "--at", at.UTC().Format(time.RFC3339), "--within", within, "--output", "json")
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if bad := json.Unmarshal([]byte(out), &r); bad != nil {
		t.Fatalf("rootkiln check: %v, %v\n%s", bad, err, out)
	}
	return r, status
}

// restarts are the predictions for what stands at the head of each file.
func (r expiryReport) restarts() map[string]string {
	said := map[string]string{}
	for _, c := range r.Certificates {
		if c.Kind == "leaf" || c.Kind == "serving" {
			said[c.Path] = c.Restart
		}
	}
	return said
}

// running starts k3s on a new bundle and opens its port.
func running(t *testing.T, leafDays, servingDays string) bundle {
	t.Helper()
	b := order{algorithms: algorithms{service: "p256"}, kind: kinds[0]}.make(t)
	b.leafDays = leafDays
	if _, err := b.start(); err != nil {
		t.Fatal(err)
	}
	b.leafDays = servingDays
	if _, err := b.serve(anyCertificate); err != nil {
		t.Fatal(err)
	}
	b.leafDays = ""
	return b
}

// TestRestart starts k3s again on leaf certificates of every age: what
// `rootkiln check` says of a restart is what the restart does.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, days := range []int{0, 1, 30, 89, 91, 119, 121, 365} {
		t.Run(strconv.Itoa(days), func(t *testing.T) {
			t.Parallel()
			b := running(t, strconv.Itoa(days), strconv.Itoa(days))
			report, _ := b.expiries(t, time.Now().Add(time.Minute), "0d")
			b.restarted(t, report.restarts(), days)
		})
	}
}

// restarted compares the predictions with a restart.
func (b bundle) restarted(t *testing.T, said map[string]string, days int) {
	t.Helper()
	if want := len(leaves) + 1; len(said) != want {
		t.Errorf("rootkiln check knows %d leaves, k3s made %d", len(said), want)
	}
	before, err := take(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.start(); err != nil {
		t.Fatal(err)
	}
	renewed := func(c *x509.Certificate) bool { return time.Until(c.NotAfter) > 364*24*time.Hour }
	if _, err := b.serve(renewed); err != nil {
		t.Fatal(err)
	}
	after, err := take(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	tally.restarts.Add(1)
	for file, restart := range said {
		var want bool
		switch restart {
		case "renewed":
			want = true
		case "renewed-since-2025-05":
			want = config.CertificateRenewDays >= 120
		case "kept", "stays-broken":
		case "uncertain":
			t.Logf("%s, %d days before its end: made anew: %t", file, days, before[file] != after[file])
			continue
		default:
			t.Errorf("%s: %q of a restart", file, restart)
		}
		if got := before[file] != after[file]; got != want {
			t.Errorf("%s, %d days before its end: %q, and k3s made it anew: %t", file, days, restart, got)
		}
	}
}

// TestRestartAfterRotation puts other CAs below the leaf certificates, as
// rotate-ca does: k3s renews its leaves at the next start, and the supervisor's
// certificate stays that of the CA before, until the remedy is applied.
func TestRestartAfterRotation(t *testing.T) {
	t.Parallel()
	b := running(t, "", "")
	next := order{algorithms: algorithms{service: "p256"}, kind: kinds[0]}.make(t)
	if _, err := testbed.Run("", nil, "cp", "-a", next.dir+"/tls", b.dir); err != nil {
		t.Fatal(err)
	}
	report, status := b.expiries(t, time.Now(), "0d")
	if status != 3 || !report.Alarm {
		t.Errorf("leaves of another CA: status %d, alarm %t", status, report.Alarm)
	}
	for _, c := range report.Certificates {
		if (c.Kind == "leaf" || c.Kind == "serving") != c.StaleSigner {
			t.Errorf("%s (%s): of another CA: %t", c.Path, c.Kind, c.StaleSigner)
		}
	}
	b.restarted(t, report.restarts(), 365)

	report, status = b.expiries(t, time.Now(), "0d")
	if codes := testbed.Codes(report.Findings, "error", "warning"); status != 3 || !slices.Equal(codes, []string{"leaf-stale"}) {
		t.Errorf("after the restart: status %d, %q", status, codes)
	}
	b.mendServing(t, report)
	report, status = b.expiries(t, time.Now(), "0d")
	if status != 0 || report.Alarm || len(report.Remedies) > 0 {
		t.Errorf("after the remedy: status %d, alarm %t, %v", status, report.Alarm, report.Findings)
	}
}

// servingRemedy is what rootkiln check says of a supervisor's certificate that
// no restart mends.
var servingRemedy = []string{
	"k3s kubectl --insecure-skip-tls-verify -n kube-system delete secret k3s-serving",
	"systemctl stop k3s", "rm -f /var/lib/rancher/k3s/server/tls/dynamic-cert.json", "systemctl start k3s",
	"openssl s_client -connect 127.0.0.1:6443 </dev/null 2>/dev/null | openssl x509 -noout -issuer -enddate",
}

// remedy returns the commands of one.
func (r expiryReport) remedy(code string) []string {
	for _, remedy := range r.Remedies {
		if remedy.Code == code {
			return remedy.Commands
		}
	}
	return nil
}

// TestServingExpired is k3s-io/k3s#1621 with the clock moved: the leaf
// certificates were renewed in time, the supervisor's was not.
func TestServingExpired(t *testing.T) {
	t.Parallel()
	b := running(t, "365", "200")
	const serving, leaf = 200, 365 // days to live
	for _, c := range []struct {
		day      int
		within   string
		alarm    bool
		serving  string // what a restart does to it on that day
		leaf     string
		findings []string
		remedies []string
	}{
		{0, "30d", false, "kept", "kept", nil, nil},
		{serving - 121, "30d", false, "kept", "kept", nil, nil},
		{serving - 120, "30d", false, "renewed-since-2025-05", "kept", nil, nil},
		{serving - 91, "30d", false, "renewed-since-2025-05", "kept", nil, nil},
		{serving - 91, "120d", true, "renewed-since-2025-05", "kept", []string{"expires-soon"}, []string{"rotate-leaves"}},
		{serving - 90, "30d", false, "renewed", "kept", nil, nil},
		{serving - 29, "30d", true, "renewed", "kept", []string{"expires-soon"}, []string{"restart"}},
		{serving + 1, "30d", true, "uncertain", "kept", []string{"serving-expired"}, []string{"serving"}},
		{leaf - 29, "30d", true, "uncertain", "renewed", []string{"expires-soon", "serving-expired"}, []string{"restart", "serving"}},
		{leaf + 1, "30d", true, "uncertain", "renewed", []string{"expired", "serving-expired"}, []string{"restart", "serving"}},
	} {
		t.Run(fmt.Sprintf("day %d within %s", c.day, c.within), func(t *testing.T) {
			// A minute before the hour of the ends: the day counts are exact then.
			at := time.Now().Add(time.Duration(c.day)*24*time.Hour + time.Minute)
			report, status := b.expiries(t, at, c.within)
			if report.Alarm != c.alarm || (status == 3) != c.alarm || status != 0 && status != 3 {
				t.Errorf("status %d, alarm %t, want %t", status, report.Alarm, c.alarm)
			}
			for path, restart := range report.restarts() {
				want := c.leaf
				if path == dynamicCert {
					want = c.serving
				}
				if restart != want {
					t.Errorf("%s: a restart: %q, want %q", path, restart, want)
				}
			}
			if codes := testbed.Codes(report.Findings, "error", "warning"); !slices.Equal(codes, c.findings) {
				t.Errorf("findings %q, want %q", codes, c.findings)
			}
			var remedies []string
			for _, r := range report.Remedies {
				remedies = append(remedies, r.Code)
			}
			if !slices.Equal(remedies, c.remedies) {
				t.Errorf("remedies %q, want %q", remedies, c.remedies)
			}
			if slices.Contains(remedies, "serving") && !slices.Equal(report.remedy("serving"), servingRemedy) {
				t.Errorf("the remedy is %q, want %q", report.remedy("serving"), servingRemedy)
			}
			b.compareExpiries(t, report, at, c.within, c.day == 0)
		})
	}
}

// compareExpiries asks openssl for the end of every certificate, and whether it
// has ended, or will within the window, at the time; or of one for each end. The
// supervisor's comes out of its file by k3s's own library.
func (b bundle) compareExpiries(t *testing.T, r expiryReport, at time.Time, within string, every bool) {
	t.Helper()
	days, err := strconv.Atoi(strings.TrimSuffix(within, "d"))
	if err != nil {
		t.Fatal(err)
	}
	asked := map[time.Time]bool{}
	for _, c := range r.Certificates {
		if !c.First || asked[c.ExpiryTime] && !every {
			continue
		}
		asked[c.ExpiryTime] = true
		file := b.single(t, c)
		status := "OK"
		end, alive := ends(t, file, time.Until(at))
		if !alive {
			status = "EXPIRED"
		} else if _, alive := ends(t, file, time.Until(at)+time.Duration(days)*24*time.Hour); !alive {
			status = "WARNING"
		}
		if !end.Equal(c.ExpiryTime) || c.Status != status {
			t.Errorf("%s: rootkiln says %s, %s; openssl %s, %s", c.Path, c.Status, c.ExpiryTime, status, end)
		}
		tally.expiries.Add(1)
	}
}

// single writes one certificate of a report into a file of its own.
func (b bundle) single(t *testing.T, c expiryRow) string {
	t.Helper()
	name := filepath.Join(b.dir, "..", "single", c.Fingerprint)
	if _, err := os.Stat(name); err == nil {
		return name
	}
	text, err := os.ReadFile(filepath.Join(b.dir, c.Path))
	if c.Path == dynamicCert {
		secret, bad := file.New(filepath.Join(b.dir, dynamicCert)).Get()
		text, err = secret.Data["tls.crt"], bad
	}
	if err != nil {
		t.Fatal(err)
	}
	chain, err := testbed.DecodeChain(text)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(chain, func(one *x509.Certificate) bool { return testbed.TokenHash(one) == c.Fingerprint })
	if at < 0 {
		t.Fatalf("%s does not hold %s", c.Path, c.Fingerprint)
	}
	return testbed.Write(t, name, testbed.EncodeChain(chain[at]))
}

// ends asks openssl when a certificate ends, and whether it is alive after a
// while.
func ends(t *testing.T, file string, while time.Duration) (end time.Time, alive bool) {
	t.Helper()
	out, err := testbed.Run("", nil, "openssl", "x509", "-in", file, "-noout", "-enddate", "-checkend", strconv.Itoa(int(while.Seconds())))
	line, _, _ := strings.Cut(strings.TrimPrefix(out, "notAfter="), "\n")
	end, bad := time.Parse("Jan _2 15:04:05 2006 MST", line)
	if bad != nil {
		t.Fatalf("openssl says %q: %v, %v", out, bad, err)
	}
	return end, err == nil
}
