package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// signed is a certificate with its key and the chain behind it.
type signed struct {
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	chain []byte
}

// nodeMaker writes what a server or kubeadm makes out of its CAs.
type nodeMaker struct {
	ts    *testscript.TestScript
	start time.Time
}

// scriptNode makes the directory of a node that has run.
func scriptNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: node k3s|rke2 BUNDLE DIR START [SERVING-START] | node kubeadm - DIR START")
	}
	start, err := time.Parse(time.DateOnly, args[3])
	ts.Check(err)
	m := nodeMaker{ts, start}
	if args[0] == "kubeadm" {
		m.kubeadm(ts.MkAbs(args[2]))
		return
	}
	serving := start
	if len(args) > 4 {
		serving, err = time.Parse(time.DateOnly, args[4])
		ts.Check(err)
	}
	m.server(pki.Distro(args[0]), ts.MkAbs(args[1]), ts.MkAbs(args[2]), serving)
}

func (m nodeMaker) write(file string, data []byte, at time.Time) {
	m.ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	m.ts.Check(os.WriteFile(file, data, 0o600))
	m.ts.Check(os.Chtimes(file, at, at))
}

// sign makes a certificate as dynamiclistener does: P-256, a year, not before
// its CA, the whole CA file behind it.
func (m nodeMaker) sign(by *signed, cn, org string, names []string, usage []x509.ExtKeyUsage, start time.Time) signed {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	m.ts.Check(err)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: cn}, NotBefore: start, NotAfter: start.AddDate(0, 0, 365),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: usage,
	}
	if org != "" {
		t.Subject.Organization = []string{org}
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	issuer, signer := t, key
	if by == nil {
		t.IsCA, t.BasicConstraintsValid, t.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
		t.NotAfter = start.AddDate(0, 0, 3650)
	} else {
		issuer, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, issuer, key.Public(), signer)
	m.ts.Check(err)
	cert, err := x509.ParseCertificate(der)
	m.ts.Check(err)
	out := signed{cert: cert, key: key, chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	if by != nil {
		out.chain = append(out.chain, by.chain...)
	}
	return out
}

func (m nodeMaker) keyPEM(s signed) []byte {
	der, err := x509.MarshalECPrivateKey(s.key)
	m.ts.Check(err)
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
}

// authority reads a CA of a bundle.
func (m nodeMaker) authority(base string) signed {
	chain, err := os.ReadFile(base + ".crt")
	m.ts.Check(err)
	certs, _, err := pki.ParseCertificates(base, chain)
	m.ts.Check(err)
	data, err := os.ReadFile(base + ".key")
	m.ts.Check(err)
	block, _ := pem.Decode(data)
	key, err := x509.ParseECPrivateKey(block.Bytes)
	m.ts.Check(err)
	return signed{certs[0], key, chain}
}

// server makes DIR/server and DIR/agent out of a bundle: what a start at m.start
// leaves, with a dynamic-cert.json of another start if wanted.
func (m nodeMaker) server(distro pki.Distro, bundle, dir string, serving time.Time) {
	product, _ := k3s.ProductOf(distro)
	tls := filepath.Join(dir, "server", "tls")
	m.ts.Check(filepath.Walk(filepath.Join(bundle, "tls"), func(p string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		m.ts.Check(err)
		rel, err := filepath.Rel(filepath.Join(bundle, "tls"), p)
		m.ts.Check(err)
		m.write(filepath.Join(tls, rel), data, info.ModTime())
		return nil
	}))
	cas := map[pki.Role]signed{}
	for _, row := range k3s.AuthorityPaths() {
		cas[row.Role] = m.authority(filepath.Join(dir, "server", filepath.FromSlash(row.Path)))
	}
	for _, leaf := range k3s.Leaves(product) {
		by := cas[leaf.Signer]
		file := filepath.Join(tls, leaf.File)
		if rest, agent := strings.CutPrefix(leaf.File, "agent/"); agent {
			file = filepath.Join(dir, "agent", rest)
		}
		if leaf.File == "dynamic-cert" {
			m.write(file+".json", m.dynamicCert(m.sign(&by, leaf.CommonName, leaf.Organization, leaf.Names, leaf.Usage, serving)), serving)
			continue
		}
		s := m.sign(&by, leaf.CommonName, leaf.Organization, leaf.Names, leaf.Usage, m.start)
		m.write(file+".crt", s.chain, m.start)
		m.write(file+".key", m.keyPEM(s), m.start)
		if leaf.File == "client-admin" {
			m.write(filepath.Join(dir, "etc", "rancher", string(distro), string(distro)+".yaml"), m.kubeconfig(s, cas[pki.ServerCA].chain), m.start)
		}
	}
	for _, name := range []string{"client-ca", "server-ca"} {
		ca := cas[pki.Role(name)]
		m.write(filepath.Join(tls, name+".nochain.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}), m.start)
		m.write(filepath.Join(dir, "agent", name+".crt"), ca.chain, m.start)
	}
	m.write(filepath.Join(dir, "server", "cred", "admin.kubeconfig"), fmt.Appendf(nil, "apiVersion: v1\nkind: Config\nclusters:\n- name: local\n  cluster:\n    server: https://127.0.0.1:6444\n    certificate-authority: %[1]s/server-ca.crt\nusers:\n- name: user\n  user:\n    client-certificate: %[1]s/client-admin.crt\n    client-key: %[1]s/client-admin.key\n", product.TLSDir()), m.start)
	token, err := k3s.ComputeToken(cas[pki.ServerCA].chain, m.start)
	m.ts.Check(err)
	m.write(filepath.Join(dir, "server", "token"), []byte(token.String()+"server:Zebra-Geheimnis\n"), m.start)
}

// dynamicCert is the file of dynamiclistener's storage/file: a Secret without
// kind, written by encoding/json.
func (m nodeMaker) dynamicCert(s signed) []byte {
	annotations := map[string]string{"listener.cattle.io/fingerprint": fmt.Sprintf("SHA1=%X", sha1.Sum(s.cert.Raw))}
	for _, name := range s.cert.DNSNames {
		annotations["listener.cattle.io/cn-"+name] = name
	}
	data, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"name": "k3s-serving", "namespace": "kube-system", "creationTimestamp": nil, "annotations": annotations},
		"data":     map[string][]byte{"tls.crt": s.chain, "tls.key": m.keyPEM(s)}, "type": "kubernetes.io/tls",
	})
	m.ts.Check(err)
	return append(data, '\n')
}

