package pki_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"rootkiln/pki"
)

func paths(b pki.Bundle) (list []string) {
	for _, f := range b.Files {
		list = append(list, f.Path)
	}
	return list
}

// The eleven files that k3s counts, and what belongs in a safe.
func TestBundles(t *testing.T) {
	server := []string{
		"tls/client-ca.crt", "tls/client-ca.key",
		"tls/etcd/peer-ca.crt", "tls/etcd/peer-ca.key", "tls/etcd/server-ca.crt", "tls/etcd/server-ca.key",
		"tls/request-header-ca.crt", "tls/request-header-ca.key", "tls/server-ca.crt", "tls/server-ca.key", "tls/service.key",
	}
	for topology, offline := range map[pki.Topology][]string{
		pki.Isolated: {
			"client-root.crt", "client-root.key", "etcd-peer-root.crt", "etcd-peer-root.key", "etcd-server-root.crt", "etcd-server-root.key",
			"intermediate-ca.crt", "intermediate-ca.key", "plan.json", "request-header-root.crt", "request-header-root.key", "root-ca.crt", "root-ca.key",
		},
		pki.Shared: {"intermediate-ca.crt", "intermediate-ca.key", "plan.json", "root-ca.crt", "root-ca.key"},
	} {
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Topology, p.Keys = topology, ecKeys }), pki.Given{})
		if got := paths(issued.Server); !slices.Equal(got, server) {
			t.Errorf("%s: the server gets %q", topology, got)
		}
		if got := paths(issued.Offline); !slices.Equal(got, offline) {
			t.Errorf("%s: the safe gets %q", topology, got)
		}
		for _, b := range []pki.Bundle{issued.Server, issued.Offline} {
			if !b.Time.Equal(issueTime.Time) {
				t.Errorf("%s: time %s", topology, b.Time)
			}
			for _, f := range b.Files {
				want := map[bool]uint32{true: 0o600, false: 0o644}[strings.HasSuffix(f.Path, ".key")]
				if got := uint32(f.Kind.Mode()); got != want {
					t.Errorf("%s: mode %o", f.Path, got)
				}
			}
		}
		canonical, _ := issued.Plan.Canonical()
		if got := issued.Offline.File("plan.json").Data; string(got) != string(canonical)+"\n" {
			t.Errorf("%s: plan.json is not what the digest is over", topology)
		}
	}
}

// A .crt holds the leaf CA, what is above it and the root, in this order, one
// line feed after each block and nothing else; the .key beside it fits.
func TestChainFiles(t *testing.T) {
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Topology, p.Keys = topology, ecKeys }), pki.Given{})
		for _, row := range issued.Layout.Rows {
			bundle, path := issued.Server, row.Path
			if path == "" {
				bundle, path = issued.Offline, row.Safe
			}
			text, key := bundle.File(path+".crt").Data, bundle.File(path+".key").Data
			if _, err := tls.X509KeyPair(text, key); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			certs, notes, err := pki.ParseCertificates(path, text)
			if err != nil || len(notes) > 0 {
				t.Fatal(err, notes)
			}
			if !bytes.Equal(text, pki.EncodeCertificates(certs...)) || bytes.Count(text, []byte("-----END CERTIFICATE-----\n")) != len(certs) {
				t.Errorf("%s: something stands between the blocks", path)
			}
			role := row.Role
			for i, c := range certs {
				if !c.Equal(issued.Authorities[role].Certificate) {
					t.Errorf("%s: certificate %d is %s, not %s", path, i+1, c.Subject, role)
				}
				last := i == len(certs)-1
				if above, _ := issued.Layout.Row(role); last != (above.Issuer == "") {
					t.Errorf("%s: ends at %s", path, role)
				} else {
					role = above.Issuer
				}
			}
		}
	}
}

// PKCS#1 for RSA, SEC1 for ECDSA, without EC parameters: the forms that
// everything in a cluster reads (the apiserver reads no EC key in PKCS#8).
func TestKeyFileTypes(t *testing.T) {
	for _, spec := range pki.KeySpecs {
		want := "EC PRIVATE KEY"
		if spec.Bits() > 0 {
			want = "RSA PRIVATE KEY"
		}
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys; p.Keys.CA, p.Keys.Service = spec, spec }), pki.Given{})
		for _, path := range []string{"tls/server-ca.key", "tls/service.key"} {
			block, rest := pem.Decode(issued.Server.File(path).Data)
			if block.Type != want || len(block.Headers)+len(rest) > 0 {
				t.Errorf("%s with %s: %s, %q behind it", path, spec, block.Type, rest)
			}
		}
	}
}

