package report

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Receipt is what came of a plan, for programs.
type Receipt struct {
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
	Certificate []MadeEntry   `json:"certificates"`
	Findings    []pki.Finding `json:"findings"`
}

// MadeEntry is one certificate of a receipt.
type MadeEntry struct {
	Role     pki.Role `json:"role"`
	Subject  string   `json:"subject"`
	SHA256   string   `json:"sha256"`
	NotAfter pki.Time `json:"notAfter"`
	Made     bool     `json:"made"` // false: it was given
}

// EntryOf is the entry of a certificate.
func EntryOf(role pki.Role, c *x509.Certificate, made bool) MadeEntry {
	return MadeEntry{role, c.Subject.String(), pki.Fingerprint(c), pki.At(c.NotAfter), made}
}

// Made is a finished bundle: what was issued, with the token that its server
// will compute.
type Made struct {
	*pki.Issued
	Token k3s.Token
	Found []pki.Finding // on the way, from the plan to the verdict
}

// Finish turns what was issued into a bundle to hand over. One that stands on
// foreign certificates is verified in both trust models first, with a probe for
// each leaf; what rootkiln made from nothing is proved by its tests. The offline
// part gets its papers. Found are the findings of the plan.
func Finish(ctx context.Context, is *pki.Issued, given pki.Given, found []pki.Finding, keys pki.KeySource, lang Lang) (Made, error) {
	m := Made{Issued: is, Found: slices.Concat(found, is.Findings)}
	if len(given.Authorities) > 0 {
		fresh, err := m.judge(ctx, keys)
		if err != nil {
			return Made{}, err
		}
		m.Found = append(m.Found, fresh...)
	}
	var err error
	if m.Token, err = k3s.ComputeToken(is.Server.File(k3s.ServerCAPath+".crt").Data, is.Plan.Time.Time); err != nil {
		return Made{}, err
	}
	return m, AddPapers(is, m.Token, lang)
}

// judge returns what verify finds and nobody has said yet.
func (m Made) judge(ctx context.Context, keys pki.KeySource) ([]pki.Finding, error) {
	v, err := Verify(ctx, m.Server, m.Plan.Time, keys)
	if err != nil {
		return nil, err
	}
	var fresh []pki.Finding
	for _, f := range v.Findings {
		same := func(k pki.Finding) bool { return k.Code == f.Code }
		if f.Severity != pki.Notice && !slices.ContainsFunc(m.Found, same) {
			fresh = append(fresh, f)
		}
	}
	return fresh, pki.Refuse(fresh)
}

// Receipt says what was made and until when it lives. Server and offline are the
// names under which the two parts went out; paths begin with the prefix.
func (m Made) Receipt(server, offline, prefix string) (Receipt, error) {
	digest, err := m.Plan.Digest()
	if err != nil {
		return Receipt{}, err
	}
	plan := m.Plan
	r := Receipt{
		Distro: plan.Distro, Name: plan.Name, Topology: plan.Topology, Profile: plan.Profile, Time: plan.Time,
		PlanDigest: fmt.Sprintf("%x", digest), Server: server, Offline: offline,
		RootSHA256: pki.Fingerprint(m.Authorities[pki.ServerCA].Root()),
		Token:      m.Token.String(), TokenMode: string(m.Token.Mode), TokenUntil: pki.At(m.Token.Until),
		Findings: append([]pki.Finding{}, m.Found...),
	}
	for _, f := range m.Server.Files {
		r.Files = append(r.Files, prefix+f.Path)
	}
	for _, row := range m.Layout.Rows {
		authority := m.Authorities[row.Role]
		if authority == nil {
			continue
		}
		end := pki.At(authority.Certificate.NotAfter)
		r.Certificate = append(r.Certificate, EntryOf(row.Role, authority.Certificate, m.Made[row.Role]))
		if r.Ends.IsZero() || end.Before(r.Ends.Time) {
			r.Ends, r.EndsFirst = end, string(row.Role)
		}
	}
	return r, nil
}

// OfflineKeys counts the keys that only the offline part has.
func (m Made) OfflineKeys() int {
	n := 0
	for role, made := range m.Made {
		if row, ok := m.Layout.Row(role); ok && made && row.Safe != "" {
			n++
		}
	}
	return n
}

// AddPapers puts into the offline part what a person needs who opens the safe
// years later.
func AddPapers(is *pki.Issued, token k3s.Token, lang Lang) error {
	digest, err := is.Plan.Digest()
	if err != nil {
		return err
	}
	plan := is.Plan
	name := plan.Name
	if name == "" {
		name = "-"
	}
	text := fmt.Sprintf(offlineText.In(lang), plan.Distro, name, plan.Time, plan.Topology, Groups(fmt.Sprintf("%x", digest)), token)
	is.Offline.Add("README.txt", pki.KindPublic, []byte(text))
	is.Offline.Add("fingerprints.txt", pki.KindPublic, fingerprintList(is))
	return nil
}

// RotationPapers is [AddPapers] for the offline part of a rotation: the token is
// that of the files as they will be.
func RotationPapers(old pki.Bundle, next *k3s.Rotated, at pki.Time, lang Lang) error {
	then := k3s.Replaced(old, next.Server)
	token, err := k3s.ComputeToken(then.File(k3s.ServerCAPath+".crt").Data, at.Time)
	if err != nil {
		return err
	}
	return AddPapers(next.Issued, token, lang)
}

// fingerprintList has every certificate in the form of sha256sum: digest of the
// DER, two spaces, whose it is.
func fingerprintList(is *pki.Issued) []byte {
	var b strings.Builder
	for _, row := range is.Layout.Rows {
		if authority := is.Authorities[row.Role]; authority != nil {
			fmt.Fprintf(&b, "%s  %s\n", pki.Fingerprint(authority.Certificate), NameOf(authority.Certificate))
		}
	}
	return []byte(b.String())
}

// NameOf names a certificate by its common name, or by its whole subject if it
// has none, as [Printable] has it.
func NameOf(c *x509.Certificate) string { return Printable(pki.Name(c)) }

// Groups writes a digest in groups of four, as people read it aloud.
func Groups(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}
