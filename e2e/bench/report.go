package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// targets are ratios between two commands that must not be exceeded.
var targets = []struct {
	num, den string
	measure  string
	of       func(sample) time.Duration
	most     float64
}{
	{"a", "c", "CPU", cpu, 1.0 / 25},
	{"b", "c", "CPU", cpu, 1.0 / 2},
	{"d", "e", "wall", wall, 3},
}

func cpu(s sample) time.Duration  { return s.CPU }
func wall(s sample) time.Duration { return s.Wall }

type report struct {
	Machine  machine `json:"machine"`
	Rounds   int     `json:"rounds"`
	Commands []cost  `json:"commands"`
	Ratios   []ratio `json:"ratios"`
}

// machine is what a reader needs to know to compare figures.
type machine struct {
	System    string `json:"system"`
	CPU       string `json:"cpu"`
	CPUs      int    `json:"cpus"`
	Rootkiln  string `json:"rootkiln"`
	OpenSSL   string `json:"openssl"`
	Directory string `json:"directory"`
}

// cost is what one command cost, in milliseconds.
type cost struct {
	ID      string  `json:"id"`
	Command string  `json:"command"`
	CPU     summary `json:"cpu_ms"`
	Wall    summary `json:"wall_ms"`
}

type summary struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Rounds []float64 `json:"rounds"`
}

// ratio compares the medians of two commands.
type ratio struct {
	Name    string  `json:"name"`
	Measure string  `json:"measure"`
	Ratio   float64 `json:"ratio"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Target  float64 `json:"target"`
	Met     bool    `json:"met"`
	// Clear says that the whole interval lies on the same side of the target.
	Clear bool `json:"clear"`
}

// newReport summarises the samples of each command.
func newReport(commands []command, samples [][]sample) report {
	r := report{Rounds: len(samples[0])}
	byID := map[string][]sample{}
	for i, c := range commands {
		byID[c.ID] = samples[i]
		r.Commands = append(r.Commands, cost{
			ID: c.ID, Command: c.Text,
			CPU:  summarise(milliseconds(samples[i], cpu)),
			Wall: summarise(milliseconds(samples[i], wall)),
		})
	}
	for _, t := range targets {
		num, den := milliseconds(byID[t.num], t.of), milliseconds(byID[t.den], t.of)
		value := median(num) / median(den)
		low, high := bootstrap(num, den)
		r.Ratios = append(r.Ratios, ratio{
			Name: t.num + "/" + t.den, Measure: t.measure,
			Ratio: value, Low: low, High: high,
			Target: t.most, Met: value <= t.most,
			Clear: high <= t.most || low > t.most,
		})
	}
	return r
}

func summarise(values []float64) summary {
	return summary{median(values), slices.Min(values), slices.Max(values), values}
}

func milliseconds(samples []sample, of func(sample) time.Duration) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = float64(of(s)) / float64(time.Millisecond)
	}
	return values
}

// verdict says whether the target is met.
func (r ratio) verdict() string {
	v := "not met"
	if r.Met {
		v = "met"
	}
	if !r.Clear {
		v += ", but the interval holds the target"
	}
	return v
}

func (r report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r report) writeTable(w io.Writer) error {
	var b bytes.Buffer
	m := r.Machine
	fmt.Fprintf(&b, "%s, %d × %s\n%s\n%s\n", m.System, m.CPUs, m.CPU, m.Rootkiln, m.OpenSSL)
	fmt.Fprintf(&b, "%d rounds, files in %s\n\n", r.Rounds, m.Directory)
	fmt.Fprintf(&b, "   %9s%29s\n", "CPU ms", "wall ms")
	fmt.Fprintf(&b, "   %9s%9s%9s  %9s%9s%9s   command\n", "median", "min", "max", "median", "min", "max")
	for _, c := range r.Commands {
		fmt.Fprintf(&b, "%-3s%9.1f%9.1f%9.1f  %9.1f%9.1f%9.1f   %s\n", c.ID,
			c.CPU.Median, c.CPU.Min, c.CPU.Max, c.Wall.Median, c.Wall.Min, c.Wall.Max, c.Command)
	}
	fmt.Fprintf(&b, "\n%-18s   %-19s %s\n", "ratio", "95 % interval", "target")
	for _, t := range r.Ratios {
		fmt.Fprintf(&b, "%-10s%8s   %-19s %-9s %s\n", t.Name+" "+t.Measure, formatRatio(t.Ratio),
			formatRatio(t.Low)+" … "+formatRatio(t.High), "≤ "+formatRatio(t.Target), t.verdict())
	}
	_, err := w.Write(b.Bytes())
	return err
}

// describeMachine collects what the figures depend on. What cannot be told is
// left unknown: it changes no measurement.
func describeMachine(ctx context.Context, dir, rootkiln string) machine {
	m := machine{
		System: runtime.GOOS + "/" + runtime.GOARCH, CPU: "unknown CPU", CPUs: runtime.NumCPU(),
		Rootkiln:  firstLine(ctx, rootkiln, "version"),
		OpenSSL:   firstLine(ctx, "openssl", "version"),
		Directory: dir,
	}
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m
}

// firstLine returns the first line that a program prints.
func firstLine(ctx context.Context, program string, args ...string) string {
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return "unknown version"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
