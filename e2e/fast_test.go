package e2e

import (
	"reflect"
	"runtime"
	"testing"
)

var (
	topologies = []string{"isolated", "shared"}
	profiles   = []string{"strict", "upstream"}
	distros    = []string{"k3s", "rke2"}
	allInputs  = []func(testing.TB) inputs{
		nothing, ownRoot, ownIntermediate, corporateChain, oldServiceKey, sameServiceKey,
		everything, scriptFolder, names, nameConstraints,
	}

	// Every name that the --…-alg flags take.
	allAlgorithms = []string{"p256", "p384", "p521", "rsa2048", "rsa3072", "rsa4096"}
)

// cases hold every algorithm at every tier, and every topology with every
// profile, distribution and input. RSA-4096 is rare because its keys take
// seconds each; upstream's root and intermediate are RSA-4096 unless the case
// says otherwise, and isolated has five roots.
var cases = []struct {
	name string
	order
}{
	{"no flags", order{inputs: nothing}},

	// Every topology and profile.
	{"isolated strict", order{"isolated", "strict", "k3s", algorithms{}, nothing}},
	{"shared strict", order{"shared", "strict", "k3s", algorithms{}, nothing}},
	{"shared upstream", order{"shared", "upstream", "k3s", algorithms{}, nothing}},
	{"isolated upstream", order{"isolated", "upstream", "k3s", algorithms{"rsa3072", "rsa3072", "", ""}, nothing}},

	// RKE2.
	{"isolated strict rke2", order{"isolated", "strict", "rke2", algorithms{}, nothing}},
	{"shared strict rke2", order{"shared", "strict", "rke2", algorithms{}, nothing}},
	{"isolated upstream rke2", order{"isolated", "upstream", "rke2", algorithms{"rsa2048", "rsa2048", "", ""}, nothing}},
	{"shared upstream rke2", order{"shared", "upstream", "rke2", algorithms{"rsa2048", "rsa2048", "", ""}, nothing}},

	// Algorithms, each tier with another one than its neighbours.
	{"isolated p256 p384 p521 p384", order{"isolated", "strict", "k3s", algorithms{"p256", "p384", "p521", "p384"}, nothing}},
	{"isolated p521 p256 p384 p521", order{"isolated", "strict", "k3s", algorithms{"p521", "p256", "p384", "p521"}, nothing}},
	{"isolated p384 p521 rsa2048 p256", order{"isolated", "strict", "k3s", algorithms{"p384", "p521", "rsa2048", "p256"}, nothing}},
	{"isolated rsa2048 rsa3072 p256 rsa3072", order{"isolated", "strict", "k3s", algorithms{"rsa2048", "rsa3072", "p256", "rsa3072"}, nothing}},
	{"shared rsa3072 rsa2048 rsa3072 rsa2048", order{"shared", "strict", "k3s", algorithms{"rsa3072", "rsa2048", "rsa3072", "rsa2048"}, nothing}},
	{"shared p384 p384 rsa4096 rsa4096", order{"shared", "strict", "k3s", algorithms{ca: "rsa4096", service: "rsa4096"}, nothing}},
	{"shared upstream p384 p521 p256 p256", order{"shared", "upstream", "k3s", algorithms{"p384", "p521", "p256", "p256"}, nothing}},

	// What the operator has already.
	{"isolated own root", order{"isolated", "strict", "k3s", algorithms{}, ownRoot}},
	{"shared own root", order{"shared", "strict", "rke2", algorithms{}, ownRoot}},
	{"isolated own intermediate", order{"isolated", "strict", "rke2", algorithms{}, ownIntermediate}},
	{"shared own intermediate", order{"shared", "strict", "k3s", algorithms{}, ownIntermediate}},
	{"shared upstream own intermediate", order{"shared", "upstream", "k3s", algorithms{}, ownIntermediate}},
	{"isolated corporate chain", order{"isolated", "strict", "k3s", algorithms{}, corporateChain}},
	{"shared corporate chain", order{"shared", "strict", "k3s", algorithms{}, corporateChain}},
	{"isolated upstream corporate chain", order{"isolated", "upstream", "rke2", algorithms{root: "rsa2048"}, corporateChain}},
	{"isolated old service key", order{"isolated", "strict", "k3s", algorithms{service: "p256"}, oldServiceKey}},
	{"shared old service key", order{"shared", "strict", "rke2", algorithms{}, oldServiceKey}},
	{"isolated same service key", order{"isolated", "strict", "rke2", algorithms{}, sameServiceKey}},
	{"shared same service key", order{"shared", "strict", "k3s", algorithms{}, sameServiceKey}},
	{"isolated everything", order{"isolated", "strict", "k3s", algorithms{}, everything}},
	{"shared everything", order{"shared", "upstream", "rke2", algorithms{}, everything}},
	{"isolated script folder", order{"isolated", "strict", "k3s", algorithms{}, scriptFolder}},
	{"shared script folder", order{"shared", "upstream", "k3s", algorithms{}, scriptFolder}},
	{"isolated names", order{"isolated", "strict", "k3s", algorithms{}, names}},
	{"shared names", order{"shared", "strict", "rke2", algorithms{}, names}},
	{"isolated name constraints", order{"isolated", "strict", "rke2", algorithms{}, nameConstraints}},
	{"shared name constraints", order{"shared", "strict", "k3s", algorithms{}, nameConstraints}},
}

// TestBundles starts k3s on every case.
func TestBundles(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, failed := range judge(c.order.make(t)) {
				t.Errorf("%s: %v", failed.check, failed.err)
			}
		})
	}
}

// TestCasesAreComplete keeps the table honest when somebody thins it out.
func TestCasesAreComplete(t *testing.T) {
	need := map[string]bool{}
	for _, a := range allAlgorithms {
		for _, tier := range []string{"root", "intermediate", "ca", "service"} {
			need["algorithm "+tier+" "+a] = true
		}
	}
	for _, topology := range topologies {
		for _, profile := range profiles {
			for _, distro := range distros {
				need["shape "+topology+" "+profile+" "+distro] = true
			}
		}
		for _, in := range allInputs {
			need["inputs "+topology+" "+funcName(in)] = true
		}
	}
	for _, c := range cases {
		made := c.order.resolved()
		delete(need, "algorithm ca "+made.algorithms.ca)
		if funcName(c.inputs) == funcName(nothing) { // else not every tier is made
			delete(need, "algorithm root "+made.algorithms.root)
			delete(need, "algorithm intermediate "+made.algorithms.intermediate)
			delete(need, "algorithm service "+made.algorithms.service)
		}
		delete(need, "shape "+made.topology+" "+made.profile+" "+made.distro)
		delete(need, "inputs "+made.topology+" "+funcName(c.inputs))
	}
	for missing := range need {
		t.Errorf("no case for %s", missing)
	}
}

// funcName tells the input makers apart.
func funcName(f func(testing.TB) inputs) string {
	return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
}
