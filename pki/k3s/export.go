package k3s

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rootkiln/pki"
)

// Installation is what an export puts on the first server of a cluster before
// its first start.
type Installation struct {
	Product Product
	Token   string     // without credentials, see [Token.String]
	Server  pki.Bundle // the eleven files, see [ServerFiles]

	// Name and Namespace of the Kubernetes Secret. An empty namespace is that of
	// whoever creates it.
	Name, Namespace string
}

// CheckNames refuses names that Kubernetes does not take for a namespace (RFC
// 1123); those of the Secret follow the same rule.
func (in Installation) CheckNames() error {
	var found []pki.Finding
	for _, n := range []struct{ field, value string }{{"name", in.Name}, {"namespace", in.Namespace}} {
		if n.value != "" && !pki.IsLabel(n.value) {
			found = append(found, pki.New("export-name", n.field, "value", n.value))
		}
	}
	return pki.Refuse(found)
}

// Export is a form in which an installer takes a bundle.
type Export struct {
	Name  string
	Keys  bool // the text holds the cluster's private keys
	Limit int  // bytes that not every recipient takes more than; 0: none

	// Files writes the text: one file, or several that belong together. It
	// depends on the installation alone.
	Files func(Installation) []pki.File
}

// Exports returns every form, in the order in which help lists them.
func Exports() []Export {
	return []Export{
		{"cloud-init", true, userDataLimit, cloudInit},
		{"ansible", true, 0, ansible},
		{"config", false, 0, configFragments},
		{"secret", true, 0, secret},
	}
}

// userDataLimit is how much user data many clouds take: EC2 counts the bytes of
// the document, before base64 and after gzip, which cloud-init unpacks.
const userDataLimit = 16 << 10

// tlsDir is the directory of the eleven files in a bundle that we make;
// foreignDirs is where else people have it: at the top of a tls directory, and
// in a data directory.
const tlsDir = "tls/"

var foreignDirs = []string{"", "server/" + tlsDir}

// ServerFiles picks out of a bundle what goes to a first server, under the paths
// that a bundle of ours has. Whatever else is there stays behind. A bundle that
// lacks one of the eleven files is refused: k3s would fill the gap with an
// authority of its own.
func ServerFiles(b pki.Bundle) (pki.Bundle, error) {
	for _, dir := range append([]string{tlsDir}, foreignDirs...) {
		server := pki.Bundle{Time: b.Time}
		var missing []pki.Finding
		for _, path := range ServerPaths() {
			f := b.File(dir + strings.TrimPrefix(path, tlsDir))
			if f == nil {
				missing = append(missing, pki.New("file-missing", path, "path", path))
				continue
			}
			file := *f
			file.Path = path
			server.Files = append(server.Files, file)
		}
		if len(server.Files) > 0 {
			return server, pki.Refuse(missing)
		}
	}
	return pki.Bundle{}, pki.Refuse([]pki.Finding{pki.New("bundle-none", "")})
}

// ServerPaths lists the eleven files, relative to the server directory, sorted.
func ServerPaths() []string {
	paths := []string{ServiceKeyPath}
	for _, row := range AuthorityPaths() {
		paths = append(paths, row.Path+".crt", row.Path+".key")
	}
	slices.Sort(paths)
	return paths
}

// dirs are the directories that must exist, and be private, before the files
// do: whoever makes them later makes them 0755, and k3s keeps the mode of a
// directory that it finds, into which it writes keys with mode 0644.
func (in Installation) dirs() []string {
	tls := in.Product.TLSDir()
	return []string{in.Product.ServerDir(), tls, tls + "/etcd"}
}

