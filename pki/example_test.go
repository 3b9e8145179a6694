package pki_test

import (
	"context"
	"fmt"
	"io"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
)

// A complete run: what the first server of a cluster gets, what belongs in a
// safe, and the join token before anything has started.
func Example() {
	plan := pki.Plan{Distro: pki.K3s, Time: pki.At(time.Now())}
	layout, err := k3s.Layout(plan)
	if err != nil {
		panic(err)
	}
	resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
	if err != nil {
		panic(err)
	}
	issued, err := pki.Run{Plan: resolved, Layout: layout, Keys: pki.Random{}}.Issue(context.Background())
	if err != nil {
		panic(err)
	}
	for _, bundle := range []pki.Bundle{issued.Server, issued.Offline} {
		if err := pki.WriteTarGz(io.Discard, bundle); err != nil { // to a file
			panic(err)
		}
	}
	for _, f := range issued.Server.Files {
		fmt.Println(f.Kind.Mode(), f.Path)
	}
	token, err := k3s.ComputeToken(issued.Server.File("tls/server-ca.crt").Data, plan.Time.Time)
	fmt.Println(token.Mode, len(token.String()), err)

	// Output:
	// -rw-r--r-- tls/client-ca.crt
	// -rw------- tls/client-ca.key
	// -rw-r--r-- tls/etcd/peer-ca.crt
	// -rw------- tls/etcd/peer-ca.key
	// -rw-r--r-- tls/etcd/server-ca.crt
	// -rw------- tls/etcd/server-ca.key
	// -rw-r--r-- tls/request-header-ca.crt
	// -rw------- tls/request-header-ca.key
	// -rw-r--r-- tls/server-ca.crt
	// -rw------- tls/server-ca.key
	// -rw------- tls/service.key
	// root 69 <nil>
}
