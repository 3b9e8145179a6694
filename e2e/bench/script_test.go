package main

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// scriptOutput runs the script once for all tests and returns the tls
// directory and how many openssl processes it took.
var scriptOutput = sync.OnceValues(func() (dir string, processes int) {
	openssl, err := exec.LookPath("openssl")
	must(err)
	// An openssl in front of the real one keeps the count.
	counted := "#!/bin/sh\necho >>'" + shared + "/count'\nexec '" + openssl + "' \"$@\"\n"
	must(os.Mkdir(filepath.Join(shared, "bin"), 0o700))
	must(os.WriteFile(filepath.Join(shared, "bin", "openssl"), []byte(counted), 0o700))

	cmd := exec.Command("sh", "-c", script, "openssl.sh", filepath.Join(shared, "tls"))
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(shared, "bin")+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("openssl.sh: %v\n%s", err, out))
	}
	count, err := os.ReadFile(filepath.Join(shared, "count"))
	must(err)
	return filepath.Join(shared, "tls"), bytes.Count(count, []byte("\n"))
})

func TestScript(t *testing.T) {
	dir, processes := scriptOutput()
	c := contents{serviceKey: "RSA PRIVATE KEY", issuer: "RSA 4096", certificates: 3, serverCertificates: 3}
	if err := c.checkDirectory(t.Context(), filepath.Dir(dir), nil); err != nil {
		t.Error(err)
	}
	if !strings.Contains(script, fmt.Sprintf("runs %d openssl processes", processes)) {
		t.Errorf("the script runs %d openssl processes and says otherwise", processes)
	}

	var got []string
	must(filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(filepath.Dir(dir), path)
			got = append(got, path)
		}
		return err
	}))
	want := elevenFiles()
	for _, a := range authorities {
		want = append(want, "tls/"+a+"-ca.pem")
	}
	for _, a := range []string{"root", "intermediate"} {
		want = append(want, "tls/"+a+"-ca.crt", "tls/"+a+"-ca.key", "tls/"+a+"-ca.pem")
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	for _, f := range got {
		info, err := os.Stat(filepath.Join(filepath.Dir(dir), f))
		must(err)
		want := os.FileMode(0o640)
		if strings.HasSuffix(f, ".key") {
			want = 0o600
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", f, info.Mode(), want)
		}
	}
}

// Every certificate has the profile of the original: see the k3s script's
// section v3_ca, 7300 days for the root and 3700 for all others.
func TestScriptProfile(t *testing.T) {
	dir, _ := scriptOutput()
	for file, want := range map[string]struct {
		name string
		days int
	}{
		"root-ca.pem":           {"root", 7300},
		"intermediate-ca.pem":   {"intermediate", 3700},
		"client-ca.pem":         {"client", 3700},
		"server-ca.pem":         {"server", 3700},
		"request-header-ca.pem": {"request-header", 3700},
		"etcd/peer-ca.pem":      {"etcd-peer", 3700},
		"etcd/server-ca.pem":    {"etcd-server", 3700},
	} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		must(err)
		block, rest := pem.Decode(data)
		if block == nil || len(rest) != 0 {
			t.Fatalf("%s is not one PEM block", file)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		must(err)
		subject := fmt.Sprintf("CN=k3s-%s-ca@%d", want.name, c.NotBefore.Unix())
		early := fmt.Sprintf("CN=k3s-%s-ca@", want.name)
		if got := c.Subject.String(); !strings.HasPrefix(got, early) || len(got) != len(subject) {
			t.Errorf("%s: subject %s, want one like %s", file, got, subject)
		}
		if got := c.NotAfter.Sub(c.NotBefore); got != time.Duration(want.days)*24*time.Hour {
			t.Errorf("%s: valid for %v, want %d days", file, got, want.days)
		}
		if !c.IsCA || c.MaxPathLen != -1 {
			t.Errorf("%s: CA %v, path length %d; want a CA without one", file, c.IsCA, c.MaxPathLen)
		}
		if want := x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign; c.KeyUsage != want {
			t.Errorf("%s: key usage %b, want %b", file, c.KeyUsage, want)
		}
		if len(c.Extensions) != 4 || len(c.SubjectKeyId) != 20 || len(c.AuthorityKeyId) != 20 {
			t.Errorf("%s: extensions %v, want basic constraints, key usage and both key identifiers", file, c.Extensions)
		}
		if c.SignatureAlgorithm != x509.SHA256WithRSA {
			t.Errorf("%s: signed with %v", file, c.SignatureAlgorithm)
		}
		if file == "root-ca.pem" && !bytes.Equal(c.SubjectKeyId, c.AuthorityKeyId) {
			t.Errorf("%s: the root names another issuer", file)
		}
	}
}

func TestScriptKeepsWhatExists(t *testing.T) {
	dir, _ := scriptOutput()
	before, err := os.ReadFile(filepath.Join(dir, "service.key"))
	must(err)
	if err := exec.Command("sh", "-c", script, "openssl.sh", dir).Run(); err == nil {
		t.Error("a second run into the same directory succeeds")
	}
	after, err := os.ReadFile(filepath.Join(dir, "service.key"))
	must(err)
	if !bytes.Equal(before, after) {
		t.Error("a second run replaced service.key")
	}
}

func TestBrokenScriptChainFails(t *testing.T) {
	dir, _ := scriptOutput()
	base := t.TempDir()
	must(os.CopyFS(filepath.Join(base, "tls"), os.DirFS(dir)))
	// A root of the same name and another key: only the signature tells.
	root := filepath.Join(base, "tls", "root-ca.pem")
	data, err := os.ReadFile(root)
	must(err)
	block, _ := pem.Decode(data)
	c, err := x509.ParseCertificate(block.Bytes)
	must(err)
	key := rsaKey()
	c.SubjectKeyId, c.PublicKey = nil, key.Public()
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	must(err)
	must(os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	want := contents{serviceKey: "RSA PRIVATE KEY", issuer: "RSA 4096", certificates: 3, serverCertificates: 3}
	if err := want.checkDirectory(t.Context(), base, nil); err == nil || !strings.Contains(err.Error(), "openssl verify") {
		t.Errorf("error %v, want one of openssl verify", err)
	}
}
