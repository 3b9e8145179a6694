package upstream

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// request is what somebody asks the controller-manager to sign.
type request struct {
	signer  string // below kubernetes.io/
	subject pkix.Name
	usage   string
	names   []string
}

var (
	forUser    = request{"kube-apiserver-client", pkix.Name{CommonName: "bob", Organization: []string{"dev"}}, "client auth", nil}
	forKubelet = request{"kubelet-serving", pkix.Name{CommonName: "system:node:node1", Organization: []string{"system:nodes"}}, "server auth", []string{"node1"}}
)

// signer is the controller that signs.
const signer = "certificatesigningrequest-signing-controller"

// testSignerChain shows why k3s derives the *.nochain.crt: a CA file as it is
// stops the controller-manager.
func (p *plane) testSignerChain(t *testing.T) {
	p.controllers.Stop(t)
	p.launchControllers(t, signer, "--cluster-signing-kube-apiserver-client-cert-file="+p.bundle.TLS("client-ca.crt"))
	chain, err := testbed.ReadChain(p.bundle.TLS("client-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	err = p.controllers.TryAwait(30*time.Second, func() error { return errors.New("it runs") })
	if ended, _ := p.controllers.Exited(); !ended {
		t.Errorf("with the whole of client-ca.crt for its signer: %v", err)
	}
	if want := fmt.Sprintf("expected 1 certificate, found %d", len(chain)); !strings.Contains(p.controllers.Tail(8), want) {
		t.Errorf("it does not say %q:\n%s", want, p.controllers.Tail(8))
	}
	p.startControllers(t)
}

// testSigning lets the controller-manager hand out the trust of the cluster,
// and sign for a user and for a kubelet.
func (p *plane) testSigning(t *testing.T) {
	within(t, 30*time.Second, "kube-root-ca.crt", func() error {
		var config struct{ Data map[string]string }
		if err := p.get(t, "/api/v1/namespaces/default/configmaps/kube-root-ca.crt", &config); err != nil {
			return err
		}
		want, err := os.ReadFile(p.bundle.TLS("server-ca.crt"))
		if err == nil && config.Data["ca.crt"] != string(want) {
			err = errors.New("is not server-ca.crt")
		}
		return err
	})
	user, err := p.certify(t, forUser, p.admin(t))
	if err != nil {
		t.Fatal(err)
	}
	if who, err := p.as(t, user).WhoAmI(p.url("")); who.Name != "bob" {
		t.Errorf("the issued certificate alone is %q: %v", who.Name, err)
	}
	serving, err := p.certify(t, forKubelet, p.as(t, p.leaf(t, "client-kubelet")))
	if err != nil {
		t.Fatal(err)
	}
	file := testbed.Write(t, p.file("kubelet-serving.crt"), testbed.EncodeChain(serving.Leaf))
	if out, err := testbed.Run(p.dir, nil, "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "node1",
		"-trusted", p.rootFile(t, "server-ca"), "-untrusted", p.bundle.TLS("server-ca.crt"), file); err != nil {
		t.Errorf("kubelet-serving: %v\n%s", err, out)
	}
}

const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests"

// certify sends a request as one user, approves it as admin, and waits for the
// certificate.
func (p *plane) certify(t *testing.T, r request, requester testbed.Client) (*tls.Certificate, error) {
	t.Helper()
	key := testbed.ECKey(t, elliptic.P256())
	name := fmt.Sprintf("e2e-%d", time.Now().UnixNano())
	if err := p.send(requester, http.MethodPost, requests, r.object(t, name, key), nil); err != nil {
		return nil, err
	}
	var made map[string]any
	if err := p.get(t, requests+"/"+name, &made); err != nil {
		return nil, err
	}
	made["status"] = map[string]any{"conditions": []map[string]any{{"type": "Approved", "status": "True", "reason": "Test", "message": "test"}}}
	if err := p.send(p.admin(t), http.MethodPut, requests+"/"+name+"/approval", made, nil); err != nil {
		return nil, err
	}
	var signed struct {
		Status struct{ Certificate []byte }
	}
	err := p.controllers.TryAwait(40*time.Second, func() error {
		err := p.get(t, requests+"/"+name, &signed)
		if err == nil && len(signed.Status.Certificate) == 0 {
			err = errors.New("not signed")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kubernetes.io/%s: %w", r.signer, err)
	}
	chain, err := testbed.DecodeChain(signed.Status.Certificate)
	if err == nil && len(chain) != 1 {
		err = fmt.Errorf("kubernetes.io/%s: %d certificates in the answer", r.signer, len(chain))
	}
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Leaf: chain[0], Certificate: [][]byte{chain[0].Raw}, PrivateKey: key}, nil
}

// object is the request as the API takes it.
func (r request) object(t *testing.T, name string, key crypto.Signer) map[string]any {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: r.subject, DNSNames: r.names}, key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"signerName": "kubernetes.io/" + r.signer, "usages": []string{"digital signature", r.usage},
			"request": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}),
		},
	}
}

// get reads an object as admin.
func (p *plane) get(t testing.TB, path string, into any) error {
	answer, err := p.admin(t).Get(p.url(path))
	if err != nil {
		return err
	}
	return json.Unmarshal(answer.Body, into)
}

// send writes an object, and reads the answer into one if there is one.
func (p *plane) send(client testbed.Client, method, path string, object, into any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	answer, err := client.Do(method, p.url(path), string(body))
	if err != nil {
		return err
	}
	if answer.Status/100 != 2 {
		return fmt.Errorf("%s %s: status %d: %.300s", method, path, answer.Status, answer.Body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer.Body, into)
}
