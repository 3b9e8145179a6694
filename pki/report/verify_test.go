package report_test

import (
	"bytes"
	"crypto/ed25519"
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

		{"intermediate for clientAuth only", "", func(c *cluster) {
			c.reissue(pki.Intermediate, func(i, _ *x509.Certificate) { i.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
		}, []string{"eku-breaks-token " + server + "#2", "token-fallback " + server, "probe-path-domain " + server}},

		{"leaf CA for serverAuth only, under which both is needed", "", func(c *cluster) {
			c.reissue(pki.EtcdPeerCA, func(l, _ *x509.Certificate) { l.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
		}, []string{"probe-go " + etcdPeer, "probe-path " + etcdPeer}},

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

// What is wrong with files: missing halves, broken PEM.
func TestDefectsOfFiles(t *testing.T) {
	text := func(c *cluster, role pki.Role) []byte { return pki.EncodeCertificates(c.order[role]...) }
	runDefects(t, []defect{
		{"no pair", "", func(c *cluster) {
			c.files[client], c.files["tls/client-ca.key"] = nil, nil
		}, []string{"file-missing " + client}},
		{"no key: k3s would overwrite the certificate", "", func(c *cluster) {
			c.files["tls/client-ca.key"] = nil
		}, []string{"key-missing " + client}},
		{"no certificate", "", func(c *cluster) {
			c.files[client] = nil
		}, []string{"certificate-missing " + client}},
		{"key of another CA", "", func(c *cluster) {
			c.files["tls/client-ca.key"] = c.files["tls/request-header-ca.key"]
		}, []string{"key-mismatch tls/client-ca.key"}},
		{"encrypted key", "", func(c *cluster) {
			c.files["tls/client-ca.key"] = pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{0x30, 0}})
		}, []string{"key-encrypted tls/client-ca.key"}},
		{"key in a TPM", "", func(c *cluster) {
			c.files["tls/client-ca.key"] = pem.EncodeToMemory(&pem.Block{Type: "TSS2 PRIVATE KEY", Bytes: []byte{0x30, 0}})
		}, []string{"key-tpm tls/client-ca.key"}},
		{"empty certificate file", "", func(c *cluster) {
			c.files[client] = []byte("\n")
		}, []string{"pem-none " + client}},
		{"glued blocks", "", func(c *cluster) {
			c.files[client] = bytes.ReplaceAll(text(c, pki.ClientCA), []byte("-----\n-----"), []byte("----------"))
		}, []string{"pem-glued " + client}},
		{"cut off", "", func(c *cluster) {
			c.files[client] = text(c, pki.ClientCA)[:1000]
		}, []string{"pem-truncated " + client}},
		{"not base64", "", func(c *cluster) {
			c.files[client] = bytes.Replace(text(c, pki.ClientCA), []byte("MII"), []byte("M!I"), 1)
		}, []string{"pem-undecodable " + client}},
		{"Windows line ends and a comment are taken", "", func(c *cluster) {
			c.files[client] = append([]byte("client CA\r\n"), bytes.ReplaceAll(text(c, pki.ClientCA), []byte("\n"), []byte("\r\n"))...)
		}, []string{"pem-normalised " + client}},
		{"a key in the certificate file", "", func(c *cluster) {
			c.files[client] = concat(text(c, pki.ClientCA), c.files["tls/client-ca.key"])
		}, []string{"pem-type " + client}},
		{"a certificate in the key file", "", func(c *cluster) {
			c.files["tls/client-ca.key"] = concat(c.files["tls/client-ca.key"], text(c, pki.ClientCA))
		}, []string{"pem-type tls/client-ca.key"}},
		{"trailing garbage in a certificate", "", func(c *cluster) {
			c.files[client] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: append(bytes.Clone(c.certs[pki.ClientCA].Raw), 0)})
		}, []string{"certificate-parse " + client}},
	})
}

// What the kube-apiserver cannot read, or should not.
func TestDefectsOfTheServiceKey(t *testing.T) {
	const file = "tls/service.key"
	runDefects(t, []defect{
		{"none", "", func(c *cluster) { c.files[file] = nil }, []string{"service-key-none " + file}},
		{"EC in PKCS#8", "", func(c *cluster) {
			block, _ := pem.Decode(c.files[file])
			key, err := x509.ParseECPrivateKey(block.Bytes)
			if err != nil {
				c.t.Fatal(err)
			}
			c.files[file] = pkcs8(c.t, key)
		}, []string{"service-key-format " + file}},
		{"Ed25519", "", func(c *cluster) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			if err != nil {
				c.t.Fatal(err)
			}
			c.files[file] = pkcs8(c.t, key)
		}, []string{"service-key-format " + file}},
		{"RSA of 1024 bits, behind a good one", "", func(c *cluster) {
			key, err := rsa.GenerateKey(rand.Reader, 1024)
			if err != nil {
				c.t.Fatal(err)
			}
			c.files[file] = concat(c.files[file], pkcs8(c.t, key))
		}, []string{"service-key-weak " + file + "#2"}},
		{"twice", "", func(c *cluster) {
			c.files[file] = concat(c.files[file], c.files[file])
		}, []string{"service-key-duplicate " + file}},
		{"a CA's", "", func(c *cluster) {
			c.files[file] = c.files["tls/client-ca.key"]
		}, []string{"service-key-is-ca " + file}},
		{"EC parameters and old public keys are taken", "", func(c *cluster) {
			der, err := x509.MarshalPKIXPublicKey(newKey(c.t, pki.P256).Public())
			if err != nil {
				c.t.Fatal(err)
			}
			c.files[file] = concat(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 0}}), c.files[file],
				pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		}, nil},
		{"a key that does not parse", "", func(c *cluster) {
			c.files[file] = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte{0x30, 0}})
		}, []string{"key-parse " + file}},
	})
}

