package lint

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A Judge is an implementation of certification path validation.
type Judge struct {
	Name    string
	Tools   []Tool
	Version []string // the command that prints it
	Verify  func(context.Context, []Chain) ([]Verdict, error)
}

// A Verdict is what a Judge says of one Chain. An error of Verify is something
// else: the judge could not be asked.
type Verdict struct {
	Accepts bool
	Reason  string // of a rejection
}

func (v Verdict) String() string {
	if v.Accepts {
		return "accepts it"
	}
	return "rejects it: " + v.Reason
}

// A Tool is a program, header or library that a Judge is made of.
type Tool struct {
	Probe   []string // fails where the tool is missing
	Package string   // of Debian; empty for what npm ci installs
}

const (
	goX509  = "Go"
	openSSL = "OpenSSL"
	gnuTLS  = "GnuTLS"
	nss     = "NSS"
	java    = "Java"
	mbedTLS = "mbedTLS"
	pkiJS   = "PKI.js"
)

var judges = []Judge{
	{
		Name:    goX509,
		Version: []string{"go", "version"},
		Verify:  verifyGo,
	},
	{
		Name:    openSSL,
		Tools:   []Tool{{program("openssl"), "openssl"}},
		Version: []string{"openssl", "version"},
		Verify:  oneByOne(opensslVerify, "chain.pem: OK", "verification failed"),
	},
	{
		Name:    gnuTLS,
		Tools:   []Tool{{program("certtool"), "gnutls-bin"}},
		Version: []string{"certtool", "--version"},
		Verify:  oneByOne(certtoolVerify, "Chain verification output: Verified.", "Chain verification output: Not verified."),
	},
	{
		Name:    nss,
		Tools:   []Tool{{program("vfychain"), "libnss3-tools"}},
		Version: []string{"dpkg-query", "--show", "libnss3"},
		Verify:  oneByOne(vfychain, "Chain is good!", "Chain is bad!"),
	},
	{
		Name:    java,
		Tools:   []Tool{{program("javac"), "default-jdk-headless"}},
		Version: []string{"java", "--version"},
		Verify:  inBatch(pkixDriver),
	},
	{
		Name: mbedTLS,
		Tools: []Tool{
			{program("gcc"), "gcc"},
			{[]string{"gcc", "-E", "-include", "mbedtls/x509_crt.h", "-x", "c", "/dev/null"}, "libmbedtls-dev"},
		},
		Version: []string{"dpkg-query", "--show", "libmbedtls-dev"},
		Verify:  inBatch(mbedtlsDriver),
	},
	{
		Name:    pkiJS,
		Tools:   []Tool{{program("node"), "nodejs"}, {[]string{"test", "-e", "node_modules/pkijs/package.json"}, ""}},
		Version: []string{"node", "-p", `require("./node_modules/pkijs/package.json").version`},
		Verify:  inBatch(pkijsDriver),
	},
}

func program(name string) []string {
	return []string{"sh", "-c", "command -v " + name}
}

// missingTools is the command that installs what the judges lack, or "".
var missingTools = sync.OnceValue(func() string {
	var packages, commands []string
	npm := false
	for _, judge := range judges {
		for _, tool := range judge.Tools {
			if exec.Command(tool.Probe[0], tool.Probe[1:]...).Run() == nil {
				continue
			}
			if tool.Package == "" {
				npm = true
				continue
			}
			packages = append(packages, tool.Package)
		}
	}
	if len(packages) > 0 {
		commands = append(commands, "apt-get install -y --no-install-recommends "+strings.Join(packages, " "))
	}
	if npm {
		commands = append(commands, "npm ci --prefix e2e/lint")
	}
	return strings.Join(commands, " && ")
})

// judge asks every judge about every chain; verdicts come by the judge's name,
// in the order of the chains.
func judge(t *testing.T, chains []Chain) map[string][]Verdict {
	t.Helper()
	if install := missingTools(); install != "" {
		t.Fatalf("judges are missing; install them with: %s", install)
	}
	verdicts := make([][]Verdict, len(judges))
	errs := make([]error, len(judges))
	var wg sync.WaitGroup
	for i, judge := range judges {
		wg.Go(func() {
			verdicts[i], errs[i] = judge.Verify(t.Context(), chains)
			if errs[i] == nil && len(verdicts[i]) != len(chains) {
				errs[i] = fmt.Errorf("%d verdicts for %d chains", len(verdicts[i]), len(chains))
			}
			if errs[i] != nil {
				errs[i] = fmt.Errorf("asking %s: %w", judge.Name, errs[i])
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	byName := make(map[string][]Verdict, len(judges))
	for i, judge := range judges {
		byName[judge.Name] = verdicts[i]
		tally.verdicts[judge.Name] += len(verdicts[i])
	}
	tally.chains += len(chains)
	return byName
}

// The sets of judges that the tests speak of.
func only(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

func except(names ...string) func(string) bool {
	return func(name string) bool { return !slices.Contains(names, name) }
}

var (
	nobody    = only()
	everybody = except()
)
