package middle

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rootkiln/e2e/testbed"
)

// cas are the five, as their files are called.
var cas = []string{"server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca"}

const serviceKey = "service.key"

// names are the eleven files of a bundle.
var names = func() []string {
	all := []string{serviceKey}
	for _, ca := range cas {
		all = append(all, ca+".crt", ca+".key")
	}
	return all
}()

// files are a tls folder, or some files of one.
type files map[string][]byte

// readFiles reads those of the eleven that there are.
func readFiles(t testing.TB, dir string) files {
	t.Helper()
	f := files{}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err == nil {
			f[name] = data
		} else if !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return f
}

// write makes the directory with a tls folder in it.
func (f files) write(t testing.TB, dir string) {
	t.Helper()
	for name, data := range f {
		testbed.Write(t, filepath.Join(dir, "tls", filepath.FromSlash(name)), data)
	}
}

// over is what k3s makes of an offer: where nothing is offered, or an empty
// file, the present one stays.
func (f files) over(present files) files {
	result := maps.Clone(present)
	for name, data := range f {
		if len(data) > 0 {
			result[name] = data
		}
	}
	return result
}

// differing names the files that are not the same.
func (f files) differing(g files) []string {
	var different []string
	for _, name := range names {
		if !bytes.Equal(f[name], g[name]) {
			different = append(different, name)
		}
	}
	slices.Sort(different)
	return different
}
