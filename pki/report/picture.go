package report

import (
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Branch is a node of the picture of who signs whom.
type Branch struct {
	Role      pki.Role   `json:"role"`
	Name      string     `json:"name"`
	Note      string     `json:"note"` // key, fingerprint, common name
	Kind      BranchKind `json:"kind"`
	Existing  bool       `json:"existing"`  // it is not made by the plan
	Elsewhere bool       `json:"elsewhere"` // its key is on another machine
	Until     *pki.Time  `json:"until,omitempty"`
	Children  []*Branch  `json:"children"`
}

// BranchKind says what a node of the picture is.
type BranchKind string

const (
	BranchRoot         BranchKind = "root"
	BranchIntermediate BranchKind = "intermediate"
	BranchCA           BranchKind = "ca"
	BranchLeaf         BranchKind = "leaf"
	BranchService      BranchKind = "service"
)

// Topology is the picture of a plan: trees of who signs whom, down to the leaf
// certificates that the distribution will make, and the service key.
func Topology(plan pki.Resolved, layout pki.Layout, lang Lang) []*Branch {
	nodes := map[pki.Role]*Branch{}
	var roots []*Branch
	for _, s := range plan.Authorities {
		row, _ := layout.Row(s.Role)
		n := &Branch{
			Role: s.Role, Name: RoleName(s.Role, lang), Note: string(s.Key), Kind: BranchKind(row.Tier),
			Elsewhere: s.Elsewhere, Until: &s.NotAfter, Children: []*Branch{},
		}
		if s.Existing != "" {
			n.Existing, n.Note = true, textExisting.With(lang, s.Existing[:16])
		}
		nodes[s.Role] = n
		if parent := nodes[s.Issuer]; parent != nil {
			parent.Children = append(parent.Children, n)
		} else {
			roots = append(roots, n)
		}
	}
	product, _ := k3s.ProductOf(plan.Distro)
	for _, leaf := range k3s.Leaves(product) {
		if n := nodes[leaf.Signer]; n != nil {
			n.Children = append(n.Children, &Branch{Name: leaf.File, Note: leaf.CommonName, Kind: BranchLeaf, Children: []*Branch{}})
		}
	}
	return append(roots, &Branch{
		Role: pki.Service, Name: RoleName(pki.Service, lang), Note: serviceNote(plan, lang), Kind: BranchService,
		Existing: plan.Service.Key == "", Children: []*Branch{},
	})
}

// serviceNote says which keys the ServiceAccount key file will hold.
func serviceNote(plan pki.Resolved, lang Lang) string {
	var parts []string
	if plan.Service.Key != "" {
		parts = append(parts, string(plan.Service.Key))
	}
	if n := len(plan.Service.Keep); n > 0 {
		parts = append(parts, textServiceKept.With(lang, n))
	}
	return strings.Join(parts, "  ")
}

// PlannedFile is a file that a plan will come to.
type PlannedFile struct {
	Path    string `json:"path"`
	Mode    string `json:"mode"`
	Part    Part   `json:"part"`
	Content string `json:"content"`
}

// Part says where a file goes.
type Part string

const (
	ServerPart  Part = "server"  // to the first server
	OfflinePart Part = "offline" // to the safe, never to a server
)

// PlannedFiles lists the files of a plan that can be made here, those for the
// server first.
func PlannedFiles(plan pki.Resolved, layout pki.Layout, lang Lang) []PlannedFile {
	var server, offline []PlannedFile
	for _, row := range layout.Rows {
		spec, planned := plan.Spec(row.Role)
		if !planned {
			continue
		}
		chain, key := chainWords(row, layout, lang), textKeyOf.With(lang, RoleName(row.Role, lang))
		if row.Path != "" {
			server = append(server, fileOf(row.Path+".crt", pki.KindChain, ServerPart, chain), fileOf(row.Path+".key", pki.KindKey, ServerPart, key))
		}
		if row.Safe == "" || spec.Elsewhere && spec.Existing == "" {
			continue
		}
		offline = append(offline, fileOf(row.Safe+".crt", pki.KindChain, OfflinePart, chain))
		if spec.Existing == "" {
			offline = append(offline, fileOf(row.Safe+".key", pki.KindKey, OfflinePart, key))
		}
	}
	if layout.ServicePath != "" {
		service := RoleName(pki.Service, lang)
		if note := serviceNote(plan, lang); note != "" {
			service += "  " + note
		}
		server = append(server, fileOf(layout.ServicePath, pki.KindKey, ServerPart, service))
	}
	for _, paper := range []struct {
		name string
		text Text
	}{{"README.txt", textPaperReadme}, {"fingerprints.txt", textPaperPrints}, {"plan.json", textPaperPlan}} {
		offline = append(offline, fileOf(paper.name, pki.KindPublic, OfflinePart, paper.text.In(lang)))
	}
	return slices.Concat(server, offline)
}

func fileOf(path string, kind pki.Kind, part Part, content string) PlannedFile {
	return PlannedFile{Path: path, Mode: modeText(kind.Mode()), Part: part, Content: content}
}

// chainWords names the certificates in a chain file, in order.
func chainWords(row pki.Row, layout pki.Layout, lang Lang) string {
	words := []string{RoleName(row.Role, lang)}
	for issuer := row.Issuer; issuer != ""; {
		words = append(words, RoleName(issuer, lang))
		next, _ := layout.Row(issuer)
		issuer = next.Issuer
	}
	return strings.Join(words, " + ")
}

// Life is a bar of the timeline.
type Life struct {
	Role  pki.Role `json:"role"`
	Name  string   `json:"name"`
	From  pki.Time `json:"from"`
	Until pki.Time `json:"until"`
}

// Lives are the lives of a plan's authorities, in its order.
func Lives(plan pki.Resolved, lang Lang) []Life {
	lives := []Life{}
	for _, s := range plan.Authorities {
		lives = append(lives, Life{s.Role, RoleName(s.Role, lang), s.NotBefore, s.NotAfter})
	}
	return lives
}
