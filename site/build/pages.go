package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/kjk/lzma"
)

// page is what index.html is filled with.
type page struct {
	About string // JSON
	Icon  string // base64: Chromium asks for a file anew whenever the fragment changes

	// Of the hosted page.
	Style, Script, Integrity string   // addresses
	Preload                  []string // modules that the script may want later

	// Of the single file.
	Policy, InlineStyle, InlineScript, Worker, Engine string
}

// single is everything in one file, which knows its script by digest and connects
// to nothing. Its worker is made from a text in the page and inherits this policy.
func (b *builder) single() ([]byte, error) {
	for _, part := range []struct {
		data  []byte
		never string
	}{
		// Inside an element these end it, or change what ends it (HTML, "Restrictions
		// for contents of script elements").
		{b.script, "</script"}, {b.script, "<!--"}, {b.style, "</style"}, {b.worker, "</script"}, {b.worker, "<!--"},
	} {
		if bytes.Contains(bytes.ToLower(part.data), []byte(part.never)) {
			return nil, fmt.Errorf("%q cannot stand in the single file", part.never)
		}
	}
	packed, err := pack(b.engine)
	if err != nil {
		return nil, err
	}
	return b.fill(page{
		Policy: "default-src 'none'; script-src '" + source(b.script) + "' 'wasm-unsafe-eval'; style-src '" + source(b.style) + "'; " +
			"img-src data:; worker-src blob:; connect-src 'none'; base-uri 'none'; form-action 'none'; " +
			"require-trusted-types-for 'script'; trusted-types rootkiln",
		InlineStyle:  string(b.style),
		InlineScript: string(b.script),
		Worker:       string(b.worker),
		Engine:       base64.StdEncoding.EncodeToString(packed),
	}, b.about)
}

// pack makes of the engine what site/src/lzma.ts unpacks: a third less than gzip, which
// browsers know. It goes into the page as base64: texts of more kinds of characters are
// shorter by a seventh at most, and editors and mail programs do not leave them alone.
func pack(engine []byte) ([]byte, error) {
	var packed bytes.Buffer
	z := lzma.NewWriterSizeLevel(&packed, int64(len(engine)), lzma.BestCompression)
	if _, err := z.Write(engine); err != nil {
		return nil, err
	}
	err := z.Close()
	return packed.Bytes(), err
}

// hosted is the folder. Names carry digests, so that no cache mixes two builds.
func (b *builder) hosted(single []byte) ([]file, error) {
	named := func(name, ending string, data []byte) file {
		return file{assets + name + "-" + digest(data)[:16] + "." + ending, data}
	}
	style, worker, engine := named("style", "css", b.style), named("worker", "js", b.worker), named("engine", "wasm", b.engine)
	script := b.modules[0]
	p := page{Style: style.path, Script: script.path, Integrity: integrity(script.data)}
	for _, m := range b.modules[1:] {
		p.Preload = append(p.Preload, m.path)
	}
	known := b.about
	known.Engine.URL, known.Worker = engine.path, worker.path
	known.File = &aboutFile{URL: "rootkiln.html", SHA256: digest(single), Size: len(single)}
	index, err := b.fill(p, known)
	if err != nil {
		return nil, err
	}

	manifest, err := b.public("manifest.webmanifest", nil)
	if err != nil {
		return nil, err
	}
	headers, err := b.public("_headers", map[string]string{"Engine": engine.path, "Worker": worker.path})
	if err != nil {
		return nil, err
	}
	cached := append([]file{{"./", index}, manifest, {"icon.svg", b.icon}, style, worker, engine}, b.modules...)
	service, err := b.service(cached)
	if err != nil {
		return nil, err
	}
	all := append([]file{{"index.html", index}, headers, service, {"rootkiln.html", single}}, cached[1:]...)
	return all, nil
}

// service is the service worker with the list of files that it keeps.
func (b *builder) service(files []file) (file, error) {
	var names []string
	var all strings.Builder
	for _, f := range files {
		names = append(names, f.path)
		all.WriteString(digest(f.data))
	}
	list, err := json.Marshal(map[string]any{"name": "rootkiln-" + digest([]byte(all.String()))[:16], "files": names})
	if err != nil {
		return file{}, err
	}
	const place = "__BUILD__"
	if strings.Count(b.serviceWorker, place) != 1 {
		return file{}, fmt.Errorf("sw.ts does not name %s once", place)
	}
	return file{"sw.js", []byte(strings.Replace(b.serviceWorker, place, string(list), 1))}, nil
}

// public is a file of site/public, filled where it has gaps.
func (b *builder) public(name string, gaps any) (file, error) {
	t, err := template.New(name).Option("missingkey=error").ParseFiles(filepath.Join(b.root, "site", "public", name))
	if err != nil {
		return file{}, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, gaps)
	return file{name, out.Bytes()}, err
}

// fill makes index.html. What goes in is our own and fits where it goes: the
// digests and addresses have no quotes, and encoding/json writes no "<".
func (b *builder) fill(p page, known about) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(b.root, "site", "src", "index.html"))
	if err != nil {
		return nil, err
	}
	t, err := template.New("index.html").Parse(string(text))
	if err != nil {
		return nil, err
	}
	about, err := json.Marshal(known)
	if err != nil {
		return nil, err
	}
	p.About, p.Icon = string(about), base64.StdEncoding.EncodeToString(b.icon)
	var out bytes.Buffer
	err = t.Execute(&out, p)
	return out.Bytes(), err
}

// archive packs files for the binary, all of one time: the earliest that zip knows.
func archive(files []file) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.path, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}
