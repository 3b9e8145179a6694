package pki_test

import (
	"strings"
	"testing"

	"rootkiln/pki"
)

// A plan with nothing but a time is complete: every other choice has a default.
func TestDefaults(t *testing.T) {
	r, found := resolve(t, newPlan(), pki.Given{})
	wantCodes(t, found)
	if r.Distro != pki.K3s || r.Topology != pki.Isolated || r.Profile != pki.Strict {
		t.Errorf("distro %q, topology %q, profile %q", r.Distro, r.Topology, r.Profile)
	}
	for _, tt := range []struct {
		role  pki.Role
		key   pki.KeySpec
		years int64
	}{
		{pki.Root, pki.P384, 20}, {pki.Intermediate, pki.P384, 10}, {pki.ServerCA, pki.P256, 10},
		{pki.ClientRoot, pki.P384, 20}, {pki.ClientCA, pki.P256, 10},
	} {
		s, ok := r.Spec(tt.role)
		if life := s.NotAfter.Unix() - s.NotBefore.Unix() + 1; !ok || s.Key != tt.key || life != tt.years*365*86400 {
			t.Errorf("%s: key %s, %d s", tt.role, s.Key, life)
		}
	}
	if r.Service.Key != pki.RSA2048 {
		t.Errorf("service key %s", r.Service.Key)
	}
}

func TestInvalidValues(t *testing.T) {
	key := func(p *pki.Plan, tier string) *pki.KeySpec {
		return map[string]*pki.KeySpec{
			"keys.root": &p.Keys.Root, "keys.intermediate": &p.Keys.Intermediate,
			"keys.ca": &p.Keys.CA, "keys.service": &p.Keys.Service,
		}[tier]
	}
	life := func(p *pki.Plan, tier string) *pki.Lifetime {
		return map[string]*pki.Lifetime{
			"validity.root": &p.Validity.Root, "validity.intermediate": &p.Validity.Intermediate, "validity.ca": &p.Validity.CA,
		}[tier]
	}
	type invalid struct {
		field, value string
		code         pki.Code
		edit         func(p *pki.Plan, field, value string)
	}
	var tests []invalid
	add := func(field string, code pki.Code, edit func(p *pki.Plan, field, value string), values ...string) {
		for _, value := range values {
			tests = append(tests, invalid{field, value, code, edit})
		}
	}
	add("distro", "plan-value", func(p *pki.Plan, _, v string) { p.Distro = pki.Distro(v) }, "openshift", "rke2", "K3S")
	add("profile", "plan-value", func(p *pki.Plan, _, v string) { p.Profile = pki.Profile(v) }, "lax")
	for _, field := range []string{"keys.root", "keys.intermediate", "keys.ca", "keys.service"} {
		add(field, "plan-value", func(p *pki.Plan, f, v string) { *key(p, f) = pki.KeySpec(v) }, "rsa1024", "p224", "P256", "x")
		add(field, "plan-ed25519", func(p *pki.Plan, f, v string) { *key(p, f) = pki.KeySpec(v) }, "ed25519")
	}
	for _, field := range []string{"validity.root", "validity.intermediate", "validity.ca"} {
		add(field, "plan-lifetime", func(p *pki.Plan, f, v string) { *life(p, f) = pki.Lifetime(v) },
			"10", "0y", "01y", "+1y", "1dy", "y", "-1d", "10Y", "1.5y", " 10y", "1y6d", "8000y", "9999999d", "99999999h", "2036-13-01", "for ever", "9999-12-31T23:59:59-01:00")
	}
	add("name", "plan-name", func(p *pki.Plan, _, v string) { p.Name = v },
		"Prod", "-a", "a-", "a.b", "a_b", "a b", "../a", "é", strings.Repeat("a", 64))
	add("organization", "plan-text", func(p *pki.Plan, _, v string) { p.Organization = []string{"Good", v} },
		"", strings.Repeat("a", 65), "a\nb", "a\x00b", "a\x7fb", "a\u0085b", "a\u2028b", "a\u2029b", "\xff")
	add("time", "plan-time-missing", func(p *pki.Plan, _, _ string) { p.Time = pki.Time{} }, "")
	add("time", "date-before-1970", func(p *pki.Plan, _, v string) { p.Time = parseTime(t, v) }, "1970-01-01T00:59:59Z", "1960-01-01", "0000-01-01")
	add("elsewhere", "plan-value", func(p *pki.Plan, _, v string) { p.Elsewhere = []pki.Role{pki.Role(v)} },
		"server-ca", "service", "client-intermediate", "")
	constrain := func(p *pki.Plan, field, v string) {
		p.NameConstraints = &pki.NameConstraints{}
		if field == "nameConstraints.permittedDNS" {
			p.NameConstraints.PermittedDNS = []string{v}
		} else {
			p.NameConstraints.PermittedIP = []string{v}
		}
	}
	add("nameConstraints.permittedDNS", "plan-value", constrain,
		"", ".", "*.example.org", "a b", "http://x", "me@example.org", "bücher.example", "a\u2028b", "a..b", "a\x01", "\u212Aube.example", strings.Repeat("a", 254))
	add("nameConstraints.permittedIP", "plan-value", constrain, "", "10.0.0.0", "10.0.0.0/33", "fd00::/129", "x")

	for _, tt := range tests {
		t.Run(tt.field+"="+tt.value, func(t *testing.T) {
			plan := newPlan()
			tt.edit(&plan, tt.field, tt.value)
			_, _, err := pki.Resolve(plan, layoutOf(t, newPlan()), pki.Given{})
			found := reasons(t, err)
			wantCodes(t, found, tt.code)
			if found[0].Subject != tt.field {
				t.Errorf("subject %q, want %q", found[0].Subject, tt.field)
			}
			if v, told := found[0].Args["value"]; told && v != tt.value {
				t.Errorf("value %q, want %q", v, tt.value)
			}
		})
	}
}

