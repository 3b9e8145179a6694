package middle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// left are servers that did not follow a rotation, as directories.
type left struct {
	notRestarted string // still as it was when the others were restarted
	restarted    string // started since, from files that another server gave it
}

// leaveBehind makes both of a server that has ended between rotate-ca and its
// next start: its disk still has the files before. The second one is started by
// k3s itself, on a datastore of its own, as one that found the old files.
func leaveBehind(t *testing.T, s *server) left {
	t.Helper()
	l := left{filepath.Join(s.dir, "node3"), filepath.Join(s.dir, "node4")}
	for _, dir := range []string{l.notRestarted, l.restarted} {
		if _, err := s.run("cp", "-a", s.data, dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(l.restarted, "server", "db")); err != nil {
		t.Fatal(err)
	}
	config := "server: https://" + testbed.Address + ":6443\ntoken: " + password + "\n"
	testbed.Write(t, filepath.Join(l.restarted, "etc", "rancher", "k3s", "config.yaml"), []byte(config))
	other := *s
	other.data = l.restarted
	other.start(t)
	other.stop(t)
	s.starts = other.starts
	return l
}

// dump is what a server says at /cacerts, in a file.
func dump(t *testing.T, s *server) string {
	t.Helper()
	answer, err := testbed.Client{Root: s.root}.Get(s.url + "/cacerts")
	if err != nil {
		t.Fatal(err)
	}
	return testbed.Write(t, filepath.Join(t.TempDir(), "cacerts.pem"), answer.Body)
}

// comparison is what `rootkiln compare` says.
type comparison struct {
	Equal bool
	Nodes []struct {
		Name        string
		Leaves      int
		StaleLeaves []string
		Server      string
	}
	Files []struct {
		Path  string
		Cells []struct{ State string }
	}
	Findings []testbed.Finding
	Remedies []struct {
		Code, Node string
		Commands   []string
	}
}

func compareNodes(t *testing.T, paths ...string) comparison {
	t.Helper()
	out, err := testbed.Rootkiln(append([]string{"compare", "--output", "json"}, paths...)...)
	var c comparison
	if bad := json.Unmarshal([]byte(out), &c); bad != nil {
		t.Fatalf("rootkiln compare: %v, %v\n%s", bad, err, out)
	}
	if strings.Contains(out, password) {
		t.Error("rootkiln compare tells the password")
	}
	return c
}

// compare puts two servers that took the new CAs beside one that did not.
func (l left) compare(t *testing.T, s *server, before string) {
	second := filepath.Join(s.dir, "node2")
	if _, err := s.run("cp", "-a", s.data, second); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		node, finding, remedy string
		commands              []string
	}{
		{l.notRestarted, "rotation-not-restarted", "restart", []string{"systemctl restart k3s"}},
		{l.restarted, "rotation-missed-bootstrap", "unbootstrap", []string{
			"systemctl stop k3s",
			"cp -p /etc/rancher/k3s/config.yaml /etc/rancher/k3s/config.yaml.before",
			"sed -i 's/^server:/# server:/' /etc/rancher/k3s/config.yaml",
			"systemctl start k3s",
			"mv /etc/rancher/k3s/config.yaml.before /etc/rancher/k3s/config.yaml",
		}},
	} {
		got := compareNodes(t, s.data, second, c.node)
		if got.Equal {
			t.Errorf("%s: all are equal", c.finding)
		}
		for _, f := range got.Files {
			var states []string
			for _, cell := range f.Cells {
				states = append(states, cell.State)
			}
			if !slices.Equal(states, []string{"new", "new", "old"}) {
				t.Errorf("%s: %s is %q", c.finding, f.Path, states)
			}
		}
		expectFinding(t, got, c.finding, c.node)
		found := false
		for _, r := range got.Remedies {
			if r.Node == c.node && r.Code == c.remedy {
				found = slices.Equal(r.Commands, c.commands)
			}
		}
		if !found {
			t.Errorf("%s: not among the remedies %v: %s %q", c.finding, got.Remedies, c.remedy, c.commands)
		}
		expectLeaves(t, got)
	}
	after := dump(t, s)
	got := compareNodes(t, after, before)
	expectFinding(t, got, "rotation-missed", before)
	for _, f := range got.Files {
		want := []string{"unknown", "unknown"}
		if f.Path == "server-ca.crt" {
			want = []string{"new", "old"}
		}
		if f.Cells[0].State != want[0] || f.Cells[1].State != want[1] {
			t.Errorf("dumps: %s is %v, want %q", f.Path, f.Cells, want)
		}
	}
	if got := compareNodes(t, s.data, second, after); !got.Equal {
		t.Errorf("equal servers and their dump are not equal: %+v", got.Findings)
	}
}

// expectFinding wants the node behind to be named, and no other.
func expectFinding(t *testing.T, c comparison, code, node string) {
	t.Helper()
	var named []string
	for _, f := range c.Findings {
		if strings.HasPrefix(f.Code, "rotation-") {
			named = append(named, f.Code+" "+f.Subject)
		}
	}
	if want := []string{code + " " + node}; !slices.Equal(named, want) {
		t.Errorf("rootkiln compare names %q, want %q", named, want)
	}
}

// expectLeaves wants every leaf certificate under the CA beside it, but the
// supervisor's on the servers that rotated: k3s keeps that one.
func expectLeaves(t *testing.T, c comparison) {
	t.Helper()
	for i, n := range c.Nodes {
		var stale []string
		for _, leaf := range n.StaleLeaves {
			stale = append(stale, filepath.Base(leaf))
		}
		want := []string{"dynamic-cert.json"}
		if i == len(c.Nodes)-1 {
			want = nil
		}
		if n.Leaves < 13 || !slices.Equal(stale, want) {
			t.Errorf("%s: %d leaves, %q of another CA, want %q", n.Name, n.Leaves, stale, want)
		}
	}
}
