package kine

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// A column's length takes any 63 bits, so two of them wrap around: the second
// would begin far behind the record and end inside it.
func TestLengthsThatWrap(t *testing.T) {
	huge := bytes.Repeat([]byte{0xff}, 9)
	header := append(append([]byte{19}, huge...), huge...)
	r := &row{total: math.MaxUint64, data: append(header, make([]byte, 64)...)}
	fields, err := r.fields()
	if err == nil {
		_, err = r.bytes(fields[1])
	}
	if !errors.Is(err, errDamaged) {
		t.Errorf("%v, not an error about damage", err)
	}
}
