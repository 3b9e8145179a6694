package report_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// serverNode is a bundle after a start: a leaf certificate of each row of the
// table, as long-lived as k3s makes them.
func serverNode(c *cluster, start time.Time) pki.Bundle {
	c.t.Helper()
	b := pki.Bundle{Time: c.bundle().Time}
	for _, f := range c.bundle().Files {
		b.Add("server/"+f.Path, f.Kind, f.Data)
		b.File("server/" + f.Path).Time = issueTime.Time
	}
	product, _ := k3s.ProductOf(pki.K3s)
	for _, leaf := range k3s.Leaves(product) {
		cert := sign(c.t, &x509.Certificate{
			Subject: pkix.Name{CommonName: leaf.CommonName}, NotBefore: start, NotAfter: start.AddDate(0, 0, 365),
			ExtKeyUsage: leaf.Usage, DNSNames: []string{"localhost"},
		}, c.certs[leaf.Signer], newKey(c.t, pki.P256).Public(), c.keys[leaf.Signer])
		data := pki.EncodeCertificates(append([]*x509.Certificate{cert}, c.order[leaf.Signer]...)...)
		name := "server/tls/" + leaf.File + ".crt"
		if strings.HasPrefix(leaf.File, "agent/") {
			name = leaf.File + ".crt"
		}
		if leaf.File == "dynamic-cert" {
			name, data = "server/tls/dynamic-cert.json", secret(c.t, data, nil)
		}
		b.Add(name, pki.KindChain, data)
	}
	for _, ca := range []pki.Role{pki.ServerCA, pki.ClientCA} {
		b.Add("agent/"+path.Base(c.path(ca))+".crt", pki.KindChain, pki.EncodeCertificates(c.order[ca]...))
	}
	return b
}

func checkAt(b pki.Bundle, days, within int) report.ExpiryReport {
	return report.CheckExpiry(b, report.ExpiryOptions{At: pki.At(issueTime.AddDate(0, 0, days)), Within: within})
}

func rowOf(t *testing.T, r report.ExpiryReport, file string) report.ExpiryRow {
	t.Helper()
	i := slices.IndexFunc(r.Certificates, func(c report.ExpiryRow) bool { return c.Path == file && c.Index == 1 })
	if i < 0 {
		t.Fatalf("no row of %s", file)
	}
	return r.Certificates[i]
}

// What a restart does, day by day: k3s pkg/daemons/control/deps/deps.go renews at
// 90 days or less, at 120 since May 2025.
func TestRestartByDay(t *testing.T) {
	b := serverNode(newCluster(t, pki.Isolated), issueTime.Time)
	for _, tt := range []struct {
		day                  int
		leaf, agent, serving report.Restart
		status               report.ExpiryStatus
		alarm                bool
		remedies             []report.RemedyCode
	}{
		{244, report.RestartKeeps, report.RestartRenews, report.RestartKeeps, report.StatusOK, false, nil},
		{245, report.RestartRenewsNow, report.RestartRenews, report.RestartRenewsNow, report.StatusOK, false, nil},
		{246, report.RestartRenewsNow, report.RestartRenews, report.RestartRenewsNow, report.StatusWarning, true, []report.RemedyCode{report.RemedyRestart, report.RemedyRotateLeaves}},
		{274, report.RestartRenewsNow, report.RestartRenews, report.RestartRenewsNow, report.StatusWarning, true, []report.RemedyCode{report.RemedyRestart, report.RemedyRotateLeaves}},
		{275, report.RestartRenews, report.RestartRenews, report.RestartRenews, report.StatusWarning, true, []report.RemedyCode{report.RemedyRestart}},
		{365, report.RestartRenews, report.RestartRenews, report.RestartRenews, report.StatusWarning, true, []report.RemedyCode{report.RemedyRestart}},
		{366, report.RestartRenews, report.RestartRenews, report.RestartUncertain, report.StatusExpired, true, []report.RemedyCode{report.RemedyRestart, report.RemedyServing}},
	} {
		r := checkAt(b, tt.day, 120)
		leaf, agent, serving := rowOf(t, r, "server/tls/client-admin.crt"), rowOf(t, r, "agent/client-kubelet.crt"), rowOf(t, r, "server/tls/dynamic-cert.json")
		if leaf.Restart != tt.leaf || agent.Restart != tt.agent || serving.Restart != tt.serving || leaf.Status != tt.status || r.Alarm != tt.alarm {
			t.Errorf("day %d: %s %s %s %s %v", tt.day, leaf.Restart, agent.Restart, serving.Restart, leaf.Status, r.Alarm)
		}
		var codes []report.RemedyCode
		for _, remedy := range r.Remedies {
			codes = append(codes, remedy.Code)
		}
		if !slices.Equal(codes, tt.remedies) {
			t.Errorf("day %d: remedies %v, want %v", tt.day, codes, tt.remedies)
		}
		if ca := rowOf(t, r, "server/tls/client-ca.crt"); ca.Restart != report.RestartNever || ca.Kind != report.AuthorityFile {
			t.Errorf("CA: %s %s", ca.Restart, ca.Kind)
		}
	}
}

