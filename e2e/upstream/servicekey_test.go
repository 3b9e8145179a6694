package upstream

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// testServiceAccount returns a token that the API server signed with service.key.
func (p *plane) testServiceAccount(t *testing.T) string {
	token := p.serviceToken(t)
	if user, err := p.bearer(t, token).WhoAmI(p.url("")); user.Name != "system:serviceaccount:default:default" {
		t.Errorf("the token is %q: %v", user.Name, err)
	}
	if keys, err := p.publishedKeys(t); len(keys) != 1 || keys[0] != keyID(t, token) {
		t.Errorf("published keys %q (%v), the token was signed by %q", keys, err, keyID(t, token))
	}
	return token
}

func (p *plane) serviceToken(t *testing.T) string {
	t.Helper()
	within(t, 30*time.Second, "default service account", func() error {
		var account map[string]any
		return p.get(t, "/api/v1/namespaces/default/serviceaccounts/default", &account)
	})
	var answer struct{ Status struct{ Token string } }
	if err := p.send(p.admin(t), http.MethodPost, "/api/v1/namespaces/default/serviceaccounts/default/token",
		map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": map[string]any{}}, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Status.Token
}

func (p *plane) bearer(t testing.TB, token string) testbed.Client {
	client := p.as(t, nil)
	client.Header = http.Header{"Authorization": {"Bearer " + token}}
	return client
}

// publishedKeys are the names of the keys that verify service tokens.
func (p *plane) publishedKeys(t *testing.T) ([]string, error) {
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		}
	}
	err := p.get(t, "/openid/v1/jwks", &set)
	var ids []string
	for _, key := range set.Keys {
		ids = append(ids, key.ID)
	}
	return ids, err
}

func keyID(t *testing.T, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct {
		ID string `json:"kid"`
	}
	if err := errors.Join(err, json.Unmarshal(text, &header)); err != nil {
		t.Fatal(err)
	}
	return header.ID
}

// testServiceKeyRotation puts a new key before the old one, then drops the old.
func (p *plane) testServiceKeyRotation(t *testing.T, oldToken string) {
	next := testbed.NewBundle(t, testbed.Dir(t), "--service-key", p.bundle.TLS("service.key"))
	both, err := os.ReadFile(next.TLS("service.key"))
	if err != nil {
		t.Fatal(err)
	}
	testbed.Write(t, p.bundle.TLS("service.key"), both)
	p.restart(t)
	token := p.serviceToken(t)
	if keyID(t, token) == keyID(t, oldToken) {
		t.Error("the old key still signs")
	}
	for name, tok := range map[string]string{"new": token, "old": oldToken} {
		if user, err := p.bearer(t, tok).WhoAmI(p.url("")); user.Name == "" {
			t.Errorf("the %s token is refused: %v", name, err)
		}
	}
	if keys, err := p.publishedKeys(t); len(keys) != 2 {
		t.Errorf("%d published keys (%v), want 2", len(keys), err)
	}
	first, _ := pem.Decode(both)
	testbed.Write(t, p.bundle.TLS("service.key"), pem.EncodeToMemory(first))
	p.restart(t)
	if user, err := p.bearer(t, oldToken).WhoAmI(p.url("")); !unauthorized(err) {
		t.Errorf("the old token is %q (%v) without its key, want 401", user.Name, err)
	}
	if user, err := p.bearer(t, token).WhoAmI(p.url("")); user.Name == "" {
		t.Errorf("the new token is refused: %v", err)
	}
}

// serviceKey is a service.key that a kube-apiserver is started with.
type serviceKey struct {
	name    string
	file    func(testing.TB) []byte
	stops   string // part of what k3s's own code says before; empty: it makes service.current.key
	refused string // part of the reason; empty: it starts
	keys    int    // published, of those that it starts with
	says    says
}

const noKey = "does not contain a valid RSA or ECDSA private key"

