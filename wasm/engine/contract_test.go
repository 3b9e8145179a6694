package engine

import (
	"encoding"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// typed are the functions behind the methods: their types are what a page relies on.
var typed = map[string]any{
	"version": (*call).version, "parse": (*call).parse, "plan": (*call).plan, "make": (*call).make, "request": (*call).request, "resume": (*call).resume,
	"sign": (*call).sign, "inspect": (*call).inspect, "verify": (*call).verify, "check": (*call).check, "compare": (*call).compare,
	"rotate": (*call).rotate, "token": (*call).token, "export": (*call).export, "admin": (*call).admin, "qr": (*call).qr,
}

// TestContract: engine.d.ts has the methods that the engine has, and the fields of
// every parameter and value with their kinds.
func TestContract(t *testing.T) {
	source, err := os.ReadFile("../engine.d.ts")
	if err != nil {
		t.Fatal(err)
	}
	d := declarations{t: t, interfaces: map[string]tsObject{}, aliases: map[string]string{}}
	d.read(string(source))
	described := d.interfaces["Methods"].fields
	if names := slices.Sorted(maps.Keys(described)); !slices.Equal(names, Methods()) {
		t.Errorf("engine.d.ts has the methods %q, the engine %q", names, Methods())
	}
	for _, name := range Methods() {
		f := reflect.TypeOf(typed[name])
		if f == nil {
			t.Fatalf("typed lacks %s", name)
		}
		signature := d.object(name, described[name].kind)
		d.compare(name+".params", f.In(2), signature["params"].kind, true)
		d.compare(name+".value", f.Out(0), signature["value"].kind, false)
	}
	for name, got := range map[string]reflect.Type{
		"Failure": reflect.TypeFor[Failure](), "Step": reflect.TypeFor[step](), "Common": reflect.TypeFor[common](),
	} {
		d.compare(name, got, name, name == "Common")
	}
}

// declarations are the types of a .d.ts file, as far as this one has them.
type declarations struct {
	t          *testing.T
	interfaces map[string]tsObject
	aliases    map[string]string
}

type tsObject struct {
	above  []string
	fields map[string]tsField
}

type tsField struct {
	kind     string
	optional bool
}

var (
	comments = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	head     = regexp.MustCompile(`export interface (\w+)(?: extends ([\w, ]+))? \{`)
	alias    = regexp.MustCompile(`export type (\w+) = ([^;]+);`)
	property = regexp.MustCompile(`^(\w+)(\??): (.+)$`)
)

func (d *declarations) read(source string) {
	source = comments.ReplaceAllString(source, "")
	for _, m := range alias.FindAllStringSubmatch(source, -1) {
		d.aliases[m[1]] = m[2]
	}
	for _, at := range head.FindAllStringSubmatchIndex(source, -1) {
		o := tsObject{fields: map[string]tsField{}}
		if at[4] >= 0 {
			o.above = strings.Split(source[at[4]:at[5]], ", ")
		}
		for _, p := range parts(inside(source[at[1]-1:])) {
			if m := property.FindStringSubmatch(p); m != nil { // and no function
				o.fields[m[1]] = tsField{m[3], m[2] != ""}
			}
		}
		d.interfaces[source[at[2]:at[3]]] = o
	}
}

// inside is what stands between a brace and its partner.
func inside(text string) string {
	depth := 0
	for i, r := range text {
		switch r {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return text[1:i]
			}
		}
	}
	return ""
}

// parts splits the members of an object at the semicolons of its own level.
func parts(text string) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range text + ";" {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		case ';':
			if depth == 0 {
				out, from = append(out, strings.TrimSpace(text[from:i])), i+1
			}
		}
	}
	return out
}

// object is a type with fields, by its name or as it stands.
func (d *declarations) object(at, kind string) map[string]tsField {
	fields := map[string]tsField{}
	if strings.HasPrefix(kind, "{") {
		for _, p := range parts(inside(kind)) {
			if m := property.FindStringSubmatch(p); m != nil {
				fields[m[1]] = tsField{m[3], m[2] != ""}
			}
		}
		return fields
	}
	o, known := d.interfaces[kind]
	if !known {
		d.t.Errorf("%s: engine.d.ts has no %q", at, kind)
	}
	for _, above := range o.above {
		maps.Copy(fields, d.object(at, above))
	}
	maps.Copy(fields, o.fields)
	return fields
}

var (
	texts   = reflect.TypeFor[encoding.TextMarshaler]()
	secrets = reflect.TypeFor[Secret]()
)

// compare holds a type of Go against one of TypeScript. What may be left out of
// parameters is for the page to know, what may be missing in a value for its types.
func (d *declarations) compare(at string, got reflect.Type, kind string, params bool) {
	for got.Kind() == reflect.Pointer {
		got = got.Elem()
	}
	if other, ok := d.aliases[kind]; ok {
		kind = other
	}
	kind = strings.TrimSuffix(kind, " | null")
	wrong := func() { d.t.Errorf("%s: %s in Go, %s in engine.d.ts", at, got, kind) }
	switch k := got.Kind(); {
	case kind == "Record<string, unknown>": // a plan: a document of its own
		if k != reflect.Struct && got.String() != "json.RawMessage" {
			wrong()
		}
	case got == secrets || got.Implements(texts) || k == reflect.String:
		if kind != "string" && !strings.HasPrefix(kind, `"`) {
			wrong()
		}
	case k == reflect.Bool && kind == "boolean":
	case (k == reflect.Int || k == reflect.Int64) && kind == "number":
	case k == reflect.Slice && strings.HasSuffix(kind, "[]"):
		d.compare(at+"[]", got.Elem(), strings.TrimSuffix(kind, "[]"), params)
	case k == reflect.Map && strings.HasPrefix(kind, "Record<string, "):
		d.compare(at+"{}", got.Elem(), strings.TrimSuffix(strings.TrimPrefix(kind, "Record<string, "), ">"), params)
	case k == reflect.Struct:
		d.fields(at, got, d.object(at, kind), params)
	default:
		wrong()
	}
}

// fields compares structs. A tree is compared to its second level.
func (d *declarations) fields(at string, got reflect.Type, want map[string]tsField, params bool) {
	if strings.HasSuffix(at, "[].children[]") {
		return
	}
	has := map[string]jsonField{}
	gather(has, got, 0)
	for name, f := range has {
		field, there := want[name]
		if !there {
			d.t.Errorf("%s.%s is not in engine.d.ts", at, name)
			continue
		}
		if !params && f.omits != field.optional {
			d.t.Errorf("%s.%s: optional %t in engine.d.ts, %t in Go", at, name, field.optional, f.omits)
		}
		d.compare(at+"."+name, f.kind, field.kind, params)
	}
	for name := range want {
		if _, there := has[name]; !there {
			d.t.Errorf("%s.%s is not in the engine", at, name)
		}
	}
}

type jsonField struct {
	kind  reflect.Type
	omits bool
	depth int
}

// gather collects the fields as JSON has them: of several with one name the one that
// is embedded least.
func gather(into map[string]jsonField, t reflect.Type, depth int) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			gather(into, embedded, depth+1)
		} else if other, twice := into[name]; name != "" && (!twice || other.depth > depth) {
			into[name] = jsonField{f.Type, strings.HasPrefix(options, "omit"), depth}
		}
	}
}
