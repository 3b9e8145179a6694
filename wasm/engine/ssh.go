package engine

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
)

// SSH public keys as recipients of age, as the age specification has them
// (c2sp.org/age, "ssh-rsa" and "ssh-ed25519"). age's own package for it brings the
// whole of SSH, which is 80 kB of the page's engine; the tests hold one against
// the other.

const (
	sshRSALabel     = "age-encryption.org/v1/ssh-rsa"
	sshEd25519Label = "age-encryption.org/v1/ssh-ed25519"
)

// sshRecipient is a key in the form that goes over the wire.
type sshRecipient struct {
	wire    []byte
	rsa     *rsa.PublicKey
	ed25519 *ecdh.PublicKey // as a point of Curve25519
}

var errSSHKey = errors.New("not an SSH public key that age encrypts to")

// parseSSH reads a line of authorized_keys without options.
func parseSSH(line string) (*sshRecipient, error) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return nil, errSSHKey
	}
	wire, err := base64.StdEncoding.DecodeString(fields[1])
	if err != nil {
		return nil, errSSHKey
	}
	r := &sshRecipient{wire: wire}
	in := cryptobyte.String(wire)
	var kind, first, second cryptobyte.String
	if !sshString(&in, &kind) || string(kind) != fields[0] || !sshString(&in, &first) {
		return nil, errSSHKey
	}
	switch string(kind) {
	case "ssh-ed25519":
		if !in.Empty() {
			return nil, errSSHKey
		}
		r.ed25519, err = montgomery(first)
	case "ssh-rsa": // exponent, modulus (RFC 4253, section 6.6)
		if !sshString(&in, &second) || !in.Empty() || len(first) > 4 {
			return nil, errSSHKey
		}
		r.rsa = &rsa.PublicKey{E: int(new(big.Int).SetBytes(first).Int64()), N: new(big.Int).SetBytes(second)}
		if n := r.rsa.N.BitLen(); n < 2048 || n > 16384 || r.rsa.E < 3 {
			return nil, errSSHKey
		}
	default:
		return nil, errSSHKey
	}
	return r, err
}

// sshString reads a string of SSH: its length in 32 bits, then its bytes.
func sshString(in, out *cryptobyte.String) bool {
	var n uint32
	var b []byte
	if !in.ReadUint32(&n) || uint64(n) > uint64(len(*in)) || !in.ReadBytes(&b, int(n)) {
		return false
	}
	*out = b
	return true
}

// field is the prime of Curve25519, edwardsD the constant of its Edwards form
// (RFC 8032, section 5.1).
var (
	field    = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	edwardsD = func() *big.Int {
		d := new(big.Int).ModInverse(big.NewInt(121666), field)
		return d.Mod(d.Mul(d, big.NewInt(-121665)), field)
	}()
)

// montgomery takes a point of Edwards25519 to Curve25519: u = (1+y)/(1-y) (RFC
// 7748, section 4.1). What is no point of the curve is refused. The key is public:
// the time it takes may tell of it.
func montgomery(key []byte) (*ecdh.PublicKey, error) {
	if len(key) != 32 {
		return nil, errSSHKey
	}
	bytes := slices.Clone(key)
	slices.Reverse(bytes)
	bytes[0] &= 0x7f // the sign of x
	y := new(big.Int).SetBytes(bytes)
	one := big.NewInt(1)
	square := new(big.Int).Mul(y, y)
	divisor := new(big.Int).Mul(edwardsD, square)
	divisor.ModInverse(divisor.Add(divisor, one), field)
	x := new(big.Int).Sub(square, one)
	if x.Mod(x.Mul(x, divisor), field); y.Cmp(field) >= 0 || new(big.Int).ModSqrt(x, field) == nil {
		return nil, errSSHKey
	}
	below := new(big.Int).Sub(one, y)
	if below.Mod(below, field); below.Sign() == 0 {
		return nil, errSSHKey
	}
	u := new(big.Int).Add(one, y)
	u.Mod(u.Mul(u, below.ModInverse(below, field)), field)
	out := u.FillBytes(make([]byte, 32))
	slices.Reverse(out)
	return ecdh.X25519().NewPublicKey(out)
}

// Wrap encrypts the key of a file.
func (r *sshRecipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	sum := sha256.Sum256(r.wire)
	tag := base64.RawStdEncoding.EncodeToString(sum[:4])
	if r.rsa != nil {
		body, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, r.rsa, fileKey, []byte(sshRSALabel))
		return []*age.Stanza{{Type: "ssh-rsa", Args: []string{tag}, Body: body}}, err
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	share := ephemeral.PublicKey().Bytes()
	shared, err := r.agree(ephemeral)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, shared, slices.Concat(share, r.ed25519.Bytes()), sshEd25519Label, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	seal, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	body := seal.Seal(nil, make([]byte, chacha20poly1305.NonceSize), fileKey, nil) // the key seals nothing else
	return []*age.Stanza{{Type: "ssh-ed25519", Args: []string{tag, base64.RawStdEncoding.EncodeToString(share)}, Body: body}}, nil
}

// agree is the secret that only the owner of the SSH key has in common with the
// ephemeral one. It is bound to the SSH key by a tweak.
func (r *sshRecipient) agree(ephemeral *ecdh.PrivateKey) ([]byte, error) {
	shared, err := ephemeral.ECDH(r.ed25519)
	if err != nil {
		return nil, err
	}
	tweak, err := hkdf.Key(sha256.New, nil, r.wire, sshEd25519Label, 32)
	if err != nil {
		return nil, err
	}
	scalar, err := ecdh.X25519().NewPrivateKey(tweak)
	if err != nil {
		return nil, err
	}
	point, err := ecdh.X25519().NewPublicKey(shared)
	if err != nil {
		return nil, err
	}
	return scalar.ECDH(point)
}
