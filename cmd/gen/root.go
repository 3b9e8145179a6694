package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// authorityFlags are the flags of commands that make one authority alone.
type authorityFlags struct {
	planFlags
	placeFlags
	role string
}

func (a *app) rootCommand() *cobra.Command {
	return a.authorityCommand(rootCAAbout, pki.Root, "root")
}

func (a *app) intermediateCommand() *cobra.Command {
	return a.authorityCommand(intermediateAbout, pki.Intermediate, "intermediate")
}

func (a *app) authorityCommand(d about, role pki.Role, out string) *cobra.Command {
	var f authorityFlags
	c := a.newCommand(d, cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return a.authority(c.Context(), &f)
	})
	f.register(a, c)
	if role == pki.Intermediate {
		f.role = string(role)
		choiceFlag(c.Flags(), &f.root, "root", "FILE", "", a.t(flagRoot))
		choiceFlag(c.Flags(), &f.rootKey, "root-key", "FILE", "", a.t(flagRootKey))
		f.registerPassphrase(a, c)
	} else {
		choiceFlag(c.Flags(), &f.role, "role", "ROLE", string(role), a.t(flagRootRole))
	}
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "DIR", out, a.t(flagOutDir))
	f.registerCommon(a, c)
	return c
}

// authority makes one root or intermediate: a directory with certificate and
// key, for the safe.
func (a *app) authority(ctx context.Context, f *authorityFlags) error {
	if err := checkForm(f.output, "text", "json", "yaml"); err != nil {
		return err
	}
	plan, err := a.plan(&f.planFlags)
	if err != nil {
		return err
	}
	if f.role == string(pki.Intermediate) && (plan.Inputs.Root == "" || plan.Inputs.RootKey == "") {
		return usage(msgIntermediateNeedsRoot)
	}
	resolved, layout, given, found, err := a.resolve(ctx, &plan, &f.planFlags)
	if err != nil {
		return err
	}
	role := pki.Role(f.role)
	row, ok := layout.Row(role)
	if !ok || row.Safe == "" {
		return usage(msgBadChoice, "--role", f.role, safeRoles(layout))
	}
	o := newOutput(f.out, pki.Bundle{})
	d := delivery{outputs: []*output{o}, inputs: inputPaths(plan, f.file, f.passphraseFile), force: f.force, stdout: a.out}
	if f.out == standardOutput {
		return usage(msgOfflineToStdout)
	}
	if err := d.precheck(); err != nil {
		return err
	}
	a.explain(found)
	run := pki.Run{Plan: resolved, Layout: layout, Given: given, Keys: pki.Random{}}
	authority, notes, err := run.IssueOne(ctx, role)
	if err != nil {
		return err
	}
	a.explain(notes)
	o.bundle = pki.Bundle{Time: plan.Time.Time}
	key, err := pki.ExportPEM(authority.Key)
	if err != nil {
		return err
	}
	o.bundle.Add(row.Safe+".crt", pki.KindChain, pki.EncodeCertificates(authority.Chain()...))
	o.bundle.Add(row.Safe+".key", pki.KindKey, key)
	if err := d.commit(ctx); err != nil {
		return err
	}
	return a.authorityReceipt(f, authority, row)
}

func safeRoles(l pki.Layout) string {
	s := ""
	for _, row := range l.Rows {
		if row.Safe != "" {
			if s != "" {
				s += ", "
			}
			s += string(row.Role)
		}
	}
	return s
}

func (a *app) authorityReceipt(f *authorityFlags, authority *pki.Authority, row pki.Row) error {
	c := authority.Certificate
	if f.output != "text" {
		return writeData(a.out, f.output, report.EntryOf(row.Role, c, true))
	}
	if a.quiet {
		return nil
	}
	drawTable(a.out, "", [][]string{
		{a.t(wordMade), fmt.Sprintf("%s/%s.crt, %s/%s.key", f.out, row.Safe, f.out, row.Safe), report.RoleName(row.Role, a.lang)},
	})
	fmt.Fprintln(a.out)
	drawTable(a.out, "", [][]string{
		{a.t(wordSubject), c.Subject.String()},
		{"SHA-256", report.Groups(pki.Fingerprint(c))},
		{a.t(wordLives), a.t(msgUntil, c.NotAfter.UTC().Format(time.DateOnly))},
	})
	fmt.Fprintln(a.out)
	next := map[pki.Role]text{pki.Root: msgNextRoot, pki.Intermediate: msgNextIntermediate}
	m, ok := next[row.Role]
	if !ok {
		m = msgNextDomainRoot
	}
	fmt.Fprintln(a.out, a.t(m, shellPath(f.out)))
	return nil
}
