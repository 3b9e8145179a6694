package engine_test

import (
	"encoding/json"
	"testing"

	"rootkiln/wasm/engine"
)

// A secret is what encoding/json reads as a string, and is never written.
func FuzzSecret(f *testing.F) {
	for _, s := range []string{`""`, `"plain"`, `"口令"`, `"a\"b\\c\/\b\f\n\r\t"`, `"\u00e9\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"\ude00\ud83d\ud83d\ude00"`, `null`, `1`, `{}`, `"\x"`, "\"\xff\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want *string
		var got engine.Secret
		wantErr, gotErr := json.Unmarshal([]byte(text), &want), json.Unmarshal([]byte(text), &got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("%q: %v, %v", text, wantErr, gotErr)
		}
		if gotErr != nil {
			return
		}
		if want == nil {
			want = new(string)
		}
		// Bytes that are no UTF-8 stay as they came: a passphrase is bytes.
		if data, err := json.Marshal(got); err != nil || string(data) != "null" {
			t.Fatalf("%s, %v", data, err)
		}
		if again, _ := json.Marshal(*want); string(got) != *want && string(again) == text {
			t.Fatalf("%q: %q, want %q", text, got, *want)
		}
	})
}
