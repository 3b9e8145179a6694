package site

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// sample is a build in small under the headers of the real one.
func sample(t *testing.T) fstest.MapFS {
	t.Helper()
	text, err := os.ReadFile("public/_headers")
	if err != nil {
		t.Fatal(err)
	}
	filled := strings.NewReplacer("{{.Engine}}", "assets/engine-1.wasm", "{{.Worker}}", "assets/worker-1.js").Replace(string(text))
	if strings.Contains(filled, "{{") {
		t.Fatal("a gap that this test does not know")
	}
	return fstest.MapFS{
		"_headers":             {Data: []byte(filled)},
		"index.html":           {Data: []byte("<!doctype html>page")},
		"sw.js":                {Data: []byte("1")},
		"icon.svg":             {Data: []byte("<svg/>")},
		"manifest.webmanifest": {Data: []byte("{}")},
		"rootkiln.html":        {Data: []byte("single")},
		"assets/engine-1.wasm": {Data: []byte("\x00asm")},
		"assets/worker-1.js":   {Data: []byte("2")},
		"assets/main-1.js":     {Data: []byte("3")},
		"assets/style-1.css":   {Data: []byte("b{}")},
	}
}

func ask(t *testing.T, method, url string) *http.Response {
	t.Helper()
	h, err := Handler(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, url, nil))
	return w.Result()
}

const here = "http://127.0.0.1:8700"

// TestAnswers: every path and status has the headers; an answer without them is a
// page without its policy.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		method, url string
		status      int
		kind, cache string
	}{
		{"GET", here + "/", 200, "text/html; charset=utf-8", "no-cache"},
		{"HEAD", here + "/", 200, "text/html; charset=utf-8", "no-cache"},
		{"GET", here + "/?x=1", 200, "text/html; charset=utf-8", "no-cache"},
		{"GET", here + "/index.html", 200, "text/html; charset=utf-8", "no-cache"},
		{"GET", here + "/sw.js", 200, "text/javascript; charset=utf-8", "no-cache"},
		{"GET", here + "/icon.svg", 200, "image/svg+xml", "no-cache"},
		{"GET", here + "/manifest.webmanifest", 200, "application/manifest+json", "no-cache"},
		{"GET", here + "/rootkiln.html", 200, "text/html; charset=utf-8", "no-cache"},
		{"GET", here + "/assets/engine-1.wasm", 200, "application/wasm", "public, max-age=31536000, immutable"},
		{"GET", here + "/assets/worker-1.js", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"GET", here + "/assets/style-1.css", 200, "text/css; charset=utf-8", "public, max-age=31536000, immutable"},
		{"GET", "http://localhost/", 200, "text/html; charset=utf-8", "no-cache"},
		{"GET", "http://[::1]:8700/", 200, "text/html; charset=utf-8", "no-cache"},
		{"GET", "http://page.localhost:8700/", 200, "text/html; charset=utf-8", "no-cache"},
		{"GET", here + "/_headers", 404, "text/plain; charset=utf-8", ""},
		{"GET", here + "/assets/", 404, "text/plain; charset=utf-8", "public, max-age=31536000, immutable"},
		{"GET", here + "/../etc/passwd", 404, "text/plain; charset=utf-8", ""},
		{"GET", here + "/api/bundle", 404, "text/plain; charset=utf-8", ""},
		{"POST", here + "/", 405, "text/plain; charset=utf-8", "no-cache"},
		{"OPTIONS", here + "/x", 405, "text/plain; charset=utf-8", ""},
		{"GET", "http://evil.example/", 421, "text/plain; charset=utf-8", "no-cache"},
		{"GET", "http://127.0.0.1.evil.example/", 421, "text/plain; charset=utf-8", "no-cache"},
	} {
		t.Run(c.method+" "+c.url, func(t *testing.T) {
			r := ask(t, c.method, c.url)
			if r.StatusCode != c.status || r.Header.Get("Content-Type") != c.kind {
				t.Errorf("%d %s", r.StatusCode, r.Header.Get("Content-Type"))
			}
			// An error says nothing about caching of its own: net/http takes it away.
			if got := r.Header.Get("Cache-Control"); r.StatusCode == 200 && got != c.cache {
				t.Errorf("Cache-Control %q", got)
			}
			for name, want := range map[string]string{
				"Content-Security-Policy":      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ",
				"Connection-Allowlist":         "(response-origin)",
				"Cross-Origin-Opener-Policy":   "same-origin",
				"Cross-Origin-Embedder-Policy": "require-corp",
				"Cross-Origin-Resource-Policy": "same-origin",
				"Referrer-Policy":              "no-referrer",
				"X-Content-Type-Options":       "nosniff",
				"Permissions-Policy":           "accelerometer=()",
			} {
				if got := r.Header.Get(name); !strings.HasPrefix(got, want) {
					t.Errorf("%s: %q", name, got)
				}
			}
		})
	}
}

// TestPolicies: the page fetches the engine alone, the worker nothing, and of all
// devices the page may ask for a camera alone.
func TestPolicies(t *testing.T) {
	policy := func(path string) string { return ask(t, "GET", here+path).Header.Get("Content-Security-Policy") }
	for _, path := range []string{"/", "/index.html"} {
		if p := policy(path); !strings.HasSuffix(p, "trusted-types rootkiln, connect-src *:*/assets/engine-1.wasm") {
			t.Errorf("%s: %s", path, p)
		}
	}
	if p := policy("/assets/worker-1.js"); !strings.HasSuffix(p, ", default-src 'none'; script-src 'wasm-unsafe-eval'; connect-src 'none'") {
		t.Error(p)
	}
	for _, path := range []string{"/sw.js", "/assets/main-1.js"} {
		if p := policy(path); strings.Contains(p, ",") {
			t.Errorf("%s: %s", path, p)
		}
	}
	if p := policy("/"); strings.Contains(p, "unsafe-inline") || strings.Contains(p, "'unsafe-eval'") {
		t.Error(p)
	}
	for field := range strings.SplitSeq(ask(t, "GET", here+"/").Header.Get("Permissions-Policy"), ", ") {
		if field != "camera=(self)" && !strings.HasSuffix(field, "=()") {
			t.Error(field)
		}
	}
	if d := ask(t, "GET", here+"/rootkiln.html").Header.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment") {
		t.Error(d)
	}
}

func TestHeadersFile(t *testing.T) {
	for _, text := range []string{"  Name: value\n", "/a\n  Name\n", "/a\nName: value\n", "/a*b\n", "/*/*\n", "a\n", "/a\n  Two words: x\n"} {
		if _, err := parseHeaders(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	h, err := parseHeaders("# all\n/*\n  A: 1\n\n/x*\n  A: 2\n\tB: 3\n/x\n  A: 4:5\n")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/": "1", "/x": "1, 2, 4:5", "/xy": "1, 2"} {
		got := http.Header{}
		h.apply(path, got)
		if got.Get("A") != want {
			t.Errorf("%s: %q", path, got.Get("A"))
		}
	}
}

func TestIncompletePage(t *testing.T) {
	for _, missing := range []string{"_headers", "index.html"} {
		f := sample(t)
		delete(f, missing)
		if _, err := Handler(f); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	f := sample(t)
	f["_headers"].Data = []byte("nonsense")
	if _, err := Handler(f); err == nil {
		t.Error("nonsense was taken")
	}
}
