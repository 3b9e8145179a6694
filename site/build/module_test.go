package main

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// section writes a section of pieces as Go's linker does.
func section(pieces ...piece) []byte {
	body := binary.AppendUvarint(nil, uint64(len(pieces)))
	for _, p := range pieces {
		body = appendSigned(append(body, 0, 0x41), p.at)
		body = binary.AppendUvarint(append(body, 0x0b), uint64(len(p.data)))
		body = append(body, p.data...)
	}
	return append(binary.AppendUvarint([]byte{dataSection}, uint64(len(body))), body...)
}

// memory is what a module of one data section, after other sections, begins with.
func memory(t *testing.T, module []byte) (all [4096]byte, pieces int) {
	t.Helper()
	r := leb{rest: module[len(moduleHeader):]}
	for len(r.rest) > 0 {
		kind, size := r.take(1)[0], r.unsigned()
		if kind != dataSection {
			r.take(size)
			continue
		}
		pieces = r.unsigned()
		for range pieces {
			r.take(2)
			at := r.signed()
			r.take(1)
			copy(all[at:], r.take(r.unsigned()))
		}
	}
	if r.failed {
		t.Fatal("not readable")
	}
	return all, pieces
}

// TestJoin: the memory is the same byte for byte, in fewer pieces; what surrounds the
// pieces stays as it is. The addresses are those at which the encoding grows, and some
// come after higher ones, whose bytes the zeros between must spare.
func TestJoin(t *testing.T) {
	other := []byte{1, 3, 'a', 'b', 'c'}
	module := append([]byte(moduleHeader), other...)
	module = append(module, section(
		piece{0x3f, []byte("one")}, piece{0x4a, []byte("two")}, piece{0x4d, []byte("at once")},
		piece{0x4d + 7 + joinedGap, []byte("far")}, piece{0x800, []byte("before")},
		piece{0x700, []byte("back")}, piece{0x7f0, []byte("between")}, piece{0x820, []byte("over it")},
	)...)
	module = append(module, other...)
	joined, err := join(module)
	if err != nil {
		t.Fatal(err)
	}
	before, many := memory(t, module)
	after, few := memory(t, joined)
	if before != after || many != 8 || few != 3 {
		t.Errorf("%d pieces became %d, the same memory: %t", many, few, before == after)
	}
	if !bytes.HasPrefix(joined, append([]byte(moduleHeader), other...)) || !bytes.HasSuffix(joined, other) {
		t.Error("what surrounds the pieces changed")
	}
	if again, err := join(joined); err != nil || !bytes.Equal(again, joined) {
		t.Errorf("joining twice: %v", err)
	}
}

func TestJoinRefuses(t *testing.T) {
	if _, err := join(append([]byte(moduleHeader), section(piece{8, []byte("over")}, piece{6, []byte("each")})...)); err == nil {
		t.Error("two pieces in one place")
	}
	whole := append([]byte(moduleHeader), section(piece{0x1234, []byte("text")})...)
	for end := range whole {
		if end == len(moduleHeader) {
			continue // a module without sections
		}
		if _, err := join(whole[:end]); err == nil {
			t.Errorf("the first %d bytes of %d", end, len(whole))
		}
	}
	for what, change := range map[string][2]string{
		"an address that is no constant":   {"\x00\x41", "\x00\x23"},
		"a piece that is not for memory 0": {"\x00\x41", "\x02\x41"},
		"a number without end":             {"\x01\x00\x41", "\xff\xff\x41"},
		"an address below zero":            {"\x41\xb4\x24", "\x41\xb4\x54"},
	} {
		if _, err := join([]byte(strings.Replace(string(whole), change[0], change[1], 1))); err == nil {
			t.Error(what)
		}
	}
}
