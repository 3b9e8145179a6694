package whole

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rootkiln/e2e/testbed"
)

// rotation is what `rootkiln rotate` says of one.
type rotation struct {
	Server, Offline, Change string
	Changed, Roots          []string
	Token                   struct{ Token string }
	Tokens                  map[string]struct{ Before, After string }
	Against                 struct {
		TokenKept bool
		Ruling    struct{ Saved bool }
	}
	Steps []step
}

// step is something that it tells people to do.
type step struct {
	Code, Where string
	Commands    []string
}

// rotates is a cluster on its way through rotations, with what its owner keeps.
type rotates struct {
	*cluster
	made      int
	safe      string          // all offline parts, in a directory each
	newRoot   string          // file of the newest root of the server domain
	published map[string]bool // certificates that client-ca.crt held at some time
	before    int             // of those before the first rotation that the API still publishes
}

// onTheWay begins with a cluster that runs on the files of its bundle.
func onTheWay(t *testing.T, c *cluster) *rotates {
	t.Helper()
	w := &rotates{cluster: c, safe: filepath.Join(c.dir, "safe"), newRoot: c.rootFile, published: map[string]bool{}, before: c.leftOver}
	for _, dir := range []string{w.safe, filepath.Join(c.dir, "rotations"), filepath.Join(c.dir, "anchors")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if c.bundle.Offline != "" {
		w.putAway(t, c.bundle.Offline)
	}
	w.bundle.Offline = filepath.Join(c.dir, "anchors")
	w.count(t)
	return w
}

// putAway copies an offline part into the safe, and its files over those of the
// same roles before them, where the checks look for the roots in force.
func (w *rotates) putAway(t testing.TB, part string) {
	t.Helper()
	kept := filepath.Join(w.safe, fmt.Sprint(w.made))
	for _, to := range []string{kept, filepath.Join(w.dir, "anchors")} {
		if _, err := w.run("cp", "-aT", part, to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(kept, "root-ca.crt")); err == nil {
		w.newRoot = filepath.Join(kept, "root-ca.crt")
	}
}

// count learns how many certificates of earlier files the API goes on publishing
// beside those of the present one: all, for Kubernetes only ever adds.
func (w *rotates) count(t testing.TB) {
	t.Helper()
	chain, err := testbed.ReadChain(w.tls("client-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, certificate := range chain {
		w.published[string(certificate.Raw)] = true
	}
	w.leftOver = w.before + len(w.published) - len(chain)
}

// rotate makes what follows the running files.
func (w *rotates) rotate(t *testing.T, flags ...string) rotation {
	t.Helper()
	args := []string{"rotate", w.tls("")}
	if entries, err := os.ReadDir(w.safe); err == nil && len(entries) > 0 {
		args = append(args, "--inputs", w.safe)
	}
	return w.make(t, append(args, flags...))
}

// goOn makes what the last step of a rotation says comes after it.
func (w *rotates) goOn(t *testing.T, r rotation) rotation {
	t.Helper()
	last := r.Steps[len(r.Steps)-1]
	if last.Code != "next" || len(last.Commands) != 1 {
		t.Fatalf("no next rotation among the steps: %v", last)
	}
	words := strings.Fields(last.Commands[0])
	out := slices.Index(words, "--out")
	if words[0] != "rootkiln" || out < 0 {
		t.Fatalf("no command that writes somewhere: %q", last.Commands[0])
	}
	return w.make(t, slices.Delete(words, out, out+2)[1:])
}

// make runs `rootkiln rotate` and unpacks what it made beside it.
func (w *rotates) make(t *testing.T, args []string) rotation {
	t.Helper()
	w.made++
	name := filepath.Join(w.dir, "rotations", fmt.Sprint(w.made))
	text, err := testbed.Rootkiln(append(args, "--out", name+".tar.gz", "--offline-out", name+"-offline",
		"--token-file", filepath.Join(w.data, "server", "token"), "--output", "json")...)
	var r rotation
	if bad := json.Unmarshal([]byte(text), &r); err != nil || bad != nil {
		t.Fatalf("rootkiln %s: %v", strings.Join(args, " "), errors.Join(err, bad))
	}
	tally.bundles++
	if !r.Against.Ruling.Saved || r.Tokens["server"].Before != w.serverToken(t) {
		t.Errorf("rotate foretells that it is saved: %t; the token before: %s", r.Against.Ruling.Saved, r.Tokens["server"].Before)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := w.run("tar", "-xf", r.Server, "-C", name); err != nil {
		t.Fatal(err)
	}
	w.bundle.Dir = name
	if r.Offline != "" {
		w.putAway(t, r.Offline)
	}
	return r
}

// follow does everything that the steps of a rotation say, in their order.
func (w *rotates) follow(t *testing.T, r rotation) {
	t.Helper()
	for _, step := range r.Steps {
		if step.Code == "compare" || step.Code == "next" {
			continue // of several servers, and of another day
		}
		for _, command := range step.Commands {
			w.do(t, step, command)
		}
	}
	w.count(t)
	if r.Change != "roots-a" { // whose new root is handed out later
		w.trust(t, w.newRoot)
	}
	check(t, r.Change+": token", func(t *testing.T) {
		token := w.serverToken(t)
		if want := r.Tokens["server"].After; token != want || token != r.Token.Token+"server:"+password {
			t.Errorf("k3s's token is %s, rotate says %s and %s", token, want, r.Token.Token)
		}
		if kept := token == r.Tokens["server"].Before; kept != r.Against.TokenKept {
			t.Errorf("the token stays: %t, rotate says %t", kept, r.Against.TokenKept)
		}
	})
}

// do runs one command of the steps, with the paths of this server in the place of
// the usual ones, and the test in that of the service manager.
func (w *rotates) do(t *testing.T, step step, command string) {
	t.Helper()
	switch words := strings.Fields(command); {
	case words[0] == "systemctl" && words[2] == "k3s":
		if words[1] != "start" {
			w.stop(t)
		}
		if words[1] != "stop" {
			w.start(t)
		}
		return
	case words[0] == "systemctl" && words[2] == "k3s-agent":
		return // there is none
	case strings.HasPrefix(command, "k3s etcd-snapshot "):
		return // the k3s of these tests is built without it
	}
	command = strings.NewReplacer(
		"k3s kubectl ", "kubectl ", // the k3s of these tests has it under its own name alone
		"/var/lib/rancher/k3s/", w.data+"/", "/root/rootkiln-next", filepath.Join(w.dir, "rootkiln-next")).Replace(command)
	out, err := testbed.Run(w.dir, []string{"HOME=" + w.dir, "K3S_DATA_DIR=" + w.data, "KUBECONFIG=" + w.kubeconfig(), "KUBE_EDITOR=true"},
		"sh", "-c", "exec 2>&1; "+command)
	if err != nil {
		t.Fatalf("step %s: %s: %v\n%s", step.Code, command, err, out)
	}
	switch {
	case step.Code == "rotate-ca" && !strings.Contains(out, "saved to datastore"):
		t.Fatalf("%s says: %s", command, out)
	case strings.HasPrefix(command, "openssl s_client"):
		w.servesPresent(t, step.Code, out)
	}
}

// servesPresent wants the present CA named as the issuer of what the supervisor
// serves.
func (w *rotates) servesPresent(t *testing.T, when, said string) {
	t.Helper()
	chain, err := testbed.ReadChain(w.tls("server-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said, chain[0].Subject.CommonName) {
		t.Errorf("step %s: the supervisor serves a certificate of %s, the CA is %s", when, said, chain[0].Subject.CommonName)
	}
}
