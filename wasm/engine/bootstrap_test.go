package engine_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"rootkiln/pki/k3s"
	"rootkiln/wasm/engine"
)

// What k3s keeps of its CAs in the datastore is read as the files that it stands
// for, with the server token.
func TestBootstrap(t *testing.T) {
	_, out := call(t, "make", quick(nil))
	dir := unpack(t, out[0])
	names := map[string]string{
		"ServerCA": "server-ca.crt", "ServerCAKey": "server-ca.key", "ClientCA": "client-ca.crt", "ClientCAKey": "client-ca.key",
		"RequestHeaderCA": "request-header-ca.crt", "RequestHeaderCAKey": "request-header-ca.key", "ServiceKey": "service.key",
		"ETCDPeerCA": "etcd/peer-ca.crt", "ETCDPeerCAKey": "etcd/peer-ca.key", "ETCDServerCA": "etcd/server-ca.crt", "ETCDServerCAKey": "etcd/server-ca.key",
	}
	files := object{}
	for name, path := range names {
		content, err := os.ReadFile(filepath.Join(dir, "tls", path))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = object{"Timestamp": now, "Content": base64.StdEncoding.EncodeToString(content)}
	}
	plaintext, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	value, err := k3s.SealBootstrap(plaintext, "swordfish", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := json.Marshal(object{"kvs": []object{{
		"key":   base64.StdEncoding.EncodeToString([]byte(k3s.BootstrapKey("swordfish"))),
		"value": base64.StdEncoding.EncodeToString(value),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"value": value, "list.json": listed, "plain.txt": []byte(k3s.BootstrapKey("swordfish") + "\n" + string(value) + "\n"),
	} {
		f := engine.File{Name: name, Data: data}
		for _, wrong := range []string{"", "trout", "K10x"} {
			_, _, failure := attempt(t, "inspect", object{"set": with(set(0, 1), object{"passphrase": wrong})}, f)
			if failure == nil || failure.Kind != engine.Token || failure.File == "" && wrong != "K10x" {
				t.Errorf("%s with %q: %+v", name, wrong, failure)
			}
		}
		given := object{"set": with(set(0, 1), object{"passphrase": "swordfish\n"})}
		seen, _ := call(t, "inspect", given, f)
		verdict, _ := call(t, "verify", given, f)
		if got := len(seen["keys"].([]any)); got != 6 || verdict["topology"] != "isolated" {
			t.Errorf("%s: %d keys, %v", name, got, verdict["topology"])
		}
	}
	// Text that only names the prefix is no export.
	if _, _, failure := attempt(t, "inspect", object{"set": set(0, 1)}, engine.File{Name: "notes.yaml", Data: []byte("server: a\n# see /bootstrap/ in etcd\n")}); failure != nil {
		t.Errorf("%+v", failure)
	}
}
