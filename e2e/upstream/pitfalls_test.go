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

	refused refusals // all other judges accept
	codes   []string // findings that verify must have; none: it must call the bundle sound
}

// refusals are judges and a part of what each says.
type refusals map[string]string

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
		} else if !strings.Contains(refused[judge], want) {
			t.Errorf("%s refuses: %s\nwant %q", judge, refused[judge], want)
		}
	}
	for judge := range row.refused {
		if refused[judge] == "" {
			t.Errorf("%s does not refuse", judge)
		}
	}
	compare(t, p.bundle, row.codes, slices.Sorted(maps.Keys(refused)))
	tally.pitfalls.Add(1)
}

// compare holds what those said who refused, if any, against `rootkiln verify`.
func compare(t *testing.T, b testbed.Bundle, want, refused []string) {
	t.Helper()
	codes := testbed.Codes(testbed.Verify(t, b.Dir), "error", "warning")
	codes = slices.DeleteFunc(codes, func(code string) bool { return code == "shared-trust" }) // true of every row
	t.Logf("refused by %q; verify says %q", refused, codes)
	for _, code := range want {
		if !slices.Contains(codes, code) {
			t.Errorf("verify does not say %s; it says %q", code, codes)
		}
	}
	if len(want) == 0 && len(codes) > 0 {
		t.Errorf("verify says %q of a bundle without a defect", codes)
	}
	if len(refused) > 0 && len(codes) == 0 {
		t.Errorf("refused by %q, and verify is silent", refused)
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
