package k3s

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"rootkiln/pki"
)

// make signs what was decided and writes the eleven files.
func (r *rotating) make(ctx context.Context, progress pki.Progress) error {
	if err := r.planService(); err != nil {
		return err
	}
	if r.out.Change == ChangeSameKey {
		if err := r.renew(ctx); err != nil {
			return err
		}
		r.layout.Rows, r.given.Authorities = nil, nil
	}
	if r.out.Change == ChangeService || r.out.Change == ChangeRootsB || r.out.Change == ChangeRootsC {
		r.layout.Rows = nil
	}
	if len(r.layout.Rows) > 0 || r.layout.ServicePath != "" {
		if err := r.issue(ctx, progress); err != nil {
			return err
		}
	}
	return r.assemble()
}

// planService decides about service.key: a new key signs from now on, the others
// verify the tokens that there are. Without the one that signs today rotate-ca
// refuses the file.
func (r *rotating) planService() error {
	r.layout.ServicePath = ""
	if !r.NewServiceKey && !r.ServiceKeyOnly {
		return nil
	}
	f := r.files.File(ServiceKeyPath)
	if f == nil {
		return refuse("file-missing", ServiceKeyPath, "path", ServiceKeyPath)
	}
	found, notes, err := pki.ParseKeys(ServiceKeyPath, f.Data)
	if err != nil {
		return err
	}
	r.note(notes)
	r.layout.ServicePath, r.out.Service = ServiceKeyPath, true
	for _, k := range found {
		same := func(o pki.Key) bool { return pki.SameKey(o.Public(), k.Key.Public()) }
		if !slices.ContainsFunc(r.given.ServiceKeys, same) {
			r.given.ServiceKeys = append(r.given.ServiceKeys, k.Key)
		}
	}
	if r.Prune {
		r.given.ServiceKeys = r.given.ServiceKeys[:1]
	}
	return nil
}

// issue makes all new keys and certificates, and the cross-certificates.
func (r *rotating) issue(ctx context.Context, progress pki.Progress) error {
	resolved, notes, err := pki.Resolve(r.Plan, r.layout, r.given)
	if err != nil {
		return err
	}
	run := pki.Run{Plan: resolved, Layout: r.layout, Given: r.given, Keys: r.keys, Progress: progress}
	if r.out.Issued, err = run.Issue(ctx); err != nil {
		return err
	}
	r.out.Findings = slices.Concat(r.out.Findings, notes, r.out.Issued.Findings)
	for _, row := range r.layout.Rows {
		if row.Safe != "" && r.out.Issued.Made[row.Role] {
			r.out.Roots = append(r.out.Roots, row.Role)
		}
	}
	if err := r.distinct(); err != nil {
		return err
	}
	for _, d := range r.domains {
		role := d.row.Role
		s, changes := r.seg[role]
		if !changes {
			continue
		}
		a := r.out.Issued.Authorities[role]
		s.ca = a.Certificate
		switch r.out.Change {
		case ChangeCAs:
			if r.out.Issued.Made[pki.Intermediate] && a.Above[0].Equal(r.out.Issued.Authorities[pki.Intermediate].Certificate) {
				s.intermediates = append(a.Above[:1:1], s.intermediates...)
			}
		case ChangeRoots, ChangeRootsA:
			if s, err = r.crossed(ctx, a, s); err != nil {
				return err
			}
		}
		r.seg[role] = s
	}
	return nil
}

// distinct refuses an authority that comes in with the name of an old one and
// another key: verifiers go by names, and two rotations in one second, or a root
// of somebody's own, may have the same.
func (r *rotating) distinct() error {
	for role, a := range r.out.Issued.Authorities {
		if !r.out.Issued.Made[role] && a != r.Root && a != r.Intermediate {
			continue
		}
		for _, d := range r.domains {
			for _, c := range d.file {
				if bytes.Equal(c.RawSubject, a.Certificate.RawSubject) && anchor(c) != anchor(a.Certificate) {
					return refuse("rotation-same-name", string(role), "name", pki.Name(c))
				}
			}
		}
	}
	return nil
}

// crossed puts the new root with its cross-certificate by the old one into a file.
func (r *rotating) crossed(ctx context.Context, a *pki.Authority, s segments) (segments, error) {
	old, root := s.roots[0], a.Root()
	s.intermediates = a.Above[:len(a.Above)-1]
	cross, err := r.cross(ctx, root, old, len(a.Above))
	if err != nil {
		return s, err
	}
	s.crosses, s.roots = []*x509.Certificate{cross}, []*x509.Certificate{root, old}
	if r.out.Change == ChangeRootsA {
		s.roots = s.roots[1:]
	}
	return s, nil
}

