package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
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

// reader reads what a plan names from the disk. Encrypted keys are opened with a
// passphrase from the file that was named, or from the terminal.
func (a *app) reader(p *planFlags) pki.Reader {
	return pki.Reader{
		Read: a.readFile, Exists: exists,
		Unlock: func(path string, data []byte) (any, error) { return a.unlock(path, data, p) },
	}
}

func (a *app) unlock(path string, data []byte, p *planFlags) (any, error) {
	secret, err := a.keyPassphrase(path, p)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	opened, err := openKey(data, secret)
	switch {
	case errors.Is(err, errCipher):
		return nil, pki.Refuse([]pki.Finding{pki.New("key-cipher", path)})
	case err != nil:
		// The library does not tell a wrong passphrase from a damaged file, and
		// its text must not reach the screen: it may quote what it decoded.
		return nil, pki.Refuse([]pki.Finding{pki.New("key-passphrase", path)})
	}
	return opened, nil
}

// given reads everything a plan names as existing already.
func (a *app) given(plan *pki.Plan, p *planFlags) (pki.Given, []pki.Finding, error) {
	if dir := plan.Inputs.Directory; dir != "" {
		info, err := os.Stat(dir)
		if err != nil {
			return pki.Given{}, nil, unreadable(dir, err)
		}
		if !info.IsDir() {
			return pki.Given{}, nil, failed(msgNotDirectory, dir)
		}
	}
	return a.reader(p).Given(&plan.Inputs)
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
	layout, err := k3s.Layout(*plan)
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
