package main

import (
	"crypto/ed25519"
	"errors"
	"go/ast"
	"go/types"
	"os"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"
)

// TestRecipients holds what --encrypt-to takes: a key, or a file of keys of
// both kinds, with comments as age and sshd allow them.
func TestRecipients(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	sshPublic, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	ageKey := id.Recipient().String()
	sshKey := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshPublic))) + " admin@example.org"
	for _, tt := range []struct {
		name, arg, file string
		want            int // recipients; 0: refused
		refused         text
	}{
		{name: "age key", arg: ageKey, want: 1},
		{name: "ssh key", arg: sshKey, want: 1},
		{name: "ssh file", file: sshKey + "\n", want: 1},
		{name: "ssh file without a last line end", file: sshKey, want: 1},
		{name: "both", file: "# admins\n\n" + sshKey + "\r\n  \n" + ageKey + "\n# end\n" + sshKey + "\n", want: 3},
		{name: "name like a key", arg: "ssh-admins", file: sshKey, want: 1},
		{name: "no key", file: "# nobody\n\n", refused: msgRecipientBad},
		{name: "one bad line", file: sshKey + "\nssh-ed25519 nonsense\n", refused: msgRecipientBad},
		{name: "bad age line", file: sshKey + "\nage1nonsense\n", refused: msgRecipientBad},
		{name: "bad ssh key", arg: "ssh-ed25519 nonsense", refused: msgRecipientBad},
		{name: "private key below", file: sshKey + "\n" + id.String() + "\n", refused: msgRecipientSecret},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if tt.arg == "" {
				tt.arg = "id.pub"
			}
			if tt.file != "" {
				if err := os.WriteFile(tt.arg, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := new(app).recipient(tt.arg)
			if len(got) != tt.want || (err == nil) != (tt.want > 0) {
				t.Fatalf("%d recipients, error %v; want %d", len(got), err, tt.want)
			}
			var e *translated
			if err != nil && (!errors.As(err, &e) || e.code != exitUsage || e.message != tt.refused) {
				t.Errorf("error %v, want %q", err, tt.refused.en)
			}
		})
	}
}

// TestErrorsAreTranslatedAtTheEnd: an error carries its message with the exit
// code, and finish puts it into the language of the run; a finished text in
// errors.New has lost both.
func TestErrorsAreTranslatedAtTheEnd(t *testing.T) {
	fset, files := sources(t)
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && types.ExprString(call.Fun) == "errors.New" {
				if inner, ok := call.Args[0].(*ast.CallExpr); ok && types.ExprString(inner.Fun) == "a.t" {
					t.Errorf("%s: use failed or usage", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
}
