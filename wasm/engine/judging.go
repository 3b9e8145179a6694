package engine

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// reportParams are those of the methods that judge one set.
type reportParams struct {
	common
	Set     FileSet  `json:"set"`
	At      pki.Time `json:"at"`
	Against *FileSet `json:"against,omitempty"`
}

func (p *reportParams) forget() {
	p.Set.forget()
	p.Against.forget()
}

// at is the moment of a report: the one asked for, or now.
func (c *call) at(asked pki.Time) pki.Time {
	if asked.IsZero() {
		return c.Now
	}
	return asked
}

// judging makes the past the clock of the call where a report is about it.
func (c *call) judging(asked pki.Time) pki.Time {
	c.Now = c.at(asked)
	return c.Now
}

// inspected is the value of inspect.
type inspected struct {
	report.Inspection
	Findings []Finding `json:"findings"`
}

func (c *call) inspect(_ context.Context, p *reportParams) (*inspected, error) {
	at := c.judging(p.At)
	b, unread, err := c.open(p.Set)
	if err != nil {
		return nil, err
	}
	in := report.Inspect(b, at)
	return &inspected{in, c.explain(slices.Concat(unread, in.Findings))}, nil
}

// verified is the value of verify.
type verified struct {
	report.Verification
	Against  *report.Against `json:"against,omitempty"` // what it is to replace
	Findings []Finding       `json:"findings"`
}

func (c *call) verify(ctx context.Context, p *reportParams) (*verified, error) {
	at := c.judging(p.At)
	b, unread, err := c.cluster(p.Set)
	if err != nil {
		return nil, err
	}
	if p.Against == nil {
		v, err := report.Verify(ctx, b, at, c.engine.Keys)
		if err != nil {
			return nil, err
		}
		c.distro = v.Distro
		return &verified{v, nil, c.explain(slices.Concat(v.Findings, unread))}, nil
	}
	running, more, err := c.cluster(*p.Against)
	if err != nil {
		return nil, err
	}
	r, err := report.VerifyAgainst(ctx, b, running, at, c.engine.Keys)
	if err != nil {
		return nil, err
	}
	c.distro = r.Distro
	return &verified{r.Verification, &r.Against, c.explain(slices.Concat(r.Findings, unread, more))}, nil
}

// checkParams are those of check.
type checkParams struct {
	common
	Set    FileSet  `json:"set"`
	At     pki.Time `json:"at"`
	Within string   `json:"within,omitempty"`
}

func (p *checkParams) forget() { p.Set.forget() }

// checked is the value of check.
type checked struct {
	report.ExpiryReport
	Findings []Finding  `json:"findings"`
	Remedies []remedied `json:"remedies"`
}

func (c *call) check(_ context.Context, p *checkParams) (*checked, error) {
	within, err := days(p.Within)
	if err != nil {
		return nil, err
	}
	at := c.judging(p.At)
	b, unread, err := c.open(p.Set)
	if err != nil {
		return nil, err
	}
	r := report.CheckExpiry(b, report.ExpiryOptions{At: at, Within: within, Unread: unread})
	for _, row := range r.Certificates {
		if row.Distro != "" {
			c.distro = row.Distro
		}
	}
	return &checked{r, c.explain(r.Findings), c.remedies(r.Remedies, p.Set.Label)}, nil
}

// remedied is a remedy with its sentence.
type remedied struct {
	report.Remedy
	What string `json:"what"`
}

// remedies says what each is for; alone is the name of a node that has none.
func (c *call) remedies(remedies []report.Remedy, alone string) []remedied {
	out := []remedied{}
	for _, r := range remedies {
		out = append(out, remedied{r, report.ExplainRemedy(r, cmp.Or(r.Node, alone), c.Lang)})
	}
	return out
}

// days reads 120d or 1y; the default is the window of `k3s certificate check`.
func days(s string) (int, error) {
	if s == "" {
		return k3s.RenewDays, nil
	}
	unit, number := 1, strings.TrimSuffix(s, "d")
	if n, years := strings.CutSuffix(s, "y"); years {
		unit, number = 365, n
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || number == s {
		return 0, usage(sayWithin, "within")
	}
	return int(n) * unit, nil
}

// compareParams are those of compare.
type compareParams struct {
	common
	Sets   []FileSet `json:"sets"`
	Staged *FileSet  `json:"staged,omitempty"`
}

func (p *compareParams) forget() {
	for i := range p.Sets {
		p.Sets[i].forget()
	}
	p.Staged.forget()
}

// compared is the value of compare.
type compared struct {
	report.Comparison
	Findings []Finding  `json:"findings"`
	Remedies []remedied `json:"remedies"`
}

func (c *call) compare(_ context.Context, p *compareParams) (*compared, error) {
	var nodes []report.NodeFiles
	var unread []pki.Finding
	for _, set := range p.Sets {
		b, found, err := c.open(set)
		if err != nil {
			return nil, err
		}
		// A single file of certificates is a dump of /cacerts.
		dump := set.Count == 1 && len(b.Files) == 1
		nodes, unread = append(nodes, report.NodeFiles{Name: set.Label, Bundle: b, Dump: dump}), append(unread, found...)
	}
	var staged *pki.Bundle
	if p.Staged != nil {
		b, found, err := c.open(*p.Staged)
		if err != nil {
			return nil, err
		}
		staged, unread = &b, append(unread, found...)
	}
	r := report.Compare(nodes, staged, c.Now)
	if len(r.Nodes) > 0 {
		c.distro = r.Nodes[0].Distro
	}
	return &compared{r, c.explain(slices.Concat(unread, r.Findings)), c.remedies(r.Remedies, "")}, nil
}

// tokenParams are those of token.
type tokenParams struct {
	common
	Set      FileSet `json:"set"`
	Password Secret  `json:"password,omitempty"`
}

func (p *tokenParams) forget() {
	p.Set.forget()
	clear(p.Password)
}

// joined is the value of token.
type joined struct {
	*report.Token
	Full string `json:"full,omitempty"`
}

func (c *call) token(_ context.Context, p *tokenParams) (*joined, error) {
	b, _, err := c.open(p.Set)
	if err != nil {
		return nil, err
	}
	file := report.ServerCA(b)
	if len(b.Files) == 1 && p.Set.Count == 1 { // any name: a dump of /cacerts
		file = &b.Files[0]
	} else if clusters := report.Clusters(b); len(clusters) > 1 {
		return nil, refuse("clusters-several", p.Set.Label, "count", strconv.Itoa(len(clusters)), "first", clusters[0].Directory)
	}
	if file == nil {
		return nil, refuse("file-missing", p.Set.Label, "path", k3s.ServerCAPath+".crt")
	}
	t, err := report.TokenOf(file.Data, c.Now)
	if err != nil {
		return nil, refuse("file-unreadable", file.Path, "detail", err.Error())
	}
	out := &joined{Token: t}
	if len(p.Password) > 0 {
		full, err := k3s.ComputeToken(file.Data, c.Now.Time)
		if err != nil {
			return nil, err
		}
		if out.Full, err = full.Full(string(p.Password), "server"); err != nil {
			return nil, err
		}
	}
	return out, nil
}
