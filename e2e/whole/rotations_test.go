package whole

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// rotated goes on with a cluster: `rootkiln rotate` makes new CAs under the same
// roots. Nobody who held anything before is locked out.
func rotated(t *testing.T, c *cluster) {
	w := onTheWay(t, c)
	before := w.keep(t)
	r := w.rotate(t)
	w.follow(t, r)
	if !r.Against.TokenKept {
		t.Error("the token changes")
	}
	w.check(t, "new CAs by rootkiln rotate")
	before.still(t, w.cluster, everything)
}

// threeSteps changes all roots as the steps say that `rootkiln rotate` prints.
func threeSteps(t *testing.T, store store) {
	c := found(t, isolated, store)
	c.start(t)
	w := onTheWay(t, c)
	before := w.keep(t)

	a := w.rotate(t, "--new-root", "--step", "a")
	w.follow(t, a)
	if !a.Against.TokenKept {
		t.Error("step a changes the token")
	}
	inTheSafe := filepath.Join(a.Offline, "root-ca.crt")
	w.check(t, "step a")
	w.holders(t, "old root alone, step a", before.root, everywhere...)
	w.holders(t, "new root alone, step a", inTheSafe, everywhere...)
	before.still(t, w.cluster, everything)

	b := w.goOn(t, a)
	w.follow(t, b)
	if b.Against.TokenKept {
		t.Error("step b keeps the token")
	}
	w.check(t, "step b")
	w.holders(t, "old root alone, step b", before.root, everywhere...)
	w.holders(t, "new root alone, step b", w.rootFile, everywhere...)
	before.still(t, w.cluster, everything)
	w.joinable(t)
	check(t, "old join token", func(t *testing.T) { w.joinRefused(t, supervisor, before.join) })
	between := w.keep(t)

	w.follow(t, w.goOn(t, b))
	w.check(t, "step c")
	w.holders(t, "old root alone, step c", before.root, afterwards...)
	w.holders(t, "new root alone, step c", w.rootFile, everywhere...)
	before.still(t, w.cluster, opened{token: true})
	between.still(t, w.cluster, everything)
	w.joinable(t)
	w.probe(t, "step c")
}

// ownCAs begins with the CAs that k3s makes by itself, gives them roots above, and
// drops the old ones.
func ownCAs(t *testing.T) {
	c := &cluster{topology: isolated, store: sqlite, dir: testbed.Dir(t), token: password}
	c.data = filepath.Join(c.dir, "data")
	c.launch(t, nil, "--node-name", "node1", "--node-ip", testbed.Address)
	c.server.Await(t, 90*time.Second, "API ready", func() error {
		chain, err := testbed.ReadChain(c.tls("server-ca.crt"))
		if err == nil && len(chain) != 1 {
			err = errors.New("k3s makes more than one certificate")
		}
		if err != nil {
			return err
		}
		c.root, c.rootFile = chain[0], c.tls("server-ca.crt")
		return c.ready(apiserver)
	})
	w := onTheWay(t, c)
	before := w.keep(t)

	r := w.rotate(t)
	w.follow(t, r)
	w.check(t, "roots of its own")
	w.holders(t, "old CA alone", before.root, everywhere...)
	w.holders(t, "new root alone", w.rootFile, everywhere...)
	before.still(t, w.cluster, everything)
	w.joinable(t)
	check(t, "old join token", func(t *testing.T) { w.joinRefused(t, supervisor, before.join) })
	between := w.keep(t)

	w.follow(t, w.goOn(t, r))
	w.check(t, "old CAs out")
	w.holders(t, "old CA alone, after it is out", before.root, afterwards...)
	before.still(t, w.cluster, opened{token: true})
	between.still(t, w.cluster, everything)
	w.joinable(t)
	w.probe(t, "old CAs out")
}

// toIsolated gives every domain but the servers' a root of its own. The doors
// between them stay open until the shared root goes, and nobody is out before.
func toIsolated(t *testing.T) {
	c := found(t, shared, etcd)
	c.start(t)
	w := onTheWay(t, c)
	before := w.keep(t)

	r := w.rotate(t, "--topology", "isolated")
	w.follow(t, r)
	if !r.Against.TokenKept {
		t.Error("the token changes")
	}
	before.still(t, w.cluster, everything)
	w.holders(t, "the root that was shared", before.root, everywhere...)
	w.probe(t, "roots of their own, and the shared one")
	between := w.keep(t)

	w.follow(t, w.goOn(t, r))
	w.topology = isolated
	w.check(t, "isolated")
	w.holders(t, "the root that was shared, alone in the server domain", before.root, everywhere...)
	w.probe(t, "isolated")
	// The servers' root is the one that was shared. Who has the key of a CA of the
	// time before and its certificates, which are no secret, still passes for an API
	// server: only a new root of the server domain ends that.
	earlier := testbed.ReadAuthority(t, filepath.Join(w.dir, "rotations", "1", "tls", "client-ca"))
	w.expect(t, "API server for clients with client-ca and its chain of before", pretendServer(t, w.cluster, earlier), "trusted")
	before.still(t, w.cluster, opened{token: true})
	between.still(t, w.cluster, everything)
	w.joinable(t)
}

// newServiceKey has a new key sign tokens, twice: the second time the first key is
// dropped, and the tokens that it signed with it.
func newServiceKey(t *testing.T) {
	c := found(t, isolated, sqlite)
	c.start(t)
	w := onTheWay(t, c)
	type signed struct{ token, by string }
	var tokens []signed
	sign := func() {
		t.Helper()
		token := w.issueToken(t)
		tokens = append(tokens, signed{token, keyID(t, token)})
		if want := firstKeyID(t, read(t, w.tls("service.key"))); keyID(t, token) != want {
			t.Errorf("a token is signed by %s, the first of service.key is %s", keyID(t, token), want)
		}
	}
	sign()
	for _, turn := range []struct {
		name  string
		flags []string
		valid []bool // the tokens so far
	}{
		{"new key", []string{"--service-key-only"}, []bool{true, true}},
		{"and another", []string{"--service-key-only", "--prune"}, []bool{false, true, true}},
	} {
		w.follow(t, w.rotate(t, turn.flags...))
		sign()
		check(t, turn.name, func(t *testing.T) {
			filesUnchanged(t, w.cluster)
			publishedKeys(t, w.cluster)
			for i, valid := range turn.valid {
				expectWho(t, turn.name+": token", w.bearing(tokens[i].token), apiserver, serviceAccount.Name, valid)
				if i > 0 && tokens[i].by == tokens[i-1].by {
					t.Errorf("tokens %d and %d are signed by the same key", i-1, i)
				}
			}
		})
	}
}

// keyID is the kid in a token's header (RFC 7515 section 4.1.4).
func keyID(t testing.TB, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct{ KID string }
	if bad := json.Unmarshal(text, &header); err != nil || bad != nil {
		t.Fatal(errors.Join(err, bad))
	}
	return header.KID
}

// firstKeyID is what Kubernetes calls the first key of the file (pkg/serviceaccount,
// keyIDFromPublicKey).
func firstKeyID(t testing.TB, text []byte) string {
	t.Helper()
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public().(*rsa.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
