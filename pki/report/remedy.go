package report

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// RemedyCode names a way to mend things. Codes are only ever added.
type RemedyCode string

const (
	RemedyRestart        RemedyCode = "restart"         // a restart renews what is named
	RemedyRotateLeaves   RemedyCode = "rotate-leaves"   // a restart alone would not yet
	RemedyServing        RemedyCode = "serving"         // dynamic-cert.json and its Secret, both
	RemedyKubeconfig     RemedyCode = "kubeconfig"      // a copy, to be made again
	RemedyRotateCA       RemedyCode = "rotate-ca"       // while the CA lives
	RemedyReplaceCA      RemedyCode = "replace-ca"      // when it has ended: by force
	RemedyKubeadmRenew   RemedyCode = "kubeadm-renew"   // certificates and kubeconfigs of the control plane
	RemedyKubeadmKubelet RemedyCode = "kubeadm-kubelet" // kubelet.conf
	RemedyKubeadmCA      RemedyCode = "kubeadm-ca"      // kubeadm has no command

	RemedyUnbootstrap RemedyCode = "unbootstrap" // start once without server:
	RemedyRestore     RemedyCode = "restore"     // remove files, so that they come back from the datastore
)

// Remedy is a sequence of commands that mends what it names, for one node. They
// are written for a POSIX shell of root on that node.
type Remedy struct {
	Code     RemedyCode `json:"code"`
	Node     string     `json:"node"`
	For      []string   `json:"for"` // places or files
	Commands []string   `json:"commands"`
}

// remedyOrder is that in which things are mended: leaves before what is asked
// for with them, CAs at last.
var remedyOrder = []RemedyCode{
	RemedyKubeadmRenew, RemedyKubeadmKubelet, RemedyRestart, RemedyRotateLeaves, RemedyServing, RemedyKubeconfig,
	RemedyRestore, RemedyUnbootstrap, RemedyRotateCA, RemedyReplaceCA, RemedyKubeadmCA,
}

// remedies chooses for each certificate that needs one.
func (c *expiryCheck) remedies() {
	type key struct {
		code RemedyCode
		node string
	}
	found := map[key]*Remedy{}
	sites := c.sites()
	var names = map[key][]string{}
	for _, r := range c.out.Certificates {
		code := c.remedyFor(r)
		if code == "" {
			continue
		}
		k := key{code, r.Node}
		if found[k] == nil {
			found[k] = &Remedy{Code: code, Node: r.Node}
		}
		found[k].For = append(found[k].For, r.Place().String())
		if r.Name != "" && !slices.Contains(names[k], r.Name) {
			names[k] = append(names[k], r.Name)
		}
	}
	for k, remedy := range found {
		remedy.Commands = commandsFor(k.code, sites[k.node], remedy.For, names[k])
		c.out.Remedies = append(c.out.Remedies, *remedy)
	}
	slices.SortFunc(c.out.Remedies, func(a, b Remedy) int {
		return 2*(slices.Index(remedyOrder, a.Code)-slices.Index(remedyOrder, b.Code)) + strings.Compare(a.Node, b.Node)
	})
}

// site is what is known of a node when commands are written for it.
type site struct {
	distro pki.Distro
	server bool
}

func (c *expiryCheck) sites() map[string]site {
	sites := map[string]site{}
	only := site{}
	for _, r := range c.out.Certificates {
		s := sites[r.Node]
		if r.Distro != "" {
			s.distro = r.Distro
		}
		s.server = s.server || r.Distro != "" && !r.seat.agent
		sites[r.Node] = s
		if s.distro != "" {
			only = s
		}
	}
	for node, s := range sites { // a kubeconfig that was given beside a node
		if s.distro == "" {
			sites[node] = only
		}
	}
	return sites
}

// remedyFor is the remedy that one row asks for, empty if none.
func (c *expiryCheck) remedyFor(r ExpiryRow) RemedyCode {
	bad := r.Status == StatusExpired || r.Status == StatusWarning
	kubeadm := r.Distro == kubeadmDistro
	switch {
	case r.Kind == AuthorityFile && kubeadm && bad:
		return RemedyKubeadmCA
	case r.Kind == AuthorityFile && (r.seat.agent || strings.Contains(r.Filename, ".nochain.") || r.Distro == ""):
		return "" // follow the CA file of the server
	case r.Kind == AuthorityFile && r.Status == StatusExpired && r.Index == 1:
		return RemedyReplaceCA
	case r.Kind == AuthorityFile && (bad || c.endsWithin(r, k3s.AuthorityWarnDays)):
		return RemedyRotateCA
	case r.Kind == ServingFile && (r.Stale || r.Status == StatusExpired):
		return RemedyServing
	case kubeadm && bad && r.Name == "kubelet.conf":
		return RemedyKubeadmKubelet
	case kubeadm && bad && r.Name != "" && r.Kind != ChainCopy:
		return RemedyKubeadmRenew
	case r.Kind == KubeconfigFile && r.Restart == RestartNever && bad:
		return RemedyKubeconfig
	case !bad && !r.Stale:
		return ""
	case r.Restart == RestartRenews:
		return RemedyRestart
	case r.Restart == RestartRenewsNow || r.Restart == RestartKeeps:
		return RemedyRotateLeaves
	}
	return ""
}

