package pki_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
)

// requested is the first room: a plan whose root is elsewhere, its keys and
// requests.
func requested(t *testing.T, edit func(*pki.Plan)) (pki.Plan, pki.Resolved, *pki.Requested) {
	t.Helper()
	plan := newPlan(func(p *pki.Plan) { p.Keys, p.Elsewhere, p.Name = ecKeys, []pki.Role{pki.Root}, "site-1" }, edit)
	r := runOf(t, plan, pki.Given{})
	out, err := r.Request(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	return plan, r.Plan, out
}

func parseRequest(t *testing.T, text []byte) *x509.CertificateRequest {
	t.Helper()
	csr, notes, err := pki.ParseRequest("request", text)
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	return csr
}

// A request proves possession of its key and asks for what the plan says, for
// signers that look at nothing else.
func TestRequest(t *testing.T) {
	for _, spec := range pki.KeySpecs {
		_, plan, out := requested(t, func(p *pki.Plan) { p.Keys.Intermediate = spec })
		if len(out.Requests) != 1 || len(out.State.Keys) != 1 {
			t.Fatalf("%d requests, %d keys", len(out.Requests), len(out.State.Keys))
		}
		text := out.Requests[pki.Intermediate]
		told := string(run(t, text, "sh", "-c", "openssl req -verify -noout -subject -text 2>&1"))
		for _, want := range []string{"self-signature verify OK", "CN = k3s-intermediate-ca@1795377600", "OU = site-1", "X509v3 Basic Constraints: critical", "CA:TRUE, pathlen:1", "X509v3 Key Usage: critical", "Certificate Sign, CRL Sign"} {
			if !strings.Contains(told, want) {
				t.Errorf("%s: openssl does not say %q:\n%s", spec, want, told)
			}
		}
		found, notes, err := plan.Vet(parseRequest(t, text), "request")
		if err != nil || len(notes) > 0 || found.Role != pki.Intermediate {
			t.Errorf("%s: %s %v %v", spec, found.Role, notes, err)
		}
	}
	_, err := runOf(t, newPlan(), pki.Given{}).Request(t.Context(), newPlan())
	wantRefusal(t, err, "request-none")
}

func TestRequestsRefused(t *testing.T) {
	_, plan, out := requested(t, func(*pki.Plan) {})
	good := parseRequest(t, out.Requests[pki.Intermediate])
	make := func(spec pki.KeySpec, subject pkix.Name) *x509.CertificateRequest {
		return csrOf(t, newKey(t, spec), &x509.CertificateRequest{Subject: subject})
	}
	named := func(cn, ou string) pkix.Name {
		return pkix.Name{CommonName: cn, OrganizationalUnit: []string{ou}}
	}
	forged := bytes.Clone(good.Raw)
	forged[len(forged)-1] ^= 1
	broken, err := x509.ParseCertificateRequest(forged)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		csr  *x509.CertificateRequest
		want pki.Code // empty: accepted
	}{
		{"as it was", good, ""},
		{"as another tool writes it", make(pki.P384, good.Subject), ""},
		{"without the private key", broken, "request-signature"},
		{"a smaller key than the plan's", make(pki.P256, good.Subject), "request-key"},
		{"another algorithm", make(pki.RSA2048, good.Subject), "request-key"},
		{"a subject of its own", make(pki.P384, named("my-ca", "site-1")), "request-unknown"},
		{"of another cluster", make(pki.P384, named(good.Subject.CommonName, "site-2")), "request-unknown"},
		{"of an authority that is made here", make(pki.P256, named("k3s-server-ca@1795377600", "site-1")), "request-unknown"},
		{"of the root itself", make(pki.P384, named("k3s-root-ca@1795377600", "site-1")), "request-unknown"},
		{"without a subject", make(pki.P384, pkix.Name{}), "request-unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec, _, err := plan.Vet(tt.csr, "usb/request.pem")
			if tt.want == "" {
				if err != nil || spec.Role != pki.Intermediate {
					t.Errorf("%s %v", spec.Role, err)
				}
				return
			}
			wantRefusal(t, err, tt.want)
			if s := reasons(t, err)[0].Subject; s != "usb/request.pem" {
				t.Errorf("subject %q", s)
			}
		})
	}
	text := out.Requests[pki.Intermediate]
	for name, tt := range map[string]struct {
		file []byte
		want pki.Code
	}{
		"nothing":       {nil, "pem-none"},
		"two":           {join(text, text), "request-several"},
		"a certificate": {pki.EncodeCertificates(authority(t, "x", pki.P256, nil).Certificate), "pem-type"},
		"noise":         {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte("x")}), "request-parse"},
		"cut":           {text[:len(text)/2], "pem-truncated"},
	} {
		if _, _, err := pki.ParseRequest("request", tt.file); err == nil || codes(reasons(t, err))[0] != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if _, notes, err := pki.ParseRequest("request", replace(text, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "\n", "\r\n")); err != nil || codes(notes)[0] != "pem-normalised" {
		t.Error(err, notes)
	}
}

