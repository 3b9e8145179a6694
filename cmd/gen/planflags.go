package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// planFlags are the flags that fill or override a plan.
type planFlags struct {
	file string
	plan pki.Plan // what the flags say

	root, rootKey                 string
	intermediate, intermediateKey string
	elsewhere                     []string
	permitDNS, permitIP           []string
	passphraseFile                string
	passphrase                    []byte // of that file, once it was read
	set                           func(name string) bool
}

// register adds the flags of a plan to a command.
func (p *planFlags) register(a *app, c *cobra.Command) {
	f := c.Flags()
	f.StringVarP(&p.file, "file", "f", "", a.t(flagFile))
	p.registerShape(a, c)
	f.StringSliceVar(&p.elsewhere, "elsewhere", nil, a.t(flagElsewhere))
	f.StringSliceVar(&p.permitDNS, "permit-dns", nil, a.t(flagPermitDNS))
	f.StringSliceVar(&p.permitIP, "permit-ip", nil, a.t(flagPermitIP))
}

// registerShape adds the flags that say what certificates look like.
func (p *planFlags) registerShape(a *app, c *cobra.Command) {
	f := c.Flags()
	p.set = func(name string) bool { return f.Changed(name) }
	choice := func(value *string, name, kind string, t text) { choiceFlag(f, value, name, kind, "", a.t(t)) }
	choice((*string)(&p.plan.Distro), "distro", "k3s|rke2", flagDistro)
	choice(&p.plan.Name, "name", "NAME", flagName)
	choice((*string)(&p.plan.Topology), "topology", "isolated|shared", flagTopology)
	choice((*string)(&p.plan.Profile), "profile", "strict|upstream", flagProfile)
	choice((*string)(&p.plan.Keys.Root), "root-alg", "ALG", flagRootAlg)
	choice((*string)(&p.plan.Keys.Intermediate), "intermediate-alg", "ALG", flagIntermediateAlg)
	choice((*string)(&p.plan.Keys.CA), "ca-alg", "ALG", flagCAAlg)
	choice((*string)(&p.plan.Keys.Service), "service-alg", "ALG", flagServiceAlg)
	choice((*string)(&p.plan.Validity.Root), "root-validity", "LIFE", flagRootValidity)
	choice((*string)(&p.plan.Validity.Intermediate), "intermediate-validity", "LIFE", flagIntermediateValidity)
	choice((*string)(&p.plan.Validity.CA), "ca-validity", "LIFE", flagCAValidity)
	f.StringArrayVar(&p.plan.Organization, "organization", nil, a.t(flagOrganization))
}

// registerInputs adds the flags that name what exists already.
func (p *planFlags) registerInputs(a *app, c *cobra.Command) {
	f := c.Flags()
	p.registerIssuers(a, c)
	choiceFlag(f, &p.plan.Inputs.Directory, "inputs", "DIR", "", a.t(flagInputs))
	f.StringArrayVar(&p.plan.Inputs.ServiceKeys, "service-key", nil, a.t(flagServiceKey))
	f.BoolVar(&p.plan.Inputs.KeepServiceKey, "service-key-keep", false, a.t(flagServiceKeyKeep))
}

// registerIssuers adds the flags that name an existing root or intermediate.
func (p *planFlags) registerIssuers(a *app, c *cobra.Command) {
	f := c.Flags()
	choice := func(value *string, name string, t text) { choiceFlag(f, value, name, "FILE", "", a.t(t)) }
	choice(&p.root, "root", flagRoot)
	choice(&p.rootKey, "root-key", flagRootKey)
	choice(&p.intermediate, "intermediate", flagIntermediate)
	choice(&p.intermediateKey, "intermediate-key", flagIntermediateKey)
	p.registerPassphrase(a, c)
}

func (p *planFlags) registerPassphrase(a *app, c *cobra.Command) {
	choiceFlag(c.Flags(), &p.passphraseFile, "key-passphrase-file", "FILE", "", a.t(flagKeyPassphraseFile))
}

// plans reads the plan file, if there is one, lets the flags override it and
// sets the time. A file with several documents gives several plans.
func (a *app) plans(p *planFlags) ([]pki.Plan, error) {
	plans := []pki.Plan{{}}
	if p.file != "" {
		data, err := a.readFile(p.file)
		if err != nil {
			return nil, err
		}
		if plans, err = parsePlans(data); err != nil {
			return nil, err
		}
	}
	for i := range plans {
		if p.file != standardOutput { // paths in a plan are seen from the plan
			plans[i].Inputs = anchored(plans[i].Inputs, filepath.Dir(p.file))
		}
		p.override(&plans[i])
		plans[i].Time = a.time(plans[i].Time)
	}
	if _, known := k3s.ProductOf(plans[0].Distro); known {
		a.distro = plans[0].Distro
	}
	return plans, pki.CheckNames(plans)
}

