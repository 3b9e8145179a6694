package engine

import (
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// Secret is a passphrase out of JSON that can be cleared: a string cannot.
type Secret []byte

// UnmarshalJSON reads a string without making one.
func (s *Secret) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*s = nil
		return nil
	}
	if len(data) < 2 || data[0] != '"' {
		return &json.UnmarshalTypeError{Value: "value", Type: stringType, Field: "passphrase"}
	}
	out := make(Secret, 0, len(data)) // never grown: a copy would stay behind
	for in := data[1 : len(data)-1]; len(in) > 0; {
		if in[0] != '\\' {
			out, in = append(out, in[0]), in[1:]
			continue
		}
		if short, ok := escapes[in[1]]; ok {
			out, in = append(out, short), in[2:]
			continue
		}
		r := hex(in[2:6])
		in = in[6:]
		if low := lowSurrogate(in); 0xd800 <= r && r < 0xdc00 && low > 0 {
			r, in = 0x10000+(r-0xd800)<<10+(low-0xdc00), in[6:]
		}
		out = utf8.AppendRune(out, r)
	}
	*s = out
	return nil
}

// MarshalJSON keeps a secret from ever being written.
func (Secret) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

var stringType = reflect.TypeFor[string]()

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// hex reads four digits that the decoder has checked.
func hex(digits []byte) (r rune) {
	for _, c := range digits {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r
}

// lowSurrogate is the second half of a character beyond the first plane, 0 where
// there is none.
func lowSurrogate(in []byte) rune {
	if len(in) < 6 || in[0] != '\\' || in[1] != 'u' {
		return 0
	}
	if r := hex(in[2:6]); 0xdc00 <= r && r < 0xe000 {
		return r
	}
	return 0
}

// Secrets are passphrases by the name of the file that they open.
type Secrets map[string]Secret

func (s Secrets) forget() {
	for _, secret := range s {
		clear(secret)
	}
}
