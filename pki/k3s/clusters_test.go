package k3s_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// now is when everything in these tests is made.
var now = time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)

// cluster issues a bundle with ECDSA keys.
func cluster(t testing.TB, edit func(*pki.Plan), given pki.Given) *pki.Issued {
	t.Helper()
	plan := pki.Plan{Time: pki.At(now), Keys: pki.Keys{Root: pki.P384, Intermediate: pki.P384, CA: pki.P256, Service: pki.P256}}
	edit(&plan)
	layout, err := k3s.Layout(plan)
	if err != nil {
		t.Fatal(err)
	}
	resolved, _, err := pki.Resolve(plan, layout, given)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := pki.Run{Plan: resolved, Layout: layout, Given: given, Keys: pki.Random{}}.Issue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// ca is a certificate authority of these tests.
type ca struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// serials count: two of one issuer must differ.
var serials atomic.Int64

// newCA makes a CA certificate that lives ten days; issuer nil is self-signed.
func newCA(t testing.TB, cn string, issuer *ca, edits ...func(*x509.Certificate)) *ca {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certify(t, cn, key, issuer, edits...)
}

// certify makes a CA certificate for a key.
func certify(t testing.TB, cn string, key *ecdsa.PrivateKey, issuer *ca, edits ...func(*x509.Certificate)) *ca {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serials.Add(1)), Subject: pkix.Name{CommonName: cn},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(240 * time.Hour),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1, KeyUsage: x509.KeyUsageCertSign,
	}
	for _, e := range edits {
		e(template)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.key
		if template.AuthorityKeyId == nil {
			// left out by the library where both names are the same
			template.AuthorityKeyId = issuer.SubjectKeyId
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &ca{c, key}
}

func ends(after time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = now.Add(after) }
}

func starts(after time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore = now.Add(after) }
}

func file(list ...*ca) []byte {
	var certs []*x509.Certificate
	for _, c := range list {
		certs = append(certs, c.Certificate)
	}
	return pki.EncodeCertificates(certs...)
}

// told runs another program over some input and returns what it says.
func told(t testing.TB, stdin []byte, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is missing: apt-get install openssl coreutils", name)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	return strings.TrimSpace(string(out))
}

// sha256File is the hash of the bytes, by another program.
func sha256File(t testing.TB, data []byte) string {
	t.Helper()
	return strings.Fields(told(t, data, "sha256sum"))[0]
}

// fingerprint is the hash of the certificate, by openssl.
func fingerprint(t testing.TB, c *x509.Certificate) string {
	t.Helper()
	_, hex, _ := strings.Cut(told(t, pki.EncodeCertificates(c), "openssl", "x509", "-noout", "-fingerprint", "-sha256"), "=")
	return strings.ToLower(strings.ReplaceAll(hex, ":", ""))
}
