package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rootkiln/pki/report"
)

// everyCommand returns the commands by name, the program itself among them.
func everyCommand(lang report.Lang) map[string]*cobra.Command {
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, lang: lang}
	all := map[string]*cobra.Command{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		all[c.CommandPath()] = c
		for _, sub := range c.Commands() {
			if !sub.Hidden {
				walk(sub)
			}
		}
	}
	walk(a.command())
	return all
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// TestHelpInBothLanguages: every command and every flag says in both languages
// what it is, and each default is named once.
func TestHelpInBothLanguages(t *testing.T) {
	english, chinese := everyCommand(report.English), everyCommand(report.Chinese)
	if len(english) < 10 {
		t.Fatalf("only %d commands", len(english))
	}
	pair := func(name, en, zh string) {
		if en == "" || hasHan(en) || zh == en || !hasHan(zh) {
			t.Errorf("%s: %q, %q", name, en, zh)
		}
	}
	for name, en := range english {
		zh := chinese[name]
		pair(name+" short", en.Short, zh.Short)
		pair(name+" long", en.Long, zh.Long)
		if en.Example == "" || en.Example != zh.Example {
			t.Errorf("%s: examples %q, %q", name, en.Example, zh.Example)
		}
		for _, set := range []func(*cobra.Command) *pflag.FlagSet{(*cobra.Command).LocalFlags, (*cobra.Command).InheritedFlags} {
			other := set(zh)
			set(en).VisitAll(func(f *pflag.Flag) {
				pair(name+" --"+f.Name, f.Usage, other.Lookup(f.Name).Usage)
			})
		}
	}
	for lang, commands := range map[report.Lang]map[string]*cobra.Command{report.English: english, report.Chinese: chinese} {
		for name, c := range commands {
			var b strings.Builder
			c.SetOut(&b)
			if err := c.Help(); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "-") && strings.Count(line, "default ")+strings.Count(line, "默认 ") > 1 && !strings.HasPrefix(line, "--profile") {
					t.Errorf("%s: %s: a default stands twice: %s", lang, name, line)
				}
				if lang == report.Chinese && strings.HasPrefix(line, "-") && strings.Contains(line, "(default") {
					t.Errorf("%s: %s: English in Chinese help: %s", lang, name, line)
				}
			}
		}
	}
}

// TestNoSecretOnTheCommandLine: what is secret comes from a file, a terminal or
// standard input. No flag takes it as its value.
func TestNoSecretOnTheCommandLine(t *testing.T) {
	for name, c := range everyCommand(report.English) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			for _, word := range []string{"pass", "secret", "pin", "password", "token"} {
				if strings.Contains(f.Name, word) && f.Value.Type() != "bool" && !strings.HasSuffix(f.Name, "-file") {
					t.Errorf("%s --%s takes a %s", name, f.Name, f.Value.Type())
				}
			}
			if strings.HasSuffix(f.Name, "-key") && f.Value.Type() != "bool" && f.Value.Type() != "FILE" && f.Value.Type() != "stringArray" {
				t.Errorf("%s --%s takes a %s and not a file", name, f.Name, f.Value.Type())
			}
		})
	}
}

// exampleNeeds is the shell that makes what the examples of a command take for
// granted, beside what all of them find: see exampleGround.
var exampleNeeds = map[string]string{
	"rootkiln sign":    "rootkiln request -q",
	"rootkiln token":   exampleBundle,
	"rootkiln verify":  exampleBundle,
	"rootkiln inspect": exampleBundle,
	"rootkiln check":   exampleBundle,
	"rootkiln compare": exampleBundle,
	"rootkiln export":  exampleBundle,
	"rootkiln rotate": exampleBundle + `
rootkiln bundle -q --topology shared --service-alg p256 --out shared --offline-out safe
mv shared shared-tls && cp safe/root-ca.key safe/intermediate-ca.key . && sleep 1`,
}

const exampleBundle = "rootkiln bundle -q --service-alg p256 && tar -xf tls.tar.gz"

// exampleGround is what lies in the directory of a person who tries the
// examples: a root, a directory with the names of the k3s script, a plan, a
// passphrase.
const exampleGround = `
rootkiln root -q && cp root/root-ca.* . && rm -r root
mkdir old-tls && cp root-ca.crt old-tls/root-ca.pem && cp root-ca.key old-tls/
printf 'correct horse battery staple\n' > pass && chmod 600 pass
printf 'apiVersion: rootkiln/v1\nkind: Plan\nname: edge-01\nkeys: {service: p256}\n' > plan.yaml
`

// TestExamples runs every example of every command's help, in the order in
// which they stand, where a reader would run them.
func TestExamples(t *testing.T) {
	for name, c := range everyCommand(report.English) {
		if name == "rootkiln serve" {
			continue // its examples end by an interrupt alone: TestServeExamples
		}
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			shell := func(line string) (string, error) {
				cmd := exec.Command("sh", "-eu", "-c", line)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			if out, err := shell(exampleGround + exampleNeeds[name]); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for line := range strings.Lines(c.Example) {
				line = strings.TrimSpace(line)
				if !strings.HasPrefix(line, "rootkiln") {
					t.Errorf("not an example of this program: %s", line)
				}
				if out, err := shell(line); err != nil {
					t.Errorf("%s: %v\n%s", line, err, out)
				}
			}
		})
	}
}

