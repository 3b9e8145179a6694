// Package site serves the page as a folder on the web has to be served: every path
// and status with the headers of its _headers file. What the page is made of is in
// src, what makes it in build; a binary with the tag `site` carries the result (see
// Hosted).
package site

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"time"
)

// contentTypes are those of the files that the build makes. The system's own table
// is not asked: without the right type a browser refuses a module or a worker.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".svg":         "image/svg+xml",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
}

// headersFile names the headers of all others and is not served itself.
const headersFile = "_headers"

type handler struct {
	files map[string][]byte // by path, "/" and what follows
	rules headers
}

// Handler serves a hosted build on this machine. It answers to names of the
// loopback interface alone, so that no foreign name can be made to point at it.
func Handler(hosted fs.FS) (http.Handler, error) {
	h := handler{files: map[string][]byte{}}
	err := fs.WalkDir(hosted, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(hosted, name)
		h.files["/"+name] = data
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the page: %w", err)
	}
	text, ok := h.files["/"+headersFile]
	if !ok {
		return nil, fmt.Errorf("reading the page: it has no %s", headersFile)
	}
	delete(h.files, "/"+headersFile)
	if h.rules, err = parseHeaders(string(text)); err != nil {
		return nil, fmt.Errorf("%s of the page: %w", headersFile, err)
	}
	if h.files["/"], ok = h.files["/index.html"]; !ok {
		return nil, fmt.Errorf("reading the page: it has no index.html")
	}
	return h, nil
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.rules.apply(r.URL.Path, w.Header())
	data, ok := h.files[r.URL.Path]
	switch {
	case !isLoopback(r.Host):
		http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	case !ok:
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
	default:
		name := path.Base(r.URL.Path)
		if r.URL.Path == "/" {
			name = "index.html"
		}
		w.Header().Set("Content-Type", contentTypes[path.Ext(name)])
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	}
}

// isLoopback tells whether a request was meant for this machine by a name of it.
// What ends in .localhost is the loopback interface in every browser (RFC 6761).
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}
