package e2e

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"rootkiln/e2e/testbed"
)

// leaf is one certificate that k3s makes for the node at its start.
type leaf struct {
	file         string // below tls, without ending; PROGRAM is k3s or rke2
	signer       domain
	commonName   string
	organization string
	usages       []x509.ExtKeyUsage
	host         string // a name that clients of this server expect; empty: no server
}

const (
	serverAuth = x509.ExtKeyUsageServerAuth
	clientAuth = x509.ExtKeyUsageClientAuth
)

var (
	clientOnly      = []x509.ExtKeyUsage{clientAuth}
	serverOnly      = []x509.ExtKeyUsage{serverAuth}
	serverAndClient = []x509.ExtKeyUsage{serverAuth, clientAuth}
)

// leaves is pkg/daemons/control/deps of k3s as a table: what genClientCerts,
// genServerCerts, genRequestHeaderCerts and genETCDCerts ask for.
var leaves = []leaf{
	{"client-admin", clientDomain, "system:admin", "system:masters", clientOnly, ""},
	{"client-supervisor", clientDomain, "system:PROGRAM-supervisor", "system:masters", clientOnly, ""},
	{"client-kube-apiserver", clientDomain, "system:apiserver", "system:masters", clientOnly, ""},
	{"client-controller", clientDomain, "system:kube-controller-manager", "", clientOnly, ""},
	{"client-scheduler", clientDomain, "system:kube-scheduler", "", clientOnly, ""},
	{"client-kube-proxy", clientDomain, "system:kube-proxy", "", clientOnly, ""},
	{"client-PROGRAM-controller", clientDomain, "system:PROGRAM-controller", "", clientOnly, ""},
	{"client-PROGRAM-cloud-controller", clientDomain, "PROGRAM-cloud-controller-manager", "", clientOnly, ""},
	{"serving-kube-apiserver", serverDomain, "kube-apiserver", "", serverOnly, "kubernetes.default.svc"},
	{"client-auth-proxy", requestHeaderDomain, "system:auth-proxy", "", clientOnly, ""},
	{"etcd/client", etcdServerDomain, "etcd-client", "", clientOnly, ""},
	{"etcd/server-client", etcdServerDomain, "etcd-server", "", serverAndClient, "localhost"},
	{"etcd/peer-server-client", etcdPeerDomain, "etcd-peer", "", serverAndClient, "localhost"},
}

// of fills in the program that k3s's code was linked as.
func (l leaf) of(program string) leaf {
	l.file = "tls/" + strings.ReplaceAll(l.file, "PROGRAM", program) + ".crt"
	l.commonName = strings.ReplaceAll(l.commonName, "PROGRAM", program)
	return l
}

// read returns the leaf and the chain behind it in the same file.
func (l leaf) read(dir string) (*x509.Certificate, []*x509.Certificate, error) {
	chain, err := testbed.ReadChain(filepath.Join(dir, l.file))
	if err != nil {
		return nil, nil, err
	}
	return chain[0], chain[1:], nil
}

// checkContent compares the certificate with the table.
func (l leaf) checkContent(certificate *x509.Certificate) error {
	subject := certificate.Subject
	if subject.CommonName != l.commonName || strings.Join(subject.Organization, ",") != l.organization {
		return fmt.Errorf("%s: subject is %s, want CN=%s O=%s", l.file, subject, l.commonName, l.organization)
	}
	if !slices.Equal(certificate.ExtKeyUsage, l.usages) {
		return fmt.Errorf("%s: extended key usages %v, want %v", l.file, certificate.ExtKeyUsage, l.usages)
	}
	if l.host == "" {
		return nil
	}
	var errs []error
	for _, host := range append([]string{l.host}, hosts...) {
		if err := certificate.VerifyHostname(host); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.file, err))
		}
	}
	return errors.Join(errs...)
}

// verifyGo verifies the leaf for each of its usages with the root as the only
// trust anchor.
func (l leaf) verifyGo(certificate *x509.Certificate, behind []*x509.Certificate, root *x509.Certificate) error {
	for _, usage := range l.usages {
		options := x509.VerifyOptions{Roots: testbed.Pool(root), Intermediates: testbed.Pool(behind...), KeyUsages: []x509.ExtKeyUsage{usage}}
		if usage == serverAuth {
			options.DNSName = l.host
		}
		tally.goVerify.Add(1)
		if _, err := certificate.Verify(options); err != nil {
			return fmt.Errorf("%s: %w", l.file, err)
		}
	}
	return nil
}

// purposes are openssl's names for the usages.
var purposes = map[x509.ExtKeyUsage]string{serverAuth: "sslserver", clientAuth: "sslclient"}

// verifyOpenSSL does the same with openssl for leaves of one signer, usage and
// host, in one process because that is what costs time. -trusted keeps every
// other trust anchor of the machine out; -untrusted is the signer's CA file,
// which every leaf has behind it (checkLeafSet).
func verifyOpenSSL(dir, rootFile string, usage x509.ExtKeyUsage, some []leaf) error {
	args := []string{"openssl", "verify", "-x509_strict", "-purpose", purposes[usage],
		"-trusted", rootFile, "-untrusted", some[0].signer.crt()}
	if usage == serverAuth {
		args = append(args, "-verify_hostname", some[0].host)
	}
	for _, l := range some {
		args = append(args, l.file)
	}
	tally.opensslVerify.Add(int64(len(some)))
	out, err := testbed.Run(dir, nil, args...)
	for _, l := range some {
		if err == nil && !strings.Contains(out, l.file+": OK\n") {
			err = fmt.Errorf("openssl says nothing of %s:\n%s", l.file, out)
		}
	}
	if err != nil {
		return fmt.Errorf("as %s: %w", purposes[usage], err)
	}
	return nil
}

// acceptedBy reports whether a component that is given the CA file as its trust
// accepts the leaf with its chain, for whatever use. Go's components, which all
// of these are, take every certificate of the file as a trust anchor. The chain
// grows until it is accepted: more of it takes nothing away, and to look for
// every possible chain, as Go does, is slow.
func (l leaf) acceptedBy(trust []*x509.Certificate, certificate *x509.Certificate, behind []*x509.Certificate) error {
	tally.crossDomain.Add(1)
	var err error
	for n := range len(behind) + 1 {
		options := x509.VerifyOptions{Roots: testbed.Pool(trust...), Intermediates: testbed.Pool(behind[:n]...)}
		options.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		if _, err = certificate.Verify(options); err == nil {
			return nil
		}
	}
	return err
}

// sameChain reports whether both hold the same certificates in the same order.
func sameChain(a, b []*x509.Certificate) bool {
	return slices.EqualFunc(a, b, (*x509.Certificate).Equal)
}

// checkSelfSigned makes sure that a trust anchor is a root and not a
// certificate that some verifiers would take for one.
func checkSelfSigned(certificate *x509.Certificate) error {
	if !bytes.Equal(certificate.RawIssuer, certificate.RawSubject) {
		return fmt.Errorf("last certificate %q is issued by %q, not self-signed", certificate.Subject, certificate.Issuer)
	}
	return certificate.CheckSignatureFrom(certificate)
}
