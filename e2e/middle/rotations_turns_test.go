package middle

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// The turns of each life.
var (
	onIsolated = slices.Concat(
		[]turn{
			refusedByRootkiln("no root is changing", "rotation-no-change", "--step", "c"),
			refusedByRootkiln("no root waits", "rotation-no-root", "--step", "b"),
			rotate("new CAs", change{says: "cas"}),
			stale("new CAs, of the files before", accepts),
		},
		every(offered),
		[]turn{
			undone("the second of two undoes the first"),
			parts("client-ca of a rotation"),
			rotate("client-ca and a service key", change{
				flags: []string{"--only", "client-ca", "--new-service-key"}, says: "cas", files: []string{"client-ca"}, keys: 2}),
			stale("new CAs, without the key that signs today", refuses, "--only", "client-ca"),
			rotate("service key", change{flags: []string{"--service-key-only"}, says: "service-key", files: []string{}, keys: 3}),
			stale("service key, of the files before", refuses, "--service-key-only"),
			rotate("service key, pruned", change{flags: []string{"--service-key-only", "--prune"}, says: "service-key", files: []string{}, keys: 2}),
			another("another cluster's"),
		},
		inLongRound(every(restarted)...),
		inLongRound(
			rotate("new intermediate", change{flags: []string{"--new-intermediate"}, says: "cas"}),
			rotate("same keys", change{flags: []string{"--same-key"}, says: "same-key", oldKeys: true}),
		),
	)

	rootsOnIsolated = slices.Concat(
		[]turn{
			rotate("new roots", change{flags: []string{"--new-root"}, says: "roots", holds: both}),
			rotate("old roots out", change{flags: []string{"--step", "c"}, says: "roots-c", oldKeys: true, holds: newOnes}),
			stale("new roots, of the files before", refuses, "--new-root"),
			ahead("steps b and c before a"),
			rotate("step a", change{flags: []string{"--new-root", "--step", "a"}, says: "roots-a", holds: oldOnes}),
			refusedByRootkiln("step c after a", "rotation-step-order", "--step", "c"),
			skipping("step c made of step b, and a in force"),
			rotate("step b", change{flags: []string{"--step", "b"}, says: "roots-b", oldKeys: true, holds: both}),
			rotate("step c", change{flags: []string{"--step", "c"}, says: "roots-c", oldKeys: true, holds: newOnes}),
		},
		inLongRound(
			rotate("client root", change{flags: []string{"--only", "client-ca", "--new-root"}, says: "roots", files: []string{"client-ca"}}),
			rotate("old client root out", change{flags: []string{"--step", "c"}, says: "roots-c", files: []string{"client-ca"}, oldKeys: true}),
			rotate("server root", change{flags: []string{"--only", "server-ca", "--new-root", "--step", "a"}, says: "roots-a", files: []string{"server-ca"}, holds: oldOnes}),
			rotate("new server root in", change{flags: []string{"--step", "b"}, says: "roots-b", files: []string{"server-ca"}, oldKeys: true, holds: both}),
			rotate("old server root out", change{flags: []string{"--step", "c"}, says: "roots-c", files: []string{"server-ca"}, oldKeys: true, holds: newOnes}),
		),
	)

	onShared = slices.Concat(
		[]turn{
			rotate("new CAs", change{says: "cas"}),
			rotate("new intermediate", change{flags: []string{"--new-intermediate"}, says: "cas"}),
			rotate("same keys", change{flags: []string{"--same-key"}, says: "same-key", oldKeys: true}),
			refusedByRootkiln("a root for one CA", "rotation-shared-only", "--new-root", "--only", "client-ca"),
			rotate("new root", change{flags: []string{"--new-root"}, says: "roots", holds: both}),
			rotate("old root out", change{flags: []string{"--step", "c"}, says: "roots-c", oldKeys: true, holds: newOnes}),
		},
		inLongRound(every(restarted)...),
		inLongRound(
			rotate("step a", change{flags: []string{"--new-root", "--step", "a"}, says: "roots-a", holds: oldOnes}),
			rotate("step b", change{flags: []string{"--step", "b"}, says: "roots-b", oldKeys: true, holds: both}),
			rotate("step c", change{flags: []string{"--step", "c"}, says: "roots-c", oldKeys: true, holds: newOnes}),
		),
		[]turn{
			rotate("to isolated", change{flags: []string{"--topology", "isolated"}, says: "roots", files: cas[1:]}),
			rotate("the shared root out", change{flags: []string{"--step", "c"}, says: "roots-c", files: cas[1:], oldKeys: true}),
		},
		inLongRound(rotate("new CAs, isolated", change{says: "cas"})),
	)

	onUpstream = slices.Concat(
		[]turn{rotate("new CAs", change{says: "cas"})},
		inLongRound(
			rotate("new intermediate", change{flags: []string{"--new-intermediate"}, says: "cas"}),
			rotate("new root", change{flags: []string{"--new-root"}, says: "roots", holds: both}),
			rotate("old root out", change{flags: []string{"--step", "c"}, says: "roots-c", oldKeys: true, holds: newOnes}),
		),
	)

	onOwnCAs = append([]turn{
		refusedByRootkiln("new dates for roots", "rotation-self-signed", "--same-key"),
		rotate("service key", change{flags: []string{"--service-key-only"}, says: "service-key", files: []string{}, keys: 2}),
		rotate("roots of its own", change{says: "roots", holds: both}),
		rotate("roots again", change{flags: []string{"--new-root"}, says: "roots", holds: both}),
		rotate("old roots out", change{flags: []string{"--step", "c"}, says: "roots-c", oldKeys: true, holds: newOnes}),
	}, inLongRound(rotate("new CAs", change{says: "cas"}))...)

	ownCAsToShared = []turn{
		rotate("step a", change{flags: []string{"--topology", "shared", "--step", "a"}, says: "roots-a", holds: oldOnes}),
		rotate("step b", change{flags: []string{"--step", "b"}, says: "roots-b", oldKeys: true, holds: both}),
		rotate("step c", change{flags: []string{"--step", "c"}, says: "roots-c", oldKeys: true, holds: newOnes}),
	}

	onEtcdShort = []turn{
		rotate("new roots", change{flags: []string{"--new-root"}, says: "roots", holds: both}),
	}
)