// The first service key signs, all verify: the new one stands before the old.
func TestServiceKeyFile(t *testing.T) {
	old, older := newKey(t, pki.RSA2048), newKey(t, pki.P256)
	given := pki.Given{ServiceKeys: []pki.Key{old, older}}
	for _, keep := range []bool{false, true} {
		issued := issue(t, newPlan(func(p *pki.Plan) { p.Keys, p.Inputs.KeepServiceKey = ecKeys, keep }), given)
		found, notes, err := pki.ParseKeys("service.key", issued.Server.File("tls/service.key").Data)
		if err != nil || len(notes) > 0 {
			t.Fatal(err, notes)
		}
		if !keep {
			if _, err := pki.ExportPEM(issued.Service[0]); err != nil || !found[0].Key.Public().(equaler).Equal(issued.Service[0].Public()) {
				t.Errorf("the new key is not the first: %v", err)
			}
			found = found[1:]
		}
		if len(found) != 2 || !found[0].Key.Public().(equaler).Equal(old.Public()) || !found[1].Key.Public().(equaler).Equal(older.Public()) {
			t.Errorf("keep=%v: the old keys changed", keep)
		}
		if issued.Made[pki.Service] == keep {
			t.Errorf("keep=%v: Made says %v", keep, issued.Made[pki.Service])
		}
	}
}

type equaler interface{ Equal(x crypto.PublicKey) bool }

// Progress is told once per key, in order, one at a time.
func TestProgress(t *testing.T) {
	r := runOf(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{})
	var steps []pki.Step
	r.Progress = func(s pki.Step) { steps = append(steps, s) }
	if _, err := r.Issue(t.Context()); err != nil {
		t.Fatal(err)
	}
	roles := map[pki.Role]pki.KeySpec{}
	for i, s := range steps {
		if s.Done != i+1 || s.Total != 12 {
			t.Errorf("step %d says %d of %d", i+1, s.Done, s.Total)
		}
		roles[s.Role] = s.Key
	}
	if len(roles) != 12 || roles[pki.Root] != pki.P384 || roles[pki.Service] != pki.P256 {
		t.Errorf("keys %v", roles)
	}
}

// source makes a KeySource of a function.
type source struct {
	pki.KeySource
	key func(ctx context.Context, role pki.Role, spec pki.KeySpec) (pki.Key, error)
}

func (s source) Key(ctx context.Context, role pki.Role, spec pki.KeySpec) (pki.Key, error) {
	return s.key(ctx, role, spec)
}

// An interrupted run returns nothing, also when the keys come from a source
// that does not listen.
func TestCancel(t *testing.T) {
	r := runOf(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{})
	over, stop := context.WithCancel(t.Context())
	stop()
	for name, keys := range map[string]pki.KeySource{"random": pki.Random{}, "deaf": deaf(nil)} {
		r.Keys = keys
		if out, err := r.Issue(over); !errors.Is(err, context.Canceled) || out != nil {
			t.Errorf("%s, cancelled before: %v", name, err)
		}
		if out, err := r.Request(over, newPlan()); err == nil || out != nil {
			t.Errorf("%s, cancelled before: a request", name)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r.Keys = deaf(func(made int) {
		if made == 3 {
			stop()
		}
	})
	if out, err := r.Issue(ctx); !errors.Is(err, context.Canceled) || out != nil {
		t.Errorf("cancelled at the third key: %v", err)
	}
}

// deaf is a source that pays no heed to its context and tells how many keys it
// has made.
func deaf(told func(made int)) pki.KeySource {
	var mu sync.Mutex
	keys, made := newPool(kiln), 0
	return source{keys, func(_ context.Context, role pki.Role, spec pki.KeySpec) (pki.Key, error) {
		mu.Lock()
		defer mu.Unlock()
		if made++; told != nil {
			told(made)
		}
		return keys.Key(context.Background(), role, spec)
	}}
}

// One run may be issued many times at once; meant for -race.
func TestConcurrentIssue(t *testing.T) {
	r := runOf(t, newPlan(func(p *pki.Plan) { p.Keys, p.Topology = ecKeys, pki.Shared }), pki.Given{})
	r.Keys = pki.Random{}
	var group sync.WaitGroup
	roots := make([]string, 8)
	for i := range roots {
		group.Go(func() {
			issued, err := r.Issue(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			roots[i] = pki.Fingerprint(issued.Authorities[pki.Root].Certificate)
		})
	}
	group.Wait()
	slices.Sort(roots)
	if n := len(slices.Compact(roots)); n != 8 {
		t.Errorf("%d different roots of 8", n)
	}
}

// What the system's randomness makes is what the plan says.
func TestRandomKeys(t *testing.T) {
	for _, spec := range []pki.KeySpec{pki.P256, pki.P384, pki.P521, pki.RSA2048} {
		k, err := pki.Random{}.Key(t.Context(), pki.Root, spec)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := pki.SpecOf(k.Public()); got != spec || pki.DescribeKey(k.Public()) != string(spec) {
			t.Errorf("%s: made %s", spec, pki.DescribeKey(k.Public()))
		}
		text, err := pki.ExportPEM(k)
		if err != nil {
			t.Fatal(err)
		}
		back, _, err := pki.ParseKeys("key", text)
		if err != nil || !back[0].Key.Public().(equaler).Equal(k.Public()) {
			t.Errorf("%s: does not read back: %v", spec, err)
		}
	}
	_, err := pki.Random{}.Key(t.Context(), pki.Root, "rsa1024")
	wantRefusal(t, err, "plan-value")
	a, _ := pki.Random{}.Serial(pki.Root, [32]byte{})
	b, _ := pki.Random{}.Serial(pki.Root, [32]byte{})
	if a == b {
		t.Error("two serials are equal:", fmt.Sprintf("%x", a))
	}
}
