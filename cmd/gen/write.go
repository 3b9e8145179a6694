package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"rootkiln/pki"
)

// form is the shape in which a bundle reaches the disk.
type form int

const (
	formTree  form = iota // a directory that holds the bundle's files
	formTar               // one archive
	formTarGz             // one compressed archive
	formFile              // the bundle's only file, under the output's name
)

// archiveForms are the names that mean an archive.
var archiveForms = []struct {
	suffix string
	form   form
}{{".tar.gz", formTarGz}, {".tgz", formTarGz}, {".tar", formTar}}

// standardOutput is the path that means standard output.
const standardOutput = "-"

// sealedSuffix ends the name of whatever is encrypted to age recipients.
const sealedSuffix = ".age"

// output is one thing a command makes.
type output struct {
	path   string
	form   form
	bundle pki.Bundle

	// seal encrypts what is written through it; nil leaves the bytes as they
	// are. A sealed output has the name path + ".age".
	seal func(io.Writer) (io.WriteCloser, error)
}

// newOutput chooses the form by the name, and by the bundle where that has but
// one file outside of any directory (a certificate, a request). A command that
// has no bundle yet, because precheck comes before the first key, fills it in
// later; when it will be a single file, it sets the form itself.
func newOutput(path string, b pki.Bundle) *output {
	o := &output{path: path, bundle: b}
	for _, a := range archiveForms {
		if strings.HasSuffix(strings.TrimSuffix(path, sealedSuffix), a.suffix) {
			o.form = a.form
			return o
		}
	}
	switch {
	case len(b.Files) == 1 && !strings.Contains(b.Files[0].Path, "/"):
		o.form = formFile
	case path == standardOutput:
		o.form = formTarGz
	}
	return o
}

// name is the path with the ending of what is sealed.
func (o *output) name() string {
	if o.seal == nil || o.path == standardOutput || strings.HasSuffix(o.path, sealedSuffix) {
		return o.path
	}
	return o.path + sealedSuffix
}

// secret says whether anything in the bundle must stay private.
func (o *output) secret() bool {
	return slices.ContainsFunc(o.bundle.Files, func(f pki.File) bool { return f.Kind.Mode()&0o077 == 0 })
}

// bytes returns what an output that is one file holds.
func (o *output) bytes() ([]byte, error) {
	var buf bytes.Buffer
	var w io.WriteCloser = nopCloser{&buf}
	if o.seal != nil {
		var err error
		if w, err = o.seal(&buf); err != nil {
			return nil, fmt.Errorf("encrypt %s: %w", o.path, err)
		}
	}
	var err error
	switch o.form {
	case formTar:
		err = pki.WriteTar(w, o.bundle)
	case formTarGz:
		err = pki.WriteTarGz(w, o.bundle)
	case formFile:
		if n := len(o.bundle.Files); n != 1 {
			return nil, fmt.Errorf("write %s: %d files where one was expected", o.path, n)
		}
		_, err = w.Write(o.bundle.Files[0].Data)
	case formTree:
		return nil, &targetError{kind: targetSealedTree, path: o.path}
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("write %s: %w", o.path, err)
	}
	return buf.Bytes(), nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// delivery is everything one command puts on disk: all of it or nothing.
type delivery struct {
	outputs []*output // in the order in which they appear: the offline part first
	inputs  []string  // files and directories that were read; never replaced
	force   bool      // replace what has the name, unless it is an input
	stdout  io.Writer // for the output "-", which is written after all renames
}

// precheck refuses, before any key is made, what commit would refuse, but for
// what depends on the bundle: whether there is room for it, and whether it may
// replace a directory (checkOurs). It leaves nothing behind. The error is a
// *targetError wherever the user can act on it.
func (d delivery) precheck() error {
	targets, err := d.check()
	if err != nil {
		return err
	}
	for _, t := range targets {
		if t.path == standardOutput {
			continue
		}
		probe, err := newStaging(t)
		if probe != nil {
			err = errors.Join(err, discard([]*staging{probe}))
		}
		if err != nil {
			return placed(t.name(), err)
		}
	}
	return nil
}

// commit writes every output beside its place, flushes it, reads it back, and
// only then gives all of them their names, in order, each durable before the
// next one appears. When anything fails nothing remains, and whatever was to be
// replaced is there as before. The context ends it until the first rename.
func (d delivery) commit(ctx context.Context) (err error) {
	targets, err := d.check()
	if err != nil {
		return err
	}
	var all []*staging
	var piped []byte
	defer func() { err = errors.Join(err, discard(all)) }()
	for _, t := range targets {
		if err := ctx.Err(); err != nil {
			return err
		}
		if t.path == standardOutput {
			if piped, err = t.bytes(); err != nil {
				return err
			}
			continue
		}
		s, err := newStaging(t)
		if s != nil {
			all = append(all, s)
		}
		if err == nil {
			err = s.fill()
		}
		if err != nil {
			return placed(t.name(), err)
		}
	}
	unlock, err := lockParents(ctx, all)
	if err != nil {
		return err
	}
	defer unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, s := range all {
		if err := s.publish(); err != nil {
			return errors.Join(placed(s.name(), err), takeBack(all))
		}
	}
	if err := d.pipe(piped); err != nil {
		return errors.Join(err, takeBack(all))
	}
	return nil
}

// lockParents keeps other runs from renaming in the same directories. Two runs
// with force that exchange and take back in turn would mix what they made.
func lockParents(ctx context.Context, all []*staging) (unlock func(), err error) {
	var locked []*os.File
	unlock = func() {
		for _, dir := range locked {
			dir.Close()
		}
	}
	var parents []string
	for _, s := range all {
		parents = append(parents, filepath.Dir(s.path))
	}
	slices.Sort(parents) // so that two runs do not wait for each other
	for _, parent := range parents {
		dir, err := os.Open(parent)
		if err != nil {
			continue // writable and not readable
		}
		if slices.ContainsFunc(locked, func(f *os.File) bool { return sameDir(f, dir) }) {
			dir.Close()
			continue
		}
		locked = append(locked, dir)
		for lockDir(dir) {
			select {
			case <-ctx.Done():
				unlock()
				return nil, ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return unlock, nil
}

func sameDir(a, b *os.File) bool {
	ai, errA := a.Stat()
	bi, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(ai, bi)
}

// pipe writes to standard output. A reader that has gone away would end the
// process by SIGPIPE, with the offline part in place and no server part.
func (d delivery) pipe(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	if _, err := d.stdout.Write(data); err != nil {
		return placed(standardOutput, fmt.Errorf("write to standard output: %w", err))
	}
	return nil
}
