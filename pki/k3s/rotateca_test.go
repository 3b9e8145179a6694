package k3s_test

import (
	"crypto/x509"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// What a server says (pkg/server/cert.go and the packages that it asks).
const (
	oneCertificate = "new CA bundle contains only a single certificate but should include root or intermediate CA certificates"
	unverifiable   = "new CA cert cannot be verified using old CA chain: x509: "
	unknown        = unverifiable + "certificate signed by unknown authority"
	unpaired       = "new CA cert and key cannot be loaded as X590KeyPair: tls: "
	wrongPair      = unpaired + "private key does not match public key"
)

// all are the five CAs with one check, in the order in which they are judged.
func all(check string) []string {
	return []string{"ETCDServerCA " + check, "ETCDPeerCA " + check, "ServerCA " + check, "ClientCA " + check, "RequestHeaderCA " + check}
}

// offers and what a real server said to the same ones (the acceptance suite in
// e2e/middle makes them anew and compares).
var offers = []struct {
	name    string
	only    pki.Topology // where the row makes sense; empty: in both
	make    build
	refused []string // FIELD check; nil: accepted
	log     []string // the lines of the server's log
}{
	{name: "nothing", make: none},
	{name: "the same bundle", make: same},
	{name: "new leaf CAs", make: renewed},
	{name: "new leaf CAs, service.key new and old", make: service(renewed, newKey, oldKey)},
	{name: "new leaf CAs, the old ones last", make: each(chained(oldLeafCALast))},
	{name: "new intermediate below the root", make: each(below(ofIntermediate), "server-ca")},
	{name: "client-ca with RSA-2048 in PKCS#8", make: each(leafCAWith(rsa2048), "client-ca")},
	{name: "server-ca with P-384", make: each(leafCAWith(p384), "server-ca")},
	{name: "client-ca with Ed25519", make: each(leafCAWith(edwards), "client-ca")},
	{name: "server-ca alone", make: only(renewed, "server-ca")},
	{name: "etcd/peer-ca alone", make: only(renewed, "etcd/peer-ca")},
	{name: "service.key alone, new and old", make: only(service(same, newKey, oldKey), "service.key")},
	{name: "service.key old and new", make: service(same, oldKey, newKey)},
	{name: "service.key RSA and old", make: service(same, rsaKey, oldKey)},
	{name: "service.key new and the old public one", make: service(same, newKey, publicOf)},
	{name: "service.key EC in PKCS#8 and old", make: service(same, wrapped, oldKey)},
	{name: "service.key Ed25519 and old", make: service(same, edKey, oldKey)},
	{name: "empty client-ca.crt and .key", make: replace(fallback, "client-ca.key", empty)},
	{name: "empty client-ca.crt before the same key", make: fallback},
	{name: "CRLF", make: replace(replace(same, "client-ca.crt", crlf), "client-ca.key", crlf)},
	{name: "text before the blocks", make: replace(same, "client-ca.crt", commented)},

	{name: "roots: cross, new, old", make: each(crossed("cross", "new", "old"))},
	{name: "roots: cross, old, new", make: each(crossed("cross", "old", "new"))},
	{name: "roots: cross, old", make: each(crossed("cross", "old"))},
	{name: "roots: new, cross, old", make: each(crossed("new", "cross", "old"))},
	{name: "roots: new, cross", make: each(crossed("new", "cross"))},
	{name: "roots: cross", make: each(crossed("cross"))},
	{name: "client root alone: cross, new, old", make: only(each(crossed("cross", "new", "old")), "client-ca")},
	{name: "a root of the same name, AKI set in the cross", make: each(crossing{order: []string{"cross", "new", "old"}, name: "same"}.of, "client-ca")},
	{name: "roots: new", make: each(crossed("new")), refused: all("chain"), log: []string{"ServerCA: " + unknown, "RequestHeaderCA: " + unknown}},
	{name: "roots: new, old", make: each(crossed("new", "old")), refused: all("chain")},
	{name: "a root of the same name, cross without AKI", refused: []string{"ClientCA chain"},
		make: each(crossing{order: []string{"cross", "new", "old"}, name: "same", cross: []edit{func(c *x509.Certificate) { c.AuthorityKeyId = nil }}}.of, "client-ca")},
	{name: "cross expired", refused: []string{"ClientCA chain"}, log: []string{"ClientCA: " + unverifiable},
		make: each(crossing{order: []string{"cross", "new", "old"}, cross: []edit{ends(-time.Minute)}}.of, "client-ca")},
	{name: "from shared to isolated, without the old root", only: pki.Shared,
		make: each(crossed("new", "cross"), "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca")},
	{name: "crossed by another domain's root", only: pki.Isolated, refused: []string{"ClientCA chain"},
		make: each(crossing{order: []string{"cross", "new", "old"}, second: "request-header-ca"}.of, "client-ca")},

	{name: "leaf CAs of another root", make: each(below(ofStranger)), refused: all("chain"), log: []string{"ETCDPeerCA: " + unknown}},
	{name: "client-ca as etcd/server-ca", only: pki.Isolated, make: swapped, refused: []string{"ETCDServerCA chain"}},
	{name: "client-ca as etcd/server-ca, one root", only: pki.Shared, make: swapped},
	{name: "service.key without the old key", make: service(same, newKey), refused: []string{"ServiceKey service-key"},
		log: []string{"ServiceKey: old ServiceAccount signing key not in new ServiceAccount key list"}},

	{name: "files with one certificate", make: each(chained(alone)), refused: all("single-certificate"), log: []string{"ClientCA: " + oneCertificate}},
	{name: "another key in server-ca.key", make: withKey(renewed, "server-ca.key", fresh),
		refused: []string{"ServerCAKey pair"}, log: []string{"ServerCAKey: " + wrongPair}},
	{name: "an RSA key for an EC certificate", make: withKey(renewed, "client-ca.key", rsa2048),
		refused: []string{"ClientCAKey pair"}, log: []string{"ClientCAKey: " + unpaired + "private key type does not match public key type"}},
	{name: "client-ca.crt without its key", make: only(renewed, "client-ca.crt"), refused: []string{"ClientCAKey pair"}, log: []string{"ClientCAKey: " + wrongPair}},
	{name: "client-ca.key without its certificate", make: only(renewed, "client-ca.key"), refused: []string{"ClientCAKey pair"}},
	{name: "empty client-ca.crt", make: replace(renewed, "client-ca.crt", empty), refused: []string{"ClientCAKey pair"}},
	{name: "root before the leaf CA", make: each(chained(rootFirst), "etcd/peer-ca"), refused: []string{"ETCDPeerCAKey pair"}},
	{name: "expired CA", make: each(leafCA(ends(-time.Minute)), "client-ca"), refused: []string{"ClientCA chain"},
		log: []string{"ClientCA: " + unverifiable + "certificate has expired or is not yet valid"}},
	{name: "CA of tomorrow", make: each(leafCA(starts(time.Hour)), "request-header-ca"), refused: []string{"RequestHeaderCA chain"}},
	{name: "client-ca with EKU clientAuth alone", make: each(leafCA(usage(x509.ExtKeyUsageClientAuth)), "client-ca"), refused: []string{"ClientCA chain"},
		log: []string{"ClientCA: " + unverifiable + "certificate specifies an incompatible key usage"}},
	{name: "garbage in server-ca.crt", make: replace(same, "server-ca.crt", garbage), refused: []string{"ServerCA unreadable", "ServerCAKey pair"},
		log: []string{"ServerCA: error reading tls/server-ca.crt: data does not contain any valid RSA or ECDSA certificates",
			"ServerCAKey: " + unpaired + "failed to find any PEM data in certificate input"}},
	{name: "garbage in server-ca.key", make: replace(same, "server-ca.key", garbage), refused: []string{"ServerCAKey pair"},
		log: []string{"ServerCAKey: " + unpaired + "failed to find any PEM data in key input"}},
	{name: "garbage in service.key", make: replace(same, "service.key", garbage), refused: []string{"ServiceKey unreadable"},
		log: []string{"ServiceKey: error reading public key file tls/service.key: data does not contain any valid RSA or ECDSA public keys"}},
	{name: "a key called encrypted", make: replace(same, "client-ca.key", relabelled("ENCRYPTED PRIVATE KEY", nil)), only: pki.Isolated}, // crypto/tls goes by the bytes
	{name: "glued PEM", make: replace(same, "client-ca.crt", glued), refused: []string{"ClientCA unreadable", "ClientCAKey pair"}},
	{name: "headers in the first block", make: replace(same, "client-ca.crt", relabelled("CERTIFICATE", map[string]string{"Note": "x"})),
		only: pki.Isolated, refused: []string{"ClientCA single-certificate"}},

	// What is wrong and passes: the other half of the report.
	{name: "leaf CA that is no CA", make: each(leafCA(func(c *x509.Certificate) { c.IsCA, c.MaxPathLen = false, 0 }), "client-ca")},
	{name: "new leaf CA below the old one", make: each(below(ofOldLeafCA), "client-ca")},
	{name: "server-ca with EKU serverAuth alone", make: each(leafCA(usage(x509.ExtKeyUsageServerAuth)), "server-ca")},
	{name: "client-ca without AKI", make: each(misidentified(nil), "client-ca")},
	{name: "client-ca with another AKI", make: each(misidentified([]byte{1, 2, 3}), "client-ca")},
	{name: "server-ca without the root", only: pki.Isolated, make: each(chained(withoutRoot), "server-ca")},
	{name: "a stranger's root behind the own", make: each(chained(strangerLast), "client-ca")},
	{name: "a stranger's root for the own", make: each(chained(strangerForRoot), "client-ca")},
	{name: "every certificate twice", make: each(chained(twice), "client-ca")},
	{name: "another key behind the CA's", make: withKeyBehind(same, "client-ca.key", fresh)},
}

func oldLeafCALast(r *running, stem string, chain []*x509.Certificate) []*x509.Certificate {
	return append(chain, r.leaf(stem).chain[0])
}
func alone(_ *running, _ string, chain []*x509.Certificate) []*x509.Certificate { return chain[:1] }
func twice(_ *running, _ string, chain []*x509.Certificate) []*x509.Certificate {
	return append(chain, chain...)
}
func withoutRoot(_ *running, _ string, chain []*x509.Certificate) []*x509.Certificate {
	return chain[:len(chain)-1]
}
func rootFirst(_ *running, _ string, chain []*x509.Certificate) []*x509.Certificate {
	slices.Reverse(chain)
	return chain
}
func strangerLast(r *running, _ string, chain []*x509.Certificate) []*x509.Certificate {
	return append(chain, r.stranger.chain...)
}
func strangerForRoot(r *running, _ string, chain []*x509.Certificate) []*x509.Certificate {
	return append(chain[:len(chain)-1], r.stranger.chain...)
}

// misidentified is a new leaf CA that names another issuer's key, or none.
func misidentified(keyID []byte) minter {
	return func(t testing.TB, r *running, stem string) *authority {
		signer := *r.upper(stem).chain[0]
		signer.SubjectKeyId = keyID
		a := mint(t, "next "+stem, fresh(t), &authority{[]*x509.Certificate{&signer}, r.upper(stem).key})
		a.chain = append(a.chain[:1:1], r.upper(stem).chain...)
		return a
	}
}

func newRunning(t testing.TB, topology pki.Topology) *running {
	return &running{topology, cluster(t, func(p *pki.Plan) { p.Topology, p.Keys.Service = topology, pki.P256 }, pki.Given{}),
		mint(t, "stranger", fresh(t), nil)}
}

func TestRotateCA(t *testing.T) {
	if len(offers) < 30 {
		t.Fatalf("%d offers", len(offers))
	}
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		r := newRunning(t, topology)
		old := r.issued.Server
		for _, o := range offers {
			if o.only != "" && o.only != topology {
				continue
			}
			t.Run(string(topology)+"/"+o.name, func(t *testing.T) {
				offered := o.make(t, r)
				ruling := k3s.RotateCA(old, offered.bundle(), now)
				if got := refusals(ruling); !slices.Equal(got, append([]string{}, o.refused...)) {
					t.Fatalf("refused %q, want %q\n%s", got, o.refused, ruling.Log)
				}
				wantWhole(t, ruling, offered)
				for _, line := range o.log {
					if !strings.Contains(ruling.Log, line) {
						t.Errorf("the log lacks %q: %s", line, ruling.Log)
					}
				}
			})
		}
	}
}

