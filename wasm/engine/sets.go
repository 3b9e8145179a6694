package engine

import (
	"bytes"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// FileSet is a range of the call's files that belong together: a folder, an
// archive, loose files.
type FileSet struct {
	Label      string `json:"label"`
	First      int    `json:"first"`
	Count      int    `json:"count"`
	Passphrase Secret `json:"passphrase,omitempty"` // of an age archive or encrypted keys in it, or the server token of bootstrap data
}

func (s *FileSet) forget() {
	if s != nil {
		clear(s.Passphrase)
	}
}

// maxExport is more than the datastore of a cluster keeps of its CAs in several
// keys: one value has some thirty kilobytes.
const maxExport = 16 << 20

// maxInput is more than any certificate, key or plan file has.
const maxInput = 1 << 20

// open reads a set: archives among its files are unpacked, what is encrypted with
// age is opened. Of several archives, each stands under its own name.
func (c *call) open(s FileSet) (pki.Bundle, []pki.Finding, error) {
	if s.First < 0 || s.Count < 0 || s.First > len(c.files) || s.Count > len(c.files)-s.First {
		return pki.Bundle{}, nil, usage(sayRange, s.Label)
	}
	r := setReader{taken: map[string]bool{}, left: pki.DefaultLimits}
	files := c.files[s.First : s.First+s.Count]
	for _, f := range files {
		if err := r.add(f, len(files) == 1, s.Passphrase); err != nil {
			return pki.Bundle{}, nil, err
		}
	}
	if len(r.bundle.Files) == 0 {
		return pki.Bundle{}, nil, usage(sayEmptySet, s.Label)
	}
	c.forgetTimes(r.bundle)
	return r.bundle, r.found, nil
}

// setReader puts files into one bundle, up to a limit.
type setReader struct {
	bundle pki.Bundle
	found  []pki.Finding
	taken  map[string]bool
	left   pki.Limits
}

func (r *setReader) add(f File, alone bool, secret Secret) error {
	name, data := cleanName(f.Name), f.Data
	if isSealed(data) {
		var err error
		if data, err = unsealed(f.Name, data, secret, pki.DefaultLimits.Total); err != nil {
			return err
		}
		name = strings.TrimSuffix(name, sealedSuffix)
	}
	if b, found, err := bootstrap(f.Name, data, secret); b != nil || err != nil {
		if err == nil {
			r.found = append(r.found, found...)
			err = r.spread(*b, name, alone)
		}
		return err
	}
	if !isArchive(data) {
		if int64(len(data)) > pki.DefaultLimits.File {
			return refuse("pem-too-large", f.Name, "limit", strconv.Itoa(maxInput)+" bytes")
		}
		return r.take(pki.File{Path: name, Kind: pki.KindOf(name), Data: data, Mode: f.Mode, Time: f.Time})
	}
	b, err := pki.ReadArchive(bytes.NewReader(data), r.left)
	if err != nil {
		return err
	}
	return r.spread(b, name, alone)
}

// spread adds what is inside of a file; one of several puts its name before it.
func (r *setReader) spread(b pki.Bundle, name string, alone bool) error {
	for _, inside := range b.Files {
		if !alone {
			inside.Path = path.Join(name, inside.Path)
		}
		if err := r.take(inside); err != nil {
			return err
		}
	}
	return nil
}

// take adds a file, once by name.
func (r *setReader) take(f pki.File) error {
	r.left.Entries--
	r.left.Total -= int64(len(f.Data))
	if r.left.Entries < 0 || r.left.Total < 0 {
		return refuse("archive-too-large", "", "limit", strconv.FormatInt(pki.DefaultLimits.Total, 10)+" bytes")
	}
	if r.taken[f.Path] {
		return nil
	}
	r.taken[f.Path] = true
	if converted, line, ok := settings(f.Path, f.Data); ok {
		f.Data = converted
	} else if line > 0 {
		r.found = append(r.found, pki.New("settings-unread", f.Path, "line", strconv.Itoa(line)))
	}
	r.bundle.Add(f.Path, f.Kind, f.Data)
	added := r.bundle.File(f.Path)
	added.Mode, added.Time = f.Mode, f.Time
	if f.Time.After(r.bundle.Time) {
		r.bundle.Time = f.Time
	}
	return nil
}

// bootstrapSigns are how an export of the datastore is told: by its keys, as they
// are or in base64.
var bootstrapSigns = [][]byte{[]byte(k3s.BootstrapPrefix), []byte("L2Jvb3RzdHJhcC")}

// bootstrap opens what k3s keeps of a cluster's CAs in its datastore, as
// `etcdctl get` writes it, with the server token; nil where the file is none.
func bootstrap(name string, data []byte, token Secret) (*pki.Bundle, []pki.Finding, error) {
	has := func(sign []byte) bool { return bytes.Contains(data, sign) }
	if len(data) > maxExport || bytes.Contains(data, []byte("-----BEGIN ")) || !looksSealed(data) && !slices.ContainsFunc(bootstrapSigns, has) {
		return nil, nil, nil
	}
	values, err := k3s.ReadExport(name, data)
	if err != nil { // it only speaks of such keys
		return nil, nil, nil
	}
	if len(token) == 0 {
		return nil, nil, &said{kind: Token, file: name, text: sayToken, args: []any{name}}
	}
	opened, found, err := k3s.OpenBootstrap(name, values, strings.TrimSpace(string(token)))
	if err != nil {
		return nil, nil, err
	}
	b := opened.Bundle()
	return &b, found, nil
}

// looksSealed tells a value by itself: salt, colon, base64.
func looksSealed(data []byte) bool { return len(data) > 16 && data[16] == ':' }

// cleanName makes a name of a page one of a bundle: relative, with forward
// slashes.
func cleanName(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	name = strings.TrimLeft(path.Clean("/"+name), "/")
	if name == "" {
		return "file"
	}
	return name
}

// isArchive looks at the first bytes: gzip, or the magic of a tar header.
func isArchive(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) || len(data) >= 262 && string(data[257:262]) == "ustar"
}

