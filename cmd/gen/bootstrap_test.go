package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bootstrapValue is a script that makes what k3s keeps in its datastore, with
// other libraries than ours; Debian's Python has them (python3-cryptography).
var bootstrapValue = func() string {
	name, err := filepath.Abs("testdata/bootstrap_value.py")
	if err != nil {
		panic(err)
	}
	return name
}()

func init() {
	sealed := func(form, out string) string {
		return " && /usr/bin/python3 " + bootstrapValue + " " + form + " " + out + " server token"
	}
	needs := "rootkiln bundle -q --service-alg p256 && mkdir server && tar -xf tls.tar.gz -C server" +
		" && printf throwaway-password > token && openssl rand -hex 16 > new-token && chmod 600 token new-token" +
		sealed("value", "value") + sealed("wal", "state.db")
	for _, command := range []string{"", " list", " extract", " compare", " rekey"} {
		exampleNeeds["rootkiln bootstrap"+command] = needs
	}
	exampleNeeds["rootkiln admin"] = exampleBundle
}

// TestBootstrapShowsNoSecret: neither what is listed nor what goes wrong brings
// a token, or anything out of a key, to the screen.
func TestBootstrapShowsNoSecret(t *testing.T) {
	dir := t.TempDir()
	const password = "zebra-Ölfaß-7f3a-password"
	shell := func(line string) string {
		cmd := exec.Command("sh", "-eu", "-c", line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	shell("rootkiln bundle -q --ca-alg rsa2048 && mkdir -p server/cred && tar -xf tls.tar.gz -C server && echo zebra-psk > server/cred/ipsec.psk" +
		" && echo zebra-user > server/cred/passwd && printf 'K10%064d::server:" + password + "' 1 > token && printf zebra-agent.x > bad" +
		" && printf 'K10zebra::x' > odd && printf zebra-short > new && cp token server/token && chmod 600 token bad odd new" +
		" && /usr/bin/python3 " + bootstrapValue + " value value server token && /usr/bin/python3 " + bootstrapValue + " wal state.db server token")
	var shown strings.Builder
	for _, line := range []string{
		"rootkiln bootstrap list value --token-file token -v",
		"rootkiln bootstrap list value --token-file token -o wide",
		"rootkiln bootstrap list state.db --token-file token -o json",
		"! rootkiln bootstrap list value --token-file bad",
		"! rootkiln bootstrap list value --token-file odd",
		"! rootkiln bootstrap list token --token-file token",
		"! rootkiln bootstrap list server/tls/service.key --token-file token",
		`! rootkiln bootstrap list "$(cat server/tls/service.key)" --token-file token`,
		"! rootkiln bootstrap list value --token-file server/tls/service.key",
		"rootkiln bootstrap extract value --token-file token -v --output json",
		"rootkiln bootstrap compare value server --token-file token -o yaml",
		"rootkiln bootstrap rekey value --token-file token --new-token-file new -v",
		"! rootkiln bootstrap rekey value --token-file token --new-token-file odd --out never",
		"rootkiln admin tls.tar.gz -v",
		"rootkiln admin server --certificate --output json",
		"! rootkiln admin server/tls/service.key",
		"! rootkiln admin server --out x --server https://zebra:zebra@h:1",
	} {
		shown.WriteString(shell(line))
	}
	text := strings.ReplaceAll(shown.String(), "https://zebra:zebra@h:1", "") // no secret: it was an argument
	for _, secret := range append(keyLines(t, dir), "zebra", "Ölfaß", "PRIVATE KEY-----") {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("shown: ...%s...", text[max(0, at-200):min(len(text), at+len(secret)+50)])
		}
	}
}
