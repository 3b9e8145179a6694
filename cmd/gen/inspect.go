package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

func (a *app) inspectCommand() *cobra.Command {
	var at pki.Time
	var form string
	c := a.newCommand(inspectAbout, cobra.MinimumNArgs(1), func(_ *cobra.Command, args []string) error {
		if err := checkForm(form, "table", "wide", "json", "yaml"); err != nil {
			return err
		}
		return a.inspect(args, at, form)
	})
	c.Flags().Var(&timeFlag{&at}, "at", a.t(flagAt))
	choiceFlagShort(c.Flags(), &form, "output", "o", "table|wide|json|yaml", "table", a.t(flagReportForm))
	return c
}

func (a *app) inspect(paths []string, at pki.Time, form string) error {
	at = a.judgedAt(at)
	b, err := a.openAll(paths)
	if err != nil {
		return err
	}
	in := report.Inspect(b, at)
	if form == "json" || form == "yaml" {
		return writeData(a.out, form, in)
	}
	if len(in.Certificates)+len(in.Keys)+len(in.Findings) == 0 {
		return failed(msgInspectNothing, strings.Join(paths, " "))
	}
	a.drawInspection(in, form == "wide")
	a.explain(in.Findings)
	return nil
}

// judgedAt is the moment of a report: --at, or now.
func (a *app) judgedAt(at pki.Time) pki.Time {
	if !at.IsZero() {
		return at
	}
	return a.time(pki.Time{})
}

// openAll reads every path into one bundle. A path alone keeps the names inside
// it; of several, each stands in front of its own.
func (a *app) openAll(paths []string) (pki.Bundle, error) {
	var all pki.Bundle
	for _, path := range paths {
		b, err := a.openBundle(path)
		if err != nil {
			return pki.Bundle{}, err
		}
		for _, f := range b.Files {
			name := f.Path
			switch {
			case len(b.Files) == 1 && !isBundlePath(path):
				name = filepath.ToSlash(path)
			case len(paths) > 1:
				name = filepath.ToSlash(filepath.Join(path, f.Path))
			}
			if all.File(name) == nil {
				all.Add(name, f.Kind, a.kubeconfig(name, f.Data))
				g := all.File(name)
				g.Mode, g.Time = f.Mode, f.Time
			}
		}
	}
	return all, nil
}

// kubeconfig turns a kubeconfig into the JSON that reports read, and leaves
// everything else as it is.
func (a *app) kubeconfig(name string, data []byte) []byte {
	if !bytes.Contains(data, []byte("certificate-authority")) && !bytes.Contains(data, []byte("client-certificate")) ||
		bytes.Contains(data, []byte("-----BEGIN ")) {
		return data
	}
	var tree map[string]any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		a.say(msgSkipped, name, err)
		return data
	}
	converted, err := json.Marshal(tree)
	if err != nil {
		a.say(msgSkipped, name, err)
		return data
	}
	return converted
}

// drawInspection draws the tree of who signed whom, then the keys that belong to
// no certificate here; wide adds a table of the rest.
func (a *app) drawInspection(in report.Inspection, wide bool) {
	keyed := map[int]bool{}
	var alone [][]string
	for _, k := range in.Keys {
		if k.Certificate >= 0 {
			keyed[k.Certificate] = true
			continue
		}
		alone = append(alone, []string{report.Printable(k.Place.String()), orDash(k.Algorithm), k.Format, orDash(k.KeyFingerprint[:min(16, len(k.KeyFingerprint))])})
	}
	var build func(indexes []int) []*branch
	build = func(indexes []int) (out []*branch) {
		for _, i := range indexes {
			out = append(out, &branch{label: a.certificateLine(in.Certificates[i], keyed[i]), children: build(in.Below(i))})
		}
		return out
	}
	drawTree(a.out, "", build(in.Tops()))
	if len(alone) > 0 {
		fmt.Fprintf(a.out, "\n%s\n", a.t(headKeysAlone))
		drawTable(a.out, "  ", alone)
	}
	if wide {
		fmt.Fprintf(a.out, "\n%s\n", a.t(headCertificates))
		a.drawDetails(in)
	}
}

