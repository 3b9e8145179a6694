package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// bootstrapFlags are the flags of the commands below `bootstrap`.
type bootstrapFlags struct {
	placeFlags
	tokenFile, newTokenFile string
}

func (a *app) bootstrapCommand() *cobra.Command {
	c := a.newCommand(bootstrapAbout, cobra.NoArgs, nil)
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	for _, sub := range []func() *cobra.Command{
		a.bootstrapListCommand, a.bootstrapExtractCommand, a.bootstrapCompareCommand, a.bootstrapRekeyCommand,
	} {
		c.AddCommand(sub())
	}
	return c
}

// bootstrapCommandOf makes one of the commands: forms are those of its report.
func (a *app) bootstrapCommandOf(d about, arguments int, f *bootstrapFlags, forms []string, action func(context.Context, []string) error) *cobra.Command {
	c := a.newCommand(d, cobra.ExactArgs(arguments), func(c *cobra.Command, args []string) error {
		if err := checkForm(f.output, forms...); err != nil {
			return err
		}
		return action(c.Context(), args)
	})
	choiceFlag(c.Flags(), &f.tokenFile, "token-file", "FILE", "", a.t(flagTokenFile))
	return c
}

func (a *app) bootstrapListCommand() *cobra.Command {
	var f bootstrapFlags
	forms := []string{"table", "wide", "json", "yaml"}
	c := a.bootstrapCommandOf(bootstrapListAbout, 1, &f, forms, func(_ context.Context, args []string) error {
		return a.bootstrapList(&f, args[0])
	})
	choiceFlagShort(c.Flags(), &f.output, "output", "o", strings.Join(forms, "|"), "table", a.t(flagReportForm))
	return c
}

func (a *app) bootstrapExtractCommand() *cobra.Command {
	var f bootstrapFlags
	c := a.bootstrapCommandOf(bootstrapExtractAbout, 1, &f, []string{"text", "json", "yaml"}, func(ctx context.Context, args []string) error {
		return a.bootstrapExtract(ctx, &f, args[0])
	})
	choiceFlagShort(c.Flags(), &f.out, "out", "o", "PATH", "bootstrap", a.t(flagExtractOut))
	f.registerCommon(a, c)
	return c
}

func (a *app) bootstrapCompareCommand() *cobra.Command {
	var f bootstrapFlags
	forms := []string{"table", "wide", "json", "yaml"}
	c := a.bootstrapCommandOf(bootstrapCompareAbout, 2, &f, forms, func(_ context.Context, args []string) error {
		return a.bootstrapCompare(&f, args[0], args[1])
	})
	choiceFlagShort(c.Flags(), &f.output, "output", "o", strings.Join(forms, "|"), "table", a.t(flagReportForm))
	return c
}

// openBootstrap reads an export and opens the value that belongs to the token.
func (a *app) openBootstrap(f *bootstrapFlags, export string) (k3s.Bootstrap, []pki.Finding, error) {
	if err := oneStream(export, f.tokenFile, f.newTokenFile); err != nil {
		return k3s.Bootstrap{}, nil, err
	}
	values, notes, err := a.readDatastore(export)
	if err != nil {
		a.explain(notes) // a log that was not copied may be why
		return k3s.Bootstrap{}, nil, err
	}
	token, err := a.serverToken(f.tokenFile, msgAskToken, msgNoTerminalTok)
	if err != nil {
		return k3s.Bootstrap{}, nil, err
	}
	b, found, err := k3s.OpenBootstrap(export, values, token)
	if err != nil {
		a.explain(notes)
	}
	return b, append(notes, found...), err
}

// serverToken reads a token as k3s reads it: without the space around it (k3s
// pkg/cli/server/server.go).
func (a *app) serverToken(file string, question, noTerminal text) (string, error) {
	if file == "" {
		answer, err := a.ask(a.t(question))
		switch {
		case errors.Is(err, context.Canceled):
			return "", err
		case err != nil:
			return "", failed(noTerminal)
		}
		return strings.TrimSpace(string(answer)), nil
	}
	secret, err := a.secretFile(file)
	var said *translated
	if errors.As(err, &said) && said.message == msgEmptySecret {
		return "", failed(msgTokenEmpty, file)
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(secret))
	if token == "" {
		return "", failed(msgTokenEmpty, file)
	}
	return token, nil
}

// bootstrapReport is the outcome of `bootstrap list` for programs.
type bootstrapReport struct {
	Key      string           `json:"key,omitempty"`
	Plain    bool             `json:"plain"` // the form from before December 2021
	Files    []bootstrapEntry `json:"files"`
	Findings []pki.Finding    `json:"findings"`
}

// bootstrapEntry is a file without its content.
type bootstrapEntry struct {
	Name      string    `json:"name"`
	Path      string    `json:"path,omitempty"` // empty: not known here
	Size      int       `json:"size"`
	Time      *pki.Time `json:"time,omitempty"`
	SHA256    string    `json:"sha256,omitempty"` // of the first certificate, or of the first public key
	Subject   string    `json:"subject,omitempty"`
	NotAfter  *pki.Time `json:"notAfter,omitempty"`
	Algorithm string    `json:"algorithm,omitempty"`

	State k3s.FileState `json:"state,omitempty"` // `bootstrap compare`
	Disk  *pki.Time     `json:"disk,omitempty"`
}

func stamp(t time.Time) *pki.Time {
	if t.IsZero() {
		return nil
	}
	at := pki.At(t)
	return &at
}

