package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kjk/lzma"
)

// built makes the page from a copy of the repository with a stand-in for the engine
// and returns the folder of the result.
func built(t *testing.T, root, engine string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	b := builder{root: root, out: out, module: engine, about: about{Version: "1.2.3", Commit: "abcdef", Time: "2026-11-01T00:00:00Z"}}
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	return out
}

// standIn is the smallest module there is.
func standIn(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "engine.wasm")
	if err := os.WriteFile(name, []byte("\x00asm\x01\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReproducible: the page tells people to build it and to compare. Two folders of
// different names and depths give the same bytes, engine included.
func TestReproducible(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "another", "place")
	copyOf(t, "../..", elsewhere, "go.mod", "go.sum", "pki", "wasm", "site/src", "site/public", "site/vendor", "site/tsconfig.json")
	here, there := built(t, "../..", ""), built(t, elsewhere, "")
	err := fs.WalkDir(os.DirFS(here), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if read(t, here, name) != read(t, there, name) {
			t.Errorf("%s differs", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := len(strings.Split(read(t, here, "SHA256SUMS"), "\n")), len(strings.Split(read(t, there, "SHA256SUMS"), "\n")); a != b || a < 10 {
		t.Errorf("%d and %d files", a, b)
	}
}

func copyOf(t *testing.T, from, to string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		info, err := os.Stat(filepath.Join(from, part))
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, part)
		if info.IsDir() {
			err = os.CopyFS(target, os.DirFS(filepath.Join(from, part)))
		} else {
			if err = os.MkdirAll(filepath.Dir(target), 0o755); err == nil {
				err = os.WriteFile(target, []byte(read(t, from, part)), 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var (
	policy    = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
	aboutText = regexp.MustCompile(`<script type="application/json" id="about">(.*)</script>`)
	engineRaw = regexp.MustCompile(`<script type="text/plain" id="engine">(.*)</script>`)
)

func aboutOf(t *testing.T, page string) (a about) {
	t.Helper()
	m := aboutText.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page does not say what it is")
	}
	if err := json.Unmarshal([]byte(m[1]), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// between is the text of the last element with such a tag.
func between(t *testing.T, page, tag string) string {
	t.Helper()
	at := strings.LastIndex(page, "<"+tag+">")
	if at < 0 {
		t.Fatalf("no <%s>", tag)
	}
	text, _, _ := strings.Cut(page[at+len(tag)+2:], "</"+tag)
	return text
}

// TestSingleFile: its policy lets its own script and style run and nothing else; the
// engine in it is the one whose digest it shows; it asks for nothing.
func TestSingleFile(t *testing.T) {
	module := standIn(t)
	out := built(t, "../..", module)
	page := read(t, out, "rootkiln.html")
	m := policy.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("no policy")
	}
	for _, want := range []string{
		"default-src 'none'", "connect-src 'none'", "worker-src blob:", "base-uri 'none'", "form-action 'none'",
		"script-src '" + source([]byte(between(t, page, "script"))) + "' 'wasm-unsafe-eval'",
		"style-src '" + source([]byte(between(t, page, "style"))) + "'",
		"require-trusted-types-for 'script'", "trusted-types rootkiln",
	} {
		if !strings.Contains(m[1], want) {
			t.Errorf("the policy lacks %s: %s", want, m[1])
		}
	}
	if strings.Contains(m[1], "unsafe-inline") || strings.Contains(m[1], "'unsafe-eval'") {
		t.Error(m[1])
	}
	if at := regexp.MustCompile(`<(link|script|img|a)[^>]* (src|href)="[^d][^"]*"`).FindString(page[:strings.Index(page, "<style>")]); at != "" {
		t.Errorf("it asks for %s", at)
	}
	packed, err := base64.StdEncoding.DecodeString(engineRaw.FindStringSubmatch(page)[1])
	if err != nil {
		t.Fatal(err)
	}
	z := lzma.NewReader(bytes.NewReader(packed))
	defer z.Close()
	engine, err := io.ReadAll(z)
	if err != nil || string(engine) != read(t, module) {
		t.Errorf("another engine: %v", err)
	}
	a := aboutOf(t, page)
	if a.Engine.SHA256 != digest(engine) || a.Engine.URL != "" || a.Worker != "" || a.File != nil || a.Commit != "abcdef" {
		t.Errorf("%+v", a)
	}
}

// TestHosted: names carry digests, the page names the single file by its digest, the
// service worker keeps every file that the page needs, and the archive is the folder.
func TestHosted(t *testing.T) {
	out := built(t, "../..", standIn(t))
	page := read(t, out, "hosted", "index.html")
	a := aboutOf(t, page)
	if a.File == nil || a.File.SHA256 != digest([]byte(read(t, out, "rootkiln.html"))) || read(t, out, "rootkiln.html") != read(t, out, "hosted", "rootkiln.html") {
		t.Errorf("the single file: %+v", a.File)
	}
	if !strings.Contains(read(t, out, "SHA256SUMS"), a.File.SHA256+"  rootkiln.html\n") {
		t.Error("SHA256SUMS does not name the single file")
	}
	for _, name := range []string{a.Engine.URL, a.Worker} {
		if data := read(t, out, "hosted", name); !strings.Contains(name, digest([]byte(data))[:16]) {
			t.Errorf("%s does not name its content", name)
		}
		if !strings.Contains(read(t, out, "hosted", "_headers"), "/"+name) {
			t.Errorf("_headers does not name %s", name)
		}
	}
	script := regexp.MustCompile(`src="(assets/main-[^"]*)" integrity="([^"]*)"`).FindStringSubmatch(page)
	if script == nil || script[2] != integrity([]byte(read(t, out, "hosted", script[1]))) {
		t.Errorf("the script: %q", script)
	}
	if strings.Contains(page, "http:") || strings.Contains(page, "https:") {
		t.Error("the page names another place")
	}
	archive, err := zip.OpenReader(filepath.Join(out, "hosted.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	worker, count := read(t, out, "hosted", "sw.js"), 0
	err = fs.WalkDir(os.DirFS(filepath.Join(out, "hosted")), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		count++
		packed, err := fs.ReadFile(archive, name)
		if err != nil || string(packed) != read(t, out, "hosted", name) {
			t.Errorf("%s in the archive: %v", name, err)
		}
		if strings.HasPrefix(name, assets) && !strings.Contains(worker, `"`+name+`"`) {
			t.Errorf("the service worker does not keep %s", name)
		}
		return nil
	})
	if err != nil || count != len(archive.File) || count < 12 {
		t.Errorf("%d files, %d in the archive, %v", count, len(archive.File), err)
	}
}

// TestReadable: a security officer reads the script, so it is not minified, and the
// worker begins with the file of the Go release as it is.
func TestReadable(t *testing.T) {
	out := built(t, "../..", standIn(t))
	page := aboutOf(t, read(t, out, "hosted", "index.html"))
	given, err := glue()
	if err != nil {
		t.Fatal(err)
	}
	if worker := read(t, out, "hosted", page.Worker); !strings.HasPrefix(worker, string(given)) {
		t.Error("the worker does not begin with wasm_exec.js")
	}
	names, err := filepath.Glob(filepath.Join(out, "hosted", "assets", "*.js"))
	if err != nil || len(names) < 6 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text := read(t, name)
		if lines := strings.Count(text, "\n"); len(text)/max(lines, 1) > 120 {
			t.Errorf("%s: %d characters a line", filepath.Base(name), len(text)/max(lines, 1))
		}
	}
}

func TestWrongTimeIsRefused(t *testing.T) {
	b := builder{about: about{Time: "yesterday"}}
	if err := b.run(); err == nil || !strings.Contains(err.Error(), "-time: ") {
		t.Error(err)
	}
}
