package pki

// Role names one key of a cluster: an authority, or the key that signs
// ServiceAccount tokens. Which roles exist is the [Layout]'s business.
type Role string

const (
	Root         Role = "root"
	Intermediate Role = "intermediate"

	ServerCA        Role = "server-ca"
	ClientCA        Role = "client-ca"
	RequestHeaderCA Role = "request-header-ca"
	EtcdPeerCA      Role = "etcd-peer-ca"
	EtcdServerCA    Role = "etcd-server-ca"

	ClientRoot        Role = "client-root"
	RequestHeaderRoot Role = "request-header-root"
	EtcdPeerRoot      Role = "etcd-peer-root"
	EtcdServerRoot    Role = "etcd-server-root"

	// Service is the key pair for ServiceAccount tokens; it has no certificate.
	Service Role = "service"

	// Lint is the throw-away key that signs what is only looked at.
	Lint Role = "lint"
)

// Tier is the height of an authority; profiles and plans speak of tiers.
type Tier string

const (
	TierRoot         Tier = "root"
	TierIntermediate Tier = "intermediate"
	TierCA           Tier = "ca" // leaf CAs: the ones that sign no other CA
	TierService      Tier = "service"
)

// Distro names a Kubernetes distribution whose layout rootkiln knows.
type Distro string

const (
	K3s  Distro = "k3s"
	RKE2 Distro = "rke2"
)

// Topology says who shares a root.
type Topology string

const (
	// Isolated gives every domain of trust a root of its own.
	Isolated Topology = "isolated"
	// Shared puts all leaf CAs under one root, as the k3s example script does.
	Shared Topology = "shared"
)

// Row is one line of a layout: an authority, its issuer and its places.
type Row struct {
	Role   Role
	Tier   Tier
	Issuer Role   // empty: self-signed
	Name   string // in the common name: PRODUCT-NAME@TIME
	Path   string // on the server, without ending: tls/etcd/peer-ca; empty: never there
	Safe   string // in the offline part, without ending; empty: not kept there
}

// Layout is the table of one distribution in one topology. Issuers stand before
// what they issue.
type Layout struct {
	Distro      Distro
	Product     string // prefix of common names
	Rows        []Row
	ServicePath string // full path of the ServiceAccount key file; empty: it is not part of the run

	// Names are the DNS names and IP addresses that the leaf certificates under
	// each role carry on every node: what a name-constrained issuer must allow.
	Names map[Role][]string
}

// Row returns the row of a role.
func (l Layout) Row(role Role) (Row, bool) {
	for _, row := range l.Rows {
		if row.Role == role {
			return row, true
		}
	}
	return Row{}, false
}
