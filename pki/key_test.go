package pki_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
)

// Every algorithm in every form that openssl writes.
func TestParseKeys(t *testing.T) {
	for _, spec := range pki.KeySpecs {
		key := newKey(t, spec)
		own, err := pki.ExportPEM(key) // PKCS#1 or SEC1
		if err != nil {
			t.Fatal(err)
		}
		forms := map[string][]byte{
			"RSA PRIVATE KEY": own, "EC PRIVATE KEY": own,
			"PRIVATE KEY": run(t, own, "openssl", "pkcs8", "-topk8", "-nocrypt"),
		}
		delete(forms, map[bool]string{true: "EC PRIVATE KEY", false: "RSA PRIVATE KEY"}[spec.Bits() > 0])
		for kind, text := range forms {
			found, notes, err := pki.ParseKeys("root-ca.key", text)
			if err != nil || len(found) != 1 {
				t.Errorf("%s as %s: %v", spec, kind, err)
				continue
			}
			wantCodes(t, notes)
			if found[0].Type != kind || !found[0].Key.Public().(equaler).Equal(key.Public()) {
				t.Errorf("%s as %s: read as %s", spec, kind, found[0].Type)
			}
			if back, err := found[0].Key.PEM(); err != nil || !bytes.Equal(back, own) {
				t.Errorf("%s as %s: written back differently (%v)", spec, kind, err)
			}
		}
	}
}

// Several keys, with the parameter blocks that `openssl ecparam` puts in front.
func TestSeveralKeys(t *testing.T) {
	a, b := newKey(t, pki.P256), newKey(t, pki.RSA2048)
	first, _ := pki.ExportPEM(a)
	second, _ := pki.ExportPEM(b)
	params := run(t, nil, "openssl", "ecparam", "-name", "prime256v1")
	if !bytes.Contains(params, []byte("EC PARAMETERS")) {
		t.Fatalf("openssl writes %s", params)
	}
	found, notes, err := pki.ParseKeys("service.key", join(params, first, second))
	if err != nil || len(found) != 2 || !found[1].Key.Public().(equaler).Equal(b.Public()) {
		t.Fatal(found, err)
	}
	wantCodes(t, notes)
	// the upstream script leaves a blank line behind the first key
	if _, notes, err := pki.ParseKeys("service.key", join(second, "\n")); err != nil || len(notes) > 0 {
		t.Error(err, notes)
	}
	_, notes, err = pki.ParseKeys("service.key", join("# signs tokens\r\n", first))
	if err != nil {
		t.Fatal(err)
	}
	wantCodes(t, notes, "pem-normalised")
}

func TestKeysRefused(t *testing.T) {
	plain, err := pki.ExportPEM(newKey(t, pki.P256))
	if err != nil {
		t.Fatal(err)
	}
	rsaPlain, err := pki.ExportPEM(newKey(t, pki.RSA2048))
	if err != nil {
		t.Fatal(err)
	}
	cert := pki.EncodeCertificates(authority(t, "x", pki.P256, nil).Certificate)
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	prime := func(bits int) *big.Int {
		p, err := foreign.store.prime(bits)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	next := prime(1024)
	after := new(big.Int).Add(next, big.NewInt(2))
	for !after.ProbablyPrime(20) {
		after.Add(after, big.NewInt(2))
	}
	for _, tt := range []struct {
		name string
		file []byte
		code pki.Code
	}{
		{"encrypted, PKCS#8", run(t, plain, "openssl", "pkcs8", "-topk8", "-passout", "pass:secret"), "key-encrypted"},
		{"encrypted, SEC1", run(t, plain, "openssl", "ec", "-aes128", "-passout", "pass:secret"), "key-encrypted"},
		{"encrypted, PKCS#1", run(t, rsaPlain, "openssl", "rsa", "-aes128", "-traditional", "-passout", "pass:secret"), "key-encrypted"},
		{"a TPM key file", []byte("-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n-----END TSS2 PRIVATE KEY-----\n"), "key-tpm"},
		{"a certificate", cert, "pem-type"},
		{"a certificate behind", join(plain, cert), "pem-type"},
		{"a public key", run(t, plain, "openssl", "pkey", "-pubout"), "pem-type"},
		{"an OpenSSH key", []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n"), "pem-type"},
		{"only parameters", run(t, nil, "openssl", "ecparam", "-name", "prime256v1"), "pem-none"},
		{"empty", nil, "pem-none"},
		{"the wrong label", replace(plain, "EC PRIVATE", "RSA PRIVATE"), "key-parse"},
		{"glued", join(bytes.TrimSpace(plain), plain), "pem-glued"},
		{"Ed25519", pkcs8(ed), "key-unsupported"},
		{"X25519", pkcs8(x25519), "key-unsupported"},
		{"P-224", pkcs8(p224), "key-unsupported"},
		{"secp256k1", run(t, nil, "openssl", "ecparam", "-name", "secp256k1", "-genkey", "-noout"), "key-parse"},
		{"RSA-1024", pkcs8(rsaKey(prime(512), prime(512), 65537)), "key-weak"},
		{"exponent 17", pkcs8(rsaKey(prime(1024), prime(1024), 17)), "key-weak"},
		// Go itself refuses primes as near as these (CVE-2022-26320).
		{"close primes", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey(next, after, 65537))}), "key-parse"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := pki.ParseKeys("root-ca.key", tt.file)
			found := reasons(t, err)
			wantCodes(t, found, tt.code)
			if found[0].Subject != "root-ca.key" {
				t.Errorf("subject %q", found[0].Subject)
			}
		})
	}
}

