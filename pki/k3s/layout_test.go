package k3s_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// The files of k3s and RKE2 are the same; what differs is what stands in the
// subjects.
func TestLayouts(t *testing.T) {
	const isolated = `
root                 root          -                   root-ca              -                      root-ca
intermediate         intermediate  root                intermediate-ca      -                      intermediate-ca
server-ca            ca            intermediate        server-ca            tls/server-ca          -
client-root          root          -                   client-root          -                      client-root
client-ca            ca            client-root         client-ca            tls/client-ca          -
request-header-root  root          -                   request-header-root  -                      request-header-root
request-header-ca    ca            request-header-root request-header-ca    tls/request-header-ca  -
etcd-peer-root       root          -                   etcd-peer-root       -                      etcd-peer-root
etcd-peer-ca         ca            etcd-peer-root      etcd-peer-ca         tls/etcd/peer-ca       -
etcd-server-root     root          -                   etcd-server-root     -                      etcd-server-root
etcd-server-ca       ca            etcd-server-root    etcd-server-ca       tls/etcd/server-ca     -`
	const shared = `
root                 root          -                   root-ca              -                      root-ca
intermediate         intermediate  root                intermediate-ca      -                      intermediate-ca
client-ca            ca            intermediate        client-ca            tls/client-ca          -
server-ca            ca            intermediate        server-ca            tls/server-ca          -
request-header-ca    ca            intermediate        request-header-ca    tls/request-header-ca  -
etcd-peer-ca         ca            intermediate        etcd-peer-ca         tls/etcd/peer-ca       -
etcd-server-ca       ca            intermediate        etcd-server-ca       tls/etcd/server-ca     -`
	for _, distro := range []pki.Distro{pki.K3s, pki.RKE2, ""} {
		for topology, want := range map[pki.Topology]string{pki.Isolated: isolated, pki.Shared: shared, "": isolated} {
			layout, err := k3s.Layout(pki.Plan{Distro: distro, Topology: topology})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range layout.Rows {
				fields := []string{string(row.Role), string(row.Tier), string(row.Issuer), row.Name, row.Path, row.Safe}
				for i, f := range fields {
					if f == "" {
						fields[i] = "-"
					}
				}
				got = append(got, strings.Join(fields, " "))
			}
			var lines []string
			for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
			if slices.Sort(got); !slices.Equal(got, sorted(lines)) {
				t.Errorf("%s/%s:\n%s", distro, topology, strings.Join(got, "\n"))
			}
			product := map[pki.Distro]string{pki.K3s: "k3s", pki.RKE2: "rke2", "": "k3s"}[distro]
			if layout.Product != product || layout.ServicePath != "tls/service.key" {
				t.Errorf("%s: product %s, service key %s", distro, layout.Product, layout.ServicePath)
			}
			issuersFirst(t, layout)
		}
	}
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

// issuersFirst: a row stands behind its issuer's.
func issuersFirst(t *testing.T, layout pki.Layout) {
	t.Helper()
	seen := map[pki.Role]bool{"": true}
	for _, row := range layout.Rows {
		if !seen[row.Issuer] || seen[row.Role] {
			t.Errorf("%s stands before its issuer %q, or twice", row.Role, row.Issuer)
		}
		seen[row.Role] = true
	}
}

func TestLayoutRefused(t *testing.T) {
	_, err := k3s.Layout(pki.Plan{Distro: "openshift", Topology: "Isolated", Name: "A", Time: pki.At(time.Unix(1_800_000_000, 0))})
	var refusal *pki.Refusal
	if !errors.As(err, &refusal) || fmt.Sprint(refusal.Findings) != `[error: plan-value (distro) value="openshift" want="k3s, rke2" error: plan-value (topology) value="Isolated" want="isolated, shared" error: plan-name (name) value="A"]` {
		t.Errorf("%v", err)
	}
}

// A layout is the caller's own: changing it changes no other.
func TestLayoutIsACopy(t *testing.T) {
	for range 2 {
		layout, err := k3s.Layout(pki.Plan{})
		if err != nil || layout.Rows[0].Role != pki.Root || layout.Names[pki.ServerCA][0] != "kubernetes" {
			t.Fatal(layout, err)
		}
		layout.Rows[0].Role, layout.Names[pki.ServerCA][0] = "mine", "mine"
	}
}

// The order in which k3s validates a rotation.
func TestAuthorityPaths(t *testing.T) {
	var got []string
	for _, row := range k3s.AuthorityPaths() {
		got = append(got, row.Path)
	}
	if want := "[tls/etcd/server-ca tls/etcd/peer-ca tls/server-ca tls/client-ca tls/request-header-ca]"; fmt.Sprint(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestProducts(t *testing.T) {
	for _, tt := range []struct {
		distro           pki.Distro
		command, dir     string
		port             int
		supervisorSecret string
	}{
		{pki.K3s, "k3s", "/var/lib/rancher/k3s/server/tls", 6443, "k3s"},
		{pki.RKE2, "rke2", "/var/lib/rancher/rke2/server/tls", 9345, "rke2"},
	} {
		p, ok := k3s.ProductOf(tt.distro)
		if !ok || p.Command != tt.command || p.TLSDir() != tt.dir || p.Port != tt.port || p.Prefix != tt.supervisorSecret || p.TLSDir() != p.ServerDir()+"/tls" {
			t.Errorf("%s: %+v", tt.distro, p)
		}
	}
	if _, ok := k3s.ProductOf("openshift"); ok {
		t.Error("openshift is known")
	}
}
