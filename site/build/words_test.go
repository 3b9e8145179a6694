package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const sources = "../src"

// languages reads the words of the page: language, then key.
func languages(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{"en": {}, "zh": {}}
	for lang, words := range all {
		files, err := filepath.Glob(filepath.Join(sources, "words", lang+".*.json"))
		if err != nil || len(files) != 3 {
			t.Fatalf("%s: %d files of words, %v", lang, len(files), err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var part map[string]string
			if err := json.Unmarshal(data, &part); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for key, text := range part {
				if _, twice := words[key]; twice {
					t.Errorf("%s: %s stands in two files", name, key)
				}
				words[key] = text
			}
		}
	}
	if len(all["en"]) < 300 {
		t.Fatalf("only %d words", len(all["en"]))
	}
	return all
}

var gap = regexp.MustCompile(`\{\w+\}`)

// TestLanguagesAgree: both languages have the same sentences with the same gaps,
// and the Chinese is Chinese.
func TestLanguagesAgree(t *testing.T) {
	all := languages(t)
	en, zh := all["en"], all["zh"]
	for _, key := range slices.Sorted(maps.Keys(en)) {
		chinese, ok := zh[key]
		if !ok {
			t.Errorf("%s has no Chinese", key)
			continue
		}
		a, b := gap.FindAllString(en[key], -1), gap.FindAllString(chinese, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: %v in English, %v in Chinese", key, a, b)
		}
		if han(en[key]) {
			t.Errorf("%s: %q is not English", key, en[key])
		}
		// A word for people, and neither a name nor a sign.
		if regexp.MustCompile(`[a-z]+ [a-z]+`).MatchString(gap.ReplaceAllString(en[key], "")) && !han(chinese) {
			t.Errorf("%s: %q is not Chinese", key, chinese)
		}
	}
	for key := range zh {
		if _, ok := en[key]; !ok {
			t.Errorf("%s has no English", key)
		}
	}
}

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// asked finds what the page asks for: a key, or the beginning of one that is put
// together, as t(`make.way.${id}`) or named("inspect.role", role).
var asked = regexp.MustCompile("[\"`]([a-z][A-Za-z]*\\.[A-Za-z0-9.-]*)(\\$\\{|[\"`])")

// grown finds what is hung behind a key that came from elsewhere, as t(`${key}.one`).
var grown = regexp.MustCompile("`\\$\\{key\\}([A-Za-z.]+)`")

// TestEveryWordIsThereAndAsked: what the page asks for is there, and what is there
// is asked for.
func TestEveryWordIsThereAndAsked(t *testing.T) {
	words := languages(t)["en"]
	groups := map[string]bool{} // the first parts of keys
	for key := range words {
		group, _, _ := strings.Cut(key, ".")
		groups[group] = true
	}
	used, suffixes := map[string]bool{}, map[string]bool{}
	for name, text := range scripts(t) {
		for _, m := range grown.FindAllStringSubmatch(text, -1) {
			suffixes[m[1]] = true
		}
		for _, m := range asked.FindAllStringSubmatch(text, -1) {
			group, _, _ := strings.Cut(m[1], ".")
			if !groups[group] {
				continue // a file name, as "plan.json"
			}
			found := false
			for key := range words {
				if strings.HasPrefix(key, m[1]) && (m[2] == "${" || len(key) == len(m[1]) || strings.HasPrefix(key[len(m[1]):], ".")) {
					used[key], found = true, true
				}
			}
			if !found {
				t.Errorf("%s asks for %s, which is not there", name, m[1])
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(words)) {
		for suffix := range suffixes {
			base, cut := strings.CutSuffix(key, suffix)
			used[key] = used[key] || cut && used[base]
		}
		if !used[key] {
			t.Errorf("%s is not asked for", key)
		}
	}
}

// scripts are the sources of the page by name.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(sources, "*.ts"))
	if err != nil || len(names) < 20 {
		t.Fatalf("%d scripts, %v", len(names), err)
	}
	all := map[string]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = string(data)
	}
	return all
}

// forbidden is what the page promises not to do; the exceptions are what it says it
// does.
var forbidden = []struct {
	pattern *regexp.Regexp
	but     []string
}{
	{regexp.MustCompile(`\b(localStorage|sessionStorage|indexedDB|cookieStore|document\.cookie)\b`), nil},
	{regexp.MustCompile(`\bcaches\b`), []string{"sw.ts"}},
	{regexp.MustCompile(`\bfetch\(`), []string{"engine.ts", "sw.ts"}},
	{regexp.MustCompile(`\b(XMLHttpRequest|WebSocket|WebTransport|EventSource|RTCPeerConnection|sendBeacon|window\.open)\b`), nil},
	{regexp.MustCompile(`\b(innerHTML|outerHTML|insertAdjacentHTML|setHTML\w*|DOMParser|srcdoc|document\.write|eval\(|new Function)`), nil},
	{regexp.MustCompile(`\bnew Worker\(`), []string{"engine.ts"}},
	{regexp.MustCompile(`\bstyle: `), nil}, // an attribute that the policy does not let through
}

func TestThePageKeepsItsPromises(t *testing.T) {
	for name, text := range scripts(t) {
		for _, f := range forbidden {
			if at := f.pattern.FindString(text); at != "" && !slices.Contains(f.but, name) {
				t.Errorf("%s has %s", name, at)
			}
		}
	}
}
