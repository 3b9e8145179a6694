package report

import (
	"crypto/x509"
	"slices"
	"sort"
	"strconv"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// leafLife is how long a leaf certificate lives that k3s makes (dynamiclistener;
// variable CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS). It is not capped by the CA's
// end.
const leafLife = 365 * 24 * time.Hour

// chains judges what stands in each CA file and in which order.
func (v *verifier) chains() []pki.Finding {
	var found []pki.Finding
	for _, d := range v.domains {
		if len(d.certs) > 0 {
			found = append(found, d.ordered()...)
			found = append(found, v.complete(d)...)
		}
	}
	return found
}

// ordered wants the CA first, and each further certificate behind one that it
// issued. Several roots may follow (a new one, a cross-signed one, the old one),
// and CAs that issued nothing here: the previous CA, kept for one rotation.
func (d *domain) ordered() []pki.Finding {
	file, first := d.path+".crt", d.certs[0]
	if d.key != nil && !d.fits {
		if slices.ContainsFunc(d.certs, func(n *node) bool { return pki.SameKey(d.key.signer.Public(), n.cert.PublicKey) }) {
			return []pki.Finding{pki.New("chain-order", file, "issuer", first.name())}
		}
		return []pki.Finding{pki.New("key-mismatch", d.path+".key", "certificate", first.name())}
	}
	if !d.headed() {
		return []pki.Finding{pki.New("chain-order", file, "issuer", first.name())}
	}
	for i, n := range d.certs {
		if i > 0 && issuedAny(n, d.certs) && !issuedAny(n, d.certs[:i]) {
			return []pki.Finding{pki.New("chain-shuffled", file, "issuer", n.name())}
		}
	}
	return nil
}

// headed reports whether the file begins with the CA: the key tells, or that it
// issued nothing here.
func (d *domain) headed() bool {
	if d.key != nil {
		return d.fits
	}
	return !issuedAny(d.certs[0], d.certs)
}

func issuedAny(issuer *node, among []*node) bool {
	return slices.ContainsFunc(among, func(n *node) bool { return slices.Contains(n.issuers, issuer) })
}

// complete follows the chain up to a self-signed root and tells of certificates
// that a rotation left, and of those that have nothing to do with the chain.
func (v *verifier) complete(d *domain) []pki.Finding {
	var found []pki.Finding
	file := d.path + ".crt"
	chain := d.chain()
	if top := chain[len(chain)-1]; !top.self {
		found = append(found, d.missingIssuer(top)...)
	}
	if len(d.certs) == 1 && v.out.Topology != DefaultTopology {
		found = append(found, pki.New("single-certificate", file))
	}
	related, kept := d.related(), v.kept(d)
	for i, n := range d.certs {
		switch {
		case slices.Contains(kept, n) && v.ended(n):
			found = append(found, pki.New("previous-ca-expired", d.place(i), "subject", n.name(), "end", pki.At(n.cert.NotAfter).String()))
		case slices.Contains(kept, n):
			found = append(found, pki.New("previous-ca", d.place(i), "subject", n.name()))
		case slices.Contains(related, n):
		case costly(n.cert.PublicKey): // what it signed was not looked at
			found = append(found, pki.New("key-unsupported", d.place(i), "key", pki.DescribeKey(n.cert.PublicKey)))
		default:
			found = append(found, pki.New("chain-extra", d.place(i), "subject", n.name()))
		}
	}
	return found
}

func (v *verifier) ended(n *node) bool { return statusOf(n.cert, v.at) == Expired }

// kept are the CAs that a rotation leaves in the file on purpose: the previous
// CA, without which every certificate that comes without its chain is refused,
// with its issuers, and the old root under a cross certificate, which those go on
// trusting who have nothing newer. A signature ties them to the CA of today; what
// merely bears such a name is a stranger. A cross certificate has its use as long
// as it is valid.
func (v *verifier) kept(d *domain) []*node {
	if !d.headed() {
		return nil
	}
	current, related := d.current(), d.related()
	return slices.DeleteFunc(slices.Clone(d.certs), func(n *node) bool {
		return slices.Contains(current, n) || !slices.Contains(related, n) || !n.cert.IsCA ||
			d.crosses(n) && !v.ended(n) || v.signs(n)
	})
}

// current are the CA and what stands above it, up to its own root. A cross
// certificate leads past that root to the one of before.
func (d *domain) current() []*node {
	current := []*node{d.certs[0]}
	for i := 0; i < len(current); i++ {
		for _, issuer := range current[i].issuers {
			if slices.Contains(d.certs, issuer) && !slices.Contains(current, issuer) && !d.crosses(issuer) {
				current = append(current, issuer)
			}
		}
	}
	return current
}

// crosses reports whether a certificate puts a root of the file below another.
func (d *domain) crosses(n *node) bool {
	return !n.self && slices.ContainsFunc(d.certs, func(o *node) bool { return o.self && o.identity() == n.identity() })
}

// signs reports whether a certificate is that of a CA of today.
func (v *verifier) signs(n *node) bool {
	return slices.ContainsFunc(v.domains, func(d *domain) bool { return len(d.certs) > 0 && d.certs[0].identity() == n.identity() })
}

// missingIssuer says why the chain ends: nobody here bears the issuer's name, or
// somebody does whose key did not sign.
func (d *domain) missingIssuer(top *node) []pki.Finding {
	place := d.place(slices.Index(d.certs, top))
	for _, n := range d.certs {
		if string(n.cert.RawSubject) != string(top.cert.RawIssuer) {
			continue
		}
		if costly(n.cert.PublicKey) {
			return nil // told with the certificates that do not belong
		}
		weak := func(f pki.Finding) bool { return f.Code == "signature-weak" }
		if found := pki.LintIssued(top.cert, n.cert, place); slices.ContainsFunc(found, weak) {
			return slices.DeleteFunc(found, func(f pki.Finding) bool { return !weak(f) })
		}
		return []pki.Finding{pki.New("signature-invalid", place, "issuer", n.name())}
	}
	return []pki.Finding{pki.New("chain-incomplete", d.path+".crt", "issuer", issuerName(top))}
}

func issuerName(n *node) string {
	if cn := n.cert.Issuer.CommonName; cn != "" {
		return cn
	}
	return n.cert.Issuer.String()
}

// chain is the way from the CA up through the certificates of its own file.
func (d *domain) chain() []*node {
	chain := []*node{d.certs[0]}
	for at := d.certs[0]; !at.self; {
		at = at.issuerIn(slices.DeleteFunc(slices.Clone(d.certs), func(n *node) bool { return slices.Contains(chain, n) }))
		if at == nil {
			break
		}
		chain = append(chain, at)
	}
	return chain
}

// related are the certificates of the file that signatures connect to the CA, and
// those that are the same authority: name and key.
func (d *domain) related() []*node {
	connected := []*node{d.certs[0]}
	for grown := true; grown; {
		grown = false
		for _, n := range d.certs {
			touches := issuedAny(n, connected) || n.issuerIn(connected) != nil || holdsAnchor(connected, n)
			if touches && !slices.Contains(connected, n) {
				connected, grown = append(connected, n), true
			}
		}
	}
	return connected
}

// heights counts for each certificate above the CA how many CAs stand below it,
// on the shortest way; the CA itself has 0.
func (d *domain) heights() map[*node]int {
	heights := map[*node]int{d.certs[0]: 0}
	queue := []*node{d.certs[0]}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, issuer := range n.issuers {
			if _, known := heights[issuer]; !known && slices.Contains(d.certs, issuer) {
				heights[issuer] = heights[n] + 1
				queue = append(queue, issuer)
			}
		}
	}
	return heights
}

