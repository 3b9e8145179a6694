package pki_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"testing"

	"rootkiln/pki"
)

// RFC 8785 is defined by ECMAScript: sort the keys by UTF-16 code units, write
// with JSON.stringify. Both programs read a list and write a line for each
// document.
const jcsNode = `
const sorted = v => Array.isArray(v) ? v.map(sorted) : v && typeof v === 'object'
	? Object.fromEntries(Object.keys(v).sort().map(k => [k, sorted(v[k])])) : v;
for (const d of JSON.parse(require('fs').readFileSync(0, 'utf8'))) console.log(JSON.stringify(sorted(d)));`

const jcsPython = `
import json, sys
for d in json.load(sys.stdin.buffer):
	line = json.dumps(d, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
	sys.stdout.buffer.write(line.encode() + b'\n')`

// The digest that a ceremony reads aloud can be computed without us.
func TestCanonicalFormIsRFC8785(t *testing.T) {
	var plans []pki.Resolved
	var ours bytes.Buffer
	for _, organization := range []string{
		"Example", `quotes " and \ strokes / here`, "<script>&amp;'", "Müller & Söhne", "窯業有限公司", "😀 beyond the basic plane", "\u00a0\ufeff\ufffd\ue000",
	} {
		r, _ := resolve(t, newPlan(func(p *pki.Plan) {
			p.Name, p.Organization = "site-1", []string{organization, "b", "a"}
			p.NameConstraints = &pki.NameConstraints{PermittedDNS: []string{"Example.org"}, PermittedIP: []string{"10.0.0.0/8"}}
		}), pki.Given{})
		canonical, err := r.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		ours.Write(append(canonical, '\n'))
		plans = append(plans, r)

		digest, err := r.Digest()
		if sum := sha256.Sum256(canonical); err != nil || digest != sum {
			t.Errorf("%s: digest %x (%v), of the canonical form it is %x", organization, digest, err, sum)
		}
	}
	loose, err := json.MarshalIndent(plans, "", "\t") // the same documents in another form
	if err != nil {
		t.Fatal(err)
	}
	for name, theirs := range map[string][]byte{
		"node": run(t, loose, "node", "-e", jcsNode), "python3": run(t, loose, "python3", "-c", jcsPython),
	} {
		if !bytes.Equal(ours.Bytes(), theirs) {
			t.Errorf("we write\n%s\n%s writes\n%s", &ours, name, theirs)
		}
	}
}

// These digests stand in ceremony records: they never change.
func TestDigestsStay(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		edit       func(*pki.Plan)
	}{
		{"defaults", "c3484bbac08e2fb0bd7b56bec571df37d5d313837e4e54a48744994c6d931862", func(*pki.Plan) {}},
		{"upstream", "aa009e33a0e0d9059f06521bc09578f646a944763808a2a872ac0852035671e9",
			func(p *pki.Plan) { p.Topology, p.Profile = pki.Shared, pki.Upstream }},
		{"everything", "6a51e91ae471983a808befe912fc506c46f44cc2f8b57fd0e30b8c550e3f0d33", func(p *pki.Plan) {
			p.Distro, p.Name, p.Organization = pki.RKE2, "site-1", []string{"窯業", "Kiln & Co"}
			p.Keys = pki.Keys{Root: pki.RSA4096, Intermediate: pki.P521, CA: pki.P384, Service: pki.P256}
			p.Validity = pki.Lifetimes{Root: "2060-01-01", Intermediate: "4000d", CA: "20000h"}
			p.Elsewhere = []pki.Role{pki.Root}
			p.NameConstraints = &pki.NameConstraints{PermittedDNS: []string{"example.org"}, PermittedIP: []string{"10.0.0.0/8"}}
		}},
	} {
		r, _ := resolve(t, newPlan(tt.edit), pki.Given{})
		if got, _ := r.Digest(); hex.EncodeToString(got[:]) != tt.want {
			canonical, _ := r.Canonical()
			t.Errorf("%s: digest %x, want %s, of\n%s", tt.name, got, tt.want, canonical)
		}
	}
}

