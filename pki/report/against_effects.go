package report

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"

	"rootkiln/pki"
)

// domain compares one CA file with its successor.
func (s *succession) domain(was, is *domain) []pki.Finding {
	old, next := was.certs[0], is.certs[0]
	if old.identity() == next.identity() && sameAnchors(was, is) {
		return nil
	}
	file := s.path(is.path + ".crt")
	found := s.renewal(old, next, is, file)
	switch dropped := !holdsAnchor(is.certs, old); {
	case statusOf(old.cert, s.at) != Valid: // what it signed is refused as it is
	case !s.accepts(is.certs, was.certs):
		found = append(found, pki.New("old-leaves-refused", file, "ca", old.name()))
	case dropped && was.role == pki.ClientCA:
		found = append(found, pki.New("client-ca-dropped", file, "ca", old.name()))
	case dropped && was.role == pki.ServerCA:
		found = append(found, pki.New("server-ca-dropped", file, "ca", old.name()))
	}
	if s.accepts(is.certs, was.certs) { // otherwise all that is old is refused, and told
		found = append(found, s.previous(was, is, file)...)
	}
	if statusOf(next.cert, s.at) == Valid && !s.accepts(was.certs, is.certs) {
		return append(found, pki.New("new-leaves-refused", file, "ca", next.name()))
	}
	if was.role == pki.ServerCA {
		found = append(found, s.outsiders(was, is, file)...)
	}
	return found
}

