// Command suite runs every test and closes with one line of counts. `make test`
// calls it after the tools are there; with -real it runs the bundles on real
// software instead (`make e2e`), with -real -all on all of it.
//
//	go run ./.ci/suite [-real [-all]] [-fuzztime 5s] [-only fuzz]
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// modules are the Go modules whose code is judged here. e2e itself links a
// whole k3s, e2e/upstream Kubernetes: they have their own target (judge).
var modules = []string{".", "e2e/bench", "e2e/lint", "e2e/testbed", "site/build"}

const staticcheck = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"

// suite counts what ran.
type suite struct {
	fuzztime             string
	passed, failed, fuzz int
	notes                []string // closing lines of parts that have one
}

// stage is one step of the run; a later one runs even if it failed.
type stage struct {
	name string
	run  func(*suite) error
}

var stages = []stage{
	{"format", func(*suite) error { return format() }},
	{"vet", func(*suite) error { return inModules("go", "vet", "./...") }},
	{"staticcheck", func(*suite) error { return inModules("go", "run", staticcheck, "./...") }},
	{"size", (*suite).size},
	{"tests", func(s *suite) error {
		return errors.Join(
			s.test(testLimit, ".", "-skip", "Kill", "./...", "./.ci/suite"),
			s.test(testLimit, "e2e/testbed", "."),
			s.test(testLimit, "site/build", "."))
	}},
	{"page", (*suite).page},
	{"race", func(s *suite) error {
		return errors.Join(
			s.test(testLimit, ".", "-race", "-skip", "Builds|Bomb|Export", "./pki/..."),
			s.test(testLimit, ".", "-race", "-run", underRace, "./cmd/gen"))
	}},
	{"kill", func(s *suite) error { return s.test(testLimit, ".", "-run", "Kill", "./cmd/gen") }},
	{"bench", func(s *suite) error { return s.test(testLimit, "e2e/bench", "./...") }},
	{"judges", func(s *suite) error { return s.test(testLimit, "e2e/lint", ".") }},
	{"fuzz", (*suite).fuzzAll},
}

// Under the race detector a bundle costs twenty times its time. What runs at
// the same time as something else is in the core, the reports and the writer;
// of the command line one script for each way through them is enough.
const underRace = `TestScript/^(bundle|existing|two_rooms|verify)$|^Test(Concurrent|Commit|Force|Interrupted|Waits)$`

// chosen returns the stages to run: the one of that name, or all.
func chosen(stages []stage, only string) ([]stage, error) {
	if only == "" {
		return stages, nil
	}
	var names []string
	for i, st := range stages {
		if st.name == only {
			return stages[i : i+1], nil
		}
		names = append(names, st.name)
	}
	return nil, fmt.Errorf("no stage %q; there are %s", only, strings.Join(names, ", "))
}

func main() {
	s := &suite{}
	only := flag.String("only", "", "run this stage alone")
	flag.StringVar(&s.fuzztime, "fuzztime", "5s", "time for each fuzz target")
	real := flag.Bool("real", false, "run the bundles on real software")
	all := flag.Bool("all", false, "with -real: the long round")
	flag.Parse()
	if *real {
		stages = realStages(*all)
		if *all {
			os.Setenv("ROOTKILN_E2E", "all")
		}
	}
	run, err := chosen(stages, *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "suite:", err)
		os.Exit(2)
	}
	var broken []string
	for _, st := range run {
		start := time.Now()
		fmt.Printf("== %s\n", st.name)
		err := st.run(s)
		if err != nil {
			broken = append(broken, st.name)
			fmt.Printf("%v\n", err)
		}
		fmt.Printf("== %s: %s in %s\n", st.name, map[bool]string{true: "ok", false: "FAILED"}[err == nil], time.Since(start).Round(time.Second))
	}
	for _, n := range s.notes {
		fmt.Println(n)
	}
	if s.fuzz > 0 {
		fmt.Printf("%d fuzz targets, %s each\n", s.fuzz, s.fuzztime)
	}
	if len(broken) > 0 {
		fmt.Println("failed stages:", strings.Join(broken, ", "))
		s.failed = max(s.failed, 1) // a stage that counts no tests can fail too
	}
	fmt.Printf("%d passed, %d failed\n", s.passed, s.failed)
	if s.failed > 0 || s.passed == 0 && *only == "" {
		os.Exit(1)
	}
}

