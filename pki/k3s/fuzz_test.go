package k3s_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Whatever is in the file, the token is one of the three, and the last second of
// a hash is the last.
func FuzzComputeToken(f *testing.F) {
	root, old := newCA(f, "root", nil), newCA(f, "old", nil, ends(100*time.Hour))
	cross := certify(f, "root", root.key, old)
	leaf := newCA(f, "server-ca", root)
	for _, seed := range [][]byte{
		file(leaf), file(leaf, root), file(leaf, root, cross, old), file(leaf, cross, old), file(root, leaf),
		bytes.TrimSpace(file(leaf, root)), bytes.ReplaceAll(file(leaf, root), []byte("\n"), []byte("\r\n")),
	} {
		f.Add(seed, int64(0))
		f.Add(seed, int64(200*3600))
	}
	f.Fuzz(func(t *testing.T, data []byte, later int64) {
		if later < 0 || later > 1<<32 {
			return
		}
		at := now.Add(time.Duration(later) * time.Second)
		token, err := k3s.ComputeToken(data, at)
		if err != nil {
			return
		}
		if token.Mode != k3s.TokenRoot {
			if sum := sha256.Sum256(data); token.Hash != hex.EncodeToString(sum[:]) || !token.Until.IsZero() {
				t.Errorf("%+v", token)
			}
			return
		}
		if token.Hash != pki.Fingerprint(token.Root) || token.Until.Before(at) {
			t.Errorf("%+v", token)
		}
		last, err := k3s.ComputeToken(data, token.Until)
		if err != nil || last.Hash != token.Hash {
			t.Errorf("at the last second: %+v %v", last, err)
		}
		after, err := k3s.ComputeToken(data, token.Until.Add(time.Second))
		if err != nil || after.Hash == token.Hash {
			t.Errorf("a second later: %+v %v", after, err)
		}
	})
}
