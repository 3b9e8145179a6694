package pki_test

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
)

// What the user already has: a root, or an intermediate with its root.
func TestGivenAuthorities(t *testing.T) {
	for _, spec := range pki.KeySpecs {
		root := authority(t, "corporate root", spec, nil)
		intermediate := authority(t, "clusters", pki.P256, root)
		for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
			plan := newPlan(func(p *pki.Plan) { p.Topology, p.Keys = topology, ecKeys })
			own := issue(t, plan, at(pki.Root, root))
			if !own.Authorities[pki.ServerCA].Root().Equal(root.Certificate) || own.Made[pki.Root] {
				t.Errorf("%s/%s: not under the given root", spec, topology)
			}
			if own.Offline.File("root-ca.key") != nil || own.Offline.File("root-ca.crt") == nil {
				t.Errorf("%s/%s: the safe gets %q", spec, topology, paths(own.Offline))
			}
			both := issue(t, plan, at(pki.Intermediate, intermediate))
			if !slices.EqualFunc(both.Authorities[pki.ServerCA].Above, certificates(intermediate, root), (*x509.Certificate).Equal) {
				t.Errorf("%s/%s: not under the given intermediate", spec, topology)
			}
			if _, planned := both.Plan.Spec(pki.Root); planned || both.Made[pki.Intermediate] {
				t.Errorf("%s/%s: a root was made that nobody needs", spec, topology)
			}
		}
	}
}

// A root without its key is for the way over a request.
func TestGivenRootWithoutKey(t *testing.T) {
	root := authority(t, "corporate root", pki.P384, nil)
	given := at(pki.Root, &pki.Authority{Certificate: root.Certificate})
	r := runOf(t, newPlan(), given)
	out, err := r.Issue(t.Context())
	wantRefusal(t, err, "key-needed")
	if out != nil || len(r.Plan.Requests()) != 1 || r.Plan.Requests()[0].Role != pki.Intermediate {
		t.Errorf("requests %v", r.Plan.Requests())
	}
	wrong := at(pki.Root, &pki.Authority{Certificate: root.Certificate, Key: newKey(t, pki.P384)})
	wantCodes(t, refused(t, newPlan(), wrong), "key-mismatch")
	other := at(pki.Root, &pki.Authority{Certificate: root.Certificate, Key: authority(t, "another", pki.P384, nil).Key})
	wantCodes(t, refused(t, newPlan(), other), "key-mismatch")
}

type edit = func(*x509.Certificate)

func pathLen(n int) edit {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

func lives(from, to time.Duration) edit {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = issueTime.Add(from), issueTime.Add(to) }
}

const aDay = 24 * time.Hour

