package k3s

import "rootkiln/pki"

// Days before its end from which on a leaf certificate is made anew at a start
// (k3s pkg/daemons/config/types.go, CertificateRenewDays): 120 since May 2025
// (v1.33.1, v1.32.5, v1.31.9, v1.30.13; k3s #12232), 90 before.
const (
	RenewDays    = 120
	OldRenewDays = 90
)

// AuthorityWarnDays is from when on k3s itself warns of the end of a CA (k3s
// pkg/certmonitor, CACertificateExpirationWarning).
const AuthorityWarnDays = 365

// Unit is the systemd unit of a node (k3s install.sh; RKE2 packages).
func (p Product) Unit(agent bool) string {
	switch {
	case agent:
		return p.Command + "-agent"
	case p.Distro == pki.RKE2:
		return p.Command + "-server"
	}
	return p.Command
}

// ConfigFile is where a node finds its flags, `server:` among them.
func (p Product) ConfigFile() string { return "/etc/rancher/" + p.Command + "/config.yaml" }

// Kubeconfig is the admin kubeconfig that a server writes at every start.
func (p Product) Kubeconfig() string {
	return "/etc/rancher/" + p.Command + "/" + p.Command + ".yaml"
}

// Kubectl is a call of kubectl that works on a server, whatever its serving
// certificate has come to.
func (p Product) Kubectl() string {
	if p.Distro == pki.RKE2 {
		return p.DataDir + "/bin/kubectl --kubeconfig " + p.Kubeconfig() + " --insecure-skip-tls-verify"
	}
	return p.Command + " kubectl --insecure-skip-tls-verify"
}

// ServingSecret is the Secret in kube-system that holds the supervisor's serving
// certificate beside dynamic-cert.json: each is restored from the other.
func (p Product) ServingSecret() string { return p.Prefix + "-serving" }
