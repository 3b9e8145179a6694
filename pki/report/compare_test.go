package report_test

import (
	"slices"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// touched gives every file of a node its time: the eleven that of the rotation,
// what is written at each start that of the last start.
func touched(t testing.TB, c *cluster, made, started time.Time) pki.Bundle {
	t.Helper()
	b := serverNode(c, issueTime.Time)
	b.Add("server/tls/client-ca.nochain.crt", pki.KindChain, pki.EncodeCertificates(c.certs[pki.ClientCA]))
	for i := range b.Files {
		b.Files[i].Time = made
	}
	b.File("server/tls/client-ca.nochain.crt").Time = started
	return b
}

// rotated is a cluster whose leaf CAs begin later than those of newCluster.
func rotated(t testing.TB) *cluster {
	c := newCluster(t, pki.Isolated)
	for _, role := range []pki.Role{pki.ServerCA, pki.ClientCA, pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA} {
		row, _ := c.layout.Row(role)
		key := newKey(t, pki.P256)
		template := *c.certs[role]
		template.NotBefore, template.SubjectKeyId, template.PublicKey = template.NotBefore.Add(time.Hour), nil, nil
		c.keys[role] = key
		c.replace(role, sign(t, &template, c.certs[row.Issuer], key.Public(), c.mustKey(row.Issuer)))
		c.files[row.Path+".key"] = keyPEM(t, key)
	}
	return c
}

func (c *cluster) mustKey(role pki.Role) pki.Key {
	k, ok := c.keys[role].(pki.Key)
	if !ok {
		c.t.Fatalf("no key of %s", role)
	}
	return k
}

// The cause is told by what a server writes at every start (k3s #11233).
func TestWhyANodeIsBehind(t *testing.T) {
	old, next := newCluster(t, pki.Isolated), rotated(t)
	made := issueTime.Add(48 * time.Hour)
	fresh := report.NodeFiles{Name: "n1", Bundle: touched(t, next, made, made.Add(time.Hour))}
	for _, tt := range []struct {
		name          string
		made, started time.Time
		code          pki.Code
		remedies      []report.RemedyCode
	}{
		{"started since", issueTime.Time, made.Add(2 * time.Hour), "rotation-missed-bootstrap", []report.RemedyCode{report.RemedyUnbootstrap}},
		{"not started since", issueTime.Time, issueTime.Add(time.Hour), "rotation-not-restarted", []report.RemedyCode{report.RemedyRestart}},
		{"never restarted", issueTime.Time, issueTime.Add(time.Second), "rotation-not-restarted", []report.RemedyCode{report.RemedyRestart}},
		{"a copy of today", made.Add(time.Minute), made.Add(time.Minute + time.Second), "rotation-missed", []report.RemedyCode{report.RemedyRestore, report.RemedyRestart, report.RemedyUnbootstrap}},
		{"a copy without times", issueTime.Time, issueTime.Time, "rotation-missed", []report.RemedyCode{report.RemedyRestart, report.RemedyUnbootstrap}},
		{"no times at all", time.Time{}, time.Time{}, "rotation-missed", []report.RemedyCode{report.RemedyRestart, report.RemedyUnbootstrap}},
		{"newer than the datastore", made.Add(3 * time.Second), made.Add(time.Hour), "rotation-missed-bootstrap", []report.RemedyCode{report.RemedyRestore, report.RemedyUnbootstrap}},
		{"not new enough to matter", made.Add(2 * time.Second), made.Add(time.Hour), "rotation-missed-bootstrap", []report.RemedyCode{report.RemedyUnbootstrap}},
	} {
		c := report.Compare([]report.NodeFiles{fresh, {Name: "n2", Bundle: touched(t, old, tt.made, tt.started)}}, nil, issueTime)
		if !slices.ContainsFunc(c.Findings, func(f pki.Finding) bool { return f.Code == tt.code && f.Subject == "n2" }) || c.Equal || c.Sound() {
			t.Errorf("%s: %v", tt.name, lines(c.Findings))
		}
		var codes []report.RemedyCode
		for _, r := range c.Remedies {
			codes = append(codes, r.Code)
			if r.Node != "n2" || len(r.Commands) == 0 {
				t.Errorf("%s: %+v", tt.name, r)
			}
		}
		if !slices.Equal(codes, tt.remedies) {
			t.Errorf("%s: %v", tt.name, codes)
		}
	}
	c := report.Compare([]report.NodeFiles{fresh, {Name: "n2", Bundle: fresh.Bundle}}, nil, issueTime)
	if !c.Equal || !c.Sound() || len(c.Findings) > 0 {
		t.Errorf("two alike: %v", lines(c.Findings))
	}
}

func FuzzCompare(f *testing.F) {
	c := newCluster(f, pki.Isolated)
	node := few(touched(f, c, issueTime.Time, issueTime.Time))
	for _, file := range node.Files {
		f.Add(file.Path, file.Data)
	}
	f.Add("server/token", []byte("K10"))
	f.Add("etc/config.yaml", []byte(`{"server":["x"]}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		var b pki.Bundle
		for _, file := range node.Files {
			if file.Path != name {
				b.Files = append(b.Files, file)
			}
		}
		b.Add(name, pki.KindOf(name), data)
		soon(t, func() any {
			return report.Compare([]report.NodeFiles{{Name: "a", Bundle: node}, {Name: "b", Bundle: b}, {Name: "c", Bundle: b, Dump: true}}, nil, issueTime)
		})
	})
}