// forgetTimes takes the modification times away where files are judged for the
// past: against it every file is of the future.
func (c *call) forgetTimes(b pki.Bundle) {
	if !c.Now.Before(time.Now().Add(-time.Minute)) {
		return
	}
	for i := range b.Files {
		b.Files[i].Time = time.Time{}
	}
}

// cluster reads a set that must be of one cluster.
func (c *call) cluster(s FileSet) (pki.Bundle, []pki.Finding, error) {
	b, found, err := c.open(s)
	if err != nil {
		return b, nil, err
	}
	if clusters := report.Clusters(b); len(clusters) > 1 {
		return b, nil, refuse("clusters-several", s.Label, "count", strconv.Itoa(len(clusters)), "first", clusters[0].Directory)
	}
	return b, found, nil
}

// reader reads what a plan names among the files of the call.
func (c *call) reader(secrets Secrets) pki.Reader {
	return pki.Reader{
		Read:   func(name string) ([]byte, error) { return c.read(name, secrets[name]) },
		Exists: func(name string) bool { return c.find(name) != nil },
		Unlock: func(name string, data []byte) (any, error) { return openKey(name, data, secrets[name]) },
	}
}

// find returns a file by its name. A plan or state of the command line has whole
// paths in it: then the last part tells the file, if only one has it.
func (c *call) find(name string) *File {
	var found *File
	base := path.Base(cleanName(name))
	for i := range c.files {
		f := &c.files[i]
		if f.Name == name {
			return f
		}
		if path.Base(cleanName(f.Name)) == base && strings.Contains(name, "/") && !strings.Contains(f.Name, "/") {
			if found != nil {
				return nil
			}
			found = f
		}
	}
	return found
}

func (c *call) read(name string, secret Secret) ([]byte, error) {
	f := c.find(name)
	switch {
	case f == nil:
		return nil, refuse("input-missing", name)
	case isSealed(f.Data):
		return unsealed(name, f.Data, secret, maxInput)
	case len(f.Data) > maxInput:
		return nil, refuse("pem-too-large", name, "limit", strconv.Itoa(maxInput)+" bytes")
	}
	return bytes.Clone(f.Data), nil // what is made of it outlives the call's own
}
