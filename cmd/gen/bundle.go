package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// bundleFlags are the flags of commands that make a bundle.
type bundleFlags struct {
	planFlags
	placeFlags
	seal   sealFlags
	resume string
	signed []string
	dryRun bool
}

// placeFlags say where files go.
type placeFlags struct {
	out, offline string
	force        bool
	output       string
}

func (a *app) bundleCommand() *cobra.Command {
	var f bundleFlags
	c := a.newCommand(bundleAbout, cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return a.bundle(c.Context(), &f)
	})
	f.register(a, c)
	f.registerInputs(a, c)
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "PATH", "tls.tar.gz", a.t(flagOut))
	choiceFlag(c.Flags(), &f.offline, "offline-out", "PATH", "", a.t(flagOfflineOut))
	f.registerCommon(a, c)
	f.seal.register(a, c)
	choiceFlag(c.Flags(), &f.resume, "resume", "DIR", "", a.t(flagResume))
	c.Flags().StringArrayVar(&f.signed, "signed", nil, a.t(flagSigned))
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, a.t(flagDryRun))
	return c
}

func (f *placeFlags) registerCommon(a *app, c *cobra.Command) {
	c.Flags().BoolVar(&f.force, "force", false, a.t(flagForce))
	choiceFlag(c.Flags(), &f.output, "output", "text|json|yaml", "text", a.t(flagReportForm))
}

// offlinePath is where the offline part goes when nobody says: beside the
// server part, NAME-offline with the same ending.
func offlinePath(out string) string {
	dir, name := filepath.Split(filepath.Clean(out))
	for _, form := range archiveForms {
		if stem, ok := strings.CutSuffix(name, form.suffix); ok {
			return dir + stem + "-offline" + form.suffix
		}
	}
	return dir + name + "-offline"
}

// bundle is the main job: one plan or several, from flags and files to two
// archives.
func (a *app) bundle(ctx context.Context, f *bundleFlags) error {
	if err := checkForm(f.output, "text", "json", "yaml"); err != nil {
		return err
	}
	jobs, err := a.jobs(ctx, f)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.showPlans(jobs, f.output)
	}
	for _, j := range jobs {
		if off := time.Until(j.plan.Time.Time); off.Abs() > 24*time.Hour {
			a.say(msgOtherTime, j.plan.Time, pki.At(time.Now()))
		}
		a.distro = j.plan.Distro
		a.explain(j.found)
	}
	d, err := a.delivery(ctx, f, jobs)
	if err != nil {
		return err
	}
	if err := d.precheck(); err != nil {
		return err
	}
	server, offline := pki.Bundle{}, pki.Bundle{}
	for _, j := range jobs {
		if err := j.issue(ctx, a); err != nil {
			return err
		}
		merge(&server, j.made.Server, j.prefix)
		merge(&offline, j.made.Offline, j.prefix)
	}
	d.outputs[len(d.outputs)-1].bundle = server
	if len(d.outputs) > 1 {
		d.outputs[0].bundle = offline
	}
	if err := d.commit(ctx); err != nil {
		return err
	}
	return a.receipt(f, jobs, d)
}

// job is one plan on its way through the core.
type job struct {
	plan   pki.Plan
	run    pki.Run
	found  []pki.Finding
	prefix string // of paths when several plans share an output
	made   report.Made
}

