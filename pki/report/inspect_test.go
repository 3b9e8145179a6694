package report_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

func inspect(files map[string][]byte) report.Inspection {
	var b pki.Bundle
	for name, data := range files {
		b.Add(name, pki.KindOf(name), data)
	}
	return report.Inspect(b, issueTime)
}

// The law: what was planned is found, no more and no less, each under its
// issuer, with its own key.
func TestInspectFindsThePlan(t *testing.T) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		issued := issue(t, pki.Plan{Topology: topology, Keys: quick})
		all := pki.Bundle{Files: slices.Clone(issued.Server.Files)}
		for _, f := range issued.Offline.Files {
			all.Add("offline/"+f.Path, f.Kind, f.Data)
		}
		in := report.Inspect(all, issueTime)
		if len(in.Certificates) != len(issued.Plan.Authorities) || len(in.Findings) != 0 {
			t.Fatalf("%s: %d certificates of %d, findings %v", topology, len(in.Certificates), len(issued.Plan.Authorities), in.Findings)
		}
		owned := map[int]pki.Role{}
		for _, k := range in.Keys {
			owned[k.Certificate] = k.Role
		}
		for i, c := range in.Certificates {
			spec, ok := issued.Plan.Spec(c.Role)
			var issuer pki.Role
			if c.Parent >= 0 {
				issuer = in.Certificates[c.Parent].Role
			}
			if !ok || issuer != spec.Issuer || c.Name != spec.Subject.CommonName || c.Key != string(spec.Key) ||
				c.NotAfter != spec.NotAfter || c.NotBefore != spec.NotBefore || !slices.Equal(c.KeyUsage, spec.KeyUsage) {
				t.Errorf("%s: %+v is not as planned: %+v", topology, c, spec)
			}
			if (c.PathLength == nil) != (spec.PathLen == nil) || c.PathLength != nil && *c.PathLength != *spec.PathLen {
				t.Errorf("%s: path length of %s", topology, c.Role)
			}
			if owned[i] != c.Role {
				t.Errorf("%s: the key of %s is that of %s", topology, c.Role, owned[i])
			}
		}
		if owned[-1] != pki.Service {
			t.Errorf("%s: the key without a certificate is %s", topology, owned[-1])
		}
	}
}

// Certificates stand behind their parents, trees in one piece, roots first; a
// copy adds a place and no certificate.
func TestForest(t *testing.T) {
	c := newCluster(t, pki.Shared)
	stray, strayKey := root(t, "aaa stray")
	orphan := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "aaa orphan"}, NotBefore: issueTime.Time, NotAfter: issueTime.AddDate(1, 0, 0)},
		stray, newKey(t, pki.P256).Public(), strayKey)
	c.files["a/orphan.crt"] = pki.EncodeCertificates(orphan)
	in := report.Inspect(c.bundle(), issueTime)
	var drawn []string
	for i, cert := range in.Certificates {
		if cert.Parent >= i {
			t.Errorf("%s stands before its issuer", cert.Name)
		}
		drawn = append(drawn, strings.Repeat(" ", cert.Depth)+strings.TrimSuffix(cert.Name, "@1795377600"))
	}
	want := []string{
		"k3s-root-ca", " k3s-intermediate-ca", "  k3s-client-ca", "  k3s-etcd-peer-ca", "  k3s-etcd-server-ca",
		"  k3s-request-header-ca", "  k3s-server-ca", "aaa orphan",
	}
	if !slices.Equal(drawn, want) {
		t.Errorf("drawn %q, want %q", drawn, want)
	}
	if places := in.Certificates[0].Places; len(places) != 5 || places[0] != (report.Place{File: client, Index: 3}) {
		t.Errorf("places of the root: %v", places)
	}
	if got := in.Below(1); !slices.Equal(got, []int{2, 3, 4, 5, 6}) || !slices.Equal(in.Tops(), []int{0, 7}) {
		t.Errorf("below the intermediate %v, tops %v", got, in.Tops())
	}
}

