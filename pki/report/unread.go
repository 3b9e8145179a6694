package report

import (
	"bytes"
	"encoding/pem"
	"slices"
	"strconv"
	"strings"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// need is what k3s takes from one of the files that lie on a server.
type need struct {
	takes func(*pem.Block) bool
	first bool // the first alone
}

var (
	everyCertificate = need{takes: k3s.IsCertificate}
	firstKey         = need{takes: k3s.IsPrivateKey, first: true}
	// everyServiceKey: whatever the type of a block says (see k3s.ServiceKeys).
	everyServiceKey = need{takes: func(b *pem.Block) bool { return b.Type != "EC PARAMETERS" }}
)

func (n need) of(blocks []*pem.Block) []*pem.Block {
	return slices.DeleteFunc(slices.Clone(blocks), func(b *pem.Block) bool { return !n.takes(b) })
}

// onServer returns the findings about a file as it lies on a server, and whether
// k3s reads there what stands there. What is put right on reading, with a
// notice, is right for what rootkiln writes anew; k3s puts nothing right, and
// where it misses a block for that the notice gives way to an error.
func (h *holding) onServer(n need) (found []pki.Finding, read bool) {
	bare := make([]*pem.Block, len(h.blocks))
	for i, b := range h.blocks {
		bare[i] = &pem.Block{Type: b.Type, Bytes: b.Bytes}
	}
	there, taken := n.of(bare), n.of(k3s.Blocks(h.file.Data))
	if n.first {
		read = sameBlocks(there[:min(1, len(there))], taken[:min(1, len(taken))])
	} else {
		read = sameBlocks(there, taken)
	}
	if read || len(there) == 0 { // a file that was refused has no blocks
		return h.found, read
	}
	found = slices.DeleteFunc(slices.Clone(h.found), func(f pki.Finding) bool { return f.Code == "pem-normalised" })
	return append(found, pki.New("pem-unread", h.file.Path,
		"read", strconv.Itoa(len(taken)), "blocks", strconv.Itoa(len(there)), "what", strings.Join(h.obstacles(), ", "))), false
}

func sameBlocks(a, b []*pem.Block) bool {
	return slices.EqualFunc(a, b, func(a, b *pem.Block) bool { return bytes.Equal(a.Bytes, b.Bytes) })
}

// obstacles are what keeps Go's reader from a block that ours finds.
func (h *holding) obstacles() []string {
	var out []string
	for _, o := range []struct {
		name string
		is   bool
	}{
		{"byte order mark", bytes.HasPrefix(h.file.Data, []byte("\xef\xbb\xbf"))},
		{"CR line ends", bytes.ContainsRune(bytes.ReplaceAll(h.file.Data, []byte("\r\n"), nil), '\r')},
		{"headers in a block", slices.ContainsFunc(h.blocks, func(b *pem.Block) bool { return b.Type == "CERTIFICATE" && len(b.Headers) > 0 })},
		{"JSON around the blocks", bytes.HasPrefix(bytes.TrimSpace(h.file.Data), []byte("{"))},
	} {
		if o.is {
			out = append(out, o.name)
		}
	}
	return out
}