// wantWhole: the ruling covers the eleven files in k3s's order, says which were
// offered, and its log is made of theirs.
func wantWhole(t *testing.T, ruling k3s.Ruling, offered files) {
	t.Helper()
	var fields, log []string
	for _, f := range ruling.Files {
		fields = append(fields, f.Field)
		if want := len(offered[strings.TrimPrefix(f.Path, "tls/")]) > 0; f.Offered != want {
			t.Errorf("%s: offered %t", f.Field, f.Offered)
		}
		if (f.Refused == "") != (f.Log == "") || f.Refused != "" && !strings.HasPrefix(f.Log, f.Field+": ") {
			t.Errorf("%s: %s, %q", f.Field, f.Refused, f.Log)
		}
		if f.Log != "" {
			log = append(log, f.Log)
		}
	}
	if got, want := strings.Join(fields, " "), "ETCDServerCA ETCDServerCAKey ETCDPeerCA ETCDPeerCAKey ServerCA ServerCAKey "+
		"ClientCA ClientCAKey ServiceKey RequestHeaderCA RequestHeaderCAKey"; got != want {
		t.Errorf("judged %s, want %s", got, want)
	}
	if ruling.Saved != (len(log) == 0) {
		t.Errorf("saved %t with %q", ruling.Saved, log)
	}
	if ruling.Saved {
		if ruling.Log != "" || ruling.Forced() != "" {
			t.Errorf("saved, and yet %q, %q", ruling.Log, ruling.Forced())
		}
		return
	}
	if got, want := ruling.Log, "failed to validate new CA certificates and keys: "+strings.Join(log, ", "); got != want {
		t.Errorf("log %q, want %q", got, want)
	}
	if got, want := ruling.Forced(), "Save of CA certificates and keys forced, ignoring validation errors: "+strings.Join(log, ", "); got != want {
		t.Errorf("with force %q, want %q", got, want)
	}
}

