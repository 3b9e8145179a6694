package k3s

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"time"

	"rootkiln/pki"
)

// TokenMode says what the hash of a join token is taken over.
type TokenMode string

const (
	// TokenFile: the file has one certificate, and the hash is over its bytes,
	// line ends and comments included.
	TokenFile TokenMode = "file"
	// TokenRoot: the hash is over the DER of the root that ends the chain; it
	// stays when anything below the root is renewed.
	TokenRoot TokenMode = "root"
	// TokenFallback: the chain does not verify, and k3s hashes the bytes of the
	// file without a word.
	TokenFallback TokenMode = "fallback"
)

// Token is the CA hash of a cluster's join token.
type Token struct {
	Hash string // 64 lower-case hexadecimal digits
	Mode TokenMode
	Root *x509.Certificate // mode root: whose hash it is
	// Until is the last second for which the hash holds; after it the chain no
	// longer verifies and k3s falls back to the bytes of the file. Zero in the
	// other modes, which do not depend on time except that a fallback may end
	// when a certificate becomes valid.
	Until time.Time
	// Reason is why a chain of several certificates did not verify.
	Reason error
}

// Prefix begins every full token of k3s and RKE2.
const Prefix = "K10"

// String is the token without credentials: K10, hash, "::".
func (t Token) String() string { return Prefix + t.Hash + "::" }

// ComputeToken repeats what a server does with the bytes of server-ca.crt at a
// time (k3s pkg/clientaccess/token.go, hashCA and FormatTokenBytes; root mode
// since February 2023, v1.26.2).
func ComputeToken(file []byte, now time.Time) (Token, error) {
	certs, err := parseLikeK3s(file)
	if err != nil {
		return Token{}, err
	}
	sum := sha256.Sum256(file)
	raw := Token{Hash: hex.EncodeToString(sum[:]), Mode: TokenFile}
	if len(certs) == 1 {
		return raw, nil
	}
	chain, err := verifyLikeK3s(certs, now)
	if err != nil {
		raw.Mode, raw.Reason = TokenFallback, err
		return raw, nil
	}
	root := chain[len(chain)-1]
	t := Token{Hash: pki.Fingerprint(root), Mode: TokenRoot, Root: root}
	t.Until = holdsUntil(certs, now, t.Hash, chain)
	return t, nil
}

// parseLikeK3s takes every CERTIFICATE block without headers and passes over
// the rest, as client-go's cert.ParseCertsPEM does.
func parseLikeK3s(file []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for rest := file; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errNoCertificates
	}
	return certs, nil
}

var errNoCertificates = errors.New("no certificate in the file")

// verifyLikeK3s builds the chain that k3s takes: a certificate from the second
// on counts as root if it has no AKI or its AKI is its own SKI, and as
// intermediate otherwise; the extended key usage is Go's default, serverAuth.
func verifyLikeK3s(certs []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	opts := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now}
	for _, c := range certs[1:] {
		if len(c.AuthorityKeyId) == 0 || string(c.AuthorityKeyId) == string(c.SubjectKeyId) {
			opts.Roots.AddCert(c)
		} else {
			opts.Intermediates.AddCert(c)
		}
	}
	chains, err := certs[0].Verify(opts)
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}

// holdsUntil returns the last second at which the hash is still computed. When
// the certificates of one chain end another may take over, so each end among
// all certificates is tried in turn.
func holdsUntil(certs []*x509.Certificate, now time.Time, hash string, chain []*x509.Certificate) time.Time {
	at := now
	for range certs {
		end := chain[0].NotAfter
		for _, c := range chain {
			if c.NotAfter.Before(end) {
				end = c.NotAfter
			}
		}
		at = end.Add(time.Second)
		next, err := verifyLikeK3s(certs, at)
		if err != nil || pki.Fingerprint(next[len(next)-1]) != hash {
			return end
		}
		chain = next
	}
	return at
}