// Whatever is wrong with a key file, no part of it stands in the error.
func TestErrorsHoldNoSecret(t *testing.T) {
	text, err := pki.ExportPEM(newKey(t, pki.RSA2048))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	body := strings.Split(string(text), "\n")
	broken := [][]byte{
		text[:len(text)/2], replace(text, "MII", "M!I"), replace(text, "RSA PRIVATE", "EC PRIVATE"),
		replace(text, "RSA PRIVATE", "PRIVATE"), replace(text, "RSA PRIVATE KEY", "CERTIFICATE"), join(text, bytes.TrimSpace(text), text),
	}
	for i := range block.Bytes[:200] {
		flipped := bytes.Clone(block.Bytes)
		flipped[i] ^= 0x41
		broken = append(broken, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: flipped}))
	}
	refused := 0
	for _, file := range broken {
		_, _, err := pki.ParseKeys("service.key", file)
		if err == nil {
			_, _, err = pki.ParseCertificates("service.key", file)
		}
		if err != nil {
			refused++
		}
		for _, line := range body[1 : len(body)-2] {
			if err != nil && (strings.Contains(err.Error(), line) || strings.Contains(err.Error(), line[:16])) {
				t.Fatalf("a line of the key in %q", err)
			}
		}
	}
	if refused != len(broken) {
		t.Errorf("only %d of %d were refused", refused, len(broken))
	}
}

// A key from another decoder has to be one that rootkiln makes.
func TestUsableKey(t *testing.T) {
	for _, spec := range pki.KeySpecs {
		text, _ := pki.ExportPEM(newKey(t, spec))
		found, _, err := pki.ParseKeys("", text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pki.UsableKey("root-ca.key", found[0].Key); err == nil {
			t.Errorf("%s: a wrapped key was wrapped again", spec)
		}
	}
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if usable, err := pki.UsableKey("root-ca.key", k); err != nil || !usable.Public().(equaler).Equal(k.Public()) {
		t.Error(err)
	}
	for _, key := range []any{nil, "key", k.PublicKey, struct{}{}} {
		_, err := pki.UsableKey("root-ca.key", key)
		wantRefusal(t, err, "key-unsupported")
	}
	if _, err := pki.ExportPEM(garbage{newKey(t, pki.P256)}); !errors.Is(err, pki.ErrNotExportable) {
		t.Error(err)
	}
}

func TestDescribeKey(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, pub := range map[string]any{
		"rsa1024": &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537},
		"rsa4097": &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 4096), E: 65537},
		"ed25519": ed25519.PublicKey(nil), "P-224": &p224.PublicKey, "p521": newKey(t, pki.P521).Public(),
	} {
		if got := pki.DescribeKey(pub); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if _, ok := pki.SpecOf(pub); ok != slices.Contains(pki.KeySpecs, pki.KeySpec(want)) {
			t.Errorf("%s: SpecOf says %v", want, ok)
		}
	}
}
