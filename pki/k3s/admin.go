package k3s

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rootkiln/pki"
)

// AdminRequest says for whom a client certificate is made.
type AdminRequest struct {
	User   string   // common name: the user of Kubernetes
	Groups []string // organizations: its groups
	At     pki.Time
	Life   pki.Lifetime // counted from At; cut at the end of the CA
}

// DefaultAdmin is the administrator of k3s's own kubeconfig, client-admin in the
// leaf table, for a day. k3s gives it a year; nobody can revoke it in that time.
var DefaultAdmin = AdminRequest{User: "system:admin", Groups: []string{"system:masters"}, Life: "24h"}

// Admin is a client certificate with all that a client needs to use it.
type Admin struct {
	Certificate *x509.Certificate
	Chain       []byte // PEM: the certificate, then all of client-ca.crt
	Key         []byte // PEM
	ServerCA    []byte // PEM: all of server-ca.crt, as in k3s.yaml
	Cut         bool   // it ends with the CA, earlier than asked for
}

// adminRole is what the key source is asked for.
const adminRole pki.Role = "admin"

// IssueAdmin signs a client certificate with the client CA of a bundle, as a
// server does: k3s #6637 asks for it before the first start, when there is no
// server yet. It needs client-ca.crt, client-ca.key and server-ca.crt.
func IssueAdmin(ctx context.Context, b pki.Bundle, want AdminRequest, keys pki.KeySource) (Admin, error) {
	if err := want.check(); err != nil {
		return Admin{}, err
	}
	ca, chain, signer, err := clientCA(b)
	if err != nil {
		return Admin{}, err
	}
	server, err := bundleFile(b, ServerCAPath+".crt")
	if err != nil {
		return Admin{}, err
	}
	if _, _, err := pki.ParseCertificates(server.Path, server.Data); err != nil {
		return Admin{}, err
	}
	key, err := keys.Key(ctx, adminRole, pki.P256)
	if err != nil {
		return Admin{}, err
	}
	template, cut, err := want.template(ca)
	if err != nil {
		return Admin{}, err
	}
	serial, err := keys.Serial(adminRole, want.binding(template, key))
	if err != nil {
		return Admin{}, err
	}
	serial[0] = serial[0]&0x3f | 0x40 // positive and of one length
	template.SerialNumber = new(big.Int).SetBytes(serial[:])
	der, err := x509.CreateCertificate(nil, template, ca, key.Public(), signer)
	if err != nil {
		return Admin{}, fmt.Errorf("sign for %s: %w", ClientCAPath, err)
	}
	out := Admin{ServerCA: server.Data, Cut: cut}
	if out.Certificate, err = x509.ParseCertificate(der); err != nil {
		return Admin{}, err
	}
	if err := accepted(out.Certificate, chain, want.At.Time); err != nil {
		return Admin{}, refuse("probe-go", ClientCAPath+".crt", "leaf", want.User, "detail", strings.TrimPrefix(err.Error(), "x509: "))
	}
	out.Chain = pki.EncodeCertificates(append([]*x509.Certificate{out.Certificate}, chain...)...)
	out.Key, err = pki.ExportPEM(key)
	return out, err
}

// ClientCAPath is the CA that decides who may log in.
const ClientCAPath = "tls/client-ca"

// clientCA reads the CA with all of its file and its key.
func clientCA(b pki.Bundle) (ca *x509.Certificate, chain []*x509.Certificate, signer pki.Exportable, err error) {
	crt, err := bundleFile(b, ClientCAPath+".crt")
	if err != nil {
		return nil, nil, nil, err
	}
	keyFile, err := bundleFile(b, ClientCAPath+".key")
	if err != nil {
		return nil, nil, nil, err
	}
	if chain, _, err = pki.ParseCertificates(crt.Path, crt.Data); err != nil {
		return nil, nil, nil, err
	}
	found, _, err := pki.ParseKeys(keyFile.Path, keyFile.Data)
	if err != nil {
		return nil, nil, nil, err
	}
	ca, signer = chain[0], found[0].Key // k3s takes the first of each
	if !pki.SameKey(signer.Public(), ca.PublicKey) {
		return nil, nil, nil, refuse("key-mismatch", keyFile.Path, "certificate", ca.Subject.CommonName)
	}
	return ca, chain, signer, nil
}

