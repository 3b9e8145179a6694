//go:build site && !wasip1

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"rootkiln/site"
)

// servePage serves on the loopback interface until the context ends, which is how
// serving ends well. Ready is given the address.
func servePage(ctx context.Context, port uint16, ready func(address string)) error {
	hosted, err := site.Hosted()
	if err != nil {
		return fmt.Errorf("unpacking the page: %w", err)
	}
	pages, err := site.Handler(hosted)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	server := http.Server{Handler: pages, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	ready("http://" + l.Addr().String() + "/")
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
