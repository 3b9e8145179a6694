package engine

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	yamlv3 "go.yaml.in/yaml/v3"
)

// reading is a document in the forms that k3s, kubeadm and kubectl write.
var reading = []string{
	"apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: QUJD\n    server: https://127.0.0.1:6443\n  name: default\ncontexts:\n- context:\n    cluster: default\n    user: default\n  name: default\ncurrent-context: default\nkind: Config\npreferences: {}\nusers:\n- name: default\n  user:\n    client-certificate-data: QUJD\n    client-key-data: QUJD\n",
	"---\n# by kubectl\napiVersion: v1\nkind: Secret\nmetadata:\n  name: k3s-serving   # comment\n  annotations:\n    \"listener.cattle.io/cn-10.0.0.1\": 10.0.0.1\n    listener.cattle.io/fingerprint: 'SHA1=it''s'\ndata:\n  tls.crt: QUJD\n  tls.key: \"QU\\u004aD\"\ntype: kubernetes.io/tls\n",
	"server: https://first:9345\ntoken: K10abc::server:pass#word\ntls-san:\n  - one\n  - \"two three\"\ndisable: []\nkubelet-arg:\n  - \"max-pods=200\"\nempty:\nflag: true\nnothing: ~\n",
	"data:\n  tls.crt: |\n    -----BEGIN CERTIFICATE-----\n    QUJD\n    -----END CERTIFICATE-----\n  other: |-\n    no last line feed\n  third: x\n",
	"list:\n-\n  server: deep\n- - a\n  - b\n- server: x\n  more: y\n\n\n",
	"server: a\r\nlist:\r\n- x\r\n",
}

// What is read here is what all of YAML reads.
func TestSettings(t *testing.T) {
	for _, text := range reading {
		got, line, ok := settings("config.yaml", []byte(text))
		var want map[string]any
		if err := yamlv3.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if !ok || !sameTree(t, got, data) {
			t.Errorf("line %d of\n%s\ngot  %s\nwant %s", line, text, got, data)
		}
	}
}

func sameTree(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

// Whatever is not read is refused by its line, never read as something else.
func TestSettingsRefused(t *testing.T) {
	for text, want := range map[string]int{
		"server: a\nmap: {a: b}\n":          2,
		"server: a\nlist: [a, b]\n":         2,
		"server: &anchor a\n":               1,
		"server: *alias\n":                  1,
		"server: !!str a\n":                 1,
		"server: a\nfolded: >\n  text\n":    2,
		"server: a\nserver: b\n":            2,
		"server: a: b\n":                    1,
		"server: \"open\nmore: x\n":         1,
		"server: a\n   deep: b\n":           2,
		"server: a\n\tx: b\n":               2,
		"server:\n  - a\n b: c\n":           3,
		"%YAML 1.2\n---\nserver: a\n":       1,
		"server: a\n'quo''ted': b\n":        2,
		"server:\n  deep: a\n shallow: b\n": 3,
	} {
		if got, line, ok := settings("config.yaml", []byte(text)); ok || line != want {
			t.Errorf("%q: line %d, want %d; %s", text, line, want, got)
		}
	}
	for name, text := range map[string]string{
		"a.crt": "server: a\n", "a.yaml": "nothing: here\n", "b.yaml": "{\"server\": 1}", "c.yaml": "-----BEGIN X-----\nserver:\n", "d.yaml": "- server:\n",
	} {
		if _, line, ok := settings(name, []byte(text)); ok || line != 0 {
			t.Errorf("%s is none of this kind: line %d", name, line)
		}
	}
}

// No document of YAML is read otherwise than YAML reads it. Numbers, dates and the older words
// for true stay text here: nobody looks at them.
func FuzzSettings(f *testing.F) {
	for _, text := range reading {
		f.Add(text)
	}
	f.Add(strings.Repeat("- ", 100) + "server: a")
	f.Fuzz(func(t *testing.T, text string) {
		got, _, ok := settings("config.yaml", []byte(text))
		if !ok {
			return
		}
		var want yamlv3.Node
		if err := yamlv3.Unmarshal([]byte(text), &want); err != nil {
			return // what it means, nobody can say
		}
		var tree any
		if err := json.Unmarshal(got, &tree); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(text, "\r\u0085\u2028\u2029\ufeff\t") {
			return
		}
		if len(want.Content) > 0 && !matches(tree, want.Content[0]) {
			t.Fatalf("%q was read as %s", text, got)
		}
	})
}

func matches(got any, want *yamlv3.Node) bool {
	switch want.Kind {
	case yamlv3.MappingNode:
		m, ok := got.(map[string]any)
		if !ok || len(m) != len(want.Content)/2 {
			return false
		}
		for i := 0; i < len(want.Content); i += 2 {
			if v, there := m[want.Content[i].Value]; !there || !matches(v, want.Content[i+1]) {
				return false
			}
		}
		return true
	case yamlv3.SequenceNode:
		list, ok := got.([]any)
		if !ok || len(list) != len(want.Content) {
			return false
		}
		for i, item := range want.Content {
			if !matches(list[i], item) {
				return false
			}
		}
		return true
	case yamlv3.ScalarNode:
		switch v := got.(type) {
		case nil:
			return want.Tag == "!!null"
		case bool:
			return want.Tag == "!!bool"
		case string:
			return v == want.Value
		}
	}
	return false
}