// What is wrong with an intermediate, or with anything above it, and which of
// these faults are none.
func TestGivenIntermediateWithFaults(t *testing.T) {
	names := func(c *x509.Certificate, dns ...string) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, dns
	}
	_, tens, _ := net.ParseCIDR("10.0.0.0/8")
	for _, tt := range []struct {
		name         string
		root, policy edit // above the intermediate
		intermediate edit
		want         []pki.Code
	}{
		{name: "sound"},
		{name: "expired", intermediate: lives(-2*aDay, -aDay), want: []pki.Code{"expired"}},
		{name: "expired above", policy: lives(-2*aDay, -aDay), want: []pki.Code{"expired"}},
		{name: "not yet valid", intermediate: lives(aDay, 500*aDay), want: []pki.Code{"not-yet-valid"}},
		{name: "over while k3s still renews", intermediate: lives(-aDay, 119*aDay), want: []pki.Code{"issuer-short-life"}},
		{name: "no CA", intermediate: func(c *x509.Certificate) { c.IsCA = false }, want: []pki.Code{"not-ca", "ski-missing"}},
		{name: "no basic constraints", intermediate: func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA = false, false }, want: []pki.Code{"not-ca", "ski-missing"}},
		{name: "may not sign certificates", intermediate: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }, want: []pki.Code{"no-cert-sign"}},
		{name: "no key usage, which allows all", intermediate: func(c *x509.Certificate) { c.KeyUsage = 0 }},
		{name: "path length 1", intermediate: pathLen(1)},
		{name: "path length 0", intermediate: pathLen(0), want: []pki.Code{"path-length"}}, // as `step` makes it (smallstep/cli #174)
		{name: "path length 2 above", policy: pathLen(2)},
		{name: "path length 1 above", policy: pathLen(1), want: []pki.Code{"path-length"}},
		{name: "path length 3 at the root", root: pathLen(3)},
		{name: "path length 2 at the root", root: pathLen(2), want: []pki.Code{"path-length"}},
		{name: "for clients only", intermediate: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, want: []pki.Code{"eku-breaks-token"}},
		{name: "for something unknown", policy: func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1}} }, want: []pki.Code{"eku-breaks-token"}},
		{name: "for servers", intermediate: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }},
		{name: "for anything", intermediate: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }},
		// k3s #12335: the leaves are called kubernetes, localhost and 10.43.0.1.
		{name: "for names of the company", intermediate: func(c *x509.Certificate) { names(c, "example.org") }, want: []pki.Code{"name-constraints"}},
		{name: "the same above", root: func(c *x509.Certificate) { names(c, "example.org") }, want: []pki.Code{"name-constraints"}},
		{name: "for names of Kubernetes too", intermediate: func(c *x509.Certificate) {
			names(c, "example.org", "kubernetes", "kubernetes.default.svc", "svc.cluster.local", "localhost", "kubernetes.default")
		}},
		{name: "not for the service range", intermediate: func(c *x509.Certificate) { c.ExcludedIPRanges = []*net.IPNet{tens} }, want: []pki.Code{"name-constraints"}},
		{name: "only for the service range", intermediate: func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{tens} }, want: []pki.Code{"name-constraints"}},
		{name: "RSA-1024", intermediate: public(&rsa.PublicKey{N: semiprime(t, 512), E: 65537}), want: []pki.Code{"key-weak"}},
		{name: "exponent 3", intermediate: public(&rsa.PublicKey{N: semiprime(t, 1024), E: 3}), want: []pki.Code{"key-weak"}},
		{name: "close primes", intermediate: public(&rsa.PublicKey{N: closePrimes(t), E: 65537}), want: []pki.Code{"key-weak"}}, // CVE-2022-26320
		{name: "RSA of 8200 bits", intermediate: public(&rsa.PublicKey{N: new(big.Int).Lsh(semiprime(t, 1024), 8200-2048), E: 65537}), want: []pki.Code{"key-unsupported"}},
		{name: "Ed25519", intermediate: public(make(ed25519.PublicKey, ed25519.PublicKeySize)), want: []pki.Code{"key-unsupported"}},
		{name: "two faults", intermediate: func(c *x509.Certificate) { lives(-2*aDay, -aDay)(c); pathLen(0)(c) }, want: []pki.Code{"expired", "path-length"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changed := func(name string, issuer *pki.Authority, e edit) *pki.Authority {
				if e == nil {
					e = func(*x509.Certificate) {}
				}
				return authority(t, name, pki.P256, issuer, e)
			}
			root := changed("corporate root", nil, tt.root)
			given := at(pki.Intermediate, changed("clusters", changed("policy", root, tt.policy), tt.intermediate))
			_, found, err := pki.Resolve(newPlan(), layoutOf(t, newPlan()), given)
			if tt.want == nil {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			found = slices.DeleteFunc(found, func(f pki.Finding) bool { return f.Code == "plan-lifetime-cut" })
			wantCodes(t, found, tt.want...)
			for _, f := range found { // the certificate itself, or ROLE#2 and so on above it
				if role, _, _ := strings.Cut(f.Subject, "#"); role != string(pki.Intermediate) {
					t.Errorf("subject of %v", f)
				}
			}
		})
	}
}

func public(pub any) edit { return func(c *x509.Certificate) { c.PublicKey = pub } }

// semiprime is a product of two primes of that many bits.
func semiprime(t *testing.T, bits int) *big.Int {
	t.Helper()
	k, err := foreign.store.prime(bits)
	if err != nil {
		t.Fatal(err)
	}
	other, err := foreign.store.prime(bits)
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).Mul(k, other)
}

// closePrimes is a modulus whose second prime is the next after the first.
func closePrimes(t *testing.T) *big.Int {
	t.Helper()
	p, err := foreign.store.prime(1024)
	if err != nil {
		t.Fatal(err)
	}
	q := new(big.Int).Add(p, big.NewInt(2))
	for !q.ProbablyPrime(20) {
		q.Add(q, big.NewInt(2))
	}
	return q.Mul(q, p)
}

