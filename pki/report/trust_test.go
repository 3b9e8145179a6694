package report_test

import (
	"crypto/x509"
	"slices"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// What is joined is named, and nothing else.
func TestSharedTrust(t *testing.T) {
	all := []pki.Role{pki.ServerCA, pki.ClientCA, pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA}
	t.Run("one root for all", func(t *testing.T) {
		v := verify(t, newCluster(t, pki.Shared).bundle())
		if len(v.Openings) != len(all) {
			t.Fatalf("openings %v", v.Openings)
		}
		for i, o := range v.Openings {
			others := slices.DeleteFunc(slices.Clone(all), func(r pki.Role) bool { return r == all[i] })
			if o.From != all[i] || !slices.Equal(o.To, others) {
				t.Errorf("%s opens %v, want %v", o.From, o.To, others)
			}
		}
	})
	for _, c := range []struct {
		name  string
		fault func(*cluster)
		want  []report.Opening
		args  map[string]string
	}{
		{
			// The client CA is a stranger to the etcd file, but not the other way
			// round: the etcd file has its root, so has everything under it.
			"the client root in etcd's file", func(c *cluster) {
				c.order[pki.EtcdServerCA] = append(slices.Clone(c.order[pki.EtcdServerCA]), c.certs[pki.ClientRoot])
			},
			[]report.Opening{{From: pki.ClientCA, To: []pki.Role{pki.EtcdServerCA}}},
			map[string]string{
				"roots": "k3s-client-root@1795377600", "roles": "client-ca, etcd-server-ca",
				"opens": "client-ca > etcd-server-ca", "etcd": "client-ca",
			},
		}, {
			// Two files, two answers: in one of them the root is good for servers
			// only.
			"the client root in two files", func(c *cluster) {
				c.order[pki.EtcdServerCA] = append(slices.Clone(c.order[pki.EtcdServerCA]), c.certs[pki.ClientRoot])
				limited := *c.certs[pki.ClientRoot]
				limited.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
				c.order[pki.EtcdPeerCA] = append(slices.Clone(c.order[pki.EtcdPeerCA]),
					sign(c.t, &limited, &limited, limited.PublicKey, c.keys[pki.ClientRoot]))
			},
			[]report.Opening{{From: pki.ClientCA, To: []pki.Role{pki.EtcdServerCA}}},
			map[string]string{
				"roots": "k3s-client-root@1795377600", "roles": "client-ca, etcd-server-ca",
				"opens": "client-ca > etcd-server-ca", "etcd": "client-ca",
			},
		}, {
			"one CA in two places", func(c *cluster) {
				c.order[pki.EtcdPeerCA], c.files["tls/etcd/peer-ca.key"] = c.order[pki.ClientCA], c.files["tls/client-ca.key"]
			},
			[]report.Opening{{From: pki.ClientCA, To: []pki.Role{pki.EtcdPeerCA}}, {From: pki.EtcdPeerCA, To: []pki.Role{pki.ClientCA}}},
			map[string]string{
				"roots": "k3s-client-root@1795377600", "roles": "client-ca, etcd-peer-ca",
				"opens": "client-ca > etcd-peer-ca; etcd-peer-ca > client-ca", "admin": "etcd-peer-ca", "peer": "client-ca",
			},
		}, {
			// One authority, twice in one file: it lets nobody else in.
			"the client root in etcd's file, and a cross-signed server root", func(c *cluster) {
				c.cross("cross new old", pki.ServerCA)
				c.order[pki.EtcdServerCA] = append(slices.Clone(c.order[pki.EtcdServerCA]), c.certs[pki.ClientRoot])
			},
			[]report.Opening{{From: pki.ClientCA, To: []pki.Role{pki.EtcdServerCA}}},
			map[string]string{
				"roots": "k3s-client-root@1795377600", "roles": "client-ca, etcd-server-ca",
				"opens": "client-ca > etcd-server-ca", "etcd": "client-ca",
			},
		}, {
			// A cross certificate may be all that is left of the way.
			"the client root, signed by etcd's, in no file", func(c *cluster) {
				old, signer := c.certs[pki.EtcdServerRoot], c.keys[pki.EtcdServerRoot]
				cross := ca(c.t, "", c.keys[pki.ClientRoot].Public(), old, signer, func(n *x509.Certificate) { n.RawSubject = c.certs[pki.ClientRoot].RawSubject })
				c.order[pki.ClientCA] = append(slices.Clone(c.order[pki.ClientCA]), cross)
			},
			[]report.Opening{{From: pki.ClientCA, To: []pki.Role{pki.EtcdServerCA}}},
			map[string]string{
				"roots": "k3s-etcd-server-root@1795377600", "roles": "client-ca, etcd-server-ca",
				"opens": "client-ca > etcd-server-ca", "etcd": "client-ca",
			},
		}, {
			// Go demands the usage along the whole path: this root lets servers
			// through and no client.
			"a shared root for servers only", func(c *cluster) {
				c.reissue(pki.ClientRoot, func(r, _ *x509.Certificate) { r.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
				c.order[pki.EtcdServerCA] = append(slices.Clone(c.order[pki.EtcdServerCA]), c.certs[pki.ClientRoot])
			}, nil, nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newCluster(t, pki.Isolated)
			c.fault(b)
			v := verify(t, b.bundle())
			if !slices.EqualFunc(v.Openings, c.want, func(a, b report.Opening) bool { return a.From == b.From && slices.Equal(a.To, b.To) }) {
				t.Errorf("openings %v, want %v", v.Openings, c.want)
			}
			i := slices.IndexFunc(v.Findings, func(f pki.Finding) bool { return f.Code == "shared-trust" })
			if (i >= 0) != (c.args != nil) {
				t.Fatalf("findings %v", v.Findings)
			}
			for name, want := range c.args {
				if got := v.Findings[i].Args[name]; got != want {
					t.Errorf("argument %s is %q, want %q", name, got, want)
				}
			}
			if i >= 0 && len(v.Findings[i].Args) != len(c.args) {
				t.Errorf("arguments %v, want %v", v.Findings[i].Args, c.args)
			}
		})
	}
}

// The way from one root for all to own ones: as long as the files hold the old
// root the doors stay open, and after that the server's file alone ends in it,
// where no client is asked for. A cross certificate bears name and key of the new
// root: in a trust file it lets in what is under that, and nobody else.
func TestSharedTrustOnTheWayToOwnRoots(t *testing.T) {
	others := func(role pki.Role) []pki.Role {
		return slices.DeleteFunc(slices.Clone(leafCAs), func(r pki.Role) bool { return r == role })
	}
	var all, toServer, toClient []report.Opening
	for _, role := range leafCAs {
		all = append(all, report.Opening{From: role, To: others(role)})
		if role != pki.ServerCA {
			toServer = append(toServer, report.Opening{From: role, To: []pki.Role{pki.ServerCA}})
		}
		if role != pki.ServerCA && role != pki.ClientCA {
			toClient = append(toClient, report.Opening{From: role, To: []pki.Role{pki.ServerCA, pki.ClientCA}})
		}
	}
	const fourDoors = "server-ca > client-ca, request-header-ca, etcd-peer-ca, etcd-server-ca; " +
		"client-ca > request-header-ca, etcd-peer-ca, etcd-server-ca; request-header-ca > client-ca, etcd-peer-ca, etcd-server-ca; " +
		"etcd-peer-ca > client-ca, request-header-ca, etcd-server-ca; etcd-server-ca > client-ca, request-header-ca, etcd-peer-ca"
	for _, c := range []struct {
		name     string
		topology pki.Topology
		change   func(*cluster)
		want     []report.Opening
		opens    string // empty: no finding
	}{
		{"isolated", pki.Isolated, func(*cluster) {}, nil, ""},
		{"one root for all", pki.Shared, func(*cluster) {}, all, fourDoors},
		{"the old root stays in all files", pki.Shared, func(c *cluster) { c.cross("cross new old", leafCAs[1:]...) }, all, fourDoors},
		{"the old root stays without the new one", pki.Shared, func(c *cluster) { c.cross("cross old", leafCAs[1:]...) }, all, fourDoors},
		{"the old root stays in one file", pki.Shared, func(c *cluster) {
			c.cross("cross new", leafCAs[2:]...)
			c.cross("cross new old", pki.ClientCA)
		}, slices.Concat([]report.Opening{{From: pki.ServerCA, To: []pki.Role{pki.ClientCA}}, toServer[0]}, toClient),
			"server-ca > client-ca; request-header-ca > client-ca; etcd-peer-ca > client-ca; etcd-server-ca > client-ca"},
		{"the old root is gone", pki.Shared, func(c *cluster) { c.cross("cross new", leafCAs[1:]...) }, toServer, ""},
		{"the old root is gone, the previous CAs are kept", pki.Shared, func(c *cluster) { c.cross("cross new previous", leafCAs[1:]...) }, toServer, ""},
		{"the cross certificates are gone", pki.Shared, func(c *cluster) { c.cross("new", leafCAs[1:]...) }, nil, ""},
		{"server-ca for servers alone", pki.Shared, func(c *cluster) {
			c.cross("cross new", pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA)
			c.reissue(pki.ServerCA, func(l, _ *x509.Certificate) { l.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
		}, slices.Concat(toServer[:1], toClient), "request-header-ca > client-ca; etcd-peer-ca > client-ca; etcd-server-ca > client-ca"},
		{"client-ca for clients alone", pki.Shared, func(c *cluster) {
			c.cross("new", pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA)
			c.reissue(pki.ClientCA, func(l, _ *x509.Certificate) { l.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
		}, []report.Opening{{From: pki.ServerCA, To: []pki.Role{pki.ClientCA}}}, "server-ca > client-ca"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newCluster(t, c.topology)
			root := pki.Name(b.certs[pki.Root])
			c.change(b)
			v := verify(t, b.bundle())
			if !slices.EqualFunc(v.Openings, c.want, func(a, b report.Opening) bool { return a.From == b.From && slices.Equal(a.To, b.To) }) {
				t.Errorf("openings %v, want %v", v.Openings, c.want)
			}
			i := slices.IndexFunc(v.Findings, func(f pki.Finding) bool { return f.Code == "shared-trust" })
			if (i >= 0) != (c.opens != "") {
				t.Fatalf("findings %v", v.Findings)
			}
			if i >= 0 && (v.Findings[i].Args["roots"] != root || v.Findings[i].Args["opens"] != c.opens) {
				t.Errorf("arguments %v, want the root %s and what opens: %s", v.Findings[i].Args, root, c.opens)
			}
		})
	}
	if v := verify(t, defaultCluster(t).bundle()); len(v.Openings) > 0 || has(v.Findings, "shared-trust") {
		t.Errorf("a default cluster: %v, %v", v.Openings, v.Findings)
	}
}

// Every single leaf is named when only some fail; the count when all do.
func TestProbesNameWhatFails(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	c.reissue(pki.Root, func(r, _ *x509.Certificate) { r.ExcludedDNSDomains = []string{"kubernetes"} })
	v := verify(t, c.bundle())
	var leaves []string
	for _, f := range v.Findings {
		if f.Code == "probe-path" {
			leaves = append(leaves, f.Args["leaf"])
		}
	}
	if want := []string{"serving-kube-apiserver", "dynamic-cert"}; !slices.Equal(leaves, want) {
		t.Errorf("leaves %v, want %v", leaves, want)
	}
	if want := (report.Probes{Go: report.Tally{Run: 18}, Path: report.Tally{Run: 18, Failed: 2}}); v.Probes != want {
		t.Errorf("probes %+v, want %+v", v.Probes, want)
	}

	c = newCluster(t, pki.Isolated)
	c.order[pki.ClientCA] = c.order[pki.ClientCA][:1]
	c.files["tls/etcd/peer-ca.key"] = nil
	v = verify(t, c.bundle())
	if want := (report.Probes{Go: report.Tally{Run: 17}, Path: report.Tally{Run: 17, Failed: 9}, Skipped: 1}); v.Probes != want {
		t.Errorf("probes %+v, want %+v", v.Probes, want)
	}
	i := slices.IndexFunc(v.Findings, func(f pki.Finding) bool { return f.Code == "probe-path-domain" })
	if i < 0 || v.Findings[i].Args["leaves"] != "9" {
		t.Errorf("findings %v", v.Findings)
	}
}