// What should not lie on a server, or not like this.
func TestDefectsOfADirectory(t *testing.T) {
	runDefects(t, []defect{
		{"root key", "", func(c *cluster) {
			c.files["tls/root-ca.key"] = keyPEM(c.t, c.keys[pki.Root])
		}, []string{"root-key-on-server tls/root-ca.key"}},
		{"intermediate and domain root key, beside the tls directory", "", func(c *cluster) {
			c.files["safe/i.key"], c.files["safe/c.key"] = keyPEM(c.t, c.keys[pki.Intermediate]), keyPEM(c.t, c.keys[pki.ClientRoot])
		}, []string{"root-key-on-server safe/i.key", "root-key-on-server safe/c.key"}},
		{"root key behind the CA's own, as the rotation script leaves it", "", func(c *cluster) {
			c.files["tls/client-ca.key"] = concat(c.files["tls/client-ca.key"], keyPEM(c.t, c.keys[pki.ClientRoot]))
		}, []string{"root-key-on-server tls/client-ca.key#2"}},
		{"an unknown key", "", func(c *cluster) {
			c.files["tls/old.key"] = keyPEM(c.t, newKey(c.t, pki.P256))
		}, []string{"key-leftover tls/old.key"}},
		{"leftovers", "", func(c *cluster) {
			c.files["tls/root-ca.pem"] = pki.EncodeCertificates(c.certs[pki.Root])
			c.files["tls/etcd/peer-ca.pem"] = pki.EncodeCertificates(c.certs[pki.EtcdPeerCA])
			c.files["tls/README"] = []byte("hello")
		}, []string{"upstream-names tls/root-ca.pem", "upstream-names tls/etcd/peer-ca.pem", "file-extra tls/README"}},
		{"nothing of a cluster", "", func(c *cluster) {
			c.files = map[string][]byte{"notes.txt": []byte("x")}
			for _, row := range c.layout.Rows {
				c.files[row.Path+".crt"] = nil
			}
		}, []string{"bundle-none ."}},
	})
}

func TestModesAndTimes(t *testing.T) {
	b := newCluster(t, pki.Isolated).bundle()
	for i := range b.Files {
		f := &b.Files[i]
		f.Mode, f.Time = f.Kind.Mode(), issueTime.Add(999*time.Millisecond)
	}
	wantLines(t, verify(t, b).Findings)

	b.File("tls/client-ca.key").Mode, b.File("tls/client-ca.crt").Mode = 0o640, 0o666
	b.File("tls/etcd/peer-ca.crt").Time, b.File("tls/server-ca.crt").Time = issueTime.Add(time.Hour), issueTime.Add(2*time.Hour)
	v := verify(t, b)
	wantLines(t, v.Findings, "mode-wide tls/client-ca.key", "mode-wide tls/client-ca.crt", "time-in-future tls/server-ca.crt")
	if got, want := v.Findings[0].Args["mode"]+" "+v.Findings[0].Args["want"], "0666 0644"; got != want {
		t.Errorf("mode and wanted mode %q, want %q", got, want)
	}
}
