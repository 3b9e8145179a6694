package k3s

import (
	"encoding/pem"
	"strings"
)

// Blocks returns the PEM blocks that k3s finds in a file, which are those of
// Go's decoder: behind a BEGIN at the very start of a line, up to an END that
// ends one, with LF or CRLF. All else it passes over without a word.
func Blocks(file []byte) []*pem.Block {
	var blocks []*pem.Block
	for {
		var block *pem.Block
		if block, file = pem.Decode(file); block == nil {
			return blocks
		}
		blocks = append(blocks, block)
	}
}

// IsCertificate reports whether k3s takes a block for a certificate. With headers
// it does not (client-go util/cert, ParseCertsPEM).
func IsCertificate(b *pem.Block) bool { return b.Type == "CERTIFICATE" && len(b.Headers) == 0 }

// IsPrivateKey reports whether a block is one of those of which a CA's key file
// needs one: k3s takes the first (crypto/tls, X509KeyPair).
func IsPrivateKey(b *pem.Block) bool {
	return b.Type == "PRIVATE KEY" || strings.HasSuffix(b.Type, " PRIVATE KEY")
}
