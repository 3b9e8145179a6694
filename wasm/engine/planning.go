package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// planParams are what every method takes that begins with a plan.
type planParams struct {
	common
	sealing
	Plan        json.RawMessage `json:"plan"`
	Passphrases Secrets         `json:"passphrases,omitempty"` // by file name
	Server      string          `json:"server,omitempty"`
	Offline     string          `json:"offline,omitempty"`
}

func (p *planParams) forget() {
	clear(p.SealPassphrase)
	p.Passphrases.forget()
}

// job is a plan on its way through the core.
type job struct {
	plan  pki.Plan
	run   pki.Run
	found []pki.Finding
}

// job reads a plan and what it names, and resolves it. With request, the root's
// key is on another machine where nothing else is said to be.
func (c *call) job(p *planParams, request bool) (*job, error) {
	plan, err := parsePlan(p.Plan)
	if err != nil {
		return nil, err
	}
	in := plan.Inputs
	if request && len(plan.Elsewhere) == 0 && in.Root == "" && in.Intermediate == "" && in.Directory == "" {
		plan.Elsewhere = []pki.Role{pki.Root}
	}
	if plan.Time.IsZero() {
		plan.Time = c.Now
	}
	if _, known := k3s.ProductOf(plan.Distro); known {
		c.distro = plan.Distro
	}
	j := &job{plan: plan}
	layout, err := k3s.Layout(plan)
	if err != nil {
		return nil, err
	}
	if err := pki.Refuse(plan.Check()); err != nil { // before files are opened
		return nil, err
	}
	given, notes, err := c.reader(p.Passphrases).Given(&j.plan.Inputs)
	if err != nil {
		return nil, err
	}
	return j, c.resolve(j, layout, given, notes)
}

// resolve fills the blanks of a job's plan.
func (c *call) resolve(j *job, layout pki.Layout, given pki.Given, notes []pki.Finding) error {
	resolved, found, err := pki.Resolve(j.plan, layout, given)
	if err != nil {
		return err
	}
	j.found = slices.Concat(notes, found)
	j.run = pki.Run{Plan: resolved, Layout: layout, Given: given}
	j.run.Keys, j.run.Progress = c.source(len(resolved.NewKeys()))
	return nil
}

// parsePlan reads a plan as the command line does; the two fields that head every
// document may be left out.
func parsePlan(data json.RawMessage) (pki.Plan, error) {
	if len(data) == 0 || string(data) == "null" {
		data = json.RawMessage("{}")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return pki.ParsePlan(data)
	}
	for name, value := range map[string]string{"apiVersion": pki.APIVersion, "kind": pki.PlanKind} {
		if _, there := fields[name]; !there {
			fields[name] = json.RawMessage(`"` + value + `"`)
		}
	}
	whole, err := json.Marshal(fields)
	if err != nil {
		return pki.Plan{}, err
	}
	return pki.ParsePlan(whole)
}

// versioned is the value of version.
type versioned struct {
	API     int    `json:"api"`
	Version string `json:"version"`
	Go      string `json:"go"`
}

func (c *call) version(_ context.Context, _ *struct{ common }) (*versioned, error) {
	return &versioned{API, c.engine.Version, runtime.Version()}, nil
}

// parseParams are those of parse.
type parseParams struct {
	common
	Document string `json:"document"`
}

// parsed is the value of parse.
type parsed struct {
	Document string `json:"document"`
}

// parse reads a plan that people wrote, JSON or the YAML of settings, and gives it
// back as JSON.
func (c *call) parse(_ context.Context, p *parseParams) (*parsed, error) {
	data := []byte(p.Document)
	if !json.Valid(data) {
		y := newYAML(p.Document)
		tree, ok := y.document()
		if !ok {
			return nil, usage(sayYAML, y.at+1)
		}
		var err error
		if data, err = json.Marshal(tree); err != nil {
			return nil, err
		}
	}
	plan, err := pki.ParsePlan(data)
	if err != nil {
		return nil, err
	}
	data, err = json.MarshalIndent(plan, "", "  ")
	return &parsed{string(data) + "\n"}, err
}

// planned is the value of plan.
type planned struct {
	Resolved pki.Resolved         `json:"resolved"`
	Digest   string               `json:"digest"`
	Topology []*report.Branch     `json:"topology"`
	Lives    []report.Life        `json:"lives"`
	Files    []report.PlannedFile `json:"files"`
	Findings []Finding            `json:"findings"`
	Command  string               `json:"command"`
	Document string               `json:"document"`
	Requests []pki.Role           `json:"requests"`
	Keys     []plannedKey         `json:"keys"`
}

type plannedKey struct {
	Role pki.Role    `json:"role"`
	Name string      `json:"name"`
	Key  pki.KeySpec `json:"key"`
}

func (c *call) plan(_ context.Context, p *planParams) (*planned, error) {
	j, err := c.job(p, false)
	if err != nil {
		return nil, err
	}
	if _, err := p.to(); err != nil {
		return nil, err
	}
	resolved := j.run.Plan
	digest, err := resolved.Digest()
	if err != nil {
		return nil, err
	}
	asked, err := parsePlan(p.Plan)
	if err != nil {
		return nil, err
	}
	document, err := json.MarshalIndent(asked, "", "  ")
	if err != nil {
		return nil, err
	}
	out := &planned{
		Resolved: resolved, Digest: fmt.Sprintf("%x", digest),
		Topology: report.Topology(resolved, j.run.Layout, c.Lang), Lives: report.Lives(resolved, c.Lang),
		Files: report.PlannedFiles(resolved, j.run.Layout, c.Lang), Findings: c.explain(j.found),
		Document: string(document) + "\n", Requests: []pki.Role{}, Keys: []plannedKey{},
	}
	for _, s := range resolved.Requests() {
		out.Requests = append(out.Requests, s.Role)
	}
	for _, k := range resolved.NewKeys() {
		out.Keys = append(out.Keys, plannedKey{k.Role, report.RoleName(k.Role, c.Lang), k.Spec})
	}
	out.Command = report.CommandLine(asked, report.CommandOptions{
		Server: p.Server, Offline: p.Offline, Recipients: p.Recipients,
		Passphrase: len(p.SealPassphrase) > 0, Request: len(out.Requests) > 0,
	})
	return out, nil
}
