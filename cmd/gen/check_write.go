package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// writeExpiry is writeData for a report that may have tens of thousands of
// certificates, and a finding for each: they are written one by one, since as one
// tree they would take most of a gigabyte.
func writeExpiry(w io.Writer, form string, r report.ExpiryReport) error {
	certificates, findings := r.Certificates, r.Findings
	r.Certificates, r.Findings = []report.ExpiryRow{}, []pki.Finding{}
	var frame bytes.Buffer
	if err := writeData(&frame, form, r); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	// The first two empty lists of the frame are these: nothing before them is one.
	rest, err := writeList(out, form, frame.Bytes(), certificates)
	if err != nil {
		return err
	}
	if rest, err = writeList(out, form, rest, findings); err != nil {
		return err
	}
	out.Write(rest)
	return out.Flush() // the writer keeps its first error
}

// writeList writes a frame up to its first empty list and the rows in the place
// of that, and returns the rest.
func writeList[T any](out *bufio.Writer, form string, frame []byte, rows []T) (rest []byte, err error) {
	before, rest, _ := bytes.Cut(frame, []byte("[]"))
	out.Write(before)
	if len(rows) == 0 {
		out.WriteString("[]")
		return rest, nil
	}
	if form == "yaml" {
		for _, row := range rows {
			if err := yamlRow(out, row); err != nil {
				return nil, err
			}
		}
		return rest, nil
	}
	separator := "["
	for _, row := range rows {
		data, err := json.MarshalIndent(row, "    ", "  ")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "%s\n    %s", separator, data)
		separator = ","
	}
	out.WriteString("\n  ]")
	return rest, nil
}

// yamlRow writes the fields of a row as they stand in JSON: each value is YAML,
// too (YAML 1.2, 1.3).
func yamlRow(out *bufio.Writer, row any) error {
	data, err := json.Marshal(row)
	if err != nil {
		return err
	}
	lead := "\n    - "
	for field := range members(data) {
		name, value, _ := bytes.Cut(field[1:], []byte(`":`))
		fmt.Fprintf(out, "%s%s: %s", lead, name, value)
		lead = "\n      "
	}
	return nil
}

// members cuts an object as json.Marshal writes it, without any blanks. A decoder
// would take longer than all the certificates.
func members(object []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		depth, quoted, start := 0, false, 1
		for i := 1; i < len(object); i++ {
			switch c := object[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '{' || c == '[':
				depth++
			case depth > 0 && (c == '}' || c == ']'):
				depth--
			case depth == 0 && (c == ',' || c == '}'):
				if start < i && !yield(object[start:i]) {
					return
				}
				start = i + 1
			}
		}
	}
}