// k3s #10689: the self-signed CAs that a server makes itself are refused when
// they are offered again, and only left out can they stay.
func TestRotateDefaultCluster(t *testing.T) {
	f := files{"service.key": keyText(t, fresh(t))}
	cas := map[string]*authority{}
	for _, stem := range stems {
		cas[stem] = mint(t, "k3s-"+stem, fresh(t), nil)
		f[stem+".crt"], f[stem+".key"] = pki.EncodeCertificates(cas[stem].chain...), keyText(t, cas[stem].key)
	}
	if got := refusals(k3s.RotateCA(f.bundle(), f.bundle(), now)); !slices.Equal(got, all("single-certificate")) {
		t.Errorf("the same files: %q", got)
	}
	next := files{}
	for stem, old := range cas { // as k3s's script rotate-default-ca-certs.sh orders them
		key := fresh(t)
		root, cross := mint(t, "root "+stem, key, nil), mint(t, "root "+stem, key, old)
		leaf := mint(t, "next "+stem, fresh(t), root)
		next[stem+".crt"] = pki.EncodeCertificates(append(leaf.chain, cross.chain...)...)
		next[stem+".key"] = append(keyText(t, leaf.key), keyText(t, key)...)
	}
	if ruling := k3s.RotateCA(f.bundle(), next.bundle(), now); !ruling.Saved || ruling.Files[8].Offered {
		t.Errorf("cross-signed: %+v", ruling)
	}
}

