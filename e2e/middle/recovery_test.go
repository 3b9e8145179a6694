package middle

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// bootstrapReport is what `rootkiln bootstrap list` and `compare` say.
type bootstrapReport struct {
	Key   string
	Plain bool
	Files []struct {
		Name, Path, State string
		Size              int
		Time              time.Time
	}
	Findings []testbed.Finding
}

// bootstrap runs a command of `rootkiln bootstrap` and returns its exit status.
func bootstrap(t testing.TB, args ...string) (out string, status int, err error) {
	t.Helper()
	out, err = testbed.Rootkiln(append([]string{"bootstrap"}, args...)...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return out, exit.ExitCode(), err
	} else if err != nil {
		t.Fatal(err)
	}
	return out, 0, nil
}

// exports are the bootstrap value in every form in which people get hold of it:
// the files by what they are.
func (s *server) exports(t testing.TB) map[string]string {
	t.Helper()
	v, err := s.storedValue()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	forms := map[string]string{"the value alone": testbed.Write(t, filepath.Join(dir, "value"), v.value)}
	if s.store == sqlite {
		live := filepath.Join(s.data, "server", "db", "state.db")
		forms["the database of the running server"] = live
		copied := filepath.Join(dir, "state.db")
		for _, end := range []string{"", "-wal"} {
			if _, err := s.run("cp", live+end, copied+end); err != nil {
				t.Fatal(err)
			}
		}
		forms["a copy of it"] = copied
		return forms
	}
	for _, form := range []string{"simple", "json", "fields"} {
		out, err := s.etcdctl(s.tls("etcd/client"), "get", "/bootstrap/", "--prefix", "--write-out", form)
		if err != nil {
			t.Fatal(err)
		}
		forms["etcdctl's "+form] = testbed.Write(t, filepath.Join(dir, form), []byte(out))
	}
	out, err := s.etcdctl(s.tls("etcd/client"), "get", "/bootstrap/", "--prefix", "--print-value-only")
	if err != nil {
		t.Fatal(err)
	}
	forms["etcdctl's value"] = testbed.Write(t, filepath.Join(dir, "print-value-only"), []byte(out))
	return forms
}

// readByRootkiln opens the value with rootkiln: the same members, byte for byte,
// with either form of the token and with no other.
func readByRootkiln(t *testing.T, s *server) {
	content, _ := s.openStored(t)
	wrong := testbed.Write(t, filepath.Join(t.TempDir(), "wrong"), []byte("K10"+testbed.TokenHash(s.root)+"::server:guess"))
	for form, export := range s.exports(t) {
		for _, token := range []string{s.tokenFile(), s.passwordFile()} {
			expectList(t, form, export, token, content)
		}
		out := filepath.Join(t.TempDir(), "extracted")
		if _, _, err := bootstrap(t, "extract", export, "--token-file", s.tokenFile(), "--out", out); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		expectTree(t, form, out, content)
		expectStates(t, form, s.compared(t, export, 0), nil)
		for _, command := range []string{"list", "extract"} {
			args := []string{command, export, "--token-file", wrong}
			if command == "extract" {
				args = append(args, "--out", out+"-wrong")
			}
			said, status, err := bootstrap(t, args...)
			if status != 4 || !strings.Contains(err.Error(), "[bootstrap-token]") || strings.Contains(err.Error(), "guess") || said != "" {
				t.Errorf("%s: %s with a wrong token ends with %d: %q %v", form, command, status, said, err)
			}
		}
		if _, err := os.Lstat(out + "-wrong"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: written with a wrong token (%v)", form, err)
		}
	}
}

// expectList compares the list with the members.
func expectList(t *testing.T, form, export, token string, want map[string]member) {
	t.Helper()
	out, _, err := bootstrap(t, "list", export, "--token-file", token, "--output", "json")
	var r bootstrapReport
	if bad := json.Unmarshal([]byte(out), &r); bad != nil {
		t.Errorf("%s: list: %v, %v", form, bad, err)
		return
	}
	if len(r.Files) != len(want) || r.Plain {
		t.Errorf("%s: %d files, want %d; plain %t", form, len(r.Files), len(want), r.Plain)
	}
	for _, f := range r.Files {
		m, ok := want[f.Name]
		if !ok || f.Path != members[f.Name] || f.Size != len(m.Content) || !f.Time.Equal(m.Timestamp.Truncate(time.Second)) {
			t.Errorf("%s: %s is %s, %d bytes, of %s; in the value there are %d bytes of %s", form, f.Name, f.Path, f.Size, f.Time, len(m.Content), m.Timestamp)
		}
	}
}

