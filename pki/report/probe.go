package report

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Probes counts the throw-away leaf certificates, one for each that the server
// will make, in the two ways in which clients verify.
type Probes struct {
	// Go: every certificate of the CA file is a trust anchor, as for k3s, etcd
	// and all of Kubernetes.
	Go Tally `json:"go"`
	// Path: the self-signed root is the only trust anchor, as for OpenSSL, Java
	// and browsers.
	Path    Tally `json:"path"`
	Skipped int   `json:"skipped"` // the CA's key is missing or does not fit
}

// Tally counts the probes of one model.
type Tally struct {
	Run    int `json:"run"`
	Failed int `json:"failed"`
}

// prober mints and verifies throw-away leaf certificates.
type prober struct {
	*verifier
	key    pki.Key // of all of them
	counts map[*domain]*Probes
	// openings is filled by trust.
	openings []Opening
}

func newProber(ctx context.Context, v *verifier, keys pki.KeySource) (*prober, error) {
	key, err := keys.Key(ctx, pki.Lint, pki.P256)
	if err != nil {
		return nil, fmt.Errorf("making the probe key: %w", err)
	}
	p := &prober{verifier: v, key: key, counts: map[*domain]*Probes{}, openings: []Opening{}}
	for _, d := range v.domains {
		p.counts[d] = &Probes{}
	}
	return p, nil
}

func (p *prober) tally() Probes {
	var sum Probes
	for _, n := range p.counts {
		sum.Go.Run, sum.Go.Failed = sum.Go.Run+n.Go.Run, sum.Go.Failed+n.Go.Failed
		sum.Path.Run, sum.Path.Failed = sum.Path.Run+n.Path.Run, sum.Path.Failed+n.Path.Failed
		sum.Skipped += n.Skipped
	}
	return sum
}

// trial is one probe, for all leaves to which the same holds: no verifier here
// looks at a subject, and what no CA of the file limits (usage, names) cannot
// make a difference.
type trial struct {
	leaves       []k3s.Leaf
	goErr, toTop error
}

// domain tries every leaf that the CA will sign.
func (p *prober) domain(d *domain) []pki.Finding {
	var trials []*trial
	total := 0
	limited := slices.ContainsFunc(d.certs, limitsUsage)
	constrained := slices.ContainsFunc(d.certs, func(n *node) bool { return pki.Constrained(n.cert) })
	for _, leaf := range k3s.Leaves(p.product) {
		if leaf.Signer != d.role {
			continue
		}
		total++
		same := func(t *trial) bool {
			return (!limited || slices.Equal(t.leaves[0].Usage, leaf.Usage)) &&
				(!constrained || slices.Equal(t.leaves[0].Names, leaf.Names))
		}
		if i := slices.IndexFunc(trials, same); i >= 0 {
			trials[i].leaves = append(trials[i].leaves, leaf)
		} else {
			trials = append(trials, &trial{leaves: []k3s.Leaf{leaf}})
		}
	}
	n := p.counts[d]
	if !d.fits {
		n.Skipped = total
		return nil
	}
	for _, t := range trials {
		cert, err := p.mint(d, t.leaves[0])
		t.goErr, t.toTop = err, err
		if err == nil {
			t.goErr = p.everyAnchor(cert, d, t.leaves[0].Usage)
			t.toTop = p.pathToRoot(cert, d, t.leaves[0].Usage)
		}
	}
	n.Go.Run, n.Path.Run = total, total
	goFound, goFailed := failures(d, trials, "probe-go", "probe-go-domain", func(t *trial) error { return t.goErr })
	pathFound, pathFailed := failures(d, trials, "probe-path", "probe-path-domain", func(t *trial) error { return t.toTop })
	n.Go.Failed, n.Path.Failed = goFailed, pathFailed
	return append(goFound, pathFound...)
}

// failures tells of each leaf that failed, or of all of a CA at once: then the
// cause lies in the CA, and mostly has a finding of its own.
func failures(d *domain, trials []*trial, one, all pki.Code, of func(*trial) error) (found []pki.Finding, failed int) {
	total := 0
	var cause error
	for _, t := range trials {
		total += len(t.leaves)
		err := of(t)
		if err == nil {
			continue
		}
		if cause == nil {
			cause = err
		}
		failed += len(t.leaves)
		for _, leaf := range t.leaves {
			found = append(found, pki.New(one, d.path+".crt", "leaf", leaf.File, "detail", plain(err)))
		}
	}
	if failed == total && total > 1 {
		found = []pki.Finding{pki.New(all, d.path+".crt", "leaves", strconv.Itoa(total), "detail", plain(cause))}
	}
	return found, failed
}

