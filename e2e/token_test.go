package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/k3s-io/k3s/pkg/clientaccess"
	"k8s.io/client-go/util/cert"

	"rootkiln/e2e/testbed"
)

// TestTokens has k3s and rootkiln compute the token of files that no two
// readers need agree on, and k3s's client join a server that has such a file.
func TestTokens(t *testing.T) {
	t.Parallel()
	b := testbed.NewBundle(t, testbed.Dir(t), "--service-alg", "p256")
	for _, c := range oddServerCAs(t) {
		t.Run(c.name, func(t *testing.T) {
			file := testbed.Write(t, b.TLS("server-ca.crt"), c.text)
			testbed.Write(t, b.TLS("server-ca.key"), testbed.EncodeKey(t, "PRIVATE KEY", c.first.Key))
			full, err := clientaccess.FormatToken(joinCredentials, file)
			if c.mode == noToken {
				if err == nil {
					t.Errorf("k3s made token %s, want none", full)
				}
				for _, path := range []string{b.Dir, file} {
					if out, err := testbed.Rootkiln("token", path); err == nil {
						t.Errorf("rootkiln token printed %q, k3s makes none", out)
					}
				}
				return
			}
			if err != nil {
				t.Fatalf("k3s: %v", err)
			}
			if mode, root := modeOfK3s(t, full, c.text); mode != c.mode || !sameOrNil(root, c.root) {
				t.Errorf("k3s took mode %s, root %s; want %s, %s", mode, subject(root), c.mode, subject(c.root))
			}
			for _, path := range []string{b.Dir, file} {
				if err := compareToken(full, c.mode, path); err != nil {
					t.Error(err)
				}
			}
			if err := compareReports(full, c.mode, b.Dir); err != nil {
				t.Error(err)
			}
			c.checkJoin(t, full)
		})
	}
}

// modeOfK3s finds out what k3s's code hashed: the bytes of the file, or which
// of its certificates.
func modeOfK3s(t *testing.T, token string, file []byte) (string, *x509.Certificate) {
	t.Helper()
	certificates, err := cert.ParseCertsPEM(file) // k3s reads with a copy of it
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.TrimSuffix(strings.TrimPrefix(token, "K10"), "::"+joinCredentials)
	if sum := sha256.Sum256(file); hash == hex.EncodeToString(sum[:]) {
		if len(certificates) == 1 {
			return "file", nil
		}
		return "fallback", nil
	}
	for _, certificate := range certificates {
		if hash == testbed.TokenHash(certificate) {
			return "root", certificate
		}
	}
	return "of neither the file nor a certificate in it", nil
}

// compareToken compares k3s's token, without credentials, with what `rootkiln
// token` prints for the path, and the mode with the one that it names.
func compareToken(full, mode, path string) error {
	tally.tokens.Add(1)
	want := strings.TrimSuffix(full, joinCredentials) + "\n"
	stdout, stderr, err := testbed.Outputs("", nil, os.Getenv("ROOTKILN"), "--lang", "en", "token", path)
	if err != nil {
		return err
	}
	if stdout != want || !strings.HasPrefix(stderr, "mode "+mode+": ") {
		return fmt.Errorf("rootkiln token printed %q and %q, want %q and mode %s", stdout, stderr, want, mode)
	}
	return nil
}

// compareReports does so with what programs read of `rootkiln token` and
// `rootkiln verify`, whatever else that finds.
func compareReports(full, mode, dir string) error {
	tally.tokens.Add(2)
	type token struct{ Token, Mode string }
	var alone token
	var verdict struct{ Token token }
	var errs []error
	for command, report := range map[string]any{"token": &alone, "verify": &verdict} {
		out, failed := testbed.Rootkiln(command, "--output", "json", dir)
		if err := json.Unmarshal([]byte(out), report); err != nil {
			errs = append(errs, fmt.Errorf("rootkiln %s: %w: %v", command, err, failed))
		}
	}
	want := token{strings.TrimSuffix(full, joinCredentials), mode}
	if alone != want || verdict.Token != want {
		errs = append(errs, fmt.Errorf("rootkiln reports %v by token, %v by verify, want %v", alone, verdict.Token, want))
	}
	return errors.Join(errs...)
}

// checkJoin shows the token, and one with another hash, to k3s's client. What
// it asks is what a k3s server has: its CA file at /cacerts, and a serving
// certificate of the file's first CA with the file's chain behind it.
func (c serverCA) checkJoin(t *testing.T, token string) {
	t.Helper()
	pair := c.first.MintFrom(t, func(template *x509.Certificate) {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		template.ExtKeyUsage = serverOnly
	})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cacerts" {
			w.Write(c.text)
		}
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.Config.ErrorLog = quiet
	server.StartTLS()
	defer server.Close()

	tally.joins.Add(2)
	if _, err := clientaccess.ParseAndValidateToken(server.URL, token); !failsWith(err, c.join) {
		t.Errorf("k3s's client says %v of the token, want %q", err, c.join)
	}
	wrong := strings.Replace(token, token[:4], "K10"+string('0'+(token[3]+1)%8), 1)
	want := c.join
	if want == "" {
		want = "token CA hash does not match the Cluster CA certificate hash"
	}
	if _, err := clientaccess.ParseAndValidateToken(server.URL, wrong); !failsWith(err, want) {
		t.Errorf("k3s's client says %v of a wrong hash, want %q", err, want)
	}
}

// failsWith reports whether the error says so; the empty text stands for none.
func failsWith(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

func sameOrNil(a, b *x509.Certificate) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(b)
}

func subject(certificate *x509.Certificate) string {
	if certificate == nil {
		return "none"
	}
	return certificate.Subject.String()
}
