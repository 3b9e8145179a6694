package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// rotateReport is the outcome of `rotate` for programs.
type rotateReport struct {
	Server  string   `json:"server"`
	Offline string   `json:"offline,omitempty"`
	Time    pki.Time `json:"time"`
	// Tokens are the full join tokens, only of the token files that were given.
	Tokens map[string]tokenPair `json:"tokens,omitempty"` // server, agent
	report.Rotation
}

// tokenPair is a join token before and after the rotation.
type tokenPair struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// judgeRotation predicts what rotate-ca answers and what follows.
func (a *app) judgeRotation(ctx context.Context, f *rotateFlags, old pki.Bundle, next *k3s.Rotated, d delivery, at pki.Time) (rotateReport, error) {
	server := d.outputs[len(d.outputs)-1]
	r := rotateReport{Server: server.name(), Time: at}
	staged := report.Staged{Name: nextName(server.name()), Archive: server.form != formTree}
	if len(d.outputs) > 1 {
		r.Offline = d.outputs[0].name()
		staged.Offline = shellPath(r.Offline)
	}
	var err error
	if r.Rotation, err = report.ReportRotation(ctx, old, next, staged, at, pki.Random{}); err != nil {
		return r, err
	}
	r.Tokens, err = a.fullTokens(f, old, next.Server, at)
	return r, err
}

// fullTokens puts the credentials of the token files behind the hashes.
func (a *app) fullTokens(f *rotateFlags, old, next pki.Bundle, at pki.Time) (map[string]tokenPair, error) {
	tokens := map[string]tokenPair{}
	for _, file := range []struct{ name, path, user string }{{"server", f.tokenFile, "server"}, {"agent", f.agentTokenFile, "node"}} {
		if file.path == "" {
			continue
		}
		data, err := a.readFile(file.path)
		if err != nil {
			return nil, err
		}
		var pair tokenPair
		for _, side := range []struct {
			bundle pki.Bundle
			into   *string
		}{{old, &pair.Before}, {k3s.Replaced(old, next), &pair.After}} {
			token, err := k3s.ComputeToken(side.bundle.File(k3s.ServerCAPath+".crt").Data, at.Time)
			if err != nil {
				return nil, err
			}
			if *side.into, err = token.Full(string(data), file.user); err != nil {
				var r *pki.Refusal
				if errors.As(err, &r) {
					r.Findings[0].Subject = file.path
				}
				return nil, err
			}
		}
		tokens[file.name] = pair
	}
	return tokens, nil
}

// rotateReceipt says what was made and what to do with it.
func (a *app) rotateReceipt(f *rotateFlags, old string, r rotateReport, d delivery) error {
	talk := *a
	if f.out == standardOutput {
		talk.out = a.err // standard output carries the archive
	}
	refused := r.Count(pki.Error) > 0
	var err error
	switch {
	case f.output != "text":
		err = writeData(talk.out, f.output, r)
	case !a.quiet:
		talk.drawRotation(old, r, len(d.outputs[len(d.outputs)-1].bundle.Files))
	}
	if err != nil {
		return err
	}
	if f.offline != "" && r.Offline == "" {
		a.say(msgRotateNothingOffline, f.offline)
	}
	if refused {
		a.say(msgRotateRefusedAll, r.Server)
		return errFindings
	}
	a.say(msgRotateNext, nextName(r.Server), nextName(old))
	return nil
}

func (a *app) drawRotation(old string, r rotateReport, files int) {
	rows := [][]string{{a.t(wordMade), r.Server, a.count(msgRotateServerPart, files)}}
	if r.Offline != "" {
		rows = append(rows, []string{"", r.Offline, a.count(msgOfflinePart, len(r.Roots))})
	}
	drawTable(a.out, "", rows)
	fmt.Fprintln(a.out)
	rows = [][]string{{a.t(wordChange), a.t(changeWords[r.Change])}}
	add := func(word text, roles []pki.Role) {
		if len(roles) > 0 {
			rows = append(rows, []string{a.t(word), a.roleNames(roles)})
		}
	}
	add(wordChanged, r.Changed)
	add(wordKept, r.Kept)
	add(wordNewRoots, r.Roots)
	if r.Service {
		rows = append(rows, []string{a.t(wordServiceKey), a.t(msgRotateService)})
	}
	rows = append(rows, []string{a.t(wordTopology), a.topologyWord(r.Against.Topology) + " > " + a.topologyWord(r.Topology)})
	for _, side := range []struct {
		word  text
		token *report.Token
	}{{wordTokenBefore, r.Against.Token}, {wordTokenAfter, r.Token}} {
		if side.token != nil {
			rows = append(rows, []string{a.t(side.word), side.token.Token + "  " + a.tokenWords(side.token)})
		}
	}
	for _, name := range []struct {
		key  string
		word text
	}{{"server", wordServerToken}, {"agent", wordAgentToken}} {
		if pair, ok := r.Tokens[name.key]; ok {
			rows = append(rows, []string{a.t(name.word), pair.After})
		}
	}
	rows = append(rows, a.againstRows(comparison{path: old, Against: r.Against, tokenNow: r.Token})...)
	drawTable(a.out, "", rows)
	for _, group := range groupFindings(r.Findings) {
		a.drawFindings(group, false)
	}
	a.drawSteps(r.Rotation)
}

func (a *app) roleNames(roles []pki.Role) string {
	var names []string
	for _, role := range roles {
		names = append(names, report.RoleName(role, a.lang))
	}
	return strings.Join(names, a.t(listComma))
}

// drawSteps numbers what is to do.
func (a *app) drawSteps(r report.Rotation) {
	fmt.Fprintf(a.out, "\n%s\n", a.tint(bold, a.t(headSteps)))
	for i, step := range r.Steps {
		what, where := report.ExplainStep(step, a.lang, r.Distro)
		fmt.Fprintf(a.out, "%3d. %s\n", i+1, a.t(msgStep, where, what))
		for _, command := range step.Commands {
			fmt.Fprintf(a.out, "       %s\n", visible(command))
		}
	}
}
