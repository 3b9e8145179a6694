package report

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"sort"

	"golang.org/x/sync/errgroup"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Verification is the verdict on a bundle. A bundle is sound if no finding has
// the level of an error.
type Verification struct {
	At        pki.Time   `json:"at"`
	Distro    pki.Distro `json:"distro"`    // as far as the names tell
	Directory string     `json:"directory"` // of the CA files inside the bundle; "." at its top
	// Topology is isolated, shared, default (the self-signed CAs that a server
	// makes itself) or mixed; empty where not all CA files could be read.
	Topology   pki.Topology  `json:"topology,omitempty"`
	Token      *Token        `json:"token,omitempty"`
	Probes     Probes        `json:"probes"`
	Openings   []Opening     `json:"openings"`
	NextExpiry *Expiry       `json:"nextExpiry,omitempty"`
	Findings   []pki.Finding `json:"findings"` // errors first, then warnings, then notices
}

// Topologies that Verify recognises beside those that rootkiln makes.
const (
	DefaultTopology pki.Topology = "default"
	MixedTopology   pki.Topology = "mixed"
)

// Token is the join token that a server computes from the bundle.
type Token struct {
	Token  string        `json:"token"` // without credentials
	Hash   string        `json:"hash"`
	Mode   k3s.TokenMode `json:"mode"`
	Root   string        `json:"root,omitempty"`   // mode root: its name
	Until  *pki.Time     `json:"until,omitempty"`  // mode root: the last second of this hash
	Reason string        `json:"reason,omitempty"` // mode fallback: why the chain does not verify
}

// Expiry is the certificate of the CA files that ends next.
type Expiry struct {
	Place
	Name string   `json:"name"`
	End  pki.Time `json:"end"`
}

