// Command build makes the page: a folder to be served, and one file for a stick.
//
//	go -C site/build run . [-version V] [-commit C] [-time RFC3339]
//
// It needs Go alone: esbuild comes as a module. The same source and flags give the
// same bytes in every folder; nothing in the output knows where or when it was made.
//
//	dist/hosted/         what a server serves, with the headers that it has to send
//	dist/hosted.zip      the same, for the binary (rootkiln serve)
//	dist/rootkiln.html   everything in one file
//	dist/SHA256SUMS      of all of them
package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var b builder
	flag.StringVar(&b.about.Version, "version", "0.1.0-dev", "of the program")
	flag.StringVar(&b.about.Commit, "commit", "", "of the source; empty: unknown")
	flag.StringVar(&b.about.Time, "time", "", "of the commit, RFC 3339; empty: unknown")
	flag.StringVar(&b.root, "root", "../..", "folder of the repository")
	flag.StringVar(&b.out, "out", "../dist", "folder of the result")
	flag.StringVar(&b.module, "engine", "", "take this WebAssembly module instead of building one")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
}

// builder is one run.
type builder struct {
	root, out string
	module    string
	about     about

	engine        []byte // the WebAssembly module
	worker        []byte // wasm_exec.js and worker.ts in one
	style         []byte
	modules       []file // script of the hosted page: the entry first, then what it loads
	script        []byte // the same as one classic script, for the single file
	icon          []byte
	serviceWorker string // its source
}

// file is a file of the result, by its path with forward slashes.
type file struct {
	path string
	data []byte
}

// about is what the page knows of itself; site/src/build.ts reads it.
type about struct {
	Version string      `json:"version"`
	Commit  string      `json:"commit"`
	Time    string      `json:"time"`
	Engine  aboutEngine `json:"engine"`
	Worker  string      `json:"worker,omitempty"`
	File    *aboutFile  `json:"file,omitempty"`
}

type aboutEngine struct {
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
	URL    string `json:"url,omitempty"`
}

type aboutFile struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
	Size   int    `json:"size"`
}

func (b *builder) run() error {
	if err := b.check(); err != nil {
		return err
	}
	if err := b.compile(); err != nil {
		return err
	}
	if err := b.bundle(); err != nil {
		return err
	}
	single, err := b.single()
	if err != nil {
		return err
	}
	hosted, err := b.hosted(single)
	if err != nil {
		return err
	}
	fmt.Printf("engine         %s\nrootkiln.html  %s\n", digest(b.engine), digest(single))
	return b.write(single, hosted)
}

// check makes paths absolute and refuses a time that the page could not read.
func (b *builder) check() (err error) {
	if b.about.Time != "" {
		if _, err := time.Parse(time.RFC3339, b.about.Time); err != nil {
			return fmt.Errorf("-time: %w", err)
		}
	}
	if b.root, err = filepath.Abs(b.root); err != nil {
		return err
	}
	b.out, err = filepath.Abs(b.out)
	return err
}

// write puts the result in the place of the one before it.
func (b *builder) write(single []byte, hosted []file) error {
	folder, err := archive(hosted)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(b.out, "hosted")); err != nil {
		return err
	}
	all := []file{{"hosted.zip", folder}, {"rootkiln.html", single}}
	for _, f := range hosted {
		all = append(all, file{"hosted/" + f.path, f.data})
	}
	var sums strings.Builder
	for _, f := range all {
		fmt.Fprintf(&sums, "%s  %s\n", digest(f.data), f.path)
	}
	for _, f := range append(all, file{"SHA256SUMS", []byte(sums.String())}) {
		name := filepath.Join(b.out, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// digest is the SHA-256 that people compare.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// source is a digest as a Content-Security-Policy has it.
func source(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// integrity is a digest as an element with an integrity attribute has it.
func integrity(data []byte) string {
	sum := sha512.Sum384(data)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}