// What is missing or broken on the server's side is said as such.
func TestRotateAgainstABrokenServer(t *testing.T) {
	r := newRunning(t, pki.Isolated)
	for _, tt := range []struct {
		name, file string
		content    []byte
		make       build
		want       []string
		log        string
	}{
		{"no client-ca.crt", "client-ca.crt", nil, renewed, []string{"ClientCA current-unreadable"}, "ClientCA: open tls/client-ca.crt: no such file or directory"},
		{"no client-ca.crt, nothing offered", "client-ca.crt", nil, none, []string{}, ""},
		{"no client-ca.key, only the certificate offered", "client-ca.key", nil, only(renewed, "client-ca.crt"), []string{"ClientCAKey pair"},
			"cannot be loaded as X590KeyPair: open tls/client-ca.key: no such file or directory"},
		{"no service.key", "service.key", nil, same, []string{"ServiceKey current-unreadable"}, "ServiceKey: open tls/service.key: no such file or directory"},
		{"service.key of Ed25519, none offered", "service.key", keyText(t, edwards(t)), none, []string{"ServiceKey current-unreadable"}, "any valid RSA or ECDSA public keys"},
		{"server-ca.crt without its root", "server-ca.crt", pki.EncodeCertificates(r.leaf("server-ca").chain[:2]...), renewed, []string{"ServerCA chain"}, "ServerCA: " + unknown},
		{"garbage for client-ca.crt", "client-ca.crt", []byte("x"), renewed, []string{"ClientCA current-unreadable"}, "ClientCA: error reading tls/client-ca.crt: "},
	} {
		old := r.files()
		if old[tt.file] = tt.content; tt.content == nil {
			delete(old, tt.file)
		}
		ruling := k3s.RotateCA(old.bundle(), tt.make(t, r).bundle(), now)
		if got := refusals(ruling); !slices.Equal(got, tt.want) || !strings.Contains(ruling.Log, tt.log) {
			t.Errorf("%s: %q, want %q\n%s", tt.name, got, tt.want, ruling.Log)
		}
	}
}

