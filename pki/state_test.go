package pki_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"testing"

	"rootkiln/pki"
)

// Where the signer departed from the plan is told; the plan goes on.
func TestAccept(t *testing.T) {
	_, _, out := requested(t, func(*pki.Plan) {})
	_, keys, err := pki.ParseState(must(out.State.MarshalState()))
	if err != nil {
		t.Fatal(err)
	}
	spec, _ := out.State.Resolved.Spec(pki.Intermediate)
	root := authority(t, "corporate root", pki.P384, nil)
	back := func(edits ...edit) *x509.Certificate {
		as := func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: spec.Subject.CommonName, OrganizationalUnit: []string{spec.Subject.Unit}}
			c.PublicKey, c.KeyUsage = keys[pki.Intermediate].Public(), certAndCRL
			c.NotBefore, c.NotAfter = spec.NotBefore.Time, spec.NotAfter.Time
			pathLen(1)(c)
			for _, e := range edits {
				e(c)
			}
		}
		return authority(t, "", pki.P384, root, as).Certificate
	}
	for _, tt := range []struct {
		name string
		cert *x509.Certificate
		want []pki.Code
		err  pki.Code
	}{
		{"as planned", back(), nil, ""},
		{"for a shorter time", back(func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(-aDay) }), nil, ""},
		{"for a longer time", back(func(c *x509.Certificate) { c.NotAfter = c.NotAfter.Add(aDay) }), []pki.Code{"profile-drift"}, ""},
		{"another path length", back(pathLen(0)), []pki.Code{"profile-drift"}, ""},
		{"no path length", back(pathLen(-1)), []pki.Code{"profile-drift"}, ""},
		{"another usage", back(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageDigitalSignature }), []pki.Code{"profile-drift"}, ""},
		{"an extended usage", back(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), []pki.Code{"profile-drift"}, ""},
		{"an unknown extended usage", back(func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 2, 3}} }), []pki.Code{"profile-drift"}, ""},
		{"another subject", back(func(c *x509.Certificate) { c.Subject.CommonName = "theirs" }), []pki.Code{"profile-drift"}, ""},
		{"no CA", back(func(c *x509.Certificate) { c.IsCA = false; pathLen(-1)(c) }), []pki.Code{"profile-drift"}, ""},
		{"another key", back(public(newKey(t, pki.P384).Public())), nil, "signed-key-mismatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, found, err := out.State.Accept(pki.Intermediate, keys[pki.Intermediate], tt.cert, nil)
			if tt.err != "" {
				wantRefusal(t, err, tt.err)
				return
			}
			if err != nil || a.Key == nil || !a.Certificate.Equal(tt.cert) {
				t.Fatal(err)
			}
			wantCodes(t, found, tt.want...)
		})
	}
	_, _, err = out.State.Accept("nobody", keys[pki.Intermediate], back(), nil)
	wantRefusal(t, err, "request-unknown")
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// The state is all that the first room keeps.
func TestState(t *testing.T) {
	plan, resolved, out := requested(t, func(p *pki.Plan) { p.Organization = []string{"窯業"} })
	file := must(out.State.MarshalState())
	state, keys, err := pki.ParseState(file)
	if err != nil {
		t.Fatal(err)
	}
	if again := must(state.MarshalState()); !bytes.Equal(again, file) {
		t.Errorf("got\n%s\nwant\n%s", again, file)
	}
	want, _ := resolved.Digest()
	if got, _ := state.Resolved.Digest(); got != want {
		t.Error("the plan changed its digest")
	}
	if fmt.Sprint(state.Plan) != fmt.Sprint(plan) {
		t.Errorf("plan %v, want %v", state.Plan, plan)
	}
	csr := parseRequest(t, out.Requests[pki.Intermediate])
	if !keys[pki.Intermediate].Public().(equaler).Equal(csr.PublicKey) {
		t.Error("the key is not the request's")
	}
	for name, tt := range map[string]struct {
		file []byte
		want pki.Code
	}{
		"a plan":            {replace(file, pki.StateKind, pki.PlanKind), "state-unreadable"},
		"a later version":   {replace(file, pki.APIVersion, "rootkiln/v9"), "state-unreadable"},
		"an unknown field":  {replace(file, `"keys": {`, `"quays": {`), "state-unreadable"},
		"a broken key":      {replace(file, "-----END EC", "-----END CE"), "pem-undecodable"},
		"a key that is cut": {replace(file, "-----END EC PRIVATE KEY-----", ""), "pem-truncated"},
		"cut":               {file[:len(file)-10], "state-unreadable"},
	} {
		if _, _, err := pki.ParseState(tt.file); err == nil || codes(reasons(t, err))[0] != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}
