package engine

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/pbkdf2"
	"golang.org/x/crypto/scrypt"

	"rootkiln/pki"
)

// Encrypted keys in PKCS#8 (RFC 5958, section 3) by PBES2 (RFC 8018, section 6.2):
// PBKDF2 or scrypt (RFC 7914, section 7), then AES in CBC. That is what OpenSSL has
// written since 1.1; everything older is named and refused.

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// digests are the pseudo-random functions of PBKDF2 (RFC 8018, B.1).
var digests = []struct {
	oid  asn1.ObjectIdentifier
	make func() hash.Hash
}{
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}, sha1.New}, // the default, left out of the file
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, sha256.New},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 10}, sha512.New384},
	{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}, sha512.New},
}

// ciphers are AES in CBC, by the length of the key (RFC 8018, B.2.5).
var ciphers = []struct {
	oid asn1.ObjectIdentifier
	key int
}{
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}, 16},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}, 24},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, 32},
}

// Bounds of the work that a foreign file may ask for: minutes of PBKDF2, 512 MiB
// of scrypt. OpenSSL writes 2048 rounds, or 16 MiB.
const (
	maxRounds = 20_000_000
	maxMemory = 512 << 20
	maxLanes  = 16
)

// openKey decrypts the one private key of a PEM file.
func openKey(name string, data []byte, secret Secret) (any, error) {
	blocks, _, err := pki.DecodePEM(name, data)
	if err != nil {
		return nil, err
	}
	var block *pem.Block
	for _, b := range blocks {
		switch {
		case b.Type == "EC PARAMETERS":
		case b.Type != "ENCRYPTED PRIVATE KEY" || block != nil:
			return nil, refuse("key-cipher", name)
		default:
			block = b
		}
	}
	e, ok := parseEncrypted(block.Bytes)
	switch {
	case !ok:
		return nil, refuse("key-cipher", name)
	case len(secret) == 0:
		return nil, refuse("key-encrypted", name)
	}
	plain, ok := e.open(secret)
	if !ok {
		return nil, refuse("key-passphrase", name)
	}
	defer clear(plain)
	key, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil { // its text may quote what was decoded
		return nil, refuse("key-passphrase", name)
	}
	return key, nil
}

// encryptedKey is an EncryptedPrivateKeyInfo that can be opened.
type encryptedKey struct {
	derive func(secret []byte, length int) ([]byte, error)
	length int
	iv     []byte
	data   []byte
}

func parseEncrypted(der []byte) (e encryptedKey, ok bool) {
	in := cryptobyte.String(der)
	var info, algorithm, params, kdf, kdfParams, scheme, data cryptobyte.String
	var by, kdfID, cipherID asn1.ObjectIdentifier
	var iv cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() ||
		!info.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !info.ReadASN1(&data, cbasn1.OCTET_STRING) ||
		!algorithm.ReadASN1ObjectIdentifier(&by) || !by.Equal(oidPBES2) || !algorithm.ReadASN1(&params, cbasn1.SEQUENCE) ||
		!params.ReadASN1(&kdf, cbasn1.SEQUENCE) || !params.ReadASN1(&scheme, cbasn1.SEQUENCE) ||
		!kdf.ReadASN1ObjectIdentifier(&kdfID) || !kdf.ReadASN1(&kdfParams, cbasn1.SEQUENCE) ||
		!scheme.ReadASN1ObjectIdentifier(&cipherID) || !scheme.ReadASN1(&iv, cbasn1.OCTET_STRING) {
		return e, false
	}
	for _, c := range ciphers {
		if c.oid.Equal(cipherID) {
			e.length = c.key
		}
	}
	switch {
	case kdfID.Equal(oidPBKDF2):
		e.derive, ok = parsePBKDF2(kdfParams)
	case kdfID.Equal(oidScrypt):
		e.derive, ok = parseScrypt(kdfParams)
	}
	e.iv, e.data = iv, data
	return e, ok && e.length > 0 && len(iv) == aes.BlockSize && len(data) > 0 && len(data)%aes.BlockSize == 0
}

func parsePBKDF2(p cryptobyte.String) (func([]byte, int) ([]byte, error), bool) {
	var salt, prf cryptobyte.String
	var rounds int
	if !p.ReadASN1(&salt, cbasn1.OCTET_STRING) || !p.ReadASN1Integer(&rounds) || rounds < 1 || rounds > maxRounds ||
		!p.SkipOptionalASN1(cbasn1.INTEGER) {
		return nil, false
	}
	id := digests[0].oid
	if !p.Empty() && (!p.ReadASN1(&prf, cbasn1.SEQUENCE) || !prf.ReadASN1ObjectIdentifier(&id)) {
		return nil, false
	}
	for _, d := range digests {
		if d.oid.Equal(id) {
			return func(secret []byte, length int) ([]byte, error) {
				return pbkdf2.Key(secret, salt, rounds, length, d.make), nil
			}, true
		}
	}
	return nil, false
}

func parseScrypt(p cryptobyte.String) (func([]byte, int) ([]byte, error), bool) {
	var salt cryptobyte.String
	var n, r, lanes int
	if !p.ReadASN1(&salt, cbasn1.OCTET_STRING) || !p.ReadASN1Integer(&n) || !p.ReadASN1Integer(&r) || !p.ReadASN1Integer(&lanes) ||
		n < 2 || n&(n-1) != 0 || r < 1 || lanes < 1 || lanes > maxLanes || r > maxMemory/128 || n > maxMemory/128/r {
		return nil, false
	}
	return func(secret []byte, length int) ([]byte, error) { return scrypt.Key(secret, salt, n, r, lanes, length) }, true
}

// open decrypts with a passphrase. A wrong one nearly always breaks the padding,
// and else what is parsed next.
func (e encryptedKey) open(secret []byte) ([]byte, bool) {
	key, err := e.derive(secret, e.length)
	if err != nil {
		return nil, false
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	plain := make([]byte, len(e.data))
	cipher.NewCBCDecrypter(block, e.iv).CryptBlocks(plain, e.data)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > aes.BlockSize || !bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		clear(plain)
		return nil, false
	}
	return plain[:len(plain)-pad], true
}
