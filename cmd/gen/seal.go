package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/spf13/cobra"
)

// sealFlags ask for the offline part to be encrypted with age.
type sealFlags struct {
	recipients     []string
	ask            bool
	passphraseFile string
}

const flagNameEncryptTo = "encrypt-to"

func (s *sealFlags) register(a *app, c *cobra.Command) {
	c.Flags().StringArrayVar(&s.recipients, flagNameEncryptTo, nil, a.t(flagEncryptTo))
	c.Flags().BoolVar(&s.ask, "passphrase", false, a.t(flagPassphrase))
	choiceFlag(c.Flags(), &s.passphraseFile, "passphrase-file", "FILE", "", a.t(flagPassphraseFile))
}

// sealer returns what encrypts a file, nil where nothing is to be encrypted.
// Passphrases are asked for here, before any key is made.
func (s *sealFlags) sealer(_ context.Context, a *app) (func(io.Writer) (io.WriteCloser, error), error) {
	phrase := s.ask || s.passphraseFile != ""
	if phrase && len(s.recipients) > 0 || s.ask && s.passphraseFile != "" {
		return nil, usage(msgSealOneWay)
	}
	var recipients []age.Recipient
	for _, r := range s.recipients {
		parsed, err := a.recipient(r)
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, parsed...)
	}
	if phrase {
		secret, err := s.passphrase(a)
		if err != nil {
			return nil, err
		}
		r, err := age.NewScryptRecipient(string(secret))
		if err != nil {
			return nil, failed(msgEmptySecret, "--passphrase")
		}
		recipients = append(recipients, r)
	}
	if len(recipients) == 0 {
		return nil, nil
	}
	return func(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, recipients...) }, nil
}

// recipient reads an age or SSH public key, or a file of them. A private key in
// its place is refused without being repeated.
func (a *app) recipient(s string) ([]age.Recipient, error) {
	if holdsSecret(s) {
		return nil, usage(msgRecipientSecret)
	}
	if r, err := parseRecipients(s); err == nil {
		return r, nil
	}
	if _, err := os.Stat(s); err != nil {
		if err := refuseContent(s); err != nil {
			return nil, err
		}
		return nil, usage(msgRecipientBad, s)
	}
	data, err := a.readFile(s)
	if err != nil {
		return nil, err
	}
	if holdsSecret(string(data)) {
		return nil, usage(msgRecipientSecret)
	}
	r, err := parseRecipients(string(data))
	if err != nil {
		return nil, usage(msgRecipientBad, s)
	}
	return r, nil
}

// parseRecipients reads one public key a line, with empty lines and comments
// between them, as `age -R` does: age.ParseRecipients leaves SSH keys out.
func parseRecipients(lines string) (all []age.Recipient, err error) {
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "ssh-") {
			r, err := agessh.ParseRecipient(line)
			if err != nil {
				return nil, err
			}
			all = append(all, r)
			continue
		}
		r, err := age.ParseRecipients(strings.NewReader(line))
		if err != nil {
			return nil, err
		}
		all = append(all, r...)
	}
	if len(all) == 0 {
		return nil, errors.New("no recipient")
	}
	return all, nil
}

// passphrase comes from a file, or twice from the terminal.
func (s *sealFlags) passphrase(a *app) ([]byte, error) {
	if s.passphraseFile != "" {
		return a.secretFile(s.passphraseFile)
	}
	var answers [2][]byte
	for i, question := range []text{msgAskPassphrase, msgAskAgain} {
		var err error
		if answers[i], err = a.ask(a.t(question)); errors.Is(err, context.Canceled) {
			return nil, err
		} else if err != nil {
			return nil, failed(msgNoTerminal)
		}
	}
	first, again := answers[0], answers[1]
	if string(first) != string(again) {
		return nil, &translated{exitSecret, msgPassphrasesDiffer, nil}
	}
	if len(first) == 0 {
		return nil, failed(msgEmptySecret, "--passphrase")
	}
	return first, nil
}
