package whole

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// roles are the five CAs by the names that rootkiln gives them, with their
// files.
var roles = []struct{ name, file string }{
	{"server-ca", "server-ca"}, {"client-ca", "client-ca"}, {"request-header-ca", "request-header-ca"},
	{"etcd-peer-ca", "etcd/peer-ca"}, {"etcd-server-ca", "etcd/server-ca"},
}

// intruder is whom a certificate of the wrong CA would like to be.
var intruder = testbed.User{Name: "mallory", Groups: []string{"system:masters"}}

// door is a place where a server, or a client, lets in who shows a certificate
// of one CA. try comes with a certificate of any CA and returns the answer.
type door struct {
	name   string
	role   string // the CA that ought to open it
	opened string // the answer that lets everything through
	closed string // the answer to a stranger
	try    func(*testing.T, *cluster, *testbed.Authority) string
}

// doors are those of a cluster with its store.
func (c *cluster) doors() []door {
	// A server that keeps its files elsewhere than in etcd knows the client,
	// but has nothing for a joining server.
	bootstrapped := map[store]string{sqlite: "400", etcd: "all CA keys"}[c.store]
	doors := []door{
		{"administrator", "client-ca", intruder.Name, "401", administrator(apiserver)},
		{"administrator at k3s's port", "client-ca", intruder.Name, "401", administrator(supervisor)},
		{"bootstrap data", "client-ca", bootstrapped, "401", bootstrapData},
		{"front proxy", "request-header-ca", intruder.Name, "401", inTheNameOf(apiserver)},
		{"front proxy at k3s's port", "request-header-ca", intruder.Name, "401", inTheNameOf(supervisor)},
		{"API server for clients", "server-ca", "trusted", "not trusted", pretendServer},
	}
	if c.store == etcd {
		doors = append(doors,
			door{"etcd", "etcd-server-ca", "all data", "no handshake", etcdData},
			door{"etcd peer", "etcd-peer-ca", "200", "no handshake", etcdPeer})
	}
	return doors
}

// aliens are certificates that k3s makes for clients of one trust domain, with
// the user that the API takes each for when its CA opens the API's door. The
// first is on every agent.
var aliens = []struct{ file, role, user string }{
	{"client-kube-proxy", "client-ca", "system:kube-proxy"},
	{"client-k3s-controller", "client-ca", "system:k3s-controller"},
	{"client-admin", "client-ca", "system:admin"},
	{"client-auth-proxy", "request-header-ca", "system:auth-proxy"},
	{"etcd/client", "etcd-server-ca", "etcd-client"},
	{"etcd/server-client", "etcd-server-ca", "etcd-server"},
	{"etcd/peer-server-client", "etcd-peer-ca", "etcd-peer"},
	{"serving-kube-apiserver", "server-ca", "401"}, // no client, by its extended key usage
}

// probe tries every door with every CA and every alien, and compares what opens
// with the topology and with what `rootkiln verify` says of it.
func (c *cluster) probe(t *testing.T, stage string) {
	t.Helper()
	t.Run("isolation, "+stage, func(t *testing.T) {
		opened := c.tryDoors(t)
		for _, alien := range aliens {
			want := "401"
			if c.opens(alien.role, "client-ca") {
				want = alien.user
			}
			c.expect(t, alien.file+" at the API", whoAmI(c.as(t, alien.file), apiserver), want)
			if c.store != etcd || alien.user == "401" {
				continue
			}
			want = "no handshake"
			if c.opens(alien.role, "etcd-server-ca") {
				want = "all data"
			}
			c.expect(t, alien.file+" at etcd", c.rangeKeys(t, testbed.LoadPair(t, c.tls(alien.file))), want)
		}
		t.Run("verify says so", func(t *testing.T) { c.compareOpenings(t, opened) })
	})
}

