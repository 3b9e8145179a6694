package main

import (
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"testing"

	"go.step.sm/crypto/pemutil"

	"rootkiln/pki"
)

// TestOpenKeyDamaged opens an encrypted key whose ciphertext was cut: an error,
// not a key and not the panic of the library, which asks the cipher for a length
// that is no multiple of its block.
func TestOpenKeyDamaged(t *testing.T) {
	key, err := pki.Random{}.Key(t.Context(), pki.Root, pki.P256)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := pki.ExportPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := pemutil.Parse(plain)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("correct horse")
	block, err := pemutil.Serialize(opened, pemutil.WithPKCS8(true), pemutil.WithPassword(secret))
	if err != nil {
		t.Fatal(err)
	}
	open := func(der []byte) error {
		_, err := openKey(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), secret)
		return err
	}
	if err := open(block.Bytes); err != nil {
		t.Fatalf("intact: %v", err)
	}
	var parts struct {
		Algorithm  asn1.RawValue
		Ciphertext []byte
	}
	if _, err := asn1.Unmarshal(block.Bytes, &parts); err != nil {
		t.Fatal(err)
	}
	whole := len(parts.Ciphertext)
	for _, n := range []int{0, 1, 16, whole - 16, whole - 1} {
		cut := parts
		cut.Ciphertext = parts.Ciphertext[:n]
		der, err := asn1.Marshal(cut)
		if err != nil {
			t.Fatal(err)
		}
		err = open(der)
		if err == nil {
			t.Errorf("a key cut to %d bytes was opened", n)
		}
		if n%16 != 0 && !errors.Is(err, errCipher) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}
