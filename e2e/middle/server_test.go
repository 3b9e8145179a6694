package middle

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

type (
	topology string
	store    string
)

const (
	isolated topology = "isolated"
	shared   topology = "shared"

	sqlite store = "sqlite"
	etcd   store = "etcd"
)

// ports keep the servers apart that run at the same time.
var ports = map[store]int{sqlite: 6443, etcd: 16443}

// password is the secret part of the join token.
const password = "throwaway"

// server is a supervisor with the bundle that it lives on.
type server struct {
	topology topology
	store    store
	bundle   testbed.Bundle // of the first start
	files    files          // that it must have now
	root     *x509.Certificate
	rootFile string // of the server domain, all that a client knows

	dir, data string
	url       string
	process   *testbed.Process
	starts    int
}

// found makes a bundle and puts it where a server looks before its first start.
func found(t *testing.T, topology topology, store store) *server {
	t.Helper()
	s := &server{topology: topology, store: store, dir: testbed.Dir(t)}
	s.data = filepath.Join(s.dir, "data")
	s.url = fmt.Sprintf("https://127.0.0.1:%d", ports[store])
	s.live(t, s.dir)
	testbed.Write(t, s.passwordFile(), []byte(password))
	s.bundle.Copy(t, s.data)
	return s
}

// live makes a bundle in the directory and expects the server to live on it.
func (s *server) live(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.bundle = testbed.NewBundle(t, dir, "--topology", string(s.topology))
	tally.bundles.Add(1)
	s.files = readFiles(t, filepath.Join(s.bundle.Dir, "tls"))
	s.rootFile = filepath.Join(s.bundle.Offline, "root-ca.crt")
	s.root = testbed.ReadRoot(t, s.rootFile)
}

func (s *server) passwordFile() string { return filepath.Join(s.dir, "password") }

// tokenFile is where k3s writes the token by which further servers join.
func (s *server) tokenFile() string { return filepath.Join(s.data, "server", "token") }

// tls is the path of a file in the server's tls folder.
func (s *server) tls(name string) string {
	return filepath.Join(s.data, "server", "tls", filepath.FromSlash(name))
}

// start starts the supervisor and waits for its datastore, and for the value
// that it saves there on its own time.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.launch(t)
	s.process.Await(t, 90*time.Second, "datastore ready", func() error {
		if !strings.Contains(s.process.LogSince(0), "datastore ready") {
			return errors.New("the log does not say so")
		}
		_, err := s.storedValue()
		return err
	})
}

