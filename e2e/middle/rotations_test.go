package middle

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"rootkiln/e2e/testbed"
)

// lives are the clusters that `rootkiln rotate` leads through its rotations, one
// after the other on the same files, as years would. Each group runs on a port of
// its own beside the others; embedded etcd has fixed ports, so its lives follow
// each other.
var lives = []struct {
	name string
	port int
	runs []run
}{
	{"isolated", 6443, []run{{origin: isolatedBundle, store: sqlite, turns: onIsolated}}},
	{"isolated, roots", 9443, []run{{origin: isolatedBundle, store: sqlite, turns: rootsOnIsolated}}},
	{"shared", 7443, []run{
		{origin: sharedBundle, store: sqlite, turns: onShared},
		{origin: upstreamBundle, store: sqlite, turns: onUpstream},
	}},
	{"k3s's own CAs", 8443, []run{
		{origin: ownCAs, store: sqlite, turns: onOwnCAs},
		{origin: ownCAs, store: sqlite, turns: ownCAsToShared, long: true},
	}},
	{"etcd", 16443, []run{
		{origin: isolatedBundle, store: etcd, turns: onEtcdShort},
		{origin: isolatedBundle, store: etcd, turns: onIsolated, long: true},
		{origin: isolatedBundle, store: etcd, turns: rootsOnIsolated, long: true},
		{origin: sharedBundle, store: etcd, turns: onShared, long: true},
		{origin: ownCAs, store: etcd, turns: onOwnCAs, long: true},
	}},
}

// run is the life of one cluster.
type run struct {
	origin origin
	store  store
	turns  []turn
	long   bool // not in the short round
}

// rotations counts what `rootkiln rotate` made, for the last line.
var rotations struct{ made, refused, offered, accepted, restarts atomic.Int64 }

// TestRotations has every rotation that `rootkiln rotate` offers judged by the
// handler of rotate-ca and by the restart after it.
func TestRotations(t *testing.T) {
	t.Run("all", func(t *testing.T) {
		for _, group := range lives {
			t.Run(group.name, func(t *testing.T) {
				t.Parallel()
				for _, r := range group.runs {
					if r.long && !completeRun() {
						continue
					}
					t.Run(string(r.origin)+" on "+string(r.store), func(t *testing.T) { r.run(t, group.port) })
				}
			})
		}
	})
	testbed.Note("middle: %d rotations made by rootkiln rotate, %d refused by it, %d offered to rotate-ca (%d accepted), %d restarts after them",
		rotations.made.Load(), rotations.refused.Load(), rotations.offered.Load(), rotations.accepted.Load(), rotations.restarts.Load())
}

func (r run) run(t *testing.T, port int) {
	l := settle(t, r.origin, r.store, port)
	l.start(t)
	l.keep(t)
	for _, turn := range r.turns {
		if turn.long && !completeRun() {
			continue
		}
		// What follows stands on what was before.
		var next *restart
		if !t.Run(turn.name, func(t *testing.T) { next = turn.do(t, l) }) {
			return
		}
		if next == nil {
			continue
		}
		l.restart(t, next)
		if !t.Run(turn.name+", in force", func(t *testing.T) { next.inForce(t, l) }) {
			return
		}
	}
}

// TestTurns guards the tables: what the short round promises.
func TestTurns(t *testing.T) {
	offers := 0
	for _, group := range lives {
		for _, r := range group.runs {
			seen := map[string]bool{}
			for _, turn := range r.turns {
				if seen[turn.name] {
					t.Errorf("%s: %q stands twice", r.origin, turn.name)
				}
				seen[turn.name] = true
				if !r.long && !turn.long {
					offers += turn.offers
				}
			}
		}
	}
	if offers < 30 {
		t.Errorf("the short round makes %d offers, want 30 at least", offers)
	}
	t.Logf("%d offers in the short round", offers)
}

// turn is something that happens to a cluster.
type turn struct {
	name   string
	offers int // to rotate-ca
	long   bool
	do     func(*testing.T, *life) *restart // nil: the next offer takes its place
}

// inLongRound leaves turns out of the short round.
func inLongRound(turns ...turn) []turn {
	for i := range turns {
		turns[i].long = true
	}
	return turns
}

// change is what a rotation must do beside being accepted.
type change struct {
	flags   []string
	says    string   // what rotate calls it
	files   []string // CAs of which the file is another one; nil: all
	oldKeys bool     // the CAs' keys are those of before
	keys    int      // in service.key, if it is another one
	holds   holders  // who can verify the server afterwards
}

// holders are clients by the roots of the server domain that they hold.
type holders string

const (
	asBefore holders = ""
	oldOnes  holders = "old"  // those of the old root, as promised for step a; the new root is not handed out yet
	both     holders = "both" // those of the old root alone and those of the new one alone
	newOnes  holders = "new"  // those of the new root, and nobody else
)

// rotate makes a rotation of what is running, has it accepted and restarts.
func rotate(name string, c change) turn {
	return turn{name: name, offers: 1, do: func(t *testing.T, l *life) *restart {
		r := l.rotation(t, l.old(), c.flags...)
		l.judge(t, r, c)
		return l.enforce(t, r, c.holds)
	}}
}

// offered is rotate without the restart: the next offer takes its place.
func offered(name string, c change) turn {
	return turn{name: name, offers: 1, do: func(t *testing.T, l *life) *restart {
		r := l.rotation(t, l.old(), c.flags...)
		l.judge(t, r, c)
		l.accepted(t, r)
		return nil
	}}
}

// refusedByRootkiln is what `rootkiln rotate` itself will not make.
func refusedByRootkiln(name, code string, flags ...string) turn {
	return turn{name: name, do: func(t *testing.T, l *life) *restart {
		dir := filepath.Join(l.dir, "never")
		_, err := l.tryRotation(l.old(), dir, flags...)
		if err == nil || !strings.Contains(err.Error(), "["+code+"]") {
			t.Errorf("rootkiln rotate %s: %v, want %s", strings.Join(flags, " "), err, code)
		}
		for _, path := range []string{dir, dir + "-offline"} {
			if _, err := os.Lstat(path); !os.IsNotExist(err) {
				t.Errorf("it refuses and writes %s (%v)", path, err)
			}
		}
		rotations.refused.Add(1)
		return nil
	}}
}

// every is one turn for each of the five CAs: that CA alone.
func every(make func(name string, c change) turn, flags ...string) []turn {
	var turns []turn
	for _, ca := range cas {
		turns = append(turns, make("only "+ca, change{flags: append([]string{"--only", role(ca)}, flags...), says: "cas", files: []string{ca}}))
	}
	return turns
}
