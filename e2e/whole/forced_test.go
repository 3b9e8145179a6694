package whole

import (
	"path/filepath"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// forced has the bundle of another cluster saved and starts on it: whatever
// users hold from before is dead.
func forced(t *testing.T) {
	c := found(t, isolated, sqlite)
	c.start(t)
	old, oldRoot := keep(t, c), c.root
	unrelated := c.newBundle(t, "unrelated")
	if out, err := c.offer(unrelated, "--force"); err != nil || !strings.Contains(out, "certificates saved to datastore") {
		t.Fatalf("rotate-ca with force: %v\n%s", err, out)
	}
	c.stop(t)
	c.bundle = unrelated
	c.trust(t, filepath.Join(unrelated.Offline, "root-ca.crt"))
	c.start(t)

	check(t, "new files", func(t *testing.T) {
		filesUnchanged(t, c)
		joinToken(t, c)
		leavesVerify(t, c)
		expectUser(t, "the new admin certificate", c.as(t, "client-admin"), apiserver, admin)
	})
	check(t, "what is held from before", func(t *testing.T) {
		for what, client := range map[string]testbed.Client{
			"admin certificate":         {Certificate: old.admin},
			"certificate of the signer": {Certificate: &old.user},
			"ServiceAccount token":      c.bearing(old.token),
		} {
			client.Root = c.root
			if got := whoAmI(client, apiserver); got != "401" {
				t.Errorf("the old %s at the kube-apiserver: %s, want 401", what, got)
			}
			client.Root = oldRoot // k3s's port goes on with its certificate
			if got := whoAmI(client, supervisor); got != "401" {
				t.Errorf("the old %s at k3s's port: %s, want 401", what, got)
			}
		}
		if _, err := c.run("kubectl", "--kubeconfig", old.kubeconfig, "get", "namespaces"); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
			t.Errorf("the old kubeconfig: %v, want Unauthorized", err)
		}
	})
}
