package k3s

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1" // #nosec G505 -- what k3s derives the key with
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"rootkiln/pki"
)

// BootstrapPrefix begins the keys in the datastore under which servers keep
// their cluster's authorities (k3s pkg/cluster/encrypt.go, storageKey).
const BootstrapPrefix = "/bootstrap/"

// BootstrapKey is the key that belongs to a password: twelve hexadecimal digits
// of its SHA-256.
func BootstrapKey(password string) string {
	sum := sha256.Sum256([]byte(password))
	return BootstrapPrefix + hex.EncodeToString(sum[:])[:12]
}

// caHashLength is what stands between K10 and "::".
const caHashLength = 64

// isAgentToken knows what kubeadm calls a bootstrap token, six characters, a dot
// and sixteen; it belongs to agents and opens nothing (k8s.io/cluster-bootstrap
// token/api, BootstrapTokenPattern).
func isAgentToken(s string) bool {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	id, secret, ok := strings.Cut(s, ".")
	return ok && len(id) == 6 && len(secret) == 16 && strings.Trim(id+secret, alphabet) == ""
}

// Password returns the part of a server token that encrypts: what follows
// "K10<hash>::server:", or all of a bare token (k3s pkg/clientaccess/token.go,
// parseToken; pkg/util/token.go, NormalizeToken). The refusals do not repeat the
// token.
func Password(token string) (string, error) {
	wrong := func(detail string) error {
		return pki.Refuse([]pki.Finding{pki.New("token-format", "", "detail", detail)})
	}
	credentials, full := strings.CutPrefix(token, Prefix)
	if hash, rest, ok := strings.Cut(credentials, "::"); full && ok {
		if len(hash) != 0 && len(hash) != caHashLength {
			return "", wrong("the hash behind K10 is not 64 characters long")
		}
		credentials = rest
	}
	switch {
	case credentials == "":
		return "", wrong("no password")
	case isAgentToken(credentials):
		return "", wrong("a bootstrap token for agents")
	case !full:
		return token, nil
	}
	_, password, ok := strings.Cut(credentials, ":")
	if !ok || password == "" {
		return "", wrong("no user and password behind K10")
	}
	return password, nil
}

// passwords are what a value may be encrypted with that belongs to a token: its
// password; all of it, on servers from before k3s took tokens apart; nothing,
// on servers that once started without a token (k3s pkg/cluster/storage.go,
// migrateTokens).
func passwords(token string) ([]string, error) {
	password, err := Password(token)
	if err != nil {
		return nil, err
	}
	return slices.Compact([]string{password, token, ""}), nil
}

const (
	saltSize   = 16   // hexadecimal digits, taken as text
	iterations = 4096 // PBKDF2-HMAC-SHA-1
	keySize    = 32   // AES-256-GCM
)

// bootstrapCipher derives the key of a value from password and salt.
func bootstrapCipher(password, salt string) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha1.New, password, []byte(salt), iterations, keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// SealBootstrap encrypts bootstrap data as a server does: the salt, a colon, and
// in base64 the nonce, the ciphertext and its tag. The random source gives the
// eight bytes of the salt, then the twelve of the nonce.
func SealBootstrap(plaintext []byte, password string, random io.Reader) ([]byte, error) {
	var fresh [saltSize/2 + 12]byte
	if _, err := io.ReadFull(random, fresh[:]); err != nil {
		return nil, err
	}
	salt, nonce := hex.EncodeToString(fresh[:saltSize/2]), fresh[saltSize/2:]
	gcm, err := bootstrapCipher(password, salt)
	if err != nil {
		return nil, err
	}
	sealed := gcm.Seal(slices.Clone(nonce), nonce, plaintext, nil)
	return base64.StdEncoding.AppendEncode([]byte(salt+":"), sealed), nil
}

// sealedValue is a value taken apart.
type sealedValue struct {
	salt string
	data []byte // nonce, ciphertext, tag
}

