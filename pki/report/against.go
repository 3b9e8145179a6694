package report

import (
	"bytes"
	"context"
	"encoding/pem"
	"slices"
	"sort"
	"strconv"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Replacement is the verdict on files that are to replace those of a running
// cluster, by `certificate rotate-ca`.
type Replacement struct {
	// Verification judges what the servers would have: the files that are offered
	// and, for those that are not, their own.
	Verification
	Against Against `json:"against"`
}

// Against is the comparison with what runs.
type Against struct {
	Directory string       `json:"directory"` // of the CA files in what runs
	Topology  pki.Topology `json:"topology,omitempty"`
	Token     *Token       `json:"token,omitempty"` // of today
	TokenKept bool         `json:"tokenKept"`       // the full join token stays what it is

	// Ruling is rotate-ca's answer; nil where the files hold keys too large to
	// compute with.
	Ruling *k3s.Ruling `json:"ruling"`
	// ForceHides are the errors of this report that go unseen into the cluster
	// with --force, which skips every check; only of an offer that is refused.
	ForceHides []pki.Code `json:"forceHides"`
}

// VerifyAgainst judges a k3s or RKE2 bundle as the successor of another one: what
// rotate-ca answers, and what it does not look at and breaks all the same. Old is
// what lies on the server that will be asked. The error is that of [Verify], or a
// [pki.Refusal] where old holds no files of a cluster.
func VerifyAgainst(ctx context.Context, offered, old pki.Bundle, at pki.Time, keys pki.KeySource) (Replacement, error) {
	oldDir, ok := tlsDirectory(old)
	if !ok {
		return Replacement{}, pki.Refuse([]pki.Finding{pki.New("old-none", "")})
	}
	dir, ok := tlsDirectory(offered)
	if !ok {
		v, err := Verify(ctx, offered, at, keys)
		out := Replacement{v, Against{Directory: oldDir, ForceHides: []pki.Code{}}}
		// k3s takes an offer of nothing, as of a wrong path, and says that it saved it.
		s := &succession{at: at, old: placed(old, oldDir)}
		s.was = opened(s.old, at)
		s.is = s.was
		out.Findings = append(out.Findings, s.rule(&out.Against)...)
		return out, err
	}
	s := &succession{at: at, dir: dir, old: placed(old, oldDir), offered: placed(offered, dir)}
	v, err := Verify(ctx, s.filled(offered), at, keys)
	if err != nil {
		return Replacement{}, err
	}
	s.was, s.is = opened(s.old, at), opened(k3s.Replaced(s.old, s.offered), at)
	out := Replacement{v, Against{Directory: oldDir, Topology: s.was.topology(), ForceHides: []pki.Code{}}}
	s.was.token() // its findings are about yesterday
	out.Against.Token = s.was.out.Token
	out.Against.TokenKept = v.Token != nil && out.Against.Token != nil && v.Token.Hash == out.Against.Token.Hash
	found := s.rule(&out.Against)
	found = append(found, s.effects(out)...)
	out.Findings = bySeverity(append(found, slices.DeleteFunc(out.Findings, s.isKept)...))
	if r := out.Against.Ruling; r != nil && !r.Saved {
		out.Against.ForceHides = errorCodes(out.Findings)
	}
	return out, nil
}

// succession is one run.
type succession struct {
	at           pki.Time
	dir          string // of the offered files
	old, offered pki.Bundle
	was, is      *verifier // what runs, and what would
}

// placed takes the eleven files out of a bundle, under the paths that rotate-ca
// gives them.
func placed(b pki.Bundle, dir string) pki.Bundle {
	v := verifier{dir: dir}
	out := pki.Bundle{Time: b.Time}
	for _, path := range k3s.ServerPaths() {
		if f := b.File(v.path(strings.TrimPrefix(path, tlsPrefix))); f != nil {
			file := *f
			file.Path = path
			out.Files = append(out.Files, file)
		}
	}
	return out
}

const tlsPrefix = "tls/"

// filled is the offer with the server's own files where it has none. Their modes
// and times are those of a copy and say nothing.
func (s *succession) filled(offered pki.Bundle) pki.Bundle {
	out := pki.Bundle{Time: offered.Time, Files: slices.Clone(offered.Files)}
	for _, f := range k3s.Replaced(s.old, s.offered).Files {
		if own := s.offered.File(f.Path); own != nil && len(own.Data) > 0 {
			continue
		}
		path := s.path(f.Path)
		out.Files = slices.DeleteFunc(out.Files, func(o pki.File) bool { return o.Path == path })
		out.Add(path, f.Kind, f.Data)
	}
	return out
}

// path is where one of the eleven files lies in the offer.
func (s *succession) path(file string) string {
	return (&verifier{dir: s.dir}).path(strings.TrimPrefix(file, tlsPrefix))
}

// opened reads the five CAs; what cannot be read is told by [Verify] of what is
// offered, and by the ruling of what runs.
func opened(b pki.Bundle, at pki.Time) *verifier {
	v := &verifier{at: at, bundle: b, r: read(b), dir: strings.TrimSuffix(tlsPrefix, "/"), said: map[string]bool{}}
	v.product = productOf(v.r)
	for _, f := range authorityFiles {
		v.open(f)
	}
	return v
}

// rule asks rotate-ca. Its refusals are findings: one for each file, by the check
// that it does not pass.
func (s *succession) rule(a *Against) []pki.Finding {
	if tooCostly(s.was, s.old) || tooCostly(s.is, s.offered) {
		return []pki.Finding{pki.New("rotate-unjudged", "")}
	}
	ruling := k3s.RotateCA(s.old, s.offered, s.at.Time)
	a.Ruling = &ruling
	var found []pki.Finding
	for _, f := range ruling.Files {
		if f.Refused != "" {
			found = append(found, pki.New(refusals[f.Refused], s.path(f.Path), "detail", f.Log))
		}
	}
	for _, file := range k3s.NewerOnDisk(s.old, s.offered) {
		was, is := pki.At(s.old.File(file).Time), pki.At(s.offered.File(file).Time)
		found = append(found, pki.New("rotate-older", s.path(file), "was", was.String(), "is", is.String()))
	}
	return found
}

var refusals = map[k3s.Check]pki.Code{
	k3s.CheckCurrent:  "rotate-current",
	k3s.CheckReadable: "rotate-unreadable",
	k3s.CheckSingle:   "rotate-single",
	k3s.CheckChain:    "rotate-chain",
	k3s.CheckPair:     "rotate-pair",
	k3s.CheckService:  "rotate-service-key",
}

// tooCostly reports whether the files hold a key, or so many certificates, that
// the judgement would take minutes. [Verify] has told of them.
func tooCostly(v *verifier, b pki.Bundle) bool {
	for _, h := range v.r.files {
		if len(h.nodes) > maxChain || slices.ContainsFunc(h.nodes, func(n *node) bool { return costly(n.cert.PublicKey) }) {
			return true
		}
	}
	for _, f := range b.Files {
		for data := f.Data; ; {
			var block *pem.Block
			if block, data = pem.Decode(data); block == nil {
				break
			}
			if block.Type != "CERTIFICATE" && len(block.Bytes) > maxKeyDER {
				return true
			}
		}
	}
	return false
}

// isKept reports whether a finding is about what stays on the server: the CA of
// today, whose issuer may be gone, in the file of the next one; and keys that are
// neither offered nor among the files that were copied from the server.
func (s *succession) isKept(f pki.Finding) bool {
	switch f.Code {
	case "chain-extra":
	case "key-missing", "service-key-none":
		pair := func(file string) string { return strings.TrimSuffix(strings.TrimSuffix(file, ".crt"), ".key") }
		return !slices.ContainsFunc(k3s.ServerPaths(), func(file string) bool {
			return pair(s.path(file)) == pair(f.Subject) && s.offered.File(file) != nil
		})
	default:
		return false
	}
	for i, is := range s.is.domains {
		for n, c := range is.certs {
			place := Place{File: s.path(is.path + ".crt"), Index: n + 1}
			if f.Subject == place.String() && holdsAnchor(s.was.domains[i].certs, c) {
				return true
			}
		}
	}
	return false
}

// effects are what rotate-ca does not look at.
func (s *succession) effects(out Replacement) []pki.Finding {
	differs, missing := false, []string{}
	for _, file := range k3s.ServerPaths() {
		was, is := s.old.File(file), s.offered.File(file)
		switch {
		case is == nil || len(is.Data) == 0:
			missing = append(missing, strings.TrimPrefix(file, tlsPrefix))
		case was == nil || !bytes.Equal(was.Data, is.Data):
			differs = true
		}
	}
	if !differs {
		return []pki.Finding{pki.New("rotation-nothing", "")}
	}
	var found []pki.Finding
	if len(missing) > 0 {
		found = append(found, pki.New("rotation-partial", "", "files", strings.Join(missing, ", ")))
	}
	if was, is := out.Against.Token, out.Token; was != nil && is != nil && was.Hash != is.Hash {
		found = append(found, pki.New("token-changes", s.path(k3s.ServerCAPath+".crt"), "was", was.Token, "is", is.Token))
	}
	for i, was := range s.was.domains {
		if is := s.is.domains[i]; len(was.certs) > 0 && len(is.certs) > 0 {
			found = append(found, s.domain(was, is)...)
		}
	}
	found = append(found, s.openToOld()...)
	found = append(found, s.anchorsKept()...)
	found = append(found, s.serviceKeys()...)
	return append(found, pki.New("rotation-releases", ""))
}

// serviceKeys tells of keys that verify tokens today and would no longer, the
// first aside: that one is rotate-ca's own check.
func (s *succession) serviceKeys() []pki.Finding {
	was, is := s.old.File(k3s.ServiceKeyPath), s.is.bundle.File(k3s.ServiceKeyPath)
	if was == nil || is == nil {
		return nil
	}
	before, after := k3s.ServiceKeys(was.Data), k3s.ServiceKeys(is.Data)
	if len(before) == 0 || len(after) == 0 {
		return nil
	}
	kept := func(k k3s.PublicKey) bool {
		return slices.ContainsFunc(after, func(o k3s.PublicKey) bool { return o.Equal(k) })
	}
	dropped := 0
	for _, k := range before[1:] {
		if !kept(k) {
			dropped++
		}
	}
	var found []pki.Finding
	path := s.path(k3s.ServiceKeyPath)
	if dropped > 0 {
		found = append(found, pki.New("service-key-dropped", path, "count", strconv.Itoa(dropped)))
	}
	if kept(before[0]) && !after[0].Equal(before[0]) {
		found = append(found, pki.New("service-key-signs", path))
	}
	return found
}

func errorCodes(found []pki.Finding) []pki.Code {
	codes := []pki.Code{}
	for _, f := range found {
		if f.Severity == pki.Error && !slices.Contains(codes, f.Code) {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

func bySeverity(found []pki.Finding) []pki.Finding {
	sort.SliceStable(found, func(i, j int) bool { return severityRank(found[i]) < severityRank(found[j]) })
	return found
}
