package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// assets is the folder of files whose names carry their digest.
const assets = "assets/"

// inlined are the packages in which the engine spends its time. Calls stay calls in
// all others: a tenth less to send, and no slower (bundles of EC and RSA keys, Node).
var inlined = []string{
	"math/bits", "internal/byteorder", "crypto/internal/constanttime", "crypto/internal/fips140deps/byteorder",
	"crypto/internal/fips140/alias", "crypto/internal/fips140/bigmod", "crypto/internal/fips140/nistec/...",
	"crypto/internal/fips140/sha256", "crypto/internal/fips140/subtle", "golang.org/x/crypto/scrypt",
}

// compile builds the engine. GOWASM and GOFIPS140 are pinned: both change the
// bytes, and Go's FIPS mode panics on js/wasm.
func (b *builder) compile() (err error) {
	name := b.module
	if name == "" {
		dir, err := os.MkdirTemp("", "rootkiln-site-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		name = filepath.Join(dir, "engine.wasm")
		args := []string{"build", "-trimpath", "-buildvcs=false", "-gcflags=all=-l"}
		for _, pkg := range inlined {
			args = append(args, "-gcflags="+pkg+"=")
		}
		args = append(args, "-ldflags=-s -w -buildid= -X main.version="+b.about.Version, "-o", name, "./wasm")
		c := exec.Command("go", args...)
		c.Dir = b.root
		c.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWASM=", "GOFIPS140=off", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("building the engine: %w\n%s", err, out)
		}
	}
	linked, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if b.engine, err = join(linked); err != nil {
		return err
	}
	b.about.Engine = aboutEngine{SHA256: digest(b.engine), Size: len(b.engine)}
	return nil
}

// bundle joins scripts and styles: readable, and line by line the same.
func (b *builder) bundle() error {
	modules, err := b.esbuild("main.ts", api.BuildOptions{
		Format: api.FormatESModule, Splitting: true,
		EntryNames: assets + "[name]-[hash]", ChunkNames: assets + "[name]-[hash]",
	})
	if err != nil {
		return err
	}
	b.modules = modules
	for _, part := range []struct {
		entry string
		into  *[]byte
	}{{"main.ts", &b.script}, {"style.css", &b.style}, {"worker.ts", &b.worker}} {
		out, err := b.esbuild(part.entry, api.BuildOptions{Format: api.FormatIIFE})
		if err != nil {
			return err
		}
		*part.into = out[0].data
	}
	service, err := b.esbuild("sw.ts", api.BuildOptions{Format: api.FormatIIFE})
	if err != nil {
		return err
	}
	b.serviceWorker = string(service[0].data)
	glue, err := glue()
	if err != nil {
		return err
	}
	b.worker = append(glue, b.worker...)
	b.icon, err = os.ReadFile(filepath.Join(b.root, "site", "public", "icon.svg"))
	return err
}

// esbuild bundles one file of site/src and what it imports.
func (b *builder) esbuild(entry string, o api.BuildOptions) ([]file, error) {
	o.EntryPoints = []string{"site/src/" + entry}
	o.AbsWorkingDir, o.Outdir, o.Outbase = b.root, "site/dist", "site/src"
	o.Bundle, o.Write, o.Metafile = true, false, false
	o.Charset, o.LegalComments = api.CharsetUTF8, api.LegalCommentsInline
	o.Tsconfig = "site/tsconfig.json"
	// The oldest of each that has light-dark(), :has() and container queries: what is
	// older gets the page without colours, what is far older the panel of capabilities.ts.
	o.Target = api.ES2022
	o.Engines = []api.Engine{
		{Name: api.EngineChrome, Version: "123"}, {Name: api.EngineFirefox, Version: "121"}, {Name: api.EngineSafari, Version: "17.5"},
	}
	r := api.Build(o)
	if len(r.Errors) > 0 || len(r.Warnings) > 0 {
		messages := append(api.FormatMessages(r.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage}),
			api.FormatMessages(r.Warnings, api.FormatMessagesOptions{Kind: api.WarningMessage})...)
		return nil, errors.New(strings.TrimSpace(strings.Join(messages, "")))
	}
	var out []file
	for _, f := range r.OutputFiles {
		rel, err := filepath.Rel(filepath.Join(b.root, "site", "dist"), f.Path)
		if err != nil {
			return nil, err
		}
		made := file{filepath.ToSlash(rel), f.Contents}
		if strings.HasPrefix(made.path, assets+strings.TrimSuffix(entry, ".ts")+"-") {
			out = append([]file{made}, out...)
		} else {
			out = append(out, made)
		}
	}
	return out, nil
}

// glue is the file with which every Go release accompanies its WebAssembly.
func glue() ([]byte, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
}
