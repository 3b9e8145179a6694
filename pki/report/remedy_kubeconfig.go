package report

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// credentials are where a server keeps those of its administrator.
type credentials struct {
	before      []string // what puts them into files
	certificate string
	key         string
	kubectl     string
}

// credentialsOf finds what belongs into a copy of a kubeconfig, nil if it is not an
// administrator's: whoever else holds one must not be made one. The copy may lie
// anywhere, so the names in the certificate tell the distribution.
func credentialsOf(r ExpiryRow) *credentials {
	for _, distro := range []pki.Distro{pki.K3s, pki.RKE2} {
		product, _ := k3s.ProductOf(distro)
		if r.Subject == "system:admin" && strings.HasPrefix(r.Issuer, product.Prefix+"-client-ca") {
			kubectl, _, _ := strings.Cut(product.Kubectl(), " --")
			return &credentials{nil, product.TLSDir() + "/client-admin.crt", product.TLSDir() + "/client-admin.key", kubectl}
		}
	}
	config := map[string]string{"kubernetes-admin": "admin.conf", "kubernetes-super-admin": "super-admin.conf"}[r.Subject]
	if config == "" {
		return nil
	}
	return &credentials{[]string{fmt.Sprintf(
		`(umask 077; for f in certificate key; do kubectl --kubeconfig /etc/kubernetes/%s config view --raw -o "jsonpath={.users[0].user.client-$f-data}" | base64 -d > %s.$f; done)`,
		config, r.Subject)}, r.Subject + ".certificate", r.Subject + ".key", "kubectl"}
}

// kubeconfigCopies puts the credentials of today into copies of a kubeconfig. What
// else stands in them stays: the address that they ask, other clusters.
func (c *expiryCheck) kubeconfigCopies(places []string) []string {
	var out []string
	for _, r := range c.out.Certificates {
		user, ok := strings.CutSuffix(strings.TrimPrefix(r.Field, "users/"), "/client-certificate-data")
		if !ok || r.Index != 1 || !slices.Contains(places, r.Place().String()) {
			continue
		}
		from := credentialsOf(r)
		for _, line := range from.before {
			if !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
		out = append(out, fmt.Sprintf("%s config --kubeconfig=%s set-credentials %s --client-certificate=%s --client-key=%s --embed-certs=true",
			from.kubectl, quoted(path.Base(r.Path)), quoted(user), from.certificate, from.key))
	}
	return out
}
