package pki_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"rootkiln/pki"
)

// entry is a member of an archive as only an attacker writes it.
type entry struct {
	name string
	kind byte
	data string
	link string
}

func raw(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Size: int64(len(e.data)), Linkname: e.link, Mode: 0o644}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// An archive with one bad entry is refused whole.
func TestHostileArchives(t *testing.T) {
	good := entry{name: "tls/server-ca.crt", data: "chain"}
	plain := raw(t, good)
	packed := gz(t, bytes.Repeat(plain[:1024], 1)) // one entry, no trailer
	flipped := bytes.Clone(plain)
	flipped[148] ^= 1 // in the checksum of the header
	small := pki.Limits{File: 16, Total: 32, Entries: 3}
	for _, tt := range []struct {
		name   string
		data   []byte
		limits pki.Limits
		want   pki.Code
	}{
		{"a name that goes up", raw(t, good, entry{name: "../etc/passwd"}), pki.DefaultLimits, "archive-unsafe"},
		{"only up", raw(t, entry{name: ".."}), pki.DefaultLimits, "archive-unsafe"},
		{"up in the middle", raw(t, entry{name: "tls/../../x"}), pki.DefaultLimits, "archive-unsafe"},
		{"up and down again", raw(t, entry{name: "tls/../x"}), pki.DefaultLimits, "archive-unsafe"},
		{"a directory that goes up", raw(t, entry{name: "../", kind: tar.TypeDir}), pki.DefaultLimits, "archive-unsafe"},
		{"an absolute name", raw(t, entry{name: "/etc/passwd"}), pki.DefaultLimits, "archive-unsafe"},
		{"a backslash", raw(t, entry{name: `..\x`}), pki.DefaultLimits, "archive-unsafe"},
		{"a drive", raw(t, entry{name: `C:\x`}), pki.DefaultLimits, "archive-unsafe"},
		{"a file without a name", raw(t, entry{name: ".", data: "x"}), pki.DefaultLimits, "archive-unsafe"},
		{"a name of 2000 characters", raw(t, entry{name: strings.Repeat("a/", 1000) + "a"}), pki.DefaultLimits, "archive-unsafe"},
		{"a symbolic link", raw(t, entry{name: "a", kind: tar.TypeSymlink, link: "/etc/passwd"}), pki.DefaultLimits, "archive-unsafe"},
		{"a link that stays inside", raw(t, good, entry{name: "a", kind: tar.TypeSymlink, link: "tls"}), pki.DefaultLimits, "archive-unsafe"},
		{"a hard link", raw(t, good, entry{name: "a", kind: tar.TypeLink, link: "tls/server-ca.crt"}), pki.DefaultLimits, "archive-unsafe"},
		{"a character device", raw(t, entry{name: "a", kind: tar.TypeChar}), pki.DefaultLimits, "archive-unsafe"},
		{"a block device", raw(t, entry{name: "a", kind: tar.TypeBlock}), pki.DefaultLimits, "archive-unsafe"},
		{"a pipe", raw(t, entry{name: "a", kind: tar.TypeFifo}), pki.DefaultLimits, "archive-unsafe"},
		{"a reserved type", raw(t, entry{name: "a", kind: tar.TypeCont}), pki.DefaultLimits, "archive-unsafe"},
		{"one name twice", raw(t, good, good), pki.DefaultLimits, "archive-duplicate"},
		{"one name in two forms", raw(t, good, entry{name: "./tls//server-ca.crt"}), pki.DefaultLimits, "archive-duplicate"},
		{"a file and a directory", raw(t, entry{name: "tls", data: "x"}, entry{name: "tls/", kind: tar.TypeDir}), pki.DefaultLimits, "archive-duplicate"},
		{"a file as a directory", raw(t, entry{name: "tls", data: "x"}, good), pki.DefaultLimits, "archive-duplicate"},
		{"the same the other way round", raw(t, good, entry{name: "tls", data: "x"}), pki.DefaultLimits, "archive-duplicate"},
		{"a file that is too large", raw(t, entry{name: "a", data: "0123456789abcdef0"}), small, "archive-too-large"},
		{"too much in all", raw(t, entry{name: "a", data: "0123456789abcdef"}, entry{name: "b", data: "0123456789abcdef"}, entry{name: "c", data: "0"}), small, "archive-too-large"},
		{"too many entries", raw(t, entry{name: "a"}, entry{name: "b"}, entry{name: "c"}, entry{name: "d"}), small, "archive-too-large"},
		{"nothing in it", raw(t), pki.DefaultLimits, "archive-unreadable"},
		{"nothing at all", nil, pki.DefaultLimits, "archive-unreadable"},
		{"zeros", make([]byte, 10240), pki.DefaultLimits, "archive-unreadable"},
		{"text", []byte("-----BEGIN CERTIFICATE-----\n"), pki.DefaultLimits, "archive-unreadable"},
		{"another compression", []byte("BZh91AY&SY"), pki.DefaultLimits, "archive-unreadable"},
		{"half a compressed header", []byte{0x1f, 0x8b, 8}, pki.DefaultLimits, "archive-unreadable"},
		{"compressed text", gz(t, []byte("hello")), pki.DefaultLimits, "archive-unreadable"},
		{"a header that was changed", flipped, pki.DefaultLimits, "archive-unreadable"},
		{"cut in a header", plain[:300], pki.DefaultLimits, "archive-unreadable"},
		{"cut in a file", plain[:515], pki.DefaultLimits, "archive-unreadable"},
		{"compressed and cut", packed[:len(packed)/2], pki.DefaultLimits, "archive-unreadable"},
		{"compressed and cut at the end", packed[:len(packed)-4], pki.DefaultLimits, "archive-unreadable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := pki.ReadArchive(bytes.NewReader(tt.data), tt.limits)
			wantRefusal(t, err, tt.want)
			if len(b.Files) > 0 {
				t.Error("and yet there are files")
			}
		})
	}
	if _, err := pki.ReadArchive(bytes.NewReader(raw(t, entry{name: "a", data: "0123456789abcdef"}, entry{name: "b", data: "0123456789abcdef"})), small); err != nil {
		t.Errorf("exactly the limits: %v", err)
	}
}

