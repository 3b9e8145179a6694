package e2e

import (
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/sirupsen/logrus"

	"rootkiln/e2e/testbed"
)

// tally counts what was judged, for the last line of a run.
var tally struct {
	bundles, leaves, goVerify, opensslVerify, crossDomain, tokens, joins, restarts, expiries atomic.Int64
}

func TestMain(m *testing.M) {
	if extent := os.Getenv(extentVariable); extent != "" && extent != "all" {
		fmt.Fprintf(os.Stderr, "e2e: %s is %q; it can be all, or unset for the default run\n", extentVariable, extent)
		os.Exit(1)
	}
	logrus.SetLevel(logrus.WarnLevel) // k3s writes a line for each leaf otherwise
	os.Exit(testbed.Main(counted{m}, "openssl"))
}

// counted has the tally for its last word.
type counted struct{ *testing.M }

func (c counted) Run() int {
	code := c.M.Run()
	testbed.Note("k3s %s judged %d bundles with %d leaves: %d verifications by Go, %d by openssl, %d across domains; %d tokens, %d joins, %d foretold restarts, %d ends",
		k3sVersion(), tally.bundles.Load(), tally.leaves.Load(), tally.goVerify.Load(), tally.opensslVerify.Load(),
		tally.crossDomain.Load(), tally.tokens.Load(), tally.joins.Load(), tally.restarts.Load(), tally.expiries.Load())
	return code
}

// extentVariable asks for the complete product of bundles when it is "all".
const extentVariable = "ROOTKILN_E2E"

func completeRun() bool { return os.Getenv(extentVariable) == "all" }

// A test binary does not record the modules it was linked from, but the main
// module's requirement is what the build selected: go refuses to build
// otherwise (-mod=readonly).
var (
	//go:embed go.mod
	goMod []byte

	k3sRequirement = regexp.MustCompile(`(?m)^\tgithub\.com/k3s-io/k3s (\S+)$`)
)

func k3sVersion() string {
	match := k3sRequirement.FindSubmatch(goMod)
	if match == nil {
		return "(not in go.mod)"
	}
	return string(match[1])
}