// bundleFile finds one of the eleven files wherever people have them.
func bundleFile(b pki.Bundle, path string) (*pki.File, error) {
	for _, dir := range append([]string{tlsDir}, foreignDirs...) {
		if f := b.File(dir + strings.TrimPrefix(path, tlsDir)); f != nil {
			return f, nil
		}
	}
	return nil, refuse("file-missing", path, "path", path)
}

// maxName is the upper bound of a common name or organization (RFC 5280,
// appendix A.1).
const maxName = 64

func (r AdminRequest) check() error {
	for field, names := range map[string][]string{"user": {r.User}, "group": r.Groups} {
		for _, name := range names {
			odd := func(c rune) bool { return !unicode.IsPrint(c) }
			if name == "" || len(name) > maxName || strings.ContainsFunc(name, odd) || name != strings.TrimSpace(name) {
				return refuse("plan-text", field, "value", name)
			}
		}
	}
	return nil
}

// template is k3s's client leaf (dynamiclistener cert/cert.go, NewSignedCert;
// since 0.7.3 it begins an hour back, but not before the CA).
func (r AdminRequest) template(ca *x509.Certificate) (template *x509.Certificate, cut bool, err error) {
	end, err := r.Life.End(r.At)
	if err != nil {
		return nil, false, err
	}
	if !end.After(r.At.Time) {
		return nil, false, refuse("plan-lifetime", "validity", "value", string(r.Life))
	}
	at := r.At.Time
	if at.After(ca.NotAfter) {
		return nil, false, refuse("expired", ClientCAPath+".crt", "end", pki.At(ca.NotAfter).String(), "at", r.At.String())
	}
	if at.Before(ca.NotBefore) {
		return nil, false, refuse("not-yet-valid", ClientCAPath+".crt", "start", pki.At(ca.NotBefore).String(), "at", r.At.String())
	}
	cut = end.After(ca.NotAfter)
	if cut {
		end = pki.At(ca.NotAfter)
	}
	start := at.Add(-time.Hour)
	if start.Before(ca.NotBefore) {
		start = ca.NotBefore
	}
	return &x509.Certificate{
		Subject:     pkix.Name{CommonName: r.User, Organization: r.Groups},
		NotBefore:   start,
		NotAfter:    end.Time,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, cut, nil
}

// binding is what all else in the certificate amounts to, for a source that
// derives serials.
func (r AdminRequest) binding(t *x509.Certificate, key pki.Key) [32]byte {
	public, _ := x509.MarshalPKIXPublicKey(key.Public()) // P-256: never fails
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %s %s %x", r.User, r.Groups, t.NotBefore, t.NotAfter, public))
}

// accepted verifies as the kube-apiserver does, with every certificate of
// client-ca.crt a trust anchor, and as programs do that trust its root alone.
func accepted(leaf *x509.Certificate, chain []*x509.Certificate, at time.Time) error {
	all, root, between := x509.NewCertPool(), x509.NewCertPool(), x509.NewCertPool()
	rooted := false
	for _, c := range chain {
		all.AddCert(c)
		if bytes.Equal(c.RawIssuer, c.RawSubject) {
			root.AddCert(c)
			rooted = true
		} else {
			between.AddCert(c)
		}
	}
	opts := x509.VerifyOptions{Roots: all, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if _, err := leaf.Verify(opts); err != nil || !rooted {
		return err
	}
	opts.Roots, opts.Intermediates = root, between
	_, err := leaf.Verify(opts)
	return err
}

// Kubeconfig is the file that k3s writes for its administrator
// (pkg/clientaccess/kubeconfig.go): everything is in it. The trust anchor is all
// of server-ca.crt.
func (a Admin) Kubeconfig(server string) ([]byte, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("not the address of an API server: https://HOST:PORT")
	}
	encode := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, kubeconfig, encode(a.ServerCA), strconv.Quote(u.String()), encode(a.Chain), encode(a.Key)), nil
}

// kubeconfig: trust anchor, address, certificate, key.
const kubeconfig = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: %s
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: %s
    client-key-data: %s
`

// Unlimited returns those of the groups that open everything: RBAC is not asked
// about system:masters, and the supervisor gives all CA keys to PRODUCT:server
// (k3s pkg/server/router.go).
func (r AdminRequest) Unlimited() []string {
	var out []string
	for _, group := range r.Groups {
		server := func(p Product) bool { return group == p.Prefix+":server" }
		if group == "system:masters" || slices.ContainsFunc(slices.Collect(maps.Values(products)), server) {
			out = append(out, group)
		}
	}
	return out
}
