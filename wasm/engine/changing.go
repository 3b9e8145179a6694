package engine

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// rotateParams are those of rotate.
type rotateParams struct {
	planParams
	Old             FileSet    `json:"old"`
	Held            []FileSet  `json:"held"`
	Root            string     `json:"root,omitempty"`
	Intermediate    string     `json:"intermediate,omitempty"`
	Only            []pki.Role `json:"only,omitempty"`
	NewRoot         bool       `json:"newRoot,omitempty"`
	Step            string     `json:"step,omitempty"`
	NewIntermediate bool       `json:"newIntermediate,omitempty"`
	SameKey         bool       `json:"sameKey,omitempty"`
	NewServiceKey   bool       `json:"newServiceKey,omitempty"`
	ServiceKeyOnly  bool       `json:"serviceKeyOnly,omitempty"`
	Prune           bool       `json:"prune,omitempty"`
}

func (p *rotateParams) forget() {
	p.planParams.forget()
	p.Old.forget()
	for i := range p.Held {
		p.Held[i].forget()
	}
}

// wanted is the request without the issuers that are read from files.
func (p *rotateParams) wanted(now pki.Time) (k3s.RotationRequest, error) {
	plan, err := parsePlan(p.Plan)
	if err != nil {
		return k3s.RotationRequest{}, err
	}
	if plan.Time.IsZero() {
		plan.Time = now
	}
	want := k3s.RotationRequest{
		Plan: plan, Only: p.Only, NewRoot: p.NewRoot, Step: p.Step, NewIntermediate: p.NewIntermediate, SameKey: p.SameKey,
		NewServiceKey: p.NewServiceKey, ServiceKeyOnly: p.ServiceKeyOnly, Prune: p.Prune,
	}
	return want, pki.Refuse(want.Check(p.Intermediate != ""))
}

func (c *call) rotate(ctx context.Context, p *rotateParams) (*rotation, error) {
	want, err := p.wanted(c.Now)
	if err != nil {
		return nil, err
	}
	to, err := p.to()
	if err != nil {
		return nil, err
	}
	running, found, err := c.cluster(p.Old)
	if err != nil {
		return nil, err
	}
	old, err := report.ClusterFiles(running)
	if err != nil {
		return nil, err
	}
	held, notes, err := c.held(p, &want)
	if err != nil {
		return nil, err
	}
	found = slices.Concat(found, notes)
	cluster, notes, err := k3s.ReadCluster(old, held)
	if err != nil {
		return nil, err
	}
	c.distro, found = cluster.Distro, slices.Concat(found, notes)
	next, err := c.next(ctx, cluster, &want)
	if err != nil {
		return nil, err
	}
	return c.rotated(ctx, p, old, next, want.Plan.Time, to, found)
}

// next makes the bundle. Authorities are named by the second in which they are
// made: right behind another rotation, the next second is waited for.
func (c *call) next(ctx context.Context, cluster *k3s.Cluster, want *k3s.RotationRequest) (*k3s.Rotated, error) {
	source, progress := c.source(0)
	next, err := cluster.Rotate(ctx, *want, source, progress)
	if !pki.RefusedFor(err, "rotation-same-name") {
		return next, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
	}
	want.Plan.Time = pki.At(want.Plan.Time.Add(time.Second))
	return cluster.Rotate(ctx, *want, source, progress)
}

// rotation is the value of rotate.
type rotation struct {
	report.Rotation
	Server   string      `json:"server"`
	Offline  string      `json:"offline,omitempty"`
	Time     pki.Time    `json:"time"`
	Findings []Finding   `json:"findings"`
	Steps    []toldSteps `json:"steps"`
}

// rotated judges what was made and hands it out.
func (c *call) rotated(ctx context.Context, p *rotateParams, old pki.Bundle, next *k3s.Rotated, at pki.Time, to []age.Recipient, found []pki.Finding) (*rotation, error) {
	name := archiveNames(&p.planParams, "next.tar.gz")
	out := &rotation{Server: name.server, Time: at}
	staged := report.Staged{Name: report.ShellPath(name.server), Archive: true}
	if len(next.Roots) > 0 {
		out.Offline = name.sealed(len(to) > 0)
		staged.Offline = report.ShellPath(out.Offline)
		if err := report.RotationPapers(old, next, at, c.Lang); err != nil {
			return nil, err
		}
		if err := c.archive(out.Offline, next.Issued.Offline, to); err != nil {
			return nil, err
		}
	}
	if err := c.archive(name.server, next.Server, nil); err != nil {
		return nil, err
	}
	slices.Reverse(c.out) // the server's part first, as make has it
	var err error
	if out.Rotation, err = report.ReportRotation(ctx, old, next, staged, at, c.engine.Keys); err != nil {
		return nil, err
	}
	out.Findings, out.Steps = c.explain(slices.Concat(out.Rotation.Findings, found)), []toldSteps{}
	for _, s := range out.Rotation.Steps {
		what, where := report.ExplainStep(s, c.Lang, c.distro)
		out.Steps = append(out.Steps, toldSteps{s, what, where})
	}
	return out, nil
}

// toldSteps is a step with its sentences.
type toldSteps struct {
	report.Step
	What string `json:"what"`
	At   string `json:"at"` // the machine, in words
}

