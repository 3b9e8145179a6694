package pki

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Requests returns the specs whose issuer's key is on another machine: for each
// of them a request leaves and a signed certificate must come back.
func (r Resolved) Requests() []Spec {
	var out []Spec
	for _, s := range r.Authorities {
		if s.Existing != "" || s.Elsewhere || s.Issuer == "" {
			continue
		}
		if issuer, ok := r.Spec(s.Issuer); ok && issuer.Elsewhere {
			out = append(out, s)
		}
	}
	return out
}

// State is what the requesting machine must keep until the signed certificates
// come back: the plan as the user gave it, and the keys of the requests.
// It is secret.
type State struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Plan       Plan            `json:"plan"`
	Resolved   Resolved        `json:"resolved"`
	Keys       map[Role]string `json:"keys"` // PEM
}

// StateKind heads the document form of a State.
const StateKind = "RequestState"

// ParseState reads a State and returns the keys in it.
func ParseState(data []byte) (State, map[Role]Key, error) {
	var s State
	var damaged *Refusal
	if err := decodeStrict(data, &s); errors.As(err, &damaged) {
		f := damaged.Findings[0]
		return State{}, nil, refuse("state-unreadable", "", "detail", strings.TrimSpace(f.Subject+" "+f.Args["detail"]))
	}
	if s.APIVersion != APIVersion || s.Kind != StateKind {
		return State{}, nil, refuse("state-unreadable", "", "detail", s.APIVersion+" "+s.Kind)
	}
	keys := map[Role]Key{}
	for role, text := range s.Keys {
		found, _, err := ParseKeys(string(role), []byte(text))
		if err != nil {
			return State{}, nil, err
		}
		keys[role] = found[0].Key
	}
	return s, keys, nil
}

// Requested is the outcome of the first room: a request for each certificate
// that is signed elsewhere, and the state to come back to.
type Requested struct {
	Requests map[Role][]byte // PEM
	// PublicKeys are the SHA-256 of each request's public key. The plan's digest
	// says nothing of keys: who signs compares these with the other room.
	PublicKeys map[Role]string
	State      State
}

// Request makes the keys that other machines must certify, and their requests.
func (r Run) Request(ctx context.Context, plan Plan) (*Requested, error) {
	specs := r.Plan.Requests()
	if len(specs) == 0 {
		return nil, refuse("request-none", "elsewhere")
	}
	only := r
	only.Plan.Authorities, only.Plan.Service = specs, ServiceSpec{}
	keys, err := only.makeKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &Requested{
		Requests: map[Role][]byte{}, PublicKeys: map[Role]string{},
		State: State{APIVersion: APIVersion, Kind: StateKind, Plan: plan, Resolved: r.Plan, Keys: map[Role]string{}},
	}
	for _, spec := range specs {
		if out.Requests[spec.Role], err = request(spec, keys[spec.Role]); err != nil {
			return nil, err
		}
		out.PublicKeys[spec.Role] = keyFingerprint(keys[spec.Role].Public())
		text, err := ExportPEM(keys[spec.Role])
		if err != nil {
			return nil, fmt.Errorf("key of %s: %w", spec.Role, err)
		}
		out.State.Keys[spec.Role] = string(text)
	}
	return out, nil
}

