package upstream

import (
	"bytes"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// controlPlanes runs everything on the two topologies.
func controlPlanes(t *testing.T) {
	for _, topology := range []string{"isolated", "shared"} {
		t.Run(topology, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t, testbed.NewBundle(t, testbed.Dir(t), "--topology", topology))
			p.start(t)
			t.Run("logins", p.testLogins)
			t.Run("trust", p.testTrust)
			t.Run("signing", p.testSigning)
			t.Run("signer with a chain", p.testSignerChain)
			var token string
			t.Run("service account", func(t *testing.T) { token = p.testServiceAccount(t) })
			t.Run("siblings", func(t *testing.T) { p.testSiblings(t, topology == "shared") })
			t.Run("hot reload", p.testHotReload)
			t.Run("service key rotation", func(t *testing.T) { p.testServiceKeyRotation(t, token) })
			p.stop(t)
		})
	}
}

// kinds runs what depends on algorithms, profiles and inputs on the bundles
// that differ in them.
func kinds(t *testing.T) {
	for _, kind := range []struct {
		name  string
		flags func(testing.TB) []string
	}{
		{"upstream profile", flags("--topology", "shared", "--profile", "upstream", "--root-alg", "rsa2048", "--intermediate-alg", "rsa2048")},
		{"P-384", flags("--ca-alg", "p384", "--service-alg", "p384")},
		{"P-521", flags("--root-alg", "p521", "--intermediate-alg", "p521", "--ca-alg", "p521", "--service-alg", "p521")},
		{"RSA-3072, service key P-256", flags("--ca-alg", "rsa3072", "--service-alg", "p256")},
		{"service key RSA-4096", flags("--topology", "shared", "--service-alg", "rsa4096")},
		{"name constraints", flags("--permit-dns", "node1", "--permit-ip", testbed.Address+"/32", "--permit-ip", "10.43.0.1/32")},
		{"corporate chain", corporateChain},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			p := newPlane(t, testbed.NewBundle(t, testbed.Dir(t), kind.flags(t)...))
			p.start(t)
			t.Run("trust", p.testTrust)
			t.Run("signing", p.testSigning)
			t.Run("service account", func(t *testing.T) { p.testServiceAccount(t) })
			p.stop(t)
		})
	}
}

func flags(f ...string) func(testing.TB) []string { return func(testing.TB) []string { return f } }

// corporateChain is root, policy CA and issuing CA of a company.
func corporateChain(t testing.TB) []string {
	root := testbed.NewAuthority(t, "Company Root CA", testbed.RSAKey(t), nil, nil)
	policy := testbed.NewAuthority(t, "Company Policy CA", testbed.RSAKey(t), root, nil)
	issuing := testbed.NewAuthority(t, "Company Issuing CA", testbed.ECKey(t, elliptic.P384()), policy, nil)
	dir := testbed.Dir(t)
	return []string{"--topology", "shared",
		"--intermediate", testbed.Write(t, dir+"/issuing.pem", testbed.EncodeChain(issuing.Chain...)),
		"--intermediate-key", testbed.Write(t, dir+"/issuing.key", testbed.EncodeKey(t, "PRIVATE KEY", issuing.Key))}
}

