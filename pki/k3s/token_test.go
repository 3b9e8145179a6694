package k3s_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

func compute(t *testing.T, file []byte, at time.Time) k3s.Token {
	t.Helper()
	token, err := k3s.ComputeToken(file, at)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Our bundles: the hash is the fingerprint of the root, known before the first
// server starts (rke2 #541), and it stays when anything below is made anew.
func TestTokenOfABundle(t *testing.T) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		for _, profile := range []pki.Profile{pki.Strict, pki.Upstream} {
			edit := func(p *pki.Plan) { p.Topology, p.Profile = topology, profile }
			issued := cluster(t, edit, pki.Given{})
			root := issued.Authorities[pki.Root]
			token := compute(t, issued.Server.File(k3s.ServerCAPath+".crt").Data, now)
			if token.Mode != k3s.TokenRoot || token.Hash != fingerprint(t, root.Certificate) || !token.Root.Equal(root.Certificate) || token.Reason != nil {
				t.Errorf("%s/%s: %+v", topology, profile, token)
			}
			if want := "K10" + token.Hash + "::"; token.String() != want || len(token.Hash) != 64 {
				t.Errorf("%s", token)
			}
			renewed := cluster(t, edit, pki.Given{Authorities: map[pki.Role]*pki.Authority{pki.Root: root}})
			if again := compute(t, renewed.Server.File(k3s.ServerCAPath+".crt").Data, now); again.Hash != token.Hash {
				t.Errorf("%s/%s: another hash under the same root", topology, profile)
			}
		}
	}
}

// The three modes (k3s pkg/clientaccess/token.go, hashCA): the hash is over the
// bytes of the file, or over the certificate that ends the chain.
func TestTokenModes(t *testing.T) {
	clientOnly := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	old, root := newCA(t, "old", nil), newCA(t, "root", nil)
	cross := certify(t, "root", root.key, old)
	middle := newCA(t, "middle", root)
	leaf := newCA(t, "server-ca", middle)
	direct := newCA(t, "server-ca", root)
	self := newCA(t, "k3s-server-ca", nil)
	clients := newCA(t, "middle", root, clientOnly)
	narrow := newCA(t, "middle", root, func(c *x509.Certificate) {
		c.MaxPathLen, c.MaxPathLenZero = 0, true
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
	})
	stranger := newCA(t, "stranger", nil)
	for _, tt := range []struct {
		name string
		file []byte
		mode k3s.TokenMode
		root *ca // whose fingerprint it is; nil: of the bytes
	}{
		{"default cluster", file(self), k3s.TokenFile, nil},
		{"the same with CRLF", bytes.ReplaceAll(file(self), []byte("\n"), []byte("\r\n")), k3s.TokenFile, nil},
		{"the same with a comment", append([]byte("# ours\n"), file(self)...), k3s.TokenFile, nil},
		{"the same without its last newline", bytes.TrimSpace(file(self)), k3s.TokenFile, nil},
		{"a leaf CA alone", file(leaf), k3s.TokenFile, nil},
		{"root behind it", file(direct, root), k3s.TokenRoot, root},
		{"three", file(leaf, middle, root), k3s.TokenRoot, root},
		{"three, shuffled", file(leaf, root, middle), k3s.TokenRoot, root},
		{"with a stranger", file(leaf, stranger, middle, root), k3s.TokenRoot, root},
		{"cross-signed: the new root", file(direct, root, cross, old), k3s.TokenRoot, root},
		{"cross-signed, the cross certificate first", file(direct, cross, root, old), k3s.TokenRoot, root},
		{"cross-signed, without the new root", file(direct, cross, old), k3s.TokenRoot, old},
		// k3s verifies the leaf CA as an end: what is above may be as narrow as it likes
		{"an intermediate that breaks OpenSSL", file(newCA(t, "server-ca", narrow), narrow, root), k3s.TokenRoot, root},
		{"two copies", file(self, self), k3s.TokenRoot, self},
		{"no root", file(leaf, middle), k3s.TokenFallback, nil},
		{"reversed", file(root, middle, leaf), k3s.TokenFallback, nil},
		{"unrelated", file(leaf, stranger), k3s.TokenFallback, nil},
		{"an intermediate for clients", file(newCA(t, "server-ca", clients), clients, root), k3s.TokenFallback, nil},
		{"expired", file(newCA(t, "server-ca", middle, ends(-time.Minute)), middle, root), k3s.TokenFallback, nil},
		{"not yet valid", file(newCA(t, "server-ca", middle, starts(time.Minute)), middle, root), k3s.TokenFallback, nil},
		{"an expired root", file(newCA(t, "server-ca", stranger), newCA(t, "stranger", nil, ends(-time.Minute))), k3s.TokenFallback, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			token := compute(t, tt.file, now)
			want := ""
			if tt.root != nil {
				want = fingerprint(t, tt.root.Certificate)
			} else {
				want = sha256File(t, tt.file)
			}
			if token.Mode != tt.mode || token.Hash != want {
				t.Errorf("%s %s (%v), want %s %s", token.Mode, token.Hash, token.Reason, tt.mode, want)
			}
			if (token.Reason != nil) != (tt.mode == k3s.TokenFallback) || token.Until.IsZero() != (tt.mode != k3s.TokenRoot) || (token.Root != nil) != (tt.mode == k3s.TokenRoot) {
				t.Errorf("%+v", token)
			}
		})
	}
}

