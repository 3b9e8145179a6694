package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/util/keyutil"

	"rootkiln/e2e/testbed"
)

// lanes are how many planes may run beside each other, on ports of their own.
const lanes = 2

// plane is a control plane on one bundle. Its files lie in one directory.
type plane struct {
	bundle testbed.Bundle
	dir    string
	lane   int
	prefix string              // of its keys in etcd, which it may share with planes before it
	store  *plane              // whose etcd the API server uses; nil: its own
	trust  []*x509.Certificate // of its clients; nil: the server's root alone

	etcd, api, controllers *testbed.Process
}

// freeLanes are those in which no plane runs.
var freeLanes = func() chan int {
	free := make(chan int, lanes)
	for lane := range lanes {
		free <- lane
	}
	return free
}()

var planes atomic.Int64

// laned is a plane, without files as yet, on a lane that is its own until the
// test ends.
func laned(t testing.TB, b testbed.Bundle) *plane {
	p := &plane{bundle: b, dir: testbed.Dir(t), lane: <-freeLanes, prefix: fmt.Sprintf("/plane%d", planes.Add(1))}
	t.Cleanup(func() { freeLanes <- p.lane })
	return p
}

// newPlane signs the leaves of the bundle and starts nothing yet.
func newPlane(t testing.TB, b testbed.Bundle) *plane {
	t.Helper()
	p := laned(t, b)
	p.writeLeaves(t)
	p.writeSigners(t)
	return p
}

func (p *plane) writeLeaves(t testing.TB) {
	t.Helper()
	for _, l := range leaves {
		l.write(t, p.dir, testbed.ReadAuthority(t, p.bundle.TLS(l.ca)))
	}
}

func (p *plane) file(name string) string { return filepath.Join(p.dir, name) }

// Addresses of a lane.
func (p *plane) host() string      { return fmt.Sprintf("127.0.0.1:%d", 6443+p.lane) }
func (p *plane) etcdHost() string  { return fmt.Sprintf("127.0.0.1:%d", 2379+10*p.lane) }
func (p *plane) peersHost() string { return fmt.Sprintf("127.0.0.1:%d", 2380+10*p.lane) }

// url is a page of the API server.
func (p *plane) url(path string) string { return "https://" + p.host() + path }

// writeSigners writes the files that k3s derives for the controller-manager,
// which takes one certificate and no more.
func (p *plane) writeSigners(t testing.TB) {
	t.Helper()
	for _, ca := range []string{"client-ca", "server-ca"} {
		chain, err := testbed.ReadChain(p.bundle.TLS(ca + ".crt"))
		if err != nil {
			t.Fatal(err)
		}
		testbed.Write(t, p.file(ca+".nochain.crt"), testbed.EncodeChain(chain[0]))
	}
}

// start brings up everything, and fails the test if anything does not come up.
func (p *plane) start(t testing.TB) {
	t.Helper()
	p.startEtcd(t)
	p.etcd.Await(t, 20*time.Second, "ready", p.etcdReady(t))
	p.startAPI(t)
	p.api.Await(t, time.Minute, "ready", p.apiReady(t))
	p.startControllers(t)
	tally.bundles.Add(1)
}

// stop ends everything; the next plane wants the same ports.
func (p *plane) stop(t testing.TB) {
	t.Helper()
	for _, process := range []*testbed.Process{p.controllers, p.api, p.etcd} {
		if process != nil {
			process.Stop(t)
		}
	}
}

