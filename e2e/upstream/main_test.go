package upstream

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"rootkiln/e2e/testbed"
)

// tally counts what ran, for the last line.
var tally struct{ bundles, requests, pitfalls, judgements atomic.Int64 }

func TestMain(m *testing.M) {
	os.Exit(testbed.Main(m, "etcd", "kube-apiserver", "kube-controller-manager", "kubeadm", "kubectl", "curl", "openssl"))
}

// TestUpstream is one test because what it has run is said at its end.
func TestUpstream(t *testing.T) {
	t.Run("control plane", controlPlanes)
	t.Run("kinds", kinds)
	t.Run("pitfalls", pitfallRows)
	t.Run("service keys", serviceKeyFiles)
	testbed.Note("upstream: etcd %s, kube-apiserver, kube-controller-manager and kubeadm %s, %d bundles, %d requests, %d pitfalls with %d judgements",
		version(t, "etcd", "--version"), version(t, "kube-apiserver", "--version"),
		tally.bundles.Load(), tally.requests.Load(), tally.pitfalls.Load(), tally.judgements.Load())
}

// version is the last word of the first line that the program says of itself.
func version(t *testing.T, command ...string) string {
	t.Helper()
	out, err := testbed.Run("", nil, command...)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(out, "\n")
	words := strings.Fields(line)
	return words[len(words)-1]
}
