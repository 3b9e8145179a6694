package k3s

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rootkiln/pki"
)

// Ruling is what a server answers to `certificate rotate-ca`, file by file.
type Ruling struct {
	// Saved says that the offer goes into the datastore without --force. With it,
	// every offer does: one line in the log is all that is left of the checks.
	Saved bool `json:"saved"`
	// Files are the eleven files in the order in which the server judges them.
	Files []FileRuling `json:"files"`
	// Log is what the server writes into its log of a refusal; whoever called
	// rotate-ca learns a number alone. Directories are left out of it.
	Log string `json:"log,omitempty"`
}

// FileRuling is the answer for one file.
type FileRuling struct {
	Field   string `json:"field"`             // its name in the server's log: ETCDServerCA
	Path    string `json:"path"`              // relative to the server directory
	Offered bool   `json:"offered"`           // false, also for an empty file: the server's own stands in
	Refused Check  `json:"refused,omitempty"` // the check that it does not pass
	Log     string `json:"log,omitempty"`     // what the server writes of it
}

// Check is one of rotate-ca's checks. There are no others.
type Check string

const (
	CheckCurrent  Check = "current-unreadable" // the server's own file is not there or has nothing to compare with
	CheckReadable Check = "unreadable"         // no certificate, no key that client-go knows, one that does not parse
	CheckSingle   Check = "single-certificate" // the file must hold what is above the CA
	CheckChain    Check = "chain"              // the CA verifies up to a root of the server's own file
	CheckPair     Check = "pair"               // the key belongs to the certificate
	CheckService  Check = "service-key"        // the key that signs today stays in the file
)

// RotateCA repeats the judgement of rotate-ca at a time. Both bundles have the
// paths of [ServerPaths]; old are the files on the disk of the server that is
// asked, which need not be what its datastore holds: between two rotations
// without a restart the second undoes the first in all that it leaves out.
//
// Source: k3s pkg/server/cert.go (since 2025 pkg/server/handlers/cert.go),
// defaultBootstrap and validateBootstrap, of September 2024 (k3s #10710) and
// later; before, every file had to be offered.
func RotateCA(old, offered pki.Bundle, at time.Time) Ruling {
	r := rotation{old, offered, at}
	ruling := Ruling{Files: []FileRuling{}}
	var log []string
	for _, field := range bootstrapPaths {
		if !rotated(field.path) {
			continue
		}
		f := FileRuling{Field: field.name, Path: field.path, Offered: r.offers(field.path)}
		if failed := r.judge(field.path); failed != nil {
			f.Refused, f.Log = failed.check, field.name+": "+failed.Error()
			log = append(log, f.Log)
		}
		ruling.Files = append(ruling.Files, f)
	}
	ruling.Saved = len(log) == 0
	if !ruling.Saved {
		ruling.Log = refusalLog + strings.Join(log, ", ")
	}
	return ruling
}

// What begins the line in the server's log, without and with --force.
const (
	refusalLog = "failed to validate new CA certificates and keys: "
	forcedLog  = "Save of CA certificates and keys forced, ignoring validation errors: "
)

// Forced is the one line that --force leaves of the checks in the server's log;
// empty where there is nothing to ignore.
func (r Ruling) Forced() string {
	if reasons, refused := strings.CutPrefix(r.Log, refusalLog); refused {
		return forcedLog + reasons
	}
	return ""
}

// Replaced returns the eleven files as they are after rotate-ca: what is offered,
// and the server's own where nothing is.
func Replaced(old, offered pki.Bundle) pki.Bundle {
	r := rotation{old: old, offered: offered}
	out := pki.Bundle{Time: offered.Time}
	for _, path := range ServerPaths() {
		from := offered
		if !r.offers(path) {
			from = old
		}
		if f := from.File(path); f != nil {
			out.Files = append(out.Files, *f)
		}
	}
	return out
}

// NewerOnDisk lists the files over which a server ends at its first start after
// the rotation: they differ, and its own are newer than the offered ones, whose
// times rotate-ca keeps (k3s pkg/cluster/bootstrap.go, isNewerFile). Files
// without a time are passed over.
func NewerOnDisk(old, offered pki.Bundle) []string {
	r := rotation{old: old, offered: offered}
	var newer []string
	for _, path := range ServerPaths() {
		was, is := old.File(path), offered.File(path)
		if !r.offers(path) || was == nil || was.Time.IsZero() || is.Time.IsZero() || bytes.Equal(was.Data, is.Data) {
			continue
		}
		if was.Time.Unix()-is.Time.Unix() >= int64(ClockSkew/time.Second) {
			newer = append(newer, path)
		}
	}
	return newer
}

// rotated reports whether a file of the bootstrap data is one of the eleven.
func rotated(path string) bool { return slices.Contains(ServerPaths(), path) }

