package pki_test

import (
	"bytes"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Each test here is headed by what the example scripts of k3s do
// (contrib/util/generate-custom-ca-certs.sh and rotate-default-ca-certs.sh,
// state of 2026) and shows that rootkiln does not.

// "With an intermediate that does not chain to the root: exit 0, an unusable
// bundle, and the token hash silently becomes that of the file."
func TestWartIntermediateOfAnotherRoot(t *testing.T) {
	theirs := authority(t, "clusters", pki.P256, authority(t, "another root", pki.P384, nil))
	root := authority(t, "corporate root", pki.P384, nil)
	_, _, err := pki.OrderChain(pki.Intermediate, certificates(theirs), certificates(root))
	wantRefusal(t, err, "chain-unrelated")
}

// "A 30-day intermediate yields 3700-day leaf CAs, exit 0." "Even fresh runs let
// leaf CAs outlive the intermediate by seconds."
func TestWartLeafOutlivesIntermediate(t *testing.T) {
	root := authority(t, "corporate root", pki.P384, nil)
	month := authority(t, "clusters", pki.P256, root, lives(-aDay, 30*aDay))
	plan := newPlan(func(p *pki.Plan) { p.Profile, p.Topology, p.Keys = pki.Upstream, pki.Shared, ecKeys })
	found := refused(t, plan, at(pki.Intermediate, month))
	if len(found) != 5 || found[0].Code != "issuer-short-life" {
		t.Errorf("%v", found)
	}
	issued := issue(t, plan, pki.Given{})
	end := issued.Authorities[pki.Intermediate].Certificate.NotAfter
	for role, a := range issued.Authorities {
		if role != pki.Root && a.Certificate.NotAfter.After(end) {
			t.Errorf("%s outlives the intermediate", role)
		}
	}
}

// "A missing final newline in an input glues END and BEGIN on one line; Go then
// decodes 1 of 3 blocks."
func TestWartMissingNewlineGluesBlocks(t *testing.T) {
	f := newFamily(t)
	file := bytes.TrimSpace(pki.EncodeCertificates(f.policy.Certificate))
	certs, notes, err := pki.ParseCertificates("intermediate-ca.pem", file)
	if err != nil {
		t.Fatal(err)
	}
	wantCodes(t, notes, "pem-normalised")
	first, above, err := pki.OrderChain(pki.Intermediate, certs, certificates(f.root))
	if err != nil {
		t.Fatal(err)
	}
	given := at(pki.Intermediate, &pki.Authority{Certificate: first, Above: above, Key: f.policy.Key})
	issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), given)
	if n := bytes.Count(issued.Server.File("tls/server-ca.crt").Data, []byte("\n-----END CERTIFICATE-----\n")); n != 3 {
		t.Errorf("%d of 3 blocks", n)
	}
	_, _, err = pki.ParseCertificates("server-ca.crt", append(file, pki.EncodeCertificates(f.root.Certificate)...))
	wantRefusal(t, err, "pem-glued")
}

// "Issuer without SKI: aborts at the first leaf CA, after service.key was already
// changed."
func TestWartIssuerWithoutKeyIdentifier(t *testing.T) {
	key, err := pki.ExportPEM(newKey(t, pki.P256))
	if err != nil {
		t.Fatal(err)
	}
	text := run(t, nil, "openssl", "req", "-x509", "-key", writeFile(t, "key", key), "-subj", "/CN=old root", "-days", "3650",
		"-addext", "subjectKeyIdentifier=none", "-addext", "authorityKeyIdentifier=none")
	keys, _, err := pki.ParseKeys("root-ca.key", key)
	if err != nil {
		t.Fatal(err)
	}
	c := parseCert(t, text)
	plan := newPlan(func(p *pki.Plan) { p.Keys, p.Time = ecKeys, pki.At(c.NotBefore.Add(aDay)) })
	given := at(pki.Root, &pki.Authority{Certificate: c, Key: keys[0].Key})
	_, found := resolve(t, plan, given)
	if len(c.SubjectKeyId) > 0 || !slices.Contains(codes(found), "ski-missing") {
		t.Fatalf("SKI %x, findings %v", c.SubjectKeyId, found)
	}
	issued := issue(t, plan, given)
	for _, child := range []pki.Role{pki.Intermediate, pki.ServerCA} {
		a := issued.Authorities[child]
		if err := a.Certificate.CheckSignatureFrom(a.Above[0]); err != nil {
			t.Errorf("%s: %v", child, err)
		}
	}
	if !slices.Contains(codes(issued.Findings), "aki-missing") {
		t.Errorf("findings %v", issued.Findings)
	}
}

