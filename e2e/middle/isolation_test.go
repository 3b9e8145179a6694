package middle

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// door is a server that asks for certificates of one CA.
type door struct {
	ca           string
	organization string // that it wants
	knock        func(s *server, t testing.TB, pair string) error
	refusal      string // what it says to others
}

var doors = []door{
	{"etcd/server-ca", "system:masters", (*server).listKeys, "alert unknown ca"},
	{"etcd/peer-ca", "system:masters", (*server).askPeer, "alert unknown ca"},
	{"client-ca", "k3s:server", (*server).fetchKeys, "error: 401"},
}

// curl shows a certificate, named without its ending, to a server that is known
// by the certificates of a file. What cannot be loaded is an error. With TLS 1.2
// a refusal comes in the handshake; with 1.3 the connection may end before curl
// has read why.
func (s *server) curl(t testing.TB, pair, anchors, url string) (string, error) {
	t.Helper()
	return testbed.Curl(t, anchors, "--http1.1", "--tls-max", "1.2", "--max-time", "5", "--cert", pair+".crt", "--key", pair+".key", url)
}

// listKeys is etcd's port for clients. etcdctl keeps to itself why it is
// refused.
func (s *server) listKeys(t testing.TB, pair string) error {
	out, err := s.etcdctl(pair, "get", "/", "--prefix", "--keys-only")
	if err != nil {
		_, reason := s.curl(t, pair, s.tls("etcd/server-ca.crt"), "https://127.0.0.1:2379/version")
		return errors.Join(err, reason)
	}
	if !strings.Contains(out, "/bootstrap/") {
		return fmt.Errorf("no keys listed: %q", out)
	}
	return nil
}

// askPeer is etcd's port for members.
func (s *server) askPeer(t testing.TB, pair string) error {
	out, err := s.curl(t, pair, s.tls("etcd/peer-ca.crt"), "https://127.0.0.1:2380/version")
	if err == nil && !strings.Contains(out, "etcdserver") {
		err = fmt.Errorf("not etcd's version: %q", out)
	}
	return err
}

// fetchKeys is the supervisor, which gives all CA keys to another server.
func (s *server) fetchKeys(t testing.TB, pair string) error {
	out, err := s.curl(t, pair, s.rootFile, s.url+"/v1-k3s/server-bootstrap")
	if err != nil {
		return err
	}
	var m map[string]member
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		return err
	}
	if string(m["ClientCAKey"].Content) != string(s.files["client-ca.key"]) {
		return errors.New("the answer lacks the client CA's key")
	}
	return nil
}

// ownLeaves are certificates that k3s makes, by the CA that signs them.
var ownLeaves = map[string][]string{
	"client-ca":         {"client-kube-proxy", "client-k3s-controller", "client-admin"},
	"request-header-ca": {"client-auth-proxy"},
	"etcd/peer-ca":      {"etcd/peer-server-client"},
	"etcd/server-ca":    {"etcd/client", "etcd/server-client"},
}

// isolation knocks at every door with a certificate that each CA can sign, and
// at etcd's with k3s's own. Isolated CAs open their own door alone, and what
// shared ones open is what `rootkiln verify` says.
func isolation(t *testing.T, s *server) {
	said := s.openings(t)
	if (len(said) > 0) != (s.topology == shared) {
		t.Errorf("rootkiln verify says %v of %s CAs", said, s.topology)
	}
	for _, d := range doors {
		for _, from := range cas {
			pair := filepath.Join(s.dir, "visitors", role(from)+"-at-"+role(d.ca))
			testbed.WritePair(t, pair, testbed.ReadAuthority(t, s.tls(from)).Mint(t, "visitor", d.organization))
			s.try(t, "minted by "+role(from), pair, d, from == d.ca || s.topology == shared)
			if from != d.ca && said[opening{role(from), role(d.ca)}] != (s.topology == shared) {
				t.Errorf("rootkiln verify says of %s at %s: %t", from, d.ca, said[opening{role(from), role(d.ca)}])
			}
		}
		if d.ca == "client-ca" {
			continue // no leaf of k3s is for fetching keys
		}
		for from, leaves := range ownLeaves {
			for _, leaf := range leaves {
				s.try(t, leaf, s.tls(leaf), d, from == d.ca || s.topology == shared)
			}
		}
	}
}

// try knocks while the others do: etcdctl goes on for seconds when it is
// refused.
func (s *server) try(t *testing.T, name, pair string, d door, enters bool) {
	t.Run(strings.ReplaceAll(name, "/", "-")+" at "+role(d.ca), func(t *testing.T) {
		t.Parallel()
		tally.probes.Add(1)
		err := d.knock(s, t, pair)
		if (err == nil) != enters {
			t.Errorf("let in %t, want %t (%v)", err == nil, enters, err)
		}
		if err != nil && !strings.Contains(err.Error(), d.refusal) {
			t.Errorf("it failed for another reason than %q: %v", d.refusal, err)
		}
	})
}

// role is the CA's name in rootkiln's reports.
func role(ca string) string { return strings.ReplaceAll(ca, "/", "-") }

// opening is that certificates of one CA open another's doors.
type opening struct{ from, to string }

// openings are those that `rootkiln verify` names.
func (s *server) openings(t testing.TB) map[opening]bool {
	t.Helper()
	said := map[opening]bool{}
	for _, pair := range testbed.Openings(t, s.bundle.Dir) {
		said[opening{pair[0], pair[1]}] = true
	}
	return said
}