// parseSealed reads a value; subject is the key or file in the refusal.
func parseSealed(subject string, value []byte) (sealedValue, error) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return sealedValue{}, refuse("bootstrap-locked", subject)
	}
	salt, text, ok := strings.Cut(string(value), ":")
	if !ok || len(salt) != saltSize || strings.Trim(salt, "0123456789abcdef") != "" {
		return sealedValue{}, refuse("bootstrap-damaged", subject, "detail", "it does not begin with 16 hexadecimal digits and a colon")
	}
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return sealedValue{}, refuse("bootstrap-damaged", subject, "detail", "not base64 behind the colon")
	}
	if len(data) < 12+16 {
		return sealedValue{}, refuse("bootstrap-damaged", subject, "detail", "too short for a nonce and a tag")
	}
	return sealedValue{salt, data}, nil
}

// open decrypts with a password; ok is false when it is another one, or the
// value was changed: authenticated encryption does not tell the two apart.
func (v sealedValue) open(password string) (plaintext []byte, ok bool) {
	gcm, err := bootstrapCipher(password, v.salt)
	if err != nil {
		return nil, false
	}
	plaintext, err = gcm.Open(nil, v.data[:gcm.NonceSize()], v.data[gcm.NonceSize():], nil)
	return plaintext, err == nil
}

func refuse(code pki.Code, subject string, args ...string) error {
	return pki.Refuse([]pki.Finding{pki.New(code, subject, args...)})
}

// Bootstrap is the authoritative set of a cluster's files, as it stands
// decrypted in the datastore.
type Bootstrap struct {
	Key       string // in the datastore; empty: the value came without one
	Under     string // the key that belongs to what opened it, Key or what it must be
	Plaintext []byte
	Files     []BootstrapFile // in the order of the table, then unknown ones by name
	Plain     bool            // the format from before December 2021, without times
}

// BootstrapFile is one of its files.
type BootstrapFile struct {
	Name    string    // ServerCAKey
	Path    string    // relative to the server directory; empty: not known here
	Time    time.Time // modification time on the server that wrote it; zero: none
	Content []byte
}

// bootstrapPaths maps the names in the data to files, in the order in which k3s
// validates a rotation (k3s pkg/daemons/config/types.go,
// ControlRuntimeBootstrap; pkg/daemons/control/deps/deps.go).
var bootstrapPaths = []struct{ name, path string }{
	{"ETCDServerCA", "tls/etcd/server-ca.crt"}, {"ETCDServerCAKey", "tls/etcd/server-ca.key"},
	{"ETCDPeerCA", "tls/etcd/peer-ca.crt"}, {"ETCDPeerCAKey", "tls/etcd/peer-ca.key"},
	{"ServerCA", ServerCAPath + ".crt"}, {"ServerCAKey", ServerCAPath + ".key"},
	{"ClientCA", "tls/client-ca.crt"}, {"ClientCAKey", "tls/client-ca.key"},
	{"ServiceKey", ServiceKeyPath},
	{"PasswdFile", "cred/passwd"},
	{"RequestHeaderCA", "tls/request-header-ca.crt"}, {"RequestHeaderCAKey", "tls/request-header-ca.key"},
	{"IPSECKey", "cred/ipsec.psk"},
	{"EncryptionConfig", "cred/encryption-config.json"},
	{"EncryptionHash", "cred/encryption-state.json"},
}

