package main

import (
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
	pkg     string
	args    []string // of go build
	aliases []string // links beside it
}

// forge is a module that programs are built from.
type forge struct {
	dir      string
	env      []string
	programs []program
}

// version variables that Kubernetes's programs read of themselves; its own
// build sets them in the same way (hack/lib/version.sh).
const (
	kubernetes   = "1.36.3"
	kubeVersion  = "k8s.io/component-base/version."
	kubeLinkArgs = "-s -w -X " + kubeVersion + "gitVersion=v" + kubernetes +
		" -X " + kubeVersion + "gitMajor=1 -X " + kubeVersion + "gitMinor=36" +
		" -X " + kubeVersion + "gitTreeState=clean"
)

var (
	// k3s needs cgo for sqlite. The tags are those of its own build
	// (scripts/build) as far as they choose features; netcgo and osusergo would
	// only compile the standard library again.
	k3sForge = forge{dir: "e2e", env: []string{"CGO_ENABLED=1"}, programs: []program{
		{name: "k3s", pkg: "./k3s", args: []string{"-tags", "providerless no_stage urfave_cli_no_docs"}, aliases: []string{"kubectl"}},
		{name: "supervisor", pkg: "./supervisor", args: []string{"-tags", "no_embedded_executor no_stage"}},
	}}
	upstreamForge = forge{dir: "e2e/upstream", env: []string{"CGO_ENABLED=0"}, programs: []program{
		{name: "etcd", pkg: "./etcd", args: []string{"-ldflags", "-s -w"}},
		{name: "kube-apiserver", pkg: "k8s.io/kubernetes/cmd/kube-apiserver", args: []string{"-ldflags", kubeLinkArgs}},
		{name: "kube-controller-manager", pkg: "k8s.io/kubernetes/cmd/kube-controller-manager", args: []string{"-ldflags", kubeLinkArgs}},
		{name: "kubeadm", pkg: "k8s.io/kubernetes/cmd/kubeadm", args: []string{"-ldflags", kubeLinkArgs}},
	}}
)

// realStages run the bundles on real software: the short round in every run of
// CI, and all of it.
func realStages(all bool) []stage {
	layers := []stage{
		{"fast", layer("e2e", ".")},
		{"middle", layer("e2e", "./middle", k3sForge)},
		{"whole", layer("e2e", "./whole", k3sForge)},
	}
	if all {
		layers = append(layers, stage{"upstream", layer("e2e/upstream", ".", k3sForge, upstreamForge)})
	}
	return layers
}

// layer runs the tests of a package on the programs of the forges.
func layer(dir, pkg string, forges ...forge) func(*suite) error {
	return func(s *suite) error {
		var folders []string
		for _, f := range forges {
			folder, err := f.build()
			if err != nil {
				return err
			}
			folders = append(folders, folder)
		}
		if err := os.Setenv("ROOTKILN_E2E_BIN", strings.Join(folders, string(os.PathListSeparator))); err != nil {
			return err
		}
		return errors.Join(inDir(dir, "go", "vet", pkg), s.test(dir, "-count=1", pkg))
	}
}

// build makes the programs that the cache does not hold, and returns the folder
// they are in.
func (f forge) build() (string, error) {
	key, err := f.key()
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	kind := filepath.Base(f.dir)
	bin := filepath.Join(cache, kind+"-"+key)
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	for _, p := range f.programs {
		if err := f.buildOne(p, bin); err != nil {
			return "", err
		}
	}
	others, err := filepath.Glob(filepath.Join(cache, kind+"-"+strings.Repeat("[0-9a-f]", keyLength)))
	if err != nil {
		return "", err
	}
	for _, other := range others {
		if other != bin {
			os.RemoveAll(other) // of other versions
		}
	}
	return bin, nil
}

func (f forge) buildOne(p program, bin string) error {
	path := filepath.Join(bin, p.name)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	start := time.Now()
	fmt.Printf("building %s\n", p.name)
	done := make(chan struct{})
	defer close(done)
	go tell(done, p.name, start)
	c := exec.Command("go", append(append([]string{"build", "-trimpath"}, p.args...), "-o", path+".part", p.pkg)...)
	c.Dir, c.Env = f.dir, append(os.Environ(), f.env...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", p.name, err, out)
	}
	for _, alias := range p.aliases {
		if err := os.Symlink(p.name, filepath.Join(bin, alias)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	fmt.Printf("built %s in %s\n", p.name, time.Since(start).Round(time.Second))
	return os.Rename(path+".part", path)
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

const keyLength = 12

// key is the same as long as the same programs would come out: the toolchain,
// the module's versions, our own few sources and the flags.
func (f forge) key() (string, error) {
	h := sha256.New()
	version, err := goIn(f.dir, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", errors.New(version)
	}
	fmt.Fprintln(h, version, f.env)
	files := []string{filepath.Join(f.dir, "go.mod"), filepath.Join(f.dir, "go.sum")}
	for _, p := range f.programs {
		fmt.Fprintln(h, p)
		if strings.HasPrefix(p.pkg, "./") {
			sources, err := filepath.Glob(filepath.Join(f.dir, p.pkg, "*.go"))
			if err != nil {
				return "", err
			}
			files = append(files, sources...)
		}
	}
	for _, name := range files {
		if err := hashFile(h, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:keyLength], nil
}

func hashFile(h io.Writer, name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h, "%s %d\n%s", filepath.ToSlash(name), len(data), data)
	return err
}

// cacheDir holds what is built, outside the checkout: E2E_CACHE, or a folder
// below the user's cache.
func cacheDir() (string, error) {
	if dir := os.Getenv("E2E_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "rootkiln", "e2e"), err
}
