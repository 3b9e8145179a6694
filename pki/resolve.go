package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Resolved is a plan without blanks: every authority with its subject, dates
// and extensions. It is a pure function of plan, layout and given authorities,
// and what a ceremony reads aloud is its digest.
type Resolved struct {
	APIVersion  string      `json:"apiVersion"`
	Kind        string      `json:"kind"`
	Distro      Distro      `json:"distro"`
	Name        string      `json:"name"`
	Topology    Topology    `json:"topology"`
	Profile     Profile     `json:"profile"`
	Time        Time        `json:"time"`
	Authorities []Spec      `json:"authorities"` // issuers before what they issue
	Service     ServiceSpec `json:"service"`
}

// ResolvedKind heads the document form of a resolved plan.
const ResolvedKind = "ResolvedPlan"

// ServiceSpec says what the ServiceAccount key file will hold.
type ServiceSpec struct {
	Key  KeySpec  `json:"key"`  // empty: no new key
	Keep []string `json:"keep"` // SHA-256 of the public keys kept behind it, hexadecimal
}

// Spec decides one authority. An authority that exists already has only its
// role and fingerprint.
type Spec struct {
	Role      Role   `json:"role"`
	Issuer    Role   `json:"issuer"`    // empty: self-signed
	Existing  string `json:"existing"`  // SHA-256 of the certificate, hexadecimal; empty: to be made
	Elsewhere bool   `json:"elsewhere"` // its key is on another machine
	// Above are the SHA-256 of the certificates above an existing authority: two
	// roots can have one name and key, and the token is the root's.
	Above []string `json:"above,omitempty"`

	Subject         Subject          `json:"subject"`
	Key             KeySpec          `json:"key"`
	NotBefore       Time             `json:"notBefore"`
	NotAfter        Time             `json:"notAfter"`
	PathLen         *int             `json:"pathLen"` // null: no limit
	KeyUsage        []string         `json:"keyUsage"`
	KeyID           string           `json:"keyID"`
	SelfKeyID       bool             `json:"selfKeyID"` // a root with an AKI
	NameConstraints *NameConstraints `json:"nameConstraints"`
}

// Subject is a distinguished name. In the certificate O stands first, then OU,
// then CN; several O are one set.
type Subject struct {
	CommonName   string   `json:"commonName"`
	Organization []string `json:"organization"`
	Unit         string   `json:"unit"`
}

// Spec returns the spec of a role.
func (r Resolved) Spec(role Role) (Spec, bool) {
	for _, s := range r.Authorities {
		if s.Role == role {
			return s, true
		}
	}
	return Spec{}, false
}

// Given are the authorities that exist before the run, by role.
type Given struct {
	Authorities map[Role]*Authority
	ServiceKeys []Key
}

// serviceKeys are the given service keys, each once.
func (g Given) serviceKeys() []Key {
	var keys []Key
	for _, k := range g.ServiceKeys {
		if !slices.ContainsFunc(keys, func(o Key) bool { return samePublicKey(o.Public(), k.Public()) }) {
			keys = append(keys, k)
		}
	}
	return keys
}

func fingerprints(keys []Key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = keyFingerprint(k.Public())
	}
	return out
}

// Canonical returns the resolved plan in the form of RFC 8785 (JCS): what the
// digest is taken over. The plan has only strings, booleans, small integers and
// arrays, and validation keeps out the characters that encoding/json writes
// differently, so sorting the keys is all that is left to do.
func (r Resolved) Canonical() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	var tree any // maps are written with sorted keys
	d := json.NewDecoder(&b)
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	b.Reset()
	if err := e.Encode(tree); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Digest is the SHA-256 of the canonical form.
func (r Resolved) Digest() ([32]byte, error) {
	c, err := r.Canonical()
	return sha256.Sum256(c), err
}

// ParseResolved reads what Canonical or encoding/json wrote.
func ParseResolved(data []byte) (Resolved, error) {
	var r Resolved
	if err := decodeStrict(data, &r); err != nil {
		return Resolved{}, err
	}
	if r.APIVersion != APIVersion || r.Kind != ResolvedKind {
		return Resolved{}, refuse("plan-version", "kind", "value", r.APIVersion+" "+r.Kind, "want", APIVersion+" "+ResolvedKind)
	}
	return r, nil
}

