package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// checkFlags are the flags of check.
type checkFlags struct {
	at     pki.Time
	within int
	form   string
}

var checkForms = []string{"table", "wide", "json", "yaml", "openmetrics", "ics"}

func (a *app) checkCommand() *cobra.Command {
	f := &checkFlags{within: defaultWithin}
	c := a.newCommand(checkAbout, cobra.MinimumNArgs(1), func(_ *cobra.Command, args []string) error {
		if err := checkForm(f.form, checkForms...); err != nil {
			return err
		}
		return a.check(args, f)
	})
	c.Flags().Var(&timeFlag{&f.at}, "at", a.t(flagAt))
	c.Flags().Var(&daysFlag{&f.within}, "within", a.t(flagWithin))
	choiceFlagShort(c.Flags(), &f.form, "output", "o", strings.Join(checkForms, "|"), "table", a.t(flagReportForm))
	return c
}

// defaultWithin is the window of `k3s certificate check`, in days.
const defaultWithin = 120

// daysFlag reads a number of days or years: 120d, 1y.
type daysFlag struct{ days *int }

func (f *daysFlag) String() string {
	if f.days == nil {
		return ""
	}
	return strconv.Itoa(*f.days) + "d"
}

var daysForm = regexp.MustCompile(`^([0-9]{1,5})(d|y)$`)

func (f *daysFlag) Set(s string) error {
	m := daysForm.FindStringSubmatch(s)
	if m == nil {
		return &usageError{s + ": 120d, 1y"}
	}
	n, _ := strconv.Atoi(m[1])
	if m[2] == "y" {
		n *= 365
	}
	*f.days = n
	return nil
}

func (*daysFlag) Type() string { return "DAYS" }

func (a *app) check(paths []string, f *checkFlags) error {
	b, unread, err := a.openNodes(paths, false)
	if err != nil {
		return err
	}
	r := report.CheckExpiry(b, report.ExpiryOptions{At: a.judgedAt(f.at), Within: f.within, Unread: unread})
	if len(r.Certificates)+len(r.Findings) == 0 {
		return failed(msgCheckNothing, strings.Join(paths, " "))
	}
	switch f.form {
	case "json", "yaml":
		err = writeExpiry(a.out, f.form, r)
	case "openmetrics":
		_, err = a.out.Write(openMetrics(r))
	case "ics":
		_, err = a.out.Write(a.calendar(r))
	default:
		a.drawExpiry(r, paths, f.form == "wide")
	}
	if err == nil && r.Alarm {
		return errFindings
	}
	return err
}

// drawExpiry shows what ends first on top, then what is wrong, then what to do.
func (a *app) drawExpiry(r report.ExpiryReport, paths []string, wide bool) {
	rows := make([]*report.ExpiryRow, 0, len(r.Certificates))
	for i := range r.Certificates {
		if c := &r.Certificates[i]; wide || c.Counts() {
			rows = append(rows, c)
		}
	}
	slices.SortStableFunc(rows, func(a, b *report.ExpiryRow) int { return cmp.Compare(a.NotAfter.Unix(), b.NotAfter.Unix()) })
	if len(rows) > 0 {
		drawRows(a.out, "", len(rows)+1, func(i int) []string {
			if i == 0 {
				return a.expiryHead(wide)
			}
			return a.expiryRow(*rows[i-1], wide)
		})
	}
	of := distros(r)
	for _, group := range groupFindings(r.Findings) {
		for _, distro := range []pki.Distro{pki.K3s, pki.RKE2, report.KubeadmDistro} {
			own := slices.DeleteFunc(slices.Clone(group), func(f pki.Finding) bool { return of[f.Subject] != distro })
			if len(own) > 0 {
				a.distro = distro
				a.drawFindings(own, wide)
			}
		}
	}
	a.drawRemedies(r.Remedies, func(node string) string {
		if len(paths) == 1 && node == "." {
			return paths[0]
		}
		return node
	})
	verdict, color := msgCheckQuiet, green
	if r.Alarm {
		verdict, color = msgCheckAlarm, red
	}
	count := map[report.ExpiryStatus]int{}
	for _, c := range r.Certificates {
		if c.Counts() {
			count[c.Status]++
		}
	}
	bad := count[report.StatusExpired] + count[report.StatusNotYetValid]
	fmt.Fprintf(a.out, "\n%s\n", a.tint(color, a.t(verdict, r.At.String(), bad, count[report.StatusWarning], r.Within, count[report.StatusOK])))
	if !r.Alarm {
		a.say(msgCheckNext, nextName(paths[0]))
	}
}

