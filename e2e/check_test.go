package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/util/keyutil"

	"rootkiln/e2e/testbed"
)

// trial is one bundle on which k3s was started twice.
type trial struct {
	bundle
	chains               map[domain][]*x509.Certificate // as the operator handed them over
	before, first, again snapshot                       // of the data directory
	token                string
}

func (t *trial) root(d domain) *x509.Certificate { return last(t.chains[d]) }

// failure is one check that a bundle did not pass.
type failure struct {
	check string
	err   error
}

// startCheck is the failure of k3s itself.
const startCheck = "k3s starts"

// judge starts k3s twice on the bundle and returns every check that fails.
func judge(b bundle) []failure {
	tally.bundles.Add(1)
	t, err := try(b)
	if err != nil {
		return []failure{{startCheck, err}}
	}
	var failures []failure
	for _, check := range checks {
		if err := check.run(t); err != nil {
			failures = append(failures, failure{check.name, err})
		}
	}
	return failures
}

func try(b bundle) (*trial, error) {
	t := &trial{bundle: b, chains: map[domain][]*x509.Certificate{}}
	var err error
	for _, d := range domains {
		if t.chains[d], err = testbed.ReadChain(filepath.Join(b.dir, d.crt())); err != nil {
			return nil, err
		}
	}
	if t.before, err = take(b.dir); err != nil {
		return nil, err
	}
	if t.token, err = b.start(); err != nil {
		return nil, err
	}
	if t.first, err = take(b.dir); err != nil {
		return nil, err
	}
	if _, err = b.start(); err != nil {
		return nil, fmt.Errorf("second start: %w", err)
	}
	t.again, err = take(b.dir)
	return t, err
}

// checks are all that must hold, each under the name that a failure shows.
// k3s itself validates nothing at its first start, so its own "no error" proves
// little.
var checks = []struct {
	name string
	run  func(*trial) error
}{
	{"eleven files", (*trial).checkFiles},
	{"inputs untouched", (*trial).checkInputs},
	{"second start", (*trial).checkSecondStart},
	{"chains", (*trial).checkChains},
	{"algorithms", (*trial).checkAlgorithms},
	{"service keys", (*trial).checkServiceKeys},
	{"leaf set", (*trial).checkLeafSet},
	{"leaves by go", (*trial).checkLeavesGo},
	{"leaves by openssl", (*trial).checkLeavesOpenSSL},
	{"token", (*trial).checkToken},
	{"domains", (*trial).checkDomains},
}

func (t *trial) checkFiles() error {
	if got, want := t.before.names(), bundleFiles(); !slices.Equal(got, want) {
		return fmt.Errorf("bundle holds %q, want %q", got, want)
	}
	return nil
}

// checkInputs is the sharpest sign: where a .key is missing k3s says nothing
// and writes a certificate of its own over the operator's.
func (t *trial) checkInputs() error {
	if changed := t.before.changed(t.first); len(changed) > 0 {
		return fmt.Errorf("k3s overwrote %q", changed)
	}
	return nil
}

func (t *trial) checkSecondStart() error {
	if changed := t.first.changed(t.again); len(changed) > 0 {
		return fmt.Errorf("made anew: %q", changed)
	}
	if !slices.Equal(t.first.names(), t.again.names()) {
		return fmt.Errorf("files were %q, are %q", t.first.names(), t.again.names())
	}
	return nil
}

// checkChains looks at what stands above each leaf CA: the operator's own
// authorities where there are some, a new root and intermediate elsewhere.
func (t *trial) checkChains() error {
	var errs []error
	for _, d := range domains {
		above, given := t.chains[d][1:], t.given()
		want := max(2, len(given)) // intermediate and root
		if !t.underRoot(d) {
			want, given = 1, nil // its own root
		}
		if len(above) != want {
			errs = append(errs, fmt.Errorf("%s: %d certificates above the leaf CA, want %d", d, len(above), want))
		} else if !sameChain(above[want-len(given):], given) {
			errs = append(errs, fmt.Errorf("%s: not the given authorities above the leaf CA", d))
		}
		if err := checkSelfSigned(t.root(d)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", d, err))
		}
	}
	return errors.Join(errs...)
}

// underRoot reports whether the domain hangs below the root that outsiders
// trust.
func (t *trial) underRoot(d domain) bool { return t.topology == "shared" || d == serverDomain }

// checkAlgorithms makes sure that the case tests what its name says.
func (t *trial) checkAlgorithms() error {
	var errs []error
	check := func(what, want string, public crypto.PublicKey) {
		if got := algorithm(public); got != want {
			errs = append(errs, fmt.Errorf("%s is %s, want %s", what, got, want))
		}
	}
	for _, d := range domains {
		chain := t.chains[d]
		check(string(d), t.algorithms.ca, chain[0].PublicKey)
		if t.underRoot(d) && len(t.given()) < 2 && len(chain) > 1 {
			check("intermediate of "+string(d), t.algorithms.intermediate, chain[1].PublicKey)
		}
		if !t.underRoot(d) || len(t.given()) == 0 {
			check("root of "+string(d), t.algorithms.root, last(chain).PublicKey)
		}
	}
	keys, err := t.publicServiceKeys()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	if !t.noNewKey {
		check("service key", t.algorithms.service, keys[0])
	}
	return errors.Join(errs...)
}

// algorithm names a key as the --…-alg flags do.
func algorithm(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("p%d", key.Curve.Params().BitSize)
	}
	return fmt.Sprintf("%T", public)
}

// publicServiceKeys reads service.key as kube-apiserver does.
func (t *trial) publicServiceKeys() ([]any, error) {
	return keyutil.PublicKeysFromFile(filepath.Join(t.dir, serviceKeyFile))
}

