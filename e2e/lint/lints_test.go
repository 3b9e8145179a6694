package lint

import (
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"testing"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"rootkiln/pki"
)

var zlintVersion = []string{"go", "list", "-m", "github.com/zmap/zlint/v3"}

// registry holds the lints that speak to a private CA. The other sources are
// the rules of the public web: a country, a policy, a revocation URL, 200 days.
var registry = sync.OnceValues(func() (lint.Registry, error) {
	return lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: lint.SourceList{
		lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC8813, lint.Community,
	}})
})

// complaints are the lints that a certificate does not pass, as "severity name".
func complaints(t *testing.T, der []byte) []string {
	t.Helper()
	lints, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := zx509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("zlint cannot read the certificate: %v", err)
	}
	results := zlint.LintCertificateEx(certificate, lints)
	var complaints []string
	for name, result := range results.Results {
		if result.Status > lint.Pass {
			complaints = append(complaints, fmt.Sprintf("%s %s", result.Status, name))
		}
	}
	slices.Sort(complaints)
	tally.linted++
	tally.lints += len(results.Results)
	return complaints
}

// TestLints lints every CA certificate. The strict profile passes without a
// remark. The upstream profile must be told one thing, the price of matching
// its key usages: keyEncipherment has no place on a key that signs certificates
// (RFC 3279, section 2.3.1), nor on any ECDSA key (RFC 5480, section 3).
func TestLints(t *testing.T) {
	seen := map[string]int{}
	for _, p := range issuedPlans(t) {
		for _, der := range p.certificates() {
			certificate, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			if p.plan.Profile == pki.Upstream {
				want = upstreamComplaints[certificate.PublicKeyAlgorithm]
			}
			got := complaints(t, der)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: zlint says %q, expected %q", p.name, certificate.Subject, got, want)
			}
			for _, complaint := range got {
				seen[complaint]++
			}
		}
	}
	t.Logf("complaints about the upstream profile: %v", seen)
}

var upstreamComplaints = map[x509.PublicKeyAlgorithm][]string{
	x509.RSA:   {"error e_rsa_allowed_ku_no_encipherment_ca"},
	x509.ECDSA: {"error e_ecdsa_allowed_ku"},
}
