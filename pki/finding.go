package pki

import (
	"errors"
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

// RefusedFor reports whether an error is a Refusal whose first reason is the code.
func RefusedFor(err error, code Code) bool {
	var r *Refusal
	return errors.As(err, &r) && len(r.Findings) > 0 && r.Findings[0].Code == code
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
	"previous-ca":           Notice,  // subject: kept for one rotation
	"previous-ca-expired":   Notice,  // subject, end
	"leaf-stale":            Warning, // ca: made under another key than the CA's of today
	"nochain-stale":         Warning, // ca
	"service-current-stale": Warning,

	// the certificates of a node, and of several nodes
	"expires-soon":              Warning, // end, days
	"ca-ends-soon":              Warning, // end, days
	"leaves-outlive-ca":         Warning, // leaves (how many), end
	"serving-expired":           Error,   // end, at
	"serving-unreadable":        Error,   // detail
	"kubeadm-expired":           Error,   // end, at
	"reference-missing":         Warning, // path
	"backup-leftover":           Notice,  // count
	"node-empty":                Error,
	"rotation-not-restarted":    Error,   // files, time
	"rotation-missed-bootstrap": Error,   // files, time
	"rotation-missed":           Error,   // files
	"rotation-not-taken":        Error,   // files, time
	"node-unrelated":            Error,   // files
	"node-differs":              Error,   // files
	"node-incomplete":           Error,   // files
	"time-newer":                Error,   // time, want
	"token-differs":             Warning, // count
	"token-file-stale":          Warning, // has, want

	// the bootstrap data of the datastore
	"datastore-unreadable":    Error,   // detail
	"datastore-log":           Notice,  // path of the database
	"token-format":            Error,   // detail
	"token-short":             Warning, // count
	"bootstrap-none":          Error,
	"bootstrap-locked":        Error,
	"bootstrap-token":         Error,   // count
	"bootstrap-damaged":       Error,   // detail
	"bootstrap-unknown":       Warning, // name
	"bootstrap-no-password":   Warning,
	"bootstrap-several":       Warning, // count
	"bootstrap-history":       Notice,  // count
	"bootstrap-disk-newer":    Error,   // disk, stored
	"bootstrap-disk-replaced": Warning,
	"bootstrap-disk-missing":  Notice,

	// what is to replace the files of a running cluster (rotate-ca)
	"old-none":                 Error,
	"rotate-unjudged":          Error,
	"rotate-current":           Error,   // detail
	"rotate-unreadable":        Error,   // detail
	"rotate-single":            Error,   // detail
	"rotate-chain":             Error,   // detail
	"rotate-pair":              Error,   // detail
	"rotate-service-key":       Error,   // detail
	"rotate-older":             Error,   // was, is
	"leaves-not-renewed":       Error,   // was, is
	"old-leaves-refused":       Warning, // ca
	"new-leaves-refused":       Warning, // ca
	"client-ca-dropped":        Warning, // ca
	"server-ca-dropped":        Notice,  // ca
	"previous-ca-dropped":      Warning, // ca
	"old-root-refuses":         Warning, // root
	"cross-order":              Warning, // root
	"supervisor-keeps-old":     Warning,
	"old-trust-open":           Warning, // roles, roots
	"authentication-keeps-old": Notice,  // roles
	"token-changes":            Warning, // was, is
	"service-key-dropped":      Warning, // count
	"service-key-signs":        Notice,
	"rotation-partial":         Notice, // files
	"rotation-nothing":         Notice,
	"rotation-releases":        Notice,

	// what a rotation makes
	"rotation-key-missing":     Error,   // issuer, sha256
	"rotation-kept":            Warning, // issuer
	"rotation-self-signed":     Error,   // issuer
	"rotation-no-intermediate": Error,
	"rotation-topology":        Error, // want
	"rotation-shared-only":     Error,
	"rotation-step-order":      Error, // root
	"rotation-no-root":         Error,
	"rotation-no-change":       Error,
	"rotation-root-ended":      Error,   // root, end
	"rotation-same-name":       Error,   // name
	"rotation-root-unused":     Error,   // name
	"rotation-distro":          Error,   // is, asked
	"rotation-keys-dropped":    Notice,  // ca
	"rotation-shared-root":     Warning, // root

	// a file on a server that k3s does not read as it stands
	"pem-unread": Error, // read (how many), blocks (of how many), what

	// what is handed over beside a plan
	"plan-key-alone":   Error,
	"key-several":      Error, // count
	"key-cipher":       Error,
	"script-key-alone": Error, // stem
	"script-none":      Error,
	"script-two":       Error, // other
	"signed-twice":     Error, // other, role
	"clusters-several": Error, // count, first
	"input-missing":    Error,
	"recipient-secret": Error,
	"recipient-bad":    Error, // index
	"seal-locked":      Error, // it is encrypted with age
	"seal-passphrase":  Error,
	"seal-recipients":  Error,
	"seal-damaged":     Error,
	"seal-one-way":     Error,
	"settings-unread":  Warning, // line
	"export-name":      Error,   // value

	// what a rotation is asked for
	"rotation-exclusive":   Error, // one, other
	"rotation-prune-alone": Error,
}
