package whole

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// checks are what must hold of every cluster, after its first start as after a
// rotation.
var checks = []struct {
	name string
	run  func(*testing.T, *cluster)
}{
	{"files unchanged", filesUnchanged},
	{"join token", joinToken},
	{"k3s's own certificates log in", leavesLogIn},
	{"front proxy", frontProxy},
	{"nobody without a certificate", nobody},
	{"trust in the server root alone", trustInRoot},
	{"own certificates verify", leavesVerify},
	{"client certificate request", clientRequest},
	{"kubelet certificate request", kubeletRequest},
	{"ServiceAccount token", serviceAccountToken},
	{"published keys", publishedKeys},
	{"published CAs", publishedCAs},
	{"kubeconfig", kubeconfig},
	{"certificate check", certificateCheck},
	{"rootkiln check", rootkilnCheck},
}

func (c *cluster) check(t *testing.T, stage string) {
	t.Helper()
	t.Run(stage, func(t *testing.T) {
		for _, of := range checks {
			check(t, of.name, func(t *testing.T) { of.run(t, c) })
		}
	})
}

// files are the eleven of a bundle.
var files = []string{
	"server-ca.crt", "server-ca.key", "client-ca.crt", "client-ca.key", "request-header-ca.crt", "request-header-ca.key",
	"etcd/peer-ca.crt", "etcd/peer-ca.key", "etcd/server-ca.crt", "etcd/server-ca.key", "service.key",
}

