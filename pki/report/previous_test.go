package report_test

import (
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"slices"
	"testing"
	"time"

	"rootkiln/pki"
)

// What a rotation leaves in a CA file on purpose is told from what has no
// business there by a signature, and by nothing else.
func TestWhatARotationLeaves(t *testing.T) {
	ended := func(n *x509.Certificate) { n.NotAfter = issueTime.Add(-time.Second) }
	// renewed puts a new client CA before the root and the old one behind it.
	renewed := func(c *cluster, behind ...*x509.Certificate) {
		c.renew(pki.ClientCA)
		c.order[pki.ClientCA] = append(c.order[pki.ClientCA], behind...)
	}
	runDefects(t, []defect{
		{"the previous CA", "", func(c *cluster) { renewed(c, c.certs[pki.ClientCA]) }, []string{"previous-ca " + client + "#3"}},
		{"two of them", "", func(c *cluster) {
			first := c.certs[pki.ClientCA]
			c.renew(pki.ClientCA)
			renewed(c, c.certs[pki.ClientCA], first)
		}, []string{"previous-ca " + client + "#3", "previous-ca " + client + "#4"}},
		{"before the root", "", func(c *cluster) {
			old := c.certs[pki.ClientCA]
			c.renew(pki.ClientCA)
			c.order[pki.ClientCA] = slices.Insert(c.order[pki.ClientCA], 1, old)
		}, []string{"previous-ca " + client + "#2"}},
		{"it has ended", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { ended(l) })
			renewed(c, c.certs[pki.ClientCA])
		}, []string{"previous-ca-expired " + client + "#3"}},
		{"it begins tomorrow", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.NotBefore = issueTime.AddDate(0, 0, 1) })
			renewed(c, c.certs[pki.ClientCA])
		}, []string{"previous-ca " + client + "#3", "not-yet-valid " + client + "#3"}},
		{"it has faults that nobody will mend", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, parent *x509.Certificate) {
				l.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageKeyEncipherment
				l.NotAfter = parent.NotAfter.Add(time.Hour)
			})
			renewed(c, c.certs[pki.ClientCA])
		}, []string{"previous-ca " + client + "#3"}},
		{"its key is weak: whoever breaks it is let in", "", func(c *cluster) {
			modulus := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 1023), 0, 1)
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.PublicKey = &rsa.PublicKey{N: modulus, E: 65537} })
			renewed(c, c.certs[pki.ClientCA])
		}, []string{"previous-ca " + client + "#3", "key-weak " + client + "#3"}},
		{"the old root has ended, and the cross certificate with it", "", func(c *cluster) {
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { ended(r) })
			c.cross("cross new old", pki.ClientCA)
			old, signer := c.certs[pki.ClientRoot], c.keys[pki.ClientRoot]
			c.order[pki.ClientCA][1] = ca(c.t, c.order[pki.ClientCA][2].Subject.CommonName, c.order[pki.ClientCA][2].PublicKey, old, signer, ended)
		}, []string{"previous-ca-expired " + client + "#2", "previous-ca-expired " + client + "#4"}},
		{"a self-signed CA, its cross certificate and the old CA", "", func(c *cluster) {
			old, signer := c.certs[pki.ClientRoot], c.keys[pki.ClientRoot]
			own, key := root(c.t, "own CA")
			c.files["tls/client-ca.key"] = keyPEM(c.t, key)
			c.order[pki.ClientCA] = []*x509.Certificate{own, ca(c.t, "own CA", key.Public(), old, signer), old}
		}, []string{"previous-ca " + client + "#3"}},

		{"its issuer is gone: nothing ties it to the CA", "", func(c *cluster) {
			c.cross("new previous", pki.ClientCA)
		}, []string{"chain-extra " + client + "#3"}},
		{"a CA of another cluster by the same name", "", func(c *cluster) {
			other, key := root(c.t, c.certs[pki.ClientRoot].Subject.CommonName)
			was := c.certs[pki.ClientCA]
			renewed(c, ca(c.t, was.Subject.CommonName, was.PublicKey, other, key))
		}, []string{"chain-extra " + client + "#3"}},
		{"another CA of today", pki.Shared, func(c *cluster) {
			c.order[pki.ClientCA] = append(slices.Clone(c.order[pki.ClientCA]), c.certs[pki.EtcdPeerCA])
		}, []string{"shared-trust tls"}},
		{"the file begins with it", "", func(c *cluster) {
			old := c.certs[pki.ClientCA]
			renewed(c)
			c.order[pki.ClientCA] = append([]*x509.Certificate{old}, c.order[pki.ClientCA]...)
		}, []string{"chain-order " + client}},
	})
}

// k3s's own CAs lack much that a linter wants. One that stands under a cross
// certificate, as the script of k3s leaves it, leaves soon: no word about that.
func TestOldDefaultCAs(t *testing.T) {
	c := defaultCluster(t)
	for _, role := range leafCAs {
		old, signer := c.certs[role], c.keys[role]
		fresh, freshKey := root(t, "new root of "+string(role))
		leafKey := newKey(t, pki.P256)
		c.files[c.path(role)+".key"] = keyPEM(t, leafKey)
		c.order[role] = []*x509.Certificate{
			ca(t, "next "+string(role), leafKey.Public(), fresh, freshKey),
			ca(t, fresh.Subject.CommonName, freshKey.Public(), old, signer), fresh, old,
		}
	}
	wantLines(t, verify(t, c.bundle()).Findings, previous("#4", leafCAs...)...)
}
