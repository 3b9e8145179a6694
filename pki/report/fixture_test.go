package report_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// issueTime is when every cluster of these tests was made, and judged.
var issueTime = pki.At(time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC))

// cluster is a good bundle taken apart, so that a test can break one thing and
// put it together again.
type cluster struct {
	t      testing.TB
	layout pki.Layout
	certs  map[pki.Role]*x509.Certificate
	keys   map[pki.Role]crypto.Signer
	// order is what each CA file holds, from its first block on.
	order map[pki.Role][]*x509.Certificate
	// files stand in the bundle as they are; an empty one is taken away.
	files map[string][]byte
}

// fired keeps what was issued: keys take longer than the tests.
var fired sync.Map

func issue(t testing.TB, plan pki.Plan) *pki.Issued {
	t.Helper()
	plan.Time = issueTime
	id, err := pki.Resolved{Topology: plan.Topology, Profile: plan.Profile, Authorities: []pki.Spec{{Key: plan.Keys.Root, Subject: pki.Subject{CommonName: string(plan.Distro)}}}}.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	if known, ok := fired.Load(string(id)); ok {
		return known.(*pki.Issued)
	}
	layout, err := k3s.Layout(plan)
	if err != nil {
		t.Fatal(err)
	}
	resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := pki.Run{Plan: resolved, Layout: layout, Keys: pki.Random{}}.Issue(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	fired.Store(string(id), issued)
	return issued
}

// quick are the cheapest keys.
var quick = pki.Keys{Root: pki.P256, Intermediate: pki.P256, CA: pki.P256, Service: pki.P256}

func newCluster(t testing.TB, topology pki.Topology) *cluster {
	t.Helper()
	issued := issue(t, pki.Plan{Topology: topology, Keys: quick})
	c := &cluster{
		t: t, layout: issued.Layout, certs: map[pki.Role]*x509.Certificate{}, keys: map[pki.Role]crypto.Signer{},
		order: map[pki.Role][]*x509.Certificate{}, files: map[string][]byte{},
	}
	for role, a := range issued.Authorities {
		c.certs[role], c.keys[role] = a.Certificate, a.Key
		c.order[role] = a.Chain()
	}
	c.files["tls/service.key"] = issued.Server.File("tls/service.key").Data
	for _, row := range c.layout.Rows {
		if row.Path != "" {
			c.files[row.Path+".key"] = keyPEM(t, c.keys[row.Role])
		}
	}
	return c
}

// bundle puts the files together.
func (c *cluster) bundle() pki.Bundle {
	b := pki.Bundle{Time: issueTime.Time}
	files := maps.Clone(c.files)
	for _, row := range c.layout.Rows {
		if _, given := files[row.Path+".crt"]; row.Path != "" && !given {
			files[row.Path+".crt"] = pki.EncodeCertificates(c.order[row.Role]...)
		}
	}
	for name, data := range files {
		if len(data) > 0 {
			b.Add(name, pki.KindOf(name), data)
		}
	}
	return b
}

// path is where the pair of a role lies, without ending.
func (c *cluster) path(role pki.Role) string {
	row, _ := c.layout.Row(role)
	return row.Path
}

// issuer returns certificate and key of who signs a role.
func (c *cluster) issuer(role pki.Role) (*x509.Certificate, crypto.Signer) {
	row, _ := c.layout.Row(role)
	if row.Issuer == "" {
		return c.certs[role], c.keys[role]
	}
	return c.certs[row.Issuer], c.keys[row.Issuer]
}

// reissue has the certificate of a role made again with something changed, and
// puts it in the place of the old one in every file.
func (c *cluster) reissue(role pki.Role, edit func(template, parent *x509.Certificate)) {
	c.t.Helper()
	issuer, key := c.issuer(role)
	template, parent := *c.certs[role], *issuer
	edit(&template, &parent)
	if issuer == c.certs[role] {
		parent = template
	}
	c.replace(role, sign(c.t, &template, &parent, template.PublicKey, key))
}

func (c *cluster) replace(role pki.Role, with *x509.Certificate) {
	old := c.certs[role]
	c.certs[role] = with
	for r, chain := range c.order {
		c.order[r] = slices.Clone(chain)
		for i, cert := range chain {
			if cert.Equal(old) {
				c.order[r][i] = with
			}
		}
	}
}

// sign makes a certificate. The template's extensions stand in its fields.
func sign(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(time.Now().UnixNano())
	}
	made := *template // it may be a certificate that all tests share
	made.SignatureAlgorithm = 0
	named := *parent
	named.PublicKey = nil // or the key must be that of the parent: not in every test
	der, err := x509.CreateCertificate(rand.Reader, &made, &named, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, der)
}

