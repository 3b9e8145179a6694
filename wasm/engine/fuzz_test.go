package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/wasm/engine"
)

// Whatever a call is given, it ends with a value or with a Failure in words, it
// does not fail within, and no private key is in what is shown.
func FuzzCall(f *testing.F) {
	e := engine.Engine{Keys: pki.Random{}}
	_, made, err := e.Call(f.Context(), "make", []byte(`{"lang":"en","now":"`+now+`","plan":{"keys":{"service":"p256"}}}`), nil, nil)
	if err != nil {
		f.Fatal(err)
	}
	sets := `"set":{"label":"x","first":0,"count":1}`
	for _, seed := range []struct {
		method, params string
		file           []byte
	}{
		{"version", `{}`, nil},
		{"plan", `{"lang":"zh","plan":{"name":"a","inputs":{"root":"f","rootKey":"f","directory":"."}}}`, []byte("-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n")},
		{"plan", `{"plan":{"inputs":{"serviceKeys":["f"]}},"passphrases":{"f":"x"}}`, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMFAwSwYJKoZIhvcNAQUNMD4=\n-----END ENCRYPTED PRIVATE KEY-----\n")},
		{"inspect", `{` + sets + `}`, made[0].Data},
		{"verify", `{` + sets + `,"against":{"first":0,"count":1}}`, made[0].Data},
		{"check", `{` + sets + `,"within":"9y","at":"2040-01-01"}`, made[0].Data},
		{"compare", `{"sets":[{"first":0,"count":1},{"first":0,"count":1}],"staged":{"first":0,"count":1}}`, made[0].Data},
		{"token", `{` + sets + `,"password":"p"}`, []byte("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n--- AAAA\n")},
		{"inspect", `{` + sets + `}`, []byte("server: a\nusers:\n- user:\n    client-certificate-data: QUJD\n")},
		{"sign", `{"plan":"f","request":"f","issuer":"f","key":"f"}`, []byte(`{"apiVersion":"rootkiln/v1","kind":"ResolvedPlan"}`)},
		{"resume", `{"state":"f","signed":["f"]}`, []byte(`{"apiVersion":"rootkiln/v1","kind":"RequestState"}`)},
		{"export", `{` + sets + `,"format":"secret"}`, made[0].Data},
		{"qr", `{"text":"x"}`, nil},
	} {
		f.Add(seed.method, []byte(seed.params), seed.file)
	}
	f.Fuzz(func(t *testing.T, method string, params, file []byte) {
		if method == "make" || method == "request" || method == "rotate" || strings.Contains(string(params), "ealPassphrase") {
			return // keys and scrypt take their time; what is read is the same
		}
		value, _, err := e.Call(t.Context(), method, params, []engine.File{{Name: "f", Data: file}}, nil)
		if err != nil {
			var failure *engine.Failure
			if !errors.As(err, &failure) || failure.Message == "" || strings.Contains(failure.Message, "defect of rootkiln") || strings.Contains(failure.Message, "的缺陷") {
				t.Fatalf("%s: %v", method, err)
			}
			value, _ = json.Marshal(failure)
		}
		if !json.Valid(value) || bytes.Contains(value, []byte("PRIVATE KEY-----")) {
			t.Fatalf("%s: %s", method, value)
		}
	})
}