// held reads what was given beside the cluster: every key and certificate in its
// sets. A key is told by its certificate.
func (c *call) held(p *rotateParams, want *k3s.RotationRequest) (k3s.Held, []pki.Finding, error) {
	var held k3s.Held
	var found []pki.Finding
	for _, set := range p.Held {
		b, more, err := c.open(set)
		if err != nil {
			return held, nil, err
		}
		secrets := Secrets{}
		for _, f := range b.Files {
			if secret := p.Passphrases[f.Path]; len(secret) > 0 {
				secrets[f.Path] = secret
			} else {
				secrets[f.Path] = set.Passphrase
			}
		}
		keys, certs, notes, err := c.reader(secrets).Everything(b)
		if err != nil {
			return held, nil, err
		}
		held.Keys, held.Certificates = append(held.Keys, keys...), append(held.Certificates, certs...)
		found = slices.Concat(found, more, notes)
	}
	var above []*x509.Certificate
	for _, given := range []struct {
		role pki.Role
		name string
		into **pki.Authority
	}{{pki.Root, p.Root, &want.Root}, {pki.Intermediate, p.Intermediate, &want.Intermediate}} {
		if given.name == "" {
			continue
		}
		authority, notes, err := c.reader(p.Passphrases).Issuer(given.role, given.name, "", above)
		if err != nil {
			return held, nil, err
		}
		found = append(found, notes...)
		held.Lend(authority)
		above = authority.Chain()
		held.Certificates = append(held.Certificates, above...)
		*given.into = authority
	}
	return held, found, nil
}

// exportParams are those of export.
type exportParams struct {
	common
	Set       FileSet `json:"set"`
	Format    string  `json:"format"`
	Name      string  `json:"name,omitempty"`
	Namespace string  `json:"namespace,omitempty"`
}

func (p *exportParams) forget() { p.Set.forget() }

// exported is the value of export.
type exported struct {
	Format string `json:"format"`
	Keys   bool   `json:"keys"` // private keys are in it
	Size   int    `json:"size"`
	Limit  int    `json:"limit,omitempty"` // that not every recipient goes beyond
}

func (c *call) export(ctx context.Context, p *exportParams) (*exported, error) {
	var form k3s.Export
	var known []string
	for _, e := range k3s.Exports() {
		if known = append(known, e.Name); e.Name == p.Format {
			form = e
		}
	}
	if form.Files == nil {
		return nil, usage(sayChoice, "format", p.Format, strings.Join(known, ", "))
	}
	b, _, err := c.cluster(p.Set)
	if err != nil {
		return nil, err
	}
	in, err := report.Installation(ctx, b, "", c.Now, c.engine.Keys)
	if err != nil {
		return nil, err
	}
	c.distro = in.Product.Distro
	in.Namespace = p.Namespace
	if p.Name != "" {
		in.Name = p.Name
	}
	if err := in.CheckNames(); err != nil {
		return nil, err
	}
	size := 0
	for _, f := range form.Files(in) {
		size += len(f.Data)
		if err := c.hand(f.Path, f.Data, nil, f.Kind.Mode()); err != nil {
			return nil, err
		}
	}
	return &exported{form.Name, form.Keys, size, form.Limit}, nil
}

// adminParams are those of admin.
type adminParams struct {
	common
	Set         FileSet      `json:"set"`
	Validity    pki.Lifetime `json:"validity,omitempty"`
	Server      string       `json:"server,omitempty"`
	User        string       `json:"user,omitempty"`
	Groups      []string     `json:"groups,omitempty"`
	Certificate bool         `json:"certificate,omitempty"`
}

func (p *adminParams) forget() { p.Set.forget() }

// defaultServer is where k3s's own kubeconfig looks, on the server itself.
const defaultServer = "https://127.0.0.1:6443"

// admitted is the value of admin.
type admitted struct {
	User      string   `json:"user"`
	Groups    []string `json:"groups"`
	Server    string   `json:"server,omitempty"`
	NotAfter  pki.Time `json:"notAfter"`
	SHA256    string   `json:"sha256"`    // of the certificate
	Unlimited []string `json:"unlimited"` // groups that open everything
	Cut       bool     `json:"cut"`       // it ends with the CA, earlier than asked for
}

func (c *call) admin(ctx context.Context, p *adminParams) (*admitted, error) {
	want := k3s.DefaultAdmin
	want.At = c.Now
	if p.User != "" {
		want.User = p.User
	}
	if p.Validity != "" {
		want.Life = p.Validity
	}
	if len(p.Groups) > 0 {
		want.Groups = p.Groups
	}
	b, _, err := c.cluster(p.Set)
	if err != nil {
		return nil, err
	}
	made, err := k3s.IssueAdmin(ctx, b, want, c.engine.Keys)
	if err != nil {
		return nil, err
	}
	if p.Certificate {
		p.Server = ""
		err = errors.Join(c.hand("client-admin.crt", made.Chain, nil, 0o644), c.hand("client-admin.key", made.Key, nil, 0o600))
	} else {
		if p.Server == "" {
			p.Server = defaultServer
		}
		config, failure := made.Kubeconfig(p.Server)
		if failure != nil {
			return nil, usage(sayServer, p.Server)
		}
		err = c.hand("admin.kubeconfig", config, nil, 0o600)
	}
	return &admitted{
		want.User, want.Groups, p.Server, pki.At(made.Certificate.NotAfter), pki.Fingerprint(made.Certificate),
		append([]string{}, want.Unlimited()...), made.Cut,
	}, err
}
