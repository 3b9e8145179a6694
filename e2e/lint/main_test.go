package lint

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// scratch holds the chains and the compiled driver of one test run.
var scratch string

// tally is what the closing line of a run counts.
var tally = struct {
	bundles, chains int
	verdicts        map[string]int
	linted, lints   int
}{verdicts: map[string]int{}}

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "rootkiln-lint-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		scratch = dir
		code := m.Run()
		fmt.Println(closing())
		return code
	}())
}

func closing() string {
	parts := []string{fmt.Sprintf("%d bundles, %d chains", tally.bundles, tally.chains)}
	for _, judge := range judges {
		if n := tally.verdicts[judge.Name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s: %d verdicts", judge.Name, version(judge.Version), n))
		}
	}
	if tally.linted > 0 {
		parts = append(parts, fmt.Sprintf("zlint %s: %d lints on %d certificates", version(zlintVersion), tally.lints, tally.linted))
	}
	return strings.Join(parts, "; ")
}

var versionNumber = regexp.MustCompile(`\d+(\.\d+)+[^\s)]*`)

// version is the first version number that a command prints.
func version(command []string) string {
	out, err := run(context.Background(), "", command)
	if err != nil {
		return fmt.Sprintf("(version unknown: %v)", err)
	}
	return versionNumber.FindString(out)
}
