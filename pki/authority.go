package pki

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Authority is a certificate that signs others.
type Authority struct {
	Role        Role
	Certificate *x509.Certificate
	Above       []*x509.Certificate // its issuers: the next one first, the self-signed root last
	Key         Key                 // nil when the key is on another machine

	// Fresh: the key was made for this plan, in the first room, and must be
	// kept with the others of the run.
	Fresh bool
}

// Chain is the certificate followed by everything above it.
func (a *Authority) Chain() []*x509.Certificate {
	return append([]*x509.Certificate{a.Certificate}, a.Above...)
}

// Root is the self-signed certificate at the top.
func (a *Authority) Root() *x509.Certificate {
	if len(a.Above) == 0 {
		return a.Certificate
	}
	return a.Above[len(a.Above)-1]
}

func (a *Authority) fingerprintsAbove() []string {
	var out []string
	for _, c := range a.Above {
		out = append(out, Fingerprint(c))
	}
	return out
}

// Fingerprint is the SHA-256 of the certificate, lower-case hexadecimal.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// keyFingerprint is the SHA-256 of the SubjectPublicKeyInfo.
func keyFingerprint(pub crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// SelfSigned reports whether issuer and subject are the same and the signature
// is the certificate's own.
func SelfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && issuedBy(c, c)
}

// issuedBy checks name and signature alone: whether the parent was allowed to
// sign is a finding of its own, with a better sentence.
func issuedBy(child, parent *x509.Certificate) bool {
	return bytes.Equal(child.RawIssuer, parent.RawSubject) &&
		parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature) == nil
}

// IssuedBy reports whether a certificate names another as its issuer and bears its
// signature. A key of a size that is costly to compute with has signed nothing.
func IssuedBy(child, parent *x509.Certificate) bool {
	k, ok := parent.PublicKey.(*rsa.PublicKey)
	return !(ok && k.N.BitLen() > maxRSABits) && issuedBy(child, parent)
}

// OrderChain splits the certificates of an input file into the first one and
// what is above it, up to a self-signed root. The file may list its
// certificates in any order after the first; more may be handed over as extra
// (a root from another file). Certificates that do not belong to the chain are
// refused: they would end up as trust anchors on every node.
func OrderChain(role Role, certs, extra []*x509.Certificate) (first *x509.Certificate, above []*x509.Certificate, err error) {
	for _, c := range slices.Concat(certs, extra) {
		// Checking a signature costs the square of the modulus: first the size.
		if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > maxRSABits {
			return nil, nil, refuse("key-unsupported", string(role), "key", DescribeKey(k))
		}
	}
	first = certs[0]
	var rest []*x509.Certificate
	for _, c := range slices.Concat(certs[1:], extra) {
		if !c.Equal(first) && !slices.ContainsFunc(rest, c.Equal) {
			rest = append(rest, c)
		}
	}
	at := first
	for !SelfSigned(at) {
		i := slices.IndexFunc(rest, func(c *x509.Certificate) bool { return issuedBy(at, c) })
		if i < 0 {
			return nil, nil, missingIssuer(role, at, rest)
		}
		at = rest[i]
		above = append(above, at)
		rest = slices.Delete(rest, i, i+1)
	}
	if len(rest) > 0 {
		for _, c := range rest {
			if issuedBy(c, first) { // the file begins with the issuer
				return nil, nil, refuse("chain-order", string(role), "issuer", name(first))
			}
		}
		return nil, nil, refuse("chain-unrelated", string(role), "subject", name(rest[0]), "issuer", name(at))
	}
	return first, above, nil
}

func missingIssuer(role Role, at *x509.Certificate, rest []*x509.Certificate) error {
	for _, c := range rest {
		if bytes.Equal(at.RawIssuer, c.RawSubject) {
			return refuse("signature-invalid", string(role), "issuer", name(c))
		}
	}
	if len(rest) > 0 {
		return refuse("chain-unrelated", string(role), "subject", name(at), "issuer", at.Issuer.String())
	}
	return refuse("chain-incomplete", string(role), "issuer", at.Issuer.String())
}

// name is how a certificate is called in findings.
func name(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}

