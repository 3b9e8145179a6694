package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/text/width"
)

// branch is a node of a drawn tree. A label may be coloured and is drawn as it
// is: whoever makes one cleans what is foreign in it.
type branch struct {
	label    string
	children []*branch
}

// pens are the characters that pictures are drawn with.
type pens struct{ fork, last, line, bar, rest, now, until string }

var (
	unicodePens = pens{"├─ ", "└─ ", "│  ", "█", "·", "┃", "→"}
	asciiPens   = pens{"|- ", "`- ", "|  ", "#", ".", "|", "->"}
)

// penSet is ASCII where the locale is not UTF-8.
func penSet() pens {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(os.Getenv(name)); v != "" {
			if strings.Contains(v, "UTF-8") || strings.Contains(v, "UTF8") {
				return unicodePens
			}
			return asciiPens
		}
	}
	if runtime.GOOS == "windows" {
		return unicodePens
	}
	return asciiPens
}

// drawTree writes trees with their branches indented below them.
func drawTree(w io.Writer, indent string, roots []*branch) {
	p := penSet()
	for _, r := range roots {
		fmt.Fprintln(w, indent+r.label)
		drawBranches(w, indent, r.children, p)
	}
}

func drawBranches(w io.Writer, indent string, children []*branch, p pens) {
	for i, c := range children {
		mark, next := p.fork, p.line
		if i == len(children)-1 {
			mark, next = p.last, strings.Repeat(" ", cells(p.line))
		}
		fmt.Fprintln(w, indent+mark+c.label)
		drawBranches(w, indent+next, c.children, p)
	}
}

// span is one bar of a timeline.
type span struct {
	label      string
	start, end time.Time
}

const timelineCells = 40

// drawTimeline writes a bar for each span on one scale, with the given moment
// marked, and the years below.
func drawTimeline(w io.Writer, indent string, spans []span, now time.Time) {
	p := penSet()
	from, to, margin := spans[0].start, spans[0].end, 0
	for _, s := range spans {
		if s.start.Before(from) {
			from = s.start
		}
		if s.end.After(to) {
			to = s.end
		}
		margin = max(margin, cells(s.label))
	}
	// Unix seconds: a Duration overflows after 292 years.
	cell := func(t time.Time) int {
		return int(float64(t.Unix()-from.Unix()) / float64(max(1, to.Unix()-from.Unix())) * (timelineCells - 1))
	}
	for _, s := range spans {
		var bar strings.Builder
		for i := range timelineCells {
			switch {
			case i == cell(now):
				bar.WriteString(p.now)
			case i >= cell(s.start) && i <= cell(s.end):
				bar.WriteString(p.bar)
			default:
				bar.WriteString(p.rest)
			}
		}
		fmt.Fprintf(w, "%s%s  %s  %s\n", indent, pad(s.label, margin), bar.String(), s.end.UTC().Format(time.DateOnly))
	}
	years := fmt.Sprintf("%-*d%d", timelineCells-4, from.Year(), to.Year())
	fmt.Fprintf(w, "%s%s  %s\n", indent, pad("", margin), years)
}

// drawTable writes rows in columns. A field is one plain text, often a foreign
// name, and is cleaned here; colour has no place in it.
func drawTable(w io.Writer, indent string, rows [][]string) {
	drawRows(w, indent, len(rows), func(i int) []string { return rows[i] })
}

// drawRows is drawTable for tens of thousands of rows: each is asked for twice,
// for its widths and to be written, and none is kept.
func drawRows(w io.Writer, indent string, n int, row func(i int) []string) {
	var widths []int
	for r := range n {
		for i, field := range row(r) {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cells(visible(field)))
		}
	}
	var line bytes.Buffer
	for r := range n {
		line.Reset()
		line.WriteString(indent)
		fields := row(r)
		for i, field := range fields {
			field = visible(field)
			line.WriteString(field)
			if i < len(fields)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-cells(field)+2))
			}
		}
		fmt.Fprintf(w, "%s\n", bytes.TrimRight(line.Bytes(), " "))
	}
}

// cells is the width of a text on a terminal: Chinese characters take two.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-cells(s))) }
