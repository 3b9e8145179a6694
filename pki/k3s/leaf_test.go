package k3s_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// The leaf certificates that a server and an agent make: file, signer, CN, O and
// usage (k3s pkg/daemons/control/deps/deps.go, state of August 2026).
func TestLeaves(t *testing.T) {
	const table = `
client-admin                 client-ca          system:admin                    system:masters  client
client-supervisor            client-ca          system:PRODUCT-supervisor       system:masters  client
client-controller            client-ca          system:kube-controller-manager  -               client
client-scheduler             client-ca          system:kube-scheduler           -               client
client-kube-apiserver        client-ca          system:apiserver                system:masters  client
client-kube-proxy            client-ca          system:kube-proxy               -               client
client-PRODUCT-controller    client-ca          system:PRODUCT-controller       -               client
client-PRODUCT-cloud-controller client-ca       PRODUCT-cloud-controller-manager -              client
agent/client-kubelet         client-ca          system:node:node                system:nodes    client
serving-kube-apiserver       server-ca          kube-apiserver                  -               server
dynamic-cert                 server-ca          PRODUCT                         PRODUCT         server
kube-scheduler/kube-scheduler server-ca         kube-scheduler                  -               server
kube-controller-manager/kube-controller-manager server-ca kube-controller-manager -             server
agent/serving-kubelet        server-ca          node                            -               server
client-auth-proxy            request-header-ca  system:auth-proxy               -               client
etcd/client                  etcd-server-ca     etcd-client                     -               client
etcd/server-client           etcd-server-ca     etcd-server                     -               server+client
etcd/peer-server-client      etcd-peer-ca       etcd-peer                       -               server+client`
	usages := map[string]string{fmt.Sprint([]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}): "client",
		fmt.Sprint([]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}):                             "server",
		fmt.Sprint([]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}): "server+client"}
	for _, distro := range []pki.Distro{pki.K3s, pki.RKE2} {
		product, _ := k3s.ProductOf(distro)
		var got, want []string
		for _, leaf := range k3s.Leaves(product) {
			organization := leaf.Organization
			if organization == "" {
				organization = "-"
			}
			got = append(got, strings.Join([]string{leaf.File, string(leaf.Signer), leaf.CommonName, organization, usages[fmt.Sprint(leaf.Usage)]}, " "))
			if serves := strings.Contains(usages[fmt.Sprint(leaf.Usage)], "server"); serves != (len(leaf.Names) > 0) {
				t.Errorf("%s: names %s", leaf.File, leaf.Names)
			}
		}
		for _, line := range strings.Split(strings.TrimSpace(strings.ReplaceAll(table, "PRODUCT", product.Prefix)), "\n") {
			want = append(want, strings.Join(strings.Fields(line), " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", distro, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// leafUnder signs a leaf of the table as a server would.
func leafUnder(t *testing.T, leaf k3s.Leaf, signer *pki.Authority) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: leaf.CommonName}, ExtKeyUsage: leaf.Usage,
		NotBefore: signer.Certificate.NotBefore, NotAfter: now.Add(365 * 24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	for _, name := range leaf.Names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.Certificate, &key.PublicKey, signer.Key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// trust reads a CA file as Go components do (every certificate an anchor), or as
// OpenSSL and Java do (only what signs itself).
func trust(t *testing.T, file []byte, everyOne bool) x509.VerifyOptions {
	t.Helper()
	certs, _, err := pki.ParseCertificates("", file)
	if err != nil {
		t.Fatal(err)
	}
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range certs {
		if everyOne || pki.SelfSigned(c) {
			o.Roots.AddCert(c)
		} else {
			o.Intermediates.AddCert(c)
		}
	}
	return o
}

// Every leaf that k3s will make verifies under every bundle that we make, in
// both ways to trust a CA file, for every name in it.
func TestEveryLeafVerifies(t *testing.T) {
	constraints := &pki.NameConstraints{PermittedDNS: []string{"example.org"}, PermittedIP: []string{"192.0.2.0/24"}}
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		for _, profile := range []pki.Profile{pki.Strict, pki.Upstream} {
			for _, limits := range []*pki.NameConstraints{nil, constraints} {
				issued := cluster(t, func(p *pki.Plan) { p.Topology, p.Profile, p.NameConstraints = topology, profile, limits }, pki.Given{})
				product, _ := k3s.ProductOf(pki.K3s)
				for _, leaf := range k3s.Leaves(product) {
					signer := issued.Authorities[leaf.Signer]
					c := leafUnder(t, leaf, signer)
					row, _ := issued.Layout.Row(leaf.Signer)
					for _, everyOne := range []bool{true, false} {
						options := trust(t, issued.Server.File(row.Path+".crt").Data, everyOne)
						for _, name := range append([]string{""}, leaf.Names...) {
							if options.DNSName = name; net.ParseIP(name) != nil {
								options.DNSName = "[" + name + "]"
							}
							if _, err := c.Verify(options); err != nil {
								t.Errorf("%s/%s, constraints %v, every anchor %v: %s for %q: %v", topology, profile, limits != nil, everyOne, leaf.File, name, err)
							}
						}
					}
				}
			}
		}
	}
}

// Every CA file is a trust file. In the shared topology, a certificate of any CA
// with its chain is accepted everywhere; in the isolated one, nowhere else.
func TestDomainsOfTrust(t *testing.T) {
	for topology, open := range map[pki.Topology]bool{pki.Isolated: false, pki.Shared: true} {
		issued := cluster(t, func(p *pki.Plan) { p.Topology = topology }, pki.Given{})
		for _, signer := range k3s.AuthorityPaths() {
			a := issued.Authorities[signer.Role]
			c := leafUnder(t, k3s.Leaf{CommonName: "system:kube-proxy", Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, a)
			for _, door := range k3s.AuthorityPaths() {
				options := trust(t, issued.Server.File(door.Path+".crt").Data, true)
				for _, above := range a.Chain() { // the client sends its chain
					options.Intermediates.AddCert(above)
				}
				_, err := c.Verify(options)
				if want := open || signer.Role == door.Role; (err == nil) != want {
					t.Errorf("%s: a certificate of %s opens %s: %v", topology, signer.Role, door.Role, err == nil)
				}
			}
		}
	}
}
