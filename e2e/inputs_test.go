package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// inputs are what the operator brings along, files above all, and what must
// come of it.
type inputs struct {
	flags       []string
	issuer      *issuer            // must stand above the server's CA; nil: rootkiln makes one
	serviceKeys []crypto.PublicKey // must stay in service.key
	noNewKey    bool               // and nothing before them
}

// given are the operator's own authorities: the next one first, the root last.
func (in inputs) given() []*x509.Certificate {
	if in.issuer == nil {
		return nil
	}
	return in.issuer.chain
}

// nothing is the start from zero.
func nothing(testing.TB) inputs { return inputs{} }

// ownRoot is an RSA root as old company CAs are, its key in PKCS#1.
func ownRoot(t testing.TB) inputs {
	dir := t.TempDir()
	root := newIssuer(t, "Company Root CA", rsaKey(t), nil)
	return inputs{
		issuer: root,
		flags: []string{
			"--root", write(t, dir, "root-ca.pem", encodeChain(root.chain...)),
			"--root-key", write(t, dir, "root-ca.key", encodeKey(t, "RSA PRIVATE KEY", root.key)),
		},
	}
}

// ownIntermediate leaves the root's key at home; the intermediate's is SEC1.
func ownIntermediate(t testing.TB) inputs {
	dir := t.TempDir()
	root := newIssuer(t, "Company Root CA", ecKey(t, elliptic.P384()), nil)
	intermediate := newIssuer(t, "Company Cluster CA", ecKey(t, elliptic.P256()), root)
	return inputs{
		issuer: intermediate,
		flags: []string{
			"--root", write(t, dir, "root-ca.pem", encodeChain(root.chain...)),
			"--intermediate", write(t, dir, "intermediate-ca.pem", encodeChain(intermediate.chain[0])),
			"--intermediate-key", write(t, dir, "intermediate-ca.key", encodeKey(t, "EC PRIVATE KEY", intermediate.key)),
		},
	}
}

// corporateChain has a policy CA between root and issuing CA, all three
// certificates in the intermediate's file, the key in PKCS#8.
func corporateChain(t testing.TB) inputs {
	dir := t.TempDir()
	root := newIssuer(t, "Company Root CA", rsaKey(t), nil)
	policy := newIssuer(t, "Company Policy CA", rsaKey(t), root)
	issuing := newIssuer(t, "Company Issuing CA", ecKey(t, elliptic.P384()), policy)
	return inputs{
		issuer: issuing,
		flags: []string{
			"--intermediate", write(t, dir, "intermediate-ca.pem", encodeChain(issuing.chain...)),
			"--intermediate-key", write(t, dir, "intermediate-ca.key", encodeKey(t, "PRIVATE KEY", issuing.key)),
		},
	}
}

// oldServiceKey goes behind a new key: tokens it signed stay valid.
func oldServiceKey(t testing.TB) inputs {
	key := rsaKey(t)
	return inputs{
		serviceKeys: []crypto.PublicKey{key.Public()},
		flags:       []string{"--service-key", write(t, t.TempDir(), "service.key", encodeKey(t, "RSA PRIVATE KEY", key))},
	}
}

// sameServiceKey stays the key that signs.
func sameServiceKey(t testing.TB) inputs {
	in := oldServiceKey(t)
	in.noNewKey = true
	in.flags = append(in.flags, "--service-key-keep")
	return in
}

// everything is own root, own intermediate and two old service keys at once.
func everything(t testing.TB) inputs {
	in := ownIntermediate(t)
	for _, old := range []inputs{oldServiceKey(t), oldServiceKey(t)} {
		in.flags = append(in.flags, old.flags...)
		in.serviceKeys = append(in.serviceKeys, old.serviceKeys...)
	}
	return in
}

// scriptFolder has the file names that the example script of k3s looks for.
func scriptFolder(t testing.TB) inputs {
	dir := t.TempDir()
	root := newIssuer(t, "Company Root CA", rsaKey(t), nil)
	intermediate := newIssuer(t, "Company Cluster CA", ecKey(t, elliptic.P256()), root)
	service := rsaKey(t)
	write(t, dir, "root-ca.pem", encodeChain(root.chain...))
	write(t, dir, "intermediate-ca.pem", encodeChain(intermediate.chain[0]))
	write(t, dir, "intermediate-ca.key", encodeKey(t, "EC PRIVATE KEY", intermediate.key))
	write(t, dir, "service.key", encodeKey(t, "RSA PRIVATE KEY", service))
	return inputs{
		issuer:      intermediate,
		serviceKeys: []crypto.PublicKey{service.Public()},
		flags:       []string{"--inputs", dir},
	}
}

// names are in every subject; k3s compares none of them.
func names(testing.TB) inputs {
	return inputs{flags: []string{"--name", "edge-01", "--organization", "Company, Edge"}}
}

// nameConstraints limit the server's CA to what this node's certificate has
// beside the names that every cluster has.
func nameConstraints(testing.TB) inputs {
	return inputs{flags: []string{"--permit-dns", nodeName, "--permit-ip", serviceIP + "/32"}}
}

// issuer is an authority of a company that knows nothing of rootkiln.
type issuer struct {
	key   crypto.Signer
	chain []*x509.Certificate // its own certificate first, the root last
}

// newIssuer makes an authority below the parent, a root if there is none.
func newIssuer(t testing.TB, name string, key crypto.Signer, parent *issuer) *issuer {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{Country: []string{"DE"}, Organization: []string{"Company"}, CommonName: name},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().AddDate(15, 0, 0),
		KeyUsage:     x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:         true, BasicConstraintsValid: true,
	}
	if parent == nil {
		return &issuer{key: key, chain: []*x509.Certificate{sign(t, template, template, key.Public(), key)}}
	}
	certificate := sign(t, template, parent.chain[0], key.Public(), parent.key)
	return &issuer{key: key, chain: append([]*x509.Certificate{certificate}, parent.chain...)}
}

func sign(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// encodeKey writes a private key in the form that the block type stands for.
func encodeKey(t testing.TB, blockType string, key crypto.Signer) []byte {
	t.Helper()
	var der []byte
	var err error
	switch blockType {
	case "RSA PRIVATE KEY":
		der = x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))
	case "EC PRIVATE KEY":
		der, err = x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	default:
		der, err = x509.MarshalPKCS8PrivateKey(key)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