// expect is one probe.
func (c *cluster) expect(t *testing.T, what, got, want string) {
	t.Helper()
	tally.probes++
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

// pair is a CA that opens another one's door.
type pair struct{ from, to string }

// tryDoors returns the pairs of CAs for which a door opened that should be
// shut. A pair with two doors counts only when both agree.
func (c *cluster) tryDoors(t *testing.T) map[pair]bool {
	t.Helper()
	opened := map[pair]bool{}
	for _, role := range roles {
		authority := testbed.ReadAuthority(t, c.tls(role.file))
		for _, d := range c.doors() {
			got := d.try(t, c, authority)
			c.expect(t, d.name+" with a certificate of "+role.name, got, c.answer(d, role.name))
			if role.name == d.role {
				continue
			}
			p := pair{role.name, d.role}
			if before, ok := opened[p]; ok && before != (got == d.opened) {
				t.Errorf("%s opens to %s, another door of %s does not, or the reverse", d.name, role.name, d.role)
			}
			opened[p] = got == d.opened
		}
	}
	maps.DeleteFunc(opened, func(_ pair, open bool) bool { return !open })

	// The intermediate is above server-ca, in the shared topology above all.
	intermediate := testbed.ReadAuthority(t, filepath.Join(c.bundle.Offline, "intermediate-ca"))
	for _, d := range c.doors() {
		c.expect(t, d.name+" with a certificate of the intermediate", d.try(t, c, intermediate), c.answer(d, "server-ca"))
	}
	return opened
}

// opens tells whether certificates of one CA are accepted where those of the
// other belong.
func (c *cluster) opens(from, to string) bool {
	return from == to || c.topology == shared || c.open[pair{from, to}]
}

// answer is what a door must say to a certificate of the CA.
func (c *cluster) answer(d door, role string) string {
	switch {
	case c.opens(role, d.role):
		return d.opened
	case d.role == "request-header-ca" && c.opens(role, "client-ca"):
		return "system:auth-proxy" // a user like any other, whose headers nobody reads
	}
	return d.closed
}

// compareOpenings wants `rootkiln verify` to have said exactly what opened,
// where the store has a door to try.
func (c *cluster) compareOpenings(t *testing.T, opened map[pair]bool) {
	probed := map[string]bool{}
	for _, d := range c.doors() {
		probed[d.role] = true
	}
	named := map[pair]bool{}
	for _, said := range testbed.Openings(t, c.bundle.Dir) {
		p := pair{said[0], said[1]}
		named[p] = true
		if probed[p.to] && !opened[p] {
			t.Errorf("verify says that %s opens the door of %s, which it does not", p.from, p.to)
		}
	}
	for p := range opened {
		if !named[p] {
			t.Errorf("%s opens the door of %s, and verify does not say so", p.from, p.to)
		}
	}
	logins := 0 // server-ca.crt vouches for servers: that door lets nobody in
	for p := range opened {
		if p.to != "server-ca" {
			logins++
		}
	}
	if found := slices.Contains(testbed.Codes(testbed.Verify(t, c.bundle.Dir), "warning"), "shared-trust"); found != (logins > 0) {
		t.Errorf("finding shared-trust: %t, pairs that open: %d", found, logins)
	}
	t.Logf("%d pairs open, verify names %d", len(opened), len(named))
}

// administrator comes as a member of the group that may do everything.
func administrator(server string) func(*testing.T, *cluster, *testbed.Authority) string {
	return func(t *testing.T, c *cluster, ca *testbed.Authority) string {
		pair := ca.Mint(t, intruder.Name, intruder.Groups...)
		return whoAmI(testbed.Client{Root: c.root, Certificate: &pair}, server)
	}
}

// inTheNameOf comes as the front proxy, which names the user itself.
func inTheNameOf(server string) func(*testing.T, *cluster, *testbed.Authority) string {
	return func(t *testing.T, c *cluster, ca *testbed.Authority) string {
		pair := ca.Mint(t, "system:auth-proxy")
		return whoAmI(testbed.Client{Root: c.root, Certificate: &pair, Header: onBehalfOf(intruder)}, server)
	}
}

// whoAmI is the user's name, or the status.
func whoAmI(client testbed.Client, server string) string {
	user, err := client.WhoAmI(server)
	switch {
	case err == nil:
		return user.Name
	case strings.HasPrefix(err.Error(), "status 401: "):
		return "401"
	}
	return err.Error()
}

// oneRootTooMany lets the client CA and etcd's CA in at each other's doors, and
// leaves the rest shut: what `rootkiln verify` says of it must be as exact.
func oneRootTooMany(t *testing.T) {
	c := found(t, isolated, etcd)
	c.open = map[pair]bool{}
	for _, p := range []struct{ from, to, root, file string }{
		{"client-ca", "etcd-server-ca", "client-root", "etcd/server-ca.crt"},
		{"etcd-server-ca", "client-ca", "etcd-server-root", "client-ca.crt"},
	} {
		text := append(read(t, c.bundle.TLS(p.file)), read(t, c.anchor(p.root))...)
		testbed.Write(t, c.bundle.TLS(p.file), text)
		testbed.Write(t, c.tls(p.file), text)
		c.open[pair{p.from, p.to}] = true
	}
	c.start(t)
	c.probe(t, "first start")
}
