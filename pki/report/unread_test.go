package report_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

const (
	bom       = "\xef\xbb\xbf"
	clientKey = "tls/client-ca.key"
)

// stored is a way in which one of the eleven files can lie on a server.
type stored struct {
	name          string
	change        func(c *cluster, clean []byte) []byte
	inGo, openSSL int      // certificates, or private keys, that each reads
	want          []string // code and subject
	told          string   // by pem-unread: read/blocks what; empty: none
}

func swap(pairs ...string) func(*cluster, []byte) []byte {
	return func(_ *cluster, clean []byte) []byte {
		return []byte(strings.NewReplacer(pairs...).Replace(string(clean)))
	}
}

func before(text string) func(*cluster, []byte) []byte {
	return func(_ *cluster, clean []byte) []byte { return append([]byte(text), clean...) }
}

// afterFirst puts something behind the first block.
func afterFirst(text string) func(*cluster, []byte) []byte {
	return func(_ *cluster, clean []byte) []byte {
		end := []byte("-----END CERTIFICATE-----\n")
		return bytes.Replace(clean, end, append(bytes.Clone(end), text...), 1)
	}
}

const begin = "-----BEGIN CERTIFICATE-----\n"

// A CA file is called sound if, and only if, k3s reads in it what stands there.
// The judges are Go, which is k3s, and OpenSSL, which takes more in some places
// and less in others.
func TestUnreadCertificates(t *testing.T) {
	normalised, unread := []string{"pem-normalised " + client}, []string{"pem-unread " + client}
	for _, l := range []stored{
		{"clean", swap(), 2, 2, nil, ""},
		{"byte order mark", before(bom), 1, 2, unread, "1/2 byte order mark"},
		{"byte order mark before a text", before(bom + "# CA\n"), 2, 2, normalised, ""},
		{"byte order mark before an empty line", before(bom + "\n"), 2, 2, normalised, ""},
		{"Notepad", func(_ *cluster, clean []byte) []byte {
			return append([]byte(bom), bytes.ReplaceAll(clean, []byte("\n"), []byte("\r\n"))...)
		}, 1, 2, unread, "1/2 byte order mark"},
		{"Windows line ends", swap("\n", "\r\n"), 2, 2, normalised, ""},
		{"line ends of old Macs", swap("\n", "\r"), 0, 0, unread, "0/2 CR line ends"},
		{"line ends doubled by a transfer", swap("\n", "\r\r\n"), 0, 2, unread, "0/2 CR line ends"},
		{"a comment that ends in CR", afterFirst("# root\r"), 1, 1, unread, "1/2 CR line ends"},
		{"a CR inside a comment", afterFirst("# the \r root\n"), 2, 2, normalised, ""},
		{"headers", swap(begin, begin+"Comment: from mail\n\n"), 0, -1, unread, "0/2 headers in a block"},
		{"headers in the first", func(_ *cluster, clean []byte) []byte {
			return bytes.Replace(clean, []byte(begin), []byte(begin+"Comment: from mail\n\n"), 1)
		}, 1, -1, unread, "1/2 headers in a block"},
		{"all of it", func(_ *cluster, clean []byte) []byte {
			return []byte(bom + strings.NewReplacer(begin, begin+"Comment: x\r\r", "\n", "\r").Replace(string(clean)))
		}, 0, -1, unread, "0/2 byte order mark, CR line ends, headers in a block"},
		{"no last newline", func(_ *cluster, clean []byte) []byte { return bytes.TrimSpace(clean) }, 2, 2, normalised, ""},
		{"text around", func(_ *cluster, clean []byte) []byte { return concat([]byte("# CA\n"), clean, []byte("end\n")) }, 2, 2, normalised, ""},
		{"a Secret", func(c *cluster, clean []byte) []byte { return secret(c.t, clean, nil) }, 0, 0, unread, "0/2 JSON around the blocks"},
	} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, pki.Isolated)
			c.t = t
			c.files[client] = l.change(c, pki.EncodeCertificates(c.order[pki.ClientCA]...))
			file := c.files[client]
			pool, n := x509.NewCertPool(), 0
			for rest := file; ; n++ { // the pool passes over what client-go does: what has headers
				var block *pem.Block
				if block, rest = pem.Decode(rest); block == nil {
					break
				}
				if !pool.AppendCertsFromPEM(pem.EncodeToMemory(block)) {
					n--
				}
			}
			if n != l.inGo {
				t.Errorf("Go reads %d, want %d", n, l.inGo)
			}
			if n := certificatesOfOpenSSL(t, file); n != l.openSSL {
				t.Errorf("OpenSSL reads %d, want %d", n, l.openSSL)
			}
			if l.judge(c, client) {
				runNormaliser(t, c, client)
			}
		})
	}
}

