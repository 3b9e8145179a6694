package pki

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// KeySpec names an algorithm with its size, as plans and flags write it.
type KeySpec string

const (
	P256    KeySpec = "p256"
	P384    KeySpec = "p384"
	P521    KeySpec = "p521"
	RSA2048 KeySpec = "rsa2048"
	RSA3072 KeySpec = "rsa3072"
	RSA4096 KeySpec = "rsa4096"
)

// KeySpecs lists every algorithm in the order people read them. Ed25519 is not
// among them: client-go cannot read it as a service key, and no test of k3s
// covers it as a CA key.
var KeySpecs = []KeySpec{P256, P384, P521, RSA2048, RSA3072, RSA4096}

// Curve returns the curve of an ECDSA spec, nil for RSA.
func (s KeySpec) Curve() elliptic.Curve {
	switch s {
	case P256:
		return elliptic.P256()
	case P384:
		return elliptic.P384()
	case P521:
		return elliptic.P521()
	}
	return nil
}

// Bits returns the modulus size of an RSA spec in bits, 0 for ECDSA.
func (s KeySpec) Bits() int {
	switch s {
	case RSA2048:
		return 2048
	case RSA3072:
		return 3072
	case RSA4096:
		return 4096
	}
	return 0
}

// SpecOf returns the spec of a public key; ok is false for keys that rootkiln
// does not make.
func SpecOf(pub crypto.PublicKey) (spec KeySpec, ok bool) {
	for _, s := range KeySpecs {
		switch k := pub.(type) {
		case *ecdsa.PublicKey:
			ok = k.Curve == s.Curve()
		case *rsa.PublicKey:
			ok = k.N.BitLen() == s.Bits()
		}
		if ok {
			return s, true
		}
	}
	return "", false
}

// DescribeKey names any public key for people: "p256", "rsa1024", "ed25519".
func DescribeKey(pub crypto.PublicKey) string {
	if s, ok := SpecOf(pub); ok {
		return string(s)
	}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	case interface{ Equal(crypto.PublicKey) bool }:
		return "ed25519"
	}
	return fmt.Sprintf("%T", pub)
}

// signatureAlgorithm is fixed by the signer's key: the curve's own digest, and
// SHA-256 for RSA. A table and not the library's default, because vectors and
// lints depend on it.
func signatureAlgorithm(pub crypto.PublicKey) (x509.SignatureAlgorithm, error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return x509.SHA256WithRSA, nil
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return x509.ECDSAWithSHA256, nil
		case elliptic.P384():
			return x509.ECDSAWithSHA384, nil
		case elliptic.P521():
			return x509.ECDSAWithSHA512, nil
		}
	}
	return 0, refuse("key-unsupported", "", "key", DescribeKey(pub))
}

// lintSpec is the cheapest key that signs with the algorithm. The bytes that are
// signed name the digest and not the curve, so P-256 serves every ECDSA issuer.
func lintSpec(alg x509.SignatureAlgorithm) KeySpec {
	switch alg {
	case x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		return P256
	}
	return RSA2048
}

// Key is a signer that brings its own randomness: rootkiln signs with a nil
// reader, so a software key takes the system's, a TPM its own, and the key of
// a test vector none.
type Key interface{ crypto.Signer }

// Exportable is a Key whose private half may leave as PEM: PKCS#1 for RSA,
// SEC1 for ECDSA, the two forms that everything in a cluster reads.
type Exportable interface {
	Key
	PEM() ([]byte, error)
}

// ErrNotExportable is returned where the private half of a key is needed that
// cannot leave its place, such as a TPM.
var ErrNotExportable = errors.New("the key cannot be exported")

// ExportPEM returns the private key as PEM, or ErrNotExportable.
func ExportPEM(k Key) ([]byte, error) {
	if e, ok := k.(Exportable); ok {
		return e.PEM()
	}
	return nil, ErrNotExportable
}

// KeySource brings everything into a run that nobody can predict: keys and
// serial numbers. Random is the one for production. Its methods are called from
// several goroutines at a time.
type KeySource interface {
	// Key returns a new key for the role.
	Key(ctx context.Context, role Role, spec KeySpec) (Key, error)
	// Serial returns 16 octets for the certificate of the role. The binding is
	// a digest of everything else in that certificate: a source that derives
	// serials must use it, or one issuer signs two certificates with one serial.
	Serial(role Role, binding [32]byte) ([16]byte, error)
}

// Concurrent is a KeySource that says how many keys it makes at a time; 0 leaves
// that to the number of processors. One whose keys are made elsewhere, as those of
// a browser are, may make more than the program has threads.
type Concurrent interface {
	KeySource
	Concurrency() int
}

// concurrency is how many keys of a source are made at a time.
func concurrency(source KeySource) int {
	if many, ok := source.(Concurrent); ok && many.Concurrency() > 0 {
		return many.Concurrency()
	}
	return runtime.GOMAXPROCS(0)
}

// Random makes keys and serials from the system's random source.
type Random struct{}

// Key makes a key with the standard library.
func (Random) Key(ctx context.Context, role Role, spec KeySpec) (Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var k crypto.Signer
	var err error
	if curve := spec.Curve(); curve != nil {
		k, err = ecdsa.GenerateKey(curve, rand.Reader)
	} else if bits := spec.Bits(); bits > 0 {
		k, err = rsa.GenerateKey(rand.Reader, bits)
	} else {
		return nil, refuse("plan-value", string(role), "value", string(spec), "want", joinSpecs())
	}
	if err != nil {
		return nil, fmt.Errorf("making the %s key: %w", role, err)
	}
	return softwareKey{k}, nil
}

// Serial returns random octets.
func (Random) Serial(Role, [32]byte) (serial [16]byte, err error) {
	_, err = rand.Read(serial[:])
	return serial, err
}

// SoftwareKey wraps a private key of the standard library (*ecdsa.PrivateKey or
// *rsa.PrivateKey) as an exportable Key that signs with the system's randomness.
func SoftwareKey(k crypto.Signer) (Exportable, error) {
	switch k.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey:
		return softwareKey{k}, nil
	}
	return nil, refuse("key-unsupported", "", "key", DescribeKey(k.Public()))
}

type softwareKey struct{ crypto.Signer }

func (k softwareKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if random == nil {
		random = rand.Reader // hedged ECDSA; without it the nonce is RFC 6979's
	}
	return k.Signer.Sign(random, digest, opts)
}

func (k softwareKey) PEM() ([]byte, error) {
	switch k := k.Signer.(type) {
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(k)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
	case *rsa.PrivateKey:
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}), nil
	}
	return nil, ErrNotExportable
}

// samePublicKey reports whether two public keys are equal.
func samePublicKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

func joinSpecs() string {
	s := ""
	for i, spec := range KeySpecs {
		if i > 0 {
			s += ", "
		}
		s += string(spec)
	}
	return s
}
