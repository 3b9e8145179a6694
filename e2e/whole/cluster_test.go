package whole

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

type (
	topology string
	store    string
)

const (
	isolated topology = "isolated"
	shared   topology = "shared"

	sqlite store = "sqlite"
	etcd   store = "etcd"
)

// Where a server listens: k3s's own port, which passes on what it does not
// know, and the kube-apiserver behind it.
const (
	supervisor = "https://127.0.0.1:6443"
	apiserver  = "https://127.0.0.1:6444"
)

// password is the secret part of the join token.
const password = "throwaway"

// lean switches off what needs an agent, a container or the internet.
var lean = []string{
	"--disable-agent", "--disable-cloud-controller", "--disable-helm-controller", "--disable-kube-proxy",
	"--disable-network-policy", "--disable-scheduler", "--disable", "coredns,servicelb,traefik,local-storage,metrics-server",
	"--egress-selector-mode", "disabled", "--flannel-backend", "none",
}

// cluster is a k3s server with the bundle that it lives on.
type cluster struct {
	topology topology
	store    store
	bundle   testbed.Bundle
	root     *x509.Certificate // of the server domain, all that a client knows
	rootFile string

	dir    string // of everything else, and the home of every command
	data   string // --data-dir
	token  string // given to the server: the password alone, or a whole join token
	via    string // the server through which this one joins; none founds a cluster
	server *testbed.Process
	starts int // each has a log of its own

	open     map[pair]bool // doors open to a wrong CA in the isolated topology
	requests int           // certificate requests made so far
	leftOver int           // certificates of earlier CAs that the API goes on publishing, in each file
}

// found makes a bundle and puts it where a server looks before its first start.
func found(t *testing.T, topology topology, store store) *cluster {
	t.Helper()
	c := &cluster{topology: topology, store: store, dir: testbed.Dir(t), token: password}
	c.data = filepath.Join(c.dir, "data")
	c.bundle = c.newBundle(t, "first")
	c.trust(t, filepath.Join(c.bundle.Offline, "root-ca.crt"))
	c.bundle.Copy(t, c.data)
	return c
}

// newBundle makes a bundle of the cluster's topology.
func (c *cluster) newBundle(t testing.TB, name string) testbed.Bundle {
	t.Helper()
	dir := filepath.Join(c.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	tally.bundles++
	return testbed.NewBundle(t, dir, "--topology", string(c.topology))
}

// trust makes the only certificate of the file what clients go by.
func (c *cluster) trust(t testing.TB, file string) {
	t.Helper()
	c.root, c.rootFile = testbed.ReadRoot(t, file), file
}

// start starts the server and waits until its API is ready.
func (c *cluster) start(t *testing.T) {
	t.Helper()
	c.launch(t, nil, "--node-name", "node1", "--node-ip", testbed.Address)
	c.server.Await(t, 90*time.Second, "API ready", func() error { return c.ready(apiserver) })
}

// launch starts the server with more flags, by a wrapper if there is one.
func (c *cluster) launch(t *testing.T, wrapper []string, flags ...string) {
	t.Helper()
	command := append(append(wrapper, "k3s", "server", "--data-dir", c.data, "--write-kubeconfig", c.kubeconfig()), flags...)
	switch {
	case c.via != "":
		command = append(command, "--server", c.via, "--etcd-disable-snapshots")
	case c.store == etcd:
		command = append(command, "--cluster-init", "--etcd-disable-snapshots")
	}
	// The token by the environment: argv is for everybody to read.
	c.starts++
	c.server = testbed.Start(t, c.dir, fmt.Sprintf("k3s-%d", c.starts), []string{"K3S_TOKEN=" + c.token}, append(command, lean...)...)
	tally.starts++
}

func (c *cluster) stop(t *testing.T) {
	t.Helper()
	c.server.Stop(t)
}

// ready asks with a certificate that k3s makes at its start, so it may not be
// there yet.
func (c *cluster) ready(server string) error {
	admin, err := tls.LoadX509KeyPair(c.tls("client-admin.crt"), c.tls("client-admin.key"))
	if err != nil {
		return err
	}
	_, err = testbed.Client{Root: c.root, Certificate: &admin}.Get(server + "/readyz")
	return err
}

// tls is the path of a file in the server's tls folder.
func (c *cluster) tls(name string) string {
	return filepath.Join(c.data, "server", "tls", filepath.FromSlash(name))
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.data, "kubeconfig.yaml") }

// as is a client with a certificate that k3s made, named without its ending.
func (c *cluster) as(t testing.TB, leaf string) testbed.Client {
	t.Helper()
	return testbed.Client{Root: c.root, Certificate: testbed.LoadPair(t, c.tls(leaf))}
}

// bearing is a client that shows no certificate, but a ServiceAccount's token.
func (c *cluster) bearing(token string) testbed.Client {
	return testbed.Client{Root: c.root, Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// get reads an object of the API as the administrator.
func (c *cluster) get(t testing.TB, path string, into any) {
	t.Helper()
	if err := c.tryGet(t, path, into); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) tryGet(t testing.TB, path string, into any) error {
	t.Helper()
	answer, err := c.as(t, "client-admin").Get(apiserver + path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer.Body, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// kubectl runs with the kubeconfig that k3s writes.
func (c *cluster) kubectl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := c.run("kubectl", append([]string{"--kubeconfig", c.kubeconfig()}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// run runs a command in the cluster's home.
func (c *cluster) run(command string, args ...string) (string, error) {
	return testbed.Run(c.dir, []string{"HOME=" + c.dir}, append([]string{command}, args...)...)
}

// offer is `k3s certificate rotate-ca` with the server's part of a bundle; k3s
// writes what it has to say to standard error.
func (c *cluster) offer(b testbed.Bundle, flags ...string) (string, error) {
	return c.k3s(append([]string{"certificate", "rotate-ca", "--data-dir", c.data, "--path", b.Dir}, flags...)...)
}

// k3s runs a command of k3s and returns both its outputs.
func (c *cluster) k3s(args ...string) (string, error) {
	return c.run("sh", append([]string{"-c", `exec k3s "$@" 2>&1`, "k3s"}, args...)...)
}
