package report

import (
	"crypto/x509"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Opening says that certificates under one CA are accepted where those of other
// CAs belong: at server-ca in the place of a server, anywhere else as a client.
type Opening struct {
	From pki.Role   `json:"from"`
	To   []pki.Role `json:"to"`
}

// trust lets a visitor from each CA, sent with its chain, knock at all other CA
// files. Components trust every certificate of their file, so one shared root or
// intermediate is enough to be let in: as cluster administrator (client-ca), as
// front proxy in anybody's name (request-header-ca), at the data of etcd.
func (p *prober) trust() []pki.Finding {
	var ends []*node // of the paths that lead in as a client
	for _, from := range p.domains {
		if !from.fits {
			continue
		}
		opens, tried := Opening{From: from.role}, []knock{}
		for _, to := range p.domains {
			if to == from {
				continue
			}
			at := p.opens(from, to, &tried)
			if len(at) > 0 {
				opens.To = append(opens.To, to.role)
			}
			if to.role != serverFile {
				ends = append(ends, at...)
			}
		}
		if len(opens.To) > 0 {
			p.openings = append(p.openings, opens)
		}
	}
	if len(ends) == 0 {
		return nil
	}
	return []pki.Finding{p.sharedTrust(ends)}
}

// serverFile is the CA whose file no component holds against a client. What
// verifies with server-ca.crt asks who the server is: kubelets and kubeconfigs,
// pods by kube-root-ca.crt, the API server at kubelets
// (kubelet-certificate-authority), the egress tunnel, and agents by /cacerts (k3s
// pkg/daemons/control/server.go and deps/deps.go, pkg/server/router.go).
//
// A CA that opens this file can pass a server off as the cluster's, and that
// stands among the openings. It is no reason to warn by itself: there is nothing
// to log in to, the signer for clients signs no such certificate (EKU), and who
// holds the keys of these CAs is in already. So it is after a move to own roots,
// when server-ca.crt alone still ends in the root of before and the others' cross
// certificates lead to it. The way back is another matter: under server-ca
// clients can be made, with its key or by the signer legacy-unknown, which
// leaves the EKU to the request.
const serverFile = pki.ServerCA

// visitor comes as a client or as a server.
var visitor = k3s.Leaf{CommonName: "probe", Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}

// knock is one try of a leaf at a set of trust anchors.
type knock struct {
	anchors []*node
	usage   x509.ExtKeyUsage
	ends    []*node
}

// opens returns the certificates of one CA's file at which the paths of a leaf
// of another CA end; none if it is not let in. Only anchors whose name issued
// something in the chain can end a path: files without any refuse unseen, and
// files that have the same ones answer alike. This spares most of the twenty
// costly verifications.
func (p *prober) opens(from, to *domain, tried *[]knock) []*node {
	issued := map[string]bool{string(from.certs[0].cert.RawSubject): true}
	for _, n := range from.certs {
		issued[string(n.cert.RawIssuer)] = true
	}
	next := knock{usage: x509.ExtKeyUsageClientAuth}
	if to.role == serverFile && slices.ContainsFunc(slices.Concat(from.certs, to.certs), limitsUsage) {
		next.usage = x509.ExtKeyUsageServerAuth
	}
	next.anchors = slices.DeleteFunc(slices.Clone(to.certs), func(n *node) bool { return !issued[string(n.cert.RawSubject)] })
	if len(next.anchors) == 0 {
		return nil
	}
	same := func(k knock) bool { return k.usage == next.usage && slices.Equal(k.anchors, next.anchors) }
	if i := slices.IndexFunc(*tried, same); i >= 0 {
		return (*tried)[i].ends
	}
	if leaf, err := p.mint(from, visitor); err == nil { // an error is told by the probes of this CA
		next.ends = p.pathEnds(leaf, next.anchors, from.certs, next.usage)
	}
	*tried = append(*tried, next)
	return next.ends
}

// pathEnds returns the anchors that end a path from the leaf. An anchor may stand
// on the way to a higher one: both open.
func (p *prober) pathEnds(leaf *x509.Certificate, anchors, between []*node, usage x509.ExtKeyUsage) []*node {
	paths, err := leaf.Verify(x509.VerifyOptions{
		Roots: pool(anchors), Intermediates: pool(between), CurrentTime: p.at.Time, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(anchors), func(n *node) bool {
		return !slices.ContainsFunc(paths, func(path []*x509.Certificate) bool { return path[len(path)-1].Equal(n.cert) })
	})
}

// sharedTrust names what lets clients of other CAs in, who is concerned, and who
// opens whom.
func (p *prober) sharedTrust(ends []*node) pki.Finding {
	var opens, roles []string
	concerned := map[pki.Role]bool{}
	for _, o := range p.openings {
		var to []string
		for _, role := range o.To {
			if role != serverFile {
				concerned[o.From], concerned[role] = true, true
				to = append(to, string(role))
			}
		}
		if len(to) > 0 {
			opens = append(opens, string(o.From)+" > "+strings.Join(to, ", "))
		}
	}
	for _, d := range p.domains {
		if concerned[d.role] {
			roles = append(roles, string(d.role))
		}
	}
	args := []string{
		"roots", namesOf(highest(ends)), "roles", strings.Join(roles, ", "), "opens", strings.Join(opens, "; "),
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

// highest names the anchors that stand under no other: where a root opens, the
// CAs below it open too, and go with it.
func highest(anchors []*node) []*node {
	var tops []*node
	for _, n := range anchors {
		if n.issuerIn(anchors) == nil && !holdsAnchor(tops, n) {
			tops = append(tops, n)
		}
	}
	if len(tops) == 0 { // they signed each other
		return anchors
	}
	return tops
}
