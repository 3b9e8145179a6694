package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// manyCertificates writes 10,000 leaf certificates, each with its CA behind it, and
// returns all of them.
func manyCertificates(t *testing.T, dir string) (all []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	sign := func(template, parent *x509.Certificate) []byte {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: now, NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	chain := sign(ca, ca)
	for i := range 10_000 {
		leaf := sign(&x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 2)), Subject: pkix.Name{CommonName: fmt.Sprint("leaf ", i)}, NotBefore: now, NotAfter: now.AddDate(1, 0, i%300),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost", "kubernetes", fmt.Sprint("n", i)},
		}, ca)
		sub := filepath.Join(dir, fmt.Sprint(i/100))
		if err := os.MkdirAll(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		file := append(leaf, chain...)
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("leaf-%d.crt", i)), file, 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, file...)
	}
	return all
}

// readByOpenSSL is the processor time in which OpenSSL reads a file of certificates.
func readByOpenSSL(t *testing.T, file string) time.Duration {
	t.Helper()
	cmd := exec.Command("openssl", "storeutl", "-noout", "-certs", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// TestCheckTenThousand: 10,000 certificates in under two seconds and 150 MB, in
// every form, when all is well and when every one of them has expired. The time is
// that of the processor. Where it is more, the machine is slow or others take its
// caches away, and the measure is OpenSSL: what it takes to read the same files at
// the same moment, which is about as much.
func TestCheckTenThousand(t *testing.T) {
	dir := t.TempDir()
	all := filepath.Join(t.TempDir(), "all.pem")
	if err := os.WriteFile(all, manyCertificates(t, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, day := range []struct {
		at       string
		code     int
		findings int
	}{
		{time.Now().AddDate(0, 0, 1).UTC().Format(time.DateOnly), exitOK, 0},
		{"2090-01-01", exitFindings, 10_001},
	} {
		for _, form := range checkForms {
			var out []byte
			var cpu time.Duration
			var memory int64
			for try := range 3 {
				cmd := exec.Command("rootkiln", "check", dir, "-q", "-o", form, "--at", day.at)
				out, _ = cmd.Output()
				if code := cmd.ProcessState.ExitCode(); code != day.code {
					t.Fatalf("%s at %s: ends with %d", form, day.at, code)
				}
				cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
				memory = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
				t.Logf("%s at %s: %s, %d MB, %d bytes", form, day.at, cpu.Round(time.Millisecond), memory, len(out))
				if cpu <= 2*time.Second {
					break
				}
				if openssl := readByOpenSSL(t, all); cpu <= 3*openssl/2 {
					break
				} else if try == 2 {
					t.Errorf("%s at %s: %s of processor time, OpenSSL reads the files in %s", form, day.at, cpu, openssl)
				}
			}
			if memory > 150 {
				t.Errorf("%s at %s: %d MB", form, day.at, memory)
			}
			if form == "json" {
				var r struct {
					Certificates []json.RawMessage
					Findings     []json.RawMessage `json:"findings"`
				}
				if err := json.Unmarshal(out, &r); err != nil || len(r.Certificates) != 20_000 || len(r.Findings) != day.findings {
					t.Errorf("at %s: %d rows, %d findings, %v", day.at, len(r.Certificates), len(r.Findings), err)
				}
			}
		}
	}
}
