package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/wasm/engine"
)

// now is the clock of the calls: in the future, so that files made at it are not
// of the past.
const now = "2030-06-01T12:00:00Z"

type object = map[string]any

// attempt calls a method with copies of files, as a page does.
func attempt(t *testing.T, method string, params object, files ...engine.File) (object, []engine.File, *engine.Failure) {
	t.Helper()
	whole := object{"lang": "en", "now": now}
	maps.Copy(whole, params)
	data, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var in []engine.File
	for _, f := range files {
		f.Data = bytes.Clone(f.Data)
		in = append(in, f)
	}
	e := engine.Engine{Keys: pki.Random{}, Version: "test"}
	value, out, err := e.Call(t.Context(), method, data, in, nil)
	var failure *engine.Failure
	if errors.As(err, &failure) {
		if failure.Message == "" || failure.Findings == nil {
			t.Errorf("%s: a failure without words: %+v", method, failure)
		}
		return nil, out, failure
	}
	if err != nil {
		t.Fatalf("%s: %v is no Failure", method, err)
	}
	for _, f := range in {
		if len(bytes.Trim(f.Data, "\x00")) > 0 {
			t.Errorf("%s: %s was not cleared", method, f.Name)
		}
	}
	if len(bytes.Trim(data, "\x00")) > 0 {
		t.Errorf("%s: the parameters were not cleared", method)
	}
	if bytes.Contains(value, []byte("PRIVATE KEY-----")) {
		t.Errorf("%s: a private key is in the value", method)
	}
	var got object
	if err := json.Unmarshal(value, &got); err != nil {
		t.Fatal(err)
	}
	return got, out, nil
}

func call(t *testing.T, method string, params object, files ...engine.File) (object, []engine.File) {
	t.Helper()
	value, out, failure := attempt(t, method, params, files...)
	if failure != nil {
		t.Fatalf("%s: %s %s", method, failure.Kind, failure.Message)
	}
	return value, out
}

func set(first, count int) object { return object{"label": "given", "first": first, "count": count} }

// quick is a plan whose keys are made at once.
func quick(more object) object {
	plan := object{"keys": object{"service": "p256"}}
	maps.Copy(plan, more)
	return object{"plan": plan}
}

func with(params, more object) object {
	out := maps.Clone(params)
	maps.Copy(out, more)
	return out
}

func names(files []engine.File) []string {
	out := []string{}
	for _, f := range files {
		out = append(out, f.Name)
	}
	return out
}

// at follows a path into a value: keys, and indexes of lists.
func at(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := v.(object)
			v = m[s]
		case int:
			list, _ := v.([]any)
			if s >= len(list) {
				return nil
			}
			v = list[s]
		}
	}
	return v
}

