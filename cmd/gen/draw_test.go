package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"rootkiln/pki"
)

// foreignPEM is a certificate of somebody who wants to command the terminal.
func foreignPEM(t *testing.T, name string, end time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: sampleTime, NotAfter: end, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestColorOfForeignNames holds that a terminal obeys the colours of inspect
// and nothing else: not the name in a certificate, not that of its file.
func TestColorOfForeignNames(t *testing.T) {
	const evil = "evil\x1b[2J\x1b]0;x\x07"
	colors := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for _, tt := range []struct {
		name  string
		days  int
		color string
	}{{"ended", -1, red}, {"ends soon", soonDays - 1, yellow}, {"ends late", 4000, ""}} {
		for _, form := range []string{"table", "wide"} {
			for _, setting := range []string{"always", "never"} {
				t.Run(tt.name+" "+form+" "+setting, func(t *testing.T) {
					t.Chdir(t.TempDir())
					file := "file\x1b[2J.crt"
					at := sampleTime.AddDate(1, 0, 0)
					if err := os.WriteFile(file, []byte(foreignPEM(t, evil, at.AddDate(0, 0, tt.days))), 0o600); err != nil {
						t.Fatal(err)
					}
					var out, talk bytes.Buffer
					a := &app{out: &out, err: &talk, color: setting}
					if err := a.inspect([]string{file}, pki.At(at), form); err != nil {
						t.Fatal(err)
					}
					shown := out.String()
					colored := tt.color != "" && setting == "always"
					if got := strings.Contains(shown, "\x1b["+tt.color+"m"); colored && !got {
						t.Errorf("no colour %s in %q", tt.color, shown)
					}
					if got := colors.MatchString(shown); got != colored {
						t.Errorf("coloured: %v, want %v: %q", got, colored, shown)
					}
					if strings.Contains(shown, `\x1b[`+red) || strings.Contains(shown, `\x1b[`+yellow) || strings.Contains(shown, `\x1b[0m`) {
						t.Errorf("a colour is shown as text: %q", shown)
					}
					for _, want := range []string{`evil\x1b[2J\x1b]0;x\a`, `file\x1b[2J.crt`} {
						if !strings.Contains(shown, want) {
							t.Errorf("%s is missing in %q", want, shown)
						}
					}
					if rest := colors.ReplaceAllString(shown+talk.String(), ""); strings.ContainsAny(rest, "\x1b\x07") {
						t.Errorf("the terminal would obey: %q", rest)
					}
				})
			}
		}
	}
}