// certificates judges every certificate of the chains once, at its first place.
func (v *verifier) certificates() []pki.Finding {
	var found []pki.Finding
	first := map[*node]string{}
	said := map[*node]map[pki.Code]bool{}
	var all []*x509.Certificate
	for _, d := range v.domains {
		if len(d.certs) == 0 {
			continue
		}
		heights, related, kept := d.heights(), d.related(), v.kept(d)
		for i, n := range d.certs {
			leaves := slices.Contains(kept, n)
			if !slices.Contains(related, n) || leaves && v.ended(n) {
				continue // told as chain-extra or previous-ca-expired: its only remedy is to go
			}
			if _, seen := first[n]; !seen {
				first[n], said[n] = d.place(i), map[pki.Code]bool{}
				all = append(all, n.cert)
				found = append(found, v.lint(n, d.certs, first[n], leaves)...)
			}
			height, above := heights[n]
			if !above {
				continue
			}
			for _, f := range v.position(n, d.role, height, first[n]) {
				if !said[n][f.Code] {
					said[n][f.Code] = true
					found = append(found, f)
				}
			}
		}
	}
	return append(found, pki.LintSerials(all)...)
}

// lint runs the lints of the core on one certificate. Of one that leaves at the
// next rotation the errors count: nobody makes it again for the rest.
func (v *verifier) lint(n *node, file []*node, place string, leaves bool) []pki.Finding {
	found := pki.Validity(n.cert, place, v.at)
	if costly(n.cert.PublicKey) {
		return append(found, pki.New("key-unsupported", place, "key", pki.DescribeKey(n.cert.PublicKey)))
	}
	authority := pki.LintAuthority(n.cert, place)
	sort.SliceStable(authority, func(i, j int) bool { return authority[i].Code < authority[j].Code })
	found = append(found, authority...)
	switch issuer := n.issuerIn(file); {
	case n.self:
		found = append(found, pki.LintIssued(n.cert, nil, place)...)
	case issuer != nil:
		found = append(found, pki.LintIssued(n.cert, issuer.cert, place)...)
	}
	if leaves {
		return slices.DeleteFunc(found, func(f pki.Finding) bool { return f.Severity != pki.Error })
	}
	return found
}

// position judges a certificate for its place above the leaf certificates of a
// role: what Go does not see above the CA, and OpenSSL and Java refuse.
func (v *verifier) position(n *node, role pki.Role, height int, place string) []pki.Finding {
	var found []pki.Finding
	if limit, has := pki.PathLen(n.cert); has && limit < height {
		found = append(found, pki.New("path-length", place, "has", strconv.Itoa(limit), "need", strconv.Itoa(height)))
	}
	var names []string
	for _, leaf := range k3s.Leaves(v.product) {
		if leaf.Signer == role {
			names = append(names, leaf.Names...)
		}
	}
	if name := pki.Forbids(n.cert, names); name != "" {
		found = append(found, pki.New("name-constraints", place, "name", name, "by", n.name()))
	}
	leafEnd := v.at.Add(leafLife)
	if height == 0 && n.cert.NotAfter.Before(leafEnd) && !n.cert.NotAfter.Before(v.at.Time) {
		found = append(found, pki.New("leaf-outlives-ca", place, "end", pki.At(n.cert.NotAfter).String()))
	}
	return found
}

// reused finds CAs that share a key pair: each of them can sign what the other
// is trusted for, whatever their roots are.
func (v *verifier) reused() []pki.Finding {
	var found []pki.Finding
	for i, d := range v.domains {
		for _, other := range v.domains[:i] {
			if len(d.certs) > 0 && len(other.certs) > 0 && pki.SameKey(d.certs[0].cert.PublicKey, other.certs[0].cert.PublicKey) {
				found = append(found, pki.New("key-reused", string(d.role), "other", string(other.role)))
			}
		}
	}
	return found
}
