package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

func (a *app) compareCommand() *cobra.Command {
	var at pki.Time
	var form, staged string
	c := a.newCommand(compareAbout, cobra.MinimumNArgs(2), func(_ *cobra.Command, args []string) error {
		if err := checkForm(form, "table", "wide", "json", "yaml"); err != nil {
			return err
		}
		return a.compare(args, staged, a.judgedAt(at), form)
	})
	c.Flags().Var(&timeFlag{&at}, "at", a.t(flagAt))
	choiceFlag(c.Flags(), &staged, "new", "PATH", "", a.t(flagNew))
	choiceFlagShort(c.Flags(), &form, "output", "o", "table|wide|json|yaml", "table", a.t(flagReportForm))
	return c
}

func (a *app) compare(paths []string, staged string, at pki.Time, form string) error {
	var nodes []report.NodeFiles
	unread := []pki.Finding{} // as JSON a list, also where nothing was found
	for _, p := range paths {
		n, found, err := a.compared(p)
		if err != nil {
			return err
		}
		nodes, unread = append(nodes, n), append(unread, found...)
	}
	var wanted *pki.Bundle
	if staged != "" {
		n, found, err := a.compared(staged)
		if err != nil {
			return err
		}
		if n.Dump {
			return failed(msgNotDirectory, staged)
		}
		wanted, unread = &n.Bundle, append(unread, found...)
	}
	c := report.Compare(nodes, wanted, at)
	c.Findings = append(unread, c.Findings...)
	var err error
	if form == "json" || form == "yaml" {
		err = writeData(a.out, form, c)
	} else {
		a.drawMatrix(c, form == "wide")
		if c.Sound() && c.Equal {
			a.say(msgCompareNext, nextName(paths[0]))
		}
	}
	if err == nil && !c.Sound() {
		return errFindings
	}
	return err
}

// compared reads one node. A single file of certificates is a dump of /cacerts.
func (a *app) compared(p string) (report.NodeFiles, []pki.Finding, error) {
	b, unread, err := a.openNodes([]string{p}, true)
	if err != nil {
		return report.NodeFiles{}, nil, err
	}
	single := len(b.Files) == 1 && !isBundlePath(p)
	if single {
		if _, _, err := pki.ParseCertificates(p, b.Files[0].Data); err != nil {
			return report.NodeFiles{}, nil, err
		}
	}
	return report.NodeFiles{Name: filepath.ToSlash(filepath.Clean(p)), Bundle: b, Dump: single}, unread, nil
}

// drawMatrix shows the matrix, what each node says about itself, then what
// is wrong and what to do.
func (a *app) drawMatrix(c report.Comparison, wide bool) {
	head := []string{a.t(headCompared)}
	for _, n := range c.Nodes {
		head = append(head, report.Printable(n.Name))
	}
	table := [][]string{head}
	for _, f := range c.Files {
		row := []string{f.Path}
		for _, cell := range f.Cells {
			row = append(row, a.cellWord(cell, wide))
		}
		table = append(table, row)
	}
	drawTable(a.out, "", table)
	for _, n := range c.Nodes {
		fmt.Fprintf(a.out, "\n%s\n", foreign(n.Name))
		drawTable(a.out, "  ", a.nodeRows(n))
	}
	for _, group := range groupFindings(c.Findings) {
		if len(c.Nodes) > 0 {
			a.distro = c.Nodes[0].Distro
		}
		a.drawFindings(group, wide)
	}
	a.drawRemedies(c.Remedies, func(node string) string { return node })
	errors, warnings := 0, 0
	for _, f := range c.Findings {
		switch f.Severity {
		case pki.Error:
			errors++
		case pki.Warning:
			warnings++
		}
	}
	verdict := a.tint(green, a.t(msgCompareEqual, len(c.Nodes)))
	if errors+warnings > 0 || !c.Equal {
		verdict = a.tint(red, a.t(msgCompareDiffer, errors, warnings))
	}
	fmt.Fprintf(a.out, "\n%s\n", verdict)
}

// cellWord is a cell of the matrix; wide adds time and the beginning of the
// hash.
func (a *app) cellWord(c report.Cell, wide bool) string {
	word, ok := cellWords[c.State]
	if !ok {
		return "-"
	}
	parts := []string{a.t(word)}
	if wide && c.SHA256 != "" {
		parts = append(parts, c.SHA256[:8])
		if c.Time != nil {
			parts = append(parts, c.Time.Format(time.DateTime))
		}
	}
	return strings.Join(parts, " ")
}

func (a *app) nodeRows(n report.ComparedNode) [][]string {
	var rows [][]string
	if n.Token != nil {
		line := n.Token.Token
		if n.TokenFile != "" && n.TokenFile != n.Token.Hash {
			line += "  " + a.t(msgTokenInFile, n.TokenFile[:12])
		}
		rows = append(rows, []string{a.t(wordToken), line})
	}
	if n.Started != nil {
		line := n.Started.String()
		if n.Server != "" {
			line += "  " + a.t(msgServerFlag, report.Printable(n.Server))
		}
		rows = append(rows, []string{a.t(wordStarted), line})
	}
	if n.Leaves > 0 {
		rows = append(rows, []string{a.t(wordLeaves), a.t(msgLeavesFollow, n.Leaves-len(n.Stale), n.Leaves)})
	}
	return rows
}