// Of a CA's key file k3s takes the first private key, headers or none.
func TestUnreadKeys(t *testing.T) {
	parameters := string(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}}))
	normalised, unread := []string{"pem-normalised " + clientKey}, []string{"pem-unread " + clientKey}
	other := func(lead string) func(*cluster, []byte) []byte {
		return func(c *cluster, clean []byte) []byte {
			return concat([]byte(lead), clean, keyPEM(c.t, newKey(c.t, pki.P256)))
		}
	}
	leftover := "key-leftover " + clientKey + "#2"
	for _, l := range []stored{
		{"clean", swap(), 1, 1, nil, ""},
		{"byte order mark", before(bom), 0, 1, unread, "0/1 byte order mark"},
		{"byte order mark before what nobody needs", before(bom + parameters), 1, 1, normalised, ""},
		{"line ends of old Macs", swap("\n", "\r"), 0, 0, unread, "0/1 CR line ends"},
		{"line ends doubled by a transfer", swap("\n", "\r\r\n"), 0, 1, unread, "0/1 CR line ends"},
		{"Windows line ends", swap("\n", "\r\n"), 1, 1, normalised, ""},
		{"headers", swap(" KEY-----\nM", " KEY-----\nComment: x\n\nM"), 1, 0, nil, ""},
		{"byte order mark, and another key behind", other(bom), 0, 1, append([]string{leftover}, unread...), "1/2 byte order mark"},
		{"a comment that ends in CR, and another key behind", func(c *cluster, clean []byte) []byte {
			return concat(clean, []byte("# old\r"), keyPEM(c.t, newKey(c.t, pki.P256)))
		}, 1, 1, append([]string{leftover}, normalised...), ""},
	} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, pki.Isolated)
			c.t = t
			c.files[clientKey] = l.change(c, c.files[clientKey])
			n := 0
			if _, err := tls.X509KeyPair(pki.EncodeCertificates(c.order[pki.ClientCA]...), c.files[clientKey]); err == nil {
				n = 1
			}
			if n != l.inGo {
				t.Errorf("Go loads %d, want %d", n, l.inGo)
			}
			if n := keyOfOpenSSL(t, c.files[clientKey]); n != l.openSSL {
				t.Errorf("OpenSSL reads %d, want %d", n, l.openSSL)
			}
			if l.judge(c, clientKey) {
				runNormaliser(t, c, clientKey)
			}
		})
	}
}

// Every key of service.key verifies tokens.
func TestUnreadServiceKeys(t *testing.T) {
	parameters := string(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}}))
	normalised, unread := []string{"pem-normalised " + serviceKey}, []string{"pem-unread " + serviceKey}
	behind := func(text string) func(*cluster, []byte) []byte {
		return func(c *cluster, clean []byte) []byte {
			return concat(clean, []byte(text), issue(c.t, pki.Plan{Topology: pki.Shared, Keys: quick}).Server.File(serviceKey).Data)
		}
	}
	for _, l := range []stored{
		{"clean", swap(), 1, 1, nil, ""},
		{"two", behind(""), 2, 1, nil, ""},
		{"byte order mark", before(bom), 0, 1, unread, "0/1 byte order mark"},
		{"byte order mark before what nobody needs", before(bom + parameters), 1, 1, normalised, ""},
		{"line ends of old Macs", swap("\n", "\r"), 0, 0, unread, "0/1 CR line ends"},
		{"the second behind a comment that ends in CR", behind("# old\r"), 1, 1, unread, "1/2 CR line ends"},
	} {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, pki.Isolated)
			c.t = t
			c.files[serviceKey] = l.change(c, c.files[serviceKey])
			if n := len(k3s.ServiceKeys(c.files[serviceKey])); n != l.inGo {
				t.Errorf("Kubernetes reads %d, want %d", n, l.inGo)
			}
			if n := keyOfOpenSSL(t, c.files[serviceKey]); n != l.openSSL {
				t.Errorf("OpenSSL reads %d, want %d", n, l.openSSL)
			}
			if l.judge(c, serviceKey) {
				runNormaliser(t, c, serviceKey)
			}
		})
	}
}

