package k3s

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rootkiln/pki"
)

// StoredValue is a key of the datastore with its value. The key is empty where
// an export has values alone.
type StoredValue struct {
	Key   string
	Value []byte
	Older int // earlier values that are still in the export
}

// ReadExport reads what tools write of a datastore's keys: `etcdctl get` in its
// plain form, with --print-value-only, as JSON or as fields; a list or an
// object of keys and values in JSON; the value of the bootstrap key alone. Of a
// longer dump only the keys under /bootstrap/ are taken. The subject is the name
// of the input in the refusals.
func ReadExport(subject string, data []byte) ([]StoredValue, error) {
	text := bytes.TrimSpace(data)
	var values []StoredValue
	var err error
	switch {
	case len(text) == 0:
		return nil, refuse("bootstrap-none", subject)
	case len(data) > 20 && string(data[16:20]) == bboltMagic:
		return nil, refuse("datastore-unreadable", subject, "detail", "an etcd snapshot or database")
	case text[0] == '{' || text[0] == '[':
		values, err = readJSONExport(text)
	case bytes.HasPrefix(text, []byte(`"`)):
		values, err = readFields(text)
	default:
		values, err = readPlain(text)
	}
	if err != nil {
		return nil, refuse("datastore-unreadable", subject, "detail", err.Error())
	}
	values = slices.DeleteFunc(values, func(v StoredValue) bool {
		return v.Key != "" && !strings.HasPrefix(v.Key, BootstrapPrefix)
	})
	if len(values) == 0 {
		return nil, refuse("bootstrap-none", subject)
	}
	return values, nil
}

// bboltMagic stands behind the header of the first page, in the byte order of
// nearly every machine (go.etcd.io/bbolt, 0xED0CDAED).
const bboltMagic = "\xed\xda\x0c\xed"

// readPlain reads keys and values in turn, a line each, or values alone. A value
// with line ends of its own makes the rest a riddle, except that a key under
// /bootstrap/ is always followed by its value.
func readPlain(text []byte) ([]StoredValue, error) {
	var values []StoredValue
	lines := strings.Split(string(text), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSuffix(lines[i], "\r")
		switch {
		case strings.HasPrefix(line, BootstrapPrefix):
			v := StoredValue{Key: line}
			if i++; i < len(lines) && !strings.HasPrefix(lines[i], BootstrapPrefix) {
				v.Value = []byte(strings.TrimSuffix(lines[i], "\r"))
			} else {
				i--
			}
			values = append(values, v)
		case sealedForm(line):
			values = append(values, StoredValue{Value: []byte(line)})
		}
	}
	if len(values) == 0 && len(lines) == 1 {
		return nil, errors.New("neither a value nor an export that is read here")
	}
	return values, nil
}

// sealedForm reports whether a line looks like a value.
func sealedForm(line string) bool {
	return len(line) > saltSize && line[saltSize] == ':' && strings.Trim(line[:saltSize], "0123456789abcdef") == ""
}

// readFields reads `etcdctl get -w fields`: a name and a value a line, texts
// quoted as Go does.
func readFields(text []byte) ([]StoredValue, error) {
	var values []StoredValue
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " : ")
		if !ok || name != `"Key"` && name != `"Value"` {
			continue
		}
		content, err := strconv.Unquote(value)
		switch {
		case err != nil:
			return nil, errors.New("a field that is not quoted")
		case name == `"Key"`:
			values = append(values, StoredValue{Key: content})
		case len(values) == 0:
			return nil, errors.New("a value without a key")
		default:
			values[len(values)-1].Value = []byte(content)
		}
	}
	return values, nil
}

// exported is a key with its value as JSON writes them; etcdctl has both in
// base64.
type exported struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

// readJSONExport reads one or several JSON documents: `etcdctl get -w json`, a
// list of its key-value objects, or an object with a member for each key.
func readJSONExport(text []byte) ([]StoredValue, error) {
	var values []StoredValue
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var document json.RawMessage
		if err := d.Decode(&document); errors.Is(err, io.EOF) {
			return values, nil
		} else if err != nil {
			return nil, errors.New("not JSON to the end")
		}
		read, err := readDocument(document)
		if err != nil {
			return nil, err
		}
		values = append(values, read...)
	}
}

func readDocument(document []byte) ([]StoredValue, error) {
	var list []exported
	var response struct {
		Kvs []exported `json:"kvs"`
	}
	var single exported
	members := map[string]any{}
	switch {
	case json.Unmarshal(document, &list) == nil:
	case json.Unmarshal(document, &response) == nil && response.Kvs != nil:
		list = response.Kvs
	case json.Unmarshal(document, &single) == nil && single.Key != nil:
		list = []exported{single}
	case json.Unmarshal(document, &members) == nil:
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if value, ok := members[key].(string); ok {
				list = append(list, exported{&key, &value})
			}
		}
	default:
		return nil, errors.New("JSON of another form than keys and values")
	}
	var values []StoredValue
	for _, kv := range list {
		if kv.Key == nil {
			continue
		}
		v := StoredValue{Key: decoded(*kv.Key, func(s string) bool { return strings.HasPrefix(s, BootstrapPrefix) })}
		if kv.Value != nil { // etcd leaves an empty value out
			v.Value = []byte(decoded(*kv.Value, sealedForm))
		}
		if v.Key == "" {
			continue
		}
		values = append(values, v)
	}
	return values, nil
}

// decoded undoes base64 where what comes out has the form that is wanted.
func decoded(s string, wanted func(string) bool) string {
	if wanted(s) {
		return s
	}
	if plain, err := base64.StdEncoding.DecodeString(s); err == nil && wanted(string(plain)) {
		return string(plain)
	}
	return s
}

// OpenBootstrap chooses the value that belongs to a server token and decrypts
// it. Where values have keys, the key decides: nothing is tried on others.
// Without a key, the one value that opens is taken.
func OpenBootstrap(subject string, values []StoredValue, token string) (Bootstrap, []pki.Finding, error) {
	candidates, err := passwords(token)
	if err != nil {
		return Bootstrap{}, nil, err
	}
	for _, password := range candidates {
		for _, v := range values {
			if v.Key != "" && v.Key != BootstrapKey(password) {
				continue
			}
			place := subject
			if v.Key != "" {
				place = v.Key
			}
			sealed, err := parseSealed(place, v.Value)
			if err != nil {
				return Bootstrap{}, nil, err
			}
			plaintext, ok := sealed.open(password)
			switch {
			case !ok && v.Key != "": // the token is right: its hash is in the key
				return Bootstrap{}, nil, refuse("bootstrap-damaged", place, "detail", "its tag does not fit, so it was changed")
			case !ok:
				continue
			}
			b, found, err := ParseBootstrap(plaintext)
			b.Key, b.Under = v.Key, BootstrapKey(password)
			return b, slices.Concat(found, about(v, values, password)), err
		}
	}
	return Bootstrap{}, nil, refuse("bootstrap-token", subject, "count", strconv.Itoa(len(values)))
}

// about is what the way to the data says about the datastore.
func about(v StoredValue, values []StoredValue, password string) []pki.Finding {
	var found []pki.Finding
	if password == "" {
		found = append(found, pki.New("bootstrap-no-password", v.Key))
	}
	if len(values) > 1 {
		found = append(found, pki.New("bootstrap-several", v.Key, "count", strconv.Itoa(len(values))))
	}
	if v.Older > 0 {
		found = append(found, pki.New("bootstrap-history", v.Key, "count", strconv.Itoa(v.Older)))
	}
	return found
}
