package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/k3s-io/k3s/pkg/clientaccess"
	"github.com/k3s-io/k3s/pkg/daemons/config"
	"github.com/k3s-io/k3s/pkg/daemons/control/deps"
	"github.com/k3s-io/k3s/pkg/version"
)

const (
	// leafLifetimeDays is the variable that gives k3s's leaves another lifetime
	// than 365 days (rancher/dynamiclistener, cert.NewSignedCert).
	leafLifetimeDays = "CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS"

	joinPassword    = "throwaway"
	joinCredentials = "server:" + joinPassword // what stands behind the hash in a full token
	nodeName        = "node1"
	serviceIP       = "10.43.0.1" // of the service `kubernetes`
)

// hosts are the names by which clients know this node's servers.
var hosts = []string{"127.0.0.1", "::1", "localhost", nodeName, serviceIP}

// starting guards what all starts in this process share: version.Program, and
// the environment.
var starting sync.Mutex

// start does what k3s does with the tls folder between reading its flags and
// opening its datastore, and returns the join token.
func (b bundle) start() (token string, err error) {
	// RKE2 is k3s's code linked with another value here (rancher/rke2,
	// scripts/build-binary); the names of three leaves follow it.
	starting.Lock()
	defer starting.Unlock()
	version.Program = b.distro
	if err := os.Setenv(leafLifetimeDays, b.leafDays); err != nil {
		return "", err
	}
	for _, dir := range []string{"etc", "tls", "cred"} {
		if err := os.MkdirAll(filepath.Join(b.dir, dir), 0o700); err != nil {
			return "", err
		}
	}
	_, services, err := net.ParseCIDR("10.43.0.0/16")
	if err != nil {
		return "", err
	}
	control := &config.Control{
		DataDir: b.dir, Token: joinPassword, APIServerPort: 6444, SupervisorPort: 6443,
		SANs:    hosts,
		Runtime: config.NewRuntime(nil),
	}
	control.EncryptSecrets = true
	control.ClusterDomain = "cluster.local"
	control.ServiceIPRange = services
	control.EgressSelectorMode = config.EgressSelectorModeAgent
	deps.CreateRuntimeCertFiles(control)
	if err := deps.GenServerDeps(control); err != nil {
		return "", fmt.Errorf("GenServerDeps: %w", err)
	}
	return clientaccess.FormatToken(control.Runtime.ServerToken, control.Runtime.ServerCA)
}

// snapshot is every file below a directory with the digest of its content.
type snapshot map[string][sha256.Size]byte

func take(dir string) (snapshot, error) {
	s := snapshot{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		s[filepath.ToSlash(name)] = sha256.Sum256(data)
		return err
	})
	return s, err
}

// names are the files of the snapshot, sorted.
func (s snapshot) names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// changed lists the files of s that are another file, or none, in the later
// snapshot.
func (s snapshot) changed(later snapshot) []string {
	var names []string
	for _, name := range s.names() {
		if digest, ok := later[name]; !ok || digest != s[name] {
			names = append(names, name)
		}
	}
	return names
}
