package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// nodeReader reads the directories of live nodes: whatever cannot be read is a
// finding, and everything else is read all the same.
type nodeReader struct {
	app    *app
	keys   bool // private keys too; without, only that they are there
	files  []pki.File
	names  map[string]bool
	total  int64
	unread []pki.Finding
}

// nodeLimits are those of many nodes together.
var nodeLimits = pki.Limits{File: pki.DefaultLimits.File, Total: 512 << 20, Entries: 200_000}

// foreignGround are directories of a live node that hold what others made:
// container images with the CA bundles of the world in them, the datastore,
// volumes. A name alone says nothing, a data directory may be called k3s/data:
// beside it stands what a node has there.
var foreignGround = []struct{ below, names, beside []string }{
	{[]string{"agent"}, []string{"containerd", "images", "logs"}, []string{"client-kubelet.crt", "serving-kubelet.crt", "client-ca.crt"}},
	{[]string{"server"}, []string{"db", "manifests", "static"}, []string{"tls"}},
	{[]string{"k3s", "rke2"}, []string{"data", "storage"}, []string{"agent", "server"}},
	{[]string{"kubelet"}, []string{"pods", "plugins"}, []string{"pki", "config.yaml", "device-plugins"}},
}

// isForeign tells of a directory below the root, which stands at abs and is none
// itself: its name is a dot.
func isForeign(root *os.Root, abs, name string) bool {
	below := path.Base(path.Dir(path.Join(filepath.ToSlash(abs), name)))
	for _, g := range foreignGround {
		if !slices.Contains(g.below, below) || !slices.Contains(g.names, path.Base(name)) {
			continue
		}
		return slices.ContainsFunc(g.beside, func(other string) bool {
			_, err := root.Lstat(path.Join(path.Dir(name), other))
			return err == nil
		})
	}
	return false
}

// openNodes reads every path: a directory, an archive or a file. The error is
// that of the first if nothing at all could be read.
func (a *app) openNodes(paths []string, keys bool) (pki.Bundle, []pki.Finding, error) {
	r := &nodeReader{app: a, keys: keys, names: map[string]bool{}}
	var first error
	for _, p := range paths {
		prefix := ""
		if len(paths) > 1 {
			prefix = filepath.ToSlash(filepath.Clean(p))
		}
		if err := r.open(p, prefix); err != nil {
			if first == nil {
				first = err
			}
			r.fail(p, err)
		}
	}
	b := pki.Bundle{Files: r.files}
	slices.SortFunc(b.Files, func(a, b pki.File) int { return strings.Compare(a.Path, b.Path) })
	if len(b.Files) == 0 && first != nil {
		return b, nil, first
	}
	return b, r.unread, nil
}

func (r *nodeReader) open(name, prefix string) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return r.walk(name, prefix)
	}
	b, err := r.app.openBundle(name)
	if err != nil {
		return err
	}
	before := len(r.files)
	for _, f := range b.Files {
		at := path.Join(prefix, f.Path)
		if len(b.Files) == 1 && !isBundlePath(name) {
			at = filepath.ToSlash(filepath.Clean(name))
		}
		r.take(at, f.Data, f)
	}
	if len(b.Files) == 1 && !isBundlePath(name) {
		r.follow(before, "")
	}
	return nil
}

// fail notes what could not be read.
func (r *nodeReader) fail(name string, err error) {
	var refusal *pki.Refusal
	var said *translated
	detail := plainError(err)
	switch {
	case errors.As(err, &refusal):
		for _, f := range refusal.Findings {
			f.Subject = filepath.ToSlash(name)
			r.unread = append(r.unread, f)
		}
		return
	case errors.As(err, &said) && len(said.args) > 0:
		detail = fmt.Sprint(said.args[len(said.args)-1])
	}
	r.unread = append(r.unread, pki.New("file-unreadable", filepath.ToSlash(name), "detail", detail))
}

func (r *nodeReader) walk(dir, prefix string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unreadable(dir, err)
	}
	defer root.Close()
	before := len(r.files)
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = dir
	}
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		full := path.Join(prefix, name)
		switch {
		case err != nil:
			r.fail(full, err)
			return nil
		case e.IsDir() && isForeign(root, abs, name):
			if r.app.verbose {
				r.app.say(msgForeignGround, full)
			}
			return fs.SkipDir
		case e.IsDir():
			return nil
		case !hasEnding(name) && path.Base(name) != "token":
			return nil
		case len(r.files) >= nodeLimits.Entries || r.total > nodeLimits.Total:
			r.unread = append(r.unread, pki.New("bundle-too-large", dir, "limit", "200000 entries, 512 MiB"))
			return fs.SkipAll
		}
		if err := r.read(root, name, full, e.Type()); err != nil {
			r.fail(full, err)
		}
		return nil
	})
	if livesIn(abs) {
		inside := ""
		if prefix == "" { // then the paths begin at the directory
			inside = filepath.ToSlash(abs)
		}
		r.follow(before, inside)
	}
	return err
}

// strictEndings are those of files that hold certificates and nothing else:
// where one cannot be read, something is missing from the report.
var strictEndings = []string{".crt", ".pem", ".cer", ".kubeconfig"}

func strict(name string) bool {
	return slices.Contains(strictEndings, path.Ext(name)) || path.Base(name) == "dynamic-cert.json"
}

