package middle

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"rootkiln/e2e/testbed"
)

func TestMain(m *testing.M) {
	os.Exit(testbed.Main(m, "supervisor", "sqlite3", "etcdctl", "curl", "openssl"))
}

// tally counts what was done, for the last line of a run.
var tally struct{ bundles, starts, values, offers, foretold, refused, forced, probes atomic.Int64 }

// extentVariable asks for every row on both topologies when it is "all".
const extentVariable = "ROOTKILN_E2E"

func completeRun() bool { return os.Getenv(extentVariable) == "all" }

// TestSupervisor lives through a cluster's life on each datastore with each
// topology. The two on sqlite run beside those on etcd, whose ports are fixed.
func TestSupervisor(t *testing.T) {
	if extent := os.Getenv(extentVariable); extent != "" && extent != "all" {
		t.Fatalf("%s is %q; it can be all, or unset for the short run", extentVariable, extent)
	}
	t.Run("all", func(t *testing.T) {
		t.Run("sqlite", func(t *testing.T) {
			t.Parallel()
			t.Run("isolated", func(t *testing.T) { onSQLite(t, found(t, isolated, sqlite)) })
			t.Run("shared", func(t *testing.T) { onSQLite(t, found(t, shared, sqlite)) })
		})
		t.Run("etcd", func(t *testing.T) {
			t.Parallel()
			t.Run("isolated", func(t *testing.T) { onEtcd(t, found(t, isolated, etcd)) })
			t.Run("shared", func(t *testing.T) { onEtcd(t, found(t, shared, etcd)) })
		})
	})
	version, err := testbed.Run("", nil, "supervisor", "version")
	if err != nil {
		t.Fatal(err)
	}
	run := "every row on both topologies"
	if !completeRun() {
		run = "the short run; " + extentVariable + "=all gives a shared topology all that an isolated one gets"
	}
	testbed.Note("middle: supervisor of k3s %s on sqlite and etcd, %d bundles, %d starts, %d bootstrap values, "+
		"%d offers to rotate-ca (%d refused, %d forced, %d foretold by rootkiln), %d isolation probes (%s)", strings.TrimSpace(version),
		tally.bundles.Load(), tally.starts.Load(), tally.values.Load(),
		tally.offers.Load(), tally.refused.Load(), tally.forced.Load(), tally.foretold.Load(), tally.probes.Load(), run)
}

func onSQLite(t *testing.T, s *server) {
	s.start(t)
	s.check(t, "first start")
	t.Run("who may rotate", func(t *testing.T) { credentials(t, s) })
	t.Run("rotate-ca", func(t *testing.T) { answers(t, s) })
	successors(t, s)
	if s.full() {
		overruled(t, s)
	}
	rekeyed(t, s)
}

func onEtcd(t *testing.T, s *server) {
	s.start(t)
	s.check(t, "first start")
	t.Run("isolation", func(t *testing.T) { isolation(t, s) })
	if s.full() {
		successors(t, s)
		overruled(t, s)
		rekeyed(t, s)
	}
}

// full tells whether a server gets everything. In the short run one of the
// shared topology gets only what differs there.
func (s *server) full() bool { return s.topology == isolated || completeRun() }

// successors rotates the cluster and lets it come back twice: from its disk,
// and from its datastore alone.
func successors(t *testing.T, s *server) {
	old := s.files
	before := dump(t, s)
	s.rotated(t)
	t.Run("what the next start replaces", func(t *testing.T) { replacing(t, s, old) })
	s.stop(t)
	behind := leaveBehind(t, s)
	s.start(t)
	s.check(t, "rotated")
	t.Run("nodes left behind", func(t *testing.T) { behind.compare(t, s, before) })
	t.Run("own certificates renewed", func(t *testing.T) { renewedLeaves(t, s) })
	// k3s keeps this one in dynamic-cert.json over a rotation.
	t.Run("supervisor's certificate kept", func(t *testing.T) { servedBy(t, s, old) })
	s.stop(t)
	s.wipe(t)
	s.start(t)
	s.check(t, "restored")
	t.Run("own certificates made", func(t *testing.T) { renewedLeaves(t, s) })
	t.Run("supervisor's certificate made", func(t *testing.T) { servedBy(t, s, s.files) })
	if s.store == sqlite {
		newerDisk(t, s) // not a test of its own, which would end its server with it
	}
}
