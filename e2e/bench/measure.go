package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A command is one process under measurement. It runs in a fresh, empty
// directory.
type command struct {
	ID   string
	Text string // as a reader would type it
	argv []string
	// check looks once at what the command made in dir and printed.
	check func(ctx context.Context, dir string, stdout []byte) error
}

// A sample is what one run cost.
type sample struct {
	// CPU is user and system time of the process and of every child it waited
	// for: wait4 reports both together, so a script pays for its openssl.
	CPU  time.Duration
	Wall time.Duration
}

// names of the archives in a command's directory
const (
	serverArchive  = "tls.tar.gz"
	offlineArchive = "tls-offline.tar.gz"
)

// commands lists what is measured, in the order of a round.
func commands(rootkiln, script string) []command {
	strict := contents{
		serviceKey: "RSA PRIVATE KEY", issuer: "ECDSA P-384",
		certificates: 2, serverCertificates: 3,
	}
	strictEC := strict
	strictEC.serviceKey = "EC PRIVATE KEY"
	upstream := contents{
		serviceKey: "RSA PRIVATE KEY", issuer: "RSA 4096",
		certificates: 3, serverCertificates: 3,
	}
	bin := func(id string, check func(context.Context, string, []byte) error, args ...string) command {
		return command{id, "rootkiln " + strings.Join(args, " "), append([]string{rootkiln}, args...), check}
	}
	return []command{
		bin("a", strict.checkArchives,
			"bundle", "--out", serverArchive, "--offline-out", offlineArchive),
		bin("b", upstream.checkArchives,
			"bundle", "--profile", "upstream", "--topology", "shared", "--out", serverArchive, "--offline-out", offlineArchive),
		{"c", "openssl.sh tls", []string{"sh", "-c", script, "openssl.sh", "tls"}, upstream.checkDirectory},
		bin("d", strictEC.checkStream,
			"bundle", "--service-alg", "p256", "--out", "-", "--offline-out", offlineArchive),
		bin("e", checkVersion, "version"),
	}
}

// check runs every command once, unmeasured, and looks at the results.
func check(ctx context.Context, dir string, commands []command) error {
	for _, c := range commands {
		var stdout bytes.Buffer
		_, err := c.run(ctx, dir, &stdout, func(dir string) error {
			return c.check(ctx, dir, stdout.Bytes())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// measure runs all commands in turn, rounds times. The samples of a command
// stand at its index, one per round.
func measure(ctx context.Context, dir string, commands []command, rounds int) ([][]sample, error) {
	samples := make([][]sample, len(commands))
	for range rounds {
		for i, c := range commands {
			s, err := c.run(ctx, dir, io.Discard, nil)
			if err != nil {
				return nil, err
			}
			samples[i] = append(samples[i], s)
		}
	}
	return samples, nil
}

// run runs the command once in a fresh directory below dir, which is removed
// again. Its standard output always goes through a pipe, so that every command
// pays the same for it. Making, inspecting and removing the directory is not
// measured.
func (c command) run(ctx context.Context, dir string, stdout io.Writer, inspect func(dir string) error) (s sample, err error) {
	fresh := filepath.Join(dir, c.ID)
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return s, err
	}
	defer os.RemoveAll(fresh)

	var stderr bytes.Buffer
	p := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	p.Dir, p.Stdout, p.Stderr = fresh, stdout, &stderr
	start := time.Now()
	err = p.Run()
	s.Wall = time.Since(start)
	if err != nil {
		return s, fmt.Errorf("%s (%s): %w\n%s", c.ID, c.Text, err, bytes.TrimSpace(stderr.Bytes()))
	}
	s.CPU = p.ProcessState.UserTime() + p.ProcessState.SystemTime()
	if inspect == nil {
		return s, nil
	}
	if err := inspect(fresh); err != nil {
		return s, fmt.Errorf("%s (%s): wrong output: %w", c.ID, c.Text, err)
	}
	return s, nil
}
