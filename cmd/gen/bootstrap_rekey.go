package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// rekeyedName is the file that `bootstrap rekey` makes.
const rekeyedName = "bootstrap.value"

func (a *app) bootstrapRekeyCommand() *cobra.Command {
	var f bootstrapFlags
	c := a.bootstrapCommandOf(bootstrapRekeyAbout, 1, &f, []string{"text", "json", "yaml"}, func(ctx context.Context, args []string) error {
		return a.bootstrapRekey(ctx, &f, args[0])
	})
	choiceFlag(c.Flags(), &f.newTokenFile, "new-token-file", "FILE", "", a.t(flagNewTokenFile))
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "PATH", rekeyedName, a.t(flagRekeyOut))
	f.registerCommon(a, c)
	return c
}

// minPassword is the length of the passwords that k3s makes itself, in
// hexadecimal digits.
const minPassword = 32

func (a *app) bootstrapRekey(ctx context.Context, f *bootstrapFlags, export string) error {
	b, found, err := a.openBootstrap(f, export)
	if err != nil {
		return err
	}
	token, err := a.newToken(f)
	if err != nil {
		return err
	}
	password, err := k3s.Password(token)
	if err != nil {
		return err
	}
	if len(password) < minPassword/2 {
		found = append(found, pki.New("token-short", "", "count", fmt.Sprint(len(password))))
	}
	key := k3s.BootstrapKey(password)
	if key == b.Under {
		return failed(msgRekeySame, key)
	}
	sealed, err := k3s.SealBootstrap(b.Plaintext, password, rand.Reader)
	if err != nil {
		return err
	}
	// What cannot be opened again would lock everybody out.
	again, _, err := k3s.OpenBootstrap(f.out, []k3s.StoredValue{{Key: key, Value: sealed}}, token)
	if err != nil {
		return err
	}
	if !bytes.Equal(again.Plaintext, b.Plaintext) {
		return errors.New("what was encrypted reads back as something else")
	}
	value := pki.Bundle{Time: a.time(pki.Time{}).Time}
	value.Add(path.Base(f.out), pki.KindSecret, sealed)
	made := bootstrapMade{Key: key, OldKey: b.Under, Findings: append([]pki.Finding{}, found...)}
	if err := a.bootstrapWrite(ctx, f, export, value, made); err != nil {
		return err
	}
	if f.out == standardOutput {
		f.out = rekeyedName // what comes through a pipe has no name yet
	}
	a.rekeyNext(f.out, key, b.Under, isDatabaseFile(export))
	return nil
}

// rekeyNext prints how the value gets into each kind of datastore. Embedded etcd
// ends with its servers, and SQL servers read no file of ours; k3s itself does it
// there (k3s pkg/server/token.go, tokenRotate).
func (a *app) rekeyNext(file, key, old string, sqlite bool) {
	literal := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
	// A file that is not there reads as NULL: it must not take the place of the value.
	update := fmt.Sprintf("UPDATE kine SET name=%[1]s, value=readfile(%[2]s) WHERE name=%[3]s AND length(readfile(%[2]s))>0; SELECT changes()",
		literal(key), literal(file), literal(old))
	product, _ := k3s.ProductOf(pki.K3s)
	if !sqlite {
		a.say(msgRekeyRotate)
		a.say(msgRekeyEtcd, key, shellPath(file), old)
	}
	a.say(msgRekeySQLite, "sqlite3 "+product.ServerDir()+"/db/state.db "+doubleQuote(update))
	a.say(msgRekeyStart)
}

// doubleQuote quotes for the shell what holds single quotes, unless it also holds
// what double quotes leave special.
func doubleQuote(s string) string {
	if strings.ContainsAny(s, "\"$`\\!") {
		return report.ShellQuote(s)
	}
	return `"` + s + `"`
}

// newToken asks twice where it asks: nobody sees what was typed.
func (a *app) newToken(f *bootstrapFlags) (string, error) {
	token, err := a.serverToken(f.newTokenFile, msgAskNewToken, msgNoTerminalNew)
	if err != nil || f.newTokenFile != "" {
		return token, err
	}
	again, err := a.serverToken("", msgAskAgain, msgNoTerminalNew)
	if err == nil && again != token {
		err = failed(msgTokensDiffer)
	}
	return token, err
}
