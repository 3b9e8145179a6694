package middle

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"rootkiln/e2e/testbed"
)

// answer is what became of an offer.
type answer struct {
	saved bool
	log   string // what the server said of it
	since string // all that it wrote meanwhile
}

// errorID is all that a client learns of a refusal.
var errorID = regexp.MustCompile(`certificate error ID \d+`)

// offer gives a directory to rotate-ca, by k3s's own client.
func (s *server) offer(t testing.TB, dir string, force bool) answer {
	t.Helper()
	mark := s.process.Mark()
	out, err := s.run("supervisor", "rotate", "--server", s.url, "--token-file", s.tokenFile(), "--path", dir, fmt.Sprintf("--force=%t", force))
	if err != nil {
		out = err.Error()
	}
	return s.answer(t, mark, err == nil && strings.Contains(out, "certificates saved to datastore"), out)
}

// put gives all eleven files to rotate-ca as that client would: it needs a
// quarter of a second to come up.
func (s *server) put(t testing.TB, f files, force bool) answer {
	t.Helper()
	content := map[string][]byte{}
	for name, file := range members {
		if data, ok := f[strings.TrimPrefix(file, "tls/")]; ok {
			content[name] = data
		}
	}
	mark := s.process.Mark()
	got, err := s.as("server:"+password).Do(http.MethodPut, fmt.Sprintf("%s%s?force=%t", s.url, rotateCA, force), body(t, content))
	if err != nil {
		t.Fatal(err)
	}
	return s.answer(t, mark, got.Status == http.StatusNoContent, string(got.Body))
}

const rotateCA = "/v1-k3s/cert/cacerts"

// as is a client with a user's name and password.
func (s *server) as(user string) testbed.Client {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(user))
	return testbed.Client{Root: s.root, Header: http.Header{"Authorization": {basic}}}
}

