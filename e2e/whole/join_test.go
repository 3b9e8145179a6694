package whole

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rootkiln/e2e/testbed"
)

// joinTime is what a joining server gets: etcd makes it a learner first, and
// looks every 15 seconds whether it can be promoted.
const joinTime = 2 * time.Minute

var errNotYet = errors.New("not yet")

// secondServer joins another server to a cluster by the token, over a wire
// between two network namespaces.
func secondServer(t *testing.T) {
	const firstAddress, secondAddress = "10.98.0.1", "10.98.0.2"
	first := found(t, isolated, etcd)
	inside := wire(t, first.dir, firstAddress, secondAddress)

	one := member{first, nil, []string{"--node-name", "node1", "--node-ip", firstAddress}, apiserver}
	one.launch(t)
	one.await(t)
	token, via := first.serverToken(t), "https://"+firstAddress+":6443"
	first.joinRefused(t, via, "K10"+strings.Repeat("0", 64)+"::server:"+password)

	second := &cluster{topology: isolated, store: etcd, bundle: first.bundle, root: first.root, rootFile: first.rootFile,
		dir: testbed.Dir(t), token: token, via: via}
	second.data = filepath.Join(second.dir, "data")
	there := "https://" + secondAddress + ":6443"
	two := member{second, inside, []string{"--node-name", "node2", "--node-ip", secondAddress}, there}
	two.launch(t)
	two.await(t)

	check(t, "etcd of two voters", func(t *testing.T) {
		if log := first.server.LogSince(0); !strings.Contains(log, `msg="Promoted learner node2-`) {
			t.Error("k3s did not promote the second server's etcd")
		}
	})
	check(t, "same files", func(t *testing.T) {
		for _, name := range files {
			if !bytes.Equal(read(t, first.tls(name)), read(t, second.tls(name))) {
				t.Errorf("%s differs between the servers", name)
			}
		}
		filesUnchanged(t, first)
	})
	check(t, "same token", func(t *testing.T) { joinToken(t, second) })
	check(t, "each server's certificates at the other", func(t *testing.T) {
		for _, leaf := range leaves {
			expectUser(t, "first's "+leaf.file+" at the second", first.as(t, leaf.file), there, leaf.user)
			expectUser(t, "second's "+leaf.file+" at the first", second.as(t, leaf.file), via, leaf.user)
		}
	})
	// The two share a certificate for k3s's port, in the Secret k3s-serving. The
	// second one puts the first one's in the place of its own before it adds its
	// names, and is not known by its address in between.
	check(t, "one certificate for both servers", func(t *testing.T) {
		second.eventually(t, "both names", func() error {
			answer, err := testbed.Client{Root: second.root}.Get(there + "/ping")
			if err != nil {
				return err
			}
			return answer.TLS.PeerCertificates[0].VerifyHostname(firstAddress)
		})
	})
	check(t, "trust in the server root alone", func(t *testing.T) {
		for _, client := range clients {
			if err := client.verify(second, t, there, second.rootFile); err != nil {
				t.Errorf("%s: %v", client.name, err)
			}
		}
	})
	check(t, "a rotation that the second server misses", func(t *testing.T) { missed(t, one, two) })
}

// wire connects a new network namespace to this one and returns the command
// that runs another command in it.
func wire(t *testing.T, dir, here, there string) []string {
	t.Helper()
	holder := testbed.Start(t, dir, "holder", nil, "unshare", "--net", "sleep", "infinity")
	pid := strconv.Itoa(holder.PID())
	holder.Await(t, 10*time.Second, "namespace", func() error {
		own, err := os.Readlink("/proc/self/ns/net")
		if err != nil {
			return err
		}
		if its, err := os.Readlink(fmt.Sprintf("/proc/%s/ns/net", pid)); err != nil || its == own {
			return errors.Join(errNotYet, err)
		}
		return nil
	})
	inside := []string{"nsenter", "--target", pid, "--net"}
	for _, command := range [][]string{
		{"ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", pid},
		{"ip", "address", "add", here + "/24", "dev", "wire"},
		{"ip", "link", "set", "wire", "up"},
		append(inside, "ip", "link", "set", "lo", "up"),
		append(inside, "ip", "address", "add", there+"/24", "dev", "wire"),
		append(inside, "ip", "link", "set", "wire", "up"),
		append(inside, "ip", "route", "add", "default", "dev", "wire"),
	} {
		if _, err := testbed.Run("", nil, command...); err != nil {
			t.Fatal(err)
		}
	}
	return inside
}
