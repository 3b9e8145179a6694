package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/rogpeppe/go-internal/testscript"
)

// Commands of the scripts; TestScript's comment says what each does.

// scriptEnds runs a program and compares its exit code. The rules that hold for
// every failure are checked with each: nothing is made, changed or removed
// below the work directory, standard output stays empty (a report of findings
// aside), and somebody is told why.
func scriptEnds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ends [-plain] CODE PROGRAM [ARG...]")
	}
	var prefix []string
	if args[0] == "-plain" {
		prefix, args = plainRoot(ts), args[1:]
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	before := inventory(ts)
	program := append(prefix, args[1:]...)
	code := 0
	if err := ts.Exec(program[0], program[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, not %d", code, want)
	}
	if code == exitOK {
		return
	}
	after := inventory(ts)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			ts.Fatalf("%s was made or changed by a run that failed", name)
		}
	}
	for name := range before {
		if after[name] == "" {
			ts.Fatalf("%s was removed by a run that failed", name)
		}
	}
	out, said := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	if out != "" && code != exitFindings {
		ts.Fatalf("a failure wrote to standard output")
	}
	if said == "" && code != exitFindings {
		ts.Fatalf("a failure without a word")
	}
}

// plainRoot takes from root what lets it read everything, so that permissions
// mean for it what they mean for users.
func plainRoot(ts *testscript.TestScript) []string {
	if os.Geteuid() != 0 {
		return nil
	}
	path, err := exec.LookPath("setpriv")
	if err != nil {
		ts.Fatalf("setpriv is missing: apt-get install util-linux")
	}
	return []string{path, "--bounding-set=-dac_override,-dac_read_search"}
}

// inventory describes everything below the work directory: mode, time and
// content, the content of large files by their size alone.
func inventory(ts *testscript.TestScript) map[string]string {
	all := map[string]string{}
	work := ts.Getenv("WORK")
	ts.Check(filepath.WalkDir(work, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (e.Name() == ".kept" || e.Name() == ".tmp") || path == work {
			if path == work {
				return nil
			}
			return fs.SkipDir
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		entry := fmt.Sprint(info.Mode())
		if info.Mode().IsRegular() {
			entry += fmt.Sprint(" ", info.Size(), " ", info.ModTime().UnixNano())
			if data, err := os.ReadFile(path); err == nil && info.Size() < 1<<22 {
				entry += fmt.Sprintf(" %x", sha256.Sum256(data))
			}
		}
		all[path] = entry
		return nil
	}))
	return all
}

// scriptUnseal decrypts an age file with an identity file, or with -p and a
// passphrase file.
func scriptUnseal(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: unseal [-p] SECRETFILE FILE OUT")
	}
	secret := ts.ReadFile(args[len(args)-3])
	var identities []age.Identity
	if args[0] == "-p" {
		id, err := age.NewScryptIdentity(strings.TrimSuffix(secret, "\n"))
		ts.Check(err)
		identities = []age.Identity{id}
	} else {
		var err error
		identities, err = age.ParseIdentities(strings.NewReader(secret))
		ts.Check(err)
	}
	sealed := ts.ReadFile(args[len(args)-2])
	var in io.Reader = strings.NewReader(sealed)
	if strings.HasPrefix(sealed, armor.Header) {
		in = armor.NewReader(in)
	}
	var data []byte
	r, err := age.Decrypt(in, identities...)
	if err == nil {
		data, err = io.ReadAll(r) // the end is authenticated, too
	}
	if (err != nil) != neg {
		ts.Fatalf("decrypting: %v", err)
	}
	if neg {
		return
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[len(args)-1]), data, 0o600))
}

// scriptIdentity makes an age identity file and a file with its recipient, and
// sets the variable RECIPIENT.
func scriptIdentity(ts *testscript.TestScript, _ bool, args []string) {
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(id.String()+"\n"), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), []byte("# public key\n"+id.Recipient().String()+"\n"), 0o600))
	ts.Setenv("RECIPIENT", id.Recipient().String())
}

