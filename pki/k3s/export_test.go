package k3s_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

var updateExports = flag.Bool("update", false, "write the golden files of the exports anew")

var exportTime = pki.At(time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC))

// exportModes are the eleven files with the modes that they need: said once
// more, by hand.
var exportModes = map[string]string{
	"tls/client-ca.crt": "0644", "tls/client-ca.key": "0600",
	"tls/etcd/peer-ca.crt": "0644", "tls/etcd/peer-ca.key": "0600",
	"tls/etcd/server-ca.crt": "0644", "tls/etcd/server-ca.key": "0600",
	"tls/request-header-ca.crt": "0644", "tls/request-header-ca.key": "0600",
	"tls/server-ca.crt": "0644", "tls/server-ca.key": "0600",
	"tls/service.key": "0600",
}

// The golden files show the text that people get. What stands between the
// markers of a PEM block is not a certificate and not a key there.
func TestExportGolden(t *testing.T) {
	for _, distro := range []pki.Distro{pki.K3s, pki.RKE2} {
		product, _ := k3s.ProductOf(distro)
		in := k3s.Installation{Product: product, Token: "K10" + strings.Repeat("0123456789abcdef", 4) + "::", Name: "edge-01"}
		if distro == pki.RKE2 {
			in.Namespace = "clusters"
		}
		for _, name := range slices.Sorted(maps.Keys(exportModes)) {
			kind := map[string]string{".crt": "CERTIFICATE", ".key": "PRIVATE KEY"}[filepath.Ext(name)]
			in.Server.Add(name, pki.KindOf(name), fmt.Appendf(nil, "-----BEGIN %[1]s-----\n%[2]s\n-----END %[1]s-----\n", kind, name))
		}
		for _, e := range k3s.Exports() {
			for _, f := range e.Files(in) {
				path := filepath.Join("testdata", "export", string(distro), f.Path)
				if *updateExports {
					if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, 0o644)); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(f.Data, want) {
					t.Errorf("%s differs from %s (go test ./pki/k3s -update writes it):\n%s", e.Name, path, f.Data)
				}
			}
		}
	}
}

// What an installer reads out of each form is, byte for byte, what was in the
// bundle, whatever line ends and comments a foreign bundle has.
func TestExportRoundTrip(t *testing.T) {
	plain := exportBundle(t, pki.Plan{})
	rough := pki.Bundle{Files: slices.Clone(plain.Files)}
	for i, change := range []func(string) string{
		func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		func(s string) string { return strings.TrimSuffix(s, "\n") },
		func(s string) string { return s + "\n\n" },
		func(s string) string { return "    indented: {{ comment }}\n" + s },
		func(s string) string { return "\n  indented\n" + s },
		func(s string) string { return "\tsubject: Zürich 苏黎世\n" + s },
		func(s string) string { return "latin-1: \xfc \x85\n" + s },
		func(s string) string { return "# {{ no_template }} {% raw %}\n\n" + s + "trailing  \n" },
		func(s string) string { return "\xef\xbb\xbf" + s },
	} {
		rough.Files[i].Data = []byte(change(string(rough.Files[i].Data)))
	}
	for name, b := range map[string]pki.Bundle{"plain": plain, "rough": rough} {
		want := map[string]string{}
		for _, f := range b.Files {
			want[f.Path] = string(f.Data)
		}
		in := installation(t, b)
		for form, read := range map[string]func(*testing.T, []pki.File) map[string]string{
			"cloud-init": readCloudInit, "ansible": readAnsible, "secret": readSecret,
		} {
			t.Run(name+"/"+form, func(t *testing.T) {
				if got := read(t, exportFiles(t, form, in)); !maps.Equal(got, want) {
					for path := range want {
						if got[path] != want[path] {
							t.Errorf("%s reads back as %q, want %q", path, got[path], want[path])
						}
					}
					t.Errorf("%d files, want %d", len(got), len(want))
				}
			})
		}
	}
}

