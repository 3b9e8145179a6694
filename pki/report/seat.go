package report

import (
	"iter"
	"path"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// FileKind says what a certificate is for a node, by the place where it stands.
type FileKind string

const (
	AuthorityFile  FileKind = "authority"  // a CA file, all of its certificates
	LeafFile       FileKind = "leaf"       // the certificate at the head of a leaf file
	ChainCopy      FileKind = "chain"      // a CA's certificate behind a leaf
	ServingFile    FileKind = "serving"    // dynamic-cert.json, the supervisor's certificate
	KubeconfigFile FileKind = "kubeconfig" // embedded in a kubeconfig
	BackupFile     FileKind = "backup"     // a copy that nothing reads any more
	PreviousFile   FileKind = "previous"   // in a CA file, of before a rotation: it may end
	OtherFile      FileKind = "other"
)

// seat is what a path is on a node.
type seat struct {
	kind   FileKind
	node   string     // directory of the node inside the bundle
	distro pki.Distro // empty: not known
	agent  bool       // an agent's directory
	name   string     // kubeadm's name of the certificate or CA
	// ca is the path of the CA file whose first certificate signs here, or did;
	// empty where the directory does not tell.
	ca string
}

// post is a row of the tables by which paths are known, relative to the
// directory that they belong to.
type post struct {
	ground groundKind
	kind   FileKind
	name   string
	ca     string
}

// groundKind is what a directory is.
type groundKind string

const (
	tlsGround     groundKind = "tls"     // server/tls of k3s and RKE2
	agentGround   groundKind = "agent"   // agent of k3s and RKE2
	kubeadmGround groundKind = "kubeadm" // /etc/kubernetes
	pkiGround     groundKind = "pki"     // /etc/kubernetes/pki alone
)

// posts are the files of k3s, RKE2 and kubeadm nodes, by relative path.
var posts = func() map[string][]post {
	m := map[string][]post{}
	add := func(file string, p post) {
		if !slices.Contains(m[file], p) {
			m[file] = append(m[file], p)
		}
	}
	authority := map[pki.Role]string{}
	for _, f := range authorityFiles {
		authority[f.role] = f.path + ".crt"
		add(f.path+".crt", post{ground: tlsGround, kind: AuthorityFile})
		add(f.path+".nochain.crt", post{ground: tlsGround, kind: AuthorityFile})
	}
	for _, ca := range []string{"server-ca.crt", "client-ca.crt"} {
		add(ca, post{ground: agentGround, kind: AuthorityFile})
	}
	for _, distro := range []pki.Distro{pki.K3s, pki.RKE2} {
		product, _ := k3s.ProductOf(distro)
		for _, leaf := range k3s.Leaves(product) {
			if leaf.File == strings.TrimSuffix(dynamicCert, ".json") {
				add(dynamicCert, post{tlsGround, ServingFile, "", authority[leaf.Signer]})
				continue
			}
			file, ca := strings.TrimPrefix(leaf.File, "agent/")+".crt", authority[leaf.Signer]
			add(file, post{tlsGround, LeafFile, "", ca})
			if leaf.Signer == pki.ServerCA || leaf.Signer == pki.ClientCA {
				add(file, post{agentGround, LeafFile, "", ca})
			}
		}
	}
	for _, c := range kubeadmCertificates {
		add(c.file, post{kubeadmGround, c.kind, c.name, c.ca})
		if file, inside := strings.CutPrefix(c.file, "pki/"); inside {
			add(file, post{pkiGround, c.kind, c.name, strings.TrimPrefix(c.ca, "pki/")})
		}
	}
	return m
}()

// seats finds out what every path of a bundle is.
type seats struct {
	files   map[string]bool
	grounds map[string]groundKind // by directory; asked once
	ends    map[string]bool       // see endings
	copies  leftovers
}

func newSeats(b pki.Bundle) *seats {
	s := &seats{files: make(map[string]bool, len(b.Files)), grounds: map[string]groundKind{}, copies: newLeftovers(b)}
	for _, f := range b.Files {
		s.files[f.Path] = true
	}
	return s
}

// of returns the seat of a file.
func (s *seats) of(file string) seat {
	out := seat{kind: OtherFile, node: path.Dir(file)}
	if live, _, ok := s.copies.of(file); ok {
		return seat{kind: BackupFile, node: s.nodeAt(live)}
	}
	for dir, rel := range cuts(file) {
		for _, p := range posts[rel] {
			if s.ground(dir) == p.ground {
				return sitting(dir, file, p)
			}
		}
	}
	if ext := path.Ext(file); ext == ".kubeconfig" || ext == ".conf" || ext == ".yaml" || ext == ".yml" {
		out.kind = KubeconfigFile
	}
	return out
}

// cuts yields a path cut in two, at most three segments in the second part,
// the longest first: etcd/server-ca.crt also ends like server-ca.crt.
func cuts(file string) iter.Seq2[string, string] {
	return func(yield func(dir, rel string) bool) {
		var at []int
		for i := len(file) - 1; i >= 0 && len(at) < 3; i-- {
			if file[i] == '/' {
				at = append(at, i)
			}
		}
		if len(at) < 3 && !yield(".", file) {
			return
		}
		for _, i := range slices.Backward(at) {
			if !yield(clean(file[:i]), file[i+1:]) {
				return
			}
		}
	}
}

// clean keeps full paths full.
func clean(dir string) string {
	if dir == "" {
		return "/"
	}
	return path.Clean(dir)
}

func sitting(dir, file string, p post) seat {
	out := seat{kind: p.kind, node: nodeOf(dir, p.ground), agent: p.ground == agentGround, name: p.name, distro: pki.K3s}
	if p.ca != "" {
		out.ca = path.Join(dir, p.ca)
	}
	if p.ground == kubeadmGround || p.ground == pkiGround {
		out.distro = KubeadmDistro
	} else if strings.Contains(file, "client-rke2-") || strings.Contains(dir, "rancher/rke2") {
		out.distro = pki.RKE2
	}
	return out
}

// ground says what a directory is, by the files in it.
func (s *seats) ground(dir string) groundKind {
	kind, known := s.grounds[dir]
	if known {
		return kind
	}
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return s.files[path.Join(dir, n)] })
	}
	switch {
	case has("pki/ca.crt", "pki/front-proxy-ca.crt", "pki/apiserver.crt", "kubelet.conf", "admin.conf"):
		kind = kubeadmGround
	case has("request-header-ca.crt", "etcd/server-ca.crt", "etcd/peer-ca.crt", "server-ca.key", "client-ca.key"),
		path.Base(dir) == "tls" && has("server-ca.crt", "client-ca.crt", dynamicCert):
		kind = tlsGround
	case has("client-kubelet.crt", "serving-kubelet.crt"),
		path.Base(dir) == "agent" && has("server-ca.crt", "client-ca.crt"):
		kind = agentGround
	case has("ca.crt") && has("front-proxy-ca.crt", "apiserver.crt", "sa.pub"):
		kind = pkiGround
	}
	s.grounds[dir] = kind
	return kind
}

// nodeAt is the node of a directory by what is in it.
func (s *seats) nodeAt(dir string) string {
	if above := path.Dir(dir); s.ground(above) == kubeadmGround { // its pki
		return above
	}
	return nodeOf(dir, s.ground(dir))
}

// nodeOf is the directory of the whole node: of X/server/tls and X/agent it is X.
func nodeOf(dir string, ground groundKind) string {
	switch {
	case ground == kubeadmGround || ground == pkiGround || dir == ".":
		return dir
	case ground == tlsGround && path.Base(dir) == "tls":
		dir = path.Dir(dir)
	case ground == agentGround && path.Base(dir) == "agent":
		return path.Dir(dir)
	}
	if path.Base(dir) == "server" {
		return path.Dir(dir)
	}
	return dir
}