// MarshalState writes the state document.
func (s State) MarshalState() ([]byte, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

// request signs a request for the spec. It asks for the extensions of the plan,
// for signers that copy them from a request; ours takes them from the plan.
func request(spec Spec, key Key) ([]byte, error) {
	lint := &throwaway{source: fixedSerial{}}
	template, err := lint.template(spec, key.Public(), nil)
	if err != nil {
		return nil, err
	}
	alg, err := signatureAlgorithm(key.Public())
	if err != nil {
		return nil, err
	}
	extensions, err := caExtensions(template, key)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(nil, &x509.CertificateRequest{
		Subject: template.Subject, SignatureAlgorithm: alg, ExtraExtensions: extensions,
	}, key)
	if err != nil {
		return nil, fmt.Errorf("request of %s: %w", spec.Role, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// caExtensions returns basic constraints and key usage as the library encodes
// them, from a certificate that is thrown away.
func caExtensions(template *x509.Certificate, key Key) ([]pkix.Extension, error) {
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	var out []pkix.Extension
	for _, e := range c.Extensions {
		if planned(e) {
			out = append(out, e)
		}
	}
	return out, nil
}

// planned tells the extensions that our requests ask for: basic constraints and
// key usage.
func planned(e pkix.Extension) bool {
	id := e.Id.String()
	return id == "2.5.29.19" || id == "2.5.29.15"
}

// fixedSerial serves where a template is wanted and its serial is not used.
type fixedSerial struct{ Random }

func (fixedSerial) Serial(Role, [32]byte) ([16]byte, error) { return [16]byte{}, nil }

// ParseRequest reads one certificate request in PEM.
func ParseRequest(subject string, data []byte) (*x509.CertificateRequest, []Finding, error) {
	blocks, found, err := decodePEM(subject, data)
	if err != nil {
		return nil, nil, err
	}
	if len(blocks) == 0 {
		return nil, nil, refuse("pem-none", subject, "want", "CERTIFICATE REQUEST")
	}
	if len(blocks) > 1 {
		return nil, nil, refuse("request-several", subject, "count", strconv.Itoa(len(blocks)))
	}
	if t := blocks[0].Type; t != "CERTIFICATE REQUEST" && t != "NEW CERTIFICATE REQUEST" {
		return nil, nil, refuse("pem-type", subject, "type", t, "want", "CERTIFICATE REQUEST")
	}
	csr, err := x509.ParseCertificateRequest(blocks[0].Bytes)
	if err != nil {
		return nil, nil, refuse("request-parse", subject, "detail", plain(err))
	}
	return csr, found, nil
}

// Vet finds the spec that a request is for, by its subject, and checks what the
// request must prove: possession of the private key, and the algorithm of the
// plan. Extensions it asks for are noted and not followed.
func (r Resolved) Vet(csr *x509.CertificateRequest, subject string) (Spec, []Finding, error) {
	if err := csr.CheckSignature(); err != nil {
		return Spec{}, nil, refuse("request-signature", subject)
	}
	for _, spec := range r.Requests() {
		raw, err := rawSubject(spec)
		if err != nil {
			return Spec{}, nil, err
		}
		if !bytes.Equal(raw, csr.RawSubject) {
			continue
		}
		if f, weak := weakKey(subject, csr.PublicKey); weak {
			return Spec{}, nil, &Refusal{[]Finding{f}}
		}
		if got, _ := SpecOf(csr.PublicKey); got != spec.Key {
			return Spec{}, nil, refuse("request-key", subject, "has", DescribeKey(csr.PublicKey), "want", string(spec.Key))
		}
		var found []Finding
		if slices.ContainsFunc(csr.Extensions, func(e pkix.Extension) bool { return !planned(e) }) {
			found = append(found, New("request-asks-more", subject))
		}
		return spec, found, nil
	}
	return Spec{}, nil, refuse("request-unknown", subject, "subject", csr.Subject.String())
}

func rawSubject(spec Spec) ([]byte, error) {
	n := pkix.Name{CommonName: spec.Subject.CommonName, Organization: spec.Subject.Organization}
	if spec.Subject.Unit != "" {
		n.OrganizationalUnit = []string{spec.Subject.Unit}
	}
	return marshalName(n)
}

// Sign certifies a vetted request: extensions and dates are the plan's, cut to
// the life of the issuer.
func Sign(ctx context.Context, spec Spec, csr *x509.CertificateRequest, issuer *Authority, now Time, source KeySource) (*Authority, []Finding, error) {
	if issuer.Key == nil {
		return nil, nil, refuse("key-missing", string(issuer.Role), "certificate", name(issuer.Certificate))
	}
	if samePublicKey(csr.PublicKey, issuer.Certificate.PublicKey) {
		return nil, nil, refuse("key-reused", string(spec.Role), "other", string(issuer.Role))
	}
	if now.Before(spec.NotBefore.Time) {
		return nil, nil, refuse("not-yet-valid", string(spec.Role), "start", spec.NotBefore.String(), "at", now.String())
	}
	wanted := spec.NotAfter
	found := spec.Within(At(issuer.Certificate.NotBefore), At(issuer.Certificate.NotAfter))
	found = append(found, spec.lifeFindings(now, wanted)...)
	if err := Refuse(found); err != nil {
		return nil, nil, err
	}
	lint := &throwaway{source: source}
	checked, err := lint.check(ctx, spec, csr.PublicKey, issuer.Certificate)
	if err != nil {
		return nil, nil, err
	}
	cert, err := issue(checked, issuer.Key)
	if err != nil {
		return nil, nil, err
	}
	return &Authority{Role: spec.Role, Certificate: cert, Above: issuer.Chain()}, append(found, checked.Findings...), nil
}

// Accept joins a certificate that came back with the key of its request, and
// says where the signer departed from the plan.
func (s State) Accept(role Role, key Key, cert *x509.Certificate, above []*x509.Certificate) (*Authority, []Finding, error) {
	if !samePublicKey(key.Public(), cert.PublicKey) {
		return nil, nil, refuse("signed-key-mismatch", string(role), "role", string(role))
	}
	spec, ok := s.Resolved.Spec(role)
	if !ok {
		return nil, nil, refuse("request-unknown", string(role), "subject", string(role))
	}
	var found []Finding
	usage, err := keyUsage(spec.KeyUsage)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", role, err)
	}
	subject, err := rawSubject(spec)
	if err != nil {
		return nil, nil, err
	}
	limit, limited := pathLen(cert)
	if !bytes.Equal(cert.RawSubject, subject) || cert.KeyUsage != usage ||
		limited != (spec.PathLen != nil) || limited && limit != *spec.PathLen ||
		len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0 || !spec.NameConstraints.holds(cert) || At(cert.NotAfter).After(spec.NotAfter.Time) {
		found = append(found, New("profile-drift", string(role)))
	}
	return &Authority{Role: role, Certificate: cert, Above: above, Key: key, Fresh: true}, found, nil
}

// Unchanged refuses to go on with other inputs than those that the request was
// made with: existing authorities, and service keys.
func (s State) Unchanged(now Resolved) error {
	var found []Finding
	for _, was := range s.Resolved.Authorities {
		is, ok := now.Spec(was.Role)
		if was.Existing == "" || !ok {
			continue
		}
		if a, b := was.identity(), is.identity(); a != b {
			found = append(found, New("input-changed", string(was.Role), "was", a, "is", b))
		}
	}
	if a, b := strings.Join(s.Resolved.Service.Keep, " "), strings.Join(now.Service.Keep, " "); a != b {
		found = append(found, New("input-changed", string(Service), "was", a, "is", b))
	}
	return Refuse(found)
}

// identity names an existing authority with its whole chain.
func (s Spec) identity() string { return strings.Join(append([]string{s.Existing}, s.Above...), " ") }