func readCloudInit(t *testing.T, files []pki.File) map[string]string {
	if !bytes.HasPrefix(files[0].Data, []byte("#cloud-config\n")) {
		t.Error("cloud-init knows user data by its first line")
	}
	var doc struct {
		Bootcmd [][]string `json:"bootcmd"`
		Files   []struct{ Path, Owner, Permissions, Encoding, Content string }
	}
	renamed := bytes.ReplaceAll(files[0].Data, []byte("\nwrite_files:"), []byte("\nfiles:"))
	readYAML(t, renamed, &doc)
	dirs := "0700 /var/lib/rancher/k3s/server /var/lib/rancher/k3s/server/tls /var/lib/rancher/k3s/server/tls/etcd"
	if len(doc.Bootcmd) != 1 || !strings.HasSuffix(strings.Join(doc.Bootcmd[0], " "), dirs) {
		t.Errorf("bootcmd %v does not make the directories private", doc.Bootcmd)
	}
	got := map[string]string{}
	for _, f := range doc.Files {
		path := strings.TrimPrefix(f.Path, "/var/lib/rancher/k3s/server/")
		if f.Permissions != exportModes[path] || f.Owner != "root:root" {
			t.Errorf("%s: %s %s", f.Path, f.Owner, f.Permissions)
		}
		got[path] = f.Content
		if f.Encoding == "b64" {
			got[path] = decoded(t, f.Content)
		}
	}
	return got
}

func readAnsible(t *testing.T, files []pki.File) map[string]string {
	if files[0].Kind.Mode() != 0o644 || files[1].Kind.Mode() != 0o600 {
		t.Errorf("modes %o %o", files[0].Kind.Mode(), files[1].Kind.Mode())
	}
	var vars struct {
		TLS map[string]string `json:"rootkiln_tls"`
	}
	readYAML(t, files[1].Data, &vars)
	for path, data := range vars.TLS {
		vars.TLS[path] = decoded(t, data)
	}
	return vars.TLS
}

func readSecret(t *testing.T, files []pki.File) map[string]string {
	var doc struct {
		APIVersion, Kind, Type string
		Metadata               map[string]string
		Data                   map[string][]byte
	}
	readYAML(t, files[0].Data, &doc)
	if doc.APIVersion != "v1" || doc.Kind != "Secret" || doc.Type != "Opaque" || doc.Metadata["name"] != "edge-01-ca" {
		t.Errorf("%s %s %s %v", doc.APIVersion, doc.Kind, doc.Type, doc.Metadata)
	}
	got := map[string]string{}
	for path := range exportModes {
		key := k3s.SecretKey(path)
		if strings.Trim(key, "abcdefghijklmnopqrstuvwxyz.-") != "" {
			t.Errorf("%s cannot be a key of a Secret", key)
		}
		if data, ok := doc.Data[key]; ok {
			got[path] = string(data)
		}
		delete(doc.Data, key)
	}
	if len(doc.Data) > 0 {
		t.Errorf("%d further keys", len(doc.Data))
	}
	return got
}

// The fragments hold the token's hash and the port of the product, and nothing
// secret; a token without a password is one that k3s does not take.
func TestExportConfig(t *testing.T) {
	for distro, port := range map[pki.Distro]string{pki.K3s: "6443", pki.RKE2: "9345"} {
		b := exportBundle(t, pki.Plan{Distro: distro})
		in := installation(t, b)
		in.Product, _ = k3s.ProductOf(distro)
		text := exportFiles(t, "config", in)[0].Data
		var server, agent map[string]any
		readYAML(t, text, &server, &agent)
		want := []map[string]any{
			{"token": in.Token + "server:"},
			{"server": "https://SERVER:" + port, "token": in.Token + "node:"},
		}
		if !maps.Equal(server, want[0]) || !maps.Equal(agent, want[1]) {
			t.Errorf("%v %v, want %v", server, agent, want)
		}
		for _, f := range b.Files {
			if bytes.Contains(text, f.Data[100:140]) || bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString(f.Data)[:40])) {
				t.Errorf("%s shows in the fragment", f.Path)
			}
		}
	}
}

