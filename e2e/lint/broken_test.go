package lint

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"slices"
	"testing"
	"time"
)

// TestJudgesCanFail is the control of TestChains: each case changes one thing
// in a sound chain, and every judge must see it, or be as blind to it as it is
// known to be. A judge that has learnt to see leaves the case's list.
func TestJudgesCanFail(t *testing.T) {
	roots := map[string]crypto.Signer{"P-384": ecKey(t, elliptic.P384()), "RSA-2048": rsaKey(t)}
	intermediates := map[string]crypto.Signer{"P-384": ecKey(t, elliptic.P384()), "RSA-2048": rsaKey(t)}
	impostors := map[string]crypto.Signer{"P-384": ecKey(t, elliptic.P384()), "RSA-2048": rsaKey(t)}
	leafCA, leaf := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P256())

	var chains []Chain
	var accepted []func(judge string) bool
	for algorithm := range roots {
		for _, test := range brokenChains {
			d := newDraft(roots[algorithm], intermediates[algorithm], leafCA, leaf)
			d.impostor = impostors[algorithm]
			test.change(d)
			chain := Chain{Name: algorithm + ": " + test.name, Hostname: d.hostname, Purpose: d.purpose}
			chains = append(chains, lay(t, chain, d.sign(t)))
			accepted = append(accepted, test.acceptedBy)
		}
	}
	for name, verdicts := range judge(t, chains) {
		for i, verdict := range verdicts {
			if want := accepted[i](name); verdict.Accepts != want {
				t.Errorf("%s: %s %v; expected to be accepted: %t", chains[i].Name, name, verdict, want)
			}
		}
	}
}

// brokenChains are changes to a root, an intermediate, a leaf CA and a serving
// certificate. The cases that everybody accepts are either sound, or faults
// that are left to our own checks.
var brokenChains = []struct {
	name       string
	change     func(*draft)
	acceptedBy func(judge string) bool
}{
	{"sound, server", func(d *draft) {}, everybody},
	{"sound, client", func(d *draft) { d.leafFor(Client); d.hostname = "" }, everybody},
	{"sound, without an intermediate", func(d *draft) { d.links = slices.Delete(d.links, 1, 2) }, everybody},
	{"sound, pathLen nowhere", func(d *draft) { pathLen(d.intermediate, -1); pathLen(d.leafCA, -1) }, everybody},

	{"bad signature on the leaf", func(d *draft) { d.corrupt = d.leaf }, nobody},
	{"bad signature on the leaf CA", func(d *draft) { d.corrupt = d.leafCA }, nobody},
	{"bad signature on the intermediate", func(d *draft) { d.corrupt = d.intermediate }, nobody},
	{"another root of the same name", func(d *draft) { d.anchor = clone(d.root); d.anchor.SubjectKeyId = keyID(d.impostor) }, nobody},
	{"another root of the same name and key identifier", func(d *draft) { d.anchor = clone(d.root) }, nobody},
	{"intermediate missing", func(d *draft) { d.omit = d.intermediate }, nobody},

	{"expired leaf", func(d *draft) { expire(d.leaf) }, nobody},
	{"expired leaf CA", func(d *draft) { expire(d.leafCA) }, nobody},
	{"expired intermediate", func(d *draft) { expire(d.intermediate) }, nobody},
	{"leaf not yet valid", func(d *draft) { d.leaf.NotBefore = d.leaf.NotBefore.AddDate(0, 1, 0) }, nobody},
	{"leaf CA not yet valid", func(d *draft) { d.leafCA.NotBefore = d.leafCA.NotBefore.AddDate(0, 1, 0) }, nobody},
	{"expired root", func(d *draft) { expire(d.root) }, only(java)},

	{"pathLen 0 on the intermediate", func(d *draft) { pathLen(d.intermediate, 0) }, only(pkiJS)},
	{"pathLen 0 on the root", func(d *draft) { pathLen(d.root, 0) }, only(java, pkiJS)},
	{"leaf CA with CA:FALSE", func(d *draft) { pathLen(d.leafCA, -1); d.leafCA.IsCA = false }, nobody},
	{"leaf CA without basicConstraints", func(d *draft) { d.leafCA.BasicConstraintsValid = false }, nobody},
	{"leaf CA without keyCertSign", func(d *draft) { d.leafCA.KeyUsage = x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature }, nobody},
	{"leaf CA with basicConstraints not critical", basicConstraintsNotCritical, except(openSSL)},
	{"leaf whose AKI is not its issuer's SKI", foreignAuthorityKeyID, only(goX509, java, mbedTLS)},

	{"client leaf asked as a server", func(d *draft) { d.leafFor(Client); d.purpose = Server }, only(pkiJS)},
	{"server leaf asked as a client", func(d *draft) { d.purpose = Client }, only(pkiJS)},
	{"leaf CA for clients alone, server leaf", func(d *draft) { d.leafCA.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} },
		only(nss, java, mbedTLS, pkiJS)},
	{"another host", func(d *draft) { d.hostname = "kubernetes.default.example" }, only(nss, java, pkiJS)},
	{"unknown critical extension in the leaf", func(d *draft) { unknownCritical(d.leaf) }, only(pkiJS)},
	{"unknown critical extension in the leaf CA", func(d *draft) { unknownCritical(d.leafCA) }, only(pkiJS)},

	// mbedTLS does not know critical name constraints, satisfied or not.
	{"sound, name constraints met", func(d *draft) { constrain(d.leafCA, "cluster.local") }, except(mbedTLS)},
	{"name constraints not met", func(d *draft) { constrain(d.leafCA, "example.org") }, nobody},
	{"address excluded by name constraints", func(d *draft) { exclude(d.leafCA, net.IPv4(127, 0, 0, 0)) }, nobody},

	{"leaf that outlives its CA", func(d *draft) { d.leafCA.NotAfter = d.leaf.NotAfter.AddDate(0, -1, 0) }, everybody},
}

