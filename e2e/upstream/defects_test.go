package upstream

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"slices"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// pitfalls, one defect each. The words are the components' own.
var pitfalls = slices.Concat(notDefects, fileDefects, certificateDefects, dateDefects, keyDefects, nodeDefects)

var notDefects = []pitfall{
	{name: "none", ca: "etcd/server-ca"},
	{name: "none", ca: "etcd/peer-ca"},
	{name: "none", ca: "server-ca"},
	{name: "none", ca: "client-ca"},
	{name: "none", ca: "request-header-ca"},
	{name: "keyCertSign alone", ca: "etcd/server-ca", issue: usage(x509.KeyUsageCertSign)},
	{name: "no path length", ca: "etcd/server-ca", issue: pathLen(-1)},
	{name: "path length 0", ca: "etcd/server-ca", issue: pathLen(0)},
	{name: "text before and behind", ca: "server-ca", file: between("My CA:\n", "trailing text\n")},
	{name: "text before and behind", ca: "etcd/server-ca", file: between("My CA:\n", "trailing text\n")},
	{name: "CRLF", ca: "server-ca", file: crlf(certificates), keyFile: crlf(keyAs("EC PRIVATE KEY"))},
	{name: "EC PARAMETERS before the key", ca: "server-ca", keyFile: ecParameters},
}

// k3s takes the first certificate of a file for its CA, and all for anchors.
var fileDefects = []pitfall{
	{name: "half a block behind", ca: "etcd/server-ca", file: between("", "trailing -----BEGIN garbage\n")},
	{name: "root first", ca: "etcd/server-ca", file: rootFirst, says: says{errors: codes{"chain-order"}},
		refused: refusals{kubeadm: "doesn't match"}},
	{name: "root first", ca: "server-ca", file: rootFirst, says: says{errors: codes{"chain-order", "token-fallback"}},
		refused: refusals{kubeadm: "doesn't match", controllers: "private key does not match public key"}},
	{name: "leaf CA alone", ca: "etcd/server-ca", file: only(0), says: says{errors: codes{"chain-incomplete", "probe-path-domain"}, warnings: codes{"single-certificate"}}},
	{name: "root alone", ca: "etcd/server-ca", file: only(2), says: says{errors: codes{"key-mismatch"}, warnings: codes{"single-certificate"}},
		refused: refusals{kubeadm: "doesn't match"}},
	{name: "undecodable block", ca: "etcd/server-ca", file: between("", undecodable), says: says{errors: codes{"certificate-parse"}},
		refused: refusals{"etcd": "malformed certificate", kubeadm: "malformed certificate"}},
	{name: "undecodable block", ca: "client-ca", file: between("", undecodable), says: says{errors: codes{"certificate-parse"}},
		refused: refusals{"kube-apiserver": "malformed certificate", kubeadm: "malformed certificate"}},
	{name: "empty", ca: "etcd/server-ca", file: text(""), says: says{errors: codes{"pem-none"}},
		refused: refusals{goFile: "no certificate", goRoot: "unknown certificate authority", curl: "error setting certificate file", kubeadm: "couldn't load the certificate file"}},
	{name: "empty", ca: "client-ca", file: text(""), says: says{errors: codes{"pem-none"}},
		refused: refusals{"kube-apiserver": "missing content for CA bundle", kubeadm: "couldn't load the certificate file"}},
	{name: "empty", ca: "request-header-ca", file: text(""), says: says{errors: codes{"pem-none"}},
		refused: refusals{"kube-apiserver": "missing content for CA bundle", kubeadm: "couldn't load the certificate file"}},
	{name: "no PEM", ca: "client-ca", file: text("hello\n"), says: says{errors: codes{"pem-none"}},
		refused: refusals{"kube-apiserver": "does not contain any valid RSA or ECDSA certificates", kubeadm: "couldn't load the certificate file"}},
	{name: "its key instead", ca: "client-ca", file: keyAs("PRIVATE KEY"), says: says{errors: codes{"pem-type"}, warnings: codes{"mode-wide"}},
		refused: refusals{"kube-apiserver": "does not contain any valid RSA or ECDSA certificates", kubeadm: "couldn't load the certificate file"}},
}

