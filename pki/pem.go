package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// maxPEM bounds one PEM input: the largest sensible chain is some 20 kB.
const maxPEM = 1 << 20

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
)

// decodePEM returns the PEM blocks of data in order. It refuses what the
// standard library's decoder skips in silence and k3s would therefore lose:
// blocks glued to each other or to text on one line, cut off, or not decodable.
// What is harmless (CRLF, a byte order mark, text around the blocks, headers in
// a certificate's block, no last newline) is taken with one notice.
func decodePEM(subject string, data []byte) ([]*pem.Block, []Finding, error) {
	if len(data) > maxPEM {
		return nil, nil, refuse("pem-too-large", subject, "limit", strconv.Itoa(maxPEM)+" bytes")
	}
	var warts []string
	if rest, ok := bytes.CutPrefix(data, []byte("\xef\xbb\xbf")); ok {
		data, warts = rest, append(warts, "byte order mark")
	}
	if bytes.ContainsRune(data, '\r') {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
		warts = append(warts, "CR line ends")
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		data, warts = append(bytes.Clone(data), '\n'), append(warts, "no last newline")
	}

	var blocks []*pem.Block
	text, headers := false, false
	start := -1 // offset of the open block, -1 outside
	offset := 0
	for number, line := range bytes.SplitAfter(data, []byte("\n")) {
		trimmed := strings.TrimRight(string(line), " \t\n")
		begins, ends := strings.HasPrefix(trimmed, pemBegin), strings.HasPrefix(trimmed, pemEnd)
		markers := strings.Count(trimmed, pemBegin) + strings.Count(trimmed, pemEnd)
		at := strconv.Itoa(number + 1)
		switch {
		case markers > 1, markers == 1 && !begins && !ends:
			return nil, nil, refuse("pem-glued", subject, "line", at)
		case begins && start >= 0, ends && start < 0:
			return nil, nil, refuse("pem-truncated", subject, "line", at)
		case begins:
			start = offset
		case ends:
			block, rest := pem.Decode(data[start : offset+len(line)])
			if block == nil || len(bytes.TrimSpace(rest)) > 0 {
				return nil, nil, refuse("pem-undecodable", subject, "line", at, "detail", "not base64 between the markers")
			}
			headers = headers || block.Type == "CERTIFICATE" && len(block.Headers) > 0
			blocks, start = append(blocks, block), -1
		case start < 0 && strings.TrimSpace(trimmed) != "":
			text = true
		}
		offset += len(line)
	}
	if start >= 0 {
		return nil, nil, refuse("pem-truncated", subject, "line", strconv.Itoa(1+bytes.Count(data[:start], []byte("\n"))))
	}
	if text {
		warts = append(warts, "text around the blocks")
	}
	if headers {
		warts = append(warts, "headers in a block")
	}
	if len(blocks) == 0 || len(warts) == 0 {
		return blocks, nil, nil
	}
	return blocks, []Finding{New("pem-normalised", subject, "what", strings.Join(warts, ", "))}, nil
}

// ParseCertificates reads a file of certificates in PEM. At least one must be
// there, and nothing else: a block of another type is refused. The subject (a
// path or a role) stands in the findings.
func ParseCertificates(subject string, data []byte) ([]*x509.Certificate, []Finding, error) {
	blocks, findings, err := decodePEM(subject, data)
	if err != nil {
		return nil, nil, err
	}
	var certs []*x509.Certificate
	for i, block := range blocks {
		if block.Type != "CERTIFICATE" {
			return nil, nil, refuse("pem-type", subject, "type", block.Type, "want", "CERTIFICATE")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, refuse("certificate-parse", subject, "index", strconv.Itoa(i+1), "detail", plain(err))
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, nil, refuse("pem-none", subject, "want", "CERTIFICATE")
	}
	return certs, findings, nil
}

// FoundKey is a private key as it stood in a file: the key and the PEM type,
// which decides whether Kubernetes can read it as a service key.
type FoundKey struct {
	Key  Exportable
	Type string
}

// ParseKeys reads the private keys of a PEM file: PKCS#1, SEC1 and PKCS#8.
// Blocks of EC parameters are passed over, as k3s does. Encrypted keys and TPM
// key files are named by a refusal of their own ("key-encrypted", "key-tpm"),
// so that a caller who can open them knows.
func ParseKeys(subject string, data []byte) ([]FoundKey, []Finding, error) {
	blocks, findings, err := decodePEM(subject, data)
	if err != nil {
		return nil, nil, err
	}
	var keys []FoundKey
	for _, block := range blocks {
		if block.Type == "EC PARAMETERS" {
			continue
		}
		key, err := parseKey(subject, block)
		if err != nil {
			return nil, nil, err
		}
		keys = append(keys, FoundKey{key, block.Type})
	}
	if len(keys) == 0 {
		return nil, nil, refuse("pem-none", subject, "want", "PRIVATE KEY")
	}
	return keys, findings, nil
}

func parseKey(subject string, block *pem.Block) (Exportable, error) {
	var parsed any
	var err error
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return nil, refuse("key-encrypted", subject)
	case block.Type == "TSS2 PRIVATE KEY":
		return nil, refuse("key-tpm", subject)
	case block.Type == "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case block.Type == "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, refuse("pem-type", subject, "type", block.Type, "want", "PRIVATE KEY")
	}
	if err != nil {
		return nil, refuse("key-parse", subject, "detail", plain(err))
	}
	return UsableKey(subject, parsed)
}