// jobs resolves every plan of the call, or takes up the state of a request.
func (a *app) jobs(ctx context.Context, f *bundleFlags) ([]*job, error) {
	if f.resume != "" {
		j, err := a.resumed(ctx, f)
		return []*job{j}, err
	}
	if len(f.signed) > 0 {
		return nil, usage(msgSignedWithoutResume)
	}
	plans, err := a.plans(&f.planFlags)
	if err != nil {
		return nil, err
	}
	var jobs []*job
	for _, plan := range plans {
		j := &job{plan: plan}
		if len(plans) > 1 {
			j.prefix = plan.Name + "/"
		}
		resolved, layout, given, found, err := a.resolve(ctx, &j.plan, &f.planFlags)
		if err != nil {
			return nil, err
		}
		j.found = found
		j.run = pki.Run{Plan: resolved, Layout: layout, Given: given, Keys: pki.Random{}}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// issue makes the bundle of a job and adds the papers of the offline part.
func (j *job) issue(ctx context.Context, a *app) error {
	last := time.Now()
	j.run.Progress = func(s pki.Step) {
		now := time.Now()
		s.Elapsed, last = now.Sub(last), now
		a.progress(s)
	}
	issued, err := j.run.Issue(ctx)
	if err != nil {
		return err
	}
	a.explain(issued.Findings)
	if j.made, err = report.Finish(ctx, issued, j.run.Given, j.found, j.run.Keys, a.lang); err != nil {
		return err
	}
	a.explain(j.made.Found[len(j.found)+len(issued.Findings):])
	return nil
}

// progress prints a line for each key that is done.
func (a *app) progress(s pki.Step) {
	if a.quiet || !a.verbose && s.Key.Bits() == 0 {
		return
	}
	fmt.Fprintln(a.err, a.t(msgKeyDone, s.Done, s.Total, report.RoleName(s.Role, a.lang), s.Key, s.Elapsed.Round(time.Millisecond)))
}

// delivery decides where everything goes, before a key exists.
func (a *app) delivery(ctx context.Context, f *bundleFlags, jobs []*job) (delivery, error) {
	d := delivery{force: f.force, stdout: a.out}
	for _, j := range jobs {
		d.inputs = append(d.inputs, inputPaths(j.plan, f.file, f.passphraseFile, f.seal.passphraseFile, f.resume)...)
	}
	d.inputs = append(d.inputs, slices.Concat(f.signed, f.seal.recipients)...)
	seal, err := f.seal.sealer(ctx, a)
	if err != nil {
		return d, err
	}
	offline := f.offline
	if f.out == standardOutput {
		if offline == "" && madeOffline(jobs) {
			return d, usage(msgStdoutNeedsOffline)
		}
	} else if offline == "" {
		offline = offlinePath(f.out)
	}
	if offline == standardOutput {
		return d, usage(msgOfflineToStdout)
	}
	if offline != "" {
		o := newOutput(offline, pki.Bundle{})
		o.seal = seal
		d.outputs = append(d.outputs, o)
	} else if seal != nil {
		return d, usage(msgSealNothing)
	}
	d.outputs = append(d.outputs, newOutput(f.out, pki.Bundle{}))
	for _, o := range d.outputs {
		for _, left := range leftovers(filepath.Dir(o.path)) {
			a.say(msgLeftover, left)
		}
	}
	return d, nil
}

// madeOffline reports whether a run makes a key that no server may see.
func madeOffline(jobs []*job) bool {
	for _, j := range jobs {
		for _, s := range j.run.Plan.Authorities {
			row, _ := j.run.Layout.Row(s.Role)
			given := j.run.Given.Authorities[s.Role]
			if row.Safe != "" && (s.Existing == "" && !s.Elsewhere || given != nil && given.Fresh) {
				return true
			}
		}
	}
	return false
}

// merge puts a bundle into another below a prefix.
func merge(into *pki.Bundle, b pki.Bundle, prefix string) {
	into.Time = b.Time
	for _, file := range b.Files {
		into.Add(prefix+file.Path, file.Kind, file.Data)
	}
}

// resumed takes up a request: the state of the first room, the certificates of
// the second.
func (a *app) resumed(ctx context.Context, f *bundleFlags) (*job, error) {
	if name := f.planFlag(); name != "" {
		return nil, usage(msgResumeHasPlan, name)
	}
	data, err := a.readFile(statePath(f.resume))
	if err != nil {
		return nil, err
	}
	state, keys, err := pki.ParseState(data)
	if err != nil {
		return nil, err
	}
	if len(f.signed) == 0 {
		return nil, usage(msgResumeNeedsSigned)
	}
	j := &job{plan: state.Plan}
	a.distro = state.Plan.Distro
	// The cluster's files are made now: modification times are payload.
	j.plan.Time = a.time(pki.Time{})
	layout, err := k3s.Layout(j.plan)
	if err != nil {
		return nil, err
	}
	given, notes, err := a.given(&j.plan, &f.planFlags)
	if err != nil {
		return nil, err
	}
	found, err := a.acceptSigned(state, keys, f.signed, given)
	if err != nil {
		return nil, err
	}
	resolved, more, err := pki.Resolve(j.plan, layout, given)
	if err != nil {
		return nil, err
	}
	if err := state.Unchanged(resolved); err != nil {
		return nil, err
	}
	j.found = slices.Concat(notes, found, more)
	j.run = pki.Run{Plan: resolved, Layout: layout, Given: given, Keys: pki.Random{}}
	return j, nil
}

// acceptSigned reads what came back and joins it with the keys of the requests.
func (a *app) acceptSigned(state pki.State, keys map[pki.Role]pki.Key, paths []string, given pki.Given) ([]pki.Finding, error) {
	var signed []pki.Signed
	for _, path := range paths {
		data, err := a.readFile(path)
		if err != nil {
			return nil, err
		}
		signed = append(signed, pki.Signed{Path: path, Data: data})
	}
	return state.AcceptAll(keys, signed, given)
}
