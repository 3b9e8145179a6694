package k3s_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// The default is the row of k3s's own administrator.
func TestDefaultAdmin(t *testing.T) {
	product, _ := k3s.ProductOf(pki.K3s)
	for _, leaf := range k3s.Leaves(product) {
		if leaf.File == "client-admin" {
			if want := k3s.DefaultAdmin; leaf.CommonName != want.User || !slices.Equal([]string{leaf.Organization}, want.Groups) || leaf.Signer != pki.ClientCA {
				t.Errorf("%+v", leaf)
			}
			return
		}
	}
	t.Error("no client-admin")
}

// In every topology and profile, what is made is accepted by client-ca.crt, with
// all of it for trust anchors and with the root alone, and by no sibling in the
// isolated topology.
func TestIssueAdmin(t *testing.T) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		for _, profile := range []pki.Profile{pki.Strict, pki.Upstream} {
			issued := cluster(t, func(p *pki.Plan) { p.Topology, p.Profile = topology, profile }, pki.Given{})
			want := k3s.DefaultAdmin
			want.At = pki.At(now)
			a, err := k3s.IssueAdmin(t.Context(), issued.Server, want, pki.Random{})
			if err != nil {
				t.Fatal(err)
			}
			ca := issued.Authorities[pki.ClientCA].Certificate
			c := a.Certificate
			if c.IsCA || c.BasicConstraintsValid || len(c.DNSNames)+len(c.IPAddresses) > 0 || !bytes.Equal(c.AuthorityKeyId, ca.SubjectKeyId) ||
				c.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment || len(c.SerialNumber.Bytes()) != 16 ||
				!slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) || c.NotBefore.Before(ca.NotBefore) {
				t.Errorf("%s/%s: %+v", topology, profile, c)
			}
			if rest := a.Chain[len(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})):]; !bytes.Equal(rest, issued.Server.File("tls/client-ca.crt").Data) {
				t.Errorf("%s/%s: not followed by client-ca.crt", topology, profile)
			}
			if !bytes.Equal(a.ServerCA, issued.Server.File("tls/server-ca.crt").Data) {
				t.Errorf("%s/%s: another trust anchor", topology, profile)
			}
			for _, row := range k3s.AuthorityPaths() {
				roots := x509.NewCertPool()
				roots.AppendCertsFromPEM(issued.Server.File(row.Path + ".crt").Data)
				between := x509.NewCertPool()
				between.AppendCertsFromPEM(a.Chain)
				_, err := c.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: c.ExtKeyUsage})
				if trusted := topology == pki.Shared || row.Role == pki.ClientCA; (err == nil) != trusted {
					t.Errorf("%s/%s: %s: %v", topology, profile, row.Path, err)
				}
			}
		}
	}
}

// A CA that clients would not accept signs nothing: what is handed out works.
func TestIssueAdminRefuses(t *testing.T) {
	server := newCA(t, "server-ca", nil)
	bundle := func(ca *ca) (b pki.Bundle) {
		key, err := pki.SoftwareKey(ca.key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := key.PEM()
		if err != nil {
			t.Fatal(err)
		}
		b.Add("tls/client-ca.crt", pki.KindChain, file(ca))
		b.Add("tls/client-ca.key", pki.KindKey, text)
		b.Add("tls/server-ca.crt", pki.KindChain, file(server))
		return b
	}
	good := newCA(t, "client-ca", nil)
	want := k3s.AdminRequest{User: "alice", At: pki.At(now), Life: "1h"}
	if _, err := k3s.IssueAdmin(t.Context(), bundle(good), want, pki.Random{}); err != nil {
		t.Fatal(err)
	}
	narrow := newCA(t, "client-ca", nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	if _, err := k3s.IssueAdmin(t.Context(), bundle(narrow), want, pki.Random{}); code(err) != "probe-go" {
		t.Errorf("a CA for servers: %v", err)
	}
	noCA := newCA(t, "client-ca", nil, func(c *x509.Certificate) { c.IsCA = false })
	if _, err := k3s.IssueAdmin(t.Context(), bundle(noCA), want, pki.Random{}); code(err) != "probe-go" {
		t.Errorf("no CA: %v", err)
	}
	for name, r := range map[string]k3s.AdminRequest{
		"plan-text":     {User: "a\nb", At: want.At, Life: "1h"},
		"plan-lifetime": {User: "a", At: want.At, Life: "never"},
	} {
		if _, err := k3s.IssueAdmin(t.Context(), bundle(good), r, pki.Random{}); code(err) != pki.Code(name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k3s.IssueAdmin(ctx, bundle(good), want, pki.Random{}); err == nil {
		t.Error("a run that was ended went on")
	}
}

func TestKubeconfigServer(t *testing.T) {
	for server, good := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://[::1]:6443": true, "https://api.example.com/k8s/clusters/c-1": true,
		"": false, "10.0.0.1:6443": false, "http://a": false, "https://": false, "https://user:pass@a": false, "https://a?b": false, "https://a b": false, "https://a\n": false,
	} {
		config, err := k3s.Admin{}.Kubeconfig(server)
		if (err == nil) != good || good && !strings.Contains(string(config), `server: "`+server+`"`) {
			t.Errorf("%q: %v", server, err)
		}
	}
}

func TestUnlimited(t *testing.T) {
	r := k3s.AdminRequest{Groups: []string{"dev", "system:masters", "k3s:server", "rke2:server", "k3s:servers"}}
	if got := r.Unlimited(); !slices.Equal(got, []string{"system:masters", "k3s:server", "rke2:server"}) {
		t.Error(got)
	}
}
