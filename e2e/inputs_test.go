package e2e

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rootkiln/e2e/testbed"
)

// inputs are what the operator brings along, files above all, and what must
// come of it.
type inputs struct {
	flags       []string           // the order's included
	issuer      *testbed.Authority // must stand above the server's CA; nil: rootkiln makes one
	serviceKeys []crypto.PublicKey // must stay in service.key
	noNewKey    bool               // and nothing before them
}

// given are the operator's own authorities: the next one first, the root last.
func (in inputs) given() []*x509.Certificate {
	if in.issuer == nil {
		return nil
	}
	return in.issuer.Chain
}

// kind is one way to come to a bundle.
type kind struct {
	name  string
	bring func(t testing.TB, order []string) inputs // order: the flags of what is ordered
}

// kinds are all of them, the start from zero first.
var kinds = []kind{
	{"nothing", nothing},
	{"own root", ownRoot},
	{"encrypted key", encryptedKey},
	{"own intermediate", ownIntermediate},
	{"corporate chain", corporateChain},
	{"signed elsewhere", signedElsewhere},
	{"old service key", oldServiceKey},
	{"same service key", sameServiceKey},
	{"everything", everything},
	{"script folder", scriptFolder},
	{"plan file", planFile},
	{"names and lifetimes", namesAndLifetimes},
	{"name constraints", nameConstraints},
}

func nothing(_ testing.TB, order []string) inputs { return inputs{flags: order} }

// ownRoot is an RSA root as old company CAs are, its key in PKCS#1.
func ownRoot(t testing.TB, order []string) inputs {
	dir := testbed.Dir(t)
	root := testbed.NewAuthority(t, "Company Root CA", companyKey(t, "root"), nil, nil)
	return inputs{
		issuer: root,
		flags: append(order,
			"--root", writeChain(t, dir, "root-ca.pem", root.Chain...),
			"--root-key", writeKey(t, dir, "root-ca.key", "RSA PRIVATE KEY", root.Key)),
	}
}

// encryptedKey is a root whose key OpenSSL has put under a passphrase.
func encryptedKey(t testing.TB, order []string) inputs {
	dir := testbed.Dir(t)
	root := testbed.NewAuthority(t, "Company Root CA", testbed.ECKey(t, elliptic.P256()), nil, nil)
	plain := writeKey(t, dir, "plain.key", "EC PRIVATE KEY", root.Key)
	passphrase := testbed.Write(t, filepath.Join(dir, "passphrase"), []byte("throwaway\n"))
	encrypted := filepath.Join(dir, "root-ca.key")
	if _, err := testbed.Run(dir, nil, "openssl", "pkcs8", "-topk8", "-in", plain, "-passout", "file:"+passphrase, "-out", encrypted); err != nil {
		t.Fatal(err)
	}
	return inputs{
		issuer: root,
		flags: append(order,
			"--root", writeChain(t, dir, "root-ca.pem", root.Chain...),
			"--root-key", encrypted, "--key-passphrase-file", passphrase),
	}
}

// ownIntermediate leaves the root's key at home; the intermediate's is SEC1.
func ownIntermediate(t testing.TB, order []string) inputs {
	dir := testbed.Dir(t)
	root := testbed.NewAuthority(t, "Company Root CA", testbed.ECKey(t, elliptic.P384()), nil, nil)
	intermediate := testbed.NewAuthority(t, "Company Cluster CA", testbed.ECKey(t, elliptic.P256()), root, nil)
	return inputs{
		issuer: intermediate,
		flags: append(order,
			"--root", writeChain(t, dir, "root-ca.pem", root.Chain...),
			"--intermediate", writeChain(t, dir, "intermediate-ca.pem", intermediate.Chain[0]),
			"--intermediate-key", writeKey(t, dir, "intermediate-ca.key", "EC PRIVATE KEY", intermediate.Key)),
	}
}

// corporateChain has a policy CA between root and issuing CA, all three
// certificates in the intermediate's file, the key in PKCS#8.
func corporateChain(t testing.TB, order []string) inputs {
	dir := testbed.Dir(t)
	root := testbed.NewAuthority(t, "Company Root CA", companyKey(t, "root"), nil, nil)
	policy := testbed.NewAuthority(t, "Company Policy CA", companyKey(t, "policy"), root, nil)
	issuing := testbed.NewAuthority(t, "Company Issuing CA", testbed.ECKey(t, elliptic.P384()), policy, nil)
	return inputs{
		issuer: issuing,
		flags: append(order,
			"--intermediate", writeChain(t, dir, "intermediate-ca.pem", issuing.Chain...),
			"--intermediate-key", writeKey(t, dir, "intermediate-ca.key", "PRIVATE KEY", issuing.Key)),
	}
}

