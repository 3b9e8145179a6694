package report

import (
	"crypto/x509"
	"encoding/hex"
	"net"

	"rootkiln/pki"
)

// Inspection is everything that was found in a set of files.
type Inspection struct {
	At pki.Time `json:"at"`
	// Certificates is a forest: each stands behind its parent, a tree is in one
	// piece, self-signed roots go before those whose issuer is not here.
	Certificates []Certificate `json:"certificates"`
	Keys         []PrivateKey  `json:"keys"`
	Findings     []pki.Finding `json:"findings"`
}

// Certificate is one certificate with every place where it stands.
type Certificate struct {
	Places       []Place  `json:"places"`
	Role         pki.Role `json:"role,omitempty"` // of the file that it heads
	Parent       int      `json:"parent"`         // index of its issuer by signature, -1: none here
	OtherParents []int    `json:"otherParents"`   // further issuers: cross-signed roots
	Depth        int      `json:"depth"`          // 0 at the top of a tree

	Name        string `json:"name"` // for people: the common name, or the subject
	Subject     string `json:"subject"`
	Issuer      string `json:"issuer"`
	SelfSigned  bool   `json:"selfSigned"`
	Serial      string `json:"serial"`      // hexadecimal
	Fingerprint string `json:"fingerprint"` // SHA-256 of the DER, hexadecimal

	Key                string `json:"key"`            // algorithm: p256, rsa2048 …
	KeyFingerprint     string `json:"keyFingerprint"` // SHA-256 of the SubjectPublicKeyInfo
	SignatureAlgorithm string `json:"signatureAlgorithm"`

	NotBefore pki.Time `json:"notBefore"`
	NotAfter  pki.Time `json:"notAfter"`
	DaysLeft  int64    `json:"daysLeft"` // whole days; negative once expired
	Status    Status   `json:"status"`

	CA              bool     `json:"ca"`
	PathLength      *int     `json:"pathLength"` // null: no limit
	KeyUsage        []string `json:"keyUsage"`
	ExtKeyUsage     []string `json:"extKeyUsage"`
	Names           []string `json:"names"`           // DNS, IP, mail, URI
	NameConstraints []string `json:"nameConstraints"` // "permitted DNS:example.org"

	SubjectKeyID   string `json:"subjectKeyID"`
	AuthorityKeyID string `json:"authorityKeyID"`
}

// PrivateKey says that a private key is there and whose it is.
type PrivateKey struct {
	Place
	Role           pki.Role `json:"role,omitempty"`
	Format         string   `json:"format"`         // PEM type
	Algorithm      string   `json:"algorithm"`      // empty where the key cannot be opened
	KeyFingerprint string   `json:"keyFingerprint"` // of the public half, as in Certificate
	Certificate    int      `json:"certificate"`    // index of the first that has this key, -1: none here
}

// Status is where a moment stands in the life of a certificate.
type Status string

const (
	Valid       Status = "valid"
	Expired     Status = "expired"
	NotYetValid Status = "not-yet-valid"
)

// Inspect lists the certificates and private keys of a bundle and who signed
// whom. The bundle may be any set of files: a tls directory, a whole node,
// single files.
func Inspect(b pki.Bundle, at pki.Time) Inspection {
	r := read(b)
	out := Inspection{At: at, Certificates: []Certificate{}, Keys: []PrivateKey{}, Findings: []pki.Finding{}}
	nodes, parents := forest(r.nodes)
	index := make(map[*node]int, len(nodes))
	owner := map[string]int{} // by key fingerprint
	for i, n := range nodes {
		index[n] = i
		c := describe(n, at)
		c.Parent, c.OtherParents = parents[i], []int{}
		if c.Parent >= 0 {
			c.Depth = out.Certificates[c.Parent].Depth + 1
		}
		if _, taken := owner[c.KeyFingerprint]; !taken {
			owner[c.KeyFingerprint] = i
		}
		out.Certificates = append(out.Certificates, c)
	}
	for i, n := range nodes {
		for _, issuer := range n.issuers {
			if index[issuer] != parents[i] {
				out.Certificates[i].OtherParents = append(out.Certificates[i].OtherParents, index[issuer])
			}
		}
	}
	for _, h := range r.files {
		for _, k := range h.keys {
			out.Keys = append(out.Keys, describeKey(k, owner))
		}
		out.Findings = append(out.Findings, h.found...)
	}
	out.Findings = append(out.Findings, r.found...)
	return out
}

