package report

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// judge turns rows and what could not be read into findings, and decides about
// the alarm.
func (c *expiryCheck) judge() {
	c.add(true, c.opts.Unread...)
	for _, h := range c.r.files {
		kind, found := c.seats.of(h.file.Path).kind, h.found
		if kind == AuthorityFile {
			found, _ = h.onServer(everyCertificate)
		}
		for _, f := range found {
			if f.Severity == pki.Error {
				c.add(kind != BackupFile, f)
			}
		}
	}
	c.add(true, c.r.found...)
	superseded := c.superseded()
	for i := range c.out.Certificates {
		r := &c.out.Certificates[i]
		if superseded[r.Path] {
			r.Kind, r.Restart = BackupFile, ""
		}
		if r.Kind == AuthorityFile && !slices.Contains(c.chain(r.Path), r.n) {
			r.Kind = PreviousFile
		}
		if r.Counts() {
			c.ends(*r)
		}
	}
	c.leaves()
	c.references()
	c.backups()
}

func (c *expiryCheck) add(alarm bool, found ...pki.Finding) {
	c.out.Findings = append(c.out.Findings, found...)
	c.out.Alarm = c.out.Alarm || alarm && len(found) > 0
}

// ends judges the dates of one certificate.
func (c *expiryCheck) ends(r ExpiryRow) {
	place, end := r.Place().String(), r.NotAfter.String()
	c.out.Alarm = c.out.Alarm || r.Status != StatusOK
	switch {
	case r.NotAfter.Before(r.NotBefore.Time):
		c.add(true, pki.New("dates-reversed", place, "start", r.NotBefore.String(), "end", end))
	case r.Status == StatusExpired && r.Kind == ServingFile:
		c.add(true, pki.New("serving-expired", place, "end", end, "at", c.at.String()))
	case r.Status == StatusExpired && (r.Distro == KubeadmDistro || r.ofKubelet()):
		c.add(true, pki.New("kubeadm-expired", place, "end", end, "at", c.at.String()))
	case r.Status == StatusExpired:
		c.add(true, pki.New("expired", place, "end", end, "at", c.at.String()))
	case r.Status == StatusNotYetValid:
		c.add(true, pki.New("not-yet-valid", place, "start", r.NotBefore.String(), "at", c.at.String()))
	case r.Kind == AuthorityFile && (r.Status == StatusWarning || c.endsWithin(r, k3s.AuthorityWarnDays)):
		c.add(false, pki.New("ca-ends-soon", place, "end", end, "days", days(r.DaysLeft)))
	case r.Status == StatusWarning:
		c.add(false, pki.New("expires-soon", place, "end", end, "days", days(r.DaysLeft)))
	}
}

// leaves judges leaf certificates by their CA: of another one, or of one that
// ends before them.
func (c *expiryCheck) leaves() {
	named := map[*node]string{} // the first place of each certificate
	for _, r := range c.out.Certificates {
		if r.First {
			named[r.n] = r.Place().String()
		}
	}
	short, order := map[*node]int{}, []*node{}
	for _, r := range c.out.Certificates {
		if r.Stale {
			c.add(r.Kind == ServingFile, pki.New("leaf-stale", r.Place().String(), "ca", r.seat.ca))
		}
		if r.CAEnd == nil {
			continue
		}
		ca := c.head(r.seat.ca)
		if short[ca]++; short[ca] == 1 {
			order = append(order, ca)
		}
	}
	for _, ca := range order {
		c.add(false, pki.New("leaves-outlive-ca", named[ca], "leaves", strconv.Itoa(short[ca]), "end", pki.At(ca.cert.NotAfter).String()))
	}
}

// superseded finds what the kubelet keeps of its former client certificates: it
// writes each into a file with a date and reads the newest.
func (c *expiryCheck) superseded() map[string]bool {
	newest := map[string]ExpiryRow{} // by directory
	old := map[string]bool{}
	for _, r := range c.out.Certificates {
		if r.Index != 1 || !strings.HasPrefix(r.Filename, "kubelet-client-2") || path.Ext(r.Filename) != ".pem" {
			continue
		}
		dir := path.Dir(r.Path)
		last, known := newest[dir]
		switch {
		case !known:
			newest[dir] = r
		case r.NotBefore.After(last.NotBefore.Time):
			old[last.Path], newest[dir] = true, r
		default:
			old[r.Path] = true
		}
	}
	return old
}

// references follows the files that kubeconfigs name. The path is that of the
// node: in a copy it is looked for by its end, at least file and directory.
func (c *expiryCheck) references() {
	for _, h := range c.r.files {
		if _, _, copied := c.seats.copies.of(h.file.Path); copied {
			continue
		}
		for _, ref := range h.references {
			if !c.resolves(h.file.Path, path.Clean(strings.ReplaceAll(ref, `\`, "/"))) {
				c.add(false, pki.New("reference-missing", h.file.Path, "path", ref))
			}
		}
	}
}

func (c *expiryCheck) resolves(from, ref string) bool {
	if !path.IsAbs(ref) {
		return c.seats.files[path.Join(path.Dir(from), ref)]
	}
	segments := strings.Split(strings.Trim(ref, "/"), "/")
	for i := range max(1, len(segments)-1) {
		end := strings.Join(segments[i:], "/")
		if c.seats.files[end] || c.seats.files["/"+end] || c.seats.endings()[end] {
			return true
		}
	}
	return false
}

// endings are the last two to five segments of every path.
func (s *seats) endings() map[string]bool {
	if s.ends == nil {
		s.ends = map[string]bool{}
		for file := range s.files {
			at := strings.LastIndexByte(file, '/')
			for n := 2; at > 0 && n <= 5; n++ {
				at = strings.LastIndexByte(file[:at], '/')
				s.ends[file[at+1:]] = true
			}
		}
	}
	return s.ends
}

// backups counts what lies in copies that nothing reads: CA keys among it.
func (c *expiryCheck) backups() {
	count := map[string]int{}
	for _, r := range c.out.Certificates {
		if _, dir, ok := c.seats.copies.of(r.Path); ok {
			count[dir]++
		}
	}
	var dirs []string
	for dir := range count {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		c.add(false, pki.New("backup-leftover", dir, "count", strconv.Itoa(count[dir])))
	}
}

// References are the certificate files that a kubeconfig (as JSON) names.
func References(f pki.File) []string {
	h, r := &holding{file: &f}, &reading{byHash: map[string]*node{}, limit: maxObjects, public: true}
	r.readFile(h)
	return h.references
}
