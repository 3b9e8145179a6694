package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

func (a *app) verifyCommand() *cobra.Command {
	var at pki.Time
	var form, against string
	c := a.newCommand(verifyAbout, cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		if err := checkForm(form, "table", "wide", "json", "yaml"); err != nil {
			return err
		}
		if against != "" {
			return a.verifyAgainst(c.Context(), args[0], against, at, form)
		}
		return a.verify(c.Context(), args[0], at, form)
	})
	choiceFlag(c.Flags(), &against, "against", "OLD", "", a.t(flagAgainst))
	c.Flags().Var(&timeFlag{&at}, "at", a.t(flagAt))
	choiceFlagShort(c.Flags(), &form, "output", "o", "table|wide|json|yaml", "table", a.t(flagReportForm))
	return c
}

func (a *app) verify(ctx context.Context, path string, at pki.Time, form string) error {
	at = a.judgedAt(at)
	b, err := a.openBundle(path)
	if err != nil {
		return err
	}
	forgetTimes(b, at)
	var verdicts []report.Verification
	errors := 0
	clusters := report.Clusters(b)
	for _, c := range clusters {
		v, err := report.Verify(ctx, c.Bundle, at, pki.Random{})
		if err != nil {
			return err
		}
		verdicts, errors = append(verdicts, v), errors+v.Count(pki.Error)
	}
	if form == "json" || form == "yaml" {
		var out any = verdicts
		if len(verdicts) == 1 {
			out = verdicts[0]
		}
		err = writeData(a.out, form, out)
	} else {
		for i, v := range verdicts {
			a.distro = v.Distro
			if i > 0 {
				fmt.Fprintln(a.out)
			}
			a.drawVerification(filepath.Join(path, clusters[i].Directory), v, form == "wide", nil)
		}
	}
	if err == nil && errors > 0 {
		return errFindings
	}
	if err == nil && form != "json" && form != "yaml" {
		a.say(msgVerifyNext, nextName(path))
	}
	return err
}

// forgetTimes takes the modification times away where the bundle is judged for
// the past: against it every file is of the future.
func forgetTimes(b pki.Bundle, at pki.Time) {
	if !at.Before(time.Now().Add(-time.Minute)) {
		return
	}
	for i := range b.Files {
		b.Files[i].Time = time.Time{}
	}
}

// drawVerification shows what was recognised, then every finding with its
// reason, then the verdict. Between comes what it is compared with, if anything.
func (a *app) drawVerification(path string, v report.Verification, wide bool, against *comparison) {
	rows := [][]string{{a.t(wordBundle), strings.Join([]string{path, string(v.Distro), a.topologyWord(v.Topology)}, "  ")}}
	if v.Token != nil {
		rows = append(rows, []string{a.t(wordToken), v.Token.Token + "  " + a.tokenWords(v.Token)})
	}
	if n := v.Probes; n.Go.Run+n.Skipped > 0 {
		tried := a.t(msgProbes, n.Go.Run-n.Go.Failed, n.Go.Run, n.Path.Run-n.Path.Failed, n.Path.Run)
		if n.Skipped > 0 {
			tried += a.t(msgProbesSkipped, n.Skipped)
		}
		rows = append(rows, []string{a.t(wordProbes), tried})
	}
	if v.NextExpiry != nil {
		end := v.NextExpiry
		rows = append(rows, []string{a.t(wordLives), a.t(msgLives, end.End.Format(time.DateOnly), report.Printable(end.Name))})
	}
	if against != nil {
		rows = append(rows, a.againstRows(*against)...)
	}
	drawTable(a.out, "", rows)
	if against != nil {
		a.drawRuling(*against, wide)
	}
	for _, group := range groupFindings(v.Findings) {
		a.drawFindings(group, wide)
	}
	verdict, color := msgSound, green
	if v.Count(pki.Error) > 0 {
		verdict, color = msgUnsound, red
	}
	fmt.Fprintf(a.out, "\n%s\n", a.tint(color, a.t(verdict, v.Count(pki.Error), v.Count(pki.Warning), v.Count(pki.Notice))))
}

func (a *app) topologyWord(t pki.Topology) string {
	switch t {
	case "":
		return a.t(msgTopologyUnknown)
	case report.DefaultTopology:
		return a.t(wordDefaultCAs)
	case report.MixedTopology:
		return a.t(wordMixed)
	}
	return string(t) // as --topology takes it
}

func (a *app) tokenWords(t *report.Token) string {
	if t.Mode == k3s.TokenRoot {
		return a.t(msgUntil, t.Until.Format(time.DateOnly))
	}
	return string(t.Mode)
}

// groupFindings puts findings of one code together, in the order in which the
// codes appear: the reason is the same, so it is told once.
func groupFindings(findings []pki.Finding) [][]pki.Finding {
	var groups [][]pki.Finding
	index := map[pki.Code]int{}
	for _, f := range findings {
		i, known := index[f.Code]
		if !known {
			i = len(groups)
			index[f.Code], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// shortList is how many findings of one code are shown in the narrow form.
const shortList = 4

// drawFindings writes what is so, once for each finding, then why it matters and
// what to do.
func (a *app) drawFindings(group []pki.Finding, wide bool) {
	if a.quiet && group[0].Severity != pki.Error {
		return
	}
	fmt.Fprintf(a.out, "\n%s\n", a.mark(group[0]))
	shown := group
	if !wide && len(group) > shortList {
		shown = group[:shortList-1]
	}
	var why, fix []string
	once := func(list []string, s string) []string {
		for _, known := range list {
			if known == s {
				return list
			}
		}
		return append(list, s)
	}
	for _, f := range shown {
		m := report.ExplainFor(f, a.lang, a.distro)
		fmt.Fprintf(a.out, "  %s\n", m.What)
		why, fix = once(why, m.Why), once(fix, m.Fix)
	}
	if hidden := len(group) - len(shown); hidden > 0 {
		fmt.Fprintf(a.out, "  %s\n", a.t(msgMoreFindings, hidden))
	}
	for _, line := range append(why, fix...) {
		if line != "" {
			fmt.Fprintf(a.out, "    %s\n", line)
		}
	}
}

// mark is the head of a finding on standard output.
func (a *app) mark(f pki.Finding) string {
	words := map[pki.Severity]text{pki.Error: msgError, pki.Warning: msgWarning, pki.Notice: msgNotice}
	colors := map[pki.Severity]string{pki.Error: red, pki.Warning: yellow, pki.Notice: cyan}
	return a.tint(colors[f.Severity], fmt.Sprintf("%s [%s]", words[f.Severity].in(a.lang), f.Code))
}