// What verifies ServiceAccount tokens, by the forms of client-go.
func TestServiceKeys(t *testing.T) {
	ec, pkcs1 := keyText(t, fresh(t)), rsaKey(t, nil)
	ca := mint(t, "x", fresh(t), nil)
	for _, tt := range []struct {
		name string
		data []byte
		want int
	}{
		{"nothing", nil, 0},
		{"EC", ec, 1},
		{"RSA in PKCS#1 and EC", append(slices.Clone(pkcs1), ec...), 2},
		{"RSA in PKCS#8", keyText(t, rsa2048(t)), 1},
		{"a public key", publicOf(t, ec), 1},
		{"a certificate", pki.EncodeCertificates(ca.chain...), 1},
		{"another label", relabelled("SOMETHING", nil)(ec), 1},
		{"EC in PKCS#8", wrapped(t, nil), 0},
		{"Ed25519", edKey(t, nil), 0},
		{"a certificate of Ed25519", pki.EncodeCertificates(mint(t, "x", edwards(t), nil).chain...), 0},
	} {
		if got := k3s.ServiceKeys(tt.data); len(got) != tt.want {
			t.Errorf("%s: %d keys, want %d", tt.name, len(got), tt.want)
		}
	}
}

// The clock decides: the same offer a day before its CAs begin, and after the
// old root has ended.
func TestRotateCAInTime(t *testing.T) {
	r := newRunning(t, pki.Isolated)
	f := renewed(t, r).bundle()
	for at, saved := range map[time.Time]bool{
		now.Add(-2 * time.Hour): false, now: true, now.AddDate(5, 0, 0): true, now.AddDate(5, 0, 1): false,
	} {
		if ruling := k3s.RotateCA(r.issued.Server, f, at); ruling.Saved != saved {
			t.Errorf("%s: saved %t: %s", at, ruling.Saved, ruling.Log)
		}
	}
}

// rotate-ca keeps the times of the files that are offered, and a server whose own
// are three seconds newer does not start (k3s #11014 tells how that looks).
func TestNewerOnDisk(t *testing.T) {
	r := newRunning(t, pki.Isolated)
	old, offered := r.files().bundle(), renewed(t, r).bundle()
	set := func(b pki.Bundle, at time.Time) {
		for i := range b.Files {
			b.Files[i].Time = at
		}
	}
	base := now.Add(900 * time.Millisecond)
	for _, tt := range []struct {
		newer time.Duration
		want  int
	}{
		{-time.Hour, 0}, {0, 0}, {2 * time.Second, 0}, {2199 * time.Millisecond, 10}, {3 * time.Second, 10}, {time.Hour, 10},
	} {
		set(offered, base)
		set(old, base.Add(tt.newer))
		if got := k3s.NewerOnDisk(old, offered); len(got) != tt.want || slices.Contains(got, k3s.ServiceKeyPath) {
			t.Errorf("%s newer: %q", tt.newer, got)
		}
	}
	set(old, time.Time{})
	if got := k3s.NewerOnDisk(old, offered); got != nil {
		t.Errorf("without times: %q", got)
	}
	if got := k3s.NewerOnDisk(old, files{}.bundle()); got != nil {
		t.Errorf("nothing offered: %q", got)
	}
}

// What is offered over what is there.
func TestReplaced(t *testing.T) {
	r := newRunning(t, pki.Shared)
	offered := replace(only(renewed, "client-ca", "server-ca.crt"), "server-ca.crt", empty)(t, r)
	offered["root-ca.pem"] = []byte("x")
	out := k3s.Replaced(r.issued.Server, offered.bundle())
	if len(out.Files) != 11 {
		t.Fatalf("%d files", len(out.Files))
	}
	for _, f := range out.Files {
		want := r.files()[strings.TrimPrefix(f.Path, "tls/")]
		if strings.HasPrefix(f.Path, "tls/client-ca.") {
			want = offered[strings.TrimPrefix(f.Path, "tls/")]
		}
		if string(f.Data) != string(want) {
			t.Errorf("%s is not what the server would have", f.Path)
		}
	}
}

// The ruling is JSON for other programs: names are API.
func TestRulingJSON(t *testing.T) {
	r := newRunning(t, pki.Isolated)
	data, err := json.Marshal(k3s.RotateCA(r.issued.Server, only(service(same, newKey), "service.key")(t, r).bundle(), now))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"saved":false`, `{"field":"ETCDServerCA","path":"tls/etcd/server-ca.crt","offered":false}`,
		`"field":"ServiceKey","path":"tls/service.key","offered":true,"refused":"service-key","log":"ServiceKey: old`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s lacks %s", data, want)
		}
	}
}
