package k3s_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rootkiln/pki"
)

// The programs for which the exports are written judge them.

// cloud-init itself judges the document. The package is unpacked and not
// installed: installed, it would take over the next boot of a cloud machine.
func TestExportCloudInitSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "user-data")
	data := exportFiles(t, "cloud-init", installation(t, exportBundle(t, pki.Plan{})))[0].Data
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	unpacked, err := filepath.Abs("../../.cache/cloud-init/usr/lib/python3/dist-packages")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(unpacked); err != nil {
		t.Fatalf("cloud-init is not unpacked, .ci/tools does it: %v", err)
	}
	out := runTool(t, []string{"PYTHONPATH=" + unpacked}, debianPython, "-m", "cloudinit.cmd.main", "schema", "--config-file", path)
	if !bytes.Contains(out, []byte("Valid")) {
		t.Errorf("%s", out)
	}
}

// Ansible runs the tasks: it writes what was in the bundle, shows no key, takes
// up a run that was cut off, and leaves a server alone that has authorities.
func TestExportAnsibleRuns(t *testing.T) {
	t.Parallel()
	b := exportBundle(t, pki.Plan{})
	data, dir := filepath.Join(t.TempDir(), "data"), t.TempDir()
	for _, f := range exportFiles(t, "ansible", installation(t, b)) {
		text := strings.ReplaceAll(string(f.Data), "/var/lib/rancher/k3s", data)
		// Not everybody who runs tests is root.
		text = strings.ReplaceAll(text, "owner: root", fmt.Sprintf("owner: %q", fmt.Sprint(os.Getuid())))
		text = strings.ReplaceAll(text, "group: root", fmt.Sprintf("group: %q", fmt.Sprint(os.Getgid())))
		exportWrite(t, filepath.Join(dir, f.Path), text)
	}
	exportWrite(t, filepath.Join(dir, "play.yml"), `
- hosts: all
  gather_facts: false
  vars_files: [vars.yml]
  tasks:
    - ansible.builtin.import_tasks: tasks.yml
`)
	play := func() {
		t.Helper()
		out := runTool(t, []string{"HOME=" + dir, "LC_ALL=C.UTF-8", "ANSIBLE_NOCOLOR=1", "ANSIBLE_PIPELINING=1"}, "ansible-playbook", "-vvv", "--diff",
			"-i", "localhost,", "-c", "local", "-e", "ansible_python_interpreter=/usr/bin/python3", filepath.Join(dir, "play.yml"))
		if key := b.File("tls/client-ca.key").Data; bytes.Contains(out, key[40:80]) || bytes.Contains(out, []byte(base64.StdEncoding.EncodeToString(key)[:60])) {
			t.Error("a key shows in the output")
		}
	}
	same := func() {
		t.Helper()
		for _, f := range b.Files {
			path := filepath.Join(data, "server", f.Path)
			got, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got, f.Data) {
				t.Errorf("%s: %d bytes, want %d: %v", path, len(got), len(f.Data), err)
				continue
			}
			wantMode(t, path, f.Kind.Mode())
		}
		for _, d := range []string{"server", "server/tls", "server/tls/etcd"} {
			wantMode(t, filepath.Join(data, d), 0o700)
		}
	}
	// A run that was cut off: directories as others make them, some of the files.
	if err := os.MkdirAll(filepath.Join(data, "server/tls/etcd"), 0o755); err != nil {
		t.Fatal(err)
	}
	exportWrite(t, filepath.Join(data, "server/tls/client-ca.crt"), string(b.File("tls/client-ca.crt").Data))
	exportWrite(t, filepath.Join(data, "server/tls/server-ca.key"), "half of it")
	play()
	same()

	// After a rotation the old files must not come back.
	rotated := filepath.Join(data, "server/tls/client-ca.crt")
	exportWrite(t, rotated, "rotated")
	play()
	if got, err := os.ReadFile(rotated); string(got) != "rotated" {
		t.Errorf("a server that has authorities was changed: %s %v", got, err)
	}
}

// exportTools tells what to install for a program that is missing.
var exportTools = map[string]string{debianPython: "python3-yaml", "ansible-playbook": "ansible-core"}

// debianPython is the interpreter that has Debian's packages; another may come
// first in PATH.
const debianPython = "/usr/bin/python3"

// runTool runs somebody else's program and returns what it says.
func runTool(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is missing: apt-get install --no-install-recommends %s", name, exportTools[name])
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v (apt-get install --no-install-recommends %s)\n%s", name, err, exportTools[name], out)
	}
	return out
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != want {
		t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
	}
}
