package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"rootkiln/pki"
)

// Lang is a language of the messages.
type Lang string

const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// Message explains one finding: what is so, why it matters for a cluster, what
// to do. Fix is empty where there is nothing to do; of a code that this version
// does not know, only What is there.
type Message struct {
	What string `json:"what"`
	Why  string `json:"why"`
	Fix  string `json:"fix,omitempty"`
}

// messages holds the sentences of a topic: English and Chinese side by side,
// each as what, why, fix.
//
// Placeholders: {name} is an argument of the finding, {@name} one that holds a
// role (or several, with commas between them), {subject} the finding's subject
// and {.subject} an argument that happens to bear that name. A sentence that
// begins with "{subject}: " does without when the finding has no subject.
//
// The sentences say k3s; [ExplainFor] puts RKE2's name there, which links the
// same code, and kubeadm's where it does the same.
//
// They are a list, not a map: a list lies ready in the program, a map is built by
// code that costs the page more than the search.
type messages []entry

type entry struct {
	code             pki.Code
	english, chinese Message
}

var catalogue = []messages{
	planMessages, requestMessages, keyMessages, certificateMessages, chainMessages, bundleMessages,
	bootstrapMessages, nodeMessages, againstMessages, rotationMessages, inputMessages,
}

// Explain returns the sentences of a finding in a language, with its values
// filled in. Whatever a value holds, the sentences are safe to print: see
// [Printable].
func Explain(f pki.Finding, lang Lang) Message { return ExplainFor(f, lang, pki.K3s) }

// ExplainFor is Explain in the words of a distribution: commands, files and
// Secrets bear its name.
func ExplainFor(f pki.Finding, lang Lang, distro pki.Distro) Message {
	topics := catalogue
	if distro == KubeadmDistro {
		topics = slices.Insert(slices.Clone(topics), 0, kubeadmMessages)
	}
	m, ok := lookup(topics, f.Code)
	if !ok { // from a newer version, by way of JSON
		return Message{What: Printable(f.String())}
	}
	t := m.english
	if lang == Chinese {
		t = m.chinese
	}
	say := func(sentence string) string {
		if distro != pki.K3s && distro != "" {
			sentence = strings.ReplaceAll(sentence, string(pki.K3s), string(distro))
		}
		return fill(sentence, f, lang)
	}
	return Message{What: say(t.What), Why: say(t.Why), Fix: say(t.Fix)}
}

// lookup returns the sentences of a code from the first topic that has them.
func lookup(topics []messages, code pki.Code) (entry, bool) {
	for _, topic := range topics {
		for _, e := range topic {
			if e.code == code {
				return e, true
			}
		}
	}
	return entry{}, false
}

// fill puts the values of a finding into a sentence, in one pass: a value that
// looks like a placeholder stays what it is.
func fill(sentence string, f pki.Finding, lang Lang) string {
	if f.Subject == "" {
		sentence = withoutSubject(sentence)
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(sentence, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		placeholder, after, _ := strings.Cut(rest, "}")
		b.WriteString(value(placeholder, f, lang))
		sentence = after
	}
}

// withoutSubject takes the leading subject off a sentence.
func withoutSubject(sentence string) string {
	if rest, ok := strings.CutPrefix(sentence, "{subject}："); ok {
		return rest
	}
	rest, ok := strings.CutPrefix(sentence, "{subject}: ")
	if !ok {
		return sentence
	}
	first, size := utf8.DecodeRuneInString(rest)
	return string(unicode.ToUpper(first)) + rest[size:]
}

// value returns what stands for a placeholder, "?" where the finding lacks it.
func value(placeholder string, f pki.Finding, lang Lang) string {
	v, role := f.Subject, true
	if placeholder != "subject" {
		var name string
		name, role = strings.CutPrefix(placeholder, "@")
		name = strings.TrimPrefix(name, ".")
		v = f.Args[name]
		if lang == Chinese {
			if r := coreReplacer(name); r != nil {
				v = r.Replace(v)
			}
		}
	}
	switch {
	case v == "":
		return "?"
	case role:
		return roleNames(v, lang)
	}
	return Printable(v)
}

// maxValue is how much of a value is shown, in characters. Common names and
// paths end far below; a foreign file must not fill the screen.
const maxValue = 256

// Printable returns text from a foreign source (a subject, a path, the text of
// an error) in a form that a terminal shows and does not obey: control and
// format characters, among them escape sequences and the marks that turn the
// direction of writing (U+202A to U+202E, U+2066 to U+2069), are written as
// escapes of Go, and more than 256 characters are cut off.
func Printable(s string) string {
	if holdsKey(s) {
		return "[private key]"
	}
	var b strings.Builder
	shown := 0
	for i, r := range s {
		if shown++; shown > maxValue {
			b.WriteString("...")
			break
		}
		switch _, size := utf8.DecodeRuneInString(s[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

// holdsKey finds private keys by their armour: "--name $(cat root.key)" must not
// bring the key to a screen or into a log.
func holdsKey(s string) bool {
	upper := strings.ToUpper(s)
	return strings.Contains(upper, "PRIVATE KEY-----") || strings.Contains(upper, "AGE-SECRET-KEY-")
}
