package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is the program: a script that runs rootkiln, and a test that
// kills it, get what was just compiled.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"rootkiln": func() { os.Exit(run()) },
	})
}

// TestScript runs the cases in testdata. Each case is headed by the promise or
// the issue that made it necessary.
//
// Beside the standard commands there are:
//
//	mode PERM FILE…      the permission bits of files are exactly PERM
//	keep FILE…           remembers files for `same`
//	same FILE…           the files are byte for byte what `keep` remembered
//	ends [-plain] CODE PROGRAM [ARG…]
//	                     runs the program, which ends with CODE; if that is not 0,
//	                     nothing below the work directory has changed, standard
//	                     output is empty and standard error is not. -plain: root
//	                     obeys permissions as users do
//	ca NAME [WORD…]      a CA of another tool, with defects: see scriptCA
//	blocks FILE TYPE…    the PEM blocks of FILE have these types, in this order
//	json FILE PATH REGEXP…
//	                     values of a JSON file: see scriptJSON
//	identity FILE        an age identity; FILE.pub and $RECIPIENT are its public key
//	unseal [-p] SECRETFILE FILE OUT
//	                     decrypts with an age identity, or a passphrase
//	hostile KIND SERVER-CA.CRT ARCHIVE
//	                     an archive that nobody should unpack
//	sparse FILE BYTES    a large file that takes no room
//	node k3s|rke2 BUNDLE DIR START [SERVING-START]
//	                     a node that was started on a day with the CAs of a bundle:
//	                     leaf certificates, dynamic-cert.json (of another start if
//	                     wanted), kubeconfigs, token
//	node kubeadm - DIR START
//	                     /etc/kubernetes, with the kubelet's directory inside
//
// The condition [page] holds where the program carries the page.
func TestScript(t *testing.T) {
	unpacked, err := filepath.Abs("../../.cache/prometheus/usr/bin") // by .ci/tools
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		UpdateScripts:      os.Getenv("UPDATE") != "",
		Condition: func(name string) (bool, error) {
			if name != "page" {
				return false, fmt.Errorf("no condition %q", name)
			}
			return carriesPage, nil
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("LC_ALL", "C.UTF-8")
			e.Setenv("NO_COLOR", "1")
			e.Setenv("TZ", "UTC")
			e.Setenv("PATH", e.Getenv("PATH")+string(filepath.ListSeparator)+unpacked)
			e.Setenv("BOOTSTRAP_VALUE", bootstrapValue)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mode": scriptMode, "keep": scriptKeep, "same": scriptSame,
			"ends": scriptEnds, "ca": scriptCA, "blocks": scriptBlocks, "json": scriptJSON,
			"identity": scriptIdentity, "unseal": scriptUnseal,
			"hostile": scriptHostile, "sparse": scriptSparse, "node": scriptNode,
		},
	})
}

func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode PERM FILE...")
	}
	for _, name := range args[1:] {
		info, err := os.Lstat(ts.MkAbs(name))
		ts.Check(err)
		if got := strings.TrimPrefix(info.Mode().Perm().String(), "-"); got != args[0] {
			ts.Fatalf("%s has mode %s, not %s", name, got, args[0])
		}
	}
}

// kept is where `keep` puts its copies, out of the way of directory listings.
func kept(ts *testscript.TestScript, name string) string {
	return filepath.Join(ts.Getenv("WORK"), ".kept", strings.ReplaceAll(name, string(filepath.Separator), "%"))
}

func scriptKeep(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		data, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		ts.Check(os.MkdirAll(filepath.Dir(kept(ts, name)), 0o700))
		ts.Check(os.WriteFile(kept(ts, name), data, 0o600))
	}
}

func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		got, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		want, err := os.ReadFile(kept(ts, name))
		ts.Check(err)
		if (string(got) == string(want)) == neg {
			ts.Fatalf("%s: unchanged is %v", name, string(got) == string(want))
		}
	}
}
