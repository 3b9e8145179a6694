package e2e

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"slices"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// serverCA is a server-ca.crt and what k3s makes of it.
type serverCA struct {
	name  string
	first *testbed.Authority // the file's first certificate with its key, and the chain that a server sends
	text  []byte
	mode  string            // what the hash is over: file, root, fallback, or noToken
	root  *x509.Certificate // mode root: whose
	join  string            // what k3s's client says of the server; empty: it joins
}

const (
	noToken = "none: the file cannot be read"
	noTrust = "CA cert validation failed" // the file does not verify the server's own certificate
)

// quiet takes the handshakes that k3s's client breaks off on purpose.
var quiet = log.New(io.Discard, "", 0)

// authority is a CA on P-256.
func authority(t *testing.T, name string, parent *testbed.Authority, edit func(*x509.Certificate)) *testbed.Authority {
	t.Helper()
	return testbed.NewAuthority(t, name, testbed.ECKey(t, elliptic.P256()), parent, edit)
}

// crossSign has one root sign another root's name and key.
func crossSign(t *testing.T, by, root *testbed.Authority) *x509.Certificate {
	t.Helper()
	template := *root.Root()
	template.SerialNumber = nil
	return testbed.Sign(t, &template, by.Root(), root.Root().PublicKey, by.Key)
}

// oddServerCAs are files of every mode, and of the orders that a rotation
// makes.
func oddServerCAs(t *testing.T) []serverCA {
	return slices.Concat(forms(t), chains(t), identifiers(t), rotations(t))
}

// forms differ in the text around the certificates.
func forms(t *testing.T) []serverCA {
	root := authority(t, "root", nil, nil)
	ca := authority(t, "server-ca", authority(t, "intermediate", root, nil), nil)
	chain := testbed.EncodeChain(ca.Chain...)
	alone := testbed.EncodeChain(root.Root())
	key := testbed.EncodeKey(t, "EC PRIVATE KEY", ca.Key)
	crlf := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	words := []byte("subject=CN = server-ca\nissuer=CN = intermediate\n")
	withHeader := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"Name": "root"}, Bytes: root.Root().Raw})
	damaged := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Root().Raw[:100]})
	trusted := pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: root.Root().Raw})
	beheaded := &testbed.Authority{Key: ca.Key, Chain: ca.Chain[:1]}

	rooted := func(name string, text []byte) serverCA {
		return serverCA{name: name, first: ca, text: text, mode: "root", root: root.Root()}
	}
	single := func(name string, text []byte) serverCA {
		return serverCA{name: name, first: root, text: text, mode: "file"}
	}
	return []serverCA{
		rooted("a full chain", chain),
		rooted("a full chain, CRLF", crlf(chain)),
		rooted("a full chain, no last line end", bytes.TrimSpace(chain)),
		rooted("a full chain, trailing text", join(chain, words)),
		rooted("a full chain, text before each", join(words, chain[:len(chain)/2], chain[len(chain)/2:], words, alone)),
		rooted("a full chain behind its key", join(key, chain)),
		single("a single certificate", alone),
		single("a single certificate, CRLF", crlf(alone)),
		single("a single certificate, no last line end", bytes.TrimSpace(alone)),
		single("a single certificate, trailing text", join(alone, words)),
		single("a single certificate, trailing blank line", join(alone, []byte("\n"))),
		single("a single certificate before its key", join(alone, testbed.EncodeKey(t, "EC PRIVATE KEY", root.Key))),
		{name: "a single leaf CA", first: beheaded, text: testbed.EncodeChain(ca.Chain[0]), mode: "file"},
		{name: "the rest behind PEM headers", first: beheaded, text: join(testbed.EncodeChain(ca.Chain[0]), withHeader), mode: "file"},
		{name: "the rest as openssl's TRUSTED CERTIFICATE", first: beheaded, text: join(testbed.EncodeChain(ca.Chain[0]), trusted), mode: "file"},
		// The mark hides the first certificate from pem.Decode.
		rooted("a byte order mark", join([]byte("\ufeff"), chain)),
		{name: "a damaged certificate", first: ca, text: join(chain, damaged), mode: noToken},
		{name: "no certificate", first: ca, text: key, mode: noToken},
		{name: "an empty file", first: ca, text: nil, mode: noToken},
		{name: "DER", first: root, text: root.Root().Raw, mode: noToken},
	}
}

