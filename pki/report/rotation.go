package report

import (
	"context"
	"fmt"
	"slices"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// Rotation is the report of a rotation: what changes, what rotate-ca will say of
// it, and what people have to do in which order.
type Rotation struct {
	Change  k3s.Change `json:"change"`
	Changed []pki.Role `json:"changed"` // CAs whose file is another one
	Kept    []pki.Role `json:"kept"`
	Roots   []pki.Role `json:"roots"`      // roots and intermediates that were made
	Service bool       `json:"serviceKey"` // another key signs tokens
	Replacement
	Steps []Step `json:"steps"`
}

// Step is one thing to do. Its commands are for a POSIX shell of root.
type Step struct {
	Code     StepCode `json:"code"`
	Where    Where    `json:"where"`
	Commands []string `json:"commands"`
}

// StepCode names a step. Codes are only ever added.
type StepCode string

const (
	StepIssuer      StepCode = "issuer"      // who signed what the supervisor serves
	StepBackup      StepCode = "backup"      // datastore and files
	StepStage       StepCode = "stage"       // unpack
	StepRotate      StepCode = "rotate-ca"   // ask the server
	StepRestart     StepCode = "restart"     // servers
	StepSupervisor  StepCode = "supervisor"  // servers, with a new serving certificate
	StepTokens      StepCode = "tokens"      // hand out the new one
	StepAgents      StepCode = "agents"      // restart
	StepCompare     StepCode = "compare"     // did every server take it
	StepKubeconfigs StepCode = "kubeconfigs" // copies are never renewed
	StepRoots       StepCode = "roots"       // hand out the new root
	StepPods        StepCode = "pods"        // those that read the CA once
	StepConfigMap   StepCode = "configmap"   // extension-apiserver-authentication
	StepClean       StepCode = "clean"       // the staged keys
	StepNext        StepCode = "next"        // the rotation that comes after
)

// Where says on which machine a step is done.
type Where string

const (
	OneServer   Where = "one-server"
	EachServer  Where = "each-server" // in turn
	EachAgent   Where = "each-agent"
	Workstation Where = "workstation"
)

// Staged says where the next bundle and its offline part lie, as commands name
// them.
type Staged struct {
	Name    string // quoted for a shell
	Archive bool   // not a directory
	Offline string // empty: there is none

	partial bool // the servers have files that it lacks
}

// ReportRotation judges a rotation that was made but not offered to any server.
// Old are the files of the running cluster, as [ClusterFiles] returns them.
func ReportRotation(ctx context.Context, old pki.Bundle, next *k3s.Rotated, staged Staged, at pki.Time, keys pki.KeySource) (Rotation, error) {
	staged.partial = slices.ContainsFunc(k3s.ServerPaths(), func(path string) bool { return next.Server.File(path) == nil })
	verdict, err := VerifyAgainst(ctx, next.Server, old, at, keys)
	if err != nil {
		return Rotation{}, err
	}
	r := Rotation{
		Change: next.Change, Changed: listed(next.Changed), Kept: listed(next.Kept), Roots: listed(next.Roots),
		Service: next.Service, Replacement: verdict,
	}
	more := slices.DeleteFunc(slices.Clone(next.Findings), func(f pki.Finding) bool { return r.has(f.Code) })
	r.Findings = bySeverity(append(r.Findings, more...))
	r.Steps = r.steps(staged)
	return r, nil
}

func listed(roles []pki.Role) []pki.Role { return append([]pki.Role{}, roles...) }

func (r Rotation) has(codes ...pki.Code) bool {
	return slices.ContainsFunc(r.Findings, func(f pki.Finding) bool { return slices.Contains(codes, f.Code) })
}

// steps are what is to do, each where it is due.
func (r Rotation) steps(staged Staged) []Step {
	product, _ := k3s.ProductOf(r.Distro)
	restart := Step{StepRestart, EachServer, []string{"systemctl restart " + product.Unit(false)}}
	newRoot := r.has("supervisor-keeps-old")
	// With step a the new root is not in the files yet, but what it signs is: the
	// supervisor must not serve the old chain until the old root goes.
	if newRoot || r.Change == k3s.ChangeRootsA && slices.Contains(r.Changed, pki.ServerCA) {
		// Without the Secret of before, or k3s may take the old certificate back from
		// it seconds after the start (dynamiclistener merges whichever comes last).
		restart = Step{StepSupervisor, EachServer, []string{
			product.Kubectl() + " -n kube-system delete secret --ignore-not-found " + product.ServingSecret(),
			"systemctl stop " + product.Unit(false), product.Command + " certificate rotate --service " + product.Command + "-server",
			"systemctl start " + product.Unit(false), issuerCommand(product),
		}}
	}
	newToken := r.Token != nil && r.Against.Token != nil && !r.Against.TokenKept
	var steps []Step
	for _, row := range []struct {
		due  bool
		step Step
	}{
		{r.Change == k3s.ChangeRootsC && newRoot, Step{StepIssuer, EachServer, []string{issuerCommand(product)}}},
		{true, Step{StepBackup, EachServer, []string{
			copyAway(product.TLSDir()), product.Command + " etcd-snapshot save --name before-rotation",
		}}},
		{true, Step{StepStage, OneServer, stageCommands(staged)}},
		{true, Step{StepRotate, OneServer, []string{rotateCommand(product, stagingDir)}}},
		{true, restart},
		{true, Step{StepCompare, Workstation, []string{"rootkiln compare SERVER-1/tls SERVER-2/tls SERVER-3/tls"}}},
		{true, Step{StepClean, OneServer, []string{"rm -rf " + stagingDir}}},
		{newToken, Step{StepTokens, EachAgent, []string{}}},
		{len(r.Changed) > 0, Step{StepAgents, EachAgent, []string{"systemctl restart " + product.Unit(true)}}},
		{r.has("old-leaves-refused", "client-ca-dropped", "previous-ca-dropped", "old-root-refuses"), Step{StepKubeconfigs, Workstation, []string{}}},
		{r.nextStep() != "", Step{StepRoots, Workstation, []string{}}},
		{newRoot, Step{StepPods, Workstation, []string{product.Kubectl() + " get deployments,daemonsets,statefulsets -A"}}},
		{r.has("authentication-keeps-old"), Step{StepConfigMap, OneServer, []string{
			product.Kubectl() + " -n kube-system edit configmap extension-apiserver-authentication",
		}}},
		{r.nextStep() != "", Step{StepNext, Workstation, []string{r.nextCommand(staged)}}},
	} {
		if row.due {
			steps = append(steps, row.step)
		}
	}
	return steps
}

// nextStep is the step of a change of roots that follows this one.
func (r Rotation) nextStep() string {
	switch r.Change {
	case k3s.ChangeRootsA:
		return "b"
	case k3s.ChangeRoots, k3s.ChangeRootsB:
		return "c"
	}
	return ""
}

// stagingDir is where the next bundle lies on the server: its tls directory below
// it is what rotate-ca looks for.
const stagingDir = "/root/rootkiln-next"

// stageCommands give the files the server's time: rotate-ca keeps it, and a server
// whose own files are newer ends at its next start.
func stageCommands(staged Staged) []string {
	// What an offer before left there would be offered with this one.
	empty := "rm -rf " + stagingDir + " && install -d -m 700 " + stagingDir
	if staged.Archive {
		return []string{empty, "tar -xmpf " + staged.Name + " -C " + stagingDir}
	}
	return []string{
		empty, "cp -r " + staged.Name + "/tls " + stagingDir + "/",
		"find " + stagingDir + " -type f -exec touch {} +",
	}
}

func rotateCommand(p k3s.Product, dir string) string {
	command := p.Command + " certificate rotate-ca --path " + dir
	if p.Port != apiPort {
		command += fmt.Sprintf(" --server https://127.0.0.1:%d", p.Port)
	}
	return command
}

// apiPort is where rotate-ca asks when it is not told.
const apiPort = 6443

func issuerCommand(p k3s.Product) string {
	return fmt.Sprintf("openssl s_client -connect 127.0.0.1:%d </dev/null 2>/dev/null | openssl x509 -noout -issuer -enddate", p.Port)
}

// nextCommand begins with the offer, which is what runs by then, or with the files
// of a server where the offer had a part of them only.
func (r Rotation) nextCommand(staged Staged) string {
	step, old := r.nextStep(), staged.Name
	if staged.partial {
		old = "SERVER-1/tls"
	}
	command := "rootkiln rotate " + old + " --step " + step + " --out next-" + step + ".tar.gz"
	if step == "b" && staged.Offline != "" {
		command += " --inputs " + staged.Offline
	}
	return command
}

// ClusterFiles puts the files of a cluster under the paths that a bundle of ours
// has, wherever its tls directory lies in what was read. Other files keep theirs:
// keys may be among them.
func ClusterFiles(b pki.Bundle) (pki.Bundle, error) {
	dir, ok := tlsDirectory(b)
	if !ok {
		return pki.Bundle{}, pki.Refuse([]pki.Finding{pki.New("old-none", "")})
	}
	out := placed(b, dir)
	for _, f := range b.Files {
		if out.File(f.Path) == nil && !underCluster(f.Path, dir) {
			out.Files = append(out.Files, f)
		}
	}
	return out, nil
}

// underCluster reports whether a path is one of the eleven in the directory.
func underCluster(path, dir string) bool {
	v := verifier{dir: dir}
	return slices.ContainsFunc(expectedFiles(), func(rel string) bool { return v.path(rel) == path })
}
