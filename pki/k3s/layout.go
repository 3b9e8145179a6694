package k3s

import (
	"slices"

	"rootkiln/pki"
)

// Files of the bundle, relative to the server directory. These eleven and no
// others are a cluster's authorities; k3s derives everything else
// (k3s pkg/daemons/config/types.go, ControlRuntimeBootstrap).
const (
	ServerCAPath   = "tls/server-ca"
	ServiceKeyPath = "tls/service.key"
)

// rows of the two topologies. In `isolated` what outsiders verify (serving
// certificates) chains to the cluster's root, and each question of who may log
// in has a root of its own: every CA file is also the trust file of its
// component.
var rows = map[pki.Topology][]pki.Row{
	pki.Isolated: {
		{Role: pki.Root, Tier: pki.TierRoot, Name: "root-ca", Safe: "root-ca"},
		{Role: pki.Intermediate, Tier: pki.TierIntermediate, Issuer: pki.Root, Name: "intermediate-ca", Safe: "intermediate-ca"},
		{Role: pki.ServerCA, Tier: pki.TierCA, Issuer: pki.Intermediate, Name: "server-ca", Path: ServerCAPath},
		{Role: pki.ClientRoot, Tier: pki.TierRoot, Name: "client-root", Safe: "client-root"},
		{Role: pki.ClientCA, Tier: pki.TierCA, Issuer: pki.ClientRoot, Name: "client-ca", Path: "tls/client-ca"},
		{Role: pki.RequestHeaderRoot, Tier: pki.TierRoot, Name: "request-header-root", Safe: "request-header-root"},
		{Role: pki.RequestHeaderCA, Tier: pki.TierCA, Issuer: pki.RequestHeaderRoot, Name: "request-header-ca", Path: "tls/request-header-ca"},
		{Role: pki.EtcdPeerRoot, Tier: pki.TierRoot, Name: "etcd-peer-root", Safe: "etcd-peer-root"},
		{Role: pki.EtcdPeerCA, Tier: pki.TierCA, Issuer: pki.EtcdPeerRoot, Name: "etcd-peer-ca", Path: "tls/etcd/peer-ca"},
		{Role: pki.EtcdServerRoot, Tier: pki.TierRoot, Name: "etcd-server-root", Safe: "etcd-server-root"},
		{Role: pki.EtcdServerCA, Tier: pki.TierCA, Issuer: pki.EtcdServerRoot, Name: "etcd-server-ca", Path: "tls/etcd/server-ca"},
	},
	pki.Shared: {
		{Role: pki.Root, Tier: pki.TierRoot, Name: "root-ca", Safe: "root-ca"},
		{Role: pki.Intermediate, Tier: pki.TierIntermediate, Issuer: pki.Root, Name: "intermediate-ca", Safe: "intermediate-ca"},
		{Role: pki.ServerCA, Tier: pki.TierCA, Issuer: pki.Intermediate, Name: "server-ca", Path: ServerCAPath},
		{Role: pki.ClientCA, Tier: pki.TierCA, Issuer: pki.Intermediate, Name: "client-ca", Path: "tls/client-ca"},
		{Role: pki.RequestHeaderCA, Tier: pki.TierCA, Issuer: pki.Intermediate, Name: "request-header-ca", Path: "tls/request-header-ca"},
		{Role: pki.EtcdPeerCA, Tier: pki.TierCA, Issuer: pki.Intermediate, Name: "etcd-peer-ca", Path: "tls/etcd/peer-ca"},
		{Role: pki.EtcdServerCA, Tier: pki.TierCA, Issuer: pki.Intermediate, Name: "etcd-server-ca", Path: "tls/etcd/server-ca"},
	},
}

// Layout returns the table for a plan. Empty fields mean the defaults of a
// plan: k3s, isolated. Where there is no table, all else that is wrong with the
// plan by itself is said in the same breath.
func Layout(plan pki.Plan) (pki.Layout, error) {
	distro, topology := plan.Distro, plan.Topology
	if distro == "" {
		distro = pki.K3s
	}
	if topology == "" {
		topology = pki.Isolated
	}
	var found []pki.Finding
	product, ok := products[distro]
	if !ok {
		found = append(found, pki.New("plan-value", "distro", "value", string(distro), "want", "k3s, rke2"))
	}
	table, ok := rows[topology]
	if !ok {
		found = append(found, pki.New("plan-value", "topology", "value", string(topology), "want", "isolated, shared"))
	}
	if len(found) > 0 {
		return pki.Layout{}, pki.Refuse(append(found, plan.Check()...))
	}
	l := pki.Layout{
		Distro: distro, Product: product.Prefix, Rows: slices.Clone(table),
		ServicePath: ServiceKeyPath, Names: map[pki.Role][]string{},
	}
	for _, leaf := range Leaves(product) {
		l.Names[leaf.Signer] = append(l.Names[leaf.Signer], leaf.Names...)
	}
	return l, nil
}

// AuthorityPaths returns the paths of the five leaf CAs without ending, by
// role: the order in which k3s validates a rotation (k3s
// pkg/server/handlers/cert.go).
func AuthorityPaths() []pki.Row {
	order := []pki.Role{pki.EtcdServerCA, pki.EtcdPeerCA, pki.ServerCA, pki.ClientCA, pki.RequestHeaderCA}
	out := make([]pki.Row, len(order))
	for i, role := range order {
		for _, row := range rows[pki.Shared] {
			if row.Role == role {
				out[i] = row
			}
		}
	}
	return out
}
