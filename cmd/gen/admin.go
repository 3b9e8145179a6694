package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// adminFlags are the flags of `admin`.
type adminFlags struct {
	placeFlags
	user, server, life string
	groups             []string
	certificate        bool
}

func (f *adminFlags) usualName() string {
	if f.certificate {
		return "admin"
	}
	return "admin.kubeconfig"
}

// defaultServer is where k3s's own kubeconfig looks, on the server itself.
const defaultServer = "https://127.0.0.1:6443"

func (a *app) adminCommand() *cobra.Command {
	var f adminFlags
	c := a.newCommand(adminAbout, cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		if err := checkForm(f.output, "text", "json", "yaml"); err != nil {
			return err
		}
		if f.certificate && c.Flags().Changed("server") {
			return usage(msgAdminNoServer)
		}
		return a.admin(c.Context(), &f, args[0])
	})
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "PATH", "", a.t(flagAdminOut))
	choiceFlag(c.Flags(), &f.user, "user", "NAME", k3s.DefaultAdmin.User, a.t(flagAdminUser))
	c.Flags().StringArrayVar(&f.groups, "group", k3s.DefaultAdmin.Groups, a.t(flagAdminGroup))
	choiceFlag(c.Flags(), &f.server, "server", "URL", defaultServer, a.t(flagAdminServer))
	choiceFlag(c.Flags(), &f.life, "validity", "TIME", string(k3s.DefaultAdmin.Life), a.t(flagAdminLife))
	c.Flags().BoolVar(&f.certificate, "certificate", false, a.t(flagAdminCert))
	f.registerCommon(a, c)
	return c
}

// adminReport is the outcome of `admin` for programs.
type adminReport struct {
	Out       string   `json:"out"`
	User      string   `json:"user"`
	Groups    []string `json:"groups"`
	Server    string   `json:"server,omitempty"`
	NotBefore pki.Time `json:"notBefore"`
	NotAfter  pki.Time `json:"notAfter"`
	SHA256    string   `json:"sha256"` // of the certificate
	Issuer    string   `json:"issuer"`
	Unlimited []string `json:"unlimited"` // groups that open everything
	Cut       bool     `json:"cut"`       // it ends with the CA, earlier than asked for
}

func (a *app) admin(ctx context.Context, f *adminFlags, path string) error {
	want := k3s.AdminRequest{User: f.user, Groups: f.groups, At: a.time(pki.Time{}), Life: pki.Lifetime(f.life)}
	b, err := a.openBundle(path)
	if err != nil {
		return err
	}
	if err := oneCluster(b, path); err != nil {
		return err
	}
	made, err := k3s.IssueAdmin(ctx, b, want, pki.Random{})
	if err != nil {
		return err
	}
	files := pki.Bundle{Time: want.At.Time}
	if f.certificate {
		files.Add("client-admin.crt", pki.KindChain, made.Chain)
		files.Add("client-admin.key", pki.KindKey, made.Key)
		f.server = ""
	} else {
		config, err := made.Kubeconfig(f.server)
		if err != nil {
			return usage(msgAdminServer, f.server)
		}
		files.Add("admin.kubeconfig", pki.KindSecret, config)
	}
	if f.out == "" {
		f.out = f.usualName()
	}
	o := newOutput(f.out, files)
	if f.out == standardOutput && o.form == formFile && isTerminal(a.out) {
		return &targetError{kind: targetTerminal, path: standardOutput} // it holds a key
	}
	d := delivery{outputs: []*output{o}, inputs: []string{path}, force: f.force, stdout: a.out}
	if err := d.commit(ctx); err != nil {
		return err
	}
	place := f.out
	if f.out == standardOutput || f.certificate && o.form != formTree {
		place = f.usualName() // a pipe and an archive are not what kubectl reads
	}
	return a.adminReceipt(f, place, adminReport{
		Out: o.name(), User: want.User, Groups: want.Groups, Server: f.server,
		NotBefore: pki.At(made.Certificate.NotBefore), NotAfter: pki.At(made.Certificate.NotAfter),
		SHA256: pki.Fingerprint(made.Certificate), Issuer: made.Certificate.Issuer.CommonName,
		Unlimited: append([]string{}, want.Unlimited()...), Cut: made.Cut,
	})
}

// adminReceipt says what was made and what it opens, and how to use it from its
// place; standard output may carry the kubeconfig itself.
func (a *app) adminReceipt(f *adminFlags, place string, r adminReport) error {
	w := a.out
	if f.out == standardOutput {
		w = a.err
	}
	if f.output != "text" {
		if err := writeData(w, f.output, r); err != nil {
			return err
		}
	} else if !a.quiet {
		rows := [][]string{
			{a.t(wordMade), r.Out},
			{a.t(wordUser), report.Printable(r.User)},
			{a.t(wordGroups), report.Printable(strings.Join(r.Groups, ", "))},
			{a.t(wordLives), a.t(msgUntil, r.NotAfter.String())},
		}
		if r.Server != "" {
			rows = append(rows, []string{a.t(wordServer), r.Server})
		}
		drawTable(w, "", rows)
		fmt.Fprintln(w)
	}
	for _, group := range r.Unlimited {
		a.say(msgAdminUnlimited, group, r.NotAfter.String())
	}
	if r.Cut {
		a.say(msgAdminCut)
	}
	if f.certificate {
		a.say(msgAdminNextCert, defaultServer, shellPath(place))
	} else {
		a.say(msgAdminNext, shellPath(place))
	}
	return nil
}
