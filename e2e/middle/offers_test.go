package middle

import "crypto/x509"

// verdict is what `rootkiln verify` must find in an offer of all eleven files.
type verdict string

const (
	whatever verdict = ""       // it is shown, and that is all
	sound    verdict = "sound"  // no error
	broken   verdict = "broken" // at least one error: the files cannot do their work
)

// offer is something offered to rotate-ca and what k3s says to it. One that is
// refused is offered again with --force, which saves it whatever is wrong.
type offer struct {
	name     string
	only     topology // where the row makes sense; empty: in both
	make     build
	accepted bool
	log      []string // of a refusal: what k3s says of it in its log, nowhere else
	verify   verdict
}

// What k3s says (pkg/server/cert.go and the packages that it asks).
const (
	oneCertificate = "new CA bundle contains only a single certificate"
	unverifiable   = "new CA cert cannot be verified using old CA chain"
	unknown        = "certificate signed by unknown authority"
	unpaired       = "new CA cert and key cannot be loaded as X590KeyPair"
	wrongPair      = "private key does not match public key"
	oldKeyMissing  = "ServiceKey: old ServiceAccount signing key not in new ServiceAccount key list"
)

// offers are judged against the files on the server's disk, and what is not
// offered comes from there: no answer depends on the offers before.
var offers = []offer{
	// The same authorities.
	{name: "nothing", make: none, accepted: true},
	{name: "the same bundle", make: same, accepted: true, verify: sound},
	{name: "new leaf CAs", make: renewed, accepted: true, verify: sound},
	{name: "new leaf CAs, service.key new and old", make: service(renewed, "new", "old"), accepted: true, verify: sound},
	{name: "new leaf CAs, the old ones last", make: each(chained(oldLeafCA)), accepted: true, verify: sound},
	{name: "new intermediate below the root", make: each(below(ofIntermediate(false)), "server-ca"), accepted: true, verify: sound},
	{name: "client-ca with RSA-2048 in PKCS#8", make: each(leafCAWith(rsa2048), "client-ca"), accepted: true, verify: sound},
	{name: "server-ca with P-384", make: each(leafCAWith(p384), "server-ca"), accepted: true, verify: sound},
	{name: "server-ca alone", make: only(renewed, "server-ca"), accepted: true},
	{name: "client-ca alone", make: only(renewed, "client-ca"), accepted: true},
	{name: "request-header-ca alone", make: only(renewed, "request-header-ca"), accepted: true},
	{name: "etcd/peer-ca alone", make: only(renewed, "etcd/peer-ca"), accepted: true},
	{name: "etcd/server-ca alone", make: only(renewed, "etcd/server-ca"), accepted: true},
	{name: "service.key alone, new and old", make: only(service(same, "new", "old"), serviceKey), accepted: true},
	{name: "service.key old and new", make: service(same, "old", "new"), accepted: true, verify: sound},
	{name: "service.key EC and old", make: service(same, "EC", "old"), accepted: true, verify: sound},
	{name: "empty client-ca.crt and .key", make: replace(replace(same, "client-ca.crt", empty), "client-ca.key", empty), accepted: true},
	{name: "a key with CRLF", make: replace(same, "client-ca.key", crlf), accepted: true},
	{name: "a file with CRLF", make: replace(same, "client-ca.crt", crlf), accepted: true},
	{name: "a file with text before the blocks", make: replace(same, "client-ca.crt", commented), accepted: true},

	// New roots.
	{name: "roots: cross, new, old", make: crossed("cross", "new", "old"), accepted: true, verify: sound},
	{name: "roots: cross, old, new", make: crossed("cross", "old", "new"), accepted: true, verify: sound},
	{name: "roots: cross, old", make: crossed("cross", "old"), accepted: true, verify: sound},
	{name: "roots: new, cross, old", make: crossed("new", "cross", "old"), accepted: true},
	{name: "roots: new, cross", make: crossed("new", "cross"), accepted: true},
	{name: "roots: cross", make: crossed("cross"), accepted: true},
	{name: "client root: cross, new, old", make: only(crossed("cross", "new", "old"), "client-ca"), accepted: true},
	{name: "client root: cross, old, new", make: only(crossed("cross", "old", "new"), "client-ca"), accepted: true},
	{name: "client root: new, cross, old", make: only(crossed("new", "cross", "old"), "client-ca"), accepted: true},
	{name: "client root of the same name", make: crossing{
		order: []string{"cross", "new", "old"}, concerned: []string{"client-ca"}, sameName: true}.files, accepted: true},
	{name: "roots: new", make: crossed("new"), log: []string{"ServerCA: " + unverifiable, "ClientCA: " + unverifiable, "RequestHeaderCA: " + unverifiable,
		"ETCDPeerCA: " + unverifiable, "ETCDServerCA: " + unverifiable, unknown}},
	{name: "roots: new, old", make: crossed("new", "old"), log: []string{"ServerCA: " + unverifiable, unknown}},
	{name: "client root: new", make: only(crossed("new"), "client-ca"), log: []string{"ClientCA: " + unverifiable, unknown}},
	{name: "client root of the same name, cross without AKI", make: crossing{
		order: []string{"cross", "new", "old"}, concerned: []string{"client-ca"}, sameName: true, noAKI: true}.files,
		log: []string{"ClientCA: " + unverifiable}},
	{name: "client root: cross expired", make: crossing{
		order: []string{"cross", "new", "old"}, concerned: []string{"client-ca"}, expired: true}.files,
		log: []string{"ClientCA: " + unverifiable}},
	{name: "from shared to isolated: new, cross", only: shared, accepted: true, verify: sound, make: crossing{
		order: []string{"new", "cross"}, concerned: cas[1:], split: true}.files},
	{name: "from shared to isolated: cross, new, old", only: shared, accepted: true, verify: sound, make: crossing{
		order: []string{"cross", "new", "old"}, concerned: cas[1:], split: true}.files},

	// Refused, for there is no way from the old authorities to the new.
	{name: "leaf CAs of another root", make: each(below(ofStranger)), log: []string{"ServerCA: " + unverifiable, "ETCDServerCA: " + unverifiable, unknown}},
	{name: "client-ca below the request-header root", only: isolated, make: each(below(ofSibling("request-header-ca")), "client-ca"),
		log: []string{"ClientCA: " + unverifiable, unknown}},
	{name: "client-ca as etcd/server-ca", only: isolated, make: swapped,
		log: []string{"ETCDServerCA: " + unverifiable, unknown}},
	{name: "service.key without the old key", make: service(same, "new"), log: []string{oldKeyMissing}},

	// Refused, for the files do not fit.
	{name: "files with one certificate", make: each(chained(alone)), verify: broken,
		log: []string{"ServerCA: " + oneCertificate, "ClientCA: " + oneCertificate, "ETCDPeerCA: " + oneCertificate}},
	{name: "another key in server-ca.key", make: replace(renewed, "server-ca.key", wrongKey), verify: broken, log: []string{"ServerCAKey: " + unpaired, wrongPair}},
	{name: "client-ca.crt without its key", make: only(renewed, "client-ca.crt"), log: []string{"ClientCAKey: " + unpaired, wrongPair}},
	{name: "client-ca.key without its certificate", make: only(renewed, "client-ca.key"), log: []string{"ClientCAKey: " + unpaired, wrongPair}},
	{name: "empty client-ca.crt", make: replace(renewed, "client-ca.crt", empty), log: []string{"ClientCAKey: " + unpaired, wrongPair}},
	{name: "root before the leaf CA", make: each(chained(rootFirst), "etcd/peer-ca"), verify: broken, log: []string{"ETCDPeerCAKey: " + unpaired, wrongPair}},
	{name: "expired CA", make: each(leafCA(expired), "client-ca"), verify: broken, log: []string{"ClientCA: " + unverifiable, "has expired or is not yet valid"}},
	{name: "CA of tomorrow", make: each(leafCA(future), "request-header-ca"), verify: broken,
		log: []string{"RequestHeaderCA: " + unverifiable, "has expired or is not yet valid"}},
	{name: "client-ca with EKU clientAuth alone", make: each(leafCA(usage(x509.ExtKeyUsageClientAuth)), "client-ca"), verify: broken,
		log: []string{"ClientCA: " + unverifiable, "incompatible key usage"}},
	{name: "SHA-1", make: each(leafCA(withSHA1), "etcd/server-ca"), verify: broken, log: []string{"ETCDServerCA: " + unverifiable}},
	{name: "garbage in server-ca.crt", make: replace(same, "server-ca.crt", garbage), verify: broken, log: []string{"ServerCA: "}},
	{name: "garbage in server-ca.key", make: replace(same, "server-ca.key", garbage), verify: broken, log: []string{"ServerCAKey: " + unpaired}},
	{name: "garbage in service.key", make: replace(same, serviceKey, garbage), verify: broken, log: []string{"ServiceKey: "}},
	{name: "encrypted key", make: replace(same, "client-ca.key", encrypted), verify: broken, log: []string{"ClientCAKey: " + unpaired}},
	{name: "glued PEM", make: replace(same, "client-ca.crt", glued), verify: broken, log: []string{"ClientCA: "}},

	// Accepted although the cluster suffers: rotate-ca looks at the first
	// certificate of a file and at its key, and at nothing that must work below.
	{name: "leaf CA that is no CA", make: each(leafCA(noCA), "client-ca"), accepted: true, verify: broken},
	{name: "new leaf CA below the old one", make: each(below(ofOldLeafCA), "client-ca"), accepted: true, verify: broken},
	{name: "intermediate below the intermediate", make: each(below(ofIntermediate(true)), "server-ca"), accepted: true, verify: broken},
	{name: "leaf CA with another AKI", make: each(misidentified(1, 2, 3), "client-ca"), accepted: true, verify: broken},
	{name: "leaf CA without AKI", make: each(misidentified(), "client-ca"), accepted: true},
	{name: "server-ca for another domain's names", make: each(leafCA(permitting("company.example")), "server-ca"), accepted: true, verify: broken},
	{name: "server-ca with EKU serverAuth alone", make: each(leafCA(usage(x509.ExtKeyUsageServerAuth)), "server-ca"), accepted: true},
	{name: "client-ca with EKU serverAuth alone", make: each(leafCA(usage(x509.ExtKeyUsageServerAuth)), "client-ca"), accepted: true, verify: broken},
	{name: "RSA-1024", make: each(leafCAWith(rsa1024), "client-ca"), accepted: true, verify: broken},
	{name: "Ed25519", make: each(leafCAWith(edwards), "client-ca"), accepted: true},
	{name: "server-ca without the root", make: each(chained(withoutRoot), "server-ca"), accepted: true, verify: broken},
	{name: "a stranger's root behind the own", make: each(chained(strangerLast), "client-ca"), accepted: true},
	{name: "a stranger's root for the own", make: each(chained(strangerForRoot), "client-ca"), accepted: true, verify: broken},
	{name: "every certificate twice", make: each(chained(twice), "client-ca"), accepted: true},
	{name: "root's key behind the CA's", make: replace(same, "client-ca.key", rootKeyBehind("client-ca")), accepted: true},
	{name: "client-ca as etcd/server-ca, one root", only: shared, make: swapped, accepted: true},
	{name: "service.key Ed25519 and old", make: service(same, "Ed25519", "old"), accepted: true, verify: broken},
	{name: "service.key EC in PKCS#8 and old", make: service(same, "EC PKCS#8", "old"), accepted: true, verify: broken},
}