// launch starts it and waits for nothing.
func (s *server) launch(t *testing.T) {
	t.Helper()
	s.starts++
	s.process = testbed.Start(t, s.dir, fmt.Sprintf("supervisor-%d", s.starts), nil, "supervisor", "serve", "--data-dir", s.data,
		"--store", string(s.store), "--token-file", s.passwordFile(), "--address", testbed.Address, "--port", s.url[strings.LastIndexByte(s.url, ':')+1:])
	tally.starts.Add(1)
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	s.process.Stop(t)
	if _, err := s.process.Exited(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}

// wipe leaves nothing of the server but its datastore. From embedded etcd k3s
// restores only into folders that are not empty; it starts over with CAs of its
// own otherwise (k3s-io/k3s#13371).
func (s *server) wipe(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.data, "server"))
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, entry := range entries {
		if entry.Name() == "db" {
			kept++
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.data, "server", entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if kept != 1 {
		t.Fatalf("no datastore among %v", entries)
	}
	if s.store == etcd {
		for _, folder := range []string{"cred", "tls", "tls/etcd"} {
			testbed.Write(t, filepath.Join(s.data, "server", filepath.FromSlash(folder), "left"), nil)
		}
	}
}

// run runs a command in the server's directory.
func (s *server) run(command string, args ...string) (string, error) {
	return testbed.Run(s.dir, nil, append([]string{command}, args...)...)
}

// checks are what must hold after every start.
var checks = []struct {
	name string
	run  func(*testing.T, *server)
}{
	{"files unchanged", filesUnchanged},
	{"trust in the server root alone", trustInRoot},
	{"cacerts", cacerts},
	{"join token", joinToken},
	{"bootstrap value", bootstrapValue},
	{"bootstrap value by rootkiln", readByRootkiln},
}

func (s *server) check(t *testing.T, stage string) {
	t.Helper()
	t.Run(stage, func(t *testing.T) {
		for _, check := range checks {
			t.Run(check.name, func(t *testing.T) { check.run(t, s) })
		}
	})
}

func filesUnchanged(t *testing.T, s *server) {
	if differing := readFiles(t, s.tls("")).differing(s.files); len(differing) > 0 {
		t.Errorf("on disk differ: %s", strings.Join(differing, ", "))
	}
}

// trustInRoot lets clients verify the supervisor's port with the root alone.
func trustInRoot(t *testing.T, s *server) {
	if _, err := (testbed.Client{Root: s.root}).Get(s.url + "/ping"); err != nil {
		t.Errorf("Go: %v", err)
	}
	if _, err := testbed.Curl(t, s.rootFile, s.url+"/ping"); err != nil {
		t.Error(err)
	}
	if _, err := s.run("openssl", "s_client", "-connect", strings.TrimPrefix(s.url, "https://"), "-verify_ip", "127.0.0.1",
		"-x509_strict", "-verify_return_error", "-CAfile", s.rootFile, "-no-CApath", "-no-CAstore"); err != nil {
		t.Error(err)
	}
}

// cacerts is what a joining node loads before it trusts anything.
func cacerts(t *testing.T, s *server) {
	answer, err := testbed.Client{Root: s.root}.Get(s.url + "/cacerts")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(answer.Body, s.files["server-ca.crt"]) {
		t.Errorf("/cacerts is %d bytes that are not the %d of server-ca.crt", len(answer.Body), len(s.files["server-ca.crt"]))
	}
}

func joinToken(t *testing.T, s *server) {
	text, err := os.ReadFile(s.tokenFile())
	if err != nil {
		t.Fatal(err)
	}
	got := strings.TrimSpace(string(text))
	if want := "K10" + testbed.TokenHash(s.root) + "::server:" + password; got != want {
		t.Errorf("k3s's token is %s, want %s", got, want)
	}
	dir := filepath.Join(t.TempDir(), "now")
	s.files.write(t, dir)
	ours, err := testbed.Rootkiln("token", dir)
	if err != nil || strings.TrimSpace(ours)+"server:"+password != got {
		t.Errorf("rootkiln token says %s (%v), k3s %s", ours, err, got)
	}
}

// leaves are the certificates that k3s makes from each CA.
var leaves = map[string][]string{
	"server-ca": {"serving-kube-apiserver"},
	"client-ca": {
		"client-admin", "client-supervisor", "client-kube-apiserver", "client-controller", "client-scheduler",
		"client-kube-proxy", "client-k3s-controller", "client-k3s-cloud-controller",
	},
	"request-header-ca": {"client-auth-proxy"},
	"etcd/peer-ca":      {"etcd/peer-server-client"},
	"etcd/server-ca":    {"etcd/client", "etcd/server-client"},
}

// renewedLeaves wants each of them signed by the present CA.
func renewedLeaves(t *testing.T, s *server) {
	for ca, names := range leaves {
		authority, err := testbed.DecodeChain(s.files[ca+".crt"])
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			chain, err := testbed.ReadChain(s.tls(name + ".crt"))
			if err != nil {
				t.Error(err)
				continue
			}
			if err := chain[0].CheckSignatureFrom(authority[0]); err != nil {
				t.Errorf("%s is not of the present %s: %v", name, ca, err)
			}
		}
	}
}

// servedBy wants the supervisor's own certificate signed by the server CA of
// these files.
func servedBy(t *testing.T, s *server, f files) {
	authority, err := testbed.DecodeChain(f["server-ca.crt"])
	if err != nil {
		t.Fatal(err)
	}
	var roots []*x509.Certificate // behind them a rotation keeps the CA of before
	for _, c := range authority {
		if c.CheckSignatureFrom(c) == nil {
			roots = append(roots, c)
		}
	}
	answer, err := testbed.Client{Roots: roots}.Get(s.url + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.TLS.PeerCertificates[0].CheckSignatureFrom(authority[0]); err != nil {
		t.Errorf("%s serves a certificate of %s: %v", s.url, answer.TLS.PeerCertificates[0].Issuer, err)
	}
}