// The name alone makes no issuer. Many may bear it: the one whose key
// identifier fits is tried first.
func TestParentsAreBySignature(t *testing.T) {
	right, key := root(t, "one name")
	child := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "child"}, NotBefore: issueTime.Time, NotAfter: issueTime.AddDate(1, 0, 0)},
		right, newKey(t, pki.P256).Public(), key)
	for _, others := range []int{1, 20, 600} {
		files := map[string][]byte{"child.crt": pki.EncodeCertificates(child), "right.crt": pki.EncodeCertificates(right)}
		for i := range others {
			wrong, _ := root(t, "one name")
			files[fmt.Sprintf("%03d.crt", i)] = pki.EncodeCertificates(wrong)
		}
		in := inspect(files)
		i := slices.IndexFunc(in.Certificates, func(c report.Certificate) bool { return c.Name == "child" })
		if p := in.Certificates[i].Parent; p < 0 || in.Certificates[p].Fingerprint != pki.Fingerprint(right) {
			t.Errorf("with %d others the child stands below %d", others, p)
		}
	}
}

// A cross-signed root gives what it signs two issuers: the tree shows the
// self-signed one.
func TestCrossSignedRoot(t *testing.T) {
	old, oldKey := root(t, "old root")
	renewed, renewedKey := root(t, "new root")
	template := *renewed
	cross := sign(t, &template, old, renewed.PublicKey, oldKey)
	leaf := sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "leaf CA"}, NotBefore: issueTime.Time, NotAfter: issueTime.AddDate(1, 0, 0)},
		renewed, newKey(t, pki.P256).Public(), renewedKey)
	in := inspect(map[string][]byte{"x.crt": pki.EncodeCertificates(leaf, cross, renewed, old)})
	var got []string
	for _, c := range in.Certificates {
		line := c.Name
		if c.Parent >= 0 {
			line += " < " + in.Certificates[c.Parent].Issuer
		}
		for _, p := range c.OtherParents {
			line += " < " + in.Certificates[p].Issuer
		}
		got = append(got, line)
	}
	want := []string{"new root", "leaf CA < CN=new root < CN=old root", "old root", "new root < CN=old root"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Two CAs that signed each other have no top; neither is lost, and it ends.
func TestTwoThatSignedEachOther(t *testing.T) {
	a, aKey := root(t, "a")
	b, bKey := root(t, "b")
	x, y := *a, *b
	ab, ba := sign(t, &x, b, a.PublicKey, bKey), sign(t, &y, a, b.PublicKey, aKey)
	in := inspect(map[string][]byte{"x.crt": pki.EncodeCertificates(ab, ba)})
	if len(in.Certificates) != 2 || len(in.Tops()) != 1 || in.Certificates[1].Parent != 0 {
		t.Errorf("%+v", in.Certificates)
	}
}

// Everything is shown in the words of the standards.
func TestCertificateInWords(t *testing.T) {
	ca, key := root(t, "root")
	uri, _ := url.Parse("spiffe://x/y")
	_, ipv6, _ := net.ParseCIDR("fd00::/8")
	c := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(0xabc), Subject: pkix.Name{Organization: []string{"O"}},
		NotBefore: issueTime.AddDate(0, 0, -10), NotAfter: issueTime.Add(-time.Second),
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageDecipherOnly,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageAny}, UnknownExtKeyUsage: []asn1.ObjectIdentifier{{1, 2, 3}},
		DNSNames: []string{"a.example"}, IPAddresses: []net.IP{net.IPv4(10, 43, 0, 1)}, EmailAddresses: []string{"a@b"}, URIs: []*url.URL{uri},
		PermittedDNSDomains: []string{"example"}, ExcludedIPRanges: []*net.IPNet{ipv6}, SubjectKeyId: []byte{1, 2}, AuthorityKeyId: []byte{3},
	}, ca, newKey(t, pki.P384).Public(), key)
	got := inspect(map[string][]byte{"c.pem": pki.EncodeCertificates(c)}).Certificates[0]
	want := report.Certificate{
		Places: []report.Place{{File: "c.pem", Index: 1}}, Parent: -1, OtherParents: []int{},
		Name: "O=O", Subject: "O=O", Issuer: "CN=root", Serial: "abc", Fingerprint: pki.Fingerprint(c),
		Key: "p384", KeyFingerprint: pki.KeyFingerprint(c.PublicKey), SignatureAlgorithm: "ECDSA-SHA256",
		NotBefore: pki.At(c.NotBefore), NotAfter: pki.At(c.NotAfter), DaysLeft: -1, Status: report.Expired,
		CA: true, PathLength: new(int), KeyUsage: []string{"digitalSignature", "decipherOnly"},
		ExtKeyUsage: []string{"serverAuth", "anyExtendedKeyUsage", "1.2.3"},
		Names:       []string{"a.example", "10.43.0.1", "a@b", "spiffe://x/y"}, NameConstraints: []string{"permitted DNS:example", "excluded IP:fd00::/8"},
		SubjectKeyID: "0102", AuthorityKeyID: hex.EncodeToString(ca.SubjectKeyId),
	}
	if a, b := toJSON(t, got), toJSON(t, want); a != b {
		t.Errorf("got  %s\nwant %s", a, b)
	}
}