// Each certificate has one first place, and it is where it is in use.
func TestFirstPlaces(t *testing.T) {
	r := checkAt(serverNode(newCluster(t, pki.Isolated), issueTime.Time), 1, 120)
	first := map[string]string{}
	for _, c := range r.Certificates {
		if c.First {
			if first[c.Fingerprint] != "" {
				t.Errorf("%s and %s", first[c.Fingerprint], c.Place())
			}
			first[c.Fingerprint] = c.Place().String()
			if c.Kind == report.ChainCopy || strings.HasPrefix(c.Path, "agent/") && c.Kind == report.AuthorityFile {
				t.Errorf("%s (%s) is named first", c.Place(), c.Kind)
			}
		}
	}
	if len(first) != 18+11 {
		t.Errorf("%d certificates: %v", len(first), slices.Sorted(maps.Values(first)))
	}
}

// Where paths lie decides what they are: nothing else does.
func TestSeats(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	node := serverNode(c, issueTime.Time)
	for _, tt := range []struct {
		prefix, file, node string
		kind               report.FileKind
	}{
		{"", "server/tls/etcd/server-ca.crt", ".", report.AuthorityFile},
		{"a/b", "server/tls/etcd/server-ca.crt", "a/b", report.AuthorityFile},
		{"/var/lib/rancher/k3s", "server/tls/client-admin.crt", "/var/lib/rancher/k3s", report.LeafFile},
		{"x", "agent/client-kubelet.crt", "x", report.LeafFile},
		{"x", "server/tls/dynamic-cert.json", "x", report.ServingFile},
		{"x", "server/tls-1790000000/client-ca.crt", "x", report.BackupFile},
		{"x", "server/tls/mine.crt", "x/server/tls", report.OtherFile},
	} {
		var b pki.Bundle
		for _, f := range node.Files {
			b.Add(path.Join(tt.prefix, f.Path), f.Kind, f.Data)
		}
		full := path.Join(tt.prefix, tt.file)
		if b.File(full) == nil {
			extra, _ := root(t, "extra")
			b.Add(full, pki.KindChain, pki.EncodeCertificates(extra))
		}
		if r := rowOf(t, checkAt(b, 1, 30), full); r.Kind != tt.kind || r.Node != tt.node {
			t.Errorf("%s: %s of %s", full, r.Kind, r.Node)
		}
	}
}

// k3s and kubeadm decode their own names out of our JSON, with Go's decoder,
// which ignores case.
func TestNamesOfOthers(t *testing.T) {
	r := checkAt(serverNode(newCluster(t, pki.Isolated), issueTime.Time), 1, 120)
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Certificates []struct {
			Filename, Subject, Issuer, Status string
			Usages                            []string
			ExpiryTime                        time.Time
			ResidualTime                      time.Duration
		}
	}
	if err := json.Unmarshal(data, &info); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(info.Certificates, func(c struct {
		Filename, Subject, Issuer, Status string
		Usages                            []string
		ExpiryTime                        time.Time
		ResidualTime                      time.Duration
	}) bool {
		return c.Filename == "client-admin.crt"
	})
	c := info.Certificates[i]
	if c.Subject != "system:admin" || c.Status != "OK" || !slices.Equal(c.Usages, []string{"ClientAuth"}) || c.ResidualTime != 364*24*time.Hour || !c.ExpiryTime.Equal(issueTime.AddDate(0, 0, 365)) {
		t.Errorf("%+v", c)
	}
	if strings.Contains(string(data), `"certificates"`) {
		t.Error("kubeadm's list in the report of a k3s node")
	}
}

