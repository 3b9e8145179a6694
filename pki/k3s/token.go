package k3s

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"sort"
	"strings"
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
	// Until is the last second for which the hash holds: after it the chain no
	// longer verifies and k3s falls back to the bytes of the file, or another
	// root takes over. Zero in the other modes, which do not depend on time
	// except that a fallback may end when a certificate becomes valid.
	Until time.Time
	// Reason is why a chain of several certificates did not verify.
	Reason error
}

// Prefix begins every full token of k3s and RKE2.
const Prefix = "K10"

// String is the token without credentials: K10, hash, "::".
func (t Token) String() string { return Prefix + t.Hash + "::" }

// Full is the token with the credentials of another one, those of a token file:
// full, or a password alone, which stands for a user. The refusal does not repeat
// the credentials.
func (t Token) Full(credentials, user string) (string, error) {
	credentials = strings.TrimSpace(credentials)
	password, err := Password(credentials)
	if err != nil {
		return "", err
	}
	if known, _, ok := strings.Cut(strings.TrimSuffix(credentials, password), "::"); ok {
		user = strings.TrimSuffix(strings.TrimPrefix(credentials, known+"::"), ":"+password)
	}
	return t.String() + user + ":" + password, nil
}

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
	pools := poolsLikeK3s(certs)
	root, err := rootLikeK3s(certs[0], pools, now)
	if err != nil {
		raw.Mode, raw.Reason = TokenFallback, err
		return raw, nil
	}
	return Token{Hash: pki.Fingerprint(root), Mode: TokenRoot, Root: root, Until: holdsUntil(certs, pools, now, root)}, nil
}

// parseLikeK3s takes every CERTIFICATE block without headers and passes over
// the rest, as client-go's cert.ParseCertsPEM does.
func parseLikeK3s(file []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for _, block := range Blocks(file) {
		if !IsCertificate(block) {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, ErrNoCertificate
	}
	return certs, nil
}

// ErrNoCertificate says that a file has no certificate block at all.
var ErrNoCertificate = errors.New("no certificate in the file")

// poolsLikeK3s sorts the certificates as k3s does: from the second on, one counts
// as root if it has no AKI or its AKI is its own SKI, and as intermediate
// otherwise; the extended key usage is Go's default, serverAuth.
func poolsLikeK3s(certs []*x509.Certificate) x509.VerifyOptions {
	pools := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	for _, c := range certs[1:] {
		if len(c.AuthorityKeyId) == 0 || string(c.AuthorityKeyId) == string(c.SubjectKeyId) {
			pools.Roots.AddCert(c)
		} else {
			pools.Intermediates.AddCert(c)
		}
	}
	return pools
}

// rootLikeK3s returns the end of the chain that k3s takes, the first of all.
func rootLikeK3s(first *x509.Certificate, pools x509.VerifyOptions, at time.Time) (*x509.Certificate, error) {
	pools.CurrentTime = at
	chains, err := first.Verify(pools)
	if err != nil {
		return nil, err
	}
	return chains[0][len(chains[0])-1], nil
}

// holdsUntil returns the last second before the hash changes. Only the days on
// which a certificate becomes valid or ends can change it: another chain may take
// over, to the same root or to another.
func holdsUntil(certs []*x509.Certificate, pools x509.VerifyOptions, now time.Time, root *x509.Certificate) time.Time {
	var days []time.Time
	for _, c := range certs {
		days = append(days, c.NotBefore, c.NotAfter.Add(time.Second))
	}
	sort.Slice(days, func(i, j int) bool { return days[i].Before(days[j]) })
	for _, day := range days {
		if !day.After(now) {
			continue
		}
		if next, err := rootLikeK3s(certs[0], pools, day); err != nil || !next.Equal(root) {
			return day.Add(-time.Second)
		}
	}
	return now // not reached: after the last day nothing verifies
}