// A draft is a chain before it is signed.
type draft struct {
	root, intermediate, leafCA, leaf *x509.Certificate
	links                            []*x509.Certificate // the chain, from the root down
	keys                             map[*x509.Certificate]crypto.Signer
	hostname                         string
	purpose                          Purpose

	corrupt  *x509.Certificate // gets a signature that does not verify
	omit     *x509.Certificate // is left out of the files
	anchor   *x509.Certificate // is trusted in place of the root, signed by the impostor
	impostor crypto.Signer
}

func newDraft(root, intermediate, leafCA, leaf crypto.Signer) *draft {
	now := time.Now().UTC().Truncate(time.Second)
	certificate := func(name string, key crypto.Signer, days int) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber:          serial(),
			Subject:               pkix.Name{CommonName: name},
			NotBefore:             now.Add(-time.Hour),
			NotAfter:              now.AddDate(0, 0, days),
			BasicConstraintsValid: true,
			MaxPathLen:            -1,
			SubjectKeyId:          keyID(key),
		}
	}
	ca := func(name string, key crypto.Signer, pathLength int) *x509.Certificate {
		c := certificate(name, key, 3650)
		c.IsCA = true
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		pathLen(c, pathLength)
		return c
	}
	d := &draft{
		root:         ca("k3s-root-ca@1700000000", root, -1),
		intermediate: ca("k3s-intermediate-ca@1700000000", intermediate, 1),
		leafCA:       ca("k3s-server-ca@1700000000", leafCA, 0),
		leaf:         certificate("kube-apiserver", leaf, 365),
		hostname:     "kubernetes.default.svc.cluster.local",
	}
	d.leaf.KeyUsage = x509.KeyUsageDigitalSignature
	d.leaf.DNSNames = []string{d.hostname}
	d.leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	d.leafFor(Server)
	d.links = []*x509.Certificate{d.root, d.intermediate, d.leafCA, d.leaf}
	d.keys = map[*x509.Certificate]crypto.Signer{d.root: root, d.intermediate: intermediate, d.leafCA: leafCA, d.leaf: leaf}
	return d
}

// sign answers the DER of the leaf and its issuers, up to the trusted root.
func (d *draft) sign(t *testing.T) [][]byte {
	t.Helper()
	issue := func(certificate, issuer *x509.Certificate, key, issuerKey crypto.Signer) []byte {
		der, err := x509.CreateCertificate(rand.Reader, certificate, issuer, key.Public(), issuerKey)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var signed [][]byte
	issuer := d.root
	for _, link := range d.links {
		der := issue(link, issuer, d.keys[link], d.keys[issuer])
		if link == d.corrupt {
			der[len(der)-1] ^= 1 // of ECDSA's s or of the RSA signature: the encoding stays sound
		}
		if link != d.omit {
			signed = append(signed, der)
		}
		issuer = link
	}
	if d.anchor != nil {
		signed[0] = issue(d.anchor, d.anchor, d.impostor, d.impostor)
	}
	slices.Reverse(signed)
	return signed
}

func (d *draft) leafFor(p Purpose) {
	d.purpose = p
	d.leaf.ExtKeyUsage = []x509.ExtKeyUsage{extKeyUsages[p]}
}

func pathLen(c *x509.Certificate, n int) {
	c.MaxPathLen, c.MaxPathLenZero = n, n == 0
}

func expire(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-2, 0, 0), c.NotBefore.AddDate(-1, 0, 0)
}

func clone(c *x509.Certificate) *x509.Certificate {
	copied := *c
	return &copied
}

func basicConstraintsNotCritical(d *draft) {
	d.leafCA.ExtraExtensions = []pkix.Extension{{
		Id:    asn1.ObjectIdentifier{2, 5, 29, 19},
		Value: []byte{0x30, 6, 0x01, 1, 0xff, 0x02, 1, 0}, // cA TRUE, pathLenConstraint 0
	}}
}

func foreignAuthorityKeyID(d *draft) {
	d.leaf.ExtraExtensions = []pkix.Extension{{
		Id:    asn1.ObjectIdentifier{2, 5, 29, 35},
		Value: append([]byte{0x30, 22, 0x80, 20}, make([]byte, 20)...),
	}}
}

func unknownCritical(c *x509.Certificate) {
	c.ExtraExtensions = []pkix.Extension{{
		Id:       asn1.ObjectIdentifier{2, 999, 1}, // the arc for examples
		Critical: true,
		Value:    asn1.NullBytes,
	}}
}

func constrain(c *x509.Certificate, domain string) {
	c.PermittedDNSDomainsCritical = true
	c.PermittedDNSDomains = []string{domain}
}

func exclude(c *x509.Certificate, network net.IP) {
	c.PermittedDNSDomainsCritical = true
	c.ExcludedIPRanges = []*net.IPNet{{IP: network.To4(), Mask: net.CIDRMask(8, 32)}}
}

func serial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b)
}

// keyID stands for the key identifier: any octets do that are the key's own.
func keyID(key crypto.Signer) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(der)
	return sum[:20]
}

func ecKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func rsaKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
