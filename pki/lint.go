package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"strings"
)

// LintAuthority judges one CA certificate by itself, whoever made it. The rules
// are those that verifiers do not check, or that not all of them do.
func LintAuthority(c *x509.Certificate, subject string) []Finding {
	var found []Finding
	add := func(code Code, args ...string) { found = append(found, New(code, subject, args...)) }

	if c.Version < 3 {
		add("version-1")
	} else if !c.BasicConstraintsValid || !c.IsCA {
		add("not-ca")
	}
	if f, weak := weakKey(subject, c.PublicKey); weak {
		found = append(found, f)
	}
	found = append(found, lintUsage(c, subject)...)
	found = append(found, lintExtensions(c, subject)...)
	if serial := c.SerialNumber; serial.Sign() <= 0 || len(serial.Bytes()) > 20 || serial.BitLen() == 160 {
		// BitLen 160 needs a leading zero octet: 21 in all (RFC 5280, 4.1.2.2)
		add("serial-range", "serial", serial.String())
	}
	if len(c.SubjectKeyId) == 0 {
		add("ski-missing")
	}
	if start, end := At(c.NotBefore), At(c.NotAfter); !end.After(start.Time) {
		add("dates-reversed", "start", start.String(), "end", end.String())
	} else if start.Unix() < 0 {
		add("date-before-1970", "start", start.String())
	}
	for _, must := range []struct {
		oid  string
		code Code
	}{{"2.5.29.19", "bc-not-critical"}, {"2.5.29.15", "ku-not-critical"}} {
		if e := extension(c, must.oid); e != nil && !e.critical {
			add(must.code)
		}
	}
	return found
}

func lintUsage(c *x509.Certificate, subject string) []Finding {
	var found []Finding
	add := func(code Code, args ...string) { found = append(found, New(code, subject, args...)) }
	switch {
	case c.KeyUsage == 0:
		add("ku-missing")
	case c.KeyUsage&x509.KeyUsageCertSign == 0:
		add("no-cert-sign")
	case c.KeyUsage&x509.KeyUsageCRLSign == 0:
		add("no-crl-sign")
	}
	if c.KeyUsage&x509.KeyUsageKeyEncipherment != 0 {
		add("ku-encipherment")
	}
	if !allowsServerAuth(c) {
		add("eku-breaks-token", "has", strings.Join(usageNames(c), ", "))
	}
	return found
}

// lintExtensions finds critical extensions that crypto/x509 does not process:
// it refuses such a certificate in every chain, and so does k3s.
func lintExtensions(c *x509.Certificate, subject string) []Finding {
	var found []Finding
	for _, oid := range c.UnhandledCriticalExtensions {
		found = append(found, New("critical-extension", subject, "oid", oid.String()))
	}
	return found
}

// LintIssued judges a certificate against its issuer; nil means self-signed.
func LintIssued(c, issuer *x509.Certificate, subject string) []Finding {
	var found []Finding
	add := func(code Code, args ...string) { found = append(found, New(code, subject, args...)) }
	self := issuer == nil
	if self {
		issuer = c
	}
	if weakSignature(c) && !self {
		add("signature-weak", "algorithm", c.SignatureAlgorithm.String())
	} else if want, err := signatureAlgorithm(issuer.PublicKey); err == nil && want != c.SignatureAlgorithm && ecdsaKey(issuer) && !weakSignature(c) {
		add("signature-digest", "algorithm", c.SignatureAlgorithm.String(), "want", want.String())
	}
	switch {
	case self && len(c.AuthorityKeyId) == 0: // RFC 5280, 4.2.1.1 lets a root omit it
	case len(c.AuthorityKeyId) == 0:
		add("aki-missing")
	case len(issuer.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId):
		add("aki-mismatch", "issuer", name(issuer))
	}
	if self {
		return found
	}
	if c.NotAfter.After(issuer.NotAfter) {
		add("child-outlives-parent", "end", At(c.NotAfter).String(), "issuerEnd", At(issuer.NotAfter).String(), "issuer", name(issuer))
	}
	if c.NotBefore.Before(issuer.NotBefore) {
		add("child-before-parent", "start", At(c.NotBefore).String(), "issuerStart", At(issuer.NotBefore).String(), "issuer", name(issuer))
	}
	return found
}

// LintSerials finds two different certificates of one issuer with one serial:
// NSS refuses the second (SEC_ERROR_REUSED_ISSUER_AND_SERIAL).
func LintSerials(certs []*x509.Certificate) []Finding {
	var found []Finding
	seen := map[string]*x509.Certificate{}
	for _, c := range certs {
		key := string(c.RawIssuer) + "\x00" + hex.EncodeToString(c.SerialNumber.Bytes())
		if other := seen[key]; other != nil && !other.Equal(c) {
			found = append(found, New("serial-duplicate", name(c), "serial", c.SerialNumber.Text(16), "other", name(other)))
			continue
		}
		seen[key] = c
	}
	return found
}

func ecdsaKey(c *x509.Certificate) bool {
	_, ok := c.PublicKey.(*ecdsa.PublicKey)
	return ok
}

func usageNames(c *x509.Certificate) []string {
	var names []string
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageClientAuth:
			names = append(names, "clientAuth")
		case x509.ExtKeyUsageServerAuth:
			names = append(names, "serverAuth")
		default:
			names = append(names, "other")
		}
	}
	for _, oid := range c.UnknownExtKeyUsage {
		names = append(names, oid.String())
	}
	return names
}

type foundExtension struct{ critical bool }

func extension(c *x509.Certificate, oid string) *foundExtension {
	for _, e := range c.Extensions {
		if asn1.ObjectIdentifier(e.Id).String() == oid {
			return &foundExtension{e.Critical}
		}
	}
	return nil
}
