package report_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// What rootkiln makes is sound, in every topology, profile and distribution.
func TestWhatIsMadeIsSound(t *testing.T) {
	upstream := pki.Keys{Root: pki.RSA2048, Intermediate: pki.RSA2048}
	for _, c := range []struct {
		name string
		plan pki.Plan
		want []pki.Code // each code once
	}{
		{"isolated", pki.Plan{Topology: pki.Isolated}, nil},
		{"shared", pki.Plan{Topology: pki.Shared}, []pki.Code{"shared-trust"}},
		{"rke2", pki.Plan{Topology: pki.Isolated, Distro: pki.RKE2, Keys: quick}, nil},
		{"upstream", pki.Plan{Topology: pki.Shared, Profile: pki.Upstream, Keys: upstream}, []pki.Code{"ku-encipherment", "shared-trust", "no-crl-sign"}},
		{"upstream, isolated", pki.Plan{Topology: pki.Isolated, Profile: pki.Upstream, Keys: upstream}, []pki.Code{"ku-encipherment", "no-crl-sign"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			issued := issue(t, c.plan)
			v := verify(t, issued.Server)
			if got := codes(v.Findings); !slices.Equal(got, c.want) {
				t.Errorf("findings %v, want %v", v.Findings, c.want)
			}
			if v.Topology != c.plan.Topology || v.Directory != "tls" || v.Distro != issued.Plan.Distro {
				t.Errorf("topology %q, directory %q, distribution %q", v.Topology, v.Directory, v.Distro)
			}
			want := report.Probes{Go: report.Tally{Run: 18}, Path: report.Tally{Run: 18}}
			if v.Probes != want {
				t.Errorf("probes %+v, want %+v", v.Probes, want)
			}
			root := issued.Authorities[pki.Root].Certificate
			if v.Token == nil || v.Token.Mode != k3s.TokenRoot || v.Token.Hash != pki.Fingerprint(root) || v.Token.Root != pki.Name(root) {
				t.Errorf("token %+v, want the hash of %s", v.Token, pki.Name(root))
			}
			end := pki.At(issued.Authorities[pki.ServerCA].Certificate.NotAfter)
			if v.NextExpiry == nil || v.NextExpiry.End != end || v.NextExpiry.String() != server {
				t.Errorf("next expiry %+v, want %s at %s", v.NextExpiry, server, end)
			}
		})
	}
}

// codes lists each code once, in order.
func codes(findings []pki.Finding) []pki.Code {
	var out []pki.Code
	for _, f := range findings {
		if !slices.Contains(out, f.Code) {
			out = append(out, f.Code)
		}
	}
	return out
}

// A directory that the k3s example script has just made is no failure: its
// faults are warnings.
func TestFreshScriptDirectoryHasNoErrors(t *testing.T) {
	issued := issue(t, pki.Plan{Topology: pki.Shared, Profile: pki.Upstream, Keys: pki.Keys{Root: pki.RSA2048, Intermediate: pki.RSA2048}})
	var b pki.Bundle
	for _, f := range issued.Server.Files {
		rel := strings.TrimPrefix(f.Path, "tls/")
		b.Add(rel, f.Kind, f.Data)
		if stem, ok := strings.CutSuffix(rel, ".crt"); ok {
			b.Add(stem+".pem", f.Kind, f.Data[:len(f.Data)/3])
			b.File(stem + ".pem").Data = pki.EncodeCertificates(parseFirst(t, f.Data))
		}
	}
	for _, f := range issued.Offline.Files {
		if f.Kind == pki.KindKey || f.Kind == pki.KindChain {
			b.Add(f.Path, f.Kind, f.Data)
		}
	}
	v := verify(t, b)
	want := []pki.Code{"root-key-on-server", "ku-encipherment", "shared-trust", "no-crl-sign", "upstream-names"}
	if got := codes(v.Findings); v.Count(pki.Error) != 0 || !sameSet(got, want) {
		t.Errorf("findings %v, want the codes %v", v.Findings, want)
	}
	roles := map[string]string{}
	for _, f := range v.Findings {
		if f.Code == "root-key-on-server" {
			roles[f.Subject] = f.Args["role"]
		}
	}
	if len(roles) != 2 || roles["root-ca.key"] != "root" || roles["intermediate-ca.key"] != "intermediate" {
		t.Errorf("keys %v", roles)
	}
}

