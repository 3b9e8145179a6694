package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// Files of a request directory.
const (
	stateFile = "state.json" // secret: the keys that wait for their certificates
	planFile  = "plan.json"  // public: travels with the requests
)

// statePath takes the request directory or the state file itself.
func statePath(path string) string {
	if filepath.Ext(path) == ".json" {
		return path
	}
	return filepath.Join(path, stateFile)
}

func (a *app) requestCommand() *cobra.Command {
	var f authorityFlags
	c := a.newCommand(requestAbout, cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return a.request(c.Context(), &f)
	})
	f.register(a, c)
	f.registerInputs(a, c)
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "DIR", "request", a.t(flagOutDir))
	f.registerCommon(a, c)
	return c
}

// request is the first room: keys and requests for everything whose issuer is
// on another machine. Without --elsewhere that is the root.
func (a *app) request(ctx context.Context, f *authorityFlags) error {
	if err := checkForm(f.output, "text", "json", "yaml"); err != nil {
		return err
	}
	plan, err := a.plan(&f.planFlags)
	if err != nil {
		return err
	}
	if len(plan.Elsewhere) == 0 && plan.Inputs.Root == "" && plan.Inputs.Intermediate == "" && plan.Inputs.Directory == "" {
		plan.Elsewhere = []pki.Role{pki.Root}
	}
	resolved, layout, given, found, err := a.resolve(ctx, &plan, &f.planFlags)
	if err != nil {
		return err
	}
	if f.out == standardOutput {
		return usage(msgOfflineToStdout)
	}
	o := newOutput(f.out, pki.Bundle{})
	d := delivery{outputs: []*output{o}, inputs: inputPaths(plan, f.file, f.passphraseFile), force: f.force, stdout: a.out}
	if err := d.precheck(); err != nil {
		return err
	}
	a.explain(found)
	run := pki.Run{Plan: resolved, Layout: layout, Given: given, Keys: pki.Random{}}
	here, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	plan.Inputs = anchored(plan.Inputs, here) // the bundle may be resumed from elsewhere
	made, err := run.Request(ctx, plan)
	if err != nil {
		return err
	}
	o.bundle = pki.Bundle{Time: plan.Time.Time}
	for role, csr := range made.Requests {
		o.bundle.Add(string(role)+".csr", pki.KindPublic, csr)
	}
	canonical, err := resolved.Canonical()
	if err != nil {
		return err
	}
	o.bundle.Add(planFile, pki.KindPublic, append(canonical, '\n'))
	state, err := made.State.MarshalState()
	if err != nil {
		return err
	}
	o.bundle.Add(stateFile, pki.KindSecret, state)
	if err := d.commit(ctx); err != nil {
		return err
	}
	return a.requestReceipt(f, resolved, made)
}

func (a *app) requestReceipt(f *authorityFlags, plan pki.Resolved, made *pki.Requested) error {
	digest, err := plan.Digest()
	if err != nil {
		return err
	}
	type entry struct {
		Role      pki.Role `json:"role"`
		Issuer    pki.Role `json:"issuer"`
		Request   string   `json:"request"`
		PublicKey string   `json:"publicKeySHA256"`
	}
	var entries []entry
	var rows, keys [][]string
	for _, s := range plan.Requests() {
		path := filepath.Join(f.out, string(s.Role)+".csr")
		entries = append(entries, entry{s.Role, s.Issuer, path, made.PublicKeys[s.Role]})
		keys = append(keys, []string{a.t(msgRequestKey, report.RoleName(s.Role, a.lang)), report.Groups(made.PublicKeys[s.Role])})
		rows = append(rows, []string{a.t(wordMade), path, a.t(msgRequestFor, report.RoleName(s.Role, a.lang), report.RoleName(s.Issuer, a.lang))})
	}
	if f.output != "text" {
		return writeData(a.out, f.output, map[string]any{
			"planDigest": fmt.Sprintf("%x", digest), "requests": entries,
			"plan": filepath.Join(f.out, planFile), "state": filepath.Join(f.out, stateFile),
		})
	}
	if a.quiet {
		return nil
	}
	rows = append(rows,
		[]string{"", filepath.Join(f.out, planFile), a.t(msgPlanTravels)},
		[]string{"", filepath.Join(f.out, stateFile), a.t(msgStateStays)})
	drawTable(a.out, "", rows)
	fmt.Fprintf(a.out, "\n%s\n", a.t(headCompare))
	drawTable(a.out, "  ", append([][]string{{a.t(wordPlan), report.Groups(fmt.Sprintf("%x", digest))}}, keys...))
	fmt.Fprintln(a.out)
	first := entries[0]
	fmt.Fprintln(a.out, a.t(msgNextSign, first.Role, first.Role))
	fmt.Fprintln(a.out, a.t(msgNextResume, shellPath(f.out), first.Role))
	return nil
}

