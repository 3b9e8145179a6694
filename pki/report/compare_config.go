package report

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"path"
	"slices"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// configuration is what the config files of a server say about `server:`:
// config.yaml, then what lies in config.yaml.d (k3s pkg/configfilearg/parser.go,
// dotDFiles). A flag of the unit is not seen.
type configuration struct {
	given  bool   // config.yaml, or a file of config.yaml.d
	server string // the value of `server:`
	in     []string
}

// read takes one file of a node, a config file turned into JSON.
func (c *configuration) read(f pki.File, product k3s.Product) {
	live, dir := product.ConfigFile(), path.Dir(f.Path)
	switch {
	case path.Base(f.Path) == path.Base(live):
		// The kubelet has a file of the same name.
		c.given = c.given || path.Base(dir) == product.Command
	case path.Base(dir) == path.Base(live)+".d":
		live = path.Join(live+".d", path.Base(f.Path))
		c.given = true
	default:
		return
	}
	var flags struct {
		Server string `json:"server"`
	}
	_ = json.Unmarshal(f.Data, &flags) // another config.yaml is none of ours
	if flags.Server != "" {
		c.server = cmp.Or(c.server, flags.Server)
		c.in = append(c.in, live)
	}
}

// without reports whether the configuration is known and does not have it.
func (c configuration) without() bool { return c.given && c.server == "" }

// unbootstrap starts a server once without `server:`, and puts it back.
func (c configuration) unbootstrap(distro pki.Distro) []string {
	product, _ := k3s.ProductOf(distro)
	files := c.in
	if len(files) == 0 {
		files = []string{product.ConfigFile()}
	}
	out, back := []string{"systemctl stop " + product.Unit(false)}, []string{}
	for _, file := range files {
		before := quoted(file + ".before") // k3s reads no such ending
		out = append(out, "cp -p "+quoted(file)+" "+before, "sed -i 's/^server:/# server:/' "+quoted(file))
		back = append(back, "mv "+before+" "+quoted(file))
	}
	return slices.Concat(out, []string{"systemctl start " + product.Unit(false)}, back)
}

// unrelated tells of a server that has nothing in common with any other: neither
// a key of a CA nor a service key. What was given of a node must have both, for
// either may have changed alone.
func (c *comparer) unrelated(i int) bool {
	own := c.out.Nodes[i].kin()
	others := make([]map[string]bool, 0, len(c.out.Nodes))
	for j := range c.out.Nodes {
		if j != i {
			others = append(others, c.out.Nodes[j].kin())
		}
	}
	if c.staged != nil {
		others = append(others, c.staged.kin())
	}
	others = slices.DeleteFunc(others, func(o map[string]bool) bool { return len(o) == 0 })
	shares := func(o map[string]bool) bool {
		for key := range own {
			if o[key] {
				return true
			}
		}
		return false
	}
	return len(own) > 0 && len(others) > 0 && !slices.ContainsFunc(others, shares)
}

// kin are the public keys of all CAs and service keys of a node; none where
// either kind is not known.
func (n *ComparedNode) kin() map[string]bool {
	authorities, service := map[string]bool{}, map[string]bool{}
	for _, rel := range expectedFiles() {
		h := n.r.holds(path.Join(n.Directory, rel))
		if h == nil {
			continue
		}
		for _, x := range h.nodes {
			authorities[string(x.cert.RawSubjectPublicKeyInfo)] = true
		}
		for _, k := range h.keys {
			if rel != serviceFile || k.signer == nil {
				continue
			}
			if der, err := x509.MarshalPKIXPublicKey(k.signer.Public()); err == nil {
				service[string(der)] = true
			}
		}
	}
	if len(authorities) == 0 || len(service) == 0 {
		return nil
	}
	for key := range service {
		authorities[key] = true
	}
	return authorities
}