func describe(n *node, at pki.Time) Certificate {
	c := n.cert
	out := Certificate{
		Places: n.places, Role: headRole(n),
		Name: n.name(), Subject: c.Subject.String(), Issuer: c.Issuer.String(), SelfSigned: n.self,
		Serial: c.SerialNumber.Text(16), Fingerprint: pki.Fingerprint(c),
		Key: pki.DescribeKey(c.PublicKey), KeyFingerprint: pki.KeyFingerprint(c.PublicKey),
		SignatureAlgorithm: c.SignatureAlgorithm.String(),
		NotBefore:          pki.At(c.NotBefore), NotAfter: pki.At(c.NotAfter),
		DaysLeft: daysLeft(c, at), Status: statusOf(c, at),
		CA: c.BasicConstraintsValid && c.IsCA, KeyUsage: keyUsages(c), ExtKeyUsage: extKeyUsages(c),
		Names: names(c), NameConstraints: constraints(c),
		SubjectKeyID: hex.EncodeToString(c.SubjectKeyId), AuthorityKeyID: hex.EncodeToString(c.AuthorityKeyId),
	}
	if limit, has := pki.PathLen(c); has {
		out.PathLength = &limit
	}
	return out
}

// headRole is the role of the first file at whose beginning the certificate
// stands.
func headRole(n *node) pki.Role {
	for _, p := range n.places {
		if role := roleOf(p.File); p.Index == 1 && p.Field == "" && role != "" {
			return role
		}
	}
	return ""
}

func describeKey(k *heldKey, owner map[string]int) PrivateKey {
	out := PrivateKey{Place: k.place, Role: roleOf(k.place.File), Format: k.format, Certificate: -1}
	if k.signer == nil {
		return out
	}
	out.Algorithm = pki.DescribeKey(k.signer.Public())
	out.KeyFingerprint = pki.KeyFingerprint(k.signer.Public())
	if i, ok := owner[out.KeyFingerprint]; ok && out.KeyFingerprint != "" {
		out.Certificate = i
	}
	return out
}

// daysLeft counts in Unix seconds: a Duration ends at 292 years.
func daysLeft(c *x509.Certificate, at pki.Time) int64 {
	const day = 24 * 60 * 60
	seconds := c.NotAfter.Unix() - at.Unix()
	if seconds < 0 {
		return (seconds - day + 1) / day
	}
	return seconds / day
}

func statusOf(c *x509.Certificate, at pki.Time) Status {
	switch {
	case at.After(c.NotAfter):
		return Expired
	case at.Before(c.NotBefore):
		return NotYetValid
	}
	return Valid
}

func keyUsages(c *x509.Certificate) []string {
	out := []string{}
	for bit := x509.KeyUsageDigitalSignature; bit <= x509.KeyUsageDecipherOnly; bit <<= 1 {
		if c.KeyUsage&bit != 0 {
			out = append(out, bit.String())
		}
	}
	return out
}

func extKeyUsages(c *x509.Certificate) []string {
	out := []string{}
	for _, u := range c.ExtKeyUsage {
		out = append(out, u.String())
	}
	for _, oid := range c.UnknownExtKeyUsage {
		out = append(out, oid.String())
	}
	return out
}

func names(c *x509.Certificate) []string {
	out := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	out = append(out, c.EmailAddresses...)
	for _, u := range c.URIs {
		out = append(out, u.String())
	}
	return out
}

func constraints(c *x509.Certificate) []string {
	out := []string{}
	add := func(what string, values ...string) {
		for _, v := range values {
			out = append(out, what+v)
		}
	}
	ranges := func(nets []*net.IPNet) (text []string) {
		for _, n := range nets {
			text = append(text, n.String())
		}
		return text
	}
	add("permitted DNS:", c.PermittedDNSDomains...)
	add("excluded DNS:", c.ExcludedDNSDomains...)
	add("permitted IP:", ranges(c.PermittedIPRanges)...)
	add("excluded IP:", ranges(c.ExcludedIPRanges)...)
	add("permitted email:", c.PermittedEmailAddresses...)
	add("excluded email:", c.ExcludedEmailAddresses...)
	add("permitted URI:", c.PermittedURIDomains...)
	add("excluded URI:", c.ExcludedURIDomains...)
	return out
}

// Tops returns the indexes of the certificates at the top of each tree.
func (i Inspection) Tops() []int { return i.Below(-1) }

// Below returns the indexes of the certificates whose parent is the given one.
func (i Inspection) Below(parent int) []int {
	var out []int
	for n, c := range i.Certificates {
		if c.Parent == parent {
			out = append(out, n)
		}
	}
	return out
}
