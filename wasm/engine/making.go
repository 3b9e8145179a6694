package engine

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"strings"

	"filippo.io/age"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

func (c *call) make(ctx context.Context, p *planParams) (*receipt, error) {
	to, err := p.to()
	if err != nil {
		return nil, err
	}
	j, err := c.job(p, false)
	if err != nil {
		return nil, err
	}
	return c.finish(ctx, j, p, to)
}

// receipt is the value of make and resume.
type receipt struct {
	report.Receipt
	Files        []madeFile           `json:"files"`
	Certificates []madeCertificate    `json:"certificates"`
	Install      []report.InstallStep `json:"install"`
	Findings     []Finding            `json:"findings"`
}

type madeFile struct {
	Path string      `json:"path"`
	Mode string      `json:"mode"`
	Size int         `json:"size"`
	Part report.Part `json:"part"`
	Kind pki.Kind    `json:"kind"`
}

type madeCertificate struct {
	report.MadeEntry
	Name string `json:"name"`
}

// finish issues a bundle and hands its archives out.
func (c *call) finish(ctx context.Context, j *job, p *planParams, to []age.Recipient) (*receipt, error) {
	issued, err := j.run.Issue(ctx)
	if err != nil {
		return nil, err
	}
	made, err := report.Finish(ctx, issued, j.run.Given, j.found, c.engine.Keys, c.Lang)
	if err != nil {
		return nil, err
	}
	names := archiveNames(p, "tls.tar.gz")
	if err := c.archive(names.server, made.Server, nil); err != nil {
		return nil, err
	}
	delivered := report.Delivered{Server: names.server, Unsealed: len(to) == 0}
	if made.OfflineKeys() > 0 {
		delivered.Offline = names.sealed(len(to) > 0)
		if err := c.archive(delivered.Offline, made.Offline, to); err != nil {
			return nil, err
		}
	}
	r, err := made.Receipt(delivered.Server, delivered.Offline, "")
	if err != nil {
		return nil, err
	}
	product, _ := k3s.ProductOf(made.Plan.Distro)
	out := &receipt{Receipt: r, Findings: c.explain(made.Found), Install: report.Install(product, delivered, c.Lang), Files: []madeFile{}}
	for _, part := range []struct {
		name   report.Part
		bundle pki.Bundle
		out    bool
	}{{report.ServerPart, made.Server, true}, {report.OfflinePart, made.Offline, delivered.Offline != ""}} {
		for _, f := range part.bundle.Files {
			if part.out {
				out.Files = append(out.Files, madeFile{f.Path, fmt.Sprintf("%04o", f.Kind.Mode()), len(f.Data), part.name, f.Kind})
			}
		}
	}
	for _, entry := range r.Certificate {
		out.Certificates = append(out.Certificates, madeCertificate{entry, report.RoleName(entry.Role, c.Lang)})
	}
	return out, nil
}

// names are those of the two archives.
type names struct{ server, offline string }

// archiveNames fills in the usual names; the offline part stands beside the
// server part.
func archiveNames(p *planParams, usual string) names {
	n := names{server: p.Server, offline: p.Offline}
	if n.server == "" {
		n.server = usual
	}
	if n.offline == "" {
		stem, ending := n.server, ".tar.gz"
		for _, e := range []string{".tar.gz", ".tgz", ".tar"} {
			if s, ok := strings.CutSuffix(n.server, e); ok {
				stem, ending = s, e
				break
			}
		}
		n.offline = stem + "-offline" + ending
	}
	return n
}

// sealed is the name of the offline part.
func (n names) sealed(encrypted bool) string {
	if encrypted && !strings.HasSuffix(n.offline, sealedSuffix) {
		return n.offline + sealedSuffix
	}
	return n.offline
}

// archive hands a bundle out as an archive, encrypted where there are recipients.
func (c *call) archive(name string, b pki.Bundle, to []age.Recipient) error {
	var plain bytes.Buffer
	write := pki.WriteTarGz
	if strings.HasSuffix(strings.TrimSuffix(name, sealedSuffix), ".tar") {
		write = pki.WriteTar
	}
	if err := write(&plain, b); err != nil {
		return err
	}
	return c.hand(name, plain.Bytes(), to, 0o600)
}

// hand puts a file among those that go back; what is encrypted leaves no copy.
func (c *call) hand(name string, data []byte, to []age.Recipient, mode fs.FileMode) error {
	sealed, err := encrypted(data, to)
	if err != nil {
		return err
	}
	if len(to) > 0 {
		clear(data)
	}
	c.out = append(c.out, File{Name: name, Data: sealed, Mode: mode, Time: c.Now.Time})
	return nil
}
