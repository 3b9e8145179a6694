package report

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"math"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Restart says what a restart of the node at the time of the report does to a
// certificate.
type Restart string

const (
	// RestartRenews: made anew by every version.
	RestartRenews Restart = "renewed"
	// RestartRenewsNow: 91 to 120 days before its end, made anew since May 2025
	// (see k3s.RenewDays) and kept by older versions.
	RestartRenewsNow Restart = "renewed-since-2025-05"
	// RestartKeeps: left as it is, and fit to be used.
	RestartKeeps Restart = "kept"
	// RestartUncertain: an expired serving certificate stops the start of versions
	// before June 2025 (k3s #12472) and may come back from its Secret.
	RestartUncertain Restart = "uncertain"
	// RestartStays: left as it is, though it is broken.
	RestartStays Restart = "stays-broken"
	// RestartNever: no restart renews it: a CA, whatever belongs to kubeadm, a
	// copy of a kubeconfig.
	RestartNever Restart = "never"
)

// ExpiryStatus has the words of `k3s certificate check`.
type ExpiryStatus string

const (
	StatusOK          ExpiryStatus = "OK"
	StatusWarning     ExpiryStatus = "WARNING" // ends within the window
	StatusExpired     ExpiryStatus = "EXPIRED"
	StatusNotYetValid ExpiryStatus = "NOT YET VALID"
)

// ExpiryRow is one certificate at one place. The fields with a capital letter
// are those of `k3s certificate check -o json`, with its meanings.
type ExpiryRow struct {
	Filename     string       `json:"Filename"` // without directory
	Subject      string       `json:"Subject"`  // common name
	Issuer       string       `json:"Issuer"`   // common name
	Usages       []string     `json:"Usages"`
	ExpiryTime   pki.Time     `json:"ExpiryTime"`   // not yet valid: when it begins
	ResidualTime int64        `json:"ResidualTime"` // nanoseconds
	Status       ExpiryStatus `json:"Status"`

	Path        string     `json:"path"`
	Field       string     `json:"field,omitempty"`
	Index       int        `json:"index"` // from 1
	Node        string     `json:"node"`
	Distro      pki.Distro `json:"distro,omitempty"`
	Kind        FileKind   `json:"kind"`
	Name        string     `json:"kubeadmName,omitempty"`
	NotBefore   pki.Time   `json:"notBefore"`
	NotAfter    pki.Time   `json:"notAfter"`
	DaysLeft    int64      `json:"daysLeft"`
	Fingerprint string     `json:"fingerprint"` // SHA-256
	First       bool       `json:"first"`       // of all places of this certificate, the one to name
	Copies      int        `json:"copies"`      // further places
	Restart     Restart    `json:"restart,omitempty"`
	// CAEnd is when the CA ends that signed it, if that is earlier.
	CAEnd *pki.Time `json:"caExpiryTime,omitempty"`
	// Stale: the CA file beside it begins with a CA of another key.
	Stale bool `json:"staleSigner,omitempty"`

	seat seat
	n    *node
}

// Counts reports whether the row is one that people look at: of all places of a
// certificate the first, and none that may end without harm.
func (r ExpiryRow) Counts() bool { return r.First && r.Kind != BackupFile && r.Kind != PreviousFile }

// Place is where the certificate stands.
func (r ExpiryRow) Place() Place { return Place{r.Path, r.Field, r.Index} }

// ExpiryReport is what a node's certificates come to at a time.
type ExpiryReport struct {
	At     pki.Time `json:"at"`
	Within int      `json:"withinDays"`
	// Alarm: something that is in use has expired, cannot be read, is not valid
	// yet, or ends within the window. Copies that nothing reads do not count.
	Alarm        bool          `json:"alarm"`
	Certificates []ExpiryRow   `json:"Certificates"` // by path
	Findings     []pki.Finding `json:"findings"`     // errors first
	Remedies     []Remedy      `json:"remedies"`     // in the order in which to apply them
	// Behind the rest: decoders that ignore case keep the last of two.
	Kubeadm
}

// ExpiryOptions are the question.
type ExpiryOptions struct {
	At     pki.Time
	Within int           // days
	Unread []pki.Finding // what the reader of the files could not read
}

// maxNodeObjects bounds a report over many nodes.
const maxNodeObjects = 200_000

// expiryCheck is one run.
type expiryCheck struct {
	at    pki.Time
	opts  ExpiryOptions
	r     *reading
	seats *seats
	files map[string]*holding
	above map[string][]*node // see chain; asked once
	out   ExpiryReport
}

