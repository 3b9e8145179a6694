package main

import (
	"context"
	"crypto/x509"
	"path/filepath"
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

// check refuses what does not go together, before anything is read.
func (f *rotateFlags) check() error {
	for _, name := range f.only {
		f.want.Only = append(f.want.Only, pki.Role(name))
	}
	f.override(&f.want.Plan)
	return pki.Refuse(f.want.Check(f.intermediate != ""))
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
		if err := report.RotationPapers(old, next, at, a.lang); err != nil {
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
	if !a.now.IsZero() || !pki.RefusedFor(err, "rotation-same-name") {
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
		keys, notes, err := a.reader(&f.planFlags).Keys(path)
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
		authority, notes, err := a.reader(&f.planFlags).Issuer(given.role, given.path, "", above)
		if err != nil {
			return held, err
		}
		a.explain(notes)
		held.Lend(authority)
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
	for i := range b.Files { // as a person finds them, in what is said of them
		b.Files[i].Path = filepath.Join(f.inputs, b.Files[i].Path)
	}
	keys, certs, notes, err := a.reader(&f.planFlags).Everything(b)
	if err != nil {
		return err
	}
	a.explain(notes)
	held.Keys, held.Certificates = append(held.Keys, keys...), append(held.Certificates, certs...)
	return nil
}

func keysOf(found []pki.FoundKey) []pki.Key {
	var keys []pki.Key
	for _, k := range found {
		keys = append(keys, k.Key)
	}
	return keys
}
