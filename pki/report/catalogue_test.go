package report

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"rootkiln/pki"
)

const maxSentence = 300 // characters: what a person reads in one go

// column is one language of one entry.
type column struct {
	lang Lang
	Message
}

func columns(m entry) []column { return []column{{English, m.english}, {Chinese, m.chinese}} }

// sentences names the three parts of a message.
func (c column) sentences() map[string]string {
	return map[string]string{"What": c.What, "Why": c.Why, "Fix": c.Fix}
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

func placeholders(sentence string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	return names
}

func TestEveryCodeHasAnEntry(t *testing.T) {
	for _, code := range pki.Codes() {
		if _, ok := lookup(catalogue, code); !ok {
			t.Errorf("%s has no message: add to a catalogue_*.go\n\t{%q, Message{\n\t\t\"WHAT\", \"WHY\", \"FIX\",\n\t}, Message{\n\t\t\"中文\", \"中文\", \"中文\",\n\t}},\nwith placeholders among %v", code, code, declaredArgs(t)[code])
		}
	}
	seen := map[pki.Code]bool{}
	for _, topic := range catalogue {
		for _, e := range topic {
			code := e.code
			if !slices.Contains(pki.Codes(), code) {
				t.Errorf("%s: no such code in pki/finding.go: remove its message", code)
			}
			if seen[code] {
				t.Errorf("%s: has messages in two topics: remove one", code)
			}
			seen[code] = true
		}
	}
}

func TestSentences(t *testing.T) {
	han := regexp.MustCompile(`\p{Han}`)
	ascii := regexp.MustCompile(`^[\x20-\x7e]*$`)
	mixed := regexp.MustCompile(`\p{Han}[,.;:!?]|[,;:!?]\p{Han}|[()]`)
	for _, code := range pki.Codes() {
		m, _ := lookup(catalogue, code)
		for _, c := range columns(m) {
			for part, s := range c.sentences() {
				optional := part == "Fix" && pki.SeverityOf(code) == pki.Notice
				stop := map[Lang]string{English: ".", Chinese: "。"}[c.lang]
				switch {
				case s == "" && optional:
				case s == "":
					t.Errorf("%s, %s: %s is empty: write it", code, c.lang, part)
				case utf8.RuneCountInString(s) > maxSentence:
					t.Errorf("%s, %s: %s has more than %d characters: shorten it", code, c.lang, part, maxSentence)
				case !strings.HasSuffix(s, stop):
					t.Errorf("%s, %s: %s does not end with %q", code, c.lang, part, stop)
				case c.lang == English && !ascii.MatchString(s):
					t.Errorf("%s: English %s has characters outside ASCII; a console in the C locale cannot show them", code, part)
				case c.lang == Chinese && !han.MatchString(s):
					t.Errorf("%s: Chinese %s is not Chinese: translate %q", code, part, s)
				case c.lang == Chinese && mixed.MatchString(s):
					t.Errorf("%s: Chinese %s has half-width punctuation at %q", code, part, mixed.FindString(s))
				}
			}
		}
	}
}

// What the languages say may differ, what they carry may not: values, commands
// and flags.
func TestLanguagesCarryTheSame(t *testing.T) {
	command := regexp.MustCompile("`[^`]*`")
	flag := regexp.MustCompile(`--[a-z][a-z-]*`)
	for _, code := range pki.Codes() {
		m, _ := lookup(catalogue, code)
		chinese := columns(m)[1].sentences()
		for part, english := range columns(m)[0].sentences() {
			for what, of := range map[string]func(string) []string{
				"placeholders": placeholders,
				"commands":     func(s string) []string { return unique(command.FindAllString(s, -1)) },
				"flags":        func(s string) []string { return unique(flag.FindAllString(s, -1)) },
			} {
				if en, zh := of(english), of(chinese[part]); !slices.Equal(en, zh) {
					t.Errorf("%s: %s has the %s %q in English and %q in Chinese", code, part, what, en, zh)
				}
			}
			if (english == "") != (chinese[part] == "") {
				t.Errorf("%s: %s is there in one language only", code, part)
			}
		}
	}
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func TestPlaceholdersAreArguments(t *testing.T) {
	declared, raised := declaredArgs(t), raises(t)
	for _, code := range pki.Codes() {
		args, always := declared[code], true
		where := "the comment of the code in pki/finding.go"
		for i, r := range raised[code] {
			always = always && r.subject
			if i == 0 {
				args, where = r.args, r.position
				continue
			}
			if rest := commonArgs(args, r.args); len(rest) < len(args) {
				args, where = rest, r.position
			}
		}
		m, _ := lookup(catalogue, code)
		for _, c := range columns(m) {
			for part, s := range c.sentences() {
				body := strings.TrimPrefix(strings.TrimPrefix(s, "{subject}: "), "{subject}：")
				for _, name := range placeholders(body) {
					bare := strings.TrimLeft(name, "@.")
					switch {
					case name == "subject" && !always:
						t.Errorf("%s, %s: %s uses {subject}, which not every finding of the code has: begin the sentence with it, or do without", code, c.lang, part)
					case name != "subject" && !slices.Contains(args, bare):
						t.Errorf("%s, %s: %s uses {%s}, but the arguments are %v (%s)", code, c.lang, part, name, args, where)
					}
				}
			}
		}
	}
}

// sampleFinding is a finding of the code with a recognisable value in each argument
// that its sentences use.
func sampleFinding(code pki.Code, m entry) pki.Finding {
	f := pki.New(code, "sample-subject")
	f.Args = map[string]string{}
	for _, c := range columns(m) {
		for _, s := range c.sentences() {
			for _, name := range placeholders(s) {
				f.Args[strings.TrimLeft(name, "@.")] = "sample-" + strings.TrimLeft(name, "@.")
			}
		}
	}
	return f
}

func TestExplainFillsEverything(t *testing.T) {
	for _, code := range pki.Codes() {
		m, _ := lookup(catalogue, code)
		f := sampleFinding(code, m)
		for _, c := range columns(m) {
			full := column{c.lang, Explain(f, c.lang)}.sentences()
			for part, template := range c.sentences() {
				got := full[part]
				if strings.ContainsAny(got, "{}") || strings.Contains(got, "?") {
					t.Errorf("%s, %s: %s is left with a hole: %s", code, c.lang, part, got)
				}
				for _, name := range placeholders(template) {
					if want := "sample-" + strings.TrimLeft(name, "@."); !strings.Contains(got, want) {
						t.Errorf("%s, %s: %s lacks %q: %s", code, c.lang, part, want, got)
					}
				}
				if n := utf8.RuneCountInString(got); n > maxSentence {
					t.Errorf("%s, %s: %s has %d characters when filled: shorten it", code, c.lang, part, n)
				}
			}
		}
	}
}

func TestCommandsExist(t *testing.T) {
	commands := []string{
		"bundle", "plan", "root", "intermediate", "request", "sign", "rotate", "inspect",
		"verify", "check", "compare", "token", "export", "bootstrap", "admin", "version", "completion", "man",
	}
	foreign := []string{"--topology", "--tls-san", "--service", "--prefix"} // the second and third are options of k3s, the fourth of etcdctl
	command := regexp.MustCompile("`rootkiln ([a-z-]+)")
	flag := regexp.MustCompile(`--([a-z][a-z-]*)`)
	known := stringLiterals(t, "cmd")
	for _, code := range pki.Codes() {
		m, _ := lookup(catalogue, code)
		for part, s := range columns(m)[0].sentences() {
			for _, found := range command.FindAllStringSubmatch(s, -1) {
				if !slices.Contains(commands, found[1]) {
					t.Errorf("%s: %s names the command %q, which does not exist", code, part, found[1])
				}
			}
			for _, found := range flag.FindAllStringSubmatch(s, -1) {
				if !known[found[1]] && !slices.Contains(foreign, found[0]) {
					t.Errorf("%s: %s names the flag --%s, which no command has", code, part, found[1])
				}
			}
		}
	}
}

// What is told of kubeadm's nodes stands in for the sentences of k3s: it carries no
// other values, in both languages, and no word of k3s.
func TestKubeadmMessages(t *testing.T) {
	for _, own := range kubeadmMessages {
		code := own.code
		base, ok := lookup(catalogue, code)
		if !ok {
			t.Errorf("%s: no such code", code)
		}
		for i, c := range columns(own) {
			for part, s := range c.sentences() {
				if s == "" || strings.Contains(s, "k3s") {
					t.Errorf("%s, %s: %s is %q", code, c.lang, part, s)
				}
				for _, name := range placeholders(s) {
					if !slices.Contains(placeholders(strings.Join(slices.Collect(maps.Values(columns(base)[i].sentences())), " ")), name) {
						t.Errorf("%s, %s: %s uses {%s}", code, c.lang, part, name)
					}
				}
			}
			f := pki.New(code, "pki/ca.crt", "ca", "pki/ca.crt", "end", "2027-01-01", "days", "3")
			if got := ExplainFor(f, c.lang, KubeadmDistro); got.Why != c.Why {
				t.Errorf("%s, %s: told is %q", code, c.lang, got.Why)
			}
		}
	}
}