func (p *plane) testLogins(t *testing.T) {
	masters := []string{"system:masters", "system:authenticated"}
	anybody := []string{"system:authenticated"}
	clientCA := testbed.ReadAuthority(t, p.bundle.TLS("client-ca"))
	stranger := testbed.NewAuthority(t, "Stranger", testbed.ECKey(t, elliptic.P256()), nil, nil)
	expired := clientCA.MintFrom(t, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "late", Organization: []string{"system:masters"}}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-time.Hour)
	})
	anyUse := clientCA.MintFrom(t, func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "erin"} })
	mallory := stranger.Mint(t, "mallory", "system:masters")
	developer := clientCA.Mint(t, "alice", "dev")
	wrongProxy := testbed.ReadAuthority(t, p.bundle.TLS("request-header-ca")).Mint(t, "another-proxy")
	// Not allowed to speak for others; where the two CAs share their trust, it
	// is let in as a client itself.
	proxyAsClient, nobodyElse := "", []string(nil)
	if slices.Contains(testbed.Openings(t, p.bundle.Dir), [2]string{"request-header-ca", "client-ca"}) {
		proxyAsClient, nobodyElse = "another-proxy", anybody
	}
	headers := http.Header{"X-Remote-User": {"alice"}, "X-Remote-Group": {"dev"}}
	for _, c := range []struct {
		name        string
		certificate *tls.Certificate
		header      http.Header
		user        string // empty: nobody
		groups      []string
	}{
		{"admin", p.leaf(t, "client-admin"), nil, "system:admin", masters},
		{"controller-manager", p.leaf(t, "client-controller"), nil, "system:kube-controller-manager", anybody},
		{"kubelet", p.leaf(t, "client-kubelet"), nil, "system:node:node1", []string{"system:nodes", "system:authenticated"}},
		{"a developer", &developer, nil, "alice", []string{"dev", "system:authenticated"}},
		{"a developer, without the chain", testbed.Bare(developer), nil, "alice", []string{"dev", "system:authenticated"}},
		{"a certificate without extended key usage", &anyUse, nil, "erin", anybody},
		{"front proxy for alice", p.leaf(t, "client-auth-proxy"), headers, "alice", []string{"dev", "system:authenticated"}},
		{"no certificate", nil, nil, "", nil},
		{"a stranger's CA", &mallory, nil, "", nil},
		{"an expired certificate", &expired, nil, "", nil},
		{"a server's certificate", p.leaf(t, "serving-kube-apiserver"), nil, "", nil},
		{"front proxy with another name", &wrongProxy, headers, proxyAsClient, nobodyElse},
	} {
		client := p.as(t, c.certificate)
		client.Header = c.header
		user, err := client.WhoAmI(p.url(""))
		if user.Name != c.user || !slices.Equal(user.Groups, c.groups) || c.user == "" && !unauthorized(err) {
			t.Errorf("%s: is %q in %q (%v), want %q in %q", c.name, user.Name, user.Groups, err, c.user, c.groups)
		}
	}
	// Who is known may not yet do anything.
	if answer, err := p.as(t, &developer).Do(http.MethodGet, p.url("/api/v1/namespaces"), ""); err != nil || answer.Status != http.StatusForbidden {
		t.Errorf("a developer lists namespaces: status %d, %v, want 403", answer.Status, err)
	}
}

// unauthorized tells whether an API server said that it knows nobody by that
// certificate or token. Any other error proves nothing.
func unauthorized(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "status 401: ")
}

