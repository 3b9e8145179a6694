package lint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// An issuedPlan is a plan and what rootkiln made of it.
type issuedPlan struct {
	name   string
	plan   pki.Resolved
	layout pki.Layout
	issued *pki.Issued
}

// issuedPlans are all plans of the suite: both topologies and both profiles
// with every pair of algorithms for issuers and leaf CAs, and every pair for
// roots and intermediates. They are issued once and shared by the tests.
func issuedPlans(t *testing.T) []issuedPlan {
	t.Helper()
	plans, err := issueAll()
	if err != nil {
		t.Fatal(err)
	}
	return plans
}

var issueAll = sync.OnceValues(func() ([]issuedPlan, error) {
	var plans []pki.Plan
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		for _, profile := range []pki.Profile{pki.Strict, pki.Upstream} {
			for _, root := range pki.KeySpecs {
				for _, ca := range pki.KeySpecs {
					keys := pki.Keys{Root: root, Intermediate: root, CA: ca}
					plans = append(plans, pki.Plan{Topology: topology, Profile: profile, Keys: keys})
				}
			}
		}
	}
	for _, root := range pki.KeySpecs {
		for _, intermediate := range pki.KeySpecs {
			if root != intermediate {
				keys := pki.Keys{Root: root, Intermediate: intermediate, CA: pki.P256}
				plans = append(plans, pki.Plan{Topology: pki.Shared, Profile: pki.Strict, Keys: keys})
			}
		}
	}
	var issued []issuedPlan
	for _, plan := range plans {
		one, err := issuePlan(plan)
		if err != nil {
			return nil, fmt.Errorf("%s %s %v: %w", plan.Topology, plan.Profile, plan.Keys, err)
		}
		issued = append(issued, one)
	}
	return issued, nil
})

func issuePlan(plan pki.Plan) (issuedPlan, error) {
	plan.Distro, plan.Time = pki.K3s, pki.At(time.Now())
	layout, err := k3s.Layout(plan)
	if err != nil {
		return issuedPlan{}, err
	}
	resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
	if err != nil {
		return issuedPlan{}, err
	}
	issued, err := pki.Run{Plan: resolved, Layout: layout, Keys: &draw{}}.Issue(context.Background())
	if err != nil {
		return issuedPlan{}, err
	}
	tally.bundles++
	return issuedPlan{planName(resolved), resolved, layout, issued}, nil
}

func planName(r pki.Resolved) string {
	name := fmt.Sprintf("%s %s", r.Topology, r.Profile)
	for _, role := range []pki.Role{pki.Root, pki.Intermediate, pki.ServerCA} {
		spec, _ := r.Spec(role)
		name += fmt.Sprintf(" %s=%s", role, spec.Key)
	}
	return name
}

// stock holds the keys of the suite: making an RSA-4096 key takes a second, so
// bundles share them. Within a bundle no two roles have the same key.
var stock = struct {
	sync.Mutex
	keys map[pki.KeySpec][]func() (pki.Key, error)
}{keys: map[pki.KeySpec][]func() (pki.Key, error){}}

// draw is the KeySource of one bundle: the stock's keys, each once.
type draw struct {
	pki.Random // serial numbers
	mu         sync.Mutex
	drawn      map[pki.KeySpec]int
}

func (d *draw) Key(ctx context.Context, role pki.Role, spec pki.KeySpec) (pki.Key, error) {
	d.mu.Lock()
	if d.drawn == nil {
		d.drawn = map[pki.KeySpec]int{}
	}
	n := d.drawn[spec]
	d.drawn[spec]++
	d.mu.Unlock()

	stock.Lock()
	for n >= len(stock.keys[spec]) { // another role may have drawn less and come later
		stock.keys[spec] = append(stock.keys[spec], sync.OnceValues(func() (pki.Key, error) {
			return d.Random.Key(ctx, role, spec)
		}))
	}
	key := stock.keys[spec][n]
	stock.Unlock()
	return key()
}

// leafCA is what the server archive holds for a leaf CA: its chain, from the
// leaf CA to a self-signed root, and its private key.
func (p issuedPlan) leafCA(role pki.Role) (tls.Certificate, error) {
	row, _ := p.layout.Row(role)
	chain, key := p.issued.Server.File(row.Path+".crt"), p.issued.Server.File(row.Path+".key")
	if chain == nil || key == nil {
		return tls.Certificate{}, fmt.Errorf("the server archive has no %s", row.Path)
	}
	ca, err := tls.X509KeyPair(chain.Data, key.Data)
	if err != nil {
		return tls.Certificate{}, err
	}
	root, err := x509.ParseCertificate(ca.Certificate[len(ca.Certificate)-1])
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := root.CheckSignatureFrom(root); err != nil {
		return tls.Certificate{}, fmt.Errorf("%s.crt does not end in a self-signed root: %w", row.Path, err)
	}
	return ca, nil
}

// certificates is the DER of every certificate in both archives, each once.
func (p issuedPlan) certificates() [][]byte {
	var certificates [][]byte
	seen := map[string]bool{}
	for _, file := range slices.Concat(p.issued.Server.Files, p.issued.Offline.Files) {
		if file.Kind != pki.KindChain {
			continue
		}
		for block, rest := pem.Decode(file.Data); block != nil; block, rest = pem.Decode(rest) {
			if der := string(block.Bytes); !seen[der] {
				seen[der] = true
				certificates = append(certificates, block.Bytes)
			}
		}
	}
	return certificates
}
