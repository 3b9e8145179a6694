package site

import (
	"fmt"
	"net/http"
	"strings"
)

// headers are the rules of a _headers file, the form that hosts of static files
// have in common:
//
//	/path or /pattern*
//	  Name: value
//
// Every rule that matches applies. The same header of two rules is one header with
// a comma between: two Content-Security-Policies then hold both.
type headers []rule

type rule struct {
	pattern string // a star at its end stands for anything
	fields  [][2]string
}

func parseHeaders(text string) (headers, error) {
	var h headers
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		name, value, field := strings.Cut(trimmed, ":")
		indented := line[0] == ' ' || line[0] == '\t'
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case !indented && trimmed[0] == '/' && strings.Count(trimmed, "*") <= 1 && strings.IndexByte(trimmed+"*", '*') >= len(trimmed)-1:
			h = append(h, rule{pattern: trimmed})
		case indented && field && len(h) > 0 && !strings.Contains(name, " "):
			last := &h[len(h)-1]
			last.fields = append(last.fields, [2]string{name, strings.TrimSpace(value)})
		default:
			return nil, fmt.Errorf("%q is neither a path nor a header", trimmed)
		}
	}
	return h, nil
}

// apply puts the headers of a path into an answer.
func (h headers) apply(path string, to http.Header) {
	for _, r := range h {
		prefix, open := strings.CutSuffix(r.pattern, "*")
		if path != r.pattern && !(open && strings.HasPrefix(path, prefix)) {
			continue
		}
		for _, f := range r.fields {
			if before := to.Get(f[0]); before != "" {
				to.Set(f[0], before+", "+f[1])
			} else {
				to.Set(f[0], f[1])
			}
		}
	}
}