// testTrust gives clients the server's root and nothing else.
func (p *plane) testTrust(t *testing.T) {
	if user, err := p.admin(t).WhoAmI(p.url("")); user.Name != "system:admin" {
		t.Errorf("Go: is %q: %v", user.Name, err)
	}
	root := p.rootFile(t, "server-ca")
	tally.requests.Add(1)
	if _, err := testbed.Curl(t, root, "--cert", p.file("client-admin.crt"), "--key", p.file("client-admin.key"), p.url("/version")); err != nil {
		t.Error(err)
	}
	config := p.kubeconfig(t, "client-admin", root)
	for _, command := range [][]string{
		{"kubectl", "--kubeconfig", config, "--cache-dir", p.file("cache"), "get", "namespaces", "-o", "name"},
		{"openssl", "s_client", "-connect", p.host(), "-verify_return_error", "-x509_strict", "-verify_hostname", "kubernetes.default.svc",
			"-CAfile", root, "-no-CApath", "-no-CAstore", "-brief"},
		{"openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-trusted", p.rootFile(t, "client-ca"), "-untrusted", p.file("client-admin.crt"), p.file("client-admin.crt")},
	} {
		tally.requests.Add(1)
		if out, err := testbed.Run(p.dir, nil, command...); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func (p *plane) rootFile(t testing.TB, ca string) string {
	return testbed.Write(t, p.file(strings.ReplaceAll(ca, "/", "-")+"-root.crt"), testbed.EncodeChain(p.root(t, ca)))
}

// testSiblings shows what the holder of one CA's key can do at the doors of
// the others, and holds it against what `rootkiln verify` says.
func (p *plane) testSiblings(t *testing.T, shared bool) {
	open := map[[2]string]bool{} // from role, to role
	for from, path := range testbed.CAFiles {
		ca := testbed.ReadAuthority(t, p.bundle.TLS(path))
		masters, proxy := ca.Mint(t, "mallory", "system:masters"), ca.Mint(t, "system:auth-proxy")
		client := p.as(t, &proxy)
		client.Header = http.Header{"X-Remote-User": {"victim"}}
		for to, got := range map[string]string{
			"client-ca":         whoIs(p.as(t, &masters), p.url("")),
			"request-header-ca": whoIs(client, p.url("")),
			"etcd-server-ca":    p.askEtcd(t, p.etcdHost(), "etcd/server-ca", &masters),
			"etcd-peer-ca":      p.askEtcd(t, p.peersHost(), "etcd/peer-ca", &masters),
		} {
			switch {
			case got == "mallory", got == "victim", got == etcdAnswers:
				open[[2]string{from, to}] = true
			case got == "nobody", got == etcdRefuses:
			case got == "system:auth-proxy" && from == "client-ca": // a user like any other, whose headers nobody reads
			default:
				t.Errorf("a certificate of %s shown for %s: %s", from, to, got)
			}
		}
	}
	said := map[[2]string]bool{}
	for _, pair := range testbed.Openings(t, p.bundle.Dir) {
		if pair[1] != "server-ca" { // no door of a control plane: that CA's certificates are shown to clients
			said[pair] = true
		}
	}
	if (len(said) > 0) != shared {
		t.Errorf("rootkiln verify names %d doors that are open; shared is %t", len(said), shared)
	}
	for from := range testbed.CAFiles {
		for _, to := range []string{"client-ca", "request-header-ca", "etcd-server-ca", "etcd-peer-ca"} {
			pair := [2]string{from, to}
			if want := said[pair] || from == to; open[pair] != want {
				t.Errorf("a certificate of %s is accepted for %s: %t; rootkiln verify says %t", from, to, open[pair], want)
			}
		}
	}
}

// whoIs is the user's name, "nobody", or what else went wrong.
func whoIs(client testbed.Client, server string) string {
	user, err := client.WhoAmI(server)
	switch {
	case err == nil:
		return user.Name
	case unauthorized(err):
		return "nobody"
	}
	return err.Error()
}

// What etcd does with a client's certificate.
const (
	etcdAnswers = "answers"
	etcdRefuses = "remote error: tls: unknown certificate authority"
)

// askEtcd shows etcd the certificate. A refusal comes in the handshake of TLS
// 1.2; with 1.3 a client may find a closed connection first (RFC 8446 section
// 4.4.2.4).
func (p *plane) askEtcd(t *testing.T, host, ca string, certificate *tls.Certificate) string {
	tally.requests.Add(1)
	connection, err := tls.DialWithDialer(&net.Dialer{Timeout: 15 * time.Second}, "tcp", host, &tls.Config{
		RootCAs: testbed.Pool(p.root(t, ca)), MaxVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate, nil },
	})
	if err != nil {
		return err.Error()
	}
	connection.Close()
	if _, err := (testbed.Client{Root: p.root(t, ca), Certificate: certificate, HTTP1: true}).Get("https://" + host + "/version"); err != nil {
		return err.Error()
	}
	return etcdAnswers
}

// testHotReload changes client-ca.crt under a running API server: what cannot be
// parsed changes nothing, one more CA lets its clients in.
func (p *plane) testHotReload(t *testing.T) {
	file := p.bundle.TLS("client-ca.crt")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	next := testbed.NewAuthority(t, "Next Client CA", testbed.ECKey(t, elliptic.P256()), nil, nil)
	carol := next.Mint(t, "carol", "dev")
	if user, err := p.as(t, &carol).WhoAmI(p.url("")); !unauthorized(err) {
		t.Fatalf("carol is %q already: %v", user.Name, err)
	}
	mark := p.api.Mark()
	testbed.Write(t, file, append(bytes.Clone(before), undecodable...))
	within(t, 90*time.Second, "a word about the file", func() error {
		if !strings.Contains(p.api.LogSince(mark), "malformed certificate") {
			return errors.New("nothing in the log")
		}
		return nil
	})
	if user, err := p.admin(t).WhoAmI(p.url("")); user.Name != "system:admin" {
		t.Errorf("after a file that cannot be parsed, the admin is %q: %v", user.Name, err)
	}
	testbed.Write(t, file, append(bytes.Clone(before), testbed.EncodeChain(next.Chain...)...))
	within(t, 90*time.Second, "carol's login", func() error {
		_, err := p.as(t, &carol).WhoAmI(p.url(""))
		return err
	})
	testbed.Write(t, file, before)
}