// anchored makes the relative paths of inputs start at a directory.
func anchored(in pki.Inputs, dir string) pki.Inputs {
	in.ServiceKeys = slices.Clone(in.ServiceKeys)
	paths := []*string{&in.Directory, &in.Root, &in.RootKey, &in.Intermediate, &in.IntermediateKey}
	for i := range in.ServiceKeys {
		paths = append(paths, &in.ServiceKeys[i])
	}
	for _, p := range paths {
		if *p != "" && *p != standardOutput && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return in
}

// plan is plans for commands that take one.
func (a *app) plan(p *planFlags) (pki.Plan, error) {
	plans, err := a.plans(p)
	if err != nil {
		return pki.Plan{}, err
	}
	if len(plans) != 1 {
		return pki.Plan{}, usage(msgOnePlan, p.file, len(plans))
	}
	return plans[0], nil
}

// override puts every flag that was given over the field of the plan.
func (p *planFlags) override(plan *pki.Plan) {
	for name, put := range p.overrides(plan) {
		if p.set(name) {
			put()
		}
	}
}

// planFlag returns a flag of the plan that was given, empty if none was.
func (p *planFlags) planFlag() string {
	if p.file != "" {
		return "--file"
	}
	for _, name := range slices.Sorted(maps.Keys(p.overrides(&pki.Plan{}))) {
		if p.set(name) {
			return "--" + name
		}
	}
	return ""
}

// overrides says what each flag does to a plan.
func (p *planFlags) overrides(plan *pki.Plan) map[string]func() {
	f := p.plan
	limits := func() *pki.NameConstraints {
		if plan.NameConstraints == nil {
			plan.NameConstraints = &pki.NameConstraints{}
		}
		return plan.NameConstraints
	}
	return map[string]func(){
		"distro":                func() { plan.Distro = f.Distro },
		"name":                  func() { plan.Name = f.Name },
		"topology":              func() { plan.Topology = f.Topology },
		"profile":               func() { plan.Profile = f.Profile },
		"root-alg":              func() { plan.Keys.Root = f.Keys.Root },
		"intermediate-alg":      func() { plan.Keys.Intermediate = f.Keys.Intermediate },
		"ca-alg":                func() { plan.Keys.CA = f.Keys.CA },
		"service-alg":           func() { plan.Keys.Service = f.Keys.Service },
		"root-validity":         func() { plan.Validity.Root = f.Validity.Root },
		"intermediate-validity": func() { plan.Validity.Intermediate = f.Validity.Intermediate },
		"ca-validity":           func() { plan.Validity.CA = f.Validity.CA },
		"organization":          func() { plan.Organization = f.Organization },
		"elsewhere":             func() { plan.Elsewhere = roles(p.elsewhere) },
		"inputs":                func() { plan.Inputs.Directory = f.Inputs.Directory },
		"root":                  func() { plan.Inputs.Root = p.root },
		"root-key":              func() { plan.Inputs.RootKey = p.rootKey },
		"intermediate":          func() { plan.Inputs.Intermediate = p.intermediate },
		"intermediate-key":      func() { plan.Inputs.IntermediateKey = p.intermediateKey },
		"service-key":           func() { plan.Inputs.ServiceKeys = f.Inputs.ServiceKeys },
		"service-key-keep":      func() { plan.Inputs.KeepServiceKey = f.Inputs.KeepServiceKey },
		"permit-dns":            func() { limits().PermittedDNS = p.permitDNS },
		"permit-ip":             func() { limits().PermittedIP = p.permitIP },
	}
}

func roles(names []string) []pki.Role {
	out := make([]pki.Role, len(names))
	for i, n := range names {
		out[i] = pki.Role(n)
	}
	return out
}

// parsePlans reads YAML (JSON is YAML too) and hands each document to the core
// as JSON.
func parsePlans(data []byte) ([]pki.Plan, error) {
	var plans []pki.Plan
	for d := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var node yaml.Node
		err := d.Decode(&node)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, unreadablePlan(err)
		}
		tree, err := plainYAML(&node)
		if err != nil {
			return nil, err
		}
		if tree == nil { // nothing between two separators, or behind the last one
			continue
		}
		document, err := json.Marshal(tree)
		if err != nil {
			return nil, unreadablePlan(err)
		}
		plan, err := pki.ParsePlan(document)
		if err != nil {
			return nil, err
		}
		plans = append(plans, plan)
	}
	if len(plans) == 0 {
		return nil, unreadablePlan(errors.New("no document"))
	}
	return plans, nil
}

func unreadablePlan(err error) error {
	return pki.Refuse([]pki.Finding{pki.New("plan-unreadable", "", "detail", strings.TrimPrefix(err.Error(), "yaml: "))})
}

// plainYAML turns a YAML node into what JSON can say. Scalars keep their text:
// a date stays the date that was written. Aliases are refused, since a plan is
// read aloud and must say everything where it stands.
func plainYAML(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return plainYAML(n.Content[0])
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if _, twice := m[key]; twice {
				return nil, unreadablePlan(errors.New("field " + key + " stands twice"))
			}
			value, err := plainYAML(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[key] = value
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			value, err := plainYAML(item)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case yaml.AliasNode:
		return nil, unreadablePlan(errors.New("an alias (*" + n.Value + ") where a value belongs"))
	}
	if slices.Contains([]string{"!!int", "!!bool", "!!null"}, n.Tag) {
		var value any
		err := n.Decode(&value)
		return value, err
	}
	return n.Value, nil
}
