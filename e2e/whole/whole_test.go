package whole

import (
	"os"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

func TestMain(m *testing.M) {
	os.Exit(testbed.Main(m, "k3s", "kubectl", "curl", "openssl", "nsenter", "unshare", "sleep", "python3", "tar"))
}

// scenarios are the lives of clusters. What is long runs when ROOTKILN_E2E is
// all.
var scenarios = []struct {
	name string
	long bool
	run  func(*testing.T)
}{
	{"isolated", false, func(t *testing.T) {
		c := found(t, isolated, sqlite)
		live(t, c)
		rotated(t, c)
	}},
	{"shared", false, func(t *testing.T) { start(t, found(t, shared, sqlite)) }},
	{"every verdict on a certificate", false, everyVerdict},
	{"shared and rotated", true, func(t *testing.T) { live(t, found(t, shared, sqlite)) }},
	{"isolated on etcd", true, func(t *testing.T) { live(t, found(t, isolated, etcd)) }},
	{"shared on etcd", true, func(t *testing.T) { live(t, found(t, shared, etcd)) }},
	{"one root too many", true, oneRootTooMany},
	{"new server root", true, newServerRoot},
	{"another cluster's bundle forced", true, forced},
	{"second server", true, secondServer},
	{"root in three steps", true, func(t *testing.T) { threeSteps(t, sqlite) }},
	{"root in three steps on etcd", true, func(t *testing.T) { threeSteps(t, etcd) }},
	{"k3s's own CAs", true, ownCAs},
	{"shared to isolated", true, toIsolated},
	{"service key", true, newServiceKey},
	{"CAs that have ended", true, ended},
}

// tally counts what was done, for the last line of a run.
var tally struct{ bundles, starts, checks, probes int }

func TestWhole(t *testing.T) {
	extent := os.Getenv("ROOTKILN_E2E")
	if extent != "" && extent != "all" {
		t.Fatalf("ROOTKILN_E2E is %q; it can be all, or unset for the short run", extent)
	}
	for _, s := range scenarios {
		if s.long && extent != "all" {
			continue
		}
		t.Run(s.name, s.run)
	}
	run := "every scenario"
	if extent != "all" {
		run = "the short run; ROOTKILN_E2E=all adds etcd, new roots, rotations, force and a second server"
	}
	version, err := testbed.Run("", nil, "k3s", "--version")
	if err != nil {
		t.Fatal(err)
	}
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "k3s version "), " ")
	testbed.Note("whole: k3s %s, %d bundles, %d server starts, %d checks, %d isolation probes (%s)",
		version, tally.bundles, tally.starts, tally.checks, tally.probes, run)
}

// start is the first start of a cluster: it works, and its doors open to whom
// they should.
func start(t *testing.T, c *cluster) {
	c.start(t)
	c.check(t, "first start")
	c.probe(t, "first start")
}

// live is a first start, an offer that k3s must refuse, and a rotation.
func live(t *testing.T, c *cluster) {
	start(t, c)
	check(t, "unrelated bundle refused", func(t *testing.T) { refused(t, c) })
	old := keep(t, c)
	next := successor(t, c)
	if out, err := c.offer(next); err != nil || !strings.Contains(out, "certificates saved to datastore") {
		t.Fatalf("rotate-ca: %v\n%s", err, out)
	}
	c.stop(t)
	c.bundle, c.leftOver = next, 1
	c.start(t)
	c.check(t, "rotated")
	check(t, "what is held from before", func(t *testing.T) { old.check(t, c) })
	c.probe(t, "rotated")
}

// check is one check, as the last line counts them.
func check(t *testing.T, name string, run func(*testing.T)) {
	tally.checks++
	t.Run(name, run)
}