// judge compares what verify says of a file, and reports whether the advice to
// write it clean is for it.
func (l stored) judge(c *cluster, file string) bool {
	c.t.Helper()
	v := verify(c.t, c.bundle())
	wantLines(c.t, v.Findings, l.want...)
	told := ""
	for _, f := range v.Findings {
		if f.Code == "pem-unread" {
			told = f.Args["read"] + "/" + f.Args["blocks"] + " " + f.Args["what"]
		}
	}
	if told != l.told {
		c.t.Errorf("%s: told %q, want %q", file, told, l.told)
	}
	if tried, all := v.Probes.Go.Run, 18; (tried == all) != (told == "" || file == serviceKey) {
		c.t.Errorf("%s: %d of %d leaf certificates tried", file, tried, all) // with a pair that k3s does not have
	}
	return told != "" && !strings.Contains(told, "JSON")
}

// runNormaliser runs the command of the advice, after which k3s reads the file.
func runNormaliser(t *testing.T, c *cluster, file string) {
	t.Helper()
	_, rest, _ := strings.Cut(report.Explain(pki.New("pem-unread", file), report.English).Fix, "`")
	command, _, ok := strings.Cut(rest, "`")
	if !ok {
		t.Fatal("the advice has no command")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "FILE"), c.files[file], 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), "sh", "-euc", command)
	run.Dir = dir
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	var err error
	if c.files[file], err = os.ReadFile(filepath.Join(dir, "NEW")); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, c.bundle()); v.Count(pki.Error) > 0 {
		t.Errorf("after %s: %v", command, v.Findings)
	}
	if file == client && certificatesOfOpenSSL(t, c.files[file]) != 2 {
		t.Errorf("after %s, OpenSSL does not read the file", command)
	}
}

// certificatesOfOpenSSL counts what OpenSSL reads of a file; -1: it gives it up.
func certificatesOfOpenSSL(t *testing.T, file []byte) int {
	t.Helper()
	list, err := openssl(t, file, "crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin")
	if err != nil {
		return -1
	}
	names, err := openssl(t, list, "pkcs7", "-print_certs", "-noout")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(names, []byte("subject="))
}

// keyOfOpenSSL is 1 if OpenSSL reads the first key of a file.
func keyOfOpenSSL(t *testing.T, file []byte) int {
	t.Helper()
	if _, err := openssl(t, file, "pkey", "-noout"); err != nil {
		return 0
	}
	return 1
}

func openssl(t *testing.T, input []byte, args ...string) ([]byte, error) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is missing: apt-get install openssl")
	}
	command := exec.CommandContext(t.Context(), "openssl", args...)
	command.Stdin = bytes.NewReader(input)
	return command.Output()
}

// The other judgements of files on a server: what is offered to rotate-ca, and
// the check of a node. Not a copy that nothing reads any more, nor the mere list
// of what is in files.
func TestUnreadElsewhere(t *testing.T) {
	c := newCluster(t, pki.Isolated)
	marked := append([]byte(bom), pki.EncodeCertificates(c.order[pki.ClientCA]...)...)

	next := c.successor()
	next.files[server] = append([]byte(bom), pki.EncodeCertificates(c.order[pki.ServerCA]...)...)
	// The token is what k3s makes of what it does read.
	want, err := k3s.ComputeToken(next.files[server], issueTime.Time)
	if v := verify(t, next.bundle()); err != nil || v.Token == nil || v.Token.Hash != want.Hash || v.Topology != "" {
		t.Errorf("of a server CA that is not read whole: token %v, want %v; topology %q", v.Token, want, v.Topology)
	}

	next = c.successor()
	next.files[client] = marked
	if r := against(t, next.bundle(), c.bundle()); !slices.Contains(lines(r.Findings), "pem-unread "+client) {
		t.Errorf("verify --against: %v", r.Findings)
	}

	node := serverNode(c, issueTime.Time)
	for _, file := range []string{"server/" + client, "agent/client-ca.crt"} {
		node.File(file).Data = marked
	}
	node.Add("server/tls-1790000000/client-ca.crt", pki.KindChain, marked)
	r := checkAt(node, 1, 120)
	var unread []string
	for _, line := range lines(r.Findings) {
		if strings.HasPrefix(line, "pem-") {
			unread = append(unread, line)
		}
	}
	slices.Sort(unread)
	if want := []string{"pem-unread agent/client-ca.crt", "pem-unread server/" + client}; !slices.Equal(unread, want) || !r.Alarm {
		t.Errorf("check: %q, want %q; alarm %t", unread, want, r.Alarm)
	}

	inspection := report.Inspect(next.bundle(), issueTime)
	if got := lines(inspection.Findings); !slices.Equal(got, []string{"pem-normalised " + client}) {
		t.Errorf("inspect: %q", got)
	}
}
