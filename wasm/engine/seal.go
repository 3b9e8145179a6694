package engine

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"rootkiln/pki"
)

// sealedSuffix ends the name of what is encrypted with age.
const sealedSuffix = ".age"

// sealing says to whom the offline part is encrypted: to nobody where it is empty.
type sealing struct {
	Recipients     []string `json:"recipients,omitempty"`
	SealPassphrase Secret   `json:"sealPassphrase,omitempty"`
}

// to reads the recipients, before any key is made.
func (s sealing) to() ([]age.Recipient, error) {
	if len(s.SealPassphrase) > 0 {
		if len(s.Recipients) > 0 {
			return nil, refuse("seal-one-way", "")
		}
		r, err := age.NewScryptRecipient(string(s.SealPassphrase))
		return []age.Recipient{r}, err
	}
	var all []age.Recipient
	for i, text := range s.Recipients {
		upper := strings.ToUpper(text)
		if strings.Contains(upper, "AGE-SECRET-KEY-") || strings.Contains(upper, "AGE-PLUGIN-") || strings.Contains(upper, "PRIVATE KEY-----") {
			return nil, refuse("recipient-secret", "")
		}
		r, err := recipient(strings.TrimSpace(text))
		if err != nil {
			return nil, refuse("recipient-bad", "", "index", strconv.Itoa(i+1))
		}
		all = append(all, r)
	}
	return all, nil
}

func recipient(text string) (age.Recipient, error) {
	switch {
	case strings.HasPrefix(text, "ssh-"):
		return parseSSH(text)
	case strings.HasPrefix(text, "age1pq1"):
		return age.ParseHybridRecipient(text)
	}
	return age.ParseX25519Recipient(text)
}

// encrypted returns data encrypted to recipients; data itself where there are
// none.
func encrypted(data []byte, to []age.Recipient) ([]byte, error) {
	if len(to) == 0 {
		return data, nil
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, to...)
	if err != nil {
		return nil, err
	}
	if _, err = w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

const (
	ageIntro  = "age-encryption.org/v1\n"
	ageScrypt = "-> scrypt "
)

// maxScrypt is the base-2 logarithm of the work that a foreign file may ask for:
// 1 GiB of memory. age itself writes 18.
const maxScrypt = 20

// isSealed tells a file of age, in bytes or in its armour.
func isSealed(data []byte) bool {
	return bytes.HasPrefix(data, []byte(ageIntro)) || bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte(armor.Header))
}

// unsealed opens a file of age with a passphrase, or with the private key of age
// in its place.
func unsealed(name string, data []byte, secret Secret, limit int64) ([]byte, error) {
	var src io.Reader = bytes.NewReader(data)
	if !bytes.HasPrefix(data, []byte(ageIntro)) {
		src = armor.NewReader(src)
	}
	head, err := age.ExtractHeader(src)
	if err != nil {
		return nil, refuse("seal-damaged", name)
	}
	byPhrase := bytes.Contains(head, []byte("\n"+ageScrypt))
	id, err := identity(secret, byPhrase)
	switch {
	case err != nil || !byPhrase && id == nil:
		return nil, refuse("seal-recipients", name)
	case id == nil:
		return nil, refuse("seal-locked", name)
	}
	src = bytes.NewReader(data)
	if !bytes.HasPrefix(data, []byte(ageIntro)) {
		src = armor.NewReader(src)
	}
	plain, err := age.Decrypt(src, id)
	switch no := (*age.NoIdentityMatchError)(nil); {
	case errors.As(err, &no):
		return nil, refuse("seal-passphrase", name)
	case err != nil:
		return nil, refuse("seal-damaged", name)
	}
	out, err := io.ReadAll(io.LimitReader(plain, limit+1))
	switch {
	case err != nil:
		return nil, refuse("seal-damaged", name)
	case int64(len(out)) > limit:
		return nil, refuse("archive-too-large", name, "limit", strconv.FormatInt(limit, 10)+" bytes")
	}
	return out, nil
}

// identity is what opens a file: nil where there is no secret.
func identity(secret Secret, byPhrase bool) (age.Identity, error) {
	text := strings.TrimSpace(string(secret))
	switch {
	case len(secret) == 0:
		return nil, nil
	case byPhrase:
		id, err := age.NewScryptIdentity(string(secret))
		if err == nil {
			id.SetMaxWorkFactor(maxScrypt)
		}
		return id, err
	case strings.HasPrefix(text, "AGE-SECRET-KEY-PQ-1"):
		return age.ParseHybridIdentity(text)
	case strings.HasPrefix(text, "AGE-SECRET-KEY-1"):
		return age.ParseX25519Identity(text)
	}
	return nil, nil
}

func refuse(code pki.Code, subject string, args ...string) error {
	return pki.Refuse([]pki.Finding{pki.New(code, subject, args...)})
}
