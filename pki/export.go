package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
)

// What readers of foreign files need beside the parsers that refuse: reports
// must show what is wrong, not stop at it.

// DecodePEM returns the PEM blocks of data in order, whatever their type, with a
// notice about what was tidied up, of which the decoders of k3s take some and
// skip blocks for the rest. It refuses what all of them would skip in silence:
// blocks that are glued, cut off or not decodable.
func DecodePEM(subject string, data []byte) ([]*pem.Block, []Finding, error) {
	return decodePEM(subject, data)
}

// Name is how a certificate is called in findings: its common name, or the whole
// subject where there is none.
func Name(c *x509.Certificate) string { return name(c) }

// SameKey reports whether two public keys are one.
func SameKey(a, b crypto.PublicKey) bool { return samePublicKey(a, b) }

// PathLen returns the path length limit of a certificate, if it has one.
func PathLen(c *x509.Certificate) (limit int, has bool) { return pathLen(c) }

// KeyFingerprint is the SHA-256 of a public key's SubjectPublicKeyInfo,
// lower-case hexadecimal; empty for kinds of keys that have none.
func KeyFingerprint(pub crypto.PublicKey) string { return keyFingerprint(pub) }

// IsLabel knows a DNS label in small letters: a cluster's name, or that of a
// namespace.
func IsLabel(s string) bool { return isClusterName(s) }