// distros tells by the subjects of findings in whose words they are told: those of
// the node on which it is, else those of all nodes if they are of one, else k3s's.
func distros(r report.ExpiryReport) map[string]pki.Distro {
	of, all := map[string]pki.Distro{}, pki.Distro("")
	for _, f := range r.Findings {
		of[f.Subject] = ""
	}
	for i := range r.Certificates {
		c := &r.Certificates[i]
		if c.Distro == "" {
			continue
		}
		if all == "" {
			all = c.Distro
		} else if all != c.Distro {
			all = pki.K3s
		}
		for _, subject := range []string{c.Place().String(), c.Path} {
			if _, told := of[subject]; told {
				of[subject] = c.Distro
			}
		}
	}
	for subject, distro := range of {
		if distro == "" {
			of[subject] = cmp.Or(all, pki.K3s)
		}
	}
	return of
}

func (a *app) expiryHead(wide bool) []string {
	head := []string{a.t(headFilename), a.t(headSubject), a.t(headUsages), a.t(headExpires), a.t(headResidual), a.t(headStatus), a.t(headAuthority), a.t(headRestart)}
	if wide {
		head = append(head, a.t(headKind), a.t(headNode), "SHA-256")
	}
	return head
}

// dateForm is that of `k3s certificate check` and of kubeadm.
const dateForm = "Jan 02, 2006 15:04 MST"

func (a *app) expiryRow(c report.ExpiryRow, wide bool) []string {
	place := report.Printable(c.Place().String())
	if c.First && c.Copies > 0 && !wide {
		place += a.t(msgMorePlaces, c.Copies)
	}
	row := []string{
		place, report.Printable(c.Subject), strings.Join(c.Usages, ","), c.ExpiryTime.Format(dateForm), residual(c),
		string(c.Status), report.Printable(c.Issuer), a.restartWord(c.Restart),
	}
	if wide {
		row = append(row, string(c.Kind), report.Printable(c.Node), c.Fingerprint)
	}
	return row
}

// residual is the time left in one unit, as kubeadm shows it.
func residual(c report.ExpiryRow) string {
	seconds := c.ResidualTime / 1e9
	switch {
	case c.DaysLeft >= 2*365 || c.DaysLeft <= -2*365:
		return fmt.Sprintf("%dy", c.DaysLeft/365)
	case seconds >= 86400 || seconds <= -86400:
		return fmt.Sprintf("%dd", seconds/86400)
	case seconds >= 3600 || seconds <= -3600:
		return fmt.Sprintf("%dh", seconds/3600)
	}
	return fmt.Sprintf("%dm", seconds/60)
}

func (a *app) restartWord(r report.Restart) string {
	if w, ok := restartWords[r]; ok {
		return a.t(w)
	}
	return "-"
}

// drawRemedies writes the commands of each remedy under a sentence that says
// what they do.
func (a *app) drawRemedies(remedies []report.Remedy, name func(node string) string) {
	for _, r := range remedies {
		sentence := report.ExplainRemedy(r, name(r.Node), a.lang)
		if sentence == "" {
			continue
		}
		fmt.Fprintf(a.out, "\n%s\n", a.tint(bold, sentence))
		for _, line := range r.Commands {
			fmt.Fprintf(a.out, "  %s\n", visible(line))
		}
	}
}
