// Command size builds the page and the program and holds them against their
// budgets.
//
//	go run ./.ci/size
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Budgets in bytes: a release goes beyond none of them.
const (
	engineBudget   = 1_850_000 // brotli; comes after the first paint
	formBudget     = 60_000    // brotli; what stands between a visitor and the form
	pageBudget     = 76_000    // brotli; all that works in one language: with the other mode and the worker
	languageBudget = 14_000    // brotli; another language, for those who choose it
	qrBudget       = 23_000    // brotli; reading QR codes, for those who hold one to the camera
	fileBudget     = 3_000_000 // the single file, as it is
	programBudget  = 9_000_000 // stripped and without the page
)

// compress prints the compressed sizes of files, as a release compresses them:
// brotli at its highest level, which takes a minute for the engine.
const compress = `const z=require('zlib'),c=z.constants,fs=require('fs');` +
	`for (const f of process.argv.slice(1)) console.log(z.brotliCompressSync(fs.readFileSync(f),` +
	`{params:{[c.BROTLI_PARAM_QUALITY]:11,[c.BROTLI_PARAM_LGWIN]:24}}).length)`

func main() {
	over, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
	}
	if err != nil || over {
		os.Exit(1)
	}
}

func run() (over bool, err error) {
	dir, err := os.MkdirTemp("", "rootkiln-size-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "rootkiln")
	for _, c := range []*exec.Cmd{
		exec.Command("go", "-C", "site/build", "run", ".", "-out", dir),
		exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "./cmd/gen"),
	} {
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return false, fmt.Errorf("%s: %w\n%s", c, err, out)
		}
	}
	small, err := compressed(filepath.Join(dir, "hosted"))
	if err != nil {
		return false, err
	}
	page, err := parts(filepath.Join(dir, "hosted"), small)
	if err != nil {
		return false, err
	}
	for _, m := range []struct {
		what         string
		size, budget int
	}{
		{"engine, brotli", page.engine, engineBudget},
		{"page until the form is there, brotli", page.form + page.language, formBudget},
		{"page in one language without engine, brotli", page.form + page.language + page.rest, pageBudget},
		{"another language, brotli", page.language, languageBudget},
		{"reader of QR codes, brotli", page.qr, qrBudget},
		{"single file", length(filepath.Join(dir, "rootkiln.html")), fileBudget},
		{"program without page, " + goEnv("GOOS") + "/" + goEnv("GOARCH"), length(program), programBudget},
	} {
		note := ""
		if m.size > m.budget || m.size == 0 {
			note, over = ", OVER", true
		}
		fmt.Printf("size: %s: %d bytes, budget %d%s\n", m.what, m.size, m.budget, note)
	}
	return over, nil
}

// compressed are the sizes of the page's files by path.
func compressed(hosted string) (map[string]int, error) {
	names, err := filepath.Glob(filepath.Join(hosted, "assets", "*"))
	if err != nil {
		return nil, err
	}
	names = append(names, filepath.Join(hosted, "index.html"), filepath.Join(hosted, "sw.js"))
	out, err := exec.Command("node", append([]string{"-e", compress}, names...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("compressing with node: %w", err)
	}
	sizes := map[string]int{}
	for i, line := range strings.Fields(string(out)) {
		if sizes[path.Base(filepath.ToSlash(names[i]))], err = strconv.Atoi(line); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

// imported finds what a module needs before it runs.
var imported = regexp.MustCompile(`from "\./([^"]+)"`)

// sizes are those of the parts of a page.
type sizes struct {
	form       int // the page, its style, its script with what that imports
	language   int // the larger of the languages
	rest       int // what comes later: the other mode, the worker
	engine, qr int // one file each
}

func parts(hosted string, small map[string]int) (s sizes, err error) {
	form := map[string]bool{}
	for name := range small {
		kind, _, _ := strings.Cut(name, "-")
		switch kind {
		case "index.html", "style":
			form[name] = true
		case "main":
			form[name] = true
			text, err := os.ReadFile(filepath.Join(hosted, "assets", name))
			if err != nil {
				return sizes{}, err
			}
			for _, m := range imported.FindAllStringSubmatch(string(text), -1) {
				form[m[1]] = true
			}
		}
	}
	for name, size := range small {
		switch kind, _, _ := strings.Cut(name, "-"); {
		case form[name]:
			s.form += size
		case kind == "en" || kind == "zh":
			s.language = max(s.language, size)
		case kind == "engine":
			s.engine += size
		case kind == "decode":
			s.qr += size
		default:
			s.rest += size
		}
	}
	return s, nil
}

func length(name string) int {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return int(info.Size())
}

func goEnv(name string) string {
	out, _ := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(out))
}