func (t *trial) checkServiceKeys() error {
	keys, err := t.publicServiceKeys()
	if err != nil {
		return err
	}
	added := 1
	if t.noNewKey {
		added = 0
	}
	if len(keys) != added+len(t.serviceKeys) {
		return fmt.Errorf("%d keys, want %d", len(keys), added+len(t.serviceKeys))
	}
	for i, kept := range t.serviceKeys {
		if !samePublicKey(kept, keys[added+i]) {
			return fmt.Errorf("key %d is not the one to be kept", added+i+1)
		}
	}
	current, err := keyutil.PrivateKeyFromFile(filepath.Join(t.dir, "tls/service.current.key"))
	if err != nil {
		return err
	}
	if signer, ok := current.(crypto.Signer); !ok || !samePublicKey(signer.Public(), keys[0]) {
		return errors.New("k3s signs with another key than the first")
	}
	return nil
}

func samePublicKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// checkLeafSet compares the certificates that are there with the table, both
// ways, and each one's chain with the CA file of its signer.
func (t *trial) checkLeafSet() error {
	want := bundleFiles()
	var errs []error
	// The signer of requests takes a file with one certificate alone.
	for _, d := range []domain{clientDomain, serverDomain} {
		alone := string(d) + ".nochain.crt"
		want = append(want, alone)
		if chain, err := testbed.ReadChain(filepath.Join(t.dir, alone)); err != nil || !sameChain(chain, t.chains[d][:1]) {
			errs = append(errs, fmt.Errorf("%s: %d certificates, not the first of %s alone (%v)", alone, len(chain), d, err))
		}
	}
	for _, l := range leaves {
		l = l.of(t.distro)
		want = append(want, l.file)
		certificate, behind, err := l.read(t.dir)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		tally.leaves.Add(1)
		if !sameChain(behind, t.chains[l.signer]) {
			errs = append(errs, fmt.Errorf("%s: chain is not that of %s", l.file, l.signer))
		}
		errs = append(errs, l.checkContent(certificate))
	}
	for _, name := range t.first.names() {
		if strings.HasSuffix(name, ".crt") && !slices.Contains(want, name) {
			errs = append(errs, fmt.Errorf("%s: not in the table", name))
		}
	}
	return errors.Join(errs...)
}

func (t *trial) checkLeavesGo() error {
	return t.eachLeaf(func(l leaf, certificate *x509.Certificate, behind []*x509.Certificate) error {
		return l.verifyGo(certificate, behind, t.root(l.signer))
	})
}

func (t *trial) checkLeavesOpenSSL() error {
	type purpose struct {
		signer domain
		usage  x509.ExtKeyUsage
		host   string
	}
	groups := map[purpose][]leaf{}
	for _, l := range leaves {
		for _, usage := range l.usages {
			p := purpose{l.signer, usage, ""}
			if usage == serverAuth {
				p.host = l.host
			}
			groups[p] = append(groups[p], l.of(t.distro))
		}
	}
	var errs []error
	for p, group := range groups {
		rootFile := filepath.Join(filepath.Dir(t.dir), "trusted-root.pem")
		if err := os.WriteFile(rootFile, testbed.EncodeChain(t.root(p.signer)), 0o600); err != nil {
			return err
		}
		errs = append(errs, verifyOpenSSL(t.dir, rootFile, p.usage, group))
	}
	return errors.Join(errs...)
}

// eachLeaf runs the check on every leaf of the table.
func (t *trial) eachLeaf(check func(leaf, *x509.Certificate, []*x509.Certificate) error) error {
	var errs []error
	for _, l := range leaves {
		l = l.of(t.distro)
		certificate, behind, err := l.read(t.dir)
		if err == nil {
			err = check(l, certificate, behind)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkToken compares three answers: k3s's, rootkiln's, and the digest of the
// root, which k3s takes only if it could verify the chain. Otherwise it takes
// the file's digest without a word.
func (t *trial) checkToken() error {
	want := "K10" + testbed.TokenHash(t.root(serverDomain)) + "::"
	if full := want + joinCredentials; t.token != full {
		return fmt.Errorf("k3s made token %s, want %s", t.token, full)
	}
	return compareToken(t.token, "root", t.dir)
}

// checkDomains shows every leaf to the components of the other domains. In the
// isolated topology none may be let in. In the shared one all are: that is what
// the finding shared-trust warns of, and the day it stops being true the
// warning is to go. There one leaf stands for all of its signer, since to verify
// is slow and only the last signature differs.
func (t *trial) checkDomains() error {
	shown := map[domain]bool{}
	return t.eachLeaf(func(l leaf, certificate *x509.Certificate, behind []*x509.Certificate) error {
		if t.topology == "shared" && shown[l.signer] {
			return nil
		}
		shown[l.signer] = true
		var errs []error
		for _, d := range domains {
			if d == l.signer {
				continue
			}
			err := l.acceptedBy(t.chains[d], certificate, behind)
			switch unknown := (x509.UnknownAuthorityError{}); {
			case t.topology == "shared" && err != nil:
				errs = append(errs, fmt.Errorf("%s is refused by %s: %w", l.file, d, err))
			case t.topology == "isolated" && err == nil:
				errs = append(errs, fmt.Errorf("%s is accepted by %s", l.file, d))
			case t.topology == "isolated" && !errors.As(err, &unknown):
				errs = append(errs, fmt.Errorf("%s is refused by %s for the wrong reason: %w", l.file, d, err))
			}
		}
		return errors.Join(errs...)
	})
}
