package report_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"rootkiln/pki"
)

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
		{"half a marker behind: no reader minds", "", func(c *cluster) {
			c.files[client] = append(text(c, pki.ClientCA), "-----BEGIN garbage\n"...)
			c.files["tls/client-ca.key"] = append(c.files["tls/client-ca.key"], "trailing -----BEGIN garbage\n"...)
		}, []string{"pem-normalised " + client, "pem-normalised tls/client-ca.key"}},
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
		{"one block of the chain does not parse", "", func(c *cluster) {
			broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}})
			c.files[client] = concat(pki.EncodeCertificates(c.certs[pki.ClientCA]), broken)
		}, []string{"certificate-parse " + client}},
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
		{"two, glued: the first is lost, and the second", "", func(c *cluster) {
			c.files[file] = concat(bytes.TrimSpace(c.files[file]), c.files[file])
		}, []string{"pem-glued " + file}},
		{"one behind a text on its line", "", func(c *cluster) {
			c.files[file] = concat(c.files[file], []byte("old: "), keyPEM(c.t, newKey(c.t, pki.P256)))
		}, []string{"pem-glued " + file}},
		{"half a marker behind: no reader minds", "", func(c *cluster) {
			c.files[file] = append(c.files[file], "-----BEGIN garbage\n"...)
		}, []string{"pem-normalised " + file}},
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
