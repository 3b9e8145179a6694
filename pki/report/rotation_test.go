package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// TestRotationSteps: each kind of rotation asks for what it needs and for nothing
// else, in an order in which nobody is locked out: the token before the agents'
// restart, the look at the supervisor's issuer before the old root goes.
func TestRotationSteps(t *testing.T) {
	base := []report.StepCode{report.StepBackup, report.StepStage, report.StepRotate}
	with := func(more ...report.StepCode) []report.StepCode { return slices.Concat(base, more) }
	l := startRotation(t, pki.Shared)
	for _, row := range []struct {
		name string
		want k3s.RotationRequest
		code []report.StepCode
	}{
		{"new CAs", k3s.RotationRequest{}, with(report.StepRestart, report.StepCompare, report.StepClean, report.StepAgents)},
		{"service key", k3s.RotationRequest{ServiceKeyOnly: true}, with(report.StepRestart, report.StepCompare, report.StepClean)},
		{"step a", k3s.RotationRequest{Step: "a"}, with(report.StepSupervisor, report.StepCompare, report.StepClean,
			report.StepAgents, report.StepKubeconfigs, report.StepRoots, report.StepConfigMap, report.StepNext)},
		{"step b", k3s.RotationRequest{Step: "b"}, with(report.StepRestart, report.StepCompare, report.StepClean, report.StepTokens, report.StepAgents, report.StepRoots, report.StepNext)},
		{"step c", k3s.RotationRequest{Step: "c"}, slices.Concat([]report.StepCode{report.StepIssuer}, with(report.StepSupervisor, report.StepCompare, report.StepClean,
			report.StepAgents, report.StepKubeconfigs, report.StepPods, report.StepConfigMap))},
	} {
		r := l.rotate(row.want)
		var codes []report.StepCode
		for _, s := range r.Steps {
			codes = append(codes, s.Code)
			for _, lang := range []report.Lang{report.English, report.Chinese} {
				if what, where := report.ExplainStep(s, lang, pki.RKE2); what == "" || where == "" || strings.Contains(what, "k3s") {
					t.Errorf("%s: %s, %s: %q, %q", row.name, s.Code, lang, what, where)
				}
			}
		}
		if !slices.Equal(codes, row.code) {
			t.Errorf("%s: steps\n got %v\nwant %v", row.name, codes, row.code)
		}
		if r.Against.Ruling == nil || !r.Against.Ruling.Saved || r.Count(pki.Error) > 0 {
			t.Errorf("%s: %v", row.name, r.Findings)
		}
	}
}

// rotation is a cluster that is rotated again and again.
type rotation struct {
	t     *testing.T
	files pki.Bundle
	held  k3s.Held
	at    time.Time
}

func startRotation(t *testing.T, topology pki.Topology) *rotation {
	t.Helper()
	plan := pki.Plan{Time: issueTime, Topology: topology, Keys: pki.Keys{Root: pki.P256, Intermediate: pki.P256, CA: pki.P256, Service: pki.P256}}
	layout, err := k3s.Layout(plan)
	if err != nil {
		t.Fatal(err)
	}
	resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := pki.Run{Plan: resolved, Layout: layout, Keys: pki.Random{}}.Issue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &rotation{t: t, files: issued.Server, at: issueTime.Time}
	r.keep(issued)
	return r
}

func (r *rotation) keep(issued *pki.Issued) {
	for _, a := range issued.Authorities {
		r.held.Certificates = append(r.held.Certificates, a.Certificate)
		if a.Key != nil {
			r.held.Keys = append(r.held.Keys, a.Key)
		}
	}
}

func (r *rotation) rotate(want k3s.RotationRequest) report.Rotation {
	r.t.Helper()
	r.at = r.at.Add(24 * time.Hour)
	want.Plan.Time = pki.At(r.at)
	cluster, _, err := k3s.ReadCluster(r.files, r.held)
	if err != nil {
		r.t.Fatal(err)
	}
	next, err := cluster.Rotate(r.t.Context(), want, pki.Random{}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := report.ReportRotation(r.t.Context(), r.files, next, report.Staged{Name: "next.tar.gz", Archive: true, Offline: "off"}, pki.At(r.at), pki.Random{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.files = k3s.Replaced(r.files, next.Server)
	if next.Issued != nil {
		r.keep(next.Issued)
	}
	return out
}