// previous tells of what was kept from a rotation before and now goes: CAs whose
// certificates are held without a chain, and roots that others chain up to.
func (s *succession) previous(was, is *domain, file string) []pki.Finding {
	var gone []*node
	for _, n := range was.certs[1:] {
		signsCAs := slices.ContainsFunc(was.certs, func(o *node) bool { return o != n && o.signedBy(n) })
		if statusOf(n.cert, s.at) == Valid && !holdsAnchor(is.certs, n) && (!signsCAs || !s.reaches(n, is.certs, nil)) {
			gone = append(gone, n)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return []pki.Finding{pki.New("previous-ca-dropped", file, "ca", namesOf(gone))}
}

// renewal finds leaf certificates that stay although their CA changes: k3s makes
// one anew when its AKI differs from the SKI of the first certificate of the CA
// file, and looks at nothing else (pkg/daemons/control/deps/deps.go,
// fieldsChanged). Two CAs without SKI are the same to it.
func (s *succession) renewal(old, next *node, is *domain, file string) []pki.Finding {
	if old.identity() == next.identity() || !bytes.Equal(old.cert.SubjectKeyId, next.cert.SubjectKeyId) || holdsAnchor(is.certs, old) {
		return nil
	}
	return []pki.Finding{pki.New("leaves-not-renewed", file, "was", old.name(), "is", next.name())}
}

// outsiders are clients that hold the old root alone: kubeconfigs, trust stores,
// programs outside the cluster. Go tries every way; OpenSSL takes the first
// issuer in the chain that is sent, and gives up at a root that it does not know.
func (s *succession) outsiders(was, is *domain, file string) []pki.Finding {
	var roots []*node
	for _, n := range was.certs {
		if n.self && statusOf(n.cert, s.at) == Valid {
			roots = append(roots, n)
		}
	}
	var found []pki.Finding
	switch {
	case len(roots) == 0:
	case !s.reaches(is.certs[0], roots, is.certs[1:]):
		found = append(found, pki.New("old-root-refuses", file, "root", namesOf(roots)))
	case !s.openSSLReaches(is.certs[0], is.certs[1:], roots):
		found = append(found, pki.New("cross-order", file, "root", namesOf(roots)))
	}
	if !sameRoots(was, is) {
		found = append(found, pki.New("supervisor-keeps-old", file))
	}
	return found
}

// accepts reports whether components whose trust file holds the anchors let in
// certificates under a CA that come with its chain. The CA stands for them: what
// it would sign need not exist.
func (s *succession) accepts(anchors, chain []*node) bool {
	return holdsAnchor(anchors, chain[0]) || s.reaches(chain[0], anchors, chain[1:])
}

func (s *succession) reaches(from *node, anchors, between []*node) bool {
	_, err := from.cert.Verify(x509.VerifyOptions{
		Roots: pool(anchors), Intermediates: pool(between), CurrentTime: s.at.Time,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

// openSSLReaches follows X509_verify_cert with its default flags: the trusted
// issuer first, then the first certificate that was sent whose name and key
// identifier fit and which is valid; it never goes back (crypto/x509/x509_vfy.c,
// build_chain).
func (s *succession) openSSLReaches(from *node, sent, trusted []*node) bool {
	first := func(of *node, among []*node) *node {
		for _, n := range among {
			fits := len(of.cert.AuthorityKeyId) == 0 || len(n.cert.SubjectKeyId) == 0 || of.keyIDPreference(n) == 0
			if n != of && fits && bytes.Equal(of.cert.RawIssuer, n.cert.RawSubject) && statusOf(n.cert, s.at) == Valid {
				return n
			}
		}
		return nil
	}
	for range len(sent) + 1 {
		if anchor := first(from, trusted); anchor != nil {
			return from.signedBy(anchor)
		}
		next := first(from, sent)
		if next == nil || next.self || !from.signedBy(next) {
			return false
		}
		from = next
	}
	return false
}

// openToOld finds the CAs whose new file has a root of its own and still lets in
// what other CAs of the old cluster signed.
func (s *succession) openToOld() []pki.Finding {
	var open, roots []string
	for i, is := range s.is.domains {
		was := s.was.domains[i]
		if len(is.certs) == 0 || len(was.certs) == 0 || !ownRoot(was, is) {
			continue
		}
		guests := slices.ContainsFunc(s.was.domains, func(o *domain) bool {
			return o != was && len(o.certs) > 0 && s.accepts(was.certs, o.certs) && s.accepts(is.certs, o.certs)
		})
		if !guests {
			continue
		}
		open = append(open, string(is.role))
		for _, n := range is.certs {
			if n.self && holdsAnchor(was.certs, n) && !slices.Contains(roots, n.name()) {
				roots = append(roots, n.name())
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	return []pki.Finding{pki.New("old-trust-open", s.dir, "roles", strings.Join(open, ", "), "roots", strings.Join(roots, ", "))}
}

// ownRoot reports whether a root comes that was not there.
func ownRoot(was, is *domain) bool {
	return slices.ContainsFunc(is.certs, func(n *node) bool { return n.self && !holdsAnchor(was.certs, n) })
}

// anchorsKept tells where Kubernetes goes on trusting what the files no longer
// hold.
func (s *succession) anchorsKept() []pki.Finding {
	var concerned []string
	for i, was := range s.was.domains {
		is := s.is.domains[i]
		published := was.role == pki.ClientCA || was.role == pki.RequestHeaderCA
		if published && len(is.certs) > 0 && slices.ContainsFunc(was.certs, func(n *node) bool { return !holdsAnchor(is.certs, n) }) {
			concerned = append(concerned, string(was.role))
		}
	}
	if len(concerned) == 0 {
		return nil
	}
	return []pki.Finding{pki.New("authentication-keeps-old", "", "roles", strings.Join(concerned, ", "))}
}

func holdsAnchor(anchors []*node, n *node) bool {
	return slices.ContainsFunc(anchors, func(a *node) bool { return a.identity() == n.identity() })
}

func sameAnchors(was, is *domain) bool {
	missing := func(in []*node) func(*node) bool { return func(n *node) bool { return !holdsAnchor(in, n) } }
	return !slices.ContainsFunc(was.certs, missing(is.certs)) && !slices.ContainsFunc(is.certs, missing(was.certs))
}

func sameRoots(was, is *domain) bool {
	roots := func(d *domain) *domain {
		return &domain{certs: slices.DeleteFunc(slices.Clone(d.certs), func(n *node) bool { return !n.self })}
	}
	return sameAnchors(roots(was), roots(is))
}

func namesOf(nodes []*node) string {
	var out []string
	for _, n := range nodes {
		out = append(out, n.name())
	}
	return strings.Join(out, ", ")
}