func filesUnchanged(t *testing.T, c *cluster) {
	for _, name := range files {
		if !bytes.Equal(read(t, c.tls(name)), read(t, c.bundle.TLS(name))) {
			t.Errorf("%s is not the bundle's", name)
		}
	}
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func joinToken(t *testing.T, c *cluster) {
	got := c.serverToken(t)
	if want := "K10" + testbed.TokenHash(c.root) + "::server:" + password; got != want {
		t.Errorf("k3s's token is %s, want %s", got, want)
	}
	ours, err := testbed.Rootkiln("token", c.bundle.Dir)
	if err != nil || strings.TrimSpace(ours)+"server:"+password != got {
		t.Errorf("rootkiln token says %s (%v), k3s %s", ours, err, got)
	}
}

// serverToken is the token by which further servers join, as k3s writes it.
func (c *cluster) serverToken(t testing.TB) string {
	t.Helper()
	return strings.TrimSpace(string(read(t, filepath.Join(c.data, "server", "token"))))
}

// leaves are the certificates that k3s makes for clients of the API, and whom
// it makes them for.
var leaves = []struct {
	file string
	user testbed.User
}{
	{"client-admin", admin},
	{"client-supervisor", testbed.User{Name: "system:k3s-supervisor", Groups: []string{"system:masters"}}},
	{"client-kube-apiserver", testbed.User{Name: "system:apiserver", Groups: []string{"system:masters"}}},
	{"client-controller", testbed.User{Name: "system:kube-controller-manager"}},
	{"client-scheduler", testbed.User{Name: "system:kube-scheduler"}},
	{"client-kube-proxy", testbed.User{Name: "system:kube-proxy"}},
	{"client-k3s-controller", testbed.User{Name: "system:k3s-controller"}},
	{"client-k3s-cloud-controller", testbed.User{Name: "k3s-cloud-controller-manager"}},
}

func leavesLogIn(t *testing.T, c *cluster) {
	for _, leaf := range leaves {
		for _, server := range []string{supervisor, apiserver} {
			expectUser(t, leaf.file+" at "+server, c.as(t, leaf.file), server, leaf.user)
		}
	}
}

// expectUser asks the API who the client is.
func expectUser(t testing.TB, what string, client testbed.Client, server string, want testbed.User) {
	t.Helper()
	got, err := client.WhoAmI(server)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	want.Groups = append(slices.Clone(want.Groups), "system:authenticated") // everybody is
	if got.Name != want.Name || !slices.Equal(got.Groups, want.Groups) {
		t.Errorf("%s is %s in %q, want %s in %q", what, got.Name, got.Groups, want.Name, want.Groups)
	}
}

// onBehalfOf is what a front proxy says of the user it stands for.
func onBehalfOf(user testbed.User) http.Header {
	return http.Header{"X-Remote-User": {user.Name}, "X-Remote-Group": user.Groups}
}

func frontProxy(t *testing.T, c *cluster) {
	alice := testbed.User{Name: "alice", Groups: []string{"devs"}}
	proxy := c.as(t, "client-auth-proxy")
	proxy.Header = onBehalfOf(alice)
	expectUser(t, "the front proxy for alice", proxy, apiserver, alice)
}

func nobody(t *testing.T, c *cluster) {
	for _, server := range []string{supervisor, apiserver} {
		answer, err := testbed.Client{Root: c.root}.Do(http.MethodGet, server+"/api/v1/namespaces", "")
		if err != nil || answer.Status != http.StatusUnauthorized {
			t.Errorf("%s without a certificate: status %d, %v, want 401", server, answer.Status, err)
		}
	}
}

// trustInRoot lets every client verify both ports with the server root alone.
func trustInRoot(t *testing.T, c *cluster) {
	for _, server := range []string{supervisor, apiserver} {
		for _, client := range clients {
			if err := client.verify(c, t, server, c.rootFile); err != nil {
				t.Errorf("%s at %s: %v", client.name, server, err)
			}
		}
	}
}

// clients are programs that verify a server, with the certificates of one file
// as their trust, and what each says of a server that it does not trust.
var clients = []struct {
	name, distrust string
	verify         func(c *cluster, t testing.TB, server, anchors string) error
}{
	{"kubectl", "x509: certificate signed by unknown authority", func(c *cluster, _ testing.TB, server, anchors string) error {
		_, err := c.run("kubectl", "--kubeconfig", os.DevNull, "--server", server, "--certificate-authority", anchors,
			"--client-certificate", c.tls("client-admin.crt"), "--client-key", c.tls("client-admin.key"), "get", "--raw", "/version")
		return err
	}},
	{"curl", "SSL certificate problem: ", func(c *cluster, t testing.TB, server, anchors string) error {
		_, err := testbed.Curl(t, anchors, "--cert", c.tls("client-admin.crt"), "--key", c.tls("client-admin.key"), server+"/version")
		return err
	}},
	{"openssl", "certificate verify failed", func(c *cluster, _ testing.TB, server, anchors string) error {
		address := strings.TrimPrefix(server, "https://")
		host, _, _ := strings.Cut(address, ":")
		_, err := c.run("openssl", "s_client", "-connect", address, "-verify_ip", host,
			"-x509_strict", "-verify_return_error", "-CAfile", anchors, "-no-CApath", "-no-CAstore")
		return err
	}},
	{"Go", "x509: certificate signed by unknown authority", func(c *cluster, t testing.TB, server, anchors string) error {
		chain, err := testbed.ReadChain(anchors)
		if err != nil {
			return err
		}
		_, err = testbed.Client{Root: chain[0], Certificate: c.as(t, "client-admin").Certificate}.Get(server + "/version")
		return err
	}},
}

// kubeconfig is the way that every administrator goes.
func kubeconfig(t *testing.T, c *cluster) {
	out := c.kubectl(t, "get", "namespaces", "-o", "name")
	for _, want := range []string{"default", "kube-node-lease", "kube-public", "kube-system"} {
		if !strings.Contains(out, "namespace/"+want+"\n") {
			t.Errorf("kubectl sees no namespace %s in %q", want, out)
		}
	}
}

var (
	okLine  = regexp.MustCompile(`level=info msg="(\S+: certificate .*) is ok, expires at `)
	badLine = regexp.MustCompile(`level=(warning|error|fatal)`)
)

// certificateCheck wants k3s's own judgement: every certificate of every file
// is fine. k3s passes over files that are not there, so they are counted here,
// and over the CA files as a matter of course (services.CA in
// pkg/util/services): those it sees behind each leaf. The certificate of its own
// port, in dynamic-cert.json, it does not look at.
func certificateCheck(t *testing.T, c *cluster) {
	// The agent's part of a server gets its certificates in its own time.
	c.eventually(t, "certificate check", func() error {
		want, err := c.allCertificates()
		if err != nil {
			return err
		}
		out, err := c.k3s("certificate", "check", "--data-dir", c.data)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		var got []string
		for _, line := range strings.Split(out, "\n") {
			if badLine.MatchString(line) {
				return errors.New(line)
			}
			if match := okLine.FindStringSubmatch(line); match != nil {
				got = append(got, match[1])
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return fmt.Errorf("k3s names\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		t.Logf("%d certificates ok", len(got))
		return nil
	})
}

// allCertificates are those that k3s has made, each with its file, as k3s calls
// them. Behind every leaf stands the CA that signs today.
func (c *cluster) allCertificates() ([]string, error) {
	var all []string
	for _, domain := range domains {
		authority, err := testbed.ReadChain(c.tls(domain.ca + ".crt"))
		if err != nil {
			return nil, err
		}
		for _, file := range c.leafFiles(domain.leaves, domain.agent) {
			chain, err := testbed.ReadChain(file)
			if err != nil {
				return nil, err
			}
			// The roots behind it are those of the day on which it was made: a root that
			// comes or goes makes no new leaf.
			if len(chain) < 2 || !chain[1].Equal(authority[0]) {
				return nil, fmt.Errorf("%s does not hold the CA of %s.crt behind its own", file, domain.ca)
			}
			for _, certificate := range chain {
				all = append(all, fmt.Sprintf("%s: certificate %s", file, certificate.Subject))
			}
		}
	}
	return all, nil
}

// leafFiles are the files of a server's certificates and of its agent's part.
func (c *cluster) leafFiles(server, agent []string) []string {
	var files []string
	for _, leaf := range server {
		files = append(files, c.tls(leaf+".crt"))
	}
	for _, leaf := range agent {
		files = append(files, filepath.Join(c.data, "agent", leaf+".crt"))
	}
	return files
}

// eventually is for what the controllers do in their own time. After a restart
// they wait until the lease of the ones before is over, about 15 seconds.
func (c *cluster) eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	c.server.Await(t, time.Minute, what, try)
}

// different tells of two texts that should be one.
func different(what string, got, want []byte) error {
	if got, want = bytes.TrimSpace(got), bytes.TrimSpace(want); !bytes.Equal(got, want) {
		return fmt.Errorf("%s: %d bytes that are not the %d of the file", what, len(got), len(want))
	}
	return nil
}
