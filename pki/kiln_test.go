package pki_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// What the tests of this package share: a key source that is fast, the way from
// a plan to a bundle in one call, authorities that somebody else made, and the
// programs of other people that judge ours.

// issueTime is the moment of issue of every plan that does not say otherwise.
var issueTime = pki.At(time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC))

// pooled is the KeySource of the tests. Keys are made once and handed out again
// to the next run; within one run no key comes twice.
type pooled struct {
	pki.Random
	store *keyStore
	mu    sync.Mutex
	used  map[pki.KeySpec]int
}

func newPool(store *keyStore) *pooled { return &pooled{store: store, used: map[pki.KeySpec]int{}} }

func (p *pooled) Key(ctx context.Context, _ pki.Role, spec pki.KeySpec) (pki.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used[spec]++
	return p.store.key(spec, p.used[spec])
}

// keyStore keeps every key that was made, by spec. An RSA key is a pair of
// primes: six primes make fifteen keys of 4096 bits in the time of three.
type keyStore struct {
	mu     sync.Mutex
	keys   map[pki.KeySpec][]pki.Key
	primes map[int][]*big.Int
}

func newStore() *keyStore {
	return &keyStore{keys: map[pki.KeySpec][]pki.Key{}, primes: map[int][]*big.Int{}}
}

var (
	kiln    = newStore()          // the keys of our own runs
	foreign = newPool(newStore()) // the keys of everybody else
)

// key returns the nth key of a spec, counted from 1.
func (s *keyStore) key(spec pki.KeySpec, n int) (pki.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.keys[spec]) < n {
		made, err := s.make(spec)
		if err != nil {
			return nil, err
		}
		s.keys[spec] = append(s.keys[spec], made...)
	}
	return s.keys[spec][n-1], nil
}

func (s *keyStore) make(spec pki.KeySpec) ([]pki.Key, error) {
	if spec.Bits() == 0 {
		k, err := pki.Random{}.Key(context.Background(), pki.Lint, spec)
		return []pki.Key{k}, err
	}
	older := s.primes[spec.Bits()/2]
	prime, err := s.prime(spec.Bits() / 2)
	if err != nil {
		return nil, err
	}
	var made []pki.Key
	for _, other := range older {
		k, err := pki.SoftwareKey(rsaKey(prime, other, 65537))
		if err != nil {
			return nil, err
		}
		made = append(made, k)
	}
	return made, nil
}

// prime makes one more prime of that many bits, good for the exponents 17 and
// 65537: neither divides p-1.
func (s *keyStore) prime(bits int) (*big.Int, error) {
	for {
		p, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		less := new(big.Int).Sub(p, big.NewInt(1))
		if less.GCD(nil, nil, less, big.NewInt(17*65537)).Int64() == 1 {
			s.primes[bits] = append(s.primes[bits], p)
			return p, nil
		}
	}
}

// rsaKey builds a private key from its primes.
func rsaKey(p, q *big.Int, e int) *rsa.PrivateKey {
	one := big.NewInt(1)
	order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: e},
		D:         new(big.Int).ModInverse(big.NewInt(int64(e)), order),
		Primes:    []*big.Int{p, q},
	}
	k.Precompute()
	return k
}

// newKey returns a key that no run and no other call has.
func newKey(t testing.TB, spec pki.KeySpec) pki.Key {
	t.Helper()
	k, err := foreign.Key(t.Context(), pki.Lint, spec)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newPlan returns a plan with a time, changed by edit.
func newPlan(edit ...func(*pki.Plan)) pki.Plan {
	p := pki.Plan{Time: issueTime}
	for _, e := range edit {
		e(&p)
	}
	return p
}

func layoutOf(t testing.TB, plan pki.Plan) pki.Layout {
	t.Helper()
	layout, err := k3s.Layout(plan)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

func resolve(t testing.TB, plan pki.Plan, given pki.Given) (pki.Resolved, []pki.Finding) {
	t.Helper()
	r, found, err := pki.Resolve(plan, layoutOf(t, plan), given)
	if err != nil {
		t.Fatal(err)
	}
	return r, found
}

// refused resolves a plan that must be refused and returns why.
func refused(t testing.TB, plan pki.Plan, given pki.Given) []pki.Finding {
	t.Helper()
	_, _, err := pki.Resolve(plan, layoutOf(t, plan), given)
	return reasons(t, err)
}

func runOf(t testing.TB, plan pki.Plan, given pki.Given) pki.Run {
	t.Helper()
	r, _ := resolve(t, plan, given)
	return pki.Run{Plan: r, Layout: layoutOf(t, plan), Given: given, Keys: newPool(kiln)}
}

func issue(t testing.TB, plan pki.Plan, given pki.Given) *pki.Issued {
	t.Helper()
	issued, err := runOf(t, plan, given).Issue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// reasons returns the findings of a refusal.
func reasons(t testing.TB, err error) []pki.Finding {
	t.Helper()
	var refusal *pki.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("not refused: %v", err)
	}
	return refusal.Findings
}

func codes(findings []pki.Finding) []pki.Code {
	list := make([]pki.Code, len(findings))
	for i, f := range findings {
		list[i] = f.Code
	}
	return list
}

// wantCodes compares the codes of findings, in their order.
func wantCodes(t testing.TB, findings []pki.Finding, want ...pki.Code) {
	t.Helper()
	if got := codes(findings); !slices.Equal(got, want) {
		t.Fatalf("findings %v, want %v", findings, want)
	}
}

// wantRefusal says that an error is a refusal for exactly these reasons.
func wantRefusal(t testing.TB, err error, want ...pki.Code) {
	t.Helper()
	wantCodes(t, reasons(t, err), want...)
}

// authority makes a CA certificate as another tool would: issuer nil means
// self-signed. It lives from a year before issueTime to fifteen years after. An
// edit may set a public key whose private half is nobody's.
func authority(t testing.TB, cn string, spec pki.KeySpec, issuer *pki.Authority, edit ...func(*x509.Certificate)) *pki.Authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: cn},
		NotBefore: issueTime.AddDate(-1, 0, 0), NotAfter: issueTime.AddDate(15, 0, 0),
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: -1, KeyUsage: x509.KeyUsageCertSign,
	}
	for _, e := range edit {
		e(template)
	}
	a := &pki.Authority{}
	if template.PublicKey == nil {
		a.Key = newKey(t, spec)
		template.PublicKey = a.Key.Public()
	}
	parent, signer := template, a.Key
	if issuer != nil {
		parent, signer, a.Above = issuer.Certificate, issuer.Key, issuer.Chain()
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, template.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// at places an authority in the layout.
func at(role pki.Role, a *pki.Authority) pki.Given {
	a.Role = role
	return pki.Given{Authorities: map[pki.Role]*pki.Authority{role: a}}
}

// packages tells which Debian package holds a program.
var packages = map[string]string{"openssl": "openssl", "python3": "python3", "node": "nodejs", "tar": "tar", "sha256sum": "coreutils", "go": "golang"}

// run runs another program and returns what it prints.
func run(t testing.TB, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is missing: apt-get install %s", name, packages[name])
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
	}
	return out
}

func parseCert(t testing.TB, text []byte) *x509.Certificate {
	t.Helper()
	certs, _, err := pki.ParseCertificates("test", text)
	if err != nil {
		t.Fatal(err)
	}
	return certs[0]
}

// writeFile puts data into a file of its own and returns the path.
func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
