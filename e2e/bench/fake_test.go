package main

import (
	"archive/tar"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fake makes a stand-in for rootkiln, a shell script that copies archives, and
// returns its commands with an equally fast script. The server archive of the
// default bundle is what edit leaves of the right files.
func fake(t *testing.T, edit func(map[string][]byte)) []command {
	t.Helper()
	upstream, _ := scriptOutput()
	dir := t.TempDir()
	strict := strictFiles(x509.MarshalPKCS1PrivateKey(rsaKey()), "RSA PRIVATE KEY")
	edit(strict)
	der, err := x509.MarshalECPrivateKey(ecKey(elliptic.P256()))
	must(err)
	write := func(name string, files map[string][]byte) {
		must(os.WriteFile(filepath.Join(dir, name), archive(files), 0o600))
	}
	write("strict", strict)
	write("ec", strictFiles(der, "EC PRIVATE KEY"))
	write("offline", map[string][]byte{"root-ca.key": []byte("key")})
	files := map[string][]byte{}
	for _, f := range elevenFiles() {
		files[f], err = os.ReadFile(filepath.Join(filepath.Dir(upstream), f))
		must(err)
	}
	write("upstream", files)

	text := `#!/bin/sh
set -e
from='` + dir + `'
case "$*" in
version) echo stand-in 1; exit ;;
*--service-alg*) cat "$from/ec" ;;
*upstream*) cp "$from/upstream" tls.tar.gz ;;
*) cp "$from/strict" tls.tar.gz ;;
esac
cp "$from/offline" tls-offline.tar.gz
`
	must(os.WriteFile(filepath.Join(dir, "rootkiln"), []byte(text), 0o700))
	return commands(filepath.Join(dir, "rootkiln"), "cp -R '"+upstream+"' \"$1\"")
}

// withoutLast drops the last certificate of a chain.
func withoutLast(chain []byte) []byte {
	return chain[:bytes.LastIndex(chain, []byte("-----BEGIN"))]
}

func rsaKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	return key
}

func ecKey(c elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(c, rand.Reader)
	must(err)
	return key
}

// authority is a certificate with its key and the PEM chain above it.
type authority struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	chain []byte
}

// issue makes a CA below issuer, or a root.
func issue(name string, curve elliptic.Curve, issuer *authority) *authority {
	a := &authority{key: ecKey(curve)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	parent, signer, above := template, a.key, []byte(nil)
	if issuer != nil {
		parent, signer, above = issuer.cert, issuer.key, issuer.chain
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, a.key.Public(), signer)
	must(err)
	a.cert, err = x509.ParseCertificate(der)
	must(err)
	a.chain = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), above...)
	return a
}

// strictFiles makes the eleven files in the default, isolated topology.
func strictFiles(serviceKey []byte, serviceType string) map[string][]byte {
	files := map[string][]byte{
		"tls/service.key": pem.EncodeToMemory(&pem.Block{Type: serviceType, Bytes: serviceKey}),
	}
	for _, name := range authorities {
		issuer := issue(name+"-root", elliptic.P384(), nil)
		if name == "server" {
			issuer = issue("intermediate", elliptic.P384(), issuer)
		}
		put(files, name, issue(name, elliptic.P256(), issuer))
	}
	return files
}

// put stores a leaf CA under its two file names.
func put(files map[string][]byte, name string, leaf *authority) {
	der, err := x509.MarshalECPrivateKey(leaf.key)
	must(err)
	files["tls/"+name+"-ca.crt"] = leaf.chain
	files["tls/"+name+"-ca.key"] = pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// archive writes files as a tar archive.
func archive(files map[string][]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	must(w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tls/", Mode: 0o700}))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		must(w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(files[name]))}))
		_, err := w.Write(files[name])
		must(err)
	}
	must(w.Close())
	return b.Bytes()
}
