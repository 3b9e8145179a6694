package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *app) serveCommand() *cobra.Command {
	var port uint16
	var open bool
	c := a.newCommand(serveAbout, cobra.NoArgs, func(c *cobra.Command, _ []string) error {
		return a.serve(c.Context(), port, open)
	})
	c.Flags().Uint16Var(&port, "port", 0, a.t(flagPort))
	c.Flags().BoolVar(&open, "open", false, a.t(flagOpen))
	return c
}

// errNoPage is the answer of a program without the page. What listens is behind the
// build tag `site`, with the page itself: an HTTP server is a third of a program.
var errNoPage = errors.New("no page in this program")

func (a *app) serve(ctx context.Context, port uint16, open bool) error {
	err := servePage(ctx, port, func(address string) {
		fmt.Fprintln(a.out, address)
		a.say(msgServing)
		if open && openBrowser(address) != nil {
			a.complain(a.t(msgNoBrowser))
		}
	})
	var listening *net.OpError
	switch {
	case errors.Is(err, errNoPage):
		return failed(msgNoPage)
	case errors.As(err, &listening):
		return failed(msgCannotListen, port, innermost(listening).Error())
	}
	return err
}

// innermost is what the system said: the errors around it repeat the address.
func innermost(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// openers are the programs that open an address with what the user has chosen.
var openers = map[string][]string{
	"darwin":  {"open"},
	"windows": {"rundll32", "url.dll,FileProtocolHandler"},
}

// openBrowser starts the browser and does not wait for it.
func openBrowser(address string) error {
	line := openers[runtime.GOOS]
	if line == nil {
		line = []string{"xdg-open"}
	}
	cmd := exec.Command(line[0], append(line[1:], address)...)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
