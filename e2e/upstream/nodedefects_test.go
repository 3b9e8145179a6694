package upstream

import (
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// nodeDefects are in what k3s makes for a node from a sound bundle, or in how
// it starts a component: nothing that `rootkiln verify` could see.
var nodeDefects = []pitfall{
	{name: "leaf last in the serving file", ca: "etcd/server-ca", node: changed("etcd-server", leafLast),
		refused: refusals{"etcd": "private key does not match public key", strict: "unsuitable certificate purpose"}},
	{name: "leaf last in the serving file", ca: "server-ca", node: changed("serving-kube-apiserver", leafLast),
		refused: refusals{"kube-apiserver": "private key does not match public key", strict: "unsuitable certificate purpose"}},
	{name: "another key beside the serving certificate", ca: "etcd/server-ca", node: changed("etcd-server", otherKey),
		refused: refusals{"etcd": "private key does not match public key"}},
	{name: "another key beside the serving certificate", ca: "server-ca", node: changed("serving-kube-apiserver", otherKey),
		refused: refusals{"kube-apiserver": "private key does not match public key"}},
	{name: "expired serving certificate", ca: "server-ca", node: reissued("serving-kube-apiserver", dates(-72*time.Hour, -time.Hour)),
		refused: everyTLS("expired", "expired")},
	{name: "expired client certificate", ca: "client-ca", node: reissued("client-admin", dates(-72*time.Hour, -time.Hour)),
		refused: unknownUser("expired")},
	// etcd is its own client, behind its HTTP port.
	{name: "serving certificate for servers alone", ca: "etcd/server-ca", node: reissued("etcd-server", extended(x509.ExtKeyUsageServerAuth)),
		log: "certificate specifies an incompatible key usage"},
	{name: "serving certificate without its chain", ca: "etcd/server-ca", node: changed("etcd-server", bare),
		refused: refusals{goRoot: "unknown authority", strict: "unable to get local issuer certificate"}},
	{name: "client certificate without its chain", ca: "client-ca", node: changed("client-admin", bare),
		refused: refusals{strict: "unable to get local issuer certificate"}},
	{name: "no client certificate for etcd", ca: "client-ca", flags: []string{"--etcd-certfile=", "--etcd-keyfile="},
		refused: refusals{"kube-apiserver": "context deadline exceeded"}},
}

// changed writes a leaf's files again with a change.
func changed(leaf string, change func(testing.TB, tls.Certificate) *tls.Certificate) func(testing.TB, *plane) {
	return func(t testing.TB, p *plane) { testbed.WritePair(t, p.file(leaf), *change(t, *p.leaf(t, leaf))) }
}

// reissued signs a leaf again, with an edit.
func reissued(file string, edit func(*x509.Certificate)) func(testing.TB, *plane) {
	return func(t testing.TB, p *plane) {
		l := leaves[slices.IndexFunc(leaves, func(l leaf) bool { return l.file == file })]
		testbed.WritePair(t, p.file(file), l.from(t, testbed.ReadAuthority(t, p.bundle.TLS(l.ca)), edit))
	}
}

func leafLast(_ testing.TB, pair tls.Certificate) *tls.Certificate {
	pair.Certificate = append(slices.Clone(pair.Certificate[1:]), pair.Certificate[0])
	return &pair
}

func otherKey(t testing.TB, pair tls.Certificate) *tls.Certificate {
	pair.PrivateKey = testbed.ECKey(t, elliptic.P256())
	return &pair
}

func bare(_ testing.TB, pair tls.Certificate) *tls.Certificate { return testbed.Bare(pair) }