var certificateDefects = []pitfall{
	{name: "no key usage", ca: "etcd/server-ca", issue: usage(0), says: says{warnings: codes{"ku-missing"}},
		refused: refusals{strict: "CA cert does not include key usage extension"}},
	{name: "no key usage", ca: "client-ca", issue: usage(0), says: says{warnings: codes{"ku-missing"}},
		refused: refusals{strict: "CA cert does not include key usage extension"}},
	{name: "no keyCertSign", ca: "etcd/server-ca", issue: usage(x509.KeyUsageCRLSign), says: useless("no-cert-sign"),
		refused: everyTLS("parent certificate cannot sign", "invalid CA certificate")},
	{name: "no keyCertSign", ca: "server-ca", issue: usage(x509.KeyUsageCRLSign), says: useless("no-cert-sign"),
		refused: everyTLS("parent certificate cannot sign", "invalid CA certificate")},
	{name: "no keyCertSign", ca: "client-ca", issue: usage(x509.KeyUsageCRLSign), says: useless("no-cert-sign"),
		refused: unknownUser("invalid CA certificate")},
	{name: "no keyCertSign", ca: "request-header-ca", issue: usage(x509.KeyUsageCRLSign), says: says{errors: codes{"no-cert-sign", "probe-go", "probe-path"}},
		refused: unknownUser("invalid CA certificate")},
	{name: "CA:FALSE", ca: "etcd/server-ca", issue: noCA, says: useless("no-cert-sign", "not-ca"),
		refused: everyTLS("parent certificate cannot sign", "invalid CA certificate").and(kubeadm, "not a certificate authority")},
	{name: "CA:FALSE", ca: "server-ca", issue: noCA, says: useless("no-cert-sign", "not-ca"),
		refused: everyTLS("parent certificate cannot sign", "invalid CA certificate").and(kubeadm, "not a certificate authority")},
	{name: "basicConstraints not critical", ca: "etcd/server-ca", issue: extension(pkix.Extension{Id: []int{2, 5, 29, 19}, Value: []byte{0x30, 3, 1, 1, 0xff}}), says: says{warnings: codes{"bc-not-critical"}},
		refused: refusals{strict: "Basic Constraints of CA cert not marked critical"}},
	{name: "unknown critical extension", ca: "etcd/server-ca", issue: extension(pkix.Extension{Id: []int{1, 3, 6, 1, 4, 1, 55555, 1}, Critical: true, Value: []byte{5, 0}}), says: useless("critical-extension"),
		refused: everyTLS("unhandled critical extension", "unhandled critical extension")},
	{name: "signed with SHA-1", ca: "etcd/server-ca", issue: func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }, says: says{errors: codes{"probe-path-domain", "signature-weak"}},
		refused: refusals{goRoot: "insecure algorithm", curl: "ca md too weak"}},
	{name: "intermediate with path length 0", ca: "etcd/server-ca", intermediate: pathLen(0), says: says{errors: codes{"path-length", "probe-path-domain"}},
		refused: refusals{goRoot: "too many intermediates", strict: "path length"}},
	{name: "intermediate with path length 0", ca: "server-ca", intermediate: pathLen(0), says: says{errors: codes{"path-length", "probe-path-domain"}},
		refused: refusals{goRoot: "too many intermediates", strict: "path length"}},
	{name: "names that exclude the node", ca: "etcd/server-ca", issue: permit("cluster.local"), says: says{errors: codes{"name-constraints", "probe-go", "probe-path"}},
		refused: everyTLS("not permitted by any constraint", "permitted subtree violation")},
	{name: "names that exclude the node", ca: "server-ca", issue: permit("cluster.local"), says: useless("name-constraints"),
		refused: everyTLS("not permitted by any constraint", "permitted subtree violation")},
	{name: "addresses that exclude the node", ca: "server-ca", issue: permitIP(net.IPv4(10, 43, 0, 0), 16), says: useless("name-constraints"),
		refused: everyTLS("not permitted by any constraint", "permitted subtree violation")},
	{name: "for clients alone", ca: "server-ca", issue: extended(x509.ExtKeyUsageClientAuth), says: useless("eku-breaks-token", "token-fallback"),
		refused: everyTLS("incompatible key usage", "unsuitable certificate purpose")},
	// With TLS 1.3 a refused client may see the end of the connection before the
	// alert (RFC 8446 section 4.4.2.4). The reason is in etcd's log.
	{name: "for servers alone", ca: "etcd/server-ca", issue: extended(x509.ExtKeyUsageServerAuth), says: useless(),
		log:     "certificate specifies an incompatible key usage",
		refused: refusals{goFile: cut, goRoot: cut, curl: "alert bad certificate|" + cut}},
	{name: "for servers alone", ca: "client-ca", issue: extended(x509.ExtKeyUsageServerAuth), says: useless(),
		refused: unknownUser("unsuitable certificate purpose")},
}

