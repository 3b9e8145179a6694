package lint

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A Chain is a leaf, the CAs that issued it and the root to trust, as the files
// that the judges read.
type Chain struct {
	Name     string
	Dir      string
	CAs      int    // between leaf and root
	Hostname string // to look for in the leaf; empty if none
	Purpose  Purpose
}

// A Purpose is what a leaf is to be accepted for.
type Purpose string

// The two purposes of Kubernetes.
const (
	Server Purpose = "server"
	Client Purpose = "client"
)

var extKeyUsages = map[Purpose]x509.ExtKeyUsage{
	Server: x509.ExtKeyUsageServerAuth,
	Client: x509.ExtKeyUsageClientAuth,
}

func (c Chain) root() string    { return filepath.Join(c.Dir, "root.pem") }
func (c Chain) chain() string   { return filepath.Join(c.Dir, "chain.pem") } // the leaf first, without the root
func (c Chain) ca(i int) string { return filepath.Join(c.Dir, fmt.Sprintf("ca-%d.pem", i)) }

// lay writes the files of a chain into a new directory: certificates is the DER
// of the leaf and its issuers in order, up to the root.
func lay(t *testing.T, chain Chain, certificates [][]byte) Chain {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "chain-")
	if err != nil {
		t.Fatal(err)
	}
	chain.Dir, chain.CAs = dir, len(certificates)-2
	blocks := make([][]byte, len(certificates))
	for i, der := range certificates {
		blocks[i] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	files := map[string][]byte{
		chain.root():  blocks[len(blocks)-1],
		chain.chain(): bytes.Join(blocks[:len(blocks)-1], nil),
	}
	for i := range chain.CAs {
		files[chain.ca(i)] = blocks[1+i]
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return chain
}
