package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// layoutOf finds the table of a plan. Where there is none, all else that is
// wrong with the plan is said in the same breath.
func layoutOf(plan pki.Plan) (pki.Layout, error) {
	layout, err := k3s.Layout(plan)
	if refusal := (*pki.Refusal)(nil); errors.As(err, &refusal) {
		refusal.Findings = append(refusal.Findings, plan.Check()...)
	}
	return layout, err
}

func (a *app) planCommand() *cobra.Command {
	var f bundleFlags
	c := a.newCommand(planAbout, cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		if err := checkForm(f.output, "table", "json", "yaml"); err != nil {
			return err
		}
		jobs, err := a.jobs(c.Context(), &f)
		if err != nil {
			return err
		}
		return a.showPlans(jobs, f.output)
	})
	f.register(a, c)
	f.registerInputs(a, c)
	choiceFlagShort(c.Flags(), &f.output, "output", "o", "table|json|yaml", "table", a.t(flagReportForm))
	return c
}

// showPlans prints resolved plans and makes nothing.
func (a *app) showPlans(jobs []*job, form string) error {
	for i, j := range jobs {
		if i > 0 {
			fmt.Fprintln(a.out, map[bool]string{true: "---", false: ""}[form == "yaml"])
		}
		if form == "json" || form == "yaml" {
			if err := writeData(a.out, form, j.run.Plan); err != nil {
				return err
			}
			continue
		}
		if err := a.drawPlan(j); err != nil {
			return err
		}
		a.distro = j.plan.Distro
		a.explain(j.found)
	}
	if form != "json" && form != "yaml" {
		a.say(msgPlanNext)
	}
	return nil
}

// drawPlan shows topology, timeline and files, and the digest to compare.
func (a *app) drawPlan(j *job) error {
	plan := j.run.Plan
	w := a.out
	fmt.Fprintln(w, a.t(msgPlanHead, plan.Distro, orDash(plan.Name), plan.Topology, plan.Profile, plan.Time))
	fmt.Fprintf(w, "\n%s\n", a.t(headTopology))
	drawTree(w, "  ", a.topology(j))
	fmt.Fprintf(w, "\n%s\n", a.t(headTimeline))
	drawTimeline(w, "  ", a.lives(plan), plan.Time.Time)
	fmt.Fprintf(w, "\n%s\n", a.t(headFiles))
	drawTable(w, "  ", a.planFiles(j))
	digest, err := plan.Digest()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n  %s\n", a.t(headDigest), groups(fmt.Sprintf("%x", digest)))
	return nil
}

// topology is the tree of who signs whom, down to the leaf certificates that
// the distribution will make.
func (a *app) topology(j *job) []*branch {
	plan := j.run.Plan
	nodes := map[pki.Role]*branch{}
	var roots []*branch
	for _, s := range plan.Authorities {
		label := report.RoleName(s.Role, a.lang)
		switch {
		case s.Existing != "":
			label += "  " + a.t(msgExisting, s.Existing[:16])
		default:
			label += fmt.Sprintf("  %s  %s %s", s.Key, penSet().until, s.NotAfter.Format(time.DateOnly))
			if s.Elsewhere {
				label += "  " + a.t(msgKeyElsewhere)
			}
		}
		n := &branch{label: label}
		nodes[s.Role] = n
		if parent := nodes[s.Issuer]; parent != nil {
			parent.children = append(parent.children, n)
		} else {
			roots = append(roots, n)
		}
	}
	product, _ := k3s.ProductOf(plan.Distro)
	for _, leaf := range k3s.Leaves(product) {
		if n := nodes[leaf.Signer]; n != nil {
			n.children = append(n.children, &branch{label: leaf.File + "  " + leaf.CommonName})
		}
	}
	return append(roots, &branch{label: a.serviceLine(plan)})
}

func (a *app) serviceLine(plan pki.Resolved) string {
	line := report.RoleName(pki.Service, a.lang)
	if plan.Service.Key != "" {
		line += "  " + string(plan.Service.Key)
	}
	if n := len(plan.Service.Keep); n > 0 {
		line += "  " + a.t(msgServiceKept, n)
	}
	return line
}

func (a *app) lives(plan pki.Resolved) []span {
	var spans []span
	for _, s := range plan.Authorities {
		spans = append(spans, span{report.RoleName(s.Role, a.lang), s.NotBefore.Time, s.NotAfter.Time})
	}
	return spans
}

func (a *app) planFiles(j *job) [][]string {
	rows := [][]string{}
	for _, row := range j.run.Layout.Rows {
		if _, ok := j.run.Plan.Spec(row.Role); !ok || row.Path == "" {
			continue
		}
		rows = append(rows, []string{row.Path + ".crt", row.Path + ".key", a.chainWords(j, row)})
	}
	return append(rows, []string{j.run.Layout.ServicePath, "", a.serviceLine(j.run.Plan)})
}

// chainWords names the certificates in a chain file, in order.
func (a *app) chainWords(j *job, row pki.Row) string {
	words := []string{report.RoleName(row.Role, a.lang)}
	for issuer := row.Issuer; issuer != ""; {
		words = append(words, report.RoleName(issuer, a.lang))
		next, _ := j.run.Layout.Row(issuer)
		issuer = next.Issuer
	}
	return strings.Join(words, " + ")
}

// groups writes a digest in groups of four, as people read it aloud.
func groups(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return b.String()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func checkForm(form string, allowed ...string) error {
	for _, f := range allowed {
		if f == form {
			return nil
		}
	}
	return usage(msgBadChoice, "--output", form, strings.Join(allowed, ", "))
}

// writeData prints a value as indented JSON, or as YAML with the same fields.
func writeData(w io.Writer, form string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if form == "yaml" {
		var node yaml.Node // JSON is YAML: order and types stay
		if err := yaml.Unmarshal(data, &node); err != nil {
			return err
		}
		blockStyle(&node)
		if data, err = yaml.Marshal(&node); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	_, err = fmt.Fprintln(w, string(data))
	return err
}

func blockStyle(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		blockStyle(c)
	}
}
