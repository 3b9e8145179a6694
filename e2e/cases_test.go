package e2e

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// The factors of the product of all bundles; TestFactorsAreComplete asks
// rootkiln whether they are all.
var (
	topologies    = []string{"isolated", "shared"}
	profiles      = []string{"strict", "upstream"}
	distros       = []string{"k3s", "rke2"}
	allAlgorithms = []string{"p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"}

	// choices are one algorithm for every tier that the inputs leave to
	// rootkiln, or, the first, the profile's own.
	choices = []algorithms{{}, everywhere("p256"), everywhere("p384"), everywhere("p521"),
		everywhere("rsa2048"), everywhere("rsa3072"), everywhere("rsa4096")}

	// mixtures give each tier another algorithm than its neighbours. They are
	// made from nothing, so that every tier is there.
	mixtures = []algorithms{
		{"p256", "p384", "p521", "p384"},
		{"p521", "p256", "p384", "p521"},
		{"p384", "p521", "rsa2048", "p256"},          // RSA below EC
		{"rsa2048", "rsa3072", "p256", "rsa3072"},    // and EC below RSA
		{"rsa3072", "rsa2048", "rsa3072", "rsa2048"}, // RSA in each tier
		{"p384", "p384", "rsa4096", "rsa4096"},
	}

	// slowKeys take up to seconds to draw, and isolated draws up to twelve.
	slowKeys = []string{"rsa3072", "rsa4096"}
)

// cases are the orders of a run: the complete product, or the part of it that
// the default run has the time for.
func cases(complete bool) []order {
	chosen := []order{{kind: kinds[0]}} // no flags at all
	add := func(o order) {
		if complete || o.quick() {
			chosen = append(chosen, o)
		}
	}
	for _, topology := range topologies {
		for _, profile := range profiles {
			for _, distro := range distros {
				for _, mixture := range mixtures {
					add(order{topology, profile, distro, mixture, kinds[0]})
				}
				for _, choice := range choices {
					for _, k := range kinds {
						add(order{topology, profile, distro, choice, k})
					}
				}
			}
		}
	}
	// The slow ones first, so that none is waited for alone at the end.
	slices.SortStableFunc(chosen, func(a, b order) int { return cmp.Compare(b.slowTiers(), a.slowTiers()) })
	return chosen
}

// quick reports whether the order belongs to the default run: everything whose
// keys are drawn fast, on one of the distributions in turn; of the slow
// algorithms the mixtures, with the profiles in turn, and the profile's own
// choice.
func (o order) quick() bool {
	position := slices.Index(topologies, o.topology) + slices.Index(profiles, o.profile) +
		slices.Index(choices, o.algorithms) + slices.Index(mixtures, o.algorithms) +
		slices.IndexFunc(kinds, func(k kind) bool { return k.name == o.kind.name })
	if o.distro != distros[(position+1)%len(distros)] { // +1: one of the indices is -1
		return false
	}
	if o.slowTiers() == 0 {
		return true
	}
	mixture := slices.Index(mixtures, o.algorithms)
	if mixture < 0 {
		return o.algorithms == algorithms{} && o.kind.name == kinds[0].name
	}
	return o.profile == profiles[(mixture+slices.Index(topologies, o.topology))%len(profiles)]
}

// slowTiers counts the tiers whose keys are slow to draw.
func (o order) slowTiers() int {
	n := 0
	for _, name := range o.resolved().algorithms.tiers() {
		if slices.Contains(slowKeys, name) {
			n++
		}
	}
	return n
}

// name says everything that was ordered.
func (o order) name() string {
	if o.topology == "" {
		return "no flags"
	}
	return strings.Join([]string{o.topology, o.profile, o.distro, o.algorithms.name(), o.kind.name}, " ")
}

func (a algorithms) name() string {
	switch a {
	case algorithms{}:
		return "profile's keys"
	case everywhere(a.root):
		return a.root
	}
	return strings.Join([]string{a.root, a.intermediate, a.ca, a.service}, "-")
}

