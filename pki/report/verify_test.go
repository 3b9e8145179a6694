package report_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"

	"rootkiln/pki"
)

// defect is one thing that can be wrong with a bundle, and all that Verify says
// about it: its own finding, and what follows from it.
type defect struct {
	name     string
	topology pki.Topology
	fault    func(*cluster)
	want     []string // code and subject
}

const (
	server        = "tls/server-ca.crt"
	client        = "tls/client-ca.crt"
	requestHeader = "tls/request-header-ca.crt"
	etcdPeer      = "tls/etcd/peer-ca.crt"
	etcdServer    = "tls/etcd/server-ca.crt"
)

func runDefects(t *testing.T, defects []defect) {
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			topology := d.topology
			if topology == "" {
				topology = pki.Isolated
			}
			c := newCluster(t, topology)
			d.fault(c)
			wantLines(t, verify(t, c.bundle()).Findings, d.want...)
		})
	}
}

// What Go lets pass and OpenSSL and Java refuse, or the other way round.
func TestDefectsOfTheTwoTrustModels(t *testing.T) {
	runDefects(t, []defect{
		{"intermediate with path length 0", "", func(c *cluster) {
			c.reissue(pki.Intermediate, func(i, _ *x509.Certificate) { i.MaxPathLen, i.MaxPathLenZero = 0, true })
		}, []string{"path-length " + server + "#2", "probe-path-domain " + server}},

		{"root with path length 1", "", func(c *cluster) {
			c.reissue(pki.Root, func(r, _ *x509.Certificate) { r.MaxPathLen = 1 })
		}, []string{"path-length " + server + "#3", "probe-path-domain " + server}},

		{"cross certificate with path length 0: holders of the old root, at the end, fail", "", func(c *cluster) {
			old, renewed, key := c.certs[pki.ClientRoot], c.certs[pki.Root], c.keys[pki.Root]
			cross := *renewed
			cross.MaxPathLen, cross.MaxPathLenZero = 0, true
			cross.AuthorityKeyId, cross.NotAfter = old.SubjectKeyId, old.NotAfter
			leaf := sign(c.t, c.certs[pki.ClientCA], renewed, c.certs[pki.ClientCA].PublicKey, key)
			c.order[pki.ClientCA] = []*x509.Certificate{leaf, renewed, sign(c.t, &cross, old, renewed.PublicKey, c.keys[pki.ClientRoot]), old}
		}, []string{"path-length " + client + "#3", "previous-ca " + client + "#4", "probe-path-domain " + client, "shared-trust tls"}},

		{"the old root at the end has ended: the new one still carries", "", func(c *cluster) {
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.NotAfter = issueTime.Add(-time.Second) })
			old, renewed, key := c.certs[pki.ClientRoot], c.certs[pki.Root], c.keys[pki.Root]
			cross := *renewed
			cross.AuthorityKeyId, cross.NotAfter = old.SubjectKeyId, old.NotAfter
			leaf := sign(c.t, c.certs[pki.ClientCA], renewed, c.certs[pki.ClientCA].PublicKey, key)
			c.order[pki.ClientCA] = []*x509.Certificate{leaf, renewed, sign(c.t, &cross, old, renewed.PublicKey, c.keys[pki.ClientRoot]), old}
		}, []string{"previous-ca-expired " + client + "#3", "previous-ca-expired " + client + "#4", "shared-trust tls"}},

		{"name constraints on the root, of DNS names", "", func(c *cluster) {
			c.reissue(pki.Root, func(r, _ *x509.Certificate) { r.PermittedDNSDomains = []string{"example.org"} })
		}, []string{"name-constraints " + server + "#3", "probe-path-domain " + server}},

		{"name constraints on the root, of addresses", "", func(c *cluster) {
			c.reissue(pki.Root, func(r, _ *x509.Certificate) {
				r.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(10, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}
			})
		}, []string{"name-constraints " + server + "#3", "probe-path-domain " + server}},

		{"name constraints that forbid one name of five leaves", "", func(c *cluster) {
			c.reissue(pki.Root, func(r, _ *x509.Certificate) { r.ExcludedDNSDomains = []string{"kubernetes"} })
		}, []string{"name-constraints " + server + "#3", "probe-path " + server, "probe-path " + server}},

		{"name constraints on the leaf CA", "", func(c *cluster) {
			c.reissue(pki.ServerCA, func(l, _ *x509.Certificate) { l.PermittedDNSDomains = []string{"example.org"} })
		}, []string{"name-constraints " + server, "probe-go-domain " + server, "probe-path-domain " + server}},

		{"name constraints over several domains: told once", pki.Shared, func(c *cluster) {
			c.reissue(pki.Root, func(r, _ *x509.Certificate) { r.PermittedDNSDomains = []string{"example.org"} })
		}, []string{
			"name-constraints " + server + "#3", "probe-path-domain " + server, "probe-path " + etcdPeer, "probe-path " + etcdServer,
			"shared-trust tls",
		}},

		{"intermediate for clientAuth only", "", func(c *cluster) {
			c.reissue(pki.Intermediate, func(i, _ *x509.Certificate) { i.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
		}, []string{"eku-breaks-token " + server + "#2", "token-fallback " + server, "probe-path-domain " + server}},

		{"leaf CA for serverAuth only, under which both is needed", "", func(c *cluster) {
			c.reissue(pki.EtcdPeerCA, func(l, _ *x509.Certificate) { l.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
		}, []string{"probe-go " + etcdPeer, "probe-path " + etcdPeer}},

		{"leaf CA for clientAuth only, under which one leaf needs both", "", func(c *cluster) {
			c.reissue(pki.EtcdServerCA, func(l, _ *x509.Certificate) { l.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
		}, []string{"eku-breaks-token " + etcdServer, "probe-go " + etcdServer, "probe-path " + etcdServer}},

		{"intermediate signed by another root", "", func(c *cluster) {
			other, key := root(c.t, "another root")
			c.replace(pki.Intermediate, sign(c.t, c.certs[pki.Intermediate], other, c.keys[pki.Intermediate].Public(), key))
		}, []string{"chain-incomplete " + server, "chain-extra " + server + "#3", "token-fallback " + server, "probe-path-domain " + server}},

		{"root of the right name with another key", "", func(c *cluster) {
			other, _ := root(c.t, c.certs[pki.Root].Subject.CommonName)
			c.replace(pki.Root, other)
		}, []string{"signature-invalid " + server + "#2", "chain-extra " + server + "#3", "token-fallback " + server, "probe-path-domain " + server}},

		{"leaf CA has ended", "", func(c *cluster) {
			c.reissue(pki.ServerCA, func(l, _ *x509.Certificate) { l.NotAfter = issueTime.Add(-time.Minute) })
		}, []string{"expired " + server, "token-fallback " + server, "probe-go-domain " + server, "probe-path-domain " + server}},

		{"root has ended", "", func(c *cluster) {
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.NotAfter = issueTime.Add(-time.Minute) })
		}, []string{"expired " + client + "#2", "child-outlives-parent " + client, "probe-path-domain " + client}},

		{"leaf CA that begins tomorrow", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.NotBefore = issueTime.AddDate(0, 0, 1) })
		}, []string{"not-yet-valid " + client, "probe-go-domain " + client, "probe-path-domain " + client}},

		{"leaf CA that is no CA", "", func(c *cluster) {
			c.reissue(pki.ServerCA, func(l, _ *x509.Certificate) { l.IsCA, l.MaxPathLenZero = false, false })
		}, []string{"not-ca " + server, "probe-go-domain " + server, "probe-path-domain " + server}},

		{"leaf CA that may not sign certificates", "", func(c *cluster) {
			c.reissue(pki.ServerCA, func(l, _ *x509.Certificate) { l.KeyUsage = x509.KeyUsageDigitalSignature })
		}, []string{"no-cert-sign " + server, "probe-go-domain " + server, "probe-path-domain " + server}},

		{"intermediate that is no CA", "", func(c *cluster) {
			c.reissue(pki.Intermediate, func(i, _ *x509.Certificate) { i.IsCA, i.MaxPathLen = false, 0 })
		}, []string{"not-ca " + server + "#2", "token-fallback " + server, "probe-path-domain " + server}},

		{"missing root", "", func(c *cluster) {
			c.order[pki.ServerCA] = c.order[pki.ServerCA][:2]
		}, []string{"chain-incomplete " + server, "token-fallback " + server, "probe-path-domain " + server}},

		{"a leaf CA alone", "", func(c *cluster) {
			c.order[pki.ClientCA] = c.order[pki.ClientCA][:1]
		}, []string{"chain-incomplete " + client, "single-certificate " + client, "probe-path-domain " + client}},

		{"the server CA alone: the token hashes the file", "", func(c *cluster) {
			c.order[pki.ServerCA] = c.order[pki.ServerCA][:1]
		}, []string{"chain-incomplete " + server, "single-certificate " + server, "token-file-hash " + server, "probe-path-domain " + server}},
	})
}

