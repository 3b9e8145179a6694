package report

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"rootkiln/pki"
)

// Bounds of what a foreign bundle can make us do.
const (
	maxObjects = 5000    // certificates and keys of one bundle
	maxKeyDER  = 6 << 10 // RSA 8192 has 4.7 kB; larger ones take seconds to check
	maxRSABits = 8192    // as crypto/tls: larger keys only cost time
)

// Place is where something stands.
type Place struct {
	File  string `json:"file"`
	Field string `json:"field,omitempty"` // inside JSON: tls.crt, users/default/client-certificate-data
	Index int    `json:"index"`           // from 1, among the certificates (or keys) there
}

// String is the form in which findings name a place: the path alone for the
// first in a file.
func (p Place) String() string {
	s := p.File
	if p.Field != "" {
		s += "#" + p.Field
	}
	if p.Index > 1 {
		s += "#" + strconv.Itoa(p.Index)
	}
	return s
}

// node is one certificate, however many copies of it there are.
type node struct {
	cert    *x509.Certificate
	places  []Place
	issuers []*node // by verified signature, the best first; not itself
	self    bool    // signed by its own key, under its own name
}

// heldKey is one private key block.
type heldKey struct {
	place  Place
	format string        // PEM type
	signer crypto.Signer // nil: encrypted, in a TPM or not readable
}

// holding is what one file holds.
type holding struct {
	file   *pki.File
	nodes  []*node
	keys   []*heldKey
	blocks []*pem.Block
	found  []pki.Finding
	// references are the certificate files that a kubeconfig names.
	references []string
	// broken: something in the file could not be read, so what k3s would take
	// from it is not what stands here.
	broken bool
}

// reading is a bundle read as far as it goes: what is broken in one file hides
// nothing of the others.
type reading struct {
	files   []*holding // that hold something, or should
	nodes   []*node    // in the order of their first places
	byHash  map[string]*node
	objects int
	limit   int           // of objects
	public  bool          // private keys are passed over
	found   []pki.Finding // about the whole
}

func read(b pki.Bundle) *reading {
	r := &reading{byHash: map[string]*node{}, limit: maxObjects}
	r.scan(b)
	link(r.nodes)
	return r
}

// scan reads every file and follows no signature.
func (r *reading) scan(b pki.Bundle) {
	for i := range b.Files {
		h := &holding{file: &b.Files[i]}
		r.readFile(h)
		if len(h.blocks)+len(h.found)+len(h.references) > 0 {
			r.files = append(r.files, h)
		}
	}
}

// holds returns the holding of a path, nil if there is nothing.
func (r *reading) holds(file string) *holding {
	i := slices.IndexFunc(r.files, func(h *holding) bool { return h.file.Path == file })
	if i < 0 {
		return nil
	}
	return r.files[i]
}

func (r *reading) readFile(h *holding) {
	data := bytes.TrimLeft(h.file.Data, " \t\r\n")
	named := slices.Contains(endings, path.Ext(h.file.Path)) // as a certificate or key
	switch {
	case path.Base(h.file.Path) == dynamicCert, len(data) > 0 && data[0] == '{':
		r.readJSON(h, data)
	case hasPEM(data) || named:
		r.readPEM(h, "", h.file.Data)
	}
	if named && len(h.blocks) == 0 && len(h.found) == 0 {
		h.fail(pki.New("pem-none", h.file.Path, "want", wanted(h.file.Path)))
	}
}

func wanted(file string) string {
	if path.Ext(file) == ".key" {
		return "PRIVATE KEY"
	}
	return "CERTIFICATE"
}

// hasPEM looks for a line that begins a block.
func hasPEM(data []byte) bool {
	begin := []byte("-----BEGIN ")
	return bytes.HasPrefix(data, begin) || bytes.Contains(data, append([]byte("\n"), begin...)) ||
		bytes.HasPrefix(data, append([]byte("\xef\xbb\xbf"), begin...))
}