func TestDaysLeft(t *testing.T) {
	ca, _ := root(t, "root") // begins an hour before, ends twenty years after
	data := map[string][]byte{"c.crt": pki.EncodeCertificates(ca)}
	day := 24 * time.Hour
	for _, c := range []struct {
		at   time.Time
		days int64
		want report.Status
	}{
		{ca.NotBefore.Add(-time.Second), 7305, report.NotYetValid},
		{ca.NotAfter.Add(-day), 1, report.Valid},
		{ca.NotAfter.Add(-day + time.Second), 0, report.Valid},
		{ca.NotAfter, 0, report.Valid},
		{ca.NotAfter.Add(time.Second), -1, report.Expired},
		{ca.NotAfter.Add(day), -1, report.Expired},
		{ca.NotAfter.Add(day + time.Second), -2, report.Expired},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), -2904448, report.Expired},
	} {
		var b pki.Bundle
		b.Add("c.crt", pki.KindChain, data["c.crt"])
		got := report.Inspect(b, pki.At(c.at)).Certificates[0]
		if got.DaysLeft != c.days || got.Status != c.want {
			t.Errorf("at %s: %d days, %s; want %d, %s", c.at, got.DaysLeft, got.Status, c.days, c.want)
		}
	}
}

// Secrets in JSON and kubeconfigs (as JSON) are opened; other JSON is not.
func TestEmbeddedCertificates(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	crt, key := pki.EncodeCertificates(c.order[pki.ServerCA]...), c.files["tls/server-ca.key"]
	kubeconfig, err := json.Marshal(map[string]any{
		"clusters": []any{map[string]any{"name": "default", "cluster": map[string]any{"server": "https://x", "certificate-authority-data": crt}}},
		"users":    []any{map[string]any{"name": "admin", "user": map[string]any{"client-certificate-data": crt, "client-key-data": key}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	in := inspect(map[string][]byte{
		"dynamic-cert.json": secret(t, crt, key), "admin.kubeconfig": kubeconfig,
		"encryption-config.json": []byte(`{"kind":"EncryptionConfiguration","resources":[]}`), "odd.json": []byte(`{"data":{"a":1,"b":"x"},`),
	})
	var places []string
	for _, p := range in.Certificates[len(in.Certificates)-1].Places {
		places = append(places, p.String())
	}
	for _, k := range in.Keys {
		places = append(places, k.String())
		if k.Certificate != len(in.Certificates)-1 {
			t.Errorf("%s belongs to %d", k.Place, k.Certificate)
		}
	}
	want := []string{
		"admin.kubeconfig#clusters/default/certificate-authority-data", "admin.kubeconfig#users/admin/client-certificate-data",
		"dynamic-cert.json#tls.crt", "admin.kubeconfig#users/admin/client-key-data", "dynamic-cert.json#tls.key",
	}
	if !slices.Equal(places, want) || len(in.Certificates) != 3 || len(in.Findings) > 0 {
		t.Errorf("places %q, want %q; findings %v", places, want, in.Findings)
	}
}

// One broken file, or one broken block, hides nothing of the others.
func TestBrokenFilesHideNothing(t *testing.T) {
	a, _ := root(t, "a")
	b, bKey := root(t, "b")
	_, secretKey, _ := ed25519.GenerateKey(rand.Reader)
	junk := func(kind string) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte{1}}) }
	in := inspect(map[string][]byte{
		"1.crt":             []byte("-----BEGIN CERTIFICATE-----\nAAAA\n"),
		"2.crt":             concat(pki.EncodeCertificates(a), junk("CERTIFICATE"), pki.EncodeCertificates(b)),
		"3.key":             concat(junk("EC PRIVATE KEY"), keyPEM(t, bKey), pkcs8(t, secretKey)),
		"4.key":             concat(junk("ENCRYPTED PRIVATE KEY"), junk("TSS2 PRIVATE KEY"), junk("OPENSSH PRIVATE KEY")),
		"5.crt":             {},
		"6.key":             pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: make([]byte, 7000)}),
		"combined.pem":      concat(pki.EncodeCertificates(b), keyPEM(t, bKey), []byte("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")),
		"dynamic-cert.json": []byte(`{"data":{"tls.crt":"LS0t!"}}`),
		"notes.txt":         []byte("nothing\n"),
	})
	wantLines(t, in.Findings, "pem-truncated 1.crt", "certificate-parse 2.crt", "key-parse 3.key", "key-encrypted 4.key", "key-tpm 4.key#2",
		"pem-type 4.key#3", "pem-none 5.crt", "key-unsupported 6.key", "pem-none dynamic-cert.json")
	if len(in.Certificates) != 2 || in.Certificates[1].Places[0].String() != "2.crt#3" {
		t.Errorf("certificates %+v", in.Certificates)
	}
	var keys []string
	for _, k := range in.Keys {
		keys = append(keys, fmt.Sprintf("%s %s %s %d", k.Place, k.Format, k.Algorithm, k.Certificate))
	}
	want := []string{
		"3.key EC PRIVATE KEY  -1", "3.key#2 EC PRIVATE KEY p256 1", "3.key#3 PRIVATE KEY ed25519 -1", "4.key ENCRYPTED PRIVATE KEY  -1",
		"4.key#2 TSS2 PRIVATE KEY  -1", "4.key#3 OPENSSH PRIVATE KEY  -1", "6.key RSA PRIVATE KEY  -1", "combined.pem EC PRIVATE KEY p256 1",
	}
	if !slices.Equal(keys, want) {
		t.Errorf("keys %q\nwant %q", keys, want)
	}
}