func csrOf(t *testing.T, key pki.Key, template *x509.CertificateRequest) *x509.CertificateRequest {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

// What a request asks for beyond its subject is noted and never followed: the
// signed bytes are the same whatever it asks.
func TestSignTakesNothingFromTheRequest(t *testing.T) {
	_, plan, _ := requested(t, func(*pki.Plan) {})
	root := authority(t, "corporate root", pki.P384, nil)
	key := newKey(t, pki.P384)
	constant := serials{newPool(kiln), func(pki.Role, [32]byte) ([16]byte, error) { return [16]byte{7}, nil }}
	subject := plan.Requests()[0].Subject
	name := pkix.Name{CommonName: subject.CommonName, OrganizationalUnit: []string{subject.Unit}}
	extension := func(oid ...int) pkix.Extension {
		return pkix.Extension{Id: oid, Critical: true, Value: []byte{0x30, 0}}
	}
	var want []byte
	for _, tt := range []struct {
		name string
		asks x509.CertificateRequest
		more bool
	}{
		{"nothing", x509.CertificateRequest{}, false},
		{"names", x509.CertificateRequest{DNSNames: []string{"example.org"}}, true},
		{"an address", x509.CertificateRequest{IPAddresses: []net.IP{{192, 0, 2, 1}}}, true},
		{"path length and usage", x509.CertificateRequest{ExtraExtensions: []pkix.Extension{extension(2, 5, 29, 19), extension(2, 5, 29, 15)}}, false},
		{"extended usage", x509.CertificateRequest{ExtraExtensions: []pkix.Extension{extension(2, 5, 29, 37)}}, true},
		{"constraints and policies", x509.CertificateRequest{ExtraExtensions: []pkix.Extension{extension(2, 5, 29, 30), extension(2, 5, 29, 32)}}, true},
		{"a signature of its choice", x509.CertificateRequest{SignatureAlgorithm: x509.ECDSAWithSHA256}, false},
	} {
		tt.asks.Subject = name
		csr := csrOf(t, key, &tt.asks)
		spec, notes, err := plan.Vet(csr, "request")
		if err != nil {
			t.Fatal(tt.name, err)
		}
		if asked := fmt.Sprint(codes(notes)) == "[request-asks-more]"; asked != tt.more {
			t.Errorf("%s: noted %v", tt.name, notes)
		}
		signed, _, err := pki.Sign(t.Context(), spec, csr, root, issueTime, constant)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		if want == nil {
			want = signed.Certificate.RawTBSCertificate
			checkShape(t, pki.Row{Role: pki.Intermediate, Issuer: pki.Root}, signed, shape{pathLen: 1, days: 3650, usage: certAndCRL, keyID: crypto.SHA256})
		}
		if !bytes.Equal(signed.Certificate.RawTBSCertificate, want) {
			t.Errorf("%s: changed the certificate", tt.name)
		}
	}
}

func TestSign(t *testing.T) {
	_, plan, out := requested(t, func(*pki.Plan) {})
	csr := parseRequest(t, out.Requests[pki.Intermediate])
	spec := plan.Requests()[0]
	sign := func(issuer *pki.Authority, now pki.Time) (*pki.Authority, []pki.Finding, error) {
		return pki.Sign(t.Context(), spec, csr, issuer, now, newPool(kiln))
	}
	short := authority(t, "corporate root", pki.P384, nil, lives(0, 500*aDay))
	signed, found, err := sign(short, issueTime)
	if err != nil {
		t.Fatal(err)
	}
	wantCodes(t, found, "plan-lifetime-cut")
	c := signed.Certificate
	if !c.NotAfter.Equal(short.Certificate.NotAfter) || !c.NotBefore.Equal(short.Certificate.NotBefore) {
		t.Errorf("lives from %s to %s", c.NotBefore, c.NotAfter)
	}
	if signed.Key != nil || !signed.Root().Equal(short.Certificate) {
		t.Error("what comes back has a key, or no root")
	}
	root := authority(t, "corporate root", pki.P384, nil)
	_, _, err = sign(&pki.Authority{Role: pki.Root, Certificate: root.Certificate}, issueTime)
	wantRefusal(t, err, "key-missing")
	_, _, err = sign(&pki.Authority{Role: pki.Root, Certificate: root.Certificate, Key: short.Key}, issueTime)
	if err == nil {
		t.Error("signed with the key of another certificate")
	}
	own := csrOf(t, root.Key, &x509.CertificateRequest{Subject: csr.Subject})
	_, _, err = pki.Sign(t.Context(), spec, own, root, issueTime, newPool(kiln))
	wantRefusal(t, err, "key-reused")
	_, _, err = sign(authority(t, "corporate root", pki.P384, nil, lives(-2*aDay, -aDay)), issueTime)
	wantRefusal(t, err, "plan-lifetime-order")
	_, _, err = sign(authority(t, "corporate root", pki.P384, nil, lives(-aDay, 90*aDay)), issueTime)
	wantRefusal(t, err, "issuer-short-life")
	// the issuer itself is judged apart, for what its place in the layout signs
	narrow := authority(t, "corporate root", pki.P384, nil, pathLen(1))
	narrow.Role = pki.Root
	wantCodes(t, pki.CheckIssuer(narrow, issueTime, layoutOf(t, newPlan())), "path-length")
	narrow.Role = "somebody"
	wantCodes(t, pki.CheckIssuer(narrow, issueTime, layoutOf(t, newPlan())), "plan-not-used")
}

// Two rooms, one USB stick: the way of every request and back into a bundle.
func TestRequestSignAccept(t *testing.T) {
	every := []pki.Role{pki.Root, pki.ClientRoot, pki.RequestHeaderRoot, pki.EtcdPeerRoot, pki.EtcdServerRoot}
	for _, tt := range []struct {
		topology  pki.Topology
		elsewhere []pki.Role
	}{
		{pki.Isolated, []pki.Role{pki.Root}},
		{pki.Isolated, []pki.Role{pki.Root, pki.Intermediate}},
		{pki.Isolated, []pki.Role{pki.ClientRoot}},
		{pki.Isolated, every},
		{pki.Shared, []pki.Role{pki.Root}},
		{pki.Shared, []pki.Role{pki.Root, pki.Intermediate}},
	} {
		t.Run(fmt.Sprint(tt.topology, tt.elsewhere), func(t *testing.T) {
			plan, resolved, out := requested(t, func(p *pki.Plan) { p.Topology, p.Elsewhere = tt.topology, tt.elsewhere })
			file, err := out.State.MarshalState()
			if err != nil {
				t.Fatal(err)
			}
			state, keys, err := pki.ParseState(file)
			if err != nil {
				t.Fatal(err)
			}
			given := pki.Given{Authorities: map[pki.Role]*pki.Authority{}}
			issuers := map[pki.Role]*pki.Authority{}
			for role, text := range out.Requests {
				spec, _, err := resolved.Vet(parseRequest(t, text), string(role)) // the other room
				if err != nil || spec.Role != role {
					t.Fatal(spec.Role, err)
				}
				if issuers[spec.Issuer] == nil {
					issuers[spec.Issuer] = authority(t, "theirs", pki.P384, nil)
				}
				signed, _, err := pki.Sign(t.Context(), spec, parseRequest(t, text), issuers[spec.Issuer], issueTime, pki.Random{})
				if err != nil {
					t.Fatal(err)
				}
				back, notes, err := state.Accept(role, keys[role], signed.Certificate, signed.Above) // and home again
				if err != nil {
					t.Fatal(err)
				}
				wantCodes(t, notes)
				given.Authorities[role] = back
			}
			issued := issue(t, plan, given)
			if key := issued.Offline.File("intermediate-ca.key"); (key != nil) == slices.Contains(tt.elsewhere, pki.Intermediate) {
				t.Error("the safe keeps the key of an intermediate if and only if it was made here")
			}
			for _, row := range issued.Layout.Rows {
				a := issued.Authorities[row.Role]
				if row.Path == "" || a == nil {
					continue
				}
				chain, _, err := pki.ParseCertificates(row.Path, issued.Server.File(row.Path+".crt").Data)
				if err != nil || !pki.SelfSigned(chain[len(chain)-1]) {
					t.Errorf("%s: ends at %s (%v)", row.Path, chain[len(chain)-1].Subject, err)
				}
				theirs := issuers[row.Issuer] != nil || issuers[pki.Root] != nil && row.Issuer == pki.Intermediate
				if got := a.Root().Subject.CommonName == "theirs"; got != theirs {
					t.Errorf("%s: under our root or theirs?", row.Path)
				}
			}
		})
	}
}
