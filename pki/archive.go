package pki

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Limits bound what is read from a foreign archive or directory.
type Limits struct {
	File    int64 // bytes of one file
	Total   int64 // bytes of all files
	Entries int   // files and directories
}

// DefaultLimits are far above any tls directory: the largest file k3s keeps
// there is some 10 kB.
var DefaultLimits = Limits{File: 1 << 20, Total: 64 << 20, Entries: 20_000}

// WriteTar writes the bundle as USTAR: sorted bytewise by name, directories as
// entries of their own, uid and gid 0, no owner names, whole seconds. The bytes
// depend on the bundle alone.
func WriteTar(w io.Writer, b Bundle) error {
	headers := make([]*tar.Header, 0, len(b.Files)+4)
	data := make(map[string][]byte, len(b.Files))
	add := func(name string, kind byte, mode fs.FileMode, size int, modified time.Time) {
		headers = append(headers, &tar.Header{
			Format: tar.FormatUSTAR, Typeflag: kind, Name: name, Mode: int64(mode),
			Size: int64(size), ModTime: modified.UTC(),
		})
	}
	var newest time.Time
	for _, f := range b.Files {
		modified := b.ModTime(f)
		if modified.After(newest) {
			newest = modified
		}
		add(f.Path, tar.TypeReg, f.Kind.Mode(), len(f.Data), modified)
		data[f.Path] = f.Data
	}
	for _, dir := range b.Dirs() {
		add(dir+"/", tar.TypeDir, DirMode, 0, newest)
	}
	slices.SortFunc(headers, func(a, b *tar.Header) int { return strings.Compare(a.Name, b.Name) })

	tw := tar.NewWriter(w)
	for _, h := range headers {
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := tw.Write(data[h.Name]); err != nil {
			return err
		}
	}
	return tw.Close()
}

// WriteTarGz writes the bundle as a compressed archive. The bytes of the
// compression are not promised: Go has changed its encoder twice.
func WriteTarGz(w io.Writer, b Bundle) error {
	zw := gzip.NewWriter(w)
	if err := WriteTar(zw, b); err != nil {
		return err
	}
	return zw.Close()
}

// ReadArchive reads a tar archive, compressed or not. It takes regular files
// and directories with plain relative names and refuses everything else whole:
// links, devices, absolute names, "..", two entries of one name, a file that is
// also a directory. A file larger than the limit, or one whose sum of sizes is,
// refuses the archive before it is read into memory. The archive is read to its
// end, where the checksum of a compressed one stands.
func ReadArchive(r io.Reader, limits Limits) (Bundle, error) {
	src, err := decompressed(r)
	if err != nil {
		return Bundle{}, refuse("archive-unreadable", "", "detail", err.Error())
	}
	// Padding and headers count as well: an archive of nothing but headers
	// must not run for ever.
	src = &cappedReader{r: src, left: 2*limits.Total + int64(limits.Entries)*1024}

	var b Bundle
	var total int64
	entries, places := 0, places{}
	tr := tar.NewReader(src)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Bundle{}, archiveError(err, limits)
		}
		name, err := safeName(h)
		if err != nil {
			return Bundle{}, err
		}
		if entries++; entries > limits.Entries {
			return Bundle{}, refuse("archive-too-large", name, "limit", strconv.Itoa(limits.Entries)+" entries")
		}
		dir := h.Typeflag == tar.TypeDir
		if !places.take(name, dir) {
			return Bundle{}, refuse("archive-duplicate", name, "entry", name)
		}
		if dir {
			continue
		}
		total += h.Size
		for _, over := range []struct{ size, limit int64 }{{h.Size, limits.File}, {total, limits.Total}} {
			if over.size > over.limit {
				return Bundle{}, refuse("archive-too-large", name, "limit", strconv.FormatInt(over.limit, 10)+" bytes")
			}
		}
		f := File{Path: name, Kind: KindOf(name), Data: make([]byte, h.Size), Mode: h.FileInfo().Mode().Perm(), Time: h.ModTime}
		if _, err := io.ReadFull(tr, f.Data); err != nil {
			return Bundle{}, archiveError(err, limits)
		}
		b.Files = append(b.Files, f)
		if f.Time.After(b.Time) {
			b.Time = f.Time
		}
	}
	if _, err := io.Copy(io.Discard, src); err != nil {
		return Bundle{}, archiveError(err, limits)
	}
	if entries == 0 {
		return Bundle{}, refuse("archive-unreadable", "", "detail", "no entries")
	}
	sort.Slice(b.Files, func(i, j int) bool { return b.Files[i].Path < b.Files[j].Path })
	return b, nil
}

// decompressed returns the content of a gzip stream, or the stream itself where
// it is none.
func decompressed(r io.Reader) (io.Reader, error) {
	br := bufio.NewReader(r)
	if magic, _ := br.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return br, nil
	}
	return gzip.NewReader(br)
}

// places knows what stands at each name of an archive.
type places map[string]place

type place int

const (
	nothing  place = iota
	parent         // a directory because something stands in it
	entryDir       // a directory with an entry of its own
	entryFile
)

// take puts a file or directory at a name; false if something else is there, or
// a file where a directory is needed.
func (p places) take(name string, dir bool) bool {
	is := entryFile
	if dir {
		is = entryDir
	}
	if p[name] != nothing && (p[name] != parent || !dir) {
		return false
	}
	p[name] = is
	for above := path.Dir(name); above != "."; above = path.Dir(above) {
		if p[above] == nothing {
			p[above] = parent
			continue
		}
		return p[above] != entryFile // what is above it is known already
	}
	return true
}

// KindOf guesses the kind of a foreign file by its name.
func KindOf(name string) Kind {
	switch path.Ext(name) {
	case ".key":
		return KindKey
	case ".crt", ".pem", ".cer":
		return KindChain
	}
	return KindPublic
}

// maxName is far above the names of a tls directory; pax allows a megabyte.
const maxName = 1024

// safeName returns the entry's cleaned relative name, or a refusal.
func safeName(h *tar.Header) (string, error) {
	kinds := map[byte]string{
		tar.TypeLink: "hard link", tar.TypeSymlink: "symbolic link", tar.TypeChar: "device",
		tar.TypeBlock: "device", tar.TypeFifo: "pipe",
	}
	if kind, ok := kinds[h.Typeflag]; ok {
		return "", refuse("archive-unsafe", h.Name, "entry", h.Name, "kind", kind)
	}
	if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeDir {
		return "", refuse("archive-unsafe", h.Name, "entry", h.Name, "kind", "special entry")
	}
	name := path.Clean(h.Name)
	if path.IsAbs(name) || slices.Contains(strings.Split(h.Name, "/"), "..") || strings.ContainsAny(h.Name, "\\\x00") ||
		len(h.Name) > maxName || name == "." && h.Typeflag != tar.TypeDir {
		return "", refuse("archive-unsafe", h.Name, "entry", h.Name, "kind", "unsafe name")
	}
	return name, nil
}

func archiveError(err error, limits Limits) error {
	if errors.Is(err, errCapped) {
		return refuse("archive-too-large", "", "limit", strconv.FormatInt(limits.Total, 10)+" bytes")
	}
	return refuse("archive-unreadable", "", "detail", err.Error())
}

var errCapped = errors.New("larger than the limit")

// cappedReader is io.LimitedReader with an error of its own at the end, so that
// a bomb is not taken for a short archive.
type cappedReader struct {
	r    io.Reader
	left int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errCapped
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}
