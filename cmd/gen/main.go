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
)

func main() { os.Exit(run()) }

// run is main for tests too: it returns the exit code.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := newApp(os.Args[1:])
	return a.finish(a.command().ExecuteContext(ctx))
}