func codes(v any) []string {
	out := []string{}
	list, _ := v.([]any)
	for _, f := range list {
		out = append(out, at(f, "code").(string))
	}
	return out
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is missing: apt install openssl")
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// unpack writes an archive of ours into a directory.
func unpack(t *testing.T, archive engine.File) string {
	t.Helper()
	b, err := pki.ReadArchive(bytes.NewReader(archive.Data), pki.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range b.Files {
		path := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestVersion(t *testing.T) {
	v, _ := call(t, "version", nil)
	if v["api"] != float64(engine.API) || v["version"] != "test" || !strings.HasPrefix(v["go"].(string), "go1.") {
		t.Errorf("%v", v)
	}
}

// A plan is read as people write it, and comes back as the JSON of a form.
func TestParse(t *testing.T) {
	const yaml = "# ours\napiVersion: rootkiln/v1\nkind: Plan\nname: kiln\norganization:\n- Acme\nkeys:\n  root: p521\ninputs:\n  root: not/there.crt\n  keepServiceKey: true\n"
	v, _ := call(t, "parse", object{"document": yaml})
	again, _ := call(t, "parse", object{"document": v["document"]})
	if v["document"] != again["document"] || !strings.Contains(v["document"].(string), `"keepServiceKey": true`) {
		t.Errorf("%s", v["document"])
	}
	for document, kind := range map[string]engine.FailureKind{
		"name: [kiln]\n": engine.Usage, "apiVersion: rootkiln/v1\nkind: Plan\nswordfish: 1\n": engine.Refused, "": engine.Refused, "{\"name\":\"a\"}": engine.Refused,
	} {
		if _, _, f := attempt(t, "parse", object{"document": document}); f == nil || f.Kind != kind {
			t.Errorf("%q: %+v", document, f)
		}
	}
}

func TestPlan(t *testing.T) {
	v, _ := call(t, "plan", quick(object{"name": "prod", "topology": "shared"}))
	if at(v, "resolved", "name") != "prod" || len(v["digest"].(string)) != 64 {
		t.Errorf("%v %v", v["resolved"], v["digest"])
	}
	top := at(v, "topology", 0)
	if at(top, "kind") != "root" || at(top, "children", 0, "kind") != "intermediate" || at(top, "children", 0, "children", 0, "children", 0, "kind") != "leaf" {
		t.Errorf("topology: %v", top)
	}
	if n := len(v["keys"].([]any)); n != 8 {
		t.Errorf("%d keys will be made, want 8", n)
	}
	if got := v["command"]; got != "rootkiln bundle --name prod --topology shared --service-alg p256" {
		t.Errorf("command: %s", got)
	}
	if got := codes(v["findings"]); !slices.Contains(got, "shared-trust") {
		t.Errorf("findings: %q", got)
	}
	if !strings.Contains(v["document"].(string), `"apiVersion": "rootkiln/v1"`) {
		t.Errorf("document: %s", v["document"])
	}
	v, _ = call(t, "plan", quick(object{"elsewhere": []string{"root"}}))
	if got := at(v, "requests", 0); got != "intermediate" || !strings.HasPrefix(v["command"].(string), "rootkiln request ") {
		t.Errorf("requests %v, command %v", v["requests"], v["command"])
	}
}

func TestMake(t *testing.T) {
	v, out := call(t, "make", quick(nil))
	if got := names(out); !slices.Equal(got, []string{"tls.tar.gz", "tls-offline.tar.gz"}) {
		t.Fatalf("%q", got)
	}
	dir := unpack(t, out[0])
	for _, ca := range []string{"server-ca", "client-ca", "etcd/peer-ca"} {
		chain := filepath.Join(dir, "tls", ca+".crt")
		openssl(t, "verify", "-x509_strict", "-attime", "1906545600", "-CAfile", chain, "-untrusted", chain, chain)
	}
	token, _ := call(t, "token", with(object{"set": set(0, 1)}, object{"password": "swordfish"}), out[0])
	if token["token"] != v["token"] || token["full"] != v["token"].(string)+"server:swordfish" || token["hash"] != v["rootSHA256"] {
		t.Errorf("%v %v", token, v["token"])
	}
	if at(v, "install", 2, "code") != "unpack" || !strings.Contains(at(v, "install", 2, "commands", 0).(string), "tar -xmpf tls.tar.gz -C /var/lib/rancher/k3s/server") {
		t.Errorf("%v", v["install"])
	}
	if at(v, "files", 0, "part") != "server" || at(v, "certificates", 0, "name") != "root CA" || at(v, "ends") == nil {
		t.Errorf("%v", v)
	}
	_, out = call(t, "make", with(quick(nil), object{"server": "prod.tar", "offline": "safe.tar"}))
	if got := names(out); !slices.Equal(got, []string{"prod.tar", "safe.tar"}) || !bytes.Contains(out[0].Data[257:262], []byte("ustar")) {
		t.Errorf("%q", got)
	}
}

// With an issuer of one's own nothing new is for the safe: there is one archive.
func TestMakeUnderOwnIntermediate(t *testing.T) {
	_, out := call(t, "make", quick(object{"topology": "shared"}))
	dir := unpack(t, out[1])
	chain, err := os.ReadFile(filepath.Join(dir, "intermediate-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	openssl(t, "pkcs8", "-topk8", "-in", filepath.Join(dir, "intermediate-ca.key"), "-scrypt", "-passout", "pass:swordfish", "-out", filepath.Join(dir, "sealed.key"))
	locked, err := os.ReadFile(filepath.Join(dir, "sealed.key"))
	if err != nil {
		t.Fatal(err)
	}
	files := []engine.File{{Name: "my intermediate.pem", Data: chain}, {Name: "sealed.key", Data: locked}}
	params := quick(object{"topology": "shared", "inputs": object{"intermediate": "my intermediate.pem", "intermediateKey": "sealed.key"}})
	for _, secret := range []string{"", "wrong"} {
		_, _, f := attempt(t, "make", with(params, object{"passphrases": object{"sealed.key": secret}}), files...)
		if f == nil || f.Kind != engine.Passphrase || f.File != "sealed.key" {
			t.Errorf("passphrase %q: %+v", secret, f)
		}
	}
	params["passphrases"] = object{"sealed.key": "swordfish"}
	v, out := call(t, "make", params, files...)
	if got := names(out); !slices.Equal(got, []string{"tls.tar.gz"}) || at(v, "offline") != nil || at(v, "install", 0, "code") != "unpack" {
		t.Errorf("%q %v", got, v["install"])
	}
	plan, _ := call(t, "plan", params, files...)
	if want := "--intermediate 'my intermediate.pem' --intermediate-key sealed.key"; !strings.HasSuffix(plan["command"].(string), want) {
		t.Errorf("%s", plan["command"])
	}
	if at(plan, "topology", 0, "existing") != true {
		t.Errorf("%v", at(plan, "topology", 0))
	}
}

// Two rooms: a request, its signature by the root, the bundle.
func TestTwoRooms(t *testing.T) {
	_, root := call(t, "make", quick(object{"topology": "shared"}))
	safe := unpack(t, root[1])
	cert, _ := os.ReadFile(filepath.Join(safe, "root-ca.crt"))
	key, _ := os.ReadFile(filepath.Join(safe, "root-ca.key"))

	v, asked := call(t, "request", with(quick(object{"topology": "shared"}), object{"sealPassphrase": "swordfish"}))
	if got := names(asked); !slices.Equal(got, []string{"intermediate.csr", "plan.json", "state.json.age"}) {
		t.Fatalf("%q", got)
	}
	files := append(slices.Clone(asked[:2]), engine.File{Name: "root.crt", Data: cert}, engine.File{Name: "root.key", Data: key})
	signed, back := call(t, "sign", object{"plan": "plan.json", "request": "intermediate.csr", "issuer": "root.crt", "key": "root.key"}, files...)
	if got := names(back); !slices.Equal(got, []string{"intermediate.crt"}) || signed["planDigest"] != v["planDigest"] || signed["publicKeySHA256"] != at(v, "requests", 0, "publicKeySHA256") {
		t.Errorf("%q %v %v", got, signed, v)
	}
	resume := object{"plan": object{}, "state": "state.json.age", "signed": []string{"intermediate.crt"}}
	if _, _, f := attempt(t, "resume", resume, asked[2], back[0]); f == nil || f.Kind != engine.Passphrase || f.File != "state.json.age" {
		t.Errorf("%+v", f)
	}
	resume["statePassphrase"] = "swordfish"
	made, out := call(t, "resume", resume, asked[2], back[0])
	if made["rootSHA256"] != signed["rootSHA256"] || len(out) != 2 {
		t.Errorf("%v %q", made["rootSHA256"], names(out))
	}
	verdict, _ := call(t, "verify", object{"set": set(0, 1)}, out[0])
	if got := codes(verdict["findings"]); slices.Contains(got, "error") || at(verdict, "probes", "go", "failed") != float64(0) {
		t.Errorf("%q %v", got, verdict["probes"])
	}
	for name, wrong := range map[string][]string{"signed-missing": {}, "signed-twice": {"intermediate.crt", "again.crt"}, "signed-key-mismatch": {"root.crt"}} {
		_, _, f := attempt(t, "resume", with(resume, object{"signed": wrong}), asked[2], back[0],
			engine.File{Name: "again.crt", Data: back[0].Data}, engine.File{Name: "root.crt", Data: cert})
		if f == nil || f.Kind != engine.Refused || string(f.Findings[0].Code) != name {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestReports(t *testing.T) {
	_, out := call(t, "make", quick(nil))
	in, _ := call(t, "inspect", object{"set": set(0, 2)}, out...)
	if len(in["certificates"].([]any)) != 11 || len(in["keys"].([]any)) != 12 {
		t.Errorf("%d certificates, %d keys", len(in["certificates"].([]any)), len(in["keys"].([]any)))
	}
	v, _ := call(t, "verify", object{"set": set(0, 1)}, out[0])
	if at(v, "topology") != "isolated" || at(v, "probes", "go", "run").(float64) < 10 || len(v["findings"].([]any)) != 0 {
		t.Errorf("%v", v)
	}
	quiet, _ := call(t, "check", object{"set": set(0, 1)}, out[0])
	later, _ := call(t, "check", object{"set": set(0, 1), "at": "2041-01-01", "within": "1y"}, out[0])
	if quiet["alarm"] != false || later["alarm"] != true || later["withinDays"] != float64(365) {
		t.Errorf("alarm %v, later %v", quiet["alarm"], later["alarm"])
	}
	if len(later["remedies"].([]any)) == 0 || at(later, "remedies", 0, "what") == "" || at(later, "findings", 0, "why") == "" {
		t.Errorf("%v %v", later["remedies"], later["findings"])
	}
	_, other := call(t, "make", quick(nil))
	sets := object{"sets": []object{with(set(0, 1), object{"label": "one"}), with(set(1, 1), object{"label": "two"})}}
	same, _ := call(t, "compare", sets, out[0], out[0])
	differ, _ := call(t, "compare", sets, out[0], other[0])
	if same["equal"] != true || differ["equal"] != false || at(differ, "nodes", 1, "name") != "two" {
		t.Errorf("%v %v", same["equal"], differ["equal"])
	}
	against, _ := call(t, "verify", object{"set": set(0, 1), "against": set(1, 1)}, other[0], out[0])
	if at(against, "against", "ruling", "saved") != false || !slices.Contains(codes(against["findings"]), "rotate-chain") {
		t.Errorf("%v", codes(against["findings"]))
	}
}

func TestRotate(t *testing.T) {
	_, out := call(t, "make", with(quick(nil), object{"sealPassphrase": "swordfish"}))
	params := object{"now": "2030-07-01T00:00:00Z", "old": set(0, 1), "held": []object{set(1, 1)}}
	if _, _, f := attempt(t, "rotate", params, out...); f == nil || f.Kind != engine.Passphrase || f.File != "tls-offline.tar.gz.age" {
		t.Errorf("%+v", f)
	}
	params["held"] = []object{with(set(1, 1), object{"passphrase": "swordfish"})}
	v, next := call(t, "rotate", params, out...)
	if got := names(next); !slices.Equal(got, []string{"next.tar.gz"}) || v["change"] != "cas" || at(v, "against", "tokenKept") != true || at(v, "against", "ruling", "saved") != true {
		t.Errorf("%q %v", got, v["change"])
	}
	if at(v, "steps", 0, "what") == "" || at(v, "steps", 0, "at") == "" {
		t.Errorf("%v", v["steps"])
	}
	v, next = call(t, "rotate", with(params, object{"newRoot": true, "step": "a", "recipients": []string{recipient}}), out...)
	if got := names(next); !slices.Equal(got, []string{"next.tar.gz", "next-offline.tar.gz.age"}) || v["change"] != "roots-a" {
		t.Errorf("%q %v", got, v["change"])
	}
	for code, more := range map[string]object{
		"rotation-exclusive":   {"sameKey": true, "newRoot": true},
		"rotation-prune-alone": {"prune": true},
		"plan-value":           {"only": []string{"nobody"}},
	} {
		if _, _, f := attempt(t, "rotate", with(params, more), out...); f == nil || string(f.Findings[0].Code) != code {
			t.Errorf("%s: %+v", code, f)
		}
	}
}

func TestExportAndAdmin(t *testing.T) {
	_, out := call(t, "make", quick(nil))
	for format, want := range map[string]string{"cloud-init": "#cloud-config", "secret": "kind: Secret", "ansible": "ansible"} {
		_, files := call(t, "export", object{"set": set(0, 1), "format": format, "namespace": "kiln"}, out[0])
		if len(files) == 0 || !slices.ContainsFunc(files, func(f engine.File) bool { return strings.Contains(string(f.Data), want) }) {
			t.Errorf("%s: %q", format, names(files))
		}
	}
	if _, _, f := attempt(t, "export", object{"set": set(0, 1), "format": "secret", "namespace": "No"}, out[0]); f == nil || f.Findings[0].Code != "export-name" {
		t.Errorf("%+v", f)
	}
	v, files := call(t, "admin", object{"set": set(0, 1), "server": "https://kiln.example:6443", "user": "ada", "groups": []string{"ops"}, "validity": "8h"}, out[0])
	if v["user"] != "ada" || fmt.Sprint(v["groups"]) != "[ops]" || v["notAfter"] != "2030-06-01T19:59:59Z" || len(files) != 1 || files[0].Mode != 0o600 {
		t.Errorf("%v %q", v, names(files))
	}
	// What was just made can be inspected: a kubeconfig is YAML.
	in, _ := call(t, "inspect", object{"set": set(0, 1)}, files...)
	if n := len(in["certificates"].([]any)); n < 3 || len(in["keys"].([]any)) != 1 || len(in["findings"].([]any)) != 0 {
		t.Errorf("%d certificates, %v", n, in["findings"])
	}
	_, files = call(t, "admin", object{"set": set(0, 1), "certificate": true}, out[0])
	if got := names(files); !slices.Equal(got, []string{"client-admin.crt", "client-admin.key"}) {
		t.Errorf("%q", got)
	}
}

// What is wrong with a call is told by its kind, in both languages, and without
// what was given.
func TestFailures(t *testing.T) {
	_, out := call(t, "make", quick(nil))
	two := engine.File{Name: "two/tls.tar.gz", Data: out[0].Data}
	tests := []struct {
		name, method string
		params       object
		files        []engine.File
		kind         engine.FailureKind
		code         pki.Code
	}{
		{"no method", "nothing", nil, nil, engine.Usage, ""},
		{"a field that is not there", "plan", object{"swordfish": 1}, nil, engine.Usage, ""},
		{"another type", "plan", object{"recipients": "swordfish"}, nil, engine.Usage, ""},
		{"a number for a passphrase", "make", object{"sealPassphrase": 12}, nil, engine.Usage, ""},
		{"a time that is none", "plan", object{"now": "swordfish"}, nil, engine.Refused, "plan-value"},
		{"a plan of another kind", "plan", object{"plan": object{"kind": "Swordfish"}}, nil, engine.Refused, "plan-version"},
		{"a plan that is a list", "plan", object{"plan": []int{1}}, nil, engine.Refused, "plan-value"},
		{"a name that is none", "plan", quick(object{"name": "No Name"}), nil, engine.Refused, "plan-name"},
		{"a file that is not there", "make", quick(object{"inputs": object{"root": "swordfish.crt"}}), nil, engine.Refused, "input-missing"},
		{"a key alone", "make", quick(object{"inputs": object{"rootKey": "k"}}), nil, engine.Refused, "plan-key-alone"},
		{"a recipient that is none", "make", with(quick(nil), object{"recipients": []string{recipient, "swordfish"}}), nil, engine.Refused, "recipient-bad"},
		{"a secret recipient", "make", with(quick(nil), object{"recipients": []string{"AGE-SECRET-KEY-1SWORDFISH"}}), nil, engine.Refused, "recipient-secret"},
		{"two ways to seal", "make", with(quick(nil), object{"recipients": []string{recipient}, "sealPassphrase": "swordfish"}), nil, engine.Refused, "seal-one-way"},
		{"a set beyond the files", "inspect", object{"set": set(0, 2)}, out[:1], engine.Usage, ""},
		{"a set that wraps around", "inspect", object{"set": set(1, 1<<62)}, out[:1], engine.Usage, ""},
		{"no file", "inspect", object{"set": set(0, 0)}, nil, engine.Usage, ""},
		{"not a bundle", "verify", object{"set": set(0, 1)}, []engine.File{{Name: "a.txt", Data: []byte("hello")}}, "", "bundle-none"},
		{"two clusters", "verify", object{"set": set(0, 2)}, []engine.File{{Name: "one", Data: out[0].Data}, two}, engine.Refused, "clusters-several"},
		{"no window", "check", object{"set": set(0, 1), "within": "soon"}, out[:1], engine.Usage, ""},
		{"no format", "export", object{"set": set(0, 1), "format": "tar"}, out[:1], engine.Usage, ""},
		{"no address", "admin", object{"set": set(0, 1), "server": "kiln"}, out[:1], engine.Usage, ""},
		{"too much for a code", "qr", object{"text": strings.Repeat("x", 3000)}, nil, engine.Usage, ""},
		{"nothing to request", "request", quick(object{"elsewhere": []string{"request-header-root"}, "topology": "shared"}), nil, engine.Refused, "plan-value"},
	}
	han := regexp.MustCompile(`\p{Han}`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, lang := range []string{"en", "zh"} {
				value, files, f := attempt(t, tt.method, with(object{"lang": lang}, tt.params), tt.files...)
				if tt.kind == "" { // a report, which tells it itself
					if got := codes(value["findings"]); !slices.Contains(got, string(tt.code)) {
						t.Errorf("%q", got)
					}
					continue
				}
				switch {
				case f == nil:
					t.Fatal("it went well")
				case f.Kind != tt.kind || len(files) > 0:
					t.Errorf("%s %s, %d files", f.Kind, f.Message, len(files))
				case tt.code != "" && f.Findings[0].Code != tt.code:
					t.Errorf("%s instead of %s", f.Findings[0].Code, tt.code)
				case tt.code != "" && (f.Findings[0].What == "" || f.Findings[0].Why == ""):
					t.Errorf("unexplained: %+v", f.Findings[0])
				case (lang == "zh") != han.MatchString(f.Message):
					t.Errorf("%s: %s", lang, f.Message)
				case strings.Contains(strings.ToUpper(f.Message), "SWORDFISH") && tt.kind == engine.Refused && tt.code == "recipient-secret":
					t.Errorf("the secret is repeated: %s", f.Message)
				}
			}
		})
	}
}

// A call that is cancelled makes nothing.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := engine.Engine{Keys: pki.Random{}}
	_, out, err := e.Call(ctx, "make", []byte(`{"lang":"en","now":"`+now+`"}`), nil, nil)
	var f *engine.Failure
	if !errors.As(err, &f) || f.Kind != engine.Failed || !strings.Contains(f.Message, "cancelled") || len(out) > 0 {
		t.Errorf("%v %q", err, names(out))
	}
}

// Every key is told when it is begun and when it is done.
func TestProgress(t *testing.T) {
	e := engine.Engine{Keys: pki.Random{}}
	var steps []object
	_, _, err := e.Call(t.Context(), "make", []byte(`{"lang":"zh","now":"`+now+`","plan":{"topology":"shared","keys":{"service":"p256"}}}`), nil, func(data []byte) {
		var s object
		if err := json.Unmarshal(data, &s); err != nil {
			t.Error(err)
		}
		steps = append(steps, s)
	})
	if err != nil {
		t.Fatal(err)
	}
	open := map[any]bool{}
	for _, s := range steps {
		if s["total"] != float64(8) {
			t.Errorf("%v", s)
		}
		if s["phase"] == "start" {
			open[s["role"]] = true
		} else if !open[s["role"]] {
			t.Errorf("done before it was begun: %v", s)
		}
	}
	if len(steps) != 16 || len(open) != 8 || steps[15]["done"] != float64(8) || open["lint"] {
		t.Errorf("%d steps of %d keys, the last %v", len(steps), len(open), steps[len(steps)-1])
	}
}

// The engine has no room for what the command line needs.
func TestDependencies(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "..")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Fields(string(out))
	if !slices.Contains(listed, "rootkiln/wasm/engine") {
		t.Fatalf("%q", listed)
	}
	for _, pkg := range listed {
		for _, heavy := range []string{
			"rootkiln/cmd", "net/http", "crypto/tls", "github.com/spf13", "go.yaml.in", "go.step.sm", "golang.org/x/crypto/ssh",
			"golang.org/x/text", "golang.org/x/term", "text/template", "os/exec", "log", "testing",
		} {
			if pkg == heavy || strings.HasPrefix(pkg, heavy+"/") {
				t.Errorf("%s is in the engine", pkg)
			}
		}
	}
}
