package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"rootkiln/pki"
)

// What the command line reads by itself, before the core sees it: YAML and
// encrypted keys. The core's readers are fuzzed beside their code.

func FuzzPlanFile(f *testing.F) {
	f.Add([]byte("apiVersion: rootkiln/v1\nkind: Plan\nname: a\n---\napiVersion: rootkiln/v1\nkind: Plan\nname: b\n"))
	f.Add([]byte("apiVersion: rootkiln/v1\nkind: Plan\ntime: 2026-11-22\nkeys: {root: p384}\nelsewhere: [root]\n"))
	f.Add([]byte("a: &x [*x, *x]"))
	f.Add([]byte("{? [1]: 2}"))
	f.Add([]byte("a: !!binary aaaa\n? |\n  b\n: <<"))
	f.Fuzz(func(t *testing.T, data []byte) {
		plans, err := parsePlans(data)
		if err != nil {
			return
		}
		for _, p := range plans {
			if p.APIVersion != pki.APIVersion || p.Kind != pki.PlanKind {
				t.Errorf("taken for a plan: %q", data)
			}
		}
	})
}

func FuzzKubeconfigFile(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nkind: Config\nclusters:\n- cluster: {certificate-authority-data: aGk=}\n"))
	f.Add([]byte("{\"kind\":\"Config\"}"))
	f.Add([]byte("users: [{user: {client-key-data: &a x}}, *a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := &app{out: &bytes.Buffer{}, err: &bytes.Buffer{}}
		out := a.kubeconfig("admin.kubeconfig", data)
		if !bytes.Equal(out, data) && !json.Valid(out) {
			t.Errorf("neither left alone nor JSON: %q", out)
		}
	})
}