// mint makes a leaf certificate as k3s does: P-256, 365 days whatever the CA's
// end, notBefore not before the CA's (dynamiclistener 0.7.3).
func (p *prober) mint(d *domain, leaf k3s.Leaf) (*x509.Certificate, error) {
	ca := d.certs[0].cert
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), // it is seen by nobody
		Subject:      pkix.Name{CommonName: leaf.CommonName},
		NotBefore:    p.at.Add(-time.Hour), NotAfter: p.at.Add(leafLife),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: leaf.Usage,
	}
	if ca.NotBefore.After(template.NotBefore) {
		template.NotBefore = ca.NotBefore
	}
	if leaf.Organization != "" {
		template.Subject.Organization = []string{leaf.Organization}
	}
	for _, name := range leaf.Names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	signer, err := signerOf(d.key.signer)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(nil, template, ca, p.key.Public(), signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// signerOf gives software keys their randomness; Ed25519 needs none.
func signerOf(k crypto.Signer) (crypto.Signer, error) {
	switch k.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey:
		return pki.SoftwareKey(k)
	}
	return k, nil
}

// everyAnchor verifies as Go programs do with the CA file as their trust file.
func (p *prober) everyAnchor(leaf *x509.Certificate, d *domain, usages []x509.ExtKeyUsage) error {
	return p.verify(leaf, d.certs, nil, usages)
}

var errNoRoot = errors.New("no self-signed root in the file")

// pathToRoot verifies as OpenSSL and Java do: the root alone is trusted, the
// rest only helps to get there.
func (p *prober) pathToRoot(leaf *x509.Certificate, d *domain, usages []x509.ExtKeyUsage) error {
	root := d.root(p.at)
	if root == nil {
		return errNoRoot
	}
	rest := slices.DeleteFunc(slices.Clone(d.certs), func(n *node) bool { return n == root })
	return p.verify(leaf, []*node{root}, rest, usages)
}

// root is the last self-signed certificate of the file: of those that belong to
// the CA if there are such, of those that are valid if there are such.
func (d *domain) root(at pki.Time) *node {
	var best *node
	related := d.related()
	worth := func(n *node) int {
		return 2*rank(!slices.Contains(related, n)) + rank(statusOf(n.cert, at) != Valid)
	}
	for _, n := range d.certs {
		if n.self && (best == nil || worth(n) >= worth(best)) {
			best = n
		}
	}
	return best
}

// verify tries each usage by itself: a certificate for both must pass for both.
// Where no CA limits the usage, one try tells for all.
func (p *prober) verify(leaf *x509.Certificate, roots, intermediates []*node, usages []x509.ExtKeyUsage) error {
	if !slices.ContainsFunc(slices.Concat(roots, intermediates), limitsUsage) {
		usages = usages[:1]
	}
	opts := x509.VerifyOptions{Roots: pool(roots), Intermediates: pool(intermediates), CurrentTime: p.at.Time}
	for _, usage := range usages {
		opts.KeyUsages = []x509.ExtKeyUsage{usage}
		if _, err := leaf.Verify(opts); err != nil {
			return shorten(err)
		}
	}
	return nil
}

func limitsUsage(n *node) bool { return len(n.cert.ExtKeyUsage)+len(n.cert.UnknownExtKeyUsage) > 0 }

// pool leaves out the keys that are not computed with; they have their finding.
func pool(nodes []*node) *x509.CertPool {
	p := x509.NewCertPool()
	for _, n := range nodes {
		if !costly(n.cert.PublicKey) {
			p.AddCert(n.cert)
		}
	}
	return p
}

// shorten takes the current time out of the error about an expired certificate,
// which has it in a local form.
func shorten(err error) error {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return errors.New(strings.TrimSuffix(x509.CertificateInvalidError{Reason: x509.Expired}.Error(), ": "))
	}
	return err
}