// document is what is read of a JSON file: a Secret (dynamic-cert.json is one
// without kind) or a kubeconfig. encoding/json decodes the base64.
type document struct {
	Data     map[string]json.RawMessage `json:"data"`
	Clusters []struct {
		Name    string `json:"name"`
		Cluster struct {
			Authority     []byte `json:"certificate-authority-data"`
			AuthorityFile string `json:"certificate-authority"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		Name string `json:"name"`
		User struct {
			Certificate     []byte `json:"client-certificate-data"`
			CertificateFile string `json:"client-certificate"`
			Key             []byte `json:"client-key-data"`
		} `json:"user"`
	} `json:"users"`
}

// dynamicCert is the file in which the supervisor keeps its serving certificate.
const dynamicCert = "dynamic-cert.json"

func (r *reading) readJSON(h *holding, data []byte) {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		if path.Base(h.file.Path) == dynamicCert { // other JSON is none of ours
			h.fail(pki.New("serving-unreadable", h.file.Path, "detail", plain(err)))
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(d.Data)) {
		var value []byte
		if json.Unmarshal(d.Data[name], &value) == nil && hasPEM(value) {
			r.readPEM(h, name, value)
		}
	}
	for _, c := range d.Clusters {
		h.refer(c.Cluster.AuthorityFile)
		r.readField(h, "clusters/"+c.Name+"/certificate-authority-data", c.Cluster.Authority)
	}
	for _, u := range d.Users {
		h.refer(u.User.CertificateFile)
		r.readField(h, "users/"+u.Name+"/client-certificate-data", u.User.Certificate)
		r.readField(h, "users/"+u.Name+"/client-key-data", u.User.Key)
	}
	if path.Base(h.file.Path) == dynamicCert && len(h.blocks) == 0 && len(h.found) == 0 {
		h.fail(pki.New("pem-none", h.file.Path, "want", "CERTIFICATE"))
	}
}

func (h *holding) refer(file string) {
	if file != "" {
		h.references = append(h.references, file)
	}
}

func (r *reading) readField(h *holding, field string, data []byte) {
	if len(data) > 0 {
		r.readPEM(h, field, data)
	}
}

func (r *reading) readPEM(h *holding, field string, data []byte) {
	subject := Place{File: h.file.Path, Field: field}.String()
	blocks, found, err := pki.DecodePEM(subject, data)
	h.found = append(h.found, found...)
	if refusal := (*pki.Refusal)(nil); errors.As(err, &refusal) {
		h.fail(refusal.Findings...)
	}
	h.blocks = append(h.blocks, blocks...)
	certs, keys := 0, 0
	for _, block := range blocks {
		place := Place{File: h.file.Path, Field: field}
		switch {
		case block.Type == "CERTIFICATE":
			certs++
			place.Index = certs
			r.addCertificate(h, place, block.Bytes)
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			keys++
			place.Index = keys
			r.addKey(h, place, block)
		}
	}
}

// room counts what is read and stops at the bound, with one finding.
func (r *reading) room() bool {
	if r.objects++; r.objects == r.limit+1 {
		r.found = append(r.found, pki.New("bundle-too-large", "", "limit", fmt.Sprintf("%d entries", r.limit)))
	}
	return r.objects <= r.limit
}

func (r *reading) addCertificate(h *holding, place Place, der []byte) {
	if !r.room() {
		h.broken = true
		return
	}
	n := r.byHash[string(der)]
	if n == nil {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			subject := Place{File: place.File, Field: place.Field}.String()
			h.fail(pki.New("certificate-parse", subject, "index", strconv.Itoa(place.Index), "detail", plain(err)))
			return
		}
		n = &node{cert: cert}
		r.byHash[string(der)] = n
		r.nodes = append(r.nodes, n)
	}
	n.places = append(n.places, place)
	h.nodes = append(h.nodes, n)
}

func (r *reading) addKey(h *holding, place Place, block *pem.Block) {
	if r.public {
		return
	}
	if !r.room() {
		h.broken = true
		return
	}
	k := &heldKey{place: place, format: block.Type}
	h.keys = append(h.keys, k)
	parse, known := keyParsers[block.Type]
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		h.fail(pki.New("key-encrypted", place.String()))
		return
	case block.Type == "TSS2 PRIVATE KEY":
		h.fail(pki.New("key-tpm", place.String()))
		return
	case !known:
		h.fail(pki.New("pem-type", place.String(), "type", block.Type, "want", "PRIVATE KEY"))
		return
	case len(block.Bytes) > maxKeyDER:
		h.fail(pki.New("key-unsupported", place.String(), "key", block.Type))
		return
	}
	key, err := parse(block.Bytes)
	if err != nil {
		h.fail(pki.New("key-parse", place.String(), "detail", plain(err)))
		return
	}
	signer, ok := key.(crypto.Signer)
	if !ok { // X25519
		h.fail(pki.New("key-unsupported", place.String(), "key", fmt.Sprintf("%T", key)))
		return
	}
	k.signer = signer
}

// keyParsers are the forms of private keys that k3s reads.
var keyParsers = map[string]func([]byte) (any, error){
	"RSA PRIVATE KEY": func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
	"EC PRIVATE KEY":  func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
	"PRIVATE KEY":     x509.ParsePKCS8PrivateKey,
}

func (h *holding) fail(found ...pki.Finding) {
	h.found, h.broken = append(h.found, found...), true
}

// costly reports keys that are not computed with, whatever they would say.
func costly(pub crypto.PublicKey) bool {
	k, ok := pub.(*rsa.PublicKey)
	return ok && k.N.BitLen() > maxRSABits
}

// plain is the text of a library's error without the name of the library.
func plain(err error) string {
	s := err.Error()
	for _, prefix := range []string{"x509: ", "asn1: ", "json: ", "crypto/rsa: "} {
		s = strings.ReplaceAll(s, prefix, "")
	}
	return s
}
