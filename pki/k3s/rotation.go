package k3s

import (
	"context"
	"crypto/x509"
	"slices"

	"rootkiln/pki"
)

// Change says what a rotation changes.
type Change string

const (
	ChangeCAs     Change = "cas"         // new CAs under the same roots
	ChangeSameKey Change = "same-key"    // the same, with the keys of before
	ChangeRoots   Change = "roots"       // new roots, cross-signed by those of before
	ChangeRootsA  Change = "roots-a"     // the same, the new root itself not yet in the files: the token stays
	ChangeRootsB  Change = "roots-b"     // the new root comes into the files
	ChangeRootsC  Change = "roots-c"     // the old root goes out of them
	ChangeService Change = "service-key" // nothing but the ServiceAccount key
)

// RotationRequest says what shall be different. The zero value asks for new CAs
// under the roots that are there.
type RotationRequest struct {
	// Plan decides about what is made: time, algorithms, lifetimes, names. What it
	// leaves open is as in the cluster.
	Plan pki.Plan
	Only []pki.Role // of the CAs; empty: all that the keys reach

	NewRoot         bool
	Step            string // "a", "b" or "c" of the change of a root; empty: a and b at once
	NewIntermediate bool
	SameKey         bool

	NewServiceKey  bool
	ServiceKeyOnly bool
	Prune          bool // of the old service keys, keep the one that signs today

	// Root and Intermediate exist already and shall stand over server-ca from now
	// on, over all in a shared topology. Nil: made.
	Root, Intermediate *pki.Authority
}

// Rotated is the next bundle of a cluster.
type Rotated struct {
	Change   Change
	Topology pki.Topology // of the files made
	Changed  []pki.Role   // CAs whose file is another one
	Kept     []pki.Role   // CAs that stay, for want of a key or of a wish
	Roots    []pki.Role   // roots and intermediates that were made
	Service  bool         // another key signs tokens

	// Server is what is offered: the eleven files, without those that the cluster
	// has not, and without CAs that stay and that rotate-ca would refuse: those
	// that are their own root, or have ended.
	Server   pki.Bundle
	Findings []pki.Finding

	// Issued is what was signed; its offline part is for the safe where Roots has
	// any. Nil: certificates only moved.
	Issued *pki.Issued
}

// rotating is one run.
type rotating struct {
	*Cluster
	RotationRequest
	asked  pki.Topology // empty: as it is
	layout pki.Layout
	given  pki.Given
	seg    map[pki.Role]segments // of the CAs that change
	keys   pki.KeySource
	out    *Rotated
}

// Rotate makes the next bundle. It is a pure function of its inputs and the key
// source; nothing in the cluster is changed.
func (c *Cluster) Rotate(ctx context.Context, want RotationRequest, keys pki.KeySource, progress pki.Progress) (*Rotated, error) {
	r := &rotating{
		Cluster: c, RotationRequest: want, keys: keys, seg: map[pki.Role]segments{},
		asked: want.Plan.Topology, given: pki.Given{Authorities: map[pki.Role]*pki.Authority{}}, out: &Rotated{},
	}
	given := []*pki.Authority{r.Root, r.Intermediate}
	if err := r.complete(); err != nil {
		return nil, err
	}
	r.out.Change = r.change()
	switch r.out.Change {
	case ChangeRootsB, ChangeRootsC:
		if err := r.step(); err != nil {
			return nil, err
		}
	case ChangeRoots, ChangeRootsA:
		if err := r.planRoots(); err != nil {
			return nil, err
		}
	case ChangeCAs, ChangeSameKey:
		if err := r.planCAs(); err != nil {
			return nil, err
		}
	}
	if err := r.unused(given); err != nil {
		return nil, err
	}
	if err := r.make(ctx, progress); err != nil {
		return nil, err
	}
	return r.out, nil
}

// unused refuses an authority that was given by name and would stand over nothing.
func (r *rotating) unused(given []*pki.Authority) error {
	var found []pki.Finding
	for _, a := range given {
		if a == nil || r.given.Authorities[a.Role] == a {
			continue
		}
		at := func(c *x509.Certificate) bool { return anchor(c) == anchor(a.Certificate) }
		stands := slices.ContainsFunc(r.domains, func(d *domain) bool {
			return slices.ContainsFunc(slices.Concat(d.chain(), d.file, r.seg[d.row.Role].roots), at)
		})
		if !stands {
			found = append(found, pki.New("rotation-root-unused", string(a.Role), "name", pki.Name(a.Certificate)))
		}
	}
	return pki.Refuse(found)
}

