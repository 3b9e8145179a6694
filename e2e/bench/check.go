package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// authorities are the five CAs of a k3s server; with their keys and the service
// key they make the eleven files.
var authorities = []string{"client", "server", "request-header", "etcd/peer", "etcd/server"}

// contents is what a bundle must hold for its time to mean anything: a ratio
// between different keys compares nothing.
type contents struct {
	serviceKey         string // PEM type of service.key
	issuer             string // key that signed the leaf CAs
	certificates       int    // in each CA file
	serverCertificates int    // in server-ca.crt
}

// checkArchives checks the two archives of a rootkiln bundle in dir.
func (c contents) checkArchives(_ context.Context, dir string, _ []byte) error {
	data, err := os.ReadFile(filepath.Join(dir, serverArchive))
	if err != nil {
		return err
	}
	return errors.Join(c.checkServer(data), checkOffline(dir))
}

// checkStream checks a bundle whose server archive went to standard output.
func (c contents) checkStream(_ context.Context, dir string, stdout []byte) error {
	return errors.Join(c.checkServer(stdout), checkOffline(dir))
}

// checkDirectory checks what the script made. Besides the eleven files there
// are root, intermediate and single certificates, as in the original.
func (c contents) checkDirectory(ctx context.Context, dir string, _ []byte) error {
	files := map[string][]byte{}
	for _, name := range elevenFiles() {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		files[name] = data
	}
	if err := c.checkFiles(files); err != nil {
		return err
	}
	root := filepath.Join(dir, "tls", "root-ca.pem")
	for _, a := range authorities {
		chain := filepath.Join(dir, "tls", a+"-ca.crt")
		verify := exec.CommandContext(ctx, "openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, chain)
		if out, err := verify.CombinedOutput(); err != nil {
			return fmt.Errorf("openssl verify %s-ca.crt: %w\n%s", a, err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// checkVersion checks that there is a version.
func checkVersion(_ context.Context, _ string, stdout []byte) error {
	if len(bytes.TrimSpace(stdout)) == 0 {
		return errors.New("nothing on standard output")
	}
	return nil
}

// checkServer checks the archive for the server.
func (c contents) checkServer(archive []byte) error {
	files, err := readArchive(archive)
	if err != nil {
		return fmt.Errorf("server archive: %w", err)
	}
	got, want := slices.Sorted(maps.Keys(files)), elevenFiles()
	if !slices.Equal(got, want) {
		return fmt.Errorf("server archive holds %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
	return c.checkFiles(files)
}

// checkOffline checks that the archive for the safe can be read and holds keys.
func checkOffline(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, offlineArchive))
	if err != nil {
		return err
	}
	files, err := readArchive(data)
	if err != nil {
		return fmt.Errorf("offline archive: %w", err)
	}
	for name := range files {
		if strings.HasSuffix(name, ".key") {
			return nil
		}
	}
	return errors.New("offline archive holds no key")
}

// checkFiles checks the eleven files themselves.
func (c contents) checkFiles(files map[string][]byte) error {
	block, _ := pem.Decode(files["tls/service.key"])
	if block == nil || block.Type != c.serviceKey {
		return fmt.Errorf("service.key is no %s", c.serviceKey)
	}
	for _, a := range authorities {
		file := "tls/" + a + "-ca"
		pair, err := tls.X509KeyPair(files[file+".crt"], files[file+".key"])
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		want := c.certificates
		if a == "server" {
			want = c.serverCertificates
		}
		if got := len(pair.Certificate); got != want {
			return fmt.Errorf("%s.crt holds %d certificates, want %d", file, got, want)
		}
		if got := keyName(pair.Leaf); got != "ECDSA P-256" {
			return fmt.Errorf("%s.crt has a key %s, want ECDSA P-256", file, got)
		}
		issuer, err := x509.ParseCertificate(pair.Certificate[1])
		if err != nil {
			return fmt.Errorf("%s.crt: %w", file, err)
		}
		if err := pair.Leaf.CheckSignatureFrom(issuer); err != nil {
			return fmt.Errorf("%s.crt: %w", file, err)
		}
		if got := keyName(issuer); got != c.issuer {
			return fmt.Errorf("%s.crt has an issuer with %s, want %s", file, got, c.issuer)
		}
	}
	return nil
}

// keyName names algorithm and size of a certificate's key.
func keyName(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	}
	return c.PublicKeyAlgorithm.String()
}

// elevenFiles lists the files of a bundle, sorted.
func elevenFiles() []string {
	files := []string{"tls/service.key"}
	for _, a := range authorities {
		files = append(files, "tls/"+a+"-ca.crt", "tls/"+a+"-ca.key")
	}
	slices.Sort(files)
	return files
}

// readArchive reads the regular files of a tar archive, compressed or not.
func readArchive(data []byte) (map[string][]byte, error) {
	var r io.Reader = bytes.NewReader(data)
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) { // RFC 1952 section 2.3.1
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = z
	}
	files := map[string][]byte{}
	for t := tar.NewReader(r); ; {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeDir {
			continue
		}
		if _, twice := files[header.Name]; twice {
			return nil, fmt.Errorf("%s stands twice", header.Name)
		}
		if files[header.Name], err = io.ReadAll(t); err != nil {
			return nil, err
		}
	}
}
