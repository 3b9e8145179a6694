// Command gen is rootkiln: it makes, signs and inspects the certificate
// authorities of Kubernetes clusters, offline. The Makefile and the packages
// give the program its name; `go install` calls it gen.
//
// This package holds flags, files, the terminal and exit codes. What a
// certificate is, and what k3s does with it, is in rootkiln/pki and below.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() { os.Exit(run()) }

// patience is how long an interrupted run may take to put things away.
const patience = 2 * time.Second

// run is main for tests too: it returns the exit code.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Reading from a pipe, or opening a key with millions of rounds, does not look
	// at the context. What is half done is gone with the process: everything is
	// written beside its place first.
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends it at once
		time.Sleep(patience)
		os.Exit(exitInterrupted)
	})
	a := newApp(os.Args[1:])
	return a.finish(a.command().ExecuteContext(ctx))
}