func sameSet(a, b []pki.Code) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(c pki.Code) bool { return !slices.Contains(b, c) })
}

func parseFirst(t *testing.T, data []byte) *x509.Certificate {
	t.Helper()
	certs, _, err := pki.ParseCertificates("first", data)
	if err != nil {
		t.Fatal(err)
	}
	return certs[0]
}

// The CAs that k3s makes itself: self-signed, one in each file, serial number 0.
func TestDefaultCAs(t *testing.T) {
	c := defaultCluster(t)
	v := verify(t, c.bundle())
	want := []string{"token-file-hash " + server}
	for _, file := range []string{server, client, requestHeader, etcdPeer, etcdServer} {
		want = append(want, "serial-range "+file, "ku-encipherment "+file, "no-crl-sign "+file)
	}
	wantLines(t, v.Findings, want...)
	if v.Topology != report.DefaultTopology || v.Count(pki.Error) != 0 || v.Token.Mode != k3s.TokenFile {
		t.Errorf("topology %q, token %+v, %v", v.Topology, v.Token, v.Findings)
	}
}

// A file of one certificate beside full chains is not what k3s makes.
func TestMixedTopology(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	alone, key := root(t, "my client CA")
	c.order[pki.ClientCA], c.files["tls/client-ca.key"] = []*x509.Certificate{alone}, keyPEM(t, key)
	v := verify(t, c.bundle())
	wantLines(t, v.Findings, "single-certificate "+client)
	if v.Topology != report.MixedTopology {
		t.Errorf("topology %q", v.Topology)
	}
}

func defaultCluster(t *testing.T) *cluster {
	c := newCluster(t, pki.Isolated)
	for _, role := range []pki.Role{pki.ServerCA, pki.ClientCA, pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA} {
		key := newKey(t, pki.P256)
		template := &x509.Certificate{
			Subject: pkix.Name{CommonName: "k3s-" + string(role) + "@1"}, NotBefore: issueTime.Add(-time.Hour),
			NotAfter: issueTime.AddDate(10, 0, 0), BasicConstraintsValid: true, IsCA: true,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		}
		c.certs[role] = resign(t, sign(t, template, template, key.Public(), key), key, template.SerialNumber.SetInt64(0), false)
		c.keys[role], c.order[role] = key, []*x509.Certificate{c.certs[role]}
		c.files[c.path(role)+".key"] = keyPEM(t, key)
	}
	return c
}

