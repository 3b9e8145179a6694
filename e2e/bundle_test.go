package e2e

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// domain is one trust domain of a control plane: the path of its CA file
// without ending, below the server's data directory.
type domain string

const (
	serverDomain        domain = "tls/server-ca"
	clientDomain        domain = "tls/client-ca"
	requestHeaderDomain domain = "tls/request-header-ca"
	etcdPeerDomain      domain = "tls/etcd/peer-ca"
	etcdServerDomain    domain = "tls/etcd/server-ca"
)

var domains = []domain{serverDomain, clientDomain, requestHeaderDomain, etcdPeerDomain, etcdServerDomain}

const serviceKeyFile = "tls/service.key"

func (d domain) crt() string { return string(d) + ".crt" }
func (d domain) key() string { return string(d) + ".key" }

// bundleFiles are the eleven files that k3s takes from its operator.
func bundleFiles() []string {
	files := []string{serviceKeyFile}
	for _, d := range domains {
		files = append(files, d.crt(), d.key())
	}
	slices.Sort(files)
	return files
}

// algorithms are the --…-alg flags; an empty one leaves the choice to the
// profile.
type algorithms struct{ root, intermediate, ca, service string }

// order says which bundle to make; an empty field becomes no flag.
type order struct {
	topology, profile, distro string
	algorithms                algorithms
	inputs                    func(testing.TB) inputs
}

// profileAlgorithms are the profiles' choices.
var profileAlgorithms = map[string]algorithms{
	"strict":   {root: "p384", intermediate: "p384", ca: "p256", service: "rsa2048"},
	"upstream": {root: "rsa4096", intermediate: "rsa4096", ca: "p256", service: "rsa2048"},
}

// resolved is the order with the documented defaults in its blanks: what the
// bundle must come to.
func (o order) resolved() order {
	o.topology = cmp.Or(o.topology, "isolated")
	o.profile = cmp.Or(o.profile, "strict")
	o.distro = cmp.Or(o.distro, "k3s")
	choice := profileAlgorithms[o.profile]
	o.algorithms = algorithms{
		root:         cmp.Or(o.algorithms.root, choice.root),
		intermediate: cmp.Or(o.algorithms.intermediate, choice.intermediate),
		ca:           cmp.Or(o.algorithms.ca, choice.ca),
		service:      cmp.Or(o.algorithms.service, choice.service),
	}
	return o
}

// bundle is what rootkiln made for an order, in the place where the server
// looks for it.
type bundle struct {
	order
	inputs
	dir string // the server's data directory
}

// make runs rootkiln.
func (o order) make(t testing.TB) bundle {
	t.Helper()
	dir := t.TempDir()
	b := bundle{order: o.resolved(), inputs: o.inputs(t), dir: filepath.Join(dir, "server")}
	args := []string{"bundle", "--out", b.dir, "--offline-out", filepath.Join(dir, "offline")}
	for _, flag := range [][2]string{
		{"--topology", o.topology}, {"--profile", o.profile}, {"--distro", o.distro},
		{"--root-alg", o.algorithms.root}, {"--intermediate-alg", o.algorithms.intermediate},
		{"--ca-alg", o.algorithms.ca}, {"--service-alg", o.algorithms.service},
	} {
		if flag[1] != "" {
			args = append(args, flag[0], flag[1])
		}
	}
	if _, err := rootkiln(append(args, b.inputs.flags...)...); err != nil {
		t.Fatal(err)
	}
	return b
}

// rootkiln runs the binary under test and returns its standard output.
func rootkiln(args ...string) ([]byte, error) {
	cmd := exec.Command(os.Getenv("ROOTKILN"), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("rootkiln %q: %w\n%s", args, err, stderr.Bytes())
	}
	return out, nil
}

// readChain reads every certificate of a file.
func readChain(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s: %w", file, errNoCertificate)
	}
	return chain, nil
}

var errNoCertificate = errors.New("no certificate")

// encodeChain is the PEM text of certificates.
func encodeChain(chain ...*x509.Certificate) []byte {
	var text []byte
	for _, certificate := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return text
}

func last(chain []*x509.Certificate) *x509.Certificate { return chain[len(chain)-1] }
