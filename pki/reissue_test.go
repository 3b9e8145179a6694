package pki_test

import (
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
)

// TestCrossCertificate: with the old root alone as trust, OpenSSL and Go find the
// way through the cross-certificate to what the new root has signed; the name and
// key identifier are the new root's to the byte, the dates within the old one's.
func TestCrossCertificate(t *testing.T) {
	old, next := rootAt(t, "old", "5y"), rootAt(t, "next", "20y")
	x, found, err := pki.Reissue{
		Role: pki.Root, Of: next.Certificate, By: old, Below: 2,
		At: issueTime, End: pki.At(next.Certificate.NotAfter), Keys: pki.Random{},
	}.Issue(t.Context())
	if err != nil || len(found) > 0 {
		t.Fatal(err, found)
	}
	switch {
	case string(x.RawSubject) != string(next.Certificate.RawSubject), string(x.SubjectKeyId) != string(next.Certificate.SubjectKeyId):
		t.Error("another name or key identifier than the root's")
	case string(x.AuthorityKeyId) != string(old.Certificate.SubjectKeyId):
		t.Error("AKI is not the old root's SKI")
	case !x.NotAfter.Equal(old.Certificate.NotAfter):
		t.Errorf("ends %s, the old root %s", x.NotAfter, old.Certificate.NotAfter)
	case x.MaxPathLen != -1 || x.MaxPathLenZero:
		t.Error("it has a path length limit, the root has none")
	}
	dir := t.TempDir()
	for name, certs := range map[string][]*x509.Certificate{"old.pem": {old.Certificate}, "x.pem": {x}, "next.pem": {next.Certificate}} {
		if err := os.WriteFile(filepath.Join(dir, name), pki.EncodeCertificates(certs...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("openssl", "verify", "-x509_strict", "-no_check_time", "-CAfile", "old.pem", "x.pem")
	c.Dir = dir
	if text, err := c.CombinedOutput(); err != nil {
		t.Errorf("openssl: %s", text)
	}
}

// TestReissueRefuses: an issuer that cannot vouch is told before anything is signed.
func TestReissueRefuses(t *testing.T) {
	old, next := rootAt(t, "old", "5y"), rootAt(t, "next", "20y")
	for want, edit := range map[pki.Code]func(*pki.Reissue){
		"key-needed": func(r *pki.Reissue) { r.By = &pki.Authority{Role: pki.Root, Certificate: old.Certificate} },
		"key-mismatch": func(r *pki.Reissue) {
			r.By = &pki.Authority{Role: pki.Root, Certificate: old.Certificate, Key: next.Key}
		},
		"expired":       func(r *pki.Reissue) { r.At = pki.At(old.Certificate.NotAfter.Add(time.Hour)) },
		"not-yet-valid": func(r *pki.Reissue) { r.At = pki.At(old.Certificate.NotBefore.Add(-time.Hour)) },
		"path-length": func(r *pki.Reissue) {
			limited := *old.Certificate
			limited.MaxPathLen = 1
			r.By = &pki.Authority{Role: pki.Root, Certificate: &limited, Key: old.Key}
		},
	} {
		r := pki.Reissue{
			Role: pki.Root, Of: next.Certificate, By: old, Below: 2,
			At: issueTime, End: pki.At(next.Certificate.NotAfter), Keys: pki.Random{},
		}
		edit(&r)
		_, _, err := r.Issue(t.Context())
		var refusal *pki.Refusal
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), string(want)) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// rootAt makes a root CA with a name of its own.
func rootAt(t *testing.T, organization string, life pki.Lifetime) *pki.Authority {
	t.Helper()
	plan := pki.Plan{Time: issueTime, Organization: []string{organization}, Keys: pki.Keys{Root: pki.P256}, Validity: pki.Lifetimes{Root: life}}
	layout := pki.Layout{Distro: pki.K3s, Product: "k3s", Rows: []pki.Row{{Role: pki.Root, Tier: pki.TierRoot, Name: "root-ca", Path: "tls/root-ca"}}}
	resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := pki.Run{Plan: resolved, Layout: layout, Keys: pki.Random{}}.IssueOne(t.Context(), pki.Root)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
