//go:build no_embedded_executor

// The part of k3s that certificates pass through first: its supervisor, its
// datastores and its rotate-ca, without a component of Kubernetes. Everything
// is k3s's own code, but the executor, which starts embedded etcd and nothing
// else. It is up in two seconds, a complete server in ten.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/k3s-io/k3s/pkg/bootstrap"
	"github.com/k3s-io/k3s/pkg/cli/cmds"
	"github.com/k3s-io/k3s/pkg/clientaccess"
	"github.com/k3s-io/k3s/pkg/daemons/config"
	"github.com/k3s-io/k3s/pkg/daemons/control/deps"
	"github.com/k3s-io/k3s/pkg/daemons/executor"
	"github.com/k3s-io/k3s/pkg/datadir"
	"github.com/k3s-io/k3s/pkg/server"
	"github.com/sirupsen/logrus"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apiserver/pkg/authentication/authenticator"
)

var commands = map[string]func(args []string) error{"serve": serve, "rotate": rotate, "version": version}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		logrus.Fatal("usage: supervisor serve|rotate|version [FLAGS]")
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		logrus.Fatal(err)
	}
}

// version prints the version of the k3s that is linked in.
func version([]string) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("built without module information")
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/k3s-io/k3s" {
			fmt.Println(m.Version)
			return nil
		}
	}
	return errors.New("no k3s in here")
}

// components starts etcd when k3s asks for it, and none of Kubernetes.
type components struct{ executor.Embedded }

type ready = <-chan struct{}

func (*components) Bootstrap(context.Context, *config.Node, cmds.Agent) error     { return nil }
func (*components) Kubelet(context.Context, []string) error                       { return nil }
func (*components) KubeProxy(context.Context, []string) error                     { return nil }
func (*components) APIServer(context.Context, ready, []string) error              { return nil }
func (*components) Scheduler(context.Context, ready, []string) error              { return nil }
func (*components) ControllerManager(context.Context, ready, []string) error      { return nil }
func (*components) CloudControllerManager(context.Context, ready, []string) error { return nil }
func (*components) Containerd(context.Context, *config.Node) error                { return nil }
func (*components) Docker(context.Context, *config.Node) error                    { return nil }

func (*components) CurrentETCDOptions() (executor.InitialOptions, error) {
	return executor.InitialOptions{}, nil
}

// APIServerHandlers waits for ever: there are none, and k3s takes an error for
// fatal.
func (*components) APIServerHandlers(context.Context) (authenticator.Request, http.Handler, error) {
	select {}
}

// serve runs the supervisor until SIGTERM. Like k3s it does not wait for the
// datastore's end: etcd and sqlite are made for that.
func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	dataDir := flags.String("data-dir", "", "data directory, an absolute path")
	store := flags.String("store", "sqlite", "datastore: sqlite or etcd")
	tokenFile := flags.String("token-file", "", "file with the server's token")
	address := flags.String("address", "", "the node's own address, not 127.0.0.1: etcd would listen there twice")
	port := flags.Int("port", 6443, "port of the supervisor on 127.0.0.1; the next one would be kube-apiserver's")
	flags.Parse(args)
	if *store != "sqlite" && *store != "etcd" {
		return fmt.Errorf("--store is %q, not sqlite or etcd", *store)
	}
	if !filepath.IsAbs(*dataDir) {
		return fmt.Errorf("--data-dir %q is not an absolute path", *dataDir)
	}
	token, err := secret(*tokenFile)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	executor.Set(&components{})
	// k3s links its kubeconfig into /etc when it runs as root.
	datadir.GlobalConfig = filepath.Join(*dataDir, "global-kubeconfig.yaml")
	configuration := settings(*dataDir, token, *address, *port, *store == "etcd")
	if err := server.StartServer(ctx, configuration, &cmds.Server{}); err != nil {
		return err
	}
	select {
	case <-configuration.ControlConfig.Runtime.ETCDReady: // the name is so for every datastore
		logrus.Info("datastore ready")
		<-ctx.Done()
	case <-ctx.Done():
	}
	return nil
}

