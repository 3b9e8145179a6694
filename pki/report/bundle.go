package report

import (
	"path"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Files of a bundle, relative to the tls directory and without ending. The order
// is the one in which people think of them: what outsiders see comes first.
var (
	authorityFiles = filesOf(pki.Shared, func(r pki.Row) string { return strings.TrimPrefix(r.Path, "tls/") })
	safeFiles      = filesOf(pki.Isolated, func(r pki.Row) string { return r.Safe })
	serviceFile    = strings.TrimPrefix(k3s.ServiceKeyPath, "tls/")
)

// roleFile is the place of one role.
type roleFile struct {
	role pki.Role
	path string
}

func filesOf(topology pki.Topology, place func(pki.Row) string) []roleFile {
	layout, err := k3s.Layout(pki.Plan{Topology: topology})
	if err != nil {
		panic("report: " + err.Error()) // a constant of the k3s package
	}
	var files []roleFile
	for _, row := range layout.Rows {
		if p := place(row); p != "" {
			files = append(files, roleFile{row.Role, p})
		}
	}
	return files
}

// endings are those under which a role's certificate or key is looked for.
var endings = []string{".crt", ".pem", ".cer", ".key"}

// roleOf returns the role that k3s, its example script or an offline part of
// ours gives to a path, empty if none.
func roleOf(file string) pki.Role {
	if under(file, serviceFile) {
		return pki.Service
	}
	ending := path.Ext(file)
	if !slices.Contains(endings, ending) {
		return ""
	}
	stem := strings.TrimSuffix(file, ending)
	var best roleFile // etcd/server-ca also ends like server-ca
	for _, f := range slices.Concat(authorityFiles, safeFiles) {
		if under(stem, f.path) && len(f.path) > len(best.path) {
			best = f
		}
	}
	return best.role
}

// under reports whether file is the relative path rel, in whatever directory.
func under(file, rel string) bool { return file == rel || strings.HasSuffix(file, "/"+rel) }

// tlsDirectory finds the directory that holds the cluster's authorities: the
// one with most of the eleven files. It is "." for a bare tls directory. A copy
// of a whole server holds several (tls, tls-TIME after `k3s certificate
// rotate`, rotate-ca/tls, the agent's two copies): what lies beside a tls directory
// or deeper is a copy, even of one that lacks a file; then a complete one goes before a
// part, "tls" before other names, the upper one before the deeper. A leftover copy
// is none, however complete.
func tlsDirectory(b pki.Bundle) (dir string, ok bool) {
	score := tlsScores(b)
	dirs := make([]string, 0, len(score))
	for d := range score {
		dirs = append(dirs, d)
	}
	if len(dirs) == 0 {
		return "", false
	}
	copied := func(d string) bool {
		return slices.ContainsFunc(dirs, func(tls string) bool {
			return tls != d && path.Base(tls) == "tls" && score[tls] > len(expectedFiles())/2 && depth(tls) <= depth(d) && within(d, path.Dir(tls))
		})
	}
	if first := slices.DeleteFunc(slices.Clone(dirs), copied); len(first) > 0 {
		dirs = first
	}
	named := func(d string) int { return rank(path.Base(d) == "tls") }
	return slices.MinFunc(dirs, func(a, b string) int {
		for _, order := range []int{score[b] - score[a], named(a) - named(b), len(a) - len(b)} {
			if order != 0 {
				return order
			}
		}
		return strings.Compare(a, b)
	}), true
}

func depth(dir string) int { return strings.Count(dir, "/") }

func within(file, dir string) bool { return dir == "." || strings.HasPrefix(file, dir+"/") }

// tlsScores counts how many of the eleven files stand in each directory.
func tlsScores(b pki.Bundle) map[string]int {
	score, expected := map[string]int{}, expectedFiles()
	for _, f := range newLeftovers(b).without(b).Files {
		for _, rel := range expected {
			if under(f.Path, rel) {
				score[path.Clean("./"+strings.TrimSuffix(f.Path, rel))]++
			}
		}
	}
	return score
}

// expectedFiles lists the eleven files, relative to the tls directory.
func expectedFiles() []string {
	files := k3s.ServerPaths()
	for i, path := range files {
		files[i] = strings.TrimPrefix(path, "tls/")
	}
	return files
}

// productOf guesses the distribution by what only RKE2 writes: names of files
// and common names with its prefix.
func productOf(r *reading) k3s.Product {
	distro := pki.K3s
	rke2, _ := k3s.ProductOf(pki.RKE2)
	for _, h := range r.files {
		if strings.Contains(h.file.Path, "client-"+rke2.Prefix+"-") || strings.HasPrefix(h.file.Path, strings.TrimPrefix(rke2.DataDir, "/")) {
			distro = pki.RKE2
		}
	}
	for _, n := range r.nodes {
		if strings.HasPrefix(n.cert.Subject.CommonName, rke2.Prefix+"-") {
			distro = pki.RKE2
		}
	}
	product, _ := k3s.ProductOf(distro)
	return product
}

// Cluster is the part of a bundle that belongs to one cluster.
type Cluster struct {
	Directory string // above its tls directory, inside the bundle
	Bundle    pki.Bundle
}

// Clusters splits what was read into clusters: `bundle` with several plans puts
// one directory for each into one output. Everything else is one cluster, a
// whole server with its copies of the tls directory included. A tls directory
// counts when it holds most of the eleven files: one that lacks some must be
// judged, not passed over.
func Clusters(b pki.Bundle) []Cluster {
	var above []string
	for dir, files := range tlsScores(b) {
		if 2*files > len(expectedFiles()) && path.Base(dir) == "tls" && path.Base(path.Dir(dir)) != "rotate-ca" {
			above = append(above, path.Dir(dir))
		}
	}
	slices.Sort(above)
	apart := slices.DeleteFunc(slices.Clone(above), func(d string) bool {
		return slices.ContainsFunc(above, func(o string) bool { return o != d && (o == "." || strings.HasPrefix(d, o+"/")) })
	})
	if len(apart) < 2 {
		return []Cluster{{".", b}}
	}
	var out []Cluster
	for _, dir := range apart {
		c := Cluster{Directory: dir, Bundle: pki.Bundle{Time: b.Time}}
		for _, f := range b.Files {
			if rel, ok := strings.CutPrefix(f.Path, dir+"/"); ok {
				f.Path = rel
				c.Bundle.Files = append(c.Bundle.Files, f)
			}
		}
		out = append(out, c)
	}
	return out
}

// ServerCA returns the server-ca.crt of the directory that Verify judges; nil if
// there is none.
func ServerCA(b pki.Bundle) *pki.File {
	dir, ok := tlsDirectory(b)
	if !ok {
		return nil
	}
	return b.File(path.Join(dir, "server-ca.crt"))
}
