package report_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// The ways that are meant to be gone, each measured on a real server
// (docs/DESIGN.md; e2e/full).
func TestAgainstGoodSuccessors(t *testing.T) {
	runHeirs(t, []heir{
		{"the same", "", func(*cluster) {}, true, []string{"rotation-nothing "}},
		{"new leaf CAs, the previous ones kept", "", func(c *cluster) {
			for _, role := range leafCAs {
				was := c.certs[role]
				c.renew(role)
				c.order[role] = append(c.order[role], was)
			}
		}, true, append(previous("#3", leafCAs[1:]...), releases, "previous-ca "+server+"#4")},
		{"new leaf CAs: bare client certificates get 401", "", func(c *cluster) { c.renew(leafCAs...) }, true,
			[]string{releases, configMap, "client-ca-dropped " + client, "server-ca-dropped " + server}},
		{"etcd alone", "", func(c *cluster) { c.renew(pki.EtcdPeerCA, pki.EtcdServerCA) }, true, []string{releases}},
		{"one pair and nothing else offered", "", func(c *cluster) {
			c.renew(pki.EtcdPeerCA)
			for name := range c.files {
				if name != "tls/etcd/peer-ca.key" {
					c.files[name] = nil
				}
			}
			for _, role := range leafCAs {
				if role != pki.EtcdPeerCA {
					c.files[c.path(role)+".crt"] = nil
				}
			}
		}, true, []string{releases, "rotation-partial "}},
		{"new server root, step a: cross, old", "", func(c *cluster) { c.cross("cross old previous", pki.ServerCA) }, true, []string{releases}},
		{"new server root: cross, new, old", "", func(c *cluster) { c.cross("cross new old previous", pki.ServerCA) }, true,
			[]string{releases, "previous-ca " + server + "#4", "supervisor-keeps-old " + server, "token-changes " + server}},
		{"new server root before the cross: OpenSSL fails", "", func(c *cluster) { c.cross("new cross old previous", pki.ServerCA) }, true,
			[]string{releases, "previous-ca " + server + "#4", "supervisor-keeps-old " + server, "token-changes " + server, "cross-order " + server}},
		{"new server root of the same name: the key identifier tells them apart", "", func(c *cluster) {
			old, _ := c.top(pki.ServerCA)
			c.crossAs(old.Subject.CommonName, "cross new old previous", pki.ServerCA)
		}, true, []string{releases, "previous-ca " + server + "#4", "supervisor-keeps-old " + server, "token-changes " + server}},
		{"new client root", "", func(c *cluster) { c.cross("cross new old previous", pki.ClientCA) }, true,
			[]string{releases, "previous-ca " + client + "#4", "previous-ca " + client + "#5"}},
		{"from shared to isolated, the old root kept: still open", pki.Shared, func(c *cluster) {
			c.cross("cross new old previous", leafCAs[1:]...)
		}, true, append(previous("#4", leafCAs[1:]...), releases, configMap, "old-trust-open tls", "shared-trust tls")},
		{"from shared to isolated, the old root dropped", pki.Shared, func(c *cluster) { c.cross("cross new", leafCAs[1:]...) }, true,
			[]string{releases, configMap, "old-leaves-refused " + client, "old-leaves-refused " + requestHeader,
				"old-leaves-refused " + etcdPeer, "old-leaves-refused " + etcdServer}},
		{"same key, same subject", "", func(c *cluster) {
			issuer, signer := c.issuer(pki.ClientCA)
			was := c.certs[pki.ClientCA]
			c.order[pki.ClientCA][0] = ca(c.t, was.Subject.CommonName, was.PublicKey, issuer, signer,
				func(n *x509.Certificate) { n.RawSubject, n.SubjectKeyId = was.RawSubject, was.SubjectKeyId })
		}, true, []string{releases}},
		{"service key: new and old", "", func(c *cluster) {
			c.files[serviceKey] = concat(keyPEM(c.t, newKey(c.t, pki.P256)), c.files[serviceKey])
		}, true, []string{releases, "service-key-signs " + serviceKey}},
		{"service key: old and new", "", func(c *cluster) {
			c.files[serviceKey] = concat(c.files[serviceKey], keyPEM(c.t, newKey(c.t, pki.P256)))
		}, true, []string{releases}},
	})
}

// previous are the notices about what is kept at one place of each file.
func previous(place string, roles ...pki.Role) (out []string) {
	for _, role := range roles {
		out = append(out, "previous-ca "+filesOf[role]+place)
	}
	return out
}

