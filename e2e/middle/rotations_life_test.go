package middle

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

// origin is where the CAs of a cluster come from.
type origin string

const (
	isolatedBundle origin = "isolated"
	sharedBundle   origin = "shared"
	upstreamBundle origin = "shared with the upstream profile"
	ownCAs         origin = "k3s's own"
)

// bundles are the flags of `rootkiln bundle` for those that it makes.
var bundles = map[origin][]string{
	isolatedBundle: {"--topology", "isolated"}, sharedBundle: {"--topology", "shared"},
	upstreamBundle: {"--topology", "shared", "--profile", "upstream"},
}

// life is a cluster with all that its owner keeps in the safe.
type life struct {
	*server // root and rootFile are of the newest root of the server domain that is in force
	origin  origin
	first   files  // of the first start
	safe    string // every offline part, in a directory each
	parts   int    // in the safe
	made    int    // rotations
	next    string // file of a root that was made and is not in force
	was     string // file of the root before this one
}

// settle puts a cluster's first files where k3s looks for them; of its own CAs
// there are none. A bundle can have more flags.
func settle(t *testing.T, origin origin, store store, port int, more ...string) *life {
	t.Helper()
	s := &server{store: store, dir: testbed.Dir(t), url: fmt.Sprintf("https://127.0.0.1:%d", port)}
	l := &life{server: s, origin: origin, safe: filepath.Join(s.dir, "safe")}
	s.data = filepath.Join(s.dir, "data")
	testbed.Write(t, s.passwordFile(), []byte(password))
	if flags, ok := bundles[origin]; ok {
		s.bundle = testbed.NewBundle(t, s.dir, append(slices.Clip(flags), more...)...)
		tally.bundles.Add(1)
		s.bundle.Copy(t, s.data)
		l.putAway(t, s.bundle.Offline)
	}
	return l
}

// putAway copies an offline part into the safe.
func (l *life) putAway(t testing.TB, part string) {
	t.Helper()
	if err := os.MkdirAll(l.safe, 0o700); err != nil {
		t.Fatal(err)
	}
	l.parts++
	if _, err := l.run("cp", "-a", part, filepath.Join(l.safe, fmt.Sprint(l.parts))); err != nil {
		t.Fatal(err)
	}
}

// keep writes down what the first start left.
func (l *life) keep(t *testing.T) {
	t.Helper()
	l.files = readFiles(t, l.tls(""))
	l.first = l.files
	chain, err := testbed.DecodeChain(l.files["server-ca.crt"])
	if err != nil {
		t.Fatal(err)
	}
	l.trust(t, testbed.Write(t, filepath.Join(l.dir, "first-root.crt"), testbed.EncodeChain(chain[len(chain)-1])))
}

// trust makes the only certificate of the file what clients go by.
func (l *life) trust(t testing.TB, file string) {
	t.Helper()
	l.root, l.rootFile = testbed.ReadRoot(t, file), file
}

// old names the running files in one of the forms that rotate reads: the tls
// directory, the one above it, or an archive.
func (l *life) old() string {
	above := filepath.Join(l.data, "server")
	return map[origin]string{
		isolatedBundle: filepath.Join(above, "tls"), sharedBundle: above, upstreamBundle: above, ownCAs: filepath.Join(l.dir, "old.tar.gz"),
	}[l.origin]
}

// rotation is what `rootkiln rotate` says of one.
type rotation struct {
	Server, Offline, Change string
	Changed, Kept, Roots    []string
	ServiceKey              bool
	Token                   struct{ Token string }
	Tokens                  map[string]struct{ Before, After string }
	Against                 struct {
		Token     struct{ Token string }
		TokenKept bool
	}
	Steps []step

	prediction prediction // of rotate-ca's answer
	files      files
}

// step is something that it tells people to do.
type step struct {
	Code, Where string
	Commands    []string
}

// tryRotation runs `rootkiln rotate` with everything in the safe.
func (l *life) tryRotation(old, out string, flags ...string) (string, error) {
	if strings.HasSuffix(old, ".tar.gz") {
		if _, err := l.run("tar", "-C", filepath.Join(l.data, "server"), "-czf", old, "tls"); err != nil {
			return "", err
		}
	}
	args := []string{"rotate", old, "--out", out, "--offline-out", out + "-offline", "--output", "json"}
	if l.process != nil {
		args = append(args, "--token-file", l.tokenFile())
	}
	if l.parts > 0 {
		args = append(args, "--inputs", l.safe)
	}
	return testbed.Rootkiln(append(args, flags...)...)
}

// rotation makes the files that follow those of old, and puts away what is for
// the safe.
func (l *life) rotation(t testing.TB, old string, flags ...string) rotation {
	t.Helper()
	l.made++
	out := filepath.Join(l.dir, "rotations", fmt.Sprint(l.made))
	if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := l.tryRotation(old, out, flags...)
	if err != nil {
		t.Fatalf("rootkiln rotate %s: %v\n%s", strings.Join(flags, " "), err, text)
	}
	rotations.made.Add(1)
	var r rotation
	if err := errors.Join(json.Unmarshal([]byte(text), &r), json.Unmarshal([]byte(text), &r.prediction)); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	r.files = readFiles(t, filepath.Join(out, "tls"))
	if _, err := os.Lstat(out + "-offline"); (err == nil) != (r.Offline != "") || (r.Offline != "") != (len(r.Roots) > 0) {
		t.Errorf("roots %q were made, the offline part is %q (%v)", r.Roots, r.Offline, err)
	}
	if r.Offline != "" {
		l.putAway(t, r.Offline)
	}
	return r
}

