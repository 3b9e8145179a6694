// Package e2e runs the code of a real k3s on the bundles that the rootkiln
// command makes. It is a module of its own because k3s needs its own versions
// and forks of several hundred modules, and nothing in it imports rootkiln: the
// environment variable ROOTKILN names the binary to be judged.
//
// The fast layer (make e2e) takes the steps of a first start that touch
// certificates: CreateRuntimeCertFiles and GenServerDeps make the node's leaf
// certificates, clientaccess makes the join token. No process listens and no
// datastore is opened.
package e2e
