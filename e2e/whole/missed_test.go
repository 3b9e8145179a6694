package whole

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// member is a server of several, with what it takes to start it.
type member struct {
	*cluster
	wrapper, flags []string
	api            string
}

func (m member) launch(t *testing.T) { m.cluster.launch(t, m.wrapper, m.flags...) }

func (m member) await(t *testing.T) {
	t.Helper()
	m.server.Await(t, joinTime, "API ready", func() error { return m.ready(m.api) })
}

// missed is k3s-io/k3s#11233 on two real servers: the second one is restarted
// between rotate-ca and the restart of the server that it names with --server,
// and gets the old CAs from that one's disk, without an error. `rootkiln compare`
// names it, and its remedy brings it back.
func missed(t *testing.T, first, second member) {
	old := first.bundle
	next := successor(t, first.cluster)
	if out, err := first.offer(next); err != nil || !strings.Contains(out, "certificates saved to datastore") {
		t.Fatalf("rotate-ca: %v\n%s", err, out)
	}
	for _, m := range []member{second, first} {
		m.stop(t)
		m.launch(t)
		m.await(t)
	}
	first.bundle = next
	filesUnchanged(t, first.cluster)
	if !second.holds(t, old) {
		t.Error("k3s gave the second server the new CAs: it is no longer one of the releases with #11233")
	}
	c := compareServers(t, first.data, second.data)
	if c.equal || !slices.Contains(c.said, "rotation-missed-bootstrap "+second.data) || !slices.Contains(c.mended, "unbootstrap "+second.data) {
		t.Errorf("rootkiln compare says %q, with the remedies %q", c.said, c.mended)
	}

	second.via = "" // the remedy: a start without server:
	for _, m := range []member{second, first} {
		m.stop(t) // without the other one, etcd of two has no majority
	}
	for _, m := range []member{first, second} {
		m.launch(t)
	}
	first.await(t)
	second.await(t)
	if second.bundle = next; !second.holds(t, next) {
		t.Error("the remedy does not bring the new CAs")
	}
	if c := compareServers(t, first.data, second.data); !c.equal {
		t.Errorf("after the remedy rootkiln compare says %q", c.said)
	}
}

// holds tells whether the server has all files of a bundle.
func (c *cluster) holds(t *testing.T, b testbed.Bundle) bool {
	return !slices.ContainsFunc(files, func(name string) bool { return !bytes.Equal(read(t, c.tls(name)), read(t, b.TLS(name))) })
}

// compared is what `rootkiln compare` says of servers.
type compared struct {
	equal        bool
	said, mended []string // findings and remedies, each with its server
}

func compareServers(t *testing.T, paths ...string) compared {
	t.Helper()
	out, err := testbed.Rootkiln(append([]string{"compare", "--output", "json"}, paths...)...)
	var report struct {
		Equal    bool
		Findings []testbed.Finding
		Remedies []struct{ Code, Node string }
	}
	if bad := json.Unmarshal([]byte(out), &report); bad != nil {
		t.Fatalf("rootkiln compare: %v, %v", bad, err)
	}
	c := compared{equal: report.Equal}
	for _, f := range report.Findings {
		c.said = append(c.said, f.Code+" "+f.Subject)
	}
	for _, r := range report.Remedies {
		c.mended = append(c.mended, r.Code+" "+r.Node)
	}
	return c
}
