package middle

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// overruled has the bundle of another cluster saved and starts on it. What opened
// the server before opens it no longer, and its own port shows a certificate
// that the new token does not vouch for, until somebody removes it.
func overruled(t *testing.T, s *server) {
	token, err := os.ReadFile(s.tokenFile())
	if err != nil {
		t.Fatal(err)
	}
	oldToken := testbed.Write(t, filepath.Join(s.dir, "old-token"), token)
	oldFiles, oldRoot, oldAdmin := s.files, s.root, testbed.LoadPair(t, s.tls("client-admin"))

	s.live(t, filepath.Join(s.dir, "unrelated"))
	got := s.offer(t, s.bundle.Dir, true)
	if !got.saved {
		t.Fatalf("rotate-ca with force: %s", got.log)
	}
	tally.forced.Add(1)
	s.stop(t)
	s.start(t)
	t.Run("forced", func(t *testing.T) {
		filesUnchanged(t, s)
		bootstrapValue(t, s)
		joinToken(t, s)
		renewedLeaves(t, s)
		servedBy(t, s, oldFiles)
		// What /cacerts says and what the port shows do not fit, so that no token is
		// of use.
		s.tokenRefused(t, oldToken, "CA cert validation failed")
		s.tokenRefused(t, s.tokenFile(), "CA cert validation failed")
		// Only the group k3s:server may see this page, but to whom k3s knows it
		// says 403.
		for what, c := range map[string]struct {
			admin  *tls.Certificate
			status int
		}{
			"the old admin": {oldAdmin, http.StatusUnauthorized},
			"the new admin": {testbed.LoadPair(t, s.tls("client-admin")), http.StatusForbidden},
		} {
			answer, err := testbed.Client{Root: oldRoot, Certificate: c.admin}.Do(http.MethodGet, s.url+"/v1-k3s/server-bootstrap", "")
			if err != nil || answer.Status != c.status {
				t.Errorf("%s: status %d, %v, want %d", what, answer.Status, err, c.status)
			}
		}
	})
	s.stop(t)
	if err := os.Remove(s.tls("dynamic-cert.json")); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	s.check(t, "forced, with its own certificate renewed")
	s.tokenRefused(t, oldToken, "token CA hash does not match")
	if got := s.offer(t, s.bundle.Dir, false); !got.saved {
		t.Errorf("rotate-ca with the new token: %s", got.log)
	}
}

// tokenRefused shows a join token to the server, as rotate-ca does first.
func (s *server) tokenRefused(t *testing.T, file, reason string) {
	t.Helper()
	_, err := s.run("supervisor", "rotate", "--server", s.url, "--token-file", file, "--path", s.bundle.Dir)
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("%s: %v, want %q", filepath.Base(file), err, reason)
	}
}
