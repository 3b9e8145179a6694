package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/k3s/kine"
	"rootkiln/pki/report"
)

// maxExport is above any export of the one key that is wanted. A database is
// larger, and not read into memory.
const maxExport = 64 << 20

// readDatastore reads the values under /bootstrap/ from what somebody exported.
func (a *app) readDatastore(name string) ([]k3s.StoredValue, []pki.Finding, error) {
	if name == standardOutput {
		return streamed(a.in, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, unreadable(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, unreadable(name, err)
	case info.IsDir():
		return nil, nil, failed(msgIsDirectory, name)
	case !info.Mode().IsRegular(): // a pipe
		return streamed(f, name)
	}
	head, is := databaseHead(f)
	if !is {
		return streamed(f, name)
	}
	return database(name, kine.Source{ReaderAt: f, Size: info.Size()}, head)
}

func databaseHead(f *os.File) (head []byte, is bool) {
	head = make([]byte, 100)
	n, _ := f.ReadAt(head, 0)
	return head, kine.IsDatabase(head[:n])
}

// isDatabaseFile reports whether an export is SQLite's file.
func isDatabaseFile(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	_, is := databaseHead(f)
	return is
}

// streamed reads an input that cannot be read twice, a database among them.
func streamed(r io.Reader, name string) ([]k3s.StoredValue, []pki.Finding, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxExport+1))
	if err != nil {
		return nil, nil, unreadable(name, err)
	}
	if len(data) > maxExport {
		return nil, nil, failed(msgExportTooLarge, name, maxExport>>20)
	}
	if kine.IsDatabase(data) {
		values, err := stored(name, kine.Source{ReaderAt: bytes.NewReader(data), Size: int64(len(data))}, kine.Source{})
		return values, withoutLog(name, data), err
	}
	values, err := k3s.ReadExport(name, data)
	return values, nil, err
}

// database reads an SQLite file with the log beside it. A rollback journal there
// means that the file is in the middle of a change: kine writes through a log,
// so this is not worth more than a refusal.
func database(name string, file kine.Source, head []byte) ([]k3s.StoredValue, []pki.Finding, error) {
	if info, err := os.Stat(name + "-journal"); err == nil && info.Size() > 0 {
		return nil, nil, failed(msgHotJournal, name)
	}
	log, err := os.Open(name + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		values, err := stored(name, file, kine.Source{})
		return values, withoutLog(name, head), err
	}
	if err != nil {
		return nil, nil, unreadable(name+"-wal", err)
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return nil, nil, unreadable(name+"-wal", err)
	}
	values, err := stored(name, file, kine.Source{ReaderAt: log, Size: info.Size()})
	return values, nil, err
}

func withoutLog(name string, head []byte) []pki.Finding {
	if !kine.UsesLog(head) {
		return nil
	}
	return []pki.Finding{pki.New("datastore-log", name)}
}

func stored(name string, file, log kine.Source) ([]k3s.StoredValue, error) {
	entries, err := kine.Read(file, log, k3s.BootstrapPrefix)
	if err != nil {
		return nil, pki.Refuse([]pki.Finding{pki.New("datastore-unreadable", name, "detail", err.Error())})
	}
	if len(entries) == 0 {
		return nil, pki.Refuse([]pki.Finding{pki.New("bootstrap-none", name)})
	}
	var values []k3s.StoredValue
	for _, e := range entries {
		values = append(values, k3s.StoredValue{Key: e.Key, Value: e.Value, Older: e.Older})
	}
	return values, nil
}

// credFiles are those of the bootstrap data whose names say nothing about what
// is in them; a directory is searched for certificates and keys.
var credFiles = []string{"passwd", "ipsec.psk"}