// cloudInit writes user data. The files stand in it as they are, one third
// shorter than in base64: the limit of the clouds is near.
func cloudInit(in Installation) []pki.File {
	var b strings.Builder
	fmt.Fprintf(&b, cloudInitHead, in.Product.Command, strings.Join(in.dirs(), ", "))
	for _, f := range in.Server.Files {
		fmt.Fprintf(&b, "- path: %s/%s\n  owner: root:root\n  permissions: \"%04o\"\n", in.Product.ServerDir(), f.Path, f.Kind.Mode())
		if text, ok := block(f.Data, "    "); ok {
			fmt.Fprintf(&b, "  content: |\n%s", text)
		} else {
			fmt.Fprintf(&b, "  encoding: b64\n  content: %s\n", encoded(f))
		}
	}
	return []pki.File{{Path: "cloud-init.yaml", Kind: pki.KindSecret, Data: []byte(b.String())}}
}

// cloudInitHead: product, directories. cloud-init runs bootcmd before
// write_files, which would make the directories 0755. Of several documents it
// keeps the first list of a name and drops the others without a word, unless the
// later one says otherwise (cloudinit/handlers/cloud_config.py).
const cloudInitHead = `#cloud-config
# The certificate authorities of a %[1]s cluster, for its first server, to be there
# before %[1]s starts for the first time. These are private keys: whoever reads the
# user data of this machine can enter the cluster. Take it out of the machine's
# settings afterwards. A machine that is cloned later is a new one to cloud-init,
# which writes these files again, over newer ones too.
#
# Together with other documents this one must be the last: cloud-init drops the
# write_files of the later one, unless that one has the next five lines.
merge_how:
- name: list
  settings: [append]
- name: dict
  settings: [no_replace, recurse_list]
bootcmd:
- [cloud-init-per, instance, rootkiln_tls, install, -d, -m, "0700", %[2]s]
write_files:
`

// ansible writes tasks without secrets, and variables to be encrypted.
func ansible(in Installation) []pki.File {
	var tasks, vars strings.Builder
	fmt.Fprintf(&tasks, tasksHead, in.Product.Command, in.Product.ServerDir(), serverCAFile)
	for _, dir := range in.dirs() {
		fmt.Fprintf(&tasks, "        - %s\n", dir)
	}
	fmt.Fprintf(&tasks, tasksCopy, in.Product.ServerDir(), serverCAFile)
	for _, f := range serverCALast(in.Server.Files) {
		fmt.Fprintf(&tasks, "        - {path: %s, mode: \"%04o\"}\n", f.Path, f.Kind.Mode())
	}
	fmt.Fprintf(&vars, varsHead, in.Product.Command)
	for _, f := range in.Server.Files {
		fmt.Fprintf(&vars, "  %s: %s\n", f.Path, encoded(f))
	}
	return []pki.File{
		{Path: "tasks.yml", Kind: pki.KindPublic, Data: []byte(tasks.String())},
		{Path: "vars.yml", Kind: pki.KindSecret, Data: []byte(vars.String())},
	}
}

// serverCAFile is the file by which the tasks know that a server has its
// authorities.
const serverCAFile = ServerCAPath + ".crt"

// serverCALast puts that file behind the others: a run that was cut off is then
// taken up by the next one.
func serverCALast(files []pki.File) []pki.File {
	isLast := func(f pki.File) bool { return f.Path == serverCAFile }
	i := slices.IndexFunc(files, isLast)
	return append(slices.DeleteFunc(slices.Clone(files), isLast), files[i])
}

const (
	tasksHead = `# Puts the certificate authorities of a %[1]s cluster on its first server, before
# %[1]s starts for the first time; a server that has any is left alone. Run as root:
#
#   - hosts: first_server
#     become: true
#     vars_files: [vars.yml]
#     tasks:
#       - ansible.builtin.import_tasks: tasks.yml
#
# vars.yml holds private keys: ansible-vault encrypt vars.yml
- name: Look for certificate authorities
  ansible.builtin.stat:
    path: %[2]s/%[3]s
  register: rootkiln_server_ca

- name: Install the certificate authorities
  when: not rootkiln_server_ca.stat.exists
  block:
    - name: Make the directories
      ansible.builtin.file:
        path: "{{ item }}"
        state: directory
        owner: root
        group: root
        mode: "0700"
      loop:
`
	tasksCopy = `
    - name: Write the files, %[2]s last
      ansible.builtin.copy:
        dest: "%[1]s/{{ item.path }}"
        content: "{{ rootkiln_tls[item.path] | b64decode }}"
        owner: root
        group: root
        mode: "{{ item.mode }}"
      no_log: true
      loop:
`
	varsHead = `# Private keys of a %s cluster: ansible-vault encrypt vars.yml
rootkiln_tls:
`
)

