package pki_test

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
)

// shape is what a profile promises for one tier.
type shape struct {
	pathLen int // -1: none
	days    int64
	usage   x509.KeyUsage
	keyID   crypto.Hash
	rootAKI bool
}

const (
	certAndCRL    = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	upstreamUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign
)

// promised repeats the tables of the two profiles: the strict one from the
// measurements of what every verifier takes, the upstream one from the script
// contrib/util/generate-custom-ca-certs.sh of k3s (March 2023).
var promised = map[pki.Profile]map[pki.Tier]shape{
	pki.Strict: {
		pki.TierRoot:         {pathLen: -1, days: 20 * 365, usage: certAndCRL, keyID: crypto.SHA256},
		pki.TierIntermediate: {pathLen: 1, days: 10 * 365, usage: certAndCRL, keyID: crypto.SHA256},
		pki.TierCA:           {pathLen: 0, days: 10 * 365, usage: certAndCRL, keyID: crypto.SHA256},
	},
	pki.Upstream: {
		pki.TierRoot:         {pathLen: -1, days: 7300, usage: upstreamUsage, keyID: crypto.SHA1, rootAKI: true},
		pki.TierIntermediate: {pathLen: -1, days: 3700, usage: upstreamUsage, keyID: crypto.SHA1},
		pki.TierCA:           {pathLen: -1, days: 3700, usage: upstreamUsage, keyID: crypto.SHA1},
	},
}

// Every field of every certificate, in both topologies and profiles, with every
// algorithm on every tier.
func TestProfiles(t *testing.T) {
	tiers := map[pki.Tier]func(*pki.Plan) *pki.KeySpec{
		pki.TierRoot:         func(p *pki.Plan) *pki.KeySpec { return &p.Keys.Root },
		pki.TierIntermediate: func(p *pki.Plan) *pki.KeySpec { return &p.Keys.Intermediate },
		pki.TierCA:           func(p *pki.Plan) *pki.KeySpec { return &p.Keys.CA },
		pki.TierService:      func(p *pki.Plan) *pki.KeySpec { return &p.Keys.Service },
	}
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		for profile, shapes := range promised {
			for tier, key := range tiers {
				for _, spec := range pki.KeySpecs {
					t.Run(fmt.Sprint(topology, "/", profile, "/", tier, "=", spec), func(t *testing.T) {
						t.Parallel()
						plan := newPlan(func(p *pki.Plan) {
							p.Topology, p.Profile = topology, profile
							*key(p) = spec
						})
						checkAuthorities(t, issue(t, plan, pki.Given{}), shapes)
					})
				}
			}
		}
	}
}

func checkAuthorities(t *testing.T, issued *pki.Issued, shapes map[pki.Tier]shape) {
	serials, keys := map[string]pki.Role{}, map[string]pki.Role{}
	for _, row := range issued.Layout.Rows {
		a := issued.Authorities[row.Role]
		spec, _ := issued.Plan.Spec(row.Role)
		if got, _ := pki.SpecOf(a.Certificate.PublicKey); got != spec.Key {
			t.Errorf("%s: key %s, want %s", row.Role, got, spec.Key)
		}
		checkShape(t, row, a, shapes[row.Tier])
		if got, want := a.Certificate.Subject.String(), fmt.Sprintf("CN=k3s-%s@%d", row.Name, issueTime.Unix()); got != want {
			t.Errorf("%s: subject %s, want %s", row.Role, got, want)
		}
		serial := string(a.Certificate.RawIssuer) + a.Certificate.SerialNumber.String()
		if other, seen := serials[serial]; seen {
			t.Errorf("%s and %s have one issuer and one serial", row.Role, other)
		}
		public := string(a.Certificate.RawSubjectPublicKeyInfo)
		if other, seen := keys[public]; seen {
			t.Errorf("%s and %s have one key", row.Role, other)
		}
		serials[serial], keys[public] = row.Role, row.Role
	}
}

func checkShape(t *testing.T, row pki.Row, a *pki.Authority, want shape) {
	t.Helper()
	c, issuer := a.Certificate, a.Certificate
	if len(a.Above) > 0 {
		issuer = a.Above[0]
	}
	check := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %s is %v, want %v", row.Role, what, got, want)
		}
	}
	check("version", c.Version, 3)
	check("self-signed", issuer == c, row.Issuer == "")
	check("CA", c.BasicConstraintsValid && c.IsCA, true)
	check("path length", c.MaxPathLen, want.pathLen)
	check("key usage", c.KeyUsage, want.usage)
	check("signature algorithm", c.SignatureAlgorithm, digestFor(t, issuer.PublicKey))
	check("subject key identifier", fmt.Sprintf("%x", c.SubjectKeyId), fmt.Sprintf("%x", keyBits(t, c, want.keyID)))
	check("issuer name", c.RawIssuer, issuer.RawSubject)
	check("signature", c.CheckSignatureFrom(issuer), nil)

	aki := issuer.SubjectKeyId
	extensions := "2.5.29.15! 2.5.29.19! 2.5.29.14 2.5.29.35" // key usage, basic constraints, SKI, AKI; ! is critical
	if issuer == c && !want.rootAKI {
		aki, extensions = nil, strings.TrimSuffix(extensions, " 2.5.29.35")
	}
	check("authority key identifier", c.AuthorityKeyId, aki)
	check("extensions", oids(c), extensions)

	serial := c.SerialNumber.Bytes()
	check("octets of the serial", len(serial), 16)
	check("top bits of the serial", serial[0]>>6, 1)
	check("start", c.NotBefore.Unix(), issueTime.Unix()-3600)
	end := c.NotBefore.Unix() + want.days*86400 - 1
	check("end", c.NotAfter.Unix(), min(end, issuer.NotAfter.Unix()))
	check("whole seconds", c.NotBefore.Nanosecond()+c.NotAfter.Nanosecond(), 0)
}