// Trust refuses a resolved plan that Resolve cannot have made for the layout: it
// comes from another machine by way of a stick, and what stands in it is signed.
func (r Resolved) Trust(layout Layout) error {
	var found []Finding
	p, known := profiles[r.Profile]
	if !known {
		found = append(found, New("plan-value", "profile", "value", string(r.Profile), "want", string(Strict)+", "+string(Upstream)))
	}
	for _, s := range r.Authorities {
		row, ok := layout.Row(s.Role)
		if !ok || row.Issuer != s.Issuer {
			found = append(found, New("plan-value", "authorities", "value", string(s.Issuer)+" > "+string(s.Role), "want", string(layout.Distro)))
			continue
		}
		if s.Existing != "" || !known {
			continue
		}
		limit, limited := p.pathLen[row.Tier]
		if limited != (s.PathLen != nil) || limited && *s.PathLen != limit || !slices.Equal(s.KeyUsage, p.usage) || s.KeyID != p.keyID {
			found = append(found, New("plan-value", "authorities."+string(s.Role), "value", strings.Join(s.KeyUsage, " "), "want", string(r.Profile)))
		}
		for _, text := range append([]string{s.Subject.CommonName, s.Subject.Unit}, s.Subject.Organization...) {
			if text != "" && !subjectText(text) {
				found = append(found, New("plan-text", "authorities."+string(s.Role), "value", text))
			}
		}
	}
	return Refuse(found)
}

const (
	// backdate lets clocks that lag behind accept what was just made.
	backdate = time.Hour
	// renewalWindow is how long before the end k3s renews a leaf certificate
	// (120 days since May 2025, k3s #12232). A CA that lives no longer has
	// leaves that k3s renews at every start.
	renewalWindow = 120 * day
	// longLife is more than anybody can promise to keep a key.
	longLife = 30 * 365 * day
)

// Resolve fills every blank of the plan for the layout and checks what is given
// against it. All that is wrong comes back at once, as a *Refusal; warnings and
// notices come back beside the resolved plan.
func Resolve(plan Plan, layout Layout, given Given) (Resolved, []Finding, error) {
	plan = plan.withDefaults()
	found := append(plan.check(), plan.fits(layout)...)
	found = append(found, given.check(plan.Time, layout)...)
	if err := Refuse(found); err != nil {
		return Resolved{}, found, err
	}
	r := Resolved{
		APIVersion: APIVersion, Kind: ResolvedKind, Distro: plan.Distro, Name: plan.Name,
		Topology: plan.Topology, Profile: plan.Profile, Time: plan.Time,
	}
	for _, row := range layout.Rows {
		if !given.needed(row, layout) {
			continue
		}
		spec, notes := plan.spec(row, layout, r, given)
		r.Authorities, found = append(r.Authorities, spec), append(found, notes...)
	}
	found = append(found, r.sharedTrust(layout)...)
	if plan.Profile == Upstream {
		found = append(found, New("upstream-profile", "profile"))
	}
	if spec, ok := r.Spec(ServerCA); ok && spec.NameConstraints != nil {
		found = append(found, New("name-constraints-set", string(ServerCA)))
	}
	r.Service.Keep = fingerprints(given.serviceKeys())
	switch {
	case layout.ServicePath == "":
	case !plan.Inputs.KeepServiceKey:
		r.Service.Key = plan.Keys.Service
	case len(given.ServiceKeys) == 0:
		found = append(found, New("service-key-none", "inputs.serviceKeys"))
	}
	return r, found, Refuse(found)
}

// fits checks the plan against the layout that it shall be resolved for.
func (p Plan) fits(layout Layout) []Finding {
	var found []Finding
	if p.Distro != layout.Distro {
		found = append(found, New("plan-value", "distro", "value", string(p.Distro), "want", string(layout.Distro)))
	}
	var issuers []string
	for _, row := range layout.Rows {
		if row.Tier != TierCA {
			issuers = append(issuers, string(row.Role))
		}
	}
	for _, role := range p.Elsewhere {
		if !slices.Contains(issuers, string(role)) {
			found = append(found, New("plan-value", "elsewhere", "value", string(role), "want", strings.Join(issuers, ", ")))
		}
	}
	return found
}

