//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
)

// killRuns is how often each program is killed, over both forms.
const killRuns = 200

// victimEnv is set for every process that is to be killed. Its value is the
// server part's name for one that only writes.
const victimEnv = "ROOTKILN_TEST_VICTIM"

func init() {
	server := os.Getenv(victimEnv)
	if server == "" || filepath.Base(os.Args[0]) == "rootkiln" {
		return
	}
	d := delivery{outputs: []*output{newOutput("offline", offlinePart("a")), newOutput(server, serverPart("a"))}}
	if err := errors.Join(d.precheck(), d.commit(context.Background())); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// victim is a program that makes an offline part and then a server part, by
// the names in its working directory.
type victim struct {
	program         string
	args            []string
	offline, server string
	whole           func(path string) error // nil for a part with nothing missing
}

// outcome is where in its work a run was killed.
type outcome int

const (
	killedBefore  outcome = iota // nothing was written yet
	killedWriting                // after the first write, before the last rename
	killedAfter                  // everything is there
)

// TestKillWriter kills the writing alone, without the making of keys. The k3s
// sample script, which writes one file after the other, leaves partial bundles
// when it is interrupted.
func TestKillWriter(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var victims []victim
	for _, server := range []string{"tls.tar.gz", "tls"} {
		victims = append(victims, victim{program: self, offline: "offline", server: server, whole: func(path string) error {
			if filepath.Base(path) == "offline" {
				return intact(path, offlinePart("a"))
			}
			return intact(path, serverPart("a"))
		}})
	}
	killAll(t, victims)
}

// TestKillBundle kills the command that makes a cluster's bundle.
func TestKillBundle(t *testing.T) {
	if os.Getenv(victimEnv) != "" {
		t.Fatal("TestMain does not register the program rootkiln")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "rootkiln")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	var victims []victim
	for _, names := range [][2]string{{"off.tar.gz", "tls.tar.gz"}, {"off", "tls"}} {
		victims = append(victims, victim{
			program: program, offline: names[0], server: names[1],
			args:  []string{"bundle", "--service-alg", "p256", "--out", names[1], "--offline-out", names[0]},
			whole: sameNames(),
		})
	}
	killAll(t, victims)
}

// sameNames holds every part against the first of its name, which was made by
// a run that nobody killed: the same paths, modes and one time, and PEM in
// every certificate and key with nothing cut short.
func sameNames() func(path string) error {
	paths := map[string][]string{}
	return func(path string) error {
		b, err := readPart(path)
		if err != nil {
			return err
		}
		var names []string
		for _, f := range b.Files {
			names = append(names, f.Path)
			err = errors.Join(err, wholePEM(f))
			if f.Mode != f.Kind.Mode() {
				err = errors.Join(err, fmt.Errorf("%s: mode %v", f.Path, f.Mode))
			}
			if !f.Time.Equal(b.Files[0].Time) {
				err = errors.Join(err, fmt.Errorf("%s: changed at %v", f.Path, f.Time))
			}
		}
		base := filepath.Base(path)
		if paths[base] == nil {
			paths[base] = names
		}
		if len(names) == 0 || !slices.Equal(names, paths[base]) {
			err = errors.Join(err, fmt.Errorf("%s holds %v, want %v", base, names, paths[base]))
		}
		return err
	}
}

func readPart(path string) (pki.Bundle, error) {
	if newOutput(path, pki.Bundle{}).form != formTree {
		f, err := os.Open(path)
		if err != nil {
			return pki.Bundle{}, err
		}
		defer f.Close()
		return pki.ReadArchive(f, pki.DefaultLimits)
	}
	var b pki.Bundle
	err := filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(path, p)
		b.Add(rel, pki.KindOf(rel), data)
		f := b.File(rel)
		f.Mode, f.Time = info.Mode(), info.ModTime()
		return err
	})
	return b, err
}

func wholePEM(f pki.File) error {
	if f.Kind == pki.KindPublic {
		return nil
	}
	rest, blocks := f.Data, 0
	for len(bytes.TrimSpace(rest)) > 0 {
		block, after := pem.Decode(rest)
		if block == nil {
			return fmt.Errorf("%s: no PEM after %d blocks", f.Path, blocks)
		}
		if block.Type == "CERTIFICATE" {
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
		}
		rest, blocks = after, blocks+1
	}
	if blocks == 0 {
		return fmt.Errorf("%s: empty", f.Path)
	}
	return nil
}

// killAll kills the victims and fails when a part is there without being whole,
// or when too few kills fell into the time that matters.
func killAll(t *testing.T, victims []victim) {
	for _, v := range victims {
		t.Run(v.server, func(t *testing.T) {
			t.Parallel()
			v.kill(t, killRuns/len(victims))
		})
	}
}

