package report

import (
	"archive/tar"
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

var explained = []struct {
	name    string
	finding pki.Finding
	en, zh  string
}{
	{
		"subject is a role", pki.New("not-ca", string(pki.EtcdPeerCA)),
		"etcd peer CA: is not a CA certificate (basicConstraints lacks CA:TRUE).",
		"etcd 对等 CA：不是 CA 证书（basicConstraints 中没有 CA:TRUE）。",
	}, {
		"subject stands in the chain of a role", pki.New("not-ca", string(pki.Intermediate)+"#2"),
		"intermediate CA (certificate 2 of its chain): is not a CA certificate (basicConstraints lacks CA:TRUE).",
		"中间 CA（其证书链中第 2 张）：不是 CA 证书（basicConstraints 中没有 CA:TRUE）。",
	}, {
		"subject is a file that is called like a place in a chain", pki.New("not-ca", "root#\x1b[2J"),
		`root#\x1b[2J: is not a CA certificate (basicConstraints lacks CA:TRUE).`,
		`root#\x1b[2J：不是 CA 证书（basicConstraints 中没有 CA:TRUE）。`,
	}, {
		"subject is a path", pki.New("not-ca", "tls/server-ca.crt"),
		"tls/server-ca.crt: is not a CA certificate (basicConstraints lacks CA:TRUE).",
		"tls/server-ca.crt：不是 CA 证书（basicConstraints 中没有 CA:TRUE）。",
	}, {
		"no subject", pki.New("archive-unreadable", "", "detail", "no entries"),
		"The archive cannot be read: no entries.",
		"无法读取归档：没有任何条目。",
	}, {
		"an argument holds roles", pki.New("shared-trust", "", "roots", "R", "roles", "server-ca, client-ca"),
		"These CAs have trust anchors in common: server CA, client CA (R).",
		"以下 CA 有共同的信任锚：服务端 CA、客户端 CA（R）。",
	}, {
		"an argument is called subject", pki.New("chain-is-root", "root", "subject", "Sub CA"),
		"root CA: \"Sub CA\" is self-signed: a root stands where a CA below a root belongs.",
		"根 CA：“Sub CA”是自签名的：此处应为根 CA 之下的 CA，却给了一个根 CA。",
	}, {
		"a name that looks like a role stays a name", pki.New("key-mismatch", "client-ca", "certificate", "root"),
		"client CA: the private key does not belong to the certificate \"root\".",
		"客户端 CA：私钥与证书“root”不匹配。",
	}, {
		"a value that looks like a placeholder stays a value", pki.New("key-mismatch", "{certificate}", "certificate", "{subject}"),
		"{certificate}: the private key does not belong to the certificate \"{subject}\".",
		"{certificate}：私钥与证书“{subject}”不匹配。",
	}, {
		"a value is missing", pki.New("key-mismatch", "client-ca"),
		"client CA: the private key does not belong to the certificate \"?\".",
		"客户端 CA：私钥与证书“?”不匹配。",
	}, {
		"a code of a later version", pki.Finding{Code: "not-yet", Severity: pki.Notice, Subject: "\x1b[2J"},
		`notice: not-yet (\x1b[2J)`, `notice: not-yet (\x1b[2J)`,
	},
}

func TestExplain(t *testing.T) {
	for _, c := range explained {
		t.Run(c.name, func(t *testing.T) {
			if got := Explain(c.finding, English).What; got != c.en {
				t.Errorf("\n got %s\nwant %s", got, c.en)
			}
			if got := Explain(c.finding, Chinese).What; got != c.zh {
				t.Errorf("\n got %s\nwant %s", got, c.zh)
			}
		})
	}
}

// No value gets through to the terminal raw, whichever argument or sentence it
// comes by.
func TestForeignValuesCannotBreakTheTerminal(t *testing.T) {
	const hostile = "a\x1b]0;title\x07\x1b[2Jb\r\nc\x00\u009b31m\u202eevil\u2066\u2069\u200b\ufeff\u2028\xff"
	for _, code := range pki.Codes() {
		m, _ := lookup(catalogue, code)
		f := sampleFinding(code, m)
		f.Subject = hostile
		for name := range f.Args {
			f.Args[name] = hostile
		}
		for _, lang := range []Lang{English, Chinese} {
			for part, s := range (column{lang, Explain(f, lang)}).sentences() {
				for _, r := range s {
					if r < 0x20 || r >= 0x7f && r < 0xa0 || r == utf8.RuneError ||
						r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
						t.Fatalf("%s, %s: %s lets %U through: %q", code, lang, part, r, s)
					}
				}
			}
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"CN=k3s-server-ca@1764000000, O=Käse & 北京", "CN=k3s-server-ca@1764000000, O=Käse & 北京"},
		{`C:\pki\root-ca.key`, `C:\pki\root-ca.key`},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"gnp.\u202etxt", `gnp.\u202etxt`},
		{"a\nerror: b\t", `a\nerror: b\t`},
		{"\u2066x\u2069\u200d", `\u2066x\u2069\u200d`},
		{"cut \xe5\x8c", `cut \xe5\x8c`},
		{"\ufffd is a character", "\ufffd is a character"},
		{strings.Repeat("北", 256), strings.Repeat("北", 256)},
		{strings.Repeat("北", 257), strings.Repeat("北", 256) + "..."},
	} {
		if got := Printable(c.in); got != c.want {
			t.Errorf("Printable(%q)\n got %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestEveryRoleHasANameInBothLanguages(t *testing.T) {
	names := map[string]pki.Role{}
	check := func(role pki.Role) {
		for _, lang := range []Lang{English, Chinese} {
			name := RoleName(role, lang)
			if name == string(role) {
				t.Errorf("role %s has no name in %s: add it to roles", role, lang)
			}
			if other, taken := names[name]; taken && other != role {
				t.Errorf("%s and %s have the same name %q", role, other, name)
			}
			names[name] = role
		}
	}
	for _, topology := range []pki.Topology{pki.Isolated, pki.Shared} {
		layout, err := k3s.Layout(pki.Plan{Topology: topology})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range layout.Rows {
			check(row.Role)
		}
	}
	check(pki.Service)
	check(pki.Lint)
	if got := RoleName("\x1b[2J", Chinese); got != `\x1b[2J` {
		t.Errorf("an unknown role is printed raw: %q", got)
	}
}

// The words that the core itself puts into arguments are told in Chinese too.
func TestWordsOfTheCoreAreTranslated(t *testing.T) {
	english := regexp.MustCompile(`[A-Za-z]+ [a-z]+ [a-z]+|[a-z]+ [a-z]+`)
	for argument, texts := range argumentLiterals(t) {
		for _, text := range texts {
			if r := coreReplacer(argument); english.MatchString(text) && (r == nil || english.MatchString(r.Replace(text))) {
				t.Errorf("argument %s can hold %q: add it to coreWords[%q]", argument, text, argument)
			}
		}
	}
	for want, err := range map[string]error{
		"“tls/x”（符号链接）":              refusedArchive(&tar.Header{Name: "tls/x", Typeflag: tar.TypeSymlink, Linkname: "/etc"}),
		"“tls/x”（硬链接）":               refusedArchive(&tar.Header{Name: "tls/x", Typeflag: tar.TypeLink, Linkname: "/etc"}),
		"“tls/x”（设备文件）":              refusedArchive(&tar.Header{Name: "tls/x", Typeflag: tar.TypeBlock}),
		"“tls/x”（管道）":                refusedArchive(&tar.Header{Name: "tls/x", Typeflag: tar.TypeFifo}),
		"“tls/../../x”（不安全的名称）":      refusedArchive(&tar.Header{Name: "tls/../../x", Typeflag: tar.TypeReg}),
		"“tls/x”（特殊条目）":              refusedArchive(&tar.Header{Name: "tls/x", Typeflag: 'Z'}),
		"big：超过 1048576 字节。":         refusedPEM("big", strings.Repeat("x", 1<<20+1)),
		"f：在第 3 行结束的 PEM 块无法解码：标记之间": refusedPEM("f", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
	} {
		refusal, ok := err.(*pki.Refusal)
		if !ok {
			t.Fatalf("%s: not refused: %v", want, err)
		}
		if got := Explain(refusal.Findings[0], Chinese).What; !strings.Contains(got, want) {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	if got, want := Explain(normalised(t), Chinese).What, "f：读取时已规范化：字节序标记（BOM）、CR 换行符、末尾缺少换行符、块外有文字。"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func refusedArchive(h *tar.Header) error {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err := pki.ReadArchive(&b, pki.DefaultLimits)
	return err
}

func refusedPEM(name, text string) error {
	_, _, err := pki.ParseCertificates(name, []byte(text))
	return err
}

// normalised returns the notice about a key file with every wart that is taken.
func normalised(t *testing.T) pki.Finding {
	t.Helper()
	key, err := pki.Random{}.Key(t.Context(), pki.Root, pki.P256)
	if err != nil {
		t.Fatal(err)
	}
	text, err := pki.ExportPEM(key)
	if err != nil {
		t.Fatal(err)
	}
	warts := "\xef\xbb\xbfnote\r\n" + strings.TrimSuffix(string(text), "\n")
	_, found, err := pki.ParseKeys("f", []byte(warts))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}
