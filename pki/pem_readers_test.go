package pki_test

import (
	"bytes"
	"encoding/pem"
	"os/exec"
	"regexp"
	"testing"

	"rootkiln/pki"
)

// A file is refused if, and only if, a reader does not find in it what stands
// there: Go, which is k3s, or OpenSSL, which is most of what runs in pods.
func TestRefusedIsWhatReadersMiss(t *testing.T) {
	f := newFamily(t)
	one, two := pki.EncodeCertificates(f.clusters.Certificate), pki.EncodeCertificates(f.issuing.Certificate)
	both := join(one, two)
	lineStart := regexp.MustCompile(`(?m)^`)
	for _, tt := range []struct {
		name          string
		file          []byte
		code          pki.Code // empty: a notice
		inGo, openSSL int      // certificates that each finds; -1: refuses the file
	}{
		{"half a marker behind", join(both, "-----BEGIN garbage\n"), "", 2, 2},
		{"half a marker in a text behind", join(both, "trailing -----BEGIN garbage\n"), "", 2, 2},
		{"half a marker between", join(one, "-----BEGIN garbage\n-----END garbage\n", two), "", 2, 2},
		{"half a marker before", join("-----END \n-----BEGIN CERTIFICATE--\n", both), "", 2, 2},
		{"a marker without a block behind", join(both, "-----END CHAIN-----\n"), "", 2, 2},
		{"markers in a sentence", join("Copy from -----BEGIN CERTIFICATE----- to\n-----END CERTIFICATE----- and no further.\n", both), "", 2, 2},
		{"markers in a sentence between", join(one, "-----BEGIN CERTIFICATE----- follows,\n", two), "", 2, 2},
		{"commented out", join(one, lineStart.ReplaceAll(bytes.TrimSpace(two), []byte("# ")), "\n", two), "", 2, 2},
		{"quoted", join(both, lineStart.ReplaceAll(one, []byte("> ")), "\n"), "", 2, 2},
		{"a fingerprint", join(both, pki.Fingerprint(f.root.Certificate)[:39], "\n-----END-----\n"), "", 2, 2},

		{"glued", join(bytes.TrimSpace(one), two), "pem-glued", 0, -1},
		{"glued, with others around", join(one, bytes.TrimSpace(one), two, two), "pem-glued", 2, -1},
		{"glued to text", join(one, "issuing: ", two), "pem-glued", 1, 1},
		{"glued to a comment", join(bytes.TrimSpace(one), " # leaf\n", two), "pem-glued", 1, -1},
		{"a comment behind the first line", join(one, replace(two, "BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE----- # issuing")), "pem-glued", 1, 1},
		{"indented", join(one, lineStart.ReplaceAll(bytes.TrimSpace(two), []byte("  "))), "pem-glued", 1, 1},
		{"the last line glued", join(one, replace(two, "\n-----END", "-----END")), "pem-glued", 1, -1},
		{"half a block behind", join(both, "-----BEGIN GARBAGE-----\n"), "pem-truncated", 2, -1},
		{"half a block of the other kind before", join("-----BEGIN CHAIN-----\n", both), "pem-truncated", 2, -1},
		{"the first line lost", join(one, two[bytes.IndexByte(two, '\n')+1:]), "pem-truncated", 1, 1},
		{"the first line lost in part", join(one, "BEGIN", two[bytes.IndexByte(two, ' '):]), "pem-truncated", 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if n := readByGo(tt.file); n != tt.inGo {
				t.Errorf("Go finds %d, want %d", n, tt.inGo)
			}
			if n := readByOpenSSL(t, tt.file); n != tt.openSSL {
				t.Errorf("OpenSSL finds %d, want %d", n, tt.openSSL)
			}
			certs, found, err := pki.ParseCertificates("root-ca.pem", tt.file)
			if tt.code != "" {
				wantCodes(t, reasons(t, err), tt.code)
				return
			}
			if err != nil || len(certs) != 2 {
				t.Fatalf("read %s: %v", names(certs), err)
			}
			wantCodes(t, found, "pem-normalised")
			if what := found[0].Args["what"]; what != "text around the blocks" {
				t.Errorf("told %q", what)
			}
		})
	}
}

func readByGo(file []byte) int {
	n := 0
	for block, rest := pem.Decode(file); block != nil; block, rest = pem.Decode(rest) {
		n++
	}
	return n
}

func readByOpenSSL(t *testing.T, file []byte) int {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is missing: apt-get install openssl")
	}
	read := exec.CommandContext(t.Context(), "openssl", "crl2pkcs7", "-nocrl", "-certfile", writeFile(t, "file.pem", file))
	out, err := read.Output()
	if err != nil {
		return -1
	}
	return bytes.Count(run(t, out, "openssl", "pkcs7", "-print_certs", "-noout"), []byte("subject="))
}
