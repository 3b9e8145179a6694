package kine

import (
	"encoding/binary"
	"errors"
	"io"
)

// The write-ahead log (the file format's section 4).
const (
	walHeaderSize   = 32
	frameHeaderSize = 24
	walMagic        = 0x377f0682 // its last bit says that checksums are of big-endian words
	walVersion      = 3007000
)

var errLog = errors.New("the write-ahead log does not belong to this database, or is damaged")

// readLog finds the newest committed content of every page in the log. A log
// ends where a checksum or a salt is wrong: what follows is left over from
// before. What was written after the last commit does not count.
func (d *database) readLog() error {
	r := io.NewSectionReader(d.log, 0, d.log.Size)
	head := make([]byte, walHeaderSize)
	if _, err := io.ReadFull(r, head); err != nil {
		return errLog
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(head[4*i:]) }
	if word(0)&^1 != walMagic || word(1) != walVersion || int64(word(2)) != int64(d.pageSize) {
		return errLog
	}
	var order binary.ByteOrder = binary.LittleEndian
	if word(0)&1 == 1 {
		order = binary.BigEndian
	}
	sum := checksum{order: order}
	sum.add(head[:24])
	if sum.a != word(6) || sum.b != word(7) {
		return errLog
	}
	salt := string(head[16:24])

	d.inLog = map[uint32]int64{}
	pending := map[uint32]int64{}
	frame := make([]byte, frameHeaderSize+d.pageSize)
	for at := int64(walHeaderSize); ; at += int64(len(frame)) {
		if _, err := io.ReadFull(r, frame); err != nil {
			return nil // the end, or a frame that was being written
		}
		if string(frame[8:16]) != salt {
			return nil
		}
		sum.add(frame[:8])
		sum.add(frame[frameHeaderSize:])
		if sum.a != binary.BigEndian.Uint32(frame[16:]) || sum.b != binary.BigEndian.Uint32(frame[20:]) {
			return nil
		}
		number, commit := binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:])
		pending[number] = at + frameHeaderSize
		if commit != 0 {
			for n, where := range pending {
				d.inLog[n] = where
			}
			clear(pending)
			d.pages = commit
		}
	}
}

// checksum is the log's own, a Fibonacci-weighted sum; its input is a multiple
// of eight bytes long.
type checksum struct {
	order binary.ByteOrder
	a, b  uint32
}

func (s *checksum) add(data []byte) {
	for i := 0; i+8 <= len(data); i += 8 {
		s.a += s.order.Uint32(data[i:]) + s.b
		s.b += s.order.Uint32(data[i+4:]) + s.a
	}
}