// The files of a rotation: design, "Order of a bundle", and k3s's script for
// its own CAs.
func TestRotatedChainsAreSound(t *testing.T) {
	for _, c := range []struct {
		name  string
		order string // of the file, by the names below
		root  string // whose hash the token has
		kept  []string
	}{
		{"new leaf CA, same root, old leaf CA kept", "leaf middle root previous", "root", []string{"#4"}},
		{"the same, and the intermediate is new", "leaf next root previous middle", "root", []string{"#4", "#5"}},
		{"new root, cross-signed", "leaf cross new root", "new", []string{"#4"}},
		{"the same under an intermediate", "leaf under cross new root", "new", []string{"#5"}},
		{"the same with the old leaf CA and its issuer", "leaf under cross new root previous middle", "new", []string{"#5", "#6", "#7"}},
		{"step a: the token stays", "leaf cross root", "root", nil},
		{"step a under an intermediate", "leaf under cross root", "root", nil},
		{"step b: the token becomes the new one", "leaf cross root new", "new", []string{"#3"}},
		{"step b under an intermediate", "leaf under cross root new", "new", []string{"#4"}},
		{"step c", "leaf new", "new", nil},
		{"step c under an intermediate", "leaf under new", "new", nil},
		{"as the script for default CAs orders it", "leaf new cross root", "new", []string{"#4"}},
		{"the cross certificate stays, the old root is gone", "leaf new cross", "new", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newCluster(t, pki.Isolated)
			newRoot, newRootKey := root(t, "new root")
			cross := *newRoot
			cross.AuthorityKeyId, cross.NotAfter = b.certs[pki.Root].SubjectKeyId, b.certs[pki.Root].NotAfter
			// below makes a CA like another one of the bundle.
			below := func(role pki.Role, cn string, parent *x509.Certificate, signer crypto.Signer) (*x509.Certificate, crypto.Signer) {
				key := newKey(t, pki.P256)
				ca := *b.certs[role]
				ca.Subject, ca.RawSubject, ca.SerialNumber = pkix.Name{CommonName: cn}, nil, nil
				ca.SubjectKeyId, ca.AuthorityKeyId = []byte(cn), parent.SubjectKeyId
				return sign(t, &ca, parent, key.Public(), signer), key
			}
			next, nextKey := below(pki.Intermediate, "next intermediate", b.certs[pki.Root], b.keys[pki.Root])
			under, underKey := below(pki.Intermediate, "new intermediate", newRoot, newRootKey)
			parent, parentKey := newRoot, newRootKey
			switch {
			case strings.Contains(c.order, "next"):
				parent, parentKey = next, nextKey
			case strings.Contains(c.order, "under"):
				parent, parentKey = under, underKey
			case strings.Contains(c.order, "middle"):
				parent, parentKey = b.certs[pki.Intermediate], b.keys[pki.Intermediate]
			}
			leaf, key := below(pki.ServerCA, "new leaf CA", parent, parentKey)
			certs := map[string]*x509.Certificate{
				"root": b.certs[pki.Root], "middle": b.certs[pki.Intermediate], "previous": b.certs[pki.ServerCA],
				"new": newRoot, "cross": sign(t, &cross, b.certs[pki.Root], newRoot.PublicKey, b.keys[pki.Root]),
				"next": next, "under": under, "leaf": leaf,
			}
			b.order[pki.ServerCA], b.files["tls/server-ca.key"] = nil, keyPEM(t, key)
			for _, name := range strings.Fields(c.order) {
				b.order[pki.ServerCA] = append(b.order[pki.ServerCA], certs[name])
			}
			v := verify(t, b.bundle())
			var want []string
			for _, place := range c.kept {
				want = append(want, "previous-ca "+server+place)
			}
			wantLines(t, v.Findings, want...)
			if v.Token == nil || v.Token.Mode != k3s.TokenRoot || v.Token.Hash != pki.Fingerprint(certs[c.root]) {
				t.Errorf("token %+v, want that of %s", v.Token, c.root)
			}
		})
	}
}

// A server that has started: what it made from the bundle belongs to it, and
// what it made from an older one is told.
func TestRunningServer(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	fresh := func(role pki.Role, edit func(template, parent *x509.Certificate)) []byte {
		leaf := x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}, NotBefore: issueTime.Time, NotAfter: issueTime.AddDate(1, 0, 0)}
		parent := *c.certs[role]
		if edit != nil {
			edit(&leaf, &parent)
		}
		return pki.EncodeCertificates(sign(t, &leaf, &parent, newKey(t, pki.P256).Public(), c.keys[role]), c.certs[role])
	}
	leafKey := keyPEM(t, newKey(t, pki.P256))
	c.files["tls/client-admin.crt"], c.files["tls/client-admin.key"] = fresh(pki.ClientCA, nil), leafKey
	c.files["tls/etcd/client.crt"], c.files["tls/etcd/client.key"] = fresh(pki.EtcdServerCA, nil), leafKey
	c.files["tls/serving-kubelet.key"], c.files["tls/temporary-certs/x.key"] = leafKey, leafKey
	c.files["tls/client-ca.nochain.crt"] = pki.EncodeCertificates(c.certs[pki.ClientCA])
	c.files["tls/service.current.key"] = c.files["tls/service.key"]
	c.files["tls/dynamic-cert.json"] = secret(t, fresh(pki.ServerCA, nil), leafKey)
	c.files["agent/client-kubelet.crt"], c.files["agent/client-kubelet.key"] = fresh(pki.ClientCA, nil), leafKey
	c.files["agent/node.key"] = leafKey // not in the tls directory: none of ours
	wantLines(t, verify(t, c.bundle()).Findings)

	c.files["tls/client-ca.nochain.crt"] = pki.EncodeCertificates(c.certs[pki.ServerCA])
	c.files["tls/service.current.key"] = leafKey
	otherKey := func(_, parent *x509.Certificate) { parent.SubjectKeyId = []byte("older") }
	c.files["tls/etcd/client.crt"] = fresh(pki.EtcdServerCA, otherKey)
	c.files["tls/dynamic-cert.json"] = secret(t, fresh(pki.ServerCA, otherKey), leafKey)
	c.files["agent/client-kubelet.crt"] = fresh(pki.ClientCA, otherKey)
	// the same key under another name: k3s sees no difference
	c.files["tls/client-admin.crt"] = fresh(pki.ClientCA, func(_, parent *x509.Certificate) {
		parent.Subject, parent.RawSubject = pkix.Name{CommonName: "k3s-client-ca@1"}, nil
	})
	wantLines(t, verify(t, c.bundle()).Findings,
		"nochain-stale tls/client-ca.nochain.crt", "service-current-stale tls/service.current.key",
		"leaf-stale tls/etcd/client.crt", "leaf-stale tls/dynamic-cert.json", "leaf-stale agent/client-kubelet.crt",
		"subject-mismatch tls/client-admin.crt")

	c.files["tls/dynamic-cert.json"] = []byte("{")
	if v := verify(t, c.bundle()); !has(v.Findings, "serving-unreadable") {
		t.Errorf("an unreadable dynamic-cert.json, which stops a start, is not told: %v", v.Findings)
	}
}

