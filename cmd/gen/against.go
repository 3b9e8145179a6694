package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// comparison is what a bundle is to replace, and what comes of it.
type comparison struct {
	path string // as it was given
	report.Against
	tokenNow *report.Token
}

// verifyAgainst judges a bundle as the successor of what runs. A predicted
// refusal of rotate-ca is among the findings of level error.
func (a *app) verifyAgainst(ctx context.Context, path, old string, at pki.Time, form string) error {
	at = a.judgedAt(at)
	if path == standardOutput && old == standardOutput {
		return usage(msgAgainstStdin)
	}
	offered, err := a.openCluster(path, at)
	if err != nil {
		return err
	}
	running, err := a.openCluster(old, at)
	if err != nil {
		return err
	}
	r, err := report.VerifyAgainst(ctx, offered, running, at, pki.Random{})
	if err != nil {
		return err
	}
	if form == "json" || form == "yaml" {
		err = writeData(a.out, form, r)
	} else {
		a.distro = r.Distro
		a.drawVerification(path, r.Verification, form == "wide", &comparison{old, r.Against, r.Token})
	}
	switch {
	case err != nil:
		return err
	case r.Count(pki.Error) > 0:
		return errFindings
	case (form == "table" || form == "wide") && !slices.ContainsFunc(r.Findings, changesNothing):
		product, _ := k3s.ProductOf(r.Distro)
		a.say(msgAgainstNext, product.Command, product.Command)
	}
	return nil
}

// changesNothing finds the notice that there is nothing to rotate.
func changesNothing(f pki.Finding) bool { return f.Code == "rotation-nothing" }

// openCluster reads a bundle that must be of one cluster.
func (a *app) openCluster(path string, at pki.Time) (pki.Bundle, error) {
	b, err := a.openBundle(path)
	if err != nil {
		return pki.Bundle{}, err
	}
	if err := oneCluster(b, path); err != nil {
		return pki.Bundle{}, err
	}
	forgetTimes(b, at)
	return b, nil
}

// againstRows are the lines at the head of the report.
func (a *app) againstRows(c comparison) [][]string {
	rows := [][]string{{a.t(wordAgainst), c.path + "  " + a.topologyWord(c.Topology)}}
	if c.tokenNow != nil && c.Token != nil {
		said := msgTokenKept
		if !c.TokenKept {
			said = msgTokenNew
		}
		rows[0] = append(rows[0][:1:1], rows[0][1]+"  "+a.t(said))
	}
	switch {
	case c.Ruling == nil:
	case c.Ruling.Saved:
		rows = append(rows, []string{"rotate-ca", a.t(msgRotateAccepted)})
	default:
		rows = append(rows, []string{"rotate-ca", a.t(msgRotateRefused)})
		var hidden []string
		for _, code := range c.ForceHides {
			hidden = append(hidden, string(code))
		}
		rows = append(rows, []string{"--force", a.t(msgForceHides, strings.Join(hidden, ", "))})
	}
	return rows
}

// drawRuling lists the eleven files in the order in which the server judges
// them; with -o wide also what it writes into its log.
func (a *app) drawRuling(c comparison, wide bool) {
	if c.Ruling == nil {
		return
	}
	fmt.Fprintf(a.out, "\n%s\n", a.t(headRuling))
	var rows [][]string
	for _, f := range c.Ruling.Files {
		from, said := wordOffered, a.t(wordAccepted)
		if !f.Offered {
			from = wordServersOwn
		}
		if f.Refused != "" {
			said = a.t(wordRefused) + " [" + string(f.Refused) + "]"
		}
		rows = append(rows, []string{f.Field, f.Path, a.t(from), said})
	}
	drawTable(a.out, "  ", rows)
	if wide && !c.Ruling.Saved {
		fmt.Fprintf(a.out, "\n%s\n  %s\n  %s\n", a.t(headRulingLog), visible(c.Ruling.Log), visible(c.Ruling.Forced()))
	}
}
