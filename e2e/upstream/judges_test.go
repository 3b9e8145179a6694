package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// Judges, beside the component that is started on the files.
const (
	goFile      = "client with the CA file" // every certificate in it is an anchor, as in k3s
	goRoot      = "client with the root"    // as outside
	curl        = "curl"                    // with the CA file
	strict      = "openssl"                 // with the root, -x509_strict
	kubeadm     = "kubeadm"                 // signs with the CA
	controllers = "kube-controller-manager" // signs with the CA
)

// door is where the certificates of a CA are shown.
type door struct {
	component      string // that is started on the CA file
	trust          string // the CA that vouches for the server here
	server, client string // leaves shown by the two sides
	host           func(*plane) string
	page           string
	header         http.Header
	leaf, purpose  string    // what openssl looks at
	phase          [2]string // the CA's file, and a phase of `kubeadm init phase certs` that signs with it
	request        *request  // for the controller-manager
}

var doors = map[string]door{
	"etcd/server-ca": {
		component: "etcd", trust: "etcd/server-ca", server: "etcd-server", client: "etcd-client", host: (*plane).etcdHost, page: "/health",
		leaf: "etcd-server", purpose: "sslserver", phase: [2]string{"etcd/ca", "etcd-server"},
	},
	"etcd/peer-ca": {
		component: "etcd", trust: "etcd/peer-ca", server: "etcd-peer", client: "etcd-peer", host: (*plane).peersHost, page: "/version",
		leaf: "etcd-peer", purpose: "sslserver", phase: [2]string{"etcd/ca", "etcd-peer"},
	},
	"server-ca": {
		component: "kube-apiserver", trust: "server-ca", server: "serving-kube-apiserver", client: "client-admin", host: (*plane).host, page: "/version",
		leaf: "serving-kube-apiserver", purpose: "sslserver", phase: [2]string{"ca", "apiserver"}, request: &forKubelet,
	},
	"client-ca": {
		component: "kube-apiserver", trust: "server-ca", server: "serving-kube-apiserver", client: "client-admin", host: (*plane).host, page: "/version",
		leaf: "client-admin", purpose: "sslclient", phase: [2]string{"ca", "apiserver-kubelet-client"}, request: &forUser,
	},
	"request-header-ca": {
		component: "kube-apiserver", trust: "server-ca", server: "serving-kube-apiserver", client: "client-auth-proxy", host: (*plane).host, page: "/version",
		header: http.Header{"X-Remote-User": {"alice"}, "X-Remote-Group": {"system:masters"}},
		leaf:   "client-auth-proxy", purpose: "sslclient", phase: [2]string{"front-proxy-ca", "front-proxy-client"},
	},
}

// judge shows the CA to everybody who has to live with it, and returns what
// those who refuse say.
func (row pitfall) judge(t *testing.T, p *plane) refusals {
	t.Helper()
	d := doors[row.ca]
	refused := refusals{}
	note := func(judge string, err error) {
		tally.judgements.Add(1)
		if err != nil {
			refused[judge] = err.Error()
		}
	}
	root := testbed.ReadAuthority(t, filepath.Join(p.bundle.Offline, "root-ca")).Root()
	rootFile := testbed.Write(t, p.file("root.crt"), testbed.EncodeChain(root))
	if note(d.component, p.listens(t, d.component, row.flags...)); refused[d.component] == "" {
		var err error
		if p.trust, err = testbed.ReadChain(p.bundle.TLS(d.trust + ".crt")); err == nil {
			err = d.ask(t, p, p.trust...)
		}
		note(goFile, err)
		if d.trust == row.ca {
			note(goRoot, d.ask(t, p, root))
		}
		note(curl, d.curl(t, p))
		if d.request != nil && refused[goFile] == "" {
			note(controllers, d.sign(t, p))
		}
		if row.log != "" {
			within(t, 20*time.Second, "a word in the log", func() error { return p.logged(d.component, row.log) })
		}
	}
	_, err := testbed.Run(p.dir, nil, "openssl", "verify", "-x509_strict", "-purpose", d.purpose,
		"-trusted", rootFile, "-untrusted", p.file(d.leaf+".crt"), p.file(d.leaf+".crt"))
	note(strict, err)
	note(kubeadm, d.kubeadm(t, p, row.ca))
	p.stop(t)
	return refused
}

