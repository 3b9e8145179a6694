package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

const (
	moduleHeader = "\x00asm\x01\x00\x00\x00"
	dataSection  = 11

	// Zeros between two pieces of memory cost less than what begins another piece.
	joinedGap = 256
)

var errModule = errors.New("the engine is not a module as Go links it")

// join is the module with the same memory in fewer pieces. Go's linker leaves out runs
// of eight zeros by cutting the memory into up to 100 000 pieces, each with an address
// that no compressor can guess (writeDataSec in cmd/link/internal/wasm): without them
// a module is a little longer, and a twentieth less to send.
func join(module []byte) ([]byte, error) {
	sections, ok := bytes.CutPrefix(module, []byte(moduleHeader))
	if !ok {
		return nil, errModule
	}
	out := []byte(moduleHeader)
	for r := (leb{rest: sections}); len(r.rest) > 0; {
		kind := r.take(1)
		body := r.take(r.unsigned())
		if !r.failed && kind[0] == dataSection {
			body, r.failed = joinData(body)
		}
		if r.failed {
			return nil, errModule
		}
		out = append(binary.AppendUvarint(append(out, kind...), uint64(len(body))), body...)
	}
	return out, nil
}

// piece is a part of the memory.
type piece struct {
	at   int
	data []byte
}

// joinData is join for the section of the pieces. The linker does not write them in
// the order of their addresses: zeros must not go where another one has been.
func joinData(body []byte) (out []byte, failed bool) {
	pieces, failed := readPieces(body)
	if failed {
		return nil, true
	}
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.at, b.at) })
	var joined []piece
	for _, p := range pieces {
		if last := len(joined) - 1; last >= 0 {
			before := &joined[last]
			gap := p.at - before.at - len(before.data)
			if gap < 0 {
				return nil, true // of two that overlap the order would matter
			}
			if gap < joinedGap {
				before.data = append(append(before.data, make([]byte, gap)...), p.data...)
				continue
			}
		}
		joined = append(joined, p)
	}
	out = binary.AppendUvarint(nil, uint64(len(joined)))
	for _, p := range joined {
		out = appendSigned(append(out, "\x00\x41"...), p.at)
		out = binary.AppendUvarint(append(out, '\x0b'), uint64(len(p.data)))
		out = append(out, p.data...)
	}
	return out, false
}

func readPieces(body []byte) (pieces []piece, failed bool) {
	r := leb{rest: body}
	for range r.unsigned() {
		// Memory 0 from here on: i32.const, the address, end.
		active, at, end := r.take(2), r.signed(), r.take(1)
		p := piece{at, r.take(r.unsigned())}
		if r.failed || string(active) != "\x00\x41" || string(end) != "\x0b" || at < 0 {
			return nil, true
		}
		pieces = append(pieces, p)
	}
	return pieces, r.failed || len(r.rest) > 0
}

// leb reads WebAssembly's numbers (LEB128), whose unsigned ones are Go's varints.
type leb struct {
	rest   []byte
	failed bool
}

func (r *leb) number() (value uint64, bits int) {
	value, n := binary.Uvarint(r.rest)
	if n <= 0 || value > 1<<35 {
		r.failed, r.rest = true, nil
		return 0, 7
	}
	r.rest = r.rest[n:]
	return value, 7 * n
}

func (r *leb) unsigned() int {
	value, _ := r.number()
	return int(value)
}

// signed has its sign in the highest bit that was written.
func (r *leb) signed() int {
	value, bits := r.number()
	return int(int64(value<<(64-bits)) >> (64 - bits))
}

func (r *leb) take(n int) []byte {
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
		return make([]byte, min(n, 2))
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

// appendSigned is for what is not negative: a seventh bit that would be read as its
// sign gets another byte.
func appendSigned(b []byte, value int) []byte {
	b = binary.AppendUvarint(b, uint64(value))
	if last := len(b) - 1; b[last]&0x40 != 0 {
		b[last] |= 0x80
		b = append(b, 0)
	}
	return b
}
