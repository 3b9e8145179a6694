package main

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// exportFlags are the flags of `export`.
type exportFlags struct {
	out, distro     string
	name, namespace string
	force           bool
}

func (a *app) exportCommand() *cobra.Command {
	var f exportFlags
	c := a.newCommand(exportAbout, cobra.ExactArgs(2), func(c *cobra.Command, args []string) error {
		form, err := exportForm(args[0])
		if err != nil {
			return err
		}
		return a.export(c.Context(), &f, form, args[1])
	})
	c.ValidArgs = exportNames()
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "PATH", "", a.t(flagExportOut))
	choiceFlag(c.Flags(), &f.distro, "distro", "k3s|rke2", "", a.t(flagExportDistro))
	choiceFlag(c.Flags(), &f.name, "name", "NAME", "", a.t(flagExportName))
	choiceFlag(c.Flags(), &f.namespace, "namespace", "NAME", "", a.t(flagExportNamespace))
	c.Flags().BoolVar(&f.force, "force", false, a.t(flagForce))
	return c
}

func exportNames() []string {
	var names []string
	for _, e := range k3s.Exports() {
		names = append(names, e.Name)
	}
	return names
}

func exportForm(name string) (k3s.Export, error) {
	forms := k3s.Exports()
	i := slices.IndexFunc(forms, func(e k3s.Export) bool { return e.Name == name })
	if i < 0 {
		return k3s.Export{}, usage(msgBadChoice, "export", name, strings.Join(exportNames(), ", "))
	}
	return forms[i], nil
}

// export writes a bundle in the form that an installer takes.
func (a *app) export(ctx context.Context, f *exportFlags, form k3s.Export, path string) error {
	if form.Keys && f.out == "" && isTerminal(a.out) {
		return &targetError{kind: targetTerminal, path: standardOutput}
	}
	at := a.time(pki.Time{})
	in, err := a.installation(ctx, f, path, at)
	if err != nil {
		return err
	}
	files := form.Files(in)
	if f.out == "" {
		if len(files) > 1 {
			return usage(msgExportDirectory, form.Name)
		}
		f.out = standardOutput
	}
	b, size := pki.Bundle{Time: at.Time}, 0
	for _, file := range files {
		b.Add(file.Path, file.Kind, file.Data)
		size += len(file.Data)
	}
	o := newOutput(f.out, b)
	d := delivery{outputs: []*output{o}, inputs: []string{path}, force: f.force, stdout: a.out}
	if err := d.commit(ctx); err != nil {
		return err
	}
	a.exportReceipt(form, in.Product, o, size)
	return nil
}

// installation reads a bundle and judges it: what is exported is put on a server
// by a program that looks at nothing.
func (a *app) installation(ctx context.Context, f *exportFlags, path string, at pki.Time) (k3s.Installation, error) {
	for flag, value := range map[string]string{"--name": f.name, "--namespace": f.namespace} {
		if value != "" && !dnsLabel.MatchString(value) {
			return k3s.Installation{}, usage(msgBadLabel, flag, value)
		}
	}
	b, err := a.openBundle(path)
	if err != nil {
		return k3s.Installation{}, err
	}
	if _, known := k3s.ProductOf(pki.Distro(f.distro)); f.distro != "" && !known {
		return k3s.Installation{}, usage(msgBadChoice, "--distro", f.distro, "k3s, rke2")
	}
	in, err := report.Installation(ctx, b, pki.Distro(f.distro), at, pki.Random{})
	if f.name != "" {
		in.Name = f.name
	}
	in.Namespace = f.namespace
	return in, err
}

// dnsLabel is what Kubernetes takes as the name of a namespace (RFC 1123).
var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// exportReceipt says what was made, for what, and what comes next; standard
// output may carry the text itself.
func (a *app) exportReceipt(form k3s.Export, p k3s.Product, o *output, size int) {
	if a.quiet {
		return
	}
	place := "FILE"
	if o.path != standardOutput {
		place = shellPath(o.name())
		drawTable(a.out, "", [][]string{{a.t(wordMade), o.name(), a.t(msgExportSize, size)}})
	} else if form.Limit > 0 {
		a.say(msgExportSize, size)
	}
	if form.Limit > 0 && size > form.Limit {
		a.say(msgExportLimit, size, form.Limit)
	}
	a.say(msgExportFor, p.Command, p.TLSDir())
	a.say(exportNext[form.Name], place)
}