// digestFor is the signature algorithm that the signer's key decides.
func digestFor(t *testing.T, signer any) x509.SignatureAlgorithm {
	t.Helper()
	spec, ok := pki.SpecOf(signer)
	if !ok {
		t.Fatalf("a %T signed", signer)
	}
	return map[pki.KeySpec]x509.SignatureAlgorithm{
		pki.P256: x509.ECDSAWithSHA256, pki.P384: x509.ECDSAWithSHA384, pki.P521: x509.ECDSAWithSHA512,
		pki.RSA2048: x509.SHA256WithRSA, pki.RSA3072: x509.SHA256WithRSA, pki.RSA4096: x509.SHA256WithRSA,
	}[spec]
}

// keyBits digests the bits of the public key in the certificate itself: the
// leftmost 160 bits of SHA-256 (RFC 7093, method 1) or SHA-1 (RFC 5280).
func keyBits(t *testing.T, c *x509.Certificate, hash crypto.Hash) []byte {
	t.Helper()
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &info); err != nil {
		t.Fatal(err)
	}
	if hash == crypto.SHA1 {
		sum := sha1.Sum(info.Key.Bytes)
		return sum[:]
	}
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20]
}

func oids(c *x509.Certificate) string {
	var list []string
	for _, e := range c.Extensions {
		id := e.Id.String()
		if e.Critical {
			id += "!"
		}
		list = append(list, id)
	}
	return strings.Join(list, " ")
}

// The upstream profile's key identifier is the one that OpenSSL calls "hash".
func TestUpstreamKeyIDIsOpenSSLsHash(t *testing.T) {
	issued := issue(t, newPlan(func(p *pki.Plan) { p.Profile, p.Keys = pki.Upstream, ecKeys; p.Keys.Root = pki.RSA2048 }), pki.Given{})
	for _, role := range []pki.Role{pki.Root, pki.Intermediate, pki.ServerCA} {
		a := issued.Authorities[role]
		key, err := pki.ExportPEM(a.Key)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, key, 0o600); err != nil {
			t.Fatal(err)
		}
		theirs := parseCert(t, run(t, nil, "openssl", "req", "-x509", "-key", file, "-subj", "/CN=x", "-addext", "subjectKeyIdentifier=hash"))
		if !bytes.Equal(a.Certificate.SubjectKeyId, theirs.SubjectKeyId) {
			t.Errorf("%s: %x, openssl writes %x", role, a.Certificate.SubjectKeyId, theirs.SubjectKeyId)
		}
	}
}

// A profile that is known to be wrong says so.
func TestUpstreamProfileIsTold(t *testing.T) {
	plan := newPlan(func(p *pki.Plan) { p.Profile, p.Topology = pki.Upstream, pki.Shared })
	_, found := resolve(t, plan, pki.Given{})
	if !slices.Contains(codes(found), "upstream-profile") {
		t.Errorf("findings %v", found)
	}
	plan.Keys = ecKeys
	told := codes(issue(t, plan, pki.Given{}).Findings)
	for _, code := range []pki.Code{"ku-encipherment", "no-crl-sign"} {
		if n := len(told) - len(slices.DeleteFunc(slices.Clone(told), func(c pki.Code) bool { return c == code })); n != 7 {
			t.Errorf("%s for %d of 7 certificates", code, n)
		}
	}
}

// The strict profile passes our own lints without a word.
func TestStrictProfileIsClean(t *testing.T) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Topology, p.Keys = topology, ecKeys }), pki.Given{})
		wantCodes(t, issued.Findings)
	}
}

// Name constraints are for those who ask: critical (RFC 5280, 4.2.1.10), on the
// server CA alone, and wide enough for the names that k3s itself needs.
func TestNameConstraints(t *testing.T) {
	plan := newPlan(func(p *pki.Plan) {
		p.Keys = ecKeys
		p.NameConstraints = &pki.NameConstraints{PermittedDNS: []string{"example.org"}}
	})
	_, found := resolve(t, plan, pki.Given{})
	wantCodes(t, found, "name-constraints-set")
	issued := issue(t, plan, pki.Given{})
	for role, a := range issued.Authorities {
		if got := pki.Constrained(a.Certificate); got != (role == pki.ServerCA) {
			t.Errorf("%s constrained: %v", role, got)
		}
	}
	c := issued.Authorities[pki.ServerCA].Certificate
	if !c.PermittedDNSDomainsCritical || len(c.PermittedIPRanges) > 0 {
		t.Errorf("critical %v, addresses %v (a form that is not limited stays free)", c.PermittedDNSDomainsCritical, c.PermittedIPRanges)
	}
	if forbidden := pki.Forbids(c, issued.Layout.Names[pki.ServerCA]); forbidden != "" {
		t.Errorf("%s is forbidden", forbidden)
	}
	for name, want := range map[string]string{"node.example.org": "", "node.example.com": "node.example.com", "192.0.2.1": ""} {
		if got := pki.Forbids(c, []string{name}); got != want {
			t.Errorf("%s: forbids %q, want %q", name, got, want)
		}
	}
}