func (v victim) kill(t *testing.T, runs int) {
	var count [killedAfter + 1]int
	offlineAlone, leftBehind := 0, 0
	aim := v.calibrate(t)
	for run := range runs {
		dir := t.TempDir()
		v.killOnce(t, dir, aim, run%2 == 0)
		got, left, err := v.inspect(dir)
		if err != nil {
			t.Errorf("run %d: %v", run, err)
		}
		if run%2 == 0 {
			aim.adjust(got)
		}
		count[got]++
		if got == killedWriting && present(filepath.Join(dir, v.offline)) {
			offlineAlone++
		}
		if left {
			leftBehind++
		}
		os.RemoveAll(dir)
	}
	share := 100 * count[killedWriting] / runs
	t.Logf("%d runs killed: %d before the first write, %d (%d %%) between it and the last rename, %d of these with the offline part alone, %d after it; %d left a staging directory",
		runs, count[killedBefore], count[killedWriting], share, offlineAlone, count[killedAfter], leftBehind)
	if share < 30 {
		t.Errorf("%d %% of the kills fell into the writing, want 30 %% or more: the test is worth nothing", share)
	}
}

func (v victim) start(t *testing.T, dir string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(v.program, v.args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), victimEnv+"="+v.server)
	stderr := new(bytes.Buffer)
	cmd.Stderr = stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stderr
}

// killOnce kills a run at a random moment around its writing. Counted from the
// start, that misses on a busy machine more often than not; so every other time
// is counted from the first write that was seen.
func (v victim) killOnce(t *testing.T, dir string, a aim, fromStart bool) {
	t.Helper()
	cmd, stderr := v.start(t, dir)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	delay := a.from + rand.N(a.width)
	if !fromStart {
		delay = rand.N(a.width)
		for len(done) == 0 && !writing(dir) {
			time.Sleep(time.Millisecond / 4)
		}
	}
	time.Sleep(delay)
	cmd.Process.Kill()
	if err := <-done; err != nil && cmd.ProcessState.Exited() {
		t.Fatalf("%s failed by itself: %v\n%s", v.program, err, stderr)
	}
}

// inspect says what a killed run left.
func (v victim) inspect(dir string) (_ outcome, left bool, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, false, err
	}
	got := killedBefore
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch name := e.Name(); {
		case name == v.offline || name == v.server:
			if cut := v.whole(path); cut != nil {
				err = errors.Join(err, fmt.Errorf("partial: %w", cut))
			}
			got = max(got, killedWriting)
			if name == v.server {
				got = killedAfter
			}
		case strings.HasPrefix(name, stagingPrefix):
			left = true
			if started(path) {
				got = max(got, killedWriting)
			}
			err = errors.Join(err, private(path))
		default:
			err = errors.Join(err, fmt.Errorf("%s was left behind", name))
		}
	}
	if got == killedAfter && !present(filepath.Join(dir, v.offline)) {
		err = errors.Join(err, errors.New("the server part appeared before the offline part"))
	}
	return got, left, err
}

// started tells a directory in which something was written from the one that
// precheck makes.
func started(staging string) bool {
	entries, err := os.ReadDir(staging)
	return err == nil && len(entries) > 0
}

func present(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// private holds that nobody else can enter what a killed run left.
func private(dir string) error {
	info, err := os.Lstat(dir)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s was left behind with mode %v", dir, info.Mode())
	}
	return err
}

// aim says when a program writes, counted from its start. That moves with the
// load of the machine, and the aim with it.
type aim struct{ from, width time.Duration }

func (a *aim) adjust(got outcome) {
	switch got {
	case killedBefore:
		a.from += a.width / 10
	case killedAfter:
		a.from = max(0, a.from-a.width/10)
	}
}

// calibrate watches a few runs that nobody kills, which also show that the
// program works.
func (v victim) calibrate(t *testing.T) aim {
	t.Helper()
	var first, took []time.Duration
	for range 5 {
		dir := t.TempDir()
		begin := time.Now()
		cmd, stderr := v.start(t, dir)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		for len(done) == 0 && !writing(dir) {
			time.Sleep(time.Millisecond / 4)
		}
		from := time.Since(begin)
		for len(done) == 0 && !present(filepath.Join(dir, v.server)) {
			time.Sleep(time.Millisecond / 4)
		}
		first, took = append(first, from), append(took, time.Since(begin)-from)
		if err := <-done; err != nil {
			t.Fatalf("%s %v: %v\n%s", v.program, v.args, err, stderr)
		}
		if got, left, err := v.inspect(dir); err != nil || got != killedAfter || left {
			t.Fatalf("a run that was not killed: outcome %d, staging left %v, %v", got, left, err)
		}
	}
	return aim{from: median(first), width: max(median(took), 2*time.Millisecond)}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// writing reports whether a run has begun to write.
func writing(dir string) bool {
	dirs, _ := filepath.Glob(filepath.Join(dir, stagingPrefix+"*"))
	return slices.ContainsFunc(dirs, started)
}
