package lint

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"testing"
	"time"

	"rootkiln/pki"
)

// domains are the leaf CAs of k3s and what their leaves are used for. An etcd
// member is server and client of its peers, and k3s itself is a client of etcd
// by a certificate of the etcd-server CA.
var domains = []struct {
	role     pki.Role
	purposes []Purpose
}{
	{pki.ServerCA, []Purpose{Server}},
	{pki.ClientCA, []Purpose{Client}},
	{pki.RequestHeaderCA, []Purpose{Client}},
	{pki.EtcdPeerCA, []Purpose{Server, Client}},
	{pki.EtcdServerCA, []Purpose{Server, Client}},
}

// TestChains asks every judge about a leaf below each leaf CA of each bundle.
// A leaf of two purposes is asked for one of them in each bundle, in turn.
func TestChains(t *testing.T) {
	leaf := ecKey(t, elliptic.P256())
	var chains []Chain
	for turn, p := range issuedPlans(t) {
		chains = append(chains, p.chains(t, leaf, turn)...)
	}
	for name, verdicts := range judge(t, chains) {
		for i, verdict := range verdicts {
			if !verdict.Accepts {
				t.Errorf("%s: %s %v", chains[i].Name, name, verdict)
			}
		}
	}
}

// TestNameConstraints is why name constraints are opt-in: what they allow is
// refused by a judge that does not know them.
func TestNameConstraints(t *testing.T) {
	leaf := ecKey(t, elliptic.P256())
	var chains []Chain
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		p, err := issuePlan(pki.Plan{
			Topology:        topology,
			NameConstraints: &pki.NameConstraints{PermittedDNS: []string{"example.org"}, PermittedIP: []string{"192.0.2.0/24"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		chains = append(chains, p.chains(t, leaf, 0)[0]) // of the server CA
	}
	for name, verdicts := range judge(t, chains) {
		for i, verdict := range verdicts {
			if want := name != mbedTLS; verdict.Accepts != want {
				t.Errorf("%s: %s %v; expected to be accepted: %t", chains[i].Name, name, verdict, want)
			}
		}
	}
}

// chains issues a leaf below each leaf CA; turn chooses among its purposes.
func (p issuedPlan) chains(t *testing.T, leaf crypto.Signer, turn int) []Chain {
	t.Helper()
	var chains []Chain
	for _, domain := range domains {
		ca, err := p.leafCA(domain.role)
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		der := issueLeaf(t, ca.Leaf, ca.PrivateKey.(crypto.Signer), leaf, domain.purposes)
		purpose := domain.purposes[turn%len(domain.purposes)]
		chain := Chain{Name: fmt.Sprintf("%s %s as a %s", p.name, domain.role, purpose), Purpose: purpose}
		if purpose == Server {
			chain.Hostname = "kubernetes.default"
		}
		chains = append(chains, lay(t, chain, append([][]byte{der}, ca.Certificate...)))
	}
	return chains
}

func issueLeaf(t *testing.T, issuer *x509.Certificate, issuerKey, key crypto.Signer, purposes []Purpose) []byte {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "kube-apiserver"},
		NotBefore:             now.Add(-time.Minute),
		NotAfter:              now.AddDate(1, 0, 0),
		BasicConstraintsValid: true,
		SubjectKeyId:          keyID(key),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		DNSNames:              []string{"kubernetes", "kubernetes.default"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	for _, purpose := range purposes {
		template.ExtKeyUsage = append(template.ExtKeyUsage, extKeyUsages[purpose])
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