var serviceKeys = []serviceKey{
	{name: "RSA-2048", file: pemKey("RSA PRIVATE KEY", rsa2048), keys: 1},
	{name: "RSA-2048 in PKCS#8", file: pemKey("PRIVATE KEY", rsa2048), keys: 1},
	{name: "P-256", file: pemKey("EC PRIVATE KEY", ec(elliptic.P256())), keys: 1},
	{name: "P-384", file: pemKey("EC PRIVATE KEY", ec(elliptic.P384())), keys: 1},
	{name: "P-521", file: pemKey("EC PRIVATE KEY", ec(elliptic.P521())), keys: 1},
	{name: "RSA, then P-256", file: join(pemKey("RSA PRIVATE KEY", rsa2048), pemKey("EC PRIVATE KEY", ec(elliptic.P256()))), keys: 2},
	{name: "text between two keys", file: join(pemKey("RSA PRIVATE KEY", rsa2048), said("\n# the old one\n\n"), pemKey("RSA PRIVATE KEY", rsa2048)), keys: 2},
	{name: "P-256 in PKCS#8", file: pemKey("PRIVATE KEY", ec(elliptic.P256())), says: says{errors: codes{"service-key-format"}},
		refused: "does not contain any valid RSA or ECDSA public keys"},
	{name: "RSA, then P-256 in PKCS#8, silently dropped", file: join(pemKey("RSA PRIVATE KEY", rsa2048), pemKey("PRIVATE KEY", ec(elliptic.P256()))), keys: 1,
		says: says{errors: codes{"service-key-format"}}},
	{name: "Ed25519", file: pemKey("PRIVATE KEY", ed), says: says{errors: codes{"service-key-format"}},
		stops: "private key is not a recognized type: ed25519.PrivateKey", refused: "unknown private key type ed25519.PrivateKey"},
	{name: "Ed25519, then RSA", file: join(pemKey("PRIVATE KEY", ed), pemKey("RSA PRIVATE KEY", rsa2048)), says: says{errors: codes{"service-key-format"}},
		stops: "private key is not a recognized type: ed25519.PrivateKey", refused: "unknown private key type ed25519.PrivateKey"},
	{name: "P-224", file: pemKey("EC PRIVATE KEY", ec(elliptic.P224())), says: says{errors: codes{"key-unsupported"}}, refused: "unknown private key curve"},
	{name: "RSA-1024", file: pemKey("RSA PRIVATE KEY", rsa1024), keys: 1, says: says{errors: codes{"service-key-weak"}}},
	{name: "encrypted", file: encryptedRSA, says: says{errors: codes{"key-encrypted"}}, stops: noKey, refused: noKey},
	{name: "half a block behind", file: join(pemKey("RSA PRIVATE KEY", rsa2048), said("trailing -----BEGIN\n")), keys: 1},
	{name: "public key alone", file: publicKey, says: says{errors: codes{"service-key-none"}}, stops: noKey, refused: noKey},
	{name: "empty", file: said(""), says: says{errors: codes{"pem-none"}}, stops: noKey, refused: noKey},
}

func pemKey(blockType string, key func(testing.TB) crypto.Signer) func(testing.TB) []byte {
	return func(t testing.TB) []byte { return testbed.EncodeKey(t, blockType, key(t)) }
}

func join(parts ...func(testing.TB) []byte) func(testing.TB) []byte {
	return func(t testing.TB) []byte {
		var all []byte
		for _, part := range parts {
			all = append(all, part(t)...)
		}
		return all
	}
}

func said(s string) func(testing.TB) []byte { return func(testing.TB) []byte { return []byte(s) } }

func rsa2048(t testing.TB) crypto.Signer { return testbed.RSAKey(t) }

// encryptedRSA is a key as OpenSSL encrypted it before version 3.
func encryptedRSA(t testing.TB) []byte {
	file := testbed.Write(t, testbed.Dir(t)+"/plain.key", testbed.EncodeKey(t, "RSA PRIVATE KEY", testbed.RSAKey(t)))
	out, err := testbed.Run("", []string{"PASSPHRASE=of no secret"}, "openssl", "rsa", "-traditional", "-aes128", "-in", file, "-passout", "env:PASSPHRASE")
	if err != nil {
		t.Fatal(err)
	}
	return []byte(out)
}

func publicKey(t testing.TB) []byte {
	der, err := x509.MarshalPKIXPublicKey(testbed.RSAKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// serviceKeyFiles starts a kube-apiserver on every service.key.
func serviceKeyFiles(t *testing.T) {
	sound := testbed.NewBundle(t, testbed.Dir(t))
	onOneEtcd(t, sound, func(t *testing.T, ground *plane) {
		for _, row := range serviceKeys {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				p := laned(t, sound.Copy(t, testbed.Dir(t)))
				p.store = ground
				p.writeLeaves(t)
				testbed.Write(t, p.bundle.TLS("service.key"), row.file(t))
				p.launchAPI(t, row.deriveKey(t, p)...)
				var published int
				err := p.api.TryAwait(time.Minute, func() error {
					keys, err := p.publishedKeys(t)
					published = len(keys)
					return err
				})
				tally.pitfalls.Add(1)
				tally.judgements.Add(2)
				refused := row.check(t, published, err, p.api)
				row.says.compare(t, p.bundle, refused)
			})
		}
	})
}

// deriveKey lets k3s's code take the key that signs. Where it cannot, and would
// start nothing, an API server as others start it gets the file itself.
func (row serviceKey) deriveKey(t *testing.T, p *plane) []string {
	t.Helper()
	err := p.writeServiceKey()
	if (err == nil) != (row.stops == "") || err != nil && !strings.Contains(err.Error(), row.stops) {
		t.Errorf("k3s on service.key: %v, want %q", err, row.stops)
	}
	if err == nil {
		return nil
	}
	return []string{"--service-account-signing-key-file=" + p.bundle.TLS("service.key")}
}

// check holds what the API server did against the row, and returns its name if
// it refuses.
func (row serviceKey) check(t *testing.T, published int, err error, api *testbed.Process) []string {
	t.Helper()
	if err == nil {
		if row.refused != "" {
			t.Error("it starts")
		}
		if published != row.keys {
			t.Errorf("%d published keys, want %d", published, row.keys)
		}
		return nil
	}
	if log := api.Tail(8); row.refused == "" || !strings.Contains(log, row.refused) {
		t.Errorf("it does not start: %v\n%s\nwant %q", err, log, row.refused)
	}
	return []string{"kube-apiserver"}
}