// ParseBootstrap reads decrypted data, in the form of today or in that from
// before December 2021, where a name has the content alone. A name that is not
// known has no path, and a finding.
func ParseBootstrap(plaintext []byte) (Bootstrap, []pki.Finding, error) {
	b := Bootstrap{Plaintext: plaintext}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(plaintext, &members); err != nil || len(members) == 0 {
		return b, nil, refuse("bootstrap-damaged", "", "detail", "what it decrypts to is not k3s's JSON")
	}
	var found []pki.Finding
	take := func(name, path string) error {
		f := BootstrapFile{Name: name, Path: path}
		var today struct {
			Timestamp time.Time
			Content   []byte
		}
		var err error
		switch raw := members[name]; raw[0] {
		case '"':
			b.Plain = true
			err = json.Unmarshal(raw, &f.Content)
		case '{':
			err = json.Unmarshal(raw, &today)
			f.Time, f.Content = today.Timestamp, today.Content
		default:
			err = errors.New("neither a text nor an object")
		}
		if err != nil { // its text may quote what it decoded
			return refuse("bootstrap-damaged", "", "detail", "a member of it holds no file")
		}
		b.Files = append(b.Files, f)
		delete(members, name)
		return nil
	}
	for _, known := range bootstrapPaths {
		if _, ok := members[known.name]; ok {
			if err := take(known.name, known.path); err != nil {
				return b, nil, err
			}
		}
	}
	var unknown []string
	for name := range members {
		unknown = append(unknown, name)
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		if err := take(name, ""); err != nil {
			return b, nil, err
		}
		found = append(found, pki.New("bootstrap-unknown", "", "name", name))
	}
	return b, found, nil
}

// Bundle returns the files under their paths, those of unknown names aside. Its
// time is the newest of theirs; the zero time in the old form.
func (b Bootstrap) Bundle() pki.Bundle {
	var out pki.Bundle
	for _, f := range b.Files {
		if f.Path == "" {
			continue
		}
		kind := pki.KindOf(f.Path)
		if strings.HasPrefix(f.Path, "cred/") {
			kind = pki.KindSecret
		}
		out.Add(f.Path, kind, f.Content)
		out.File(f.Path).Time = f.Time
		if f.Time.After(out.Time) {
			out.Time = f.Time
		}
	}
	return out
}

// FileState is what a server makes of a file on its disk when it starts, after
// it compared it with the datastore (k3s pkg/cluster/bootstrap.go,
// ReconcileBootstrapData).
type FileState string

const (
	FileSame     FileState = "same"     // nothing
	FileMissing  FileState = "missing"  // it is written from the datastore
	FileReplaced FileState = "replaced" // it differs: the datastore's is written over it
	FileNewer    FileState = "newer"    // it differs and is newer: the server does not start
)

// ClockSkew is by how much a file that differs must be newer than the datastore's
// for a server to end at its start (k3s pkg/cluster/bootstrap.go, systemTimeSkew).
const ClockSkew = 3 * time.Second

// FileComparison is the verdict on one file.
type FileComparison struct {
	BootstrapFile
	State FileState
	Disk  time.Time // modification time there
}

// Against compares the files with those of a server; the paths of both are
// relative to the server directory. Names that are not known are passed over, as
// a server does.
func (b Bootstrap) Against(disk pki.Bundle) []FileComparison {
	var out []FileComparison
	for _, f := range b.Files {
		if f.Path == "" {
			continue
		}
		c := FileComparison{BootstrapFile: f, State: FileMissing}
		if there := disk.File(f.Path); there != nil {
			c.Disk = there.Time
			switch {
			case bytes.Equal(there.Data, f.Content):
				c.State = FileSame
			case there.Time.Unix()-f.Time.Unix() >= int64(ClockSkew/time.Second):
				c.State = FileNewer
			default:
				c.State = FileReplaced
			}
		}
		out = append(out, c)
	}
	return out
}

// Reconciled are the findings of a comparison.
func Reconciled(files []FileComparison) []pki.Finding {
	var found []pki.Finding
	for _, f := range files {
		switch f.State {
		case FileNewer:
			found = append(found, pki.New("bootstrap-disk-newer", f.Path, "disk", pki.At(f.Disk).String(), "stored", pki.At(f.Time).String()))
		case FileReplaced:
			found = append(found, pki.New("bootstrap-disk-replaced", f.Path))
		case FileMissing:
			found = append(found, pki.New("bootstrap-disk-missing", f.Path))
		}
	}
	return found
}