// signedElsewhere has the company sign a request: its key never comes near.
func signedElsewhere(t testing.TB, order []string) inputs {
	dir := filepath.Join(testbed.Dir(t), "request")
	if _, err := testbed.Rootkiln(append([]string{"request", "--out", dir, "--elsewhere", "root"}, order...)...); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "intermediate.csr"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("intermediate.csr is no PEM:\n%s", text)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	root := testbed.NewAuthority(t, "Company Root CA", testbed.ECKey(t, elliptic.P384()), nil, nil)
	template := &x509.Certificate{
		Subject: request.Subject, NotBefore: root.Root().NotBefore, NotAfter: root.Root().NotAfter,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	signed := testbed.Sign(t, template, root.Root(), request.PublicKey, root.Key)
	issuer := &testbed.Authority{Chain: []*x509.Certificate{signed, root.Root()}}
	return inputs{
		issuer: issuer,
		flags:  []string{"--resume", dir, "--signed", writeChain(t, dir, "signed.pem", issuer.Chain...)},
	}
}

// oldServiceKey goes behind a new key: tokens it signed stay valid.
func oldServiceKey(t testing.TB, order []string) inputs {
	return keepServiceKey(t, inputs{flags: order}, companyKey(t, "service"))
}

// sameServiceKey stays the key that signs.
func sameServiceKey(t testing.TB, order []string) inputs {
	in := oldServiceKey(t, order)
	in.noNewKey = true
	in.flags = append(in.flags, "--service-key-keep")
	return in
}

// everything is own root, own intermediate and two old service keys at once.
func everything(t testing.TB, order []string) inputs {
	in := keepServiceKey(t, ownIntermediate(t, order), companyKey(t, "service"))
	return keepServiceKey(t, in, companyKey(t, "older service"))
}

func keepServiceKey(t testing.TB, in inputs, key crypto.Signer) inputs {
	t.Helper()
	in.flags = append(in.flags, "--service-key", writeKey(t, testbed.Dir(t), "service.key", "RSA PRIVATE KEY", key))
	in.serviceKeys = append(in.serviceKeys, key.Public())
	return in
}

// scriptFolder has the file names that the example script of k3s looks for.
func scriptFolder(t testing.TB, order []string) inputs {
	dir := testbed.Dir(t)
	root := testbed.NewAuthority(t, "Company Root CA", companyKey(t, "root"), nil, nil)
	intermediate := testbed.NewAuthority(t, "Company Cluster CA", testbed.ECKey(t, elliptic.P256()), root, nil)
	service := companyKey(t, "service")
	writeChain(t, dir, "root-ca.pem", root.Chain...)
	writeChain(t, dir, "intermediate-ca.pem", intermediate.Chain[0])
	writeKey(t, dir, "intermediate-ca.key", "EC PRIVATE KEY", intermediate.Key)
	writeKey(t, dir, "service.key", "RSA PRIVATE KEY", service)
	return inputs{
		issuer:      intermediate,
		serviceKeys: []crypto.PublicKey{service.Public()},
		flags:       append(order, "--inputs", dir),
	}
}

// planFile says in a file what it says of names; the order's flags are over it.
func planFile(t testing.TB, order []string) inputs {
	plan := `apiVersion: rootkiln/v1
kind: Plan
name: edge-01
organization: [Company]
topology: shared
profile: upstream
distro: rke2
`
	return inputs{flags: append(order, "--file", testbed.Write(t, filepath.Join(testbed.Dir(t), "plan.yaml"), []byte(plan)))}
}

// namesAndLifetimes puts names into every subject, of which k3s compares none,
// and has the leaf CAs end before the leaves that k3s gives 365 days.
func namesAndLifetimes(_ testing.TB, order []string) inputs {
	return inputs{flags: append(order, "--name", "edge-01", "--organization", "Company, Edge",
		"--root-validity", "3y", "--intermediate-validity", "2y", "--ca-validity", "200d")}
}

// nameConstraints limit the server's CA to what this node's certificate has
// beside the names that every cluster has.
func nameConstraints(_ testing.TB, order []string) inputs {
	return inputs{flags: append(order, "--permit-dns", nodeName, "--permit-ip", serviceIP+"/32")}
}

// companyKeys are drawn once: the company has had them before the first bundle,
// and to draw one takes longer than most bundles.
var companyKeys struct {
	sync.Mutex
	byOwner map[string]*rsa.PrivateKey
}

func companyKey(t testing.TB, owner string) *rsa.PrivateKey {
	t.Helper()
	companyKeys.Lock()
	defer companyKeys.Unlock()
	if companyKeys.byOwner == nil {
		companyKeys.byOwner = map[string]*rsa.PrivateKey{}
	}
	if companyKeys.byOwner[owner] == nil {
		companyKeys.byOwner[owner] = testbed.RSAKey(t)
	}
	return companyKeys.byOwner[owner]
}

func writeChain(t testing.TB, dir, name string, chain ...*x509.Certificate) string {
	t.Helper()
	return testbed.Write(t, filepath.Join(dir, name), testbed.EncodeChain(chain...))
}

func writeKey(t testing.TB, dir, name, blockType string, key crypto.Signer) string {
	t.Helper()
	return testbed.Write(t, filepath.Join(dir, name), testbed.EncodeKey(t, blockType, key))
}
