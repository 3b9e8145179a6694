package lint

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// slots bounds the processes that run at one time.
var slots = make(chan struct{}, runtime.NumCPU())

// run answers what a command writes to standard output and standard error.
func run(ctx context.Context, stdin string, command []string) (string, error) {
	slots <- struct{}{}
	defer func() { <-slots }()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// verifyGo trusts the self-signed root alone: crypto/x509 would end a path at
// any certificate of its root pool.
func verifyGo(_ context.Context, chains []Chain) ([]Verdict, error) {
	verdicts := make([]Verdict, 0, len(chains))
	for _, chain := range chains {
		root, err := readCertificates(chain.root())
		if err != nil {
			return nil, err
		}
		certificates, err := readCertificates(chain.chain())
		if err != nil {
			return nil, err
		}
		options := x509.VerifyOptions{
			Roots:         x509.NewCertPool(),
			Intermediates: x509.NewCertPool(),
			DNSName:       chain.Hostname,
			KeyUsages:     []x509.ExtKeyUsage{extKeyUsages[chain.Purpose]},
		}
		options.Roots.AddCert(root[0])
		for _, ca := range certificates[1:] {
			options.Intermediates.AddCert(ca)
		}
		if _, err := certificates[0].Verify(options); err != nil {
			verdicts = append(verdicts, Verdict{Reason: err.Error()})
			continue
		}
		verdicts = append(verdicts, Verdict{Accepts: true})
	}
	return verdicts, nil
}

func readCertificates(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var certificates []*x509.Certificate
	for len(rest) > 0 {
		block, after := pem.Decode(rest)
		if block == nil {
			return nil, fmt.Errorf("%s: not PEM", file)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		certificates, rest = append(certificates, certificate), after
	}
	return certificates, nil
}

func opensslVerify(c Chain) []string {
	command := []string{"openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore",
		"-purpose", "ssl" + string(c.Purpose), "-CAfile", c.root(), "-untrusted", c.chain()}
	if c.Hostname != "" {
		command = append(command, "-verify_hostname", c.Hostname)
	}
	return append(command, c.chain()) // of which it takes the first block
}

// certtoolVerify asks for the profile that GnuTLS announces as its next default.
func certtoolVerify(c Chain) []string {
	purposes := map[Purpose]string{Server: "1.3.6.1.5.5.7.3.1", Client: "1.3.6.1.5.5.7.3.2"}
	command := []string{"certtool", "--verify", "--verify-profile", "medium",
		"--verify-purpose", purposes[c.Purpose], "--load-ca-certificate", c.root(), "--infile", c.chain()}
	if c.Hostname != "" {
		command = append(command, "--verify-hostname", c.Hostname)
	}
	return command
}

// vfychain asks libpkix (-pp), and without a database: in one, two certificates
// of the same issuer and serial could not live together.
func vfychain(c Chain) []string {
	usages := map[Purpose]string{Client: "0", Server: "1"}
	command := []string{"vfychain", "-pp", "-u", usages[c.Purpose], "-a", c.chain()} // of which it takes the first block
	for i := range c.CAs {
		command = append(command, "-a", c.ca(i))
	}
	return append(command, "-t", "-a", c.root())
}

// oneByOne starts a process for each chain. Exit codes alone do not tell a
// rejection from a mistake in our command line, so the words count too.
func oneByOne(command func(Chain) []string, accepts, rejects string) func(context.Context, []Chain) ([]Verdict, error) {
	ask := func(ctx context.Context, chain Chain) (Verdict, error) {
		out, err := run(ctx, "", command(chain))
		var exit *exec.ExitError
		switch {
		case err == nil && strings.Contains(out, accepts):
			return Verdict{Accepts: true}, nil
		case errors.As(err, &exit) && strings.Contains(out, rejects):
			return Verdict{Reason: strings.Join(strings.Fields(out), " ")}, nil
		}
		return Verdict{}, fmt.Errorf("%s: unexpected answer (%v): %s", chain.Name, err, out)
	}
	return func(ctx context.Context, chains []Chain) ([]Verdict, error) {
		verdicts := make([]Verdict, len(chains))
		errs := make([]error, len(chains))
		var wg sync.WaitGroup
		for i, chain := range chains {
			wg.Go(func() { verdicts[i], errs[i] = ask(ctx, chain) })
		}
		wg.Wait()
		return verdicts, errors.Join(errs...)
	}
}

// inBatch starts one process for all chains: a line each on its standard input
// and output, as the sources in drivers say.
func inBatch(driver func(context.Context) ([]string, error)) func(context.Context, []Chain) ([]Verdict, error) {
	return func(ctx context.Context, chains []Chain) ([]Verdict, error) {
		command, err := driver(ctx)
		if err != nil {
			return nil, err
		}
		var requests bytes.Buffer
		for _, chain := range chains {
			fmt.Fprintf(&requests, "%s\t%s\t%s\n", chain.Dir, chain.Hostname, chain.Purpose)
		}
		out, err := run(ctx, requests.String(), command)
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		var verdicts []Verdict
		for line := range strings.Lines(out) {
			verdict, reason, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			if verdict != "accept" && verdict != "reject" {
				return nil, fmt.Errorf("unexpected answer: %s", line)
			}
			verdicts = append(verdicts, Verdict{Accepts: verdict == "accept", Reason: reason})
		}
		return verdicts, nil
	}
}

func pkixDriver(context.Context) ([]string, error) {
	return []string{"java", "drivers/Pkix.java"}, nil
}

func pkijsDriver(context.Context) ([]string, error) {
	return []string{"node", "drivers/pkijs.mjs"}, nil
}

func mbedtlsDriver(context.Context) ([]string, error) {
	program, err := compileMbedtls()
	return []string{program}, err
}

// compileMbedtls answers the program's path; it lives as long as the test run.
var compileMbedtls = sync.OnceValues(func() (string, error) {
	program := filepath.Join(scratch, "mbedtls")
	out, err := run(context.Background(), "", []string{"gcc", "-O1", "-Wall", "-Wextra",
		"-o", program, "drivers/mbedtls.c", "-lmbedx509", "-lmbedcrypto"})
	if err != nil {
		return "", fmt.Errorf("compiling drivers/mbedtls.c: %w: %s", err, out)
	}
	return program, nil
})