// entries describes the files; certificates and keys are read as `inspect` does.
func (a *app) entries(b k3s.Bootstrap) []bootstrapEntry {
	in := report.Inspect(b.Bundle(), a.time(pki.Time{}))
	entries := []bootstrapEntry{}
	for _, f := range b.Files {
		e := bootstrapEntry{Name: f.Name, Path: f.Path, Size: len(f.Content), Time: stamp(f.Time)}
		first := func(p report.Place) bool { return p.File == f.Path && p.Field == "" && p.Index == 1 }
		for _, k := range in.Keys {
			if first(k.Place) && strings.HasSuffix(f.Path, ".key") {
				e.SHA256, e.Algorithm = k.KeyFingerprint, k.Algorithm
			}
		}
		for _, c := range in.Certificates {
			for _, p := range c.Places {
				if first(p) && strings.HasSuffix(f.Path, ".crt") {
					e.SHA256, e.Subject, e.NotAfter, e.Algorithm = c.Fingerprint, c.Name, stamp(c.NotAfter.Time), c.Key
				}
			}
		}
		entries = append(entries, e)
	}
	return entries
}

func (a *app) bootstrapList(f *bootstrapFlags, export string) error {
	b, found, err := a.openBootstrap(f, export)
	if err != nil {
		return err
	}
	r := bootstrapReport{Key: b.Key, Plain: b.Plain, Files: a.entries(b), Findings: append([]pki.Finding{}, found...)}
	if f.output == "json" || f.output == "yaml" {
		return writeData(a.out, f.output, r)
	}
	a.drawBootstrap(r, f.output == "wide")
	a.explain(found)
	if b.Plain {
		a.say(msgPlainForm)
	}
	a.say(msgListNext, nextName(export))
	return nil
}

// shortFinger is how much of a fingerprint the narrow table shows.
const shortFinger = 16

func (a *app) drawBootstrap(r bootstrapReport, wide bool) {
	authorities := 0
	head := []string{a.t(headFile), a.t(headSize), a.t(headTime), a.t(headFinger), a.t(headHolds)}
	if wide {
		head = append([]string{a.t(headName)}, head...)
	}
	rows := [][]string{head}
	for _, e := range r.Files {
		finger, holds := e.SHA256, e.Algorithm
		if !wide {
			finger = finger[:min(shortFinger, len(finger))]
		}
		if e.NotAfter != nil {
			holds = strings.Join([]string{report.Printable(e.Subject), e.Algorithm, a.t(msgUntil, e.NotAfter.Format(time.DateOnly))}, "  ")
		}
		row := []string{orDash(e.Path), fmt.Sprint(e.Size), timeOrDash(e.Time), orDash(finger), orDash(holds)}
		if e.Path == "" {
			row[0] = report.Printable(e.Name)
		}
		if wide {
			row = append([]string{report.Printable(e.Name)}, row...)
		}
		rows = append(rows, row)
		if strings.HasPrefix(e.Path, "tls/") {
			authorities++
		}
	}
	key := r.Key
	if key == "" {
		key = a.t(msgNoKey)
	}
	drawTable(a.out, "", [][]string{
		{a.t(wordKey), key},
		{a.t(wordWhole), a.t(msgCAFiles, len(r.Files), authorities, len(k3s.ServerPaths()))},
	})
	fmt.Fprintln(a.out)
	drawTable(a.out, "", rows)
}

func timeOrDash(t *pki.Time) string {
	if t == nil {
		return "-"
	}
	return t.String()
}

// bootstrapMade is the outcome of the commands that make files, for programs.
type bootstrapMade struct {
	Key      string        `json:"key,omitempty"`
	OldKey   string        `json:"oldKey,omitempty"`
	Out      string        `json:"out"`
	Files    []string      `json:"files"`
	Findings []pki.Finding `json:"findings"`
}

// bootstrapWrite writes one output and reports it; results do not mix with an
// output that is standard output itself.
func (a *app) bootstrapWrite(ctx context.Context, f *bootstrapFlags, export string, b pki.Bundle, m bootstrapMade) error {
	d := delivery{outputs: []*output{newOutput(f.out, b)}, force: f.force, stdout: a.out}
	for _, input := range []string{export, f.tokenFile, f.newTokenFile} {
		if input != "" && input != standardOutput {
			d.inputs = append(d.inputs, input)
			if input == export {
				d.inputs = append(d.inputs, export+"-wal")
			}
		}
	}
	if err := d.commit(ctx); err != nil {
		return err
	}
	w := a.out
	if f.out == standardOutput {
		w = a.err
	}
	m.Out = d.outputs[0].name()
	for _, file := range b.Files {
		m.Files = append(m.Files, file.Path)
	}
	if f.output != "text" {
		return writeData(w, f.output, m)
	}
	a.explain(m.Findings)
	if a.quiet {
		return nil
	}
	rows := [][]string{{a.t(wordMade), m.Out}}
	if m.Key != "" {
		rows = append(rows, []string{a.t(wordKey), m.Key})
	}
	drawTable(w, "", rows)
	return nil
}

func (a *app) bootstrapExtract(ctx context.Context, f *bootstrapFlags, export string) error {
	b, found, err := a.openBootstrap(f, export)
	if err != nil {
		return err
	}
	files := b.Bundle()
	if len(files.Files) == 0 {
		return failed(msgNothingKnown)
	}
	if files.Time.IsZero() { // the old form keeps no times
		files.Time = a.time(pki.Time{}).Time
	} else {
		files.Time = time.Time{} // each file has its own
	}
	if err := a.bootstrapWrite(ctx, f, export, files, bootstrapMade{Key: b.Key, Findings: append([]pki.Finding{}, found...)}); err != nil {
		return err
	}
	place := f.out
	if place == standardOutput {
		place = a.t(wordStandardOutput)
	}
	a.say(msgExtractKeys, place)
	a.say(msgNextVerify, nextName(f.out))
	return nil
}
