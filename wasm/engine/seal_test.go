package engine_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"io"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"rootkiln/pki"
	"rootkiln/wasm/engine"
)

// recipient is the public key of identity.
var (
	identity  = must(age.GenerateX25519Identity())
	recipient = identity.Recipient().String()
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The offline part opens with the keys of age and of SSH, by age's own code.
func TestSeal(t *testing.T) {
	quantum := must(age.GenerateHybridIdentity())
	ed, edKey := must2(ed25519.GenerateKey(rand.Reader))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	line := func(key any) string {
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(must(ssh.NewPublicKey(key)))))
	}
	for _, tt := range []struct {
		name      string
		recipient string
		identity  age.Identity
	}{
		{"age", recipient, identity},
		{"post-quantum age", quantum.Recipient().String(), quantum},
		{"ssh-ed25519", line(ed) + " ada@example", must(agessh.NewEd25519Identity(edKey))},
		{"ssh-rsa", line(&rsaKey.PublicKey), must(agessh.NewRSAIdentity(rsaKey))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, out := call(t, "make", with(quick(nil), object{"recipients": []string{" " + tt.recipient + "\n"}}))
			if got := names(out); !slices.Equal(got, []string{"tls.tar.gz", "tls-offline.tar.gz.age"}) || v["offline"] != got[1] || at(v, "install", 0, "code") != "safe" {
				t.Fatalf("%q %v", got, v["install"])
			}
			plain := must(age.Decrypt(bytes.NewReader(out[1].Data), tt.identity))
			b, err := pki.ReadArchive(plain, pki.DefaultLimits)
			if err != nil || b.File("root-ca.key") == nil || b.File("README.txt") == nil {
				t.Errorf("%v", err)
			}
		})
	}
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

// Points that are on no curve, and keys that SSH itself would refuse.
func TestSSHRefused(t *testing.T) {
	ed, _ := must2(ed25519.GenerateKey(rand.Reader))
	good := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(must(ssh.NewPublicKey(ed)))))
	for _, bad := range []string{
		"ssh-ed25519", "ssh-ed25519 %", "ssh-rsa " + strings.Fields(good)[1], good[:40],
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", // y = 2: no point
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", // y = 1: the neutral element
		"ecdsa-sha2-nistp256 AAAA", "ssh-dss AAAA",
	} {
		_, _, f := attempt(t, "plan", with(quick(nil), object{"recipients": []string{bad}}))
		if f == nil || f.Findings[0].Code != "recipient-bad" || strings.Contains(f.Message, "AAAA") {
			t.Errorf("%s: %+v", bad, f)
		}
	}
}

// What is encrypted is opened on its way in: in bytes and in armour, with a
// passphrase or a key; else it is said what would open it.
func TestUnseal(t *testing.T) {
	_, out := call(t, "make", quick(nil))
	seal := func(to age.Recipient, armoured bool) []byte {
		var b bytes.Buffer
		var w io.WriteCloser = nopCloser{&b}
		if armoured {
			w = armor.NewWriter(&b)
		}
		sealed := must(age.Encrypt(w, to))
		must(sealed.Write(out[0].Data))
		if err := sealed.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	scrypt := must(age.NewScryptRecipient("swordfish"))
	scrypt.SetWorkFactor(10)
	heavy := must(age.NewScryptRecipient("swordfish"))
	heavy.SetWorkFactor(10)
	tooHeavy := bytes.Replace(seal(heavy, false), []byte(" 10\n"), []byte(" 21\n"), 1)
	byPhrase, byKey := seal(scrypt, false), seal(identity.Recipient(), true)
	damaged := bytes.Clone(byPhrase)
	damaged[len(damaged)-1] ^= 1
	for _, tt := range []struct {
		name   string
		data   []byte
		secret string
		code   pki.Code
	}{
		{"passphrase", byPhrase, "swordfish", ""},
		{"no passphrase", byPhrase, "", "seal-locked"},
		{"wrong passphrase", byPhrase, "sword fish", "seal-passphrase"},
		{"key in armour", byKey, identity.String(), ""},
		{"no key", byKey, "", "seal-recipients"},
		{"a passphrase for a key", byKey, "swordfish", "seal-recipients"},
		{"another key", byKey, must(age.GenerateX25519Identity()).String(), "seal-passphrase"},
		{"damaged", damaged, "swordfish", "seal-damaged"},
		{"cut off", byPhrase[:60], "swordfish", "seal-damaged"},
		{"more work than there is memory", tooHeavy, "swordfish", "seal-damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			params := object{"set": with(set(0, 1), object{"passphrase": tt.secret})}
			v, _, f := attempt(t, "verify", params, engine.File{Name: "tls.tar.gz.age", Data: tt.data})
			switch {
			case tt.code == "" && (f != nil || len(v["findings"].([]any)) > 0):
				t.Errorf("%v %v", f, v["findings"])
			case tt.code != "" && (f == nil || f.Findings[0].Code != tt.code || strings.Contains(f.Message, "AGE-SECRET")):
				t.Errorf("%+v", f)
			}
		})
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
