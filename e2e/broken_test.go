package e2e

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rootkiln/e2e/testbed"
)

// broken are bundles with one fault each, and the checks that must notice. All
// but one are accepted by k3s without a word, so a check that noticed nothing
// would let a faulty bundle pass.
var broken = []struct {
	name  string
	fault func(*testing.T, *bundle)
	fails []string
}{
	{"a leaf CA's key is missing", func(t *testing.T, b *bundle) {
		b.remove(t, clientDomain.key())
	}, []string{"eleven files", "inputs untouched", "leaf set", "leaves by go", "leaves by openssl"}},

	{"a leaf CA's certificate is missing a root", func(t *testing.T, b *bundle) {
		b.replaceChain(t, serverDomain, func(chain []*x509.Certificate) []*x509.Certificate { return chain[:len(chain)-1] })
	}, []string{"chains", "leaves by openssl", "token"}},

	{"a single certificate", func(t *testing.T, b *bundle) {
		b.replaceChain(t, serverDomain, func(chain []*x509.Certificate) []*x509.Certificate { return chain[:1] })
	}, []string{"chains", "leaves by openssl", "token"}},

	{"root first", func(t *testing.T, b *bundle) {
		b.replaceChain(t, serverDomain, func(chain []*x509.Certificate) []*x509.Certificate {
			slices.Reverse(chain)
			return chain
		})
	}, []string{startCheck}},

	{"another domain's root", func(t *testing.T, b *bundle) {
		other := last(b.chain(t, clientDomain))
		b.replaceChain(t, requestHeaderDomain, func(chain []*x509.Certificate) []*x509.Certificate {
			return append(chain[:len(chain)-1], other)
		})
	}, []string{"leaves by go", "leaves by openssl", "domains"}},

	{"one CA in two places", func(t *testing.T, b *bundle) {
		b.copy(t, clientDomain.crt(), etcdServerDomain.crt())
		b.copy(t, clientDomain.key(), etcdServerDomain.key())
	}, []string{"domains"}},

	{"isolated where shared was ordered", func(t *testing.T, b *bundle) {
		b.topology = "shared"
	}, []string{"chains", "domains"}},

	{"a leaf CA with an extended key usage", func(t *testing.T, b *bundle) {
		b.reissue(t, serverDomain, func(template, _ *x509.Certificate) { template.ExtKeyUsage = clientOnly })
	}, []string{"leaves by go", "leaves by openssl", "token"}},

	// Go and the browsers overlook this one.
	{"a leaf CA that names another issuer key", func(t *testing.T, b *bundle) {
		b.reissue(t, serverDomain, func(_, parent *x509.Certificate) { parent.SubjectKeyId = []byte("another key") })
	}, []string{"leaves by openssl"}},

	// And this one OpenSSL too, unless it is told to be strict.
	{"a leaf CA that names no issuer key", func(t *testing.T, b *bundle) {
		b.reissue(t, serverDomain, func(template, parent *x509.Certificate) {
			template.AuthorityKeyId, parent.SubjectKeyId = nil, nil
		})
	}, []string{"leaves by openssl"}},

	{"another algorithm than ordered", func(t *testing.T, b *bundle) {
		b.algorithms.ca = "p521"
	}, []string{"algorithms"}},

	{"another authority than given", func(t *testing.T, b *bundle) {
		b.issuer = ownIntermediate(t, nil).issuer
	}, []string{"chains"}},

	{"the service key is missing", func(t *testing.T, b *bundle) {
		b.remove(t, serviceKeyFile)
	}, []string{"eleven files"}},

	{"the old service key is lost", func(t *testing.T, b *bundle) {
		b.serviceKeys = oldServiceKey(t, nil).serviceKeys
	}, []string{"service keys"}},

	{"a file too many", func(t *testing.T, b *bundle) {
		b.copy(t, clientDomain.crt(), "tls/root-ca.crt")
	}, []string{"eleven files", "leaf set"}},

	{"leaves that k3s renews at every start", func(_ *testing.T, b *bundle) {
		b.leafDays = "30"
	}, []string{"second start"}},
}

// TestBrokenBundles is the test of the checks: each fault must fail exactly the
// checks named, and no check may be without a fault.
func TestBrokenBundles(t *testing.T) {
	t.Parallel()
	unproven := map[string]bool{startCheck: true}
	for _, check := range checks {
		unproven[check.name] = true
	}
	for _, c := range broken {
		for _, name := range c.fails {
			delete(unproven, name)
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := order{"isolated", "strict", "k3s", algorithms{}, kind{"own intermediate", ownIntermediate}}.make(t)
			c.fault(t, &b)
			var names []string
			details := ""
			for _, failed := range judge(b) {
				names = append(names, failed.check)
				details += fmt.Sprintf("\n%s: %v", failed.check, failed.err)
			}
			if !slices.Equal(names, c.fails) {
				t.Errorf("failed checks %q, want %q:%s", names, c.fails, details)
			}
		})
	}
	for name := range unproven {
		t.Errorf("no fault for the check %q", name)
	}
}

func (b *bundle) chain(t *testing.T, d domain) []*x509.Certificate {
	t.Helper()
	chain, err := testbed.ReadChain(filepath.Join(b.dir, d.crt()))
	if err != nil {
		t.Fatal(err)
	}
	return chain
}

func (b *bundle) replaceChain(t *testing.T, d domain, edit func([]*x509.Certificate) []*x509.Certificate) {
	t.Helper()
	writeChain(t, b.dir, d.crt(), edit(b.chain(t, d))...)
}

// reissue lets the operator's intermediate sign the leaf CA again.
func (b *bundle) reissue(t *testing.T, d domain, edit func(template, parent *x509.Certificate)) {
	t.Helper()
	b.replaceChain(t, d, func(chain []*x509.Certificate) []*x509.Certificate {
		template, parent := *chain[0], *b.issuer.Chain[0]
		edit(&template, &parent)
		return append([]*x509.Certificate{testbed.Sign(t, &template, &parent, chain[0].PublicKey, b.issuer.Key)}, chain[1:]...)
	})
}

func (b *bundle) copy(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, from))
	if err != nil {
		t.Fatal(err)
	}
	testbed.Write(t, filepath.Join(b.dir, to), data)
}

func (b *bundle) remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(filepath.Join(b.dir, file)); err != nil {
		t.Fatal(err)
	}
}