// Why a chain did not verify is Go's own reason.
func TestTokenReasons(t *testing.T) {
	root := newCA(t, "root", nil)
	expired := compute(t, file(newCA(t, "server-ca", root, ends(-time.Minute)), root), now)
	if invalid := (x509.CertificateInvalidError{}); !errors.As(expired.Reason, &invalid) || invalid.Reason != x509.Expired {
		t.Errorf("expired: %v", expired.Reason)
	}
	lost := compute(t, file(newCA(t, "server-ca", root), newCA(t, "other", nil)), now)
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(lost.Reason, &unknown) {
		t.Errorf("no issuer: %v", lost.Reason)
	}
	clients := newCA(t, "clients", root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	usage := compute(t, file(newCA(t, "server-ca", clients), clients, root), now)
	if invalid := (x509.CertificateInvalidError{}); !errors.As(usage.Reason, &invalid) || invalid.Reason != x509.IncompatibleUsage {
		t.Errorf("usage: %v", usage.Reason)
	}
}

// What client-go passes over does not count, but its bytes do.
func TestTokenParsesLikeK3s(t *testing.T) {
	root := newCA(t, "root", nil)
	leaf := newCA(t, "server-ca", root)
	one, two := file(leaf), file(root)
	headed := bytes.Replace(two, []byte("-----\n"), []byte("-----\nComment: x\n\n"), 1)
	glued := append(bytes.TrimSpace(one), two...)
	for name, data := range map[string][]byte{
		"a key behind":           append(bytes.Clone(one), "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n"...),
		"a block with headers":   append(bytes.Clone(one), headed...),
		"a block that is broken": append(bytes.Clone(one), "-----BEGIN CERTIFICATE-----\nMII"...),
	} {
		if token := compute(t, data, now); token.Mode != k3s.TokenFile || token.Hash != sha256File(t, data) {
			t.Errorf("%s: %+v", name, token)
		}
	}
	if token, err := k3s.ComputeToken(glued, now); err == nil && token.Mode == k3s.TokenRoot {
		t.Error("glued blocks: k3s sees fewer certificates than people do")
	}
	for name, data := range map[string][]byte{
		"empty":           nil,
		"a key":           []byte("-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n"),
		"no certificate":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}),
		"one of them bad": append(bytes.Clone(one), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})...),
	} {
		if token, err := k3s.ComputeToken(data, now); err == nil {
			t.Errorf("%s: %+v", name, token)
		}
	}
}

