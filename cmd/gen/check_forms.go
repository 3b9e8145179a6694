package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// counted are the certificates that count: each once, no copies that nothing
// reads.
func counted(r report.ExpiryReport) []report.ExpiryRow {
	return slices.DeleteFunc(slices.Clone(r.Certificates), func(c report.ExpiryRow) bool {
		return !c.Counts()
	})
}

// openMetrics writes a report for a textfile collector: OpenMetrics 1.0, in the
// subset that the older Prometheus text format shares (gauges, no timestamps),
// since node_exporter reads that one.
func openMetrics(r report.ExpiryReport) []byte {
	var b bytes.Buffer
	family := func(name, unit, help string) {
		fmt.Fprintf(&b, "# TYPE %s gauge\n", name)
		if unit != "" {
			fmt.Fprintf(&b, "# UNIT %s %s\n", name, unit)
		}
		fmt.Fprintf(&b, "# HELP %s %s\n", name, help)
	}
	rows := counted(r)
	for _, m := range []struct {
		name, help string
		value      func(report.ExpiryRow) pki.Time
	}{
		{"rootkiln_certificate_not_after_timestamp_seconds", "When the certificate ends.", func(c report.ExpiryRow) pki.Time { return c.NotAfter }},
		{"rootkiln_certificate_not_before_timestamp_seconds", "When the certificate begins.", func(c report.ExpiryRow) pki.Time { return c.NotBefore }},
	} {
		family(m.name, "seconds", m.help)
		for _, c := range rows {
			fmt.Fprintf(&b, "%s{path=%s,kind=%s,subject=%s,issuer=%s,node=%s} %d\n", m.name, label(c.Place().String()), label(string(c.Kind)),
				label(c.Subject), label(c.Issuer), label(c.Node), m.value(c).Unix())
		}
	}
	family("rootkiln_check_certificates", "", "Certificates by status; copies that nothing reads are left out.")
	for _, status := range []report.ExpiryStatus{report.StatusOK, report.StatusWarning, report.StatusExpired, report.StatusNotYetValid} {
		n := 0
		for _, c := range rows {
			if c.Status == status {
				n++
			}
		}
		fmt.Fprintf(&b, "rootkiln_check_certificates{status=%s} %d\n", label(string(status)), n)
	}
	family("rootkiln_check_findings", "", "Findings by severity.")
	for _, severity := range []pki.Severity{pki.Error, pki.Warning, pki.Notice} {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == severity {
				n++
			}
		}
		fmt.Fprintf(&b, "rootkiln_check_findings{severity=%s} %d\n", label(string(severity)), n)
	}
	family("rootkiln_check_alarm", "", "1 if something has expired, cannot be read, or ends within the window.")
	alarm := 0
	if r.Alarm {
		alarm = 1
	}
	fmt.Fprintf(&b, "rootkiln_check_alarm %d\n", alarm)
	family("rootkiln_check_timestamp_seconds", "seconds", "The time for which this was checked.")
	fmt.Fprintf(&b, "rootkiln_check_timestamp_seconds %d\n# EOF\n", r.At.Unix())
	return b.Bytes()
}

// labelEscapes are those of OpenMetrics; everything else that a terminal would
// obey has been taken out by report.Printable.
var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// label writes a value. Two that Printable cuts must stay two, or a collector drops
// the file.
func label(s string) string {
	shown := report.Printable(s)
	if strings.HasSuffix(shown, "...") {
		shown += fmt.Sprintf("%x", sha256.Sum256([]byte(s)))[:16]
	}
	return `"` + labelEscapes.Replace(shown) + `"`
}

// calendar writes an iCalendar (RFC 5545) with one event for each day on which
// something ends, and reminders before it.
func (a *app) calendar(r report.ExpiryReport) []byte {
	byDay := map[string][]report.ExpiryRow{}
	var days []string
	for _, c := range counted(r) {
		day := c.NotAfter.Format("20060102")
		if byDay[day] == nil {
			days = append(days, day)
		}
		byDay[day] = append(byDay[day], c)
	}
	slices.Sort(days)
	var b bytes.Buffer
	line := func(s string) { foldLine(&b, s) }
	for _, s := range []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//rootkiln//check//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"} {
		line(s)
	}
	for _, day := range days {
		rows := byDay[day]
		var names, places []string
		id := sha256.New()
		for _, c := range rows {
			fmt.Fprintln(id, c.Path, c.Field, c.Index, c.Fingerprint)
			places = append(places, fmt.Sprintf("%s  %s  %s", c.NotAfter.UTC().Format(time.RFC3339), report.Printable(c.Place().String()), report.Printable(c.Subject)))
			if name := report.Printable(c.Filename); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		summary := a.t(msgCalendarEnd, len(rows), strings.Join(names[:min(3, len(names))], ", "))
		if len(names) > 3 {
			summary += a.t(msgMorePlaces, len(names)-3)
		}
		line("BEGIN:VEVENT")
		line(fmt.Sprintf("UID:%x@rootkiln", id.Sum(nil)[:16]))
		line("DTSTAMP:" + a.time(pki.Time{}).UTC().Format("20060102T150405Z"))
		line("DTSTART;VALUE=DATE:" + day)
		line("SUMMARY:" + calendarText(summary))
		line("DESCRIPTION:" + calendarText(strings.Join(places, "\n")))
		line("TRANSP:TRANSPARENT")
		for _, before := range []int{r.Within, 7} {
			for _, s := range []string{"BEGIN:VALARM", "ACTION:DISPLAY", fmt.Sprintf("TRIGGER:-P%dD", before), "DESCRIPTION:" + calendarText(summary), "END:VALARM"} {
				line(s)
			}
		}
		line("END:VEVENT")
	}
	line("END:VCALENDAR")
	return b.Bytes()
}

// calendarText escapes a TEXT value (RFC 5545, 3.3.11).
func calendarText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}

// foldLine writes a content line in pieces of at most 75 octets, never inside a
// character (RFC 5545, 3.1).
func foldLine(b *bytes.Buffer, s string) {
	room := 75
	for len(s) > room {
		cut := room
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		b.WriteString(s[:cut] + "\r\n ")
		s, room = s[cut:], 74
	}
	b.WriteString(s + "\r\n")
}