// Count returns how many findings have the severity.
func (v Verification) Count(s pki.Severity) int {
	n := 0
	for _, f := range v.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// maxChain bounds one CA file: no chain is longer, and every certificate costs
// each probe a signature.
const maxChain = 64

// domain is one of the five CAs with its file, which is its trust file as well.
type domain struct {
	role  pki.Role
	path  string   // in the bundle, without ending
	certs []*node  // of the .crt, each once; empty where it cannot be read
	key   *heldKey // the one that k3s takes; nil: none that opens
	keys  []*heldKey
	fits  bool // the key is that of the first certificate
}

// verifier is one run.
type verifier struct {
	at      pki.Time
	bundle  pki.Bundle
	r       *reading
	dir     string
	product k3s.Product
	domains []*domain
	out     Verification
	said    map[string]bool
}

// Verify judges a k3s or RKE2 bundle at a time. What is wrong with it is told in
// the findings; the error is that of the context or of the source of the
// throw-away key.
func Verify(ctx context.Context, b pki.Bundle, at pki.Time, keys pki.KeySource) (Verification, error) {
	v := &verifier{at: at, bundle: b, r: read(b), said: map[string]bool{}}
	v.product = productOf(v.r)
	v.out = Verification{At: at, Distro: v.product.Distro, Openings: []Opening{}, Findings: []pki.Finding{}}
	v.report(v.r.found...)
	dir, ok := tlsDirectory(b)
	if !ok {
		v.report(pki.New("bundle-none", "."))
		return v.out, ctx.Err()
	}
	v.dir, v.out.Directory = dir, dir
	for _, f := range authorityFiles {
		v.open(f)
	}
	v.out.Topology, v.out.NextExpiry = v.topology(), v.nextExpiry()
	if err := v.check(ctx, keys); err != nil {
		return Verification{}, err
	}
	severities := []pki.Severity{pki.Error, pki.Warning, pki.Notice}
	found := v.out.Findings
	sort.SliceStable(found, func(i, j int) bool {
		return slices.Index(severities, found[i].Severity) < slices.Index(severities, found[j].Severity)
	})
	return v.out, nil
}

// check runs all that takes time on all processors. The findings keep the order
// of the list.
func (v *verifier) check(ctx context.Context, keys pki.KeySource) error {
	p, err := newProber(ctx, v, keys)
	if err != nil {
		return err
	}
	checks := []func() []pki.Finding{v.chains, v.reused, v.certificates, v.service, v.files, v.derived, v.token}
	for _, d := range v.domains {
		checks = append(checks, func() []pki.Finding { return p.domain(d) })
	}
	checks = append(checks, p.trust)
	found := make([][]pki.Finding, len(checks))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range checks {
		group.Go(func() error {
			found[i] = c()
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	v.report(slices.Concat(found...)...)
	v.out.Probes = p.tally()
	v.out.Openings = p.openings
	return nil
}

// report adds findings, each once.
func (v *verifier) report(found ...pki.Finding) {
	for _, f := range found {
		if !v.said[f.String()] {
			v.said[f.String()] = true
			v.out.Findings = append(v.out.Findings, f)
		}
	}
}

func (v *verifier) path(rel string) string { return path.Join(v.dir, rel) }

// open reads the pair of one CA.
func (v *verifier) open(f roleFile) {
	d := &domain{role: f.role, path: v.path(f.path)}
	v.domains = append(v.domains, d)
	crt, key := v.r.holds(d.path+".crt"), v.r.holds(d.path+".key")
	switch {
	case crt == nil && key == nil:
		v.report(pki.New("file-missing", d.path+".crt", "path", d.path+".crt, "+d.path+".key"))
		return
	case crt == nil:
		v.report(pki.New("certificate-missing", d.path+".crt", "key", d.path+".key"))
	}
	if crt != nil {
		v.openChain(d, crt)
	}
	if key == nil {
		v.report(pki.New("key-missing", d.path+".crt", "certificate", d.called()))
		return
	}
	found, read := key.onServer(firstKey)
	v.report(found...)
	v.report(wrongTypes(key, "PRIVATE KEY", append([]string{"EC PARAMETERS"}, privateTypes...))...)
	if !read {
		return
	}
	d.keys = key.keys
	if i := slices.IndexFunc(d.keys, func(k *heldKey) bool { return k.signer != nil }); i >= 0 {
		d.key = d.keys[i]
		d.fits = len(d.certs) > 0 && pki.SameKey(d.key.signer.Public(), d.certs[0].cert.PublicKey)
	}
}

func (v *verifier) openChain(d *domain, crt *holding) {
	found, read := crt.onServer(everyCertificate)
	v.report(found...)
	v.report(wrongTypes(crt, "CERTIFICATE", []string{"CERTIFICATE"})...)
	if len(crt.nodes) > maxChain {
		v.report(pki.New("bundle-too-large", d.path+".crt", "limit", fmt.Sprintf("%d entries", maxChain)))
		return
	}
	if crt.broken || !read {
		return
	}
	for _, n := range crt.nodes {
		if !slices.Contains(d.certs, n) {
			d.certs = append(d.certs, n)
		}
	}
}

var privateTypes = []string{"EC PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "TSS2 PRIVATE KEY"}

// wrongTypes tells of PEM blocks that k3s would pass over in silence.
func wrongTypes(h *holding, want string, allowed []string) []pki.Finding {
	for _, b := range h.blocks {
		if !slices.Contains(allowed, b.Type) {
			return []pki.Finding{pki.New("pem-type", h.file.Path, "type", b.Type, "want", want)}
		}
	}
	return nil
}

// called is the name of the CA, its path where the certificate is not there.
func (d *domain) called() string {
	if len(d.certs) == 0 {
		return d.path + ".crt"
	}
	return d.certs[0].name()
}

// place is how findings name the certificate at an index of the file.
func (d *domain) place(i int) string { return Place{File: d.path + ".crt", Index: i + 1}.String() }

// topology compares what stands in the CA files: each of their certificates is
// trusted, so one that two files have in common joins the two.
func (v *verifier) topology() pki.Topology {
	count := map[string]int{} // files that hold an authority: name and key
	single := 0
	for _, d := range v.domains {
		if len(d.certs) == 0 {
			return ""
		}
		if len(d.certs) == 1 && d.certs[0].self {
			single++
		}
		seen := map[string]bool{}
		for _, n := range d.certs {
			seen[n.identity()] = true
		}
		for id := range seen {
			count[id]++
		}
	}
	rootOfAll, joined := false, false
	for _, d := range v.domains {
		for _, n := range d.certs {
			joined = joined || count[n.identity()] > 1
			rootOfAll = rootOfAll || n.self && count[n.identity()] == len(v.domains)
		}
	}
	switch {
	case rootOfAll:
		return pki.Shared
	case joined:
		return MixedTopology
	case single == len(v.domains):
		return DefaultTopology
	case single > 0:
		return MixedTopology
	}
	return pki.Isolated
}

// identity is what makes two certificates the same trust anchor: name and key.
func (n *node) identity() string {
	return string(n.cert.RawSubject) + "\x00" + string(n.cert.RawSubjectPublicKeyInfo)
}

func (v *verifier) nextExpiry() *Expiry {
	var next *Expiry
	for _, d := range v.domains {
		for i, n := range d.certs {
			end := pki.At(n.cert.NotAfter)
			if !end.Before(v.at.Time) && (next == nil || end.Before(next.End.Time)) {
				next = &Expiry{Place{File: d.path + ".crt", Index: i + 1}, n.name(), end}
			}
		}
	}
	return next
}

// token computes what the server will: its clients compare this hash.
func (v *verifier) token() []pki.Finding {
	server := v.domains[slices.IndexFunc(v.domains, func(d *domain) bool { return d.role == pki.ServerCA })]
	file := server.path + ".crt"
	h := v.r.holds(file)
	if h == nil || h.broken || len(h.nodes) == 0 || len(h.nodes) > maxChain ||
		slices.ContainsFunc(h.nodes, func(n *node) bool { return costly(n.cert.PublicKey) }) {
		return nil
	}
	t, err := TokenOf(h.file.Data, v.at)
	if err != nil { // k3s reads none of what stands there: told already
		return nil
	}
	v.out.Token = t
	switch t.Mode {
	case k3s.TokenFile:
		return []pki.Finding{pki.New("token-file-hash", file)}
	case k3s.TokenFallback:
		return []pki.Finding{pki.New("token-fallback", file, "detail", t.Reason)}
	}
	return nil
}

// TokenOf is the token that a server computes at a time from the bytes of
// server-ca.crt; the error is that of [k3s.ComputeToken].
func TokenOf(file []byte, at pki.Time) (*Token, error) {
	t, err := k3s.ComputeToken(file, at.Time)
	if err != nil {
		return nil, err
	}
	out := &Token{Token: t.String(), Hash: t.Hash, Mode: t.Mode}
	if t.Mode == k3s.TokenRoot {
		until := pki.At(t.Until)
		out.Root, out.Until = pki.Name(t.Root), &until
	}
	if t.Reason != nil {
		out.Reason = plain(t.Reason)
	}
	return out, nil
}
