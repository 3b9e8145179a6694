package engine

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kubeconfigs, Secrets and config.yaml reach the reports as JSON. What writes them
// (k3s, kubeadm, kubectl) uses little of YAML: mappings and sequences by
// indentation, scalars on one line, literal blocks. That is read here, in a
// hundredth of the bytes that all of YAML takes, and everything else is refused.

// settingsEndings are those of files that may be YAML.
var settingsEndings = []string{"", ".yaml", ".yml", ".kubeconfig", ".conf", ".config"}

// telling is what makes such a file worth reading.
var telling = [][]byte{[]byte("certificate-authority"), []byte("client-certificate"), []byte("tls.crt"), []byte("server:")}

// settings turns YAML that may name or hold certificates into JSON. Line is where
// a form stands that is not read; 0 where the file is none of this kind.
func settings(name string, data []byte) (converted []byte, line int, ok bool) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := bytes.TrimLeft(data, " \t\r\n")
	has := func(word []byte) bool { return bytes.Contains(data, word) }
	if !slices.Contains(settingsEndings, path.Ext(name)) || !slices.ContainsFunc(telling, has) || len(text) == 0 || text[0] == '{' || !utf8.Valid(data) ||
		bytes.HasPrefix(text, []byte("-----BEGIN ")) {
		return nil, 0, false
	}
	y := newYAML(string(data))
	tree, ok := y.document()
	if !ok {
		return nil, y.at + 1, false
	}
	if _, mapping := tree.(map[string]any); !mapping {
		return nil, 0, false
	}
	converted, err := json.Marshal(tree)
	return converted, 0, err == nil
}

// yaml is a document on its way, one line at a time.
type yaml struct {
	lines []string
	at    int
	depth int
}

