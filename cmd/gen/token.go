package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// tokenReport is the outcome of `token` for programs.
type tokenReport struct {
	Token  string        `json:"token"` // without credentials
	Hash   string        `json:"hash"`
	Mode   k3s.TokenMode `json:"mode"`
	Root   string        `json:"root,omitempty"`
	Until  *pki.Time     `json:"until,omitempty"`
	Reason string        `json:"reason,omitempty"`
	At     pki.Time      `json:"at"`
}

func (a *app) tokenCommand() *cobra.Command {
	var at pki.Time
	var form string
	c := a.newCommand(tokenAbout, cobra.ExactArgs(1), func(_ *cobra.Command, args []string) error {
		if err := checkForm(form, "table", "json", "yaml"); err != nil {
			return err
		}
		return a.token(args[0], at, form)
	})
	c.Flags().Var(&timeFlag{&at}, "at", a.t(flagAt))
	choiceFlagShort(c.Flags(), &form, "output", "o", "table|json|yaml", "table", a.t(flagReportForm))
	return c
}

// token prints the token that a server will compute from its server-ca.crt: on
// standard output alone, so that it can be put into a variable.
func (a *app) token(path string, at pki.Time, form string) error {
	at = a.judgedAt(at)
	data, err := a.serverCA(path)
	if err != nil {
		return err
	}
	t, err := k3s.ComputeToken(data, at.Time)
	if errors.Is(err, k3s.ErrNoCertificate) {
		return failed(msgNoServerCA, path)
	}
	if err != nil {
		return failed(msgServerCAUnreadable, path, err)
	}
	if form != "table" {
		return writeData(a.out, form, reportToken(t, at))
	}
	fmt.Fprintln(a.out, t)
	switch t.Mode {
	case k3s.TokenRoot:
		a.say(msgTokenRoot, report.NameOf(t.Root), t.Until.UTC().Format("2006-01-02T15:04:05Z"))
	case k3s.TokenFile:
		a.say(msgTokenFile)
	case k3s.TokenFallback:
		a.say(msgTokenFallback, strings.TrimPrefix(t.Reason.Error(), "x509: "))
	}
	a.say(msgTokenNext)
	return nil
}

func reportToken(t k3s.Token, at pki.Time) tokenReport {
	r := tokenReport{Token: t.String(), Hash: t.Hash, Mode: t.Mode, At: at}
	if t.Mode == k3s.TokenRoot {
		until := pki.At(t.Until)
		r.Root, r.Until = report.NameOf(t.Root), &until
	}
	if t.Reason != nil {
		r.Reason = strings.TrimPrefix(t.Reason.Error(), "x509: ")
	}
	return r
}

// serverCA returns the exact bytes of server-ca.crt: from a bundle, or from a
// PEM file such as a dump of /cacerts.
func (a *app) serverCA(path string) ([]byte, error) {
	b, err := a.openBundle(path)
	if err != nil {
		return nil, err
	}
	if len(b.Files) == 1 && b.Files[0].Path == filepath.Base(path) {
		return b.Files[0].Data, nil
	}
	if err := oneCluster(b, path); err != nil {
		return nil, err
	}
	if f := report.ServerCA(b); f != nil {
		return f.Data, nil
	}
	return nil, failed(msgNoServerCA, path)
}
