package report_test

import (
	"slices"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// Several clusters in one output: a broken one must not hide behind a sound one.
func TestClusters(t *testing.T) {
	eleven := func(dir string) []string {
		var paths []string
		for _, stem := range []string{"client-ca", "server-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca"} {
			paths = append(paths, dir+stem+".crt", dir+stem+".key")
		}
		return append(paths, dir+"service.key")
	}
	for _, tt := range []struct {
		name  string
		files []string
		want  []string
	}{
		{"one bundle", eleven("tls/"), []string{"."}},
		{"a bare tls directory", eleven(""), []string{"."}},
		{"two clusters", slices.Concat(eleven("a/tls/"), eleven("b/tls/")), []string{"a", "b"}},
		{"two, of which one lacks a key", slices.Concat(eleven("a/tls/"), eleven("b/tls/")[1:]), []string{"a", "b"}},
		{"a server with a staged rotation", slices.Concat(eleven("server/tls/"), eleven("server/rotate-ca/tls/")), []string{"."}},
		{"a server with an old copy", slices.Concat(eleven("server/tls/"), eleven("server/tls-1777777777/")), []string{"."}},
		{"one inside the other", slices.Concat(eleven("tls/"), eleven("backup/tls/")), []string{"."}},
		{"nothing", nil, []string{"."}},
	} {
		var b pki.Bundle
		for _, path := range tt.files {
			b.Add(path, pki.KindOf(path), []byte(path))
		}
		var got []string
		total := 0
		for _, c := range report.Clusters(b) {
			got, total = append(got, c.Directory), total+len(c.Bundle.Files)
		}
		if !slices.Equal(got, tt.want) || total != len(tt.files) {
			t.Errorf("%s: %v with %d of %d files, want %v", tt.name, got, total, len(tt.files), tt.want)
		}
	}
	server := pki.Bundle{}
	for _, path := range slices.Concat(eleven("server/tls/"), eleven("server/rotate-ca/tls/")) {
		server.Add(path, pki.KindOf(path), []byte(path))
	}
	if f := report.ServerCA(server); f == nil || f.Path != "server/tls/server-ca.crt" {
		t.Errorf("the token of a server is that of %v", f)
	}
}
