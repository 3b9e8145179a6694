package kine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Source is a file of known size.
type Source struct {
	io.ReaderAt
	Size int64
}

// Header of the first page (the file format's section 1.3).
const (
	magic         = "SQLite format 3\x00"
	headerSize    = 100
	minPage       = 512
	maxPage       = 65536
	formatWAL     = 2
	utf8Encoding  = 1
	maxPayload    = 16 << 20 // etcd takes values of 1.5 MiB; 35 kB is usual here
	maxDepth      = 40       // a table of 2^31 pages has 20 levels
	pageSizeAt    = 16
	readVersionAt = 19
	reservedAt    = 20
	changesAt     = 24
	pagesAt       = 28
	encodingAt    = 56
	validForAt    = 92
)

var errDamaged = errors.New("the database is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

// IsDatabase reports whether a file begins as every SQLite 3 database does.
func IsDatabase(head []byte) bool {
	return len(head) >= len(magic) && string(head[:len(magic)]) == magic
}

// UsesLog reports, from the first 100 bytes, whether a database is written
// through a log: without the log it may be old.
func UsesLog(head []byte) bool {
	return IsDatabase(head) && len(head) > readVersionAt && head[readVersionAt] == formatWAL
}

// database gives out pages: from the log where that has a newer one.
type database struct {
	file     Source
	log      Source
	inLog    map[uint32]int64 // page: where its newest committed content stands
	pageSize int
	usable   int    // without the bytes that extensions reserve
	pages    uint32 // of the newest commit
	seen     map[uint32]bool
}

// open reads the header, then the log if there is one.
func open(file, log Source) (*database, error) {
	head := make([]byte, headerSize)
	if _, err := file.ReadAt(head, 0); err != nil || !IsDatabase(head) {
		return nil, errors.New("not an SQLite database")
	}
	d := &database{file: file, log: log, seen: map[uint32]bool{}}
	d.pageSize = int(binary.BigEndian.Uint16(head[pageSizeAt:]))
	if d.pageSize == 1 {
		d.pageSize = maxPage
	}
	if d.pageSize < minPage || d.pageSize&(d.pageSize-1) != 0 {
		return nil, damaged("page size %d", d.pageSize)
	}
	d.usable = d.pageSize - int(head[reservedAt])
	if d.usable < 480 {
		return nil, damaged("%d usable bytes in a page", d.usable)
	}
	if head[readVersionAt] > formatWAL {
		return nil, fmt.Errorf("version %d of the file format is not read here", head[readVersionAt])
	}
	whole := file.Size / int64(d.pageSize)
	d.pages = uint32(min(whole, 1<<32-2))
	// The count of the header holds if the last writer knew that field.
	if binary.BigEndian.Uint32(head[changesAt:]) == binary.BigEndian.Uint32(head[validForAt:]) {
		if n := binary.BigEndian.Uint32(head[pagesAt:]); n > 0 {
			d.pages = n
		}
	}
	if log.Size > 0 {
		if err := d.readLog(); err != nil {
			return nil, err
		}
	}
	first, err := d.page(1)
	if err != nil {
		return nil, err
	}
	if enc := binary.BigEndian.Uint32(first[encodingAt:]); enc > utf8Encoding {
		return nil, errors.New("texts in UTF-16 are not read here; kine writes UTF-8")
	}
	clear(d.seen) // the schema's tree begins there
	return d, nil
}

// page returns the newest committed content of a page, each page once: a page
// that stands in two places would make the reading endless, and no sound
// database has one.
func (d *database) page(n uint32) ([]byte, error) {
	if n == 0 || n > d.pages {
		return nil, damaged("page %d of %d", n, d.pages)
	}
	if d.seen[n] {
		return nil, damaged("page %d stands in two places", n)
	}
	d.seen[n] = true
	from, at := d.file, int64(n-1)*int64(d.pageSize)
	if logged, ok := d.inLog[n]; ok {
		from, at = d.log, logged
	}
	data := make([]byte, d.pageSize)
	if _, err := io.ReadFull(io.NewSectionReader(from, at, int64(d.pageSize)), data); err != nil {
		return nil, damaged("page %d is cut off", n)
	}
	return data, nil
}

// varint reads an integer of 1 to 9 bytes, the high bits first; 0 bytes: cut
// off.
func varint(b []byte) (value uint64, size int) {
	for i := range min(len(b), 9) {
		if i == 8 {
			return value<<8 | uint64(b[i]), 9
		}
		value = value<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return value, i + 1
		}
	}
	return 0, 0
}
