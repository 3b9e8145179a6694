package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// CellState says how a file of one node stands to that of the others.
type CellState string

const (
	CellSame    CellState = "same"    // all nodes have these bytes
	CellNew     CellState = "new"     // the latest of several
	CellOld     CellState = "old"     // the one before
	CellOther   CellState = "other"   // neither
	CellMissing CellState = "missing" // the node has no such file
	CellUnknown CellState = "unknown" // not part of what was given: a dump of /cacerts
)

// Cell is one file of one node.
type Cell struct {
	State  CellState `json:"state"`
	SHA256 string    `json:"sha256,omitempty"`
	Time   *pki.Time `json:"time,omitempty"` // of its last change
	// Certificate is the name of the first, NotBefore when it begins.
	Certificate string    `json:"certificate,omitempty"`
	NotBefore   *pki.Time `json:"notBefore,omitempty"`
}

// ComparedFile is a row of the matrix: one of the eleven files, a cell for each
// node.
type ComparedFile struct {
	Path  string `json:"path"` // relative to the tls directory
	Cells []Cell `json:"cells"`
}

// ComparedNode is a column.
type ComparedNode struct {
	Name      string     `json:"name"`
	Directory string     `json:"directory,omitempty"` // of the CA files inside what was given
	Distro    pki.Distro `json:"distro,omitempty"`
	Dump      bool       `json:"dump,omitempty"` // a dump of /cacerts: server-ca.crt alone
	// Token is what the node computes from its server-ca.crt, TokenFile the hash
	// in server/token.
	Token     *Token `json:"token,omitempty"`
	TokenFile string `json:"tokenFileHash,omitempty"`
	// Started is when the server was last started, by the files that it writes
	// at each start.
	Started *pki.Time `json:"started,omitempty"`
	Server  string    `json:"server,omitempty"` // `server:` of its config.yaml
	Leaves  int       `json:"leaves"`           // leaf certificates with a CA file beside them
	Stale   []string  `json:"staleLeaves"`      // those of another CA than the one there

	// last is the time of those files; Started is empty where that may as well be
	// when all were copied.
	last   time.Time
	config configuration
	bundle pki.Bundle
	r      *reading
}

// Comparison is several nodes of one cluster side by side.
type Comparison struct {
	At       pki.Time       `json:"at"`
	Equal    bool           `json:"equal"` // the CA files of all nodes are the same
	Nodes    []ComparedNode `json:"nodes"`
	Files    []ComparedFile `json:"files"`
	Findings []pki.Finding  `json:"findings"` // errors first
	Remedies []Remedy       `json:"remedies"`
}

// NodeFiles is what was given of a node.
type NodeFiles struct {
	Name   string
	Bundle pki.Bundle
	Dump   bool // a single file of certificates: a dump of /cacerts
}

// Compare puts the CA files of several nodes beside each other after a rotation:
// who has the new ones, who the old, whose leaf certificates and token follow,
// and why a node was left behind. With staged, the directory that `rotate-ca`
// was given, that is what new means.
func Compare(nodes []NodeFiles, staged *pki.Bundle, at pki.Time) Comparison {
	c := &comparer{at: at, out: Comparison{At: at, Findings: []pki.Finding{}, Remedies: []Remedy{}}}
	for _, n := range nodes {
		c.out.Nodes = append(c.out.Nodes, c.open(n))
	}
	if staged != nil {
		dir, _ := tlsDirectory(*staged)
		c.staged = &ComparedNode{Directory: dir, bundle: *staged, r: read(*staged)}
	}
	for _, file := range expectedFiles() {
		c.out.Files = append(c.out.Files, c.compare(file))
	}
	c.out.Equal = !slices.ContainsFunc(c.out.Files, func(f ComparedFile) bool {
		return slices.ContainsFunc(f.Cells, func(x Cell) bool { return x.State != CellSame && x.State != CellUnknown })
	})
	c.judge()
	bySeverity(c.out.Findings)
	return c.out
}

// comparer is one run.
type comparer struct {
	at     pki.Time
	staged *ComparedNode
	out    Comparison
}