// CheckExpiry reports on every certificate of one or more nodes, of whatever
// distribution: what has ended at a time, what a restart then renews, what stays
// broken, and what to do. Signatures are not followed (verify does that); a leaf
// is held against the CA file beside it by key identifier, as k3s does.
func CheckExpiry(b pki.Bundle, o ExpiryOptions) ExpiryReport {
	c := &expiryCheck{at: o.At, opts: o, seats: newSeats(b), files: map[string]*holding{}, above: map[string][]*node{}}
	c.r = &reading{byHash: map[string]*node{}, limit: maxNodeObjects, public: true}
	c.out = ExpiryReport{At: o.At, Within: o.Within, Findings: []pki.Finding{}, Remedies: []Remedy{}}
	public := pki.Bundle{Time: b.Time}
	for _, f := range b.Files {
		if ext := path.Ext(f.Path); ext != ".key" && ext != ".csr" {
			public.Files = append(public.Files, f)
		}
	}
	c.r.scan(public)
	for _, h := range c.r.files {
		c.files[h.file.Path] = h
	}
	c.rows()
	c.judge()
	c.remedies()
	for _, r := range c.out.Certificates {
		if r.Distro == KubeadmDistro {
			c.out.Kubeadm = c.kubeadmView(r.Node)
			break
		}
	}
	bySeverity(c.out.Findings)
	for i := range c.out.Certificates {
		c.out.Certificates[i].n = nil // thousands of certificates need not stay
	}
	return c.out
}

// head is the first certificate of a file, nil if there is none.
func (c *expiryCheck) head(file string) *node {
	if h := c.files[file]; h != nil && len(h.nodes) > 0 {
		return h.nodes[0]
	}
	return nil
}

func severityRank(f pki.Finding) int {
	return slices.Index([]pki.Severity{pki.Error, pki.Warning, pki.Notice}, f.Severity)
}

// rows makes a row of every place of every certificate.
func (c *expiryCheck) rows() {
	bySeat := map[string]seat{}
	distros := map[string]pki.Distro{} // of nodes, where a name gives RKE2 away
	places := 0
	for _, n := range c.r.nodes {
		places += len(n.places)
	}
	c.out.Certificates = make([]ExpiryRow, 0, places)
	for _, n := range c.r.nodes {
		for _, p := range n.places {
			s, known := bySeat[p.File]
			if !known {
				s = c.seats.of(p.File)
				bySeat[p.File] = s
			}
			if s.distro == pki.RKE2 || s.distro == pki.K3s && (strings.HasPrefix(n.cert.Subject.CommonName, "rke2-") || n.cert.Subject.CommonName == "rke2") {
				distros[s.node] = pki.RKE2
			}
			c.out.Certificates = append(c.out.Certificates, c.row(n, p, s))
		}
	}
	rows := c.out.Certificates
	c.adopt(rows, distros)
	c.adoptKubelet(rows)
	sort.Slice(rows, func(i, j int) bool {
		a, b := &rows[i], &rows[j]
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Index, b.Index)) < 0
	})
	first := map[*node]int{}
	for i := range rows {
		r := &rows[i]
		if best, known := first[r.n]; !known || placeRank(*r) < placeRank(rows[best]) {
			first[r.n] = i
		}
	}
	for n, i := range first {
		rows[i].First, rows[i].Copies = true, len(n.places)-1
	}
}

// adopt settles what one file alone does not tell: that a node is one of RKE2,
// and whose the admin kubeconfig is, which lies outside the data directory.
func (c *expiryCheck) adopt(rows []ExpiryRow, distros map[string]pki.Distro) {
	owners := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		if d := distros[r.Node]; d != "" && r.Distro == pki.K3s {
			r.Distro = d
		}
		if r.Distro == pki.K3s || r.Distro == pki.RKE2 {
			owners[r.Node] = true
		}
	}
	for i := range rows {
		r := &rows[i]
		if r.Distro != "" || !writtenByServer(r.Path) {
			continue
		}
		r.Distro = pki.K3s
		if under(r.Path, "rancher/rke2/rke2.yaml") {
			r.Distro = pki.RKE2
		}
		nearest := ""
		for owner := range owners {
			if len(owners) == 1 || strings.HasPrefix(r.Path, owner+"/") && len(owner) > len(nearest) {
				nearest = owner
			}
		}
		r.Node = cmp.Or(nearest, r.Node)
	}
}

// placeRank orders the places of one certificate: where it is in use goes before
// where it only travels along.
func placeRank(r ExpiryRow) int {
	order := []FileKind{AuthorityFile, LeafFile, ServingFile, KubeconfigFile, OtherFile, ChainCopy, PreviousFile, BackupFile}
	rank := 8 * slices.Index(order, r.Kind)
	for i, lesser := range []bool{r.seat.agent, strings.Contains(r.Filename, ".nochain."), r.Index > 1} {
		if lesser {
			rank += 1 << i
		}
	}
	return rank
}