// A bit that a USB stick lost is noticed: gzip has a checksum of the whole.
func TestDamagedArchive(t *testing.T) {
	var data bytes.Buffer
	w, _ := gzip.NewWriterLevel(&data, gzip.NoCompression)
	if _, err := w.Write(tarOf(t, sample())); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sound, err := pki.ReadArchive(bytes.NewReader(data.Bytes()), pki.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	silent := 0
	for i := range data.Len() {
		damaged := bytes.Clone(data.Bytes())
		damaged[i] ^= 0x10
		b, err := pki.ReadArchive(bytes.NewReader(damaged), pki.DefaultLimits)
		if err == nil && !bytes.Equal(tarOf(t, b), tarOf(t, sound)) {
			silent++
		}
	}
	if silent > 0 {
		t.Errorf("%d of %d damaged archives gave other files", silent, data.Len())
	}
}

// The message names the limit that was passed.
func TestLimitsAreNamed(t *testing.T) {
	for _, tt := range []struct {
		limits pki.Limits
		want   string
	}{
		{pki.Limits{File: 3, Total: 100, Entries: 10}, "3 bytes"},
		{pki.Limits{File: 10, Total: 7, Entries: 10}, "7 bytes"},
		{pki.Limits{File: 10, Total: 10_000, Entries: 1}, "1 entries"},
	} {
		_, err := pki.ReadArchive(bytes.NewReader(raw(t, entry{name: "a", data: "1234"}, entry{name: "b", data: "1234"})), tt.limits)
		if got := fmt.Sprint(reasons(t, err)[0].Args["limit"]); got != tt.want {
			t.Errorf("%+v: limit %q, want %q", tt.limits, got, tt.want)
		}
	}
}
