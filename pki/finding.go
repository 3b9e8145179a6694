package pki

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Severity says what a finding means for the run: an Error refuses it, a
// Warning is told and the run goes on, a Notice is information.
type Severity string

const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Notice  Severity = "notice"
)

// Code names a kind of finding. Codes are API: they are only ever added, never
// renamed or translated.
type Code string

// Finding is one observation about a plan, an input or a certificate: a code,
// how much it matters, what it is about, and the values its sentence needs.
type Finding struct {
	Code     Code              `json:"code"`
	Severity Severity          `json:"severity"`
	Subject  string            `json:"subject,omitempty"` // a role, a plan field or a path
	Args     map[string]string `json:"args,omitempty"`
}

// New returns a finding of the code's severity. The arguments are name and
// value in turn, as slog does it.
func New(code Code, subject string, args ...string) Finding {
	severity, known := severities[code]
	if !known {
		panic("pki: finding code without a severity: " + string(code))
	}
	f := Finding{Code: code, Severity: severity, Subject: subject}
	if len(args) > 0 {
		f.Args = make(map[string]string, len(args)/2)
		for i := 0; i+1 < len(args); i += 2 {
			f.Args[args[i]] = args[i+1]
		}
	}
	return f
}

// String is the untranslated form: code, subject and arguments in a fixed order.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Severity, f.Code)
	if f.Subject != "" {
		fmt.Fprintf(&b, " (%s)", f.Subject)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Args)) {
		fmt.Fprintf(&b, " %s=%q", name, f.Args[name])
	}
	return b.String()
}

// Refusal is the error of everything that is refused for a reason the user can
// act on. It carries all the reasons at once, in the order they were found.
type Refusal struct{ Findings []Finding }

// Error is for developers: it holds values as they were given. Package report
// has the sentences that are safe to show.
func (r *Refusal) Error() string {
	lines := make([]string, len(r.Findings))
	for i, f := range r.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "; ")
}

