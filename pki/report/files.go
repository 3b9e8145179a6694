package report

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// files judges what lies beside and around the eleven: keys that belong in a
// safe, leftovers, modes and times.
func (v *verifier) files() []pki.Finding {
	found := v.strayKeys()
	for i := range v.bundle.Files {
		f := &v.bundle.Files[i]
		rel, inside := v.relative(f.Path)
		if !inside {
			continue
		}
		h := v.r.holds(f.Path)
		if wide, is := tooWide(f, h); is {
			found = append(found, wide)
		}
		known := slices.Contains(expectedFiles(), rel) || k3s.Derived(v.product, rel)
		switch {
		case known || h != nil && len(h.keys) > 0: // keys were told above
		case isScriptFile(rel):
			found = append(found, pki.New("upstream-names", f.Path, "file", f.Path))
		default:
			found = append(found, pki.New("file-extra", f.Path, "path", f.Path))
		}
	}
	return append(found, v.futureTime()...)
}

// isScriptFile knows the names that k3s's two example scripts leave behind.
func isScriptFile(rel string) bool {
	ext := path.Ext(rel)
	stem := strings.TrimSuffix(rel, ext)
	switch ext {
	case ".crt":
		return stem == "root-ca" || stem == "intermediate-ca"
	case ".pem", ".key":
		return slices.ContainsFunc([]string{"-ca", "-root", "-root-old", "-root-ssigned", "-root-xsigned"},
			func(end string) bool { return strings.HasSuffix(stem, end) })
	}
	return false
}

// relative returns a path below the tls directory.
func (v *verifier) relative(file string) (rel string, inside bool) {
	if v.dir == "." {
		return file, true
	}
	return strings.CutPrefix(file, v.dir+"/")
}

// strayKeys finds private keys that no server needs: wherever they lie when they
// are those of a root or intermediate, otherwise in the tls directory.
func (v *verifier) strayKeys() []pki.Finding {
	var found []pki.Finding
	for _, h := range v.r.files {
		for i, k := range h.keys {
			role := pki.Role("")
			if k.signer != nil {
				role = v.roleOfKey(k)
			}
			rel, inside := v.relative(h.file.Path)
			server := slices.ContainsFunc(v.domains, func(d *domain) bool { return d.role == role })
			own := slices.Contains(expectedFiles(), rel) && i == 0 // wrong ones are told with the chain
			expected := own || rel == serviceFile || k3s.Derived(v.product, rel)
			switch {
			case role != "" && !server && !own:
				found = append(found, pki.New("root-key-on-server", k.place.String(), "role", string(role)))
			case inside && !expected:
				found = append(found, pki.New("key-leftover", k.place.String()))
			}
		}
	}
	return found
}

// tooWide compares the mode of a file, where it is known, with what it holds.
func tooWide(f *pki.File, h *holding) (pki.Finding, bool) {
	want := pki.KindChain.Mode()
	if f.Kind == pki.KindKey || h != nil && len(h.keys) > 0 {
		want = pki.KindKey.Mode()
	}
	if f.Mode.Perm()&^want == 0 {
		return pki.Finding{}, false
	}
	return pki.New("mode-wide", f.Path, "mode", fmt.Sprintf("%04o", f.Mode.Perm()), "want", fmt.Sprintf("%04o", want)), true
}

// futureTime tells of the latest modification time among the eleven files: k3s
// keeps it in the datastore and compares it at every start.
func (v *verifier) futureTime() []pki.Finding {
	latest, file := v.at, ""
	for _, rel := range expectedFiles() {
		if f := v.bundle.File(v.path(rel)); f != nil && pki.At(f.Time).After(latest.Time) {
			latest, file = pki.At(f.Time), f.Path
		}
	}
	if file == "" {
		return nil
	}
	return []pki.Finding{pki.New("time-in-future", file, "time", latest.String())}
}

// derived compares what a running server made from the bundle with the bundle:
// a difference is a rotation that has not arrived.
func (v *verifier) derived() []pki.Finding {
	var found []pki.Finding
	for _, d := range v.domains {
		if len(d.certs) == 0 {
			continue
		}
		nochain := strings.TrimSuffix(d.path, "-ca") + "-ca.nochain.crt"
		if h := v.r.holds(nochain); h != nil && len(h.nodes) > 0 && h.nodes[0] != d.certs[0] {
			found = append(found, pki.New("nochain-stale", nochain, "ca", d.path+".crt"))
		}
		for _, leaf := range k3s.Leaves(v.product) {
			if leaf.Signer == d.role {
				found = append(found, v.staleLeaf(d, leaf.File)...)
			}
		}
	}
	if h := v.r.holds(v.path(dynamicCert)); h != nil { // an unreadable one stops the start (k3s #14220)
		found = append(found, h.found...)
	}
	service, current := v.r.holds(v.path(serviceFile)), v.r.holds(v.path("service.current.key"))
	if service != nil && current != nil && len(service.keys) > 0 && len(current.keys) > 0 {
		a, b := service.keys[0].signer, current.keys[0].signer
		if a != nil && b != nil && !pki.SameKey(a.Public(), b.Public()) {
			found = append(found, pki.New("service-current-stale", current.file.Path))
		}
	}
	return found
}

// staleLeaf finds a leaf that is of an older CA. k3s knows the CA by its key
// identifier alone: with another one the leaf is made anew at the next start,
// with the same one and another name it stays and no longer verifies.
func (v *verifier) staleLeaf(d *domain, leaf string) []pki.Finding {
	ca := d.certs[0].cert
	for _, h := range v.r.files {
		place := strings.TrimSuffix(strings.TrimSuffix(h.file.Path, ".crt"), ".json")
		inside := place == v.path(leaf) || strings.HasPrefix(leaf, "agent/") && under(place, leaf)
		if !inside || path.Ext(h.file.Path) == ".key" || len(h.nodes) == 0 {
			continue
		}
		c := h.nodes[0].cert
		switch {
		case !bytes.Equal(c.AuthorityKeyId, ca.SubjectKeyId):
			return []pki.Finding{pki.New("leaf-stale", h.file.Path, "ca", d.path+".crt")}
		case !bytes.Equal(c.RawIssuer, ca.RawSubject):
			return []pki.Finding{pki.New("subject-mismatch", h.file.Path, "has", c.Issuer.String(), "want", ca.Subject.String())}
		}
	}
	return nil
}
