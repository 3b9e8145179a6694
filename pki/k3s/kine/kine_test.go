package kine_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rootkiln/pki/k3s/kine"
)

// made is a database file with the log beside it.
type made struct{ file, log []byte }

// database makes a file for each script with SQLite itself, by way of Python's
// library. A script finds a connection in autocommit mode, db, and put(name,
// value, deleted=0). Nothing is closed at the end, so the logs stay.
func database(t testing.TB, pageSize int, scripts ...string) []made {
	t.Helper()
	dir := t.TempDir()
	var program strings.Builder
	fmt.Fprintf(&program, prelude, pageSize)
	for i, script := range scripts {
		fmt.Fprintf(&program, "begin(%q)\n%s\n", filepath.Join(dir, fmt.Sprint(i)), script)
	}
	program.WriteString("os._exit(0)\n")
	if out, err := exec.Command("python3", "-c", program.String()).CombinedOutput(); err != nil {
		t.Fatalf("python3 with its sqlite3 module (apt-get install python3): %v\n%s", err, out)
	}
	var all []made
	for i := range scripts {
		name := filepath.Join(dir, fmt.Sprint(i))
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		log, err := os.ReadFile(name + "-wal")
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, made{file, log})
	}
	return all
}

const prelude = `
import os, sqlite3
all = []
def begin(name):
    global db
    db = sqlite3.connect(name, isolation_level=None)
    db.execute("PRAGMA page_size=%d")
    db.execute("PRAGMA synchronous=OFF")
    all.append(db)
def table():
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA wal_autocheckpoint=0")
    db.execute("""CREATE TABLE kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, created INTEGER, deleted INTEGER,
        create_revision INTEGER, prev_revision INTEGER, lease INTEGER, value BLOB, old_value BLOB)""")
    db.execute("CREATE INDEX kine_name_id_index ON kine (name, id)")
def put(name, value, deleted=0):
    db.execute("INSERT INTO kine (name, created, deleted, create_revision, prev_revision, lease, value, old_value) VALUES (?,1,?,0,0,0,?,?)", (name, deleted, value, b"old" * 50))
def checkpoint():
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
def many(n):
    for i in range(n):
        put("/registry/x/%%d" %% i, os.urandom(i %% 700))
`

func source(data []byte) kine.Source {
	return kine.Source{ReaderAt: bytes.NewReader(data), Size: int64(len(data))}
}

// show is the outcome in one line: keys with the length of their values, older
// ones behind a plus.
func show(entries []kine.Entry, err error) string {
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%s=%d+%d", e.Key, len(e.Value), e.Older))
	}
	return strings.Join(all, " ")
}

var databases = []struct{ name, script, want string }{
	{"checkpointed", "table(); put('/b/1', b'x' * 30000); checkpoint()", "/b/1=30000+0"},
	{"in the log alone", "table(); checkpoint(); put('/b/1', b'x' * 30000)", "/b/1=30000+0"},
	{"newer in the log", "table(); put('/b/1', b'x'); checkpoint(); put('/b/1', b'xy'); put('/b/2', b'')", "/b/1=2+1 /b/2=0+0"},
	{"a lock, then a value", "table(); put('/b/1', b''); put('/b/1', b'xyz')", "/b/1=3+0"},
	{"deleted", "table(); put('/b/1', b'x'); put('/b/1', b'x', 1); put('/b/2', b'y')", "/b/2=1+0"},
	{"deleted and back", "table(); put('/b/1', b'x'); put('/b/1', b'x', 1); put('/b/1', b'xy')", "/b/1=2+2"},
	{"not committed", "table(); put('/b/1', b'x'); db.execute('BEGIN'); put('/b/1', b'xyz')", "/b/1=1+0"},
	{"among many", "table(); many(900); put('/b/1', b'x' * 70000); many(900); checkpoint(); many(300)", "/b/1=70000+0"},
	{"a freelist", "table(); many(900); put('/b/1', b'z' * 9000); db.execute('DELETE FROM kine WHERE id < 890'); checkpoint(); db.execute('VACUUM')", "/b/1=9000+0"},
	{"none", "table(); put('/c/1', b'x')", ""},
	{"other columns", "db.execute('CREATE TABLE kine (id INTEGER, x TEXT)')", "the table kine has other columns than kine's"},
	{"no table", "db.execute('CREATE TABLE other (id INTEGER)')", "the database has no table kine: it is not that of a k3s server"},
	{"UTF-16", "db.execute('PRAGMA encoding=\"UTF-16\"'); table(); checkpoint()", "texts in UTF-16 are not read here; kine writes UTF-8"},
	{"rollback journal", "table(); put('/b/1', b'xy'); db.execute('PRAGMA journal_mode=DELETE')", "/b/1=2+0"},
}

func TestRead(t *testing.T) {
	var scripts []string
	for _, tt := range databases {
		scripts = append(scripts, tt.script)
	}
	for _, pageSize := range []int{512, 4096, 65536} {
		for i, m := range database(t, pageSize, scripts...) {
			if got := show(kine.Read(source(m.file), source(m.log), "/b/")); got != databases[i].want {
				t.Errorf("%s, pages of %d: %s, not %s", databases[i].name, pageSize, got, databases[i].want)
			}
		}
	}
}

