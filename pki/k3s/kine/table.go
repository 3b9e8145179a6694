package kine

import "encoding/binary"

// Kinds of b-tree pages of a table.
const (
	interiorPage = 0x05
	leafPage     = 0x0d
)

// walk visits the rows of a table in the order of their numbers.
func (d *database) walk(root uint32, depth int, visit func(*row) error) error {
	if depth > maxDepth {
		return damaged("a tree of more than %d levels", maxDepth)
	}
	page, err := d.page(root)
	if err != nil {
		return err
	}
	head := 0
	if root == 1 {
		head = headerSize
	}
	kind, size := page[head], 8
	switch kind {
	case leafPage:
	case interiorPage:
		size = 12
	default:
		return damaged("page %d is of kind %#02x", root, kind)
	}
	cells := int(binary.BigEndian.Uint16(page[head+3:]))
	if head+size+2*cells > d.usable {
		return damaged("page %d has %d cells", root, cells)
	}
	for i := range cells {
		at := int(binary.BigEndian.Uint16(page[head+size+2*i:]))
		if at+4 > d.usable {
			return damaged("page %d: a cell at %d", root, at)
		}
		if kind == interiorPage {
			err = d.walk(binary.BigEndian.Uint32(page[at:]), depth+1, visit)
		} else if r, bad := d.cell(page[at:d.usable]); bad != nil {
			err = bad
		} else {
			err = visit(r)
		}
		if err != nil {
			return err
		}
	}
	if kind == interiorPage {
		return d.walk(binary.BigEndian.Uint32(page[head+8:]), depth+1, visit)
	}
	return nil
}

// row is a row on its way: its record is read as far as somebody asks.
type row struct {
	d      *database
	number int64
	total  uint64 // bytes of the record
	data   []byte // what was read of it
	next   uint32 // where it goes on
}

// cell reads a cell of a leaf: a record, or the beginning of one that goes on in
// overflow pages (the file format's section 1.6 has the formula).
func (d *database) cell(b []byte) (*row, error) {
	total, n := varint(b)
	number, m := varint(b[n:])
	if n == 0 || m == 0 {
		return nil, damaged("a cell is cut off")
	}
	b = b[n+m:]
	r := &row{d: d, number: int64(number), total: total}
	local := total
	if most := uint64(d.usable - 35); total > most {
		least := uint64((d.usable-12)*32/255 - 23)
		if local = least + (total-least)%uint64(d.usable-4); local > most {
			local = least
		}
		if uint64(len(b)) < local+4 {
			return nil, damaged("a cell is cut off")
		}
		r.next = binary.BigEndian.Uint32(b[local:])
	}
	if uint64(len(b)) < local {
		return nil, damaged("a cell is cut off")
	}
	r.data = b[:local:local]
	return r, nil
}

// read makes sure that the first n bytes of the record are there.
func (r *row) read(n uint64) error {
	if n > r.total {
		return damaged("row %d is shorter than it says", r.number)
	}
	if n > maxPayload {
		return damaged("row %d has %d bytes", r.number, n)
	}
	for uint64(len(r.data)) < n {
		page, err := r.d.page(r.next)
		if err != nil {
			return err
		}
		r.next = binary.BigEndian.Uint32(page)
		more := page[4:r.d.usable]
		r.data = append(r.data, more[:min(uint64(len(more)), r.total-uint64(len(r.data)))]...)
	}
	return nil
}

// field is where a column stands in a record, and what it is: the serial type
// of the file format's section 2.1.
type field struct{ kind, at, size uint64 }

// sizes of the serial types below 12.
var sizes = [...]uint64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}

// fields reads the header of the record.
func (r *row) fields() ([]field, error) {
	if err := r.read(min(r.total, 9)); err != nil {
		return nil, err
	}
	header, n := varint(r.data)
	if n == 0 || header < uint64(n) || header > 1<<16 {
		return nil, damaged("row %d: a header of %d bytes", r.number, header)
	}
	if err := r.read(header); err != nil {
		return nil, err
	}
	var fields []field
	at := header
	for types := r.data[n:header]; len(types) > 0; {
		kind, n := varint(types)
		if n == 0 {
			return nil, damaged("row %d: its header is cut off", r.number)
		}
		types = types[n:]
		f := field{kind: kind, at: at}
		switch {
		case kind >= 12:
			f.size = (kind - 12) / 2 // even: a blob; odd: a text
		case kind < uint64(len(sizes)):
			f.size = sizes[kind]
		default:
			return nil, damaged("row %d: a column of type %d", r.number, kind)
		}
		if f.size > r.total-at { // a sum could wrap around
			return nil, damaged("row %d is shorter than it says", r.number)
		}
		at += f.size
		fields = append(fields, f)
	}
	return fields, nil
}

// bytes returns a text or blob.
func (r *row) bytes(f field) ([]byte, error) {
	if f.kind < 12 {
		return nil, nil
	}
	if err := r.read(f.at + f.size); err != nil {
		return nil, err
	}
	return r.data[f.at : f.at+f.size], nil
}

// integer returns a whole number; everything else is 0.
func (r *row) integer(f field) (int64, error) {
	switch {
	case f.kind == 9:
		return 1, nil
	case f.kind == 0 || f.kind > 6:
		return 0, nil
	}
	if err := r.read(f.at + f.size); err != nil {
		return 0, err
	}
	b := r.data[f.at : f.at+f.size]
	value := int64(int8(b[0]))
	for _, c := range b[1:] {
		value = value<<8 | int64(c)
	}
	return value, nil
}