func (p *plane) startEtcd(t testing.TB, more ...string) {
	t.Helper()
	etcdURL, peerURL := "https://"+p.etcdHost(), "https://"+p.peersHost()
	p.etcd = testbed.Start(t, p.dir, "etcd", nil, append([]string{"etcd", "--name=node1", "--data-dir=" + p.file("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls=" + etcdURL, "--advertise-client-urls=" + etcdURL,
		"--listen-peer-urls=" + peerURL, "--initial-advertise-peer-urls=" + peerURL, "--initial-cluster=node1=" + peerURL,
		"--cert-file=" + p.file("etcd-server.crt"), "--key-file=" + p.file("etcd-server.key"),
		"--trusted-ca-file=" + p.bundle.TLS("etcd/server-ca.crt"), "--client-cert-auth",
		"--peer-cert-file=" + p.file("etcd-peer.crt"), "--peer-key-file=" + p.file("etcd-peer.key"),
		"--peer-trusted-ca-file=" + p.bundle.TLS("etcd/peer-ca.crt"), "--peer-client-cert-auth"}, more...)...)
}

// startAPI starts a kube-apiserver as k3s does.
func (p *plane) startAPI(t testing.TB, more ...string) {
	t.Helper()
	if err := p.writeServiceKey(); err != nil {
		t.Fatal(err)
	}
	p.launchAPI(t, more...)
}

// writeServiceKey is what k3s does at each of its starts (genServiceAccount in
// pkg/daemons/control/deps), with the functions that it calls: the first key of
// service.key alone, which signs.
func (p *plane) writeServiceKey() error {
	key, err := keyutil.PrivateKeyFromFile(p.bundle.TLS("service.key"))
	if err != nil {
		return err
	}
	text, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return err
	}
	return keyutil.WriteKey(p.file("service.current.key"), text)
}

// cipherSuites are k3s's choice for TLS 1.2 (pkg/cli/server).
var cipherSuites = []string{
	"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
	"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
	"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
}

// launchAPI passes the flags by which k3s tells a kube-apiserver whom to trust,
// what to show and whom to let in (apiServer in pkg/daemons/control). Left out
// is what concerns no certificate (allow-privileged, profiling, node ports, the
// order of kubelet addresses), what k3s passes only when it is asked to
// (encryption-provider-config) and the egress selector, which needs k3s. The
// first two flags are ours, for a machine with no address but those of loopback.
func (p *plane) launchAPI(t testing.TB, more ...string) {
	t.Helper()
	const issuer = "https://kubernetes.default.svc.cluster.local"
	tlsFile, store := p.bundle.TLS, p.store
	if store == nil {
		store = p
	}
	p.api = testbed.Start(t, p.dir, "kube-apiserver", nil, append([]string{"kube-apiserver",
		"--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none",
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", 6443+p.lane), "--cert-dir=" + p.file("apiserver-certs"),
		"--etcd-servers=https://" + store.etcdHost(), "--etcd-prefix=" + p.prefix, "--etcd-cafile=" + tlsFile("etcd/server-ca.crt"),
		"--etcd-certfile=" + p.file("etcd-client.crt"), "--etcd-keyfile=" + p.file("etcd-client.key"),
		"--tls-cert-file=" + p.file("serving-kube-apiserver.crt"), "--tls-private-key-file=" + p.file("serving-kube-apiserver.key"),
		"--tls-cipher-suites=" + strings.Join(cipherSuites, ","),
		"--client-ca-file=" + tlsFile("client-ca.crt"), "--kubelet-certificate-authority=" + tlsFile("server-ca.crt"),
		"--kubelet-client-certificate=" + p.file("client-kube-apiserver.crt"), "--kubelet-client-key=" + p.file("client-kube-apiserver.key"),
		"--requestheader-client-ca-file=" + tlsFile("request-header-ca.crt"), "--requestheader-allowed-names=system:auth-proxy",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + p.file("client-auth-proxy.crt"), "--proxy-client-key-file=" + p.file("client-auth-proxy.key"),
		"--service-account-issuer=" + issuer, "--api-audiences=" + issuer + ",k3s", "--service-cluster-ip-range=10.43.0.0/16",
		"--service-account-key-file=" + tlsFile("service.key"), "--service-account-signing-key-file=" + p.file("service.current.key"),
		"--authorization-mode=Node,RBAC", "--anonymous-auth=false", "--enable-bootstrap-token-auth", "--enable-admission-plugins=NodeRestriction",
	}, more...)...)
}

// startControllers starts a kube-controller-manager as k3s does.
func (p *plane) startControllers(t testing.TB) {
	t.Helper()
	p.launchControllers(t, "*,tokencleaner")
}

