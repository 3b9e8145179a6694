package report

import (
	"path"
	"strings"

	"rootkiln/pki"
)

// kubeadmDistro is what `check` calls a node of kubeadm.
const kubeadmDistro pki.Distro = "kubeadm"

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