// cross signs the name and key of the new root with the old one, once for each
// pair. Below is the number of authorities between the new root and a leaf.
func (r *rotating) cross(ctx context.Context, root, old *x509.Certificate, below int) (*x509.Certificate, error) {
	if old.NotAfter.Before(r.Plan.Time.Time) {
		return nil, refuse("rotation-root-ended", "", "root", pki.Name(old), "end", pki.At(old.NotAfter).String())
	}
	for _, s := range r.seg {
		for _, x := range s.crosses {
			if anchor(x) == anchor(root) && pki.IssuedBy(x, old) {
				return x, nil
			}
		}
	}
	role := r.roleOf(root)
	var names []string
	for of := range r.seg {
		names = append(names, r.layout.Names[of]...)
	}
	x, found, err := pki.Reissue{
		Role: role, Of: root, By: &pki.Authority{Role: role, Certificate: old, Key: r.keyOf(old)},
		Below: below, Names: names, At: r.Plan.Time, End: pki.At(root.NotAfter), Keys: r.keys,
	}.Issue(ctx)
	if err != nil {
		return nil, err
	}
	r.note(found)
	if row, ok := r.layout.Row(role); ok && row.Safe != "" {
		r.out.Issued.Offline.Add(row.Safe+"-cross-"+pki.Fingerprint(old)[:8]+".crt", pki.KindChain, pki.EncodeCertificates(x))
	}
	return x, nil
}

func (r *rotating) roleOf(c *x509.Certificate) pki.Role {
	for role, a := range r.out.Issued.Authorities {
		if a.Certificate.Equal(c) {
			return role
		}
	}
	return pki.Root
}

// note adds findings that are not told yet: an old root may sign five times.
func (r *rotating) note(found []pki.Finding) {
	for _, f := range found {
		told := func(o pki.Finding) bool { return o.String() == f.String() }
		if !slices.ContainsFunc(r.out.Findings, told) {
			r.out.Findings = append(r.out.Findings, f)
		}
	}
}

// renew certifies the keys of the CAs once more by their issuers.
func (r *rotating) renew(ctx context.Context) error {
	if err := pki.Refuse(r.Plan.Check()); err != nil {
		return err
	}
	end, err := r.Plan.Lifetime(pki.TierCA).End(r.Plan.Time)
	if err != nil {
		return err
	}
	for _, row := range r.layout.Rows {
		s, changes := r.seg[row.Role]
		if !changes {
			continue
		}
		c, found, err := pki.Reissue{
			Role: row.Role, Of: s.ca, By: r.given.Authorities[row.Issuer], Names: r.layout.Names[row.Role],
			At: r.Plan.Time, End: end, Keys: r.keys,
		}.Issue(ctx)
		if err != nil {
			return err
		}
		r.note(found)
		s.ca = c
		r.seg[row.Role] = s
	}
	return nil
}

// assemble lays out the eleven files: what changes, and the rest as it is. A CA
// file that holds more keys than its own, as the rotation script of the k3s
// project leaves it with the root's, goes on with its own alone.
func (r *rotating) assemble() error {
	r.out.Server.Time = r.Plan.Time.Time
	for _, d := range r.domains {
		crt, key := d.row.Path+".crt", d.row.Path+".key"
		s, changes := r.seg[d.row.Role]
		if !changes && (len(d.file) == 1 || r.keyOf(d.leaf()) == nil || d.leaf().NotAfter.Before(r.Plan.Time.Time)) {
			// Offered, it would be refused for being alone, without its key, or ended;
			// left out, the server takes its own.
			r.out.Kept = append(r.out.Kept, d.row.Role)
			continue
		}
		made := changes && r.out.Change != ChangeSameKey && r.out.Issued != nil && r.out.Issued.Authorities[d.row.Role] != nil
		text := r.kept(crt)
		if changes {
			text = s.encode()
		}
		if changes && !bytes.Equal(text, r.kept(crt)) {
			r.out.Changed = append(r.out.Changed, d.row.Role)
		} else {
			r.out.Kept = append(r.out.Kept, d.row.Role)
		}
		r.out.Server.Add(crt, pki.KindChain, text)
		if made {
			r.out.Server.Add(key, pki.KindKey, r.out.Issued.Server.File(key).Data)
			continue
		}
		own, err := r.ownKey(d, key)
		if err != nil {
			return err
		}
		if own != nil {
			r.out.Server.Add(key, pki.KindKey, own)
		}
	}
	service := r.kept(ServiceKeyPath)
	if r.out.Service {
		service = r.out.Issued.Server.File(ServiceKeyPath).Data
	}
	if service != nil {
		r.out.Server.Add(ServiceKeyPath, pki.KindKey, service)
	}
	return nil
}

func (r *rotating) kept(path string) []byte {
	if f := r.files.File(path); f != nil {
		return f.Data
	}
	return nil
}

// ownKey is the key file of a CA whose key stays: as it is, or its own key alone
// where the file holds others too, or lacks it and somebody brought it.
func (r *rotating) ownKey(d *domain, path string) ([]byte, error) {
	text := r.kept(path)
	if k := r.keyOf(d.leaf()); text == nil && k != nil {
		return pki.ExportPEM(k)
	}
	keys, _, err := pki.ParseKeys(path, text)
	if err != nil || len(keys) < 2 {
		return text, nil // verify says what is wrong with it
	}
	for _, k := range keys {
		if pki.SameKey(k.Key.Public(), d.leaf().PublicKey) {
			r.note([]pki.Finding{pki.New("rotation-keys-dropped", path, "ca", strings.TrimSuffix(path, ".key"))})
			return pki.ExportPEM(k.Key)
		}
	}
	return text, nil
}
