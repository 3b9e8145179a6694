package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// pageLimit is three times what the stories take on two cores.
const pageLimit = 20 * time.Minute

// page judges what is there only once the page is built, and the types of its
// scripts, which the build passes over; then it is told its stories in browsers.
func (s *suite) page() error {
	return errors.Join(
		inDir("site", "node_modules/.bin/tsc"),
		inDir("site/build", "go", "run", "."),
		inDir(".", "go", "vet", "-tags", "site", "./cmd/gen", "./site"),
		inDir(".", "go", "run", staticcheck, "-tags", "site", "./cmd/gen", "./site"),
		s.test(testLimit, ".", "-tags", "site", "-run", "Serve|TestScript/^serve$", "./cmd/gen"),
		s.stories())
}

// stories runs the tests of site/test on the page that was built just now and on
// a program that carries it. Two files at a time: most of a story is waiting.
func (s *suite) stories() error {
	dir, err := os.MkdirTemp("", "rootkiln-stories-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "rootkiln")
	if err := inDirWith(".", []string{"CGO_ENABLED=0"}, "go", "build", "-tags", "site", "-o", program, "./cmd/gen"); err != nil {
		return err
	}
	files, err := filepath.Glob("site/test/*.test.mjs")
	if err != nil {
		return err
	}
	args := []string{"--test", "--test-reporter=tap", "--test-concurrency=2"}
	for _, f := range files {
		args = append(args, "test/"+filepath.Base(f))
	}
	ctx, cancel := context.WithTimeout(context.Background(), pageLimit)
	defer cancel()
	c := exec.CommandContext(ctx, "node", args...)
	// An interrupt lets each file end its browsers; a kill would leave them.
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = time.Minute
	c.Dir, c.Env, c.Stderr = "site", append(os.Environ(), "ROOTKILN="+program, "GROUND=", "PAGE="), os.Stderr
	pipe, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := c.Start(); err != nil {
		return err
	}
	passed, failed := s.countTAP(pipe)
	if err := c.Wait(); err != nil || failed > 0 {
		return fmt.Errorf("stories of the page: %d failed (%w)", failed, errors.Join(err, ctx.Err()))
	}
	if passed == 0 {
		return errors.New("stories of the page: none ran")
	}
	s.notes = append(s.notes, fmt.Sprintf("page: %d stories in Chromium and Firefox, hosted and as a file, in %s", passed, time.Since(start).Round(time.Second)))
	return nil
}

// tapLine is a result of TAP 13: "not ok 3 - name # SKIP why".
var tapLine = regexp.MustCompile(`^(not )?ok \d+ - (.*?)( # (?:SKIP|TODO).*)?$`)

// countTAP reads what node's test runner says and adds it to the suite's numbers.
// What stands below a test that failed is printed; one that was skipped has failed,
// and so has a file without a test, which stands there by its own name.
func (s *suite) countTAP(r io.Reader) (passed, failed int) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<22)
	tell := false
	for lines.Scan() {
		line := lines.Text()
		if m := tapLine.FindStringSubmatch(line); m != nil {
			tell = m[1] != "" || m[3] != "" || filepath.IsAbs(m[2])
			if tell {
				failed++
			} else {
				passed++
			}
		} else if strings.HasPrefix(line, "# Subtest: ") || strings.HasPrefix(line, "1..") {
			tell = false
		}
		if tell {
			fmt.Println(strings.ReplaceAll(line, `\\n`, "\n"))
		}
	}
	s.passed, s.failed = s.passed+passed, s.failed+failed
	return passed, failed
}