var dateDefects = []pitfall{
	{name: "expired", ca: "etcd/server-ca", issue: dates(-72*time.Hour, -time.Hour), says: useless("expired").warning("child-before-parent"),
		refused: everyTLS("expired", "expired")},
	{name: "expired", ca: "client-ca", issue: dates(-72*time.Hour, -time.Hour), says: useless("expired").warning("child-before-parent"),
		refused: unknownUser("expired")},
	{name: "expired", ca: "server-ca", issue: dates(-72*time.Hour, -time.Hour), says: useless("expired", "token-fallback").warning("child-before-parent"),
		refused: everyTLS("expired", "expired")},
	{name: "not yet valid", ca: "server-ca", issue: dates(24*time.Hour, 48*time.Hour), says: useless("not-yet-valid", "token-fallback"),
		refused: everyTLS("not yet valid", "not yet valid")},
}

var keyDefects = []pitfall{
	{name: "key of another CA", ca: "etcd/server-ca", keyFile: anotherKey, says: says{errors: codes{"key-mismatch"}},
		refused: refusals{kubeadm: "doesn't match"}},
	{name: "key of another CA", ca: "client-ca", keyFile: anotherKey, says: says{errors: codes{"key-mismatch"}},
		refused: refusals{kubeadm: "doesn't match", controllers: "private key does not match public key"}},
	{name: "encrypted key", ca: "server-ca", keyFile: encrypted, says: says{errors: codes{"key-encrypted"}},
		refused: refusals{kubeadm: "does not contain a valid RSA or ECDSA private key", controllers: "failed to parse private key"}},
	{name: "P-521", ca: "etcd/server-ca", key: ec(elliptic.P521())},
	{name: "P-224", ca: "etcd/server-ca", key: ec(elliptic.P224()), says: says{errors: codes{"key-unsupported"}}},
	{name: "P-224", ca: "client-ca", key: ec(elliptic.P224()), says: says{errors: codes{"key-unsupported"}}},
	{name: "RSA-1024", ca: "etcd/server-ca", key: rsa1024, says: says{errors: codes{"key-weak"}},
		refused: refusals{curl: "ca key too small"}},
	{name: "RSA-1024", ca: "server-ca", key: rsa1024, says: says{errors: codes{"key-weak"}},
		refused: refusals{curl: "CA certificate key too weak"}},
	{name: "Ed25519", ca: "server-ca", key: ed, says: says{errors: codes{"key-unsupported"}},
		refused: refusals{kubeadm: "neither in RSA nor ECDSA format"}},
	{name: "Ed25519", ca: "client-ca", key: ed, says: says{errors: codes{"key-unsupported"}},
		refused: refusals{kubeadm: "neither in RSA nor ECDSA format"}},
}

// useless is a CA none of whose certificates is of use, in Go or by the strict
// path of OpenSSL: verify tries that out, beside the reasons that it names.
func useless(reasons ...string) says {
	return says{errors: slices.Sorted(slices.Values(append(reasons, "probe-go-domain", "probe-path-domain")))}
}

