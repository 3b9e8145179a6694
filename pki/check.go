package pki

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
)

// Checked is a certificate that may be signed: a throw-away key has signed these
// very bytes and the lints found no error. Only check makes one, and only issue
// takes one.
type Checked struct {
	spec     Spec
	template *x509.Certificate
	issuer   *x509.Certificate // nil: self-signed
	public   crypto.PublicKey
	tbs      []byte // what the throw-away key signed

	// Findings are the observations below the level of an error.
	Findings []Finding
}

// throwaway keeps the lint keys of a run: one for ECDSA, one for RSA.
type throwaway struct {
	source KeySource
	mu     sync.Mutex
	keys   map[KeySpec]Key
}

func (t *throwaway) key(ctx context.Context, alg x509.SignatureAlgorithm) (Key, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	spec := lintSpec(alg)
	if k := t.keys[spec]; k != nil {
		return k, nil
	}
	k, err := t.source.Key(ctx, Lint, spec)
	if err != nil {
		return nil, err
	}
	if t.keys == nil {
		t.keys = map[KeySpec]Key{}
	}
	t.keys[spec] = k
	return k, nil
}

// check builds the certificate of a spec for a public key, signs it with the
// throw-away key and runs the lints. issuer is nil for a self-signed root.
func (t *throwaway) check(ctx context.Context, spec Spec, public crypto.PublicKey, issuer *x509.Certificate) (*Checked, error) {
	template, err := t.template(spec, public, issuer)
	if err != nil {
		return nil, err
	}
	return t.checkTemplate(ctx, spec, template, public, issuer)
}

func (t *throwaway) checkTemplate(ctx context.Context, spec Spec, template *x509.Certificate, public crypto.PublicKey, issuer *x509.Certificate) (*Checked, error) {
	signer := public
	if issuer != nil {
		signer = issuer.PublicKey
	}
	var err error
	if template.SignatureAlgorithm, err = signatureAlgorithm(signer); err != nil {
		return nil, err
	}
	key, err := t.key(ctx, template.SignatureAlgorithm)
	if err != nil {
		return nil, err
	}
	parent := template
	if issuer != nil {
		// Names and identifiers of the issuer, but not its public key, or
		// CreateCertificate would miss the matching private one.
		parent = &x509.Certificate{
			Subject: issuer.Subject, RawSubject: issuer.RawSubject, SubjectKeyId: issuer.SubjectKeyId,
		}
	}
	der, err := x509.CreateCertificate(nil, template, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("checking the %s certificate: %w", spec.Role, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("checking the %s certificate: %w", spec.Role, err)
	}
	found := append(LintAuthority(cert, string(spec.Role)), LintIssued(cert, issuer, string(spec.Role))...)
	if err := Refuse(found); err != nil {
		return nil, err
	}
	return &Checked{spec: spec, template: template, issuer: issuer, public: public, tbs: cert.RawTBSCertificate, Findings: found}, nil
}

// template writes the spec as a crypto/x509 template with its serial number.
func (t *throwaway) template(spec Spec, public crypto.PublicKey, issuer *x509.Certificate) (*x509.Certificate, error) {
	id, err := keyID(spec.KeyID, public)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Role, err)
	}
	usage, err := keyUsage(spec.KeyUsage)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Role, err)
	}
	if spec.Subject.CommonName == "" {
		return nil, fmt.Errorf("%s: no common name", spec.Role)
	}
	c := &x509.Certificate{
		Subject: pkix.Name{
			CommonName: spec.Subject.CommonName, Organization: spec.Subject.Organization,
		},
		NotBefore: spec.NotBefore.Time, NotAfter: spec.NotAfter.Time,
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1,
		KeyUsage: usage, SubjectKeyId: id,
	}
	if spec.Subject.Unit != "" {
		c.Subject.OrganizationalUnit = []string{spec.Subject.Unit}
	}
	if spec.PathLen != nil {
		c.MaxPathLen, c.MaxPathLenZero = *spec.PathLen, *spec.PathLen == 0
	}
	switch {
	case issuer != nil:
		// Copied byte for byte: another tool may have made it by another
		// method. Set by hand because the library leaves it out where issuer
		// and subject have one name (a cross-signed root).
		c.AuthorityKeyId = issuer.SubjectKeyId
	case spec.SelfKeyID:
		c.AuthorityKeyId = id
	}
	if err := spec.NameConstraints.apply(c); err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Role, err)
	}
	c.SerialNumber, err = t.serial(spec, public, issuer)
	return c, err
}

// serial asks the source for a serial number bound to all that varies in the
// certificate, and fixes its length: 16 octets, positive, never zero (top bits
// 01; RFC 5280, 4.1.2.2 allows 20 octets).
func (t *throwaway) serial(spec Spec, public crypto.PublicKey, issuer *x509.Certificate) (*big.Int, error) {
	binding, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(binding)
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	h.Write(spki)
	if issuer != nil {
		sum := sha256.Sum256(issuer.Raw)
		h.Write(sum[:])
	}
	serial, err := t.source.Serial(spec.Role, [32]byte(h.Sum(nil)))
	if err != nil {
		return nil, fmt.Errorf("serial number of %s: %w", spec.Role, err)
	}
	serial[0] = serial[0]&0x3f | 0x40
	return new(big.Int).SetBytes(serial[:]), nil
}

// issue signs what was checked and reads it back: the bytes must be the checked
// ones and the signature the issuer's. Nothing else leaves.
func issue(c *Checked, signer Key) (*x509.Certificate, error) {
	role := c.spec.Role
	parent := c.issuer
	if parent == nil {
		parent = c.template
	}
	der, err := x509.CreateCertificate(nil, c.template, parent, c.public, signer)
	if err != nil {
		return nil, fmt.Errorf("signing the %s certificate: %w", role, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the %s certificate back: %w", role, err)
	}
	if !bytes.Equal(cert.RawTBSCertificate, c.tbs) {
		return nil, refuse("template-changed", string(role))
	}
	issuer := c.issuer
	if issuer == nil {
		issuer = cert
	}
	if !issuedBy(cert, issuer) {
		return nil, refuse("signature-invalid", string(role), "issuer", name(issuer))
	}
	return cert, nil
}
