package engine_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/wasm/engine"
)

// Every way in which OpenSSL encrypts a key is opened or named.
func TestEncryptedKeys(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	openssl(t, "ecparam", "-genkey", "-name", "secp384r1", "-out", file("root.key"))
	openssl(t, "req", "-x509", "-new", "-key", file("root.key"), "-subj", "/CN=my root", "-days", "4000", "-out", file("root.crt"))
	cert, err := os.ReadFile(file("root.crt"))
	if err != nil {
		t.Fatal(err)
	}
	secret := `blank " \ 口令`
	if err := os.WriteFile(file("pass"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		code pki.Code // empty: it opens
	}{
		{"pkcs8 -topk8", ""},
		{"pkcs8 -topk8 -v2 aes-128-cbc", ""},
		{"pkcs8 -topk8 -v2 aes-192-cbc -v2prf hmacWithSHA1", ""},
		{"pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA384", ""},
		{"pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 50000", ""},
		{"pkcs8 -topk8 -scrypt", ""},
		{"pkcs8 -topk8 -scrypt -scrypt_N 1024 -scrypt_r 4 -scrypt_p 2", ""},
		{"pkcs8 -topk8 -v2 des3", "key-cipher"},
		{"pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA224", "key-cipher"},
		{"pkcs8 -topk8 -v1 PBE-SHA1-3DES", "key-cipher"},
		{"ec -aes256", "key-cipher"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			openssl(t, append(strings.Fields(tt.args), "-in", file("root.key"), "-passout", "file:"+file("pass"), "-out", file("locked.key"))...)
			locked, err := os.ReadFile(file("locked.key"))
			if err != nil {
				t.Fatal(err)
			}
			files := []engine.File{{Name: "root.crt", Data: cert}, {Name: "locked.key", Data: locked}}
			params := quick(object{"inputs": object{"root": "root.crt", "rootKey": "locked.key"}})
			for given, want := range map[string]pki.Code{secret: "", "wrong": "key-passphrase", "": "key-encrypted"} {
				if tt.code != "" {
					want = tt.code
				}
				v, _, f := attempt(t, "plan", with(params, object{"now": "2027-06-01T00:00:00Z", "passphrases": object{"locked.key": given}}), files...)
				switch {
				case want == "" && f != nil:
					t.Errorf("%q: %s", given, f.Message)
				case want == "" && at(v, "topology", 0, "elsewhere") != false:
					t.Errorf("the key was not read")
				case want != "" && (f == nil || f.Findings[0].Code != want):
					t.Errorf("%q: %+v, want %s", given, f, want)
				case want != "" && (f.Kind == engine.Passphrase) != (want != "key-cipher"):
					t.Errorf("%s: %s", want, f.Kind)
				}
			}
			params["passphrases"] = object{"locked.key": secret}
			doubled := bytes.Join([][]byte{locked, locked}, nil)
			if _, _, f := attempt(t, "plan", params, files[0], engine.File{Name: "locked.key", Data: doubled}); f == nil || f.Findings[0].Code != "key-cipher" {
				t.Errorf("two keys: %+v", f)
			}
		})
	}
}