// serverFiles reads the files of a server under the paths that the bootstrap
// data has. Without its parent, a tls directory lacks the files in cred.
func (a *app) serverFiles(name string) (disk pki.Bundle, cred bool, err error) {
	b, err := a.openBundle(name)
	if err != nil {
		return b, false, err
	}
	if err := oneCluster(b, name); err != nil {
		return b, false, err
	}
	ca := report.ServerCA(b)
	if ca == nil {
		return b, false, failed(msgNoServerCA, name)
	}
	tls := path.Dir(ca.Path)
	above := path.Dir(tls)
	cred = tls != "."
	take := func(prefix, from string) {
		for _, f := range b.Files {
			if rel, ok := inside(f.Path, from); ok && disk.File(prefix+rel) == nil {
				disk.Add(prefix+rel, f.Kind, f.Data)
				disk.File(prefix + rel).Time = f.Time
			}
		}
	}
	take("tls/", tls)
	if !cred {
		return disk, false, nil
	}
	take("cred/", path.Join(above, "cred"))
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		err = a.addCred(&disk, filepath.Join(name, filepath.FromSlash(above), "cred"))
		return disk, true, err
	}
	return disk, true, nil
}

// inside returns the path below a directory.
func inside(file, dir string) (string, bool) {
	if dir == "." {
		return file, true
	}
	return strings.CutPrefix(file, dir+"/")
}

func (a *app) addCred(disk *pki.Bundle, dir string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(dir, err)
	}
	defer root.Close()
	for _, name := range credFiles {
		data, info, err := readIn(root, name)
		if errors.Is(err, fs.ErrNotExist) || disk.File("cred/"+name) != nil {
			continue
		}
		if err != nil {
			return unreadable(filepath.Join(dir, name), err)
		}
		disk.Add("cred/"+name, pki.KindSecret, data)
		disk.File("cred/" + name).Time = info.ModTime()
	}
	return nil
}

// bootstrapCompare says for each file what a server would make of it.
func (a *app) bootstrapCompare(f *bootstrapFlags, export, name string) error {
	b, found, err := a.openBootstrap(f, export)
	if err != nil {
		return err
	}
	disk, cred, err := a.serverFiles(name)
	if err != nil {
		return err
	}
	if !cred {
		a.say(msgCredNotSeen, name)
		kept := b.Files[:0:0]
		for _, file := range b.Files {
			if path.Dir(file.Path) != "cred" {
				kept = append(kept, file)
			}
		}
		b.Files = kept
	}
	files := b.Against(disk)
	differ := k3s.Reconciled(files)
	found = append(found, differ...)
	if f.output == "json" || f.output == "yaml" {
		err = writeData(a.out, f.output, comparisonReport(b, a.entries(b), files, found))
	} else {
		a.drawComparison(files, f.output == "wide")
		a.explain(found)
	}
	if err == nil && pki.Refuse(found) != nil {
		return errFindings
	}
	if err == nil && len(differ) == 0 {
		a.say(msgSameNext, nextName(name))
	} else if err == nil {
		a.say(msgDiffersNext, nextName(name))
	}
	return err
}

// comparisonReport puts the verdicts beside what `bootstrap list` says.
func comparisonReport(b k3s.Bootstrap, entries []bootstrapEntry, files []k3s.FileComparison, found []pki.Finding) bootstrapReport {
	r := bootstrapReport{Key: b.Key, Plain: b.Plain, Files: []bootstrapEntry{}, Findings: append([]pki.Finding{}, found...)}
	for _, e := range entries {
		for _, c := range files {
			if c.Path == e.Path && e.Path != "" {
				e.State, e.Disk = c.State, stamp(c.Disk)
			}
		}
		r.Files = append(r.Files, e)
	}
	return r
}

// drawComparison lists the files that differ; wide lists all of them.
func (a *app) drawComparison(files []k3s.FileComparison, wide bool) {
	rows := [][]string{{a.t(headFile), a.t(headState), a.t(headStored), a.t(headDisk)}}
	same := 0
	for _, c := range files {
		if c.State == k3s.FileSame {
			same++
			if !wide {
				continue
			}
		}
		rows = append(rows, []string{c.Path, a.t(fileStates[string(c.State)]), timeOrDash(stamp(c.Time)), timeOrDash(stamp(c.Disk))})
	}
	if len(rows) > 1 {
		drawTable(a.out, "", rows)
	}
	drawTable(a.out, "", [][]string{{a.t(msgEachSame, same, len(files))}})
}
