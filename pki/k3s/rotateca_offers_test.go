package k3s_test

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
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// The offers of these tests are made from a cluster that runs: what
// `rootkiln bundle` makes, with new authorities by crypto/x509 in its place.

// domains are the five CAs, by the stem of their files.
var domains = map[string]pki.Role{
	"server-ca": pki.ServerCA, "client-ca": pki.ClientCA, "request-header-ca": pki.RequestHeaderCA,
	"etcd/peer-ca": pki.EtcdPeerCA, "etcd/server-ca": pki.EtcdServerCA,
}

var stems = slices.Sorted(maps.Keys(domains))

// running is a cluster and what lies on its disk.
type running struct {
	topology pki.Topology
	issued   *pki.Issued
	stranger *authority
}

// authority is a CA with its key and the certificates above it.
type authority struct {
	chain []*x509.Certificate
	key   crypto.Signer
}

// files are the offered ones, relative to tls/.
type files map[string][]byte

func (f files) bundle() pki.Bundle {
	b := pki.Bundle{Time: now}
	for name, data := range f {
		b.Add("tls/"+name, pki.KindOf(name), data)
	}
	return b
}

func (r *running) files() files {
	f := files{}
	for _, file := range r.issued.Server.Files {
		f[strings.TrimPrefix(file.Path, "tls/")] = file.Data
	}
	return f
}

// leaf is the CA of a domain as it runs.
func (r *running) leaf(stem string) *authority {
	a := r.issued.Authorities[domains[stem]]
	return &authority{a.Chain(), a.Key}
}

// upper signs the domain's CA; root is at the top.
func (r *running) upper(stem string) *authority {
	row, _ := r.issued.Layout.Row(domains[stem])
	a := r.issued.Authorities[row.Issuer]
	return &authority{a.Chain(), a.Key}
}

func (r *running) root(stem string) *authority {
	chain := r.leaf(stem).chain
	for _, a := range r.issued.Authorities {
		if a.Certificate.Equal(chain[len(chain)-1]) {
			return &authority{a.Chain(), a.Key}
		}
	}
	panic("a chain without its root")
}

type edit = func(*x509.Certificate)

