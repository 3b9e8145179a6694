package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// bundleReport is the outcome of `bundle` for programs.
type bundleReport struct {
	Distro      pki.Distro    `json:"distro"`
	Name        string        `json:"name,omitempty"`
	Topology    pki.Topology  `json:"topology"`
	Profile     pki.Profile   `json:"profile"`
	Time        pki.Time      `json:"time"`
	PlanDigest  string        `json:"planDigest"`
	Server      string        `json:"server"`
	Offline     string        `json:"offline,omitempty"`
	Files       []string      `json:"files"`
	RootSHA256  string        `json:"rootSHA256"`
	Token       string        `json:"token"`
	TokenMode   string        `json:"tokenMode"`
	TokenUntil  pki.Time      `json:"tokenUntil"`
	EndsFirst   string        `json:"endsFirst"` // role
	Ends        pki.Time      `json:"ends"`
	Certificate []reportEntry `json:"certificates"`
	Findings    []pki.Finding `json:"findings"`
}

type reportEntry struct {
	Role     pki.Role `json:"role"`
	Subject  string   `json:"subject"`
	SHA256   string   `json:"sha256"`
	NotAfter pki.Time `json:"notAfter"`
	Made     bool     `json:"made"` // false: it was given
}

func (j *job) report(d delivery) (bundleReport, error) {
	digest, err := j.run.Plan.Digest()
	if err != nil {
		return bundleReport{}, err
	}
	plan := j.run.Plan
	r := bundleReport{
		Distro: plan.Distro, Name: plan.Name, Topology: plan.Topology, Profile: plan.Profile, Time: plan.Time,
		PlanDigest: fmt.Sprintf("%x", digest), Server: d.outputs[len(d.outputs)-1].name(),
		RootSHA256: pki.Fingerprint(j.issued.Authorities[pki.ServerCA].Root()),
		Token:      j.token.String(), TokenMode: string(j.token.Mode), TokenUntil: pki.At(j.token.Until),
		Findings: append(append([]pki.Finding{}, j.found...), j.issued.Findings...),
	}
	if len(d.outputs) > 1 {
		r.Offline = d.outputs[0].name()
	}
	for _, f := range j.issued.Server.Files {
		r.Files = append(r.Files, j.prefix+f.Path)
	}
	for _, row := range j.run.Layout.Rows {
		authority := j.issued.Authorities[row.Role]
		if authority == nil {
			continue
		}
		c := authority.Certificate
		end := pki.At(c.NotAfter)
		r.Certificate = append(r.Certificate, reportEntry{row.Role, c.Subject.String(), pki.Fingerprint(c), end, j.issued.Made[row.Role]})
		if r.Ends.IsZero() || end.Before(r.Ends.Time) {
			r.Ends, r.EndsFirst = end, string(row.Role)
		}
	}
	return r, nil
}

// subjectOf names a certificate by its common name, or by its whole subject if
// it has none.
func subjectOf(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return visible(c.Subject.CommonName)
	}
	return visible(c.Subject.String())
}

// receipt says what was made, where it is, until when it lives, what was not
// done, and what comes next.
func (a *app) receipt(f *bundleFlags, jobs []*job, d delivery) error {
	var reports []bundleReport
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

func (a *app) receiptOf(w io.Writer, j *job, r bundleReport) {
	cluster := ""
	if j.prefix != "" {
		cluster = " (" + r.Name + ")"
	}
	rows := [][]string{{a.t(wordMade), r.Server + cluster, a.count(msgServerPart, len(r.Files))}}
	if r.Offline != "" {
		rows = append(rows, []string{"", r.Offline + cluster, a.count(msgOfflinePart, madeKeys(j))})
	}
	drawTable(w, "", rows)
	fmt.Fprintln(w)
	drawTable(w, "", [][]string{
		{a.t(wordRoot), groups(r.RootSHA256)},
		{a.t(wordToken), r.Token + a.t(msgTokenTail)},
		{a.t(wordLives), a.t(msgLives, r.Ends.Format(time.DateOnly), report.RoleName(pki.Role(r.EndsFirst), a.lang))},
		{a.t(wordTopology), a.t(map[pki.Topology]text{pki.Isolated: msgIsolated, pki.Shared: msgShared}[r.Topology])},
	})
	fmt.Fprintln(w)
}

// madeKeys counts the keys that only the offline part has.
func madeKeys(j *job) int {
	n := 0
	for role, made := range j.issued.Made {
		if row, ok := j.run.Layout.Row(role); ok && made && row.Safe != "" {
			n++
		}
	}
	return n
}

// nextSteps prints what is not done, then the commands.
func (a *app) nextSteps(w io.Writer, f *bundleFlags, j *job, d delivery) {
	server := d.outputs[len(d.outputs)-1]
	if len(d.outputs) > 1 && madeKeys(j) > 0 {
		offline := d.outputs[0]
		if offline.seal == nil {
			fmt.Fprintln(w, a.t(msgNotEncrypted, offline.name()))
		}
		fmt.Fprintln(w, a.t(msgMoveOffline, offline.name()))
	}
	if f.resume != "" {
		fmt.Fprintln(w, a.t(msgStateDone, statePath(f.resume)))
	}
	if server.path == standardOutput || j.prefix != "" {
		fmt.Fprintln(w, a.t(msgNextVerify, nextName(server.name())))
		return
	}
	product, _ := k3s.ProductOf(j.run.Plan.Distro)
	fmt.Fprintln(w, a.t(msgInstall, product.Command))
	fmt.Fprintln(w, "  "+installCommand(product, server))
	fmt.Fprintln(w, a.t(msgJoin, product.Port))
	fmt.Fprintln(w, a.t(msgNotRunning, product.Command))
	fmt.Fprintln(w, a.t(msgNextVerify, nextName(server.name())))
}

// installCommand unpacks the server part where the first server will look for
// it. -m takes the server's clock: the modification times are compared with
// those of later rotations, and the clock of an offline machine may be wrong.
func installCommand(p k3s.Product, server *output) string {
	dir := p.ServerDir()
	if server.form == formTree {
		return fmt.Sprintf("install -d -m 700 %s && cp -r %s/tls %s/", dir, shellPath(server.name()), dir)
	}
	return fmt.Sprintf("install -d -m 700 %s && tar -xmpf %s -C %s", dir, shellPath(server.name()), dir)
}

// nextName is a path in the command that comes next. What went through a pipe can
// be named by its reader only.
func nextName(path string) string {
	if path == standardOutput {
		return "FILE"
	}
	return shellPath(path)
}

// shellPath makes a path safe to copy into a shell: not an option, and not another
// machine's, which GNU tar takes a name with a colon for unless a slash is before it.
func shellPath(s string) string {
	colon, slash := strings.IndexByte(s, ':'), strings.IndexByte(s, '/')
	if strings.HasPrefix(s, "-") || filepath.VolumeName(s) == "" && colon >= 0 && (slash < 0 || colon < slash) {
		s = "./" + s
	}
	return shellQuote(s)
}

// shellQuote makes a word safe to copy into a shell.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,@", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