// UsableKey takes a decoded private key if rootkiln may use it: ECDSA on the
// three NIST curves, RSA of at least 2048 bits with the exponent 65537.
func UsableKey(subject string, key any) (Exportable, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, refuse("key-unsupported", subject, "key", fmt.Sprintf("%T", key))
	}
	if f, bad := weakKey(subject, signer.Public()); bad {
		return nil, &Refusal{[]Finding{f}}
	}
	k, err := SoftwareKey(signer)
	if err != nil {
		return nil, refuse("key-unsupported", subject, "key", DescribeKey(signer.Public()))
	}
	return k, nil
}

// maxRSABits is above every key in use.
const maxRSABits = 8192

// weakKey finds keys that must not sign: RSA under 2048 bits or of an unusual
// exponent, curves and algorithms that k3s's readers do not take.
func weakKey(subject string, pub crypto.PublicKey) (Finding, bool) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return New("key-weak", subject, "key", DescribeKey(pub)), true
		}
		if k.E != 65537 {
			return New("key-weak", subject, "key", fmt.Sprintf("%s, exponent %d", DescribeKey(pub), k.E)), true
		}
		if k.N.BitLen() > maxRSABits {
			return New("key-unsupported", subject, "key", DescribeKey(pub)), true
		}
		if closePrimes(k.N) {
			return New("key-weak", subject, "key", DescribeKey(pub)+", close primes"), true
		}
	case *ecdsa.PublicKey:
		if _, ok := SpecOf(pub); !ok {
			return New("key-unsupported", subject, "key", DescribeKey(pub)), true
		}
	case ed25519.PublicKey:
		return New("key-unsupported", subject, "key", "ed25519"), true
	default:
		return New("key-unsupported", subject, "key", DescribeKey(pub)), true
	}
	return Finding{}, false
}

// closePrimes tries Fermat's factorization for a hundred steps: it finds the
// factors of a modulus whose primes lie near each other (CVE-2022-26320). Keys
// of a sound generator never get here.
func closePrimes(n *big.Int) bool {
	square, rest := new(big.Int), new(big.Int)
	a := new(big.Int).Sqrt(n)
	for range 100 {
		rest.Sub(square.Mul(a, a), n)
		a.Add(a, big.NewInt(1))
		// Squares end in 0, 1, 4 or 9 modulo 16: most need no square root.
		if last := rest.Bit(0) | rest.Bit(1)<<1 | rest.Bit(2)<<2 | rest.Bit(3)<<3; rest.Sign() < 0 || last > 1 && last != 4 && last != 9 {
			continue
		}
		if b := square.Sqrt(rest); new(big.Int).Mul(b, b).Cmp(rest) == 0 {
			return true
		}
	}
	return false
}

// EncodeCertificates writes certificates as PEM: one LF after each block and
// nothing else.
func EncodeCertificates(certs ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}

// plain is the text of a parse error without the prefix of its package. Parse
// errors of the standard library name structures, never key bytes.
func plain(err error) string {
	s := err.Error()
	for _, prefix := range []string{"x509: ", "asn1: ", "crypto/rsa: "} {
		s = strings.ReplaceAll(s, prefix, "")
	}
	return s
}