// mint makes a CA below another, or a root where there is none.
func mint(t testing.TB, cn string, key crypto.Signer, by *authority, edits ...edit) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: cn},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	parent, signer := template, key
	var above []*x509.Certificate
	if by != nil {
		issuer := *by.chain[0]
		issuer.PublicKey = by.key.Public()
		parent, signer, above = &issuer, by.key, by.chain
		template.AuthorityKeyId = issuer.SubjectKeyId // not set by the library where both names are the same
	}
	for _, e := range edits {
		e(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{append([]*x509.Certificate{c}, above...), key}
}

func fresh(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyText(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	kind := "PRIVATE KEY"
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		kind = "EC PRIVATE KEY"
		der, err = x509.MarshalECPrivateKey(ec)
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// build makes an offer.
type build func(testing.TB, *running) files

func none(testing.TB, *running) files         { return files{} }
func same(_ testing.TB, r *running) files     { return r.files() }
func renewed(t testing.TB, r *running) files  { return each(leafCA())(t, r) }
func fallback(t testing.TB, r *running) files { f := same(t, r); f["client-ca.crt"] = nil; return f }

// each puts a new CA in the place of those of the domains, of all without names.
func each(next func(testing.TB, *running, string) *authority, concerned ...string) build {
	return func(t testing.TB, r *running) files {
		f := r.files()
		for _, stem := range stems {
			if len(concerned) == 0 || slices.Contains(concerned, stem) {
				a := next(t, r, stem)
				f[stem+".crt"], f[stem+".key"] = pki.EncodeCertificates(a.chain...), keyText(t, a.key)
			}
		}
		return f
	}
}

// only keeps the files of the CAs named, or the files.
func only(make build, kept ...string) build {
	return func(t testing.TB, r *running) files {
		f := make(t, r)
		maps.DeleteFunc(f, func(name string, _ []byte) bool {
			stem := strings.TrimSuffix(strings.TrimSuffix(name, ".crt"), ".key")
			return !slices.Contains(kept, name) && !slices.Contains(kept, stem)
		})
		return f
	}
}

func replace(make build, name string, by func([]byte) []byte) build {
	return func(t testing.TB, r *running) files {
		f := make(t, r)
		f[name] = by(f[name])
		return f
	}
}

// withKey writes another key into a file, withKeyBehind appends it.
func withKey(make build, name string, key func(testing.TB) crypto.Signer) build {
	return func(t testing.TB, r *running) files {
		return replace(make, name, func([]byte) []byte { return keyText(t, key(t)) })(t, r)
	}
}

func withKeyBehind(make build, name string, key func(testing.TB) crypto.Signer) build {
	return func(t testing.TB, r *running) files {
		return replace(make, name, func(was []byte) []byte { return append(slices.Clone(was), keyText(t, key(t))...) })(t, r)
	}
}

type minter = func(testing.TB, *running, string) *authority

// leafCA is a new CA below the domain's own issuer.
func leafCA(edits ...edit) minter {
	return func(t testing.TB, r *running, stem string) *authority {
		return mint(t, "next "+stem, fresh(t), r.upper(stem), edits...)
	}
}

func leafCAWith(key func(testing.TB) crypto.Signer) minter {
	return func(t testing.TB, r *running, stem string) *authority {
		return mint(t, "next "+stem, key(t), r.upper(stem))
	}
}

// below is a new CA below another authority.
func below(by minter) minter {
	return func(t testing.TB, r *running, stem string) *authority {
		return mint(t, "next "+stem, fresh(t), by(t, r, stem))
	}
}

func ofStranger(_ testing.TB, r *running, _ string) *authority     { return r.stranger }
func ofOldLeafCA(_ testing.TB, r *running, stem string) *authority { return r.leaf(stem) }

func ofIntermediate(t testing.TB, r *running, stem string) *authority {
	return mint(t, "next intermediate", fresh(t), r.root(stem))
}

// chained is a new CA in a file with other certificates than those of its chain.
func chained(with func(r *running, stem string, chain []*x509.Certificate) []*x509.Certificate) minter {
	return func(t testing.TB, r *running, stem string) *authority {
		a := leafCA()(t, r, stem)
		a.chain = with(r, stem, slices.Clone(a.chain))
		return a
	}
}

// crossing is a new root over a new CA: the file has the CA and what order says.
type crossing struct {
	order  []string // cross, new, old
	second string   // domain whose root crosses: itself if empty
	name   string   // of the new root: "" is one of its own, "same" the old one's
	cross  []edit
}

func (c crossing) of(t testing.TB, r *running, stem string) *authority {
	old, name := r.root(stem), "new root of "+stem
	if c.second != "" {
		old = r.root(c.second)
	}
	if c.name == "same" {
		name = old.chain[0].Subject.CommonName
	}
	key := fresh(t)
	root := mint(t, name, key, nil)
	cross := mint(t, name, key, old, c.cross...)
	leaf := mint(t, "next "+stem, fresh(t), root)
	leaf.chain = leaf.chain[:1]
	for _, what := range c.order {
		leaf.chain = append(leaf.chain, map[string]*x509.Certificate{"cross": cross.chain[0], "new": root.chain[0], "old": old.chain[0]}[what])
	}
	return leaf
}

func crossed(order ...string) minter { return crossing{order: order}.of }

func usage(u x509.ExtKeyUsage) edit {
	return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{u} }
}

func rsa2048(t testing.TB) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func edwards(t testing.TB) crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func p384(t testing.TB) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// service puts keys into service.key: "old" is what is there.
func service(make build, order ...func(testing.TB, []byte) []byte) build {
	return func(t testing.TB, r *running) files {
		f := make(t, r)
		old := f["service.key"]
		f["service.key"] = nil
		for _, key := range order {
			f["service.key"] = append(f["service.key"], key(t, old)...)
		}
		return f
	}
}

func oldKey(_ testing.TB, was []byte) []byte { return was }
func newKey(t testing.TB, _ []byte) []byte   { return keyText(t, fresh(t)) }
func edKey(t testing.TB, _ []byte) []byte    { return keyText(t, edwards(t)) }
func wrapped(t testing.TB, _ []byte) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(fresh(t))
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func rsaKey(t testing.TB, _ []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsa2048(t).(*rsa.PrivateKey))})
}

// publicOf is the public half of the old key: it verifies, and that is all that
// rotate-ca asks for.
func publicOf(t testing.TB, was []byte) []byte {
	block, _ := pem.Decode(was)
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func garbage([]byte) []byte       { return []byte("garbage\n") }
func empty([]byte) []byte         { return nil }
func crlf(was []byte) []byte      { return bytes.ReplaceAll(was, []byte("\n"), []byte("\r\n")) }
func commented(was []byte) []byte { return append([]byte("the client CA\n"), was...) }
func glued(was []byte) []byte {
	return bytes.ReplaceAll(was, []byte("-----\n-----"), []byte("----------"))
}

// relabelled gives the first block another type, or a header: k3s's reader of
// certificates passes over both, crypto/tls over the first alone.
func relabelled(kind string, headers map[string]string) func([]byte) []byte {
	return func(was []byte) []byte {
		block, rest := pem.Decode(was)
		block.Type, block.Headers = kind, headers
		return append(pem.EncodeToMemory(block), rest...)
	}
}

// swapped offers the client CA's pair as etcd/server-ca.
func swapped(t testing.TB, r *running) files {
	f := renewed(t, r)
	f["etcd/server-ca.crt"], f["etcd/server-ca.key"] = f["client-ca.crt"], f["client-ca.key"]
	return f
}

// refusals lists what does not pass as "FIELD check".
func refusals(r k3s.Ruling) []string {
	out := []string{}
	for _, f := range r.Files {
		if f.Refused != "" {
			out = append(out, f.Field+" "+string(f.Refused))
		}
	}
	return out
}
