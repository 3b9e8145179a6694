package pki

import (
	"bytes"
	"context"
	"crypto/x509"
	"path/filepath"
	"slices"
	"strconv"
)

// Reader reads what a plan names: files on a disk, or those that a page was
// given.
type Reader struct {
	// Read returns a whole file.
	Read func(path string) ([]byte, error)
	// Exists reports whether there is a file; only asked for Inputs.Directory.
	Exists func(path string) bool
	// Unlock returns the private key of an encrypted file. Nil: encrypted keys
	// are refused ("key-encrypted").
	Unlock func(path string, data []byte) (key any, err error)
}

// Given reads everything that a plan names as existing already. Of a directory
// with the upstream script's names, the paths are filled in.
func (r Reader) Given(in *Inputs) (Given, []Finding, error) {
	if in.Directory != "" {
		if err := r.scriptFiles(in); err != nil {
			return Given{}, nil, err
		}
	}
	if in.RootKey != "" && in.Root == "" || in.IntermediateKey != "" && in.Intermediate == "" {
		return Given{}, nil, refuse("plan-key-alone", "inputs")
	}
	g := Given{Authorities: map[Role]*Authority{}}
	var notes []Finding
	var above []*x509.Certificate
	for _, row := range []struct {
		role      Role
		path, key string
	}{{Root, in.Root, in.RootKey}, {Intermediate, in.Intermediate, in.IntermediateKey}} {
		if row.path == "" {
			continue
		}
		authority, found, err := r.Issuer(row.role, row.path, row.key, above)
		if err != nil {
			return Given{}, nil, err
		}
		g.Authorities[row.role], notes, above = authority, append(notes, found...), authority.Chain()
	}
	for _, path := range in.ServiceKeys {
		keys, found, err := r.Keys(path)
		if err != nil {
			return Given{}, nil, err
		}
		for _, k := range keys { // written back as PKCS#1 or SEC1, whatever it was
			g.ServiceKeys = append(g.ServiceKeys, k.Key)
		}
		notes = append(notes, found...)
	}
	return g, notes, nil
}

// Issuer reads a certificate chain and its key; an empty key path means that the
// key is on another machine. Extra certificates may complete the chain.
func (r Reader) Issuer(role Role, path, keyPath string, extra []*x509.Certificate) (*Authority, []Finding, error) {
	data, err := r.Read(path)
	if err != nil {
		return nil, nil, err
	}
	certs, notes, err := ParseCertificates(path, data)
	if err != nil {
		return nil, nil, err
	}
	authority := &Authority{Role: role}
	if authority.Certificate, authority.Above, err = OrderChain(role, certs, extra); err != nil {
		return nil, nil, err
	}
	if keyPath == "" {
		return authority, notes, nil
	}
	keys, found, err := r.Keys(keyPath)
	if err != nil {
		return nil, nil, err
	}
	if len(keys) > 1 {
		return nil, nil, refuse("key-several", keyPath, "count", strconv.Itoa(len(keys)))
	}
	authority.Key = keys[0].Key
	return authority, append(notes, found...), nil
}

// Keys reads a file of private keys, and of encrypted ones what Unlock opens.
func (r Reader) Keys(path string) ([]FoundKey, []Finding, error) {
	data, err := r.Read(path)
	if err != nil {
		return nil, nil, err
	}
	return r.Open(path, data)
}

// Open is Keys for a file that was read already.
func (r Reader) Open(path string, data []byte) ([]FoundKey, []Finding, error) {
	keys, notes, err := ParseKeys(path, data)
	if r.Unlock == nil || !RefusedFor(err, "key-encrypted") {
		return keys, notes, err
	}
	opened, err := r.Unlock(path, data)
	if err != nil {
		return nil, nil, err
	}
	key, err := UsableKey(path, opened)
	if err != nil {
		return nil, nil, err
	}
	return []FoundKey{{Key: key, Type: "PRIVATE KEY"}}, notes, nil
}

// Everything reads an offline part, or a directory with the file names of the
// upstream script: every private key and every certificate in it.
func (r Reader) Everything(b Bundle) (keys []Key, certs []*x509.Certificate, notes []Finding, err error) {
	for _, file := range b.Files {
		if bytes.Contains(file.Data, []byte("PRIVATE KEY-----")) {
			found, more, err := r.Open(file.Path, file.Data)
			if err != nil {
				return nil, nil, nil, err
			}
			for _, k := range found {
				keys = append(keys, k.Key)
			}
			notes = append(notes, more...)
		}
		if KindOf(file.Path) == KindChain && bytes.Contains(file.Data, []byte("BEGIN CERTIFICATE")) {
			found, more, err := ParseCertificates(file.Path, file.Data)
			if err != nil {
				return nil, nil, nil, err
			}
			certs, notes = append(certs, found...), append(notes, more...)
		}
	}
	return keys, certs, notes, nil
}

// scriptEndings are those of the certificates that the k3s example script takes,
// in the order in which they are looked for.
var scriptEndings = []string{".pem", ".crt", ".cer"}