// launchControllers passes what k3s passes (controllerManager in
// pkg/daemons/control), but for the ranges that nodes get their addresses from:
// there are no nodes. Nor is there anybody to elect a leader from.
func (p *plane) launchControllers(t testing.TB, controllers string, more ...string) {
	t.Helper()
	config := p.kubeconfig(t, "client-controller", p.bundle.TLS("server-ca.crt"))
	p.controllers = testbed.Start(t, p.dir, "kube-controller-manager", nil, append([]string{"kube-controller-manager",
		"--kubeconfig=" + config, "--authentication-kubeconfig=" + config, "--authorization-kubeconfig=" + config,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", 10257+p.lane), "--cert-dir=" + p.file("controller-certs"), "--leader-elect=false",
		"--root-ca-file=" + p.bundle.TLS("server-ca.crt"), "--use-service-account-credentials",
		"--service-account-private-key-file=" + p.file("service.current.key"), "--controllers=" + controllers,
		"--cluster-signing-kube-apiserver-client-cert-file=" + p.file("client-ca.nochain.crt"),
		"--cluster-signing-kube-apiserver-client-key-file=" + p.bundle.TLS("client-ca.key"),
		"--cluster-signing-kubelet-client-cert-file=" + p.file("client-ca.nochain.crt"),
		"--cluster-signing-kubelet-client-key-file=" + p.bundle.TLS("client-ca.key"),
		"--cluster-signing-kubelet-serving-cert-file=" + p.file("server-ca.nochain.crt"),
		"--cluster-signing-kubelet-serving-key-file=" + p.bundle.TLS("server-ca.key"),
		"--cluster-signing-legacy-unknown-cert-file=" + p.file("server-ca.nochain.crt"),
		"--cluster-signing-legacy-unknown-key-file=" + p.bundle.TLS("server-ca.key"),
	}, more...)...)
}

// kubeconfig writes one for the leaf, with a file of what it trusts.
func (p *plane) kubeconfig(t testing.TB, leaf, trust string) string {
	t.Helper()
	return testbed.Write(t, p.file(leaf+".kubeconfig"), fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: u, user: {client-certificate: %q, client-key: %q}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`, p.url(""), trust, p.file(leaf+".crt"), p.file(leaf+".key")))
}

// root is the trust anchor at the end of a CA file.
func (p *plane) root(t testing.TB, ca string) *x509.Certificate {
	t.Helper()
	chain, err := testbed.ReadChain(p.bundle.TLS(ca + ".crt"))
	if err != nil {
		t.Fatal(err)
	}
	return chain[len(chain)-1]
}

// as is a client of the API server that shows the certificate, if any.
func (p *plane) as(t testing.TB, certificate *tls.Certificate) testbed.Client {
	tally.requests.Add(1)
	trust := p.trust
	if trust == nil {
		trust = []*x509.Certificate{p.root(t, "server-ca")}
	}
	return testbed.Client{Roots: trust, Certificate: certificate}
}

func (p *plane) leaf(t testing.TB, name string) *tls.Certificate {
	return testbed.LoadPair(t, p.file(name))
}

func (p *plane) admin(t testing.TB) testbed.Client { return p.as(t, p.leaf(t, "client-admin")) }

func (p *plane) etcdReady(t testing.TB) func() error {
	client := testbed.Client{Root: p.root(t, "etcd/server-ca"), Certificate: p.leaf(t, "etcd-client")}
	return func() error {
		_, err := client.Get("https://" + p.etcdHost() + "/health")
		return err
	}
}

func (p *plane) apiReady(t testing.TB) func() error {
	admin := p.admin(t)
	return func() error {
		_, err := admin.Get(p.url("/readyz"))
		return err
	}
}

// restart is what an administrator does after the files have changed. The
// controller-manager ends first: the API server waits a minute for its watches.
func (p *plane) restart(t testing.TB) {
	t.Helper()
	p.controllers.Stop(t)
	p.api.Stop(t)
	p.startAPI(t)
	p.api.Await(t, time.Minute, "ready again", p.apiReady(t))
	p.startControllers(t)
}

// within calls f until it returns nil.
func within(t testing.TB, limit time.Duration, what string, f func() error) {
	t.Helper()
	err := errors.New("not tried")
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatalf("%s: not within %s: %v", what, limit, err)
}
