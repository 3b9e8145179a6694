package k3s

import (
	"crypto/x509"
	"slices"
	"strings"

	"rootkiln/pki"
)

// planRoots decides which roots are new and who of the old ones vouches for them.
func (r *rotating) planRoots() error {
	if r.Plan.Topology == pki.Shared && len(r.Only) > 0 {
		return refuse("rotation-shared-only", strings.Join(rolesText(r.Only), ", "))
	}
	var roles []pki.Role
	var missing []pki.Finding
	for _, d := range r.wanted() {
		signer := r.vouching(d)
		if signer == nil {
			missing = append(missing, keyMissing(d.row.Role, d.top()))
			continue
		}
		roles = append(roles, d.row.Role)
		r.seg[d.row.Role] = segments{roots: []*x509.Certificate{signer}, previous: r.previous(d, nil)}
	}
	found := len(roles)
	if r.Plan.Topology == pki.Shared && len(missing) > 0 {
		found = 0 // one root for all: none can stay
	}
	if err := r.without(missing, found); err != nil {
		return err
	}
	for role, a := range map[pki.Role]*pki.Authority{pki.Root: r.Root, pki.Intermediate: r.Intermediate} {
		if a != nil && slices.Contains(roles, pki.ServerCA) {
			a.Role = role
			r.given.Authorities[role] = a
		}
	}
	if r.moves() && r.Plan.Topology == pki.Isolated && !slices.Contains(roles, pki.ServerCA) {
		r.note([]pki.Finding{pki.New("rotation-shared-root", string(pki.ServerCA), "root", pki.Name(r.domain(pki.ServerCA).top()))})
	}
	r.layout.Rows = slices.DeleteFunc(r.layout.Rows, func(row pki.Row) bool { return !leadsTo(r.layout, row.Role, roles) })
	return nil
}

// vouching is the old root with whose key the new one is cross-signed: the one
// that ends the chain, or another that the file still holds.
func (r *rotating) vouching(d *domain) *x509.Certificate {
	for _, c := range append([]*x509.Certificate{d.top()}, d.file...) {
		if pki.SelfSigned(c) && r.keyOf(c) != nil {
			return c
		}
	}
	return nil
}

// leadsTo reports whether a role is one of the given or stands above one.
func leadsTo(layout pki.Layout, role pki.Role, roles []pki.Role) bool {
	return slices.Contains(roles, role) || slices.ContainsFunc(layout.Rows, func(row pki.Row) bool {
		return row.Issuer == role && leadsTo(layout, row.Role, roles)
	})
}

func rolesText(roles []pki.Role) []string {
	var out []string
	for _, role := range roles {
		out = append(out, string(role))
	}
	return out
}

// step goes on with a change of roots that is under way: no key is needed, only
// certificates move.
func (r *rotating) step() error {
	var order error
	for _, d := range r.wanted() {
		s, waits := d.split(r.others), d.waitsFor(r.others)
		switch {
		case r.out.Change == ChangeRootsB && waits != nil:
			s.roots = append([]*x509.Certificate{waits}, s.roots...)
		case r.out.Change == ChangeRootsC && waits != nil:
			order = refuse("rotation-step-order", string(d.row.Role), "root", pki.Name(waits))
			continue
		case r.out.Change == ChangeRootsC && len(s.roots) > 1:
			s = s.under(s.roots[0])
		default:
			continue
		}
		r.seg[d.row.Role] = s
	}
	switch {
	case order != nil:
		return order
	case len(r.seg) > 0:
		return nil
	case r.out.Change == ChangeRootsB:
		return refuse("rotation-no-root", "")
	}
	return refuse("rotation-no-change", "")
}

// under is a file that knows one root alone: a CA of before stays if it stands
// under that root, and with it the certificates held without a chain.
func (s segments) under(root *x509.Certificate) segments {
	out := segments{ca: s.ca, intermediates: s.intermediates, roots: []*x509.Certificate{root}}
	among := slices.Concat(s.intermediates, s.previous, out.roots)
	for _, c := range s.previous {
		if _, complete := climb(c, among); complete {
			out.previous = append(out.previous, c)
		}
	}
	return out
}
