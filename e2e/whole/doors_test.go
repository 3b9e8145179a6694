package whole

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// Ports of etcd; k3s has no flag for them.
const (
	etcdClients = "127.0.0.1:2379"
	etcdPeers   = testbed.Address + ":2380"
)

// bootstrapData asks for what a joining server gets: the private keys of all
// five CAs. k3s wants the group k3s:server for it and nothing else.
func bootstrapData(t *testing.T, c *cluster, ca *testbed.Authority) string {
	pair := ca.Mint(t, intruder.Name, "k3s:server")
	answer, err := testbed.Client{Root: c.root, Certificate: &pair}.Do(http.MethodGet, supervisor+"/v1-k3s/server-bootstrap", "")
	switch {
	case err != nil:
		return err.Error()
	case answer.Status == http.StatusOK && strings.Contains(string(answer.Body), "ClientCAKey") &&
		strings.Contains(string(answer.Body), "ETCDServerCAKey"):
		return "all CA keys"
	}
	return strconv.Itoa(answer.Status)
}

// pretendServer waits as an API server would, with a certificate of the CA, for
// a client that trusts what k3s hands out as the cluster's CA.
func pretendServer(t *testing.T, c *cluster, ca *testbed.Authority) string {
	pair := ca.MintFrom(t, func(template *x509.Certificate) {
		template.Subject.CommonName, template.IPAddresses = "kube-apiserver", []net.IP{net.IPv4(127, 0, 0, 1)}
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	_, err := testbed.Curl(t, c.tls("server-ca.crt"), server.URL)
	switch {
	case err == nil:
		return "trusted"
	case curlStatus(err) == 60: // CURLE_PEER_FAILED_VERIFICATION
		return "not trusted"
	}
	return err.Error()
}

// etcdData asks etcd for keys, by gRPC with a message of
// etcdserverpb.RangeRequest: key "/", range_end "0", limit 3, keys_only.
func etcdData(t *testing.T, c *cluster, ca *testbed.Authority) string {
	pair := ca.Mint(t, intruder.Name)
	return c.rangeKeys(t, &pair)
}

func (c *cluster) rangeKeys(t testing.TB, pair *tls.Certificate) string {
	t.Helper()
	anchors, err := testbed.ReadChain(c.anchor("etcd-server-root"))
	if err != nil {
		t.Fatal(err)
	}
	// With TLS 1.3 a client learns after the handshake that it was refused, or
	// finds the connection closed while it writes (RFC 8446 section 4.4.2.4).
	connection, err := tls.DialWithDialer(&net.Dialer{Timeout: 15 * time.Second}, "tcp", etcdClients, &tls.Config{
		RootCAs: testbed.Pool(anchors[0]), MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil },
	})
	if err != nil {
		if strings.Contains(err.Error(), "remote error: tls: unknown certificate authority") {
			return "no handshake"
		}
		return err.Error()
	}
	connection.Close()

	message := "\x0a\x01/" + "\x12\x010" + "\x18\x03" + "\x40\x01"
	client := testbed.Client{
		Root: anchors[0], Certificate: pair, Header: http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}},
	}
	answer, err := client.Do(http.MethodPost, "https://"+etcdClients+"/etcdserverpb.KV/Range", "\x00\x00\x00\x00"+string(rune(len(message)))+message)
	switch {
	case err != nil:
		return err.Error()
	case strings.Contains(string(answer.Body), "/bootstrap/"):
		return "all data"
	}
	return strconv.Itoa(answer.Status)
}

// etcdPeer asks etcd as another member; its port speaks HTTP/1.1.
func etcdPeer(t *testing.T, c *cluster, ca *testbed.Authority) string {
	pair := ca.MintFrom(t, func(template *x509.Certificate) {
		template.Subject.CommonName = intruder.Name
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	})
	file := filepath.Join(t.TempDir(), "peer")
	testbed.WritePair(t, file, pair)
	out, err := testbed.Curl(t, c.anchor("etcd-peer-root"), "--http1.1", "--tls-max", "1.2", "--cert", file+".crt", "--key", file+".key",
		"--output", filepath.Join(t.TempDir(), "body"), "--write-out", "%{http_code}", "https://"+etcdPeers+"/version")
	switch {
	case err == nil:
		return out
	case strings.Contains(err.Error(), "alert unknown ca"):
		return "no handshake"
	}
	return err.Error()
}

// curlStatus is the exit status of a program, 0 if it did not run.
func curlStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
