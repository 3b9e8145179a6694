package pki_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
)

func replace(text []byte, pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(string(text)))
}

func join(parts ...any) (out []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			out = append(out, p...)
		case []byte:
			out = append(out, p...)
		}
	}
	return out
}

// What editors, mail programs and openssl do to a file is taken with a notice;
// the certificates are the same, and what we write has none of it.
func TestHarmlessPEM(t *testing.T) {
	f := newFamily(t)
	chain := certificates(f.clusters, f.issuing, f.policy, f.root)
	clean := pki.EncodeCertificates(chain...)
	leaf, rest := pki.EncodeCertificates(chain[0]), pki.EncodeCertificates(chain[1:]...)
	for _, tt := range []struct {
		name string
		file []byte
		what string // of the notice; empty: none
	}{
		{"clean", clean, ""},
		{"Windows line ends", replace(clean, "\n", "\r\n"), "CR line ends"},
		{"line ends of old Macs", replace(clean, "\n", "\r"), "CR line ends"},
		{"both kinds", join(replace(leaf, "\n", "\r\n"), rest), "CR line ends"},
		{"byte order mark", join("\xef\xbb\xbf", clean), "byte order mark"},
		{"no last newline", bytes.TrimSuffix(clean, []byte("\n")), "no last newline"},
		{"blank lines", join("\n\n", leaf, "\n", rest, "\n"), ""},
		{"spaces at line ends", replace(clean, "\n", " \t\n"), ""},
		{"lines of any length", rewrapped(chain, 76), ""},
		{"one long line", rewrapped(chain, 1<<20), ""},
		{"text before", join("# our root\n", clean), "text around the blocks"},
		{"text between", join(leaf, "subject=CN = issuing\n", rest), "text around the blocks"},
		{"text behind", join(clean, "expires in June"), "no last newline, text around the blocks"},
		{"a ruler", join("# ", strings.Repeat("-", 70), "\n# our root\n", clean), "text around the blocks"},
		{"short rulers", join("----- Begin of chain ----- 1 -----\n", clean), "text around the blocks"},
		{"the text form of openssl", run(t, leaf, "openssl", "x509", "-text"), "text around the blocks"},
		// k3s passes over a block with headers (client-go, ParseCertsPEM).
		{"headers in a block", replace(clean, "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nComment: from mail\n\n"), "headers in a block"},
		{"all of it", join("\xef\xbb\xbf", replace(bytes.TrimSpace(clean), "-----BEGIN", "cert:\n-----BEGIN", "\n", "\r\n")), "byte order mark, CR line ends, no last newline, text around the blocks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := bytes.Clone(tt.file)
			certs, found, err := pki.ParseCertificates("root-ca.pem", tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, tt.file) {
				t.Error("the input was changed")
			}
			want := chain
			if tt.name == "the text form of openssl" {
				want = chain[:1]
			}
			if !slices.EqualFunc(certs, want, (*x509.Certificate).Equal) {
				t.Errorf("read %s", names(certs))
			}
			if tt.what == "" {
				wantCodes(t, found)
				return
			}
			wantCodes(t, found, "pem-normalised")
			if found[0].Args["what"] != tt.what || found[0].Subject != "root-ca.pem" {
				t.Errorf("told %v, want %q", found[0], tt.what)
			}
		})
	}
}

func rewrapped(chain []*x509.Certificate, width int) (out []byte) {
	for _, c := range chain {
		text := strings.ReplaceAll(string(pki.EncodeCertificates(c)), "\n", "")
		text = strings.TrimSuffix(strings.TrimPrefix(text, "-----BEGIN CERTIFICATE-----"), "-----END CERTIFICATE-----")
		out = join(out, "-----BEGIN CERTIFICATE-----\n")
		for len(text) > width {
			out, text = join(out, text[:width], "\n"), text[width:]
		}
		out = join(out, text, "\n-----END CERTIFICATE-----\n")
	}
	return out
}