// A bundle is found beside its tls directory, in it and in a data directory;
// what is not one of the eleven stays behind.
func TestExportTakesTheElevenFilesAndNoOther(t *testing.T) {
	b := exportBundle(t, pki.Plan{})
	for _, dir := range []string{"tls/", "", "server/tls/"} {
		var moved pki.Bundle
		for _, f := range b.Files {
			moved.Add(dir+strings.TrimPrefix(f.Path, "tls/"), f.Kind, f.Data)
		}
		moved.Add(dir+"root-ca.key", pki.KindKey, []byte("the key of the root"))
		moved.Add(dir+"client-ca.nochain.crt", pki.KindChain, b.File("tls/client-ca.crt").Data)
		server, err := k3s.ServerFiles(moved)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(server.Files, b.Files) {
			t.Errorf("in %q: %d files, want %d", dir, len(server.Files), len(b.Files))
		}
	}
}

// Half a bundle on a server is worse than none: k3s makes the other half itself.
func TestExportRefusesAnIncompleteBundle(t *testing.T) {
	b := exportBundle(t, pki.Plan{})
	for name := range exportModes {
		without := pki.Bundle{Files: slices.DeleteFunc(slices.Clone(b.Files), func(f pki.File) bool { return f.Path == name })}
		_, err := k3s.ServerFiles(without)
		exportRefused(t, err, `error: file-missing (`+name+`) path="`+name+`"`)
	}
	_, err := k3s.ServerFiles(pki.Bundle{})
	exportRefused(t, err, "error: bundle-none")
}

func exportRefused(t *testing.T, err error, want string) {
	t.Helper()
	var refusal *pki.Refusal
	if !errors.As(err, &refusal) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// The order matters to what was cut off: server-ca.crt says that all is there.
func TestExportAnsibleWritesServerCALast(t *testing.T) {
	tasks := exportFiles(t, "ansible", installation(t, exportBundle(t, pki.Plan{})))[0].Data
	if !bytes.HasSuffix(tasks, []byte("- {path: tls/server-ca.crt, mode: \"0644\"}\n")) {
		t.Errorf("%s", tasks)
	}
}

// exportBundle makes the server part of a plan, with the fastest keys.
func exportBundle(t *testing.T, plan pki.Plan) pki.Bundle {
	t.Helper()
	plan.Time, plan.Keys.Service = exportTime, "p256"
	layout, err := k3s.Layout(plan)
	if err != nil {
		t.Fatal(err)
	}
	resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := pki.Run{Plan: resolved, Layout: layout, Keys: pki.Random{}}.Issue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return issued.Server
}

// installation is what the k3s export of a bundle starts from.
func installation(t *testing.T, b pki.Bundle) k3s.Installation {
	t.Helper()
	server, err := k3s.ServerFiles(b)
	if err != nil {
		t.Fatal(err)
	}
	token, err := k3s.ComputeToken(server.File("tls/server-ca.crt").Data, exportTime.Time)
	if err != nil {
		t.Fatal(err)
	}
	product, _ := k3s.ProductOf(pki.K3s)
	return k3s.Installation{Product: product, Token: token.String(), Server: server, Name: "edge-01"}
}

func exportFiles(t *testing.T, name string, in k3s.Installation) []pki.File {
	t.Helper()
	for _, e := range k3s.Exports() {
		if e.Name == name {
			return e.Files(in)
		}
	}
	t.Fatalf("no export %s", name)
	return nil
}

// readYAML reads documents with an implementation that is not ours: PyYAML.
func readYAML(t *testing.T, text []byte, docs ...any) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "document.yaml")
	exportWrite(t, path, string(text))
	out := runTool(t, nil, debianPython, "-c", `
import json, sys, yaml
json.dump(list(yaml.safe_load_all(open(sys.argv[1], "rb"))), sys.stdout)`, path)
	var read []json.RawMessage
	if err := json.Unmarshal(out, &read); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(read) != len(docs) {
		t.Fatalf("%d documents, want %d", len(read), len(docs))
	}
	for i, doc := range docs {
		if err := json.Unmarshal(read[i], doc); err != nil {
			t.Fatal(err)
		}
	}
}

func decoded(t *testing.T, s string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exportWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
