package main

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// shared is the directory of what several tests read.
var shared string

func TestMain(m *testing.M) {
	var err error
	shared, err = os.MkdirTemp("", "bench-test-")
	must(err)
	code := m.Run()
	os.RemoveAll(shared)
	os.Exit(code)
}

// A shell's own CPU time is next to nothing here; its child counts to 300000.
func TestCPUIncludesChildren(t *testing.T) {
	const count = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"
	c := command{ID: "x", argv: []string{"sh", "-c", "sh -c '" + count + "'; exit 0"}}
	s, err := c.run(t.Context(), t.TempDir(), io.Discard, nil)
	must(err)
	if s.CPU < 20*time.Millisecond || s.Wall < s.CPU/2 {
		t.Errorf("CPU %v, wall %v: the child is missing", s.CPU, s.Wall)
	}
}

func TestMeasure(t *testing.T) {
	commands := fake(t, func(map[string][]byte) {})
	dir := t.TempDir()
	if err := check(t.Context(), dir, commands); err != nil {
		t.Fatal(err)
	}
	samples, err := measure(t.Context(), dir, commands, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range samples {
		if len(s) != 3 || s[0].CPU <= 0 || s[0].Wall <= 0 {
			t.Errorf("%s: samples %v", commands[i].ID, s)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWrongOutputFails(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(map[string][]byte)
		want string
	}{
		"a file too few":  {func(f map[string][]byte) { delete(f, "tls/etcd/peer-ca.key") }, "server archive holds"},
		"a file too many": {func(f map[string][]byte) { f["tls/root-ca.key"] = []byte("key") }, "server archive holds"},
		"another key":     {func(f map[string][]byte) { f["tls/client-ca.key"] = f["tls/server-ca.key"] }, "tls/client-ca"},
		"a short chain":   {func(f map[string][]byte) { f["tls/server-ca.crt"] = withoutLast(f["tls/server-ca.crt"]) }, "holds 2 certificates, want 3"},
		"a larger leaf key": {func(f map[string][]byte) {
			put(f, "client", issue("client", elliptic.P384(), issue("root", elliptic.P384(), nil)))
		}, "has a key ECDSA P-384"},
		"a smaller issuer key": {func(f map[string][]byte) {
			put(f, "client", issue("client", elliptic.P256(), issue("root", elliptic.P256(), nil)))
		}, "has an issuer with ECDSA P-256"},
		"a stranger as issuer": {func(f map[string][]byte) {
			leaf := issue("client", elliptic.P256(), nil)
			leaf.chain = append(leaf.chain, issue("root", elliptic.P384(), nil).chain...)
			put(f, "client", leaf)
		}, "tls/client-ca.crt: x509"},
		"another service key": {func(f map[string][]byte) { f["tls/service.key"] = f["tls/server-ca.key"] }, "service.key is no RSA PRIVATE KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			err := check(t.Context(), t.TempDir(), fake(t, c.edit))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestFailingCommandFails(t *testing.T) {
	c := command{ID: "x", Text: "rootkiln bundle", argv: []string{"sh", "-c", "echo no such plan >&2; exit 3"}}
	_, err := measure(t.Context(), t.TempDir(), []command{c}, 2)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no such plan") {
		t.Errorf("error %v, want exit status and message", err)
	}
}

func TestReport(t *testing.T) {
	times := map[string]time.Duration{"a": 50, "b": 900, "c": 1000, "d": 9, "e": 2}
	commands := commands("rootkiln", script)
	var samples [][]sample
	for _, c := range commands {
		s := sample{times[c.ID] * time.Millisecond, times[c.ID] * time.Millisecond}
		samples = append(samples, []sample{s, s, s})
	}
	commands[0].Text = "rootkiln bundle"
	r := newReport(commands, samples)
	// One round in three is at 1/40: a/c is 1/20 with an interval down to 1/40.
	samples[0][1].CPU /= 2
	noisy := newReport(commands, samples).Ratios[0]
	if noisy.Met || noisy.Clear || noisy.verdict() != "not met, but the interval holds the target" {
		t.Errorf("noisy ratio %+v: %s", noisy, noisy.verdict())
	}

	var table bytes.Buffer
	must(r.writeTable(&table))
	for _, want := range []string{
		"a       50.0     50.0     50.0       50.0     50.0     50.0   rootkiln bundle\n",
		"a/c CPU     1/20.0   1/20.0 … 1/20.0     ≤ 1/25.0  not met\n",
		"b/c CPU      1/1.1   1/1.1 … 1/1.1       ≤ 1/2.0   not met\n",
		"d/e wall      4.50   4.50 … 4.50         ≤ 3.00    not met\n",
	} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, table.String())
		}
	}

	var out bytes.Buffer
	must(r.writeJSON(&out))
	var back report
	must(json.Unmarshal(out.Bytes(), &back))
	if len(back.Commands) != 5 || len(back.Commands[2].CPU.Rounds) != 3 || back.Ratios[0].Ratio != 0.05 {
		t.Errorf("JSON lost something:\n%s", out.String())
	}
}

func TestParse(t *testing.T) {
	for args, want := range map[string]string{
		"-rootkiln x":            "",
		"-rootkiln x -rounds 30": "",
		"":                       "-rootkiln is required",
		"-rootkiln x -rounds 19": "the least is 20",
		"-rootkiln x more":       "unexpected argument",
		"-wrong":                 "not defined: -wrong",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q): error %v, want %q", args, err, want)
		}
	}
}

// Interrupting leaves no keys behind.
func TestRunRemovesItsDirectory(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, options{rootkiln: "sh", rounds: fewestRounds, dir: dir}, io.Discard, io.Discard); err == nil {
		t.Error("an interrupted run succeeds")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
