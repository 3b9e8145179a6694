package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A row may hold whatever foreign names hold: brackets, quotes, backslashes.
func TestYAMLRow(t *testing.T) {
	row := map[string]any{
		"a": `x",{[\`, "b": []any{"]", map[string]any{"}": "\\\"", "c": float64(1)}}, "d": map[string]any{}, "e": []any{}, "f": nil, "g": true, "h": "\u2028\n: #",
	}
	for _, row := range []map[string]any{row, {}, {"one": "x"}} {
		var text bytes.Buffer
		out := bufio.NewWriter(&text)
		if err := yamlRow(out, row); err != nil {
			t.Fatal(err)
		}
		out.Flush()
		if len(row) == 0 {
			if text.Len() > 0 {
				t.Errorf("%q", text.String())
			}
			continue
		}
		var read []map[string]any
		if err := yaml.Unmarshal(text.Bytes(), &read); err != nil || len(read) != 1 {
			t.Fatalf("%v: %s", err, text.String())
		}
		got, _ := json.Marshal(read[0])
		want, _ := json.Marshal(row)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n%s", got, want)
		}
	}
}