// foreign is a name out of a file, or that of a file, as a label may hold it:
// cut to a length, nothing in it for the terminal to obey, no private key.
func foreign(s string) string { return visible(report.Printable(s)) }

// certificateLine is one line of the tree: name, role, key, end, where it is.
// What is foreign is cleaned here, since the end may be coloured.
func (a *app) certificateLine(c report.Certificate, key bool) string {
	parts := []string{foreign(c.Name)}
	if c.Role != "" {
		parts = append(parts, report.RoleName(c.Role, a.lang))
	}
	parts = append(parts, c.Key, a.end(c))
	place := foreign(ownPlace(c).String())
	if n := len(c.Places) - 1; n > 0 {
		place += a.t(msgMorePlaces, n)
	}
	parts = append(parts, place)
	if key {
		parts = append(parts, a.t(msgWithKey))
	}
	return strings.Join(parts, "  ")
}

// ownPlace is the first place that the certificate does not share with one that
// it issued: the head of a file.
func ownPlace(c report.Certificate) report.Place {
	for _, p := range c.Places {
		if p.Index == 1 {
			return p
		}
	}
	return c.Places[0]
}

// soonDays is when an end is shown as near: k3s renews leaves 120 days before
// theirs.
const soonDays = 120

// end says when a certificate ends; colour only repeats what the words say.
func (a *app) end(c report.Certificate) string {
	date := c.NotAfter.Format(time.DateOnly)
	switch {
	case c.Status == report.Expired:
		return a.tint(red, a.t(msgEnded, date))
	case c.Status == report.NotYetValid:
		return a.tint(red, a.t(msgBegins, c.NotBefore.Format(time.DateOnly)))
	case c.DaysLeft < soonDays:
		return a.tint(yellow, a.t(msgEndsIn, date, c.DaysLeft))
	}
	return a.t(msgEndsIn, date, c.DaysLeft)
}

// drawDetails lists for each certificate what the tree has no room for.
func (a *app) drawDetails(in report.Inspection) {
	for _, c := range in.Certificates {
		fmt.Fprintf(a.out, "  %s\n", foreign(c.Name))
		rows := [][]string{
			{a.t(wordSubject), c.Subject},
			{a.t(wordIssuer), c.Issuer},
			{a.t(wordSerial), c.Serial},
			{"SHA-256", c.Fingerprint},
			{a.t(wordSignature), c.SignatureAlgorithm},
			{a.t(wordLives), c.NotBefore.String() + " … " + c.NotAfter.String()},
			{"CA", caWords(c)},
			{"keyUsage", strings.Join(c.KeyUsage, ", ")},
			{"extKeyUsage", strings.Join(c.ExtKeyUsage, ", ")},
			{"subjectAltName", strings.Join(c.Names, ", ")},
			{"nameConstraints", strings.Join(c.NameConstraints, ", ")},
			{"SKI", c.SubjectKeyID},
			{"AKI", c.AuthorityKeyID},
		}
		for _, p := range c.Places {
			rows = append(rows, []string{a.t(wordPlace), p.String()})
		}
		var shown [][]string
		for _, row := range rows {
			if row[1] != "" {
				shown = append(shown, []string{row[0], report.Printable(row[1])})
			}
		}
		drawTable(a.out, "    ", shown)
	}
}

func caWords(c report.Certificate) string {
	switch {
	case !c.CA:
		return ""
	case c.PathLength != nil:
		return fmt.Sprintf("pathLen %d", *c.PathLength)
	}
	return "pathLen -"
}

// tint colours results on standard output.
func (a *app) tint(color, s string) string {
	if !a.colored(a.out) {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}
