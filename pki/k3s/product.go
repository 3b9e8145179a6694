package k3s

import "rootkiln/pki"

// Product is what differs between the distributions.
type Product struct {
	Distro  pki.Distro
	Command string // the program on the server
	Prefix  string // of common names and of some leaf files
	DataDir string
	Port    int // supervisor: joins, /cacerts, rotate-ca
}

// products: k3s pkg/version (Program), rke2 pkg/rke2; RKE2's supervisor listens
// apart from the API server.
var products = map[pki.Distro]Product{
	pki.K3s:  {Distro: pki.K3s, Command: "k3s", Prefix: "k3s", DataDir: "/var/lib/rancher/k3s", Port: 6443},
	pki.RKE2: {Distro: pki.RKE2, Command: "rke2", Prefix: "rke2", DataDir: "/var/lib/rancher/rke2", Port: 9345},
}

// ProductOf returns the product of a distribution.
func ProductOf(d pki.Distro) (Product, bool) {
	p, ok := products[d]
	return p, ok
}

// TLSDir is the directory of the certificate authorities on a server.
func (p Product) TLSDir() string { return p.DataDir + "/server/tls" }

// ServerDir is what an archive is unpacked into: its members begin with tls/.
func (p Product) ServerDir() string { return p.DataDir + "/server" }