// restarted is [rotate] under another name, so that it can follow [offered].
func restarted(name string, c change) turn { return rotate(name+", restarted", c) }

// What rotate-ca answers.
const (
	accepts = true
	refuses = false
)

// stale offers a rotation of the files of the first start, which are no longer
// those that run. What rotate-ca says of it only verify against the running files
// can tell. It is not followed by a restart: the next offer takes its place.
func stale(name string, accepted bool, flags ...string) turn {
	return turn{name: name, offers: 1, do: func(t *testing.T, l *life) *restart {
		first := filepath.Join(t.TempDir(), "first")
		l.first.write(t, first)
		r := l.rotation(t, first, flags...)
		if !r.prediction.Against.Ruling.Saved {
			t.Error("of the files that it was made from rotate foretells a refusal")
		}
		l.propose(t, r.Server, l.foretell(t, r.Server), accepted)
		return nil
	}}
}

// undone makes two rotations of the same files and offers both before a restart:
// what the first one changed is as it was.
func undone(name string) turn {
	return turn{name: name, offers: 2, do: func(t *testing.T, l *life) *restart {
		before := l.files
		first := l.rotation(t, l.old(), "--only", "client-ca")
		l.accepted(t, first)
		next := l.enforce(t, l.rotation(t, l.old(), "--only", "server-ca"), asBefore)
		next.also = func(t *testing.T) {
			if differ := before.differing(readFiles(t, l.tls(""))); !slices.Equal(differ, []string{"server-ca.crt", "server-ca.key"}) {
				t.Errorf("after both and a restart %q are others", differ)
			}
		}
		return next
	}}
}

// parts offers one CA out of a rotation: the pair, and the certificate without its
// key.
func parts(name string) turn {
	return turn{name: name, offers: 2, do: func(t *testing.T, l *life) *restart {
		r := l.rotation(t, l.old())
		for _, part := range []struct {
			names    []string
			accepted bool
		}{{[]string{"client-ca.crt", "client-ca.key"}, accepts}, {[]string{"client-ca.crt"}, refuses}} {
			f := maps.Clone(r.files)
			maps.DeleteFunc(f, func(name string, _ []byte) bool { return !slices.Contains(part.names, name) })
			dir := filepath.Join(t.TempDir(), "part")
			f.write(t, dir)
			l.propose(t, dir, l.foretell(t, dir), part.accepted)
		}
		return nil
	}}
}

// another offers what follows another cluster's files.
func another(name string) turn {
	return turn{name: name, offers: 1, do: func(t *testing.T, l *life) *restart {
		// Of a minute ago: names carry the second, and two of the same are refused.
		other := settle(t, isolatedBundle, sqlite, 0, "--now", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
		r := other.rotation(t, other.bundle.Dir)
		l.propose(t, r.Server, l.foretell(t, r.Server), refuses)
		return nil
	}}
}

// ahead makes the three steps of a change of roots one from the other, without
// any of them in force. Step c has nothing then that ties it to the old roots;
// step b has.
func ahead(name string) turn {
	return turn{name: name, offers: 2, do: func(t *testing.T, l *life) *restart {
		a := l.rotation(t, l.old(), "--new-root", "--step", "a")
		b := l.rotation(t, a.Server, "--step", "b")
		c := l.rotation(t, b.Server, "--step", "c")
		l.propose(t, c.Server, l.foretell(t, c.Server), refuses)
		l.propose(t, b.Server, l.foretell(t, b.Server), accepts)
		return nil
	}}
}

// skipping offers step c while step a is in force. rotate makes no such thing of
// the running files; of step b that nobody offered it does, and rotate-ca takes
// it, for the running file holds the cross-certificate. Whoever has only the old
// root would be out.
func skipping(name string) turn {
	return turn{name: name, offers: 1, do: func(t *testing.T, l *life) *restart {
		b := l.rotation(t, l.old(), "--step", "b")
		c := l.rotation(t, b.Server, "--step", "c")
		p := l.foretell(t, c.Server)
		if !slices.ContainsFunc(p.Findings, func(f testbed.Finding) bool { return f.Code == "old-root-refuses" }) {
			t.Errorf("rootkiln verify does not say who would be out: %v", p.Findings)
		}
		l.propose(t, c.Server, p, accepts)
		return nil
	}}
}
