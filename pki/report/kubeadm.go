package report

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"rootkiln/pki"
)

// KubeadmDistro is what `check` calls a node of kubeadm. It has no [k3s.Product].
const KubeadmDistro pki.Distro = "kubeadm"

// kubeadmCertificate is one that kubeadm makes, by the name under which its
// commands know it (kubernetes cmd/kubeadm/app/phases/certs/certlist.go and
// renewal/manager.go).
type kubeadmCertificate struct {
	name, file string // the file relative to /etc/kubernetes
	kind       FileKind
	ca         string // file of the CA, empty for a CA
	caName     string
	own        bool // kubeadm itself neither lists nor renews it
}

var kubeadmCertificates = []kubeadmCertificate{
	{"admin.conf", "admin.conf", KubeconfigFile, "pki/ca.crt", "ca", false},
	{"apiserver", "pki/apiserver.crt", LeafFile, "pki/ca.crt", "ca", false},
	{"apiserver-etcd-client", "pki/apiserver-etcd-client.crt", LeafFile, "pki/etcd/ca.crt", "etcd-ca", false},
	{"apiserver-kubelet-client", "pki/apiserver-kubelet-client.crt", LeafFile, "pki/ca.crt", "ca", false},
	{"controller-manager.conf", "controller-manager.conf", KubeconfigFile, "pki/ca.crt", "ca", false},
	{"etcd-healthcheck-client", "pki/etcd/healthcheck-client.crt", LeafFile, "pki/etcd/ca.crt", "etcd-ca", false},
	{"etcd-peer", "pki/etcd/peer.crt", LeafFile, "pki/etcd/ca.crt", "etcd-ca", false},
	{"etcd-server", "pki/etcd/server.crt", LeafFile, "pki/etcd/ca.crt", "etcd-ca", false},
	{"front-proxy-client", "pki/front-proxy-client.crt", LeafFile, "pki/front-proxy-ca.crt", "front-proxy-ca", false},
	{"scheduler.conf", "scheduler.conf", KubeconfigFile, "pki/ca.crt", "ca", false},
	{"super-admin.conf", "super-admin.conf", KubeconfigFile, "pki/ca.crt", "ca", false},
	{"kubelet.conf", "kubelet.conf", KubeconfigFile, "pki/ca.crt", "ca", true},
	{"ca", "pki/ca.crt", AuthorityFile, "", "", false},
	{"etcd-ca", "pki/etcd/ca.crt", AuthorityFile, "", "", false},
	{"front-proxy-ca", "pki/front-proxy-ca.crt", AuthorityFile, "", "", false},
}

// KubeadmCertificate is a row of `kubeadm certs check-expiration -o json`
// (output.kubeadm.k8s.io/v1alpha3), field for field.
type KubeadmCertificate struct {
	Name              string    `json:"name"`
	ExpirationDate    *pki.Time `json:"expirationDate"` // null: missing
	ResidualTime      int64     `json:"residualTime"`   // whole seconds, negative once expired
	ExternallyManaged bool      `json:"externallyManaged"`
	CAName            string    `json:"caName,omitempty"`
	Missing           bool      `json:"missing"`
}

// Kubeadm is what `kubeadm certs check-expiration -o json` prints. It stands in
// the report of a kubeadm node; of several the first.
type Kubeadm struct {
	Kind         string               `json:"kind,omitempty"`
	APIVersion   string               `json:"apiVersion,omitempty"`
	Certificates []KubeadmCertificate `json:"certificates,omitempty"`
	Authorities  []KubeadmCertificate `json:"certificateAuthorities,omitempty"`
}

// kubeadmView fills the tables of kubeadm for one node.
func (c *expiryCheck) kubeadmView(node string) Kubeadm {
	out := Kubeadm{Kind: "CertificateExpirationInfo", APIVersion: "output.kubeadm.k8s.io/v1alpha3"}
	heads := map[string]*ExpiryRow{}
	for i := range c.out.Certificates {
		r := &c.out.Certificates[i]
		embedded := strings.HasPrefix(r.Field, "users/")
		if r.Node == node && r.Name != "" && r.Index == 1 && (r.Field == "" || embedded) && heads[r.Name] == nil {
			heads[r.Name] = r
		}
	}
	for _, k := range kubeadmCertificates {
		if k.own {
			continue
		}
		ca := k.ca
		if ca == "" {
			ca = k.file
		}
		row := KubeadmCertificate{Name: k.name, CAName: k.caName, Missing: heads[k.name] == nil}
		row.ExternallyManaged = c.held(node, ca) && !c.held(node, strings.TrimSuffix(ca, ".crt")+".key")
		if r := heads[k.name]; r != nil {
			row.ExpirationDate, row.ResidualTime = &r.NotAfter, r.NotAfter.Unix()-c.at.Unix()
		}
		if k.ca == "" {
			out.Authorities = append(out.Authorities, row)
		} else {
			out.Certificates = append(out.Certificates, row)
		}
	}
	return out
}

// held reports whether a file of /etc/kubernetes is there; the pki directory may
// have been given alone.
func (c *expiryCheck) held(node, file string) bool {
	return c.seats.files[path.Join(node, file)] || c.seats.files[path.Join(node, strings.TrimPrefix(file, "pki/"))]
}

// ofKubelet knows what a kubelet renews by itself, in /var/lib/kubelet/pki; that
// of k3s does not.
func (r ExpiryRow) ofKubelet() bool {
	return r.Kind == OtherFile && strings.HasPrefix(r.Filename, "kubelet-client-")
}

// kubeletLink is the name under which a kubelet keeps the certificate that it
// renews by itself (client-go util/certificate/certificate_store.go).
const kubeletLink = "kubelet-client-current.pem"

// adoptKubelet gives the certificates that a kubelet.conf names to its node: they
// lie in another directory. Of several nodes it is that with the nearest path.
func (c *expiryCheck) adoptKubelet(rows []ExpiryRow) {
	var configs []string
	for _, h := range c.r.files {
		named := slices.ContainsFunc(h.references, func(ref string) bool { return path.Base(ref) == kubeletLink })
		if named && c.seats.of(h.file.Path).name == "kubelet.conf" {
			configs = append(configs, h.file.Path)
		}
	}
	if len(configs) == 0 {
		return
	}
	for i, r := range rows {
		if r.Filename != kubeletLink || r.Index != 1 || r.Kind != OtherFile {
			continue
		}
		nearest := slices.MaxFunc(configs, func(a, b string) int { return cmp.Compare(shared(a, r.Path), shared(b, r.Path)) })
		s := c.seats.of(nearest)
		s.kind = LeafFile
		rows[i] = c.row(r.n, r.Place(), s)
	}
}

// shared is how many characters two paths have in common from their beginning.
func shared(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
