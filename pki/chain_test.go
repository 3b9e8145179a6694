package pki_test

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
)

// family is a corporate chain of four with a stranger beside it.
type family struct{ root, policy, issuing, clusters, stranger *pki.Authority }

func newFamily(t *testing.T) (f family) {
	f.root = authority(t, "corporate root", pki.P384, nil)
	f.policy = authority(t, "policy", pki.P384, f.root)
	f.issuing = authority(t, "issuing", pki.P256, f.policy)
	f.clusters = authority(t, "clusters", pki.P256, f.issuing)
	f.stranger = authority(t, "stranger", pki.P256, nil)
	return f
}

func certificates(list ...*pki.Authority) (certs []*x509.Certificate) {
	for _, a := range list {
		certs = append(certs, a.Certificate)
	}
	return certs
}

// Whatever order people put their chain in, the certificate comes first and the
// way up to the root follows.
func TestOrderChain(t *testing.T) {
	f := newFamily(t)
	want := certificates(f.issuing, f.policy, f.root)
	for _, order := range permutations(f.issuing, f.policy, f.root) {
		file := certificates(append([]*pki.Authority{f.clusters}, order...)...)
		for split := 1; split <= len(file); split++ { // the rest comes from another file
			first, above, err := pki.OrderChain(pki.Intermediate, file[:split], file[split:])
			if err != nil || !first.Equal(f.clusters.Certificate) || !slices.EqualFunc(above, want, (*x509.Certificate).Equal) {
				t.Errorf("%s | %s: %v, above %s", names(file[:split]), names(file[split:]), err, names(above))
			}
		}
	}
	if first, above, err := pki.OrderChain(pki.Root, certificates(f.root), nil); err != nil || len(above) > 0 || !first.Equal(f.root.Certificate) {
		t.Errorf("a root alone: %v", err)
	}
}

func permutations(list ...*pki.Authority) (all [][]*pki.Authority) {
	if len(list) < 2 {
		return [][]*pki.Authority{list}
	}
	for i, first := range list {
		for _, rest := range permutations(slices.Delete(slices.Clone(list), i, i+1)...) {
			all = append(all, append([]*pki.Authority{first}, rest...))
		}
	}
	return all
}

func names(certs []*x509.Certificate) string {
	var list []string
	for _, c := range certs {
		list = append(list, c.Subject.CommonName)
	}
	return strings.Join(list, ", ")
}

func TestChainsRefused(t *testing.T) {
	f := newFamily(t)
	twin := authority(t, "policy", pki.P384, f.root) // same name, another key
	sha1 := authority(t, "old corporate root", pki.RSA2048, nil, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })
	for _, tt := range []struct {
		name        string
		file, extra []*pki.Authority
		want        pki.Code // empty: accepted
		args        map[string]string
	}{
		{"the root is missing", []*pki.Authority{f.clusters, f.issuing, f.policy}, nil, "chain-incomplete", map[string]string{"issuer": "CN=corporate root"}},
		{"nothing above", []*pki.Authority{f.clusters}, nil, "chain-incomplete", map[string]string{"issuer": "CN=issuing"}},
		{"a link is missing", []*pki.Authority{f.clusters, f.issuing, f.root}, nil, "chain-unrelated", map[string]string{"subject": "issuing", "issuer": "CN=policy"}},
		{"reversed", []*pki.Authority{f.root, f.policy, f.issuing, f.clusters}, nil, "chain-order", map[string]string{"issuer": "corporate root"}},
		{"the issuer first", []*pki.Authority{f.issuing, f.clusters, f.policy, f.root}, nil, "chain-order", map[string]string{"issuer": "issuing"}},
		{"a stranger in it", []*pki.Authority{f.clusters, f.issuing, f.stranger, f.policy, f.root}, nil, "chain-unrelated", map[string]string{"subject": "stranger"}},
		{"another root beside it", []*pki.Authority{f.clusters, f.issuing, f.policy, f.root}, []*pki.Authority{f.stranger}, "chain-unrelated", map[string]string{"subject": "stranger"}},
		{"the root of somebody else", []*pki.Authority{f.clusters, f.issuing, f.policy}, []*pki.Authority{f.stranger}, "chain-unrelated", nil},
		{"an issuer of the same name", []*pki.Authority{f.clusters, f.issuing, twin, f.root}, nil, "signature-invalid", map[string]string{"issuer": "policy"}},
		{"one certificate twice", []*pki.Authority{f.clusters, f.issuing, f.policy, f.policy, f.root, f.clusters}, []*pki.Authority{f.root, f.root}, "", nil},
		// The signature of a root is nobody's proof; old corporate roots have SHA-1.
		{"a root signed with SHA-1", []*pki.Authority{sha1}, nil, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := pki.OrderChain(pki.Intermediate, certificates(tt.file...), certificates(tt.extra...))
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			found := reasons(t, err)
			wantCodes(t, found, tt.want)
			for name, value := range tt.args {
				if !strings.Contains(found[0].Args[name], value) {
					t.Errorf("%s is %q, want %q", name, found[0].Args[name], value)
				}
			}
		})
	}
}

// Who signs with a chain from outside puts all of it into the files.
func TestDeepChain(t *testing.T) {
	f := newFamily(t)
	first, above, err := pki.OrderChain(pki.Intermediate, certificates(f.clusters, f.root, f.policy, f.issuing), nil)
	if err != nil {
		t.Fatal(err)
	}
	given := at(pki.Intermediate, &pki.Authority{Certificate: first, Above: above, Key: f.clusters.Key})
	for topology, deep := range map[pki.Topology][]string{
		pki.Isolated: {"tls/server-ca.crt"},
		pki.Shared:   {"tls/server-ca.crt", "tls/client-ca.crt", "tls/request-header-ca.crt", "tls/etcd/peer-ca.crt", "tls/etcd/server-ca.crt"},
	} {
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Topology, p.Keys = topology, ecKeys }), given)
		for _, path := range deep {
			certs, _, err := pki.ParseCertificates(path, issued.Server.File(path).Data)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(certs[1:]); got != "clusters, issuing, policy, corporate root" {
				t.Errorf("%s: %s", path, got)
			}
			if !slices.Equal(certs[0].AuthorityKeyId, f.clusters.Certificate.SubjectKeyId) {
				t.Errorf("%s: the key identifier was not copied", path)
			}
		}
		if got := fmt.Sprint(paths(issued.Offline)); strings.Contains(got, "root-ca.key") || strings.Contains(got, "intermediate-ca.key") {
			t.Errorf("the owner of a key needs no copy of it: %s", got)
		}
	}
}