// A leaf that outlives its CA, another CA than the one that signed: told once
// for each.
func TestLeavesAndTheirCA(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	b := serverNode(c, issueTime.AddDate(9, 8, 0))
	r := checkAt(b, 9*365+250, 0)
	wantCodes := map[pki.Code]int{"leaves-outlive-ca": 5, "ca-ends-soon": 6}
	got := map[pki.Code]int{}
	for _, f := range r.Findings {
		got[f.Code]++
	}
	if !maps.Equal(got, wantCodes) || r.Alarm {
		t.Errorf("%v, alarm %v: %v", got, r.Alarm, lines(r.Findings))
	}
	other := newCluster(t, pki.Shared)
	b.File("server/tls/server-ca.crt").Data = pki.EncodeCertificates(other.order[pki.ServerCA]...)
	r = checkAt(b, 9*365+250, 0)
	if !r.Alarm || !has(r.Findings, "leaf-stale") || rowOf(t, r, "server/tls/dynamic-cert.json").Restart != report.RestartStays {
		t.Errorf("alarm %v: %v", r.Alarm, lines(r.Findings))
	}
}

// A kubeconfig names files by their full path on the node. In a copy they are
// known by their ends, however deep it lies; a name alone is not enough.
func TestReferencesInACopy(t *testing.T) {
	node := serverNode(newCluster(t, pki.Isolated), issueTime.Time)
	for dir, want := range map[string]bool{"": true, "node1/": true, "backups/2026/site/rack/node1/k3s/": true, "flat": false} {
		b := pki.Bundle{Files: []pki.File{{Path: "admin.kubeconfig", Data: []byte(
			`{"users":[{"name":"u","user":{"client-certificate":"/var/lib/rancher/k3s/server/tls/client-admin.crt"}}]}`)}}}
		file := dir + "server/tls/client-admin.crt"
		if !want {
			file = "certs/client-admin.crt"
		}
		b.Add(file, pki.KindChain, node.File("server/tls/client-admin.crt").Data)
		if r := checkAt(b, 1, 0); has(r.Findings, "reference-missing") == want {
			t.Errorf("%s: found is %v, want %v", file, !want, want)
		}
	}
}

// few are the files of a node that a fuzzer can try often.
func few(b pki.Bundle) pki.Bundle {
	b.Files = slices.DeleteFunc(b.Files, func(f pki.File) bool {
		return !strings.Contains(f.Path, "server-ca") && !strings.Contains(f.Path, "dynamic") && !strings.Contains(f.Path, "kubelet") && !strings.Contains(f.Path, "service.key")
	})
	return b
}

// FuzzCheck: whatever stands in a file, the others are reported, and soon.
func FuzzCheck(f *testing.F) {
	c := newCluster(f, pki.Isolated)
	node := few(serverNode(c, issueTime.Time))
	for _, file := range node.Files {
		f.Add(file.Path, file.Data)
	}
	f.Add("kubelet.conf", []byte(`{"users":[{"name":"u","user":{"client-certificate":"/var/lib/kubelet/pki/x.pem"}}]}`))
	f.Add("pki/ca.crt", []byte("-----BEGIN CERTIFICATE-----\n"))
	f.Add("server/tls-1790000000/x.crt", []byte{})
	good := checkAt(node, 1, 120)
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		var b pki.Bundle
		replaced := false
		for _, file := range node.Files {
			if file.Path == name {
				file.Data, replaced = data, true
			}
			b.Files = append(b.Files, file)
		}
		if !replaced {
			b.Add(name, pki.KindOf(name), data)
		}
		var r report.ExpiryReport
		soon(t, func() any { r = checkAt(b, 1, 120); return r })
		rows := map[string]bool{}
		for _, c := range r.Certificates {
			rows[c.Path] = true
		}
		for _, c := range good.Certificates {
			if c.Path != name && !rows[c.Path] {
				t.Errorf("%s hides %s", name, c.Path)
			}
		}
	})
}