// "With no old key an extra blank line is appended to service.key." "Every re-run
// prepends another key."
func TestWartServiceKeyFile(t *testing.T) {
	old := newKey(t, pki.RSA2048)
	for _, given := range []pki.Given{{}, {ServiceKeys: []pki.Key{old}}} {
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), given)
		text := string(issued.Server.File("tls/service.key").Data)
		if strings.Contains(text, "\n\n") || !strings.HasSuffix(text, " PRIVATE KEY-----\n") {
			t.Errorf("%d old keys: %q", len(given.ServiceKeys), text[max(0, len(text)-60):])
		}
	}
	keep := newPlan(func(p *pki.Plan) { p.Keys, p.Inputs.KeepServiceKey = ecKeys, true })
	given := pki.Given{ServiceKeys: []pki.Key{old}}
	want, _ := pki.ExportPEM(old)
	for range 3 {
		if got := issue(t, keep, given).Server.File("tls/service.key").Data; !bytes.Equal(got, want) {
			t.Error("a re-run changed the file")
		}
	}
}

// "Root and intermediate private keys stay in server/tls on the server." "New
// root private keys are stored inside every *-ca.key."
func TestWartRootKeysOnTheServer(t *testing.T) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Topology, p.Keys = topology, ecKeys }), pki.Given{})
		for _, f := range issued.Server.Files {
			if f.Kind != pki.KindKey {
				continue
			}
			keys, _, err := pki.ParseKeys(f.Path, f.Data)
			if err != nil || len(keys) != 1 {
				t.Fatalf("%s: %d keys, %v", f.Path, len(keys), err)
			}
			for _, row := range issued.Layout.Rows {
				if row.Tier != pki.TierCA && keys[0].Key.Public().(equaler).Equal(issued.Authorities[row.Role].Certificate.PublicKey) {
					t.Errorf("%s holds the key of %s", f.Path, row.Role)
				}
			}
		}
	}
}

// "With root-ca.crt and root-ca.key but no root-ca.pem it generates a new root
// and overwrites both files." What is given is used, and not written again.
func TestWartGivenRootIsReplaced(t *testing.T) {
	root := authority(t, "corporate root", pki.P384, nil)
	issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), at(pki.Root, root))
	if got := issued.Offline.File("root-ca.crt").Data; !bytes.Equal(got, pki.EncodeCertificates(root.Certificate)) {
		t.Errorf("root-ca.crt is not the given one:\n%s", got)
	}
	if issued.Offline.File("root-ca.key") != nil || issued.Made[pki.Root] {
		t.Error("the given key was written again")
	}
}

// "Serials of one run are sequential."
func TestWartSequentialSerials(t *testing.T) {
	issued := issue(t, newPlan(func(p *pki.Plan) { p.Topology, p.Keys = pki.Shared, ecKeys }), pki.Given{})
	var serials []*big.Int
	for _, a := range issued.Authorities {
		serials = append(serials, a.Certificate.SerialNumber)
	}
	slices.SortFunc(serials, (*big.Int).Cmp)
	for i := 1; i < len(serials); i++ {
		if distance := new(big.Int).Sub(serials[i], serials[i-1]); distance.BitLen() < 64 {
			t.Errorf("two serials are only %s apart", distance)
		}
	}
}

// "Mode 0640 for the old root's key", "0750 for directories".
func TestWartModes(t *testing.T) {
	for kind, want := range map[pki.Kind]string{pki.KindKey: "-rw-------", pki.KindSecret: "-rw-------", pki.KindChain: "-rw-r--r--", pki.KindPublic: "-rw-r--r--"} {
		if got := kind.Mode().String(); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
	if pki.DirMode.String() != "-rwx------" {
		t.Errorf("directories: %s", pki.DirMode)
	}
}

// "Printed tokens are wrong: the hash is that of the issuing CA; k3s computes
// that of the root."
func TestWartTokenOfTheIssuingCA(t *testing.T) {
	issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{})
	token, err := k3s.ComputeToken(issued.Server.File(k3s.ServerCAPath+".crt").Data, issueTime.Time)
	if err != nil {
		t.Fatal(err)
	}
	if a := issued.Authorities[pki.ServerCA]; token.Hash != pki.Fingerprint(a.Root()) || token.Hash == pki.Fingerprint(a.Certificate) {
		t.Errorf("%s", token)
	}
}

// "keyEncipherment on EC CAs is meaningless; missing cRLSign."
func TestWartKeyUsage(t *testing.T) {
	for role, a := range issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{}).Authorities {
		if u := a.Certificate.KeyUsage; u&x509.KeyUsageKeyEncipherment != 0 || u&x509.KeyUsageCRLSign == 0 {
			t.Errorf("%s: usage %b", role, u)
		}
	}
}
