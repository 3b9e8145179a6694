package main

import (
	"fmt"
	"io"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

func (j *job) report(d delivery) (report.Receipt, error) {
	offline := ""
	if len(d.outputs) > 1 {
		offline = d.outputs[0].name()
	}
	return j.made.Receipt(d.outputs[len(d.outputs)-1].name(), offline, j.prefix)
}

// receipt says what was made, where it is, until when it lives, what was not
// done, and what comes next.
func (a *app) receipt(f *bundleFlags, jobs []*job, d delivery) error {
	var reports []report.Receipt
	for _, j := range jobs {
		r, err := j.report(d)
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	w := a.out
	if f.out == standardOutput {
		w = a.err // standard output carries the archive
	}
	if f.output != "text" {
		if len(reports) == 1 {
			return writeData(w, f.output, reports[0])
		}
		return writeData(w, f.output, reports)
	}
	if a.quiet {
		return nil
	}
	for i, j := range jobs {
		a.receiptOf(w, j, reports[i])
	}
	a.nextSteps(w, f, jobs[0], d)
	return nil
}

func (a *app) receiptOf(w io.Writer, j *job, r report.Receipt) {
	cluster := ""
	if j.prefix != "" {
		cluster = " (" + r.Name + ")"
	}
	rows := [][]string{{a.t(wordMade), r.Server + cluster, a.count(msgServerPart, len(r.Files))}}
	if r.Offline != "" {
		rows = append(rows, []string{"", r.Offline + cluster, a.count(msgOfflinePart, j.made.OfflineKeys())})
	}
	drawTable(w, "", rows)
	fmt.Fprintln(w)
	drawTable(w, "", [][]string{
		{a.t(wordRoot), report.Groups(r.RootSHA256)},
		{a.t(wordToken), r.Token + a.t(msgTokenTail)},
		{a.t(wordLives), a.t(msgLives, r.Ends.Format(time.DateOnly), report.RoleName(pki.Role(r.EndsFirst), a.lang))},
		{a.t(wordTopology), a.t(map[pki.Topology]text{pki.Isolated: msgIsolated, pki.Shared: msgShared}[r.Topology])},
	})
	fmt.Fprintln(w)
}

// nextSteps prints what is not done, then the commands.
func (a *app) nextSteps(w io.Writer, f *bundleFlags, j *job, d delivery) {
	server := d.outputs[len(d.outputs)-1]
	delivered := report.Delivered{Server: server.name(), Tree: server.form == formTree}
	if len(d.outputs) > 1 && j.made.OfflineKeys() > 0 {
		delivered.Offline, delivered.Unsealed = d.outputs[0].name(), d.outputs[0].seal == nil
	}
	if server.path == standardOutput {
		delivered.Server = "" // only its reader can name it
	}
	unnamed := delivered.Server == "" || j.prefix != ""
	product, _ := k3s.ProductOf(j.run.Plan.Distro)
	for _, step := range report.Install(product, delivered, a.lang) {
		if step.Code == report.InstallUnpack && f.resume != "" {
			fmt.Fprintln(w, a.t(msgStateDone, statePath(f.resume)))
		}
		switch step.Code {
		case report.InstallSeal, report.InstallSafe, report.InstallVerify:
			fmt.Fprintln(w, step.Text)
		case report.InstallUnpack:
			if !unnamed {
				fmt.Fprintf(w, "%s\n  %s\n", step.Text, step.Commands[0])
			}
		default:
			if !unnamed {
				fmt.Fprintln(w, step.Text)
			}
		}
	}
}

// nextName is a path in the command that comes next. What went through a pipe can
// be named by its reader only.
func nextName(path string) string {
	if path == standardOutput {
		return "FILE"
	}
	return shellPath(path)
}

// shellPath makes a path safe to copy into a shell.
func shellPath(s string) string { return report.ShellPath(s) }
