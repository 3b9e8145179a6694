package middle

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// build makes an offer from what is running.
type build func(t testing.TB, r *running) files

// same offers what is there.
func same(_ testing.TB, r *running) files { return maps.Clone(r.files) }

// none offers nothing.
func none(testing.TB, *running) files { return files{} }

// renewed offers new leaf CAs below the authorities that there are.
var renewed = each(leafCA())

// mint makes a domain's new CA.
type mint func(t testing.TB, r *running, d *domain) *testbed.Authority

// each offers what is running, with new CAs in the place of those named, or of
// all five.
func each(make mint, concerned ...string) build {
	return func(t testing.TB, r *running) files {
		f := same(t, r)
		for _, d := range r.domains {
			if len(concerned) == 0 || slices.Contains(concerned, d.ca) {
				f.put(t, d.ca, make(t, r, d))
			}
		}
		return f
	}
}

// put writes a CA with its chain and key.
func (f files) put(t testing.TB, ca string, a *testbed.Authority) {
	t.Helper()
	form := "PRIVATE KEY"
	if _, ok := a.Key.(*ecdsa.PrivateKey); ok {
		form = "EC PRIVATE KEY"
	}
	f[ca+".crt"], f[ca+".key"] = testbed.EncodeChain(a.Chain...), testbed.EncodeKey(t, form, a.Key)
}

// only offers no more than the files named; a CA stands for both of its files.
func only(make build, kept ...string) build {
	return func(t testing.TB, r *running) files {
		f := make(t, r)
		maps.DeleteFunc(f, func(name string, _ []byte) bool {
			return !slices.Contains(kept, name) && !slices.Contains(kept, strings.TrimSuffix(name, path.Ext(name)))
		})
		return f
	}
}

// replace changes one file of an offer.
func replace(make build, name string, by func(t testing.TB, r *running, was []byte) []byte) build {
	return func(t testing.TB, r *running) files {
		f := make(t, r)
		f[name] = by(t, r, f[name])
		return f
	}
}

// leafCA is a new leaf CA, changed by the edits.
func leafCA(edits ...func(*x509.Certificate)) mint {
	return func(t testing.TB, _ *running, d *domain) *testbed.Authority {
		return d.successor(t, testbed.ECKey(t, elliptic.P256()), d.upper, edits...)
	}
}

// leafCAWith is a new leaf CA with a key of another kind.
func leafCAWith(key func(testing.TB) crypto.Signer) mint {
	return func(t testing.TB, _ *running, d *domain) *testbed.Authority { return d.successor(t, key(t), d.upper) }
}

func p384(t testing.TB) crypto.Signer    { return testbed.ECKey(t, elliptic.P384()) }
func rsa2048(t testing.TB) crypto.Signer { return testbed.RSAKey(t) }

func rsa1024(t testing.TB) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
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

func expired(c *x509.Certificate)  { c.NotAfter = time.Now().Add(-time.Minute) }
func future(c *x509.Certificate)   { c.NotBefore = time.Now().Add(24 * time.Hour) }
func noCA(c *x509.Certificate)     { c.IsCA, c.MaxPathLenZero = false, false }
func withSHA1(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }

func usage(u ...x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = u }
}

func permitting(domain string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{domain}
	}
}

// below is a new leaf CA below another authority.
func below(signer func(testing.TB, *running, *domain) *testbed.Authority) mint {
	return func(t testing.TB, r *running, d *domain) *testbed.Authority {
		return d.successor(t, testbed.ECKey(t, elliptic.P256()), signer(t, r, d))
	}
}

func ofStranger(_ testing.TB, r *running, _ *domain) *testbed.Authority  { return r.stranger }
func ofOldLeafCA(_ testing.TB, _ *running, d *domain) *testbed.Authority { return d.leaf }

// ofSibling is the authority of another domain.
func ofSibling(ca string) func(testing.TB, *running, *domain) *testbed.Authority {
	return func(_ testing.TB, r *running, _ *domain) *testbed.Authority { return r.domain(ca).upper }
}

// ofIntermediate is a new intermediate beside the present one, or below it.
func ofIntermediate(deeper bool) func(testing.TB, *running, *domain) *testbed.Authority {
	return func(t testing.TB, _ *running, d *domain) *testbed.Authority {
		signer := d.root
		if deeper {
			signer = d.upper
		}
		return testbed.NewAuthority(t, "next intermediate", testbed.ECKey(t, elliptic.P384()), signer, profile(signer.Chain[0], 1))
	}
}

// misidentified is a new leaf CA that says another issuer's key identifier, or
// none.
func misidentified(keyID ...byte) mint {
	return func(t testing.TB, _ *running, d *domain) *testbed.Authority {
		signer := *d.upper.Chain[0] // Go copies the AKI from it
		signer.SubjectKeyId = keyID
		a := d.successor(t, testbed.ECKey(t, elliptic.P256()), &testbed.Authority{Key: d.upper.Key, Chain: []*x509.Certificate{&signer}})
		a.Chain = append(a.Chain[:1:1], d.upper.Chain...)
		return a
	}
}

// chained is a new leaf CA in a file with other certificates than its chain's.
func chained(edit func(r *running, d *domain, chain []*x509.Certificate) []*x509.Certificate) mint {
	return func(t testing.TB, r *running, d *domain) *testbed.Authority {
		a := leafCA()(t, r, d)
		a.Chain = edit(r, d, slices.Clone(a.Chain))
		return a
	}
}

type certificates = []*x509.Certificate

