package report

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// kubeadmConfig asks the cluster for the settings that it was made with. Without
// them kubeadm takes the names and the address of the machine on which it runs.
const kubeadmConfig = "kubectl --kubeconfig /etc/kubernetes/admin.conf -n kube-system get configmap kubeadm-config -o jsonpath='{.data.ClusterConfiguration}' > kubeadm.yaml"

// kubeadmRenewal renews by name and then has the kubelet start the static pods
// anew: they read their certificates at the start only.
func kubeadmRenewal(names []string) []string {
	out := []string{copyAway("/etc/kubernetes")}
	for _, name := range names {
		out = append(out, "kubeadm certs renew "+name)
	}
	return append(out, staticPods...)
}

// staticPods has the kubelet stop and start them.
var staticPods = []string{
	"mkdir /etc/kubernetes/manifests.off", "mv /etc/kubernetes/manifests/*.yaml /etc/kubernetes/manifests.off/", "sleep 30",
	"mv /etc/kubernetes/manifests.off/*.yaml /etc/kubernetes/manifests/", "rmdir /etc/kubernetes/manifests.off",
}

// requestsDir is where kubeadm puts new keys and requests.
const requestsDir = "/root/kubeadm-requests"

// kubeadmRequests has another machine sign what kubeadm makes requests for, and
// puts the answers in their places. kubeadm has no command that takes them in.
func kubeadmRequests(names []string) []string {
	out := []string{
		kubeadmConfig, "install -d -m 700 " + requestsDir,
		fmt.Sprintf("kubeadm certs generate-csr --config kubeadm.yaml --cert-dir %[1]s/pki --kubeconfig-dir %[1]s", requestsDir),
	}
	var place []string
	for _, c := range kubeadmCertificates {
		at, live := requestsDir+"/"+c.file, "/etc/kubernetes/"+c.file
		stem, isFile := strings.CutSuffix(at, ".crt")
		answer := stem + ".crt"
		switch {
		case !slices.Contains(names, c.name):
			continue
		case isFile:
			key := strings.TrimSuffix(live, ".crt") + ".key"
			place = append(place, "install -m 600 "+stem+".key "+key, "install -m 644 "+answer+" "+live)
		default: // a kubeconfig without its certificate, its request beside it
			user := kubeadmUsers[c.name]
			place = append(place,
				fmt.Sprintf("kubectl config --kubeconfig=%s set-credentials %s --client-certificate=%s --embed-certs=true", at, user, answer),
				fmt.Sprintf("kubectl config --kubeconfig=%s set-cluster kubernetes --certificate-authority=/etc/kubernetes/pki/ca.crt --embed-certs=true", at),
				"install -m 600 "+at+" "+live)
		}
		out = append(out, "# "+stem+".csr -> "+path.Base(answer))
	}
	return append(append(append(out, copyAway("/etc/kubernetes")), place...), staticPods...)
}

// kubeadmUsers are the names in the kubeconfigs that kubeadm makes.
var kubeadmUsers = map[string]string{
	"admin.conf": "kubernetes-admin", "super-admin.conf": "kubernetes-super-admin",
	"controller-manager.conf": "system:kube-controller-manager", "scheduler.conf": "system:kube-scheduler",
}

// kubeletConfig gives a kubelet credentials from which it goes on by itself, as
// "Kubelet client certificate rotation fails" on the page about troubleshooting
// kubeadm has it.
func kubeletConfig(names []string) []string {
	name := `"system:node:$(hostname)"`
	if len(names) == 1 && strings.HasPrefix(names[0], "system:node:") {
		name = quoted(names[0])
	}
	const current = "/var/lib/kubelet/pki/kubelet-client-current.pem"
	return []string{
		kubeadmConfig,
		"(umask 077; kubeadm kubeconfig user --config kubeadm.yaml --org system:nodes --client-name " + name + " > kubelet.conf.new)",
		"(umask 077; tar -czf /root/kubelet-before-$(date +%F-%H%M).tar.gz /etc/kubernetes/kubelet.conf /var/lib/kubelet/pki)",
		"test -s kubelet.conf.new && rm -f /var/lib/kubelet/pki/kubelet-client-*",
		"install -m 600 kubelet.conf.new /etc/kubernetes/kubelet.conf",
		"systemctl restart kubelet",
		"timeout 300 sh -c 'until test -e " + current + "; do sleep 5; done' && sed -i -E 's#client-(certificate|key)-data: .*#client-\\1: " + current + "#' /etc/kubernetes/kubelet.conf && systemctl restart kubelet",
	}
}

// external reports whether the key of a certificate's CA is not on its node, as
// kubeadm sees it. A copy without any key says nothing about that.
func (c *expiryCheck) external(r ExpiryRow) bool {
	ca := strings.TrimSuffix(r.seat.ca, ".crt")
	if r.seat.ca == "" || c.head(r.seat.ca) == nil || c.seats.files[ca+".key"] {
		return false
	}
	for file := range c.seats.files {
		if path.Ext(file) == ".key" && strings.HasPrefix(file, path.Dir(ca)+"/") {
			return true
		}
	}
	return false
}

// kubeletLate reports whether a kubelet should have renewed its certificate by
// now: it does so when 70 to 90 of 100 parts of its life are over (client-go
// util/certificate/certificate_manager.go, nextRotationDeadline). What stands in a
// kubeconfig itself is renewed by nobody.
func (c *expiryCheck) kubeletLate(r ExpiryRow) bool {
	life := r.NotAfter.Unix() - r.NotBefore.Unix()
	return r.Kind == KubeconfigFile || r.NotAfter.Unix()-c.at.Unix() < life/10
}
