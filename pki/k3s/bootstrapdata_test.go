package k3s_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// A value made with other libraries: Python's hashlib for PBKDF2, its
// cryptography module for AES-GCM. Salt and nonce are the octets 0 to 19.
const (
	vectorToken = "correct horse"
	vectorKey   = "/bootstrap/4104d36f8da2"
	vectorPlain = `{"ServerCA":{"Timestamp":"2026-11-22T20:00:00.5Z","Content":"aGk="}}` + "\n"
	vectorValue = "0001020304050607:CAkKCwwNDg8QERIT1BLkBDQQzbx4fAZffwoBDhbUp8FexpBvjzNgC2qRMBz63rnap2hHWbPKU7yKy/USYAbKhELZK/zim0N5gHR+Ywk5ba/yX4tMktpCs1wBYAwd/n4UBA=="
)

func counting() *bytes.Reader {
	var b []byte
	for i := range 20 {
		b = append(b, byte(i))
	}
	return bytes.NewReader(b)
}

func TestBootstrapVector(t *testing.T) {
	if key := k3s.BootstrapKey(vectorToken); key != vectorKey {
		t.Error(key)
	}
	sealed, err := k3s.SealBootstrap([]byte(vectorPlain), vectorToken, counting())
	if err != nil || string(sealed) != vectorValue {
		t.Errorf("%s %v", sealed, err)
	}
	if _, err := k3s.SealBootstrap(nil, "", bytes.NewReader(make([]byte, 19))); err == nil {
		t.Error("sealed with too little randomness")
	}
	b, found, err := k3s.OpenBootstrap("x", []k3s.StoredValue{{Key: vectorKey, Value: []byte(vectorValue)}}, vectorToken)
	if err != nil || len(found) > 0 || string(b.Plaintext) != vectorPlain || b.Key != vectorKey || b.Plain {
		t.Fatalf("%+v %v %v", b, found, err)
	}
	want := time.Date(2026, 11, 22, 20, 0, 0, 5e8, time.UTC)
	f := b.Files[0]
	if len(b.Files) != 1 || f.Name != "ServerCA" || f.Path != "tls/server-ca.crt" || string(f.Content) != "hi" || !f.Time.Equal(want) {
		t.Errorf("%+v", b.Files)
	}
}

// What each token encrypts with (k3s pkg/clientaccess/token.go, parseToken).
func TestPassword(t *testing.T) {
	hash := strings.Repeat("0", 64)
	for token, want := range map[string]string{
		"secret":                             "secret",
		"with:colon":                         "with:colon",
		"a::b":                               "a::b",
		"K10" + hash + "::server:secret":     "secret",
		"K10" + hash + "::server:a:b::c":     "a:b::c",
		"K10" + hash + "::node:secret":       "secret",
		"K10::server:secret":                 "secret",
		"K10server:secret":                   "secret",
		"abcdef.0123456789abcde":             "abcdef.0123456789abcde",
		"":                                   "",
		"K10":                                "",
		"K10" + hash:                         "",
		"K10" + hash + "::":                  "",
		"K10" + hash + "::server:":           "",
		"K10" + hash[1:] + "::server:secret": "",
		"K10plain":                           "",
		"abcdef.0123456789abcdef":            "",
		"K10" + hash + "::abcdef.0123456789abcdef": "",
	} {
		got, err := k3s.Password(token)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", token, got, err)
		}
		if err != nil && token != "" && strings.Contains(err.Error(), strings.TrimPrefix(token, "K10")) && len(token) > 3 {
			t.Errorf("%q stands in %v", token, err)
		}
	}
}

func code(err error) pki.Code {
	var r *pki.Refusal
	if errors.As(err, &r) {
		return r.Findings[0].Code
	}
	return ""
}

