package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

// rotateFlags are the flags of `rotate`.
type rotateFlags struct {
	planFlags
	placeFlags
	seal                      sealFlags
	want                      k3s.RotationRequest
	only                      []string
	inputs                    string
	tokenFile, agentTokenFile string
}

func (a *app) rotateCommand() *cobra.Command {
	var f rotateFlags
	c := a.newCommand(rotateAbout, cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		if err := checkForm(f.output, "text", "json", "yaml"); err != nil {
			return err
		}
		return a.rotate(c.Context(), &f, args[0])
	})
	flags := c.Flags()
	flags.StringSliceVar(&f.only, "only", nil, a.t(flagRotateOnly))
	flags.BoolVar(&f.want.NewRoot, "new-root", false, a.t(flagRotateNewRoot))
	choiceFlag(flags, &f.want.Step, "step", "a|b|c", "", a.t(flagRotateStep))
	flags.BoolVar(&f.want.NewIntermediate, "new-intermediate", false, a.t(flagRotateIntermediate))
	flags.BoolVar(&f.want.SameKey, "same-key", false, a.t(flagRotateSameKey))
	flags.BoolVar(&f.want.NewServiceKey, "new-service-key", false, a.t(flagRotateService))
	flags.BoolVar(&f.want.ServiceKeyOnly, "service-key-only", false, a.t(flagRotateServiceOnly))
	flags.BoolVar(&f.want.Prune, "prune", false, a.t(flagRotatePrune))
	f.registerIssuers(a, c)
	choiceFlag(flags, &f.inputs, "inputs", "PATH", "", a.t(flagRotateInputs))
	choiceFlag(flags, &f.tokenFile, "token-file", "FILE", "", a.t(flagRotateToken))
	choiceFlag(flags, &f.agentTokenFile, "agent-token-file", "FILE", "", a.t(flagRotateAgentToken))
	choiceFlagShort(flags, &f.out, "out", "o", "PATH", "next.tar.gz", a.t(flagOut))
	choiceFlag(flags, &f.offline, "offline-out", "PATH", "", a.t(flagOfflineOut))
	f.registerCommon(a, c)
	f.seal.register(a, c)
	f.registerShape(a, c)
	return c
}

// exclusive are flags of `rotate` of which one alone makes sense, with what each
// of them excludes.
var exclusive = []struct {
	flag    string
	without []string
}{
	{"service-key-only", []string{"only", "new-root", "step", "new-intermediate", "same-key", "topology"}},
	{"same-key", []string{"new-root", "step", "new-intermediate", "topology", "profile", "name", "organization", "ca-alg"}},
	{"new-intermediate", []string{"new-root", "step", "intermediate"}},
}

func (f *rotateFlags) check() error {
	for _, row := range exclusive {
		for _, other := range row.without {
			if f.set(row.flag) && f.set(other) {
				return usage(msgRotateExclusive, "--"+row.flag, "--"+other)
			}
		}
	}
	switch step := f.want.Step; {
	case !slices.Contains([]string{"", "a", "b", "c"}, step):
		return usage(msgBadChoice, "--step", step, "a, b, c")
	case (step == "b" || step == "c") && f.want.NewRoot:
		return usage(msgRotateExclusive, "--step "+step, "--new-root")
	case f.want.Prune && !f.want.NewServiceKey && !f.want.ServiceKeyOnly:
		return usage(msgRotatePruneAlone)
	}
	var known []string
	for _, row := range k3s.AuthorityPaths() {
		known = append(known, string(row.Role))
	}
	for _, name := range f.only {
		if !slices.Contains(known, name) {
			return usage(msgBadChoice, "--only", name, strings.Join(known, ", "))
		}
		f.want.Only = append(f.want.Only, pki.Role(name))
	}
	return nil
}

// rotate makes the next bundle of a cluster beside the old one and says what will
// come of it.
func (a *app) rotate(ctx context.Context, f *rotateFlags, path string) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := oneStream(f.everyInput(path)...); err != nil {
		return err
	}
	at := a.time(pki.Time{})
	f.override(&f.want.Plan)
	f.want.Plan.Time = at
	d := delivery{force: f.force, stdout: a.out, inputs: append(named(f.everyInput(path)...), f.seal.recipients...)}
	seal, err := f.seal.sealer(ctx, a)
	if err != nil {
		return err
	}
	offline := f.offline
	if offline == "" && f.out != standardOutput {
		offline = offlinePath(f.out)
	}
	if offline == standardOutput {
		return usage(msgOfflineToStdout)
	}
	running, err := a.openCluster(path, at)
	if err != nil {
		return err
	}
	old, err := report.ClusterFiles(running)
	if err != nil {
		return err
	}
	held, err := a.held(f)
	if err != nil {
		return err
	}
	cluster, notes, err := k3s.ReadCluster(old, held)
	if err != nil {
		return err
	}
	a.distro = cluster.Distro
	a.explain(notes)
	next, err := a.next(ctx, cluster, &f.want)
	if err != nil {
		return err
	}
	at = f.want.Plan.Time
	if len(next.Roots) > 0 {
		if offline == "" {
			return usage(msgStdoutNeedsOffline)
		}
		if err := papers(old, next, at, a.lang); err != nil {
			return err
		}
		o := newOutput(offline, next.Issued.Offline)
		o.seal = seal
		d.outputs = append(d.outputs, o)
	}
	d.outputs = append(d.outputs, newOutput(f.out, next.Server))
	r, err := a.judgeRotation(ctx, f, old, next, d, at)
	if err != nil {
		return err
	}
	for _, o := range d.outputs {
		for _, left := range leftovers(filepath.Dir(o.path)) {
			a.say(msgLeftover, left)
		}
	}
	if err := d.commit(ctx); err != nil {
		return err
	}
	return a.rotateReceipt(f, path, r, d)
}

