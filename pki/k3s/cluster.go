package k3s

import (
	"crypto/x509"
	"slices"
	"strings"

	"rootkiln/pki"
)

// Cluster is what a rotation starts from: the CA files of a cluster as they are.
type Cluster struct {
	Distro   pki.Distro
	Topology pki.Topology // empty: neither of the two, nor k3s's own CAs
	Default  bool         // every CA is self-signed, as k3s makes them by itself
	domains  []*domain    // in the order of AuthorityPaths
	files    pki.Bundle   // the eleven
	keys     []pki.Key    // all that were found or given
	others   []*x509.Certificate

	named bool // the names say of which distribution
}

// domain is one CA file.
type domain struct {
	row   pki.Row
	file  []*x509.Certificate // as they stand, each once
	above []*x509.Certificate // issuers of the first, up to a self-signed root
}

func (d *domain) leaf() *x509.Certificate { return d.file[0] }

// top is the self-signed certificate that ends the chain.
func (d *domain) top() *x509.Certificate { return d.chain()[len(d.above)] }

func (d *domain) chain() []*x509.Certificate {
	return append([]*x509.Certificate{d.leaf()}, d.above...)
}

// Held is what the caller has beside the files of the cluster.
type Held struct {
	Certificates []*x509.Certificate
	Keys         []pki.Key
}

// ReadCluster reads the CA files of a server, under the paths of [ServerPaths].
// Keys are found wherever they lie among the files: the key of an upstream
// script's root, or the second key of a CA file that its rotation left.
func ReadCluster(files pki.Bundle, held Held) (*Cluster, []pki.Finding, error) {
	c := &Cluster{Distro: pki.K3s, keys: held.Keys, others: held.Certificates}
	var notes []pki.Finding
	for _, path := range ServerPaths() {
		if f := files.File(path); f != nil {
			c.files.Files = append(c.files.Files, *f)
		}
	}
	for _, row := range AuthorityPaths() {
		d, found, err := readDomain(files, row, held.Certificates)
		if err != nil {
			return nil, nil, err
		}
		c.domains, notes = append(c.domains, d), append(notes, found...)
		for distro, product := range products {
			if strings.HasPrefix(d.leaf().Subject.CommonName, product.Prefix+"-") {
				c.Distro, c.named = distro, true
			}
		}
	}
	for _, f := range files.Files {
		if pki.KindOf(f.Path) != pki.KindKey {
			continue
		}
		found, _, err := pki.ParseKeys(f.Path, f.Data)
		if err != nil { // missed by name if it is needed
			continue
		}
		for _, k := range found {
			c.keys = append(c.keys, k.Key)
		}
	}
	c.judge()
	return c, notes, nil
}

func readDomain(files pki.Bundle, row pki.Row, more []*x509.Certificate) (*domain, []pki.Finding, error) {
	path := row.Path + ".crt"
	f := files.File(path)
	if f == nil {
		return nil, nil, refuse("file-missing", path, "path", path)
	}
	certs, notes, err := pki.ParseCertificates(path, f.Data)
	if err != nil {
		return nil, nil, err
	}
	d := &domain{row: row}
	for _, c := range certs {
		if !slices.ContainsFunc(d.file, c.Equal) {
			d.file = append(d.file, c)
		}
	}
	var complete bool
	if d.above, complete = climb(d.leaf(), d.file); !complete {
		if d.above, complete = climb(d.leaf(), slices.Concat(d.file, more)); !complete {
			return nil, nil, refuse("chain-incomplete", path, "issuer", d.chain()[len(d.above)].Issuer.String())
		}
	}
	return d, notes, nil
}

// climb follows the issuers of a certificate. Where two have the same name and
// key, a root and its cross-certificate, it takes the root.
func climb(from *x509.Certificate, among []*x509.Certificate) (above []*x509.Certificate, complete bool) {
	for at := from; !pki.SelfSigned(at); {
		var next *x509.Certificate
		for _, c := range among {
			better := next == nil || !pki.SelfSigned(next) && pki.SelfSigned(c)
			if better && !c.Equal(at) && !slices.ContainsFunc(above, c.Equal) && pki.IssuedBy(at, c) {
				next = c
			}
		}
		if next == nil {
			return above, false
		}
		above, at = append(above, next), next
	}
	return above, true
}

