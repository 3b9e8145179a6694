package testbed

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a CA with its private key.
type Authority struct {
	Key   crypto.Signer
	Chain []*x509.Certificate // its own certificate first, the root last
}

// ReadAuthority reads path.crt, with every certificate in it, and path.key.
func ReadAuthority(t testing.TB, path string) *Authority {
	t.Helper()
	chain, err := ReadChain(path + ".crt")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(path+".crt", path+".key")
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &Authority{Key: pair.PrivateKey.(crypto.Signer), Chain: chain}
}

// NewAuthority makes a CA below the parent, a root if there is none. edit, if
// any, has the last word on its template.
func NewAuthority(t testing.TB, name string, key crypto.Signer, parent *Authority, edit func(*x509.Certificate)) *Authority {
	t.Helper()
	template := &x509.Certificate{
		NotBefore: time.Now().Add(-24 * time.Hour),
		NotAfter:  time.Now().AddDate(15, 0, 0),
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:      true, BasicConstraintsValid: true,
	}
	template.Subject.CommonName = name
	template.Subject.Organization = []string{"Company"}
	if edit != nil {
		edit(template)
	}
	if parent == nil {
		return &Authority{Key: key, Chain: []*x509.Certificate{Sign(t, template, template, key.Public(), key)}}
	}
	certificate := Sign(t, template, parent.Chain[0], key.Public(), parent.Key)
	return &Authority{Key: key, Chain: append([]*x509.Certificate{certificate}, parent.Chain...)}
}

// Root is the CA's trust anchor.
func (a *Authority) Root() *x509.Certificate { return a.Chain[len(a.Chain)-1] }

// Mint signs a certificate for a client, as whoever holds the CA's key can, and
// returns it with the CA's chain behind it.
func (a *Authority) Mint(t testing.TB, commonName string, organizations ...string) tls.Certificate {
	t.Helper()
	return a.MintFrom(t, func(template *x509.Certificate) {
		template.Subject.CommonName, template.Subject.Organization = commonName, organizations
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	})
}

// MintFrom is Mint for whatever edit writes into the template.
func (a *Authority) MintFrom(t testing.TB, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key := ECKey(t, elliptic.P256())
	template := &x509.Certificate{
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	edit(template)
	leaf := Sign(t, template, a.Chain[0], key.Public(), a.Key)
	pair := tls.Certificate{Leaf: leaf, PrivateKey: key, Certificate: [][]byte{leaf.Raw}}
	for _, ca := range a.Chain {
		pair.Certificate = append(pair.Certificate, ca.Raw)
	}
	return pair
}

// Sign makes a certificate; an absent serial number is drawn.
func Sign(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	if template.SerialNumber == nil {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			t.Fatal(err)
		}
		template.SerialNumber = serial.Add(serial, big.NewInt(1))
	}
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

// RSAKey draws an RSA key of 2048 bits.
func RSAKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ECKey draws a key on the curve.
func ECKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// EncodeKey writes a private key in the form that the PEM block type stands
// for: PKCS#1, SEC1 or PKCS#8.
func EncodeKey(t testing.TB, blockType string, key crypto.Signer) []byte {
	t.Helper()
	var der []byte
	var err error
	switch blockType {
	case "RSA PRIVATE KEY":
		der = x509.MarshalPKCS1PrivateKey(key.(*rsa.PrivateKey))
	case "EC PRIVATE KEY":
		der, err = x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	case "PRIVATE KEY":
		der, err = x509.MarshalPKCS8PrivateKey(key)
	default:
		err = fmt.Errorf("no private key is written as %q", blockType)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

// ReadChain reads every certificate of a file.
func ReadChain(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	chain, err := DecodeChain(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return chain, nil
}

// ReadRoot reads a file that holds a root and nothing else.
func ReadRoot(t testing.TB, file string) *x509.Certificate {
	t.Helper()
	chain, err := ReadChain(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(chain) != 1 {
		t.Fatalf("%s holds %d certificates, not the root alone", file, len(chain))
	}
	return chain[0]
}

// DecodeChain reads every certificate of a PEM text; none is an error.
func DecodeChain(text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, errors.New("no certificate")
	}
	return chain, nil
}

// EncodeChain is the PEM text of certificates.
func EncodeChain(chain ...*x509.Certificate) []byte {
	var text []byte
	for _, certificate := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return text
}

// EncodePair is the PEM texts of a certificate with its chain, and of its key.
func EncodePair(t testing.TB, pair tls.Certificate) (crt, key []byte) {
	t.Helper()
	var text bytes.Buffer
	for _, der := range pair.Certificate {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	return text.Bytes(), EncodeKey(t, "PRIVATE KEY", pair.PrivateKey.(crypto.Signer))
}

// WritePair writes path.crt and path.key for programs that take files.
func WritePair(t testing.TB, path string, pair tls.Certificate) {
	t.Helper()
	crt, key := EncodePair(t, pair)
	Write(t, path+".crt", crt)
	Write(t, path+".key", key)
}

// Write writes a file that its owner alone can read, and the folders above it.
func Write(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Pool holds the certificates as trust anchors.
func Pool(certificates ...*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, certificate := range certificates {
		p.AddCert(certificate)
	}
	return p
}

// TokenHash is what a k3s token pins: the root's SHA-256 in hexadecimal.
func TokenHash(root *x509.Certificate) string {
	sum := sha256.Sum256(root.Raw)
	return hex.EncodeToString(sum[:])
}
