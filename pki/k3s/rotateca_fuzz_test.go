package k3s_test

import (
	"crypto/tls"
	"encoding/pem"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// pairError is what k3s would log of a pair, by crypto/tls itself.
func pairError(crt, key []byte) string {
	if _, err := tls.X509KeyPair(crt, key); err != nil {
		return "ClientCAKey: new CA cert and key cannot be loaded as X590KeyPair: " + err.Error()
	}
	return ""
}

// FuzzRotateCA: whatever is offered, the answer about a pair is that of
// crypto/tls, which is linked into k3s and not into rootkiln; an offer of the
// server's own files never changes the service key's answer; and the parts of
// the ruling agree.
func FuzzRotateCA(f *testing.F) {
	r := newRunning(f, pki.Isolated)
	good := r.files()
	ed := edwards(f)
	for _, seed := range [][3][]byte{
		{good["client-ca.crt"], good["client-ca.key"], good["service.key"]},
		{good["client-ca.key"], good["client-ca.crt"], good["client-ca.crt"]},
		{good["client-ca.crt"], good["server-ca.key"], append(keyText(f, ed), good["service.key"]...)},
		{glued(good["client-ca.crt"]), crlf(good["client-ca.key"]), publicOf(f, good["service.key"])},
		{commented(good["client-ca.crt"]), keyText(f, ed), wrapped(f, nil)},
		{pki.EncodeCertificates(mint(f, "x", ed, nil).chain...), keyText(f, ed), nil},
		{relabelled("TRUSTED CERTIFICATE", nil)(good["client-ca.crt"]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE"}), []byte("x")},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, crt, key, service []byte) {
		if len(crt)+len(key)+len(service) > 16<<10 {
			return // RSA keys of any size are only slow
		}
		offered := files{"client-ca.crt": crt, "client-ca.key": key, "service.key": service}
		ruling := k3s.RotateCA(r.issued.Server, offered.bundle(), now)
		wantWhole(t, ruling, offered)
		if len(crt) > 0 && len(key) > 0 {
			if got, want := ruling.Files[7].Log, pairError(crt, key); got != want {
				t.Errorf("%q, crypto/tls says %q", got, want)
			}
		}
		if again := k3s.RotateCA(offered.bundle(), offered.bundle(), now); len(service) > 0 {
			if got := again.Files[8].Refused; got != "" && got != k3s.CheckCurrent {
				t.Errorf("the same service.key is refused: %s", again.Files[8].Log)
			}
		}
	})
}
