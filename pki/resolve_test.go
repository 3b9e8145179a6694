package pki_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"rootkiln/pki"
)

// No verifier notices a child that outlives its issuer, so no plan makes one.
func TestLifetimesEndWithTheIssuer(t *testing.T) {
	root := authority(t, "corporate", pki.P384, nil, func(c *x509.Certificate) {
		c.NotBefore = issueTime.Add(-time.Minute) // younger than our hour of backdating
		c.NotAfter = issueTime.AddDate(3, 0, 0)
	})
	r, found := resolve(t, newPlan(), at(pki.Root, root))
	for _, role := range []pki.Role{pki.Intermediate, pki.ServerCA} {
		s, _ := r.Spec(role)
		if !s.NotAfter.Equal(root.Certificate.NotAfter) || !s.NotBefore.Equal(root.Certificate.NotBefore) {
			t.Errorf("%s lives from %s to %s", role, s.NotBefore, s.NotAfter)
		}
	}
	wantCodes(t, found, "plan-lifetime-cut", "plan-lifetime-cut")
	cut := found[0]
	if cut.Subject != "intermediate" || cut.Args["issuer"] != "root" || cut.Args["asked"] != "2036-11-19T18:59:59Z" || cut.Args["end"] != "2029-11-22T20:00:00Z" {
		t.Errorf("%v", cut)
	}
	if s, _ := r.Spec(pki.ClientCA); s.NotAfter.String() != "2036-11-19T18:59:59Z" {
		t.Errorf("client-ca, which has a root of its own, ends %s", s.NotAfter)
	}
}

