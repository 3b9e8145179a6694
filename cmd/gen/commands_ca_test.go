package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptCA makes NAME.crt and NAME.key: a CA as other tools make them, with the
// defects that are asked for.
//
//	ca NAME [by=NAME] [key=p256|p384|p521|rsa2048|rsa1024|ed25519] [form=sec1|pkcs1|pkcs8]
//	   [from=±DAYS] [to=±DAYS] [pathlen=N] [dns=SUFFIX] [not=SUFFIX] [cn=NAME]
//	   [leaf] [nosign] [noski] [eku] [chain] [rekey=NAME]
//
// from and to are days from now; dns permits and not excludes a DNS suffix;
// leaf lacks CA:TRUE, nosign keyCertSign, noski the key identifier; eku has
// clientAuth alone; chain appends the issuer's file; rekey takes NAME's key.
func scriptCA(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: ca NAME [WORD...]")
	}
	name := args[0]
	word := map[string]string{"key": "p256", "from": "-1", "to": "7300", "cn": name}
	for _, a := range args[1:] {
		k, v, _ := strings.Cut(a, "=")
		word[k] = v
	}
	has := func(k string) bool { _, ok := word[k]; return ok }
	days := func(k string) time.Time {
		n, err := strconv.Atoi(word[k])
		ts.Check(err)
		return time.Now().AddDate(0, 0, n)
	}
	var key crypto.Signer
	if has("rekey") {
		key = fixtureKey(ts, word["rekey"])
	} else {
		key = newFixtureKey(ts, word["key"])
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	ts.Check(err)
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: word["cn"]}, SerialNumber: serial,
		NotBefore: days("from"), NotAfter: days("to"),
		BasicConstraintsValid: true, IsCA: !has("leaf"), MaxPathLen: -1,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if has("nosign") {
		template.KeyUsage = x509.KeyUsageCRLSign
	}
	if has("eku") {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if has("pathlen") {
		template.MaxPathLen, err = strconv.Atoi(word["pathlen"])
		ts.Check(err)
		template.MaxPathLenZero = template.MaxPathLen == 0
	}
	if has("dns") {
		template.PermittedDNSDomainsCritical, template.PermittedDNSDomains = true, []string{word["dns"]}
	}
	if has("not") {
		template.ExcludedDNSDomains = []string{word["not"]}
	}
	parent, signer := template, key
	var above []byte
	if by := word["by"]; by != "" {
		above = []byte(ts.ReadFile(by + ".crt"))
		block, _ := pem.Decode(above)
		parent, err = x509.ParseCertificate(block.Bytes)
		ts.Check(err)
		signer = fixtureKey(ts, by)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	ts.Check(err)
	if has("noski") {
		der = withoutKeyID(ts, der, template, parent, key, signer)
	}
	crt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if has("chain") {
		crt = append(crt, above...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(name+".crt"), crt, 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(name+".key"), fixturePEM(ts, key, word["form"]), 0o600))
}

// withoutKeyID makes the certificate again as one that is not a CA for the
// library, which adds a key identifier to every CA by itself.
func withoutKeyID(ts *testscript.TestScript, der []byte, template, parent *x509.Certificate, key, signer crypto.Signer) []byte {
	made, err := x509.ParseCertificate(der)
	ts.Check(err)
	bare := *template
	bare.BasicConstraintsValid, bare.IsCA, bare.SubjectKeyId = false, false, nil
	for _, e := range made.Extensions {
		if e.Id.String() == "2.5.29.19" {
			bare.ExtraExtensions = append(bare.ExtraExtensions, e)
		}
	}
	if parent == template {
		parent = &bare
	}
	der, err = x509.CreateCertificate(rand.Reader, &bare, parent, key.Public(), signer)
	ts.Check(err)
	return der
}

func newFixtureKey(ts *testscript.TestScript, kind string) (key crypto.Signer) {
	var err error
	switch kind {
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "rsa2048":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "rsa1024":
		key, err = rsa.GenerateKey(rand.Reader, 1024)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		ts.Fatalf("unknown key %q", kind)
	}
	ts.Check(err)
	return key
}

func fixtureKey(ts *testscript.TestScript, name string) crypto.Signer {
	block, _ := pem.Decode([]byte(ts.ReadFile(name + ".key")))
	for _, parse := range []func([]byte) (any, error){
		func(b []byte) (any, error) { return x509.ParseECPrivateKey(b) },
		func(b []byte) (any, error) { return x509.ParsePKCS1PrivateKey(b) },
		x509.ParsePKCS8PrivateKey,
	} {
		if key, err := parse(block.Bytes); err == nil {
			return key.(crypto.Signer)
		}
	}
	ts.Fatalf("%s.key cannot be read", name)
	return nil
}

func fixturePEM(ts *testscript.TestScript, key crypto.Signer, form string) []byte {
	var b bytes.Buffer
	write := func(kind string, der []byte, err error) {
		ts.Check(err)
		ts.Check(pem.Encode(&b, &pem.Block{Type: kind, Bytes: der}))
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if form == "" || form == "sec1" {
			der, err := x509.MarshalECPrivateKey(k)
			write("EC PRIVATE KEY", der, err)
			return b.Bytes()
		}
	case *rsa.PrivateKey:
		if form == "" || form == "pkcs1" {
			write("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k), nil)
			return b.Bytes()
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	write("PRIVATE KEY", der, err)
	return b.Bytes()
}
