package pki_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
)

// sample is a bundle whose bytes are known.
func sample() pki.Bundle {
	b := pki.Bundle{Time: issueTime.Time}
	b.Add("tls/server-ca.key", pki.KindKey, []byte("key\n"))
	b.Add("tls/etcd/peer-ca.crt", pki.KindChain, bytes.Repeat([]byte("chain\n"), 200))
	b.Add("tls/server-ca.crt", pki.KindChain, nil)
	b.Add("plan.json", pki.KindPublic, []byte("{}\n"))
	b.Add("state.json", pki.KindSecret, []byte("secret\n"))
	b.Add("tls-extra/x", pki.KindPublic, []byte("sorts before tls/\n"))
	return b
}

func tarOf(t testing.TB, b pki.Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := pki.WriteTar(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tarGzOf(t testing.TB, b pki.Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := pki.WriteTarGz(&out, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The archive depends on the bundle alone. Its hash stands in ceremony records
// and must never change; that of the compressed one is not promised.
func TestArchiveBytesStay(t *testing.T) {
	const want = "3fc86515e725b3376818f5b2e3c7c4a5e7eff5e927b82fee1093ff931180a59e"
	sum := sha256.Sum256(tarOf(t, sample()))
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// the time zone and the fractions of a second do not matter
	other := sample()
	other.Time = issueTime.Time.Add(999 * time.Millisecond).In(time.FixedZone("CST", 8*3600))
	if !bytes.Equal(tarOf(t, other), tarOf(t, sample())) {
		t.Error("the same second in another zone gives other bytes")
	}
	if !bytes.Equal(tarGzOf(t, sample()), tarGzOf(t, sample())) {
		t.Error("two compressed archives differ")
	}
}

func TestArchiveForm(t *testing.T) {
	data := tarOf(t, sample())
	if magic := string(data[257:265]); magic != "ustar\x0000" {
		t.Errorf("magic %q", magic)
	}
	if len(data)%512 != 0 || !bytes.Equal(data[len(data)-1024:], make([]byte, 1024)) {
		t.Errorf("%d bytes, and the last two blocks are not zero", len(data))
	}
	for offset := 0; offset < len(data)-1024; {
		header := data[offset : offset+512]
		for _, field := range []struct {
			name       string
			start, end int
			want       string
		}{
			{"uid", 108, 116, "0000000\x00"}, {"gid", 116, 124, "0000000\x00"},
			{"owner", 265, 297, strings.Repeat("\x00", 32)}, {"group", 297, 329, strings.Repeat("\x00", 32)},
			{"version", 263, 265, "00"}, {"mtime", 136, 148, fmt.Sprintf("%011o\x00", issueTime.Unix())},
		} {
			if got := string(header[field.start:field.end]); got != field.want {
				t.Errorf("%s: %s is %q, want %q", bytes.TrimRight(header[:100], "\x00"), field.name, got, field.want)
			}
		}
		var size int
		if _, err := fmt.Sscanf(string(header[124:135]), "%o", &size); err != nil {
			t.Fatal(err)
		}
		offset += 512 + (size+511)/512*512
	}
}

const listPython = `
import json, sys, tarfile
with tarfile.open(fileobj=sys.stdin.buffer, mode='r|*') as tar:
	json.dump([[m.name, oct(m.mode), m.uid, m.gid, m.uname, m.gname, m.mtime, m.isdir(), tar.extractfile(m).read().decode() if m.isfile() else ''] for m in tar], sys.stdout)`

// Other programs read what we write: names in order, modes, owner, time.
func TestArchiveForOthers(t *testing.T) {
	b := sample()
	data := tarGzOf(t, b)
	want := []string{
		"-rw-r--r-- 0/0 3 2026-11-22 20:00:00 plan.json",
		"-rw------- 0/0 7 2026-11-22 20:00:00 state.json",
		"drwx------ 0/0 0 2026-11-22 20:00:00 tls-extra/",
		"-rw-r--r-- 0/0 18 2026-11-22 20:00:00 tls-extra/x",
		"drwx------ 0/0 0 2026-11-22 20:00:00 tls/",
		"drwx------ 0/0 0 2026-11-22 20:00:00 tls/etcd/",
		"-rw-r--r-- 0/0 1200 2026-11-22 20:00:00 tls/etcd/peer-ca.crt",
		"-rw-r--r-- 0/0 0 2026-11-22 20:00:00 tls/server-ca.crt",
		"-rw------- 0/0 4 2026-11-22 20:00:00 tls/server-ca.key",
	}
	listed := strings.Split(strings.TrimSpace(string(run(t, data, "tar", "--numeric-owner", "--full-time", "--utc", "-tvzf", "-"))), "\n")
	for i, line := range listed {
		listed[i] = strings.Join(strings.Fields(line), " ")
	}
	if !slices.Equal(listed, want) {
		t.Errorf("tar lists\n%s\nwant\n%s", strings.Join(listed, "\n"), strings.Join(want, "\n"))
	}

	dir := t.TempDir()
	run(t, data, "tar", "-xpzf", "-", "-C", dir)
	for _, f := range b.Files {
		path := filepath.Join(dir, f.Path)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != f.Kind.Mode() || !info.ModTime().Equal(b.Time) {
			t.Errorf("%s: unpacked with %s, %s", f.Path, info.Mode(), info.ModTime())
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, f.Data) {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	for _, d := range b.Dirs() {
		if info, err := os.Stat(filepath.Join(dir, d)); err != nil || info.Mode() != pki.DirMode|fs.ModeDir {
			t.Errorf("%s: %v %v", d, info.Mode(), err)
		}
	}

	var python [][]any
	if err := json.Unmarshal(run(t, data, "python3", "-c", listPython), &python); err != nil {
		t.Fatal(err)
	}
	if len(python) != len(want) {
		t.Errorf("python lists %v", python)
	}
	for _, m := range python {
		mode, text := "0o700", ""
		if f := b.File(m[0].(string)); f != nil {
			mode, text = fmt.Sprintf("0o%o", f.Kind.Mode()), string(f.Data)
		}
		if got := fmt.Sprint(m[1:7]...); got != fmt.Sprint(mode, 0, 0, "", "", float64(issueTime.Unix())) || m[8] != text {
			t.Errorf("python reads %v", m)
		}
	}
}

// wantSame compares what was read with what was written.
func wantSame(t *testing.T, got, want pki.Bundle) {
	t.Helper()
	if !slices.Equal(paths(got), paths(want)) || !got.Time.Equal(want.Time) {
		t.Fatalf("%q at %s, want %q at %s", paths(got), got.Time, paths(want), want.Time)
	}
	for i, f := range got.Files {
		w := want.Files[i]
		if !bytes.Equal(f.Data, w.Data) || f.Mode != w.Kind.Mode() || !f.Time.Equal(want.Time) {
			t.Errorf("%s: %d bytes, %s, %s", f.Path, len(f.Data), f.Mode, f.Time)
		}
		if w.Kind != pki.KindSecret && f.Kind != w.Kind { // a name does not say that it is secret
			t.Errorf("%s: read as %s", f.Path, f.Kind)
		}
	}
}

// Reading gives back what was written, and writing that gives the same bytes.
func TestArchiveRoundTrip(t *testing.T) {
	issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{})
	for name, b := range map[string]pki.Bundle{"server": issued.Server, "offline": issued.Offline, "sample": sample()} {
		for kind, data := range map[string][]byte{"tar": tarOf(t, b), "tar.gz": tarGzOf(t, b)} {
			back, err := pki.ReadArchive(bytes.NewReader(data), pki.DefaultLimits)
			if err != nil {
				t.Fatalf("%s as %s: %v", name, kind, err)
			}
			wantSame(t, back, b)
			if name != "sample" && !bytes.Equal(tarOf(t, back), tarOf(t, b)) {
				t.Errorf("%s as %s: written differently the second time", name, kind)
			}
		}
	}
}

// Archives that GNU tar and Python make, in all their formats.
func TestForeignArchives(t *testing.T) {
	dir := t.TempDir()
	b := sample()
	for _, f := range b.Files {
		path := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, f.Kind.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	late := issueTime.Time.Add(123456789 * time.Nanosecond) // pax keeps the fraction
	for _, f := range b.Files {
		if err := os.Chtimes(filepath.Join(dir, f.Path), late, late); err != nil {
			t.Fatal(err)
		}
	}
	archives := map[string][]byte{
		"python": run(t, nil, "python3", "-c", "import sys, tarfile\nwith tarfile.open(fileobj=sys.stdout.buffer, mode='w|gz') as t: t.add(sys.argv[1], '.')", dir),
	}
	for _, format := range []string{"ustar", "gnu", "pax", "v7"} {
		archives[format] = run(t, nil, "tar", "--format", format, "-C", dir, "-cf", "-", ".")
		archives[format+", compressed, by name"] = run(t, nil, "tar", "--format", format, "-C", dir, "-czf", "-", "tls", "tls-extra", "plan.json", "state.json")
	}
	for name, data := range archives {
		got, err := pki.ReadArchive(bytes.NewReader(data), pki.DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(paths(got), paths(b)) || string(got.File("tls/etcd/peer-ca.crt").Data) != string(b.File("tls/etcd/peer-ca.crt").Data) {
			t.Errorf("%s: %q", name, paths(got))
		}
		if f := got.File("tls/server-ca.key"); f.Mode != 0o600 || f.Kind != pki.KindKey || f.Time.Unix() != issueTime.Unix() {
			t.Errorf("%s: key %s %s %s", name, f.Kind, f.Mode, f.Time)
		}
		tarOf(t, got) // can be written again
	}
	// several compressed pieces in a row are one archive, as gzip has it
	whole := tarOf(t, b)
	var pieces bytes.Buffer
	for _, part := range [][]byte{whole[:700], whole[700:]} {
		zw := gzip.NewWriter(&pieces)
		zw.Write(part)
		zw.Close()
	}
	if got, err := pki.ReadArchive(&pieces, pki.DefaultLimits); err != nil || !slices.Equal(paths(got), paths(b)) {
		t.Errorf("two pieces: %v", err)
	}
}

func TestBundle(t *testing.T) {
	b := sample()
	if got := fmt.Sprint(paths(b)); got != "[plan.json state.json tls-extra/x tls/etcd/peer-ca.crt tls/server-ca.crt tls/server-ca.key]" {
		t.Errorf("files %s", got)
	}
	if got := fmt.Sprint(b.Dirs()); got != "[tls tls-extra tls/etcd]" {
		t.Errorf("directories %s", got)
	}
	if b.File("tls/server-ca.key") == nil || b.File("tls") != nil || b.File("") != nil {
		t.Error("File finds what is not there, or not what is")
	}
	for name, kind := range map[string]pki.Kind{
		"a.key": pki.KindKey, "a.crt": pki.KindChain, "a/b.pem": pki.KindChain, "a.cer": pki.KindChain, "plan.json": pki.KindPublic, "key": pki.KindPublic,
	} {
		if got := pki.KindOf(name); got != kind {
			t.Errorf("%s is %s", name, got)
		}
	}
}