// expectTree compares the extracted files with the members, their times
// included: k3s goes by them.
func expectTree(t *testing.T, form, dir string, want map[string]member) {
	t.Helper()
	paths := map[string]bool{}
	for name, m := range want {
		path := filepath.Join(dir, filepath.FromSlash(members[name]))
		paths[path] = true
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(data, m.Content) {
			t.Errorf("%s: %s is not the member of %d bytes (%v)", form, path, len(m.Content), err)
			continue
		}
		if info, err := os.Stat(path); err != nil || info.ModTime().Unix() != m.Timestamp.Unix() {
			t.Errorf("%s: %s is of %v, the member of %s", form, path, info.ModTime(), m.Timestamp)
		}
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !paths[path] {
			t.Errorf("%s: %s is extracted and no member", form, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// compared is `rootkiln bootstrap compare` with the server's disk.
func (s *server) compared(t testing.TB, export string, want int) bootstrapReport {
	t.Helper()
	out, status, err := bootstrap(t, "compare", export, filepath.Join(s.data, "server"), "--token-file", s.tokenFile(), "--output", "json")
	var r bootstrapReport
	if bad := json.Unmarshal([]byte(out), &r); bad != nil || status != want {
		t.Errorf("rootkiln bootstrap compare ends with %d, want %d: %v, %v", status, want, bad, err)
	}
	return r
}

// expectStates wants these states, and of every other file that it is the same.
func expectStates(t *testing.T, form string, r bootstrapReport, want map[string]string) {
	t.Helper()
	if len(r.Files) != len(members) {
		t.Errorf("%s: %d files compared, want %d", form, len(r.Files), len(members))
	}
	for _, f := range r.Files {
		state := want[f.Path]
		if state == "" {
			state = "same"
		}
		if f.State != state {
			t.Errorf("%s: %s is %q, want %q", form, f.Path, f.State, state)
		}
	}
}

// export is one form of the value.
func (s *server) export(t testing.TB) string {
	t.Helper()
	return s.exports(t)["the value alone"]
}

// replacing wants rootkiln to say, between rotate-ca and the next start, which
// files that start will replace. The checks after it look whether it did.
func replacing(t *testing.T, s *server, old files) {
	want := map[string]string{}
	for _, name := range old.differing(s.files) {
		want["tls/"+name] = "replaced"
	}
	if len(want) != len(names) {
		t.Errorf("the rotation changes %d files, not %d", len(want), len(names))
	}
	expectStates(t, "after rotate-ca", s.compared(t, s.export(t), 0), want)
}

// newerDisk ends the server, changes a file of it and dates it around the three
// seconds by which it must not be newer than the datastore: what rootkiln says
// before a start is what k3s does at it.
func newerDisk(t *testing.T, s *server) {
	const file = "client-ca.crt"
	content, _ := s.openStored(t)
	export := s.export(t)
	s.stop(t)
	for _, c := range []struct {
		by     time.Duration
		state  string
		status int
	}{{2 * time.Second, "replaced", 0}, {3 * time.Second, "newer", 3}} {
		testbed.Write(t, s.tls(file), append(slices.Clone(s.files[file]), '\n'))
		stamp := content["ClientCA"].Timestamp.Truncate(time.Second).Add(c.by)
		if err := os.Chtimes(s.tls(file), stamp, stamp); err != nil {
			t.Fatal(err)
		}
		expectStates(t, c.by.String(), s.compared(t, export, c.status), map[string]string{"tls/" + file: c.state})
		if c.status == 0 {
			s.start(t)
			filesUnchanged(t, s)
			s.stop(t)
			continue
		}
		s.startFails(t, "newer than")
		if _, err := os.Stat(s.tls(file)); err != nil {
			t.Error(err)
		}
	}
	testbed.Write(t, s.tls(file), s.files[file])
	s.start(t)
}

// startFails starts the supervisor, which must end with these words.
func (s *server) startFails(t *testing.T, words string) {
	t.Helper()
	s.launch(t)
	err := s.process.TryAwait(30*time.Second, func() error { return errors.New("it goes on") })
	if ended, _ := s.process.Exited(); !ended {
		t.Errorf("k3s starts: %v", err)
		s.stop(t)
		return
	}
	if log := s.process.LogSince(0); !strings.Contains(log, words) {
		t.Errorf("k3s does not say %q: %s", words, s.process.Tail(5))
	}
}

// rekeyed puts the value under another token into the datastore, without k3s,
// and lets the server come back from it alone.
func rekeyed(t *testing.T, s *server) {
	const next = "another-throwaway-of-32-characters"
	old, err := s.storedValue()
	if err != nil {
		t.Fatal(err)
	}
	content, _ := s.openStored(t)
	tokens := filepath.Join(s.dir, "tokens")
	oldToken, err := os.ReadFile(s.tokenFile())
	if err != nil {
		t.Fatal(err)
	}
	oldTokenFile := testbed.Write(t, filepath.Join(tokens, "old"), oldToken)
	nextTokenFile := testbed.Write(t, filepath.Join(tokens, "next"), []byte(next))
	file := filepath.Join(tokens, "again.value")
	out, _, err := bootstrap(t, "rekey", s.export(t), "--token-file", oldTokenFile, "--new-token-file", nextTokenFile, "--out", file, "--output", "json")
	var made struct{ Key, OldKey string }
	if bad := json.Unmarshal([]byte(out), &made); bad != nil {
		t.Fatalf("rootkiln bootstrap rekey: %v, %v", bad, err)
	}
	value, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	again, err := stored{made.Key, value}.open(next)
	if err != nil {
		t.Fatal(err)
	}
	for name := range members {
		if m, was := again[name], content[name]; !bytes.Equal(m.Content, was.Content) || !m.Timestamp.Equal(was.Timestamp) {
			t.Errorf("%s is another one under the new token", name)
		}
	}
	if s.store == etcd {
		s.putEtcd(t, made.Key, file, old.key)
	}
	s.stop(t)
	if s.store == sqlite {
		s.putSQLite(t, made.Key, file, old.key)
	}
	s.wipe(t)
	testbed.Write(t, s.passwordFile(), []byte(next))
	s.start(t)
	filesUnchanged(t, s)
	cacerts(t, s)
	trustInRoot(t, s)
	token, err := os.ReadFile(s.tokenFile())
	if want := "K10" + testbed.TokenHash(s.root) + "::server:" + next; err != nil || strings.TrimSpace(string(token)) != want {
		t.Errorf("k3s's token is %s (%v), want %s", token, err, want)
	}
	if _, status, err := bootstrap(t, "list", s.export(t), "--token-file", oldTokenFile); status != 4 {
		t.Errorf("the old token still opens it: %d %v", status, err)
	}
}

// putEtcd puts a value in its place, as `rootkiln bootstrap rekey` says for an etcd of
// its own; here that of k3s is asked while it runs.
func (s *server) putEtcd(t testing.TB, key, file, old string) {
	t.Helper()
	environment := []string{"ETCDCTL_API=3", "ETCDCTL_ENDPOINTS=https://127.0.0.1:2379", "ETCDCTL_CACERT=" + s.tls("etcd/server-ca.crt"),
		"ETCDCTL_CERT=" + s.tls("etcd/client.crt"), "ETCDCTL_KEY=" + s.tls("etcd/client.key")}
	for _, command := range []string{"etcdctl put " + key + " < " + file, "etcdctl del " + old} {
		if out, err := testbed.Run(s.dir, environment, "sh", "-c", command); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
}

// putSQLite does it in the database of a server that does not run: kine has no
// other way in then.
func (s *server) putSQLite(t testing.TB, key, file, old string) {
	t.Helper()
	if _, err := s.run("sqlite3", filepath.Join(s.data, "server", "db", "state.db"),
		"UPDATE kine SET name = '"+key+"', value = readfile('"+file+"') WHERE name = '"+old+"'"); err != nil {
		t.Fatal(err)
	}
}
