package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/term"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// The rules of the terminal:
//   - results go to standard output, talk goes to standard error;
//   - an error is "rootkiln: " and a sentence without a full stop; under it, if
//     there is something to say, why it matters and what to do;
//   - questions are asked on the controlling terminal and answers never echoed
//     when they are secret;
//   - colour only on a terminal, and never as the only carrier of a meaning;
//   - the last line of a success is the next sensible step.

// app is one run of the program.
type app struct {
	in       io.Reader
	out, err io.Writer

	lang    report.Lang
	color   string // auto, always, never
	quiet   bool
	verbose bool
	now     pki.Time   // from --now; zero: not given
	distro  pki.Distro // of the plan at hand: its name stands in explanations
}

func newApp(args []string) *app {
	return &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, lang: chooseLanguage(args, os.Getenv)}
}

// text is a message in the two languages. It is always written without field
// names, so that the compiler refuses one that lacks a language.
type text struct{ en, zh string }

// in returns the message in a language.
func (t text) in(lang report.Lang) string {
	if lang == report.Chinese {
		return t.zh
	}
	return t.en
}

// t fills a message in the language of the run.
func (a *app) t(m text, args ...any) string {
	shown := make([]any, len(args))
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			arg = visible(s)
		}
		shown[i] = arg
	}
	return fmt.Sprintf(m.in(a.lang), shown...)
}

// count is a message that ends in what is counted.
func (a *app) count(m text, n int) string {
	s := a.t(m, n)
	if n == 1 && a.lang == report.English {
		return strings.TrimSuffix(s, "s")
	}
	return s
}

// visible writes control and format characters as escapes of Go: the name of a
// foreign file or certificate is shown by the terminal, not obeyed. A secret that
// stands where a name belongs is not shown at all.
func visible(s string) string {
	if holdsSecret(s) {
		return "[secret]"
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// say writes a line of talk, unless --quiet.
func (a *app) say(m text, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.err, a.t(m, args...))
	}
}

// chooseLanguage finds the language before flags are parsed, since the help is
// written in it: --lang, then LC_ALL, LC_MESSAGES, LANG as POSIX orders them.
func chooseLanguage(args []string, env func(string) string) report.Lang {
	for i, arg := range args {
		value, ok := strings.CutPrefix(arg, "--lang=")
		if arg == "--lang" && i+1 < len(args) {
			value, ok = args[i+1], true
		}
		if ok && value == string(report.Chinese) {
			return report.Chinese
		}
		if ok {
			return report.English
		}
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := env(name); value != "" {
			if strings.HasPrefix(value, "zh") {
				return report.Chinese
			}
			return report.English
		}
	}
	return report.English
}

// time returns the moment of the run: --now, the plan's, or the clock. No
// variable of the environment moves it: a build shell exports such, and the
// dates of a CA must not follow it unseen.
func (a *app) time(plan pki.Time) pki.Time {
	switch {
	case !a.now.IsZero():
		return a.now
	case !plan.IsZero():
		return plan
	}
	return pki.At(time.Now())
}

// colored reports whether the writer takes colour.
func (a *app) colored(w io.Writer) bool {
	switch a.color {
	case "always":
		return true
	case "never":
		return false
	}
	_, none := os.LookupEnv("NO_COLOR")
	return !none && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Exit codes, see `rootkiln help exit-codes`.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFindings    = 3
	exitSecret      = 4
	exitInterrupted = 130
)

// usageError is a wrong call: exit code 2.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

// translated is a message with its arguments that becomes an error only where
// the language is known.
type translated struct {
	code    int
	message text
	args    []any
}

func (e *translated) Error() string { return fmt.Sprintf(e.message.en, e.args...) }

// usage is a wrong call or plan, told in the language of the run.
func usage(m text, args ...any) error { return &translated{exitUsage, m, args} }

// failed is anything else that went wrong.
func failed(m text, args ...any) error { return &translated{exitFailed, m, args} }

// errFindings ends a report that found errors: they were already printed.
var errFindings = errors.New("findings of level error")

// leftBehind finds what could not be removed or put back, anywhere in an error.
func leftBehind(err error) []*targetError {
	switch e := err.(type) {
	case *targetError:
		if e.kind == targetLeft {
			return []*targetError{e}
		}
	case interface{ Unwrap() []error }:
		var all []*targetError
		for _, part := range e.Unwrap() {
			all = append(all, leftBehind(part)...)
		}
		return all
	case interface{ Unwrap() error }:
		return leftBehind(e.Unwrap())
	}
	return nil
}

// finish prints an error for people and returns the exit code.
func (a *app) finish(err error) int {
	var said *translated
	var wrong *usageError
	var refusal *pki.Refusal
	var target *targetError
	for _, left := range leftBehind(err) { // it may hold keys: said whatever else went wrong
		a.complain(a.targetMessage(left))
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, context.Canceled):
		a.complain(a.t(msgInterrupted))
		return exitInterrupted
	case errors.As(err, &refusal):
		return a.refused(refusal)
	case errors.As(err, &said):
		a.complain(a.t(said.message, said.args...))
		return said.code
	case errors.As(err, &target):
		if target.kind != targetLeft {
			a.complain(a.targetMessage(target))
		}
		return exitFailed
	case errors.As(err, &wrong):
		a.complain(visible(wrong.message))
		return exitUsage
	}
	for line := range strings.SplitSeq(err.Error(), "\n") { // errors.Join
		a.complain(visible(line))
	}
	return exitFailed
}

func (a *app) complain(message string) { fmt.Fprintln(a.err, a.paint(red, "rootkiln: ")+message) }

// refused explains every reason of a refusal.
func (a *app) refused(r *pki.Refusal) int {
	a.explain(r.Findings)
	code := exitFailed
	for _, f := range r.Findings {
		switch {
		case strings.HasPrefix(string(f.Code), "plan-") || strings.HasPrefix(string(f.Code), "rotation-") || f.Code == "key-needed" || f.Code == "request-none" || f.Code == "service-key-none":
			code = max(code, exitUsage)
		case f.Code == "key-passphrase" || f.Code == "bootstrap-token" || f.Code == "token-format":
			return exitSecret
		}
	}
	return code
}

// explain prints findings with their reasons: what, why, what to do. Reasons that
// several in a row have in common are told once, behind the last.
func (a *app) explain(findings []pki.Finding) {
	for i, f := range findings {
		if a.quiet && f.Severity != pki.Error {
			continue
		}
		m := report.ExplainFor(f, a.lang, a.distro)
		fmt.Fprintf(a.err, "%s %s\n", a.severity(f), m.What)
		if i+1 < len(findings) && findings[i+1].Code == f.Code {
			next := report.ExplainFor(findings[i+1], a.lang, a.distro)
			if next.Why == m.Why && next.Fix == m.Fix {
				continue
			}
		}
		for _, line := range []string{m.Why, m.Fix} {
			if line != "" {
				fmt.Fprintf(a.err, "  %s\n", line)
			}
		}
	}
}

// severity is the mark in front of a finding: level and code.
func (a *app) severity(f pki.Finding) string {
	words := map[pki.Severity]text{pki.Error: msgError, pki.Warning: msgWarning, pki.Notice: msgNotice}
	colors := map[pki.Severity]string{pki.Error: red, pki.Warning: yellow, pki.Notice: cyan}
	return a.paint(colors[f.Severity], fmt.Sprintf("%s [%s]", words[f.Severity].in(a.lang), f.Code))
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	bold   = "1"
	dim    = "2"
)

// paint colours talk on standard error.
func (a *app) paint(color, s string) string {
	if !a.colored(a.err) {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}