// What is wrong with a plan by itself can be told before anything else is read.
func TestCheckPlan(t *testing.T) {
	if found := newPlan().Check(); len(found) > 0 {
		t.Errorf("%v", found)
	}
	wantCodes(t, pki.Plan{Name: "Prod"}.Check(), "plan-name", "plan-time-missing")
}

// All that is wrong is told at once, in the order of the plan's fields.
func TestEveryFaultOfAPlanAtOnce(t *testing.T) {
	plan := newPlan(func(p *pki.Plan) {
		p.Profile, p.Name, p.Time = "lax", "Prod", pki.Time{}
		p.Keys.CA, p.Keys.Service = "rsa1024", "ed25519"
		p.Validity.CA = "soon"
	})
	wantCodes(t, refused(t, plan, pki.Given{}),
		"plan-value", "plan-value", "plan-ed25519", "plan-name", "plan-time-missing", "plan-lifetime")
}

func TestParsePlan(t *testing.T) {
	const head = `{"apiVersion":"rootkiln/v1","kind":"Plan"`
	for _, tt := range []struct {
		name, text string
		code       pki.Code // empty: accepted
		subject    string
	}{
		{"only the head", head + `}`, "", ""},
		{"a whole plan", head + `,"distro":"rke2","name":"c1","topology":"shared","profile":"upstream","time":"2026-11-22",
			"organization":["Example"],"keys":{"root":"p521"},"validity":{"ca":"5y"},"elsewhere":["root"],
			"nameConstraints":{"permittedDNS":["example.org"]},"inputs":{"serviceKeys":["a"],"keepServiceKey":true}}`, "", ""},
		{"a field that does not exist", head + `,"distribution":"k3s"}`, "plan-unknown-field", "distribution"},
		{"one deeper", head + `,"keys":{"leaf":"p256"}}`, "plan-unknown-field", "leaf"},
		{"no version", `{"kind":"Plan"}`, "plan-version", "apiVersion"},
		{"another version", `{"apiVersion":"rootkiln/v2","kind":"Plan"}`, "plan-version", "apiVersion"},
		{"another kind", `{"apiVersion":"rootkiln/v1","kind":"ResolvedPlan"}`, "plan-version", "kind"},
		{"two documents", head + `}` + head + `}`, "plan-unreadable", ""},
		{"something behind it", head + `} trailing`, "plan-unreadable", ""},
		{"a wrong type", head + `,"name":7}`, "plan-value", "name"},
		{"cut off", head, "plan-unreadable", ""},
		{"nothing", ``, "plan-unreadable", ""},
		{"a time that is none", head + `,"time":"tomorrow"}`, "plan-value", "time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := pki.ParsePlan([]byte(tt.text))
			if tt.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			found := reasons(t, err)
			wantCodes(t, found, tt.code)
			if found[0].Subject != tt.subject {
				t.Errorf("subject %q, want %q", found[0].Subject, tt.subject)
			}
		})
	}
}

// Files of several clusters lie beside each other: each needs a name of its own.
func TestClusterNamesDiffer(t *testing.T) {
	named := func(names ...string) (plans []pki.Plan) {
		for _, n := range names {
			plans = append(plans, pki.Plan{Name: n})
		}
		return plans
	}
	for _, names := range [][]string{{}, {""}, {"a"}, {"a", "b"}} {
		if err := pki.CheckNames(named(names...)); err != nil {
			t.Errorf("%q: %v", names, err)
		}
	}
	wantRefusal(t, pki.CheckNames(named("a", "b", "a")), "plan-duplicate-name")
	wantRefusal(t, pki.CheckNames(named("a", "")), "plan-duplicate-name")
}