// Everything that decides a certificate decides the digest.
func TestDigestCoversThePlan(t *testing.T) {
	seen := map[[32]byte]string{}
	add := func(name string, r pki.Resolved) {
		t.Helper()
		d, err := r.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if other, known := seen[d]; known {
			t.Errorf("%q has the digest of %q", name, other)
		}
		seen[d] = name
	}
	for name, edit := range map[string]func(*pki.Plan){
		"defaults":     func(*pki.Plan) {},
		"distro":       func(p *pki.Plan) { p.Distro = pki.RKE2 },
		"name":         func(p *pki.Plan) { p.Name = "a" },
		"topology":     func(p *pki.Plan) { p.Topology = pki.Shared },
		"profile":      func(p *pki.Plan) { p.Profile = pki.Upstream },
		"time":         func(p *pki.Plan) { p.Time = parseTime(t, "2026-11-22T20:00:01Z") },
		"organization": func(p *pki.Plan) { p.Organization = []string{"a"} },
		"root key":     func(p *pki.Plan) { p.Keys.Root = pki.P521 },
		"ca key":       func(p *pki.Plan) { p.Keys.CA = pki.P521 },
		"service key":  func(p *pki.Plan) { p.Keys.Service = pki.P521 },
		"validity":     func(p *pki.Plan) { p.Validity.CA = "9y" },
		"elsewhere":    func(p *pki.Plan) { p.Elsewhere = []pki.Role{pki.Root} },
		"constraints":  func(p *pki.Plan) { p.NameConstraints = &pki.NameConstraints{PermittedDNS: []string{"a"}} },
	} {
		plan := newPlan(edit)
		r, _ := resolve(t, plan, pki.Given{})
		add(name, r)
	}
	root := authority(t, "corporate", pki.P384, nil)
	r, _ := resolve(t, newPlan(), at(pki.Root, root))
	add("a given root", r)
	r, _ = resolve(t, newPlan(), at(pki.Root, &pki.Authority{Certificate: root.Certificate}))
	add("a given root without its key", r)
	r, _ = resolve(t, newPlan(), pki.Given{ServiceKeys: []pki.Key{newKey(t, pki.P256)}})
	add("a kept service key", r)
}

// What was written reads back as the same plan, with every kind of authority.
func TestResolvedRoundTrip(t *testing.T) {
	root := authority(t, "corporate", pki.P384, nil, func(c *x509.Certificate) { c.NotAfter = parseTime(t, "9999-12-31T23:59:59Z").Time })
	r, _ := resolve(t, newPlan(func(p *pki.Plan) {
		p.Organization, p.Elsewhere = []string{"窯業"}, []pki.Role{pki.ClientRoot}
	}), at(pki.Root, &pki.Authority{Certificate: root.Certificate}))
	want, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	back, err := pki.ParseResolved(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := back.Canonical(); !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err = pki.ParseResolved([]byte(`{"apiVersion":"rootkiln/v1","kind":"Plan"}`))
	wantRefusal(t, err, "plan-version")
	_, err = pki.ParseResolved(bytes.Replace(want, []byte(`"role"`), []byte(`"roll"`), 1))
	wantRefusal(t, err, "plan-unknown-field")
}

// Two roots can have one name and one key (a renewed root): the intermediate
// under them is the same, the token is not, so the digest must not be.
func TestDigestCoversTheChainAbove(t *testing.T) {
	root := authority(t, "root", pki.P384, nil)
	renewed := authority(t, "root", pki.P384, nil)
	sub := authority(t, "sub", pki.P384, root)
	other := *sub
	other.Above = []*x509.Certificate{renewed.Certificate}
	digest := func(a *pki.Authority) [32]byte {
		r, _ := resolve(t, newPlan(), pki.Given{Authorities: map[pki.Role]*pki.Authority{pki.Intermediate: a}})
		d, err := r.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if digest(sub) == digest(&other) {
		t.Error("two roots, one digest")
	}
}
