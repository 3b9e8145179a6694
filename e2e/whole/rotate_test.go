package whole

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// refused offers the bundle of another cluster to a running server, which must
// say no and go on as before.
func refused(t *testing.T, c *cluster) {
	unrelated := c.newBundle(t, "unrelated")
	mark := c.server.Mark()
	out, err := c.offer(unrelated)
	if err == nil {
		t.Errorf("k3s certificate rotate-ca took an unrelated bundle:\n%s", out)
	}
	if !regexp.MustCompile(`level=fatal.*certificate error ID \d+`).MatchString(out) || strings.Contains(out, "saved") {
		t.Errorf("k3s certificate rotate-ca says: %s", out)
	}
	// The reason is in the server's log alone.
	log := c.server.LogSince(mark)
	for _, reason := range []string{
		"ServerCA: new CA cert cannot be verified using old CA chain", "ClientCA: new CA cert cannot", "RequestHeaderCA: new CA cert cannot",
		"ETCDPeerCA: new CA cert cannot", "ETCDServerCA: new CA cert cannot", "ServiceKey: old ServiceAccount signing key not in new",
	} {
		if !strings.Contains(log, reason) {
			t.Errorf("the server does not say %q: %s", reason, log)
		}
	}
	filesUnchanged(t, c)
	leavesLogIn(t, c)
}

// successor is what follows on the cluster's bundle: new leaf CAs below the same
// roots, and a new service key before the old one.
func successor(t *testing.T, c *cluster) testbed.Bundle {
	t.Helper()
	dir := filepath.Join(c.dir, "next")
	next := testbed.Bundle{Dir: filepath.Join(dir, "server"), Offline: filepath.Join(dir, "offline")}
	safe := func(name string) string { return filepath.Join(c.bundle.Offline, name) }
	args := []string{"bundle", "--out", next.Dir, "--offline-out", next.Offline}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if c.topology == shared {
		rootkiln(t, append(args, "--topology", "shared", "--root", safe("root-ca.crt"), "--service-key", c.bundle.TLS("service.key"),
			"--intermediate", safe("intermediate-ca.crt"), "--intermediate-key", safe("intermediate-ca.key"))...)
	} else {
		// Roots of domains come back into a bundle by way of the two rooms alone.
		request := filepath.Join(dir, "request")
		rootkiln(t, "request", "--out", request, "--intermediate", safe("intermediate-ca.crt"), "--service-key", c.bundle.TLS("service.key"),
			"--elsewhere", "intermediate,client-root,request-header-root,etcd-peer-root,etcd-server-root")
		args = append(args, "--resume", request)
		for role, issuer := range map[string]string{
			"server-ca": "intermediate-ca", "client-ca": "client-root", "request-header-ca": "request-header-root",
			"etcd-peer-ca": "etcd-peer-root", "etcd-server-ca": "etcd-server-root",
		} {
			signed := filepath.Join(dir, role+".crt")
			rootkiln(t, "sign", "-f", filepath.Join(request, "plan.json"), "--root", safe(issuer+".crt"), "--root-key", safe(issuer+".key"),
				"--out", signed, filepath.Join(request, role+".csr"))
			args = append(args, "--signed", signed)
		}
		rootkiln(t, args...)
	}
	tally.bundles++
	// The roots stay where they are.
	next.Offline = c.bundle.Offline
	return next
}

func rootkiln(t *testing.T, args ...string) {
	t.Helper()
	if _, err := testbed.Rootkiln(args...); err != nil {
		t.Fatal(err)
	}
}

// admin is whom k3s's kubeconfig makes of its holder.
var admin = testbed.User{Name: "system:admin", Groups: []string{"system:masters"}}

// held is what users of a cluster hold when its CAs are rotated.
type held struct {
	kubeconfig string
	admin      *tls.Certificate // with its chain
	user       tls.Certificate  // signed by the controller-manager, so without one
	token      string           // of a ServiceAccount
	join       string
	serving    string // issuer of the certificate that k3s's port serves
}

func keep(t *testing.T, c *cluster) held {
	t.Helper()
	return held{
		kubeconfig: testbed.Write(t, filepath.Join(c.dir, "old", "kubeconfig.yaml"), read(t, c.kubeconfig())),
		admin:      testbed.LoadPair(t, c.tls("client-admin")),
		user:       c.user(t, "carol"),
		token:      c.issueToken(t),
		join:       c.serverToken(t),
		serving:    c.served(t, supervisor),
	}
}

// check tells what still opens the cluster after a rotation below the same
// roots, and what does not.
func (h held) check(t *testing.T, c *cluster) {
	if got := c.serverToken(t); got != h.join {
		t.Errorf("the join token was %s and is %s", h.join, got)
	}
	if _, err := c.run("kubectl", "--kubeconfig", h.kubeconfig, "get", "namespaces"); err != nil {
		t.Errorf("old kubeconfig: %v", err)
	}
	expectUser(t, "the old admin certificate", testbed.Client{Root: c.root, Certificate: h.admin}, apiserver, admin)
	expectUser(t, "the old ServiceAccount token", c.bearing(h.token), apiserver, serviceAccount)

	// Who holds a certificate without a chain is nobody now: client-ca.crt no
	// longer has its issuer.
	for what, pair := range map[string]*tls.Certificate{"admin certificate alone": testbed.Bare(*h.admin), "certificate of the signer": &h.user} {
		if user, err := (testbed.Client{Root: c.root, Certificate: pair}).WhoAmI(apiserver); err == nil || !strings.Contains(err.Error(), "status 401") {
			t.Errorf("the old %s: %+v, %v; want 401", what, user, err)
		}
	}

	// k3s's own port goes on with the certificate of the old CA, kept in
	// dynamic-cert.json and the Secret kube-system/k3s-serving. Below the same
	// root that does no harm.
	if got := c.served(t, supervisor); got != h.serving {
		t.Errorf("k3s's port serves a certificate of %s, before the rotation it was %s", got, h.serving)
	}
	if got := c.served(t, apiserver); got == h.serving {
		t.Errorf("the kube-apiserver still serves a certificate of %s", got)
	}
}

// served is the issuer of a server's certificate.
func (c *cluster) served(t testing.TB, server string) string {
	t.Helper()
	answer, err := c.as(t, "client-admin").Get(server + "/version")
	if err != nil {
		t.Fatal(err)
	}
	return answer.TLS.PeerCertificates[0].Issuer.String()
}
