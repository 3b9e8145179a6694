// Package kine reads keys out of a kine database: the SQLite file in which a k3s
// or RKE2 server without etcd keeps its state (server/db/state.db). It reads the
// one table of that name, and nothing is ever written.
//
// Committed changes that are still in the write-ahead log beside the file
// (state.db-wal) count: k3s leaves them there while it runs, and after a stop.
//
//	entries, err := kine.Read(db, wal, "/bootstrap/")
//
// An SQL engine would do the same in 4.6 MB more of program. What is needed of the
// format is small and promised to stay (sqlite.org/fileformat2.html); the names
// and columns are those of kine (pkg/drivers/sqlite/sqlite.go).
package kine

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Entry is a key with its newest value.
type Entry struct {
	Key      string
	Value    []byte
	Revision int64
	// Older counts earlier values of the key that are still in the table, empty
	// ones aside: kine drops them when it compacts. They can be read like the
	// newest.
	Older int
}

// maxName is above the longest key: etcd's of Kubernetes end at some 500 bytes.
const maxName = 4096

// Read returns the keys that begin with the prefix and were not deleted, sorted.
// The log is that beside the database; one of size 0 is no log. Whatever is in
// the files, work and memory stay in proportion to their size.
func Read(file, log Source, prefix string) ([]Entry, error) {
	d, err := open(file, log)
	if err != nil {
		return nil, err
	}
	root, columns, err := d.table("kine")
	if err != nil {
		return nil, err
	}
	k := keys{prefix: prefix, newest: map[string]*version{}}
	for column, at := range map[string]*int{"name": &k.name, "deleted": &k.deleted, "value": &k.value} {
		if *at = slices.Index(columns, column); *at < 0 {
			return nil, errors.New("the table kine has other columns than kine's")
		}
	}
	if err := d.walk(root, 0, k.take); err != nil {
		return nil, err
	}
	var entries []Entry
	for _, key := range slices.Sorted(maps.Keys(k.newest)) {
		if v := k.newest[key]; !v.deleted {
			entries = append(entries, v.Entry)
		}
	}
	return entries, nil
}

// keys gathers the newest versions of the keys below a prefix.
type keys struct {
	prefix               string
	name, deleted, value int // columns
	newest               map[string]*version
}

type version struct {
	Entry
	deleted bool
}

// take reads a row. Of the rows of other keys nothing but the name is read, and
// of large ones not even that.
func (k *keys) take(r *row) error {
	fields, err := r.fields()
	if err != nil {
		return err
	}
	if len(fields) <= max(k.name, k.deleted, k.value) || fields[k.name].size > maxName {
		return nil
	}
	key, err := r.bytes(fields[k.name])
	if err != nil || !bytes.HasPrefix(key, []byte(k.prefix)) {
		return err
	}
	gone, err := r.integer(fields[k.deleted])
	if err != nil {
		return err
	}
	content, err := r.bytes(fields[k.value])
	if err != nil {
		return err
	}
	older := 0
	if before := k.newest[string(key)]; before != nil {
		if r.number < before.Revision { // no sound table has this order
			return damaged("row %d stands behind %d", r.number, before.Revision)
		}
		if older = before.Older; len(before.Value) > 0 { // k3s locks a key with an empty value
			older++
		}
	}
	k.newest[string(key)] = &version{Entry{string(key), bytes.Clone(content), r.number, older}, gone != 0}
	return nil
}

// table finds a table in the schema, which is a table itself, at page 1: type,
// name, tbl_name, rootpage, sql.
func (d *database) table(name string) (root uint32, columns []string, err error) {
	err = d.walk(1, 0, func(r *row) error {
		fields, err := r.fields()
		if err != nil || len(fields) != 5 {
			return err
		}
		var texts [5]string
		for _, i := range []int{0, 1, 4} {
			b, err := r.bytes(fields[i])
			if err != nil {
				return err
			}
			texts[i] = string(b)
		}
		if texts[0] != "table" || texts[1] != name {
			return nil
		}
		at, err := r.integer(fields[3])
		if err != nil {
			return err
		}
		if at < 2 || at > int64(d.pages) {
			return damaged("a table at page %d", at)
		}
		root, columns = uint32(at), columnNames(texts[4])
		return nil
	})
	if err == nil && root == 0 {
		err = errors.New("the database has no table kine: it is not that of a k3s server")
	}
	return root, columns, err
}

// columnNames reads the names of the columns out of a CREATE TABLE statement:
// the first word of each definition, between the outer parentheses.
func columnNames(sql string) []string {
	_, body, _ := strings.Cut(sql, "(")
	var names []string
	depth, start := 0, 0
	define := func(definition string) {
		if words := strings.Fields(definition); len(words) > 0 {
			names = append(names, strings.ToLower(strings.Trim(words[0], "\"`[]")))
		}
	}
	for i, c := range body {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == ',' && depth == 0:
			define(body[start:i])
			start = i + 1
		case c == ')':
			define(body[start:i])
			return names
		}
	}
	return nil
}
