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
	"slices"
	"strconv"
	"strings"
)

// maxPEM bounds one PEM input: the largest sensible chain is some 20 kB.
const maxPEM = 1 << 20

// mark is one marker of a text. Readers take it only where it stands alone: at
// the start of a line and with nothing but blanks behind it (Go's encoding/pem,
// Decode; OpenSSL's crypto/pem/pem_lib.c, get_name and get_header_and_data).
type mark struct {
	begin, alone bool
	label        string
	at, end      int // end is behind the line if it stands alone
}

// marksOf wants a text that ends with a line feed.
func marksOf(data []byte) []mark {
	var marks []mark
	for at := 0; ; {
		dashes := bytes.Index(data[at:], []byte(pemDashes))
		if dashes < 0 {
			return marks
		}
		at += dashes
		next, ok := markAt(data, at)
		if !ok {
			at++
			continue
		}
		at = next.end
		behind := bytes.TrimLeft(data[next.end:], " \t")
		next.alone = (next.at == 0 || data[next.at-1] == '\n') && bytes.HasPrefix(behind, []byte("\n"))
		if next.alone {
			next.end = len(data) - len(behind) + 1
		}
		marks = append(marks, next)
	}
}

const pemDashes = "-----"

// markAt reads what begins or ends a block: a label on one line, without two
// dashes in a row, between dashes. (Written out, because package regexp and the
// tables of Unicode that it brings are 85 kB of the page's engine.)
func markAt(data []byte, at int) (m mark, ok bool) {
	rest := data[at+len(pemDashes):]
	label, begin := bytes.CutPrefix(rest, []byte("BEGIN "))
	if !begin {
		if label, ok = bytes.CutPrefix(rest, []byte("END ")); !ok {
			return mark{}, false
		}
	}
	for i, c := range label {
		switch {
		case c == '\n':
			return mark{}, false
		case c != '-' || i+1 < len(label) && label[i+1] != '-' && label[i+1] != '\n':
			continue
		case !bytes.HasPrefix(label[i:], []byte(pemDashes)):
			return mark{}, false
		}
		end := len(data) - len(label) + i + len(pemDashes)
		return mark{begin: begin, label: string(label[:i]), at: at, end: end}, true
	}
	return mark{}, false
}

// pemScan finds the blocks of a text, and those that readers would miss.
type pemScan struct {
	subject string
	data    []byte
	blocks  []*pem.Block
	done    int  // all before it is told
	text    bool // something but blanks stands outside the blocks
}

// decodePEM returns the PEM blocks of data in order. It refuses what the
// standard library's decoder skips in silence and k3s would therefore lose, and
// what makes OpenSSL give up the file: blocks glued to each other or to text on
// one line, cut off, or not decodable. What is harmless (CRLF, a byte order
// mark, text around the blocks even if it holds a marker, headers in a
// certificate's block, no last newline) is taken with one notice.
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
	s := &pemScan{subject: subject, data: data}
	if err := s.run(); err != nil {
		return nil, nil, err
	}
	if s.text {
		warts = append(warts, "text around the blocks")
	}
	headers := func(b *pem.Block) bool { return b.Type == "CERTIFICATE" && len(b.Headers) > 0 }
	if slices.ContainsFunc(s.blocks, headers) {
		warts = append(warts, "headers in a block")
	}
	if len(s.blocks) == 0 || len(warts) == 0 {
		return s.blocks, nil, nil
	}
	return s.blocks, []Finding{New("pem-normalised", subject, "what", strings.Join(warts, ", "))}, nil
}

// run pairs each BEGIN with the END behind it.
func (s *pemScan) run() error {
	var open *mark
	for _, m := range marksOf(s.data) {
		switch {
		case !m.begin && open == nil:
			if payload(s.data[s.done:m.at]) {
				return refuse("pem-truncated", s.subject, "line", s.line(m))
			}
			s.passOver(m.end)
		case !m.begin:
			if err := s.close(*open, m); err != nil {
				return err
			}
			open = nil
		case open != nil && s.lost(*open, m.at):
			return refuse("pem-truncated", s.subject, "line", s.line(m))
		default:
			open = &m
		}
	}
	if open != nil && s.lost(*open, len(s.data)) {
		return refuse("pem-truncated", s.subject, "line", s.line(*open))
	}
	s.passOver(len(s.data))
	return nil
}

// close takes the block between two markers, if readers find it there.
func (s *pemScan) close(begin, end mark) error {
	switch {
	case begin.alone && end.alone && begin.label == end.label:
		block, rest := pem.Decode(s.data[begin.at:end.end])
		if block == nil || len(bytes.TrimSpace(rest)) > 0 {
			break
		}
		s.passOver(begin.at)
		s.blocks, s.done = append(s.blocks, block), end.end
		return nil
	case !s.lost(begin, end.at):
		s.passOver(end.end)
		return nil
	case begin.label == end.label && begin.alone:
		return refuse("pem-glued", s.subject, "line", s.line(end))
	case begin.label == end.label:
		return refuse("pem-glued", s.subject, "line", s.line(begin))
	}
	return refuse("pem-undecodable", s.subject, "line", s.line(end), "detail", "not base64 between the markers")
}

// lost reports whether what stands from a BEGIN to a place is more than text:
// OpenSSL gives the file up at a block that it cannot read, and a person sees a
// certificate where no reader does.
func (s *pemScan) lost(begin mark, until int) bool {
	return begin.alone || payload(s.data[begin.end:until])
}

func (s *pemScan) passOver(until int) {
	s.text = s.text || len(bytes.TrimSpace(s.data[s.done:until])) > 0
	s.done = until
}

// line is the number of the line on which a marker stands.
func (s *pemScan) line(m mark) string {
	return strconv.Itoa(1 + bytes.Count(s.data[:m.at], []byte("\n")))
}

// minPayload is the length in base64 of what is worth missing: no key is
// shorter. A word that stands alone on its line is.
const minPayload = 40

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

func isBase64Line(line []byte) bool {
	digits := bytes.TrimRight(line, "=")
	return len(digits) > 0 && len(bytes.Trim(digits, base64Alphabet)) == 0
}

// payload reports whether a text holds the lines of a block: some in a row, of
// base64 and nothing else. What is commented out or quoted has more on the line.
func payload(text []byte) bool {
	length := 0
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if !isBase64Line(line) {
			length = 0
			continue
		}
		if length += len(line); length >= minPayload {
			return true
		}
	}
	return false
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