func (s says) warning(code string) says {
	s.warnings = append(s.warnings, code)
	return s
}

// cut is what a client may see of a connection that its server does not want.
const cut = "remote error: tls: bad certificate|connection reset by peer|broken pipe|EOF"

// everyTLS is a server that no client takes, whatever it trusts.
func everyTLS(inGo, inOpenSSL string) refusals {
	return refusals{goFile: inGo, goRoot: inGo, curl: inOpenSSL, strict: inOpenSSL}
}

// unknownUser is a client that the API server does not take, for a reason that
// it tells its log alone.
func unknownUser(inOpenSSL string) refusals {
	return refusals{goFile: "status 401", curl: "401", strict: inOpenSSL}
}

func certificates(_ testing.TB, ca *testbed.Authority) []byte {
	return testbed.EncodeChain(ca.Chain...)
}

func between(before, behind string) content {
	return func(_ testing.TB, ca *testbed.Authority) []byte {
		return slices.Concat([]byte(before), testbed.EncodeChain(ca.Chain...), []byte(behind))
	}
}

func only(i int) content {
	return func(_ testing.TB, ca *testbed.Authority) []byte { return testbed.EncodeChain(ca.Chain[i]) }
}

func rootFirst(_ testing.TB, ca *testbed.Authority) []byte {
	reversed := slices.Clone(ca.Chain)
	slices.Reverse(reversed)
	return testbed.EncodeChain(reversed...)
}

func text(s string) content { return func(testing.TB, *testbed.Authority) []byte { return []byte(s) } }

func crlf(of content) content {
	return func(t testing.TB, ca *testbed.Authority) []byte {
		return bytes.ReplaceAll(of(t, ca), []byte("\n"), []byte("\r\n"))
	}
}

func keyAs(blockType string) content {
	return func(t testing.TB, ca *testbed.Authority) []byte { return testbed.EncodeKey(t, blockType, ca.Key) }
}

// ecParameters is the key as `openssl ecparam -genkey` writes it.
func ecParameters(t testing.TB, ca *testbed.Authority) []byte {
	prime256v1 := []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}
	return append(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: prime256v1}), testbed.EncodeKey(t, "EC PRIVATE KEY", ca.Key)...)
}

func anotherKey(t testing.TB, _ *testbed.Authority) []byte {
	return testbed.EncodeKey(t, "EC PRIVATE KEY", testbed.ECKey(t, elliptic.P256()))
}

func encrypted(t testing.TB, ca *testbed.Authority) []byte {
	file := testbed.Write(t, testbed.Dir(t)+"/plain.key", testbed.EncodeKey(t, "PRIVATE KEY", ca.Key))
	out, err := testbed.Run("", []string{"PASSPHRASE=of no secret"}, "openssl", "pkcs8", "-topk8", "-in", file, "-passout", "env:PASSPHRASE")
	if err != nil {
		t.Fatal(err)
	}
	return []byte(out)
}

var undecodable = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0, 0, 0}}))

func usage(u x509.KeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.KeyUsage = u }
}

func noCA(c *x509.Certificate) {
	c.IsCA, c.MaxPathLen, c.MaxPathLenZero = false, 0, false
	c.KeyUsage = x509.KeyUsageDigitalSignature
}

// pathLen sets the limit, -1 takes it away.
func pathLen(n int) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

func permit(domain string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{domain}
	}
}

func permitIP(ip net.IP, bits int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical = true
		c.PermittedIPRanges = []*net.IPNet{{IP: ip.To4(), Mask: net.CIDRMask(bits, 32)}}
	}
}

func extended(usage x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{usage} }
}

// extension adds one, or replaces the one that Go would write.
func extension(e pkix.Extension) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{e} }
}

func dates(from, to time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to) }
}

func ec(curve elliptic.Curve) func(testing.TB) crypto.Signer {
	return func(t testing.TB) crypto.Signer { return testbed.ECKey(t, curve) }
}

func rsa1024(t testing.TB) crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ed(t testing.TB) crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