// scriptFiles fills the inputs from a directory with the script's file names.
// The script itself takes only .pem, and overwrites a root-ca.crt that it does
// not know; two certificates for one role that differ are refused here.
func (r Reader) scriptFiles(in *Inputs) error {
	found := false
	for _, row := range []struct {
		stem      string
		cert, key *string
	}{{"root-ca", &in.Root, &in.RootKey}, {"intermediate-ca", &in.Intermediate, &in.IntermediateKey}} {
		cert, err := r.oneOf(in.Directory, row.stem)
		if err != nil {
			return err
		}
		key := filepath.Join(in.Directory, row.stem+".key")
		if !r.Exists(key) {
			key = ""
		}
		if key != "" && cert == "" {
			return refuse("script-key-alone", key, "stem", row.stem)
		}
		found = found || cert != ""
		if *row.cert == "" {
			*row.cert = cert
			if *row.key == "" {
				*row.key = key
			}
		}
	}
	if service := filepath.Join(in.Directory, "service.key"); r.Exists(service) && len(in.ServiceKeys) == 0 {
		in.ServiceKeys, found = []string{service}, true
	}
	if !found {
		return refuse("script-none", in.Directory)
	}
	return nil
}

// oneOf returns the certificate file of a stem, refusing two with different
// first certificates.
func (r Reader) oneOf(dir, stem string) (string, error) {
	var path string
	var first *x509.Certificate
	for _, ending := range scriptEndings {
		name := filepath.Join(dir, stem+ending)
		if !r.Exists(name) {
			continue
		}
		data, err := r.Read(name)
		if err != nil {
			return "", err
		}
		certs, _, err := ParseCertificates(name, data)
		if err != nil {
			return "", err
		}
		if first != nil && !first.Equal(certs[0]) {
			return "", refuse("script-two", path, "other", name)
		}
		if first == nil {
			path, first = name, certs[0]
		}
	}
	return path, nil
}

// Vetted is a request that may be signed: it proves possession of its key, the
// plan knows it, and the issuer fits its place.
type Vetted struct {
	Spec    Spec
	Request *x509.CertificateRequest
	Issuer  *Authority
	Found   []Finding
}

// Vet reads a request and the authority that shall sign it, and holds both against
// the plan that came with the request.
func (r Reader) Vet(plan Resolved, layout Layout, request Signed, issuer, key string, now Time) (*Vetted, error) {
	if err := plan.Trust(layout); err != nil {
		return nil, err
	}
	csr, notes, err := ParseRequest(request.Path, request.Data)
	if err != nil {
		return nil, err
	}
	spec, vetted, err := plan.Vet(csr, request.Path)
	if err != nil {
		return nil, err
	}
	authority, more, err := r.Issuer(spec.Issuer, issuer, key, nil)
	if err != nil {
		return nil, err
	}
	found := CheckIssuer(authority, now, layout)
	if planned, ok := plan.Spec(spec.Issuer); ok && planned.Existing != "" && planned.Existing != Fingerprint(authority.Certificate) {
		found = append(found, New("request-not-issuer", issuer, "role", string(spec.Role), "issuer", planned.Existing))
	}
	return &Vetted{spec, csr, authority, slices.Concat(notes, vetted, more, found)}, Refuse(found)
}

// Sign certifies the request. What is noticed on the way is added to Found.
func (v *Vetted) Sign(ctx context.Context, now Time, source KeySource) (*Authority, error) {
	signed, more, err := Sign(ctx, v.Spec, v.Request, v.Issuer, now, source)
	v.Found = append(v.Found, more...)
	return signed, err
}

// Signed is a file of PEM that came from the other room.
type Signed struct {
	Path string
	Data []byte
}

// AcceptAll joins each certificate that came back with the key of its request
// and adds the authorities to what is given. The chain above a certificate comes
// from its file, or from the issuer that the plan gave.
func (s State) AcceptAll(keys map[Role]Key, files []Signed, given Given) ([]Finding, error) {
	var found []Finding
	from := map[Role]string{}
	for _, file := range files {
		certs, notes, err := ParseCertificates(file.Path, file.Data)
		if err != nil {
			return nil, err
		}
		role, ok := keyFor(keys, certs[0])
		if !ok {
			return nil, refuse("signed-key-mismatch", file.Path, "role", file.Path)
		}
		if from[role] != "" {
			return nil, refuse("signed-twice", from[role], "other", file.Path, "role", string(role))
		}
		from[role] = file.Path
		var extra []*x509.Certificate
		spec, _ := s.Resolved.Spec(role)
		if issuer := given.Authorities[spec.Issuer]; issuer != nil {
			extra = issuer.Chain()
		}
		first, above, err := OrderChain(role, certs, extra)
		if err != nil {
			return nil, err
		}
		authority, drift, err := s.Accept(role, keys[role], first, above)
		if err != nil {
			return nil, err
		}
		given.Authorities[role] = authority
		found = slices.Concat(found, notes, drift)
	}
	var missing []Finding
	for _, spec := range s.Resolved.Requests() {
		if given.Authorities[spec.Role] == nil {
			missing = append(missing, New("signed-missing", string(spec.Role), "role", string(spec.Role)))
		}
	}
	return found, Refuse(missing)
}

func keyFor(keys map[Role]Key, c *x509.Certificate) (Role, bool) {
	for role, k := range keys {
		if samePublicKey(k.Public(), c.PublicKey) {
			return role, true
		}
	}
	return "", false
}