// open reads one node.
func (c *comparer) open(n NodeFiles) ComparedNode {
	out := ComparedNode{Name: n.Name, Dump: n.Dump, Stale: []string{}, bundle: n.Bundle, r: read(n.Bundle)}
	if n.Dump {
		b := pki.Bundle{Time: n.Bundle.Time}
		for _, f := range n.Bundle.Files {
			f.Path = "server-ca.crt"
			b.Files = append(b.Files, f)
		}
		out.bundle, out.r, out.Directory = b, read(b), "."
	} else {
		dir, ok := tlsDirectory(n.Bundle)
		if !ok {
			c.out.Findings = append(c.out.Findings, pki.New("node-empty", n.Name))
			return out
		}
		out.Directory = dir
	}
	product := productOf(out.r)
	out.Distro = product.Distro
	if f := out.file("server-ca.crt"); f != nil {
		if t, err := k3s.ComputeToken(f.Data, c.at.Time); err == nil {
			out.Token = &Token{Token: t.String(), Hash: t.Hash, Mode: t.Mode}
		}
	}
	for _, f := range out.bundle.Files {
		if path.Base(f.Path) == "token" && path.Dir(f.Path) == path.Dir(out.Directory) {
			out.TokenFile = tokenHash(f.Data)
		}
		out.config.read(f, product)
	}
	out.Server = out.config.server
	out.started()
	out.leaves(product)
	return out
}

// tokenHash is the hash in a full token, empty if there is none; what follows is
// the password and is not looked at.
func tokenHash(token []byte) string {
	rest, full := bytes.CutPrefix(token, []byte(k3s.Prefix))
	hash, _, found := bytes.Cut(rest, []byte("::"))
	if !full || !found || len(hash) != 2*sha256.Size || len(bytes.Trim(hash, "0123456789abcdef")) > 0 {
		return ""
	}
	return string(hash)
}

func (n *ComparedNode) file(rel string) *pki.File { return n.bundle.File(path.Join(n.Directory, rel)) }

// head is the first certificate of a file of the tls directory.
func (n *ComparedNode) head(rel string) *node {
	if h := n.r.holds(path.Join(n.Directory, rel)); h != nil && len(h.nodes) > 0 && !h.broken {
		return h.nodes[0]
	}
	return nil
}

