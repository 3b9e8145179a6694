//go:build unix

package pki_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"rootkiln/pki"
)

// Archives made to exhaust who reads them are refused before they do: none takes
// 100 MB of memory, and none the minutes that reading it whole would.
func TestArchiveBombs(t *testing.T) {
	const gigabytes = 10
	zeros := gz(t, make([]byte, 16<<20))
	many := func(piece []byte, times int) io.Reader {
		list := make([]io.Reader, times)
		for i := range list {
			list[i] = bytes.NewReader(piece)
		}
		return io.MultiReader(list...)
	}
	header := func(name string, size int64) []byte {
		var out bytes.Buffer
		if err := tar.NewWriter(&out).WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	reversed := make([]entry, pki.DefaultLimits.Entries)
	for i := range reversed {
		reversed[i] = entry{name: fmt.Sprintf("tls/%08d/x", len(reversed)-i)}
	}
	var full []entry
	for i := range pki.DefaultLimits.Total/pki.DefaultLimits.File + 1 {
		full = append(full, entry{name: fmt.Sprint(i), data: string(make([]byte, pki.DefaultLimits.File))})
	}
	for _, tt := range []struct {
		name string
		data io.Reader
		want pki.Code // empty: accepted
	}{
		{"a file of 10 GB", io.MultiReader(bytes.NewReader(gz(t, header("a", gigabytes<<30))), many(zeros, gigabytes<<6)), "archive-too-large"},
		{"10 GB behind the end", io.MultiReader(bytes.NewReader(gz(t, raw(t, entry{name: "a"}))), many(zeros, gigabytes<<6)), "archive-too-large"},
		{"headers for ever", &endless{}, "archive-too-large"},
		{"one header for ever", many(header("a", 0), 1<<20), "archive-duplicate"},
		{"as many entries as are allowed, reversed", bytes.NewReader(raw(t, reversed...)), ""},
		{"files up to the limit", bytes.NewReader(gz(t, raw(t, full...))), "archive-too-large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := processorTime(t)
			b, err := pki.ReadArchive(tt.data, pki.DefaultLimits)
			used := processorTime(t) - start
			runtime.ReadMemStats(&after)
			if tt.want == "" {
				if err != nil || len(b.Files) != len(reversed) {
					t.Errorf("%d files: %v", len(b.Files), err)
				}
			} else {
				wantRefusal(t, err, tt.want)
			}
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 10*time.Second || allocated > 100 {
				t.Errorf("took %s and %d MB", used, allocated)
			}
		})
	}
}

// endless is a tar of directories that never ends.
type endless struct {
	n    int
	left []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.left) == 0 {
		var out bytes.Buffer
		e.n++
		if err := tar.NewWriter(&out).WriteHeader(&tar.Header{Name: fmt.Sprintf("%d/", e.n), Typeflag: tar.TypeDir}); err != nil {
			return 0, err
		}
		e.left = out.Bytes()
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

// processorTime is what the process has used, whatever else the machine does.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
