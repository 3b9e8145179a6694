package report

import (
	"crypto/x509"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Opening says that client certificates under one CA are accepted by components
// that should trust another.
type Opening struct {
	From pki.Role   `json:"from"`
	To   []pki.Role `json:"to"`
}

// trust lets a client certificate of each CA, sent with its chain, knock at all
// other CAs' components. They trust every certificate of their file, so one
// shared root or intermediate is enough to be let in: as cluster administrator
// (client-ca), as front proxy in anybody's name (request-header-ca), at the data
// of etcd.
func (p *prober) trust() []pki.Finding {
	for _, from := range p.domains {
		if !from.fits {
			continue
		}
		opens, tried := Opening{From: from.role}, []knock{}
		for _, to := range p.domains {
			if to != from && p.opens(from, to, &tried) {
				opens.To = append(opens.To, to.role)
			}
		}
		if len(opens.To) > 0 {
			p.openings = append(p.openings, opens)
		}
	}
	if len(p.openings) == 0 {
		return nil
	}
	return []pki.Finding{p.sharedTrust()}
}

// knock is one try of a leaf at a set of trust anchors.
type knock struct {
	anchors []*node
	opened  bool
}

// visitor is the client certificate that knocks.
var visitor = k3s.Leaf{CommonName: "probe", Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}

// opens reports whether a leaf of one CA verifies against the file of another.
// Only anchors whose name issued something in the chain can end a path: files
// without any refuse unseen, and files that have the same ones answer alike.
// This spares most of the twenty costly verifications.
func (p *prober) opens(from, to *domain, tried *[]knock) bool {
	issued := map[string]bool{string(from.certs[0].cert.RawSubject): true}
	for _, n := range from.certs {
		issued[string(n.cert.RawIssuer)] = true
	}
	anchors := slices.DeleteFunc(slices.Clone(to.certs), func(n *node) bool { return !issued[string(n.cert.RawSubject)] })
	if len(anchors) == 0 {
		return false
	}
	if i := slices.IndexFunc(*tried, func(k knock) bool { return slices.Equal(k.anchors, anchors) }); i >= 0 {
		return (*tried)[i].opened
	}
	// What is an anchor need not be tried as an intermediate too.
	chain := slices.DeleteFunc(slices.Clone(from.certs), func(n *node) bool { return slices.Contains(anchors, n) })
	leaf, err := p.mint(from, visitor) // an error is told by the probes of this CA
	opened := err == nil && p.verify(leaf, anchors, chain, visitor.Usage) == nil
	*tried = append(*tried, knock{anchors, opened})
	return opened
}

// sharedTrust names what the CAs have in common, who is concerned, and who opens
// whom.
func (p *prober) sharedTrust() pki.Finding {
	var opens, roles []string
	concerned := map[pki.Role]bool{}
	for _, o := range p.openings {
		concerned[o.From] = true
		var to []string
		for _, role := range o.To {
			concerned[role] = true
			to = append(to, string(role))
		}
		opens = append(opens, string(o.From)+" > "+strings.Join(to, ", "))
	}
	for _, d := range p.domains {
		if concerned[d.role] {
			roles = append(roles, string(d.role))
		}
	}
	args := []string{
		"roots", strings.Join(p.anchorsInCommon(), ", "), "roles", strings.Join(roles, ", "), "opens", strings.Join(opens, "; "),
	}
	for _, door := range doors {
		var guests []string
		for _, o := range p.openings {
			if slices.Contains(o.To, door.to) {
				guests = append(guests, string(o.From))
			}
		}
		if len(guests) > 0 {
			args = append(args, door.means, strings.Join(guests, ", "))
		}
	}
	return pki.New("shared-trust", p.dir, args...)
}

// doors are what a client certificate gains by being accepted for a CA: the
// names of the arguments that list the CAs which open it.
var doors = []struct {
	to    pki.Role
	means string
}{
	{pki.ClientCA, "admin"},        // O=system:masters; O=k3s:server fetches all CA keys
	{pki.RequestHeaderCA, "proxy"}, // CN=system:auth-proxy: any user, any group
	{pki.EtcdServerCA, "etcd"},     // all data
	{pki.EtcdPeerCA, "peer"},       // a member's place
}

// anchorsInCommon names the certificates that stand in several CA files: the
// roots among them, or whatever there is.
func (p *prober) anchorsInCommon() []string {
	var roots, others []string
	seen := map[string]int{}
	for _, d := range p.domains {
		for _, n := range d.certs {
			if seen[n.identity()]++; seen[n.identity()] != 2 {
				continue
			}
			if n.self {
				roots = append(roots, n.name())
			} else {
				others = append(others, n.name())
			}
		}
	}
	if len(roots) > 0 {
		return roots
	}
	return others
}
