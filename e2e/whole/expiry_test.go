package whole

import (
	"crypto/x509"
	"encoding/json"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// judged is a line of `k3s certificate check`: file, verdict and date.
var judged = regexp.MustCompile(`msg="(\S+): certificate .* (is ok, expires at|will expire within 90 days at|expired at|is not valid before) (\S+)"`)

// statuses are k3s's verdicts in the words of its later releases, which are
// rootkiln's.
var statuses = map[string]string{
	"is ok, expires at": "OK", "will expire within 90 days at": "WARNING", "expired at": "EXPIRED", "is not valid before": "NOT YET VALID",
}

// rootkilnCheck compares `rootkiln check` with `k3s certificate check`.
func rootkilnCheck(t *testing.T, c *cluster) { c.sameVerdicts(t) }

// sameVerdicts wants rootkiln to say of every certificate that k3s names the
// same verdict and date, in the same order in each file. It returns how often
// each verdict was given.
func (c *cluster) sameVerdicts(t *testing.T) map[string]int {
	t.Helper()
	out, err := c.k3s("certificate", "check", "--data-dir", c.data)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	theirs, seen := map[string][]string{}, map[string]int{}
	for _, match := range judged.FindAllStringSubmatch(out, -1) {
		theirs[match[1]] = append(theirs[match[1]], statuses[match[2]]+" "+match[3])
		seen[statuses[match[2]]]++
	}
	ours := c.expiries(t)
	if len(theirs) == 0 {
		t.Errorf("k3s names no certificate:\n%s", out)
	}
	for file, lines := range theirs {
		said := ours[file]
		for i, line := range lines { // a file of two services is told of twice
			if len(lines)%max(len(said), 1) != 0 || len(said) == 0 || said[i%len(said)] != line {
				t.Errorf("%s: k3s says %q, rootkiln %q", file, lines, said)
				break
			}
		}
	}
	return seen
}

// expiries are the verdicts of `rootkiln check` by file.
func (c *cluster) expiries(t *testing.T) map[string][]string {
	t.Helper()
	out, err := testbed.Rootkiln("check", c.data, "--within", "90d", "--output", "json")
	var report struct {
		Certificates []struct {
			Path, Field, Status, ExpiryTime string
		}
	}
	if bad := json.Unmarshal([]byte(out), &report); bad != nil {
		t.Fatalf("rootkiln check: %v, %v", bad, err)
	}
	said := map[string][]string{}
	for _, row := range report.Certificates {
		if row.Field == "" { // k3s reads files of PEM alone
			file := filepath.Join(c.data, filepath.FromSlash(row.Path))
			said[file] = append(said[file], row.Status+" "+row.ExpiryTime)
		}
	}
	return said
}

// everyVerdict has k3s and rootkiln judge certificates of every state, in a
// server's directory without a server.
func everyVerdict(t *testing.T) {
	c := found(t, isolated, sqlite)
	now := time.Now()
	const day = 24 * time.Hour
	lives := map[string][2]time.Duration{ // from and until
		"client-admin": {-365 * day, -time.Hour}, "client-supervisor": {-day, time.Hour},
		"client-kube-apiserver": {-day, 90*day - time.Hour}, "client-controller": {-day, 90*day + time.Hour},
		"client-scheduler": {time.Hour, 200 * day}, "client-kube-proxy": {-day, 365 * day},
		"client-k3s-controller": {-day, 120*day - time.Hour}, "client-k3s-cloud-controller": {-400 * day, -200 * day},
	}
	authority := testbed.ReadAuthority(t, c.tls("client-ca"))
	for leaf, life := range lives {
		testbed.WritePair(t, c.tls(leaf), authority.MintFrom(t, func(template *x509.Certificate) {
			template.Subject.CommonName = leaf
			template.NotBefore, template.NotAfter = now.Add(life[0]), now.Add(life[1])
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}))
	}
	seen := c.sameVerdicts(t)
	for _, status := range statuses {
		if seen[status] == 0 {
			t.Errorf("no certificate is %s: %v", status, seen)
		}
	}
}
