package pki

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// APIVersion and PlanKind head every plan document.
const (
	APIVersion = "rootkiln/v1"
	PlanKind   = "Plan"
)

// Plan is what the user wants. Every field may be empty: Resolve fills it. The
// document form is JSON, or YAML read by the command line.
type Plan struct {
	APIVersion string   `json:"apiVersion,omitempty"`
	Kind       string   `json:"kind,omitempty"`
	Distro     Distro   `json:"distro,omitempty"`
	Name       string   `json:"name,omitempty"` // of the cluster; stands in every subject as OU
	Topology   Topology `json:"topology,omitempty"`
	Profile    Profile  `json:"profile,omitempty"`
	Time       Time     `json:"time,omitzero"` // of issue

	Organization []string `json:"organization,omitempty"` // O of every subject

	Keys     Keys      `json:"keys,omitzero"`
	Validity Lifetimes `json:"validity,omitzero"`

	// Elsewhere lists roots and intermediates whose keys are on another
	// machine: what they sign leaves as a request.
	Elsewhere []Role `json:"elsewhere,omitempty"`

	// NameConstraints limits what the leaf CA of the server domain may name.
	// Opt-in: some verifiers cannot read the extension.
	NameConstraints *NameConstraints `json:"nameConstraints,omitempty"`

	// Inputs name files that exist already. The core does not read them: who
	// calls Resolve hands their content over as Given.
	Inputs Inputs `json:"inputs,omitzero"`
}

// Keys chooses an algorithm for each tier.
type Keys struct {
	Root         KeySpec `json:"root,omitempty"`
	Intermediate KeySpec `json:"intermediate,omitempty"`
	CA           KeySpec `json:"ca,omitempty"`
	Service      KeySpec `json:"service,omitempty"`
}

// Lifetimes chooses a lifetime for each tier.
type Lifetimes struct {
	Root         Lifetime `json:"root,omitempty"`
	Intermediate Lifetime `json:"intermediate,omitempty"`
	CA           Lifetime `json:"ca,omitempty"`
}

// NameConstraints are permitted subtrees: DNS suffixes and IP ranges in CIDR
// form. The names that Kubernetes itself needs are added by the layout.
type NameConstraints struct {
	PermittedDNS []string `json:"permittedDNS,omitempty"`
	PermittedIP  []string `json:"permittedIP,omitempty"`
}

// Inputs are paths of files that exist already.
type Inputs struct {
	Directory       string   `json:"directory,omitempty"` // holds the upstream script's file names
	Root            string   `json:"root,omitempty"`
	RootKey         string   `json:"rootKey,omitempty"`
	Intermediate    string   `json:"intermediate,omitempty"`
	IntermediateKey string   `json:"intermediateKey,omitempty"`
	ServiceKeys     []string `json:"serviceKeys,omitempty"`
	KeepServiceKey  bool     `json:"keepServiceKey,omitempty"` // no new key is put before the old
}

// ParsePlan reads one plan document in JSON. A field that does not exist is an
// error that names it; so is anything behind the document.
func ParsePlan(data []byte) (Plan, error) {
	var p Plan
	if err := decodeStrict(data, &p); err != nil {
		return Plan{}, err
	}
	if p.APIVersion != APIVersion {
		return Plan{}, refuse("plan-version", "apiVersion", "value", p.APIVersion, "want", APIVersion)
	}
	if p.Kind != PlanKind {
		return Plan{}, refuse("plan-version", "kind", "value", p.Kind, "want", PlanKind)
	}
	return p, nil
}

// decodeStrict decodes one JSON document without unknown fields.
func decodeStrict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return refusal
	}
	if mistyped := (*json.UnmarshalTypeError)(nil); errors.As(err, &mistyped) {
		return refuse("plan-value", mistyped.Field, "value", mistyped.Value, "want", kindNames[mistyped.Type.Kind()])
	}
	if err != nil {
		if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return refuse("plan-unknown-field", strings.Trim(field, `"`), "field", strings.Trim(field, `"`))
		}
		return refuse("plan-unreadable", "", "detail", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse("plan-unreadable", "", "detail", "more than one document")
	}
	return nil
}

// kindNames says what a field wants, in the words of JSON.
var kindNames = map[reflect.Kind]string{
	reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "number",
	reflect.Slice: "array", reflect.Struct: "object", reflect.Pointer: "object", reflect.Map: "object",
}

