package pki

import (
	"crypto/sha1" //nolint:gosec // an identifier of the upstream profile, not a signature
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// Profile names a set of certificate shapes.
type Profile string

const (
	// Strict is the profile that passes every verifier and linter.
	Strict Profile = "strict"
	// Upstream has the shapes of the k3s example script, for those who must
	// match it.
	Upstream Profile = "upstream"
)

// profile is the one place that decides keys, lifetimes and extensions.
type profile struct {
	keys     Keys
	validity Lifetimes
	pathLen  map[Tier]int // absent: no limit
	usage    []string     // of every authority
	keyID    string       // how a subject key identifier is made
	rootAKI  bool         // a root names itself as its issuer's key
}

var profiles = map[Profile]profile{
	// Reasons, field by field: rotation to a cross-signed root breaks when the
	// old root has a path length; an extended key usage on a CA breaks k3s's
	// token hash and rotate-ca, which verify for serverAuth; keyEncipherment
	// on a CA is against RFC 5480, section 3; cRLSign is what a CRL of an
	// offline root needs.
	Strict: {
		keys:     Keys{Root: P384, Intermediate: P384, CA: P256, Service: RSA2048},
		validity: Lifetimes{Root: "20y", Intermediate: "10y", CA: "10y"},
		pathLen:  map[Tier]int{TierIntermediate: 1, TierCA: 0},
		usage:    []string{usageCertSign, usageCRLSign},
		keyID:    keyIDSHA256,
	},
	// k3s, contrib/util/generate-custom-ca-certs.sh (since March 2023).
	Upstream: {
		keys:     Keys{Root: RSA4096, Intermediate: RSA4096, CA: P256, Service: RSA2048},
		validity: Lifetimes{Root: "7300d", Intermediate: "3700d", CA: "3700d"},
		usage:    []string{usageDigitalSignature, usageKeyEncipherment, usageCertSign},
		keyID:    keyIDSHA1,
		rootAKI:  true,
	},
}

const (
	usageDigitalSignature = "digitalSignature"
	usageKeyEncipherment  = "keyEncipherment"
	usageCertSign         = "keyCertSign"
	usageCRLSign          = "cRLSign"
)

var usageBits = map[string]x509.KeyUsage{
	usageDigitalSignature: x509.KeyUsageDigitalSignature,
	usageKeyEncipherment:  x509.KeyUsageKeyEncipherment,
	usageCertSign:         x509.KeyUsageCertSign,
	usageCRLSign:          x509.KeyUsageCRLSign,
}

// keyUsage returns the bits of the names. There must be one: RFC 5280, 4.2.1.3
// wants the extension in every CA certificate.
func keyUsage(names []string) (usage x509.KeyUsage, err error) {
	for _, name := range names {
		bit, known := usageBits[name]
		if !known {
			return 0, fmt.Errorf("key usage %q is not known", name)
		}
		usage |= bit
	}
	if usage == 0 {
		return 0, errors.New("no key usage")
	}
	return usage, nil
}

const (
	keyIDSHA256 = "rfc7093-1" // leftmost 160 bits of SHA-256 (RFC 7093, section 2, method 1)
	keyIDSHA1   = "rfc5280-1" // SHA-1 (RFC 5280, section 4.2.1.2, method 1), what OpenSSL's "hash" writes
)

// keyID returns a subject key identifier: 20 octets over the bits of the
// subjectPublicKey. It is always written explicitly; the default of crypto/x509
// has changed between versions.
func keyID(method string, pub any) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		return nil, err
	}
	switch method {
	case keyIDSHA256:
		sum := sha256.Sum256(info.Key.RightAlign())
		return sum[:20], nil
	case keyIDSHA1:
		sum := sha1.Sum(info.Key.RightAlign())
		return sum[:], nil
	}
	return nil, fmt.Errorf("key identifier method %q is not known", method)
}
