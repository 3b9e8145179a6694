//go:build unix

package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"filippo.io/age"
)

// A README is what people copy from. In both languages it is a script here:
//
//	sh      each line that begins with rootkiln runs, in order, in one directory
//	text    what the rootkiln line before it prints, digests and times aside
//	yaml    a file, whose name is in the comment that heads it

const (
	englishReadme = "README.md"
	chineseReadme = "README.zh-CN.md"
)

// readmeLocales are the languages in which the commands of each README speak.
var readmeLocales = map[string]string{englishReadme: "C.UTF-8", chineseReadme: "zh_CN.UTF-8"}

// documents are all that a reader may take a path or a target from.
var documents = []string{englishReadme, chineseReadme, "CONTRIBUTING.md", "NEWS.md", "docs/DESIGN.md"}

const repository = "../.." // from the directory of this test

// document is a Markdown file, taken apart.
type document struct {
	name     string
	headings []string
	blocks   []codeBlock
	prose    string // the lines outside of code blocks
}

// codeBlock is a fenced block; kind is the word behind the fence.
type codeBlock struct{ kind, text string }

func readDocument(t *testing.T, name string) document {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	d := document{name: name}
	inside := false
	for line := range strings.Lines(string(data)) {
		kind, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		last := len(d.blocks) - 1
		switch {
		case fence && !inside:
			d.blocks = append(d.blocks, codeBlock{kind: kind})
			inside = true
		case fence:
			inside = false
		case inside:
			d.blocks[last].text += line
		default:
			if strings.HasPrefix(line, "#") {
				d.headings = append(d.headings, strings.TrimSpace(line))
			}
			d.prose += line
		}
	}
	if inside {
		t.Fatalf("%s: a code block does not end", name)
	}
	return d
}

// program is how a README calls the program: as it is installed, or as it lies
// in a fresh clone.
var program = regexp.MustCompile(`^(rootkiln|go run \./cmd/gen)( |$)`)

