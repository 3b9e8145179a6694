package k3s

import (
	"crypto/x509"

	"rootkiln/pki"
)

// Leaf is a certificate that a server or agent makes from the bundle.
type Leaf struct {
	File         string // relative to tls/, without ending; agent files stand in agent/
	Signer       pki.Role
	CommonName   string
	Organization string
	Usage        []x509.ExtKeyUsage
	Names        []string // the DNS names and addresses that every node has
}

// Names in every serving certificate of a node, whatever it is called: further
// ones (node name and addresses, tls-san) depend on the node.
// k3s pkg/cli/server/server.go: 10.43.0.1 is the first address of the default
// service range.
var (
	nodeNames = []string{"localhost", "127.0.0.1", "::1", "10.43.0.1"}
	apiNames  = []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
)

// Leaves returns the leaf table of a product (k3s
// pkg/daemons/control/deps/deps.go; the scheduler's and controller-manager's
// serving certificates since May 2025, k3s #12285).
func Leaves(p Product) []Leaf {
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	server := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	both := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	local := []string{"localhost", "127.0.0.1", "::1"}
	api := append(append([]string{}, apiNames...), nodeNames...)
	etcd := append([]string{"kine.sock"}, nodeNames...)
	return []Leaf{
		{"client-admin", pki.ClientCA, "system:admin", "system:masters", client, nil},
		{"client-supervisor", pki.ClientCA, "system:" + p.Prefix + "-supervisor", "system:masters", client, nil},
		{"client-controller", pki.ClientCA, "system:kube-controller-manager", "", client, nil},
		{"client-scheduler", pki.ClientCA, "system:kube-scheduler", "", client, nil},
		{"client-kube-apiserver", pki.ClientCA, "system:apiserver", "system:masters", client, nil},
		{"client-kube-proxy", pki.ClientCA, "system:kube-proxy", "", client, nil},
		{"client-" + p.Prefix + "-controller", pki.ClientCA, "system:" + p.Prefix + "-controller", "", client, nil},
		{"client-" + p.Prefix + "-cloud-controller", pki.ClientCA, p.Prefix + "-cloud-controller-manager", "", client, nil},
		{"agent/client-kubelet", pki.ClientCA, "system:node:node", "system:nodes", client, nil},
		{"serving-kube-apiserver", pki.ServerCA, "kube-apiserver", "", server, api},
		{"dynamic-cert", pki.ServerCA, p.Prefix, p.Prefix, server, api},
		{"kube-scheduler/kube-scheduler", pki.ServerCA, "kube-scheduler", "", server, local},
		{"kube-controller-manager/kube-controller-manager", pki.ServerCA, "kube-controller-manager", "", server, local},
		{"agent/serving-kubelet", pki.ServerCA, "node", "", server, local},
		{"client-auth-proxy", pki.RequestHeaderCA, "system:auth-proxy", "", client, nil},
		{"etcd/client", pki.EtcdServerCA, "etcd-client", "", client, nil},
		{"etcd/server-client", pki.EtcdServerCA, "etcd-server", "", both, etcd},
		{"etcd/peer-server-client", pki.EtcdPeerCA, "etcd-peer", "", both, etcd},
	}
}
