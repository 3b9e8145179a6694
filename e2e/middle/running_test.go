package middle

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// running is a cluster as the safe knows it: the eleven files that its server
// has, and the keys of the authorities above them. Offers are made from it.
type running struct {
	topology topology
	files    files
	domains  []*domain
	stranger *testbed.Authority // a root that this cluster has never seen
	service  map[string][]byte  // keys for ServiceAccount tokens, "old" the present one
}

// domain is one of the five CAs. In the shared topology all have the same
// authorities above them.
type domain struct {
	ca          string
	leaf        *testbed.Authority // present
	upper, root *testbed.Authority // what signs leaf CAs, and the root above it
}

// roots are the domains' own roots in the offline part of the isolated topology.
var roots = map[string]string{
	"client-ca": "client-root", "request-header-ca": "request-header-root",
	"etcd/peer-ca": "etcd-peer-root", "etcd/server-ca": "etcd-server-root",
}

func readRunning(t testing.TB, topology topology, b testbed.Bundle) *running {
	t.Helper()
	r := &running{topology: topology, files: readFiles(t, filepath.Join(b.Dir, "tls"))}
	offline := func(name string) *testbed.Authority { return testbed.ReadAuthority(t, filepath.Join(b.Offline, name)) }
	root, intermediate := offline("root-ca"), offline("intermediate-ca")
	intermediate.Chain = append(intermediate.Chain[:1:1], root.Chain...)
	for _, ca := range cas {
		d := &domain{ca: ca, leaf: testbed.ReadAuthority(t, b.TLS(ca)), upper: intermediate, root: root}
		if own, ok := roots[ca]; ok && topology == isolated {
			d.root = offline(own)
			d.upper = d.root
		}
		r.domains = append(r.domains, d)
	}
	r.stranger = testbed.NewAuthority(t, "stranger", testbed.ECKey(t, elliptic.P384()), nil, nil)
	r.service = serviceKeys(t, r.files[serviceKey])
	return r
}

func (r *running) domain(ca string) *domain {
	for _, d := range r.domains {
		if d.ca == ca {
			return d
		}
	}
	return nil
}

// hasIntermediate tells whether another authority than the root signs.
func (d *domain) hasIntermediate() bool { return d.upper != d.root }

// profile is what rootkiln gives a CA certificate below the signer, as far as
// verify judges it.
func profile(signer *x509.Certificate, pathLen int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = signer.NotBefore, signer.NotAfter
		c.MaxPathLen, c.MaxPathLenZero = pathLen, pathLen == 0
	}
}

// successor is a new leaf CA of the domain; edits have the last word.
func (d *domain) successor(t testing.TB, key crypto.Signer, signer *testbed.Authority, edits ...func(*x509.Certificate)) *testbed.Authority {
	t.Helper()
	return testbed.NewAuthority(t, "next "+d.ca, key, signer, func(c *x509.Certificate) {
		for _, edit := range append([]func(*x509.Certificate){profile(signer.Chain[0], 0)}, edits...) {
			edit(c)
		}
	})
}

// newRoot is the next generation of a root, and its certificate from the
// present one. Its name differs, unless the subject is given.
func newRoot(t testing.TB, old *testbed.Authority, c crossing) (next, cross *testbed.Authority) {
	t.Helper()
	from := old.Chain[0]
	key := testbed.ECKey(t, elliptic.P384())
	rename := func(template *x509.Certificate) {
		profile(from, -1)(template)
		if c.sameName {
			template.RawSubject = from.RawSubject
		}
	}
	name := "next generation of " + from.Subject.CommonName
	next = testbed.NewAuthority(t, name, key, nil, rename)
	cross = testbed.NewAuthority(t, name, key, old, func(template *x509.Certificate) {
		rename(template)
		template.SubjectKeyId = next.Chain[0].SubjectKeyId
		if !c.noAKI { // Go leaves it out where issuer and subject are called the same
			template.AuthorityKeyId = from.SubjectKeyId
		}
		if c.expired {
			template.NotAfter = time.Now().Add(-time.Minute)
		}
	})
	return next, cross
}
