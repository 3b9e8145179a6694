package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"rootkiln/pki/report"
)

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
	drawTree(w, "  ", a.topology(report.Topology(plan, j.run.Layout, a.lang)))
	fmt.Fprintf(w, "\n%s\n", a.t(headTimeline))
	drawTimeline(w, "  ", spans(report.Lives(plan, a.lang)), plan.Time.Time)
	fmt.Fprintf(w, "\n%s\n", a.t(headFiles))
	drawTable(w, "  ", planFiles(report.PlannedFiles(plan, j.run.Layout, a.lang)))
	digest, err := plan.Digest()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n  %s\n", a.t(headDigest), report.Groups(fmt.Sprintf("%x", digest)))
	return nil
}

// topology is the tree of who signs whom, down to the leaf certificates that
// the distribution will make.
func (a *app) topology(branches []*report.Branch) []*branch {
	var drawn []*branch
	for _, b := range branches {
		label := b.Name
		if b.Note != "" {
			label += "  " + b.Note
		}
		if b.Until != nil && !b.Existing {
			label += fmt.Sprintf("  %s %s", penSet().until, b.Until.Format(time.DateOnly))
			if b.Elsewhere {
				label += "  " + a.t(msgKeyElsewhere)
			}
		}
		drawn = append(drawn, &branch{label: label, children: a.topology(b.Children)})
	}
	return drawn
}

func spans(lives []report.Life) []span {
	var drawn []span
	for _, l := range lives {
		drawn = append(drawn, span{l.Name, l.From.Time, l.Until.Time})
	}
	return drawn
}

// planFiles shows each chain beside its key.
func planFiles(files []report.PlannedFile) [][]string {
	rows := [][]string{}
	for _, f := range files {
		name, isKey := strings.CutSuffix(f.Path, ".key")
		switch last := len(rows) - 1; {
		case f.Part != report.ServerPart:
		case isKey && last >= 0 && rows[last][0] == name+".crt":
			rows[last][1] = f.Path
		default:
			rows = append(rows, []string{f.Path, "", f.Content})
		}
	}
	return rows
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
