package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A program that comes out otherwise needs another key, or the tests run on an
// old one.
func TestKey(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "server/main.go"), "package main\n\nfunc main() {}\n")
	requiring := func(version string) string {
		return "module example\n\ngo 1.22\n\nrequire example.org/m " + version + "\n\nreplace example.org/m => ./m\n"
	}
	write(t, filepath.Join(dir, "go.mod"), requiring("v1.2.3"))
	write(t, filepath.Join(dir, "m/go.mod"), "module example.org/m\n")
	write(t, filepath.Join(dir, "go.sum"), "")
	f := forge{dir: dir, programs: []program{{name: "server", module: "example.org/m", pkg: "./server"}}}
	key := func(f forge) string {
		t.Helper()
		key, err := f.key()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := key(f)
	if again := key(f); again != first || len(first) != keyLength {
		t.Fatalf("key %s, then %s", first, again)
	}
	for name, value := range map[string]string{
		"GOFLAGS": "-tags=another", "GOEXPERIMENT": "noregabiwrappers", "GODEBUG": "madvdontneed=1",
		"CC": "clang", "CGO_CFLAGS": "-O3", "CGO_LDFLAGS": "-static",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if key(f) == first {
				t.Errorf("with %s=%s the same", name, value)
			}
		})
	}
	other := f
	other.env = []string{"CGO_ENABLED=0"}
	if key(other) == first {
		t.Error("without cgo the same")
	}
	other = f
	other.programs = []program{{name: "server", module: "example.org/m", pkg: "./server", ldflags: "-s"}}
	if key(other) == first {
		t.Error("with another flag of the linker the same")
	}
	for file, text := range map[string]string{
		"go.sum": "\n", "go.mod": requiring("v1.2.4"), "server/other.go": "package main\n",
	} {
		before := key(f)
		write(t, filepath.Join(dir, file), text)
		if key(f) == before {
			t.Errorf("with another %s the same", file)
		}
	}
}

// Kubernetes's own version is in what it answers, so it must not be written by
// hand.
func TestArgs(t *testing.T) {
	args := strings.Join(kubernetes("kubeadm").args("v1.36.3"), " ")
	for _, want := range []string{" -buildvcs=false ", "version.gitVersion=v1.36.3 ", "version.gitMajor=1 ", "version.gitMinor=36 "} {
		if !strings.Contains(args, want) {
			t.Errorf("no %q in %s", want, args)
		}
	}
	if strings.ContainsAny(args, "{}") {
		t.Errorf("not filled in: %s", args)
	}
}

// One run must not take the programs away from another, nor build what it does.
func TestCache(t *testing.T) {
	cache := t.TempDir()
	path := func(key string) string { return filepath.Join(cache, "e2e-"+strings.Repeat(key, keyLength)) }
	builds := 0
	missing := func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "k3s"))
		return err != nil
	}
	get := func(key string, fail error) (folder, error) {
		return filled(path(key), missing, func(dir, scratch string) error {
			builds++
			write(t, filepath.Join(scratch, "k3s"), key)
			if fail != nil {
				return fail
			}
			return os.Rename(filepath.Join(scratch, "k3s"), filepath.Join(dir, "k3s"))
		})
	}
	broken := errors.New("does not compile")
	if _, err := get("a", broken); !errors.Is(err, broken) {
		t.Fatalf("a build that failed: %v", err)
	}
	held, err := get("a", nil)
	if err != nil || builds != 2 || missing(held.path) {
		t.Fatalf("%v after %d builds", err, builds)
	}
	if entries, err := os.ReadDir(held.path); err != nil || len(entries) != 1 {
		t.Errorf("a build left %v (%v)", entries, err)
	}
	second, err := get("a", nil) // a second run beside it
	if err != nil || builds != 2 {
		t.Fatalf("%v after %d builds", err, builds)
	}
	if err := flock(reopen(t, held), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("somebody could build where two runs are: %v", err)
	}

	// Nobody has these; the one is of last month.
	for key, age := range map[string]time.Duration{"b": 30 * 24 * time.Hour, "c": time.Hour, "a": 30 * 24 * time.Hour} {
		write(t, filepath.Join(path(key), "k3s"), key)
		then := time.Now().Add(-age)
		if err := os.Chtimes(path(key), then, then); err != nil {
			t.Fatal(err)
		}
	}
	third, err := get("d", nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, gone := range map[string]bool{"a": false, "b": true, "c": false, "d": false} {
		if missing(path(key)) != gone {
			t.Errorf("folder %s is missing: %t, want %t", key, !gone, gone)
		}
	}
	for _, f := range []folder{held, second, third} {
		f.unlock()
	}

	// "a" is as old as "b" was, until it is asked for.
	for _, key := range []string{"a", "e"} {
		if f, err := get(key, nil); err != nil {
			t.Error(err)
		} else {
			f.unlock()
		}
	}
	if missing(path("a")) {
		t.Error("what had just been asked for was removed")
	}
	if err := flock(reopen(t, held), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Errorf("after the runs nobody can build: %v", err)
	}
}

// reopen is another run's view of the lock.
func reopen(t *testing.T, f folder) *os.File {
	t.Helper()
	other, err := openFolder(f.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.unlock)
	return other.lock
}

// A layer whose tests are all behind a build tag, or misnamed, must not look
// like one that passed.
func TestNoTestRan(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example\n\ngo 1.22\n")
	write(t, filepath.Join(dir, "a_test.go"), "package example\n")
	s := &suite{}
	if err := s.test(time.Minute, dir, "."); err == nil || !strings.Contains(err.Error(), "no test ran") {
		t.Errorf("no tests: %v", err)
	}
	write(t, filepath.Join(dir, "a_test.go"), "package example\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n")
	if err := s.test(time.Minute, dir, "."); err != nil || s.passed != 1 {
		t.Errorf("one test: %v, %d passed", err, s.passed)
	}
}

// What the READMEs say the bundles were proved with is what go.mod selects.
func TestReadmeVersions(t *testing.T) {
	for _, module := range []struct {
		file, path string
		trim       string // the products' names leave it out
	}{
		{"../../e2e/go.mod", "github.com/k3s-io/k3s", ""},
		{"../../e2e/upstream/go.mod", "k8s.io/kubernetes", "v"},
		{"../../e2e/upstream/go.mod", "go.etcd.io/etcd/server/v3", "v"},
	} {
		text, err := os.ReadFile(module.file)
		if err != nil {
			t.Fatal(err)
		}
		required := regexp.MustCompile(`(?m)^(?:require |\t)` + regexp.QuoteMeta(module.path) + ` (v\S+)`).FindSubmatch(text)
		if required == nil {
			t.Fatalf("%s does not require %s", module.file, module.path)
		}
		version := string(required[1])
		for _, readme := range []string{"README.md", "README.zh-CN.md"} {
			text, err := os.ReadFile(filepath.Join("../..", readme))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), strings.TrimPrefix(version, module.trim)) {
				t.Errorf("%s does not name %s %s", readme, module.path, version)
			}
		}
	}
}