// The tls directory is found wherever it lies, and the live one among its
// copies.
func TestDirectoryIsFound(t *testing.T) {
	good := newCluster(t, pki.Isolated).bundle()
	move := func(prefix string, only ...string) (b pki.Bundle) {
		for _, f := range good.Files {
			if len(only) == 0 || slices.Contains(only, f.Path) {
				b.Add(prefix+strings.TrimPrefix(f.Path, "tls/"), f.Kind, f.Data)
			}
		}
		return b
	}
	join := func(bundles ...pki.Bundle) (all pki.Bundle) {
		for _, b := range bundles {
			for _, f := range b.Files {
				all.Add(f.Path, f.Kind, f.Data)
			}
		}
		return all
	}
	for _, c := range []struct {
		name string
		b    pki.Bundle
		want string
	}{
		{"an archive of ours", good, "tls"},
		{"a bare tls directory", move(""), "."},
		{"a data directory", move("server/tls/"), "server/tls"},
		{"a whole disk", move("var/lib/rancher/k3s/server/tls/"), "var/lib/rancher/k3s/server/tls"},
		{"another name", move("c1/pki/"), "c1/pki"},
		{"copies", join(move("agent/", client, server), move("server/rotate-ca/tls/"), move("server/tls-1700000000/"), move("server/tls/")), "server/tls"},
		{"a part called tls beside the whole", join(move("a/tls/", client, server), move("server/pki/")), "server/pki"},
		{"tls beside a copy of another name", join(move("a/"), move("server/tls/")), "server/tls"},
		{"a part of it", move("", etcdServer, etcdPeer), "."},
	} {
		if v := verify(t, c.b); v.Directory != c.want {
			t.Errorf("%s: found %q, want %q", c.name, v.Directory, c.want)
		} else if c.name != "a part of it" && v.Count(pki.Error) > 0 {
			t.Errorf("%s: %v", c.name, v.Findings)
		}
	}
}

// RSA leaf CAs and keys in every form that k3s reads.
func TestOtherKeysAreTaken(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	key := newKey(t, pki.RSA2048)
	c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) {
		l.PublicKey, l.SubjectKeyId = key.Public(), []byte("an RSA key")
	})
	block, _ := pem.Decode(keyPEM(t, key))
	bare, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	c.files["tls/client-ca.key"] = pkcs8(t, bare)
	v := verify(t, c.bundle())
	wantLines(t, v.Findings)
	if v.Probes.Go.Run != 18 {
		t.Errorf("probes %+v", v.Probes)
	}
}

func TestVerifyStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := report.Verify(ctx, newCluster(t, pki.Isolated).bundle(), issueTime, probeKey{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