// started looks at what a server writes at every start, whatever else changes
// (k3s pkg/daemons/control/deps/deps.go: the files without chain, the current
// key). Where all are of one time, they are those of a copy; of about one time,
// perhaps, or the server has not been restarted since it was made.
func (n *ComparedNode) started() {
	var first, final time.Time
	for _, rel := range append([]string{"client-ca.nochain.crt", "server-ca.nochain.crt", "service.current.key"}, expectedFiles()...) {
		f := n.file(rel)
		if f == nil || f.Time.IsZero() {
			continue
		}
		if strings.Contains(rel, ".nochain.") || strings.Contains(rel, ".current.") {
			n.last = later(n.last, f.Time)
		}
		final = later(final, f.Time)
		if first.IsZero() || f.Time.Before(first) {
			first = f.Time
		}
	}
	switch {
	case final.Equal(first):
		n.last = time.Time{}
	case !n.last.IsZero() && final.Sub(first) >= k3s.ClockSkew:
		at := pki.At(n.last)
		n.Started = &at
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// leaves holds every leaf certificate against the CA file beside it.
func (n *ComparedNode) leaves(product k3s.Product) {
	for _, leaf := range k3s.Leaves(product) {
		ca := ""
		for _, f := range authorityFiles {
			if f.role == leaf.Signer {
				ca = f.path + ".crt"
			}
		}
		file := leaf.File + ".crt"
		if leaf.File+".json" == dynamicCert {
			file = dynamicCert
		}
		if strings.HasPrefix(leaf.File, "agent/") { // X/agent beside X/server/tls
			file = "../../" + file
		}
		issuer, head := n.head(ca), n.head(file)
		if issuer == nil || head == nil || len(issuer.cert.SubjectKeyId) == 0 {
			continue
		}
		n.Leaves++
		if !bytes.Equal(head.cert.AuthorityKeyId, issuer.cert.SubjectKeyId) {
			n.Stale = append(n.Stale, path.Join(n.Directory, file))
		}
	}
}

// variant is one content of a file.
type variant struct {
	sum    string
	begins time.Time // of its first certificate; of a key: of the certificate beside it
	time   time.Time // the earliest modification: copies only get later
	keys   []*heldKey
	staged bool
}

// compare makes one row of the matrix.
func (c *comparer) compare(rel string) ComparedFile {
	row := ComparedFile{Path: rel, Cells: make([]Cell, len(c.out.Nodes))}
	variants := map[string]*variant{}
	for i := range c.out.Nodes {
		n := &c.out.Nodes[i]
		cell := &row.Cells[i]
		cell.State = CellMissing
		f := n.file(rel)
		switch {
		case f == nil && n.Dump:
			cell.State = CellUnknown
			continue
		case f == nil:
			continue
		}
		v := n.variant(rel, f)
		if known := variants[v.sum]; known != nil {
			if !v.time.IsZero() && v.time.Before(known.time) {
				known.time = v.time
			}
			known.begins = later(known.begins, v.begins)
		} else {
			variants[v.sum] = &v
		}
		cell.State, cell.SHA256 = CellOther, v.sum
		if !f.Time.IsZero() && !n.Dump { // that of a dump is when it was downloaded
			at := pki.At(f.Time)
			cell.Time = &at
		}
		if head := n.head(rel); head != nil {
			begins := pki.At(head.cert.NotBefore)
			cell.Certificate, cell.NotBefore = head.name(), &begins
		}
	}
	if c.staged != nil {
		if f := c.staged.file(rel); f != nil {
			v := c.staged.variant(rel, f)
			v.staged = true
			variants[v.sum] = &v
		}
	}
	place(row.Cells, variants)
	return row
}

func (n *ComparedNode) variant(rel string, f *pki.File) variant {
	sum := sha256.Sum256(f.Data)
	v := variant{sum: hex.EncodeToString(sum[:]), time: f.Time}
	if head := n.head(strings.TrimSuffix(rel, ".key") + ".crt"); head != nil && strings.HasSuffix(rel, ".key") {
		v.begins = head.cert.NotBefore
	} else if head := n.head(rel); head != nil {
		v.begins = head.cert.NotBefore
	}
	if h := n.r.holds(path.Join(n.Directory, rel)); h != nil && rel == serviceFile {
		v.keys = h.keys
	}
	return v
}

// place gives every cell its state. Where nothing says which of the variants is
// the later one, each is other.
func place(cells []Cell, variants map[string]*variant) {
	var order []*variant
	for _, v := range variants {
		order = append(order, v)
	}
	slices.SortFunc(order, func(a, b *variant) int { return cmp.Or(newerFirst(a, b), cmp.Compare(a.sum, b.sum)) })
	for i := range cells {
		at := slices.IndexFunc(order, func(v *variant) bool { return v.sum == cells[i].SHA256 })
		switch {
		case at < 0: // missing, unknown
		case len(order) == 1:
			cells[i].State = CellSame
		case newerFirst(order[0], order[1]) == 0:
		case at == 0:
			cells[i].State = CellNew
		case at == 1:
			cells[i].State = CellOld
		}
	}
}

// newerFirst orders two variants: what was staged; the certificate that begins
// later; a service key file that holds the other's first key behind its own; at
// last the time of the file.
func newerFirst(a, b *variant) int {
	if a.staged != b.staged {
		return rank(a.staged) - rank(b.staged)
	}
	return cmp.Or(b.begins.Compare(a.begins), keyHistory(a.keys, b.keys), b.time.Compare(a.time))
}

func keyHistory(a, b []*heldKey) int {
	behind := func(newer, older []*heldKey) bool {
		if len(newer) < 2 || len(older) == 0 || older[0].signer == nil {
			return false
		}
		return slices.ContainsFunc(newer[1:], func(k *heldKey) bool {
			return k.signer != nil && pki.SameKey(k.signer.Public(), older[0].signer.Public())
		})
	}
	return rank(behind(a, b)) - rank(behind(b, a))
}
