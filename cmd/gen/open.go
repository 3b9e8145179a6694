package main

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// isBundlePath reports whether a path is read as a set of files: a directory or
// an archive. Standard input is an archive.
func isBundlePath(path string) bool {
	if path == standardOutput {
		return true
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return true
	}
	for _, form := range archiveForms {
		if strings.HasSuffix(path, form.suffix) {
			return true
		}
	}
	return false
}

// openBundle reads a directory, an archive or a single file as a bundle. The
// content of a foreign file is bounded, whatever its size on disk.
func (a *app) openBundle(path string) (pki.Bundle, error) {
	if path == standardOutput {
		return readBundle(a.in, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return pki.Bundle{}, unreadable(path, err)
	}
	if info.IsDir() {
		return a.openDirectory(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return pki.Bundle{}, unreadable(path, err)
	}
	defer f.Close()
	b, err := readBundle(f, filepath.Base(path))
	if err == nil && len(b.Files) == 1 && b.Files[0].Mode == 0 { // not from an archive
		b.Files[0].Time, b.Time = info.ModTime(), info.ModTime()
		if modesMatter && info.Mode().IsRegular() {
			b.Files[0].Mode = info.Mode().Perm()
		}
	}
	return b, err
}

// oneCluster refuses a bundle that holds several.
func oneCluster(b pki.Bundle, path string) error {
	clusters := report.Clusters(b)
	if len(clusters) < 2 {
		return nil
	}
	return usage(msgSeveralClusters, path, len(clusters), filepath.Join(path, clusters[0].Directory))
}

// readBundle reads an archive, or one file of the given name. It looks ahead and
// never goes back: the stream may be a pipe.
func readBundle(r io.Reader, name string) (pki.Bundle, error) {
	ahead := bufio.NewReaderSize(r, 512)
	if isArchive(ahead) {
		return pki.ReadArchive(ahead, pki.DefaultLimits)
	}
	data, err := limited(ahead, name)
	if err != nil {
		return pki.Bundle{}, err
	}
	var b pki.Bundle
	b.Add(name, pki.KindOf(name), data)
	return b, nil
}

// isArchive looks at the first bytes: gzip, or the magic of a tar header.
func isArchive(r *bufio.Reader) bool {
	head, _ := r.Peek(262)
	return len(head) > 2 && head[0] == 0x1f && head[1] == 0x8b || len(head) == 262 && string(head[257:262]) == "ustar"
}

// certificateEndings are the files of a directory that are worth reading.
var certificateEndings = []string{".crt", ".pem", ".cer", ".key", ".json", ".kubeconfig", ".conf", ".yaml", ".yml", ".csr"}

// openDirectory reads every file below a directory that may hold certificates.
// Links are not followed, pipes not waited for, and a file that cannot be read
// stays in the bundle, empty, with a warning: one bad file must not hide the
// others.
func (a *app) openDirectory(dir string) (pki.Bundle, error) {
	var b pki.Bundle
	var total int64
	root, err := os.OpenRoot(dir)
	if err != nil {
		return b, unreadable(dir, err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			a.say(msgSkipped, filepath.Join(dir, name), plainError(err))
			return nil
		}
		if e.IsDir() || !hasEnding(name) {
			return nil
		}
		if !e.Type().IsRegular() {
			a.passOver(name, filepath.Join(dir, name))
			return nil
		}
		if len(b.Files) >= pki.DefaultLimits.Entries || total > pki.DefaultLimits.Total {
			return errTooMuch
		}
		data, info, err := readIn(root, name)
		if err != nil {
			a.say(msgSkipped, filepath.Join(dir, name), plainError(err))
			b.Add(name, pki.KindOf(name), nil)
			return nil
		}
		total += int64(len(data))
		b.Add(name, pki.KindOf(name), data)
		f := b.File(name)
		f.Mode, f.Time = info.Mode().Perm(), info.ModTime()
		if !modesMatter {
			f.Mode = 0
		}
		if f.Time.After(b.Time) {
			b.Time = f.Time
		}
		return nil
	})
	if errors.Is(err, errTooMuch) {
		return b, pki.Refuse([]pki.Finding{pki.New("archive-too-large", dir, "limit", "64 MiB")})
	}
	return b, err
}

var errTooMuch = errors.New("more than can be a tls directory")

func readIn(root *os.Root, name string) ([]byte, fs.FileInfo, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() > pki.DefaultLimits.File {
		return nil, nil, errTooMuch
	}
	data, err := io.ReadAll(io.LimitReader(f, pki.DefaultLimits.File))
	return data, info, err
}

func hasEnding(name string) bool {
	for _, e := range certificateEndings {
		if strings.HasSuffix(name, e) {
			return true
		}
	}
	return false
}

// plainError is an error without the path that stands beside it already.
func plainError(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
