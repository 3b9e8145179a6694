package report

import (
	"path"
	"slices"
	"strings"

	"rootkiln/pki"
)

// copiedDirectories are those that k3s, our own commands and people copy before
// they change them: tls-1790000000 by `k3s certificate rotate` and by a cluster
// reset, tls.before-2026-11-23-0700 by a rotation's first step, kubernetes.old.
var copiedDirectories = []string{"tls", "pki", "kubernetes"}

// copyWords are what people put behind the name of such a copy.
var copyWords = []string{"before", "old", "bak", "backup", "orig"}

// copyEnding knows what makes the name of such a copy: a time, or a word, with or
// without more behind it.
func copyEnding(s string) bool {
	if s == "" || s == "~" || !strings.Contains("-._", s[:1]) {
		return s == "~"
	}
	s = s[1:]
	if len(s) >= 6 && '0' <= s[0] && s[0] <= '9' {
		return strings.Trim(s, "-_:.TZ0123456789") == ""
	}
	if at := strings.IndexAny(s, "-._~0123456789"); at > 0 {
		s = s[:at]
	}
	return slices.Contains(copyWords, s)
}

// copyByK3s knows the ending that k3s gives, a time in seconds.
func copyByK3s(s string) bool {
	seconds, ok := strings.CutPrefix(s, "-")
	return ok && len(seconds) >= 6 && strings.Trim(seconds, "0123456789") == ""
}

// leftovers finds copies that nothing reads any more. Those that people name
// stand beside what they were made of: alone, or in a collection of servers, such
// a directory is what is meant.
type leftovers struct {
	dirs map[string]bool // every directory of the bundle
}

func newLeftovers(b pki.Bundle) leftovers {
	l := leftovers{dirs: map[string]bool{}}
	for _, f := range b.Files {
		for dir := path.Dir(f.Path); !l.dirs[dir]; dir = path.Dir(dir) {
			l.dirs[dir] = true
		}
	}
	return l
}

// of returns the copy in which a file lies, and what it is a copy of.
func (l leftovers) of(file string) (live, dir string, ok bool) {
	at, above := 0, path.Dir(file)
	for segment := range strings.SplitSeq(above, "/") {
		end := at + len(segment)
		for _, base := range copiedDirectories {
			rest, named := strings.CutPrefix(segment, base)
			live := above[:at] + base
			if named && (base == "tls" && copyByK3s(rest) || l.dirs[live] && copyEnding(rest)) {
				return live, above[:end], true
			}
		}
		at = end + 1
	}
	return "", "", false
}

// without returns a bundle without them.
func (l leftovers) without(b pki.Bundle) pki.Bundle {
	b.Files = slices.DeleteFunc(slices.Clone(b.Files), func(f pki.File) bool {
		_, _, ok := l.of(f.Path)
		return ok
	})
	return b
}
