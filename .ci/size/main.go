// Command size builds the core for js/wasm and holds it against the budget of
// the page's engine: 1.85 MB after brotli.
//
//	go run ./.ci/size
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// budget is the engine's, in bytes after compression.
const budget = 1_850_000

// compress prints the compressed size of a file, as a release compresses it:
// brotli at its highest level, which takes a minute.
const compress = `const z=require('zlib'),c=z.constants;` +
	`console.log(z.brotliCompressSync(require('fs').readFileSync(process.argv[1]),` +
	`{params:{[c.BROTLI_PARAM_QUALITY]:11,[c.BROTLI_PARAM_LGWIN]:24}}).length)`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "rootkiln-size-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	module := filepath.Join(dir, "core.wasm")
	// Without inlining in our own packages, none of which is hot, the module is three
	// percent smaller; cryptography keeps it.
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-gcflags=rootkiln/...=-l", "-o", module, "./.ci/size/core")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFIPS140=off")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the core for js/wasm: %w\n%s", err, out)
	}
	info, err := os.Stat(module)
	if err != nil {
		return err
	}
	out, err := exec.Command("node", "-e", compress, module).Output()
	if err != nil {
		return fmt.Errorf("compressing with node: %w", err)
	}
	small, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		return err
	}
	fmt.Printf("core for js/wasm: %d bytes, %d after brotli, budget %d\n", info.Size(), small, budget)
	if small > budget {
		return fmt.Errorf("over the budget by %d bytes", small-budget)
	}
	return nil
}
