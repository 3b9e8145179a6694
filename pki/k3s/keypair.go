package k3s

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// PublicKey is what every public key of the standard library can do.
type PublicKey interface{ Equal(crypto.PublicKey) bool }

// ServiceKeys returns the keys with which a kube-apiserver verifies ServiceAccount
// tokens when it is given the content of service.key, the first being the one
// that signs. It takes private keys, public keys and certificates, whatever the
// type of the block says; an EC key in PKCS#8 and Ed25519 are passed over
// (client-go util/keyutil, ParsePublicKeysPEM).
func ServiceKeys(data []byte) []PublicKey {
	var keys []PublicKey
	for _, block := range Blocks(data) {
		if key := serviceKey(block.Bytes); key != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

func serviceKey(der []byte) PublicKey {
	for _, parse := range []func([]byte) (any, error){
		func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		x509.ParsePKCS8PrivateKey,
		x509.ParsePKIXPublicKey,
		func(der []byte) (any, error) {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, err
			}
			return c.PublicKey, nil
		},
		func(der []byte) (any, error) {
			k, err := x509.ParseECPrivateKey(der)
			if err != nil {
				return nil, err
			}
			return &k.PublicKey, nil
		},
	} {
		key, err := parse(der)
		if err != nil {
			continue
		}
		switch key := key.(type) {
		case *rsa.PrivateKey:
			return &key.PublicKey
		case *rsa.PublicKey:
			return key
		case *ecdsa.PublicKey:
			return key
		}
	}
	return nil
}

// loadPair repeats crypto/tls.X509KeyPair, its errors included, without the
// package: it would bring the network into the page. Unlike k3s's reading of a CA
// file, it takes the first CERTIFICATE block whatever headers it has, and of the
// key blocks the first, whether it parses or not.
func loadPair(certs, keys []byte) error {
	cert, skipped := firstBlock(certs, func(b *pem.Block) bool { return b.Type == "CERTIFICATE" })
	switch {
	case cert != nil:
	case len(skipped) == 0:
		return errors.New("tls: failed to find any PEM data in certificate input")
	case len(skipped) == 1 && strings.HasSuffix(skipped[0], "PRIVATE KEY"):
		return errors.New("tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched")
	default:
		return fmt.Errorf("tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types: %v", skipped)
	}
	key, skipped := firstBlock(keys, IsPrivateKey)
	switch {
	case key != nil:
	case len(skipped) == 0:
		return errors.New("tls: failed to find any PEM data in key input")
	case len(skipped) == 1 && skipped[0] == "CERTIFICATE":
		return errors.New("tls: found a certificate rather than a key in the PEM for the private key")
	default:
		return fmt.Errorf("tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the following types: %v", skipped)
	}
	c, err := x509.ParseCertificate(cert.Bytes)
	if err != nil {
		return err
	}
	public, err := publicHalf(key.Bytes)
	if err != nil {
		return err
	}
	return samePair(c.PublicKey, public)
}

func firstBlock(data []byte, wanted func(*pem.Block) bool) (block *pem.Block, skipped []string) {
	for _, block := range Blocks(data) {
		if wanted(block) {
			return block, skipped
		}
		skipped = append(skipped, block.Type)
	}
	return nil, skipped
}

// publicHalf parses a private key as crypto/tls does: the type of the block does
// not count.
func publicHalf(der []byte) (crypto.PublicKey, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key.Public(), nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		switch key := key.(type) {
		case *rsa.PrivateKey:
			return key.Public(), nil
		case *ecdsa.PrivateKey:
			return key.Public(), nil
		case ed25519.PrivateKey:
			return key.Public(), nil
		}
		return nil, errors.New("tls: found unknown private key type in PKCS#8 wrapping")
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key.Public(), nil
	}
	return nil, errors.New("tls: failed to parse private key")
}

func samePair(certified, held crypto.PublicKey) error {
	sameType := false
	switch certified.(type) {
	case *rsa.PublicKey:
		_, sameType = held.(*rsa.PublicKey)
	case *ecdsa.PublicKey:
		_, sameType = held.(*ecdsa.PublicKey)
	case ed25519.PublicKey:
		_, sameType = held.(ed25519.PublicKey)
	default:
		return errors.New("tls: unknown public key algorithm")
	}
	switch {
	case !sameType:
		return errors.New("tls: private key type does not match public key type")
	case !certified.(PublicKey).Equal(held):
		return errors.New("tls: private key does not match public key")
	}
	return nil
}