// settings are what the k3s command would make of its flags (pkg/cli/server):
// its defaults, with everything off that needs Kubernetes.
func settings(dataDir, token, address string, port int, etcd bool) *server.Config {
	services := &net.IPNet{IP: net.IPv4(10, 43, 0, 0).To4(), Mask: net.CIDRMask(16, 32)}
	pods := &net.IPNet{IP: net.IPv4(10, 42, 0, 0).To4(), Mask: net.CIDRMask(16, 32)}
	dns := net.IPv4(10, 43, 0, 10)
	c := config.Control{
		CriticalControlArgs: config.CriticalControlArgs{
			ClusterDomain: "cluster.local", ClusterDNS: dns, ClusterDNSs: []net.IP{dns},
			ServiceIPRange: services, ServiceIPRanges: []*net.IPNet{services},
			ClusterIPRange: pods, ClusterIPRanges: []*net.IPNet{pods},
			EncryptSecrets:     true, // two files more in the bootstrap value
			EgressSelectorMode: config.EgressSelectorModeDisabled,
			DisableCCM:         true, DisableServiceLB: true, DisableNPC: true, DisableHelmController: true,
		},
		Runtime: config.NewRuntime(nil), Token: token, ServerNodeName: "node1",
		DataDir: dataDir, KubeConfigOutput: filepath.Join(dataDir, "kubeconfig.yaml"),
		BindAddress: "127.0.0.1", AdvertiseIP: address, PrivateIP: address,
		HTTPSPort: port, SupervisorPort: port, APIServerPort: port + 1,
		SANs:                 []string{"127.0.0.1", "::1", "localhost", "node1", "10.43.0.1", address},
		ServiceNodePortRange: &utilnet.PortRange{Base: 30000, Size: 2768},
		TLSMinVersion:        tls.VersionTLS12,
		ClusterInit:          etcd, EtcdDisableSnapshots: true, DisableAgent: true,
		Skips: map[string]bool{"ccm": true}, Disables: map[string]bool{"ccm": true},
	}
	c.Datastore.NotifyInterval = 5 * time.Second
	return &server.Config{DisableAgent: true, ControlConfig: c}
}

// rotate is `k3s certificate rotate-ca` (pkg/cli/cert, which cannot be linked
// without the agent): the same calls in the same order.
func rotate(args []string) error {
	flags := flag.NewFlagSet("rotate", flag.ExitOnError)
	url := flags.String("server", "https://127.0.0.1:6443", "supervisor")
	tokenFile := flags.String("token-file", "", "file with a join token")
	path := flags.String("path", "", "directory that holds tls with the new files")
	force := flags.Bool("force", false, "have it saved whatever is wrong with it")
	flags.Parse(args)
	token, err := secret(*tokenFile)
	if err != nil {
		return err
	}
	access, err := clientaccess.ParseAndValidateToken(*url, token, clientaccess.WithUser("server"))
	if err != nil {
		return err
	}
	offer := &config.Control{Runtime: config.NewRuntime(nil), DataDir: *path}
	deps.CreateRuntimeCertFiles(offer)
	offer.Runtime.PasswdFile, offer.Runtime.IPSECKey = os.DevNull, os.DevNull
	var body bytes.Buffer
	if err := bootstrap.ReadFromDisk(&body, &offer.Runtime.ControlRuntimeBootstrap); err != nil {
		return err
	}
	if err := access.Put(fmt.Sprintf("/v1-k3s/cert/cacerts?force=%t", *force), body.Bytes()); err != nil {
		return fmt.Errorf("see server log for details: %w", err)
	}
	fmt.Println("certificates saved to datastore")
	return nil
}

// secret reads a token from a file: argv is for everybody to read.
func secret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