func (m nodeMaker) kubeconfig(s signed, ca []byte) []byte {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority-data: %s\n    server: https://127.0.0.1:6443\n  name: default\nusers:\n- name: default\n  user:\n    client-certificate-data: %s\n    client-key-data: %s\n", b64(ca), b64(s.chain), b64(m.keyPEM(s)))
}

// kubeadm makes /etc/kubernetes with all that `kubeadm certs check-expiration`
// lists; the front-proxy CA has no key there, as in external CA mode.
func (m nodeMaker) kubeadm(dir string) {
	cas := map[string]signed{}
	for _, ca := range []string{"ca", "etcd/ca", "front-proxy-ca"} {
		s := m.sign(nil, strings.TrimSuffix(strings.ReplaceAll(ca, "/", "-"), "-")+"-test", "", nil, nil, m.start)
		cas[ca] = s
		m.write(filepath.Join(dir, "pki", ca+".crt"), s.chain, m.start)
		if ca != "front-proxy-ca" {
			m.write(filepath.Join(dir, "pki", ca+".key"), m.keyPEM(s), m.start)
		}
	}
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for file, ca := range map[string]string{
		"apiserver": "ca", "apiserver-kubelet-client": "ca", "front-proxy-client": "front-proxy-ca", "apiserver-etcd-client": "etcd/ca",
		"etcd/server": "etcd/ca", "etcd/peer": "etcd/ca", "etcd/healthcheck-client": "etcd/ca",
	} {
		by := cas[ca]
		s := m.sign(&by, file, "", nil, client, m.start)
		leaf, _, _ := bytes.Cut(s.chain, []byte("\n-----BEGIN"))
		m.write(filepath.Join(dir, "pki", file+".crt"), append(bytes.TrimSpace(leaf), '\n'), m.start)
	}
	by := cas["ca"]
	for _, conf := range []string{"admin", "controller-manager", "scheduler"} {
		s := m.sign(&by, conf, "", nil, client, m.start)
		s.chain = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw})
		m.write(filepath.Join(dir, conf+".conf"), m.kubeconfig(s, by.chain), m.start)
	}
	kubelet := m.sign(&by, "system:node:n1", "system:nodes", nil, client, m.start)
	pem1 := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: kubelet.cert.Raw}), m.keyPEM(kubelet)...)
	m.write(filepath.Join(dir, "kubelet", "pki", "kubelet-client-2026-05-04-00-00-00.pem"), pem1, m.start)
	old := nodeMaker{m.ts, m.start.AddDate(0, 0, -300)}
	was := old.sign(&by, "system:node:n1", "system:nodes", nil, client, old.start)
	old.write(filepath.Join(dir, "kubelet", "pki", "kubelet-client-2025-07-08-00-00-00.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: was.cert.Raw}), old.start)
	m.ts.Check(os.Symlink("kubelet-client-2026-05-04-00-00-00.pem", filepath.Join(dir, "kubelet", "pki", "kubelet-client-current.pem")))
	m.write(filepath.Join(dir, "kubelet.conf"), []byte("apiVersion: v1\nkind: Config\nclusters:\n- name: k\n  cluster:\n    certificate-authority-data: "+base64.StdEncoding.EncodeToString(by.chain)+"\nusers:\n- name: u\n  user:\n    client-certificate: kubelet/pki/kubelet-client-current.pem\n    client-key: kubelet/pki/kubelet-client-current.pem\n"), m.start)
}