// rotation is one offer.
type rotation struct {
	old, offered pki.Bundle
	at           time.Time
}

// offers reports whether a file is taken from the offer: one that is empty
// counts as not offered.
func (r rotation) offers(path string) bool {
	f := r.offered.File(path)
	return f != nil && len(f.Data) > 0
}

// failure is why a file is refused.
type failure struct {
	check Check
	error
}

func (r rotation) judge(path string) *failure {
	stem, isKey := strings.CutSuffix(path, ".key")
	switch {
	case path == ServiceKeyPath:
		return r.serviceKey()
	case isKey:
		return r.pair(stem+".crt", path)
	}
	return r.authority(path)
}

// authority judges the certificates of a CA. Its pools are not those of the
// token: roots are the self-signed certificates of the server's own file, and an
// offered root counts only where another certificate of the offer ties it to one
// of them. A certificate without AKI is nobody's intermediate.
func (r rotation) authority(path string) *failure {
	if !r.offers(path) {
		return nil
	}
	current, err := certificatesOf(r.old, path)
	if err != nil {
		return &failure{CheckCurrent, err}
	}
	offer, err := certificatesOf(r.offered, path)
	if err != nil {
		return &failure{CheckReadable, err}
	}
	if len(offer) == 1 {
		return &failure{CheckSingle, errSingle}
	}
	pools := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: r.at}
	for _, c := range current {
		if len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId) {
			pools.Roots.AddCert(c)
		} else {
			pools.Intermediates.AddCert(c)
		}
	}
	for _, c := range offer[1:] {
		if len(c.AuthorityKeyId) > 0 {
			pools.Intermediates.AddCert(c)
		}
	}
	if _, err := offer[0].Verify(pools); err != nil {
		return &failure{CheckChain, fmt.Errorf("new CA cert cannot be verified using old CA chain: %w", err)}
	}
	return nil
}

var errSingle = errors.New("new CA bundle contains only a single certificate but should include root or intermediate CA certificates")

// pair judges the key of a CA against its certificate; one of the two may be the
// server's own.
func (r rotation) pair(crt, key string) *failure {
	if !r.offers(crt) && !r.offers(key) {
		return nil
	}
	certs, err := r.taken(crt)
	if err == nil {
		var keys []byte
		if keys, err = r.taken(key); err == nil {
			err = loadPair(certs, keys)
		}
	}
	if err != nil {
		return &failure{CheckPair, fmt.Errorf("new CA cert and key cannot be loaded as X590KeyPair: %w", err)}
	}
	return nil
}

// serviceKey wants the first of the server's keys anywhere among the new ones.
func (r rotation) serviceKey() *failure {
	current, err := serviceKeysOf(r.old)
	if err != nil {
		return &failure{CheckCurrent, err}
	}
	if !r.offers(ServiceKeyPath) {
		return nil // it holds its own first key
	}
	next, err := serviceKeysOf(r.offered)
	if err != nil {
		return &failure{CheckReadable, err}
	}
	if !slices.ContainsFunc(next, func(k PublicKey) bool { return k.Equal(current[0]) }) {
		return &failure{CheckService, errServiceKey}
	}
	return nil
}

var errServiceKey = errors.New("old ServiceAccount signing key not in new ServiceAccount key list")

// taken returns the content that the server works with.
func (r rotation) taken(path string) ([]byte, error) {
	if r.offers(path) {
		return content(r.offered, path)
	}
	return content(r.old, path)
}

func content(b pki.Bundle, path string) ([]byte, error) {
	f := b.File(path)
	if f == nil {
		return nil, notThere(path)
	}
	return f.Data, nil
}

func notThere(path string) error { return errors.New("open " + path + ": no such file or directory") }

// serviceKeysOf reads as client-go's keyutil.PublicKeysFromFile does.
func serviceKeysOf(b pki.Bundle) ([]PublicKey, error) {
	data, err := content(b, ServiceKeyPath)
	if err != nil {
		return nil, err
	}
	keys := ServiceKeys(data)
	if len(keys) == 0 {
		return nil, fmt.Errorf("error reading public key file %s: data does not contain any valid RSA or ECDSA public keys", ServiceKeyPath)
	}
	return keys, nil
}

// certificatesOf reads as dynamiclistener's cert.CertsFromFile does.
func certificatesOf(b pki.Bundle, path string) ([]*x509.Certificate, error) {
	data, err := content(b, path)
	if err != nil {
		return nil, err
	}
	certs, err := parseLikeK3s(data)
	if errors.Is(err, ErrNoCertificate) {
		err = errors.New("data does not contain any valid RSA or ECDSA certificates")
	}
	if err != nil {
		return nil, fmt.Errorf("error reading %s: %w", path, err)
	}
	return certs, nil
}
