package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The real software that bundles are run on, built once from its Go modules.

// program is a server or a tool of the suite.
type program struct {
	name    string
	module  string // that it comes from, and whose version it has
	pkg     string
	tags    string
	ldflags string   // {version}, {major} and {minor} are the module's
	aliases []string // links beside it
}

// forge is a module that programs are built from.
type forge struct {
	dir      string
	env      []string
	tests    []string // packages that vet looks at
	light    []string // those of them that link little: staticcheck works through all that a package imports
	programs []program
}

// kubeLDFlags sets the version variables that Kubernetes's programs read of
// themselves; its own build sets them in the same way (hack/lib/version.sh).
const kubeLDFlags = "-s -w -X k8s.io/component-base/version.gitVersion={version}" +
	" -X k8s.io/component-base/version.gitMajor={major} -X k8s.io/component-base/version.gitMinor={minor}" +
	" -X k8s.io/component-base/version.gitTreeState=clean"

var (
	// k3s needs cgo for sqlite. The tags are those of its own build
	// (scripts/build) as far as they choose features; netcgo and osusergo would
	// only compile the standard library again.
	k3sForge = forge{dir: "e2e", env: []string{"CGO_ENABLED=1"}, tests: []string{".", "./middle", "./whole"}, light: []string{"./middle", "./whole"}, programs: []program{
		{name: "k3s", module: "github.com/k3s-io/k3s", pkg: "./k3s", tags: "providerless no_stage urfave_cli_no_docs", aliases: []string{"kubectl"}},
		{name: "supervisor", module: "github.com/k3s-io/k3s", pkg: "./supervisor", tags: "no_embedded_executor no_stage"},
	}}
	upstreamForge = forge{dir: "e2e/upstream", env: []string{"CGO_ENABLED=0"}, tests: []string{"."}, light: []string{"."}, programs: []program{
		{name: "etcd", module: "go.etcd.io/etcd/server/v3", pkg: "./etcd", ldflags: "-s -w"},
		kubernetes("kube-apiserver"), kubernetes("kube-controller-manager"), kubernetes("kubeadm"),
	}}
)

func kubernetes(name string) program {
	const module = "k8s.io/kubernetes"
	return program{name: name, module: module, pkg: module + "/cmd/" + name, ldflags: kubeLDFlags}
}

// args are those of go build for the program of that version.
func (p program) args(version string) []string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	args := []string{"build", "-trimpath", "-buildvcs=false"}
	if p.tags != "" {
		args = append(args, "-tags", p.tags)
	}
	if p.ldflags != "" {
		args = append(args, "-ldflags", strings.NewReplacer("{version}", version, "{major}", major, "{minor}", minor).Replace(p.ldflags))
	}
	return args
}

// version is what the forge's go.mod selects of a module.
func (f forge) version(module string) (string, error) {
	out, err := goIn(f.dir, "list", "-m", "-f", "{{.Version}}", module)
	version := strings.TrimSpace(out)
	if err != nil || !strings.HasPrefix(version, "v") {
		return "", fmt.Errorf("version of %s in %s: %q (%v)", module, f.dir, version, err)
	}
	return version, nil
}

// build makes the programs that the cache does not hold, and returns the folder
// they are in.
func (f forge) build() (folder, error) {
	key, err := f.key()
	if err != nil {
		return folder{}, err
	}
	cache, err := cacheDir()
	if err != nil {
		return folder{}, err
	}
	return filled(filepath.Join(cache, filepath.Base(f.dir)+"-"+key), f.missing, func(dir, scratch string) error {
		for _, p := range f.programs {
			if err := f.buildOne(p, dir, scratch); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f forge) missing(dir string) bool {
	for _, p := range f.programs {
		if !p.in(dir) {
			return true
		}
	}
	return false
}

func (p program) in(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, p.name))
	return err == nil
}

// buildLimit is far more than a cold build of k3s takes, which is twelve minutes
// of two cores.
const buildLimit = time.Hour

func (f forge) buildOne(p program, dir, scratch string) error {
	if p.in(dir) {
		return nil
	}
	version, err := f.version(p.module)
	if err != nil {
		return err
	}
	start := time.Now()
	fmt.Printf("building %s of %s %s\n", p.name, p.module, version)
	done := make(chan struct{})
	defer close(done)
	go tell(done, p.name, start)
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	c := exec.CommandContext(ctx, "go", append(p.args(version), "-o", filepath.Join(scratch, p.name), p.pkg)...)
	c.Dir, c.Env, c.WaitDelay = f.dir, append(os.Environ(), f.env...), time.Minute
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", p.name, errors.Join(err, ctx.Err()), out)
	}
	for _, alias := range p.aliases {
		if err := os.Symlink(p.name, filepath.Join(dir, alias)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	fmt.Printf("built %s in %s\n", p.name, time.Since(start).Round(time.Second))
	return os.Rename(filepath.Join(scratch, p.name), filepath.Join(dir, p.name))
}

// tell says every minute that a build goes on: a cold one of k3s takes ten.
func tell(done <-chan struct{}, name string, start time.Time) {
	for tick := time.Tick(time.Minute); ; {
		select {
		case <-done:
			return
		case <-tick:
			fmt.Printf("building %s: %s\n", name, time.Since(start).Round(time.Second))
		}
	}
}

// buildVariables are the settings of go that change what comes out.
var buildVariables = []string{
	"GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM", "GOARM64", "GORISCV64", "GOFLAGS", "GOEXPERIMENT", "GODEBUG", "GOFIPS140",
	"CC", "CGO_ENABLED", "CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_LDFLAGS",
}

const keyLength = 12

// key is the same as long as the same programs would come out: the toolchain
// with its settings, the module's versions, our own few sources and the flags.
func (f forge) key() (string, error) {
	h := sha256.New()
	c := exec.Command("go", append([]string{"env", "-json"}, buildVariables...)...)
	c.Dir, c.Env, c.Stderr = f.dir, append(os.Environ(), f.env...), os.Stderr
	settings, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	fmt.Fprintf(h, "%s\n", settings)
	files := []string{"go.mod", "go.sum"}
	for _, p := range f.programs {
		version, err := f.version(p.module)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%q %q\n", p, p.args(version))
		if strings.HasPrefix(p.pkg, "./") {
			sources, err := filepath.Glob(filepath.Join(f.dir, p.pkg, "*.go"))
			if err != nil {
				return "", err
			}
			for _, source := range sources {
				files = append(files, filepath.Join(p.pkg, filepath.Base(source)))
			}
		}
	}
	for _, name := range files {
		if err := hashFile(h, f.dir, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:keyLength], nil
}

func hashFile(h io.Writer, dir, name string) error {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%s %d\n%s", filepath.ToSlash(name), len(data), data)
	return err
}