// Until is the last second of the hash: one second later k3s computes another.
func TestTokenUntil(t *testing.T) {
	const hour = time.Hour
	root, old := newCA(t, "root", nil), newCA(t, "old", nil, ends(200*hour))
	middle := newCA(t, "middle", root, ends(100*hour))
	again := certify(t, "middle", middle.key, root, ends(150*hour)) // the same intermediate, renewed
	young := newCA(t, "young", nil, starts(50*hour))
	cross := certify(t, "young", young.key, old, ends(120*hour))
	brief := newCA(t, "brief", nil, ends(30*hour))
	briefCross := certify(t, "brief", brief.key, old, ends(120*hour))
	for _, tt := range []struct {
		name  string
		file  []byte
		until time.Duration
		next  k3s.TokenMode // one second later
	}{
		{"the leaf CA ends first", file(newCA(t, "ca", middle, ends(90*hour)), middle, root), 90 * hour, k3s.TokenFallback},
		{"the intermediate ends first", file(newCA(t, "ca", middle, ends(110*hour)), middle, root), 100 * hour, k3s.TokenFallback},
		{"the root ends first", file(newCA(t, "ca", brief), brief), 30 * hour, k3s.TokenFallback},
		{"a renewed intermediate takes over", file(newCA(t, "ca", middle), middle, again, root), 150 * hour, k3s.TokenFallback},
		{"the old root takes over", file(newCA(t, "ca", brief, ends(240*hour)), brief, briefCross, old), 30 * hour, k3s.TokenRoot},
		{"the new root becomes valid", file(newCA(t, "ca", young), young, cross, old), 50*hour - time.Second, k3s.TokenRoot},
		{"a second from now", file(newCA(t, "ca", root, ends(time.Second)), root), time.Second, k3s.TokenFallback},
		{"the last second", file(newCA(t, "ca", root, ends(0)), root), 0, k3s.TokenFallback},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first := compute(t, tt.file, now)
			if first.Mode != k3s.TokenRoot || !first.Until.Equal(now.Add(tt.until)) {
				t.Fatalf("%s until %s, want %s", first.Mode, first.Until, now.Add(tt.until))
			}
			if last := compute(t, tt.file, first.Until); last.Hash != first.Hash || last.Mode != first.Mode || !last.Until.Equal(first.Until) {
				t.Errorf("at its last second: %+v", last)
			}
			if after := compute(t, tt.file, first.Until.Add(time.Second)); after.Hash == first.Hash || after.Mode != tt.next {
				t.Errorf("a second later: %s %s", after.Mode, after.Hash)
			}
		})
	}
	forever := newCA(t, "root", nil, func(c *x509.Certificate) { c.NotAfter = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) })
	token := compute(t, file(newCA(t, "ca", forever, func(c *x509.Certificate) { c.NotAfter = forever.NotAfter }), forever), now)
	if got := token.Until.Format(time.RFC3339); got != "9999-12-31T23:59:59Z" {
		t.Errorf("until %s", got)
	}
}

// An issuer without a subject key identifier leaves its children without the
// authority's, and k3s then takes such an intermediate for a root.
func TestTokenWithoutKeyIdentifiers(t *testing.T) {
	root := newCA(t, "root", nil)
	middle := certify(t, "middle", newCA(t, "", nil).key, &ca{withoutSKI(root.Certificate), root.key})
	leaf := newCA(t, "server-ca", middle)
	if len(middle.AuthorityKeyId) > 0 {
		t.Fatal("the intermediate has an authority key identifier")
	}
	token := compute(t, file(leaf, middle, root), now)
	if token.Mode != k3s.TokenRoot || token.Hash != fingerprint(t, middle.Certificate) {
		t.Errorf("%s %s", token.Mode, strings.TrimSpace(token.Root.Subject.String()))
	}
}

func withoutSKI(c *x509.Certificate) *x509.Certificate {
	copied := *c
	copied.SubjectKeyId = nil
	return &copied
}