// k3s renews leaf certificates 120 days before their end (k3s #12232): a CA
// that lives no longer has leaves that are renewed at every start.
func TestShortAndLongLives(t *testing.T) {
	const day = 24 * time.Hour
	ends := func(left time.Duration) pki.Lifetime { return pki.Lifetime(issueTime.Add(left).Format(time.RFC3339)) }
	cas := slices.Repeat([]pki.Code{"plan-short-life"}, 5)
	for _, tt := range []struct {
		name     string
		validity pki.Lifetimes
		want     []pki.Code // notices and warnings
		refused  []pki.Code
	}{
		{"leaf CAs of 120 days", pki.Lifetimes{CA: ends(120 * day)}, nil, nil},
		{"a second less", pki.Lifetimes{CA: ends(120*day - time.Second)}, cas, nil},
		{"roots of 30 years", pki.Lifetimes{Root: ends(30 * 365 * day)}, nil, nil},
		{"a second more", pki.Lifetimes{Root: ends(30*365*day + time.Second)}, slices.Repeat([]pki.Code{"plan-long-life"}, 5), nil},
		{"over in a second", pki.Lifetimes{CA: ends(time.Second)}, cas, nil},
		{"over at once", pki.Lifetimes{CA: ends(0)}, nil, slices.Repeat([]pki.Code{"plan-lifetime-order"}, 5)},
		{"an intermediate that is over", pki.Lifetimes{Intermediate: ends(-day)}, nil, []pki.Code{"plan-lifetime-order", "plan-lifetime-order"}},
		{"an intermediate too short for its CA", pki.Lifetimes{Intermediate: ends(100 * day)}, nil, []pki.Code{"issuer-short-life"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := newPlan(func(p *pki.Plan) { p.Validity = tt.validity })
			_, found, err := pki.Resolve(plan, layoutOf(t, plan), pki.Given{})
			if tt.refused != nil {
				wantRefusal(t, err, tt.refused...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantCodes(t, found, tt.want...)
		})
	}
}

// Subjects are the upstream script's, so that people find their way; the name
// of the cluster stands beside it.
func TestSubjects(t *testing.T) {
	for _, tt := range []struct {
		distro pki.Distro
		role   pki.Role
		cn     string
	}{
		{pki.K3s, pki.ServerCA, "k3s-server-ca@1795377600"},
		{pki.K3s, pki.EtcdPeerCA, "k3s-etcd-peer-ca@1795377600"},
		{pki.K3s, pki.Root, "k3s-root-ca@1795377600"},
		{pki.K3s, pki.ClientRoot, "k3s-client-root@1795377600"},
		{pki.RKE2, pki.ServerCA, "rke2-server-ca@1795377600"},
		{pki.RKE2, pki.EtcdPeerCA, "rke2-etcd-peer-ca@1795377600"},
	} {
		plan := newPlan(func(p *pki.Plan) {
			p.Distro, p.Name, p.Organization, p.Keys = tt.distro, "site-1", []string{"窯業", "Kiln"}, ecKeys
		})
		c := issue(t, plan, pki.Given{}).Authorities[tt.role].Certificate.Subject
		slices.Sort(c.Organization) // a SET
		if c.CommonName != tt.cn || !slices.Equal(c.Organization, []string{"Kiln", "窯業"}) || !slices.Equal(c.OrganizationalUnit, []string{"site-1"}) {
			t.Errorf("%s: subject %s, want CN %s", tt.role, c, tt.cn)
		}
	}
}

// Who has no key here, and what that leaves to do.
func TestElsewhere(t *testing.T) {
	for _, tt := range []struct {
		name      string
		topology  pki.Topology
		elsewhere []pki.Role
		requests  []pki.Role
	}{
		{"nothing", pki.Isolated, nil, nil},
		{"the root", pki.Isolated, []pki.Role{pki.Root}, []pki.Role{pki.Intermediate}},
		{"root and intermediate", pki.Isolated, []pki.Role{pki.Root, pki.Intermediate}, []pki.Role{pki.ServerCA}},
		{"a root of one domain", pki.Isolated, []pki.Role{pki.ClientRoot}, []pki.Role{pki.ClientCA}},
		{"every root", pki.Isolated, []pki.Role{pki.Root, pki.ClientRoot, pki.RequestHeaderRoot, pki.EtcdPeerRoot, pki.EtcdServerRoot},
			[]pki.Role{pki.Intermediate, pki.ClientCA, pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA}},
		{"the intermediate of all", pki.Shared, []pki.Role{pki.Root, pki.Intermediate},
			[]pki.Role{pki.ServerCA, pki.ClientCA, pki.RequestHeaderCA, pki.EtcdPeerCA, pki.EtcdServerCA}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := resolve(t, newPlan(func(p *pki.Plan) { p.Topology, p.Elsewhere = tt.topology, tt.elsewhere }), pki.Given{})
			var roles []pki.Role
			for _, s := range r.Requests() {
				roles = append(roles, s.Role)
			}
			if !slices.Equal(roles, tt.requests) {
				t.Errorf("requests %v, want %v", roles, tt.requests)
			}
		})
	}
}

// A role of the other topology has no place in the plan.
func TestGivenAuthorityWithoutPlace(t *testing.T) {
	other := authority(t, "corporate", pki.P384, nil)
	plan := newPlan(func(p *pki.Plan) { p.Topology = pki.Shared })
	wantCodes(t, refused(t, plan, at(pki.ClientRoot, other)), "plan-not-used")
	for range 20 { // the order must not depend on chance
		found := refused(t, plan, pki.Given{Authorities: map[pki.Role]*pki.Authority{pki.EtcdPeerRoot: other, pki.ClientRoot: other}})
		if found[0].Subject != "client-root" || found[1].Subject != "etcd-peer-root" {
			t.Errorf("%v", found)
		}
	}
	plan.Elsewhere = []pki.Role{pki.ClientRoot}
	wantCodes(t, refused(t, plan, pki.Given{}), "plan-value")
}

func TestServiceKeys(t *testing.T) {
	old, older := newKey(t, pki.RSA2048), newKey(t, pki.P256)
	given := pki.Given{ServiceKeys: []pki.Key{old, older}}
	r, found := resolve(t, newPlan(), given)
	wantCodes(t, found)
	if r.Service.Key != pki.RSA2048 || len(r.Service.Keep) != 2 {
		t.Errorf("a new key before the old ones: %+v", r.Service)
	}
	keep := newPlan(func(p *pki.Plan) { p.Inputs.KeepServiceKey = true })
	if r, _ := resolve(t, keep, given); r.Service.Key != "" || len(r.Service.Keep) != 2 {
		t.Errorf("the old keys alone: %+v", r.Service)
	}
	// A new key in the place of the kept one would end every token.
	_, _, err := pki.Resolve(keep, layoutOf(t, keep), pki.Given{})
	wantRefusal(t, err, "service-key-none")
	_, found = resolve(t, newPlan(), pki.Given{ServiceKeys: []pki.Key{old, older, old}})
	wantCodes(t, found, "service-key-duplicate")

	root := authority(t, "corporate", pki.P384, nil)
	shared := at(pki.Root, root)
	shared.ServiceKeys = []pki.Key{root.Key}
	wantCodes(t, refused(t, newPlan(), shared), "service-key-is-ca")
}
