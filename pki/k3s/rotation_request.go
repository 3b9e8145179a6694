package k3s

import (
	"slices"
	"strings"

	"rootkiln/pki"
)

// Check returns what does not go together in a request. Intermediate says that an
// existing one is given, by a file that may not have been read yet.
func (r RotationRequest) Check(intermediate bool) []pki.Finding {
	said := []struct {
		flag  string
		given bool
	}{
		{"service-key-only", r.ServiceKeyOnly},
		{"same-key", r.SameKey},
		{"new-intermediate", r.NewIntermediate},
		{"new-root", r.NewRoot},
		{"step", r.Step != ""},
		{"only", len(r.Only) > 0},
		{"topology", r.Plan.Topology != ""},
		{"profile", r.Plan.Profile != ""},
		{"name", r.Plan.Name != ""},
		{"organization", r.Plan.Organization != nil},
		{"ca-alg", r.Plan.Keys.CA != ""},
		{"intermediate", intermediate},
	}
	given := func(flag string) bool {
		for _, s := range said {
			if s.flag == flag {
				return s.given
			}
		}
		return false
	}
	var found []pki.Finding
	for _, row := range exclusive {
		for _, other := range row.without {
			if given(row.flag) && given(other) {
				found = append(found, pki.New("rotation-exclusive", "", "one", "--"+row.flag, "other", "--"+other))
			}
		}
	}
	if !slices.Contains([]string{"", "a", "b", "c"}, r.Step) {
		found = append(found, pki.New("plan-value", "step", "value", r.Step, "want", "a, b, c"))
	}
	if (r.Step == "b" || r.Step == "c") && r.NewRoot {
		found = append(found, pki.New("rotation-exclusive", "", "one", "--step "+r.Step, "other", "--new-root"))
	}
	if r.Prune && !r.NewServiceKey && !r.ServiceKeyOnly {
		found = append(found, pki.New("rotation-prune-alone", ""))
	}
	var known []string
	for _, row := range AuthorityPaths() {
		known = append(known, string(row.Role))
	}
	for _, role := range r.Only {
		if !slices.Contains(known, string(role)) {
			found = append(found, pki.New("plan-value", "only", "value", string(role), "want", strings.Join(known, ", ")))
		}
	}
	return found
}

// exclusive are wishes of which one alone makes sense, with what each of them
// excludes.
var exclusive = []struct {
	flag    string
	without []string
}{
	{"service-key-only", []string{"only", "new-root", "step", "new-intermediate", "same-key", "topology"}},
	{"same-key", []string{"new-root", "step", "new-intermediate", "topology", "profile", "name", "organization", "ca-alg"}},
	{"new-intermediate", []string{"new-root", "step", "intermediate"}},
}

// Lend gives an authority its key, if it is held.
func (h Held) Lend(a *pki.Authority) {
	for _, k := range h.Keys {
		if pki.SameKey(k.Public(), a.Certificate.PublicKey) {
			a.Key = k
		}
	}
}