// complete fills the plan with what the cluster says about itself.
func (r *rotating) complete() error {
	p := &r.Plan
	if p.Distro == "" {
		p.Distro = r.Distro
	}
	if p.Distro != r.Distro && r.named {
		return refuse("rotation-distro", "", "is", string(r.Distro), "asked", string(p.Distro))
	}
	server := r.domain(pki.ServerCA)
	subject := server.leaf().Subject
	if !r.Default {
		r.like(p, server)
	}
	if p.Name == "" && len(subject.OrganizationalUnit) == 1 {
		like := pki.Plan{Name: subject.OrganizationalUnit[0], Time: p.Time}
		if len(like.Check()) == 0 {
			p.Name = like.Name
		}
	}
	if p.Organization == nil {
		like := pki.Plan{Organization: subject.Organization, Time: p.Time}
		if len(like.Check()) == 0 {
			p.Organization = subject.Organization
		}
	}
	if p.Topology == "" {
		p.Topology = r.Topology
	}
	if p.Topology == "" && (r.Default || !r.NewRoot) {
		p.Topology = pki.Isolated
	}
	if p.Topology == "" {
		return refuse("rotation-topology", "", "want", "isolated, shared")
	}
	if r.Root != nil && r.knows(r.Root.Root()) { // the old one was named: it is in the files
		r.Root, r.Intermediate = nil, nil
	}
	var err error
	r.layout, err = Layout(*p)
	r.out.Topology = p.Topology
	return err
}

// like takes profile and algorithms over from the CAs that are there: those of
// the upstream script are known by their key usage.
func (r *rotating) like(p *pki.Plan, server *domain) {
	const script = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign
	if p.Profile == "" && server.leaf().KeyUsage == script {
		p.Profile = pki.Upstream
	}
	take := func(into *pki.KeySpec, c *x509.Certificate) {
		if spec, ok := pki.SpecOf(c.PublicKey); ok && *into == "" {
			*into = spec
		}
	}
	take(&p.Keys.CA, server.leaf())
	take(&p.Keys.Root, server.top())
	if len(server.above) > 1 {
		take(&p.Keys.Intermediate, server.above[0])
	}
}

// change is what the request comes to in this cluster.
func (r *rotating) change() Change {
	switch {
	case r.ServiceKeyOnly:
		return ChangeService
	case r.Step == "b":
		return ChangeRootsB
	case r.Step == "c":
		return ChangeRootsC
	case r.Step == "a":
		return ChangeRootsA
	case r.NewRoot || r.Default && !r.SameKey || r.moves():
		return ChangeRoots
	case r.SameKey:
		return ChangeSameKey
	}
	return ChangeCAs
}

// moves reports whether the plan asks for another topology than there is.
func (r *rotating) moves() bool {
	return r.asked != "" && r.asked != r.Topology && !r.Default
}

func (c *Cluster) domain(role pki.Role) *domain {
	for _, d := range c.domains {
		if d.row.Role == role {
			return d
		}
	}
	return nil
}

// knows reports whether a root stands over a CA already.
func (c *Cluster) knows(root *x509.Certificate) bool {
	return slices.ContainsFunc(c.domains, func(d *domain) bool { return anchor(d.top()) == anchor(root) })
}

// wanted are the CAs that the request is about.
func (r *rotating) wanted() []*domain {
	var out []*domain
	for _, d := range r.domains {
		switch {
		case len(r.Only) > 0 && !slices.Contains(r.Only, d.row.Role):
		case len(r.Only) == 0 && r.moves() && !r.NewRoot && d.row.Role == pki.ServerCA && r.Plan.Topology == pki.Isolated:
			// Its root becomes its own by the others' leaving.
		default:
			out = append(out, d)
		}
	}
	return out
}

// without decides about CAs for which a key is missing: they stay when others can
// go on and nobody asked for them by name.
func (r *rotating) without(missing []pki.Finding, found int) error {
	if len(missing) == 0 {
		return nil
	}
	if found == 0 || len(r.Only) > 0 {
		return pki.Refuse(missing)
	}
	for _, f := range missing {
		r.out.Findings = append(r.out.Findings, pki.New("rotation-kept", f.Subject, "issuer", f.Args["issuer"]))
	}
	return nil
}

// keyMissing is the finding that a CA cannot change without a key.
func keyMissing(role pki.Role, issuer *x509.Certificate) pki.Finding {
	return pki.New("rotation-key-missing", string(role), "issuer", pki.Name(issuer), "sha256", pki.Fingerprint(issuer))
}