// No octet of a private key is in a result.
func TestNothingPrivateLeaves(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	b := c.bundle()
	b.Add("broken.key", pki.KindKey, bytes.Replace(c.files["tls/client-ca.key"], []byte("MHc"), []byte("MHd"), 1))
	out := toJSON(t, report.Inspect(b, issueTime)) + toJSON(t, verify(t, b))
	for name, data := range c.files {
		if !strings.HasSuffix(name, ".key") {
			continue
		}
		block, _ := pem.Decode(data)
		key, err := x509.ParseECPrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		scalar := privateScalar(t, key)
		for _, form := range []string{hex.EncodeToString(scalar), base64.StdEncoding.EncodeToString(scalar), new(big.Int).SetBytes(scalar).String(), strings.Split(string(data), "\n")[1]} {
			if strings.Contains(out, form) {
				t.Errorf("%s stands in the report", name)
			}
		}
	}
}

func privateScalar(t *testing.T, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	scalar, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return scalar
}

// More than a cluster can have is cut off, with a word about it.
func TestBoundOnCertificates(t *testing.T) {
	ca, _ := root(t, "root")
	one := pki.EncodeCertificates(ca)
	files := map[string][]byte{}
	for i := range 11 {
		files[fmt.Sprintf("%02d.crt", i)] = bytes.Repeat(one, 500)
	}
	in := inspect(files)
	wantLines(t, in.Findings, "bundle-too-large ")
	if len(in.Certificates[0].Places) != 5000 {
		t.Errorf("%d places", len(in.Certificates[0].Places))
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The JSON names are API.
func TestNamesInJSON(t *testing.T) {
	c := newCluster(t, pki.Shared)
	c.files["tls/client-ca.key"] = nil
	b := c.bundle()
	for _, x := range []struct {
		value any
		want  string
	}{
		{report.Inspect(b, issueTime), "at certificates findings keys"},
		{report.Inspect(b, issueTime).Certificates[0], "authorityKeyID ca daysLeft depth extKeyUsage fingerprint issuer key keyFingerprint keyUsage name nameConstraints names notAfter notBefore otherParents parent pathLength places role selfSigned serial signatureAlgorithm status subject subjectKeyID"},
		{report.Inspect(b, issueTime).Keys[0], "algorithm certificate file format index keyFingerprint role"},
		{verify(t, b), "at directory distro findings nextExpiry openings probes token topology"},
		{verify(t, b).Token, "hash mode root token until"},
		{verify(t, b).Probes, "go path skipped"},
		{verify(t, b).NextExpiry, "end file index name"},
		{verify(t, b).Openings[0], "from to"},
	} {
		var fields map[string]any
		if err := json.Unmarshal([]byte(toJSON(t, x.value)), &fields); err != nil {
			t.Fatal(err)
		}
		var got []string
		for name := range fields {
			got = append(got, name)
		}
		if _, optional := fields["role"]; !optional && strings.Contains(x.want, " role ") {
			got = append(got, "role")
		}
		slices.Sort(got)
		if strings.Join(got, " ") != x.want {
			t.Errorf("%T has the names\n%s, want\n%s", x.value, strings.Join(got, " "), x.want)
		}
	}
}
