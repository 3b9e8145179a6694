package pki

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Step is one piece of progress: a key or certificate that is done.
type Step struct {
	Role        Role
	Key         KeySpec // of a new key; empty for a certificate
	Done, Total int
	// Elapsed is left zero here, the core has no clock; who shows it measures.
	Elapsed time.Duration
}

// Progress is told each step, one at a time. It may be nil.
type Progress func(Step)

// Run is everything that issuing needs.
type Run struct {
	Plan     Resolved
	Layout   Layout
	Given    Given
	Keys     KeySource
	Progress Progress
}

// Issued is what a run made.
type Issued struct {
	Plan        Resolved
	Layout      Layout
	Authorities map[Role]*Authority
	Service     []Key         // the first signs, all verify
	Made        map[Role]bool // keys that are new with this plan
	Findings    []Finding

	Server  Bundle // what the first server gets
	Offline Bundle // what no server may see
}

// Issue makes every key and certificate of the plan. Keys are made at the same
// time, certificates in the order of the plan. On any error nothing is
// returned.
func (r Run) Issue(ctx context.Context) (*Issued, error) {
	if missing := r.Plan.Requests(); len(missing) > 0 {
		return nil, refuse("key-needed", string(missing[0].Role), "role", string(missing[0].Issuer))
	}
	if err := r.fits(); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	keys, err := r.makeKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &Issued{Plan: r.Plan, Layout: r.Layout, Authorities: map[Role]*Authority{}, Made: map[Role]bool{}}
	if err := r.certify(ctx, keys, out); err != nil {
		return nil, err
	}
	if k := keys[Service]; k != nil {
		out.Service, out.Made[Service] = append(out.Service, k), true
	}
	out.Service = append(out.Service, r.Given.serviceKeys()...)
	if len(out.Service) == 0 && r.Layout.ServicePath != "" {
		return nil, refuse("service-key-none", string(Service))
	}
	var made []*x509.Certificate
	for role := range out.Made {
		if a := out.Authorities[role]; a != nil {
			made = append(made, a.Certificate)
		}
	}
	if err := Refuse(LintSerials(made)); err != nil {
		return nil, err
	}
	if err := out.assemble(); err != nil {
		return nil, err
	}
	return out, nil
}

// fits says whether the run holds what its plan was resolved with, and whether
// the plan hangs together: it may have been read from a file.
func (r Run) fits() error {
	seen := map[Role]bool{}
	for _, s := range r.Plan.Authorities {
		existing, above := "", []string(nil)
		if a := r.Given.Authorities[s.Role]; a != nil {
			existing, above = Fingerprint(a.Certificate), a.fingerprintsAbove()
		}
		switch {
		case seen[s.Role]:
			return fmt.Errorf("%s stands in it twice", s.Role)
		case s.Existing != existing || !slices.Equal(s.Above, above):
			return fmt.Errorf("it was resolved with another %s than the given one", s.Role)
		case existing == "" && !s.Elsewhere && s.Issuer != "" && !seen[s.Issuer]:
			return fmt.Errorf("%s stands before its issuer %s", s.Role, s.Issuer)
		}
		seen[s.Role] = true
	}
	if !slices.Equal(fingerprints(r.Given.serviceKeys()), r.Plan.Service.Keep) {
		return errors.New("it was resolved with other service keys than the given ones")
	}
	return nil
}

