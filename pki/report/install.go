package report

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// InstallStep is one thing to do with a new bundle.
type InstallStep struct {
	Code     InstallCode `json:"code"`
	Title    string      `json:"title"`
	Text     string      `json:"text"`
	Commands []string    `json:"commands"`
}

// InstallCode names a step. Codes are only ever added.
type InstallCode string

const (
	InstallSeal   InstallCode = "seal"   // the offline part is not encrypted
	InstallSafe   InstallCode = "safe"   // put the offline part away
	InstallUnpack InstallCode = "unpack" // on the first server
	InstallJoin   InstallCode = "join"   // further nodes
	InstallNever  InstallCode = "never"  // into a cluster that runs
	InstallVerify InstallCode = "verify" // what was made
)

// Delivered says where the parts of a bundle went.
type Delivered struct {
	Server   string // name of the server part; empty: it went through a pipe
	Tree     bool   // a directory and not an archive
	Offline  string // name of the offline part; empty: it holds no new key
	Unsealed bool   // the offline part is not encrypted
}

// Install says what comes after making, in the order in which to do it.
func Install(p k3s.Product, d Delivered, lang Lang) []InstallStep {
	step := func(code InstallCode, title, text Text, args ...any) InstallStep {
		return InstallStep{Code: code, Title: title.In(lang), Text: text.With(lang, args...), Commands: []string{}}
	}
	var steps []InstallStep
	if d.Offline != "" && d.Unsealed {
		steps = append(steps, step(InstallSeal, titleSeal, textNotEncrypted, d.Offline))
	}
	if d.Offline != "" {
		steps = append(steps, step(InstallSafe, titleSafe, textMoveOffline, d.Offline))
	}
	unpack := step(InstallUnpack, titleUnpack, textInstall, p.Command)
	unpack.Commands = append(unpack.Commands, installCommand(p, d))
	server := "FILE"
	if d.Server != "" {
		server = ShellPath(d.Server)
	}
	verify := step(InstallVerify, titleVerify, textNextVerify, server)
	verify.Commands = append(verify.Commands, "rootkiln verify "+server)
	return append(steps, unpack, step(InstallJoin, titleJoin, textJoin, p.Port), step(InstallNever, titleNever, textNotRunning, p.Command), verify)
}

// installCommand unpacks the server part where the first server will look for
// it. -m takes the server's clock: the modification times are compared with
// those of later rotations, and the clock of an offline machine may be wrong.
func installCommand(p k3s.Product, d Delivered) string {
	dir := p.ServerDir()
	if d.Tree {
		return fmt.Sprintf("install -d -m 700 %s && cp -r %s/tls %s/", dir, ShellPath(d.Server), dir)
	}
	return fmt.Sprintf("install -d -m 700 %s && tar -xmpf %s -C %s", dir, ShellPath(d.Server), dir)
}

// ShellPath makes a path safe to copy into a shell: not an option, and not another
// machine's, which GNU tar takes a name with a colon for unless a slash is before it.
func ShellPath(s string) string {
	colon, slash := strings.IndexByte(s, ':'), strings.IndexByte(s, '/')
	if strings.HasPrefix(s, "-") || runtime.GOOS != "windows" && colon >= 0 && (slash < 0 || colon < slash) {
		s = "./" + s
	}
	return ShellQuote(s)
}

// ShellQuote makes a word safe to copy into a POSIX shell.
func ShellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,@", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Installation reads a bundle for an export and judges it: what is exported is put
// on a server by a program that looks at nothing. An empty distribution is the one
// that the names tell.
func Installation(ctx context.Context, b pki.Bundle, distro pki.Distro, at pki.Time, keys pki.KeySource) (k3s.Installation, error) {
	server, err := k3s.ServerFiles(b)
	if err != nil {
		return k3s.Installation{}, err
	}
	verdict, err := Verify(ctx, server, at, keys)
	if err != nil {
		return k3s.Installation{}, err
	}
	if err := pki.Refuse(verdict.Findings); err != nil {
		return k3s.Installation{}, err
	}
	if distro == "" {
		distro = verdict.Distro
	}
	product, ok := k3s.ProductOf(distro)
	if !ok {
		return k3s.Installation{}, pki.Refuse([]pki.Finding{pki.New("plan-value", "distro", "value", string(distro), "want", "k3s, rke2")})
	}
	token, err := k3s.ComputeToken(server.File(k3s.ServerCAPath+".crt").Data, at.Time)
	if err != nil {
		return k3s.Installation{}, err
	}
	return k3s.Installation{Product: product, Token: token.String(), Server: server, Name: product.Prefix}, nil
}

func modeText(m fs.FileMode) string { return fmt.Sprintf("%04o", m.Perm()) }
