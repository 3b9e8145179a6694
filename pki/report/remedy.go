package report

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// RemedyCode names a way to mend things. Codes are only ever added.
type RemedyCode string

const (
	RemedyRestart        RemedyCode = "restart"         // a restart renews what is named
	RemedyRotateLeaves   RemedyCode = "rotate-leaves"   // a restart alone would not yet
	RemedyServing        RemedyCode = "serving"         // dynamic-cert.json and its Secret, both
	RemedyServingFile    RemedyCode = "serving-file"    // dynamic-cert.json alone: nobody can read it
	RemedyKubeconfig     RemedyCode = "kubeconfig"      // a copy of the admin's
	RemedyKubeconfigUser RemedyCode = "kubeconfig-user" // of somebody whom no server makes one for
	RemedyRotateCA       RemedyCode = "rotate-ca"       // while the CA lives
	RemedyReplaceCA      RemedyCode = "replace-ca"      // when it has ended: an outage
	RemedyKubeadmRenew   RemedyCode = "kubeadm-renew"   // certificates and kubeconfigs of the control plane
	RemedyKubeadmCSR     RemedyCode = "kubeadm-csr"     // the same where the CA's key is elsewhere
	RemedyKubeadmKubelet RemedyCode = "kubeadm-kubelet" // kubelet.conf
	RemedyKubeadmCA      RemedyCode = "kubeadm-ca"      // kubeadm has no command

	RemedyUnbootstrap RemedyCode = "unbootstrap" // start once without server:
	RemedyRestore     RemedyCode = "restore"     // remove files, so that they come back from the datastore
)

// Remedy is a sequence of commands that mends what it names, for one node. They
// are written for a POSIX shell of root on that node; `rootkiln rotate` runs where
// the keys of its CAs are kept.
type Remedy struct {
	Code     RemedyCode `json:"code"`
	Node     string     `json:"node"`
	For      []string   `json:"for"` // places or files
	Commands []string   `json:"commands"`
}

// remedyOrder is that in which things are mended: leaves before what is asked
// for with them, CAs at last.
var remedyOrder = []RemedyCode{
	RemedyServingFile, RemedyKubeadmRenew, RemedyKubeadmCSR, RemedyKubeadmKubelet, RemedyRestart, RemedyRotateLeaves, RemedyServing,
	RemedyKubeconfig, RemedyKubeconfigUser,
	RemedyRestore, RemedyUnbootstrap, RemedyRotateCA, RemedyReplaceCA, RemedyKubeadmCA,
}

// withoutCommands are remedies that no program does.
var withoutCommands = []RemedyCode{RemedyKubeadmCA, RemedyKubeconfigUser}

// remedies chooses for each certificate that needs one.
func (c *expiryCheck) remedies() {
	type key struct {
		code RemedyCode
		node string
	}
	found := map[key]*Remedy{}
	sites := c.sites()
	names := map[key][]string{}
	give := func(code RemedyCode, node, place, name string) {
		k := key{code, node}
		if found[k] == nil {
			found[k] = &Remedy{Code: code, Node: node}
		}
		found[k].For = append(found[k].For, place)
		if name != "" && !slices.Contains(names[k], name) {
			names[k] = append(names[k], name)
		}
	}
	for _, r := range c.out.Certificates {
		if code := c.remedyFor(r); code != "" {
			name := r.Name
			if code == RemedyKubeadmKubelet {
				name = r.Subject
			}
			give(code, r.Node, r.Place().String(), name)
		}
	}
	for _, h := range c.r.files { // a serving certificate that nobody can read has no row
		if s := c.seats.of(h.file.Path); s.kind == ServingFile && h.broken {
			give(RemedyServingFile, s.node, h.file.Path, "")
			if sites[s.node].distro == "" { // it stands alone
				sites[s.node] = site{s.distro, true}
			}
		}
	}
	for k, remedy := range found {
		if found[key{RemedyReplaceCA, k.node}] != nil && k.code != RemedyReplaceCA {
			continue // comes after the CAs, and by itself with their restart
		}
		switch k.code { // those that look at more than the site
		case RemedyRotateCA:
			remedy.Commands = []string{c.rotateCommand(k.node, "")}
		case RemedyReplaceCA:
			remedy.Commands = c.backInTime(k.node, sites[k.node])
		case RemedyKubeconfig:
			remedy.Commands = c.kubeconfigCopies(remedy.For)
		default:
			remedy.Commands = commandsFor(k.code, sites[k.node], remedy.For, names[k])
		}
		if len(remedy.Commands) == 0 && !slices.Contains(withoutCommands, k.code) {
			continue // of a node that is not known
		}
		c.out.Remedies = append(c.out.Remedies, *remedy)
	}
	sort.Slice(c.out.Remedies, func(i, j int) bool {
		a, b := &c.out.Remedies[i], &c.out.Remedies[j]
		return cmp.Or(slices.Index(remedyOrder, a.Code)-slices.Index(remedyOrder, b.Code), strings.Compare(a.Node, b.Node)) < 0
	})
}