func (c *expiryCheck) row(n *node, p Place, s seat) ExpiryRow {
	cert := n.cert
	r := ExpiryRow{
		Filename: path.Base(p.File), Subject: n.name(), Issuer: issuerName(n), Usages: usagesLikeK3s(cert),
		ExpiryTime: pki.At(cert.NotAfter), ResidualTime: nanoseconds(cert.NotAfter, c.at), Status: c.status(cert),
		Path: p.File, Field: p.Field, Index: p.Index, Node: s.node, Distro: s.distro, Kind: s.kind, Name: s.name,
		NotBefore: pki.At(cert.NotBefore), NotAfter: pki.At(cert.NotAfter), DaysLeft: daysLeft(cert, c.at),
		Fingerprint: pki.Fingerprint(cert), seat: s, n: n,
	}
	if r.Status == StatusNotYetValid {
		r.ExpiryTime = r.NotBefore
	}
	behind := p.Index > 1 && (s.kind == LeafFile || s.kind == ServingFile || s.kind == KubeconfigFile)
	if behind || strings.HasPrefix(p.Field, "clusters/") {
		r.Kind = ChainCopy
	}
	if ca := c.head(s.ca); ca != nil && r.Kind != ChainCopy && r.Kind != BackupFile {
		ski, aki := ca.cert.SubjectKeyId, cert.AuthorityKeyId
		r.Stale = len(ski) > 0 && !bytes.Equal(ski, aki)
		if !r.Stale && ca.cert.NotAfter.Before(cert.NotAfter) {
			end := pki.At(ca.cert.NotAfter)
			r.CAEnd = &end
		}
	}
	r.Restart = c.restart(r)
	return r
}

// nanoseconds is the time left as k3s writes it; a Duration ends at 292 years.
func nanoseconds(end time.Time, at pki.Time) int64 {
	seconds := end.Unix() - at.Unix()
	if limit := int64(math.MaxInt64 / time.Second); seconds > limit || seconds < -limit {
		seconds = max(-limit, min(limit, seconds))
	}
	return seconds * int64(time.Second)
}

func (c *expiryCheck) status(cert *x509.Certificate) ExpiryStatus {
	switch statusOf(cert, c.at) {
	case Expired:
		return StatusExpired
	case NotYetValid:
		return StatusNotYetValid
	}
	if cert.NotAfter.Unix()-c.at.Unix() < int64(c.opts.Within)*86400 {
		return StatusWarning
	}
	return StatusOK
}

// usagesLikeK3s are the words of `k3s certificate check`.
func usagesLikeK3s(cert *x509.Certificate) []string {
	var out []string
	if cert.KeyUsage&x509.KeyUsageCertSign != 0 {
		out = append(out, "CertSign")
	}
	for _, u := range cert.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth:
			out = append(out, "ServerAuth")
		case x509.ExtKeyUsageClientAuth:
			out = append(out, "ClientAuth")
		}
	}
	if out == nil {
		out = []string{"Unknown"}
	}
	return out
}

// restart predicts (k3s pkg/daemons/control/deps/deps.go, createClientCertKey;
// pkg/agent/config/config.go: an agent asks for all of its certificates at every
// start; dynamiclistener, listener.go: the end alone decides).
func (c *expiryCheck) restart(r ExpiryRow) Restart {
	switch {
	case r.Kind == ChainCopy || r.Kind == BackupFile || r.Kind == OtherFile:
		return ""
	case r.Kind == AuthorityFile || r.seat.distro == KubeadmDistro:
		return RestartNever
	case r.Kind == KubeconfigFile && !writtenByServer(r.Path):
		return RestartNever
	case r.seat.agent:
		return RestartRenews
	case r.Kind == ServingFile && r.Stale:
		return RestartStays
	case r.Kind == ServingFile && r.Status == StatusExpired:
		return RestartUncertain
	case r.Stale, c.endsWithin(r, k3s.OldRenewDays):
		return RestartRenews
	case c.endsWithin(r, k3s.RenewDays):
		return RestartRenewsNow
	}
	return RestartKeeps
}

func (c *expiryCheck) endsWithin(r ExpiryRow, days int64) bool {
	return r.NotAfter.Unix()-c.at.Unix() <= days*86400
}

// writtenByServer knows the admin kubeconfig that a server writes at each start.
func writtenByServer(file string) bool {
	return under(file, "rancher/k3s/k3s.yaml") || under(file, "rancher/rke2/rke2.yaml")
}

func days(n int64) string { return strconv.FormatInt(n, 10) }
