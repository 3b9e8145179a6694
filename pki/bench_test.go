package pki_test

import (
	"bytes"
	"io"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// The default bundle: eleven ECDSA keys and one of RSA-2048.
func BenchmarkIssueDefault(b *testing.B) { benchmarkIssue(b, newPlan()) }

// Without RSA: what a page makes at once.
func BenchmarkIssueECDSA(b *testing.B) {
	benchmarkIssue(b, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }))
}

func benchmarkIssue(b *testing.B, plan pki.Plan) {
	r := runOf(b, plan, pki.Given{})
	r.Keys = pki.Random{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Issue(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	plan, layout := newPlan(), layoutOf(b, newPlan())
	b.ReportAllocs()
	for b.Loop() {
		r, _, err := pki.Resolve(plan, layout, pki.Given{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Digest(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteTarGz(b *testing.B) {
	issued := issue(b, newPlan(), pki.Given{})
	b.ReportAllocs()
	for b.Loop() {
		if err := pki.WriteTarGz(io.Discard, issued.Server); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadArchive(b *testing.B) {
	data := tarGzOf(b, issue(b, newPlan(), pki.Given{}).Server)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pki.ReadArchive(bytes.NewReader(data), pki.DefaultLimits); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkComputeToken(b *testing.B) {
	file := issue(b, newPlan(), pki.Given{}).Server.File(k3s.ServerCAPath + ".crt").Data
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k3s.ComputeToken(file, issueTime.Time); err != nil {
			b.Fatal(err)
		}
	}
}