// TestOpenBootstrap: the key decides, and only where there is none the tag does.
func TestOpenBootstrap(t *testing.T) {
	value, other := []byte(vectorValue), []byte(strings.Replace(vectorValue, "00010203", "0f010203", 1))
	empty, err := k3s.SealBootstrap([]byte(vectorPlain), "", counting())
	if err != nil {
		t.Fatal(err)
	}
	list := func(kv ...any) (out []k3s.StoredValue) {
		for i := 0; i < len(kv); i += 2 {
			out = append(out, k3s.StoredValue{Key: kv[i].(string), Value: kv[i+1].([]byte)})
		}
		return out
	}
	for name, tt := range map[string]struct {
		values []k3s.StoredValue
		token  string
		want   pki.Code // of the refusal, or of the first finding
	}{
		"right key":            {list(vectorKey, value), vectorToken, ""},
		"among others":         {list("/bootstrap/000000000000", other, vectorKey, value), vectorToken, "bootstrap-several"},
		"no keys":              {list("", other, "", value), vectorToken, "bootstrap-several"},
		"another's key":        {list("/bootstrap/000000000000", value), vectorToken, "bootstrap-token"},
		"wrong token, no key":  {list("", value), "wrong", "bootstrap-token"},
		"right key, changed":   {list(vectorKey, other), vectorToken, "bootstrap-damaged"},
		"locked":               {list(vectorKey, []byte(" \n")), vectorToken, "bootstrap-locked"},
		"no password":          {list(k3s.BootstrapKey(""), empty), vectorToken, "bootstrap-no-password"},
		"no colon":             {list("", []byte("0001020304050607")), vectorToken, "bootstrap-damaged"},
		"short salt":           {list("", []byte("00:AAAA")), vectorToken, "bootstrap-damaged"},
		"not base64":           {list("", []byte("0001020304050607:%%%")), vectorToken, "bootstrap-damaged"},
		"too short":            {list("", []byte("0001020304050607:AAAA")), vectorToken, "bootstrap-damaged"},
		"no token":             {list("", value), "", "token-format"},
		"nothing":              {nil, vectorToken, "bootstrap-token"},
		"trailing line end":    {list("", append(bytes.Clone(value), '\n')), vectorToken, ""},
		"an agent's token":     {list("", value), "abcdef.0123456789abcdef", "token-format"},
		"older values in kine": {[]k3s.StoredValue{{Key: vectorKey, Value: value, Older: 2}}, vectorToken, "bootstrap-history"},
	} {
		_, found, err := k3s.OpenBootstrap("x", tt.values, tt.token)
		got := code(err)
		if err == nil && len(found) > 0 {
			got = found[0].Code
		}
		if got != tt.want {
			t.Errorf("%s: %q, not %q", name, got, tt.want)
		}
	}
}

func TestParseBootstrap(t *testing.T) {
	for plain, want := range map[string]string{
		`{"ServerCA":"aGk="}`: "tls/server-ca.crt plain",
		`{"ServerCA":{"Timestamp":"2026-01-01T00:00:00Z","Content":"aGk="},"A":{"Content":null}}`: "tls/server-ca.crt  bootstrap-unknown",
		`{}`: "bootstrap-damaged", ``: "bootstrap-damaged", `[]`: "bootstrap-damaged", `{"ServerCA":1}`: "bootstrap-damaged",
		`{"ServerCA":null}`: "bootstrap-damaged", `{"ServerCA":"%"}`: "bootstrap-damaged", `{"ServerCA":{"Timestamp":"x"}}`: "bootstrap-damaged",
		`{"../../etc/passwd":"aGk="}`: " plain bootstrap-unknown",
	} {
		b, found, err := k3s.ParseBootstrap([]byte(plain))
		var got []string
		for _, f := range b.Files {
			got = append(got, f.Path)
		}
		if b.Plain {
			got = append(got, "plain")
		}
		for _, f := range found {
			got = append(got, string(f.Code))
		}
		if err != nil {
			got = []string{string(code(err))}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, not %q", plain, s, want)
		}
		for _, f := range b.Bundle().Files {
			if !strings.HasPrefix(f.Path, "tls/") && !strings.HasPrefix(f.Path, "cred/") {
				t.Errorf("%s goes to %q", plain, f.Path)
			}
		}
	}
}

// Every file of a bundle is in the table, under its own path.
func TestBootstrapHasEveryFile(t *testing.T) {
	members := map[string]string{}
	for _, name := range []string{"ETCDServerCA", "ETCDServerCAKey", "ETCDPeerCA", "ETCDPeerCAKey", "ServerCA", "ServerCAKey", "ClientCA", "ClientCAKey", "ServiceKey", "RequestHeaderCA", "RequestHeaderCAKey"} {
		members[name] = base64.StdEncoding.EncodeToString([]byte(name))
	}
	plain, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := k3s.ParseBootstrap(plain)
	if err != nil {
		t.Fatal(err)
	}
	server, err := k3s.ServerFiles(b.Bundle())
	if err != nil || len(server.Files) != len(members) {
		t.Fatalf("%d files, %v", len(server.Files), err)
	}
	if key := server.File("tls/etcd/peer-ca.key"); key.Kind != pki.KindKey || string(key.Data) != "ETCDPeerCAKey" {
		t.Errorf("%+v", key)
	}
}

