package whole

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// domains tell which root each certificate that k3s makes belongs below.
var domains = []struct {
	ca     string // file
	root   string // offline part, isolated topology
	leaves []string
	agent  []string // leaves of the agent's part, which k3s makes with the agent off as well
}{
	{"server-ca", "root-ca", []string{"serving-kube-apiserver"}, []string{"serving-kubelet"}},
	{"client-ca", "client-root", []string{
		"client-admin", "client-supervisor", "client-kube-apiserver", "client-controller", "client-scheduler",
		"client-kube-proxy", "client-k3s-controller", "client-k3s-cloud-controller",
	}, []string{"client-kubelet", "client-kube-proxy", "client-k3s-controller"}},
	{"request-header-ca", "request-header-root", []string{"client-auth-proxy"}, nil},
	{"etcd/peer-ca", "etcd-peer-root", []string{"etcd/peer-server-client"}, nil},
	{"etcd/server-ca", "etcd-server-root", []string{"etcd/client", "etcd/server-client"}, nil},
}

// leavesVerify wants every certificate of k3s to verify up to its domain's root
// for a strict OpenSSL, and to be signed by the present CA.
func leavesVerify(t *testing.T, c *cluster) {
	for _, domain := range domains {
		authority, err := testbed.ReadChain(c.tls(domain.ca + ".crt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range domain.leaves {
			chain, err := testbed.ReadChain(c.tls(leaf + ".crt"))
			if err != nil {
				t.Fatal(err)
			}
			if err := chain[0].CheckSignatureFrom(authority[0]); err != nil {
				t.Errorf("%s is not of the present %s: %v", leaf, domain.ca, err)
			}
			if err := c.strict(c.anchor(domain.root), c.tls(leaf+".crt"), c.tls(leaf+".crt")); err != nil {
				t.Errorf("%s: %v", leaf, err)
			}
		}
	}
}

// anchor is the root of a trust domain; in the shared topology all are one.
func (c *cluster) anchor(root string) string {
	if c.topology == shared || root == "root-ca" {
		return c.rootFile
	}
	return filepath.Join(c.bundle.Offline, root+".crt")
}

// strict verifies a certificate as OpenSSL does when told to mind RFC 5280.
func (c *cluster) strict(anchor, untrusted, certificate string) error {
	_, err := c.run("openssl", "verify", "-x509_strict", "-CAfile", anchor, "-no-CApath", "-no-CAstore",
		"-untrusted", untrusted, certificate)
	return err
}

// clientRequest lets the controller-manager sign for a user, who logs in with
// the certificate alone: a signer returns no chain.
func clientRequest(t *testing.T, c *cluster) {
	pair := c.user(t, "bob")
	for _, server := range []string{supervisor, apiserver} {
		expectUser(t, "bob at "+server, testbed.Client{Root: c.root, Certificate: &pair}, server,
			testbed.User{Name: "bob", Groups: []string{"devs"}})
	}
}

// user is a certificate for somebody without rights.
func (c *cluster) user(t *testing.T, name string) tls.Certificate {
	t.Helper()
	return c.request(t, name, "kubernetes.io/kube-apiserver-client", "client auth", &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: name, Organization: []string{"devs"}},
	})
}

// kubeletRequest lets the controller-manager sign for a kubelet's port, which
// the kube-apiserver verifies by server-ca.crt.
func kubeletRequest(t *testing.T, c *cluster) {
	pair := c.request(t, "kubelet", "kubernetes.io/kubelet-serving", "server auth", &x509.CertificateRequest{
		Subject:  pkix.Name{CommonName: "system:node:node1", Organization: []string{"system:nodes"}},
		DNSNames: []string{"node1"}, IPAddresses: []net.IP{net.ParseIP(testbed.Address)},
	}, "--as", "system:node:node1", "--as-group", "system:nodes", "--as-group", "system:authenticated")
	file := filepath.Join(t.TempDir(), "kubelet")
	testbed.WritePair(t, file, pair)
	if err := c.strict(c.rootFile, c.tls("server-ca.crt"), file+".crt"); err != nil {
		t.Error(err)
	}
}