func alone(_ *running, _ *domain, chain certificates) certificates       { return chain[:1] }
func withoutRoot(_ *running, _ *domain, chain certificates) certificates { return chain[:len(chain)-1] }
func twice(_ *running, _ *domain, chain certificates) certificates       { return append(chain, chain...) }
func oldLeafCA(_ *running, d *domain, chain certificates) certificates {
	return append(chain, d.leaf.Chain[0])
}

func rootFirst(_ *running, _ *domain, chain certificates) certificates {
	slices.Reverse(chain)
	return chain
}

func strangerLast(r *running, _ *domain, chain certificates) certificates {
	return append(chain, r.stranger.Chain...)
}

func strangerForRoot(r *running, _ *domain, chain certificates) certificates {
	return append(chain[:len(chain)-1], r.stranger.Chain...)
}

// crossing is a change of roots: new ones, their certificates from the present
// ones, and new leaf CAs below.
type crossing struct {
	order     []string // what follows the leaf CA and its intermediate: cross, new, old
	concerned []string // CAs; none are all
	split     bool     // every CA gets a root of its own, from the shared topology to the isolated
	sameName  bool     // the new root is called like the old one
	noAKI     bool     // the cross certificate does not say whose key signed it
	expired   bool     // the cross certificate has ended
}

func crossed(order ...string) build { return crossing{order: order}.files }

func (c crossing) files(t testing.TB, r *running) files {
	f := same(t, r)
	type generation struct{ signer, next, cross *testbed.Authority }
	made := map[*testbed.Authority]generation{}
	for _, d := range r.domains {
		if len(c.concerned) > 0 && !slices.Contains(c.concerned, d.ca) {
			continue
		}
		g, ok := made[d.root]
		if !ok || c.split {
			g.next, g.cross = newRoot(t, d.root, c)
			g.signer = g.next
			if d.hasIntermediate() && !c.split {
				g.signer = testbed.NewAuthority(t, "next intermediate", testbed.ECKey(t, elliptic.P384()), g.next, profile(g.next.Chain[0], 1))
			}
			made[d.root] = g
		}
		leaf := d.successor(t, testbed.ECKey(t, elliptic.P256()), g.signer)
		tail := map[string]*x509.Certificate{"cross": g.cross.Chain[0], "new": g.next.Chain[0], "old": d.root.Chain[0]}
		leaf.Chain = leaf.Chain[:len(leaf.Chain)-1]
		for _, which := range c.order {
			leaf.Chain = append(leaf.Chain, tail[which])
		}
		f.put(t, d.ca, leaf)
	}
	return f
}

// serviceKeys are keys for a service.key, made once: RSA takes its time.
func serviceKeys(t testing.TB, old []byte) map[string][]byte {
	t.Helper()
	ec := testbed.ECKey(t, elliptic.P256())
	return map[string][]byte{
		"old": old,
		"new": testbed.EncodeKey(t, "RSA PRIVATE KEY", testbed.RSAKey(t)),
		"EC":  testbed.EncodeKey(t, "EC PRIVATE KEY", ec), "EC PKCS#8": testbed.EncodeKey(t, "PRIVATE KEY", ec),
		"Ed25519": testbed.EncodeKey(t, "PRIVATE KEY", edwards(t)),
	}
}

// service offers what is running with other keys in service.key.
func service(make build, keys ...string) build {
	return replace(make, serviceKey, func(_ testing.TB, r *running, _ []byte) []byte {
		var text []byte
		for _, key := range keys {
			text = append(text, r.service[key]...)
		}
		return text
	})
}

// wrongKey is the key of another CA.
func wrongKey(t testing.TB, _ *running, _ []byte) []byte {
	return testbed.EncodeKey(t, "EC PRIVATE KEY", testbed.ECKey(t, elliptic.P256()))
}

func empty(testing.TB, *running, []byte) []byte   { return []byte{} }
func garbage(testing.TB, *running, []byte) []byte { return []byte("garbage\n") }

func crlf(_ testing.TB, _ *running, was []byte) []byte {
	return bytes.ReplaceAll(was, []byte("\n"), []byte("\r\n"))
}

func commented(_ testing.TB, _ *running, was []byte) []byte {
	return append([]byte("Subject: as openssl x509 -text writes it\n"), was...)
}

// glued is what `cat` makes of files without a last line end.
func glued(_ testing.TB, _ *running, was []byte) []byte {
	return bytes.ReplaceAll(was, []byte("-----\n-----"), []byte("----------"))
}

// rootKeyBehind leaks the key of the authority above.
func rootKeyBehind(ca string) func(testing.TB, *running, []byte) []byte {
	return func(t testing.TB, r *running, was []byte) []byte {
		return append(was, testbed.EncodeKey(t, "EC PRIVATE KEY", r.domain(ca).upper.Key)...)
	}
}

// encrypted locks the key in the way that OpenSSL did for long.
func encrypted(t testing.TB, _ *running, was []byte) []byte {
	block, _ := pem.Decode(was)
	//lint:ignore SA1019 what is broken by design makes a good broken offer
	locked, err := x509.EncryptPEMBlock(rand.Reader, block.Type, block.Bytes, []byte("secret"), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(locked)
}

// swapped puts the client CA where etcd's belongs.
func swapped(t testing.TB, r *running) files {
	f := renewed(t, r)
	f["etcd/server-ca.crt"], f["etcd/server-ca.key"] = f["client-ca.crt"], f["client-ca.key"]
	return f
}