var filesOf = map[pki.Role]string{
	pki.ServerCA: server, pki.ClientCA: client, pki.RequestHeaderCA: requestHeader, pki.EtcdPeerCA: etcdPeer, pki.EtcdServerCA: etcdServer,
}

// What rotate-ca refuses.
func TestAgainstRefusals(t *testing.T) {
	runHeirs(t, []heir{
		{"another client root", "", func(c *cluster) { c.cross("new", pki.ClientCA) }, false, []string{
			releases, configMap, "rotate-chain " + client, "old-leaves-refused " + client, "new-leaves-refused " + client}},
		{"the service key alone is another", "", func(c *cluster) {
			c.files[serviceKey] = keyPEM(c.t, newKey(c.t, pki.P256))
		}, false, []string{releases, "rotate-service-key " + serviceKey}},
		{"a certificate without its key", "", func(c *cluster) {
			c.renew(pki.EtcdPeerCA)
			c.files["tls/etcd/peer-ca.key"] = nil
		}, false, []string{releases, "rotation-partial ", "rotate-pair tls/etcd/peer-ca.key", "key-mismatch tls/etcd/peer-ca.key"}},
		{"a CA alone in its file", "", func(c *cluster) {
			c.renew(pki.EtcdPeerCA)
			c.order[pki.EtcdPeerCA] = c.order[pki.EtcdPeerCA][:1]
		}, false, []string{releases, "rotate-single " + etcdPeer, "chain-incomplete " + etcdPeer, "single-certificate " + etcdPeer,
			"probe-path " + etcdPeer, "old-leaves-refused " + etcdPeer}},
		{"no PEM", "", func(c *cluster) { c.files[etcdPeer] = []byte("x") }, false, []string{
			releases, "rotate-unreadable " + etcdPeer, "rotate-pair tls/etcd/peer-ca.key", "pem-none " + etcdPeer}},
		{"for clients alone", "", func(c *cluster) {
			c.reissue(pki.EtcdPeerCA, func(l, _ *x509.Certificate) { l.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
		}, false, []string{releases, "rotate-chain " + etcdPeer, "eku-breaks-token " + etcdPeer, "probe-go " + etcdPeer, "probe-path " + etcdPeer}},
	})
}

// What rotate-ca lets pass and breaks.
func TestAgainstWhatIsNotChecked(t *testing.T) {
	runHeirs(t, []heir{
		{"the server's intermediate left out: nodes have it, others do not", "", func(c *cluster) {
			was := c.certs[pki.ServerCA]
			c.renew(pki.ServerCA)
			c.order[pki.ServerCA] = []*x509.Certificate{c.certs[pki.ServerCA], c.certs[pki.Root], was}
		}, true, []string{releases, "old-root-refuses " + server, "token-changes " + server,
			"chain-incomplete " + server, "probe-path-domain " + server, "token-fallback " + server}},
		{"no CA", "", func(c *cluster) {
			c.reissue(pki.EtcdPeerCA, func(l, _ *x509.Certificate) { l.IsCA, l.MaxPathLen, l.MaxPathLenZero = false, -1, false })
		}, true, []string{releases, "not-ca " + etcdPeer, "probe-go " + etcdPeer, "probe-path " + etcdPeer}},
	})
}

// k3s renews its leaf certificates when the key identifier of their CA changes,
// and by nothing else: the same key under another name leaves them without an
// issuer, and two CAs without an identifier are the same to it.
func TestAgainstLeavesThatStay(t *testing.T) {
	for name, edit := range map[string]func(was, next *x509.Certificate){
		"the same key under another name": func(was, next *x509.Certificate) { next.SubjectKeyId = was.SubjectKeyId },
		"the old CA kept":                 func(was, next *x509.Certificate) { next.SubjectKeyId = was.SubjectKeyId },
		"another identifier":              func(_, next *x509.Certificate) { next.SubjectKeyId = []byte{1} },
	} {
		c := newCluster(t, pki.Isolated)
		next := c.successor()
		issuer, signer := c.issuer(pki.EtcdPeerCA)
		was := c.certs[pki.EtcdPeerCA]
		next.order[pki.EtcdPeerCA][0] = ca(t, "renamed", was.PublicKey, issuer, signer, func(n *x509.Certificate) { edit(was, n) })
		if name == "the old CA kept" {
			next.order[pki.EtcdPeerCA] = append(next.order[pki.EtcdPeerCA], was)
		}
		found := against(t, next.bundle(), c.bundle()).Findings
		if got, want := has(found, "leaves-not-renewed"), name == "the same key under another name"; got != want {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// The clusters that k3s makes itself: the token hashes the file's bytes and so
// changes, and the self-signed CAs cannot be offered again.
func TestAgainstADefaultCluster(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	next := c.successor()
	for _, role := range leafCAs {
		cert, key := root(t, "k3s-"+string(role))
		c.order[role], c.files[c.path(role)+".key"] = []*x509.Certificate{cert}, keyPEM(t, key)
		c.certs[role], c.keys[role] = cert, key
	}
	for _, role := range leafCAs {
		next.order[role], next.certs, next.keys = c.order[role], c.certs, c.keys
		next.cross("new cross old", role) // as the script of k3s orders them
	}
	r := against(t, next.bundle(), c.bundle())
	wantLines(t, r.Findings, append(previous("#4", leafCAs...), releases, "token-changes "+server, "supervisor-keeps-old "+server, "cross-order "+server)...)
	if r.Against.Topology != report.DefaultTopology || r.Against.Token.Mode != k3s.TokenFile || r.Against.TokenKept || !r.Against.Ruling.Saved {
		t.Errorf("%+v", r.Against)
	}
	same := against(t, c.bundle(), c.bundle())
	if got := same.Count(pki.Error); got != 5 || !has(same.Findings, "rotate-single") || !slices.Equal(same.Against.ForceHides, []pki.Code{"rotate-single"}) {
		t.Errorf("offered again: %v", lines(same.Findings))
	}
}

// From isolated to shared nothing stays open that was: shared-trust tells of the
// rest. And what a CA signed that has ended is refused as it is.
func TestAgainstWhatWasNotSo(t *testing.T) {
	isolated := newCluster(t, pki.Isolated)
	joined := isolated.successor()
	key := newKey(t, pki.P256)
	below := ca(t, "next client-ca", key.Public(), isolated.certs[pki.Root], isolated.keys[pki.Root])
	joined.order[pki.ClientCA], joined.files["tls/client-ca.key"] = []*x509.Certificate{below, isolated.certs[pki.Root]}, keyPEM(t, key)
	if found := against(t, joined.bundle(), isolated.bundle()).Findings; has(found, "old-trust-open") || !has(found, "shared-trust") {
		t.Errorf("from isolated to shared: %v", lines(found))
	}
	isolated.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.NotAfter = issueTime.Add(-time.Second) })
	next := isolated.successor()
	next.renew(pki.ClientCA)
	wantLines(t, against(t, next.bundle(), isolated.bundle()).Findings, releases, configMap)
}

// A file that is empty counts as not offered: the server's own is judged.
func TestAgainstAnEmptyFile(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	next := c.successor()
	next.renew(pki.EtcdPeerCA)
	offered := next.bundle()
	offered.File(client).Data, offered.File(client).Mode = nil, 0o666
	r := against(t, offered, c.bundle())
	wantLines(t, r.Findings, releases, "rotation-partial ")
	if f := r.Against.Ruling.Files[6]; f.Path != client || f.Offered {
		t.Errorf("%+v", f)
	}
}

// Service keys beyond the first are nobody's concern but their tokens'.
func TestAgainstServiceKeysDropped(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	first, second, third := c.files[serviceKey], keyPEM(t, newKey(t, pki.P256)), keyPEM(t, newKey(t, pki.P256))
	for _, tt := range []struct {
		was, is []byte
		want    []string
		count   string
	}{
		{concat(first, second, third), concat(first, third), []string{releases, "service-key-dropped " + serviceKey}, "1"},
		{concat(first, second, third), first, []string{releases, "service-key-dropped " + serviceKey}, "2"},
		{concat(first, second), concat(third, second, first), []string{releases, "service-key-signs " + serviceKey}, ""},
		{concat(first, second), concat(second, third), []string{releases, "rotate-service-key " + serviceKey}, ""},
	} {
		old, next := c.successor(), c.successor()
		old.files[serviceKey], next.files[serviceKey] = tt.was, tt.is
		found := against(t, next.bundle(), old.bundle()).Findings
		wantLines(t, found, tt.want...)
		for _, f := range found {
			if f.Code == "service-key-dropped" && f.Args["count"] != tt.count {
				t.Errorf("%v, want %s", f, tt.count)
			}
		}
	}
}

// A server whose file is three seconds newer than the one offered dies at its
// next start, whatever rotate-ca answered.
func TestAgainstTimes(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	next := c.successor()
	next.renew(pki.EtcdPeerCA)
	old, offered := c.bundle(), next.bundle()
	for _, b := range []pki.Bundle{old, offered} {
		for i := range b.Files {
			b.Files[i].Time = issueTime.Add(-time.Minute)
		}
	}
	wantLines(t, against(t, offered, old).Findings, releases)
	old.File(etcdPeer).Time = old.File(etcdPeer).Time.Add(3 * time.Second)
	r := against(t, offered, old)
	wantLines(t, r.Findings, releases, "rotate-older "+etcdPeer)
	if f := r.Findings[0]; f.Args["was"] != "2026-11-22T19:59:03Z" || f.Args["is"] != "2026-11-22T19:59:00Z" || !r.Against.Ruling.Saved {
		t.Errorf("%+v", f)
	}
}

// Any place on either side; the findings bear the paths of the offer.
func TestAgainstDirectories(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	next := c.successor()
	next.cross("new", pki.EtcdPeerCA)
	moved := func(b pki.Bundle, to string) pki.Bundle {
		var out pki.Bundle
		for _, f := range b.Files {
			out.Add(to+strings.TrimPrefix(f.Path, "tls/"), f.Kind, f.Data)
		}
		return out
	}
	for dir, place := range map[string]string{"": ".", "server/tls/": "server/tls", "rotate-ca/tls/": "rotate-ca/tls"} {
		r := against(t, moved(next.bundle(), dir), moved(c.bundle(), dir))
		if r.Directory != place || r.Against.Directory != place || r.Against.Ruling.Saved || r.Findings[0].Subject != dir+"etcd/peer-ca.crt" {
			t.Errorf("%q: %q %q %+v", dir, r.Directory, r.Against.Directory, r.Findings)
		}
	}
}

// What is not there, and what must not be computed with.
func TestAgainstNothing(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	empty := pki.Bundle{}
	var refusal *pki.Refusal
	if _, err := report.VerifyAgainst(t.Context(), c.bundle(), empty, issueTime, probeKey{}); !errors.As(err, &refusal) || refusal.Findings[0].Code != "old-none" {
		t.Errorf("without OLD: %v", err)
	}
	r := against(t, empty, c.bundle())
	wantLines(t, r.Findings, "bundle-none .")
	// The real handler saves the server's own files once more without a word
	// (e2e/middle, row "nothing"): that the directory is wrong is for verify to say.
	if r.Against.Ruling == nil || !r.Against.Ruling.Saved || slices.ContainsFunc(r.Against.Ruling.Files, func(f k3s.FileRuling) bool { return f.Offered }) {
		t.Errorf("%+v", r.Against.Ruling)
	}
	partial := c.successor()
	partial.files[etcdPeer], partial.files[serviceKey] = nil, nil
	next := c.successor()
	next.renew(pki.EtcdPeerCA)
	wantLines(t, against(t, next.bundle(), partial.bundle()).Findings, releases, "rotate-current "+etcdPeer, "rotate-current "+serviceKey)

	huge := &rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 9000), big.NewInt(1)), E: 65537}
	issuer, signer := c.issuer(pki.EtcdPeerCA)
	next.order[pki.EtcdPeerCA] = append(next.order[pki.EtcdPeerCA], ca(t, "huge", huge, issuer, signer))
	r = against(t, next.bundle(), c.bundle())
	if !has(r.Findings, "rotate-unjudged") || r.Against.Ruling != nil {
		t.Errorf("a key of 9000 bits: %v", lines(r.Findings))
	}
	next = c.successor()
	next.files[serviceKey] = concat(next.files[serviceKey], pem.EncodeToMemory(&pem.Block{Type: "X PRIVATE KEY", Bytes: make([]byte, 7<<10)}))
	if r = against(t, next.bundle(), c.bundle()); !has(r.Findings, "rotate-unjudged") {
		t.Errorf("a block of 7 kB: %v", lines(r.Findings))
	}
}

// The report for programs is that of verify, with one member more.
func TestAgainstJSON(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	next := c.successor()
	next.renew(pki.EtcdPeerCA)
	data, err := json.Marshal(against(t, next.bundle(), c.bundle()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"topology":"isolated"`, `"against":{"directory":"tls","topology":"isolated","token":{"token":"K10`, `"tokenKept":true`,
		`"ruling":{"saved":true,"files":[{"field":"ETCDServerCA"`, `"forceHides":[]`} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("%s\nlacks %s", data, want)
		}
	}
}
