package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"rootkiln/pki"
)

// exportInto runs the program's export with another standard output.
func exportInto(out io.Writer, args ...string) error {
	a := &app{in: strings.NewReader(""), out: out, err: io.Discard, lang: "en", color: "never"}
	c := a.command()
	c.SetArgs(append([]string{"export"}, args...))
	return c.ExecuteContext(context.Background())
}

// exportSample makes a bundle and returns where it is and what is in it.
func exportSample(t *testing.T) (path string, files map[string]string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "server.tar")
	a := &app{out: io.Discard, err: io.Discard, lang: "en", color: "never", quiet: true}
	c := a.command()
	c.SetArgs([]string{"bundle", "--service-alg", "p256", "--out", path})
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	archive, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	b, err := pki.ReadArchive(archive, pki.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string]string{}
	for _, f := range b.Files {
		files[f.Path] = string(f.Data)
	}
	return path, files
}

// k3s, kubectl and cloud providers in Go read YAML with this library; the tests
// of rootkiln/pki/k3s read it with PyYAML.
func TestExportReadsBackInGo(t *testing.T) {
	path, want := exportSample(t)
	var out bytes.Buffer

	var userData struct {
		Files []struct{ Path, Content, Encoding string } `yaml:"write_files"`
	}
	if err := errors.Join(exportInto(&out, "cloud-init", path), yaml.Unmarshal(out.Bytes(), &userData)); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range userData.Files {
		if f.Encoding != "" {
			t.Errorf("%s is longer than it need be", f.Path)
		}
		got[strings.TrimPrefix(f.Path, "/var/lib/rancher/k3s/server/")] = f.Content
	}
	if !maps.Equal(got, want) {
		t.Errorf("cloud-init: %d files, want %d, or other bytes", len(got), len(want))
	}

	out.Reset()
	var secret struct {
		Data map[string]string
	}
	if err := errors.Join(exportInto(&out, "secret", path), yaml.Unmarshal(out.Bytes(), &secret)); err != nil {
		t.Fatal(err)
	}
	if len(secret.Data) != len(want) {
		t.Errorf("secret: %d keys, want %d", len(secret.Data), len(want))
	}

	out.Reset()
	if err := exportInto(&out, "config", path); err != nil {
		t.Fatal(err)
	}
	for d, i := yaml.NewDecoder(&out), 0; ; i++ {
		var fragment struct{ Server, Token string }
		if err := d.Decode(&fragment); errors.Is(err, io.EOF) && i == 2 {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if user := []string{"server:", "node:"}[i]; !strings.HasSuffix(fragment.Token, "::"+user) {
			t.Errorf("token %q ends not in %s", fragment.Token, user)
		}
	}
}
