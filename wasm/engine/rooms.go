package engine

import (
	"context"
	"fmt"
	"slices"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// Files of a request, as the command line names them.
const (
	planFile  = "plan.json"  // public: travels with the requests
	stateFile = "state.json" // secret: the keys that wait for their certificates
)

type requestEntry struct {
	Role      pki.Role `json:"role"`
	Name      string   `json:"name"`
	Issuer    pki.Role `json:"issuer"`
	File      string   `json:"file"`
	PublicKey string   `json:"publicKeySHA256"`
}

// requested is the value of request.
type requested struct {
	PlanDigest string         `json:"planDigest"`
	Requests   []requestEntry `json:"requests"`
	Findings   []Finding      `json:"findings"`
}

func (c *call) request(ctx context.Context, p *planParams) (*requested, error) {
	to, err := p.to()
	if err != nil {
		return nil, err
	}
	j, err := c.job(p, true)
	if err != nil {
		return nil, err
	}
	made, err := j.run.Request(ctx, j.plan)
	if err != nil {
		return nil, err
	}
	digest, err := j.run.Plan.Digest()
	if err != nil {
		return nil, err
	}
	entries := []requestEntry{}
	for _, s := range j.run.Plan.Requests() {
		file := string(s.Role) + ".csr"
		entries = append(entries, requestEntry{s.Role, report.RoleName(s.Role, c.Lang), s.Issuer, file, made.PublicKeys[s.Role]})
		if err := c.hand(file, made.Requests[s.Role], nil, 0o644); err != nil {
			return nil, err
		}
	}
	canonical, err := j.run.Plan.Canonical()
	if err != nil {
		return nil, err
	}
	if err := c.hand(planFile, append(canonical, '\n'), nil, 0o644); err != nil {
		return nil, err
	}
	state, err := made.State.MarshalState()
	if err != nil {
		return nil, err
	}
	if err := c.hand(names{offline: stateFile}.sealed(len(to) > 0), state, to, 0o600); err != nil {
		return nil, err
	}
	return &requested{fmt.Sprintf("%x", digest), entries, c.explain(j.found)}, nil
}

// resumeParams take up a request.
type resumeParams struct {
	planParams
	State           string   `json:"state"`
	Signed          []string `json:"signed"`
	StatePassphrase Secret   `json:"statePassphrase,omitempty"`
}

func (p *resumeParams) forget() {
	clear(p.StatePassphrase)
	p.planParams.forget()
}

func (c *call) resume(ctx context.Context, p *resumeParams) (*receipt, error) {
	to, err := p.to()
	if err != nil {
		return nil, err
	}
	data, err := c.read(p.State, p.StatePassphrase)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	state, keys, err := pki.ParseState(data)
	if err != nil {
		return nil, err
	}
	j := &job{plan: state.Plan}
	c.distro = state.Plan.Distro
	j.plan.Time = c.Now // the cluster's files are made now: modification times are payload
	layout, err := k3s.Layout(j.plan)
	if err != nil {
		return nil, err
	}
	given, notes, err := c.reader(p.Passphrases).Given(&j.plan.Inputs)
	if err != nil {
		return nil, err
	}
	var signed []pki.Signed
	for _, name := range p.Signed {
		data, err := c.read(name, nil)
		if err != nil {
			return nil, err
		}
		signed = append(signed, pki.Signed{Path: name, Data: data})
	}
	found, err := state.AcceptAll(keys, signed, given)
	if err != nil {
		return nil, err
	}
	if err := c.resolve(j, layout, given, slices.Concat(notes, found)); err != nil {
		return nil, err
	}
	if err := state.Unchanged(j.run.Plan); err != nil {
		return nil, err
	}
	return c.finish(ctx, j, &p.planParams, to)
}

// signParams are those of the second room.
type signParams struct {
	common
	Plan        string  `json:"plan"`
	Request     string  `json:"request"`
	Issuer      string  `json:"issuer"`
	Key         string  `json:"key"`
	Passphrases Secrets `json:"passphrases,omitempty"`
}

func (p *signParams) forget() { p.Passphrases.forget() }

// certified is the value of sign.
type certified struct {
	Role       pki.Role  `json:"role"`
	Subject    string    `json:"subject"`
	Issuer     string    `json:"issuer"`
	SHA256     string    `json:"sha256"`
	NotAfter   pki.Time  `json:"notAfter"`
	RootSHA256 string    `json:"rootSHA256"`
	PlanDigest string    `json:"planDigest"`
	PublicKey  string    `json:"publicKeySHA256"`
	Findings   []Finding `json:"findings"`
}

func (c *call) sign(ctx context.Context, p *signParams) (*certified, error) {
	data, err := c.read(p.Plan, nil)
	if err != nil {
		return nil, err
	}
	plan, err := pki.ParseResolved(data)
	if err != nil {
		return nil, err
	}
	c.distro = plan.Distro
	if data, err = c.read(p.Request, nil); err != nil {
		return nil, err
	}
	layout, err := k3s.Layout(pki.Plan{Distro: plan.Distro, Topology: plan.Topology, Time: c.Now})
	if err != nil {
		return nil, err
	}
	vetted, err := c.reader(p.Passphrases).Vet(plan, layout, pki.Signed{Path: p.Request, Data: data}, p.Issuer, p.Key, c.Now)
	if err != nil {
		return nil, err
	}
	signed, err := vetted.Sign(ctx, c.Now, c.engine.Keys)
	if err != nil {
		return nil, err
	}
	digest, err := plan.Digest()
	if err != nil {
		return nil, err
	}
	cert := signed.Certificate
	name := string(signed.Role) + ".crt"
	if err := c.hand(name, pki.EncodeCertificates(signed.Chain()...), nil, 0o644); err != nil {
		return nil, err
	}
	return &certified{
		signed.Role, report.Printable(cert.Subject.String()), report.Printable(cert.Issuer.String()), pki.Fingerprint(cert), pki.At(cert.NotAfter),
		pki.Fingerprint(signed.Root()), fmt.Sprintf("%x", digest), pki.KeyFingerprint(cert.PublicKey), c.explain(vetted.Found),
	}, nil
}
