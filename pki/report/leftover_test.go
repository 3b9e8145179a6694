package report_test

import (
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// moved gives every path of a bundle a directory of its own.
func moved(b pki.Bundle, from, to string) (out pki.Bundle) {
	for _, f := range b.Files {
		if rel, ok := strings.CutPrefix(f.Path, from); ok {
			out.Add(to+rel, f.Kind, f.Data)
		}
	}
	return out
}

// What our own commands keep before they change a server is nobody's node: a
// review was told to rotate by force, long after the rotation, for the sake of
// tls.before-2026-11-23-0700.
func TestLeftovers(t *testing.T) {
	node := serverNode(newCluster(t, pki.Isolated), issueTime.Time)
	late := 366 * 25 // every certificate has ended
	for _, tt := range []struct {
		copied   string
		leftover bool
	}{
		{"server/tls-1790000000/", true},
		{"server/tls.before/", true},
		{"server/tls.before-2026-11-23-0700/", true},
		{"server/tls.before/tls/", true}, // the command, twice
		{"server/tls.old/", true},
		{"server/tls.bak/", true},
		{"server/tls~/", true},
		{"server/tls-2026-11-23/", true},
		{"server/tls-node2/", false},
		{"server/tls-1/", false},
		{"copies/server/tls-1790000000/", true},
		{"tls.old/", false}, // not beside what it would be a copy of
		{"old/tls/", false},
		{"server/tls.beforehand/", false},
	} {
		b := node
		b.Files = append(node.Files[:len(node.Files):len(node.Files)], moved(node, "server/tls/", tt.copied).Files...)
		r := checkAt(b, late, 30)
		row := rowOf(t, r, tt.copied+"client-ca.crt")
		if got := row.Kind == report.BackupFile; got != tt.leftover || tt.leftover && row.Node != "." && !strings.HasPrefix(tt.copied, "copies") {
			t.Errorf("%s: is %s of %q", tt.copied, row.Kind, row.Node)
		}
		told, nodes := 0, map[string]bool{}
		for _, f := range r.Findings {
			if f.Code == "backup-leftover" && strings.HasPrefix(tt.copied, f.Subject+"/") {
				told++
			}
		}
		for _, m := range r.Remedies {
			nodes[m.Node] = true
		}
		if tt.leftover && (told != 1 || len(nodes) != 1 || !nodes["."]) || !tt.leftover && (told != 0 || len(nodes) < 2) {
			t.Errorf("%s: told %d times, remedies for %v", tt.copied, told, nodes)
		}
	}
}

// kubeadm's remedy keeps /etc/kubernetes.old, kubeconfigs and all.
func TestKubeadmLeftover(t *testing.T) {
	files := map[string]string{
		"kubernetes/pki/ca.crt": "authority", "kubernetes/pki/apiserver.crt": "leaf",
		"kubernetes.old/pki/ca.crt": "backup", "kubernetes.old/pki/apiserver.crt": "backup", "kubernetes.old/kubelet.conf": "backup",
		"kubernetes/pki.bak/ca.crt": "backup",
	}
	ca, _ := root(t, "kubernetes")
	for _, above := range []string{"", "/etc/", "copy/etc/"} {
		var b pki.Bundle
		for file := range files {
			b.Add(above+file, pki.KindChain, pki.EncodeCertificates(ca))
		}
		r := checkAt(b, 1, 30)
		for file, kind := range files {
			row := rowOf(t, r, above+file)
			if string(row.Kind) != kind || row.Node != above+"kubernetes" {
				t.Errorf("%s: %s of %q, want %s", above+file, row.Kind, row.Node, kind)
			}
		}
	}
}

// A complete copy does not stand for the server that lacks a file.
func TestServerBesideItsCopy(t *testing.T) {
	node := serverNode(newCluster(t, pki.Isolated), issueTime.Time)
	b := moved(node, "server/tls/", "server/tls.before/")
	for _, f := range node.Files {
		if f.Path != "server/tls/server-ca.key" {
			b.Add(f.Path, f.Kind, f.Data)
		}
	}
	if v := verify(t, b); v.Directory != "server/tls" {
		t.Errorf("verify judges %s", v.Directory)
	}
	if f := report.ServerCA(b); f == nil || f.Path != "server/tls/server-ca.crt" {
		t.Errorf("the token is that of %v", f)
	}
	c := report.Compare([]report.NodeFiles{{Name: "a", Bundle: node}, {Name: "b", Bundle: b}}, nil, issueTime)
	if c.Nodes[1].Directory != "server/tls" || c.Equal {
		t.Errorf("compare takes %s", c.Nodes[1].Directory)
	}
	if n := len(report.Clusters(b)); n != 1 {
		t.Errorf("%d clusters", n)
	}
}
