package pki

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
)

// Reissue certifies the name and key of an existing authority once more. By
// another root that makes a cross-certificate (RFC 5280, section 3.2), by which
// who trusts the old root alone comes to trust the new; by its own issuer it is a
// renewal with the same key.
type Reissue struct {
	Role  Role
	Of    *x509.Certificate
	By    *Authority // with its key
	Below int        // authorities between the new certificate and a leaf
	Names []string   // of the leaves below: what a name-constrained issuer must allow
	At    Time
	End   Time // asked for; cut at the end of the issuer
	Keys  KeySource
}

// Issue returns the certificate with what was noticed, or a [Refusal] where the
// issuer cannot sign it.
func (r Reissue) Issue(ctx context.Context) (*x509.Certificate, []Finding, error) {
	if r.By.Key == nil {
		return nil, nil, refuse("key-needed", string(r.Role), "role", string(r.By.Role))
	}
	if !samePublicKey(r.By.Key.Public(), r.By.Certificate.PublicKey) {
		return nil, nil, refuse("key-mismatch", string(r.By.Role), "certificate", name(r.By.Certificate))
	}
	var found []Finding
	for i, c := range r.By.Chain() {
		found = append(found, r.By.checkIssuer(c, string(r.By.Role), r.At, r.Below+1+i, r.Names)...)
	}
	if err := Refuse(found); err != nil {
		return nil, nil, err
	}
	issuer := r.By.Certificate
	spec := Spec{
		Role: r.Role, Issuer: r.By.Role, Existing: Fingerprint(r.Of), Subject: Subject{Organization: []string{}},
		NotBefore: later(At(r.At.Add(-backdate)), At(issuer.NotBefore)), NotAfter: earlier(r.End, At(issuer.NotAfter)),
	}
	// A cross-certificate lives as long as the old root, be that short: it is made
	// because that root ends. A CA that is renewed shall live.
	life := spec.lifeFindings(r.At, r.End)
	if SelfSigned(r.Of) {
		life = slices.DeleteFunc(life, func(f Finding) bool { return f.Code != "plan-lifetime-order" })
	}
	if err := Refuse(life); err != nil {
		return nil, nil, err
	}
	found = append(found, life...)
	lint := &throwaway{source: r.Keys}
	template, err := r.template(lint, spec)
	if err != nil {
		return nil, nil, err
	}
	checked, err := lint.checkTemplate(ctx, spec, template, r.Of.PublicKey, issuer)
	if err != nil {
		return nil, nil, err
	}
	c, err := issue(checked, r.By.Key)
	return c, append(found, checked.Findings...), err
}

// template copies what verifiers match the existing certificate by, name and key
// identifier to the byte, and what limits it. Its path length limit counts here
// although nobody checks it in a trust anchor.
func (r Reissue) template(lint *throwaway, spec Spec) (*x509.Certificate, error) {
	c := &x509.Certificate{
		RawSubject: r.Of.RawSubject, Subject: r.Of.Subject,
		NotBefore: spec.NotBefore.Time, NotAfter: spec.NotAfter.Time,
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1,
		KeyUsage: r.Of.KeyUsage, SubjectKeyId: r.Of.SubjectKeyId, AuthorityKeyId: r.By.Certificate.SubjectKeyId,
		ExtraExtensions: limitsOf(r.Of),
	}
	if limit, has := pathLen(r.Of); has {
		c.MaxPathLen, c.MaxPathLenZero = limit, limit == 0
	}
	if c.KeyUsage == 0 {
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	// rotate-ca takes nothing without an AKI for an intermediate (k3s
	// pkg/server/handlers/cert.go, validateBootstrap), and crypto/x509 leaves it
	// out where issuer and subject have one name.
	var err error
	if len(c.AuthorityKeyId) == 0 {
		if c.AuthorityKeyId, err = keyID(keyIDSHA1, r.By.Certificate.PublicKey); err != nil {
			return nil, err
		}
	}
	if len(c.SubjectKeyId) == 0 {
		if c.SubjectKeyId, err = keyID(keyIDSHA1, r.Of.PublicKey); err != nil {
			return nil, err
		}
	}
	c.SerialNumber, err = lint.serial(spec, r.Of.PublicKey, r.By.Certificate)
	return c, err
}

// limitsOf returns the extensions that limit what an authority may sign, as they
// stand: name constraints and extended key usages.
func limitsOf(c *x509.Certificate) []pkix.Extension {
	var limits []pkix.Extension
	for _, e := range c.Extensions {
		if slices.Contains([]string{"2.5.29.30", "2.5.29.37"}, e.Id.String()) {
			limits = append(limits, e)
		}
	}
	return limits
}