// withDefaults returns the plan with every choice made that does not depend on
// a profile.
func (p Plan) withDefaults() Plan {
	p.APIVersion, p.Kind = APIVersion, PlanKind
	setDefault(&p.Distro, K3s)
	setDefault(&p.Topology, Isolated)
	setDefault(&p.Profile, Strict)
	if profile, ok := profiles[p.Profile]; ok {
		setDefault(&p.Keys.Root, profile.keys.Root)
		setDefault(&p.Keys.Intermediate, profile.keys.Intermediate)
		setDefault(&p.Keys.CA, profile.keys.CA)
		setDefault(&p.Keys.Service, profile.keys.Service)
		setDefault(&p.Validity.Root, profile.validity.Root)
		setDefault(&p.Validity.Intermediate, profile.validity.Intermediate)
		setDefault(&p.Validity.CA, profile.validity.CA)
	}
	return p
}

// Lifetime is that of a tier, from the plan or from its profile.
func (p Plan) Lifetime(tier Tier) Lifetime {
	v := p.withDefaults().Validity
	return map[Tier]Lifetime{TierRoot: v.Root, TierIntermediate: v.Intermediate, TierCA: v.CA}[tier]
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// isClusterName knows a DNS label in small letters: the name stands in subjects,
// file names and tools of the distributions.
func isClusterName(s string) bool { return isLabel(s) && s == strings.ToLower(s) }

// Check returns everything that is wrong with the values of the plan by
// themselves. What depends on a layout is Resolve's to say.
func (p Plan) Check() []Finding { return p.withDefaults().check() }

func (p Plan) check() []Finding {
	var found []Finding
	choice := func(field, value string, allowed ...string) {
		if value == "ed25519" {
			found = append(found, New("plan-ed25519", field))
		} else if !slices.Contains(allowed, value) {
			found = append(found, New("plan-value", field, "value", value, "want", strings.Join(allowed, ", ")))
		}
	}
	specs := strings.Split(joinSpecs(), ", ")
	choice("profile", string(p.Profile), string(Strict), string(Upstream))
	for _, key := range []struct {
		field string
		spec  KeySpec
	}{
		{"keys.root", p.Keys.Root}, {"keys.intermediate", p.Keys.Intermediate},
		{"keys.ca", p.Keys.CA}, {"keys.service", p.Keys.Service},
	} {
		if key.spec != "" { // blank only where the profile, which fills it, is unknown
			choice(key.field, string(key.spec), specs...)
		}
	}
	if p.Name != "" && !isClusterName(p.Name) {
		found = append(found, New("plan-name", "name", "value", p.Name))
	}
	for _, o := range p.Organization {
		if !subjectText(o) {
			found = append(found, New("plan-text", "organization", "value", o))
		}
	}
	switch {
	case p.Time.IsZero():
		found = append(found, New("plan-time-missing", "time"))
	case p.Time.Unix() < int64(backdate.Seconds()):
		found = append(found, New("date-before-1970", "time", "start", p.Time.String()))
	}
	for _, life := range []struct {
		field string
		value Lifetime
	}{
		{"validity.root", p.Validity.Root}, {"validity.intermediate", p.Validity.Intermediate}, {"validity.ca", p.Validity.CA},
	} {
		if _, err := life.value.End(p.Time); life.value != "" && err != nil {
			found = append(found, New("plan-lifetime", life.field, "value", string(life.value)))
		}
	}
	return append(found, p.NameConstraints.validate()...)
}

// subjectText allows what a distinguished name can carry and JSON writes in one
// way only: no control characters, no line separators, 1 to 64 characters
// (RFC 5280, appendix A.1, ub-organization-name).
func subjectText(s string) bool {
	if n := utf8.RuneCountInString(s); n < 1 || n > 64 || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029
	})
}

// CheckNames refuses plans of one run that share a cluster name, or of which
// one has none: their files would stand in each other's place.
func CheckNames(plans []Plan) error {
	if len(plans) < 2 {
		return nil
	}
	var found []Finding
	seen := map[string]bool{}
	for _, p := range plans {
		if seen[p.Name] || p.Name == "" {
			found = append(found, New("plan-duplicate-name", "name", "name", p.Name))
		}
		seen[p.Name] = true
	}
	return Refuse(found)
}