func (d door) url(p *plane) string { return "https://" + d.host(p) + d.page }

// ask is a client in Go, with the door's certificate and header.
func (d door) ask(t *testing.T, p *plane, anchors ...*x509.Certificate) error {
	_, err := testbed.Client{Roots: anchors, Certificate: p.leaf(t, d.client), Header: d.header, HTTP1: true}.Get(d.url(p))
	return err
}

func (d door) curl(t *testing.T, p *plane) error {
	args := []string{"--http1.1", "--cert", p.file(d.client + ".crt"), "--key", p.file(d.client + ".key"), d.url(p)}
	for name, values := range d.header {
		args = append(args, "--header", name+": "+values[0])
	}
	_, err := testbed.Curl(t, p.bundle.TLS(d.trust+".crt"), args...)
	return err
}

// sign starts a controller-manager, with nothing in it but the signer, and
// lets it sign.
func (d door) sign(t *testing.T, p *plane) error {
	// It listens before its roles are there.
	if err := p.api.TryAwait(time.Minute, p.apiReady(t)); err != nil {
		return err
	}
	p.writeSigners(t)
	p.launchControllers(t, signer)
	requester := p.admin(t)
	if d.request == &forKubelet {
		requester = p.as(t, p.leaf(t, "client-kubelet"))
	}
	if _, err := p.certify(t, *d.request, requester); err != nil {
		return fmt.Errorf("%w\n%s", err, p.controllers.Tail(6))
	}
	return nil
}

// kubeadm lets kubeadm take the CA as its own and sign with it.
func (d door) kubeadm(t *testing.T, p *plane, ca string) error {
	dir := p.file("kubeadm")
	for _, ending := range []string{".crt", ".key"} {
		data, err := os.ReadFile(p.bundle.TLS(ca + ending))
		if err != nil {
			t.Fatal(err)
		}
		testbed.Write(t, filepath.Join(dir, d.phase[0]+ending), data)
	}
	config := testbed.Write(t, p.file("kubeadm.yaml"), fmt.Appendf(nil, `apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: %q}
nodeRegistration: {name: node1, criSocket: unix:///nowhere.sock}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
certificatesDir: %q
encryptionAlgorithm: ECDSA-P256
kubernetesVersion: %s
networking: {serviceSubnet: 10.43.0.0/16}
`, testbed.Address, dir, version(t, "kubeadm", "version", "-o", "short")))
	_, err := testbed.Run(p.dir, nil, "kubeadm", "init", "phase", "certs", d.phase[1], "--config", config)
	return err
}

// listens starts a component and waits until it listens: whether its peers like
// it is their business.
func (p *plane) listens(t *testing.T, component string, flags ...string) error {
	address := p.etcdHost()
	if component == "etcd" {
		p.startEtcd(t, flags...)
	} else {
		p.startAPI(t, flags...)
		address = p.host()
	}
	process := p.process(component)
	if err := process.TryAwait(time.Minute, handshake(address)); err != nil {
		return fmt.Errorf("%w\n%s", err, process.Tail(6))
	}
	return nil
}

func (p *plane) process(component string) *testbed.Process {
	return map[string]*testbed.Process{"etcd": p.etcd, "kube-apiserver": p.api}[component]
}

// logged tells whether a component has written the text.
func (p *plane) logged(component, text string) error {
	if !strings.Contains(p.process(component).LogSince(0), text) {
		return fmt.Errorf("%s does not say %q", component, text)
	}
	return nil
}

// handshake asks for one of TLS and looks at no certificate. It is over before
// the server looks at the client's, and a kube-apiserver answers it only when
// it is up.
func handshake(address string) func() error {
	return func() error {
		connection, err := tls.DialWithDialer(&net.Dialer{Timeout: time.Second}, "tcp", address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return err
		}
		return connection.Close()
	}
}
