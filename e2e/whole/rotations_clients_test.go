package whole

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// python asks with a client's certificate, and trusts the certificates of a file
// alone.
const python = `
import ssl, sys, urllib.request
anchors, pair, url = sys.argv[1:]
context = ssl.create_default_context(cafile=anchors)
context.load_cert_chain(pair + ".crt", pair + ".key")
urllib.request.urlopen(url, context=context, timeout=15).read()
`

// outsiders are the programs that hold a root and are not part of the cluster:
// OpenSSL in three of them, Go in two.
var outsiders = append(slices.Clip(clients), struct {
	name, distrust string
	verify         func(c *cluster, t testing.TB, server, anchors string) error
}{"python3", "certificate verify failed", func(c *cluster, _ testing.TB, server, anchors string) error {
	_, err := c.run("python3", "-c", python, anchors, c.tls("client-admin"), server+"/version")
	return err
}})

// everywhere are both ports.
var everywhere = []string{supervisor, apiserver}

// holders lets every program verify both ports with a root and nothing else; it
// must succeed where the holder of that root is promised so, and fail elsewhere.
func (c *cluster) holders(t *testing.T, who, root string, welcome ...string) {
	check(t, who, func(t *testing.T) {
		for _, server := range everywhere {
			want := slices.Contains(welcome, server)
			for _, client := range outsiders {
				err := client.verify(c, t, server, root)
				if (err == nil) != want || err != nil && !strings.Contains(err.Error(), client.distrust) {
					t.Errorf("%s at %s: %v, want that it verifies: %t", client.name, server, err, want)
				}
			}
		}
	})
}

// afterwards is where the holder of a root still verifies the server when that
// root is out of the files: the kube-apiserver's leaf stays with step c, for its CA
// does, and with it the file's old chain. k3s's own port, the one for clients,
// has a new one by the steps.
var afterwards = []string{apiserver}

// holding is what people have from before a rotation.
type holding struct {
	held
	root string // of the server domain, in a file
}

func (w *rotates) keep(t *testing.T) holding {
	t.Helper()
	dir := filepath.Join(w.dir, "held", fmt.Sprint(w.made))
	h := holding{keep(t, w.cluster), testbed.Write(t, filepath.Join(dir, "root.crt"), read(t, w.rootFile))}
	h.kubeconfig = testbed.Write(t, filepath.Join(dir, "kubeconfig.yaml"), read(t, w.kubeconfig()))
	return h
}

// opened tells what of it must still open the cluster.
type opened struct {
	kubeconfig bool
	admin      bool // the administrator's certificate, with its chain
	bare       bool // a certificate of the CSR signer, and the administrator's without its chain
	token      bool // of a ServiceAccount
}

var everything = opened{kubeconfig: true, admin: true, bare: true, token: true}

// still looks what of it opens the cluster.
func (h holding) still(t *testing.T, c *cluster, want opened) {
	check(t, "what is held from before", func(t *testing.T) {
		if _, err := c.run("kubectl", "--kubeconfig", h.kubeconfig, "get", "namespaces"); (err == nil) != want.kubeconfig {
			t.Errorf("kubeconfig: works %t, want %t (%v)", err == nil, want.kubeconfig, err)
		}
		for _, server := range everywhere {
			for _, one := range []struct {
				what string
				pair *tls.Certificate
				name string
				in   bool
			}{
				{"administrator's certificate", h.admin, "system:admin", want.admin},
				{"administrator's certificate alone", testbed.Bare(*h.admin), "system:admin", want.bare},
				{"certificate of the CSR signer", &h.user, "carol", want.bare},
			} {
				expectWho(t, one.what, testbed.Client{Root: c.root, Certificate: one.pair}, server, one.name, one.in)
			}
			expectWho(t, "ServiceAccount's token", c.bearing(h.token), server, serviceAccount.Name, want.token)
		}
	})
}

// expectWho wants the client to be taken for somebody, or for nobody: status 401,
// and not some other failure.
func expectWho(t *testing.T, what string, client testbed.Client, server, name string, in bool) {
	t.Helper()
	user, err := client.WhoAmI(server)
	if in && user.Name != name || !in && (err == nil || !strings.Contains(err.Error(), "status 401")) {
		t.Errorf("%s at %s: %q, %v; want in: %t", what, server, user.Name, err, in)
	}
}

// joinable does what a joining node does first with the token that k3s wrote: load
// /cacerts, compare its hash, and verify the server by it. Every command of k3s
// that talks to a server does so (pkg/clientaccess); rotate-ca, offered nothing,
// changes nothing.
func (c *cluster) joinable(t *testing.T) {
	check(t, "join token opens", func(t *testing.T) {
		nothing := filepath.Join(t.TempDir(), "nothing")
		if out, err := c.k3s("certificate", "rotate-ca", "--data-dir", c.data, "--path", nothing); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