// TestCasesAreComplete keeps the choice of cases honest: the complete run holds
// every combination once, the default run what it promises.
func TestCasesAreComplete(t *testing.T) {
	all, byDefault := map[string]bool{}, map[string]bool{}
	for _, c := range cases(true) {
		if all[c.name()] {
			t.Errorf("twice in the complete run: %s", c.name())
		}
		all[c.name()] = true
	}
	for _, c := range cases(false) {
		for _, part := range c.parts() {
			byDefault[part] = true
		}
	}
	size := len(topologies)*len(profiles)*len(distros)*(len(choices)*len(kinds)+len(mixtures)) + 1
	if len(all) != size {
		t.Errorf("the complete run has %d cases, want %d", len(all), size)
	}
	for _, topology := range topologies {
		for _, key := range allAlgorithms {
			for _, tier := range []string{"--root-alg", "--intermediate-alg", "--ca-alg", "--service-alg"} {
				if part := fmt.Sprintf("%s with %s %s", topology, tier, key); !byDefault[part] {
					t.Errorf("not in the default run: %s", part)
				}
			}
		}
	}
	for _, c := range cases(true) {
		for _, part := range c.parts() {
			if fast := c.slowTiers() == 0; fast && !byDefault[part] {
				t.Errorf("not in the default run: %s", part)
				byDefault[part] = true // said once
			}
		}
	}
}

// parts are what the default run must have of each order whose keys are drawn
// fast: everything but the distribution, and the distribution with each other
// factor.
func (o order) parts() []string {
	if o.topology == "" {
		return []string{o.name()}
	}
	anywhere := o
	anywhere.distro = "*"
	parts := []string{anywhere.name()}
	for _, factor := range []string{o.topology, o.profile, o.kind.name, o.algorithms.name()} {
		parts = append(parts, o.distro+" with "+factor)
	}
	if o.kind.name == kinds[0].name { // else not every tier is made
		for tier, key := range o.resolved().algorithms.tiers() {
			parts = append(parts, fmt.Sprintf("%s with %s %s", o.topology, tier, key))
		}
	}
	return parts
}

// helpFlag is a flag with its values, as `rootkiln bundle --help` lists it.
var helpFlag = regexp.MustCompile(`(?m)^ +(?:-., )?--([a-z-]+)(?:\[=true\|false\])?(?: (\S+))? +(.*)$`)

// elsewhereProven are the flags of `rootkiln bundle` that change nothing in the
// eleven files.
var elsewhereProven = []string{
	"out", "offline-out", "force", "dry-run", "output", // where and how to write
	"passphrase", "passphrase-file", "encrypt-to", // the offline part alone
	"elsewhere", // stands in the request that --resume names
}

// TestFactorsAreComplete compares the factors with what rootkiln itself offers:
// every value of the flags, and every flag in some kind of input.
func TestFactorsAreComplete(t *testing.T) {
	help, err := testbed.Rootkiln("bundle", "--help")
	if err != nil {
		t.Fatal(err)
	}
	own, _, _ := strings.Cut(help, "Flags of every command:")
	tried := map[string]bool{}
	for _, name := range elsewhereProven {
		tried["--"+name] = true
	}
	for _, k := range kinds {
		for _, flag := range k.bring(t, nil).flags {
			tried[flag] = true
		}
	}
	for _, flag := range (order{"-", "-", "-", everywhere("-"), kind{}}).flags() {
		tried[flag] = true
	}
	values := map[string]string{}
	for _, match := range helpFlag.FindAllStringSubmatch(own, -1) {
		if values[match[1]] = match[2]; !tried["--"+match[1]] {
			t.Errorf("no kind of input has --%s", match[1])
		}
		if match[1] == "root-alg" {
			values["root-alg"] = match[3]
		}
	}
	for flag, want := range map[string]string{
		"topology": strings.Join(topologies, "|"), "profile": strings.Join(profiles, "|"), "distro": strings.Join(distros, "|"),
		"root-alg": "key of roots: " + strings.Join(allAlgorithms, " ") + " (default p384)",
	} {
		if values[flag] != want {
			t.Errorf("--%s takes %q, the cases have %q", flag, values[flag], want)
		}
	}
}
