package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// The command line that a plan is shown as is read, through a shell, as that plan.
func TestCommandLineOfAPlan(t *testing.T) {
	at, err := pki.ParseTime("2027-01-02T03:04:05Z")
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range []pki.Plan{
		{},
		{
			Distro: pki.RKE2, Name: "prod", Topology: pki.Shared, Profile: pki.Upstream, Time: at,
			Organization: []string{"Ada's Ltd", "a, b $HOME `id`"},
			Keys:         pki.Keys{Root: pki.P521, Intermediate: pki.RSA4096, CA: pki.P384, Service: pki.RSA3072},
			Validity:     pki.Lifetimes{Root: "30y", Intermediate: "2041-01-01", CA: "3650d"},
			Elsewhere:    []pki.Role{pki.Root, pki.ClientRoot},
			NameConstraints: &pki.NameConstraints{
				PermittedDNS: []string{"example.org", "example.net"}, PermittedIP: []string{"10.0.0.0/8", "fd00::/8"},
			},
		},
		{Inputs: pki.Inputs{Directory: "/old", Root: "/my root.crt", RootKey: "/-k", ServiceKeys: []string{"/a", "/b"}, KeepServiceKey: true}},
		{Inputs: pki.Inputs{Intermediate: "/i.crt", IntermediateKey: "/it's.key"}},
	} {
		line := report.CommandLine(plan, report.CommandOptions{
			Server: "my tls.tar.gz", Offline: "off.tar", Recipients: []string{"age1x", "ssh-ed25519 AAAA me"},
		})
		words, err := exec.CommandContext(t.Context(), "sh", "-c", "for w in "+strings.TrimPrefix(line, "rootkiln ")+`; do printf '%s\0' "$w"; done`).Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		args := strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")
		a := newApp(args)
		var f bundleFlags
		c := a.newCommand(bundleAbout, nil, nil)
		f.register(a, c)
		f.registerInputs(a, c)
		choiceFlagShort(c.Flags(), &f.out, "out", "o", "PATH", "", "")
		choiceFlag(c.Flags(), &f.offline, "offline-out", "PATH", "", "")
		f.seal.register(a, c)
		c.Flags().Var(&timeFlag{&a.now}, "now", "")
		if err := c.ParseFlags(args[1:]); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var got pki.Plan
		f.override(&got)
		got.Time = a.now
		if is, want := asJSON(t, got), asJSON(t, plan); is != want {
			t.Errorf("%s\nis read as %s\nwant       %s", line, is, want)
		}
		if f.out != "my tls.tar.gz" || f.offline != "off.tar" || len(f.seal.recipients) != 2 {
			t.Errorf("%s: %q %q %q", line, f.out, f.offline, f.seal.recipients)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every flag that fills a plan has its place in the command line.
func TestCommandLineHasEveryFlag(t *testing.T) {
	line := report.CommandLine(pki.Plan{
		Distro: "d", Name: "n", Topology: "t", Profile: "p", Organization: []string{"o"}, Elsewhere: []pki.Role{"e"},
		Keys: pki.Keys{Root: "a", Intermediate: "a", CA: "a", Service: "a"}, Validity: pki.Lifetimes{Root: "l", Intermediate: "l", CA: "l"},
		NameConstraints: &pki.NameConstraints{PermittedDNS: []string{"n"}, PermittedIP: []string{"i"}},
		Inputs:          pki.Inputs{Directory: "x", Root: "x", RootKey: "x", Intermediate: "x", IntermediateKey: "x", ServiceKeys: []string{"x"}, KeepServiceKey: true},
	}, report.CommandOptions{})
	var f planFlags
	for name := range f.overrides(&pki.Plan{}) {
		if !strings.Contains(line+" ", " --"+name+" ") {
			t.Errorf("--%s is missing: %s", name, line)
		}
	}
}
