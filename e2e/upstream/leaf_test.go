package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"testing"

	"rootkiln/e2e/testbed"
)

// leaf is one certificate that k3s makes for a control plane at its start
// (pkg/daemons/control/deps).
type leaf struct {
	file         string // without ending
	ca           string // path of its CA below tls, without ending
	commonName   string
	organization string
	server       bool // serves, under the names of the node
	client       bool
}

var leaves = []leaf{
	{"client-admin", "client-ca", "system:admin", "system:masters", false, true},
	{"client-controller", "client-ca", "system:kube-controller-manager", "", false, true},
	{"client-kube-apiserver", "client-ca", "system:apiserver", "system:masters", false, true},
	{"client-kubelet", "client-ca", "system:node:node1", "system:nodes", false, true},
	{"serving-kube-apiserver", "server-ca", "kube-apiserver", "", true, false},
	{"client-auth-proxy", "request-header-ca", "system:auth-proxy", "", false, true},
	{"etcd-client", "etcd/server-ca", "etcd-client", "", false, true},
	{"etcd-server", "etcd/server-ca", "etcd-server", "", true, true},
	{"etcd-peer", "etcd/peer-ca", "etcd-peer", "", true, true},
}

// nodeNames are what k3s puts into the serving certificates.
var (
	nodeNames = []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", "node1"}
	nodeIPs   = []net.IP{net.ParseIP("127.0.0.1"), net.ParseIP("::1"), net.ParseIP(testbed.Address), net.ParseIP("10.43.0.1")}
)

// from signs the leaf, with the CA's chain behind it. An edit, if there is one,
// has the last word.
func (l leaf) from(t testing.TB, ca *testbed.Authority, edit func(*x509.Certificate)) tls.Certificate {
	return ca.MintFrom(t, func(template *x509.Certificate) {
		template.Subject.CommonName = l.commonName
		if l.organization != "" {
			template.Subject.Organization = []string{l.organization}
		}
		if l.server {
			template.DNSNames, template.IPAddresses = nodeNames, nodeIPs
			template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		}
		if l.client {
			template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
		}
		// k3s asks for this too, on keys of elliptic curves as well.
		template.KeyUsage |= x509.KeyUsageKeyEncipherment
		if edit != nil {
			edit(template)
		}
	})
}

// write signs the leaf and puts it, with its key, into the directory.
func (l leaf) write(t testing.TB, dir string, ca *testbed.Authority) {
	t.Helper()
	testbed.WritePair(t, filepath.Join(dir, l.file), l.from(t, ca, nil))
}