// What stands in a CA file, and in which order.
func TestDefectsOfChains(t *testing.T) {
	runDefects(t, []defect{
		{"root first", "", func(c *cluster) { slices.Reverse(c.order[pki.ClientCA]) }, []string{"chain-order " + client}},

		{"root first, where the token is made", "", func(c *cluster) { slices.Reverse(c.order[pki.ServerCA]) },
			[]string{"chain-order " + server, "token-fallback " + server}},

		{"root first, and no key to tell", "", func(c *cluster) {
			slices.Reverse(c.order[pki.ClientCA])
			c.files["tls/client-ca.key"] = nil
		}, []string{"chain-order " + client, "key-missing " + client}},

		{"root before the intermediate", "", func(c *cluster) {
			chain := c.order[pki.ServerCA]
			c.order[pki.ServerCA] = []*x509.Certificate{chain[0], chain[2], chain[1]}
		}, []string{"chain-shuffled " + server}},

		{"a stranger's root at the end", "", func(c *cluster) {
			other, _ := root(c.t, "a stranger")
			c.order[pki.ClientCA] = append(slices.Clone(c.order[pki.ClientCA]), other)
		}, []string{"chain-extra " + client + "#3"}},

		{"a leaf certificate in a CA file", "", func(c *cluster) {
			template := &x509.Certificate{NotBefore: issueTime.Time, NotAfter: issueTime.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
			leaf := sign(c.t, template, c.certs[pki.ClientCA], newKey(c.t, pki.P256).Public(), c.keys[pki.ClientCA])
			c.order[pki.ClientCA] = append(slices.Clone(c.order[pki.ClientCA]), leaf)
		}, []string{"not-ca " + client + "#3", "no-cert-sign " + client + "#3", "ski-missing " + client + "#3"}},

		{"leaf CA outlives its issuer", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, parent *x509.Certificate) { l.NotAfter = parent.NotAfter.Add(5 * time.Second) })
		}, []string{"child-outlives-parent " + client}},

		{"leaf CA begins before its issuer", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, parent *x509.Certificate) { l.NotBefore = parent.NotBefore.Add(-5 * time.Second) })
		}, []string{"child-before-parent " + client}},

		{"leaf CA names another issuer key", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(_, parent *x509.Certificate) { parent.SubjectKeyId = []byte("another key") })
		}, []string{"aki-mismatch " + client}},

		{"root names another issuer key", "", func(c *cluster) {
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.AuthorityKeyId = []byte("another key") })
		}, []string{"aki-mismatch " + client + "#2"}},

		{"leaf CA without key identifiers", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, parent *x509.Certificate) {
				parent.SubjectKeyId, l.AuthorityKeyId = nil, nil
			})
		}, []string{"aki-missing " + client}},

		{"two certificates of one issuer with one serial number", pki.Shared, func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.SerialNumber = c.certs[pki.ServerCA].SerialNumber })
		}, []string{"serial-duplicate " + "k3s-client-ca@1795377600", "shared-trust tls"}},

		{"serial number 0", "", func(c *cluster) {
			c.replace(pki.ClientCA, resign(c.t, c.certs[pki.ClientCA], c.keys[pki.ClientRoot], new(big.Int), false))
		}, []string{"serial-range " + client}},

		{"serial number of 21 octets", "", func(c *cluster) {
			long := new(big.Int).Lsh(big.NewInt(1), 8*20)
			c.replace(pki.ClientCA, resign(c.t, c.certs[pki.ClientCA], c.keys[pki.ClientRoot], long, false))
		}, []string{"serial-range " + client}},

		{"negative serial number: Go does not read it", "", func(c *cluster) {
			der := bytes.Clone(c.certs[pki.ClientCA].Raw)
			at := bytes.Index(der, c.certs[pki.ClientCA].SerialNumber.Bytes())
			der[at] |= 0x80
			c.files[client] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		}, []string{"certificate-parse " + client}},

		{"SHA-1 signature", "", func(c *cluster) {
			weakSignature(c, pki.ClientRoot, pki.ClientCA)
		}, []string{"signature-weak " + client, "probe-path-domain " + client}},

		{"RSA root of 1024 bits", "", func(c *cluster) {
			key, err := rsa.GenerateKey(rand.Reader, 1024)
			if err != nil {
				c.t.Fatal(err)
			}
			newRoot(c, pki.ClientRoot, pki.ClientCA, softKey(c.t, key))
		}, []string{"key-weak " + client + "#2"}},

		{"RSA root of 16384 bits: not computed with", "", func(c *cluster) {
			modulus := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 16383), 0, 1)
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.PublicKey = &rsa.PublicKey{N: modulus, E: 65537} })
		}, []string{"key-unsupported " + client + "#2", "probe-path-domain " + client}},

		{"leaf CA with such a key", "", func(c *cluster) {
			modulus := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 16383), 0, 1)
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.PublicKey = &rsa.PublicKey{N: modulus, E: 65537} })
		}, []string{"key-unsupported " + client, "key-mismatch tls/client-ca.key"}},

		{"dates before 1970", "", func(c *cluster) {
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.NotBefore = time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC) })
		}, []string{"date-before-1970 " + client + "#2"}},

		{"ends before it begins", "", func(c *cluster) {
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.NotAfter = r.NotBefore.Add(-time.Hour) })
		}, []string{"dates-reversed " + client + "#2", "child-outlives-parent " + client, "probe-path-domain " + client}},

		{"the CA's year is shorter than its leaves'", "", func(c *cluster) {
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.NotAfter = issueTime.AddDate(0, 6, 0) })
		}, []string{"leaf-outlives-ca " + client}},

		{"the root ends with it", "", func(c *cluster) {
			c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.NotAfter = issueTime.AddDate(0, 6, 0) })
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.NotAfter = issueTime.AddDate(0, 6, 0) })
		}, []string{"leaf-outlives-ca " + client}},

		{"more certificates than a chain can have", "", func(c *cluster) {
			for range 64 {
				c.order[pki.ClientCA] = append(slices.Clone(c.order[pki.ClientCA]), c.certs[pki.ClientRoot])
			}
		}, []string{"bundle-too-large " + client}},
	})
}

// newRoot puts another root over a leaf CA.
func newRoot(c *cluster, rootRole, leaf pki.Role, key pki.Key) {
	template := *c.certs[rootRole]
	template.SubjectKeyId = []byte{1}
	c.keys[rootRole] = key
	c.replace(rootRole, sign(c.t, &template, &template, key.Public(), key))
	c.reissue(leaf, func(l, _ *x509.Certificate) { l.AuthorityKeyId = nil })
}

func weakSignature(c *cluster, rootRole, leaf pki.Role) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.t.Fatal(err)
	}
	newRoot(c, rootRole, leaf, softKey(c.t, key))
	c.replace(leaf, resign(c.t, c.certs[leaf], key, c.certs[leaf].SerialNumber, true))
}

func softKey(t testing.TB, key *rsa.PrivateKey) pki.Key {
	t.Helper()
	k, err := pki.SoftwareKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