// read takes one file. Links to files inside the directory are followed; those
// that lead out are named and left.
func (r *nodeReader) read(root *os.Root, name, full string, mode fs.FileMode) error {
	if path.Ext(name) == ".key" && !r.keys || path.Ext(name) == ".csr" {
		r.take(full, nil, pki.File{})
		return nil
	}
	if mode&fs.ModeSymlink != 0 {
		if file, ok := beside(root, name); ok {
			name = file
		}
		info, err := root.Stat(name)
		switch {
		case err == nil && !info.Mode().IsRegular():
			r.app.passOver(name, full)
			return nil
		case err != nil && (errors.Is(err, syscall.ELOOP) || errors.Is(err, fs.ErrNotExist)) && strict(name):
			return err
		case err != nil && strings.Contains(err.Error(), "escapes"): // os has no name for this error
			target, _ := root.Readlink(name)
			r.app.say(msgLinkOut, full, target)
			return nil
		case err != nil:
			r.app.say(msgSkipped, full, plainError(err))
			return nil
		}
	} else if !mode.IsRegular() {
		r.app.passOver(name, full)
		return nil
	}
	data, info, err := readIn(root, name)
	switch {
	case errors.Is(err, errTooMuch) && strict(name):
		return errors.New("larger than 1 MiB")
	case err != nil && strict(name):
		return err
	case err != nil:
		r.app.say(msgSkipped, full, plainError(err))
		return nil
	}
	f := pki.File{Time: info.ModTime()}
	if modesMatter {
		f.Mode = info.Mode().Perm()
	}
	r.take(full, data, f)
	return nil
}

// kubeletPKI is where a kubelet keeps its certificates unless it is told otherwise.
const kubeletPKI = "/var/lib/kubelet/pki"

// beside follows a full link to the file of that name in its own directory, as the
// kubelet makes kubelet-client-current.pem (client-go
// util/certificate/certificate_store.go): in a copy the target says where the node
// has the file, not where it lies.
func beside(root *os.Root, name string) (file string, ok bool) {
	target, err := root.Readlink(name)
	if target = filepath.ToSlash(target); err != nil || !path.IsAbs(target) {
		return "", false
	}
	here, err := filepath.Abs(filepath.Join(root.Name(), filepath.FromSlash(path.Dir(name))))
	if dir := path.Dir(target); dir != kubeletPKI && (err != nil || dir != filepath.ToSlash(here)) {
		return "", false
	}
	file = path.Join(path.Dir(name), path.Base(target))
	info, err := root.Lstat(file)
	return file, err == nil && info.Mode().IsRegular()
}

// passOver says that what has the name of a certificate or key is no file: a pipe
// would wait for a writer.
func (a *app) passOver(name, full string) {
	if strict(name) || path.Ext(name) == ".key" {
		a.say(msgSkipped, full, a.t(msgNotRegular))
	}
}

// readable is what makes a file of settings worth keeping.
var readable = [][]byte{
	[]byte("-----BEGIN "), []byte("certificate-authority"), []byte("client-certificate"), []byte("tls.crt"), []byte("server:"),
}

// take adds a file, once. Files of settings without certificates are dropped
// before they fill memory.
func (r *nodeReader) take(name string, data []byte, f pki.File) {
	if r.names[name] {
		return
	}
	settings := !strict(name) && path.Ext(name) != ".key" && path.Base(name) != "token"
	flags := path.Base(name) == "config.yaml" // what is not in it says something, too
	if settings && !flags && !slices.ContainsFunc(readable, func(word []byte) bool { return bytes.Contains(data, word) }) && len(data) > 0 {
		return
	}
	if settings || path.Ext(name) == ".kubeconfig" {
		data = r.app.settings(name, data)
	}
	r.names[name], r.total = true, r.total+int64(len(data))
	r.files = append(r.files, pki.File{Path: name, Kind: pki.KindOf(name), Data: data, Mode: f.Mode, Time: f.Time})
}

// settings turns YAML that may name or hold certificates into the JSON that
// reports read: kubeconfigs, Secrets, config.yaml.
func (a *app) settings(name string, data []byte) []byte {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] == '{' || bytes.HasPrefix(trimmed, []byte("-----BEGIN ")) {
		return data
	}
	var tree map[string]any
	if yaml.Unmarshal(data, &tree) != nil { // it may be anything; PEM in it is read all the same
		return data
	}
	converted, err := json.Marshal(tree)
	if err != nil {
		return data
	}
	return converted
}

// livePlaces are where the files of a node lie on the node itself: what a
// kubeconfig there names by its full path is on this machine.
var livePlaces = []string{"/etc/kubernetes", "/etc/rancher", "/var/lib/rancher", "/var/lib/kubelet"}

func livesIn(dir string) bool {
	return slices.ContainsFunc(livePlaces, func(p string) bool { return within(dir, p) })
}

// follow reads the files that the kubeconfigs name which were read last, from an
// index on, and that are not here yet. In a copy of another machine a full path
// leads to the wrong file, so only those of this machine are followed. Relative
// names begin at the kubeconfig, whose own path may begin at a directory.
func (r *nodeReader) follow(from int, dir string) {
	for _, f := range slices.Clone(r.files[from:]) {
		for _, ref := range report.References(f) {
			name := filepath.ToSlash(ref)
			on := name
			if !path.IsAbs(name) {
				name = path.Join(path.Dir(f.Path), name)
				on = path.Join(dir, name)
			}
			if r.names[name] {
				continue
			}
			data, info, err := readFile(filepath.FromSlash(on))
			if err != nil {
				continue // told as a reference that is missing
			}
			r.take(name, data, pki.File{Time: info.ModTime(), Mode: info.Mode().Perm()})
		}
	}
}

// readFile reads a file that somebody else names: a regular one, and not more of
// it than a file of certificates has.
func readFile(name string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > nodeLimits.File { // a pipe would wait for a writer
		return nil, nil, errTooMuch
	}
	data, err := os.ReadFile(name)
	return data, info, err
}
