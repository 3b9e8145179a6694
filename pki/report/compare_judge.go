package report

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// judge says of every node what it has not taken, and why.
func (c *comparer) judge() {
	for i := range c.out.Nodes {
		n := &c.out.Nodes[i]
		if n.Directory == "" {
			continue
		}
		files := map[CellState][]string{}
		for _, f := range c.out.Files {
			state := f.Cells[i].State
			files[state] = append(files[state], f.Path)
		}
		list := func(code pki.Code, files []string) {
			if len(files) > 0 {
				c.add(pki.New(code, n.Name, "files", strings.Join(files, ", ")))
			}
		}
		unrelated := c.unrelated(i)
		if unrelated { // no command is given for what may be another cluster
			list("node-unrelated", append(slices.Clone(files[CellOld]), files[CellOther]...))
		} else {
			c.behind(i, files[CellOld])
			list("node-differs", files[CellOther])
		}
		list("node-incomplete", files[CellMissing])
		for _, leaf := range n.Stale {
			c.add(pki.New("leaf-stale", n.Name+": "+leaf, "ca", caOf(leaf)))
		}
		c.tokenFile(n)
		if !unrelated {
			c.remedy(n, i, files)
		}
	}
	c.tokens()
}

func (c *comparer) add(f pki.Finding) { c.out.Findings = append(c.out.Findings, f) }

// caOf is the CA file of a leaf, by the tables.
func caOf(leaf string) string {
	for rel := leaf; ; {
		for _, p := range posts[rel] {
			if p.ca != "" {
				return p.ca
			}
		}
		_, rest, more := strings.Cut(rel, "/")
		if !more {
			return ""
		}
		rel = rest
	}
}

// behind names the cause for a node with old files. One that was started since
// the new files were made has looked for them and was given the old ones: by
// another server's disk, which is how servers with `server:` started until March
// 2025 (k3s #11233).
func (c *comparer) behind(i int, old []string) {
	n := &c.out.Nodes[i]
	if len(old) == 0 {
		return
	}
	files := strings.Join(old, ", ")
	var made time.Time
	for _, f := range c.out.Files {
		if f.Cells[i].State == CellOld {
			made = later(made, c.madeAt(f))
		}
	}
	last := pki.At(n.last).String()
	switch {
	case n.last.IsZero() || made.IsZero() || n.Started == nil && n.last.After(made):
		c.add(pki.New("rotation-missed", n.Name, "files", files))
	case n.last.After(made) && n.config.without():
		c.add(pki.New("rotation-not-taken", n.Name, "files", files, "time", last))
	case n.last.After(made):
		c.add(pki.New("rotation-missed-bootstrap", n.Name, "files", files, "time", last))
	default: // a copy made since would be later too
		c.add(pki.New("rotation-not-restarted", n.Name, "files", files, "time", last))
	}
	for _, f := range c.out.Files {
		if want, late := c.tooNew(f, i); late {
			c.add(pki.New("time-newer", n.Name+": "+f.Path, "time", f.Cells[i].Time.String(), "want", pki.At(want).String()))
		}
	}
}

// madeAt is the time of the new content of a file: k3s restores it together with
// the bytes.
func (c *comparer) madeAt(f ComparedFile) time.Time {
	var made time.Time
	if c.staged != nil {
		if staged := c.staged.file(f.Path); staged != nil {
			made = staged.Time
		}
	}
	for _, cell := range f.Cells {
		if cell.State == CellNew && cell.Time != nil && (made.IsZero() || cell.Time.Before(made)) {
			made = cell.Time.Time
		}
	}
	return made
}

// tooNew finds an old file that is newer than the new one by its time: with it
// the server does not start again.
func (c *comparer) tooNew(f ComparedFile, i int) (want time.Time, late bool) {
	cell := f.Cells[i]
	if cell.State != CellOld && cell.State != CellOther || cell.Time == nil {
		return time.Time{}, false
	}
	made := c.madeAt(f)
	return made, !made.IsZero() && cell.Time.Sub(made) >= k3s.ClockSkew
}

func (c *comparer) tokenFile(n *ComparedNode) {
	if n.Token != nil && n.TokenFile != "" && n.TokenFile != n.Token.Hash {
		c.add(pki.New("token-file-stale", n.Name, "has", n.TokenFile, "want", n.Token.Hash))
	}
}

// tokens counts the tokens of the nodes: a node joins with one of them alone.
func (c *comparer) tokens() {
	var hashes []string
	for _, n := range c.out.Nodes {
		if n.Token != nil && !slices.Contains(hashes, n.Token.Hash) {
			hashes = append(hashes, n.Token.Hash)
		}
	}
	if len(hashes) > 1 {
		c.add(pki.New("token-differs", "", "count", strconv.Itoa(len(hashes))))
	}
}

// remedy chooses what to do on one node.
func (c *comparer) remedy(n *ComparedNode, i int, files map[CellState][]string) {
	give := func(code RemedyCode, files []string) {
		commands := commandsFor(code, site{n.Distro, true}, files, nil)
		if code == RemedyUnbootstrap {
			commands = n.config.unbootstrap(n.Distro)
		}
		c.out.Remedies = append(c.out.Remedies, Remedy{Code: code, Node: n.Name, For: files, Commands: commands})
	}
	old := files[CellOld]
	var late []string
	for _, f := range c.out.Files {
		if _, is := c.tooNew(f, i); is {
			late = append(late, f.Path)
		}
	}
	remove := append(slices.Clone(late), files[CellOther]...)
	slices.Sort(remove)
	if remove = slices.Compact(remove); len(remove) > 0 && !n.Dump { // a dump does not tell what stands on the disk
		give(RemedyRestore, remove)
	}
	has := func(code pki.Code) bool {
		return slices.ContainsFunc(c.out.Findings, func(f pki.Finding) bool { return f.Code == code && f.Subject == n.Name })
	}
	serving := slices.ContainsFunc(n.Stale, func(s string) bool { return under(s, dynamicCert) })
	switch {
	case has("rotation-missed-bootstrap"):
		give(RemedyUnbootstrap, old)
	case has("rotation-missed"): // a restart helps if it was forgotten
		give(RemedyRestart, old)
		if !n.config.without() {
			give(RemedyUnbootstrap, old)
		}
	case has("rotation-not-restarted") || len(files[CellMissing]) > 0 && len(remove) == 0,
		len(n.Stale) > 1 || len(n.Stale) == 1 && !serving:
		give(RemedyRestart, append(slices.Clone(old), n.Stale...))
	}
	if serving {
		give(RemedyServing, []string{dynamicCert})
	}
}

// Sound reports whether every node has taken what the others have: no finding of
// level error, and no leaf certificate of another CA.
func (c Comparison) Sound() bool {
	return !slices.ContainsFunc(c.Findings, func(f pki.Finding) bool { return f.Severity == pki.Error || f.Code == "leaf-stale" })
}