// format lists files that gofmt would change.
func format() error {
	out, err := exec.Command("git", "ls-files", "-z", "*.go").Output()
	if err != nil {
		return fmt.Errorf("list the files of the checkout: %w", err)
	}
	files := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	listed, err := exec.Command("gofmt", append([]string{"-l"}, files...)...).CombinedOutput()
	if err != nil || len(listed) > 0 {
		return fmt.Errorf("gofmt -w these: %s", listed)
	}
	return nil
}

func inModules(name string, args ...string) error {
	var errs []error
	for _, dir := range modules {
		errs = append(errs, inDir(dir, name, args...))
	}
	return errors.Join(errs...)
}

func inDir(dir, name string, args ...string) error { return inDirWith(dir, nil, name, args...) }

// inDirWith adds to the environment.
func inDirWith(dir string, env []string, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %s", dir, out)
	}
	return nil
}

// size holds page and program against their budgets.
func (s *suite) size() error {
	out, err := goIn(".", "run", "./.ci/size")
	if err != nil {
		return errors.New(out)
	}
	s.notes = append(s.notes, strings.TrimSpace(out))
	return nil
}

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action, Package, Test, Output string
}

// testLimit is what the tests of a package may take where nothing else is said.
const testLimit = time.Hour

// test runs go test in a module, each package within the limit once it is
// compiled, prints the output of what failed and the closing lines of the rest,
// and counts tests with their subtests. A skipped test counts as failed: here
// everything is there, or is installed. So does a run without a test.
func (s *suite) test(limit time.Duration, dir string, args ...string) error {
	c := exec.Command("go", append([]string{"test", "-json", "-timeout", limit.String()}, args...)...)
	c.Dir, c.Stderr = dir, os.Stderr
	pipe, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	passed, failed := s.count(pipe)
	if err := c.Wait(); err != nil || failed > 0 {
		return fmt.Errorf("go test in %s: %d failed (%v)", dir, failed, err)
	}
	if passed == 0 {
		return fmt.Errorf("go test in %s: no test ran", dir)
	}
	return nil
}

// count reads what go test -json says and adds it to the suite's numbers.
func (s *suite) count(r io.Reader) (passed, failed int) {
	output := map[string][]string{} // package and test: lines
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // build errors
			continue
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			output[key] = append(output[key], e.Output)
			if m := note.FindString(e.Output); m != "" {
				s.notes = append(s.notes, m)
			}
		case "pass":
			if e.Test != "" {
				passed++
			}
			delete(output, key)
		case "fail", "skip", "build-fail":
			if e.Action == "skip" && e.Test == "" {
				continue // a package without tests
			}
			failed++
			fmt.Printf("-- %s %s\n%s", strings.ToUpper(e.Action), key, strings.Join(output[key], ""))
		}
	}
	s.passed, s.failed = s.passed+passed, s.failed+failed
	return passed, failed
}

// note is what a part says of itself: how much was judged or killed.
var note = regexp.MustCompile(`\d+ (bundles, \d+ chains|runs killed:).*|^e2e: .*`)

var fuzzName = regexp.MustCompile(`(?m)^Fuzz\w+$`)

// fuzzAll runs every fuzz target for a while, one after the other.
func (s *suite) fuzzAll() error {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "./...").Output()
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range strings.Fields(string(out)) {
		list, err := goIn(dir, "test", "-list", "^Fuzz", ".")
		if err != nil {
			return err
		}
		for _, target := range fuzzName.FindAllString(list, -1) {
			s.fuzz++
			text, err := goIn(dir, "test", "-run", "^$", "-fuzz", "^"+target+"$",
				"-fuzztime", s.fuzztime, "-fuzzminimizetime", "1s", ".")
			if err != nil && !deadlineRace(text) {
				errs = append(errs, fmt.Errorf("%s in %s: %w\n%s", target, filepath.Base(dir), err, text))
				s.failed++
			}
		}
	}
	if s.fuzz == 0 {
		errs = append(errs, errors.New("no fuzz target found"))
	}
	return errors.Join(errs...)
}

// deadlineRace tells whether a fuzz run failed for nothing but its own clock:
// before Go 1.27 the end of -fuzztime may itself be reported as a failure
// (golang/go#75804), on a busy machine time after time. An input that fails is
// always written down and named.
func deadlineRace(text string) bool {
	return fuzzDeadline.MatchString(text) && !strings.Contains(text, "Failing input written to")
}

var fuzzDeadline = regexp.MustCompile(`(?m)^--- FAIL: Fuzz\w+ \([\d.]+s\)\n    context deadline exceeded\nFAIL$`)

func goIn(dir string, args ...string) (string, error) {
	c := exec.Command("go", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}
