package e2e

import (
	"cmp"
	"crypto/x509"
	"slices"
	"testing"

	"rootkiln/e2e/testbed"
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

// everywhere is one algorithm at every tier.
func everywhere(name string) algorithms { return algorithms{name, name, name, name} }

// tiers are the algorithms by the flag that orders each.
func (a algorithms) tiers() map[string]string {
	return map[string]string{
		"--root-alg": a.root, "--intermediate-alg": a.intermediate, "--ca-alg": a.ca, "--service-alg": a.service,
	}
}

// order says which bundle to make; an empty field becomes no flag.
type order struct {
	topology, profile, distro string
	algorithms                algorithms
	kind                      kind
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

// flags are the order in rootkiln's words.
func (o order) flags() []string {
	values := o.algorithms.tiers()
	values["--topology"], values["--profile"], values["--distro"] = o.topology, o.profile, o.distro
	var flags []string
	for flag, value := range values {
		if value != "" {
			flags = append(flags, flag, value)
		}
	}
	return flags
}

// bundle is what rootkiln made for an order, in the place where the server
// looks for it.
type bundle struct {
	order
	inputs
	dir      string // the server's data directory
	leafDays string // lifetime of k3s's leaves; empty: its own choice
}

// make runs rootkiln.
func (o order) make(t testing.TB) bundle {
	t.Helper()
	b := bundle{order: o.resolved(), inputs: o.kind.bring(t, o.flags())}
	b.dir = testbed.NewBundle(t, testbed.Dir(t), b.inputs.flags...).Dir
	return b
}

func last(chain []*x509.Certificate) *x509.Certificate { return chain[len(chain)-1] }
