package k3s

import "strings"

// derivedFiles are what a server makes in its tls directory beside the leaf
// certificates: first certificates and keys on their own
// (client-ca.nochain.crt, service.current.key), keys that old agents shared, the
// supervisor's certificate and the order to make it anew, CA files of a former
// name (k3s pkg/daemons/control/deps/deps.go; dynamiclistener).
var derivedFiles = map[string]bool{
	"client-ca.nochain.crt": true, "server-ca.nochain.crt": true, "service.current.key": true,
	"client-kubelet.key": true, "serving-kubelet.key": true,
	"dynamic-cert.json": true, "dynamic-cert-regenerate": true,
	"token-ca.crt": true, "token-ca.key": true,
}

// Derived reports whether the server itself makes the file; the path is relative
// to the tls directory.
func Derived(p Product, rel string) bool {
	if derivedFiles[rel] || strings.HasPrefix(rel, "temporary-certs/") {
		return true
	}
	for _, leaf := range Leaves(p) {
		if rel == leaf.File+".crt" || rel == leaf.File+".key" {
			return true
		}
	}
	return false
}