// body is an offer as k3s's client sends it.
func body(t testing.TB, content map[string][]byte) string {
	t.Helper()
	m := map[string]member{}
	for name, data := range content {
		m[name] = member{time.Now(), data}
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// answer looks for what the server has to say beyond yes and no.
func (s *server) answer(t testing.TB, mark int64, saved bool, said string) answer {
	t.Helper()
	tally.offers.Add(1)
	log := s.process.LogSince(mark)
	if saved && strings.Contains(log, "Cluster Certificate Authority data has been updated") {
		return answer{true, log, log}
	}
	id := errorID.FindString(said)
	for _, line := range strings.Split(log, "\n") {
		if !saved && id != "" && strings.Contains(line, id+": failed to validate new CA certificates and keys") {
			tally.refused.Add(1)
			return answer{false, line, log}
		}
	}
	t.Fatalf("neither accepted nor refused: %s\n%s", said, log)
	return answer{}
}

// answers makes every offer of the table, and those that are refused once more
// with force. After each the datastore must hold exactly what follows from it.
func answers(t *testing.T, s *server) {
	r := readRunning(t, s.topology, s.bundle)
	var table bytes.Buffer
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	defer func() {
		rows.Flush()
		t.Logf("%s: what k3s and what rootkiln verify say\n%s", s.topology, table.String())
	}()
	for _, o := range offers {
		if !o.concerns(s.topology) {
			continue
		}
		t.Run(o.name, func(t *testing.T) {
			dir := filepath.Join(s.dir, "offers", strings.NewReplacer(" ", "-", "/", "-").Replace(o.name))
			f := o.make(t, r)
			f.write(t, dir)
			said := "refused, saved with force"
			if o.accepted {
				said = "accepted"
			}
			fmt.Fprintf(rows, "%s\t%s\t%s\n", o.name, said, judge(t, dir, f, o.verify))
			if s.expect(t, o, f, dir, false); !o.accepted {
				s.expect(t, o, f, dir, true)
			}
		})
	}
}

// concerns tells whether the row is asked for. In the short run a shared topology
// gets only what differs there.
func (o offer) concerns(t topology) bool {
	if o.only == "" {
		return t == isolated || completeRun()
	}
	return o.only == t
}

// expect offers once and compares answer and datastore with the row. Where
// files are missing, what k3s's own client makes of that is part of the answer.
func (s *server) expect(t *testing.T, o offer, f files, dir string, force bool) {
	t.Helper()
	before, err := s.storedValue()
	if err != nil {
		t.Fatal(err)
	}
	foretold := s.foretell(t, dir)
	var got answer
	if len(f) < len(names) {
		got = s.offer(t, dir, force)
	} else {
		got = s.put(t, f, force)
	}
	s.foretold(t, foretold, got)
	if want := o.accepted || force; got.saved != want {
		t.Errorf("force %t: saved %t, want %t: %s", force, got.saved, want, got.log)
		return
	}
	forced := strings.Contains(got.log, "Save of CA certificates and keys forced, ignoring validation errors")
	if forced != (force && !o.accepted) {
		t.Errorf("force %t: k3s overlooked errors: %t\n%s", force, forced, got.log)
	}
	if forced {
		tally.forced.Add(1)
	}
	for _, want := range o.log {
		if !strings.Contains(got.log, want) {
			t.Errorf("force %t: k3s's log lacks %q: %s", force, want, got.log)
		}
	}
	if !got.saved {
		if after, err := s.storedValue(); err != nil || !bytes.Equal(after.value, before.value) {
			t.Errorf("refused, and yet stored (%v)", err)
		}
		return
	}
	if differing := s.storedFiles(t).differing(f.over(s.files)); len(differing) > 0 {
		t.Errorf("force %t: stored otherwise than offered: %s", force, strings.Join(differing, ", "))
	}
}

// judge is what rootkiln verify says of an offer. Of some files alone it can
// but say that others are missing.
func judge(t *testing.T, dir string, f files, want verdict) string {
	t.Helper()
	if len(f) == 0 {
		return "-"
	}
	findings := testbed.Verify(t, dir)
	errs := testbed.Codes(findings, "error")
	if want != whatever && (len(errs) > 0) != (want == broken) {
		t.Errorf("rootkiln verify finds the errors %q, this offer is %s", errs, want)
	}
	var say []string
	for _, severity := range []string{"error", "warning", "notice"} {
		if codes := testbed.Codes(findings, severity); len(codes) > 0 {
			say = append(say, severity+" "+strings.Join(codes, " "))
		}
	}
	if len(say) == 0 {
		return "fine"
	}
	return strings.Join(say, "; ")
}

// rotated offers new leaf CAs and a new key in front of the old one.
func (s *server) rotated(t *testing.T) {
	t.Helper()
	f := service(renewed, "new", "old")(t, readRunning(t, s.topology, s.bundle))
	dir := filepath.Join(s.dir, "successor")
	f.write(t, dir)
	foretold := s.foretell(t, dir)
	got := s.offer(t, dir, false)
	if !got.saved {
		t.Fatalf("rotate-ca: %s", got.log)
	}
	s.foretold(t, foretold, got)
	s.files = f
}

// credentials are who may offer anything, and what is no offer.
func credentials(t *testing.T, s *server) {
	good := body(t, nil)
	for _, c := range []struct {
		name, method, user, body string
		status                   int
	}{
		{"the server's password", http.MethodPut, "server:" + password, good, http.StatusNoContent},
		{"a file that rotate-ca does not rotate", http.MethodPut, "server:" + password,
			body(t, map[string][]byte{"PasswdFile": []byte("stolen,server,server,k3s:server\n")}), http.StatusNoContent},
		{"no credentials", http.MethodPut, "", good, http.StatusForbidden},
		{"another password", http.MethodPut, "server:guess", good, http.StatusUnauthorized},
		{"a node's password", http.MethodPut, "node:" + password, good, http.StatusForbidden},
		{"no JSON", http.MethodPut, "server:" + password, "certificates", http.StatusInternalServerError},
		{"another method", http.MethodGet, "server:" + password, good, http.StatusMethodNotAllowed},
	} {
		client := s.as(c.user)
		if c.user == "" {
			client.Header = nil
		}
		answer, err := client.Do(c.method, s.url+rotateCA+"?force=true", c.body)
		if err != nil || answer.Status != c.status {
			t.Errorf("%s: status %d, %v, want %d: %s", c.name, answer.Status, err, c.status, answer.Body)
		}
		bootstrapValue(t, s)
	}
	wrong := testbed.Write(t, filepath.Join(s.dir, "wrong-token"), []byte("K10"+strings.Repeat("0", 64)+"::server:"+password))
	if _, err := s.run("supervisor", "rotate", "--server", s.url, "--token-file", wrong, "--path", s.bundle.Dir); err == nil ||
		!strings.Contains(err.Error(), "token CA hash does not match") {
		t.Errorf("a token with another hash: %v", err)
	}
}

// TestOffers guards the table against rows that would not be judged.
func TestOffers(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range offers {
		if seen[o.name] || !slices.Contains([]topology{"", isolated, shared}, o.only) {
			t.Errorf("%q stands twice or belongs to no topology", o.name)
		}
		if o.accepted == (len(o.log) > 0) {
			t.Errorf("%q: a refusal, and nothing else, has a reason in the log", o.name)
		}
		seen[o.name] = true
	}
	if len(seen) < 30 {
		t.Errorf("%d offers, want 30 at least", len(seen))
	}
}
