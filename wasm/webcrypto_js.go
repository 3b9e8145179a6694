//go:build js

package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"syscall/js"

	"rootkiln/pki"
)

// webKeys makes RSA keys with the browser's own WebCrypto: native code, on threads
// of the browser, two to three times as fast as Go in WebAssembly. What it hands
// over is parsed and checked as a foreign key is. All else comes from the core.
type webKeys struct {
	pki.Random
	subtle js.Value
}

// webCrypto is the source of keys of this browser. Without crypto.subtle, which a
// page without a secure context lacks, everything is made in Go.
func webCrypto() pki.KeySource {
	crypto := js.Global().Get("crypto")
	if crypto.Type() != js.TypeObject || crypto.Get("subtle").Type() != js.TypeObject {
		return pki.Random{}
	}
	return webKeys{subtle: crypto.Get("subtle")}
}

// Concurrency lets the browser make several keys at a time: Go has one thread
// there, and only waits for them.
func (webKeys) Concurrency() int { return 4 }

// exponent is 65537, which the core demands.
var exponent = []byte{1, 0, 1}

// Key makes RSA keys in the browser and all others in Go.
func (k webKeys) Key(ctx context.Context, role pki.Role, spec pki.KeySpec) (pki.Key, error) {
	if spec.Bits() == 0 {
		return k.Random.Key(ctx, role, spec)
	}
	e := bytes8.New(len(exponent))
	js.CopyBytesToJS(e, exponent)
	algorithm := map[string]any{"name": "RSASSA-PKCS1-v1_5", "modulusLength": spec.Bits(), "publicExponent": e, "hash": "SHA-256"}
	pair, err := await(ctx, k.subtle.Call("generateKey", algorithm, true, array.Call("of", "sign")))
	if err != nil {
		return nil, fmt.Errorf("making the %s key: %w", role, err)
	}
	exported, err := await(ctx, k.subtle.Call("exportKey", "pkcs8", pair.Get("privateKey")))
	if err != nil {
		return nil, fmt.Errorf("exporting the %s key: %w", role, err)
	}
	view := bytes8.New(exported)
	der := make([]byte, view.Length())
	js.CopyBytesToGo(der, view)
	view.Call("fill", 0)
	defer clear(der)
	parsed, err := x509.ParsePKCS8PrivateKey(der) // validates an RSA key
	if err != nil {
		return nil, fmt.Errorf("reading the %s key: %w", role, err)
	}
	return pki.UsableKey(string(role), parsed)
}

// await waits for a promise. What it is rejected with is not repeated but for the
// name of the error.
func await(ctx context.Context, p js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{value: args[0]}
		return nil
	})
	otherwise := js.FuncOf(func(_ js.Value, args []js.Value) any {
		name := "Error"
		if len(args) > 0 && args[0].Type() == js.TypeObject && args[0].Get("name").Type() == js.TypeString {
			name = args[0].Get("name").String()
		}
		settled <- outcome{err: errors.New("WebCrypto: " + name)}
		return nil
	})
	p.Call("then", then, otherwise)
	select {
	case o := <-settled:
		then.Release()
		otherwise.Release()
		return o.value, o.err
	case <-ctx.Done(): // the browser may still settle it: the functions must stay
		return js.Undefined(), ctx.Err()
	}
}
