package pki_test

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"
	"time"

	"rootkiln/pki"
)

// changed returns a copy of a certificate with some fields as no library would
// write them.
func changed(c *x509.Certificate, edits ...edit) *x509.Certificate {
	copied := *c
	copied.Extensions = slices.Clone(c.Extensions)
	for _, e := range edits {
		e(&copied)
	}
	return &copied
}

func notCritical(c *x509.Certificate) {
	for i := range c.Extensions {
		c.Extensions[i].Critical = false
	}
}

// The lints of one CA certificate: what verifiers do not check, or not all.
func TestLintAuthority(t *testing.T) {
	sound := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{}).Authorities[pki.ServerCA].Certificate
	serial := func(octets int, first byte) edit {
		return func(c *x509.Certificate) {
			bytes := make([]byte, octets)
			bytes[0] = first
			c.SerialNumber = new(big.Int).SetBytes(bytes)
		}
	}
	usage := func(u x509.KeyUsage) edit { return func(c *x509.Certificate) { c.KeyUsage = u } }
	for _, tt := range []struct {
		name string
		edit edit
		want []pki.Code
	}{
		{"sound", func(*x509.Certificate) {}, nil},
		{"version 1", func(c *x509.Certificate) { c.Version = 1 }, []pki.Code{"version-1"}},
		{"no CA", func(c *x509.Certificate) { c.IsCA = false }, []pki.Code{"not-ca"}},
		{"no basic constraints", func(c *x509.Certificate) { c.BasicConstraintsValid = false }, []pki.Code{"not-ca"}},
		{"a path length without CA", func(c *x509.Certificate) { c.IsCA, c.MaxPathLen = false, 3 }, []pki.Code{"not-ca"}},
		{"no key usage", usage(0), []pki.Code{"ku-missing"}},
		{"no keyCertSign", usage(x509.KeyUsageCRLSign), []pki.Code{"no-cert-sign"}},
		{"no cRLSign", usage(x509.KeyUsageCertSign), []pki.Code{"no-crl-sign"}},
		{"keyEncipherment", usage(certAndCRL | x509.KeyUsageKeyEncipherment), []pki.Code{"ku-encipherment"}},
		{"nothing critical", notCritical, []pki.Code{"bc-not-critical", "ku-not-critical"}},
		{"for clients only", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, []pki.Code{"eku-breaks-token"}},
		{"serial 0", serial(1, 0), []pki.Code{"serial-range"}}, // as k3s gives all five of its own
		{"a negative serial", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(-1) }, []pki.Code{"serial-range"}},
		{"serial 1", serial(1, 1), nil},
		{"a serial of 20 octets", serial(20, 0x7f), nil},
		{"a serial of 20 octets that needs 21", serial(20, 0x80), []pki.Code{"serial-range"}},
		{"a serial of 21 octets", serial(21, 1), []pki.Code{"serial-range"}},
		{"no subject key identifier", func(c *x509.Certificate) { c.SubjectKeyId = nil }, []pki.Code{"ski-missing"}},
		{"dates reversed", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(-time.Second) }, []pki.Code{"dates-reversed"}},
		{"over at once", func(c *x509.Certificate) { c.NotAfter = c.NotBefore }, []pki.Code{"dates-reversed"}},
		{"before 1970", func(c *x509.Certificate) { c.NotBefore = time.Unix(-1, 0) }, []pki.Code{"date-before-1970"}},
		{"a weak key", public(&rsa.PublicKey{N: big.NewInt(15), E: 65537}), []pki.Code{"key-weak"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := changed(sound, tt.edit)
			for range 20 { // the order must not depend on chance
				wantCodes(t, pki.LintAuthority(c, "server-ca"), tt.want...)
			}
		})
	}
}

// What stands between a certificate and its issuer.
func TestLintIssued(t *testing.T) {
	issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{})
	issuer, sound := issued.Authorities[pki.Intermediate].Certificate, issued.Authorities[pki.ServerCA].Certificate
	root := issued.Authorities[pki.Root].Certificate
	for _, tt := range []struct {
		name   string
		cert   *x509.Certificate
		issuer *x509.Certificate
		want   []pki.Code
	}{
		{"sound", sound, issuer, nil},
		{"no authority key identifier", changed(sound, func(c *x509.Certificate) { c.AuthorityKeyId = nil }), issuer, []pki.Code{"aki-missing"}},
		// passes Go and browsers; OpenSSL, GnuTLS and NSS refuse it
		{"another authority key identifier", changed(sound, func(c *x509.Certificate) { c.AuthorityKeyId = []byte{1} }), issuer, []pki.Code{"aki-mismatch"}},
		{"an issuer without identifier", sound, changed(issuer, func(c *x509.Certificate) { c.SubjectKeyId = nil }), nil},
		{"outlives its issuer by a second", changed(sound, func(c *x509.Certificate) { c.NotAfter = issuer.NotAfter.Add(time.Second) }), issuer, []pki.Code{"child-outlives-parent"}},
		{"ends with its issuer", changed(sound, func(c *x509.Certificate) { c.NotAfter = issuer.NotAfter }), issuer, nil},
		{"older than its issuer", changed(sound, func(c *x509.Certificate) { c.NotBefore = issuer.NotBefore.Add(-time.Second) }), issuer, []pki.Code{"child-before-parent"}},
		{"SHA-1", changed(sound, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }), issuer, []pki.Code{"signature-weak"}},
		{"MD5", changed(sound, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.MD5WithRSA }), issuer, []pki.Code{"signature-weak"}},
		{"P-384 with SHA-256", changed(sound, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA256 }), issuer, []pki.Code{"signature-digest"}},
		{"a root", root, nil, nil},
		{"a root that names itself", changed(root, func(c *x509.Certificate) { c.AuthorityKeyId = c.SubjectKeyId }), nil, nil},
		{"a root that names another", changed(root, func(c *x509.Certificate) { c.AuthorityKeyId = []byte{1} }), nil, []pki.Code{"aki-mismatch"}},
		{"a root with SHA-1", changed(root, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }), nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) { wantCodes(t, pki.LintIssued(tt.cert, tt.issuer, "server-ca"), tt.want...) })
	}
}

// One issuer, one serial, two certificates: NSS refuses the second.
func TestLintSerials(t *testing.T) {
	cert := func(issuer string, serial int64, raw string) *x509.Certificate {
		return &x509.Certificate{RawIssuer: []byte(issuer), SerialNumber: big.NewInt(serial), Raw: []byte(raw), Subject: pkix.Name{CommonName: raw}}
	}
	a, b := cert("x", 1, "a"), cert("x", 1, "b")
	for _, tt := range []struct {
		name  string
		certs []*x509.Certificate
		want  []pki.Code
	}{
		{"none", nil, nil},
		{"different serials", []*x509.Certificate{a, cert("x", 2, "c")}, nil},
		{"different issuers", []*x509.Certificate{a, cert("y", 1, "c")}, nil},
		{"one certificate in two files", []*x509.Certificate{a, a}, nil},
		{"two certificates", []*x509.Certificate{a, b}, []pki.Code{"serial-duplicate"}},
		{"three", []*x509.Certificate{a, b, a, cert("x", 1, "c")}, []pki.Code{"serial-duplicate", "serial-duplicate"}},
	} {
		t.Run(tt.name, func(t *testing.T) { wantCodes(t, pki.LintSerials(tt.certs), tt.want...) })
	}
}
