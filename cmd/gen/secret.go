package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.step.sm/crypto/pemutil"
	"golang.org/x/term"
)

// Secrets come from a file or from a person at the terminal, never from the
// command line.

// tokenForm and valueForm are a join token with its credentials, and what the
// datastore keeps under /bootstrap/: salt, colon, base64.
var (
	tokenForm = regexp.MustCompile(`K10[0-9A-Za-z]*::[^\s:]`)
	valueForm = regexp.MustCompile(`[0-9a-f]{16}:[0-9A-Za-z+/]{36}`)
)

// holdsSecret finds the marks of private keys, of age in either case, of its
// plugins, and of everything that is PEM; of tokens; of bootstrap values.
func holdsSecret(s string) bool {
	upper := strings.ToUpper(s)
	return strings.Contains(upper, "AGE-SECRET-KEY-") || strings.Contains(upper, "AGE-PLUGIN-") || strings.Contains(upper, "PRIVATE KEY-----") ||
		strings.Contains(s, ":") && (tokenForm.MatchString(s) || valueForm.MatchString(s)) // every field of a table comes here
}

// longestPath is PATH_MAX of Linux: what is longer is the content of a file.
const longestPath = 4096

// refuseContent refuses the content of a file where its name belongs, such as
// "$(cat root.key)". The message does not repeat it.
func refuseContent(names ...string) error {
	for _, name := range names {
		switch {
		case holdsSecret(name):
			return usage(msgSecretOnCommandLine)
		case len(name) > longestPath:
			return usage(msgContentOnCommandLine, len(name))
		}
	}
	return nil
}

// flagContents are the values of the flags that were given. --encrypt-to is told
// apart: there a public key is right, and the private one has a message of its
// own.
func flagContents(c *cobra.Command) (values []string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		list, several := f.Value.(pflag.SliceValue)
		switch {
		case f.Name == flagNameEncryptTo:
		case several:
			values = append(values, list.GetSlice()...)
		default:
			values = append(values, f.Value.String())
		}
	})
	return values
}

// keyPassphrase returns the passphrase of an encrypted input key.
func (a *app) keyPassphrase(path string, p *planFlags) ([]byte, error) {
	if p.passphraseFile != "" {
		if p.passphrase == nil { // read once: it may be a pipe, for several keys
			var err error
			if p.passphrase, err = a.secretFile(p.passphraseFile); err != nil {
				return nil, err
			}
		}
		return bytes.Clone(p.passphrase), nil
	}
	secret, err := a.ask(a.t(msgAskKeyPassphrase, path))
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	if err != nil {
		return nil, failed(msgNoTerminalForKey, path)
	}
	return secret, nil
}

// secretFile reads a secret from a file; one trailing newline is not part of it.
func (a *app) secretFile(path string) ([]byte, error) {
	data, err := a.readFile(path)
	if err != nil {
		return nil, err
	}
	if n := len(data); n > 0 && data[n-1] == '\n' {
		data = data[:n-1]
		if n > 1 && data[n-2] == '\r' {
			data = data[:n-2]
		}
	}
	if len(data) == 0 {
		return nil, failed(msgEmptySecret, path)
	}
	if info, err := os.Stat(path); err == nil && path != standardOutput && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && modesMatter {
		a.say(msgSecretFileWide, path, info.Mode().Perm())
	}
	return data, nil
}

// ask puts a question on the controlling terminal and reads an answer that is
// not shown.
func (a *app) ask(question string) ([]byte, error) {
	in, out, done, err := openTerminal()
	if err != nil {
		return nil, err
	}
	defer done()
	// The echo ends before the question is seen: who types or pastes at once
	// would read the secret on the screen.
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	defer func() { _ = term.Restore(int(in.Fd()), before) }()
	// The signal ends a context and not the reading.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(interrupted)

	fmt.Fprint(out, question)
	var secret []byte
	answered := make(chan error, 1)
	go func() {
		var err error
		secret, err = term.ReadPassword(int(in.Fd()))
		answered <- err
	}()
	select {
	case <-interrupted:
		fmt.Fprint(out, "\r\n")
		return nil, context.Canceled
	case err := <-answered:
		fmt.Fprint(out, "\r\x1b[K") // the question goes when it is answered
		return secret, err
	}
}

// errCipher says that a key is encrypted in a way that no passphrase was tried
// on.
var errCipher = errors.New("the cipher is not read here")

// foreignPRFs are digests of PBKDF2 (hmacWithSHA224, 384 and 512; RFC 8018,
// B.1.2) that the library takes for SHA-1, as DER.
var foreignPRFs = [][]byte{
	[]byte("\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x08"),
	[]byte("\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x0a"),
	[]byte("\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x0b"),
}

// openKey decrypts the one encrypted key of a PEM file.
func openKey(data, secret []byte) (key any, err error) {
	// The library panics where ciphertext or IV have an impossible length.
	defer func() {
		if recover() != nil {
			err = errCipher
		}
	}()
	// It also stumbles over a byte order mark and EC PARAMETERS.
	rest := data[max(0, bytes.Index(data, []byte("-----BEGIN "))):]
	block, rest := pem.Decode(rest)
	for block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
	}
	if next, _ := pem.Decode(rest); block == nil || next != nil {
		return nil, errCipher
	}
	if slices.ContainsFunc(foreignPRFs, func(oid []byte) bool { return bytes.Contains(block.Bytes, oid) }) {
		return nil, errCipher
	}
	key, err = pemutil.Parse(pem.EncodeToMemory(block), pemutil.WithPassword(secret))
	if err != nil && strings.Contains(err.Error(), "unsupported encrypted PEM") {
		return nil, errCipher
	}
	return key, err
}