// planCAs decides who signs each new CA: the issuer of the present one, or a new
// intermediate under the authority above it.
func (r *rotating) planCAs() error {
	var rows []pki.Row
	var missing []pki.Finding
	renewed := "" // anchor of the intermediate to be made anew
	for _, d := range r.wanted() {
		if len(d.above) == 0 {
			missing = append(missing, pki.New("rotation-self-signed", string(d.row.Role), "issuer", pki.Name(d.leaf())))
			continue
		}
		at, lacking := r.signer(d)
		if lacking == nil && at > 0 && !r.renewable(d, renewed) {
			lacking = d.above[0]
		}
		if lacking != nil {
			missing = append(missing, keyMissing(d.row.Role, lacking))
			continue
		}
		row, _ := r.layout.Row(d.row.Role)
		issuer := r.giveIssuer(&rows, row.Issuer, d, at)
		if at > 0 {
			if renewed == "" {
				renewed = anchor(d.above[0])
				rows = append(rows, pki.Row{
					Role: pki.Intermediate, Tier: pki.TierIntermediate, Issuer: issuer,
					Name: string(pki.Intermediate) + "-ca", Safe: string(pki.Intermediate) + "-ca",
				})
			}
			issuer = pki.Intermediate
		}
		rows = append(rows, pki.Row{Role: d.row.Role, Tier: pki.TierCA, Issuer: issuer, Name: d.row.Name, Path: d.row.Path})
		s := d.split(nil)
		s.intermediates = slices.DeleteFunc(s.intermediates, func(c *x509.Certificate) bool {
			return slices.ContainsFunc(d.above[:at], c.Equal)
		})
		s.previous = r.previous(d, slices.Concat(s.intermediates, s.crosses))
		r.seg[d.row.Role] = s
	}
	r.layout.Rows = rows
	if r.NewIntermediate && len(r.seg) > 0 && renewed == "" {
		return refuse("rotation-no-intermediate", "")
	}
	return r.without(missing, len(r.seg))
}

// signer is the place in the chain of the authority that signs: the nearest whose
// key is there and that has not ended, above the intermediate where that shall be
// new. Lacking is the one whose key would be needed.
func (r *rotating) signer(d *domain) (at int, lacking *x509.Certificate) {
	first, ended := 0, -1
	if r.NewIntermediate && len(d.above) > 1 {
		first = 1
	}
	for at = first; at < len(d.above); at++ {
		switch c := d.above[at]; {
		case r.keyOf(c) == nil:
		case !c.NotAfter.Before(r.Plan.Time.Time):
			return at, nil
		case ended < 0:
			ended = at // its end is told when it is to sign
		}
	}
	if ended >= 0 {
		return ended, nil
	}
	return 0, d.above[first]
}

// renewable reports whether a new intermediate may stand for the present issuer
// of a CA: there is one role for it.
func (r *rotating) renewable(d *domain, renewed string) bool {
	return !r.SameKey && len(d.above) > 1 && (renewed == "" || renewed == anchor(d.above[0]))
}

// giveIssuer hands an existing issuer to the run, under the role that it has in
// the topology, and returns that role. One of a foreign shape gets the name of
// what it signs.
func (r *rotating) giveIssuer(rows *[]pki.Row, role pki.Role, d *domain, at int) pki.Role {
	c := d.above[at]
	if at > 0 || role == pki.Intermediate && pki.SelfSigned(c) {
		role = pki.Root
	}
	for known, a := range r.given.Authorities {
		if a.Certificate.Equal(c) {
			return known
		}
	}
	if r.given.Authorities[role] != nil {
		role = d.row.Role + "-issuer"
	}
	tier := pki.TierIntermediate
	if pki.SelfSigned(c) {
		tier = pki.TierRoot
	}
	*rows = append(*rows, pki.Row{Role: role, Tier: tier, Name: string(role)})
	r.given.Authorities[role] = &pki.Authority{Role: role, Certificate: c, Above: d.above[at+1:], Key: r.keyOf(c)}
	return role
}

// previous is the CA of today, for the end of the next file: every certificate
// that is held without a chain, all that the CSR signer has issued, finds its
// issuer there (the API server trusts what stands in client-ca.crt, and nothing
// else). Behind it come its intermediates, where the file does not go on with
// them; their root does stay, so that they open nothing that was closed.
func (r *rotating) previous(d *domain, goOn []*x509.Certificate) []*x509.Certificate {
	if r.SameKey || d.leaf().NotAfter.Before(r.Plan.Time.Time) {
		return nil
	}
	out := []*x509.Certificate{d.leaf()}
	for _, c := range d.above {
		if !pki.SelfSigned(c) && !slices.ContainsFunc(goOn, c.Equal) {
			out = append(out, c)
		}
	}
	return out
}