// check judges the given authorities for what they are about to do: sign at the
// time of the plan, at their place in the layout.
func (g Given) check(now Time, layout Layout) []Finding {
	var found []Finding
	for _, row := range layout.Rows {
		if a := g.Authorities[row.Role]; a != nil {
			found = append(found, a.check(now, row, layout)...)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(g.Authorities)) {
		if _, ok := layout.Row(role); !ok {
			found = append(found, New("plan-not-used", string(role), "field", string(role)))
		}
	}
	for i, row := range layout.Rows {
		for _, other := range layout.Rows[:i] {
			a, b := g.Authorities[row.Role], g.Authorities[other.Role]
			if a != nil && b != nil && samePublicKey(a.Certificate.PublicKey, b.Certificate.PublicKey) {
				found = append(found, New("key-reused", string(row.Role), "other", string(other.Role)))
			}
		}
	}
	for i, k := range g.ServiceKeys {
		for _, row := range layout.Rows {
			if a := g.Authorities[row.Role]; a != nil && samePublicKey(k.Public(), a.Certificate.PublicKey) {
				found = append(found, New("service-key-is-ca", string(Service), "role", string(row.Role)))
			}
		}
		if slices.ContainsFunc(g.ServiceKeys[:i], func(o Key) bool { return samePublicKey(o.Public(), k.Public()) }) {
			found = append(found, New("service-key-duplicate", string(Service)))
		}
	}
	return found
}

func (a *Authority) check(now Time, row Row, layout Layout) []Finding {
	role := string(row.Role)
	var found []Finding
	if row.Issuer != "" && SelfSigned(a.Certificate) {
		found = append(found, New("chain-is-root", role, "subject", name(a.Certificate)))
	}
	if a.Key != nil && !samePublicKey(a.Key.Public(), a.Certificate.PublicKey) {
		found = append(found, New("key-mismatch", role, "certificate", name(a.Certificate)))
	}
	below := layout.depth(row.Role) // authorities that will follow under this one
	names := layout.namesUnder(row.Role)
	for i, c := range a.Chain() {
		subject := role
		if i > 0 { // as elsewhere for the certificates of a file
			subject = role + "#" + strconv.Itoa(i+1)
		}
		found = append(found, a.checkIssuer(c, subject, now, below+i, names)...)
	}
	return found
}

// checkIssuer judges one certificate of a given chain. below is the number of
// authorities that will stand between it and a leaf.
func (a *Authority) checkIssuer(c *x509.Certificate, subject string, now Time, below int, names []string) []Finding {
	found := append(Validity(c, subject, now), lintExtensions(c, subject)...)
	add := func(code Code, args ...string) { found = append(found, New(code, subject, args...)) }
	switch {
	case c.Version < 3:
		add("version-1")
	case !c.BasicConstraintsValid || !c.IsCA:
		add("not-ca")
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		add("no-cert-sign")
	}
	if limit, has := pathLen(c); has && limit < below {
		add("path-length", "has", strconv.Itoa(limit), "need", strconv.Itoa(below))
	}
	if !allowsServerAuth(c) {
		add("eku-breaks-token", "has", strings.Join(usageNames(c), ", "))
	}
	if forbidden := Forbids(c, names); forbidden != "" {
		add("name-constraints", "name", forbidden, "by", name(c))
	}
	if f, weak := weakKey(subject, c.PublicKey); weak {
		found = append(found, f)
	}
	if weakSignature(c) && !SelfSigned(c) {
		add("signature-weak", "algorithm", c.SignatureAlgorithm.String())
	}
	if c == a.Certificate && len(c.SubjectKeyId) == 0 {
		add("ski-missing")
	}
	return found
}

// Validity returns the findings about a certificate's dates at a time.
func Validity(c *x509.Certificate, subject string, now Time) []Finding {
	var found []Finding
	add := func(code Code, args ...string) { found = append(found, New(code, subject, args...)) }
	start, end := At(c.NotBefore), At(c.NotAfter)
	switch {
	case end.Before(start.Time):
		add("dates-reversed", "start", start.String(), "end", end.String())
	case now.Before(start.Time):
		add("not-yet-valid", "start", start.String(), "at", now.String())
	case now.After(end.Time):
		add("expired", "end", end.String(), "at", now.String())
	}
	if start.Unix() < 0 {
		add("date-before-1970", "start", start.String())
	}
	return found
}

// pathLen returns the path length limit of a certificate, if it has one.
func pathLen(c *x509.Certificate) (limit int, has bool) {
	return c.MaxPathLen, c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLen == 0 && c.MaxPathLenZero)
}

// allowsServerAuth reports whether a chain through the certificate verifies for
// serverAuth: k3s's rotate-ca and token hash verify every CA file so.
func allowsServerAuth(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
}

func weakSignature(c *x509.Certificate) bool {
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return true
	}
	return false
}

// depth is the number of authorities on the longest way from a role down to a
// leaf certificate.
func (l Layout) depth(role Role) int {
	deepest := 0
	for _, row := range l.Rows {
		if row.Issuer == role {
			deepest = max(deepest, 1+l.depth(row.Role))
		}
	}
	return deepest
}

// namesUnder lists the names of all leaves below a role.
func (l Layout) namesUnder(role Role) []string {
	names := slices.Clone(l.Names[role])
	for _, row := range l.Rows {
		if row.Issuer == role {
			names = append(names, l.namesUnder(row.Role)...)
		}
	}
	return names
}

// marshalName encodes a distinguished name as crypto/x509 does for a template.
func marshalName(n pkix.Name) ([]byte, error) { return asn1.Marshal(n.ToRDNSequence()) }

// CheckIssuer judges an authority for what its role in the layout signs, at a
// time.
func CheckIssuer(a *Authority, now Time, layout Layout) []Finding {
	row, ok := layout.Row(a.Role)
	if !ok {
		return []Finding{New("plan-not-used", string(a.Role), "field", string(a.Role))}
	}
	return a.check(now, row, layout)
}
