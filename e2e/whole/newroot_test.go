package whole

import (
	"crypto/elliptic"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// newServerRoot gives the server domain another root, cross-signed by the old
// one, in the order that lets clients verify with either: leaf CA, cross
// certificate, new root, old root. The join token changes with the root.
func newServerRoot(t *testing.T) {
	c := found(t, isolated, sqlite)
	c.start(t)
	oldRoot, oldToken := c.rootFile, c.serverToken(t)
	next, newRoot := crossSigned(t, c)
	if out, err := c.offer(next); err != nil {
		t.Fatalf("rotate-ca: %v\n%s", err, out)
	}
	c.stop(t)
	c.bundle = next
	c.trust(t, newRoot)
	c.start(t)

	check(t, "either root", func(t *testing.T) {
		for _, client := range clients {
			for _, anchors := range []string{oldRoot, newRoot} {
				if err := client.verify(c, t, apiserver, anchors); err != nil {
					t.Errorf("%s with %s alone: %v", client.name, filepath.Base(anchors), err)
				}
			}
			// The certificate of the old CA, from the datastore.
			if err := client.verify(c, t, supervisor, oldRoot); err != nil {
				t.Errorf("%s at k3s's port with the old root alone: %v", client.name, err)
			}
			if err := client.verify(c, t, supervisor, newRoot); err == nil {
				t.Errorf("%s at k3s's port with the new root alone: verified, so k3s has renewed its certificate", client.name)
			} else if !strings.Contains(err.Error(), client.distrust) {
				t.Errorf("%s at k3s's port with the new root alone: %v, want %q", client.name, err, client.distrust)
			}
		}
	})
	// What makes k3s forget that certificate, in this order.
	c.kubectl(t, "delete", "secret", "k3s-serving", "--namespace", "kube-system")
	c.stop(t)
	if err := os.Remove(c.tls("dynamic-cert.json")); err != nil {
		t.Fatal(err)
	}
	c.start(t)
	c.check(t, "new root")
	check(t, "join tokens", func(t *testing.T) {
		c.joinRefused(t, supervisor, oldToken)
	})
}

// crossSigned is the cluster's bundle with another server CA, and the file of
// its new root.
func crossSigned(t *testing.T, c *cluster) (testbed.Bundle, string) {
	t.Helper()
	old := testbed.ReadAuthority(t, filepath.Join(c.bundle.Offline, "root-ca"))
	key := testbed.ECKey(t, elliptic.P384())
	root := testbed.NewAuthority(t, "second root", key, nil, nil)
	cross := testbed.NewAuthority(t, "second root", key, old, nil)
	leaf := testbed.NewAuthority(t, "second server CA", testbed.ECKey(t, elliptic.P256()), root, nil)

	next := c.bundle.Copy(t, c.dir)
	tally.bundles++
	testbed.Write(t, next.TLS("server-ca.crt"), testbed.EncodeChain(leaf.Chain[0], cross.Chain[0], root.Root(), old.Root()))
	testbed.Write(t, next.TLS("server-ca.key"), testbed.EncodeKey(t, "EC PRIVATE KEY", leaf.Key))
	return next, testbed.Write(t, filepath.Join(c.dir, "second-root.crt"), testbed.EncodeChain(root.Root()))
}

// joinRefused starts a server that is to join by a token which does not name
// the cluster's root: it must end and say why.
func (c *cluster) joinRefused(t *testing.T, server, token string) {
	t.Helper()
	stranger := &cluster{store: etcd, dir: testbed.Dir(t), token: token, via: server}
	stranger.data = filepath.Join(stranger.dir, "data")
	stranger.launch(t, nil, "--node-name", "stranger", "--node-ip", testbed.Address)
	err := stranger.server.TryAwait(joinTime, func() error { return errNotYet })
	if ended, status := stranger.server.Exited(); !ended || status == nil {
		t.Errorf("a server with another cluster's token did not fail: %v", err)
	}
	if log := stranger.server.LogSince(0); !strings.Contains(log, "token CA hash does not match the Cluster CA certificate hash") {
		t.Errorf("a server with another cluster's token says: %s", log)
	}
}
