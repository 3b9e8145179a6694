package middle

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// stored is the value in which k3s keeps all CA keys in its datastore.
type stored struct {
	key   string
	value []byte
}

// storedValue reads it with the datastore's own client; one that is not there
// or empty is an error.
func (s *server) storedValue() (stored, error) {
	v, err := s.stores()[s.store]()
	if err == nil && len(v.value) == 0 {
		err = errors.New("no bootstrap value")
	}
	return v, err
}

func (s *server) stores() map[store]func() (stored, error) {
	return map[store]func() (stored, error){sqlite: s.fromSQLite, etcd: s.fromEtcd}
}

// fromSQLite takes the newest row: kine only adds.
func (s *server) fromSQLite() (stored, error) {
	out, err := s.run("sqlite3", "-readonly", "-cmd", ".timeout 5000", filepath.Join(s.data, "server", "db", "state.db"),
		"SELECT name, hex(value) FROM kine WHERE name LIKE '/bootstrap/%' ORDER BY id DESC LIMIT 1")
	if err != nil {
		return stored{}, err
	}
	key, text, _ := strings.Cut(strings.TrimSpace(out), "|")
	value, err := hex.DecodeString(text)
	return stored{key, value}, err
}

func (s *server) fromEtcd() (stored, error) {
	out, err := s.etcdctl(s.tls("etcd/client"), "get", "/bootstrap/", "--prefix", "--write-out", "json")
	if err != nil {
		return stored{}, err
	}
	var answer struct {
		KVs []struct{ Key, Value []byte }
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return stored{}, err
	}
	if len(answer.KVs) != 1 {
		return stored{}, fmt.Errorf("%d bootstrap values", len(answer.KVs))
	}
	return stored{string(answer.KVs[0].Key), answer.KVs[0].Value}, nil
}

// etcdctl shows a certificate, named without its ending, and trusts etcd's own
// CA file.
func (s *server) etcdctl(pair string, args ...string) (string, error) {
	return testbed.Run(s.dir, []string{"ETCDCTL_API=3"}, append([]string{"etcdctl", "--endpoints", "https://127.0.0.1:2379",
		"--dial-timeout", "3s", "--command-timeout", "3s",
		"--cacert", s.tls("etcd/server-ca.crt"), "--cert", pair + ".crt", "--key", pair + ".key"}, args...)...)
}

// members are the value's entries: the eleven files and four of the server's.
var members = map[string]string{
	"ServerCA": "tls/server-ca.crt", "ServerCAKey": "tls/server-ca.key",
	"ClientCA": "tls/client-ca.crt", "ClientCAKey": "tls/client-ca.key",
	"RequestHeaderCA": "tls/request-header-ca.crt", "RequestHeaderCAKey": "tls/request-header-ca.key",
	"ETCDPeerCA": "tls/etcd/peer-ca.crt", "ETCDPeerCAKey": "tls/etcd/peer-ca.key",
	"ETCDServerCA": "tls/etcd/server-ca.crt", "ETCDServerCAKey": "tls/etcd/server-ca.key",
	"ServiceKey": "tls/service.key",
	"PasswdFile": "cred/passwd", "IPSECKey": "cred/ipsec.psk",
	"EncryptionConfig": "cred/encryption-config.json", "EncryptionHash": "cred/encryption-state.json",
}

// member is an entry; the time is that of the file.
type member struct {
	Timestamp time.Time
	Content   []byte
}

// open decrypts the value: AES-256-GCM under a key that PBKDF2 (RFC 8018
// section 5.2) makes of the password, with the hexadecimal text as salt.
func (v stored) open(password string) (map[string]member, error) {
	sum := sha256.Sum256([]byte(password))
	if want := "/bootstrap/" + hex.EncodeToString(sum[:])[:12]; v.key != want {
		return nil, fmt.Errorf("the key is %s, want %s", v.key, want)
	}
	salt, text, _ := strings.Cut(string(v.value), ":")
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(pbkdf2(password, salt, 4096, 32))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if len(sealed) < gcm.NonceSize() {
		return nil, fmt.Errorf("%d bytes are no sealed value", len(sealed))
	}
	plain, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
	if err != nil {
		return nil, err
	}
	var m map[string]member
	return m, json.Unmarshal(plain, &m)
}

// pbkdf2 is that of RFC 8018 with HMAC-SHA-1: Go has it since 1.24 only.
func pbkdf2(password, salt string, rounds, size int) []byte {
	var key []byte
	for i := byte(1); len(key) < size; i++ {
		mac := hmac.New(sha1.New, []byte(password))
		mac.Write([]byte(salt))
		mac.Write([]byte{0, 0, 0, i})
		u := mac.Sum(nil)
		block := bytes.Clone(u)
		for range rounds - 1 {
			mac.Reset()
			mac.Write(u)
			u = mac.Sum(nil)
			for j := range block {
				block[j] ^= u[j]
			}
		}
		key = append(key, block...)
	}
	return key[:size]
}

// storedFiles are the eleven files in the value.
func (s *server) storedFiles(t testing.TB) files {
	t.Helper()
	_, f := s.openStored(t)
	return f
}

func (s *server) openStored(t testing.TB) (map[string]member, files) {
	t.Helper()
	v, err := s.storedValue()
	if err != nil {
		t.Fatal(err)
	}
	content, err := v.open(password)
	if err != nil {
		t.Fatal(err)
	}
	tally.values.Add(1)
	f := files{}
	for name, entry := range content {
		if file, ok := strings.CutPrefix(members[name], "tls/"); ok {
			f[file] = entry.Content
		}
	}
	return content, f
}

// bootstrapValue compares the value with the bundle, and its other entries with
// the disk.
func bootstrapValue(t *testing.T, s *server) {
	content, f := s.openStored(t)
	if differing := f.differing(s.files); len(differing) > 0 {
		t.Errorf("stored otherwise than they should: %s", strings.Join(differing, ", "))
	}
	for name, file := range members {
		entry, ok := content[name]
		disk, err := os.ReadFile(filepath.Join(s.data, "server", filepath.FromSlash(file)))
		if err != nil || !ok || !bytes.Equal(entry.Content, disk) {
			t.Errorf("%s: stored %t (%d bytes), on disk %d bytes (%v)", name, ok, len(entry.Content), len(disk), err)
		}
	}
	for name := range content {
		if members[name] == "" {
			t.Errorf("an entry that nobody knows: %s", name)
		}
	}
}