// commands are the lines of the block that run the program.
func (b codeBlock) commands() []string {
	var lines []string
	for line := range strings.Lines(b.text) {
		if program.MatchString(line) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// A fresh clone needs two lines to show what it does and that it works.
func TestReadmeBegins(t *testing.T) {
	want := []codeBlock{{"sh", "go run ./cmd/gen bundle\n"}, {"sh", "make test\n"}}
	for name := range readmeLocales {
		if blocks := readDocument(t, name).blocks; len(blocks) < 2 || !slices.Equal(blocks[:2], want) {
			t.Errorf("%s does not begin with the code blocks %q", name, want)
		}
	}
}

// A section that is added in one language is missing in the other.
func TestReadmesHaveTheSameStructure(t *testing.T) {
	english, chinese := readDocument(t, englishReadme), readDocument(t, chineseReadme)
	for i := range max(len(english.headings), len(chinese.headings)) {
		if i >= len(english.headings) || i >= len(chinese.headings) {
			t.Fatalf("%d headings in %s, %d in %s", len(english.headings), english.name, len(chinese.headings), chinese.name)
		}
		if level(english.headings[i]) != level(chinese.headings[i]) {
			t.Fatalf("heading %d is %q in one and %q in the other", i+1, english.headings[i], chinese.headings[i])
		}
	}
	en, zh := allCommands(english), allCommands(chinese)
	if !slices.Equal(en, zh) {
		t.Errorf("the commands differ:\n%s\n\n%s", strings.Join(en, "\n"), strings.Join(zh, "\n"))
	}
}

func level(heading string) int { return len(heading) - len(strings.TrimLeft(heading, "#")) }

// allCommands are the commands of a README without the comments behind them.
func allCommands(d document) []string {
	var lines []string
	for _, b := range d.blocks {
		for _, line := range b.commands() {
			line, _, _ = strings.Cut(line, " #")
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestReadmeRuns(t *testing.T) {
	for name, locale := range readmeLocales {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeRecipient(t, filepath.Join(dir, "safe.pub"))
			var printed string
			for _, b := range readDocument(t, name).blocks {
				switch b.kind {
				case "sh":
					for _, line := range b.commands() {
						printed = runLine(t, dir, locale, line)
					}
				case "text":
					if got, want := masked(printed), masked(b.text); got != want {
						t.Errorf("the README says that this is printed:\n%s\n\nbut it is:\n%s", want, got)
					}
				case "yaml":
					head, _, _ := strings.Cut(b.text, "\n")
					file := filepath.Join(dir, strings.TrimPrefix(head, "# "))
					if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
						t.Fatal(err)
					}
				default:
					t.Errorf("a code block is %q, which is none of sh, text, yaml:\n%s", b.kind, b.text)
				}
			}
		})
	}
}

// writeRecipient makes the one file that the READMEs have another program make:
// the public key of an age key pair.
func writeRecipient(t *testing.T, path string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(identity.Recipient().String()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runLine runs a line as a person does who pastes it, and returns what both
// outputs show. TestMain puts rootkiln on the search path.
func runLine(t *testing.T, dir, locale, line string) string {
	t.Helper()
	c := exec.Command("sh", "-c", program.ReplaceAllString(line, "rootkiln$2"))
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL="+locale, "NO_COLOR=1", "TZ=UTC")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		t.Errorf("%s: %v\n%s", line, err, out.String())
	}
	return out.String()
}

// varying is what differs from run to run, and what stands for it.
var varying = []struct {
	pattern *regexp.Regexp
	mask    string
}{
	{regexp.MustCompile(`K10[0-9a-f]{64}`), "TOKEN"},
	{regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{4}( [0-9a-f]{4}){15}`), "DIGEST"},
	{regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?`), "TIME"},
	{regexp.MustCompile(`@[0-9]{10}`), "@SECONDS"},
	{regexp.MustCompile(`\b[0-9.]+m?s\b`), "DURATION"},
	{regexp.MustCompile(`\[[0-9]+/`), "[N/"}, // keys are made at the same time
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},
}

func masked(s string) string {
	for _, v := range varying {
		s = v.pattern.ReplaceAllString(s, v.mask)
	}
	return strings.TrimSpace(s)
}

var (
	inlineCode = regexp.MustCompile("`[^`\n]+`")
	makeCall   = regexp.MustCompile(`(?m)(?:^|[` + "`" + `;&|] ?)make ([a-z][a-z0-9-]*)`)
	makeTarget = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
	link       = regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	sourcePath = regexp.MustCompile(`^(\.ci|cmd|docs|e2e|pki)(/[\w.*-]+)*/?$|^\w+\.md$`)
)

func TestMakeTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, m := range makeTarget.FindAllStringSubmatch(string(makefile), -1) {
		targets = append(targets, m[1])
	}
	for _, name := range documents {
		d := readDocument(t, name)
		code := strings.Join(inlineCode.FindAllString(d.prose, -1), "\n")
		for _, b := range d.blocks {
			if b.kind == "sh" {
				code += "\n" + b.text
			}
		}
		for _, m := range makeCall.FindAllStringSubmatch(code, -1) {
			if !slices.Contains(targets, m[1]) {
				t.Errorf("%s says `make %s`, which the Makefile does not know", name, m[1])
			}
		}
	}
}

// A file that moves takes its address in the documents with it.
func TestDocumentPathsExist(t *testing.T) {
	for _, name := range documents {
		d := readDocument(t, name)
		for _, m := range link.FindAllStringSubmatch(d.prose, -1) {
			to, anchor := filepath.Join(filepath.Dir(name), m[1]), m[2]
			if m[1] == "" {
				to = name
			}
			if _, err := os.Stat(filepath.Join(repository, to)); err != nil {
				t.Errorf("%s links to %s: %v", name, to, err)
			} else if anchor != "" && !slices.ContainsFunc(readDocument(t, to).headings, func(h string) bool { return anchorOf(h) == anchor }) {
				t.Errorf("%s links to #%s, which %s does not have", name, anchor, to)
			}
		}
		for _, quoted := range inlineCode.FindAllString(d.prose, -1) {
			path := strings.Trim(quoted, "`")
			if !sourcePath.MatchString(path) {
				continue
			}
			if found, err := fs.Glob(os.DirFS(repository), strings.TrimSuffix(path, "/")); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which does not exist", name, path)
			}
		}
	}
}

// anchorOf is what Markdown viewers make of a heading: lower case, hyphens for
// spaces, no punctuation.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimLeft(heading, "# "))
}