// files are rows of plain chains.
type files struct{ rows []serverCA }

// root adds a file whose hash is over the root.
func (f *files) root(name string, root *x509.Certificate, first *testbed.Authority, above ...*x509.Certificate) {
	first = &testbed.Authority{Key: first.Key, Chain: append(first.Chain[:1:1], above...)}
	f.rows = append(f.rows, serverCA{name: name, first: first, text: testbed.EncodeChain(first.Chain...), mode: "root", root: root})
}

// fallback adds a file that does not verify.
func (f *files) fallback(name string, first *testbed.Authority, above ...*x509.Certificate) {
	f.root(name, nil, first, above...)
	f.rows[len(f.rows)-1].mode = "fallback"
}

// nobodyJoins says so of the last one.
func (f *files) nobodyJoins() { f.rows[len(f.rows)-1].join = noTrust }

// chains do not verify, or verify to another end than their author thinks.
func chains(t *testing.T) []serverCA {
	var f files
	root, stranger := authority(t, "root", nil, nil), authority(t, "stranger", nil, nil)
	intermediate := authority(t, "intermediate", root, nil)
	ca := authority(t, "server-ca", intermediate, nil)
	up := intermediate.Chain

	f.fallback("another root", ca, intermediate.Chain[0], stranger.Root())
	f.fallback("the intermediate is missing", ca, root.Root())
	f.fallback("the root is missing", ca, intermediate.Chain[0])
	f.fallback("the root first", root, intermediate.Chain[0], ca.Chain[0])
	f.fallback("the intermediate first, the root last but one", ca, stranger.Root(), intermediate.Chain[0])
	f.root("root before intermediate", root.Root(), ca, root.Root(), intermediate.Chain[0])
	f.root("a second root behind the right one", root.Root(), ca, append(up[:2:2], stranger.Root())...)
	f.root("a second root before the right one", root.Root(), ca, stranger.Root(), up[0], up[1])
	f.root("the same root twice", root.Root(), ca, append(up[:2:2], root.Root())...)
	f.root("nothing but the same root twice", root.Root(), root, root.Root())
	f.root("the whole file twice", root.Root(), ca, append(append(up[:2:2], ca.Chain[0]), up...)...)

	// What stands in the leaf CA itself.
	edited := func(edit func(*x509.Certificate)) *testbed.Authority {
		return authority(t, "server-ca", intermediate, edit)
	}
	usage := func(usages ...x509.ExtKeyUsage) *testbed.Authority {
		return edited(func(template *x509.Certificate) { template.ExtKeyUsage = usages })
	}
	f.fallback("the leaf CA has ended", edited(func(template *x509.Certificate) { template.NotAfter = time.Now().Add(-time.Hour) }), up...)
	f.nobodyJoins()
	f.fallback("the leaf CA begins later", edited(func(template *x509.Certificate) { template.NotBefore = time.Now().AddDate(1, 0, 0) }), up...)
	f.nobodyJoins()
	f.fallback("the leaf CA is for clients", usage(clientOnly...), up...)
	f.nobodyJoins()
	f.root("the leaf CA is for both", root.Root(), usage(serverAndClient...), up...)
	f.root("the leaf CA is for anything", root.Root(), usage(x509.ExtKeyUsageAny), up...)
	f.root("the leaf CA is no CA", root.Root(), edited(func(template *x509.Certificate) { template.IsCA = false }), up...)
	f.nobodyJoins()

	// And above it.
	below := func(parent *testbed.Authority, edit func(*x509.Certificate)) (*testbed.Authority, []*x509.Certificate) {
		ca := authority(t, "server-ca", authority(t, "intermediate", parent, edit), nil)
		return ca, ca.Chain[1:]
	}
	ended := func(template *x509.Certificate) { template.NotAfter = time.Now().Add(-time.Hour) }
	first, above := below(root, ended)
	f.fallback("the intermediate has ended", first, above...)
	first, above = below(authority(t, "root", nil, ended), nil)
	f.fallback("the root has ended", first, above...)
	first, above = below(authority(t, "root", nil, func(template *x509.Certificate) { template.MaxPathLenZero = true }), nil)
	f.fallback("the root allows no intermediate", first, above...)
	return f.rows
}