// commandsFor writes a remedy down. Paths are those of a node as its
// distribution installs it, wherever the copy was read.
func commandsFor(code RemedyCode, at site, places, names []string) []string {
	product, ok := k3s.ProductOf(at.distro)
	if !ok && at.distro != kubeadmDistro {
		return []string{}
	}
	unit := product.Unit(!at.server)
	stop, start, tls := "systemctl stop "+unit, "systemctl start "+unit, product.TLSDir()
	switch code {
	case RemedyRestart:
		return []string{"systemctl restart " + unit}
	case RemedyRotateLeaves:
		return []string{stop, product.Command + " certificate rotate", start}
	case RemedyServing:
		return []string{
			product.Kubectl() + " -n kube-system delete secret " + product.ServingSecret(),
			stop, "rm -f " + tls + "/" + dynamicCert, start,
			fmt.Sprintf("openssl s_client -connect 127.0.0.1:%d </dev/null 2>/dev/null | openssl x509 -noout -issuer -enddate", product.Port),
		}
	case RemedyKubeconfig:
		return kubeconfigCopies(at, places)
	case RemedyRotateCA, RemedyReplaceCA:
		return authorityRotation(product, unit, code == RemedyReplaceCA)
	case RemedyRestore:
		out := []string{stop, fmt.Sprintf("cp -a %[1]s %[1]s.before", tls)}
		for _, file := range places {
			out = append(out, "rm "+tls+"/"+file)
		}
		return append(out, start)
	case RemedyKubeadmRenew:
		return kubeadmRenewal(names)
	case RemedyKubeadmKubelet:
		return []string{
			`kubeadm kubeconfig user --org system:nodes --client-name "system:node:$(hostname)" > /etc/kubernetes/kubelet.conf.new`,
			"mv /etc/kubernetes/kubelet.conf.new /etc/kubernetes/kubelet.conf", "systemctl restart kubelet",
		}
	}
	return []string{}
}

// kubeconfigCopies makes copies of a kubeconfig again, under the names they had.
func kubeconfigCopies(at site, places []string) []string {
	source := "/etc/kubernetes/admin.conf"
	if product, ok := k3s.ProductOf(at.distro); ok {
		source = product.Kubeconfig()
	}
	var out []string
	for _, p := range places {
		file, _, _ := strings.Cut(p, "#")
		line := "install -m 600 " + source + " " + quoted(path.Base(file))
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// authorityRotation makes the next CAs and offers them to the server; one whose
// CA has ended takes them by force alone.
func authorityRotation(product k3s.Product, unit string, force bool) []string {
	rotate := product.Command + " certificate rotate-ca --path next"
	if force {
		rotate += " --force"
	}
	if product.Port != 6443 {
		rotate += fmt.Sprintf(" --server https://127.0.0.1:%d", product.Port)
	}
	return []string{
		"rootkiln rotate " + product.TLSDir() + " --root-key root-ca.key --intermediate-key intermediate-ca.key --out next",
		rotate, "systemctl restart " + unit,
	}
}

// kubeadmRenewal renews by name and then has the kubelet start the static pods
// anew: they read their certificates at the start only.
func kubeadmRenewal(names []string) []string {
	out := []string{"cp -a /etc/kubernetes /etc/kubernetes.old"}
	for _, name := range names {
		out = append(out, "kubeadm certs renew "+name)
	}
	return append(out,
		"mkdir /etc/kubernetes/manifests.off", "mv /etc/kubernetes/manifests/*.yaml /etc/kubernetes/manifests.off/", "sleep 30",
		"mv /etc/kubernetes/manifests.off/*.yaml /etc/kubernetes/manifests/", "rmdir /etc/kubernetes/manifests.off")
}

// quoted makes a word of a foreign name for the shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-", r)
	}
	if s != "" && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
