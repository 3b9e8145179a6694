package k3s_test

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// live is a cluster that is rotated again and again: its files and the keys in
// the safe.
type live struct {
	t     *testing.T
	files pki.Bundle
	held  k3s.Held
	now   time.Time
}

func newLive(t *testing.T, topology pki.Topology) *live {
	issued := cluster(t, func(p *pki.Plan) { p.Topology = topology }, pki.Given{})
	l := &live{t: t, files: issued.Server, now: issued.Plan.Time.Time}
	l.store(issued.Offline)
	return l
}

// newDefault is a cluster with CAs as k3s makes them by itself.
func newDefault(t *testing.T) *live {
	l := &live{t: t, now: time.Now().Truncate(time.Second)}
	for _, row := range k3s.AuthorityPaths() {
		a := newCA(t, "k3s-"+row.Name+"@1700000000", nil)
		l.files.Add(row.Path+".crt", pki.KindChain, file(a))
		l.files.Add(row.Path+".key", pki.KindKey, keyText(t, a.key))
	}
	l.files.Add(k3s.ServiceKeyPath, pki.KindKey, keyText(t, rsa2048(t)))
	return l
}

func (l *live) store(offline pki.Bundle) {
	l.t.Helper()
	for _, f := range offline.Files {
		switch f.Kind {
		case pki.KindKey:
			keys, _, err := pki.ParseKeys(f.Path, f.Data)
			if err != nil {
				l.t.Fatal(err)
			}
			for _, k := range keys {
				l.held.Keys = append(l.held.Keys, k.Key)
			}
		case pki.KindChain:
			certs, _, err := pki.ParseCertificates(f.Path, f.Data)
			if err != nil {
				l.t.Fatal(err)
			}
			l.held.Certificates = append(l.held.Certificates, certs...)
		}
	}
}

// try asks for the next bundle.
func (l *live) try(want k3s.RotationRequest) (*k3s.Rotated, error) {
	c, _, err := k3s.ReadCluster(l.files, l.held)
	if err != nil {
		return nil, err
	}
	l.now = l.now.Add(time.Minute)
	want.Plan.Time = pki.At(l.now)
	return c.Rotate(l.t.Context(), want, pki.Random{}, nil)
}

// rotate takes the next bundle into use, as far as rotate-ca would.
func (l *live) rotate(want k3s.RotationRequest) *k3s.Rotated {
	l.t.Helper()
	next, err := l.try(want)
	if err != nil {
		l.t.Fatal(err)
	}
	if ruling := k3s.RotateCA(l.files, next.Server, l.now); !ruling.Saved {
		l.t.Fatalf("rotate-ca refuses: %s", ruling.Log)
	}
	l.files = next.Server
	if next.Issued != nil {
		l.store(next.Issued.Offline)
	}
	return next
}

func (l *live) certs(path string) []*x509.Certificate {
	l.t.Helper()
	certs, _, err := pki.ParseCertificates(path, l.files.File(path+".crt").Data)
	if err != nil {
		l.t.Fatal(err)
	}
	return certs
}

// shape draws a CA file: "ca int x(R2<R1) R2 R1 was".
func (l *live) shape(path string) string {
	l.t.Helper()
	certs := l.certs(path)
	var out []string
	for i, c := range certs {
		twin := slices.ContainsFunc(l.held.Certificates, func(o *x509.Certificate) bool {
			return pki.SelfSigned(o) && bytes.Equal(o.RawSubject, c.RawSubject)
		})
		switch {
		case i == 0:
			out = append(out, "ca")
		case pki.SelfSigned(c):
			out = append(out, "root")
		case twin:
			out = append(out, "cross")
		case strings.Contains(c.Subject.CommonName, "intermediate"):
			out = append(out, "int")
		default:
			out = append(out, "was")
		}
	}
	return strings.Join(out, " ")
}

func (l *live) token() string {
	l.t.Helper()
	token, err := k3s.ComputeToken(l.files.File(k3s.ServerCAPath+".crt").Data, l.now)
	if err != nil {
		l.t.Fatal(err)
	}
	return token.String()
}