// identifiers decide which certificates k3s takes for roots: those without AKI
// and those whose AKI is their own SKI.
func identifiers(t *testing.T) []serverCA {
	var f files
	own, other := []byte("own"), []byte("other")
	root := authority(t, "root", nil, nil)
	// Go copies the parent's SKI into the AKI: a parent without one leaves it out.
	bare := authority(t, "bare root", nil, nil)
	bare.Chain[0].SubjectKeyId = nil
	intermediate := authority(t, "intermediate", bare, nil)
	f.root("the intermediate without AKI counts as root", intermediate.Chain[0], authority(t, "server-ca", intermediate, nil), intermediate.Chain...)
	f.root("the leaf CA without AKI", bare.Root(), authority(t, "server-ca", bare, nil), bare.Root())

	for _, c := range []struct {
		name     string
		ski, aki []byte
		isRoot   bool
	}{
		{"a root whose AKI is its SKI", own, own, true},
		{"a root with a strange AKI", own, other, false},
		{"a root without SKI, with AKI", nil, other, false},
	} {
		issuer := authority(t, "root", nil, func(template *x509.Certificate) { template.SubjectKeyId, template.AuthorityKeyId = c.ski, c.aki })
		ca := authority(t, "server-ca", issuer, nil)
		if c.isRoot {
			f.root(c.name, issuer.Root(), ca, issuer.Root())
		} else {
			f.fallback(c.name, ca, issuer.Root())
		}
	}

	misnamed := *root
	named := *root.Root()
	named.SubjectKeyId = other
	misnamed.Chain = []*x509.Certificate{&named}
	f.root("the leaf CA names another issuer key", root.Root(), authority(t, "server-ca", &misnamed, nil), root.Root())
	return f.rows
}

// rotations hold two generations, in the orders that k3s has been seen to
// accept and to refuse when they were offered to rotate-ca.
func rotations(t *testing.T) []serverCA {
	var f files
	older, newer := authority(t, "root of 2026", nil, nil), authority(t, "root of 2036", nil, nil)
	cross := crossSign(t, older, newer)
	o, n := older.Root(), newer.Root()
	ca := authority(t, "server-ca", newer, nil)
	f.root("new root, cross, old root", n, ca, n, cross, o)
	f.root("cross, new root, old root", n, ca, cross, n, o)
	f.root("cross, old root, new root", n, ca, cross, o, n)
	f.root("cross, old root", o, ca, cross, o)
	f.root("new root, cross", n, ca, n, cross)
	f.root("new root", n, ca, n)
	f.root("new root, old root", n, ca, n, o)
	f.root("old root, new root", n, ca, o, n)
	f.fallback("cross", ca, cross)

	intermediate := authority(t, "intermediate of 2036", newer, nil)
	ca = authority(t, "server-ca", intermediate, nil)
	f.root("intermediate, cross, new root, old root", n, ca, intermediate.Chain[0], cross, n, o)
	f.root("intermediate, cross, old root", o, ca, intermediate.Chain[0], cross, o)
	former := authority(t, "server-ca", older, nil)
	f.root("the former leaf CA behind the chain", n, ca, intermediate.Chain[0], n, former.Chain[0])

	// One name and one key, twice self-signed: the chain to either verifies.
	renewed := testbed.NewAuthority(t, "root of 2036", newer.Key, nil, nil)
	ca = authority(t, "server-ca", newer, nil)
	f.root("root, the same renewed", n, ca, n, renewed.Root())
	f.root("a renewed root, the former one", renewed.Root(), ca, renewed.Root(), n)
	ended := testbed.NewAuthority(t, "root of 2036", newer.Key, nil, func(template *x509.Certificate) { template.NotAfter = time.Now().Add(-time.Hour) })
	f.root("an ended root, the same renewed", n, ca, ended.Root(), n)
	return f.rows
}