// certify makes the certificates, generation by generation: those whose issuers
// are there are independent of each other and signed at the same time.
func (r Run) certify(ctx context.Context, keys map[Role]Key, out *Issued) error {
	lint := &throwaway{source: r.Keys}
	var todo []Spec
	for _, spec := range r.Plan.Authorities {
		switch {
		case spec.Existing != "":
			a := r.Given.Authorities[spec.Role]
			out.Authorities[spec.Role], out.Made[spec.Role] = a, a.Fresh
		case !spec.Elsewhere: // otherwise its certificate is not ours to make
			todo = append(todo, spec)
		}
	}
	for len(todo) > 0 {
		var ready, waiting []Spec
		for _, spec := range todo {
			if spec.Issuer == "" || out.Authorities[spec.Issuer] != nil {
				ready = append(ready, spec)
			} else {
				waiting = append(waiting, spec)
			}
		}
		if len(ready) == 0 {
			return refuse("key-needed", string(todo[0].Role), "role", string(todo[0].Issuer))
		}
		made := make([]*Authority, len(ready))
		found := make([][]Finding, len(ready))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i, spec := range ready {
			group.Go(func() (err error) {
				made[i], found[i], err = lint.authority(ctx, spec, keys[spec.Role], out.Authorities[spec.Issuer])
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		for i, spec := range ready {
			out.Authorities[spec.Role], out.Made[spec.Role] = made[i], true
			out.Findings = append(out.Findings, found[i]...)
		}
		todo = waiting
	}
	return nil
}

// authority checks, signs and re-reads one authority.
func (t *throwaway) authority(ctx context.Context, spec Spec, key Key, issuer *Authority) (*Authority, []Finding, error) {
	a := &Authority{Role: spec.Role, Key: key}
	if issuer == nil {
		checked, err := t.check(ctx, spec, key.Public(), nil)
		if err != nil {
			return nil, nil, err
		}
		a.Certificate, err = issue(checked, key)
		return a, checked.Findings, err
	}
	checked, err := t.check(ctx, spec, key.Public(), issuer.Certificate)
	if err != nil {
		return nil, nil, err
	}
	a.Certificate, err = issue(checked, issuer.Key)
	a.Above = issuer.Chain()
	return a, checked.Findings, err
}

// NewKey is a key that a plan makes.
type NewKey struct {
	Role Role
	Spec KeySpec
}

// NewKeys lists the keys that a plan makes, in the order in which they are begun:
// the slow ones come first.
func (r Resolved) NewKeys() []NewKey {
	var slow, fast []NewKey
	add := func(role Role, spec KeySpec) {
		if spec.Bits() > 0 {
			slow = append(slow, NewKey{role, spec})
		} else {
			fast = append(fast, NewKey{role, spec})
		}
	}
	for _, s := range r.Authorities {
		if s.Existing == "" && !s.Elsewhere {
			add(s.Role, s.Key)
		}
	}
	if r.Service.Key != "" {
		add(Service, r.Service.Key)
	}
	return append(slow, fast...)
}

// makeKeys makes all new keys of the plan, as many at a time as the source can.
func (r Run) makeKeys(ctx context.Context) (map[Role]Key, error) {
	todo := r.Plan.NewKeys()
	keys := make(map[Role]Key, len(todo))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency(r.Keys))
	for _, w := range todo {
		group.Go(func() error {
			if err := ctx.Err(); err != nil { // the source may not look
				return err
			}
			k, err := r.Keys.Key(ctx, w.Role, w.Spec)
			if err != nil {
				return fmt.Errorf("key of %s: %w", w.Role, err)
			}
			if got, _ := SpecOf(k.Public()); got != w.Spec {
				return fmt.Errorf("key of %s: the source made %s where %s was asked for", w.Role, DescribeKey(k.Public()), w.Spec)
			}
			mu.Lock()
			defer mu.Unlock()
			for other, o := range keys {
				if samePublicKey(o.Public(), k.Public()) {
					return refuse("key-reused", string(w.Role), "other", string(other))
				}
			}
			keys[w.Role] = k
			if r.Progress != nil {
				r.Progress(Step{Role: w.Role, Key: w.Spec, Done: len(keys), Total: len(todo)})
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return keys, nil
}

// assemble lays the files out: leaf CAs and the service key for the server, all
// that is above them for the safe.
func (o *Issued) assemble() error {
	o.Server.Time, o.Offline.Time = o.Plan.Time.Time, o.Plan.Time.Time
	for _, row := range o.Layout.Rows {
		a := o.Authorities[row.Role]
		if a == nil {
			continue
		}
		if row.Path != "" {
			key, err := exportMatching(a.Key, a.Certificate.PublicKey)
			if err != nil {
				return fmt.Errorf("key of %s: %w", row.Role, err)
			}
			o.Server.Add(row.Path+".crt", KindChain, EncodeCertificates(a.Chain()...))
			o.Server.Add(row.Path+".key", KindKey, key)
		}
		if row.Safe == "" {
			continue
		}
		o.Offline.Add(row.Safe+".crt", KindChain, EncodeCertificates(a.Chain()...))
		if !o.Made[row.Role] {
			continue
		}
		key, err := exportMatching(a.Key, a.Certificate.PublicKey)
		if err != nil {
			return fmt.Errorf("key of %s: %w", row.Role, err)
		}
		o.Offline.Add(row.Safe+".key", KindKey, key)
	}
	if o.Layout.ServicePath != "" {
		service, err := exportAll(o.Service)
		if err != nil {
			return fmt.Errorf("service key: %w", err)
		}
		o.Server.Add(o.Layout.ServicePath, KindKey, service)
	}
	plan, err := o.Plan.Canonical()
	if err != nil {
		return err
	}
	o.Offline.Add("plan.json", KindPublic, append(plan, '\n'))
	return nil
}

// IssueOne makes a single authority of the plan: a root, or an authority whose
// issuer is given with its key.
func (r Run) IssueOne(ctx context.Context, role Role) (*Authority, []Finding, error) {
	spec, ok := r.Plan.Spec(role)
	if !ok || spec.Existing != "" {
		return nil, nil, refuse("request-unknown", string(role), "subject", string(role))
	}
	issuer := r.Given.Authorities[spec.Issuer]
	if spec.Issuer != "" && (issuer == nil || issuer.Key == nil) {
		return nil, nil, refuse("key-needed", string(role), "role", string(spec.Issuer))
	}
	spec.Elsewhere = false // elsewhere is here
	only := r
	only.Plan.Authorities, only.Plan.Service = []Spec{spec}, ServiceSpec{}
	keys, err := only.makeKeys(ctx)
	if err != nil {
		return nil, nil, err
	}
	lint := &throwaway{source: r.Keys}
	return lint.authority(ctx, spec, keys[role], issuer)
}

func exportAll(keys []Key) ([]byte, error) {
	var text []byte
	for _, k := range keys {
		key, err := exportMatching(k, k.Public())
		if err != nil {
			return nil, err
		}
		text = append(text, key...)
	}
	return text, nil
}

// exportMatching returns a private key as PEM and reads it back: a file that
// holds another key than its certificate names would first be found by k3s.
func exportMatching(k Key, public crypto.PublicKey) ([]byte, error) {
	text, err := ExportPEM(k)
	if err != nil {
		return nil, err
	}
	found, _, err := ParseKeys("", text)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 || !samePublicKey(found[0].Key.Public(), public) {
		return nil, errors.New("what was exported is another key")
	}
	return text, nil
}