// TestRotations runs every kind of rotation, one after the other, and looks at the
// order of the blocks, the token and the verdict of rotate-ca (profile: order of a
// bundle; measured on a real k3s).
func TestRotations(t *testing.T) {
	type turn struct {
		want           k3s.RotationRequest
		server, client string
		token          string // stays, changes
	}
	for name, row := range map[string]struct {
		start func(*testing.T) *live
		turns []turn
	}{
		"isolated: new CAs twice, the CA before last goes": {isolated, []turn{
			{k3s.RotationRequest{}, "ca int root was", "ca root was", "stays"},
			{k3s.RotationRequest{}, "ca int root was", "ca root was", "stays"},
		}},
		"shared: new CAs, then a new intermediate": {shared, []turn{
			{k3s.RotationRequest{}, "ca int root was", "ca int root was", "stays"},
			{k3s.RotationRequest{NewIntermediate: true, Only: []pki.Role{pki.ServerCA, pki.ClientCA}}, "ca int root was int", "ca int root was int", "stays"},
		}},
		"one CA": {isolated, []turn{
			{k3s.RotationRequest{Only: []pki.Role{pki.ClientCA}}, "ca int root", "ca root was", "stays"},
		}},
		"same key": {isolated, []turn{
			{k3s.RotationRequest{SameKey: true}, "ca int root", "ca root", "stays"},
		}},
		"isolated: new roots at once, then the old ones go": {isolated, []turn{
			{k3s.RotationRequest{NewRoot: true}, "ca int cross root root was int", "ca cross root root was", "changes"},
			{k3s.RotationRequest{}, "ca int cross root root was", "ca cross root root was", "stays"},
			{k3s.RotationRequest{Step: "c"}, "ca int root was", "ca root was", "stays"},
		}},
		"shared: a new root in three steps": {shared, []turn{
			{k3s.RotationRequest{Step: "a"}, "ca int cross root was int", "ca int cross root was int", "stays"},
			{k3s.RotationRequest{Step: "b"}, "ca int cross root root was int", "ca int cross root root was int", "changes"},
			{k3s.RotationRequest{Step: "c"}, "ca int root", "ca int root", "stays"},
		}},
		"isolated: a new root in three steps": {isolated, []turn{
			{k3s.RotationRequest{Step: "a"}, "ca int cross root was int", "ca cross root was", "stays"},
			{k3s.RotationRequest{Step: "b"}, "ca int cross root root was int", "ca cross root root was", "changes"},
			{k3s.RotationRequest{Step: "c"}, "ca int root", "ca root", "stays"},
		}},
		"k3s's own CAs, and again": {newDefault, []turn{
			{k3s.RotationRequest{}, "ca int cross root root", "ca cross root root", "changes"},
			{k3s.RotationRequest{NewRoot: true}, "ca int cross root root was int", "ca cross root root was", "changes"},
			{k3s.RotationRequest{Step: "c"}, "ca int root", "ca root", "stays"},
		}},
		"k3s's own CAs under one root": {newDefault, []turn{
			{k3s.RotationRequest{Plan: pki.Plan{Topology: pki.Shared}}, "ca int cross root root", "ca int cross root root", "changes"},
		}},
		"from shared to isolated": {shared, []turn{
			{k3s.RotationRequest{Plan: pki.Plan{Topology: pki.Isolated}}, "ca int root", "ca cross root root was int", "stays"},
			{k3s.RotationRequest{Step: "c"}, "ca int root", "ca root", "stays"},
			{k3s.RotationRequest{}, "ca int root was", "ca root was", "stays"},
		}},
		"service key alone": {isolated, []turn{
			{k3s.RotationRequest{ServiceKeyOnly: true}, "ca int root", "ca root", "stays"},
			{k3s.RotationRequest{ServiceKeyOnly: true, Prune: true}, "ca int root", "ca root", "stays"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := row.start(t)
			for i, turn := range row.turns {
				before, files := l.token(), l.files
				next := l.rotate(turn.want)
				if len(next.Server.Files) != len(k3s.ServerPaths()) {
					t.Errorf("turn %d: %d files", i, len(next.Server.Files))
				}
				if got := l.shape(k3s.ServerCAPath); got != turn.server {
					t.Errorf("turn %d: server-ca.crt: %s, want %s", i, got, turn.server)
				}
				if got := l.shape(k3s.ClientCAPath); got != turn.client {
					t.Errorf("turn %d: client-ca.crt: %s, want %s", i, got, turn.client)
				}
				if stays := l.token() == before; stays != (turn.token == "stays") {
					t.Errorf("turn %d: token %s, was %s: want that it %s", i, l.token(), before, turn.token)
				}
				l.judge(files)
			}
		})
	}
}

func isolated(t *testing.T) *live { return newLive(t, pki.Isolated) }
func shared(t *testing.T) *live   { return newLive(t, pki.Shared) }

// judge has OpenSSL verify the new CAs with the roots of before alone, in the order
// in which a server sends its file.
func (l *live) judge(before pki.Bundle) {
	l.t.Helper()
	dir := l.t.TempDir()
	for _, row := range k3s.AuthorityPaths() {
		old, _, err := pki.ParseCertificates(row.Path, before.File(row.Path+".crt").Data)
		if err != nil {
			l.t.Fatal(err)
		}
		roots := slices.DeleteFunc(old, func(c *x509.Certificate) bool { return !pki.SelfSigned(c) })
		exportWrite(l.t, dir+"/roots.pem", string(pki.EncodeCertificates(roots...)))
		exportWrite(l.t, dir+"/sent.pem", string(l.files.File(row.Path+".crt").Data))
		told(l.t, nil, "openssl", "verify", "-x509_strict", "-CAfile", dir+"/roots.pem", "-untrusted", dir+"/sent.pem", dir+"/sent.pem")
	}
}

// TestRotationRefusals: what cannot be done is told by its code, and nothing is made.
func TestRotationRefusals(t *testing.T) {
	own, one := newDefault(t), isolated(t)
	keyless := *one
	keyless.held = k3s.Held{}
	short := *one
	short.files.Files = slices.DeleteFunc(slices.Clone(one.files.Files), func(f pki.File) bool { return f.Path == "tls/client-ca.crt" })
	half := *one
	half.files.Files = slices.Clone(one.files.Files)
	chain := half.certs(k3s.ServerCAPath)
	half.files.File(k3s.ServerCAPath + ".crt").Data = pki.EncodeCertificates(chain[0])
	half.held = k3s.Held{}
	for name, row := range map[string]struct {
		live *live
		want k3s.RotationRequest
		code pki.Code
	}{
		"no key":                    {&keyless, k3s.RotationRequest{}, "rotation-key-missing"},
		"no key of the old roots":   {&keyless, k3s.RotationRequest{NewRoot: true}, "rotation-key-missing"},
		"a file is missing":         {&short, k3s.RotationRequest{}, "file-missing"},
		"the chain does not end":    {&half, k3s.RotationRequest{}, "chain-incomplete"},
		"its own root, same key":    {own, k3s.RotationRequest{SameKey: true}, "rotation-self-signed"},
		"no intermediate":           {one, k3s.RotationRequest{NewIntermediate: true, Only: []pki.Role{pki.ClientCA}}, "rotation-no-intermediate"},
		"nothing waits":             {one, k3s.RotationRequest{Step: "b"}, "rotation-no-root"},
		"nothing to drop":           {one, k3s.RotationRequest{Step: "c"}, "rotation-no-change"},
		"one CA in one root's file": {one, k3s.RotationRequest{NewRoot: true, Only: []pki.Role{pki.ClientCA}, Plan: pki.Plan{Topology: pki.Shared}}, "rotation-shared-only"},
		"an algorithm that is none": {one, k3s.RotationRequest{Plan: pki.Plan{Keys: pki.Keys{CA: "ed25519"}}}, "plan-ed25519"},
	} {
		next, err := row.live.try(row.want)
		if code(err) != row.code || next != nil {
			t.Errorf("%s: %v, want %s", name, err, row.code)
		}
	}
}

// TestRotationOfForeignShapes: CAs below an intermediate of their own, directly
// below a root that others hang from, and in a file of another order.
func TestRotationOfForeignShapes(t *testing.T) {
	l := newDefault(t)
	l.now = now
	long := ends(9000 * time.Hour)
	root := newCA(t, "corp root", nil, long)
	middle := newCA(t, "corp clients", root, long)
	for path, chain := range map[string][]*ca{
		"tls/server-ca":         {newCA(t, "servers", root, long), root},
		"tls/client-ca":         {newCA(t, "clients", middle, long), root, middle},
		"tls/request-header-ca": {newCA(t, "header", middle, long), middle, root},
	} {
		l.files.File(path + ".crt").Data = file(chain...)
		l.files.File(path + ".key").Data = keyText(t, chain[0].key)
	}
	l.held.Keys = []pki.Key{usable(t, root), usable(t, middle)}
	next := l.rotate(k3s.RotationRequest{Plan: pki.Plan{Validity: pki.Lifetimes{CA: "150d"}}})
	if want := []pki.Role{pki.ServerCA, pki.ClientCA, pki.RequestHeaderCA}; !slices.Equal(next.Changed, want) {
		t.Errorf("changed %v, want %v", next.Changed, want)
	}
	if len(next.Server.Files) != 3*2+1 {
		t.Errorf("%d files: the two that are their own roots must be left out", len(next.Server.Files))
	}
	if got := l.certs("tls/client-ca"); len(got) != 4 || !got[1].Equal(middle.Certificate) || !got[2].Equal(root.Certificate) {
		t.Errorf("the chain is not in order: %v", got)
	}
}

func usable(t *testing.T, c *ca) pki.Key {
	key, err := pki.UsableKey("", c.key)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// FuzzReadCluster: a CA file of any content gives a refusal or a cluster that can be
// taken a step further without a panic.
func FuzzReadCluster(f *testing.F) {
	issued := cluster(f, func(*pki.Plan) {}, pki.Given{})
	server := issued.Server.File(k3s.ServerCAPath + ".crt").Data
	f.Add(server)
	f.Add(bytes.Repeat(server, 3))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		files := pki.Bundle{Files: slices.Clone(issued.Server.Files)}
		files.File(k3s.ServerCAPath + ".crt").Data = text
		c, _, err := k3s.ReadCluster(files, k3s.Held{})
		if err != nil {
			return
		}
		for _, want := range []k3s.RotationRequest{{}, {Step: "c"}, {Step: "b"}, {ServiceKeyOnly: true}} {
			want.Plan = pki.Plan{Time: pki.At(now.Add(time.Hour)), Keys: pki.Keys{Service: pki.P256}}
			_, _ = c.Rotate(t.Context(), want, pki.Random{}, nil)
		}
	})
}
