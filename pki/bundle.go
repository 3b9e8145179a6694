package pki

import (
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Kind says what a file holds; it decides the mode.
type Kind string

const (
	KindChain  Kind = "chain"  // certificates, PEM
	KindKey    Kind = "key"    // private key or keys, PEM
	KindPublic Kind = "public" // text, plans, requests: nothing secret
	KindSecret Kind = "secret" // anything else that must stay private
)

// Mode returns the permission bits of a kind: 0600 for what is secret, 0644 for
// the rest.
func (k Kind) Mode() fs.FileMode {
	if k == KindKey || k == KindSecret {
		return 0o600
	}
	return 0o644
}

// DirMode is the mode of every directory rootkiln makes. k3s never tightens a
// directory that exists, and writes private keys into it with mode 0644.
const DirMode fs.FileMode = 0o700

// File is one file of a bundle. Path is relative, with forward slashes.
type File struct {
	Path string
	Kind Kind
	Data []byte

	// Mode and Time are what was found on a bundle that was read; a bundle that
	// was made leaves them zero and takes Kind.Mode and Bundle.Time. See
	// [Bundle.ModTime].
	Mode fs.FileMode
	Time time.Time
}

// Bundle is a set of files as a value: not a directory, not an archive. It is
// what issuing makes and what every reader returns.
type Bundle struct {
	// Time is the modification time of every file: k3s treats it as payload
	// (three seconds decide whether a server dies after a rotation). Without it
	// every file is written with its own.
	Time  time.Time
	Files []File // sorted by path
}

// ModTime is the time with which a file of the bundle is written.
func (b Bundle) ModTime(f File) time.Time {
	if b.Time.IsZero() {
		return f.Time
	}
	return b.Time
}

// Add puts a file into the bundle, keeping the order by path (bytewise).
func (b *Bundle) Add(path string, kind Kind, data []byte) {
	i, _ := slices.BinarySearchFunc(b.Files, path, func(f File, p string) int { return strings.Compare(f.Path, p) })
	b.Files = slices.Insert(b.Files, i, File{Path: path, Kind: kind, Data: data})
}

// File returns the file at the path, nil if there is none.
func (b Bundle) File(path string) *File {
	for i := range b.Files {
		if b.Files[i].Path == path {
			return &b.Files[i]
		}
	}
	return nil
}

// Dirs returns every directory above the files, sorted.
func (b Bundle) Dirs() []string {
	var dirs []string
	for _, f := range b.Files {
		for i, c := range f.Path {
			if c == '/' && !slices.Contains(dirs, f.Path[:i]) {
				dirs = append(dirs, f.Path[:i])
			}
		}
	}
	slices.Sort(dirs)
	return dirs
}