// Refuse returns a Refusal with the findings of level Error, nil if there are
// none.
func Refuse(findings []Finding) error {
	var errs []Finding
	for _, f := range findings {
		if f.Severity == Error {
			errs = append(errs, f)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &Refusal{Findings: errs}
}

func refuse(code Code, subject string, args ...string) error {
	return &Refusal{Findings: []Finding{New(code, subject, args...)}}
}

// Codes returns every finding code in a fixed order: the message catalogue must
// know each of them.
func Codes() []Code { return slices.Sorted(maps.Keys(severities)) }

// SeverityOf returns the severity of a code.
func SeverityOf(code Code) Severity { return severities[code] }

// severities is the one list of finding codes. Append only.
var severities = map[Code]Severity{
	// the plan
	"plan-unknown-field":  Error, // field
	"plan-unreadable":     Error, // detail
	"plan-version":        Error, // value, want
	"plan-value":          Error, // value, want
	"plan-name":           Error, // value
	"plan-text":           Error, // value
	"plan-lifetime":       Error, // value
	"plan-time-missing":   Error,
	"plan-duplicate-name": Error,   // name
	"plan-lifetime-order": Error,   // end, start
	"plan-long-life":      Notice,  // end
	"plan-short-life":     Warning, // days
	"plan-lifetime-cut":   Notice,  // asked, end, issuer
	"plan-ed25519":        Error,
	"plan-not-used":       Error, // field: has no place in this layout

	// PEM and keys
	"pem-none":            Error,  // want
	"pem-glued":           Error,  // line
	"pem-truncated":       Error,  // line
	"pem-undecodable":     Error,  // line, detail
	"pem-type":            Error,  // type, want
	"pem-normalised":      Notice, // what
	"pem-too-large":       Error,  // limit
	"certificate-parse":   Error,  // index, detail
	"key-parse":           Error,  // detail
	"key-encrypted":       Error,
	"key-passphrase":      Error,
	"key-tpm":             Error,
	"key-mismatch":        Error, // certificate
	"key-missing":         Error, // certificate
	"key-needed":          Error, // role
	"key-unsupported":     Error, // key
	"key-weak":            Error, // key
	"key-reused":          Error, // other
	"key-leftover":        Warning,
	"certificate-missing": Error, // key

	// certificates and chains
	"expired":               Error,   // end, at
	"not-yet-valid":         Error,   // start, at
	"dates-reversed":        Error,   // start, end
	"date-before-1970":      Error,   // start
	"child-outlives-parent": Warning, // end, issuerEnd, issuer
	"child-before-parent":   Warning, // start, issuerStart, issuer
	"issuer-short-life":     Error,   // end, days, need
	"leaf-outlives-ca":      Notice,  // end
	"not-ca":                Error,
	"no-cert-sign":          Error,
	"no-crl-sign":           Notice,
	"path-length":           Error, // has, need
	"name-constraints":      Error, // name, by
	"name-constraints-set":  Warning,
	"eku-breaks-token":      Error,   // has
	"signature-weak":        Error,   // algorithm
	"signature-digest":      Warning, // algorithm, want
	"signature-invalid":     Error,   // issuer
	"serial-range":          Warning, // serial
	"serial-duplicate":      Error,   // serial, other
	"ski-missing":           Warning,
	"aki-missing":           Warning,
	"aki-mismatch":          Error, // issuer
	"ku-missing":            Warning,
	"ku-encipherment":       Warning,
	"ku-not-critical":       Warning,
	"bc-not-critical":       Warning,
	"version-1":             Error,
	"chain-order":           Error,   // issuer
	"chain-unrelated":       Error,   // subject, issuer
	"chain-incomplete":      Error,   // issuer
	"chain-extra":           Warning, // subject
	"critical-extension":    Error,   // oid
	"chain-is-root":         Error,   // subject
	"single-certificate":    Warning,
	"subject-mismatch":      Error, // has, want
	"profile-drift":         Warning,
	"template-changed":      Error,

	// requests
	"request-parse":       Error, // detail
	"request-signature":   Error,
	"request-unknown":     Error, // subject
	"request-key":         Error, // has, want
	"request-asks-more":   Notice,
	"request-none":        Error,
	"input-changed":       Error, // was, is
	"request-several":     Error, // count
	"request-not-issuer":  Error, // role, issuer
	"signed-missing":      Error, // role
	"signed-key-mismatch": Error, // role
	"state-unreadable":    Error, // detail

	// a bundle
	"file-missing":          Error,   // path
	"file-extra":            Notice,  // path
	"file-unreadable":       Error,   // detail
	"root-key-on-server":    Warning, // role
	"mode-wide":             Warning, // mode, want
	"time-in-future":        Warning, // time
	"service-key-none":      Error,
	"service-key-format":    Error,   // format
	"service-key-weak":      Error,   // key
	"service-key-is-ca":     Error,   // role
	"service-key-duplicate": Warning, //
	"shared-trust":          Warning, // roots, roles; from verify also admin, proxy, etcd, peer
	"token-file-hash":       Warning, //
	"token-fallback":        Error,   // detail
	"probe-go":              Error,   // leaf, detail
	"probe-path":            Error,   // leaf, detail
	"bundle-none":           Error,
	"archive-unsafe":        Error, // entry, kind
	"archive-too-large":     Error, // limit
	"archive-unreadable":    Error, // detail
	"archive-duplicate":     Error, // entry
	"upstream-profile":      Notice,
	"upstream-names":        Notice, // file

	"bundle-too-large":      Error,   // limit
	"probe-go-domain":       Error,   // leaves (how many), detail: all of one CA fail alike
	"probe-path-domain":     Error,   // leaves, detail
	"chain-shuffled":        Warning, // issuer: stands before or beside what it should follow
	"leaf-stale":            Warning, // ca: made under another key than the CA's of today
	"nochain-stale":         Warning, // ca
	"service-current-stale": Warning,
}