// TestLogBySteps cuts the log after every byte that matters: what is read is
// always the state after some commit, never a mixture.
func TestLogBySteps(t *testing.T) {
	const page = 512
	m := database(t, page, "table(); checkpoint(); [put('/b/1', b'v' * i * 1000) for i in range(1, 8)]")[0]
	file, log := m.file, m.log
	seen := map[string]bool{}
	for cut := 0; cut <= len(log); cut += 4 {
		got := show(kine.Read(source(file), source(log[:cut]), "/b/"))
		switch {
		case cut > 0 && cut < 32:
			if !strings.Contains(got, "write-ahead log") {
				t.Fatalf("cut to %d: %s", cut, got)
			}
			continue
		case got != "":
			var length, older int
			if _, err := fmt.Sscanf(got, "/b/1=%d+%d", &length, &older); err != nil || length != 1000*(older+1) {
				t.Fatalf("cut to %d: %s", cut, got)
			}
		}
		seen[got] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d states: %v", len(seen), seen)
	}
	// Any flipped bit ends the log before the frame that it is in.
	for at := 40; at < len(log); at += 97 {
		broken := bytes.Clone(log)
		broken[at] ^= 0x10
		if got := show(kine.Read(source(file), source(broken), "/b/")); !seen[got] || got == "/b/1=7000+6" && at < len(log)-5*(page+24) {
			t.Errorf("a bit of byte %d: %s", at, got)
		}
	}
}

// TestForeignLog: a log of another database, or of none, is refused.
func TestForeignLog(t *testing.T) {
	file := database(t, 512, "table(); put('/b/1', b'x'); checkpoint()")[0].file
	other := database(t, 1024, "table(); put('/b/1', b'y')")[0].log
	for name, log := range map[string][]byte{"other page size": other, "text": []byte(strings.Repeat("no log ", 20))} {
		if got := show(kine.Read(source(file), source(log), "/b/")); !strings.Contains(got, "write-ahead log") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestHostile makes every page a child of itself, every tree endless and every
// length absurd: an error, soon.
func TestHostile(t *testing.T) {
	file := database(t, 512, "table(); many(40); put('/b/1', b'x' * 3000); checkpoint()")[0].file
	for _, value := range []byte{0x00, 0x05, 0x0d, 0x7f, 0x80, 0xff} {
		for at := 0; at < 3*512; at++ {
			broken := bytes.Clone(file)
			broken[at] = value
			_, _ = kine.Read(source(broken), kine.Source{}, "/b/") // ends, and does not panic
		}
	}
	// The schema's page as its own child, three times: without an end if pages
	// were read more than once.
	loop := bytes.Clone(file)
	copy(loop[100:], []byte{0x05, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0})
	copy(loop[256:], []byte{0, 0, 0, 1, 1})
	reads := &counted{Reader: bytes.NewReader(loop)}
	if got := show(kine.Read(kine.Source{ReaderAt: reads, Size: int64(len(loop))}, kine.Source{}, "/b/")); !strings.Contains(got, "page 1 stands in two places") {
		t.Error(got)
	}
	if reads.n > 10 {
		t.Errorf("%d reads", reads.n)
	}
	for cut := 0; cut < len(file); cut += 509 {
		if _, err := kine.Read(source(file[:cut]), kine.Source{}, "/b/"); err == nil {
			t.Errorf("cut to %d bytes: no error", cut)
		}
	}
}

// counted ends a reading that has no end.
type counted struct {
	*bytes.Reader
	n int
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	if c.n++; c.n > 10_000 {
		return 0, errors.New("no end")
	}
	return c.Reader.ReadAt(p, at)
}

// FuzzRead: whatever the files hold, reading ends; what it returns has the
// prefix.
func FuzzRead(f *testing.F) {
	// Small ones: an input is minimized byte by byte.
	for _, m := range database(f, 512,
		"table(); put('/b/1', b'x' * 600); checkpoint()",
		"table(); checkpoint(); put('/b/1', b'x' * 600)",
		"table(); put('/b/1', b'x'); checkpoint(); put('/b/1', b'xy', 1); put('/b/2', b'')",
		"db.execute('CREATE TABLE kine (id INTEGER PRIMARY KEY, name, deleted, value)'); [db.execute('INSERT INTO kine (name, deleted, value) VALUES (?,0,?)', ('/b/%d' % i, b'v' * 100)) for i in range(9)]",
	) {
		f.Add(m.file, m.log)
	}
	f.Fuzz(func(t *testing.T, file, log []byte) {
		entries, err := kine.Read(source(file), source(log), "/b/")
		if err != nil && len(entries) > 0 {
			t.Errorf("%d entries and an error: %v", len(entries), err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Key, "/b/") || len(e.Value) > len(file)+len(log) {
				t.Errorf("%q: %d bytes", e.Key, len(e.Value))
			}
		}
	})
}