// spec decides one authority.
func (p Plan) spec(row Row, layout Layout, r Resolved, given Given) (Spec, []Finding) {
	elsewhere := slices.Contains(p.Elsewhere, row.Role)
	if a := given.Authorities[row.Role]; a != nil {
		// notBefore and notAfter of what exists bound what it signs.
		return Spec{
			Role: row.Role, Issuer: row.Issuer, Existing: Fingerprint(a.Certificate),
			Elsewhere: a.Key == nil, Above: a.fingerprintsAbove(), KeyUsage: []string{}, Subject: Subject{Organization: []string{}},
			NotBefore: At(a.Certificate.NotBefore), NotAfter: At(a.Certificate.NotAfter),
		}, nil
	}
	profile := profiles[p.Profile]
	spec := Spec{
		Role: row.Role, Issuer: row.Issuer, Elsewhere: elsewhere,
		Subject: Subject{
			CommonName:   fmt.Sprintf("%s-%s@%d", layout.Product, row.Name, p.Time.Unix()),
			Organization: append([]string{}, p.Organization...), Unit: p.Name,
		},
		Key:       map[Tier]KeySpec{TierRoot: p.Keys.Root, TierIntermediate: p.Keys.Intermediate, TierCA: p.Keys.CA}[row.Tier],
		NotBefore: At(p.Time.Add(-backdate)),
		KeyUsage:  profile.usage, KeyID: profile.keyID,
		SelfKeyID: profile.rootAKI && row.Issuer == "",
	}
	if n, limited := profile.pathLen[row.Tier]; limited {
		spec.PathLen = &n
	}
	if row.Role == ServerCA {
		spec.NameConstraints = p.NameConstraints.with(layout.Names[ServerCA])
	}
	issuer, known := r.Spec(row.Issuer)
	return spec, spec.setDates(p, row, issuer, known)
}

// setDates fills in the end and keeps both dates within the issuer's.
func (s *Spec) setDates(p Plan, row Row, issuer Spec, known bool) []Finding {
	role := string(row.Role)
	lifetime := p.Lifetime(row.Tier)
	end, err := lifetime.End(s.NotBefore)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return []Finding{New("plan-lifetime", "validity."+string(row.Tier), "value", string(lifetime))}
	}
	s.NotAfter = end
	if known && !issuer.NotAfter.IsZero() {
		return append(s.Within(issuer.NotBefore, issuer.NotAfter), s.lifeFindings(p.Time, end)...)
	}
	if !end.After(p.Time.Time) {
		return []Finding{New("plan-lifetime-order", role, "end", end.String(), "start", p.Time.String())}
	}
	return s.lifeFindings(p.Time, end)
}

// Within moves the dates of the spec into those of its issuer and says so when
// that makes the life shorter than was asked for.
func (s *Spec) Within(notBefore, notAfter Time) []Finding {
	asked := s.NotAfter
	s.NotBefore, s.NotAfter = later(s.NotBefore, notBefore), earlier(s.NotAfter, notAfter)
	if asked.Sub(s.NotAfter.Time) < day { // an issuer of the same plan, made a moment before
		return nil
	}
	return []Finding{New("plan-lifetime-cut", string(s.Role),
		"asked", asked.String(), "end", s.NotAfter.String(), "issuer", string(s.Issuer))}
}

// lifeFindings judges what is left of the life at the time of issue.
func (s *Spec) lifeFindings(now, asked Time) []Finding {
	left, wanted := s.NotAfter.Sub(now.Time), asked.Sub(now.Time)
	days := fmt.Sprint(int(left / day))
	switch {
	case left <= 0:
		return []Finding{New("plan-lifetime-order", string(s.Role), "end", s.NotAfter.String(), "start", now.String())}
	case left < renewalWindow && wanted > left:
		return []Finding{New("issuer-short-life", string(s.Issuer), "end", s.NotAfter.String(), "days", days, "need", "120")}
	case left < renewalWindow:
		return []Finding{New("plan-short-life", string(s.Role), "days", days)}
	case left > longLife:
		return []Finding{New("plan-long-life", string(s.Role), "end", s.NotAfter.String())}
	}
	return nil
}

// needed reports whether the run has to do with a role at all: it is given, it
// goes to the server, or something that must be made stands under it. A given
// intermediate makes its root needless, its chain is complete.
func (g Given) needed(row Row, layout Layout) bool {
	if g.Authorities[row.Role] != nil || row.Path != "" {
		return true
	}
	return slices.ContainsFunc(layout.Rows, func(child Row) bool {
		return child.Issuer == row.Role && g.Authorities[child.Role] == nil && g.needed(child, layout)
	})
}

// sharedTrust warns where one root stands over several leaf CAs: every CA file
// is the trust file of its component as well, so each of them opens the others
// (measured: a kube-proxy certificate reads all of etcd).
func (r Resolved) sharedTrust(layout Layout) []Finding {
	under := map[Role][]string{}
	for _, row := range layout.Rows {
		if row.Path == "" {
			continue
		}
		top := row
		for above, ok := layout.Row(top.Issuer); ok; above, ok = layout.Row(top.Issuer) {
			top = above
		}
		under[top.Role] = append(under[top.Role], string(row.Role))
	}
	var found []Finding
	for _, row := range layout.Rows {
		if roles := under[row.Role]; len(roles) > 1 {
			found = append(found, New("shared-trust", "topology", "roots", string(row.Role), "roles", strings.Join(roles, ", ")))
		}
	}
	return found
}
