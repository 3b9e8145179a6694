package e2e

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/sirupsen/logrus"
)

// tally counts what was judged, for the last line of a run.
var tally struct {
	bundles, leaves, goVerify, opensslVerify, crossDomain, tokens, joins atomic.Int64
}

func TestMain(m *testing.M) {
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	fmt.Printf("e2e: k3s %s judged %d bundles with %d leaves: %d verifications by Go, %d by openssl, %d across domains; %d tokens, %d joins\n",
		k3sVersion(), tally.bundles.Load(), tally.leaves.Load(), tally.goVerify.Load(), tally.opensslVerify.Load(),
		tally.crossDomain.Load(), tally.tokens.Load(), tally.joins.Load())
	os.Exit(code)
}

// prepare looks for everything the tests need, so that what is missing is one
// clear sentence and never a skipped test.
func prepare() error {
	if binary := os.Getenv("ROOTKILN"); !filepath.IsAbs(binary) {
		return fmt.Errorf("ROOTKILN must name the binary to be judged by its absolute path, it is %q: run `make e2e`", binary)
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		return fmt.Errorf("%w: install it with `apt-get install openssl`", err)
	}
	if extent := os.Getenv(extentVariable); extent != "" && extent != "all" {
		return fmt.Errorf("%s is %q; it can be all, or unset for the default run", extentVariable, extent)
	}
	logrus.SetLevel(logrus.WarnLevel) // k3s writes a line for each leaf otherwise
	return nil
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
