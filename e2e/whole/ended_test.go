package whole

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// ended lets all CAs of a server come to their end: rotate-ca cannot be asked
// then, with force neither (k3s-io/k3s#12910), and no start mends it. That is
// why `rootkiln check` says to put the clock back.
func ended(t *testing.T) {
	c := &cluster{topology: isolated, store: sqlite, dir: testbed.Dir(t), token: password}
	c.data = filepath.Join(c.dir, "data")
	if err := os.Mkdir(filepath.Join(c.dir, "first"), 0o700); err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(40 * time.Second).Truncate(time.Second)
	tally.bundles++
	c.bundle = testbed.NewBundle(t, filepath.Join(c.dir, "first"), "--ca-validity", end.UTC().Format(time.RFC3339))
	c.trust(t, filepath.Join(c.bundle.Offline, "root-ca.crt"))
	c.bundle.Copy(t, c.data)
	c.start(t)
	next := successor(t, c)
	c.server.Await(t, time.Minute, "the end of its CAs", func() error {
		if left := time.Until(end.Add(2 * time.Second)); left > 0 {
			return fmt.Errorf("%s left", left)
		}
		return nil
	})

	check(t, "rotate-ca on the server that runs", func(t *testing.T) { c.unreachable(t, next) })
	c.stop(t)
	c.launch(t, nil, "--node-name", "node1", "--node-ip", testbed.Address)
	if err := c.server.TryAwait(30*time.Second, func() error { return c.ready(apiserver) }); err == nil {
		t.Error("the API is ready under CAs that have ended")
	}
	check(t, "leaves of a restart", func(t *testing.T) {
		pair := testbed.LoadPair(t, c.tls("client-admin"))
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil || !leaf.NotAfter.After(end.AddDate(0, 6, 0)) {
			t.Errorf("k3s makes leaf certificates whatever its CA has come to: until %v, %v", leaf.NotAfter, err)
		}
	})
	check(t, "rotate-ca on the server that was restarted", func(t *testing.T) { c.unreachable(t, next) })
	c.server.MayExit()
	c.stop(t)
}

// unreachable wants rotate-ca to fail before it sends anything.
func (c *cluster) unreachable(t *testing.T, next testbed.Bundle) {
	t.Helper()
	for _, flags := range [][]string{nil, {"--force"}} {
		if out, err := c.offer(next, flags...); err == nil || !strings.Contains(out, "CA cert validation failed") {
			t.Errorf("rotate-ca %q: %v\n%s", flags, err, out)
		}
	}
}