// A root may have a path length only if two authorities fit under it; the root
// of one domain of trust needs room for one.
func TestPathLengthOfRoots(t *testing.T) {
	for _, tt := range []struct {
		role       pki.Role
		topology   pki.Topology
		has        int
		want, need string
	}{
		{pki.Root, pki.Isolated, 2, "", ""}, {pki.Root, pki.Isolated, 1, "path-length", "2"},
		{pki.Root, pki.Shared, 2, "", ""}, {pki.Root, pki.Shared, 0, "path-length", "2"},
		{pki.ClientRoot, pki.Isolated, 1, "", ""}, {pki.ClientRoot, pki.Isolated, 0, "path-length", "1"},
	} {
		plan := newPlan(func(p *pki.Plan) { p.Topology = tt.topology })
		_, found, err := pki.Resolve(plan, layoutOf(t, plan), at(tt.role, authority(t, "corporate root", pki.P384, nil, pathLen(tt.has))))
		if tt.want == "" {
			if err != nil {
				t.Errorf("%s with %d: %v", tt.role, tt.has, err)
			}
		} else if len(found) != 1 || string(found[0].Code) != tt.want || found[0].Args["need"] != tt.need {
			t.Errorf("%s with %d: %v", tt.role, tt.has, found)
		}
	}
}

// SHA-1 is refused where the signature proves something, which that of a root
// does not: Go refuses to verify such an intermediate.
func TestSHA1Signatures(t *testing.T) {
	sha1 := func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }
	root := authority(t, "corporate root", pki.RSA2048, nil, sha1)
	if _, _, err := pki.Resolve(newPlan(), layoutOf(t, newPlan()), at(pki.Root, root)); err != nil {
		t.Error(err)
	}
	wantCodes(t, refused(t, newPlan(), at(pki.Intermediate, authority(t, "clusters", pki.P256, root, sha1))), "signature-weak")
}

// The intermediate's place is not for a root: its key would have to be online.
func TestRootInThePlaceOfAnIntermediate(t *testing.T) {
	wantCodes(t, refused(t, newPlan(), at(pki.Intermediate, authority(t, "corporate root", pki.P384, nil))), "chain-is-root")
}

// Version 1 certificates, which OpenSSL makes where no extension is asked for.
func TestVersion1(t *testing.T) {
	key, err := pki.ExportPEM(newKey(t, pki.P256))
	if err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "key", key)
	csr := run(t, nil, "openssl", "req", "-new", "-key", file, "-subj", "/CN=old")
	c := parseCert(t, run(t, csr, "openssl", "x509", "-req", "-signkey", file, "-days", "3650"))
	plan := newPlan(func(p *pki.Plan) { p.Time = pki.At(c.NotBefore.Add(time.Second)) })
	_, found, err := pki.Resolve(plan, layoutOf(t, plan), at(pki.Root, &pki.Authority{Certificate: c}))
	wantCodes(t, reasons(t, err), "version-1")
	if last := found[len(found)-1]; c.Version != 1 || last.Code != "ski-missing" {
		t.Errorf("version %d, findings %v", c.Version, found)
	}
}

// Dates as other tools write them.
func TestDatesOfGivenAuthorities(t *testing.T) {
	for _, tt := range []struct {
		start, end time.Time
		want       []pki.Code
	}{
		{issueTime.Time, issueTime.AddDate(1, 0, 0), nil},  // the first second counts
		{issueTime.AddDate(-1, 0, 0), issueTime.Time, nil}, // and so does the last
		{issueTime.Add(time.Second), issueTime.AddDate(1, 0, 0), []pki.Code{"not-yet-valid"}},
		{issueTime.AddDate(-1, 0, 0), issueTime.Add(-time.Second), []pki.Code{"expired"}},
		{issueTime.AddDate(1, 0, 0), issueTime.AddDate(-1, 0, 0), []pki.Code{"dates-reversed"}},
		{time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), issueTime.AddDate(1, 0, 0), []pki.Code{"date-before-1970"}},
	} {
		c := &x509.Certificate{NotBefore: tt.start, NotAfter: tt.end}
		wantCodes(t, pki.Validity(c, "root", issueTime), tt.want...)
	}
	expired := pki.Validity(&x509.Certificate{NotBefore: issueTime.Add(-2 * aDay), NotAfter: issueTime.Add(-aDay)}, "root-ca.pem", issueTime)
	if s := expired[0].String(); !strings.Contains(s, "root-ca.pem") || !strings.Contains(s, `end="2026-11-21T20:00:00Z"`) {
		t.Error(s)
	}
}
