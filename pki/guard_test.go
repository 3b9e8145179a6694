package pki_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"rootkiln/pki"
)

// A run trusts no key source: a broken TPM, a faulty adapter or a bad plan file
// must not come out as a bundle.

// faulty replaces the key of one role.
func faulty(role pki.Role, change func(pki.Key) pki.Key) pki.KeySource {
	keys := newPool(kiln)
	return source{keys, func(ctx context.Context, r pki.Role, spec pki.KeySpec) (pki.Key, error) {
		k, err := keys.Key(ctx, r, spec)
		if err == nil && r == role {
			k = change(k)
		}
		return k, err
	}}
}

// garbage signs with noise.
type garbage struct{ pki.Key }

func (garbage) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return append([]byte("signature of "), digest...), nil
}

// otherSigner signs with a key that is not the public one.
type otherSigner struct {
	pki.Exportable
	other pki.Key
}

func (k otherSigner) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return k.other.Sign(r, digest, o)
}

// twoFaced shows another public key each time.
type twoFaced struct {
	pki.Exportable
	faces *[]crypto.PublicKey
}

func (k twoFaced) Public() crypto.PublicKey {
	f := *k.faces
	*k.faces = append(f[1:], f[0])
	return f[0]
}

// otherFile exports a key that is not the one that signs.
type otherFile struct{ pki.Key }

func (otherFile) PEM() ([]byte, error) {
	k, err := pki.Random{}.Key(context.Background(), pki.Lint, pki.P256)
	if err != nil {
		return nil, err
	}
	return pki.ExportPEM(k)
}

// captive never leaves its place.
type captive struct{ pki.Key }

func (captive) PEM() ([]byte, error) { return nil, pki.ErrNotExportable }

func TestUntrustedKeySources(t *testing.T) {
	constant := func(pki.Role, [32]byte) ([16]byte, error) { return [16]byte{1}, nil }
	broken := errors.New("the device is gone")
	for _, tt := range []struct {
		name string
		keys pki.KeySource
		want string // in the error
	}{
		{"signatures are garbage", faulty(pki.Root, func(k pki.Key) pki.Key { return garbage{k} }), "root"},
		{"an intermediate signs garbage", faulty(pki.Intermediate, func(k pki.Key) pki.Key { return garbage{k} }), "-ca certificate"},
		{"another key signs", faulty(pki.Root, func(k pki.Key) pki.Key {
			return otherSigner{k.(pki.Exportable), newKey(t, pki.P384)}
		}), "root"},
		{"a root shows two public keys", faulty(pki.Root, func(k pki.Key) pki.Key {
			return twoFaced{k.(pki.Exportable), &[]crypto.PublicKey{k.Public(), newKey(t, pki.P384).Public()}}
		}), "root"},
		{"a leaf CA shows two public keys", faulty(pki.ServerCA, func(k pki.Key) pki.Key {
			return twoFaced{k.(pki.Exportable), &[]crypto.PublicKey{newKey(t, pki.P256).Public(), k.Public()}}
		}), "server-ca"},
		{"the file holds another key", faulty(pki.ClientCA, func(k pki.Key) pki.Key { return otherFile{k} }), "client-ca"},
		{"another algorithm", faulty(pki.Root, func(pki.Key) pki.Key { return newKey(t, pki.P256) }), "p256 where p384"},
		{"a smaller key", faulty(pki.ClientCA, func(pki.Key) pki.Key { return newKey(t, pki.RSA2048) }), "rsa2048 where p256"},
		{"one key for two roles", source{pki.Random{}, sameAlways(t)}, "key-reused"},
		{"a leaf CA that cannot leave", faulty(pki.EtcdPeerCA, func(k pki.Key) pki.Key { return captive{k} }), "etcd-peer-ca"},
		{"a service key that cannot leave", faulty(pki.Service, func(k pki.Key) pki.Key { return captive{k} }), "service key"},
		{"no key", source{pki.Random{}, func(context.Context, pki.Role, pki.KeySpec) (pki.Key, error) { return nil, broken }}, broken.Error()},
		{"no serial", serials{newPool(kiln), func(pki.Role, [32]byte) ([16]byte, error) { return [16]byte{}, broken }}, broken.Error()},
		// NSS refuses two certificates of one issuer with one serial.
		{"one serial for all", serials{newPool(kiln), constant}, "serial-duplicate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := runOf(t, newPlan(func(p *pki.Plan) { p.Keys, p.Topology = ecKeys, pki.Shared }), pki.Given{})
			r.Keys = tt.keys
			out, err := r.Issue(t.Context())
			if err == nil || out != nil {
				t.Fatalf("issued: %v", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q in it", err, tt.want)
			}
		})
	}
}

