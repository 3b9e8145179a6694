// The k3s that the bundles must live under: its own server, its own certificate
// commands and its kubectl, from k3s as a Go module, nothing of ours between.
package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/k3s-io/k3s/pkg/cli/cert"
	"github.com/k3s-io/k3s/pkg/cli/cmds"
	"github.com/k3s-io/k3s/pkg/cli/server"
	"github.com/k3s-io/k3s/pkg/configfilearg"
	"github.com/k3s-io/k3s/pkg/kubectl"
	"github.com/k3s-io/k3s/pkg/version"
	"github.com/sirupsen/logrus"
	"github.com/urfave/cli"
)

func main() {
	if filepath.Base(os.Args[0]) == "kubectl" { // a link, as in an installation
		kubectl.Main()
		return
	}
	// k3s ends at once unless the Go that built it is the Go it names
	// (pkg/cli/server validateGolang); its own build sets both.
	version.UpstreamGolang = runtime.Version()
	version.Version = module()
	app := cmds.NewApp()
	app.Commands = []cli.Command{
		cmds.NewServerCommand(server.Run),
		cmds.NewCertCommands(cert.Check, cert.Rotate, cert.RotateCA),
	}
	if err := app.Run(configfilearg.MustParse(os.Args)); err != nil && !errors.Is(err, context.Canceled) {
		logrus.Fatal(err)
	}
}

// module is the version of k3s that is linked in.
func module() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/k3s-io/k3s" {
				return m.Version
			}
		}
	}
	return "unknown"
}
