// Command bench is the program behind `make bench`: it measures whole processes,
// rootkiln against an OpenSSL script that makes the same files, alternating
// between them within one run so that a busy machine meets all of them alike.
//
// A missed target is reported and is no failure. The exit code is 1 when a
// command fails or makes wrong files, and 2 for wrong usage.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

// fewestRounds is what an interval worth printing needs.
const fewestRounds = 20

//go:embed openssl.sh
var script string

type options struct {
	rootkiln string
	rounds   int
	dir      string
	json     bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if err := run(ctx, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// parse reads the flags. The returned error is what the user did wrong.
func parse(args []string, usage io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.rootkiln, "rootkiln", "", "the rootkiln `binary` to measure (required)")
	flags.IntVar(&o.rounds, "rounds", fewestRounds, "`rounds` to measure, 20 or more")
	flags.StringVar(&o.dir, "dir", "", "`directory` for the files made (default /dev/shm if writable, else the temporary directory)")
	flags.BoolVar(&o.json, "json", false, "print JSON, every single measurement included")
	// The flag package prints each error with the usage: printed once, by main.
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(usage)
		flags.Usage()
	case err != nil:
	case flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case o.rootkiln == "":
		err = errors.New("-rootkiln is required: the binary to measure")
	case o.rounds < fewestRounds:
		err = fmt.Errorf("-rounds is %d, the least is %d", o.rounds, fewestRounds)
	}
	return o, err
}

// run checks every command once, measures them and prints the report.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	rootkiln, err := exec.LookPath(o.rootkiln)
	if err != nil {
		return err
	}
	// The commands run in directories of their own.
	if rootkiln, err = filepath.Abs(rootkiln); err != nil {
		return err
	}
	if _, err := exec.LookPath("openssl"); err != nil {
		return fmt.Errorf("%w: apt-get install openssl", err)
	}
	dir, err := scratch(o.dir)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // keys that nobody will use

	commands := commands(rootkiln, script)
	start := time.Now()
	if err := check(ctx, dir, commands); err != nil {
		return err
	}
	round := time.Since(start)
	fmt.Fprintf(stderr, "outputs are right; %d rounds take about %s\n",
		o.rounds, (time.Duration(o.rounds) * round).Round(time.Second))

	samples, err := measure(ctx, dir, commands, o.rounds)
	if err != nil {
		return err
	}
	r := newReport(commands, samples)
	r.Machine = describeMachine(ctx, filepath.Dir(dir), rootkiln)
	if o.json {
		return r.writeJSON(stdout)
	}
	return r.writeTable(stdout)
}

// scratch makes the directory that holds all files of a run. Memory is
// preferred over a disk: it is the processes that are measured.
func scratch(dir string) (string, error) {
	const pattern = "rootkiln-bench-"
	if dir != "" {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return "", err
		}
		return os.MkdirTemp(dir, pattern)
	}
	if made, err := os.MkdirTemp("/dev/shm", pattern); err == nil {
		return made, nil
	}
	return os.MkdirTemp("", pattern)
}