// judge recognises the topology by the roots that the five files end in.
func (c *Cluster) judge() {
	roots, self := map[string]bool{}, 0
	for _, d := range c.domains {
		roots[anchor(d.top())] = true
		if pki.SelfSigned(d.leaf()) {
			self++
		}
	}
	switch {
	case self == len(c.domains):
		c.Default = true
	case self > 0:
	case len(roots) == 1:
		c.Topology = pki.Shared
	case len(roots) == len(c.domains):
		c.Topology = pki.Isolated
	}
}

// anchor is what makes two certificates the same issuer: name and key.
func anchor(c *x509.Certificate) string {
	return string(c.RawSubject) + "\x00" + string(c.RawSubjectPublicKeyInfo)
}

// keyOf returns the private key of a certificate, nil if nobody brought it.
func (c *Cluster) keyOf(cert *x509.Certificate) pki.Key {
	for _, k := range c.keys {
		if pki.SameKey(k.Public(), cert.PublicKey) {
			return k
		}
	}
	return nil
}

// segments are the parts of a CA file in the order in which it is written: the
// CA, what is above it, cross-certificates before the roots they lead around (or
// OpenSSL takes the self-signed one, does not know it and gives up), and at the
// end the CA before this one, so that certificates held without a chain still
// find their issuer.
type segments struct {
	ca            *x509.Certificate
	intermediates []*x509.Certificate
	crosses       []*x509.Certificate
	roots         []*x509.Certificate
	previous      []*x509.Certificate
}

// split takes a CA file apart. Known are certificates beside the file.
func (d *domain) split(known []*x509.Certificate) segments {
	s := segments{ca: d.leaf()}
	twin := func(c *x509.Certificate) bool {
		return slices.ContainsFunc(slices.Concat(d.file, known), func(o *x509.Certificate) bool {
			return pki.SelfSigned(o) && anchor(o) == anchor(c)
		})
	}
	for _, c := range d.above {
		if pki.SelfSigned(c) {
			s.roots = append(s.roots, c)
		}
	}
	for _, c := range d.file[1:] {
		switch {
		case pki.SelfSigned(c):
			if !slices.ContainsFunc(s.roots, c.Equal) {
				s.roots = append(s.roots, c)
			}
		case twin(c):
			s.crosses = append(s.crosses, c)
		case slices.ContainsFunc(d.above, c.Equal):
		default:
			s.previous = append(s.previous, c)
		}
	}
	for _, c := range d.above { // in the order of the chain, whatever that of the file
		if !pki.SelfSigned(c) && !slices.ContainsFunc(s.crosses, c.Equal) {
			s.intermediates = append(s.intermediates, c)
		}
	}
	return s
}

// encode writes a CA file, each certificate once.
func (s segments) encode() []byte {
	var out []*x509.Certificate
	for _, c := range slices.Concat([]*x509.Certificate{s.ca}, s.intermediates, s.crosses, s.roots, s.previous) {
		if !slices.ContainsFunc(out, c.Equal) {
			out = append(out, c)
		}
	}
	return pki.EncodeCertificates(out...)
}

// waitsFor is the new root that a file has a cross-certificate of and does not
// hold itself yet, nil if there is none among the known.
func (d *domain) waitsFor(known []*x509.Certificate) *x509.Certificate {
	for _, root := range known {
		same := func(c *x509.Certificate) bool { return anchor(c) == anchor(root) }
		if pki.SelfSigned(root) && slices.ContainsFunc(d.file, same) &&
			!slices.ContainsFunc(d.file, func(c *x509.Certificate) bool { return same(c) && pki.SelfSigned(c) }) {
			return root
		}
	}
	return nil
}
