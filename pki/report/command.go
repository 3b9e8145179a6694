package report

import (
	"slices"
	"strings"

	"rootkiln/pki"
)

// CommandOptions are what stands beside a plan on the command line.
type CommandOptions struct {
	Server     string   // --out; empty: the usual name
	Offline    string   // --offline-out
	Recipients []string // --encrypt-to
	Passphrase bool     // --passphrase: asked for
	Request    bool     // certificates are signed elsewhere
}

// planFlags is what each field of a plan is called on the command line. Flags
// that may be repeated have several values, a flag without a value one that is
// empty.
var planFlags = []struct {
	flag   string
	values func(pki.Plan) []string
}{
	{"distro", one(func(p pki.Plan) string { return string(p.Distro) })},
	{"name", one(func(p pki.Plan) string { return p.Name })},
	{"topology", one(func(p pki.Plan) string { return string(p.Topology) })},
	{"profile", one(func(p pki.Plan) string { return string(p.Profile) })},
	{"root-alg", one(func(p pki.Plan) string { return string(p.Keys.Root) })},
	{"intermediate-alg", one(func(p pki.Plan) string { return string(p.Keys.Intermediate) })},
	{"ca-alg", one(func(p pki.Plan) string { return string(p.Keys.CA) })},
	{"service-alg", one(func(p pki.Plan) string { return string(p.Keys.Service) })},
	{"root-validity", one(func(p pki.Plan) string { return string(p.Validity.Root) })},
	{"intermediate-validity", one(func(p pki.Plan) string { return string(p.Validity.Intermediate) })},
	{"ca-validity", one(func(p pki.Plan) string { return string(p.Validity.CA) })},
	{"organization", func(p pki.Plan) []string { return p.Organization }},
	{"elsewhere", func(p pki.Plan) []string { return joined(p.Elsewhere) }},
	{"permit-dns", func(p pki.Plan) []string { return limits(p).PermittedDNS }},
	{"permit-ip", func(p pki.Plan) []string { return limits(p).PermittedIP }},
	{"inputs", one(func(p pki.Plan) string { return p.Inputs.Directory })},
	{"root", one(func(p pki.Plan) string { return p.Inputs.Root })},
	{"root-key", one(func(p pki.Plan) string { return p.Inputs.RootKey })},
	{"intermediate", one(func(p pki.Plan) string { return p.Inputs.Intermediate })},
	{"intermediate-key", one(func(p pki.Plan) string { return p.Inputs.IntermediateKey })},
	{"service-key", func(p pki.Plan) []string { return p.Inputs.ServiceKeys }},
	{"now", one(func(p pki.Plan) string {
		if p.Time.IsZero() {
			return ""
		}
		return p.Time.String()
	})},
}

// CommandLine is the call that makes what the plan says: every field that is
// filled in becomes its flag, and nothing else.
func CommandLine(p pki.Plan, o CommandOptions) string {
	words := []string{"rootkiln", "bundle"}
	if o.Request {
		words[1] = "request"
	}
	put := func(flag string, values ...string) {
		for _, v := range values {
			words = append(words, "--"+flag, ShellQuote(v))
		}
	}
	for _, row := range planFlags {
		put(row.flag, row.values(p)...)
	}
	if p.Inputs.KeepServiceKey {
		words = append(words, "--service-key-keep")
	}
	if o.Request { // what is made here leaves as a directory, and nothing is for the safe yet
		return strings.Join(words, " ")
	}
	put("out", one(func(pki.Plan) string { return o.Server })(p)...)
	put("offline-out", one(func(pki.Plan) string { return o.Offline })(p)...)
	put("encrypt-to", o.Recipients...)
	if o.Passphrase {
		words = append(words, "--passphrase")
	}
	return strings.Join(words, " ")
}

// one is the value of a flag that is given at most once.
func one(value func(pki.Plan) string) func(pki.Plan) []string {
	return func(p pki.Plan) []string {
		return slices.DeleteFunc([]string{value(p)}, func(s string) bool { return s == "" })
	}
}

func limits(p pki.Plan) pki.NameConstraints {
	if p.NameConstraints == nil {
		return pki.NameConstraints{}
	}
	return *p.NameConstraints
}

func joined(roles []pki.Role) []string {
	if len(roles) == 0 {
		return nil
	}
	words := make([]string, len(roles))
	for i, role := range roles {
		words[i] = string(role)
	}
	return []string{strings.Join(words, ",")}
}