// site is what is known of a node when commands are written for it.
type site struct {
	distro pki.Distro
	server bool
}

func (c *expiryCheck) sites() map[string]site {
	sites := map[string]site{}
	for _, r := range c.out.Certificates {
		s := sites[r.Node]
		if r.Distro != "" {
			s.distro = r.Distro
		}
		s.server = s.server || r.Distro != "" && !r.seat.agent
		sites[r.Node] = s
	}
	return sites
}

// remedyFor is the remedy that one row asks for, empty if none.
func (c *expiryCheck) remedyFor(r ExpiryRow) RemedyCode {
	bad := r.Status == StatusExpired || r.Status == StatusWarning
	kubeadm := r.Distro == KubeadmDistro
	if ca := c.head(r.seat.ca); r.Kind != AuthorityFile && ca != nil && statusOf(ca.cert, c.at) == Expired {
		return "" // whatever is made anew would be refused as well: the CA is the matter
	}
	switch {
	case r.Kind == AuthorityFile && kubeadm && bad:
		return RemedyKubeadmCA
	case r.Kind == AuthorityFile && (r.seat.agent || strings.Contains(r.Filename, ".nochain.") || r.Distro == ""):
		return "" // follow the CA file of the server
	case r.Kind == AuthorityFile && r.Status == StatusExpired && (r.Index == 1 || isRoot(r.n)):
		return RemedyReplaceCA
	case r.Kind == AuthorityFile && (bad || c.endsWithin(r, k3s.AuthorityWarnDays)):
		return RemedyRotateCA
	case r.Kind == ServingFile && (r.Stale || r.Status == StatusExpired):
		return RemedyServing
	case kubeadm && r.Name == "kubelet.conf" || r.ofKubelet():
		if bad && r.First && c.kubeletLate(r) {
			return RemedyKubeadmKubelet
		}
		return ""
	case kubeadm && bad && r.Name != "" && r.Kind != ChainCopy && c.external(r):
		return RemedyKubeadmCSR
	case kubeadm && bad && r.Name != "" && r.Kind != ChainCopy:
		return RemedyKubeadmRenew
	case r.Kind == KubeconfigFile && r.Restart == RestartNever && bad && credentialsOf(r) == nil:
		return RemedyKubeconfigUser
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
	if !ok && at.distro != KubeadmDistro && code != RemedyKubeadmKubelet {
		return []string{}
	}
	unit := product.Unit(!at.server)
	stop, start, tls := "systemctl stop "+unit, "systemctl start "+unit, product.TLSDir()
	withoutServing := []string{stop, "rm -f " + tls + "/" + dynamicCert, start}
	switch code {
	case RemedyRestart:
		return []string{"systemctl restart " + unit}
	case RemedyRotateLeaves:
		return []string{stop, product.Command + " certificate rotate", start}
	case RemedyServing:
		secret := product.Kubectl() + " -n kube-system delete secret " + product.ServingSecret()
		return slices.Concat([]string{secret}, withoutServing, []string{issuerCommand(product)})
	case RemedyServingFile:
		return withoutServing
	case RemedyRestore:
		out := []string{stop, copyAway(tls)}
		for _, file := range places {
			out = append(out, "rm "+tls+"/"+file)
		}
		return append(out, start)
	case RemedyKubeadmRenew:
		return kubeadmRenewal(names)
	case RemedyKubeadmCSR:
		return kubeadmRequests(names)
	case RemedyKubeadmKubelet:
		return kubeletConfig(names)
	}
	return []string{}
}

// copyAway keeps a directory beside itself, under a name that no other copy has.
func copyAway(dir string) string {
	return fmt.Sprintf("cp -a %[1]s %[1]s.before-$(date +%%F-%%H%%M)", dir)
}

// rotateCommand makes the next CAs of a node, where its keys are kept: with a new
// root or intermediate where these end, too, for nothing outlives its issuer.
// now is the day for which they are made, empty for today.
func (c *expiryCheck) rotateCommand(node, now string) string {
	offline, root, intermediate := false, false, false
	for _, r := range c.out.Certificates {
		if r.Node != node || r.Kind != AuthorityFile || r.seat.agent || r.Distro == "" || r.Index != 1 {
			continue
		}
		chain := c.chain(r.Path)
		for i, n := range chain {
			ends := n.cert.NotAfter.Unix()-c.at.Unix() <= k3s.AuthorityWarnDays*86400
			root = root || i > 0 && ends && isRoot(n)
			intermediate = intermediate || i > 0 && ends && !isRoot(n)
		}
		offline = offline || len(chain) > 1
	}
	command := "rootkiln rotate tls"
	for _, flag := range []struct {
		on   bool
		text string
	}{{offline, " --inputs OFFLINE"}, {offline && root, " --new-root"}, {intermediate && !root, " --new-intermediate"}} {
		if flag.on {
			command += flag.text
		}
	}
	return command + now + " --out next.tar.gz"
}

// backInTime brings CAs to life that have ended: k3s goes by the clock alone. Leaf
// certificates made since the end would not be valid yet, so all of them go.
func (c *expiryCheck) backInTime(node string, at site) []string {
	product, ok := k3s.ProductOf(at.distro)
	if !ok {
		return nil
	}
	var alive time.Time
	for _, r := range c.out.Certificates {
		if r.Node == node && r.Kind == AuthorityFile && !r.seat.agent && r.Status == StatusExpired && (alive.IsZero() || r.NotAfter.Before(alive)) {
			alive = r.NotAfter.Time
		}
	}
	alive = alive.UTC().AddDate(0, 0, -1)
	return []string{
		"systemctl stop " + product.Unit(false), "timedatectl set-ntp false", alive.Format("date -u -s '2006-01-02 15:04:05'"),
		product.Command + " certificate rotate", "systemctl start " + product.Unit(false),
		c.rotateCommand(node, " --now "+alive.Format(time.RFC3339)),
	}
}

// chain is the first certificate of a file and its issuers there, by name. What
// else the file holds is of a rotation before.
func (c *expiryCheck) chain(file string) []*node {
	if chain, known := c.above[file]; known {
		return chain
	}
	h := c.files[file]
	if h == nil || len(h.nodes) == 0 {
		return nil
	}
	chain := h.nodes[:1:1]
	for at := chain[0]; !isRoot(at); at = chain[len(chain)-1] {
		var next *node
		for _, n := range h.nodes {
			fits := bytes.Equal(n.cert.RawSubject, at.cert.RawIssuer) && !slices.Contains(chain, n)
			if fits && (next == nil || isRoot(n)) {
				next = n
			}
		}
		if next == nil {
			break
		}
		chain = append(chain, next)
	}
	c.above[file] = chain
	return chain
}

func isRoot(n *node) bool { return bytes.Equal(n.cert.RawSubject, n.cert.RawIssuer) }

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
