//go:build site && !wasip1

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rootkiln/pki/report"
)

// carriesPage tells the scripts what to expect of `rootkiln serve`.
const carriesPage = true

// served is `rootkiln serve` while it runs.
type served struct {
	address   string
	talk      *bytes.Buffer
	interrupt context.CancelFunc
	ended     chan int
}

// firstLine hands on what is written up to the first end of a line.
type firstLine struct {
	line chan string
	text []byte
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.text = append(f.text, p...)
	if line, _, ok := bytes.Cut(f.text, []byte("\n")); ok && f.line != nil {
		f.line <- string(line)
		f.line = nil
	}
	return len(p), nil
}

func serving(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, interrupt := context.WithCancel(context.Background())
	out := &firstLine{line: make(chan string, 1)}
	line := out.line
	s := &served{talk: &bytes.Buffer{}, interrupt: interrupt, ended: make(chan int, 1)}
	a := &app{in: strings.NewReader(""), out: out, err: s.talk, lang: report.English}
	c := a.command()
	c.SetArgs(append([]string{"serve"}, args...))
	go func() { s.ended <- a.finish(c.ExecuteContext(ctx)) }()
	t.Cleanup(interrupt)
	select {
	case s.address = <-line:
	case code := <-s.ended:
		t.Fatalf("ended with %d: %s", code, s.talk)
	case <-time.After(time.Minute):
		t.Fatal("no address")
	}
	return s
}

// end interrupts it and returns the exit code.
func (s *served) end(t *testing.T) int {
	t.Helper()
	s.interrupt()
	select {
	case code := <-s.ended:
		return code
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
		return -1
	}
}

// TestServeExamples runs the examples of the help, which TestExamples cannot: they
// do not end by themselves. The browser is a script that writes down what it is given.
func TestServeExamples(t *testing.T) {
	dir := t.TempDir()
	note := filepath.Join(dir, "opened")
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nprintf %s \"$1\" > \"$NOTE.part\" && mv \"$NOTE.part\" \"$NOTE\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("NOTE", note)
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	examples := strings.Split(strings.TrimSpace(serveAbout.example), "\n")
	if len(examples) < 3 {
		t.Fatal(examples)
	}
	for _, example := range examples {
		args, ok := strings.CutPrefix(strings.TrimSpace(example), "rootkiln serve")
		if !ok {
			t.Fatalf("not an example of this command: %s", example)
		}
		s := serving(t, strings.Fields(args)...)
		if !strings.HasPrefix(s.address, "http://127.0.0.1:") {
			t.Errorf("%s: %s", example, s.address)
		}
		if _, port, ok := strings.Cut(args, "--port "); ok && !strings.HasSuffix(s.address, ":"+port+"/") {
			t.Errorf("%s: %s", example, s.address)
		}
		r, err := http.Get(s.address)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != 200 || !bytes.Contains(page, []byte(`id="about"`)) || r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v %q", example, r.StatusCode, err, page[:min(len(page), 80)])
		}
		if strings.Contains(args, "--open") {
			var opened []byte
			for range 500 {
				if opened, err = os.ReadFile(note); err == nil {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			if string(opened) != s.address {
				t.Errorf("%s: the browser was given %q, %v", example, opened, err)
			}
		}
		if code := s.end(t); code != exitOK {
			t.Errorf("%s: an interrupt ends it with %d: %s", example, code, s.talk)
		}
	}
}

func TestServeWithoutBrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := serving(t, "--open")
	if code := s.end(t); code != exitOK || !strings.Contains(s.talk.String(), "open the address by hand") {
		t.Errorf("%d %s", code, s.talk)
	}
}

func TestServeOnATakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var talk bytes.Buffer
	a := &app{in: strings.NewReader(""), out: io.Discard, err: &talk, lang: report.English}
	c := a.command()
	c.SetArgs([]string{"serve", "--port", port})
	if code := a.finish(c.Execute()); code != exitFailed || !strings.Contains(talk.String(), "port "+port+" of 127.0.0.1: address already in use") {
		t.Errorf("%d %s", code, talk.String())
	}
}
