package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"rootkiln/pki"
)

// maxInput is more than any certificate, key or plan file has.
const maxInput = 1 << 20

// readFile reads a whole input, "-" meaning standard input, and refuses what
// cannot be an input of ours before it fills the memory.
func (a *app) readFile(path string) ([]byte, error) {
	if path == standardOutput {
		return limited(a.in, path)
	}
	if err := refuseContent(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, failed(msgIsDirectory, path)
	}
	return limited(f, path)
}

func limited(r io.Reader, path string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(data) > maxInput {
		return nil, pki.Refuse([]pki.Finding{pki.New("pem-too-large", path, "limit", fmt.Sprint(maxInput)+" bytes")})
	}
	return data, nil
}

func unreadable(path string, err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return failed(msgUnreadable, path, err.Error())
}

// given reads everything a plan names as existing already and checks that each
// key belongs to its certificate's chain.
func (a *app) given(plan *pki.Plan, p *planFlags) (pki.Given, []pki.Finding, error) {
	in := &plan.Inputs
	if in.Directory != "" {
		if err := a.scriptFiles(in); err != nil {
			return pki.Given{}, nil, err
		}
	}
	g := pki.Given{Authorities: map[pki.Role]*pki.Authority{}}
	var notes []pki.Finding
	var above []*x509.Certificate
	if in.Root != "" {
		root, found, err := a.issuer(pki.Root, in.Root, in.RootKey, nil, p)
		if err != nil {
			return pki.Given{}, nil, err
		}
		notes = append(notes, found...)
		above = root.Chain()
		g.Authorities[pki.Root] = root
	}
	if in.Intermediate != "" {
		intermediate, found, err := a.issuer(pki.Intermediate, in.Intermediate, in.IntermediateKey, above, p)
		if err != nil {
			return pki.Given{}, nil, err
		}
		notes = append(notes, found...)
		g.Authorities[pki.Intermediate] = intermediate
	}
	if in.RootKey != "" && in.Root == "" || in.IntermediateKey != "" && in.Intermediate == "" {
		return pki.Given{}, nil, usage(msgKeyWithoutCertificate)
	}
	for _, path := range in.ServiceKeys {
		keys, found, err := a.serviceKeys(path, p)
		if err != nil {
			return pki.Given{}, nil, err
		}
		g.ServiceKeys, notes = append(g.ServiceKeys, keys...), append(notes, found...)
	}
	return g, notes, nil
}

// issuer reads a certificate chain and its key; an empty key path means that
// the key is on another machine.
func (a *app) issuer(role pki.Role, path, keyPath string, extra []*x509.Certificate, p *planFlags) (*pki.Authority, []pki.Finding, error) {
	data, err := a.readFile(path)
	if err != nil {
		return nil, nil, err
	}
	certs, notes, err := pki.ParseCertificates(path, data)
	if err != nil {
		return nil, nil, err
	}
	authority := &pki.Authority{Role: role}
	if authority.Certificate, authority.Above, err = pki.OrderChain(role, certs, extra); err != nil {
		return nil, nil, err
	}
	if keyPath == "" {
		return authority, notes, nil
	}
	keys, found, err := a.keys(keyPath, p)
	if err != nil {
		return nil, nil, err
	}
	if len(keys) > 1 {
		return nil, nil, failed(msgSeveralKeys, keyPath, len(keys))
	}
	authority.Key = keys[0].Key
	return authority, append(notes, found...), nil
}

// keys reads a key file. Encrypted keys are opened with a passphrase from the
// file that was named, or from the terminal.
func (a *app) keys(path string, p *planFlags) ([]pki.FoundKey, []pki.Finding, error) {
	data, err := a.readFile(path)
	if err != nil {
		return nil, nil, err
	}
	return a.openKeys(path, data, p)
}

func (a *app) openKeys(path string, data []byte, p *planFlags) ([]pki.FoundKey, []pki.Finding, error) {
	keys, notes, err := pki.ParseKeys(path, data)
	if !refusedFor(err, "key-encrypted") {
		return keys, notes, err
	}
	secret, err := a.keyPassphrase(path, p)
	if err != nil {
		return nil, nil, err
	}
	defer clear(secret)
	opened, err := openKey(data, secret)
	switch {
	case errors.Is(err, errCipher):
		return nil, nil, failed(msgKeyCipher, path)
	case err != nil:
		// The library does not tell a wrong passphrase from a damaged file, and
		// its text must not reach the screen: it may quote what it decoded.
		return nil, nil, pki.Refuse([]pki.Finding{pki.New("key-passphrase", path)})
	}
	key, err := pki.UsableKey(path, opened)
	if err != nil {
		return nil, nil, err
	}
	return []pki.FoundKey{{Key: key, Type: "PRIVATE KEY"}}, notes, nil
}