// TestNoSecretShown goes through everything that handles keys, with a
// passphrase that can be recognised, in success and failure, and looks for
// secrets in all that was printed.
func TestNoSecretShown(t *testing.T) {
	dir := t.TempDir()
	const phrase = "Zebra-Ölfaß-⚿-7f3a"
	if err := os.WriteFile(filepath.Join(dir, "pass"), []byte(phrase+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for _, line := range []string{
		"rootkiln root -v",
		"openssl pkcs8 -topk8 -in root/root-ca.key -passout file:pass -out sealed.key",
		"openssl ec -in root/root-ca.key -aes256 -passout file:pass -out legacy.key 2>/dev/null",
		"openssl genrsa -traditional -out service.key 2048 2>/dev/null",
		"cat root/root-ca.key service.key > two.key; sed 3d root/root-ca.key > cut.key; head -n 3 root/root-ca.key > half.key",
		"rootkiln root --output json --out r2",
		"rootkiln bundle -v --service-alg p256",
		"rootkiln bundle --root root/root-ca.crt --root-key sealed.key --key-passphrase-file pass --passphrase-file pass --out b.tgz --output json",
		"rootkiln bundle --root root/root-ca.crt --root-key legacy.key --key-passphrase-file pass --service-key service.key --out c.tgz --output yaml",
		"! rootkiln bundle --root root/root-ca.crt --root-key legacy.key --key-passphrase-file service.key --out n.tgz",
		"! rootkiln bundle --root root/root-ca.crt --root-key two.key --out n.tgz",
		"! rootkiln bundle --root root/root-ca.crt --root-key cut.key --out n.tgz",
		"! rootkiln bundle --root root/root-ca.crt --root-key half.key --out n.tgz",
		"! rootkiln bundle --root root/root-ca.key --root-key root/root-ca.crt --out n.tgz",
		"! rootkiln bundle --root sealed.key --root-key pass --out n.tgz",
		"! rootkiln bundle -f root/root-ca.key --out n.tgz",
		"! rootkiln bundle -f pass --out n.tgz",
		"! rootkiln bundle --inputs root/root-ca.key --out n.tgz",
		"! rootkiln bundle --encrypt-to root/root-ca.key --out n.tgz",
		"! rootkiln bundle --encrypt-to pass --out n.tgz",
		// A key or its text where the name of a file belongs.
		`! rootkiln bundle --root root/root-ca.crt --root-key "$(cat root/root-ca.key)" --out n.tgz`,
		`! rootkiln bundle --service-key "$(cat service.key)" --out n.tgz`,
		`! rootkiln bundle --encrypt-to "$(cat root/root-ca.key)" --out n.tgz`,
		`! rootkiln token "$(cat root/root-ca.key)"`,
		"rootkiln plan --root root/root-ca.crt --root-key root/root-ca.key --service-key service.key",
		"rootkiln plan --root root/root-ca.crt --root-key root/root-ca.key --service-key service.key -o json",
		"rootkiln request -v --root root/root-ca.crt",
		"rootkiln request --output json --out q2",
		"! rootkiln request -v --resume request",
		"rootkiln sign -v -f request/plan.json --root root/root-ca.crt --root-key root/root-ca.key request/intermediate.csr",
		"! rootkiln sign -f request/state.json --root root/root-ca.crt --root-key root/root-ca.key request/intermediate.csr --out n.crt",
		"! rootkiln sign -f request/plan.json --root root/root-ca.crt --root-key root/root-ca.key request/state.json --out n.crt",
		"rootkiln bundle -v --resume request --signed intermediate.crt --out d",
		"! rootkiln bundle --resume service.key --signed intermediate.crt --out n",
		"! rootkiln bundle --resume request --signed request/state.json --out n",
		"rootkiln token tls.tar.gz",
		"! rootkiln token root/root-ca.key",
		"! rootkiln token request/state.json",
	} {
		for _, locale := range []string{"C.UTF-8", "zh_CN.UTF-8"} {
			if locale != "C.UTF-8" && !strings.HasPrefix(line, "!") {
				continue // a success writes its files once
			}
			cmd := exec.Command("sh", "-u", "-c", line)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "LC_ALL="+locale)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", line, err, out)
			}
			shown.Write(out)
		}
	}
	text := shown.String()
	for _, secret := range append(keyLines(t, dir), phrase, "Zebra", "PRIVATE KEY-----", "AGE-SECRET-KEY-") {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("shown: ...%s...", text[max(0, at-200):min(len(text), at+len(secret)+50)])
		}
	}
}

// keyLines returns every line of key material below a directory, archives aside.
func keyLines(t *testing.T, dir string) (lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".key" && filepath.Base(path) != stateFile {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(strings.ReplaceAll(string(data), `\n`, "\n")) {
			// The last line of a key may be short, and the first is much the
			// same in all keys of a kind.
			if line = strings.TrimSpace(line); len(line) >= 40 && !strings.ContainsAny(line, ` "{}:`) {
				lines = append(lines, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) < 100 {
		t.Fatalf("only %d lines of key material were found", len(lines))
	}
	return lines
}