// judge compares what was made with what was asked for.
func (l *life) judge(t *testing.T, r rotation, c change) {
	t.Helper()
	if r.Change != c.says {
		t.Errorf("rotate calls it %q, want %q", r.Change, c.says)
	}
	want := c.files
	if want == nil {
		want = cas
	}
	differ, said := l.files.differing(r.files.over(l.files)), []string(nil)
	for _, ca := range cas {
		expectDiffers(t, differ, ca+".crt", slices.Contains(want, ca))
		expectDiffers(t, differ, ca+".key", slices.Contains(want, ca) && !c.oldKeys)
		if slices.Contains(want, ca) {
			said = append(said, role(ca))
		}
	}
	expectDiffers(t, differ, serviceKey, c.keys > 0)
	if keys := strings.Count(string(r.files[serviceKey]), "-----BEGIN "); c.keys > 0 && keys != c.keys || r.ServiceKey != (c.keys > 0) {
		t.Errorf("service.key holds %d keys, want %d; rotate says that another one signs: %t", keys, c.keys, r.ServiceKey)
	}
	for _, list := range [][]string{r.Changed, said} {
		slices.Sort(list)
	}
	if !slices.Equal(r.Changed, said) || len(r.Changed)+len(r.Kept) != len(cas) {
		t.Errorf("rotate says that it changes %q and keeps %q, want %q", r.Changed, r.Kept, said)
	}
	before := l.token(t)
	if ours := r.Tokens["server"].Before; ours != before || r.Against.Token.Token+"server:"+password != before {
		t.Errorf("the token is %s, rotate says %s and %s", before, ours, r.Against.Token.Token)
	}
}

func expectDiffers(t *testing.T, differ []string, name string, want bool) {
	t.Helper()
	if slices.Contains(differ, name) != want {
		t.Errorf("%s is another file: %t, want %t", name, !want, want)
	}
}

// token is the one that k3s wrote.
func (l *life) token(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(l.tokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// propose offers a directory to rotate-ca, after rootkiln has said what comes of it.
func (l *life) propose(t *testing.T, dir string, p prediction, accepted bool) {
	t.Helper()
	got := l.offer(t, dir, false)
	rotations.offered.Add(1)
	l.foretold(t, p, got)
	if got.saved != accepted {
		t.Fatalf("saved %t, want %t: %s", got.saved, accepted, got.log)
	}
	if got.saved {
		rotations.accepted.Add(1)
	}
}

// accepted offers a rotation, which must be in the datastore afterwards.
func (l *life) accepted(t *testing.T, r rotation) {
	t.Helper()
	l.propose(t, r.Server, r.prediction, true)
	if differing := l.storedFiles(t).differing(r.files.over(l.files)); len(differing) > 0 {
		t.Errorf("stored otherwise than offered: %s", strings.Join(differing, ", "))
	}
}

// restart is what comes into force with the next one.
type restart struct {
	rotation
	holds holders
	also  func(*testing.T) // nil: nothing
}

// enforce has a rotation accepted and leaves the restart to the test that owns the
// server.
func (l *life) enforce(t *testing.T, r rotation, holds holders) *restart {
	t.Helper()
	l.accepted(t, r)
	return &restart{rotation: r, holds: holds}
}

// restart restarts as the steps of the rotation say.
func (l *life) restart(t *testing.T, r *restart) {
	t.Helper()
	l.stop(t)
	if r.supervisor() { // which is all that `k3s certificate rotate --service k3s-server` does
		testbed.Write(t, l.tls("dynamic-cert-regenerate"), nil)
	}
	l.files = r.files.over(l.files)
	if slices.Contains(r.Roots, "root") {
		l.next = filepath.Join(r.Offline, "root-ca.crt")
	}
	if r.holds == both {
		l.was = l.rootFile
		l.trust(t, l.next)
	}
	l.start(t)
	rotations.restarts.Add(1)
}

// supervisor tells whether the steps have the supervisor's certificate renewed.
func (r rotation) supervisor() bool {
	return slices.ContainsFunc(r.Steps, func(s step) bool { return s.Code == "supervisor" })
}

// inForce is what must hold after it.
func (r *restart) inForce(t *testing.T, l *life) {
	token := l.token(t)
	if want := r.Tokens["server"].After; token != want || token != r.Token.Token+"server:"+password {
		t.Errorf("the token is %s, rotate says %s and %s", token, want, r.Token.Token)
	}
	if kept := token == r.Tokens["server"].Before; r.Against.TokenKept != kept {
		t.Errorf("the token stays: %t, rotate says %t", kept, r.Against.TokenKept)
	}
	for _, check := range []func(*testing.T, *server){filesUnchanged, cacerts, bootstrapValue, renewedLeaves} {
		check(t, l.server)
	}
	if r.supervisor() {
		servedBy(t, l.server, l.files)
	}
	l.held(t, r.holds)
	if r.also != nil {
		r.also(t)
	}
}

// held lets clients verify the server with the root that they hold.
func (l *life) held(t *testing.T, holds holders) {
	t.Helper()
	verified := map[string]bool{l.rootFile: true}
	switch holds {
	case both:
		verified[l.was] = true
	case newOnes:
		verified[l.was] = false
	}
	for file, want := range verified {
		_, byCurl := l.run("curl", "-sSf", "--cacert", file, l.url+"/ping")
		_, byOpenSSL := l.run("openssl", "s_client", "-connect", strings.TrimPrefix(l.url, "https://"), "-verify_ip", "127.0.0.1",
			"-x509_strict", "-verify_return_error", "-CAfile", file, "-no-CApath", "-no-CAstore")
		for program, err := range map[string]error{"curl": byCurl, "openssl": byOpenSSL} {
			if (err == nil) != want {
				t.Errorf("%s verifies the server with %s alone: %t, want %t (%v)", program, filepath.Base(file), err == nil, want, err)
			}
		}
	}
}