// scriptHostile writes an archive that nobody should unpack: one good
// server-ca.crt, then KIND.
func scriptHostile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: hostile KIND SERVER-CA.CRT ARCHIVE")
	}
	var buf bytes.Buffer
	zw, err := gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	ts.Check(err)
	tw := tar.NewWriter(zw)
	good := ts.ReadFile(args[1])
	add := func(h tar.Header, data string) {
		h.Mode = 0o600
		h.Size = int64(len(data))
		ts.Check(tw.WriteHeader(&h))
		_, err := io.WriteString(tw, data)
		ts.Check(err)
	}
	file := func(name, data string) { add(tar.Header{Name: name, Typeflag: tar.TypeReg}, data) }
	file("tls/server-ca.crt", good)
	switch args[0] {
	case "parent":
		file("../../etc/cron.d/x", "* * * * * root id\n")
	case "absolute":
		file("/etc/cron.d/x", "* * * * * root id\n")
	case "symlink":
		add(tar.Header{Name: "tls/client-ca.key", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"}, "")
	case "hardlink":
		add(tar.Header{Name: "tls/client-ca.key", Typeflag: tar.TypeLink, Linkname: "/etc/shadow"}, "")
	case "device":
		add(tar.Header{Name: "tls/client-ca.key", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 1}, "")
	case "fifo":
		add(tar.Header{Name: "tls/client-ca.key", Typeflag: tar.TypeFifo}, "")
	case "twice":
		file("tls/server-ca.crt", good)
	case "zeros": // ten gigabytes in one entry; a tenth of a percent of it on disk
		ts.Check(tw.WriteHeader(&tar.Header{Name: "tls/zeros", Typeflag: tar.TypeReg, Mode: 0o600, Size: 10 << 30}))
		zeros := make([]byte, 1<<20)
		for range 192 { // more than the limit of the whole
			_, err := tw.Write(zeros)
			ts.Check(err)
		}
		ts.Check(zw.Close())
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), buf.Bytes(), 0o600))
		return
	case "many": // more files than any bundle has
		for i := range 1 << 15 {
			file(fmt.Sprintf("tls/%d.crt", i), "")
		}
	case "names": // one name of a megabyte, as GNU tar allows
		add(tar.Header{Name: strings.Repeat("a/", 1<<19) + "x", Typeflag: tar.TypeReg, Format: tar.FormatGNU}, "")
	default:
		ts.Fatalf("unknown kind %q", args[0])
	}
	ts.Check(errors.Join(tw.Close(), zw.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), buf.Bytes(), 0o600))
}

// scriptBlocks counts the PEM blocks of a file by their type.
func scriptBlocks(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: blocks FILE TYPE...")
	}
	var got []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if rest, ok := strings.CutPrefix(line, "-----BEGIN "); ok {
			got = append(got, strings.TrimSuffix(rest, "-----\n"))
		}
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("%s holds %q", args[0], got)
	}
}

// scriptJSON compares values of a JSON file with regular expressions for the
// whole value. A path is made of names, indices, NAME=VALUE (the element of a
// list that has it) and "count".
func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || len(args)%2 == 0 {
		ts.Fatalf("usage: json FILE PATH REGEXP [PATH REGEXP...]")
	}
	var tree any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &tree))
	for pair := range slices.Chunk(args[1:], 2) {
		got := ""
		if v, ok := descend(tree, strings.Split(pair[0], "/")); ok {
			got = fmt.Sprint(v)
		}
		match, err := regexp.MatchString("^(?:"+pair[1]+")$", got)
		ts.Check(err)
		if match == neg {
			ts.Fatalf("%s is %q", pair[0], got)
		}
	}
}

func descend(v any, path []string) (any, bool) {
	for _, step := range path {
		list, isList := v.([]any)
		field, value, selects := strings.Cut(step, "=")
		switch {
		case step == "count":
			v = len(list)
		case isList && selects:
			i := slices.IndexFunc(list, func(e any) bool { m, _ := e.(map[string]any); return fmt.Sprint(m[field]) == value })
			if i < 0 {
				return nil, false
			}
			v = list[i]
		case isList:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(list) {
				return nil, false
			}
			v = list[i]
		default:
			m, _ := v.(map[string]any)
			var ok bool
			if v, ok = m[step]; !ok {
				return nil, false
			}
		}
	}
	return v, true
}

// scriptSparse makes a file of a size that takes no room on disk.
func scriptSparse(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(errors.Join(f.Truncate(size), f.Close()))
}