// next makes the bundle. Authorities are named by the second in which they are made:
// right behind another rotation, as scripts do it, the next second is waited for.
func (a *app) next(ctx context.Context, cluster *k3s.Cluster, want *k3s.RotationRequest) (*k3s.Rotated, error) {
	next, err := cluster.Rotate(ctx, *want, pki.Random{}, a.progress)
	if !a.now.IsZero() || !refusedFor(err, "rotation-same-name") {
		return next, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Until(want.Plan.Time.Add(time.Second))):
	}
	want.Plan.Time = pki.At(time.Now())
	return cluster.Rotate(ctx, *want, pki.Random{}, a.progress)
}

// everyInput lists what is read, empty where a flag was not given: no output may
// replace it.
func (f *rotateFlags) everyInput(old string) []string {
	return []string{
		old, f.inputs, f.root, f.rootKey, f.intermediate, f.intermediateKey,
		f.passphraseFile, f.seal.passphraseFile, f.tokenFile, f.agentTokenFile,
	}
}

// held reads what was given beside the cluster. A key is told by its certificate,
// so it does not matter by which flag it comes.
func (a *app) held(f *rotateFlags) (k3s.Held, error) {
	var held k3s.Held
	for _, path := range []string{f.rootKey, f.intermediateKey} {
		if path == "" {
			continue
		}
		keys, notes, err := a.keys(path, &f.planFlags)
		if err != nil {
			return held, err
		}
		a.explain(notes)
		held.Keys = append(held.Keys, keysOf(keys)...)
	}
	if f.inputs != "" {
		if err := a.heldIn(f, &held); err != nil {
			return held, err
		}
	}
	var above []*x509.Certificate
	for _, given := range []struct {
		role pki.Role
		path string
		into **pki.Authority
	}{{pki.Root, f.root, &f.want.Root}, {pki.Intermediate, f.intermediate, &f.want.Intermediate}} {
		if given.path == "" {
			continue
		}
		authority, notes, err := a.issuer(given.role, given.path, "", above, &f.planFlags)
		if err != nil {
			return held, err
		}
		a.explain(notes)
		for _, k := range held.Keys {
			if pki.SameKey(k.Public(), authority.Certificate.PublicKey) {
				authority.Key = k
			}
		}
		above = authority.Chain()
		held.Certificates = append(held.Certificates, above...)
		*given.into = authority
	}
	return held, nil
}

// heldIn reads an offline part, or a directory with the file names of the
// upstream script: every key and certificate in it.
func (a *app) heldIn(f *rotateFlags, held *k3s.Held) error {
	if strings.HasSuffix(f.inputs, sealedSuffix) {
		return failed(msgRotateSealed, f.inputs)
	}
	b, err := a.openBundle(f.inputs)
	if err != nil {
		return err
	}
	for _, file := range b.Files {
		name := filepath.Join(f.inputs, file.Path)
		if bytes.Contains(file.Data, []byte("PRIVATE KEY-----")) {
			keys, notes, err := a.openKeys(name, file.Data, &f.planFlags)
			if err != nil {
				return err
			}
			a.explain(notes)
			held.Keys = append(held.Keys, keysOf(keys)...)
		}
		if pki.KindOf(file.Path) == pki.KindChain && bytes.Contains(file.Data, []byte("BEGIN CERTIFICATE")) {
			certs, notes, err := pki.ParseCertificates(name, file.Data)
			if err != nil {
				return err
			}
			a.explain(notes)
			held.Certificates = append(held.Certificates, certs...)
		}
	}
	return nil
}

func keysOf(found []pki.FoundKey) []pki.Key {
	var keys []pki.Key
	for _, k := range found {
		keys = append(keys, k.Key)
	}
	return keys
}

// papers adds to the offline part what a person needs who opens the safe years
// later.
func papers(old pki.Bundle, next *k3s.Rotated, at pki.Time, lang report.Lang) error {
	then := k3s.Replaced(old, next.Server)
	token, err := k3s.ComputeToken(then.File(k3s.ServerCAPath+".crt").Data, at.Time)
	if err != nil {
		return err
	}
	j := &job{run: pki.Run{Plan: next.Issued.Plan, Layout: next.Issued.Layout}, issued: next.Issued, token: token}
	return j.papers(lang)
}