// request sends a certificate request, approves it and returns what comes back.
func (c *cluster) request(t *testing.T, name, signer, usage string, template *x509.CertificateRequest, as ...string) tls.Certificate {
	t.Helper()
	key := testbed.ECKey(t, elliptic.P256())
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	c.requests++
	name = fmt.Sprintf("%s-%d", name, c.requests)
	object, err := json.Marshal(map[string]any{
		"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"signerName": signer, "usages": []string{"digital signature", usage},
			"request": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := testbed.Write(t, filepath.Join(t.TempDir(), name+".json"), object)
	c.kubectl(t, append([]string{"create", "-f", file}, as...)...)
	c.kubectl(t, "certificate", "approve", name)
	var answer struct {
		Status struct{ Certificate []byte }
	}
	c.eventually(t, "signature for "+name, func() error {
		err := c.tryGet(t, "/apis/certificates.k8s.io/v1/certificatesigningrequests/"+name, &answer)
		if err == nil && len(answer.Status.Certificate) == 0 {
			err = errors.New("not signed")
		}
		return err
	})
	chain, err := testbed.DecodeChain(answer.Status.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, certificate := range chain {
		pair.Certificate = append(pair.Certificate, certificate.Raw)
	}
	return pair
}

// serviceAccount is whom a pod of the default namespace logs in as.
var serviceAccount = testbed.User{
	Name:   "system:serviceaccount:default:default",
	Groups: []string{"system:serviceaccounts", "system:serviceaccounts:default"},
}

func serviceAccountToken(t *testing.T, c *cluster) {
	token := c.issueToken(t)
	for _, server := range []string{supervisor, apiserver} {
		expectUser(t, "the ServiceAccount at "+server, c.bearing(token), server, serviceAccount)
	}
}

// issueToken waits for the ServiceAccount, which a controller makes.
func (c *cluster) issueToken(t testing.TB) string {
	t.Helper()
	c.eventually(t, "ServiceAccount", func() error {
		return c.tryGet(t, "/api/v1/namespaces/default/serviceaccounts/default", new(any))
	})
	return strings.TrimSpace(c.kubectl(t, "create", "token", "default", "--duration", "2h"))
}

// publishedKeys compares the keys by which the API says that its tokens can be
// verified with those of service.key.
func publishedKeys(t *testing.T, c *cluster) {
	var set struct{ Keys []struct{ N string } }
	c.get(t, "/openid/v1/jwks", &set)
	var got, want []string
	for _, key := range set.Keys {
		got = append(got, key.N)
	}
	for rest := read(t, c.bundle.TLS("service.key")); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, modulus(&key.PublicKey))
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("the API publishes %d keys, service.key holds %d", len(got), len(want))
	}
}

// modulus is the member n of RFC 7518 section 6.3.1.1.
func modulus(key *rsa.PublicKey) string { return base64.RawURLEncoding.EncodeToString(key.N.Bytes()) }

// publishedCAs are the files in the API from which pods and aggregated API
// servers take their trust. Kubernetes only ever adds to the second map, so
// that old CAs stay there.
func publishedCAs(t *testing.T, c *cluster) {
	var object struct{ Data map[string]string }
	c.eventually(t, "kube-root-ca.crt", func() error {
		if err := c.tryGet(t, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt", &object); err != nil {
			return err
		}
		return different("kube-root-ca.crt", []byte(object.Data["ca.crt"]), read(t, c.bundle.TLS("server-ca.crt")))
	})
	for key, file := range map[string]string{
		"client-ca-file": "client-ca.crt", "requestheader-client-ca-file": "request-header-ca.crt",
	} {
		want, err := testbed.ReadChain(c.bundle.TLS(file))
		if err != nil {
			t.Fatal(err)
		}
		c.eventually(t, key, func() error {
			if err := c.tryGet(t, "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication", &object); err != nil {
				return err
			}
			published, err := testbed.DecodeChain([]byte(object.Data[key]))
			if err != nil {
				return err
			}
			for _, certificate := range want {
				if !slices.ContainsFunc(published, certificate.Equal) {
					return fmt.Errorf("%s is missing", certificate.Subject)
				}
			}
			if extra := len(published) - len(want); extra != c.leftOver {
				return fmt.Errorf("%d certificates more than %s holds, want %d", extra, file, c.leftOver)
			}
			return nil
		})
	}
}
