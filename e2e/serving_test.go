package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/k3s-io/k3s/pkg/daemons/config"
	"github.com/k3s-io/k3s/pkg/version"
	"github.com/rancher/dynamiclistener"
	"github.com/rancher/dynamiclistener/factory"
	"github.com/rancher/dynamiclistener/storage/file"
	"github.com/rancher/dynamiclistener/storage/memory"

	"rootkiln/e2e/testbed"
)

// dynamicCert is where the supervisor keeps its serving certificate.
const dynamicCert = "tls/dynamic-cert.json"

// serve opens the supervisor's port as k3s does (pkg/cluster/https.go), by its
// own library, and returns the certificate that is served in the end. What the
// port finds in [dynamicCert] it renews on its own time, so it is asked until
// enough is content, or for a while.
func (b bundle) serve(enough func(*x509.Certificate) bool) (*x509.Certificate, error) {
	starting.Lock()
	defer starting.Unlock()
	if err := os.Setenv(leafLifetimeDays, b.leafDays); err != nil {
		return nil, err
	}
	certs, key, err := factory.LoadCertsChain(filepath.Join(b.dir, serverDomain.crt()), filepath.Join(b.dir, serverDomain.key()))
	if err != nil {
		return nil, err
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer port.Close()
	storage := memory.NewBacked(file.New(filepath.Join(b.dir, dynamicCert)))
	listener, handler, err := dynamiclistener.NewListenerWithChain(port, storage, certs, key, dynamiclistener.Config{
		ExpirationDaysCheck: config.CertificateRenewDays,
		Organization:        []string{version.Program},
		CN:                  version.Program,
		SANs:                []string{"127.0.0.1", "::1", "localhost", nodeName, serviceIP, "kubernetes", "kubernetes.default.svc"},
		TLSConfig:           &tls.Config{MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		return nil, err
	}
	server := http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	defer server.Close()
	go server.Serve(listener)
	var served *x509.Certificate
	for range 20 {
		connection, err := tls.Dial("tcp", port.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			return nil, err
		}
		served = connection.ConnectionState().PeerCertificates[0]
		connection.Close()
		if enough(served) {
			break
		}
		time.Sleep(10 * time.Millisecond) // for the routine that renews
	}
	return served, nil
}

// anyCertificate is content with what is served first.
func anyCertificate(*x509.Certificate) bool { return true }

// mendServing does what the remedy says, with the file alone: no Secret is there
// to bring it back.
func (b bundle) mendServing(t *testing.T, r expiryReport) {
	t.Helper()
	if got := r.remedy("serving"); !slices.Equal(got, servingRemedy) {
		t.Errorf("the remedy is %q, want %q", got, servingRemedy)
	}
	if err := os.Remove(filepath.Join(b.dir, dynamicCert)); err != nil {
		t.Fatal(err)
	}
	served, err := b.serve(anyCertificate)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := testbed.ReadChain(filepath.Join(b.dir, serverDomain.crt()))
	if err != nil {
		t.Fatal(err)
	}
	if err := served.CheckSignatureFrom(chain[0]); err != nil {
		t.Errorf("the port serves a certificate of %s: %v", served.Issuer, err)
	}
}