// What the standard library passes over in silence, so that k3s would lose a
// certificate, is refused with the line.
func TestBrokenPEM(t *testing.T) {
	f := newFamily(t)
	one, two := pki.EncodeCertificates(f.clusters.Certificate), pki.EncodeCertificates(f.issuing.Certificate)
	lines := bytes.Count(one, []byte("\n"))
	key, err := pki.ExportPEM(f.root.Key)
	if err != nil {
		t.Fatal(err)
	}
	half := one[:len(one)/2]
	half = half[:bytes.LastIndexByte(half, '\n')+1]
	for _, tt := range []struct {
		name string
		file []byte
		code pki.Code
		line int // 0: none
	}{
		{"glued", join(bytes.TrimSpace(one), two), "pem-glued", lines},
		{"glued with a space", join(bytes.TrimSpace(one), " ", two), "pem-glued", lines},
		{"glued to text", join("root: ", one), "pem-glued", 1},
		{"indented", join(one, replace(two, "-----BEGIN", "  -----BEGIN", "-----END", "  -----END")), "pem-glued", lines + 1},
		{"glued to a comment", join(bytes.TrimSpace(one), " # leaf\n", two), "pem-glued", lines},
		{"a comment behind the first line", replace(one, "BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE----- # leaf"), "pem-glued", 1},
		{"glued to the last line of base64", replace(one, "\n-----END", "-----END"), "pem-glued", lines - 1},
		{"one line", replace(one, "\n", ""), "pem-glued", 1},
		{"cut behind a text", join("root: ", half), "pem-truncated", 1},
		{"cut in the middle", half, "pem-truncated", 1},
		{"cut, and another behind", join(half, two), "pem-truncated", bytes.Count(half, []byte("\n")) + 1},
		{"the first line is missing", one[bytes.IndexByte(one, '\n')+1:], "pem-truncated", lines - 1},
		{"no end", bytes.TrimSuffix(one, []byte("-----END CERTIFICATE-----\n")), "pem-truncated", 1},
		{"not base64", replace(one, "\nMII", "\n!!!"), "pem-undecodable", lines},
		{"a character is missing", replace(one, "\nMII", "\nMI"), "pem-undecodable", lines},
		{"ends as something else", replace(one, "END CERTIFICATE", "END CERT"), "pem-undecodable", lines},
		{"no certificate in it", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("hello")}), "certificate-parse", 0},
		{"nothing in it", []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "certificate-parse", 0},
		{"a key", key, "pem-type", 0},
		{"a key behind", join(one, key), "pem-type", 0},
		{"a trusted certificate of OpenSSL", replace(one, "CERTIFICATE", "TRUSTED CERTIFICATE"), "pem-type", 0},
		{"empty", nil, "pem-none", 0},
		{"only text", []byte("see the wiki\n"), "pem-none", 0},
		{"UTF-16", []byte("\xff\xfe-\x00-\x00-\x00"), "pem-none", 0},
		{"DER", f.root.Certificate.Raw, "pem-none", 0},
		{"larger than 1 MiB", join(one, bytes.Repeat([]byte("\n"), 1<<20-len(one)+1)), "pem-too-large", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := pki.ParseCertificates("root-ca.pem", tt.file)
			found := reasons(t, err)
			wantCodes(t, found, tt.code)
			if line := found[0].Args["line"]; tt.line > 0 && line != fmt.Sprint(tt.line) {
				t.Errorf("line %s, want %d", line, tt.line)
			}
			if found[0].Subject != "root-ca.pem" {
				t.Errorf("subject %q", found[0].Subject)
			}
		})
	}
	if _, _, err := pki.ParseCertificates("", join(one, bytes.Repeat([]byte("\n"), 1<<20-len(one)))); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	_, _, err = pki.ParseCertificates("", join(one, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})))
	if found := reasons(t, err); found[0].Args["index"] != "2" {
		t.Errorf("index %v, want 2", found[0])
	}
}

// Everything we read we write in one way: width 64, one line feed, no text.
func TestEncodeCertificates(t *testing.T) {
	f := newFamily(t)
	text := pki.EncodeCertificates(certificates(f.clusters, f.root)...)
	var want []byte
	for _, c := range certificates(f.clusters, f.root) {
		want = append(want, run(t, c.Raw, "openssl", "x509", "-inform", "DER")...)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("we write\n%s\nopenssl writes\n%s", text, want)
	}
}
