package report_test

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

var leafCAs = []pki.Role{pki.ServerCA, pki.ClientCA, pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA}

// successor is a copy of a cluster's files, to be changed and offered.
func (c *cluster) successor() *cluster {
	next := *c
	next.certs, next.keys, next.order, next.files = maps.Clone(c.certs), maps.Clone(c.keys), map[pki.Role][]*x509.Certificate{}, maps.Clone(c.files)
	for role, chain := range c.order {
		next.order[role] = slices.Clone(chain)
	}
	return &next
}

// ca makes a CA certificate below an issuer that the tests of this file need.
func ca(t testing.TB, cn string, public crypto.PublicKey, issuer *x509.Certificate, key crypto.Signer, edits ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: cn}, NotBefore: issueTime.Add(-time.Hour), NotAfter: issueTime.AddDate(9, 0, 0),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		AuthorityKeyId: issuer.SubjectKeyId,
	}
	for _, e := range edits {
		e(template)
	}
	return sign(t, template, issuer, public, key)
}

// renew gives leaf CAs new keys and certificates under their issuers.
func (c *cluster) renew(roles ...pki.Role) {
	for _, role := range roles {
		issuer, signer := c.issuer(role)
		key := newKey(c.t, pki.P256)
		next := ca(c.t, "next "+string(role), key.Public(), issuer, signer)
		c.certs[role], c.keys[role] = next, key
		c.order[role] = append([]*x509.Certificate{next}, c.order[role][1:]...)
		c.files[c.path(role)+".key"] = keyPEM(c.t, key)
	}
}

// top is the root at the end of a CA's file, with its key.
func (c *cluster) top(role pki.Role) (*x509.Certificate, crypto.Signer) {
	last := c.order[role][len(c.order[role])-1]
	for r, cert := range c.certs {
		if cert.Equal(last) {
			return cert, c.keys[r]
		}
	}
	c.t.Fatalf("no root of %s", role)
	return nil, nil
}

// cross gives leaf CAs new roots, cross-signed by the old ones: the file holds
// the CA and then what the order says.
func (c *cluster) cross(order string, roles ...pki.Role) {
	for _, role := range roles {
		c.crossAs("new root of "+string(role), order, role)
	}
}

func (c *cluster) crossAs(name, order string, roles ...pki.Role) {
	for _, role := range roles {
		old, oldKey := c.top(role)
		fresh, key := root(c.t, name)
		cross := ca(c.t, fresh.Subject.CommonName, key.Public(), old, oldKey)
		leafKey := newKey(c.t, pki.P256)
		leaf := ca(c.t, "next "+string(role), leafKey.Public(), fresh, key)
		was := c.certs[role]
		c.files[c.path(role)+".key"] = keyPEM(c.t, leafKey)
		c.order[role] = nil
		for _, what := range strings.Fields("leaf " + order) {
			c.order[role] = append(c.order[role], map[string]*x509.Certificate{
				"leaf": leaf, "cross": cross, "new": fresh, "old": old, "previous": was,
			}[what])
		}
	}
}

func against(t testing.TB, offered, old pki.Bundle) report.Replacement {
	t.Helper()
	r, err := report.VerifyAgainst(t.Context(), offered, old, issueTime, probeKey{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// heir is one way to go on from a cluster, and all that is said about it.
type heir struct {
	name     string
	topology pki.Topology
	change   func(c *cluster)
	saved    bool
	want     []string // code and subject
}

func runHeirs(t *testing.T, heirs []heir) {
	for _, h := range heirs {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			topology := h.topology
			if topology == "" {
				topology = pki.Isolated
			}
			c := newCluster(t, topology)
			next := c.successor()
			next.t = t
			h.change(next)
			r := against(t, next.bundle(), c.bundle())
			wantLines(t, r.Findings, h.want...)
			if r.Against.Ruling == nil || r.Against.Ruling.Saved != h.saved {
				t.Errorf("ruling %+v, want saved %t", r.Against.Ruling, h.saved)
			}
			if got := len(r.Against.ForceHides) > 0; got == h.saved {
				t.Errorf("--force hides %q", r.Against.ForceHides)
			}
		})
	}
}

const (
	serviceKey = "tls/service.key"
	releases   = "rotation-releases "
	configMap  = "authentication-keeps-old "
)
