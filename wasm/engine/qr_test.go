package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"rsc.io/qr"
)

// The path has exactly the dark modules of the code, within the quiet margin.
func TestQR(t *testing.T) {
	text := strings.Repeat("MIIB", 200)
	v, _ := call(t, "qr", object{"text": text})
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	dark := map[[2]int]bool{}
	path := v["path"].(string)
	for move := range strings.SplitSeq(strings.TrimPrefix(path, "M"), "M") {
		var x, y, run, back int
		if n, err := fmt.Sscanf(move, "%d %dh%dv1h-%dz", &x, &y, &run, &back); n != 4 || err != nil || run != back {
			t.Fatalf("%q: %v", move, err)
		}
		for i := range run {
			dark[[2]int{x + i, y}] = true
		}
	}
	count := 0
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				if count++; !dark[[2]int{x + 4, y + 4}] {
					t.Fatalf("module %d, %d is missing", x, y)
				}
			}
		}
	}
	if len(dark) != count || v["size"] != float64(code.Size+8) || !strings.Contains(v["svg"].(string), path) {
		t.Errorf("%d dark modules of %d, size %v", len(dark), count, v["size"])
	}
}