// Three seconds decide whether a server starts (k3s pkg/cluster/bootstrap.go,
// isNewerFile, which counts whole seconds).
func TestAgainst(t *testing.T) {
	stored := time.Date(2026, 1, 1, 0, 0, 0, 900e6, time.UTC)
	b := k3s.Bootstrap{Files: []k3s.BootstrapFile{{Name: "ServerCA", Path: "tls/server-ca.crt", Time: stored, Content: []byte("a")}, {Name: "New"}}}
	for _, tt := range []struct {
		data string
		at   time.Time
		want k3s.FileState
	}{
		{"a", stored.Add(time.Hour), k3s.FileSame},
		{"b", stored.Add(-time.Hour), k3s.FileReplaced},
		{"b", stored.Add(2050 * time.Millisecond), k3s.FileReplaced},
		{"b", stored.Add(2100 * time.Millisecond), k3s.FileNewer},
		{"", time.Time{}, k3s.FileMissing},
	} {
		var disk pki.Bundle
		if tt.data != "" {
			disk.Add("tls/server-ca.crt", pki.KindChain, []byte(tt.data))
			disk.Files[0].Time = tt.at
		}
		got := b.Against(disk)
		if len(got) != 1 || got[0].State != tt.want || len(k3s.Reconciled(got)) != map[bool]int{true: 0, false: 1}[tt.want == k3s.FileSame] {
			t.Errorf("%q at %s: %+v", tt.data, tt.at, got)
		}
	}
}

// Whatever is exported, reading it ends in values under /bootstrap/ or in a
// refusal, and opening never in anything but what was sealed.
func FuzzReadExport(f *testing.F) {
	kv := `{"key":"` + base64.StdEncoding.EncodeToString([]byte(vectorKey)) + `","value":"` + base64.StdEncoding.EncodeToString([]byte(vectorValue)) + `"}`
	for _, seed := range []string{
		vectorValue, vectorKey + "\n" + vectorValue + "\n", vectorKey + "\n\n/registry/x\ny", vectorKey, "\n" + vectorValue + "\n" + vectorValue,
		`{"header":{},"kvs":[` + kv + `]}`, "[" + kv + "]", kv + kv, `{"` + vectorKey + `":"` + vectorValue + `"}`, `{"kvs":[{}]}`, `[null]`, `{"/registry/x":"y","/bootstrap/x":"y"}`,
		`"Key" : "` + vectorKey + `"` + "\n" + `"Value" : "` + vectorValue + `"`, `"Value" : "x"`, `"Key" : x`, "{", "[1]", strings.Repeat("\x00", 16) + "\xed\xda\x0c\xed.....",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := k3s.ReadExport("x", data)
		if (err == nil) != (len(values) > 0) || err != nil && code(err) == "" {
			t.Fatalf("%v, %v", values, err)
		}
		for _, v := range values {
			if v.Key != "" && !strings.HasPrefix(v.Key, k3s.BootstrapPrefix) {
				t.Errorf("the key %q", v.Key)
			}
		}
		if len(values) > 2 {
			return // a derivation of a key each
		}
		b, _, err := k3s.OpenBootstrap("x", values, vectorToken)
		if err == nil && string(b.Plaintext) != vectorPlain {
			t.Errorf("opened: %q", b.Plaintext)
		}
	})
}

// What was parsed has each member once, and nothing of it leaves the tree.
func FuzzParseBootstrap(f *testing.F) {
	for _, seed := range []string{vectorPlain, `{"ServerCA":"aGk="}`, `{"A":{"Content":""},"ServerCA":null}`, `{"ServerCA":{"Content":"aGk=","Timestamp":"0001-01-01T00:00:00Z"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, found, err := k3s.ParseBootstrap(data)
		if err != nil {
			if code(err) != "bootstrap-damaged" {
				t.Error(err)
			}
			return
		}
		known := 0
		for _, file := range b.Bundle().Files {
			if known++; !strings.HasPrefix(file.Path, "tls/") && !strings.HasPrefix(file.Path, "cred/") || strings.Contains(file.Path, "..") {
				t.Errorf("%q", file.Path)
			}
		}
		if known+len(found) != len(b.Files) || len(b.Files) == 0 {
			t.Errorf("%d known, %d not, %d files", known, len(found), len(b.Files))
		}
	})
}

// FuzzPassword: k3s's own rule, told in another way: a token of which a server
// cannot make user and password has no password here either.
func FuzzPassword(f *testing.F) {
	for _, seed := range []string{"secret", "K10::server:x", "K10" + strings.Repeat("a", 64) + "::server:x", "abcdef.0123456789abcdef", "K10a:b", "a:b::c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		password, err := k3s.Password(token)
		switch {
		case err != nil && (password != "" || code(err) != "token-format"):
			t.Errorf("%q: %q, %v", token, password, err)
		case err == nil && (password == "" || !strings.HasSuffix(token, password)):
			t.Errorf("%q: %q", token, password)
		case err == nil && !strings.HasPrefix(token, "K10") && password != token:
			t.Errorf("%q: %q", token, password)
		}
	})
}