// configFragments writes two documents: for servers, for agents. A token without
// a password is refused by k3s (pkg/clientaccess/token.go, parseToken), so that
// nobody runs a cluster with a password that stood here.
func configFragments(in Installation) []pki.File {
	p := in.Product
	text := fmt.Sprintf(configText, "/etc/rancher/"+p.Command+"/config.yaml", p.Command,
		strconv.Quote(in.Token+"server:"), strconv.Quote(in.Token+"node:"), p.Port)
	return []pki.File{{Path: "config.yaml", Kind: pki.KindPublic, Data: []byte(text)}}
}

// configText: path, product, token of servers, token of agents, port.
const configText = `# Servers: %[1]s, mode 0600, before the first start.
# Complete the token with a password; without one %[2]s does not start.
token: %[3]s
# A password of their own keeps agents from the keys of the authorities, which
# the token of servers opens:
#agent-token: ""
# Every server but the first joins one that runs:
#server: https://SERVER:%[5]d
# Further names and addresses at which clients reach the servers:
#tls-san:
#- ""
---
# Agents: %[1]s, mode 0600.
# Complete the token with the password of agent-token, or of token if there is
# none, and name a server.
server: https://SERVER:%[5]d
token: %[4]s
`

// secret writes a Kubernetes Secret. Its keys cannot hold a slash.
func secret(in Installation) []pki.File {
	var b strings.Builder
	fmt.Fprintf(&b, secretHead, in.Product.Command, in.Product.TLSDir(), strconv.Quote(in.Name+"-ca"))
	if in.Namespace != "" {
		fmt.Fprintf(&b, "  namespace: %s\n", strconv.Quote(in.Namespace))
	}
	b.WriteString("type: Opaque\ndata:\n")
	for _, f := range in.Server.Files {
		fmt.Fprintf(&b, "  %s: %s\n", SecretKey(f.Path), encoded(f))
	}
	return []pki.File{{Path: "secret.yaml", Kind: pki.KindSecret, Data: []byte(b.String())}}
}

// SecretKey is the key of a file in a Kubernetes Secret: its path below the tls
// directory with a hyphen for the slash.
func SecretKey(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, tlsDir), "/", "-")
}

// secretHead: product, tls directory, name.
const secretHead = `# The certificate authorities of a %[1]s cluster: private keys. Use kubectl create;
# kubectl apply would keep a second copy of them in an annotation. Each key is a
# path below %[2]s with "-" for "/":
# etcd-peer-ca.crt is etcd/peer-ca.crt.
apiVersion: v1
kind: Secret
metadata:
  name: %[3]s
`

// encoded is a file as a YAML scalar in base64, quoted: what looks like a number
// stays a string.
func encoded(f pki.File) string {
	return strconv.Quote(base64.StdEncoding.EncodeToString(f.Data))
}

// block indents a text for a YAML literal block that reads back as the same
// bytes. Only printable ASCII in lines with one LF after the last can stand
// there: YAML turns CR into LF, takes the indentation from the first line, and
// keeps but one LF at the end (YAML 1.2, 8.1.1).
func block(data []byte, indent string) (string, bool) {
	text, ended := strings.CutSuffix(string(data), "\n")
	odd := func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }
	if !ended || text == "" || text[0] == ' ' || text[0] == '\n' || strings.HasSuffix(text, "\n") || strings.ContainsFunc(text, odd) {
		return "", false
	}
	return indent + strings.ReplaceAll(text, "\n", "\n"+indent) + "\n", true
}