func refusedFor(err error, code pki.Code) bool {
	var r *pki.Refusal
	return errors.As(err, &r) && len(r.Findings) > 0 && r.Findings[0].Code == code
}

// serviceKeys reads existing ServiceAccount keys.
func (a *app) serviceKeys(path string, p *planFlags) ([]pki.Key, []pki.Finding, error) {
	found, notes, err := a.keys(path, p)
	if err != nil {
		return nil, nil, err
	}
	keys := make([]pki.Key, len(found))
	for i, k := range found {
		keys[i] = k.Key // written back as PKCS#1 or SEC1, whatever it was
	}
	return keys, notes, nil
}

// scriptNames are the files that the k3s example script takes as input, in the
// order in which they are looked for.
var scriptEndings = []string{".pem", ".crt", ".cer"}

// scriptFiles fills the inputs from a directory with the script's file names.
// The script itself takes only .pem, and overwrites a root-ca.crt that it does
// not know; two certificates for one role that differ are refused here.
func (a *app) scriptFiles(in *pki.Inputs) error {
	info, err := os.Stat(in.Directory)
	if err != nil {
		return unreadable(in.Directory, err)
	}
	if !info.IsDir() {
		return failed(msgNotDirectory, in.Directory)
	}
	found := false
	for _, row := range []struct {
		stem      string
		cert, key *string
	}{{"root-ca", &in.Root, &in.RootKey}, {"intermediate-ca", &in.Intermediate, &in.IntermediateKey}} {
		cert, err := a.oneOf(in.Directory, row.stem)
		if err != nil {
			return err
		}
		key := filepath.Join(in.Directory, row.stem+".key")
		if !exists(key) {
			key = ""
		}
		if key != "" && cert == "" {
			return failed(msgScriptKeyAlone, key, row.stem)
		}
		found = found || cert != ""
		if *row.cert == "" {
			*row.cert = cert
			if *row.key == "" {
				*row.key = key
			}
		}
	}
	if service := filepath.Join(in.Directory, "service.key"); exists(service) && len(in.ServiceKeys) == 0 {
		in.ServiceKeys, found = []string{service}, true
	}
	if !found {
		return failed(msgScriptNone, in.Directory)
	}
	return nil
}

// oneOf returns the certificate file of a stem, refusing two with different
// first certificates.
func (a *app) oneOf(dir, stem string) (string, error) {
	var path string
	var first *x509.Certificate
	for _, ending := range scriptEndings {
		name := filepath.Join(dir, stem+ending)
		if !exists(name) {
			continue
		}
		data, err := a.readFile(name)
		if err != nil {
			return "", err
		}
		certs, _, err := pki.ParseCertificates(name, data)
		if err != nil {
			return "", err
		}
		if first != nil && !first.Equal(certs[0]) {
			return "", failed(msgScriptTwo, path, name)
		}
		if first == nil {
			path, first = name, certs[0]
		}
	}
	return path, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// inputPaths lists what a plan reads: outputs must never replace it.
func inputPaths(plan pki.Plan, more ...string) []string {
	in := plan.Inputs
	own := []string{in.Root, in.RootKey, in.Intermediate, in.IntermediateKey, in.Directory}
	return named(slices.Concat(own, in.ServiceKeys, more)...)
}

// oneStream refuses two inputs that are both standard input.
func oneStream(paths ...string) error {
	streams := slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p != standardOutput })
	if len(streams) > 1 {
		return usage(msgTwoInputs)
	}
	return nil
}

// named drops what names no file.
func named(paths ...string) []string {
	return slices.DeleteFunc(paths, func(p string) bool { return p == "" || p == standardOutput })
}

// resolve reads the inputs of a plan and resolves it; warnings and notices are
// explained on the way.
func (a *app) resolve(_ context.Context, plan *pki.Plan, p *planFlags) (pki.Resolved, pki.Layout, pki.Given, []pki.Finding, error) {
	layout, err := layoutOf(*plan)
	if err != nil {
		return pki.Resolved{}, pki.Layout{}, pki.Given{}, nil, err
	}
	if err := pki.Refuse(plan.Check()); err != nil { // before files are opened
		return pki.Resolved{}, pki.Layout{}, pki.Given{}, nil, err
	}
	given, notes, err := a.given(plan, p)
	if err != nil {
		return pki.Resolved{}, pki.Layout{}, pki.Given{}, nil, err
	}
	resolved, found, err := pki.Resolve(*plan, layout, given)
	return resolved, layout, given, append(notes, found...), err
}