func sameAlways(t *testing.T) func(context.Context, pki.Role, pki.KeySpec) (pki.Key, error) {
	keys := map[pki.KeySpec]pki.Key{pki.P256: newKey(t, pki.P256), pki.P384: newKey(t, pki.P384)}
	return func(_ context.Context, _ pki.Role, spec pki.KeySpec) (pki.Key, error) { return keys[spec], nil }
}

// serials replaces the serial numbers of a source.
type serials struct {
	pki.KeySource
	serial func(pki.Role, [32]byte) ([16]byte, error)
}

func (s serials) Serial(role pki.Role, binding [32]byte) ([16]byte, error) {
	return s.serial(role, binding)
}

// Whatever a source returns, the serial has 16 octets and is positive, and the
// binding differs with all that varies in the certificate.
func TestSerialForm(t *testing.T) {
	for _, fill := range []byte{0x00, 0xff} {
		bindings := map[[32]byte]bool{}
		r := runOf(t, newPlan(func(p *pki.Plan) { p.Keys = ecKeys }), pki.Given{})
		n := byte(0)
		var mu sync.Mutex
		r.Keys = serials{newPool(kiln), func(_ pki.Role, binding [32]byte) (s [16]byte, _ error) {
			mu.Lock()
			defer mu.Unlock()
			for i := range s {
				s[i] = fill
			}
			n++
			s[15] = n // never twice
			bindings[binding] = true
			return s, nil
		}}
		issued, err := r.Issue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for role, a := range issued.Authorities {
			if s := a.Certificate.SerialNumber.Bytes(); len(s) != 16 || s[0]>>6 != 1 {
				t.Errorf("%s from %02x: serial %x", role, fill, s)
			}
		}
		if len(bindings) != len(issued.Authorities) {
			t.Errorf("%d bindings for %d certificates", len(bindings), len(issued.Authorities))
		}
	}
}

// A resolved plan from a file can say anything: nothing is signed that does not
// hang together.
func TestUntrustedPlans(t *testing.T) {
	root := authority(t, "corporate", pki.P384, nil)
	given := at(pki.Root, root)
	plan := newPlan(func(p *pki.Plan) { p.Keys = ecKeys })
	for name, edit := range map[string]func(*pki.Run){
		"an issuer is missing":              func(r *pki.Run) { r.Plan.Authorities = r.Plan.Authorities[1:] },
		"a child stands before its issuer":  func(r *pki.Run) { slices.Reverse(r.Plan.Authorities) },
		"the given root is not there":       func(r *pki.Run) { r.Given = pki.Given{} },
		"the given root is another":         func(r *pki.Run) { r.Given = at(pki.Root, authority(t, "corporate", pki.P384, nil)) },
		"the kept service key is not there": func(r *pki.Run) { r.Plan.Service.Keep = []string{strings.Repeat("0", 64)} },
		"a service key that is not in it":   func(r *pki.Run) { r.Given.ServiceKeys = []pki.Key{newKey(t, pki.P256)} },
		"no key usage":                      func(r *pki.Run) { r.Plan.Authorities[1].KeyUsage = nil },
		"a usage that does not exist":       func(r *pki.Run) { r.Plan.Authorities[1].KeyUsage = []string{"keyCertSign", "signEverything"} },
		"dates reversed":                    func(r *pki.Run) { r.Plan.Authorities[1].NotAfter = pki.Time{} },
		"an unknown key identifier":         func(r *pki.Run) { r.Plan.Authorities[1].KeyID = "md5" },
		"no subject":                        func(r *pki.Run) { r.Plan.Authorities[1].Subject.CommonName = "" },
		"one role twice":                    func(r *pki.Run) { r.Plan.Authorities = append(r.Plan.Authorities, r.Plan.Authorities[2]) },
		"no service key":                    func(r *pki.Run) { r.Plan.Service.Key = "" },
	} {
		t.Run(name, func(t *testing.T) {
			r := runOf(t, plan, given)
			r.Plan.Authorities = slices.Clone(r.Plan.Authorities)
			edit(&r)
			if out, err := r.Issue(t.Context()); err == nil || out != nil {
				t.Errorf("issued: %v", err)
			}
		})
	}
	if _, err := runOf(t, plan, given).Issue(t.Context()); err != nil {
		t.Errorf("the plan as it was: %v", err)
	}
}
