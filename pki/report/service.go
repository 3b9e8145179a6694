package report

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"errors"
	"slices"

	"rootkiln/pki"
)

// service judges the keys that sign and verify ServiceAccount tokens. What the
// kube-apiserver reads is decided by client-go's parser: RSA in PKCS#1 and
// PKCS#8, EC in SEC1 alone (k8s.io/client-go/util/keyutil).
func (v *verifier) service() []pki.Finding {
	file := v.path(serviceFile)
	h := v.r.holds(file)
	if h == nil {
		return []pki.Finding{pki.New("service-key-none", file)}
	}
	told, _ := h.onServer(everyServiceKey)
	found := slices.Concat(told, wrongTypes(h, "PRIVATE KEY", append([]string{
		"EC PARAMETERS", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", // public halves verify tokens too
	}, privateTypes...)))
	if len(h.keys) == 0 && len(found) == 0 {
		found = append(found, pki.New("service-key-none", file))
	}
	for i, k := range h.keys {
		if k.signer == nil {
			continue
		}
		found = append(found, serviceFormat(k)...)
		twin := func(o *heldKey) bool { return o.signer != nil && pki.SameKey(o.signer.Public(), k.signer.Public()) }
		if slices.ContainsFunc(h.keys[:i], twin) {
			found = append(found, pki.New("service-key-duplicate", file))
		}
		if role := v.roleOfKey(k); role != "" {
			found = append(found, pki.New("service-key-is-ca", k.place.String(), "role", string(role)))
		}
	}
	return found
}

func serviceFormat(k *heldKey) []pki.Finding {
	subject := k.place.String()
	switch k.signer.(type) {
	case ed25519.PrivateKey:
		return []pki.Finding{pki.New("service-key-format", subject, "format", "Ed25519")}
	case *ecdsa.PrivateKey:
		if k.format == "PRIVATE KEY" {
			return []pki.Finding{pki.New("service-key-format", subject, "format", "EC in PKCS#8")}
		}
	}
	_, err := pki.UsableKey(subject, k.signer)
	var refusal *pki.Refusal
	switch {
	case !errors.As(err, &refusal):
		return nil
	case refusal.Findings[0].Code == "key-weak":
		return []pki.Finding{pki.New("service-key-weak", subject, "key", refusal.Findings[0].Args["key"])}
	}
	return refusal.Findings
}

// roleOfKey returns the authority among the CA files whose key this is, empty if
// none.
func (v *verifier) roleOfKey(k *heldKey) pki.Role {
	for _, d := range v.domains {
		for i, n := range d.certs {
			if pki.SameKey(k.signer.Public(), n.cert.PublicKey) {
				return v.roleIn(d, i)
			}
		}
	}
	return ""
}

// domainRoots are the roles of the self-signed certificates over one CA alone.
var domainRoots = map[pki.Role]pki.Role{
	pki.ServerCA: pki.Root, pki.ClientCA: pki.ClientRoot, pki.RequestHeaderCA: pki.RequestHeaderRoot,
	pki.EtcdPeerCA: pki.EtcdPeerRoot, pki.EtcdServerCA: pki.EtcdServerRoot,
}

// roleIn is what the certificate at an index of a CA file is for the cluster.
func (v *verifier) roleIn(d *domain, i int) pki.Role {
	n := d.certs[i]
	switch {
	case i == 0:
		return d.role
	case !n.self:
		return pki.Intermediate
	case d.role != pki.ServerCA && slices.ContainsFunc(v.domains, func(o *domain) bool { return o != d && slices.Contains(o.certs, n) }):
		return pki.Root
	}
	return domainRoots[d.role]
}
