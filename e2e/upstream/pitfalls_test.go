package upstream

import (
	"crypto"
	"crypto/x509"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// pitfall is one defect, put into one CA of a sound bundle. Servers start on
// most of them and their peers refuse, or nothing refuses until a strict
// verifier meets it: so each is shown to all judges of its CA, and what
// `rootkiln verify` says stands beside.
type pitfall struct {
	name         string
	ca           string                         // path below tls
	intermediate func(*x509.Certificate)        // signs the intermediate again
	key          func(testing.TB) crypto.Signer // another key for the leaf CA
	issue        func(*x509.Certificate)        // signs the leaf CA again
	file         content                        // the CA file, when it is not leaf CA, intermediate, root
	keyFile      content                        // the key file, when it is not PKCS#8
	node         func(testing.TB, *plane)       // breaks what k3s makes from the bundle, in the plane's directory
	flags        []string                       // more of the component's
	log          string                         // that the component writes, although it runs

	refused refusals // all other judges accept
	says    says
}

// outside tells that the defect is not the bundle's: verify has nothing to say.
func (row pitfall) outside() bool { return row.node != nil || row.flags != nil }

// says is what `rootkiln verify` must find: these codes, sorted, and no others.
type (
	says  struct{ errors, warnings codes }
	codes = []string
)

// refusals are judges and a part of what each says; where a | stands, it is one
// of several, for a client may be faster or slower than its server.
type refusals map[string]string

// match tells whether the judge says what it should.
func (r refusals) match(judge, said string) bool {
	return slices.ContainsFunc(strings.Split(r[judge], "|"), func(part string) bool {
		return part != "" && strings.Contains(said, part)
	})
}

// content is what a file of a CA holds.
type content func(testing.TB, *testbed.Authority) []byte

// pitfallRows leave no silent difference: what a component refuses verify must
// have named, and what verify calls sound all must accept.
func pitfallRows(t *testing.T) {
	sound := testbed.NewBundle(t, testbed.Dir(t), "--topology", "shared")
	var onEtcd, onAPI []pitfall
	for _, row := range pitfalls {
		if doors[row.ca].component == "etcd" {
			onEtcd = append(onEtcd, row)
		} else {
			onAPI = append(onAPI, row)
		}
	}
	t.Run("etcd", func(t *testing.T) {
		for _, row := range onEtcd {
			t.Run(row.title(), func(t *testing.T) {
				t.Parallel()
				row.run(t, laned(t, sound.Copy(t, testbed.Dir(t))))
			})
		}
	})
	t.Run("kube-apiserver", func(t *testing.T) {
		onOneEtcd(t, sound, func(t *testing.T, ground *plane) {
			for _, row := range onAPI {
				t.Run(row.title(), func(t *testing.T) {
					t.Parallel()
					p := laned(t, sound.Copy(t, testbed.Dir(t)))
					p.store = ground
					row.run(t, p)
				})
			}
		})
	})
}

// and are the refusals and one more.
func (r refusals) and(judge, says string) refusals {
	all := maps.Clone(r)
	all[judge] = says
	return all
}

func (row pitfall) title() string { return strings.ReplaceAll(row.ca, "/", "-") + " " + row.name }

// run shows the defect to its judges and compares.
func (row pitfall) run(t *testing.T, p *plane) {
	row.build(t, p)
	refused := row.judge(t, p)
	for _, judge := range slices.Sorted(maps.Keys(refused)) {
		if want, ok := row.refused[judge]; !ok {
			t.Errorf("%s refuses: %s", judge, refused[judge])
		} else if !row.refused.match(judge, refused[judge]) {
			t.Errorf("%s refuses: %s\nwant %q", judge, refused[judge], want)
		}
	}
	for judge := range row.refused {
		if refused[judge] == "" {
			t.Errorf("%s does not refuse", judge)
		}
	}
	if row.outside() {
		clear(refused)
	}
	row.says.compare(t, p.bundle, slices.Sorted(maps.Keys(refused)))
	tally.pitfalls.Add(1)
}

// fatal are the judges without whom there is no cluster. What they refuse,
// verify must call an error.
var fatal = []string{"etcd", "kube-apiserver", goFile}

// compare holds what those said who refused, if any, against `rootkiln verify`.
func (want says) compare(t *testing.T, b testbed.Bundle, refused []string) {
	t.Helper()
	findings := testbed.Verify(t, b.Dir)
	got := says{testbed.Codes(findings, "error"), testbed.Codes(findings, "warning")}
	got.warnings = slices.DeleteFunc(got.warnings, func(code string) bool { return code == "shared-trust" }) // true of every row
	t.Logf("refused by %q; verify says %q", refused, got)
	if !slices.Equal(got.errors, want.errors) || !slices.Equal(got.warnings, want.warnings) {
		t.Errorf("verify says %q, want %q", got, want)
	}
	if len(refused) > 0 && len(got.errors)+len(got.warnings) == 0 {
		t.Errorf("refused by %q, and verify is silent", refused)
	}
	if i := slices.IndexFunc(refused, func(judge string) bool { return slices.Contains(fatal, judge) }); i >= 0 && len(got.errors) == 0 {
		t.Errorf("refused by %s, and verify finds no error", refused[i])
	}
}

// build writes the defect into the bundle and signs the leaves as k3s would.
func (row pitfall) build(t *testing.T, p *plane) {
	t.Helper()
	b := p.bundle
	intermediate := testbed.ReadAuthority(t, filepath.Join(b.Offline, "intermediate-ca"))
	if row.intermediate != nil {
		root := testbed.ReadAuthority(t, filepath.Join(b.Offline, "root-ca"))
		intermediate.Chain[0] = resign(t, intermediate.Chain[0], root, intermediate.Key.Public(), row.intermediate)
	}
	ca := testbed.ReadAuthority(t, b.TLS(row.ca))
	if row.key != nil {
		ca.Key = row.key(t)
	}
	ca.Chain = append([]*x509.Certificate{resign(t, ca.Chain[0], intermediate, ca.Key.Public(), row.issue)}, intermediate.Chain...)
	for _, l := range leaves {
		signer := ca
		if l.ca != row.ca {
			signer = testbed.ReadAuthority(t, b.TLS(l.ca))
		}
		l.write(t, p.dir, signer)
	}
	crt, key := row.file, row.keyFile
	if crt == nil {
		crt = certificates
	}
	if key == nil {
		key = keyAs("PRIVATE KEY")
	}
	testbed.Write(t, b.TLS(row.ca+".crt"), crt(t, ca))
	testbed.Write(t, b.TLS(row.ca+".key"), key(t, ca))
	if row.node != nil {
		row.node(t, p)
	}
}

// resign lets the issuer sign the certificate once more, with an edit if there
// is one. The issuer's certificate may forbid it: Go asks no questions here.
func resign(t *testing.T, certificate *x509.Certificate, issuer *testbed.Authority, public crypto.PublicKey, edit func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := *certificate
	template.SignatureAlgorithm = x509.UnknownSignatureAlgorithm
	template.SerialNumber = nil
	if key, ok := certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !key.Equal(public) {
		template.SubjectKeyId = nil // Go derives it from the new key
	}
	if edit != nil {
		edit(&template)
	}
	return testbed.Sign(t, &template, issuer.Chain[0], public, issuer.Key)
}

// onOneEtcd runs the rows, which may be parallel tests, with an etcd below them
// that has nothing to do with their defects.
func onOneEtcd(t *testing.T, sound testbed.Bundle, rows func(*testing.T, *plane)) {
	ground := &plane{bundle: sound, dir: testbed.Dir(t), lane: lanes}
	ground.writeLeaves(t)
	ground.startEtcd(t)
	ground.etcd.Await(t, 20*time.Second, "ready", ground.etcdReady(t))
	t.Run("rows", func(t *testing.T) { rows(t, ground) })
	ground.stop(t)
}