func newYAML(text string) *yaml {
	return &yaml{lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")}
}

// maxNesting is far above any settings file.
const maxNesting = 64

// document reads the first document; further ones are not of this kind of file.
func (y *yaml) document() (any, bool) {
	if y.skip(); y.at < len(y.lines) && strings.TrimRight(y.lines[y.at], " \r") == "---" {
		y.at++
	}
	tree, ok := y.node(0)
	if !ok {
		return nil, false
	}
	y.skip()
	return tree, y.at >= len(y.lines) || isMarker(y.lines[y.at])
}

// isMarker tells a line that begins or ends a document.
func isMarker(line string) bool {
	mark, _, _ := strings.Cut(strings.TrimRight(line, "\r"), " ")
	return mark == "---" || mark == "..."
}

// skip passes empty lines and comments.
func (y *yaml) skip() {
	for y.at < len(y.lines) {
		text := strings.TrimLeft(y.lines[y.at], " ")
		if text != "" && text[0] != '#' && text[0] != '\r' {
			return
		}
		y.at++
	}
}

// next is the indentation and the text of the next line that says something.
func (y *yaml) next() (indent int, text string, ok bool) {
	y.skip()
	if y.at >= len(y.lines) {
		return 0, "", false
	}
	line := y.lines[y.at]
	text = strings.TrimLeft(line, " ")
	indent = len(line) - len(text)
	return indent, strings.TrimRight(text, " \t\r"), !isMarker(line)
}

// node reads what stands at an indentation or deeper; nothing is null.
func (y *yaml) node(least int) (any, bool) {
	indent, text, ok := y.next()
	if !ok || indent < least {
		return nil, true
	}
	if y.depth++; y.depth > maxNesting {
		return nil, false
	}
	defer func() { y.depth-- }()
	if text == "-" || strings.HasPrefix(text, "- ") {
		return y.sequence(indent)
	}
	if _, _, isMapping := key(text); isMapping {
		return y.mapping(indent)
	}
	v, ok := scalar(uncommented(text))
	if ok {
		y.at++
	}
	return v, ok
}

func (y *yaml) sequence(indent int) (any, bool) {
	list := []any{}
	for {
		at, text, ok := y.next()
		if !ok || at != indent || text != "-" && !strings.HasPrefix(text, "- ") {
			return list, !ok || at <= indent
		}
		// The item stands where its text does: a mapping may go on below it.
		rest := strings.TrimLeft(text[1:], " ")
		if rest == "" {
			y.at++
		} else {
			y.lines[y.at] = strings.Repeat(" ", indent+len(text)-len(rest)) + rest
		}
		item, ok := y.node(indent + 1)
		if !ok {
			return nil, false
		}
		list = append(list, item)
	}
}

func (y *yaml) mapping(indent int) (any, bool) {
	m := map[string]any{}
	for {
		at, text, ok := y.next()
		if !ok || at < indent {
			return m, true
		}
		name, rest, isKey := key(text)
		if _, twice := m[name]; at != indent || !isKey || twice {
			return nil, false
		}
		y.at++
		switch {
		case rest == "":
			// A sequence may stand as deep as the key above it.
			least := indent + 1
			if deep, below, more := y.next(); more && deep == indent && (below == "-" || strings.HasPrefix(below, "- ")) {
				least = indent
			}
			m[name], ok = y.node(least)
		case rest[0] == '|':
			m[name], ok = y.literal(indent, rest)
		default:
			m[name], ok = scalar(rest)
		}
		if !ok {
			y.at = max(0, y.at-1)
			return nil, false
		}
	}
}

// literal reads a block of lines as they are.
func (y *yaml) literal(indent int, mark string) (any, bool) {
	if mark != "|" && mark != "|-" {
		return nil, false
	}
	var b strings.Builder
	depth := -1
	for ; y.at < len(y.lines); y.at++ {
		line := strings.TrimRight(y.lines[y.at], "\r")
		text := strings.TrimLeft(line, " ")
		if here := len(line) - len(text); text != "" && here <= indent {
			break
		} else if text != "" && depth < 0 {
			depth = here
		} else if text != "" && here < depth || text == "" && depth >= 0 && here > depth {
			return nil, false
		}
		if depth >= 0 {
			b.WriteString(line[min(depth, len(line)):])
		}
		b.WriteByte('\n')
	}
	text := strings.TrimRight(b.String(), "\n")
	if ended := y.at < len(y.lines) || strings.Trim(y.lines[len(y.lines)-1], " ") == ""; mark == "|" && text != "" && ended {
		text += "\n"
	}
	return text, true
}

// key splits a line of a mapping.
func key(text string) (name, rest string, ok bool) {
	if strings.HasPrefix(text, `"`) || strings.HasPrefix(text, "'") {
		end := strings.IndexByte(text[1:], text[0])
		if end < 0 || !strings.HasPrefix(text[end+2:], ":") {
			return "", "", false
		}
		if name, rest = text[1:end+1], text[end+3:]; strings.Contains(name, `\`) {
			return "", "", false
		}
	} else if name, rest, ok = strings.Cut(text, ":"); !ok || strings.ContainsAny(name, "{}[]&*!|>%@`\"'#,?\t") {
		return "", "", false
	} else {
		name = strings.TrimRight(name, " ")
	}
	if rest != "" && rest[0] != ' ' {
		return "", "", false
	}
	return name, uncommented(strings.TrimLeft(rest, " ")), name != ""
}

// uncommented takes a comment off a value that is not quoted.
func uncommented(s string) string {
	if strings.HasPrefix(s, "#") {
		return ""
	}
	if i := strings.Index(s, " #"); i >= 0 && !strings.HasPrefix(s, `"`) && !strings.HasPrefix(s, "'") {
		return strings.TrimRight(s[:i], " ")
	}
	return s
}

// words are scalars that are no strings.
var words = map[string]any{"null": nil, "~": nil, "true": true, "false": false, "{}": map[string]any{}, "[]": []any{}}

// scalar reads a value on one line. Numbers stay text: nobody computes with them.
func scalar(s string) (any, bool) {
	if v, ok := words[s]; ok || s == "" {
		return v, ok
	}
	switch s[0] {
	case '"': // what JSON reads means the same in YAML
		var text string
		err := json.Unmarshal([]byte(s), &text)
		return text, err == nil
	case '\'':
		if len(s) < 2 || !strings.HasSuffix(s, "'") || strings.Contains(strings.ReplaceAll(s[1:len(s)-1], "''", ""), "'") {
			return nil, false
		}
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'"), true
	case '&', '*', '!', '|', '>', '%', '@', '`', '{', '[', ',', '?':
		return nil, false
	}
	return s, !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":") && s != "-" && !strings.HasPrefix(s, "- ")
}