func parse(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// root makes a self-signed CA.
func root(t testing.TB, cn string) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key := newKey(t, pki.P256)
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: cn}, NotBefore: issueTime.Add(-time.Hour), NotAfter: issueTime.AddDate(20, 0, 0),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return sign(t, template, template, key.Public(), key), key
}

func newKey(t testing.TB, spec pki.KeySpec) crypto.Signer {
	t.Helper()
	key, err := pki.Random{}.Key(context.Background(), pki.Lint, spec)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	if e, ok := key.(pki.Exportable); ok {
		data, err := e.PEM()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	return pkcs8(t, key)
}

func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// resign writes another serial number into a certificate and, with sha1RSA, the
// old digest: crypto/x509 makes neither.
func resign(t testing.TB, c *x509.Certificate, key crypto.Signer, serial *big.Int, sha1RSA bool) *x509.Certificate {
	t.Helper()
	var tbs, version, algorithm cryptobyte.String
	input := cryptobyte.String(c.RawTBSCertificate)
	ok := input.ReadASN1(&tbs, cbasn1.SEQUENCE) &&
		tbs.ReadASN1Element(&version, cbasn1.Tag(0).Constructed().ContextSpecific()) &&
		tbs.SkipASN1(cbasn1.INTEGER) && tbs.ReadASN1Element(&algorithm, cbasn1.SEQUENCE)
	if !ok {
		t.Fatal("cannot take the certificate apart")
	}
	hash := crypto.SHA256
	if sha1RSA {
		hash = crypto.SHA1
		id, err := asn1.Marshal(pkix.AlgorithmIdentifier{
			Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, Parameters: asn1.NullRawValue,
		})
		if err != nil {
			t.Fatal(err)
		}
		algorithm = id
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(version)
		b.AddASN1BigInt(serial)
		b.AddBytes(algorithm)
		b.AddBytes(tbs)
	})
	signed := b.BytesOrPanic()
	digest := sha256.Sum256(signed)
	sum := digest[:]
	if sha1RSA {
		old := sha1.Sum(signed)
		sum = old[:]
	}
	signature, err := key.Sign(rand.Reader, sum, hash)
	if err != nil {
		t.Fatal(err)
	}
	var out cryptobyte.Builder
	out.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(signed)
		b.AddBytes(algorithm)
		b.AddASN1BitString(signature)
	})
	return parse(t, out.BytesOrPanic())
}

func verify(t testing.TB, b pki.Bundle) report.Verification {
	t.Helper()
	v, err := report.Verify(t.Context(), b, issueTime, probeKey{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// probeKey is a source that makes one key for all runs.
type probeKey struct{ pki.Random }

var theProbeKey = sync.OnceValues(func() (pki.Key, error) { return pki.Random{}.Key(context.Background(), pki.Lint, pki.P256) })

func (probeKey) Key(context.Context, pki.Role, pki.KeySpec) (pki.Key, error) { return theProbeKey() }

// lines are findings as "code subject".
func lines(findings []pki.Finding) []string {
	out := []string{}
	for _, f := range findings {
		out = append(out, string(f.Code)+" "+f.Subject)
	}
	return out
}

// wantLines compares findings with "code subject" in whatever order.
func wantLines(t testing.TB, findings []pki.Finding, want ...string) {
	t.Helper()
	got := lines(findings)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("findings\n  got  %q\n  want %q\n  in full %v", got, want, findings)
	}
}

func has(findings []pki.Finding, code pki.Code) bool {
	return slices.ContainsFunc(findings, func(f pki.Finding) bool { return f.Code == code })
}

func concat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// secret is dynamic-cert.json as the supervisor writes it.
func secret(t testing.TB, crt, key []byte) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"name": "k3s-serving", "namespace": "kube-system", "creationTimestamp": nil},
		"type":     "kubernetes.io/tls", "data": map[string][]byte{"tls.crt": crt, "tls.key": key},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}