// signFlags are the flags of the second room.
type signFlags struct {
	planFlags
	placeFlags
	issuer, key string
}

func (a *app) signCommand() *cobra.Command {
	var f signFlags
	c := a.newCommand(signAbout, cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		return a.sign(c.Context(), &f, args[0])
	})
	c.Flags().StringVarP(&f.file, "file", "f", "", a.t(flagSignPlan))
	choiceFlag(c.Flags(), &f.issuer, "root", "FILE", "", a.t(flagSignRoot))
	choiceFlag(c.Flags(), &f.key, "root-key", "FILE", "", a.t(flagSignKey))
	f.registerPassphrase(a, c)
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "FILE", "", a.t(flagSignOut))
	f.registerCommon(a, c)
	return c
}

// sign is the second room: the request proves possession of its key, the plan
// decides everything else.
func (a *app) sign(ctx context.Context, f *signFlags, path string) error {
	if err := checkForm(f.output, "text", "json", "yaml"); err != nil {
		return err
	}
	if f.issuer == "" || f.key == "" || f.file == "" {
		return usage(msgSignNeeds)
	}
	data, err := a.readFile(f.file)
	if err != nil {
		return err
	}
	plan, err := pki.ParseResolved(data)
	if err != nil {
		return err
	}
	a.distro = plan.Distro
	now := a.time(pki.Time{})
	layout, err := k3s.Layout(pki.Plan{Distro: plan.Distro, Topology: plan.Topology, Time: now})
	if err != nil {
		return err
	}
	if data, err = a.readFile(path); err != nil {
		return err
	}
	vetted, err := a.reader(&f.planFlags).Vet(plan, layout, pki.Signed{Path: path, Data: data}, f.issuer, f.key, now)
	if err != nil {
		return err
	}
	if f.out == "" {
		f.out = string(vetted.Spec.Role) + ".crt"
	}
	known := len(vetted.Found)
	a.explain(vetted.Found)
	o := newOutput(f.out, pki.Bundle{})
	o.form = formFile
	d := delivery{outputs: []*output{o}, inputs: named(path, f.file, f.issuer, f.key, f.passphraseFile), force: f.force, stdout: a.out}
	if err := d.precheck(); err != nil {
		return err
	}
	signed, err := vetted.Sign(ctx, now, pki.Random{})
	if err != nil {
		return err
	}
	a.explain(vetted.Found[known:])
	o.bundle.Time = now.Time
	o.bundle.Add(filepath.Base(f.out), pki.KindChain, pki.EncodeCertificates(signed.Chain()...))
	if err := d.commit(ctx); err != nil {
		return err
	}
	return a.signReceipt(f, signed, plan)
}

func (a *app) signReceipt(f *signFlags, signed *pki.Authority, plan pki.Resolved) error {
	c := signed.Certificate
	w := a.out
	if f.out == standardOutput {
		w = a.err
	}
	if f.output != "text" {
		return writeData(w, f.output, report.EntryOf(signed.Role, c, true))
	}
	if a.quiet {
		return nil
	}
	digest, err := plan.Digest()
	if err != nil {
		return err
	}
	drawTable(w, "", [][]string{{a.t(wordMade), f.out, a.t(msgSignedChain, 1+len(signed.Above))}})
	fmt.Fprintln(w)
	drawTable(w, "", [][]string{
		{a.t(wordSubject), c.Subject.String()},
		{a.t(wordIssuer), c.Issuer.String()},
		{"SHA-256", report.Groups(pki.Fingerprint(c))},
		{a.t(wordLives), a.t(msgUntil, c.NotAfter.UTC().Format(time.DateOnly))},
		{a.t(wordRoot), report.Groups(pki.Fingerprint(signed.Root()))},
	})
	fmt.Fprintf(w, "\n%s\n", a.t(headCompare))
	drawTable(w, "  ", [][]string{
		{a.t(wordPlan), report.Groups(fmt.Sprintf("%x", digest))},
		{a.t(msgRequestKey, report.RoleName(signed.Role, a.lang)), report.Groups(pki.KeyFingerprint(c.PublicKey))},
	})
	fmt.Fprintln(w)
	fmt.Fprintln(w, a.t(msgNextBack, shellPath(f.out)))
	return nil
}
